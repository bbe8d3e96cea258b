//! Fast and safe logins for an app that checks a password on every request.
//!
//! An app with HTTP Basic authentication gets the password with every request. A [`Verifier`]
//! computes the hash once, and remembers it for a while. It needs no database: the app reads the
//! stored value of the user for each request, so a removed or locked user is refused at once.
//!
//! ```
//! use std::convert::Infallible;
//!
//! use dash_users::verifier::{Attempt, Decision, Limits, Verifier};
//! use dash_users::{Method, Password, PasswordHash};
//!
//! let verifier = Verifier::new(Limits::default());
//!
//! let password = Password::from("plover-xyzzy-quux");
//! let stored = PasswordHash::new(&Method::default(), &password).to_string();
//! let read = || Ok::<_, Infallible>(Some(stored.clone()));
//!
//! let attempt = Attempt { username: "alice", password: &password, address: Some("203.0.113.7") };
//! assert_eq!(verifier.verify(attempt, read()?.as_deref(), read)?, Decision::Accepted);
//! // This one takes a microsecond.
//! assert_eq!(verifier.verify(attempt, read()?.as_deref(), read)?, Decision::Accepted);
//! # Ok::<(), Infallible>(())
//! ```
//!
//! `examples/verifier.rs` is a complete program.
//!
//! # What it does with an attempt
//!
//! 1. A login that is **remembered** is accepted: the same name, stored value and password were
//!    accepted from the same address in the last 15 minutes, and first in the last 12 hours.
//! 2. A **wrong password that is remembered** is refused: the same name, stored value and password
//!    were refused for the same address in the last 60 seconds. It counts once.
//! 3. If another call **checks the same** at the moment, its result is used. If it has none, because
//!    it failed, this call starts again with a value that it reads itself.
//! 4. If there were **too many wrong passwords** for the name, from the address, or for the name from
//!    the address, the attempt is [`Limited`](Decision::Limited) without a check. Passwords that are
//!    being checked count as wrong until they are known to be right. After the wait, one attempt is
//!    checked. If it is wrong, the wait doubles. If it is right, the limits of the name end; the one
//!    of the address remains, because its user may own an account, but lets all right ones through.
//!    A limit also ends a minute after its wait, if nothing else is tried.
//! 5. If **too many hashes** are computed, the attempt waits. If too many wait, it is
//!    [`Busy`](Decision::Busy), and does not count.
//! 6. The hash is computed, then the stored value is **read again**. If it changed, the password is
//!    checked against the new one.
//!
//! [`Limits`] has all numbers. Nothing is shared between processes, so each has its own limits.
//!
//! # Security
//!
//! Names, addresses and passwords are kept as HMAC-SHA-256 with a random key of the process. Someone
//! who reads its memory gets the key, and can test guesses of remembered passwords without the cost
//! of the hash. They need the username and the stored value for it.
//!
//! An unknown user takes as long as a wrong password, if stored hashes use [`Limits::method`]; a
//! locked user as long as their hash. A value that is no hash, or costs too much, is refused at once.
//!
//! Memory is limited whatever is sent: see [`Limits::counters`].
//!
//! If the database ignores case, pass the stored spelling of the name. Each spelling has limits of
//! its own.

mod admission;
mod cgroup;
mod flights;
mod guesses;
mod keys;
mod limits;
mod process;
mod remembered;
mod sync;
#[cfg(test)]
mod tests;
mod wrong;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, Guard};

pub use self::limits::Limits;
use self::process::Process;
use crate::hash::HashError;
use crate::password::Password;

/// The time since any moment.
type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// Checks logins: see the [module](self).
///
/// It can be shared by threads, and created before or after a fork. Each process has its own key,
/// memory and limits: a child of a fork starts with none, at its first call, and waits for no lock
/// that another thread held. What it inherited stays in its memory, unused. In `reread`, neither a
/// fork nor a call of the same verifier is supported: the call would wait for itself.
pub struct Verifier {
    limits: Limits,
    clock: Clock,
    process_id: fn() -> u32,
    process: ArcSwap<Process>,
}

