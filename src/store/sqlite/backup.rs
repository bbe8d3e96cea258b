//! Backup and restore of a whole file, with SQLite's online backup.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::error::sql_error;
use super::file::{COMMIT_TIMEOUT, sync_directory};
use super::limit::{self, Work};
use super::schema;
use super::{Sqlite, history, schema_text, with_suspects};
use crate::escape::Escaped;
use crate::files::{self, FileError, WriteOptions};
use crate::store::{Access, Cause, Location, RETRY_PAUSE, StoreError, lock_timeout};

/// Flags to open an existing file.
const READ_WRITE: OpenFlags =
    OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// Writes a copy of the database to `file` that an app can open. The copy has no write-ahead log,
/// even if the database has one.
pub(super) fn backup(store: &mut Sqlite, file: &Path, overwrite: bool) -> Result<(), StoreError> {
    let Sqlite { connection, location, .. } = store;
    let transaction = connection.transaction().map_err(sql_error(location))?;
    let schema = schema::inspect(&transaction, location)?;
    schema.require_latest(location)?;
    let options = WriteOptions::private("backup").overwrite(overwrite);
    let target = files::check(file, &options)?;
    refuse_same(location, &target)?;
    settle(&target)?;
    files::write(file, &options, |_, unfinished| write(&transaction, unfinished, target))?;
    Ok(())
}

/// Ensures that there is no journal or log that SQLite would apply to a new file named `target`,
/// and that an existing file is a database or empty.
fn settle(target: &Path) -> Result<(), StoreError> {
    let location = Location::Sqlite(target.to_owned());
    let fail = sql_error(&location);
    let beside = |suffix| {
        let mut beside = target.as_os_str().to_owned();
        beside.push(suffix);
        PathBuf::from(beside)
    };
    let refuse_beside = |is_refused: fn(&fs::Metadata) -> bool| {
        for beside in ["-journal", "-wal"].map(beside) {
            if fs::symlink_metadata(&beside).is_ok_and(|found| is_refused(&found)) {
                let reason = format!("SQLite would apply {} to it", beside.display());
                return Err(StoreError::CannotWrite { path: target.to_owned(), reason });
            }
        }
        Ok(())
    };
    match fs::symlink_metadata(target) {
        Ok(older) if files::is_own(&older) => {
            refuse_beside(|found| !found.is_file() || !files::is_own(found))?;
            // Rolls back the journal of a killed program, and fails if the file is not a database
            // or in use.
            let older = Connection::open_with_flags(target, READ_WRITE).map_err(&fail)?;
            older.busy_timeout(lock_timeout()).map_err(&fail)?;
            without_log(&older).map_err(&fail)?;
            older.query_row("PRAGMA page_count", [], |_| Ok(())).map_err(&fail)?;
        }
        // SQLite might write to another user's file.
        Ok(older) if older.len() > 0 => {
            let is_database = files::begins_with(target, b"SQLite format 3\0");
            if !is_database.map_err(|error| FileError::failed(target, error))? {
                let reason = "file is not a database".to_owned();
                return Err(StoreError::NotADatabase { location: location.clone(), reason });
            }
        }
        _ => {}
    }
    refuse_beside(|_| true)
}

fn write(database: &Connection, file: &Path, target: PathBuf) -> Result<(), StoreError> {
    let location = Location::Sqlite(target);
    let fail = sql_error(&location);
    let mut copy = Connection::open_with_flags(file, READ_WRITE).map_err(&fail)?;
    // A failed copy is removed, so it needs no journal on disk.
    copy.query_row("PRAGMA journal_mode = MEMORY", [], |_| Ok(())).map_err(&fail)?;
    copy_all(database, &mut copy, &location)?;
    without_log(&copy).map_err(&fail)?;
    copy.close().map_err(|(_, error)| fail(error))
}

/// Sets the journal mode of a file to a rollback journal, SQLite's default.
fn without_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))
}

/// Copies all pages in one step, so the copy is consistent and writers do not restart it.
fn copy_all(from: &Connection, to: &mut Connection, location: &Location) -> Result<(), StoreError> {
    let fail = sql_error(location);
    match Backup::new(from, to).and_then(|backup| backup.step(-1)).map_err(&fail)? {
        StepResult::Done => {
            sync_directory(to);
            Ok(())
        }
        _ => Err(StoreError::Busy { location: location.clone(), holder: None }),
    }
}

