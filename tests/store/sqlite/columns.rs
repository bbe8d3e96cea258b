//! Columns with collations and conversions: every statement follows the column's rules, or the
//! table is rejected with SQL that repairs it.

use dash_users::{Error, NewFile, OnConflict, StoreError, Users};

use super::writers::WRITERS;
use crate::accounts::groups;
use crate::database::{Database, Sqlite};
use crate::support::{
    add, add_group, found, hash, import, init, names, open, options, stored, with_users,
};

const NOCASE: &str = "CREATE TABLE users (username TEXT COLLATE NOCASE PRIMARY KEY,
    password_hash TEXT COLLATE NOCASE, language TEXT, email TEXT UNIQUE)";

/// The reason why a table is rejected and the SQL that repairs it. Every operation rejects it.
fn refusal(database: &Sqlite) -> (String, Option<String>) {
    let refused = Users::init(database.location(), &NewFile::default());
    let Err(Error::Store(StoreError::UnsupportedTable { reason, repair, .. })) = refused else {
        panic!("{refused:?}");
    };
    let listed = open(database).list();
    assert!(matches!(listed, Err(Error::Store(StoreError::UnsupportedTable { .. }))), "{listed:?}");
    (reason, repair)
}

#[test]
fn init_rejects_unsupported_tables_with_repair_sql() {
    let rows = "INSERT INTO users (username, password_hash, language)
                VALUES ('007', 'x', 'en'), ('bob', 'y', 'de')";
    for (table, part, kept) in [
        ("CREATE TABLE users (username STRING PRIMARY KEY, password_hash, language)", "007", "7"),
        (
            "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, \"username\" DECIMAL(9, 2)
                 NOT NULL UNIQUE DEFAULT '1,2)', password_hash STRING, language STRING,
                 twice GENERATED ALWAYS AS (username || username));
             CREATE TABLE log (username REFERENCES users (username));
             CREATE INDEX by_hash ON users (password_hash);
             CREATE TRIGGER logged AFTER DELETE ON users BEGIN DELETE FROM log; END;
             CREATE VIEW admins AS SELECT username FROM users WHERE language = 'de'",
            "DECIMAL",
            "7",
        ),
        (
            "CREATE TABLE users (username POINTER, password_hash, language, UNIQUE (username))",
            "POINTER",
            "7",
        ),
        (
            "CREATE TABLE users (username TEXT COLLATE NOCASE, password_hash, language);
             CREATE UNIQUE INDEX by_name ON users (username COLLATE BINARY)",
            "NOCASE",
            "007",
        ),
        (
            "CREATE TABLE users (username TEXT COLLATE RTRIM, password_hash, language);
             CREATE UNIQUE INDEX by_name ON users (username COLLATE NOCASE)",
            "RTRIM",
            "007",
        ),
        ("CREATE TABLE users (username TEXT, password_hash, language)", "unique index", "007"),
    ] {
        let database = Sqlite::with(&format!("{table}; {rows}"));
        let before = database.bytes();
        let objects = "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'dash_%' ORDER BY 1";
        let objects_before = database.query(objects);
        let (reason, repair) = refusal(&database);
        assert!(reason.contains(part), "{table}: {reason}");
        assert!(database.bytes() == before, "the file was changed");
        database.execute(&repair.unwrap_or_else(|| panic!("{table}: no SQL")));
        let mut users = init(&database);
        assert_eq!(names(&database), [kept, "bob"], "{table}");
        assert_eq!(users.remove(&["bob"], false).unwrap(), [true], "{table}");
        add(&mut users, "0042");
        assert_eq!(names(&database)[0], "0042", "{table}");
        let objects_after = database.query(objects);
        assert!(objects_before.iter().all(|name| objects_after.contains(name)), "{table}");
    }
}

#[test]
fn names_equal_by_collation_are_listed() {
    let database = Sqlite::with(
        "CREATE TABLE users (username TEXT COLLATE NOCASE, password_hash, language);
         CREATE UNIQUE INDEX by_name ON users (username COLLATE BINARY);
         INSERT INTO users VALUES ('alice', 'x', 'en'), ('ALICE', 'y', 'en'), ('bob', 'z', 'en')",
    );
    let (reason, repair) = refusal(&database);
    assert!(reason.contains("'alice'") && reason.contains("'ALICE'"), "{reason}");
    assert!(!reason.contains("bob") && repair.is_none(), "{reason}");
}

/// Replaces a collation in the schema by one that SQLite does not have, as only its app has it.
fn use_own_collation(database: &Sqlite, of: &str) {
    database.execute(&format!(
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = replace(sql, 'NOCASE', 'german') WHERE name = '{of}'"
    ));
}

