//! Triggers of the app on our changes.

use dash_users::{Error, OnConflict, Password, StoreError, Users};

use crate::database::{Database, Sqlite};
use crate::support::{
    GOOD, add, add_group, found, hash, import, init, names, new_user, options, rows, with_users,
};

/// A database with alice, and a trigger of the app before each change of `users`.
fn with_trigger(action: &str) -> (Sqlite, Users) {
    let database = Sqlite::new();
    let users = with_users(&database, &["alice"]);
    for event in ["INSERT", "UPDATE", "DELETE"] {
        let trigger = format!("CREATE TRIGGER before_{event} BEFORE {event} ON users");
        database.execute(&format!("{trigger} BEGIN {action}; END"));
    }
    (database, users)
}

type Change = fn(&mut Users) -> Result<(), Error>;

const CHANGES: [(&str, Change); 6] = [
    ("add", |users| users.add(&new_user("bob", GOOD))),
    ("set_password", |users| users.set_password("alice", &Password::from(GOOD), false)),
    ("set_language", |users| users.set_language("alice", &"fr".parse().unwrap()).map(drop)),
    ("rehash", |users| users.rehash("alice", &Password::from("secret"))),
    ("remove", |users| users.remove(&["alice"], false).map(drop)),
    ("remove if_exists", |users| users.remove(&["zoe", "alice"], true).map(drop)),
];

fn reasons(database: &Sqlite, users: &mut Users) -> Vec<String> {
    let before = rows(database);
    let reasons = CHANGES.map(|(name, change)| match change(users) {
        Err(Error::Store(StoreError::Refused { reason, .. })) => reason,
        other => panic!("{name}: {other:?}"),
    });
    assert_eq!(rows(database), before);
    reasons.into()
}

#[test]
fn app_trigger_error_is_shown() {
    for kind in ["ABORT", "FAIL", "ROLLBACK"] {
        let (database, mut users) = with_trigger(&format!("SELECT RAISE({kind}, 'not today')"));
        for reason in reasons(&database, &mut users) {
            assert_eq!(reason, "not today", "{kind}");
        }
        // The connection is usable as before.
        assert_eq!(users.list().unwrap().len(), 1);
    }
}

#[test]
fn app_trigger_message_is_escaped() {
    let (database, mut users) = with_trigger("SELECT RAISE(ABORT, 'no\u{1b}[31m\u{202e}\nno')");
    for reason in reasons(&database, &mut users) {
        assert_eq!(reason, "no\\u{1b}[31m\\u{202e}\\nno");
    }
}

#[test]
fn change_skipped_by_app_trigger_is_an_error() {
    let (database, mut users) = with_trigger("SELECT RAISE(IGNORE)");
    reasons(&database, &mut users);
}

#[test]
fn app_trigger_effects_are_rolled_back_with_change() {
    let database = Sqlite::with("CREATE TABLE log (line TEXT)");
    let mut users = with_users(&database, &["alice"]);
    database.execute(
        "CREATE TRIGGER removed AFTER DELETE ON users BEGIN INSERT INTO log VALUES ('x'); END",
    );
    assert!(users.remove(&["alice", "zoe"], false).is_err());
    assert!(database.query("SELECT line FROM log").is_empty());
    users.remove(&["alice"], false).unwrap();
    assert_eq!(database.query("SELECT line FROM log"), ["x"]);
}

#[test]
fn broken_app_trigger_is_not_a_rejection() {
    let (database, mut users) = with_trigger("INSERT INTO gone VALUES (1)");
    let before = rows(&database);
    for (name, change) in CHANGES {
        let result = change(&mut users);
        let Err(Error::Store(StoreError::Failed { reason, .. })) = result else {
            panic!("{name}: {result:?}");
        };
        assert!(reason.contains("no such table: main.gone"), "{reason}");
    }
    assert_eq!(rows(&database), before);
}

