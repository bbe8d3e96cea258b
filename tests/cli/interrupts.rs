//! Killed and interrupted imports, and an app that reads meanwhile.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use crate::sample;
use crate::support::{GOOD, SECRET123, Sandbox, empty, on_disk, seeded, send_signal};

/// A file of users with hashes, which are cheap to import.
fn csv(count: u32, language: &str) -> String {
    let mut csv = "username,password_hash,language,groups\n".to_owned();
    for number in 0..count {
        writeln!(csv, "user{number},{SECRET123},{language},staff").unwrap();
    }
    csv
}

fn start(sandbox: &Sandbox, args: &[&str]) -> Child {
    let mut command = sandbox.command(args);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn query<T: rusqlite::types::FromSql>(connection: &Connection, query: &str) -> T {
    connection.query_row(query, (), |row| row.get(0)).unwrap()
}

#[test]
fn killed_import_leaves_old_or_new_state() {
    const ROUNDS: u32 = 50;
    const UPDATE: [&str; 5] = ["import", "new.csv", "--on-conflict", "update", "--quiet"];

    let counts = [sample::of(400, 1000), sample::of(2000, 5000)];
    let [old_users, new_users] = counts.map(|count| u32::try_from(count).unwrap());
    // An odd step, because the two kinds of round alternate.
    let step = sample::of(7, 1);
    let sandbox = on_disk();
    sandbox.write("old.csv", csv(old_users, "en"));
    sandbox.write("new.csv", csv(new_users, "de"));
    assert_eq!(sandbox.run(&["import", "old.csv"]).status, 0);
    let database = sandbox.path("users.db");
    let journal = sandbox.path("users.db-journal");
    let old = fs::read(&database).unwrap();

    let (mut rounds, mut changed) = (0, 0);
    for round in (0..ROUNDS).step_by(step) {
        fs::write(&database, &old).unwrap();
        let mut child = start(&sandbox, &UPDATE);
        if round % 2 == 0 {
            // Once the journal exists, a transaction is open.
            wait_until(&mut child, || journal.exists());
            thread::sleep(Duration::from_millis(5) * (round / 2));
        } else {
            // Once the file grows, it is being written.
            wait_until(&mut child, || fs::metadata(&database).unwrap().len() > old.len() as u64);
            thread::sleep(Duration::from_micros(200) * (round / 2));
        }
        child.kill().unwrap();
        child.wait().unwrap();

        // Open it like the app, which rolls back the unfinished transaction.
        let connection = Connection::open(&database).unwrap();
        let integrity: String = query(&connection, "PRAGMA integrity_check");
        assert_eq!(integrity, "ok", "{round}");
        let users: u32 = query(&connection, "SELECT count(*) FROM users");
        let german: u32 = query(&connection, "SELECT count(*) FROM users WHERE language = 'de'");
        let staff: u32 = query(&connection, "SELECT count(*) FROM user_groups");
        let events: u32 = query(&connection, "SELECT count(*) FROM user_events");
        let found = (users, german, staff, events);
        let is_new = found == (new_users, new_users, new_users, 2);
        assert!(is_new || found == (old_users, 0, old_users, 1), "{round}: {found:?}");
        rounds += 1;
        changed += u32::from(is_new);
        drop(connection);
        if rounds % 10 == 1 {
            let run = sandbox.run(&["check", "--json"]);
            assert!(!run.stdout.contains("\"error\""), "{round}: {run}");
        }
    }
    // Leftovers do not block a later run.
    assert_eq!(sandbox.run(&UPDATE).status, 0);
    assert!(changed < rounds, "none was killed in time");
}

/// Waits until a condition holds or the program has ended.
fn wait_until(child: &mut Child, is_so: impl Fn() -> bool) {
    while !is_so() && child.try_wait().unwrap().is_none() {
        thread::sleep(Duration::from_micros(50));
    }
}

/// Some users with plaintext passwords, and one without a password.
fn plaintext_users() -> String {
    let mut csv = "username,password\nnemo,\n".to_owned();
    for number in 0..8 {
        writeln!(csv, "user{number},{GOOD}").unwrap();
    }
    csv
}

#[test]
fn interrupted_hashing_changes_nothing() {
    // Each takes seconds even on the fastest machine.
    const METHOD: [&str; 2] = ["--method", "pbkdf2:sha512:10000000"];
    const IMPORT: &[&str] = &["import", "plaintext.csv", "--generate-missing", "passwords.csv"];
    for (sandbox, args, signal, status) in [
        (seeded(), IMPORT, "INT", 130),
        (empty(), IMPORT, "INT", 130),
        (seeded(), IMPORT, "TERM", 143),
        (empty(), &["seed"], "INT", 130),
    ] {
        sandbox.write("plaintext.csv", plaintext_users());
        let before = fs::read(sandbox.path("users.db")).ok();
        let mut child = start(&sandbox, &[args, &METHOD].concat());
        thread::sleep(Duration::from_secs(1));
        send_signal(signal, child.id());
        assert_eq!(child.wait().unwrap().code(), Some(status));
        assert!(fs::read(sandbox.path("users.db")).ok() == before);
        let files = 1 + usize::from(before.is_some());
        assert_eq!(fs::read_dir(sandbox.dir()).unwrap().count(), files, "nothing is left behind");
    }
}

/// Does what the tutorial's app does at each request, until stopped: opens the database, waits up
/// to five seconds, selects and closes. Returns the number of users it saw each time.
fn app(database: &Path, is_over: &AtomicBool) -> Vec<u32> {
    let mut found = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let connection = Connection::open_with_flags(database, flags).unwrap();
        connection.busy_timeout(Duration::from_secs(5)).unwrap();
        let select = "SELECT password_hash FROM users WHERE username = ?";
        let hash: String = connection.query_row(select, ["alice"], |row| row.get(0)).unwrap();
        assert!(hash.starts_with("scrypt:128:8:1$"), "{hash}");
        found.push(query(&connection, "SELECT count(*) FROM users"));
    }
    found
}

