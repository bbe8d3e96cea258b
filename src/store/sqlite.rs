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
mod rebuild;
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
    Access, Cause, CommitHooks, CopyableTable, GroupAdded, ImportRow, Location, Migrated, NewRow,
    OnDelete, Reference, Row, RowChange, Schema, Store, StoreError, StoredSecret, TableChanges,
    Transaction, lock_timeout,
};
use crate::check::Finding;
use crate::credential::NewCredential;
use crate::escape::{Escaped, is_unsafe_to_print};
use crate::event::{Event, EventFilter};
use crate::group::Group;
use crate::language::Language;
use crate::session::{EndSessions, Session};
use crate::user::{Profile, StoredText};
use crate::username::Username;

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
        match &self.location {
            Location::Sqlite(path) => sessions::list(path),
            #[cfg(feature = "postgres")]
            Location::Postgres(_) => Ok(Vec::new()),
        }
    }

    fn end_sessions(&mut self, which: EndSessions<'_>) -> Result<u64, StoreError> {
        match &self.location {
            Location::Sqlite(path) => sessions::end(path, which),
            #[cfg(feature = "postgres")]
            Location::Postgres(_) => Ok(0),
        }
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

/// The groups with names from `?1` to `?2`, at most `?3`. `DISTINCT` would read every membership; this
/// looks up one row for each group.
const GROUPS: &str = "WITH RECURSIVE found (name) AS (
        SELECT min(group_name) FROM user_groups
        WHERE group_name >= ?1 AND group_name < ?2
        UNION ALL
        SELECT (SELECT min(group_name) FROM user_groups
                WHERE group_name > found.name AND group_name < ?2)
        FROM found WHERE found.name IS NOT NULL
        LIMIT ?3
    )
    SELECT name FROM found WHERE name IS NOT NULL";

