//! Locks held by an app: which operations wait for them, and how long.

use std::num::NonZeroUsize;
use std::thread;
use std::time::{Duration, Instant};

use dash_users::store::{self, Access, CommitHooks};
use dash_users::{Error, ImportOptions, NewFile, Password, StoreError, Users};
use rusqlite::Connection;

use crate::database::{Database, Sqlite};
use crate::support::{GOOD, TUTORIAL_TABLE, add, init, names, new_user, open, read, rows};

/// A database with alice.
fn with_alice() -> Sqlite {
    let database = Sqlite::new();
    add(&mut init(&database), "alice");
    database
}

/// An app that holds a lock until it is dropped.
fn holding(database: &Sqlite, sql: &str) -> Connection {
    let app = database.connect();
    app.execute_batch(sql).unwrap();
    app
}

/// SHARED: a reader in the middle of its transaction, which keeps writers from committing.
const READING: &str = "BEGIN; SELECT count(*) FROM users;";

/// RESERVED: a writer that has not begun to write to the file.
const WRITING: &str = "BEGIN IMMEDIATE; UPDATE users SET language = 'fr';";

/// EXCLUSIVE: a writer in the middle of its commit.
const COMMITTING: &str = "BEGIN EXCLUSIVE; UPDATE users SET language = 'fr';";

fn is_busy<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Store(StoreError::Busy { .. })))
}

/// The time that a case takes.
fn time(case: fn()) -> Duration {
    let start = Instant::now();
    case();
    start.elapsed()
}

fn app_commit_blocks_opening() {
    let database = with_alice();
    let app = holding(&database, COMMITTING);
    assert!(is_busy(&Users::open_read_only(database.location())));
    drop(app);
    assert_eq!(open(&database).list().unwrap().len(), 1);
}

fn app_commit_blocks_reader() {
    let database = with_alice();
    let mut users = open(&database);
    let app = holding(&database, COMMITTING);
    assert!(is_busy(&users.log_in("alice", &Password::from("secret"))));
    drop(app);
    assert!(users.get("alice").unwrap().is_some());
}

fn writer_waits_for_writer() {
    let database = with_alice();
    let mut users = open(&database);
    let app = holding(&database, WRITING);
    assert!(is_busy(&users.add(&new_user("bob", GOOD))));
    drop(app);
    assert_eq!(names(&database), ["alice"]);
    add(&mut users, "bob");
}

fn commit_waits_for_reader() {
    let database = with_alice();
    let before = rows(&database);
    let mut users = open(&database);
    let app = holding(&database, READING);
    assert!(is_busy(&users.set_password("alice", &Password::from(GOOD), false)));
    drop(app);
    assert_eq!(rows(&database), before);
    users.set_password("alice", &Password::from(GOOD), false).unwrap();
}

fn migration_waits_for_reader_and_changes_nothing() {
    let database = Sqlite::with(TUTORIAL_TABLE);
    let before = database.query("SELECT sql FROM sqlite_schema");
    let app = holding(&database, READING);
    assert!(is_busy(&Users::init(database.location(), &NewFile::default())));
    drop(app);
    assert_eq!(database.query("SELECT sql FROM sqlite_schema"), before);
    add(&mut init(&database), "alice");
}

/// One test for all of these, so that their waits happen at the same time.
#[test]
fn locked_for_ten_seconds_is_busy_and_unchanged() {
    let cases = [
        app_commit_blocks_opening,
        app_commit_blocks_reader,
        writer_waits_for_writer,
        commit_waits_for_reader,
        migration_waits_for_reader_and_changes_nothing,
    ];
    thread::scope(|scope| {
        let started = cases.map(|case| scope.spawn(move || time(case)));
        for thread in started {
            let elapsed = thread.join().unwrap();
            assert!((9..20).contains(&elapsed.as_secs()), "{elapsed:?}");
        }
    });
}

/// Changes whose commit waits for readers.
type Change = fn(&Sqlite) -> Result<(), Error>;

const CHANGES: [Change; 4] = [
    |database| open(database).set_password("alice", &Password::from(GOOD), false),
    |database| {
        let mut import = read(ImportOptions::default(), &format!("username,password\nbob,{GOOD}"));
        import.end()?;
        import.look_up(Some(&mut open(database)))?;
        import.hash(NonZeroUsize::MIN, &|| ());
        let (mut attempts, mut users) = (0, open(database));
        let saved = import.save(Some(&mut users), "import", |_| {
            attempts += 1;
            Ok::<_, Error>(())
        });
        assert!(attempts > 1);
        assert_eq!(names(database), ["alice", "bob"]);
        saved.map(drop)
    },
    |database| open(database).repair().map(drop),
    |database| {
        let backup = database.dir().join("backup.db");
        open(database).backup(&backup, false)?;
        Ok(Users::prepare_restore(database.location(), &backup, None)?.apply()?)
    },
];

#[test]
fn waiting_commit_admits_other_readers() {
    const READING_FOR: Duration = Duration::from_secs(7);

    thread::scope(|scope| {
        for change in CHANGES {
            scope.spawn(move || {
                let database = with_alice();
                let slow = holding(&database, READING);
                thread::scope(|scope| {
                    let changing = scope.spawn(|| change(&database));
                    let start = Instant::now();
                    while start.elapsed() < READING_FOR {
                        let app = database.connect();
                        app.busy_timeout(Duration::from_secs(5)).unwrap();
                        let select = "SELECT username FROM users WHERE username = 'alice'";
                        app.query_row(select, [], |_| Ok(())).expect("never refused");
                        drop(app);
                        thread::sleep(Duration::from_millis(20));
                    }
                    drop(slow);
                    changing.join().unwrap().expect("done after the reader");
                });
            });
        }
    });
}

#[test]
fn lock_released_in_time_is_waited_for() {
    let database = with_alice();
    let mut users = open(&database);
    let app = holding(&database, COMMITTING);
    thread::scope(|scope| {
        scope.spawn(move || {
            thread::sleep(Duration::from_millis(300));
            app.execute_batch("COMMIT").unwrap();
        });
        users.set_password("alice", &Password::from(GOOD), false).unwrap();
    });
    // The change was made to what the app had committed.
    assert_eq!(database.query("SELECT language FROM users"), ["fr"]);
}

#[test]
fn uncommitted_writer_blocks_no_reader() {
    let database = with_alice();
    let _app = holding(&database, WRITING);
    let start = Instant::now();
    let mut users = Users::open_read_only(database.location()).unwrap();
    let alice = users.get("alice").unwrap().unwrap();
    assert_eq!(alice.language.to_string(), "en");
    assert_eq!(users.list().unwrap().len(), 1);
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn our_transaction_blocks_no_reader_before_commit() {
    let database = with_alice();
    let mut store = store::open(database.location(), Access::Write).unwrap();
    let mut transaction = store.begin(Access::Write).unwrap();
    transaction.set_language(b"alice", &"fr".parse().unwrap()).unwrap();
    assert_eq!(database.query("SELECT language FROM users"), ["en"]);
    transaction.commit(CommitHooks::default()).unwrap();
    assert_eq!(database.query("SELECT language FROM users"), ["fr"]);
}

#[test]
fn dropped_transaction_is_rolled_back() {
    let database = with_alice();
    let mut store = store::open(database.location(), Access::Write).unwrap();
    let mut transaction = store.begin(Access::Write).unwrap();
    transaction.delete(b"alice").unwrap();
    drop(transaction);
    assert_eq!(names(&database), ["alice"]);
}
