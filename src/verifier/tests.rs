//! Tests of the whole, each with an attack. Time is passed in, and the number of hashes is that of
//! calls of `reread`.

mod attacks;
mod concurrency;

use std::cell::Cell;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{Attempt, Decision, Limits, Refusal, Verifier};
use crate::credential::NewCredential;
use crate::hash::{DERIVED, Method, PasswordHash};
use crate::password::Password;

const ADDRESS: Option<&str> = Some("203.0.113.7");
const WRONG: Decision = Decision::Refused(Refusal::WrongPassword);

/// A verifier, and its clock in milliseconds.
struct Fixture {
    verifier: Verifier,
    clock: Arc<AtomicU64>,
    /// The hash of "right".
    stored: String,
}

fn method() -> Method {
    "pbkdf2:sha256:1".parse().unwrap()
}

fn hash(password: &str) -> String {
    PasswordHash::new(&method(), &Password::from(password)).to_string()
}

fn limits() -> Limits {
    Limits { method: method(), ..Limits::default() }
}

/// Whether an attempt was rejected before the check.
fn is_limited(decision: Decision) -> bool {
    matches!(decision, Decision::Limited { .. })
}

impl Fixture {
    fn new() -> Self {
        Self::with_limits(limits())
    }

    fn with_limits(limits: Limits) -> Self {
        let clock = Arc::new(AtomicU64::new(1_000_000));
        let time = Arc::clone(&clock);
        let now = move || Duration::from_millis(time.load(Ordering::SeqCst));
        let verifier = Verifier::with_clock(limits, now, [7; 32]);
        Self { verifier, clock, stored: hash("right") }
    }

    fn pass(&self, seconds: u64) {
        self.clock.fetch_add(1000 * seconds, Ordering::SeqCst);
    }

    /// The decision, and whether a hash was computed.
    fn check(
        &self,
        username: &str,
        password: &str,
        address: Option<&str>,
        stored: Option<&str>,
    ) -> (Decision, bool) {
        let (password, reads) = (Password::from(password), Cell::new(0));
        let attempt = Attempt { username, password: &password, address };
        let read = || {
            reads.set(reads.get() + 1);
            Ok::<_, Infallible>(stored.map(str::to_owned))
        };
        let decision = self.verifier.verify(attempt, stored, read).unwrap();
        assert!(reads.get() <= 1);
        (decision, reads.get() == 1)
    }

    /// The decision for alice, and whether a hash was computed.
    fn alice(&self, password: &str) -> (Decision, bool) {
        self.check("alice", password, ADDRESS, Some(&self.stored))
    }

    /// Distinct wrong passwords of alice.
    fn guess(&self, numbers: std::ops::Range<u32>) -> Vec<Decision> {
        numbers.map(|number| self.alice(&format!("guess {number}")).0).collect()
    }
}

#[test]
fn correct_login_is_remembered_until_idle_or_old() {
    let f = Fixture::new();
    assert_eq!(f.alice("right"), (Decision::Accepted, true));
    assert_eq!(f.alice("right"), (Decision::Accepted, false));
    f.pass(15 * 60 - 1);
    assert_eq!(f.alice("right"), (Decision::Accepted, false));
    f.pass(15 * 60);
    assert_eq!(f.alice("right"), (Decision::Accepted, true), "unused for 15 minutes");
    for _ in 0..(12 * 6 - 1) {
        f.pass(10 * 60);
        assert_eq!(f.alice("right"), (Decision::Accepted, false));
    }
    f.pass(10 * 60);
    assert_eq!(f.alice("right"), (Decision::Accepted, true), "12 hours old");
}

#[test]
fn remembered_login_is_bound_to_name_password_and_stored_value() {
    let f = Fixture::new();
    assert_eq!(f.alice("right"), (Decision::Accepted, true));
    assert_eq!(f.check("bob", "right", ADDRESS, Some(&f.stored)), (Decision::Accepted, true));
    assert_eq!(f.alice("wrong"), (WRONG, true));
    let rehashed = hash("right");
    assert_eq!(f.check("alice", "right", None, Some(&rehashed)), (Decision::Accepted, true));
    let locked = NewCredential::locked(&f.stored.parse().unwrap()).to_string();
    let refused = |refusal| (Decision::Refused(refusal), true);
    assert_eq!(f.check("alice", "right", None, Some(&locked)), refused(Refusal::Locked));
    assert_eq!(f.check("alice", "right", None, None), refused(Refusal::NoSuchUser));
    let (other, _) = f.check("alice", "right", None, Some(&hash("other")));
    assert_eq!(other, WRONG);
    // And still for the first value.
    assert_eq!(f.alice("right"), (Decision::Accepted, false));
}

