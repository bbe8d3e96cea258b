//! The numbers of a verifier.

use std::thread;
use std::time::Duration;

use crate::hash::Method;

/// The limits of a [`Verifier`](super::Verifier).
///
/// ```
/// use std::time::Duration;
/// use dash_users::verifier::Limits;
///
/// let mut limits = Limits::default();
/// limits.remembered_idle = Duration::from_secs(5 * 60);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many correct logins are remembered: 10,000. Beyond, the least recently used one is
    /// dropped. 0 remembers none.
    pub remembered_logins: usize,
    /// How long an unused correct login is remembered: 15 minutes.
    pub remembered_idle: Duration,
    /// How long a correct login is remembered in all: 12 hours.
    pub remembered_total: Duration,
    /// How many wrong passwords of a name are remembered: 8. 0 remembers none.
    pub wrong_per_name: usize,
    /// How long a wrong password is remembered: 60 seconds.
    pub wrong_for: Duration,
    /// Wrong passwords per [`guess_window`](Self::guess_window) for one name from one address: 10.
    /// 0 is no limit, here and in the next two.
    pub guesses_per_name_and_address: u32,
    /// Wrong passwords per window for one name from all addresses: 100.
    pub guesses_per_name: u32,
    /// Wrong passwords per window from one address for all names: 50.
    pub guesses_per_address: u32,
    /// The time in which wrong passwords are counted: 60 seconds.
    pub guess_window: Duration,
    /// How long attempts are refused after too many wrong passwords: 1 second. Each further wrong
    /// password doubles it.
    pub first_wait: Duration,
    /// The longest such time: 60 seconds.
    pub longest_wait: Duration,
    /// How many names, addresses, and pairs of both have counters: 16,384 of each. Beyond, the
    /// counter that was used least recently is dropped.
    pub counters: usize,
    /// The memory of all hashes computed at once, in bytes: 256 MiB. A hash that needs more is
    /// computed alone.
    pub hash_memory_bytes: u64,
    /// How many hashes are computed at once: twice the number of cores.
    pub hashes_at_once: usize,
    /// How many attempts for one name wait until a hash can be computed: 2.
    pub waiting_per_name: usize,
    /// How many attempts wait in all: 64.
    pub waiting: usize,
    /// The method of the app's hashes. An unknown user costs as much as a hash with it.
    pub method: Method,
}

impl Default for Limits {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self {
            remembered_logins: 10_000,
            remembered_idle: Duration::from_secs(15 * 60),
            remembered_total: Duration::from_secs(12 * 60 * 60),
            wrong_per_name: 8,
            wrong_for: Duration::from_secs(60),
            guesses_per_name_and_address: 10,
            guesses_per_name: 100,
            guesses_per_address: 50,
            guess_window: Duration::from_secs(60),
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(60),
            counters: 16_384,
            hash_memory_bytes: 256 << 20,
            hashes_at_once: 2 * cores,
            waiting_per_name: 2,
            waiting: 64,
            method: Method::default(),
        }
    }
}

/// Whole milliseconds, as all times are kept.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
