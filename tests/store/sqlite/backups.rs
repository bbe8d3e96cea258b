//! Backup and restore of a file in use.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use dash_users::{Error, Location, StoreError, Users};
use rusqlite::Connection;

use crate::database::{Database, Sqlite};
use crate::support::{add, init, names, open, rows, with_users};

/// The result of SQLite's integrity check.
fn integrity(database: &Connection) -> String {
    database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
}

/// The language of all 50 users in an undamaged file.
fn one_language(file: &Path) -> String {
    let backup = Connection::open(file).unwrap();
    assert_eq!(integrity(&backup), "ok");
    let count = "SELECT count(*), count(DISTINCT language), max(language) FROM users";
    let (all, languages, language): (i64, i64, _) =
        backup.query_row(count, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    assert_eq!((all, languages), (50, 1));
    language
}

fn restore(database: &Sqlite, file: &Path) -> Result<(), Error> {
    Ok(Users::prepare_restore(database.location(), file, Some("carol"))?.apply()?)
}

#[test]
fn backup_is_consistent_during_writes() {
    const ROUNDS: usize = 30;

    for journal in ["DELETE", "WAL"] {
        let database = Sqlite::new();
        let mut users = init(&database);
        for number in 0..50 {
            add(&mut users, &format!("user{number:02}"));
        }
        database.execute(&format!("PRAGMA journal_mode = {journal}"));
        let is_done = AtomicBool::new(false);
        let backups: Vec<_> = thread::scope(|scope| {
            // An app gives all users the same language, another one each time.
            scope.spawn(|| {
                let app = Connection::open(database.path()).unwrap();
                app.busy_timeout(Duration::from_secs(10)).unwrap();
                for count in 0.. {
                    app.execute("UPDATE users SET language = ?", [format!("x-{count}")]).unwrap();
                    if is_done.load(Ordering::Relaxed) {
                        break;
                    }
                    // Without a pause, no one else would get a lock.
                    thread::sleep(Duration::from_millis(2));
                }
            });
            let backup = |round| {
                let file = database.dir().join(format!("backup-{round}.db"));
                users.backup(&file, false).map(|()| file)
            };
            let backups = (0..ROUNDS).map(backup).collect();
            is_done.store(true, Ordering::Relaxed);
            backups
        });
        let language = |file: Result<PathBuf, Error>| one_language(&file.unwrap());
        let versions: Vec<_> = backups.into_iter().map(language).collect();
        // The app wrote meanwhile.
        assert!(versions.first() != versions.last(), "{journal}");
    }
}

#[test]
fn backup_has_mode_0600_and_no_log() {
    let database = Sqlite::new();
    let mut users = with_users(&database, &["alice"]);
    database.execute("PRAGMA journal_mode = WAL");
    let file = database.dir().join("backup.db");
    users.backup(&file, false).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
    assert!(!database.dir().join("backup.db-wal").exists());
    let journal: String = Connection::open(&file)
        .unwrap()
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(journal, "delete");
    let again = users.backup(&file, false);
    assert!(matches!(again, Err(Error::Store(StoreError::FileExists { .. }))), "{again:?}");
    users.backup(&file, true).unwrap();
    // A killed backup leaves an empty file.
    let empty = database.dir().join("empty.db");
    fs::write(&empty, "").unwrap();
    users.backup(&empty, false).unwrap();
    let itself = users.backup(database.path(), true);
    assert!(matches!(itself, Err(Error::Store(StoreError::SameFile { .. }))), "{itself:?}");
}

#[test]
fn restore_writes_same_file_in_place() {
    for journal in ["DELETE", "WAL"] {
        let database = Sqlite::new();
        let mut users = with_users(&database, &["alice"]);
        database.execute("CREATE TABLE notes AS SELECT 'then' AS text");
        let file = database.dir().join("backup.db");
        users.backup(&file, false).unwrap();
        let before = rows(&database);
        database.execute(&format!("PRAGMA journal_mode = {journal}"));
        add(&mut users, "bob");
        users.remove(&["alice"], false).unwrap();
        database.execute("UPDATE notes SET text = 'now'");

        // An app that has the file open sees the change.
        let app = database.connect();
        let count = || {
            app.query_row("SELECT count(*) FROM notes WHERE text = 'then'", [], |row| row.get(0))
        };
        assert_eq!(count(), Ok(0));
        restore(&database, &file).unwrap();
        assert_eq!(count(), Ok(1), "{journal}");
        assert_eq!(rows(&database), before);
        assert_eq!(integrity(&app), "ok");
        let newest = open(&database).history(None, Some(1)).unwrap().remove(0);
        assert_eq!(
            (newest.actor.to_string(), newest.action.to_string()),
            ("carol".to_owned(), "restore".to_owned())
        );
    }
}

#[test]
fn restore_of_damaged_backup_changes_nothing() {
    let database = Sqlite::new();
    let mut users = init(&database);
    for number in 0..200 {
        add(&mut users, &format!("user{number:03}"));
    }
    let file = database.dir().join("backup.db");
    users.backup(&file, false).unwrap();
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 2048].fill(0xa5);
    fs::write(&file, bytes).unwrap();
    let before = database.bytes();
    let restored = restore(&database, &file);
    assert!(matches!(restored, Err(Error::Store(StoreError::NotADatabase { .. }))));
    assert_eq!(database.bytes(), before);
}

