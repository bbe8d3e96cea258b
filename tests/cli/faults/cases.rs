//! The commands that write, each with a database to write to.

use std::fmt::Write as _;

use crate::support::{GOOD, SECRET123, Sandbox};

/// A writing command.
pub(crate) struct Case {
    pub(crate) args: &'static [&'static str],
    pub(super) input: &'static str,
    /// Creates the initial state.
    pub(super) before: fn(&Sandbox),
    /// Commands that create the allowed intermediate states.
    pub(super) between: &'static [&'static str],
    /// A file that the command writes in addition to the database.
    pub(crate) file: Option<&'static str>,
}

const fn case(args: &'static [&'static str], before: fn(&Sandbox)) -> Case {
    Case { args, input: "", before, between: &[], file: None }
}

pub(crate) const CASES: &[Case] = &[
    case(&["init"], |_| ()),
    case(&["init"], tutorial),
    case(&["migrate"], tutorial),
    case(&["migrate"], version_1),
    Case { between: &["init"], ..case(&["seed"], |_| ()) },
    case(&["seed"], no_users),
    case(&["seed", "new.csv"], users),
    Case { input: GOOD, ..case(&["add", "eve", "--group", "staff", "--password-stdin"], users) },
    Case { input: GOOD, ..case(&["passwd", "ann", "--password-stdin"], users) },
    Case { input: "secret123", ..case(&["rehash", "ann", "--password-stdin"], users) },
    Case { input: "secret123", ..case(&["verify", "ann", "--upgrade", "--password-stdin"], users) },
    case(&["rehash", "--plaintext", "--all"], plaintext_passwords),
    case(&["remove", "ann", "bob", "--yes"], users),
    case(&["rename", "ann", "anna"], users),
    case(&["update", "ann", "--language", "de"], users),
    case(&["lock", "ann", "bob"], users),
    case(&["lock", "ann", "bob"], users_with_log),
    case(&["unlock", "dora"], users),
    case(&["group", "add", "ann", "admins", "editors"], users),
    case(&["group", "remove", "ann", "staff"], users),
    case(&["import", "new.csv", "--on-conflict", "update"], users),
    case(&["import", "new.csv", "--on-conflict", "update"], users_with_log),
    Case { between: &["init"], ..case(&["import", "new.csv"], new_file) },
    case(&["check", "--fix"], broken),
    case(&["restore", "copy.db", "--yes"], backup),
    case(&["restore", "copy.db", "--yes"], damaged),
    Case { file: Some("copy.db"), ..case(&["backup", "copy.db"], users) },
    Case { file: Some("copy.db"), ..case(&["backup", "copy.db", "--force"], backup) },
    Case { file: Some("out.csv"), ..case(&["export", "out.csv"], users) },
    Case { file: Some("out.csv"), ..case(&["export", "out.csv", "--force"], exported) },
];

/// Commands whose leftover file can block the next run.
pub(crate) const GENERATING: Case =
    case(&["import", "missing.csv", "--generate-missing", "passwords.csv"], missing);

fn missing(sandbox: &Sandbox) {
    users(sandbox);
    sandbox.write("missing.csv", "username,password\neve,\nfay,\n");
}

/// The time of everything in the initial state.
pub(super) const THEN: &str = "2001-01-01T00:00:00.000Z";

/// The tutorial app's database, with a table of the app's own.
fn tutorial(sandbox: &Sandbox) {
    sandbox.sql(
        "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL,
                             language TEXT NOT NULL);
         CREATE TABLE notes (author TEXT REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE,
                             note TEXT);",
    );
    sandbox.sql(&format!(
        "INSERT INTO users VALUES
             ('ann', '{SECRET123}', 'en'), ('bob', '{SECRET123}', 'fr'),
             ('dora', '!{}', 'de');
         WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT 60)
         INSERT INTO users SELECT 'user' || n, '{SECRET123}', 'en' FROM numbers;
         INSERT INTO notes SELECT username, 'a note of ' || username FROM users;",
        SECRET123.replace('$', "|"),
    ));
}

fn version_1(sandbox: &Sandbox) {
    tutorial(sandbox);
    sandbox.sql(include_str!("../../../src/store/sqlite/001_users.sql"));
    sandbox.sql(
        "CREATE TABLE dash_users_schema (version INTEGER NOT NULL);
                 INSERT INTO dash_users_schema VALUES (1);",
    );
}

fn no_users(sandbox: &Sandbox) {
    succeed(sandbox, &["init"]);
}

fn new_file(sandbox: &Sandbox) {
    let mut csv = "username,password_hash,language,groups\n".to_owned();
    for number in 30..90 {
        writeln!(csv, "user{number},{SECRET123},de,staff").unwrap();
    }
    sandbox.write("new.csv", csv);
}

fn users(sandbox: &Sandbox) {
    tutorial(sandbox);
    succeed(sandbox, &["init"]);
    succeed(sandbox, &["group", "add", "ann", "staff"]);
    sandbox.sql(&format!(
        "UPDATE user_events SET at = '{THEN}';
         UPDATE dash_users_times SET created_at = '{THEN}', password_changed_at = '{THEN}';"
    ));
    new_file(sandbox);
}

fn users_with_log(sandbox: &Sandbox) {
    users(sandbox);
    sandbox.sql("PRAGMA journal_mode = wal");
}

fn plaintext_passwords(sandbox: &Sandbox) {
    users(sandbox);
    sandbox.sql("UPDATE users SET password_hash = 'plain ' || username WHERE language = 'en'");
    sandbox.sql(&format!(
        "UPDATE user_events SET at = '{THEN}';
         UPDATE dash_users_times SET password_changed_at = '{THEN}';"
    ));
}

fn broken(sandbox: &Sandbox) {
    users(sandbox);
    sandbox.sql(
        "DROP TRIGGER dash_users_added; DROP TRIGGER dash_users_removed;
                 INSERT INTO user_groups VALUES ('nobody', 'staff');",
    );
    sandbox.sql(&format!("UPDATE user_events SET at = '{THEN}'"));
}

/// A backup that is older and longer than the database.
fn backup(sandbox: &Sandbox) {
    users(sandbox);
    sandbox.sql("CREATE TABLE long (text TEXT); INSERT INTO long VALUES (zeroblob(20000));");
    succeed(sandbox, &["backup", "copy.db"]);
    sandbox.sql("DROP TABLE long; DELETE FROM users WHERE username = 'ann'; VACUUM;");
    sandbox.sql(&format!("UPDATE user_events SET at = '{THEN}'"));
}

/// An unreadable database, and its backup.
fn damaged(sandbox: &Sandbox) {
    backup(sandbox);
    let mut bytes = sandbox.read("users.db");
    bytes[4096..].fill(0xa5);
    sandbox.write("users.db", bytes);
}

fn exported(sandbox: &Sandbox) {
    users(sandbox);
    succeed(sandbox, &["export", "out.csv"]);
    succeed(sandbox, &["remove", "user7", "--yes"]);
}

pub(super) fn succeed(sandbox: &Sandbox, args: &[&str]) {
    let run = sandbox.run(args);
    assert_eq!(run.status, 0, "{args:?}: {run}");
}
