//! Guessing, floods, and clocks.

use super::*;

#[test]
fn eleventh_password_from_an_address_waits_and_the_wait_doubles() {
    let f = Fixture::new();
    assert_eq!(f.guess(0..10), [WRONG; 10]);
    for (wait, number) in [1, 2, 4, 8, 16, 32, 60, 60].into_iter().zip(10..) {
        let retry_after = Duration::from_secs(wait);
        assert_eq!(f.alice("right").0, Decision::Limited { retry_after });
        f.pass(wait - 1);
        let retry_after = Duration::from_secs(1);
        assert_eq!(f.alice("right"), (Decision::Limited { retry_after }, false));
        f.pass(1);
        assert_eq!(f.alice(&format!("guess {number}")), (WRONG, true));
    }
    // Others are not affected.
    let stored = Some(&*f.stored);
    assert_eq!(f.check("alice", "right", Some("203.0.113.8"), stored).0, Decision::Accepted);
}

#[test]
fn right_password_ends_the_limit_of_the_name() {
    let f = Fixture::new();
    f.guess(0..10);
    f.pass(1);
    assert_eq!(f.alice("right"), (Decision::Accepted, true));
    assert_eq!(f.guess(20..30), [WRONG; 10]);
    assert!(is_limited(f.alice("guess 30").0));
}

#[test]
fn limit_ends_after_a_quiet_minute() {
    let f = Fixture::new();
    f.guess(0..10);
    f.pass(60);
    assert_eq!(f.guess(10..11), [WRONG], "the wait is over");
    assert!(is_limited(f.guess(11..12)[0]), "the limit is not");
    f.pass(2 + 60);
    assert_eq!(f.guess(20..30), [WRONG; 10]);
    assert!(is_limited(f.guess(30..31)[0]));
}

#[test]
fn guesses_of_any_minute_are_limited() {
    let f = Fixture::new();
    f.guess(0..5);
    f.pass(59);
    assert_eq!(f.guess(5..10), [WRONG; 5]);
    assert!(is_limited(f.guess(10..11)[0]));
    let f = Fixture::new();
    f.guess(0..5);
    f.pass(60);
    assert_eq!(f.guess(5..14), [WRONG; 9]);
}

#[test]
fn remembered_user_logs_in_while_others_guess() {
    let f = Fixture::new();
    assert_eq!(f.alice("right"), (Decision::Accepted, true));
    for number in 0..1000 {
        let _ = f.guess(number..number + 1);
        assert_eq!(f.alice("right"), (Decision::Accepted, false));
    }
}

#[test]
fn many_addresses_guess_one_name() {
    let f = Fixture::new();
    let guess = |number: u32| {
        let address = format!("198.51.100.{}", number / 5);
        f.check("alice", &format!("guess {number}"), Some(&address), Some(&f.stored)).0
    };
    assert!((0..100).all(|number| guess(number) == WRONG));
    assert!((100..200).all(|number| is_limited(guess(number))));
    // A limited call leaves nothing behind.
    assert_eq!(f.verifier.process().guesses.len(), ([20, 1, 20], 0));
}

#[test]
fn one_address_sprays_many_names() {
    let f = Fixture::new();
    // The same password for all is a guess for each.
    let try_user = |number: u32, address: &str| {
        f.check(&format!("user {number}"), "Winter2026", Some(address), Some(&f.stored)).0
    };
    assert!((0..50).all(|number| try_user(number, "2001:db8::1") == WRONG));
    assert!((50..100).all(|number| is_limited(try_user(number, &format!("2001:db8::{number}")))));
    assert_eq!(try_user(100, "2001:db8:0:1::1"), WRONG);
    // The right password of one's own account passes, and gives no more guesses.
    f.pass(1);
    for name in ["mallory", "mallory's friend"] {
        let own = f.check(name, "right", Some("2001:db8::1"), Some(&f.stored)).0;
        assert_eq!(own, Decision::Accepted);
    }
    assert_eq!(try_user(101, "2001:db8::1"), WRONG);
    assert!(is_limited(try_user(102, "2001:db8::1")));
}

