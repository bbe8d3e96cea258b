//! Threads, and forks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, AtomicUsize};
use std::sync::{Barrier, mpsc};
use std::thread;

use super::super::flights::Joined;
use super::super::sync::lock;
use super::*;

/// Calls with a `reread` that may do anything.
fn call(
    verifier: &Verifier,
    (username, password, address): (&str, &str, Option<&str>),
    stored: Option<&str>,
    mut during: impl FnMut(),
) -> Decision {
    let password = Password::from(password);
    let attempt = Attempt { username, password: &password, address };
    let read = || {
        during();
        Ok::<_, Infallible>(stored.map(str::to_owned))
    };
    verifier.verify(attempt, stored, read).unwrap()
}

/// A leader in `reread`, while others ask for the same: what they get, and the number of hashes
/// that they compute.
fn share(f: &Fixture, password: &str, leader: impl Fn() + Sync) -> (Vec<Decision>, usize) {
    let entered = Barrier::new(2);
    let alice = ("alice", password, ADDRESS);
    thread::scope(|scope| {
        let first = scope.spawn(|| {
            call(&f.verifier, alice, Some(&f.stored), || {
                entered.wait();
                // The others wait for this call by now, or will start later: both must do.
                thread::sleep(Duration::from_millis(20));
                leader();
            })
        });
        entered.wait();
        let other = || {
            let decision = call(&f.verifier, alice, Some(&f.stored), || ());
            (decision, DERIVED.take().len())
        };
        let others: Vec<_> = (0..5).map(|_| scope.spawn(other)).collect();
        let _ = first.join();
        let others = others.into_iter().map(|other| other.join().unwrap());
        let (decisions, hashes): (Vec<_>, Vec<_>) = others.unzip();
        (decisions, hashes.into_iter().sum())
    })
}

#[test]
fn six_connections_share_one_hash() {
    let f = Fixture::new();
    assert_eq!(share(&f, "right", || ()), (vec![Decision::Accepted; 5], 0));
    let f = Fixture::new();
    assert_eq!(share(&f, "wrong", || ()), (vec![WRONG; 5], 0));
    assert_eq!(f.guess(0..9), [WRONG; 9], "it was one guess");
    assert!(is_limited(f.guess(9..10)[0]));
}

#[test]
fn others_go_on_after_a_leader_panics() {
    let f = Fixture::new();
    let (decisions, hashes) = share(&f, "right", || panic!("the database is on fire"));
    assert_eq!((decisions, hashes), (vec![Decision::Accepted; 5], 1));
    assert_eq!(f.verifier.process().guesses.len(), ([0; 3], 0));
}

#[test]
fn revoked_user_is_refused_while_the_hash_is_computed() {
    for _ in 0..50 {
        let f = Fixture::new();
        let row = std::sync::Mutex::new(Some(f.stored.clone()));
        let removed = AtomicU32::new(0);
        let password = Password::from("right");
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        let before = removed.load(Ordering::SeqCst);
                        let read = || Ok::<_, Infallible>(lock(&row).clone());
                        let attempt = Attempt { username: "a", password: &password, address: None };
                        let stored = read().unwrap();
                        let decision = f.verifier.verify(attempt, stored.as_deref(), read).unwrap();
                        assert!(before == 0 || decision != Decision::Accepted);
                    }
                });
            }
            scope.spawn(|| {
                *lock(&row) = None;
                removed.store(1, Ordering::SeqCst);
            });
        });
    }
}

#[test]
fn guesses_at_the_same_time_are_limited_too() {
    let mut limits = limits();
    (limits.hashes_at_once, limits.waiting, limits.waiting_per_name) = (100, 100, 100);
    let f = Fixture::with_limits(limits);
    let hashes = AtomicUsize::new(0);
    let (reached, passed) = (Barrier::new(11), Barrier::new(11));
    thread::scope(|scope| {
        for number in 0..10 {
            let (f, hashes, reached, passed) = (&f, &hashes, &reached, &passed);
            scope.spawn(move || {
                let guess = format!("guess {number}");
                call(&f.verifier, ("alice", &guess, ADDRESS), Some(&f.stored), || {
                    hashes.fetch_add(1, Ordering::SeqCst);
                    reached.wait();
                    passed.wait();
                })
            });
        }
        reached.wait();
        // Ten are being checked.
        assert!(f.guess(10..50).into_iter().all(is_limited));
        passed.wait();
    });
    assert_eq!(hashes.into_inner(), 10);
}

#[test]
fn one_call_is_checked_after_a_wait() {
    let f = Fixture::new();
    f.guess(0..10);
    f.pass(1);
    let decision = call(&f.verifier, ("alice", "right", ADDRESS), Some(&f.stored), || {
        assert!(f.guess(10..20).into_iter().all(is_limited));
    });
    assert_eq!(decision, Decision::Accepted);
    // A call that fails leaves its place to another.
    let f = Fixture::new();
    f.guess(0..10);
    f.pass(1);
    let fails = || call(&f.verifier, ("alice", "x", ADDRESS), Some(&f.stored), || panic!("no"));
    assert!(catch_unwind(AssertUnwindSafe(fails)).is_err());
    assert_eq!(f.alice("right"), (Decision::Accepted, true));
}