#[test]
fn restore_replaces_damaged_database() {
    let database = Sqlite::new();
    let mut users = with_users(&database, &["alice"]);
    let file = database.dir().join("backup.db");
    users.backup(&file, false).unwrap();
    drop(users);
    let mut bytes = database.bytes();
    bytes[4096..].fill(0xa5);
    fs::write(database.path(), bytes).unwrap();
    restore(&database, &file).unwrap();
    assert_eq!(names(&database), ["alice"]);
}

#[test]
fn restore_migrates_backup_of_tutorial_table() {
    let database = Sqlite::new();
    drop(init(&database));
    let old = Sqlite::with(crate::support::TUTORIAL_TABLE);
    old.execute("INSERT INTO users VALUES ('yan', 'x', 'en'), ('zoe', 'x', 'en')");
    let before = old.bytes();
    let restoration = Users::prepare_restore(database.location(), old.path(), None).unwrap();
    assert_eq!(restoration.users(), 2);
    restoration.apply().unwrap();
    assert_eq!(names(&database), ["yan", "zoe"]);
    assert!(open(&database).schema().unwrap().pending.is_empty());
    assert_eq!(old.bytes(), before);
    let missing = Location::parse(database.dir().join("missing.db")).unwrap();
    assert!(Users::prepare_restore(&missing, old.path(), None).is_err());
}

#[test]
fn backup_path_is_not_read_as_a_uri() {
    const CHILD: &str = "DASH_USERS_TEST_URI";

    // The path must be relative, and other tests share the current directory.
    if let Some(directory) = std::env::var_os(CHILD) {
        std::env::set_current_dir(&directory).unwrap();
        let location = Location::Sqlite("users.db".into());
        let mut users = Users::init(&location, &dash_users::NewFile::default())
            .and_then(|_| Users::open(&location))
            .unwrap();
        fs::write("x.db", "").unwrap();
        users.backup(Path::new("file:x.db"), false).unwrap();
        assert_eq!(fs::read("x.db").unwrap(), b"");
        assert!(fs::metadata("file:x.db").unwrap().len() > 0);
        // The path of a database is not either.
        fs::remove_file("x.db").unwrap();
        Users::open(&Location::Sqlite("file:x.db".into())).unwrap();
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let test = "backup_path_is_not_read_as_a_uri";
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([test])
        .env(CHILD, directory.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn restore_changes_page_size_except_with_log() {
    for journal in ["DELETE", "WAL"] {
        let database =
            Sqlite::with(&format!("PRAGMA page_size = 1024; PRAGMA journal_mode = {journal}"));
        drop(init(&database));
        let other = Sqlite::with("PRAGMA page_size = 8192; CREATE TABLE notes (note)");
        let mut users = init(&other);
        add(&mut users, "alice");
        let backup = other.dir().join("backup.db");
        users.backup(&backup, false).unwrap();
        let restore = || -> Result<(), Error> {
            Ok(Users::prepare_restore(database.location(), &backup, None)?.apply()?)
        };
        if journal == "WAL" {
            let refusal = restore().unwrap_err().to_string();
            assert!(refusal.contains("1024") && refusal.contains("8192"), "{refusal}");
            assert_eq!(names(&database), [""; 0]);
            database.query("PRAGMA journal_mode = DELETE");
        }
        restore().unwrap();
        assert_eq!(names(&database), ["alice"]);
    }
}
