//! Hashing and verifying many passwords on several threads, in limited memory.

use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::{mem, thread};

use dash_users_romix::{MAX_LANES, Memory};
use subtle::ConstantTimeEq;

use super::{Method, PasswordHash, new_salt};
use crate::password::Password;

/// The most memory that hashes use at once, in bytes. Six hashes with the default method need
/// 192 MiB and a few KiB. A hash that needs more is computed alone.
const MAX_MEMORY_BYTES: u64 = 193 << 20;

/// Hashes each password with a fresh random salt. Calls `done` after each of them.
pub(crate) fn hash_all(
    method: &Method,
    passwords: &[&Password],
    jobs: NonZeroUsize,
    done: &(dyn Fn() + Sync),
) -> Vec<PasswordHash> {
    let salts: Vec<_> = passwords.iter().map(|_| new_salt()).collect();
    let inputs = passwords.iter().zip(&salts);
    let inputs: Vec<_> =
        inputs.map(|(password, salt)| Input { method: *method, password, salt }).collect();
    let digests = derive_all(&inputs, jobs, &|_, _| done());
    let hashes = salts.into_iter().zip(digests);
    hashes.map(|(salt, digest)| PasswordHash::from_parts(*method, salt, digest)).collect()
}

/// Returns whether each password matches its hash. Calls `done` with each result.
pub(crate) fn verify_all(
    checks: &[(&PasswordHash, &Password)],
    jobs: NonZeroUsize,
    done: &(dyn Fn(bool) + Sync),
) -> Vec<bool> {
    let inputs: Vec<_> = checks
        .iter()
        .map(|(hash, password)| Input { method: hash.method, password, salt: &hash.salt })
        .collect();
    let matches = |digest: &[u8], index: usize| digest.ct_eq(&checks[index].0.digest).into();
    let digests = derive_all(&inputs, jobs, &|index, digest| done(matches(digest, index)));
    digests.iter().enumerate().map(|(index, digest)| matches(digest, index)).collect()
}

struct Input<'a> {
    method: Method,
    password: &'a Password,
    salt: &'a str,
}

