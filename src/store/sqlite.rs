//! The store for SQLite. All its SQL is in this file and folder.
//!
//! The file is shared with a running app, so:
//!
//! - The journal mode is not changed.
//! - A change is one short `BEGIN IMMEDIATE` transaction, during which readers can read.
//! - A replaced or deleted hash is overwritten in the file (`secure_delete`). Unfinished
//!   transactions are not written to the file (`cache_spill` off) or to temporary files
//!   (`temp_store`). So a killed program leaves a journal, which an app without write permission
//!   could not roll back, only if it was killed during the commit.
//! - Foreign keys of the app are enforced.

mod backup;
mod check;
mod error;
mod file;
mod format;
mod history;
mod import;
mod limit;
mod operations;
mod profile;
mod rebuild;
mod reconcile;
mod references;
mod schema;
mod sessions;
mod table;

use std::path::Path;
use std::time::{Duration, SystemTime};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OptionalExtension, ToSql, TransactionBehavior, params};

pub use self::backup::Restore;
pub(super) use self::backup::prepare_restore;
use self::error::{MOVED, sql_error};
use self::file::{COMMIT_TIMEOUT, Identity, sync_directory};
pub(super) use self::file::{create, remove_created, warnings};
use self::import::Import;
use self::limit::Work;
use super::{
    Access, CommitHooks, CopyableTable, Location, Migrated, Row, Schema, Store, StoreError,
    TableChanges, Transaction, lock_timeout,
};
use crate::check::Finding;
use crate::escape::{Escaped, is_unsafe_to_print};
use crate::event::Event;
use crate::session::{EndSessions, Session};
use crate::user::StoredText;

/// An open SQLite file.
pub(super) struct Sqlite {
    connection: Connection,
    location: Location,
    /// The identity of the file when it was opened.
    identity: Identity,
}

impl Sqlite {
    /// Begins a write transaction, if the file is still the one that was opened.
    fn begin_writing(&mut self) -> Result<(rusqlite::Transaction<'_>, &Location), StoreError> {
        let Self { connection, location, identity } = self;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(sql_error(location))?;
        // SQLite checks this itself, except with a write-ahead log.
        if let Some(path) = transaction.path()
            && Identity::of(Path::new(path)).ok() != Some(*identity)
        {
            let (location, reason) = (location.clone(), MOVED.to_owned());
            return Err(StoreError::CannotConnect { location, reason });
        }
        Ok((transaction, location))
    }

    /// Works on the whole file, with a time limit.
    fn work<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let limited = self.connection.path().map(|path| Work::on_file(Path::new(path)));
        let done = work(self);
        drop(limited);
        done.map_err(|error| with_suspects(&self.connection, error))
    }
}

/// Adds the likely cause to the error if a statement ran for too long.
fn with_suspects(connection: &Connection, error: StoreError) -> StoreError {
    match error {
        StoreError::TooSlow { location, reason } => {
            let suspects = limit::suspects(connection).ok().flatten();
            StoreError::TooSlow { location, reason: suspects.unwrap_or(reason) }
        }
        error => error,
    }
}

impl Store for Sqlite {
    fn schema(&mut self) -> Result<Schema, StoreError> {
        let _work = Work::statement();
        let Self { connection, location, .. } = self;
        let transaction = connection.transaction().map_err(sql_error(location))?;
        schema::inspect(&transaction, location)
    }

    fn adopt(
        &mut self,
        changes: &TableChanges,
        hooks: CommitHooks,
    ) -> Result<Migrated, StoreError> {
        self.work(|store| schema::migrate(store, changes, hooks))
    }

    fn other_tables(&mut self) -> Result<Vec<CopyableTable>, StoreError> {
        let _work = Work::statement();
        table::others(&self.connection).map_err(sql_error(&self.location))
    }

    fn check(&mut self, each: &mut dyn FnMut(Row)) -> Result<Vec<Finding>, StoreError> {
        self.work(|store| check::check(store, each))
    }

