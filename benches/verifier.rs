//! Remembered logins per second, and the memory of a verifier.
//!
//! `cargo bench --bench verifier`. `ROUNDS` sets the number of rounds.

#[expect(dead_code, reason = "no processes are compared")]
mod support;

use std::convert::Infallible;
use std::hint::black_box;
use std::time::Instant;
use std::{fs, thread};

use dash_users::verifier::{Attempt, Decision, Limits, Verifier};
use dash_users::{Method, Password, PasswordHash};

use self::support::{is_test, print_row, print_titles, quantile, rounds};

const ROUNDS: usize = 15;

fn main() {
    let few = is_test();
    let calls = if few { 10 } else { 200_000 };
    print_titles(["threads", "users", "calls per second", "µs per call and thread"]);
    for (threads, users) in [(1, 1), (2, 1), (8, 1), (1, 1000), (2, 1000), (8, 1000)] {
        let seconds: Vec<_> =
            (0..rounds(ROUNDS)).map(|_| remembered(threads, users, calls)).collect();
        let median = quantile(&seconds, 0.5);
        let all = f64::from(threads) * f64::from(calls);
        print_row([
            threads.to_string(),
            users.to_string(),
            format!("{:.0}", all / median),
            format!("{:.2}", 1e6 * median / f64::from(calls)),
        ]);
    }
    println!();
    print_titles(["memory of", "MiB", "bytes each"]);
    let mebibytes = long_passwords(if few { 1 } else { 1000 });
    print_row(["1000 passwords of 1 MB".to_owned(), format!("{mebibytes:.1}"), String::new()]);
    let number = if few { 10 } else { 1_000_000 };
    for (what, is_right, has_address) in [
        // The smaller first: freed memory is used again.
        ("wrong passwords of as many names", false, false),
        ("wrong passwords of as many names and addresses", false, true),
        ("remembered logins, all kept", true, false),
    ] {
        let mebibytes = memory(number, is_right, has_address);
        let each = mebibytes * f64::from(1 << 20) / f64::from(number);
        print_row([format!("{number} {what}"), format!("{mebibytes:.1}"), format!("{each:.0}")]);
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.method = method();
    limits
}

/// The cheapest hash that is as long as that of the default method. Its time is not measured.
fn method() -> Method {
    "pbkdf2:sha512:1".parse().expect("a method")
}

fn verify(verifier: &Verifier, attempt: Attempt<'_>, stored: &str) -> Decision {
    let read = || Ok::<_, Infallible>(Some(stored.to_owned()));
    let Ok(decision) = verifier.verify(attempt, Some(stored), read);
    decision
}

/// The seconds that each of some threads takes for its calls.
fn remembered(threads: u16, users: usize, calls: u32) -> f64 {
    let verifier = Verifier::new(limits());
    let password = Password::from("plover-xyzzy-quux");
    let stored = PasswordHash::new(&method(), &password).to_string();
    let names: Vec<_> = (0..users).map(|user| format!("user {user}")).collect();
    let call = |name: &str| {
        let address = Some("203.0.113.7");
        verify(&verifier, Attempt { username: name, password: &password, address }, &stored)
    };
    assert!(names.iter().all(|name| call(name) == Decision::Accepted));
    let start = Instant::now();
    thread::scope(|scope| {
        for thread in 0..threads {
            let (names, call) = (&names, &call);
            scope.spawn(move || {
                for name in names.iter().cycle().skip(usize::from(thread)).take(calls as usize) {
                    assert_eq!(black_box(call(name)), Decision::Accepted);
                }
            });
        }
    });
    start.elapsed().as_secs_f64()
}

/// The memory in MiB after so many names, each with an address of its own if any.
fn memory(number: u32, is_right: bool, has_address: bool) -> f64 {
    let mut limits = limits();
    limits.remembered_logins = number as usize;
    let before = resident();
    let verifier = Verifier::new(limits);
    let [right, wrong] = ["right", "wrong"].map(Password::from);
    let stored = PasswordHash::new(&method(), &right).to_string();
    for number in 0..number {
        let name = format!("user {number}");
        let address = has_address.then(|| std::net::Ipv4Addr::from(number).to_string());
        let password = if is_right { &right } else { &wrong };
        let attempt = Attempt { username: &name, password, address: address.as_deref() };
        let decision = verify(&verifier, attempt, &stored);
        assert_eq!(decision == Decision::Accepted, is_right);
    }
    resident() - before
}

/// The memory in MiB after so many wrong passwords of 1 MB.
fn long_passwords(number: u32) -> f64 {
    let before = resident();
    let verifier = Verifier::new(limits());
    let stored = PasswordHash::new(&method(), &Password::from("right")).to_string();
    for number in 0..number {
        let password = Password::from(format!("{number} {}", "x".repeat(1_000_000)));
        let name = format!("user {number}");
        let attempt = Attempt { username: &name, password: &password, address: None };
        let decision = verify(&verifier, attempt, &stored);
        assert_ne!(decision, Decision::Accepted);
    }
    resident() - before
}

/// The resident memory of this process in MiB.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    let kibibytes: u32 = line.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0);
    f64::from(kibibytes) / 1024.0
}
