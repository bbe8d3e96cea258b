//! Files without users: rejected and unchanged.

use std::fs;

use dash_users::{Error, NewFile, StoreError, Users};

use crate::database::{Database, Sqlite};
use crate::migrations::UNSUPPORTED;
use crate::support::{OPERATIONS, TUTORIAL_TABLE, add, init, with_users};

/// Asserts that `init` and every operation reject the file, and returns the reason.
fn refusal(database: &Sqlite) -> String {
    let before = database.bytes();
    let refusal = Users::init(database.location(), &NewFile::default()).map(drop);
    let mut results = vec![("init", refusal)];
    match Users::open(database.location()) {
        Ok(mut users) => results
            .extend(OPERATIONS.iter().map(|(name, operation)| (*name, operation(&mut users)))),
        Err(error) => results.push(("open", Err(error))),
    }
    let mut reasons: Vec<_> = results
        .into_iter()
        .map(|(name, result)| match result {
            Err(Error::Store(
                StoreError::NotADatabase { reason, .. }
                | StoreError::UnsupportedTable { reason, .. },
            )) => reason,
            other => panic!("{name}: {other:?}"),
        })
        .collect();
    assert!(database.bytes() == before, "the file was changed");
    reasons.dedup();
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    reasons.remove(0)
}

#[test]
fn init_rejects_unsupported_tables() {
    let own = [
        (
            "CREATE TABLE people (username TEXT PRIMARY KEY, password_hash TEXT, language TEXT);
             CREATE VIEW users AS SELECT * FROM people",
            "view",
        ),
        (
            "CREATE TABLE Users (id INTEGER PRIMARY KEY, username UNIQUE, password, language)",
            "'password_hash'",
        ),
        (
            "CREATE TABLE users (name TEXT UNIQUE, password_hash TEXT, language TEXT,
                 username TEXT UNIQUE GENERATED ALWAYS AS (lower(name)) STORED)",
            "generated",
        ),
        (
            "CREATE TABLE users (username TEXT, password_hash TEXT, language TEXT);
             CREATE INDEX by_name ON users (username)",
            "unique",
        ),
        ("CREATE VIRTUAL TABLE users USING fts5 (username, password_hash, language)", "unique"),
    ];
    let tables = UNSUPPORTED.map(|(rest, part)| (format!("CREATE TABLE users {rest}"), part));
    for (sql, part) in own.map(|(sql, part)| (sql.to_owned(), part)).into_iter().chain(tables) {
        let reason = refusal(&Sqlite::with(&sql));
        assert!(reason.contains(part), "{sql}: {reason}");
    }
}

#[test]
fn unreadable_version_is_rejected() {
    for (sql, part) in [
        ("INSERT INTO dash_users_schema VALUES (1)", "exactly one"),
        ("INSERT INTO dash_users_schema VALUES (99)", "exactly one"),
        ("UPDATE dash_users_schema SET version = 'one'", "exactly one"),
        ("UPDATE dash_users_schema SET version = 1.5", "exactly one"),
        ("UPDATE dash_users_schema SET version = x'01'", "exactly one"),
        ("UPDATE dash_users_schema SET version = -1", "negative"),
    ] {
        let database = Sqlite::new();
        add(&mut init(&database), "alice");
        database.execute(sql);
        let reason = refusal(&database);
        assert!(reason.contains("dash_users_schema") && reason.contains(part), "{sql}: {reason}");
    }
}

#[test]
fn other_or_truncated_file_is_rejected() {
    let database = Sqlite::with(TUTORIAL_TABLE);
    database.execute("CREATE TABLE dash_users_schema (applied_at TEXT)");
    refusal(&database);

    let database = Sqlite::new();
    drop(with_users(&database, &["alice"]));
    let whole = database.bytes();
    let random = (0_u32..8192).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let others = ["hello\n".into(), "username,password\n".repeat(99).into_bytes(), random];
    let truncated = [50, 100, 1000, 4095].map(|length| whole[..length].to_vec());
    for content in others.into_iter().chain(truncated) {
        fs::write(database.path(), content).unwrap();
        refusal(&database);
    }
}

#[test]
fn damaged_page_is_rejected_when_read() {
    let database = Sqlite::new();
    add(&mut init(&database), "alice");
    let page = database.query("SELECT rootpage FROM sqlite_schema WHERE name = 'users'").remove(0);
    let page: usize = page.parse().unwrap();
    let mut bytes = database.bytes();
    bytes[(page - 1) * 4096..page * 4096].fill(0xa5);
    fs::write(database.path(), bytes).unwrap();
    let result = Users::open(database.location()).unwrap().list();
    let Err(Error::Store(StoreError::NotADatabase { reason, .. })) = result else {
        panic!("{result:?}");
    };
    assert!(reason.contains("malformed"), "{reason}");
}

#[test]
fn users_row_in_damaged_schema_is_not_shown() {
    let database = Sqlite::new();
    init(&database);
    // As if a damaged page of the schema led to a page of the table.
    database.execute(
        "PRAGMA writable_schema = ON;
         INSERT INTO sqlite_schema (type, name, tbl_name)
         VALUES ('alice', 'pbkdf2:sha1:1$hunter2$00', 'en')",
    );
    let reason = refusal(&database);
    assert!(reason.contains("malformed database schema"), "{reason}");
    assert!(!reason.contains("hunter2"), "{reason}");
}
