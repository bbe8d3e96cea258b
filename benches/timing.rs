//! `cargo bench --bench timing`: whether the duration of a rejected login reveals which users
//! exist.
//!
//! Each round does every kind of work once, in a different order each time. The last column is the
//! share of rounds in which it was slower than a wrong password; 0.5 reveals nothing.

#[expect(dead_code, reason = "this benchmark runs its work in several orders")]
mod support;

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::Path;
use std::time::Instant;

use dash_users::verifier::{Attempt, Decision, Limits, Verifier};
use dash_users::{Location, Login, Method, NewFile, NewUser, Password, Users};

use self::support::{is_test, print_row, print_titles, program, quantile, rounds, time};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The number of rounds, unless the variable `ROUNDS` is set.
const ROUNDS: usize = 400;

/// The current method, one of twice its cost, and a factor for the number of rounds.
const METHODS: [(&str, &str, usize); 2] = [
    ("scrypt:32768:8:1", "scrypt:65536:8:1", 1),
    // Cheap hashes show the duration of all other work.
    ("scrypt:128:8:1", "scrypt:256:8:1", 50),
];

const RIGHT: &str = "plover-xyzzy-quux";
const WRONG: &str = "frotz-gnusto-rezrov";

/// The users and the reason for rejecting each. All are compared with the first.
const USERS: [(&str, &str); 5] = [
    ("alice", "a wrong password"),
    ("nobody", "an unknown user"),
    ("locked", "a locked user"),
    ("star", "a value that never matches"),
    ("costly", "a wrong password, twice the cost"),
];

/// Orders of all users except the last. Each user is at each place once, and after each other user
/// once, so the order does not affect the results.
const ORDERS: [[usize; 4]; 4] = [[0, 1, 3, 2], [1, 2, 0, 3], [2, 3, 1, 0], [3, 0, 2, 1]];

/// The exit code of a rejected login.
const REJECTED: i32 = 3;

fn main() {
    let rounds = rounds(ROUNDS);
    let dir = tempfile::tempdir().expect("a temporary directory");
    println!("{rounds} rounds\n");
    print_titles(["rejected", "by", "method", "median ms", "ratio", "slower"]);
    for (method, twice, factor) in METHODS {
        let database = dir.path().join(format!("{factor}.db"));
        let [of_most, of_costly] = [method, twice].map(|text| text.parse().expect("a method"));
        let mut users = prepare(&database, of_most, of_costly);
        let wrong = Password::from(WRONG);
        let rounds = if is_test() { rounds } else { rounds * factor };
        compare("the library", method, rounds, |user| {
            let start = Instant::now();
            let log_in = users.log_in(user, &wrong).expect("a database");
            let seconds = start.elapsed().as_secs_f64();
            assert!(matches!(log_in, Login::Refused(_)));
            seconds
        });
        let verifier = unlimited(of_most);
        let stored = stored_values(&database);
        compare("the verifier", method, rounds, |user| {
            let attempt = Attempt { username: user, password: &wrong, address: None };
            let read = || Ok::<_, Infallible>(stored.get(user).cloned());
            let start = Instant::now();
            let Ok(decision) = verifier.verify(attempt, stored.get(user).map(String::as_str), read);
            let seconds = start.elapsed().as_secs_f64();
            assert!(matches!(decision, Decision::Refused(_)));
            seconds
        });
        if factor == 1 {
            compare("`verify`", method, rounds, |user| {
                let mut verify = program(&database);
                time(verify.args(["verify", user, "--password-stdin"]), WRONG, REJECTED)
            });
        }
    }
}

/// A database with the users, all but the costly one with hashes of `method`.
fn prepare(database: &Path, method: Method, twice: Method) -> Users {
    let location = Location::parse(database).expect("a path");
    Users::init(&location, &NewFile::default()).expect("a new database");
    let open = || Users::open(&location).expect("a database");
    let mut users = open().with_method(method);
    for name in ["alice", "locked", "star"] {
        let user = NewUser::new(name.parse().expect("a name"), RIGHT.into());
        users.add(&user).expect("a new user");
    }
    users.lock(&["locked"]).expect("a user");
    let costly = NewUser::new("costly".parse().expect("a name"), RIGHT.into());
    open().with_method(twice).add(&costly).expect("a new user");
    let sql = "UPDATE users SET password_hash = '*' WHERE username = 'star'";
    rusqlite::Connection::open(database).and_then(|app| app.execute(sql, ())).expect("a user");
    users
}

/// A verifier that checks every attempt.
fn unlimited(method: Method) -> Verifier {
    let mut limits = Limits::default();
    limits.method = method;
    limits.wrong_per_name = 0;
    limits.guesses_per_name = 0;
    Verifier::new(limits)
}

/// The stored value of each user.
fn stored_values(database: &Path) -> HashMap<String, String> {
    let connection = rusqlite::Connection::open(database).expect("a database");
    let mut query =
        connection.prepare("SELECT username, password_hash FROM users").expect("a table");
    let rows = query.query_map((), |row| Ok((row.get(0)?, row.get(1)?)));
    rows.and_then(Iterator::collect).expect("texts")
}

/// Rejects all users in turn, and prints comparisons with the first.
fn compare(by: &str, method: &str, rounds: usize, mut reject: impl FnMut(&str) -> f64) {
    let mut seconds = USERS.map(|_| Vec::with_capacity(rounds));
    let (costly, others) = (USERS.len() - 1, ORDERS.len());
    for round in 0..rounds {
        seconds[costly].push(reject(USERS[costly].0));
        // The next work would be affected by the memory of the costly one.
        reject(USERS[0].0);
        for index in ORDERS[round % others] {
            seconds[index].push(reject(USERS[index].0));
        }
    }
    let wrong = &seconds[0];
    for ((_, rejected), seconds) in USERS.iter().zip(&seconds) {
        let pairs = seconds.iter().zip(wrong);
        let ratios: Vec<_> = pairs.clone().map(|(this, wrong)| this / wrong).collect();
        let slower: Vec<_> = pairs.map(|(this, wrong)| f64::from(u8::from(this > wrong))).collect();
        print_row([
            (*rejected).to_owned(),
            by.to_owned(),
            format!("`{method}`"),
            format!("{:.3}", 1e3 * quantile(seconds, 0.5)),
            format!("{:.3}", quantile(&ratios, 0.5)),
            format!("{:.2}", slower.iter().sum::<f64>() / slower.iter().map(|_| 1.0).sum::<f64>()),
        ]);
    }
}
