//! Every finding: damaged with SQL, found, and repaired if that loses nothing.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use dash_users::{Error, OnConflict, Severity, StoreError, Users};

use crate::database::{Database, Sqlite};
use crate::support::{
    GOOD, METHOD, TUTORIAL_TABLE, add, found, hash, hash_with, import, init, literal, locked,
    method, names, new_user, options, over_limit, rows,
};

/// SQL that damages a database, and the findings: code, severity and user.
type Case = (String, &'static [(&'static str, Severity, &'static str)]);

/// A row with this value as its hash.
fn with_hash(value: &str) -> String {
    format!("INSERT INTO users VALUES ('zoe', {}, 'en')", literal(value))
}

/// A row with this name, in SQL.
fn with_name(name: &str) -> String {
    format!("INSERT INTO users VALUES ({name}, '{}', 'en')", hash("secret"))
}

fn cases() -> Vec<Case> {
    use Severity::{Error, Info, Warning};

    let digest = "0".repeat(128);
    let unsupported = format!("pbkdf2:sha224:1000$salt${}", "0".repeat(56));
    vec![
        (with_name("NULL"), &[("name_not_text", Error, "\\N")]),
        (with_name("x'00ff'"), &[("name_not_text", Error, "\\x00ff")]),
        (with_name("CAST(x'ff' AS TEXT)"), &[("name_not_text", Error, "\\u{fffd}")]),
        (with_name("'a:b'"), &[("name_cannot_log_in", Error, "a:b")]),
        (with_name("'zoe '"), &[("name_not_allowed", Warning, "zoe ")]),
        (with_name("'a' || char(0)"), &[("name_not_allowed", Warning, "a\\u{0}")]),
        (with_name("'Alice'"), &[("name_differs_by_case", Warning, "alice")]),
        (with_hash("$2b$12$abc"), &[("hash_raises", Error, "zoe")]),
        (with_hash(&format!("!{}", hash("x"))), &[("hash_raises", Error, "zoe")]),
        (with_hash(&format!("sha256$salt${digest}")), &[("hash_raises", Error, "zoe")]),
        ("UPDATE users SET password_hash = x'00'".into(), &[("hash_raises", Error, "alice")]),
        (with_hash("!"), &[("hash_never_matches", Error, "zoe")]),
        (with_hash(""), &[("hash_never_matches", Error, "zoe")]),
        (with_hash("scrypt:128:8:1$salt$00"), &[("hash_never_matches", Error, "zoe")]),
        (with_hash(&over_limit()), &[("hash_over_limit", Warning, "zoe")]),
        (with_hash(&locked(&over_limit())), &[("hash_over_limit", Warning, "zoe")]),
        (with_hash(&unsupported), &[("hash_unsupported", Warning, "zoe")]),
        (with_hash(&hash_with("pbkdf2:sha256:9", "x")), &[("hash_outdated", Info, "zoe")]),
        (with_hash(&hash("x").replace(METHOD, "scrypt:32768:8:2")), &[("hash_weak", Info, "zoe")]),
        (with_hash("hunter2"), &[("clear_password", Error, "zoe")]),
        (with_hash("pa$$w0rd"), &[("clear_password", Error, "zoe")]),
        (with_hash("None"), &[("no_password", Error, "zoe")]),
        (with_hash(&format!("b'{}'", hash("x"))), &[("wrapped_hash", Error, "zoe")]),
        (
            format!("INSERT INTO users VALUES ('bob', '{}', 'fr')", hash("pa$$w0rd")),
            &[("demo_password", Error, "bob")],
        ),
        ("UPDATE users SET language = x'00'".into(), &[("language_not_text", Warning, "alice")]),
        ("UPDATE users SET language = 'so-so!'".into(), &[("language_not_allowed", Info, "alice")]),
        (
            "INSERT INTO user_groups VALUES ('alice', 'a,b')".into(),
            &[("group_not_allowed", Warning, "alice")],
        ),
        (
            "INSERT INTO user_groups VALUES ('gone', 'a'), ('gone', 'b')".into(),
            &[("orphaned_groups", Warning, "gone")],
        ),
        (
            "INSERT INTO dash_users_times (username) VALUES ('gone')".into(),
            &[("removed_unseen", Info, "gone")],
        ),
        ("DELETE FROM dash_users_times".into(), &[("added_unseen", Info, "alice")]),
        ("DROP TRIGGER dash_users_removed".into(), &[("trigger_missing", Error, "")]),
        ("DROP INDEX dash_users_username_nocase".into(), &[("index_missing", Error, "")]),
        ("DROP TABLE user_events".into(), &[("table_missing", Error, "")]),
        (
            "DROP TRIGGER dash_users_removed;
             CREATE TRIGGER dash_users_removed AFTER DELETE ON users BEGIN SELECT 1; END"
                .into(),
            &[("trigger_altered", Error, "")],
        ),
        (
            "DROP INDEX dash_users_username_nocase;
             CREATE INDEX dash_users_username_nocase ON users (language)"
                .into(),
            &[("index_altered", Error, "")],
        ),
        (
            "ALTER TABLE dash_users_change RENAME TO spare;
             CREATE TABLE dash_users_change (actor, action, detail, is_bulk)"
                .into(),
            // The triggers are those on the other table.
            &[("table_altered", Error, "")],
        ),
        (
            "CREATE TRIGGER spy AFTER UPDATE ON users BEGIN SELECT 1; END".into(),
            &[("foreign_trigger", Warning, "")],
        ),
        (
            "CREATE TRIGGER forger BEFORE INSERT ON user_events BEGIN SELECT 1; END".into(),
            &[("foreign_trigger", Warning, "")],
        ),
        (
            "INSERT INTO dash_users_change (action) VALUES ('x')".into(),
            &[("change_left", Error, "")],
        ),
        ("PRAGMA journal_mode = WAL".into(), &[("write_ahead_log", Warning, "")]),
    ]
}

/// A database with a table that an app made, in a file that nobody else may read.
fn with_table(table: &str) -> Sqlite {
    let database = Sqlite::with(table);
    fs::set_permissions(database.path(), Permissions::from_mode(0o600)).unwrap();
    database
}

/// A database with alice, whose hash has werkzeug's own method, which is the current one.
fn with_alice(table: &str) -> (Sqlite, Users) {
    let (database, users) = with_cheap_alice(table);
    // Its digest is never verified with success, and need not belong to that method.
    let replace = format!("replace(password_hash, '{METHOD}', 'scrypt:32768:8:1')");
    database.execute(&format!("UPDATE users SET password_hash = {replace}"));
    (database, users.with_method(method("scrypt")))
}

/// A database with alice, whose hash has the method of all cases, which is weak.
fn with_cheap_alice(table: &str) -> (Sqlite, Users) {
    let database = with_table(table);
    let mut users = init(&database);
    users.add(&new_user("alice", GOOD)).unwrap();
    (database, users)
}

/// A database for the case of this code, in which a column is loose, so that it can store
/// anything. Unless the case is about methods, its users have cheap hashes.
fn for_case(code: &str) -> (Sqlite, Users) {
    let table = "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash NOT NULL,
                     language NOT NULL)";
    match code {
        "hash_outdated" | "hash_weak" => with_alice(table),
        _ => with_cheap_alice(table),
    }
}