    fn hash_column(&mut self) -> Result<Option<String>, StoreError> {
        let select = "SELECT type FROM pragma_table_info('users')
                      WHERE name = 'password_hash' COLLATE NOCASE AND type LIKE '%(%)'";
        let column = self.connection.query_row(select, [], |row| schema_text(row, 0)).optional();
        column.map_err(sql_error(&self.location))
    }

    fn repair(&mut self, hooks: CommitHooks) -> Result<Vec<Event>, StoreError> {
        self.work(|store| schema::repair(store, hooks))
    }

    fn backup(&mut self, file: &Path, overwrite: bool) -> Result<(), StoreError> {
        backup::backup(self, file, overwrite)
    }

    fn sessions(&mut self) -> Result<Vec<Session>, StoreError> {
        self.location.path().map_or(Ok(Vec::new()), sessions::list)
    }

    fn end_sessions(&mut self, which: EndSessions<'_>) -> Result<u64, StoreError> {
        self.location.path().map_or(Ok(0), |path| sessions::end(path, which))
    }

    fn begin(&mut self, access: Access) -> Result<Box<dyn Transaction + '_>, StoreError> {
        let _work = Work::statement();
        let (transaction, location) = match access {
            Access::Write => self.begin_writing()?,
            Access::Read | Access::ReadNoWait => {
                let Self { connection, location, .. } = self;
                (connection.transaction().map_err(sql_error(location))?, &*location)
            }
        };
        let schema = schema::inspect(&transaction, location)?;
        schema.require_latest(location)?;
        let refusing = Default::default();
        Ok(Box::new(SqliteTransaction { transaction, location, refusing, import: None }))
    }
}

/// The reason if no row was changed.
const SKIPPED: &str = "a trigger of the app skipped the row";

struct SqliteTransaction<'a> {
    transaction: rusqlite::Transaction<'a>,
    location: &'a Location,
    /// The tables that reference changed users and may reject the change, now or at the commit:
    /// first those that restrict it, then those whose columns may reject being unset.
    refusing: [Vec<String>; 2],
    /// The started import.
    import: Option<Import>,
}

impl SqliteTransaction<'_> {
    fn error(&self, error: &rusqlite::Error) -> StoreError {
        // ON DELETE RESTRICT has the error code of a trigger and the message of a foreign key.
        let is_constraint = error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation);
        let tables = self.refusing.iter().find(|tables| !tables.is_empty());
        if is_constraint
            && error.to_string().contains("FOREIGN KEY")
            && let Some(tables) = tables
        {
            let tables = tables.join(", ");
            return self.refused(&format!("rows in {} reference the user", Escaped(&tables)));
        }
        with_suspects(&self.transaction, error::error(self.location, error))
    }

    /// Runs SQL, with a time limit.
    fn run<T>(
        &self,
        sql: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let _work = Work::statement();
        sql(&self.transaction).map_err(|error| self.error(&error))
    }

    /// Reads texts that begin with a prefix.
    fn texts(&self, select: &str, prefix: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        let end = format!("{prefix}{}", char::MAX);
        self.run(|connection| {
            let mut select = connection.prepare_cached(select)?;
            let mut found = select.query(params![prefix, end, limit])?;
            let mut texts = Vec::new();
            while let Some(row) = found.next()? {
                texts.extend(row.get_ref(0)?.as_str().ok().map(str::to_owned));
            }
            Ok(texts)
        })
    }

    /// Limits the time of work on many rows.
    fn work_on_file(&self) -> Work {
        self.transaction.path().map_or_else(Work::statement, |path| Work::on_file(Path::new(path)))
    }

    fn refused(&self, reason: &str) -> StoreError {
        StoreError::Refused { location: self.location.clone(), reason: reason.to_owned() }
    }

    /// Changes one row.
    fn change(&self, sql: &str, params: impl rusqlite::Params) -> Result<(), StoreError> {
        match self.run(|connection| connection.execute(sql, params))? {
            0 => Err(self.refused(SKIPPED)),
            _ => Ok(()),
        }
    }
}