/// One login attempt.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The username as sent.
    pub username: &'a str,
    /// The password as sent.
    pub password: &'a Password,
    /// The address of the client, any text. An empty one is none, and has no limit. The addresses
    /// of an IPv6 /64 network count as one. An IPv4 address in an IPv6 address (IPv4-mapped, NAT64,
    /// 6to4) counts as the IPv4 address. A port is ignored.
    pub address: Option<&'a str>,
}

/// The answer to an [`Attempt`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a rejected login is not an error"]
pub enum Decision {
    /// The password is correct.
    Accepted,
    /// The login must be rejected.
    Refused(Refusal),
    /// There were too many wrong passwords: rejected without a check.
    Limited {
        /// The earliest time at which another attempt may be checked.
        retry_after: Duration,
    },
    /// Too many hashes are being computed: rejected without a check.
    Busy,
}

/// Why a login was rejected. Show it to administrators only, never to the person who logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The password is wrong.
    WrongPassword,
    /// The user does not exist.
    NoSuchUser,
    /// The user is locked.
    Locked,
    /// The stored value is not a hash that can be checked.
    Unusable(HashError),
    /// The stored value changed several times during the check.
    Changed,
}

impl Verifier {
    /// A verifier with a random key. In a container with little memory, hashes use at most half of
    /// it.
    ///
    /// # Panics
    ///
    /// If the operating system's random generator fails.
    #[must_use]
    pub fn new(mut limits: Limits) -> Self {
        if let Some(memory) = cgroup::memory_limit() {
            limits.hash_memory_bytes = limits.hash_memory_bytes.min(memory / 2);
        }
        let start = Instant::now();
        Self::with_clock(limits, move || start.elapsed(), random_key())
    }

    /// A verifier with another clock, which returns the time since any moment, and a given key. A
    /// child of a fork still gets a random key. If the clock goes back, logins are forgotten and
    /// limits kept.
    #[must_use]
    pub fn with_clock(
        limits: Limits,
        clock: impl Fn() -> Duration + Send + Sync + 'static,
        key: [u8; 32],
    ) -> Self {
        Self::in_process(limits, Arc::new(clock), std::process::id, key)
    }

    fn in_process(limits: Limits, clock: Clock, process_id: fn() -> u32, key: [u8; 32]) -> Self {
        let process = Process::new(&limits, Arc::clone(&clock), process_id(), key);
        Self { limits, clock, process_id, process: ArcSwap::from_pointee(process) }
    }

    /// Checks a login. `stored` is the value that the app has just read for this attempt; `None`
    /// means that there is no such user. `reread` reads it again. It is called after a hash was
    /// computed, at most once for each hash, and after waiting for a call that failed. It is not
    /// called for a remembered login.
    ///
    /// # Errors
    ///
    /// Those of `reread`. The attempt does not count then.
    pub fn verify<E>(
        &self,
        attempt: Attempt<'_>,
        stored: Option<&str>,
        mut reread: impl FnMut() -> Result<Option<String>, E>,
    ) -> Result<Decision, E> {
        self.process().verify(&attempt, stored, &mut reread)
    }

    /// A verifier with the same limits and clock that remembers nothing and has a random key.
    ///
    /// # Panics
    ///
    /// If the operating system's random generator fails.
    #[must_use]
    pub fn fresh(&self) -> Self {
        let (limits, clock) = (self.limits.clone(), Arc::clone(&self.clock));
        Self::in_process(limits, clock, self.process_id, random_key())
    }

    /// The state of this process.
    fn process(&self) -> Guard<Arc<Process>> {
        let id = (self.process_id)();
        let process = self.process.load();
        if process.id == id {
            return process;
        }
        let new = Process::new(&self.limits, Arc::clone(&self.clock), id, random_key());
        // Never dropped: another thread of the parent may have been changing it.
        std::mem::forget(Arc::clone(&process));
        // If another thread of the child was faster, its state counts.
        self.process.compare_and_swap(&process, Arc::new(new));
        self.process.load()
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        let process = self.process.load();
        if process.id != (self.process_id)() {
            std::mem::forget(Arc::clone(&process));
        }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("limits", &self.limits).finish_non_exhaustive()
    }
}

fn random_key() -> [u8; 32] {
    let mut key = [0; 32];
    getrandom::fill(&mut key).expect("the operating system has a random generator");
    key
}
