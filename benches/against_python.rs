//! `cargo bench`: what a log-in and a look-up take, against Python with werkzeug, in one run.
//!
//! Each round does every kind of work once, ours and Python's in turn, so that a machine which
//! slows down slows both. The table has the medians; the last column is the median of the ratios
//! of the rounds, with its first and third quartile.

#[path = "../tests/support/python.rs"]
#[expect(dead_code, reason = "one werkzeug is enough here")]
mod python;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use dash_users::{Location, Method, NewFile, Password, PasswordHash, Users};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Rounds, if the variable `ROUNDS` names no other number.
const ROUNDS: usize = 21;

const PASSWORD: &str = "plover-xyzzy-quux";

/// Hashes once for each line that it reads, and prints the seconds.
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

fn main() {
    // `cargo test --benches` only asks whether it runs.
    let is_test = std::env::args().any(|argument| argument == "--test");
    let rounds = std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    let rounds = if is_test { 1 } else { rounds.unwrap_or(ROUNDS) };
    let Some(python) = python::environment() else { return };

    let dir = tempfile::tempdir().expect("a temporary directory");
    let database = dir.path().join("users.db");
    prepare(&database);
    let hash = PasswordHash::new(&Method::default(), &Password::from(PASSWORD));

    let mut hashlib = Hashlib::start(python.command());
    let mut works: Vec<Work> = vec![
        Work::new("`verify`, the right password", || verify(&database, "alice", PASSWORD)),
        Work::new("Python, `check_password_hash`", || {
            time(python.command().args(["-c", CHECK, &hash.to_string()]), "")
        }),
        Work::new("hash alone, in a process", || {
            let start = Instant::now();
            assert!(hash.verify(&Password::from(PASSWORD)));
            start.elapsed().as_secs_f64()
        }),
        Work::new("Python, `hashlib.scrypt`, in a process", || hashlib.hash()),
        Work::new("`show`", || time(program(&database).args(["show", "alice"]), "")),
        Work::new("Python, `sqlite3`", || {
            time(python.command().args(["-c", LOOK_UP]).arg(&database), "")
        }),
        Work::new("`verify`, a wrong password", || verify(&database, "alice", "wrong")),
        Work::new("`verify`, an unknown user", || verify(&database, "nobody", "wrong")),
        Work::new("`--version`", || time(program(&database).arg("--version"), "")),
    ];
    for _ in 0..rounds {
        for work in &mut works {
            let seconds = (work.run)();
            work.seconds.push(seconds);
        }
    }

    println!("{rounds} rounds\n");
    println!("| work | median ms | against | ratio | quartiles |\n|---|---|---|---|---|");
    for (work, against) in [(0, 1), (2, 3), (4, 5), (7, 6), (8, 5)] {
        let (work, against) = (&works[work], &works[against]);
        let ratios: Vec<f64> =
            work.seconds.iter().zip(&against.seconds).map(|(a, b)| a / b).collect();
        println!(
            "| {} | {:.1} | {}: {:.1} | {:.2} | {:.2} to {:.2} |",
            work.name,
            1e3 * quantile(&work.seconds, 0.5),
            against.name,
            1e3 * quantile(&against.seconds, 0.5),
            quantile(&ratios, 0.5),
            quantile(&ratios, 0.25),
            quantile(&ratios, 0.75),
        );
    }
}

/// One kind of work, and the seconds that each round of it took.
struct Work<'a> {
    name: &'static str,
    run: Box<dyn FnMut() -> f64 + 'a>,
    seconds: Vec<f64>,
}

impl<'a> Work<'a> {
    fn new(name: &'static str, run: impl FnMut() -> f64 + 'a) -> Self {
        Self { name, run: Box::new(run), seconds: Vec::new() }
    }
}

fn prepare(database: &Path) {
    let location = Location::parse(database).expect("a path");
    Users::init(&location, &NewFile::default()).expect("a new database");
    let mut users = Users::open(&location).expect("the database");
    let alice = dash_users::NewUser::new("alice".parse().expect("a name"), PASSWORD.into());
    users.add(&alice).expect("a new user");
}

fn program(database: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dash-users"));
    command.arg("--database").arg(database);
    command
}

fn verify(database: &Path, user: &str, password: &str) -> f64 {
    time(program(database).args(["verify", user, "--password-stdin"]), password)
}

/// The seconds that a process takes from its start to its end.
fn time(command: &mut Command, input: &str) -> f64 {
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let mut child = command.spawn().expect("the program starts");
    // A program that needs no input does not wait for it.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    child.wait().expect("the program ends");
    start.elapsed().as_secs_f64()
}

/// A Python that hashes when it is told to.
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
        // Without input it ends; nobody is left to tell if it does not.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// The value that a share of the values stays below.
fn quantile(values: &[f64], share: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index, from a share of a few values"
    )]
    let index = (share * (values.len() - 1) as f64).round() as usize;
    values[index]
}
