//! Files that an app uses: everything in them that is not ours stays unchanged.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use dash_users::{Finding, NewFile, Password, StoredText, Users};
use rusqlite::Connection;

use crate::database::{Database, Sqlite};
use crate::support::{
    GOOD, TUTORIAL_TABLE, add, hash, init, insert, names, open, rows, with_users,
};

/// Objects that an app may have in addition to the tutorial's table.
const RICH: &str = "
    PRAGMA user_version = 42;
    PRAGMA application_id = 7;
    CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL,
        language TEXT NOT NULL, email TEXT DEFAULT 'none' NOT NULL,
        shout TEXT GENERATED ALWAYS AS (upper(username)) VIRTUAL);
    CREATE INDEX users_by_email ON users (email);
    CREATE UNIQUE INDEX users_by_shout ON users (shout, email);
    CREATE TABLE log (line TEXT);
    CREATE TRIGGER users_added AFTER INSERT ON users BEGIN
        INSERT INTO log VALUES ('added ' || NEW.username);
    END;
    CREATE TRIGGER users_removed AFTER DELETE ON users BEGIN
        INSERT INTO log VALUES ('removed ' || OLD.username);
    END;
    CREATE VIEW languages AS SELECT DISTINCT language FROM users;
    INSERT INTO users (username, password_hash, language, email)
        VALUES ('alice', 'secret123', 'en', 'alice@example.org');
";

/// Every object in the file that is not ours, as it was declared.
fn objects(database: &Sqlite) -> Vec<String> {
    database.query(
        "SELECT type || ' ' || name || ' ' || ifnull(sql, '') FROM sqlite_schema
         WHERE name NOT LIKE 'dash_users_%' AND name NOT IN ('user_groups', 'user_events')
         ORDER BY type, name",
    )
}

/// What an app may have set for the file.
fn settings(database: &Sqlite) -> Vec<String> {
    ["user_version", "application_id", "journal_mode", "page_size", "auto_vacuum", "encoding"]
        .map(|name| database.query(&format!("PRAGMA {name}")).remove(0))
        .into()
}

fn a_life(users: &mut Users) {
    add(users, "bob");
    users.set_password("alice", &Password::from(GOOD), false).unwrap();
    users.set_language("alice", &"fr".parse().unwrap()).unwrap();
    users.rehash("bob", &Password::from("secret")).unwrap();
    users.remove(&["bob"], false).unwrap();
}

#[test]
fn init_keeps_other_tables_unchanged() {
    let database = Sqlite::with(RICH);
    let before = (objects(&database), settings(&database));
    let row = database.query("SELECT username || password_hash || language || email FROM users");
    let mut users = init(&database);
    assert_eq!((objects(&database), settings(&database)), before);
    let select = "SELECT username || password_hash || language || email FROM users";
    assert_eq!(database.query(select), row);

    a_life(&mut users);
    assert_eq!((objects(&database), settings(&database)), before);
    assert_eq!(database.query("SELECT email FROM users"), ["alice@example.org"]);
    let log = database.query("SELECT line FROM log ORDER BY rowid");
    assert_eq!(log, ["added alice", "added bob", "removed bob"]);
}

#[test]
fn init_keeps_tutorial_table_unchanged() {
    let database = Sqlite::with(TUTORIAL_TABLE);
    insert(&database, "alice", "secret123");
    let before = (objects(&database), settings(&database), rows(&database));
    drop(init(&database));
    assert_eq!((objects(&database), settings(&database), rows(&database)), before);
}

#[test]
fn journal_mode_is_unchanged() {
    for mode in ["delete", "truncate", "persist", "wal"] {
        let database = Sqlite::with(&format!("PRAGMA journal_mode = {mode}; {RICH}"));
        let before = settings(&database);
        let mut users = init(&database);
        a_life(&mut users);
        drop(users);
        assert_eq!(settings(&database), before, "{mode}");
    }
    let database = Sqlite::new();
    drop(init(&database));
    assert_eq!(database.query("PRAGMA journal_mode"), ["delete"]);
}

