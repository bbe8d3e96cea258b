//! The locks of the verifier in every order in which threads can run. Its files are compiled with
//! the locks of `loom`, which tries all orders, and fails if all threads wait.

#![allow(dead_code, reason = "not all of these files is needed")]

#[path = "../../src/verifier/admission.rs"]
mod admission;
#[path = "../../src/verifier/flights.rs"]
mod flights;
#[path = "../../src/verifier/remembered.rs"]
mod remembered;

/// As `src/verifier/sync.rs`.
mod sync {
    pub use loom::sync::{Arc, Condvar, Mutex, MutexGuard};

    pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap()
    }

    pub fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        condvar.wait(guard).unwrap()
    }
}

use std::sync::atomic::{AtomicUsize, Ordering};

use loom::sync::Arc;

use self::admission::Admission;
use self::flights::{Flights, Joined};
use self::remembered::Remembered;

const KEY: [u8; 32] = [1; 32];

/// What the verifier does for a login that is not known yet. The counters are not of loom, so they
/// add no orders.
struct Login {
    flights: Flights<[u8; 32], u8>,
    remembered: Remembered,
    hashes: AtomicUsize,
    hashing: AtomicUsize,
    /// How many hashes fail.
    failures: usize,
}

impl Login {
    fn new(failures: usize) -> Self {
        let (flights, remembered) = (Flights::new(), Remembered::new(1, 10, 10));
        Self {
            flights,
            remembered,
            hashes: AtomicUsize::new(0),
            hashing: AtomicUsize::new(0),
            failures,
        }
    }

    /// Whether it was accepted; `None` if this call failed itself.
    fn log_in(&self) -> Option<bool> {
        loop {
            if self.remembered.uses(&KEY, 0) {
                return Some(true);
            }
            match self.flights.join(KEY) {
                Joined::Result(result) => return Some(result == 1),
                Joined::Failed => {}
                Joined::Lead(lead) => {
                    if self.remembered.uses(&KEY, 0) {
                        return Some(true);
                    }
                    assert_eq!(self.hashing.fetch_add(1, Ordering::SeqCst), 0, "one at a time");
                    loom::thread::yield_now();
                    self.hashing.fetch_sub(1, Ordering::SeqCst);
                    if self.hashes.fetch_add(1, Ordering::SeqCst) < self.failures {
                        return None;
                    }
                    self.remembered.insert(KEY, 0);
                    lead.share(1);
                    return Some(true);
                }
            }
        }
    }
}

/// Runs a model in every order. With three threads, those in which a running thread is interrupted
/// up to twice: all would take hours.
fn explore(threads: usize, model: impl Fn(usize) + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = (threads > 2).then_some(2);
    builder.check(move || model(threads));
}

/// Runs this in so many threads, one of them this one.
fn all<T: 'static>(threads: usize, run: impl Fn(usize) -> T + Clone + 'static) -> Vec<T> {
    let others: Vec<_> = (1..threads)
        .map(|number| {
            let run = run.clone();
            loom::thread::spawn(move || run(number))
        })
        .collect();
    let mut all = vec![run(0)];
    all.extend(others.into_iter().map(|other| other.join().unwrap()));
    all
}

/// Runs logins. So many hashes fail.
fn log_in(threads: usize, failures: usize) {
    let login = Arc::new(Login::new(failures));
    let this = Arc::clone(&login);
    let results = all(threads, move |_| this.log_in());
    let failed = results.iter().filter(|result| result.is_none()).count();
    let accepted = results.iter().filter(|result| **result == Some(true)).count();
    assert_eq!((failed, accepted), (failures, threads - failures));
    let hashes = if accepted == 0 { failures } else { failures + 1 };
    assert_eq!(login.hashes.load(Ordering::SeqCst), hashes);
}

#[test]
fn concurrent_logins_compute_one_hash() {
    explore(2, |threads| log_in(threads, 0));
    explore(3, |threads| log_in(threads, 0));
}

#[test]
fn others_go_on_after_a_failed_hash() {
    explore(2, |threads| log_in(threads, 1));
    explore(3, |threads| log_in(threads, 1));
}

/// Runs a call for each of these, which need so much of a memory of 2. Returns how many were
/// admitted.
fn enter(memory: &'static [u64], waiting: usize, waiting_per_name: usize) -> usize {
    let admission = Arc::new(Admission::new(2, 2, waiting, waiting_per_name));
    let used = Arc::new(AtomicUsize::new(0));
    let admitted = all(memory.len(), move |number| {
        let Some(place) = admission.enter(0, memory[number]) else { return false };
        let memory = usize::try_from(memory[number]).unwrap();
        let now = used.fetch_add(memory, Ordering::SeqCst) + memory;
        assert!(now <= 2 || now == memory, "{now} used");
        loom::thread::yield_now();
        used.fetch_sub(memory, Ordering::SeqCst);
        drop(place);
        true
    });
    admitted.into_iter().filter(|admitted| *admitted).count()
}

#[test]
fn waiting_calls_are_admitted() {
    explore(2, |_| assert_eq!(enter(&[2, 1], 2, 2), 2));
    explore(3, |_| assert_eq!(enter(&[2, 2, 1], 2, 2), 3));
}

#[test]
fn hash_over_the_memory_is_computed_alone() {
    explore(2, |_| assert_eq!(enter(&[3, 1], 2, 2), 2));
    explore(3, |_| assert_eq!(enter(&[3, 1, 1], 2, 2), 3));
}

#[test]
fn calls_beyond_the_queue_do_not_wait() {
    explore(2, |_| assert!((1..=2).contains(&enter(&[2, 2], 0, 1))));
    explore(3, |_| assert!((2..=3).contains(&enter(&[2, 2, 2], 1, 1))));
}
