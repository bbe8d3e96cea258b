//! Apps that replace the table `users`, as migration tools do: the migration works, and groups stay
//! with the same users.

use dash_users::{Error, NewFile, StoreError, Users};

use crate::accounts::groups;
use crate::database::{Database, Sqlite};
use crate::support::{TUTORIAL_TABLE, add, add_group, found, hash, init, literal, open};

/// How tools rebuild a table. Alembic in batch mode, Django, sqlite-utils, SQLAlchemy by hand, and
/// pandas with `if_exists="replace"`.
const REBUILDS: [&str; 5] = [
    "BEGIN; CREATE TABLE _alembic_tmp_users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL,
         language TEXT NOT NULL, email TEXT);
     INSERT INTO _alembic_tmp_users (username, password_hash, language)
         SELECT username, password_hash, language FROM users;
     DROP TABLE users; ALTER TABLE _alembic_tmp_users RENAME TO users; COMMIT",
    "PRAGMA foreign_keys = OFF; BEGIN;
     CREATE TABLE \"new__users\" (username text NOT NULL PRIMARY KEY, password_hash text NOT NULL,
         language text NOT NULL);
     INSERT INTO \"new__users\" SELECT username, password_hash, language FROM users;
     DROP TABLE users; ALTER TABLE \"new__users\" RENAME TO \"users\"; COMMIT",
    "CREATE TABLE [users_new_1a2b] ([username] TEXT PRIMARY KEY, [password_hash] TEXT, [language] TEXT);
     INSERT INTO [users_new_1a2b] (rowid, [username], [password_hash], [language])
         SELECT rowid, [username], [password_hash], [language] FROM [users];
     DROP TABLE [users]; ALTER TABLE [users_new_1a2b] RENAME TO [users]",
    "ALTER TABLE users RENAME TO users_old;
     CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL, language TEXT NOT NULL);
     INSERT INTO users SELECT * FROM users_old; DROP TABLE users_old",
    "CREATE TEMP TABLE kept AS SELECT * FROM users; DROP TABLE users;
     CREATE TABLE users (username TEXT UNIQUE, password_hash TEXT, language TEXT);
     INSERT INTO users SELECT * FROM kept",
];

fn with_groups() -> Sqlite {
    let database = Sqlite::with(TUTORIAL_TABLE);
    let mut users = init(&database);
    for name in ["alice", "bob"] {
        add(&mut users, name);
        add_group(&mut users, name, "staff");
    }
    users.lock(&["bob"]).unwrap();
    database
}

/// Why `init` refuses the database before a repair.
fn needs_repair(database: &Sqlite) -> String {
    match Users::init(database.location(), &NewFile::default()) {
        Err(Error::Store(StoreError::NeedsRepair { reason, .. })) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn rebuilt_table_keeps_groups_of_same_users() {
    for rebuild in REBUILDS {
        let database = with_groups();
        database.execute(rebuild);
        // A write of the app without triggers.
        let locked = "UPDATE users SET password_hash = '!' || replace(password_hash, '$', '|')
                      WHERE username = 'alice'";
        database.execute(locked);
        let refusal = open(&database).lock(&["alice"]);
        assert!(matches!(refusal, Err(Error::Store(StoreError::NeedsMigration { .. }))));
        let mut users = init(&database);
        for name in ["alice", "bob"] {
            assert_eq!(groups(&mut users, name), ["staff"], "{rebuild}");
        }
        users.remove(&["alice"], false).unwrap();
        add(&mut users, "alice");
        assert_eq!(groups(&mut users, "alice"), [""; 0], "{rebuild}");
    }
}

#[test]
fn users_with_other_hash_lose_groups_by_repair_only() {
    for rebuild in REBUILDS {
        let database = with_groups();
        database.execute(rebuild);
        database.execute(&format!(
            "UPDATE users SET password_hash = {} WHERE username = 'alice'",
            literal(&hash("another"))
        ));
        let reason = needs_repair(&database);
        assert!(reason.contains("1 user may") && reason.contains("'alice'"), "{reason}");
        assert_eq!(database.query("SELECT count(*) FROM user_groups"), ["2"]);
        let mut users = open(&database);
        let codes: Vec<_> = found(&mut users).into_iter().map(|(code, ..)| code).collect();
        assert!(codes.contains(&"changed_unseen"), "{codes:?}");
        users.repair().unwrap();
        assert_eq!(groups(&mut users, "alice"), [""; 0]);
        assert_eq!(groups(&mut users, "bob"), ["staff"]);
        init(&database);
    }
}

#[test]
fn empty_new_table_with_groups_left_is_rejected() {
    let database = with_groups();
    database.execute(&format!("DROP TABLE users; {TUTORIAL_TABLE}"));
    let reason = needs_repair(&database);
    assert!(reason.contains("empty") && reason.contains("`restore`"), "{reason}");
    let mut users = open(&database);
    users.repair().unwrap();
    add(&mut users, "alice");
    assert_eq!(groups(&mut users, "alice"), [""; 0]);
}

#[test]
fn fingerprint_copies_no_plaintext_password() {
    let database = with_groups();
    database.execute("UPDATE users SET password_hash = 'pa$$w0rd and more of it'");
    let fingerprints = "SELECT fingerprint FROM dash_users_times";
    assert_eq!(database.query(fingerprints), ["NULL", "NULL"]);
}

#[test]
fn dropped_table_passes_groups_to_no_one() {
    for drop in ["DROP TABLE users", "ALTER TABLE users RENAME TO people"] {
        let database = with_groups();
        database.execute(drop);
        let reason = needs_repair(&database);
        assert!(reason.contains("gone") && reason.contains("restore"), "{reason}");
        assert_eq!(database.query("SELECT group_name FROM user_groups"), ["staff"; 2], "{drop}");
        let mut users = open(&database);
        assert_eq!(found(&mut users)[0].0, "table_missing", "{drop}");
        users.repair().unwrap();
        add(&mut users, "alice");
        assert_eq!(groups(&mut users, "alice"), [""; 0], "{drop}");
    }
}

#[test]
fn dropped_table_without_groups_is_recreated() {
    let database = with_groups();
    database.execute("DROP TABLE users; DELETE FROM user_groups");
    let refusal = open(&database).check().unwrap_err().to_string();
    assert!(refusal.contains("no table 'users'"), "{refusal}");
    add(&mut init(&database), "alice");
}

#[test]
fn copied_index_does_not_mark_table_as_old() {
    const COPY: &str = "CREATE TABLE copy (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL,
             language TEXT NOT NULL);
         INSERT INTO copy SELECT * FROM users; DROP TABLE users; ALTER TABLE copy RENAME TO users;
         CREATE INDEX dash_users_username_nocase ON users (username COLLATE NOCASE)";
    // A value that is not a hash does not identify the user.
    let database = with_groups();
    database.execute("UPDATE users SET password_hash = 'plaintext' WHERE username = 'alice'");
    database.execute(COPY);
    database.execute("UPDATE users SET password_hash = 'other' WHERE username = 'alice'");
    needs_repair(&database);

    let database = with_groups();
    database.execute(COPY);
    database.execute("DELETE FROM users");
    needs_repair(&database);
}