impl Transaction for SqliteTransaction<'_> {
    fn get(&mut self, username: &[u8]) -> Result<Option<Row>, StoreError> {
        let mut found = None;
        self.run(|connection| {
            read_rows(connection, ONE, [Text(username)], &mut |row| found = Some(row))
        })?;
        Ok(found)
    }

    fn rows(&mut self, each: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        self.run(|connection| read_rows(connection, ALL, [], each))
    }

    fn rows_without_times(&mut self, each: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        self.run(|connection| read_rows(connection, ALL_WITHOUT_TIMES, [], each))
    }

    fn names(&mut self, prefix: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        let select = "SELECT username FROM users
                      WHERE username >= ?1 COLLATE BINARY AND username < ?2 COLLATE BINARY
                      ORDER BY username COLLATE BINARY LIMIT ?3";
        self.texts(select, prefix, limit)
    }

    fn groups(&mut self, prefix: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        self.texts(GROUPS, prefix, limit)
    }

    fn is_empty(&mut self, _locks: bool) -> Result<bool, StoreError> {
        let select = "SELECT NOT EXISTS (SELECT 1 FROM users)";
        self.run(|connection| connection.query_row(select, [], |row| row.get(0)))
    }

    fn similar(&mut self, username: &Username) -> Result<Vec<StoredText>, StoreError> {
        let select = "SELECT username FROM users
                      WHERE username = ?1 COLLATE NOCASE AND username <> ?1 COLLATE BINARY
                      ORDER BY username COLLATE BINARY";
        self.run(|connection| {
            let mut select = connection.prepare_cached(select)?;
            select.query_map([username.as_str()], |row| row.get_ref(0).map(stored_text))?.collect()
        })
    }

    fn references(&mut self, username: &[u8]) -> Result<Vec<Reference>, StoreError> {
        self.run(|connection| references::to_user(connection, username))
    }

    fn attribute(&mut self, cause: &Cause<'_>) -> Result<(), StoreError> {
        self.run(|connection| history::attribute(connection, cause))
    }

    fn events(
        &mut self,
        username: Option<&[u8]>,
        filter: &EventFilter,
        each: &mut dyn FnMut(Event),
    ) -> Result<(), StoreError> {
        self.run(|connection| history::read(connection, username, filter, each))
    }

    fn record(&mut self, username: Option<&[u8]>, cause: &Cause<'_>) -> Result<(), StoreError> {
        let Cause { actor, action, detail } = cause;
        let insert = "INSERT INTO user_events (actor, action, username, detail)
                      VALUES (?, ?, CAST(? AS TEXT), ?)";
        let values = params![actor, action, username, detail];
        self.run(|connection| connection.execute(insert, values).map(drop))
    }

    fn prunable(&mut self, before: SystemTime) -> Result<u64, StoreError> {
        let _work = self.work_on_file();
        history::prunable(&self.transaction, before).map_err(|error| self.error(&error))
    }

    fn prune(&mut self, before: SystemTime, cause: &Cause<'_>) -> Result<(), StoreError> {
        let _work = self.work_on_file();
        history::prune(&self.transaction, before, cause).map_err(|error| self.error(&error))
    }

    fn insert(
        &mut self,
        username: &Username,
        credential: &NewCredential,
        language: &Language,
    ) -> Result<(), StoreError> {
        self.change(
            "INSERT OR ABORT INTO users (username, password_hash, language) VALUES (?, ?, ?)",
            params![username.as_str(), credential.to_string(), language.as_str()],
        )
    }

    fn set_credential(&mut self, username: &[u8], new: &NewCredential) -> Result<(), StoreError> {
        self.change(
            "UPDATE OR ABORT users SET password_hash = ? WHERE username = ?",
            params![new.to_string(), Text(username)],
        )
    }

    fn set_language(&mut self, username: &[u8], language: &Language) -> Result<(), StoreError> {
        self.change(
            "UPDATE OR ABORT users SET language = ? WHERE username = ?",
            params![language.as_str(), Text(username)],
        )
    }

    fn rename(&mut self, username: &[u8], new: &Username) -> Result<(), StoreError> {
        let refusing = self.run(|connection| references::refusing_rename(connection, username))?;
        self.refusing[0].extend(refusing);
        self.change(
            "UPDATE OR ABORT users SET username = ? WHERE username = ?",
            params![new.as_str(), Text(username)],
        )
    }

    fn add_group(&mut self, username: &[u8], group: &Group) -> Result<GroupAdded, StoreError> {
        let select = "SELECT NOT EXISTS (SELECT 1 FROM user_groups WHERE group_name = ?1),
                             EXISTS (SELECT 1 FROM users WHERE username = ?1)";
        let insert = "INSERT INTO user_groups (username, group_name) SELECT ?1, ?2
                      WHERE NOT EXISTS (SELECT 1 FROM user_groups
                                        WHERE username = ?1 AND group_name = ?2)";
        self.run(|connection| {
            let read = |row: &rusqlite::Row| Ok((row.get(0)?, row.get(1)?));
            let (is_new_group, is_username) =
                connection.query_row(select, [group.as_str()], read)?;
            let rows = connection.execute(insert, params![Text(username), group.as_str()])?;
            Ok(GroupAdded { is_added: rows > 0, is_new_group, is_username })
        })
    }

    fn remove_group(&mut self, username: &[u8], group: &[u8]) -> Result<bool, StoreError> {
        let delete = "DELETE FROM user_groups WHERE username = ? AND group_name = ?";
        let values = [Text(username), Text(group)];
        Ok(self.run(|connection| connection.execute(delete, values))? > 0)
    }

    fn find(&mut self, usernames: &[&StoredText]) -> Result<Vec<Option<Row>>, StoreError> {
        self.run(|connection| import::find(connection, usernames))
    }

    fn may_have(&mut self, usernames: &[&StoredText]) -> Result<Vec<bool>, StoreError> {
        self.run(|connection| import::may_have(connection, usernames))
    }

    fn import(&mut self, rows: Vec<ImportRow>) -> Result<(), StoreError> {
        let _work = Work::statement();
        let import = match self.import.take() {
            Some(import) => import,
            None => self.run(Import::begin)?,
        };
        let writer = import.prepare(&self.transaction, &rows);
        let mut writer = writer.map_err(|error| self.error(&error))?;
        for row in &rows {
            writer.write(row).map_err(|error| {
                let error = match error {
                    Some(error) => self.error(&error),
                    None => self.refused(SKIPPED),
                };
                let (ImportRow::Add(NewRow { username, .. })
                | ImportRow::Change(RowChange { username, .. })) = row;
                match error {
                    StoreError::Refused { location, reason } => {
                        let reason = format!("user '{username}': {reason}");
                        StoreError::Refused { location, reason }
                    }
                    error => error,
                }
            })?;
        }
        drop(writer);
        self.import = Some(import);
        Ok(())
    }

    fn end_import(&mut self, cause: &Cause<'_>) -> Result<(), StoreError> {
        match self.import.take() {
            Some(import) => self.run(|connection| import.end(connection, cause)),
            None => Ok(()),
        }
    }

    fn delete(&mut self, username: &[u8]) -> Result<(), StoreError> {
        let _work = Work::statement();
        for Reference { table, on_delete, .. } in self.references(username)? {
            match on_delete {
                OnDelete::Refuse => self.refusing[0].push(table),
                // Its default may not be a user.
                OnDelete::Unset => self.refusing[1].push(table),
                OnDelete::Delete => {}
            }
        }
        self.change("DELETE FROM users WHERE username = ?", [Text(username)])
    }

    fn commit(self: Box<Self>, hooks: CommitHooks) -> Result<(), StoreError> {
        self.run(|connection| {
            history::end_change(connection)?;
            commit(connection, hooks)
        })
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

/// Users, one row for each group, perhaps without times. The app's table may have columns of any name.
macro_rules! select_users {
    ($which:literal) => {
        select_users!(
            "times.created_at, times.password_changed_at",
            "LEFT JOIN dash_users_times AS times ON times.username = users.username",
            $which
        )
    };
    ($times:literal, $join:literal, $which:literal) => {
        concat!(
            "SELECT users.username, users.password_hash, users.language, ",
            $times,
            ", user_groups.group_name FROM users ",
            $join,
            " LEFT JOIN user_groups ON user_groups.username = users.username ",
            $which
        )
    };
}

const ONE: &str = select_users!("WHERE users.username = ?");
const ALL: &str = select_users!("ORDER BY users.username COLLATE BINARY");
const ALL_WITHOUT_TIMES: &str =
    select_users!("NULL, NULL", "", "ORDER BY users.username COLLATE BINARY");
/// For when the other tables may be missing.
const ALL_ALONE: &str = "SELECT username, password_hash, language, NULL, NULL, NULL FROM users
    ORDER BY username COLLATE BINARY";
const ONE_WITHOUT_TIMES: &str = select_users!("NULL, NULL", "", "WHERE users.username = ?");
/// Up to a number of rows with names between two others.
const BETWEEN_WITHOUT_TIMES: &str = select_users!(
    "NULL, NULL",
    "",
    "WHERE users.username >= ?1 COLLATE NOCASE AND users.username <= ?2 COLLATE NOCASE
     ORDER BY users.username COLLATE NOCASE LIMIT ?3"
);

/// Reads the rows of [`select_users`]. The rows of one user must be adjacent.
fn read_rows(
    connection: &Connection,
    select: &str,
    params: impl rusqlite::Params,
    each: &mut dyn FnMut(Row),
) -> rusqlite::Result<()> {
    read_found(connection.prepare_cached(select)?.query(params)?, each)
}

fn read_found(mut found: rusqlite::Rows<'_>, each: &mut dyn FnMut(Row)) -> rusqlite::Result<()> {
    let mut last: Option<Row> = None;
    while let Some(next) = found.next()? {
        let username = stored_text(next.get_ref(0)?);
        let group = Some(stored_text(next.get_ref(5)?)).filter(|group| *group != StoredText::Null);
        match &mut last {
            // Only a user with groups has several rows; several users may have the name NULL.
            Some(row) if group.is_some() && row.username == username => {
                row.profile.groups.extend(group);
            }
            _ => {
                let row = Row {
                    username,
                    secret: StoredSecret::from(stored_text(next.get_ref(1)?)),
                    profile: Profile {
                        language: stored_text(next.get_ref(2)?),
                        groups: group.into_iter().collect(),
                    },
                    created_at: time(next.get_ref(3)?),
                    password_changed_at: time(next.get_ref(4)?),
                };
                last.replace(row).into_iter().for_each(&mut *each);
            }
        }
        limit::goes_on();
    }
    last.into_iter().for_each(each);
    Ok(())
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
