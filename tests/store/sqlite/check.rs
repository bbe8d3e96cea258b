//! Findings of a check of a SQLite file, and their repair.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use dash_users::{Error, OnConflict, Severity, StoreError, Users};

use crate::check::{
    Case, UNCHECKABLE, assert_every_code_has_a_case, assert_found, assert_uncheckable, with_alice,
    with_default_method, with_name,
};
use crate::database::{Database, Sqlite};
use crate::support::{GOOD, TUTORIAL_TABLE, add, found, import, init, names, options};

/// In the file of this table, two columns can store anything.
const LOOSE: &str = "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash NOT NULL,
    language NOT NULL)";

fn cases() -> Vec<Case> {
    use Severity::{Error, Info, Warning};

    let names = [
        ("NULL", "name_not_text", Error, "\\N"),
        ("x'00ff'", "name_not_text", Error, "\\x00ff"),
        ("CAST(x'ff' AS TEXT)", "name_not_text", Error, "\\u{fffd}"),
        ("'a' || char(0)", "name_not_allowed", Warning, "a\\u{0}"),
    ];
    let others = [
        ("UPDATE users SET password_hash = x'00'", "hash_raises", Error, "alice"),
        ("UPDATE users SET language = x'00'", "language_not_text", Warning, "alice"),
        ("DELETE FROM dash_users_times", "added_unseen", Info, "alice"),
        ("DROP TRIGGER dash_users_removed", "trigger_missing", Error, ""),
        (
            "DROP TRIGGER dash_users_removed;
             CREATE TRIGGER dash_users_removed AFTER DELETE ON users BEGIN SELECT 1; END",
            "trigger_altered",
            Error,
            "",
        ),
        (
            "ALTER TABLE dash_users_change RENAME TO spare;
             CREATE TABLE dash_users_change (actor, action, detail, is_bulk)",
            "table_altered",
            Error,
            "",
        ),
        (
            "CREATE TRIGGER spy AFTER UPDATE ON users BEGIN SELECT 1; END",
            "foreign_trigger",
            Warning,
            "",
        ),
        (
            "CREATE TRIGGER forger BEFORE INSERT ON user_events BEGIN SELECT 1; END",
            "foreign_trigger",
            Warning,
            "",
        ),
        ("INSERT INTO dash_users_change (action) VALUES ('x')", "change_left", Error, ""),
        ("PRAGMA journal_mode = WAL", "write_ahead_log", Warning, ""),
    ];
    let names = names.map(|(name, code, severity, user)| (with_name(name), code, severity, user));
    let others = others.map(|(sql, code, severity, user)| (sql.into(), code, severity, user));
    names.into_iter().chain(others).collect()
}

/// A database with a table that an app made, in a file that nobody else may read.
fn with_table(table: &str) -> Sqlite {
    let database = Sqlite::with(table);
    fs::set_permissions(database.path(), Permissions::from_mode(0o600)).unwrap();
    database
}

/// A database with the tutorial's table and alice, without findings.
fn clean() -> (Sqlite, Users) {
    let database = with_table(TUTORIAL_TABLE);
    let users = with_default_method(&database);
    (database, users)
}

#[test]
fn damage_is_found_and_repaired_without_users() {
    for case in cases() {
        assert_found(&with_table(LOOSE), &case, &["staff"]);
    }
}

#[test]
fn every_code_has_a_case() {
    // See rebuilds.rs for changed_unseen and columns.rs for users_unchangeable; those from
    // foreign_owner on are of PostgreSQL only.
    let elsewhere = [
        "file_hard_linked",
        "file_readable_by_others",
        "file_writable_by_others",
        "group_not_allowed",
        "integrity",
        "required_column",
        "changed_unseen",
        "users_unchangeable",
        "foreign_owner",
        "function_altered",
        "function_missing",
        "history_blocked",
        "triggers_off",
    ];
    assert_every_code_has_a_case(&cases(), &elsewhere);
}

#[test]
fn file_accessible_by_others_is_found() {
    let (database, mut users) = clean();
    for (mode, expected) in [
        (0o600, &[][..]),
        (0o660, &[]),
        (0o604, &["file_readable_by_others"]),
        (0o602, &["file_writable_by_others"]),
        (0o666, &["file_readable_by_others", "file_writable_by_others"]),
    ] {
        fs::set_permissions(database.path(), Permissions::from_mode(mode)).unwrap();
        let codes: Vec<_> = found(&mut users).iter().map(|(code, ..)| *code).collect();
        assert_eq!(codes, expected, "{mode:o}");
    }
}

#[test]
fn hard_linked_file_is_found() {
    let (database, mut users) = clean();
    let other = database.dir().join("other.db");
    fs::hard_link(database.path(), &other).unwrap();
    assert_eq!(found(&mut users), [("file_hard_linked", Severity::Warning, String::new())]);
    fs::remove_file(other).unwrap();
    assert_eq!(found(&mut users), []);
}

#[test]
fn required_column_is_found() {
    let database = with_table(
        "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL,
             language TEXT NOT NULL, email TEXT NOT NULL)",
    );
    assert_eq!(
        found(&mut init(&database)),
        [("required_column", Severity::Warning, String::new())]
    );
}