#[test]
fn unknown_and_locked_names_are_limited_alike() {
    let locked = NewCredential::locked(&hash("right").parse().unwrap()).to_string();
    for stored in [None, Some(&*locked), Some("*"), Some("$2b$12$salt")] {
        let f = Fixture::new();
        let guess = |number: u32| f.check("bob", &format!("{number}"), ADDRESS, stored).0;
        for number in (0..10).chain(2..10) {
            assert!(matches!(guess(number), Decision::Refused(_)), "{stored:?} {number}");
        }
        assert!(is_limited(guess(10)), "{stored:?}");
    }
}

#[test]
fn tab_with_an_old_password_costs_one_guess_a_minute() {
    let f = Fixture::new();
    let mut hashes = 0;
    for _ in 0..600 {
        let (decision, is_new) = f.alice("old");
        assert_eq!(decision, WRONG);
        hashes += u32::from(is_new);
        f.pass(1);
    }
    assert_eq!(hashes, 10);
    f.pass(60);
    assert_eq!(f.alice("old"), (WRONG, true));
    assert_eq!(f.guess(0..9), [WRONG; 9]);
    assert!(is_limited(f.guess(9..10)[0]));
}

#[test]
fn old_password_after_a_new_hash_is_one_guess() {
    let f = Fixture::new();
    for _ in 0..30 {
        let new = hash("right");
        assert_eq!(f.check("alice", "old", ADDRESS, Some(&new)), (WRONG, true));
    }
}

#[test]
fn few_passwords_in_turn_do_not_cost_endless_hashes() {
    let f = Fixture::new();
    let hashes = (0..1000).filter(|number| f.alice(&format!("{}", number % 9)).1).count();
    assert_eq!(hashes, 10);
}

#[test]
fn remembered_login_is_no_oracle_for_another_address() {
    let f = Fixture::new();
    assert_eq!(f.alice("right"), (Decision::Accepted, true));
    let other = |password: &str| f.check("alice", password, Some("203.0.113.8"), Some(&f.stored));
    for number in 0..10 {
        assert_eq!(other(&number.to_string()), (WRONG, true));
    }
    assert!(is_limited(other("wrong").0));
    assert!(is_limited(other("right").0), "as a wrong one");
    assert_eq!(f.alice("right"), (Decision::Accepted, false));
}

#[test]
fn repeated_wrong_passwords_do_not_prolong_a_wait() {
    let f = Fixture::new();
    f.guess(0..10);
    for _ in 0..20 {
        let _ = f.alice("guess 3");
    }
    f.pass(1);
    assert_eq!(f.alice("right"), (Decision::Accepted, true));
}

#[test]
fn login_used_by_a_thread_with_a_later_time_is_remembered() {
    let f = Fixture::new();
    f.pass(10);
    assert_eq!(f.alice("right"), (Decision::Accepted, true));
    f.clock.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(f.alice("right"), (Decision::Accepted, false));
}

#[test]
fn error_of_the_database_counts_and_remembers_nothing() {
    let f = Fixture::new();
    for number in 0..20 {
        let password = Password::from(&*format!("{number}"));
        let attempt = Attempt { username: "alice", password: &password, address: ADDRESS };
        let decision = f.verifier.verify(attempt, Some(&f.stored), || Err("no database"));
        assert_eq!(decision, Err("no database"));
    }
    assert_eq!(f.verifier.process().guesses.len(), ([0; 3], 0));
    assert_eq!(f.alice("0"), (WRONG, true));
}