#[test]
fn collations_of_app_are_rejected() {
    let database = Sqlite::with(NOCASE);
    use_own_collation(&database, "users");
    let (reason, _) = refusal(&database);
    assert!(reason.contains("german"), "{reason}");

    let database = Sqlite::with(
        "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash, language);
         CREATE INDEX by_language ON users (language COLLATE NOCASE)",
    );
    use_own_collation(&database, "by_language");
    let (reason, repair) = refusal(&database);
    assert!(reason.contains("'by_language'") && reason.contains("german"), "{reason}");
    database.execute(&repair.unwrap());
    add(&mut init(&database), "alice");
}

#[test]
fn name_in_other_case_is_same_user_with_nocase() {
    let database = Sqlite::with(NOCASE);
    let mut users = with_users(&database, &["alice", "bob"]);
    let before = stored(&database, "alice");
    add_group(&mut users, "ALICE", "staff");
    assert_eq!(groups(&mut users, "alice"), ["staff"]);
    users.lock(&["Alice"]).unwrap();
    assert_eq!(users.unlock(&["aLICE", "alice"]).unwrap(), [true, false]);
    assert_eq!(stored(&database, "alice"), before);
    assert_eq!(users.history(Some(b"ALICE"), None).unwrap().len(), 4);
    assert_eq!(users.remove_groups("ALICE", &["staff"]).unwrap(), [true]);
    assert_eq!(users.remove(&["ALICE"], false).unwrap(), [true]);
    assert_eq!(names(&database), ["bob"]);
    assert_eq!(users.history(Some(b"alice"), Some(1)).unwrap().len(), 1);
}

#[test]
fn groups_end_with_user_replaced_in_other_case() {
    for (writer, write) in WRITERS {
        for statement in [
            "INSERT OR REPLACE INTO users VALUES ('ALICE', 'x', 'en', NULL)",
            "UPDATE OR REPLACE users SET username = 'ALICE' WHERE username = 'bob'",
            "UPDATE users SET email = 'x' WHERE username = 'alice';
             INSERT OR REPLACE INTO users VALUES ('zoe', 'x', 'en', 'x');
             INSERT INTO users VALUES ('ALICE', 'x', 'en', NULL)",
        ] {
            let database = Sqlite::with(NOCASE);
            let mut users = with_users(&database, &["alice", "bob"]);
            add_group(&mut users, "alice", "admins");
            if write(database.path(), statement) {
                let left = database.query("SELECT username FROM user_groups");
                assert_eq!(left, [""; 0], "{writer}: {statement}");
                let times = database.query("SELECT username FROM dash_users_times ORDER BY 1");
                assert_eq!(times[0], "ALICE", "{writer}: {statement}");
                let codes: Vec<_> = found(&mut users).into_iter().map(|found| found.0).collect();
                assert!(!codes.contains(&"orphaned_groups"), "{writer}: {statement}");
            }
        }
    }
}

#[test]
fn case_only_rename_keeps_groups() {
    let database = Sqlite::with(NOCASE);
    let mut users = with_users(&database, &["alice"]);
    add_group(&mut users, "alice", "admins");
    assert!(users.rename("ALICE", &"Alice".parse().unwrap(), false).unwrap());
    assert_eq!(groups(&mut users, "alice"), ["admins"]);
    database.execute("UPDATE users SET username = 'aLiCe'");
    assert_eq!(groups(&mut users, "alice"), ["admins"]);
    let times = database.query("SELECT username FROM dash_users_times");
    assert_eq!(times, ["aLiCe"]);
}