fn refuse_same(database: &Location, file: &Path) -> Result<(), StoreError> {
    if database.is_file(file) {
        return Err(StoreError::SameFile { path: file.to_owned() });
    }
    Ok(())
}

/// A checked backup, ready to be [restored](crate::Users::prepare_restore).
pub struct Restore {
    /// A migrated copy, in a file that SQLite has already unlinked.
    copy: Connection,
    database: Sqlite,
    users: u64,
}

/// See [`prepare_restore`](crate::store::prepare_restore). Triggers of the backup run, in a copy.
pub(in super::super) fn prepare_restore(
    path: &Path,
    file: &Path,
    cause: &Cause<'_>,
) -> Result<Restore, StoreError> {
    let _work = Work::on_file(file);
    let database = Sqlite::open_unread(path, Access::Write)?;
    refuse_same(&database.location, file)?;
    let Sqlite { mut connection, location, .. } =
        Sqlite::open(&files::absolute(file), Access::Read)?;
    let fail = sql_error(&location);
    let unsupported = |reason| StoreError::NotADatabase { location: location.clone(), reason };
    let backup = connection.transaction().map_err(&fail)?;
    // Constraints of the app are the app's concern, and may take any time.
    backup.pragma_update(None, "ignore_check_constraints", true).map_err(&fail)?;
    let integrity = backup
        .query_row("PRAGMA integrity_check(1)", [], |row| schema_text(row, 0))
        .map_err(&fail)?;
    if integrity != "ok" {
        return Err(unsupported(format!("it is damaged: {}", Escaped(&integrity))));
    }
    let schema = schema::inspect(&backup, &location)?;
    if !schema.has_users_table {
        return Err(unsupported("it has no table 'users'".to_owned()));
    }

    refuse_page_size(&database, &backup)?;
    let mut copy = Connection::open("").map_err(&fail)?;
    limit::watch(&mut copy).map_err(&fail)?;
    copy_all(&backup, &mut copy, &location)?;
    let stage = || {
        let transaction = copy.unchecked_transaction()?;
        if !schema.pending.is_empty() {
            schema::apply(&transaction, &schema)?;
        }
        history::end_change(&transaction)?;
        history::write(&transaction, cause)?;
        let count = "SELECT count(*) FROM users";
        let users: i64 = transaction.query_row(count, [], |row| row.get(0))?;
        transaction.commit()?;
        Ok(u64::try_from(users).unwrap_or_default())
    };
    let users = stage().map_err(|error| with_suspects(&copy, fail(error)))?;
    Ok(Restore { copy, database, users })
}

/// Rejects a backup with another page size than a database with a write-ahead log: SQLite cannot
/// change the page size of such a database.
fn refuse_page_size(database: &Sqlite, backup: &Connection) -> Result<(), StoreError> {
    let Sqlite { connection, location, .. } = database;
    // A damaged database is replaced in any case.
    let journal = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0));
    if journal.unwrap_or_else(|_| String::new()) != "wal" {
        return Ok(());
    }
    let size = |of: &Connection| {
        let size: rusqlite::Result<u32> = of.query_row("PRAGMA page_size", [], |row| row.get(0));
        size.map_err(sql_error(location))
    };
    let (ours, theirs) = (size(connection)?, size(backup)?);
    if ours == theirs {
        return Ok(());
    }
    let reason = format!(
        "its page size is {ours} bytes, the backup's is {theirs}, and it uses a write-ahead log: \
         stop the app, run `PRAGMA journal_mode = DELETE` in it, and restore again"
    );
    Err(StoreError::Failed { location: location.clone(), reason })
}

impl Restore {
    /// The number of users in the backup.
    #[must_use]
    pub fn users(&self) -> u64 {
        self.users
    }

    /// Writes the backup into the database in place, completely or not at all. Apps that have it
    /// open continue to work.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] among others; nothing is changed then.
    pub fn apply(self) -> Result<(), StoreError> {
        let Self { copy, mut database, .. } = self;
        let fail = sql_error(&database.location);
        database.connection.busy_timeout(COMMIT_TIMEOUT).map_err(&fail)?;
        let deadline = Instant::now() + lock_timeout();
        loop {
            // While it waits for a reader, it blocks all other readers.
            match copy_all(&copy, &mut database.connection, &database.location) {
                Err(StoreError::Busy { .. }) if Instant::now() < deadline => {
                    thread::sleep(RETRY_PAUSE);
                }
                copied => return copied,
            }
        }
    }
}
