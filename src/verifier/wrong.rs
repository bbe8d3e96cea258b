//! Wrong passwords that were just checked, so that a program which repeats one costs no hash.

use std::hash::RandomState;

use hashlink::LruCache;

use super::Refusal;
use super::keys::{Id, LoginKey};
use super::remembered::age;
use super::sync::{Mutex, lock};

/// The last wrong passwords of each name.
pub(super) struct WrongPasswords {
    names: Mutex<LruCache<Id, Vec<Wrong>, RandomState>>,
    per_name: usize,
    /// In milliseconds.
    duration: u64,
}

/// A wrong password, bound to the stored value.
struct Wrong {
    key: LoginKey,
    refusal: Refusal,
    at: u64,
}

impl WrongPasswords {
    pub fn new(names: usize, per_name: usize, duration: u64) -> Self {
        let names = if per_name == 0 { 0 } else { names };
        let names = Mutex::new(LruCache::with_hasher(names, RandomState::new()));
        Self { names, per_name, duration }
    }

    /// Why a login was refused. It becomes the last of its name.
    pub fn get(&self, name: &Id, key: &LoginKey, now: u64) -> Option<Refusal> {
        let mut names = lock(&self.names);
        let all = names.get_mut(name)?;
        all.retain(|wrong| self.is_fresh(wrong, now));
        let place = all.iter().position(|wrong| wrong.key == *key)?;
        all[place..].rotate_left(1);
        all.last().map(|wrong| wrong.refusal)
    }

    pub fn insert(&self, name: Id, key: LoginKey, refusal: Refusal, now: u64) {
        let mut names = lock(&self.names);
        while let Some((_, all)) = names.iter().next()
            && !all.iter().any(|wrong| self.is_fresh(wrong, now))
        {
            names.remove_lru();
        }
        if names.capacity() == 0 {
            return;
        }
        if !names.contains_key(&name) {
            names.insert(name, Vec::new());
        }
        if let Some(all) = names.get_mut(&name) {
            all.retain(|wrong| wrong.key != key && self.is_fresh(wrong, now));
            if all.len() >= self.per_name {
                all.remove(0);
            }
            all.push(Wrong { key, refusal, at: now });
        }
    }

    /// The number of names.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        lock(&self.names).len()
    }

    /// Runs something while the lock is held.
    #[cfg(test)]
    pub fn with_lock(&self, run: impl FnOnce()) {
        let _lock = lock(&self.names);
        run();
    }

    fn is_fresh(&self, wrong: &Wrong, now: u64) -> bool {
        age(wrong.at, now).is_some_and(|age| age < self.duration)
    }
}
