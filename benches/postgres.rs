//! `cargo bench --bench postgres`: the performance with a PostgreSQL server on the same machine,
//! compared with PostgreSQL's own `\copy` and with SQLite in one run.
//!
//! It works like `against_python`. The bench starts its own server with the settings of the tests,
//! which do not wait for the disk. Each import is into a new database prepared by `init`.

mod support;

#[path = "../tests/support/postgres.rs"]
mod server;

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use self::support::{
    TITLES, Work, compare, is_test, print_row, print_titles, program, rounds, skip, take_turns,
    time,
};

/// The number of imported users.
const COUNT: usize = 200_000;

/// For `cargo test --benches`.
const TEST_COUNT: usize = 1_000;

/// The numbers of rounds for work of seconds and of milliseconds, unless the variable `ROUNDS` is
/// set.
const ROUNDS: [usize; 2] = [5, 51];

fn main() {
    let count = if is_test() { TEST_COUNT } else { COUNT };
    let Some(cluster) = server::cluster() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("users.csv");
    fs::write(&file, users(count)).expect("a new file");
    let initialized = || {
        let url = cluster.database();
        time(program(Path::new(&url)).arg("init"), "", 0);
        url
    };
    let copy = |before: &str| {
        let url = initialized();
        let copy = format!("\\copy users FROM '{}' CSV HEADER", file.display());
        let mut psql = Command::new("psql");
        time(psql.arg(url).args(["-c", before, "-c", &copy]), "", 0)
    };

    print_titles(TITLES.into_iter().chain(["bound", "rounds"]));
    let mut works = [
        Work::new(format!("`import` of {count} hashes"), || {
            time(program(Path::new(&initialized())).arg("import").arg(&file), "", 0)
        }),
        Work::new("`psql`, `\\copy`", || copy("SELECT")),
        Work::new("`\\copy` without triggers", || copy("ALTER TABLE users DISABLE TRIGGER ALL")),
    ];
    let rounds_of_import = rounds(ROUNDS[0]);
    take_turns(rounds_of_import, &mut works);
    for (against, bound) in [(1, "2.00"), (2, "")] {
        let row = compare(&works[0], &works[against]).into_iter();
        print_row(row.chain([bound.to_owned(), rounds_of_import.to_string()]));
    }

    let (url, sqlite) = (initialized(), directory.path().join("users.db"));
    for database in [Path::new(&url), &sqlite] {
        time(program(database).arg("import").arg(&file), "", 0);
    }
    let show = |database: &Path| time(program(database).args(["show", &username(7)]), "", 0);
    let verify = |database: &Path| {
        let args = ["verify", &username(7), "--password-stdin"];
        time(program(database).args(args), "a wrong one", 3)
    };
    let select = format!("SELECT * FROM users WHERE username = '{}'", username(7));
    let psql = || time(Command::new("psql").arg(&url).args(["-c", &select]), "", 0);
    let mut works = [
        Work::new(format!("`show` in {count}"), || show(Path::new(&url))),
        Work::new("with SQLite", || show(&sqlite)),
        Work::new("`show` again", || show(Path::new(&url))),
        Work::new("`psql`, one `SELECT`", psql),
        Work::new(format!("`verify` in {count}"), || verify(Path::new(&url))),
        Work::new("with SQLite", || verify(&sqlite)),
    ];
    let rounds_of_look_ups = rounds(ROUNDS[1]);
    take_turns(rounds_of_look_ups, &mut works);
    for pair in works.chunks(2) {
        let row = compare(&pair[0], &pair[1]).into_iter();
        print_row(row.chain([String::new(), rounds_of_look_ups.to_string()]));
    }
}

/// A file of users with hashes, in no particular order.
fn users(count: usize) -> String {
    let mut text = "username,password_hash,language\n".to_owned();
    for number in 0..count {
        // A step that is coprime to the count reaches every number.
        let name = username(number * 7_919 % count);
        let digest: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835_u128
            .wrapping_mul(u128::try_from(number).expect("it fits") * 2 + 1);
        let digest = format!("{digest:032x}").repeat(4);
        let row = writeln!(text, "{name},scrypt:32768:8:1${number:016}${digest},en");
        row.expect("a String accepts all");
    }
    text
}

fn username(number: usize) -> String {
    format!("user{number:07}")
}