#[test]
fn clean_database_has_no_findings() {
    let (_database, mut users) = with_alice(TUTORIAL_TABLE);
    let mut bob = new_user("bob", GOOD);
    bob.locked = true;
    bob.groups = vec!["staff".parse().unwrap()];
    users.add(&bob).unwrap();
    users.rename("bob", &"robert".parse().unwrap(), false).unwrap();
    users.remove(&["alice"], false).unwrap();
    assert_eq!(found(&mut users), []);
}

#[test]
fn every_damage_is_found() {
    for (sql, expected) in cases() {
        let (database, mut users) = for_case(expected[0].0);
        database.execute(&sql);
        let mut found = found(&mut users);
        // A cheap hash is weak, which few cases are about.
        found.retain(|(code, ..)| *code != "hash_weak" || expected[0].0 == "hash_weak");
        let expected: Vec<_> = expected
            .iter()
            .map(|(code, severity, user)| (*code, *severity, (*user).to_owned()))
            .collect();
        // A table that replaces another leaves triggers that write to the old one.
        found.retain(|found| found.0 != "trigger_altered" || expected.contains(found));
        assert_eq!(found, expected, "{sql}");
    }
}

#[test]
fn every_code_has_a_case() {
    let tested: BTreeSet<_> = cases().iter().map(|(_, expected)| expected[0].0).collect();
    let elsewhere = [
        "file_hard_linked",
        "file_readable_by_others",
        "file_writable_by_others",
        "integrity",
        "required_column",
        // See rebuilds.rs.
        "changed_unseen",
        // See columns.rs.
        "users_unchangeable",
    ];
    let of_postgres = [
        "foreign_owner",
        "function_altered",
        "function_missing",
        "history_blocked",
        "triggers_off",
    ];
    let source = include_str!("../../../src/check.rs");
    let (_, codes) = source.split_once("pub fn code(&self)").unwrap();
    let (codes, _) = codes.split_once("pub fn severity").unwrap();
    let codes: BTreeSet<_> = codes.split('"').skip(1).step_by(2).collect();
    assert!(codes.len() > 30);
    let all: BTreeSet<_> = tested.into_iter().chain(elsewhere).chain(of_postgres).collect();
    assert_eq!(all, codes);
}

