//! Killed writers: the journal that they leave is rolled back.

use std::fs;
use std::path::{Path, PathBuf};

use dash_users::store::{self, Access, CommitHooks};
use dash_users::{NewFile, StoredText, Users};

use crate::database::{Database, Sqlite};
use crate::support::{TUTORIAL_TABLE, init, insert, names, open, rows};

/// The SQL of a migration of ours.
const MIGRATION: &str = include_str!("../../../src/store/sqlite/001_users.sql");

/// A change of every row.
pub(super) const UPDATE: &str =
    "UPDATE users SET password_hash = replace(password_hash, 'before', 'middle')";

const USERS: usize = 200;

/// A database with many users.
pub(super) fn filled() -> Sqlite {
    let database = Sqlite::new();
    drop(init(&database));
    fill(&database);
    database
}

fn fill(database: &Sqlite) {
    let mut connection = database.connect();
    let transaction = connection.transaction().unwrap();
    for index in 0..USERS {
        let value = format!("before {}", "x".repeat(200));
        let insert = "INSERT INTO users VALUES (?, ?, 'en')";
        transaction.execute(insert, (format!("user{index:03}"), value)).unwrap();
    }
    transaction.commit().unwrap();
}

fn journal(path: &Path) -> PathBuf {
    path.with_extension("db-journal")
}

/// A copy of the files after a writer was killed after `sql`: a partly written database, and the
/// journal that undoes it.
pub(super) fn killed_after(database: &Sqlite, sql: &str) -> Sqlite {
    let writer = database.connect();
    // With room for one page, nearly every change goes to the file at once.
    writer.execute_batch("PRAGMA cache_size = 1; PRAGMA cache_spill = 1").unwrap();
    writer.execute_batch("PRAGMA synchronous = FULL; BEGIN IMMEDIATE").unwrap();
    writer.execute_batch(sql).unwrap();
    let before = Sqlite::new();
    fs::copy(database.path(), before.path()).unwrap();
    fs::copy(journal(database.path()), journal(before.path())).unwrap();
    before
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn reader_rolls_back_killed_writer() {
    let database = filled();
    let expected = rows(&database);
    let killed = killed_after(&database, UPDATE);
    assert!(contains(&killed.bytes(), "middle"), "nothing of the transaction is in the file");

    let mut users = Users::open_read_only(killed.location()).unwrap();
    assert_eq!(users.list().unwrap().len(), USERS);
    assert!(!contains(&killed.bytes(), "middle"));
    assert!(!journal(killed.path()).exists());
    assert_eq!(rows(&killed), expected);
}

#[test]
fn open_reader_rolls_back_killed_writer() {
    let database = filled();
    let killed = killed_after(&database, UPDATE);
    let (broken, broken_journal) = (killed.bytes(), fs::read(journal(killed.path())).unwrap());

    let mut users = Users::open_read_only(killed.location()).unwrap();
    assert_eq!(users.list().unwrap().len(), USERS);
    fs::write(killed.path(), broken).unwrap();
    fs::write(journal(killed.path()), broken_journal).unwrap();
    assert_eq!(users.list().unwrap().len(), USERS);
    assert!(!contains(&killed.bytes(), "middle"));
}

#[test]
fn writer_rolls_back_killed_writer() {
    let database = filled();
    let killed = killed_after(&database, UPDATE);
    assert_eq!(open(&killed).remove(&["user000"], false).unwrap(), [true]);
    assert!(!contains(&killed.bytes(), "middle"));
    assert_eq!(rows(&killed).len(), USERS - 1);
}

#[test]
fn killed_migration_is_rolled_back_and_repeated() {
    let database = Sqlite::with(TUTORIAL_TABLE);
    fill(&database);
    let expected = rows(&database);
    // What the migration made is followed by enough to drive it out of the cache.
    let killed = killed_after(&database, &format!("{MIGRATION} {UPDATE}"));
    assert!(contains(&killed.bytes(), "middle"), "nothing of the transaction is in the file");

    let done = Users::init(killed.location(), &NewFile::default()).unwrap();
    assert!(done.adopted && !done.applied.is_empty());
    assert_eq!(rows(&killed), expected);
    assert_eq!(killed.query("PRAGMA integrity_check"), ["ok"]);
    assert_eq!(killed.query("SELECT count(*) FROM dash_users_schema"), ["1"]);
}

#[test]
fn uncommitted_migration_changes_nothing() {
    let database = Sqlite::with(TUTORIAL_TABLE);
    insert(&database, "alice", "secret123");
    let before = database.bytes();
    let connection = database.connect();
    connection.execute_batch(&format!("BEGIN IMMEDIATE; {MIGRATION}")).unwrap();
    drop(connection);
    assert!(database.bytes() == before);
    assert!(!Users::init(database.location(), &NewFile::default()).unwrap().applied.is_empty());
    assert_eq!(names(&database), ["alice"]);
}

#[test]
fn unfinished_transaction_is_not_in_file() {
    let database = filled();
    // Far more than the cache would hold.
    database.execute(&format!(
        "UPDATE users SET password_hash = '{}' || username",
        "x".repeat(100_000)
    ));
    let before = database.bytes();
    let mut store = store::open(database.location(), Access::Write).unwrap();
    let mut transaction = store.begin(Access::Write).unwrap();
    let mut names = Vec::new();
    transaction.rows(&mut |row| names.push(row.username)).unwrap();
    for name in &names {
        let StoredText::Text(name) = name else { panic!("{name:?}") };
        transaction.delete(name.as_bytes()).unwrap();
    }
    assert!(database.bytes() == before);
    transaction.commit(CommitHooks::default()).unwrap();
    assert!(rows(&database).is_empty());
}