#[test]
fn fts_index_triggers_of_app_work() {
    let database = Sqlite::new();
    let mut users = init(&database);
    database.execute(
        "CREATE VIRTUAL TABLE found USING fts5(name);
         CREATE VIRTUAL TABLE places USING rtree(id, low, high);
         CREATE TRIGGER app_added AFTER INSERT ON users BEGIN
             INSERT INTO found (rowid, name) VALUES (NEW.rowid, json_extract('[\"x\"]', '$[0]'));
             INSERT INTO places VALUES (NEW.rowid, 1, 2);
         END",
    );
    add(&mut users, "alice");
    let count = "SELECT count(*) FROM found, places WHERE found.name = 'x' AND places.high = 2";
    assert_eq!(database.query(count), ["1"]);
}

#[test]
fn altered_triggers_stop_every_command() {
    let database = Sqlite::new();
    let mut users = with_users(&database, &["alice"]);
    database.execute(
        "DROP TRIGGER dash_users_removed;
         CREATE TRIGGER dash_users_removed AFTER DELETE ON users BEGIN SELECT 1; END",
    );
    let refusal = users.remove(&["alice"], false).unwrap_err().to_string();
    assert!(refusal.contains("'dash_users_removed' was altered"), "{refusal}");
    let mut users = init(&database);
    users.remove(&["alice"], false).unwrap();
    assert_eq!(database.query("SELECT * FROM dash_users_times"), [""; 0]);
}

#[test]
fn foreign_triggers_are_found_in_any_table_case() {
    let database = Sqlite::new();
    let mut users = init(&database);
    database.execute(
        "CREATE TRIGGER one AFTER UPDATE ON USERS BEGIN SELECT 1; END;
         CREATE TRIGGER two AFTER INSERT ON User_Groups BEGIN SELECT 1; END;
         CREATE TRIGGER three AFTER INSERT ON DASH_users_times BEGIN SELECT 1; END",
    );
    let foreign = found(&mut users).into_iter().filter(|found| found.0 == "foreign_trigger");
    assert_eq!(foreign.count(), 3);
}

#[test]
fn add_does_not_evict_other_users() {
    let database = Sqlite::with(
        "CREATE TABLE users (username TEXT PRIMARY KEY ON CONFLICT REPLACE, password_hash TEXT,
             language TEXT, email TEXT DEFAULT '' UNIQUE ON CONFLICT REPLACE)",
    );
    let mut users = with_users(&database, &["alice"]);
    let refusal = users.add(&new_user("bob", GOOD));
    assert!(matches!(refusal, Err(Error::Store(StoreError::Refused { .. }))), "{refusal:?}");
    let file = format!("username,password_hash\nzoe,{}\n", hash("x"));
    let refusal = import(&mut users, options(OnConflict::Fail), &file);
    assert!(matches!(refusal, Err(Error::Store(StoreError::Refused { .. }))), "{refusal:?}");
    assert_eq!(names(&database), ["alice"]);
}

#[test]
fn users_added_by_trigger_in_import_get_no_groups() {
    let database = Sqlite::with(
        "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT, language TEXT,
             email TEXT UNIQUE);
         CREATE TRIGGER service AFTER INSERT ON users WHEN NEW.username = 'fred' BEGIN
             INSERT INTO users VALUES ('svc-fred', 'x', 'en', NULL);
         END",
    );
    let mut users = with_users(&database, &["svc-fred"]);
    add_group(&mut users, "svc-fred", "admin");
    database.execute(
        "UPDATE users SET email = 'x'; INSERT OR REPLACE INTO users VALUES ('a', 'x', 'en', 'x')",
    );
    let file = format!("username,password_hash\nfred,{}\n", hash("x"));
    import(&mut users, options(OnConflict::Fail), &file).unwrap();
    assert_eq!(names(&database), ["a", "fred", "svc-fred"]);
    assert_eq!(database.query("SELECT * FROM user_groups"), [""; 0]);
    let unseen: Vec<_> =
        found(&mut users).into_iter().filter(|found| found.0.ends_with("unseen")).collect();
    assert_eq!(unseen, []);
}

#[test]
fn long_plaintext_password_is_not_copied() {
    let database = Sqlite::new();
    drop(init(&database));
    let password = "correct horse battery staple ".repeat(4);
    database.execute(&format!(
        "INSERT INTO users VALUES ('alice', '{password}', 'en'), ('bob', 'x', 'en');
         UPDATE users SET password_hash = '{password}!' WHERE username = 'bob'"
    ));
    assert_eq!(database.query("SELECT count(fingerprint) FROM dash_users_times"), ["0"]);
}
