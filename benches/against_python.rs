//! `cargo bench --bench against_python`: the duration of logins and lookups, compared with Python,
//! werkzeug and the `sqlite3` shell in one run.
//!
//! Each round does every kind of work once, alternating ours and Python's, so a slowdown of the
//! machine affects both. The table has the medians; the last columns are the median, first and
//! third quartile of the ratios of the rounds.

mod support;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use dash_users::{Location, Method, NewFile, Password, PasswordHash, Users};

use self::support::{
    TITLES, Work, compare, print_row, print_titles, program, python, rounds, take_turns, time,
};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The number of rounds, unless the variable `ROUNDS` is set.
const ROUNDS: usize = 21;

const PASSWORD: &str = "plover-xyzzy-quux";

/// The exit code for a wrong password.
const WRONG_PASSWORD: i32 = 3;

/// Hashes once for each line of its input, and prints the seconds.
const HASHLIB: &str = "
import hashlib, sys, time
for line in sys.stdin:
    start = time.perf_counter()
    hashlib.scrypt(b'plover-xyzzy-quux', salt=b'0123456789abcdef', n=32768, r=8, p=1, maxmem=1 << 26)
    print(time.perf_counter() - start, flush=True)
";

const CHECK: &str = "
import sys
from werkzeug.security import check_password_hash
sys.exit(not check_password_hash(sys.argv[1], 'plover-xyzzy-quux'))
";

const LOOK_UP: &str = "
import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute(
    'SELECT username, language FROM users WHERE username = ?', ('alice',)).fetchone())
";

/// The look-up in the `sqlite3` shell.
const SELECT: &str = "SELECT username, language FROM users WHERE username = 'alice'";

fn main() {
    let rounds = rounds(ROUNDS);
    let Some(python) = python::environment() else { return };

    let dir = tempfile::tempdir().expect("a temporary directory");
    let database = dir.path().join("users.db");
    prepare(&database);
    let hash = PasswordHash::new(&Method::default(), &Password::from(PASSWORD));

    let mut hashlib = Hashlib::start(python.command());
    let mut works = vec![
        Work::new("`verify`, the right password", || verify(&database, "alice", PASSWORD, 0)),
        Work::new("Python, `check_password_hash`", || {
            time(python.command().args(["-c", CHECK, &hash.to_string()]), "", 0)
        }),
        Work::new("hash alone, in a process", || {
            let start = Instant::now();
            assert!(hash.verify(&Password::from(PASSWORD)));
            start.elapsed().as_secs_f64()
        }),
        Work::new("Python, `hashlib.scrypt`, in a process", || hashlib.hash()),
        Work::new("`show`", || time(program(&database).args(["show", "alice"]), "", 0)),
        Work::new("Python, `sqlite3`", || {
            time(python.command().args(["-c", LOOK_UP]).arg(&database), "", 0)
        }),
        Work::new("`verify`, a wrong password", || {
            verify(&database, "alice", "wrong", WRONG_PASSWORD)
        }),
        Work::new("`verify`, an unknown user", || {
            verify(&database, "nobody", "wrong", WRONG_PASSWORD)
        }),
        Work::new("`--version`", || time(program(&database).arg("--version"), "", 0)),
    ];
    let mut pairs = vec![(0, 1), (2, 3), (4, 5), (7, 6), (8, 5)];
    if Command::new("sqlite3").arg("--version").output().is_ok() {
        works.push(Work::new("the `sqlite3` shell", || {
            let mut shell = Command::new("sqlite3");
            time(shell.args(["-batch", "-readonly"]).arg(&database).arg(SELECT), "", 0)
        }));
        // At most 1.20.
        pairs.insert(3, (4, 9));
    } else {
        eprintln!("SKIPPED the comparison with the sqlite3 shell: it is not installed");
    }
    take_turns(rounds, &mut works);

    println!("{rounds} rounds\n");
    print_titles(TITLES);
    for (work, against) in pairs {
        print_row(compare(&works[work], &works[against]));
    }
}

fn prepare(database: &Path) {
    let location = Location::parse(database).expect("a path");
    Users::init(&location, &NewFile::default()).expect("a new database");
    let mut users = Users::open(&location).expect("the database");
    let alice = dash_users::NewUser::new("alice".parse().expect("a name"), PASSWORD.into());
    users.add(&alice).expect("a new user");
}

fn verify(database: &Path, user: &str, password: &str, status: i32) -> f64 {
    time(program(database).args(["verify", user, "--password-stdin"]), password, status)
}

/// A Python process that hashes on request.
struct Hashlib {
    child: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Hashlib {
    fn start(mut python: Command) -> Self {
        let child =
            python.args(["-c", HASHLIB]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("Python starts");
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, answers }
    }

    fn hash(&mut self) -> f64 {
        self.child.stdin.as_mut().expect("a pipe").write_all(b"\n").expect("Python reads");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("Python answers");
        answer.trim().parse().expect("seconds")
    }
}

impl Drop for Hashlib {
    fn drop(&mut self) {
        // It ends at the end of its input.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
