//! `cargo bench --bench postgres`: the performance with a PostgreSQL server on the same machine,
//! compared with PostgreSQL's own `\copy` and with SQLite in one run.
//!
//! It works like `against_python`. With `-- table`, it compares only commands with the same work of
//! `psql`, with 1,000 to 100,000 users, or the number in the variable `USERS`, directly and through
//! a proxy that delays. The bench starts its own server with the settings of the tests,
//! which do not wait for the disk. Each import is into a new database prepared by `init`.

mod support;

#[path = "../tests/support/postgres.rs"]
mod server;

use std::fmt::Write;
use std::fs;
use std::io::{Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

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
    table(cluster, directory.path());
    if std::env::args().any(|argument| argument == "table") {
        return;
    }
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

/// The round trips that the proxy makes this long.
const DELAYS_MS: [u64; 2] = [0, 5];

/// The numbers of users of the table.
const COUNTS: [usize; 3] = [1_000, 10_000, 100_000];

/// The number of rounds of the table, unless the variable `ROUNDS` is set.
const TABLE_ROUNDS: usize = 5;

/// Compares commands with `psql`, which works on a bare table and only looks at our tables.
fn table(cluster: &server::Cluster, directory: &Path) {
    let given = std::env::var("USERS").ok().and_then(|count| count.parse().ok());
    let counts = match given {
        Some(count) => vec![count],
        None if is_test() => vec![TEST_COUNT],
        None => COUNTS.to_vec(),
    };
    let file = directory.join("table.csv");
    print_titles(["users", "delay"].into_iter().chain(TITLES));
    for (count, delay) in counts.into_iter().flat_map(|count| DELAYS_MS.map(|delay| (count, delay)))
    {
        fs::write(&file, users(count)).expect("a new file");
        let port = delayed(cluster.port(), Duration::from_millis(delay) / 2);
        let through = |url: &str| {
            url.replace(&format!(":{}/", cluster.port()), &format!(":{port}/")) + "?sslmode=disable"
        };
        let run =
            |url: &str, args: &[&str]| time(program(Path::new(&through(url))).args(args), "", 0);
        let psql = |url: &str, sql: &[&str]| {
            let mut psql = Command::new("psql");
            psql.arg(through(url)).args(["-q", "-X"]);
            for sql in sql {
                psql.args(["-c", sql]);
            }
            time(&mut psql, "", 0)
        };
        let with_table = |url: String| {
            server::connect(&url)
                .batch_execute(
                    "CREATE TABLE users (username text PRIMARY KEY, password_hash text NOT NULL,
                                         language text NOT NULL)",
                )
                .expect("a new table");
            url
        };
        let initialized = || {
            let url = with_table(cluster.database());
            time(program(Path::new(&url)).arg("init"), "", 0);
            url
        };
        let path = file.to_str().expect("a path of ASCII");
        let copy = format!("\\copy new FROM '{path}' CSV HEADER");
        let import_by_psql = |url: &str| {
            let sql = [
                "CREATE TEMP TABLE new (LIKE users)",
                &copy,
                "INSERT INTO users SELECT * FROM new ON CONFLICT (username) DO UPDATE
                 SET password_hash = excluded.password_hash, language = excluded.language",
            ];
            psql(url, &sql)
        };
        let (ours, bare) = (initialized(), with_table(cluster.database()));
        run(&ours, &["import", path]);
        import_by_psql(&bare);
        for url in [&ours, &bare] {
            server::connect(url).batch_execute("VACUUM ANALYZE").expect("statistics");
        }
        let mut next = 0..;
        let mut one = || username(next.next().expect("a number") % count);
        let mut next = 0..;
        let mut other = || username(next.next().expect("a number") % count);
        let mut works = [
            Work::new("`import`", || run(&initialized(), &["import", path])),
            Work::new("`COPY`, `INSERT … ON CONFLICT`", || {
                import_by_psql(&with_table(cluster.database()))
            }),
            Work::new("`list --format json`", || run(&ours, &["list", "--format", "json"])),
            Work::new("`COPY` of the same", || psql(&ours, &[LIST])),
            Work::new("`export`", || run(&ours, &["export"])),
            Work::new("`COPY` of the table", || psql(&ours, &[EXPORT])),
            Work::new("`check`", || run(&ours, &["check", "--min-severity", "error"])),
            Work::new("two joins, and all rows", || psql(&ours, &CHECK)),
            Work::new("`show`", || run(&ours, &["show", &username(7)])),
            Work::new("`SELECT`", || {
                let name = username(7);
                psql(&ours, &[&format!("SELECT * FROM users WHERE username = '{name}'")])
            }),
            Work::new("`lock`", || run(&ours, &["lock", &one()])),
            Work::new("`UPDATE`", || {
                let name = other();
                let set = "password_hash = '!' || replace(password_hash, '$', '|')";
                psql(&bare, &[&format!("UPDATE users SET {set} WHERE username = '{name}'")])
            }),
        ];
        take_turns(rounds(TABLE_ROUNDS), &mut works);
        for pair in works.chunks(2) {
            let row = compare(&pair[0], &pair[1]).into_iter();
            print_row([count.to_string(), format!("{delay} ms")].into_iter().chain(row));
        }
    }
}

/// What `list` reads.
const LIST: &str = "COPY (SELECT username, language, created_at, password_changed_at,
                              ARRAY(SELECT group_name FROM user_groups AS groups
                                    WHERE groups.username = users.username)
                          FROM users LEFT JOIN dash_users_times AS times USING (username)
                          ORDER BY username) TO STDOUT";

/// What `export` reads.
const EXPORT: &str = "COPY (SELECT username, password_hash, language,
                                ARRAY(SELECT group_name FROM user_groups AS groups
                                      WHERE groups.username = users.username)
                            FROM users ORDER BY username) TO STDOUT CSV";

/// What `check` reads.
const CHECK: [&str; 3] = [
    "SELECT times.username, users.username
     FROM dash_users_times AS times FULL JOIN users ON users.username = times.username
     WHERE users.username IS NULL OR times.username IS NULL
         OR fingerprint <> left(encode(sha256(convert_to(password_hash, 'UTF8')), 'hex'), 32)",
    "SELECT * FROM user_groups LEFT JOIN users USING (username)",
    "COPY (SELECT * FROM users ORDER BY username) TO STDOUT",
];

/// Starts a proxy to the server that delays each message by `delay`, and returns its port.
fn delayed(server: u16, delay: Duration) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(("127.0.0.1", server)).expect("the server");
            for (from, to) in [(&client, &server), (&server, &client)] {
                // Nothing but the delay is to slow it down.
                from.set_nodelay(true).expect("a socket");
                let (from, to) = (from.try_clone(), to.try_clone());
                forward(from.expect("a socket"), to.expect("a socket"), delay);
            }
        }
    });
    port
}

/// Forwards one direction of a connection in the background.
fn forward(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            // The other thread ends if the connection does.
            let _ = sender.send((Instant::now() + delay, buffer[..length].to_vec()));
        }
    });
    thread::spawn(move || {
        for (due, bytes) in receiver {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
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