#[test]
fn file_accessible_by_others_is_found() {
    let (database, mut users) = with_alice(TUTORIAL_TABLE);
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
    let (database, mut users) = with_alice(TUTORIAL_TABLE);
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
    let (database, mut users) = with_cheap_alice(TUTORIAL_TABLE);
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
    let (database, mut users) = with_alice(TUTORIAL_TABLE);
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
fn repair_fixes_our_objects_and_no_user() {
    let repairable = [
        "orphaned_groups",
        "removed_unseen",
        "added_unseen",
        "trigger_missing",
        "index_missing",
        "table_missing",
        "trigger_altered",
        "index_altered",
        "change_left",
    ];
    for (sql, expected) in cases() {
        let (database, mut users) = for_case(expected[0].0);
        users.add_groups("alice", &["staff".parse().unwrap()]).unwrap();
        database.execute(&sql);
        let before = rows(&database);
        users.repair().unwrap();
        assert_eq!(rows(&database), before, "{sql}");
        let groups = 1 + usize::from(expected[0].0 == "group_not_allowed");
        assert_eq!(users.get("alice").unwrap().unwrap().groups.len(), groups, "{sql}");
        let codes: Vec<_> = found(&mut users).iter().map(|(code, ..)| *code).collect();
        let is_left = codes.contains(&expected[0].0);
        assert_eq!(is_left, !repairable.contains(&expected[0].0), "{sql}: {codes:?}");
    }
}

#[test]
fn uncheckable_database_is_an_error_with_reason() {
    for (sql, part) in [
        ("INSERT INTO dash_users_schema VALUES (2)", "does not contain exactly one version"),
        ("UPDATE dash_users_schema SET version = -1", "negative version"),
        ("UPDATE dash_users_schema SET version = 'x'", "does not contain exactly one version"),
        ("DROP TABLE dash_users_schema", "version is 0"),
        ("ALTER TABLE user_groups RENAME COLUMN group_name TO x", "'user_groups' is a table"),
        ("DROP TABLE user_groups; CREATE VIEW user_groups AS SELECT 1", "'user_groups' is a view"),
    ] {
        let (database, mut users) = with_cheap_alice(TUTORIAL_TABLE);
        database.execute(sql);
        for error in [users.check().err(), users.repair().err()] {
            let error = error.expect(sql).to_string();
            assert!(error.contains(part), "{sql}: {error}");
        }
    }
}

/// With its constraints evaluated, this file of 100 KB would take an hour.
#[test]
fn check_and_restore_do_not_evaluate_check_constraints() {
    let (database, mut users) = with_cheap_alice(TUTORIAL_TABLE);
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