#[test]
fn damaged_file_is_found_or_rejected() {
    let database = with_table(TUTORIAL_TABLE);
    let mut users = with_alice(&database);
    for number in 0..200 {
        add(&mut users, &format!("user{number:03}"));
    }
    drop(users);
    let good = database.bytes();
    let pages = good.len() / 4096;
    assert!(pages > 10);
    for page in 1..pages {
        let mut bad = good.clone();
        bad[page * 4096..page * 4096 + 64].fill(0xa5);
        fs::write(database.path(), bad).unwrap();
        let checked =
            Users::open_read_only(database.location()).and_then(|mut users| users.check());
        match checked {
            Ok(found) => {
                let codes: Vec<_> = found.iter().map(|finding| finding.problem.code()).collect();
                assert!(codes.contains(&"integrity"), "page {page}: {codes:?}");
            }
            Err(Error::Store(StoreError::NotADatabase { .. })) => {}
            Err(error) => panic!("page {page}: {error}"),
        }
    }
}

#[test]
fn damage_is_reported_with_unreadable_users() {
    let database = with_table(TUTORIAL_TABLE);
    let mut users = init(&database);
    for number in 0..30 {
        add(&mut users, &format!("user{number:03}"));
    }
    drop(users);
    let leaf = "SELECT max(pageno) FROM dbstat WHERE name = 'users' AND pagetype = 'leaf'";
    let leaf: usize = database.query(leaf)[0].parse().unwrap();
    let good = database.bytes();
    let is_unreadable_and_found = |at: usize| {
        let mut bad = good.clone();
        bad[at..at + 2].fill(0xff);
        fs::write(database.path(), bad).unwrap();
        let mut users = Users::open_read_only(database.location()).unwrap();
        let is_found = users
            .check()
            .is_ok_and(|found| found.iter().any(|finding| finding.problem.code() == "integrity"));
        users.list().is_err() && is_found
    };
    let mut page = ((leaf - 1) * 4096..leaf * 4096).step_by(8);
    assert!(page.any(is_unreadable_and_found));
}

/// Has the bytes of a text in the schema end with a comment that is no UTF-8.
fn damage_sql(database: &Sqlite, name: &str) {
    database.execute(&format!(
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = CAST(sql || x'202d2dff' AS TEXT) WHERE name = '{name}'"
    ));
}

#[test]
fn invalid_utf_8_in_schema_does_not_break_commands() {
    let (database, mut users) = clean();
    database.execute(
        "ALTER TABLE users ADD COLUMN email TEXT;
         CREATE TABLE user_notes (note TEXT);
         CREATE TRIGGER spy AFTER UPDATE ON users BEGIN SELECT 1; END;",
    );
    for name in ["users", "user_notes", "spy"] {
        damage_sql(&database, name);
    }
    // Names, too.
    database.execute(
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = CAST(replace(sql, 'email', x'ff') AS TEXT);
         UPDATE sqlite_schema SET name = CAST(replace(name, 'notes', x'ff') AS TEXT),
             tbl_name = CAST(replace(tbl_name, 'notes', x'ff') AS TEXT),
             sql = CAST(replace(sql, 'notes', x'ff') AS TEXT) WHERE name = 'user_notes';
         UPDATE sqlite_schema SET name = CAST('spy' || x'ff' AS TEXT),
             sql = CAST(replace(sql, 'spy', 'spy' || x'ff') AS TEXT) WHERE name = 'spy'",
    );
    assert_eq!(found(&mut users), [("foreign_trigger", Severity::Warning, String::new())]);
    add(&mut users, "bob");
    assert_eq!(users.remove(&["bob"], false).unwrap(), [true]);

    damage_sql(&database, "dash_users_added");
    let codes = |users: &mut Users| -> Vec<_> {
        let codes = found(users).into_iter().map(|(code, ..)| code);
        codes.filter(|code| code.contains("trigger")).collect()
    };
    assert_eq!(codes(&mut users), ["trigger_altered", "foreign_trigger"]);
    let refusal = users.lock(&["alice"]).unwrap_err().to_string();
    assert!(refusal.contains("'dash_users_added' was altered"), "{refusal}");
    users.repair().unwrap();
    assert_eq!(codes(&mut users), ["foreign_trigger"]);
    let file = format!("username,password\nzoe,{GOOD}");
    import(&mut users, options(OnConflict::Skip), &file).unwrap();
    let backup = database.dir().join("backup.db");
    users.backup(&backup, false).unwrap();
    Users::prepare_restore(database.location(), &backup, None).unwrap().apply().unwrap();
    assert_eq!(names(&database), ["alice", "zoe"]);
}

#[test]
fn uncheckable_database_is_an_error_with_reason() {
    let text =
        ("UPDATE dash_users_schema SET version = 'x'", "does not contain exactly one version");
    for (sql, part) in UNCHECKABLE.into_iter().chain([text]) {
        assert_uncheckable(&with_table(TUTORIAL_TABLE), sql, part);
    }
}

/// With its constraints evaluated, this file of 100 KB would take an hour.
#[test]
fn check_and_restore_do_not_evaluate_check_constraints() {
    let database = with_table(TUTORIAL_TABLE);
    let mut users = with_alice(&database);
    database.execute(
        "CREATE TABLE notes (
           note TEXT CHECK (length(replace(hex(zeroblob(20000000)), '0', note)) > 0));
         PRAGMA ignore_check_constraints = ON;
         WITH RECURSIVE numbers (number) AS (
           SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < 5000)
         INSERT INTO notes SELECT 'n' FROM numbers;",
    );
    let start = Instant::now();
    assert!(users.check().unwrap().iter().all(|finding| finding.problem.code() != "integrity"));
    let backup = database.dir().join("backup.db");
    users.backup(&backup, false).unwrap();
    Users::prepare_restore(database.location(), &backup, None).unwrap().apply().unwrap();
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}