/// Derives the digest of each input. Calls `done` with the index and the digest of each.
fn derive_all(
    inputs: &[Input<'_>],
    jobs: NonZeroUsize,
    done: &(dyn Fn(usize, &[u8]) + Sync),
) -> Vec<Vec<u8>> {
    let mut digests = vec![Vec::new(); inputs.len()];
    let mut work = Vec::new();
    let mut rest = &mut digests[..];
    for same_method in inputs.chunk_by(|a, b| a.method == b.method) {
        for inputs in same_method.chunks(lanes(&same_method[0].method, jobs)) {
            let (digests, after) = mem::take(&mut rest).split_at_mut(inputs.len());
            rest = after;
            work.push((inputs, digests));
        }
    }
    let jobs = jobs.get().min(work.len());
    let mut first = 0;
    let work = work.into_iter().map(|(inputs, digests)| {
        first += inputs.len();
        (first - inputs.len(), inputs, digests)
    });
    let work = Mutex::new(work);
    let budget = Budget::default();
    let next = || work.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = || {
        // Kept while the method stays the same. Dropped in this order.
        let mut held: Option<(Memory, Share<'_>, Method, usize)> = None;
        while let Some((first, inputs, digests)) = next() {
            let (method, lanes) = (inputs[0].method, inputs.len());
            let fits = |(_, _, of, most): &(_, _, Method, usize)| *of == method && *most >= lanes;
            let kept = held.take().filter(fits);
            let (memory, ..) = held.insert(kept.unwrap_or_else(|| {
                let bytes = method.memory_bytes().saturating_mul(lanes as u64);
                (Memory::default(), budget.take(bytes), method, lanes)
            }));
            let secrets: Vec<_> = inputs.iter().map(|input| (input.password, input.salt)).collect();
            let derived = method.derive_all(&secrets, memory);
            for (offset, (digest, derived)) in digests.iter_mut().zip(derived).enumerate() {
                done(first + offset, &derived);
                *digest = derived;
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..jobs {
            // If a thread cannot be started, the others do its work.
            let _ = thread::Builder::new().spawn_scoped(scope, run);
        }
        run();
    });
    digests
}

/// How many hashes a thread computes at once, so that all threads fit into the memory.
fn lanes(method: &Method, jobs: NonZeroUsize) -> usize {
    let fitting = MAX_MEMORY_BYTES / method.memory_bytes().max(1) / jobs.get() as u64;
    usize::try_from(fitting).unwrap_or(MAX_LANES).clamp(1, MAX_LANES)
}

/// Memory that threads share. Together they use at most [`MAX_MEMORY_BYTES`], or one of them uses all
/// that it needs.
#[derive(Default)]
struct Budget {
    taken: Mutex<u64>,
    released: Condvar,
}

impl Budget {
    /// Takes `bytes` of memory as soon as they are available.
    fn take(&self, bytes: u64) -> Share<'_> {
        let is_too_much =
            |taken: &mut u64| *taken > 0 && taken.saturating_add(bytes) > MAX_MEMORY_BYTES;
        let taken = self.released.wait_while(self.taken(), is_too_much);
        *taken.unwrap_or_else(PoisonError::into_inner) += bytes;
        Share { budget: self, bytes }
    }

    fn taken(&self) -> MutexGuard<'_, u64> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Memory that is given back when this is dropped.
struct Share<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        *self.budget.taken() -= self.bytes;
        self.budget.released.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// The peak memory of concurrent works with these sizes in bytes.
    fn peak(works: &[u64]) -> u64 {
        let (budget, now, peak) = (Budget::default(), AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for bytes in works.iter().copied() {
                let (budget, now, peak) = (&budget, &now, &peak);
                scope.spawn(move || {
                    let _share = budget.take(bytes);
                    let taken = now.fetch_add(bytes, Ordering::SeqCst) + bytes;
                    peak.fetch_max(taken, Ordering::SeqCst);
                    thread::sleep(Duration::from_millis(20));
                    now.fetch_sub(bytes, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(*budget.taken(), 0);
        peak.into_inner()
    }

    fn jobs(jobs: usize) -> NonZeroUsize {
        NonZeroUsize::new(jobs).unwrap()
    }

    #[test]
    fn lanes_fit_into_memory() {
        let method = |text: &str| text.parse::<Method>().unwrap();
        for (text, threads, expected) in [
            ("scrypt", 1, 3),
            ("scrypt", 2, 3),
            ("scrypt", 3, 2),
            ("scrypt", 4, 1),
            ("scrypt", 64, 1),
            ("scrypt:16384:8:1", 4, 3),
            ("scrypt:262144:8:1", 1, 1),
            ("pbkdf2", 256, 3),
        ] {
            assert_eq!(lanes(&method(text), jobs(threads)), expected, "{text}, {threads}");
        }
    }

    #[test]
    fn bulk_results_match_single_hashes() {
        let method = |text: &str| text.parse::<Method>().unwrap();
        let methods = ["scrypt:1024:8:1", "scrypt:512:1:3", "pbkdf2:sha256:2", "scrypt:256:2:2"];
        let methods = methods.map(method);
        let passwords: Vec<_> = (0..23).map(|i| Password::from(format!("password {i}"))).collect();
        for threads in [1, 2, 5] {
            let of_method: Vec<_> = passwords.iter().collect();
            let hashes: Vec<_> = passwords
                .chunks(5)
                .zip(methods.iter().cycle())
                .flat_map(|(_, method)| hash_all(method, &of_method[..5], jobs(threads), &|| ()))
                .collect();
            let checks =
                hashes.iter().zip((0..).map(|i| of_method[if i % 7 == 3 { 9 } else { i % 5 }]));
            let checks: Vec<_> = checks.collect();
            let (right, wrong) = (AtomicU64::new(0), AtomicU64::new(0));
            let results = verify_all(&checks, jobs(threads), &|is_right| {
                let count = if is_right { &right } else { &wrong };
                count.fetch_add(1, Ordering::SeqCst);
            });
            let expected: Vec<_> =
                checks.iter().map(|(hash, password)| hash.verify(password)).collect();
            assert_eq!(results, expected);
            let rights = expected.iter().filter(|is_right| **is_right).count() as u64;
            assert_eq!((right.into_inner(), rights > 15), (rights, true));
            assert_eq!(wrong.into_inner(), 25 - rights);
        }
        assert_eq!(hash_all(&methods[0], &[], jobs(3), &|| ()), []);
    }

    #[test]
    fn concurrent_work_stays_within_budget() {
        let (small, large) = (MAX_MEMORY_BYTES / 6, MAX_MEMORY_BYTES * 4 / 3);
        assert!(peak(&[small; 12]) <= MAX_MEMORY_BYTES);
        assert_eq!(peak(&[large; 3]), large);
        assert!(peak(&[large, small, small, large, small, 0, 0]) <= large);
    }
}