#[test]
fn memory_is_bounded_for_any_number_of_names_and_addresses() {
    let mut limits = limits();
    limits.counters = 100;
    limits.remembered_logins = 100;
    let f = Fixture::with_limits(limits);
    for number in 0..20_000_u32 {
        let (name, address) = (format!("user {number}"), number.to_string());
        let (decision, _) = f.check(&name, "wrong", Some(&address), None);
        assert_eq!(decision, Decision::Refused(Refusal::NoSuchUser));
        let (decision, _) = f.check(&name, "right", Some(&address), Some(&f.stored));
        assert_eq!(decision, Decision::Accepted);
        assert_eq!(f.check(&name, "wrong", Some(&address), Some(&f.stored)).0, WRONG);
    }
    let process = f.verifier.process();
    assert_eq!(process.guesses.len(), ([100; 3], 0));
    assert_eq!(process.wrong.len(), 100);
    assert_eq!(process.remembered.len(), 100);
}

#[test]
fn unused_memory_is_given_up() {
    let f = Fixture::new();
    for number in 0..100 {
        let name = format!("user {number}");
        assert_eq!(f.check(&name, "wrong", Some(&name), Some(&f.stored)).0, WRONG);
    }
    f.pass(60);
    let refused = Decision::Refused(Refusal::NoSuchUser);
    assert_eq!(f.check("bob", "wrong", ADDRESS, None).0, refused);
    assert_eq!(f.verifier.process().guesses.len(), ([1; 3], 0));
    assert_eq!(f.verifier.process().wrong.len(), 1);
}

#[test]
fn long_names_passwords_and_addresses_are_kept_short() {
    let f = Fixture::new();
    let long = "x".repeat(1 << 20);
    assert_eq!(f.check(&long, &long, Some(&long), Some(&f.stored)), (WRONG, true));
    assert_eq!(f.check(&long, &long, Some(&long), Some(&f.stored)), (WRONG, false));
    let stored = hash(&long);
    assert_eq!(f.check(&long, &long, Some(&long), Some(&stored)), (Decision::Accepted, true));
    assert_eq!(f.check(&long, &long, Some(&long), Some(&stored)), (Decision::Accepted, false));
}

#[test]
fn clock_that_goes_back_forgets_logins_and_keeps_limits() {
    let f = Fixture::new();
    assert_eq!(f.alice("right"), (Decision::Accepted, true));
    f.guess(0..10);
    f.clock.store(0, Ordering::SeqCst);
    let retry_after = Duration::from_secs(1);
    assert_eq!(f.alice("right"), (Decision::Limited { retry_after }, false));
    f.pass(1);
    assert_eq!(f.alice("guess 20"), (WRONG, true), "it does not wait for the old time");
    f.pass(2);
    assert_eq!(f.alice("right"), (Decision::Accepted, true));
}

#[test]
fn clock_that_jumps_forward_forgets_all() {
    let f = Fixture::new();
    assert_eq!(f.alice("right"), (Decision::Accepted, true));
    f.guess(0..10);
    f.clock.store(u64::MAX / 2, Ordering::SeqCst);
    assert_eq!(f.guess(10..20), [WRONG; 10]);
    f.pass(1);
    assert_eq!(f.alice("right"), (Decision::Accepted, true));
}

#[test]
fn time_at_its_end_neither_wraps_nor_panics() {
    let f = Fixture::new();
    f.clock.store(u64::MAX - 1500, Ordering::SeqCst);
    assert_eq!(f.alice("right"), (Decision::Accepted, true));
    assert_eq!(f.guess(0..10), [WRONG; 10]);
    f.clock.store(u64::MAX, Ordering::SeqCst);
    for number in 10..200 {
        let _ = f.guess(number..number + 1);
    }
    assert_eq!(f.alice("right"), (Decision::Accepted, false));
    let mut limits = limits();
    let longest = Duration::MAX;
    (limits.remembered_idle, limits.remembered_total) = (longest, longest);
    (limits.first_wait, limits.longest_wait) = (longest, longest);
    (limits.guess_window, limits.wrong_for) = (longest, longest);
    let f = Fixture::with_limits(limits);
    f.guess(0..10);
    f.pass(1 << 40);
    assert!(is_limited(f.alice("right").0));
}