#[test]
fn groups_with_cascading_key_are_rejected() {
    const TABLE: &str = "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash, language);
        INSERT INTO users VALUES ('alice', 'x', 'en'), ('bob', 'y', 'en');
        CREATE TABLE user_groups (…);
        INSERT INTO user_groups (username, group_name) VALUES ('alice', 'admins'), ('bob', 'staff')";
    for (columns, part) in [
        ("username TEXT REFERENCES users ON UPDATE CASCADE, group_name TEXT", "ON UPDATE CASCADE"),
        (
            "username TEXT REFERENCES users ON DELETE RESTRICT, group_name TEXT",
            "ON DELETE RESTRICT",
        ),
        (
            "username TEXT, group_name TEXT,
             FOREIGN KEY (username) REFERENCES users ON UPDATE SET NULL",
            "ON UPDATE SET NULL",
        ),
        ("username TEXT PRIMARY KEY, group_name TEXT", "unique index"),
        ("username TEXT COLLATE NOCASE, group_name TEXT", "NOCASE"),
        ("username STRING, group_name TEXT", "STRING"),
        ("username TEXT, group_name INTEGER", "INTEGER"),
    ] {
        let database = Sqlite::with(&TABLE.replace('…', columns));
        let (reason, repair) = refusal(&database);
        assert!(reason.contains("'user_groups'") && reason.contains(part), "{columns}: {reason}");
        database.execute(&repair.unwrap());
        let mut users = init(&database);
        users.rename("alice", &"zoe".parse().unwrap(), false).unwrap();
        assert_eq!(groups(&mut users, "zoe"), ["admins"], "{columns}");
        assert_eq!(groups(&mut users, "bob"), ["staff"], "{columns}");
    }

    for columns in [
        "username TEXT REFERENCES users, group_name TEXT, UNIQUE (username, group_name)",
        "username TEXT REFERENCES users ON DELETE CASCADE, group_name TEXT",
        "username VARCHAR(80) NOT NULL REFERENCES users DEFERRABLE INITIALLY DEFERRED, group_name",
    ] {
        let database = Sqlite::with(&TABLE.replace('…', columns));
        let mut users = init(&database);
        users.rename("alice", &"zoe".parse().unwrap(), false).unwrap();
        assert_eq!(groups(&mut users, "zoe"), ["admins"], "{columns}");
        users.remove(&["zoe"], false).unwrap();
        add(&mut users, "zoe");
        assert_eq!(groups(&mut users, "zoe"), [""; 0], "{columns}");
    }
}

#[test]
fn objects_that_block_changes_are_found() {
    const TABLE: &str = "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash, language)";
    for (sql, part) in [
        ("CREATE TABLE visits (name TEXT REFERENCES users (nothing_there))", "visits"),
        ("CREATE TABLE visits (name TEXT REFERENCES users (language))", "visits"),
        ("CREATE TRIGGER broken AFTER DELETE ON users BEGIN DELETE FROM gone; END", "gone"),
    ] {
        let database = Sqlite::with(TABLE);
        let mut users = with_users(&database, &["alice"]);
        database.execute(sql);
        let said = users.remove(&["alice"], false).unwrap_err().to_string();
        assert!(said.contains(part), "{sql}: {said}");
        let findings = users.check().unwrap();
        let finding = findings.iter().find(|found| found.problem.code() == "users_unchangeable");
        let said = finding.unwrap_or_else(|| panic!("{sql}")).problem.to_string();
        assert!(said.contains(part), "{sql}: {said}");
    }
}

#[test]
fn references_are_counted_by_column_collation() {
    let database = Sqlite::with(&format!(
        "{NOCASE}; CREATE TABLE visits (username TEXT REFERENCES users ON DELETE CASCADE);
         CREATE TABLE pages (id INTEGER PRIMARY KEY, username TEXT REFERENCES users (username)
             ON DELETE CASCADE);
         CREATE TABLE notes (page INTEGER REFERENCES pages ON DELETE CASCADE)"
    ));
    let mut users = with_users(&database, &["alice"]);
    database.execute(
        "INSERT INTO visits VALUES ('ALICE'), ('alice');
         INSERT INTO pages VALUES (1, 'Alice'); INSERT INTO notes VALUES (1), (1), (1)",
    );
    let counts: Vec<_> = users
        .references("aLice")
        .unwrap()
        .into_iter()
        .map(|reference| (reference.table, reference.rows))
        .collect();
    let expected = [("pages", 1), ("notes", 3), ("visits", 2)];
    assert_eq!(counts, expected.map(|(table, rows)| (table.to_owned(), rows)));
    users.remove(&["alice"], false).unwrap();
    assert_eq!(database.query("SELECT page FROM notes"), [""; 0]);
}

#[test]
fn import_drops_groups_of_earlier_user_in_other_case() {
    let database = Sqlite::with(NOCASE);
    let mut users = with_users(&database, &["alice", "bob"]);
    add_group(&mut users, "alice", "admins");
    // Alice is evicted, which no trigger sees.
    database.execute(
        "UPDATE users SET email = 'x' WHERE username = 'alice';
         INSERT OR REPLACE INTO users VALUES ('zoe', 'x', 'en', 'x')",
    );
    let file = format!("username,password_hash\nALICE,{}\n", hash("x"));
    import(&mut users, options(OnConflict::Fail), &file).unwrap();
    assert_eq!(groups(&mut users, "alice"), [""; 0]);
    assert_eq!(database.query("SELECT username FROM user_groups"), [""; 0]);
}