#[test]
fn calls_beyond_the_queue_are_busy() {
    let f = Fixture::new();
    let process = f.verifier.process();
    let places: Vec<_> = (0..process.admission.at_once)
        .map(|_| process.admission.enter([0; 16], 0).unwrap())
        .collect();
    let (started, starts) = mpsc::channel();
    thread::scope(|scope| {
        for name in 0..70_u8 {
            let (started, admission) = (started.clone(), &process.admission);
            scope.spawn(move || {
                let id = [1 + name % 35; 16];
                started.send(admission.enter(id, 0).is_some()).unwrap();
            });
        }
        // Those that do not wait.
        let busy: Vec<bool> = (0..6).map(|_| starts.recv().unwrap()).collect();
        assert_eq!(busy, [false; 6]);
        assert_eq!(f.alice("right"), (Decision::Busy, false));
        assert_eq!(process.guesses.len(), ([0; 3], 0));
        drop(places);
        drop(started);
        assert_eq!(starts.iter().filter(|entered| *entered).count(), 64);
    });
    assert_eq!(f.alice("right"), (Decision::Accepted, true));
}

#[test]
fn at_most_two_calls_wait_for_a_name() {
    let f = Fixture::new();
    let admission = &f.verifier.process().admission;
    let places: Vec<_> =
        (0..admission.at_once).map(|_| admission.enter([0; 16], 0).unwrap()).collect();
    let (started, starts) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..3 {
            let started = started.clone();
            scope.spawn(move || started.send(admission.enter([1; 16], 0).is_some()).unwrap());
        }
        assert!(!starts.recv().unwrap());
        drop(places);
        assert!(starts.recv().unwrap() && starts.recv().unwrap());
    });
}

#[test]
fn costly_hashes_are_computed_one_after_another() {
    let f = Fixture::new();
    let admission = &f.verifier.process().admission;
    let (running, most) = (AtomicU64::new(0), AtomicU64::new(0));
    let costly: Method = "scrypt:262144:8:1".parse().unwrap();
    let default = Method::default();
    thread::scope(|scope| {
        for number in 0..20_u8 {
            let (running, most) = (&running, &most);
            let memory = [costly, default, method()][usize::from(number % 3)].memory_bytes();
            scope.spawn(move || {
                let place = admission.enter([number; 16], memory).unwrap();
                let now = running.fetch_add(memory, Ordering::SeqCst) + memory;
                most.fetch_max(now, Ordering::SeqCst);
                thread::yield_now();
                running.fetch_sub(memory, Ordering::SeqCst);
                drop(place);
            });
        }
    });
    assert_eq!(most.into_inner(), costly.memory_bytes());
}

#[test]
fn flood_of_unknown_names_from_an_address_ends() {
    let f = Fixture::new();
    let hashes = AtomicUsize::new(0);
    thread::scope(|scope| {
        for thread in 0..8 {
            let (f, hashes) = (&f, &hashes);
            scope.spawn(move || {
                for number in 0..500 {
                    let name = format!("{thread} {number}");
                    let _ = call(&f.verifier, (&name, "x", ADDRESS), None, || {
                        hashes.fetch_add(1, Ordering::SeqCst);
                    });
                }
            });
        }
    });
    assert_eq!(hashes.into_inner(), 50);
    let login = ("alice", "right", Some("198.51.100.1"));
    assert_eq!(call(&f.verifier, login, Some(&f.stored), || ()), Decision::Accepted);
}

/// The process of a test thread, so that a fork can be simulated: none can be made without unsafe
/// code.
fn process_id() -> u32 {
    PROCESS.load(Ordering::SeqCst)
}
static PROCESS: AtomicU32 = AtomicU32::new(1);

#[test]
fn child_of_a_fork_waits_for_no_lock_and_remembers_nothing() {
    let f = Fixture::new();
    let clock = Arc::clone(&f.clock);
    let clock: super::super::Clock =
        Arc::new(move || Duration::from_millis(clock.load(Ordering::SeqCst)));
    let mut limits = limits();
    limits.hashes_at_once = 1;
    let verifier = Verifier::in_process(limits, clock, process_id, [7; 32]);
    let login = ("alice", "right", ADDRESS);
    let stored = Some(&*f.stored);
    assert_eq!(call(&verifier, login, stored, || ()), Decision::Accepted);
    for number in 0..10 {
        let _ = call(&verifier, ("alice", &number.to_string(), ADDRESS), stored, || ());
    }
    assert!(is_limited(call(&verifier, ("alice", "x", ADDRESS), stored, || ())));

    // All locks and places are held, and the login is being checked by another thread.
    let parent = Arc::clone(&verifier.process());
    let attempt =
        Attempt { username: "alice", password: &Password::from("right"), address: ADDRESS };
    let keys = super::super::keys::Keys::new([7; 32]);
    let key = keys.login(&attempt, stored, &keys.client(&attempt));
    let lead = parent.flights.join(key);
    assert!(matches!(lead, Joined::Lead(_)));
    let place = parent.admission.enter([0; 16], 0);
    parent.with_locks(|| {
        PROCESS.store(2, Ordering::SeqCst);
        let mut hashes = 0;
        assert_eq!(call(&verifier, login, stored, || hashes += 1), Decision::Accepted);
        assert_eq!(call(&verifier, login, stored, || hashes += 1), Decision::Accepted);
        assert_eq!(hashes, 1, "the child has a memory of its own");
        assert_eq!(call(&verifier, ("alice", "x", ADDRESS), stored, || ()), WRONG);
    });
    let child = Arc::clone(&verifier.process());
    assert!(!child.remembered.uses(&key, 1_000_000), "the child has a key of its own");
    drop((lead, place));
    assert_eq!(Arc::strong_count(&parent), 2, "the state of the parent is never dropped");
}