#[test]
fn app_reads_during_import_never_fail_or_see_parts() {
    let sandbox = on_disk();
    assert_eq!(sandbox.run(&["seed"]).status, 0);
    let steps = sample::of(2, 4);
    for (step, count) in [500, 1000, 1500, 2000].into_iter().take(steps).enumerate() {
        sandbox.write(&format!("{step}.csv"), csv(count, "en"));
        sandbox.write(&format!("{step}.de.csv"), csv(count, "de"));
    }
    let is_over = AtomicBool::new(false);
    let database = sandbox.path("users.db");
    let found = thread::scope(|scope| {
        let apps = [(); 2].map(|()| scope.spawn(|| app(&database, &is_over)));
        for step in 0..steps {
            let [first, second] = [format!("{step}.csv"), format!("{step}.de.csv")];
            for args in [
                &["seed", &first][..],
                &["import", &first, "--on-conflict", "skip"],
                &["import", &second, "--on-conflict", "update"],
            ] {
                let run = sandbox.run(args);
                if run.status != 0 {
                    is_over.store(true, Ordering::Relaxed);
                    panic!("{args:?}: {run}");
                }
            }
        }
        is_over.store(true, Ordering::Relaxed);
        apps.map(|app| app.join().expect("the app never fails"))
    });
    for mut found in found {
        assert!(found.is_sorted(), "{found:?}");
        found.dedup();
        let whole = [2, 502, 1002, 1502, 2002];
        assert!(found.iter().all(|count| whole.contains(count)), "{found:?}");
        assert!(found.len() > 1, "{found:?}");
    }
}

/// An endless trigger, and a command that fires it.
const ENDLESS: [(&str, &[&str]); 5] = [
    ("UPDATE ON users", &["update", "alice", "--language", "fr"]),
    ("DELETE ON dash_users_change", &["lock", "alice"]),
    ("INSERT ON user_events", &["import", "new.csv"]),
    ("INSERT ON dash_users_schema", &["init"]),
    ("INSERT ON dash_users_schema", &["check", "--fix"]),
];

#[test]
fn signal_ends_command_in_endless_trigger() {
    let signals = [("INT", 130), ("TERM", 143), ("HUP", 129), ("QUIT", 131)];
    thread::scope(|scope| {
        for ((trigger, args), (signal, status)) in ENDLESS.iter().zip(signals.iter().cycle()) {
            scope.spawn(move || {
                let sandbox = seeded();
                sandbox.write("new.csv", csv(3, "en"));
                sandbox.sql(&format!(
                    "CREATE TRIGGER endless AFTER {trigger} BEGIN
                       SELECT count(*) FROM (
                         WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)
                         SELECT x FROM n);
                     END;
                     DROP TRIGGER IF EXISTS dash_users_{};",
                    if trigger.ends_with("schema") { "added" } else { "none" }
                ));
                let before = sandbox.read("users.db");
                let mut child = start(&sandbox, args);
                let journal = sandbox.path("users.db-journal");
                wait_until(&mut child, || journal.exists());
                thread::sleep(Duration::from_millis(500));
                send_signal(signal, child.id());
                let deadline = Instant::now() + Duration::from_secs(20);
                while child.try_wait().unwrap().is_none() && Instant::now() < deadline {
                    thread::sleep(Duration::from_millis(10));
                }
                child.kill().unwrap();
                assert_eq!(child.wait().unwrap().code(), Some(*status), "{trigger}: {args:?}");
                let connection = Connection::open(sandbox.path("users.db")).unwrap();
                let _: u32 = query(&connection, "SELECT count(*) FROM users");
                assert!(sandbox.read("users.db") == before, "{trigger}");
            });
        }
    });
}