/// Commits. A commit that waits for a reader blocks all other readers, so it waits only briefly:
/// then it is rolled back, and the whole change is retried later.
fn commit(connection: &Connection, hooks: CommitHooks) -> rusqlite::Result<()> {
    (hooks.before)();
    connection.busy_timeout(COMMIT_TIMEOUT)?;
    let committed = connection.execute_batch("COMMIT");
    connection.busy_timeout(lock_timeout())?;
    let is_busy =
        |error: &rusqlite::Error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
    if committed.as_ref().is_err_and(is_busy) {
        connection.execute_batch("ROLLBACK")?;
        (hooks.rolled_back)();
    }
    committed?;
    sync_directory(connection);
    // With a write-ahead log, an old hash is in the file until its page is copied from the log.
    // Without one, this does nothing. A reader may prevent it.
    connection.busy_timeout(Duration::ZERO)?;
    let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    connection.busy_timeout(lock_timeout())
}

/// SQL that removes the user with exactly this name, and no other that looks the same as text.
pub(super) fn sql_to_remove(username: &StoredText) -> String {
    let bytes = |bytes: &[u8]| format!("x'{}'", base16ct::lower::encode_string(bytes));
    let condition = match username {
        StoredText::Null => "username IS NULL".to_owned(),
        StoredText::Text(text) => {
            format!("typeof(username) = 'text' AND username COLLATE BINARY = {}", literal(text))
        }
        StoredText::InvalidText(name) => {
            format!("typeof(username) = 'text' AND CAST(username AS BLOB) = {}", bytes(name))
        }
        // A number is shown like this, too.
        StoredText::Blob(name) => {
            format!("typeof(username) <> 'text' AND CAST(username AS BLOB) = {}", bytes(name))
        }
    };
    format!("DELETE FROM users WHERE {condition}")
}

/// A text as an SQL literal to paste, whatever the encoding of the file.
fn literal(text: &str) -> String {
    let is_unsafe = |c: &char| is_unsafe_to_print(*c);
    let chars: Vec<char> = text.chars().collect();
    let parts = chars.chunk_by(|a, b| !is_unsafe(a) && !is_unsafe(b)).map(|part| match part {
        [c] if is_unsafe(c) => format!("char({})", u32::from(*c)),
        part => format!("'{}'", part.iter().collect::<String>().replace('\'', "''")),
    });
    let parts: Vec<_> = parts.collect();
    if parts.is_empty() { "''".to_owned() } else { parts.join(" || ") }
}

/// A text parameter that may not be UTF-8, as names in the table may not be.
struct Text<'a>(&'a [u8]);

impl ToSql for Text<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0)))
    }
}

impl ToSql for StoredText {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::InvalidText(bytes) => ValueRef::Text(bytes),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Parses a time as the triggers write it; `None` for anything else.
fn time(value: ValueRef<'_>) -> Option<SystemTime> {
    humantime::parse_rfc3339(value.as_str().ok()?).ok()
}

/// A text of the schema, which others may have written: it may not be UTF-8.
fn schema_text(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<String> {
    Ok(String::from_utf8_lossy(row.get_ref(column)?.as_bytes()?).into_owned())
}

/// Quotes a name for SQL.
fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn stored_text(value: ValueRef<'_>) -> StoredText {
    match value {
        ValueRef::Null => StoredText::Null,
        ValueRef::Text(bytes) => StoredText::from(bytes),
        ValueRef::Blob(bytes) => StoredText::Blob(bytes.to_owned()),
        ValueRef::Integer(number) => StoredText::Blob(number.to_string().into()),
        ValueRef::Real(number) => StoredText::Blob(number.to_string().into()),
    }
}
