//! Correct logins, so that they cost no hash for a while.

use std::hash::RandomState;

use hashlink::LruCache;

use super::sync::{Mutex, lock};

/// Logins by the HMAC of all that they depend on. Each shard drops the least recently used one.
pub(super) struct Remembered {
    shards: Box<[Mutex<Shard>]>,
    /// In milliseconds, as all times.
    idle: u64,
    total: u64,
}

type Shard = LruCache<[u8; 32], Times, RandomState>;

/// When a login was remembered, and last used.
struct Times {
    since: u64,
    used: u64,
}

/// The smallest useful shard.
const SHARD: usize = 64;
const MAX_SHARDS: usize = 64;

/// The time since `then`, in milliseconds; `None` if the clock went back. Another thread may have
/// read the clock later and been faster, so a moment in the near future is now.
pub(super) fn age(then: u64, now: u64) -> Option<u64> {
    const SKEW: u64 = 10_000;
    (then.saturating_sub(now) <= SKEW).then(|| now.saturating_sub(then))
}

impl Remembered {
    pub fn new(capacity: usize, idle: u64, total: u64) -> Self {
        let shards = (capacity / SHARD).clamp(1, MAX_SHARDS);
        let shard = |_| Mutex::new(LruCache::with_hasher(capacity / shards, RandomState::new()));
        Self { shards: (0..shards).map(shard).collect(), idle, total }
    }

    /// Whether a login is remembered. It is used then.
    pub fn uses(&self, key: &[u8; 32], now: u64) -> bool {
        let mut shard = lock(self.shard(key));
        self.drop_unused(&mut shard, now);
        let Some(times) = shard.get_mut(key) else { return false };
        if self.is_over(times, now) {
            shard.remove(key);
            return false;
        }
        times.used = times.used.max(now);
        true
    }

    pub fn insert(&self, key: [u8; 32], now: u64) {
        let mut shard = lock(self.shard(&key));
        self.drop_unused(&mut shard, now);
        if shard.capacity() > 0 {
            shard.insert(key, Times { since: now, used: now });
        }
    }

    /// The number of logins.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Runs something while all locks are held.
    #[cfg(test)]
    pub fn with_locks(&self, run: impl FnOnce()) {
        let _locks: Vec<_> = self.shards.iter().map(lock).collect();
        run();
    }

    /// The first bytes of an HMAC are as good as any.
    fn shard(&self, key: &[u8; 32]) -> &Mutex<Shard> {
        &self.shards[usize::from(key[0]) % self.shards.len()]
    }

    /// Drops the least recently used logins that are over.
    fn drop_unused(&self, shard: &mut Shard, now: u64) {
        while shard.iter().next().is_some_and(|(_, times)| self.is_over(times, now)) {
            shard.remove_lru();
        }
    }

    fn is_over(&self, times: &Times, now: u64) -> bool {
        let is_over = |then, limit| age(then, now).is_none_or(|age| age >= limit);
        is_over(times.since, self.total) || is_over(times.used, self.idle)
    }
}