#[test]
fn wrong_password_is_remembered_a_minute_for_its_stored_value() {
    let f = Fixture::new();
    assert_eq!(f.alice("wrong"), (WRONG, true));
    f.pass(59);
    assert_eq!(f.alice("wrong"), (WRONG, false));
    f.pass(1);
    assert_eq!(f.alice("wrong"), (WRONG, true));
    let changed = hash("wrong");
    assert_eq!(f.check("alice", "wrong", ADDRESS, Some(&changed)), (Decision::Accepted, true));
}

#[test]
fn only_the_last_wrong_passwords_are_remembered() {
    let f = Fixture::new();
    f.guess(0..9);
    let hashed = |number: u32| f.alice(&format!("guess {number}")).1;
    assert!((1..9).all(|number| !hashed(number)));
    assert!(hashed(0));
}

#[test]
fn least_recently_used_login_is_dropped() {
    let mut limits = limits();
    limits.remembered_logins = 2;
    let f = Fixture::with_limits(limits);
    let hashed = |name: &str| f.check(name, "right", None, Some(&f.stored)).1;
    assert!(hashed("a") && hashed("b") && !hashed("a"));
    assert!(hashed("c") && !hashed("a") && !hashed("c") && hashed("b"));
}

#[test]
fn zero_remembers_nothing_and_limits_nothing() {
    let mut limits = limits();
    (limits.remembered_logins, limits.wrong_per_name) = (0, 0);
    (limits.guesses_per_name, limits.guesses_per_address) = (0, 0);
    limits.guesses_per_name_and_address = 0;
    let f = Fixture::with_limits(limits);
    for _ in 0..2 {
        assert_eq!(f.alice("right"), (Decision::Accepted, true));
        assert_eq!(f.guess(0..200), [WRONG; 200]);
    }
}

#[test]
fn verdicts_and_work_are_those_of_a_login() {
    let current = Method::default();
    let mut limits = limits();
    limits.method = current;
    let f = Fixture::with_limits(limits);
    for (stored, work) in [
        (Some(&*f.stored), &[method()][..]),
        (Some(&*format!("!{}", f.stored.replace('$', "|"))), &[method()]),
        (Some("!pbkdf2:sha224:1|salt|00ff"), &[current]),
        (Some("*"), &[current]),
        (Some(""), &[current]),
        (None, &[current]),
        (Some("scrypt:524288:8:1$salt$00"), &[]),
        (Some("$2b$12$salt"), &[]),
    ] {
        DERIVED.take();
        let (decision, _) = f.check("somebody", "wrong", None, stored);
        assert!(matches!(decision, Decision::Refused(_)), "{stored:?}: {decision:?}");
        assert_eq!(DERIVED.take(), work, "{stored:?}");
    }
}

#[test]
fn hash_is_computed_again_if_the_stored_value_changed() {
    let f = Fixture::new();
    let password = Password::from("right");
    let attempt = Attempt { username: "alice", password: &password, address: ADDRESS };
    let check = |mut values: Vec<Option<String>>| {
        values.reverse();
        let read = || Ok::<_, Infallible>(values.pop().expect("no more reads"));
        let decision = f.verifier.verify(attempt, Some(&f.stored), read).unwrap();
        (decision, values.len())
    };
    let locked = NewCredential::locked(&f.stored.parse().unwrap()).to_string();
    let refused = |refusal| (Decision::Refused(refusal), 0);
    assert_eq!(check(vec![None]), refused(Refusal::NoSuchUser));
    assert_eq!(check(vec![Some(locked)]), refused(Refusal::Locked));
    let other = Some(hash("other"));
    assert_eq!(check(vec![other.clone(), other]), refused(Refusal::WrongPassword));
    let endless = (0..4).map(|_| Some(hash("right"))).collect();
    assert_eq!(check(endless), refused(Refusal::Changed));
    // Nothing of this is remembered for the first value.
    let rehashed = Some(hash("right"));
    assert_eq!(check(vec![rehashed.clone(), rehashed.clone()]), (Decision::Accepted, 0));
    let decision = f.check("alice", "right", ADDRESS, rehashed.as_deref());
    assert_eq!(decision, (Decision::Accepted, false), "the new value is remembered");
    assert_eq!(f.alice("right"), (Decision::Accepted, true));
}

#[test]
fn debug_shows_no_secret() {
    let f = Fixture::new();
    let _ = f.alice("right");
    let password = Password::from("right");
    let attempt = Attempt { username: "alice", password: &password, address: None };
    let shown = format!("{:?} {attempt:?}", f.verifier);
    assert!(!shown.contains("right") && !shown.contains("pbkdf2:sha256:1$"), "{shown}");
}
