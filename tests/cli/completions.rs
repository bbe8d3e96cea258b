//! The scripts of `dash-users completions`, and the program's answers to shells. Tests with real
//! shells are in `shells.rs`.
//!
//! The files in `completions/` are written by
//! `SNAPSHOTS=overwrite cargo test --test cli completions`.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::types::Value;
use snapbox::{Data, IntoData, assert_data_eq, file};

use crate::sample;
use crate::support::{Sandbox, empty, initialized, seeded};

#[test]
fn committed_scripts_equal_printed_scripts() {
    let sandbox = empty();
    let scripts: [(&str, Data); 5] = [
        ("bash", file!["../../completions/dash-users.bash": Text]),
        ("zsh", file!["../../completions/_dash-users": Text]),
        ("fish", file!["../../completions/dash-users.fish": Text]),
        ("elvish", file!["../../completions/dash-users.elv": Text]),
        ("powershell", file!["../../completions/_dash-users.ps1": Text]),
    ];
    for (shell, file) in scripts {
        let run = sandbox.run(&["completions", shell]);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{shell}");
        assert_data_eq!(run.stdout.raw(), file.raw());
    }
}

/// The candidates for the last of these words after `dash-users`.
fn offered(sandbox: &Sandbox, words: &[&str]) -> Vec<String> {
    let words = [&["--", "dash-users"], words].concat();
    let mut command = sandbox.command(&words);
    command.env("DASH_USERS_COMPLETE", "bash").env("HOME", sandbox.dir()).stdin(Stdio::null());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{words:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Adds users without any checks, as an app could.
fn insert(sandbox: &Sandbox, names: &[Value]) {
    let connection = Connection::open(sandbox.path("users.db")).unwrap();
    for name in names {
        connection.execute("INSERT INTO users VALUES (?, '!', 'en')", [name]).unwrap();
    }
}

#[test]
fn names_are_quoted_for_bash_and_hostile_ones_left_out() {
    let sandbox = initialized();
    let text = |name: &str| Value::Text(name.to_owned());
    let hostile =
        ["", " ", "-a", "--help", "a\nb", "a\tb", "a\x1b[2Jb", "a\0b", "a\u{9b}b", "a\u{202e}b"];
    let mut hostile: Vec<Value> = hostile.into_iter().map(text).collect();
    hostile.extend([Value::Blob(b"ablob".to_vec()), Value::Null]);
    insert(&sandbox, &hostile);
    sandbox.sql("INSERT INTO users VALUES (CAST(x'61ff' AS TEXT), '!', 'en')");
    assert_eq!(offered(&sandbox, &["history", "a"]), [""; 0]);

    insert(&sandbox, &["a b", "a'b", "a$(touch pwned)", "ann"].map(text));
    let quoted = [r"a\ b", r"a\$\(touch\ pwned\)", r"a\'b", "ann"];
    assert_eq!(offered(&sandbox, &["show", ""]), quoted);
    assert_eq!(offered(&sandbox, &["show", "'a b"]), ["a b"]);
    sandbox
        .sql("INSERT INTO user_groups SELECT 'ann', username FROM users WHERE username LIKE 'a b'");
    assert_eq!(offered(&sandbox, &["list", "--group", ""]), [r"a\ b"]);
}

#[test]
fn values_fit_the_command() {
    let sandbox = seeded();
    sandbox.run(&["update", "alice", "--language", "de", "--add-group", "staff"]);
    sandbox.run(&["group", "add", "bob", "admins"]);
    sandbox.run(&["lock", "bob"]);
    for (line, expected) in [
        ("unlock ", "bob"),
        ("group remove alice ", "staff"),
        ("group remove -d users.db bob ", "admins"),
        ("add x --language ", "de fr"),
        ("add x --method pbkdf2:sha2", "pbkdf2:sha256"),
        ("init --file-group roo", "root"),
        ("-d $HOME/users.db show b", "bob"),
        ("-d ${HOME}/users.db show b", "bob"),
        ("-d ~/users.db show b", "bob"),
    ] {
        let words: Vec<_> = line.split(' ').collect();
        assert_eq!(offered(&sandbox, &words).join(" "), expected, "{line}");
    }
}

#[test]
fn names_are_completed_by_prefix_in_order() {
    let sandbox = initialized();
    let names = ["ann@example.org", "ann.b", "ann_c-d+e", "Ann", "Änne", "李", "b"];
    insert(&sandbox, &names.map(|name| Value::Text(name.to_owned())));
    assert_eq!(offered(&sandbox, &["show", "ann"]), ["ann.b", "ann@example.org", "ann_c-d+e"]);
    assert_eq!(offered(&sandbox, &["show", "Ä"]), ["Änne"]);
    assert_eq!(offered(&sandbox, &["show", ""]).len(), names.len());
    for pattern in ["%", "_", "a*", "x"] {
        assert_eq!(offered(&sandbox, &["show", pattern]), [""; 0], "{pattern}");
    }
}

#[test]
fn unreadable_database_is_silently_ignored() {
    let sandbox = empty();
    let silent = |database: &str| {
        let names = |dir| fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
        let before: Vec<_> = names(sandbox.dir()).collect();
        assert_eq!(offered(&sandbox, &["-d", database, "history", "a"]), [""; 0], "{database}");
        assert_eq!(names(sandbox.dir()).collect::<Vec<_>>(), before, "{database}");
    };
    fs::create_dir(sandbox.path("directory")).unwrap();
    sandbox.write("empty.db", "");
    sandbox.write("corrupt.db", [b"SQLite format 3\0".as_slice(), &[7; 5000]].concat());
    sandbox.write("text.db", "no database at all");
    for database in ["missing.db", "no/such/directory.db", "directory", "empty.db", "corrupt.db"] {
        silent(database);
    }
    for database in ["text.db", ":memory:", "", "mysql://localhost/x", "bad://"] {
        silent(database);
    }
    sandbox.sql("CREATE TABLE other (x)");
    silent("users.db");
}

#[test]
fn completion_does_not_change_app_database() {
    let sandbox = empty();
    sandbox.sql(
        "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT, language TEXT);
         INSERT INTO users VALUES ('alice', '!', 'en');",
    );
    let before = sandbox.read("users.db");
    assert_eq!(offered(&sandbox, &["history", "a"]), [""; 0]);
    assert!(sandbox.read("users.db") == before);
    assert_eq!(fs::read_dir(sandbox.dir()).unwrap().count(), 1);
}

#[test]
fn completion_does_not_wait_for_locked_database() {
    let sandbox = seeded();
    let app = Connection::open(sandbox.path("users.db")).unwrap();
    app.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let start = Instant::now();
    assert_eq!(offered(&sandbox, &["history", "a"]), [""; 0]);
    assert!(start.elapsed() < Duration::from_secs(8), "a command waits for 10 seconds");
}

#[test]
fn completion_reads_but_never_creates_write_ahead_log() {
    let sandbox = seeded();
    sandbox.sql("PRAGMA journal_mode = WAL");
    assert!(!sandbox.path("users.db-wal").exists());
    offered(&sandbox, &["history", "a"]);
    assert_eq!(fs::read_dir(sandbox.dir()).unwrap().count(), 1);

    let app = Connection::open(sandbox.path("users.db")).unwrap();
    app.execute_batch("UPDATE users SET username = 'anna' WHERE username = 'alice'").unwrap();
    assert_eq!(offered(&sandbox, &["history", "a"]), ["anna"]);
}

#[test]
fn completion_offers_first_names_of_many() {
    let sandbox = initialized();
    let count = sample::of(10_000, 100_000);
    sandbox.sql(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count} - 1)
         INSERT INTO users SELECT printf('user%06d', i), '!', 'en' FROM n"
    ));
    let names = offered(&sandbox, &["show", ""]);
    assert_eq!((names.len(), names[0].as_str()), (200, "user000000"));
    assert_eq!(names[199], "user000199");
    let last = format!("user{:05}", count / 10 - 1);
    assert_eq!(offered(&sandbox, &["show", &last]).len(), 10);
}

#[test]
fn completion_does_not_query_servers() {
    let sandbox = seeded();
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let url = format!("postgresql://user:secret@{}/users", server.local_addr().unwrap());
    assert_eq!(offered(&sandbox, &["-d", &url, "history", "a"]), [""; 0]);
    let sandbox = sandbox.with_env("DASH_USERS_DATABASE", &url);
    assert_eq!(offered(&sandbox, &["history", "a"]), [""; 0]);
    assert!(server.accept().is_err(), "a server was contacted");
    assert_eq!(offered(&sandbox, &["-d", "users.db", "history", "a"]), ["alice"]);
}

#[test]
fn completion_variable_alone_has_no_effect() {
    for value in ["bash", "", "0", "nonsense"] {
        let sandbox = seeded().with_env("DASH_USERS_COMPLETE", value);
        assert_eq!(sandbox.run(&["list", "--format", "plain"]).stdout.lines().count(), 2);
    }
}
