//! Copies of a whole file, and the way back, by SQLite's online backup.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::error::sql_error;
use super::file::{BUSY_TIMEOUT, sync_directory};
use super::schema;
use super::{Sqlite, history, schema_text};
use crate::escape::Escaped;
use crate::store::{Access, Cause, Location, NewFile, Restoration, StoreError};

/// A file that is there already.
const READ_WRITE: OpenFlags =
    OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// Writes a copy of the database to `file`, which an app can open as it is: it has no write-ahead
/// log, also if the database has one.
pub(super) fn backup(store: &mut Sqlite, file: &Path, overwrite: bool) -> Result<(), StoreError> {
    let Sqlite { connection, location, .. } = store;
    let transaction = connection.transaction().map_err(sql_error(location))?;
    let schema = schema::inspect(&transaction, location)?;
    schema.require_latest(location)?;
    let is_new = super::create(file, &NewFile::default())?;
    if !is_new && !overwrite && !holds_nothing(file) {
        return Err(StoreError::FileExists { path: file.to_owned() });
    }
    if !is_new {
        refuse_same(location, file)?;
    }
    let written = write(&transaction, file);
    if written.is_err() && is_new {
        // It is ours, and no backup. If it cannot be removed, the error says enough.
        let _ = fs::remove_file(file);
    }
    written
}

/// Whether there is a file with nothing in it: a backup that is killed leaves one, or a journal that
/// makes it one.
fn holds_nothing(file: &Path) -> bool {
    let size = || fs::metadata(file).ok().filter(fs::Metadata::is_file).map(|file| file.len());
    let roll_back = || {
        let connection = Connection::open_with_flags(file, READ_WRITE)?;
        connection.query_row("PRAGMA page_count", [], |_| Ok(()))
    };
    size().is_some() && roll_back().is_ok() && size() == Some(0)
}

fn write(database: &Connection, file: &Path) -> Result<(), StoreError> {
    let location = Location::Sqlite(file.to_owned());
    let fail = sql_error(&location);
    let mut copy = Connection::open_with_flags(file, READ_WRITE).map_err(&fail)?;
    copy.busy_timeout(BUSY_TIMEOUT).map_err(&fail)?;
    // An older copy is overwritten in one transaction: if that fails it is as it was.
    without_log(&copy).map_err(&fail)?;
    fs::set_permissions(file, Permissions::from_mode(NewFile::default().mode)).map_err(
        |error| StoreError::Failed { location: location.clone(), reason: error.to_string() },
    )?;
    copy_all(database, &mut copy, &location)?;
    without_log(&copy).map_err(&fail)
}

/// Gives a file a rollback journal, which is SQLite's default.
fn without_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))
}

/// Copies every page at once: so it is one moment, and writers do not make it begin anew.
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

/// A copy of a backup, up to date, in a file that SQLite has unlinked already.
pub(in super::super) struct Staged {
    copy: Connection,
    database: Sqlite,
    users: u64,
}

pub(in super::super) fn prepare_restore(
    path: &Path,
    file: &Path,
    cause: &Cause<'_>,
) -> Result<Staged, StoreError> {
    let database = Sqlite::open_unread(path, Access::Write)?;
    refuse_same(&database.location, file)?;
    let Sqlite { mut connection, location, .. } = Sqlite::open(&absolute(file), Access::Read)?;
    let fail = sql_error(&location);
    let unfit = |reason| StoreError::NotADatabase { location: location.clone(), reason };
    let backup = connection.transaction().map_err(&fail)?;
    let integrity = backup
        .query_row("PRAGMA integrity_check(1)", [], |row| schema_text(row, 0))
        .map_err(&fail)?;
    if integrity != "ok" {
        return Err(unfit(format!("it is damaged: {}", Escaped(&integrity))));
    }
    let schema = schema::inspect(&backup, &location)?;
    if !schema.has_users_table {
        return Err(unfit("it has no table 'users'".to_owned()));
    }

    let mut copy = Connection::open("").map_err(&fail)?;
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
    let users = stage().map_err(&fail)?;
    Ok(Staged { copy, database, users })
}

impl Restoration for Staged {
    fn users(&self) -> u64 {
        self.users
    }

    fn apply(self: Box<Self>) -> Result<(), StoreError> {
        let Self { copy, mut database, .. } = *self;
        copy_all(&copy, &mut database.connection, &database.location)
    }
}

/// A relative path, as SQLite's own, could be read as a URI.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