#[test]
fn write_ahead_log_is_read_while_app_is_open() {
    let database = Sqlite::with(&format!("PRAGMA journal_mode = wal; {TUTORIAL_TABLE}"));
    drop(init(&database));
    let app = database.connect();
    app.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    app.execute_batch("INSERT INTO users VALUES ('alice', 'secret123', 'en')").unwrap();
    let mut users = Users::open_read_only(database.location()).unwrap();
    assert_eq!(users.list().unwrap().len(), 1);
    add(&mut open(&database), "bob");
    assert_eq!(users.list().unwrap().len(), 2);
}

#[test]
fn init_of_empty_file_keeps_mode() {
    let database = Sqlite::new();
    fs::write(database.path(), "").unwrap();
    fs::set_permissions(database.path(), fs::Permissions::from_mode(0o644)).unwrap();
    let done = Users::init(database.location(), &NewFile::default()).unwrap();
    assert!(!done.created && !done.adopted && !done.applied.is_empty());
    assert_eq!(fs::metadata(database.path()).unwrap().permissions().mode() & 0o777, 0o644);
    add(&mut open(&database), "alice");
}

#[test]
fn init_adopts_utf_16_database() {
    let database = Sqlite::with(&format!("PRAGMA encoding = 'UTF-16le'; {TUTORIAL_TABLE}"));
    let mut users = with_users(&database, &["z", "é", "李雷", "ﬁ", "a", "🙂", "Ā"]);
    users.set_password("🙂", &Password::from(GOOD), false).unwrap();
    // SQLite orders them by their bytes, which are not those of UTF-8.
    let mut listed: Vec<_> = users.list().unwrap().into_iter().map(|user| user.username).collect();
    listed.sort();
    let names = ["a", "z", "é", "Ā", "李雷", "ﬁ", "🙂"];
    assert_eq!(listed, names.map(|name| StoredText::Text(name.to_owned())));
    assert_eq!(database.query("PRAGMA encoding"), ["UTF-16le"]);
}

#[test]
fn attached_files_and_other_tables_are_unchanged() {
    let database = Sqlite::with(
        "CREATE TABLE members (username TEXT PRIMARY KEY, password_hash TEXT, language TEXT);
         INSERT INTO members VALUES ('alice', 'secret123', 'en');",
    );
    drop(with_users(&database, &["bob"]));
    assert_eq!(names(&database), ["bob"]);
    assert_eq!(database.query("SELECT password_hash FROM members"), ["secret123"]);
}

#[test]
fn older_schema_is_migrated_while_app_reads() {
    const FIRST: &str = include_str!("../../../src/store/sqlite/001_users.sql");
    let stamp = "CREATE TABLE dash_users_schema (version INTEGER NOT NULL);
                 INSERT INTO dash_users_schema VALUES (1);";
    for schema in [&format!("{FIRST} {stamp}"), TUTORIAL_TABLE] {
        let database = Sqlite::with(schema);
        let names: Vec<_> = (0..100).map(|number| format!("user{number:03}")).collect();
        for name in &names {
            insert(&database, name, &hash("secret"));
        }
        let before = rows(&database);
        let is_done = AtomicBool::new(false);
        let reads = thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut reads = 0;
                while !is_done.load(Ordering::Relaxed) || reads == 0 {
                    // A new connection each time, as in the tutorial's app, with Python's timeout.
                    let app = Connection::open(database.path()).unwrap();
                    app.busy_timeout(Duration::from_secs(5)).unwrap();
                    let select = "SELECT password_hash FROM users WHERE username = 'user050'";
                    app.query_row(select, [], |row| row.get::<_, String>(0)).unwrap();
                    reads += 1;
                }
                reads
            });
            let users = init(&database);
            is_done.store(true, Ordering::Relaxed);
            drop(users);
            reader.join().unwrap()
        });
        assert!(reads > 0);
        assert_eq!(rows(&database), before);
        let mut users = open(&database);
        assert!(users.schema().unwrap().pending.is_empty());
        // Their creation times are unknown, and none was added without an event.
        assert!(users.list().unwrap().iter().all(|user| user.created_at.is_none()));
        let unseen = |finding: &Finding| finding.problem.code().ends_with("unseen");
        assert!(!users.check().unwrap().iter().any(unseen));
        assert_eq!(users.history(None, None).unwrap(), []);
    }
}
