//! The store for PostgreSQL. All its SQL is in this file and folder.
//!
//! The database is shared with running apps on this host and others, so:
//!
//! - Each transaction sets everything it relies on (see [`place`]), and leaves nothing
//!   in the session. This works through a proxy that gives the connection to another client after
//!   each transaction. No statement is prepared by name.
//! - Programs of this crate that change users wait for each other, with a lock on a table of ours
//!   that the app's role cannot acquire. Rows are locked before they are changed, so no change by
//!   an app is lost.
//! - A failure because of a concurrent change is a [`StoreError::Conflict`], to be retried.
//!
//! Names in SQL resolve only in `pg_catalog`, whatever search path the role, the database or the
//! URL sets, so tables are written with their schema, as `{schema}.users`. Usernames are compared
//! as the unique index on the column does: `{username = $1}`. [`PostgresTransaction::sql`] fills in
//! both.
//!
//! An error shows only the server's message, because its details may contain a whole row.

mod catalog;
mod check;
mod commit;
mod connection;
mod history;
mod import;
mod objects;
mod operations;
mod place;
mod planted;
mod profile;
mod reconcile;
mod references;
mod rights;
mod schema;
mod server;
mod sessions;
mod tls;
mod users;

use std::error::Error;
use std::path::Path;
use std::time::SystemTime;

use postgres::error::SqlState;
use postgres::types::{FromSql, ToSql, Type};

use self::catalog::Catalog;
use self::commit::Receipt;
use self::connection::Connection;
use self::place::{Opened, Opening, OtherTable, Place, Session};
pub use self::server::Server;
use super::{
    Access, Cause, CommitHooks, CopyableTable, Location, Migrated, Row, Schema, Store, StoreError,
    TableChanges, Transaction, lock_timeout,
};
use crate::check::Finding;
use crate::escape::Escaped;
use crate::event::{Event, in_range};
use crate::session::{self, EndSessions};
use crate::user::StoredText;

/// A parameter of a query, and its type.
type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// A parameter of the type text.
fn as_text<T: ToSql + Sync>(value: &T) -> Param<'_> {
    (value, Type::TEXT)
}

/// A database of a server, and the connection to it, which is replaced if it is lost between two
/// transactions.
pub(super) struct Postgres {
    connection: Option<Connection>,
    location: Location,
    access: Access,
    server: Server,
    /// The other table that was found before `users` was created.
    other_table: Option<OtherTable>,
    /// Whether there were sessions of login pages in the last transaction.
    has_sessions: Option<bool>,
}

impl Postgres {
    pub(super) fn open(server: &Server, access: Access) -> Result<Self, StoreError> {
        let location = Location::Postgres(server.clone());
        let connection = Some(connection::connect(server, &location)?);
        Ok(Self {
            connection,
            location,
            access,
            server: server.clone(),
            other_table: None,
            has_sessions: None,
        })
    }

    /// Begins a transaction with its own settings, as the owner if possible.
    fn transaction(
        &mut self,
        access: Access,
    ) -> Result<(PostgresTransaction<'_>, Catalog), StoreError> {
        self.open_transaction(access, &Opening::new(lock_timeout()))
    }

    /// Begins a transaction whose schema is up to date, to change users if there is a cause.
    fn checked(
        &mut self,
        access: Access,
        cause: Option<&Cause<'_>>,
    ) -> Result<PostgresTransaction<'_>, StoreError> {
        let locks = access == Access::Write;
        let opening = Opening { locks, cause, ..Opening::new(lock_timeout()) };
        let (mut transaction, catalog) = self.open_transaction(access, &opening)?;
        let schema = schema::inspect(&mut transaction, &catalog)?;
        schema.require_latest(transaction.location)?;
        Ok(transaction)
    }

    fn open_transaction(
        &mut self,
        access: Access,
        opening: &Opening<'_>,
    ) -> Result<(PostgresTransaction<'_>, Catalog), StoreError> {
        let Self { connection, location, access: opened_to, server, .. } = self;
        let (other_table, has_sessions) = (&mut self.other_table, &mut self.has_sessions);
        let is_read_only = [access, *opened_to].iter().any(|access| *access != Access::Write);
        let opening = Opening { is_read_only, ..*opening };
        let has_write_path = opening.cause.is_some();
        let Opened { session, place, results, error } =
            place::open(connection, (server, location), &opening)?;
        if place.other_table.is_some() {
            other_table.clone_from(&place.other_table);
        }
        let mut transaction = PostgresTransaction {
            session,
            server,
            location,
            place,
            unused_table: other_table.as_ref(),
            access,
            has_write_path,
            users: users::UsersTable::default(),
            changes: 0,
            import: None,
            has_savepoint: false,
            is_overtaken: false,
        };
        if let Some(error) = error {
            return Err(transaction.error(&error));
        }
        let catalog = Catalog::of(results);
        *has_sessions = Some(!catalog.sessions.is_empty());
        Ok((transaction, catalog))
    }
}

impl Store for Postgres {
    fn schema(&mut self) -> Result<Schema, StoreError> {
        let (mut transaction, catalog) = self.transaction(Access::Read)?;
        let mut schema = schema::inspect(&mut transaction, &catalog)?;
        schema::add_numbering(&mut transaction, &mut schema)?;
        Ok(schema)
    }

    fn adopt(
        &mut self,
        changes: &TableChanges,
        hooks: CommitHooks,
    ) -> Result<Migrated, StoreError> {
        (hooks.before)();
        schema::migrate(self, changes, false, hooks)
    }

    fn other_tables(&mut self) -> Result<Vec<CopyableTable>, StoreError> {
        users::others(&mut self.transaction(Access::Read)?.0)
    }

    fn check(&mut self, each: &mut dyn FnMut(Row)) -> Result<Vec<Finding>, StoreError> {
        let (mut transaction, catalog) = self.transaction(Access::Read)?;
        check::check(&mut transaction, &catalog, each)
    }

    fn hash_column(&mut self) -> Result<Option<String>, StoreError> {
        check::hash_column(&mut self.transaction(Access::Read)?.0)
    }

    fn repair(&mut self, hooks: CommitHooks) -> Result<Vec<Event>, StoreError> {
        (hooks.before)();
        let migrated = schema::migrate(self, &TableChanges::default(), true, hooks)?;
        Ok(migrated.events)
    }

    fn backup(&mut self, _file: &Path, _overwrite: bool) -> Result<(), StoreError> {
        Err(StoreError::NotOnServers)
    }

    fn sessions(&mut self) -> Result<Vec<session::Session>, StoreError> {
        let (mut transaction, catalog) = self.transaction(Access::Read)?;
        if catalog.sessions.is_empty() {
            return Ok(Vec::new());
        }
        sessions::list(&mut transaction)
    }

    fn end_sessions(&mut self, which: EndSessions<'_>) -> Result<u64, StoreError> {
        // The last transaction knows: asking again would take as long as a change.
        if self.has_sessions == Some(false) {
            return Ok(0);
        }
        let (mut transaction, catalog) = self.transaction(Access::Write)?;
        if catalog.sessions.is_empty() {
            return Ok(0);
        }
        let count = sessions::end(&mut transaction, which)?;
        transaction.save(CommitHooks::default())?;
        Ok(count)
    }

    fn begin(&mut self, access: Access) -> Result<Box<dyn Transaction + '_>, StoreError> {
        Ok(Box::new(self.checked(access, None)?))
    }

    fn begin_change(&mut self, cause: &Cause<'_>) -> Result<Box<dyn Transaction + '_>, StoreError> {
        Ok(Box::new(self.checked(Access::Write, Some(cause))?))
    }
}

/// The search path of statements that write.
const WRITE_PATH: &str = "SET LOCAL search_path = pg_catalog, {schema}, pg_temp";

struct PostgresTransaction<'a> {
    session: Session<'a>,
    server: &'a Server,
    location: &'a Location,
    place: Place,
    /// Another table that may be the intended one, or may have been when there was none here.
    unused_table: Option<&'a OtherTable>,
    access: Access,
    /// Whether the search path is that for statements that write: see [`write`](Self::write).
    has_write_path: bool,
    users: users::UsersTable,
    /// The number of changes that the triggers must have recorded before the commit.
    changes: i32,
    /// The started import.
    import: Option<import::Import>,
    /// Whether an import has begun, after its savepoint.
    has_savepoint: bool,
    /// Whether it failed because an app wrote at the same time.
    is_overtaken: bool,
}

impl PostgresTransaction<'_> {
    /// Fills in a template: see the module.
    fn sql(&self, template: &str) -> String {
        let users::UsersTable { equals, types: [left, right], .. } = &self.users;
        let mut sql = template.to_owned();
        for operand in ["$1", "wanted.name"] {
            let is_user = format!("users.username::{left} {equals} {operand}::{right}");
            sql = sql.replace(&format!("{{username = {operand}}}"), &is_user);
        }
        let schema = connection::quoted(&self.place.schema);
        // Also at the start of a string literal.
        sql = sql.replace("'{schema}", &format!("'{}", schema.replace('\'', "''")));
        sql.replace("{schema}", &schema)
    }

    fn error(&mut self, error: &postgres::Error) -> StoreError {
        // A rule of the app replaces the statement.
        if error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED) {
            return self.refused(SKIPPED);
        }
        // Another program created the same objects at the same time: a table, or first its type.
        let duplicates = [&SqlState::DUPLICATE_TABLE, &SqlState::DUPLICATE_OBJECT];
        if error.code().is_some_and(|code| duplicates.contains(&code)) {
            return StoreError::Conflict { location: self.location.clone() };
        }
        let constraint = error.as_db_error().and_then(|db_error| {
            Some((db_error.code(), db_error.table()?, db_error.constraint()?))
        });
        match constraint {
            // An earlier lookup found no user with that name.
            Some((&SqlState::UNIQUE_VIOLATION, "users", index))
                if self.users.unique_indexes.iter().any(|unique| unique == index) =>
            {
                self.is_overtaken = self.has_savepoint;
                StoreError::Conflict { location: self.location.clone() }
            }
            Some((&SqlState::UNIQUE_VIOLATION, table, _)) if table.starts_with("pg_") => {
                StoreError::Conflict { location: self.location.clone() }
            }
            Some((&(SqlState::FOREIGN_KEY_VIOLATION | SqlState::RESTRICT_VIOLATION), table, _))
                if table != "users" =>
            {
                self.refused(&format!("rows in {} reference the user", Escaped(table)))
            }
            _ => match connection::error(self.location, error) {
                StoreError::CannotConnect { location, reason }
                    if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) =>
                {
                    let is_read = self.access != Access::Write;
                    match rights::missing(&mut self.session, &self.place.schema, is_read) {
                        Some(hint) => StoreError::CannotOpen { location, reason, hint },
                        None => StoreError::CannotConnect { location, reason },
                    }
                }
                StoreError::Busy { location, .. } => {
                    let holder = connection::holder(&mut self.session, &self.place.schema);
                    StoreError::Busy { location, holder }
                }
                error => error,
            },
        }
    }

    fn refused(&self, reason: &str) -> StoreError {
        StoreError::Refused { location: self.location.clone(), reason: reason.to_owned() }
    }

    fn query(&mut self, sql: &str, params: &[Param]) -> Result<Vec<postgres::Row>, StoreError> {
        self.leave_write_path()?;
        self.query_exact(sql, params)
    }

    fn query_one(&mut self, sql: &str, params: &[Param]) -> Result<postgres::Row, StoreError> {
        self.leave_write_path()?;
        let sql = self.sql(sql);
        self.session.query_typed_one(&sql, params).map_err(|error| self.error(&error))
    }

    /// Runs a query that names functions and operators only with their schema, or with exactly the
    /// types of those in `pg_catalog`, so the [path for writing](Self::write) makes no difference.
    fn query_exact(
        &mut self,
        sql: &str,
        params: &[Param],
    ) -> Result<Vec<postgres::Row>, StoreError> {
        let sql = self.sql(sql);
        self.session.query_typed(&sql, params).map_err(|error| self.error(&error))
    }

    /// Runs a statement, and returns the number of affected rows.
    fn run(&mut self, sql: &str, params: &[Param]) -> Result<u64, StoreError> {
        self.leave_write_path()?;
        let sql = self.sql(sql);
        self.session.execute_typed(&sql, params).map_err(|error| self.error(&error))
    }

    /// Runs statements without parameters.
    fn run_all(&mut self, sql: &str) -> Result<(), StoreError> {
        self.leave_write_path()?;
        self.batch(sql)
    }

    fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        let sql = self.sql(sql);
        self.session.batch_execute(&sql).map_err(|error| self.error(&error))
    }

    /// Streams the rows of a query.
    fn stream(
        &mut self,
        sql: &str,
        params: Vec<Param>,
        each: &mut dyn FnMut(&postgres::Row),
    ) -> Result<(), StoreError> {
        use postgres::fallible_iterator::FallibleIterator;

        self.leave_write_path()?;
        let sql = self.sql(sql);
        let read = || {
            let mut rows = self.session.query_typed_raw(&sql, params)?;
            while let Some(row) = rows.next()? {
                each(&row);
            }
            Ok(())
        };
        read().map_err(|error| self.error(&error))
    }

    /// Runs a statement that writes. Triggers of the app run within it, so the search path includes
    /// the schema after `pg_catalog`. The statement itself is as for
    /// [`query_exact`](Self::query_exact).
    ///
    /// The path stays until another statement needs that of `pg_catalog` alone.
    fn write(&mut self, sql: &str, params: &[Param]) -> Result<Vec<postgres::Row>, StoreError> {
        if !self.has_write_path {
            self.batch(WRITE_PATH)?;
            self.has_write_path = true;
        }
        self.query_exact(sql, params)
    }

    fn leave_write_path(&mut self) -> Result<(), StoreError> {
        if self.has_write_path {
            self.batch(connection::SEARCH_PATH)?;
            self.has_write_path = false;
        }
        Ok(())
    }

    /// Changes one row, which the statement returns.
    fn change(&mut self, sql: &str, params: &[Param]) -> Result<(), StoreError> {
        match self.write(sql, params)?.len() {
            0 => Err(self.refused(SKIPPED)),
            _ => Ok(()),
        }
    }

    fn texts(&mut self, sql: &str, params: &[Param]) -> Result<Vec<String>, StoreError> {
        Ok(self.query(sql, params)?.iter().map(|row| row.get(0)).collect())
    }

    /// A username as a parameter; `None` if no text of this database can equal it.
    fn key<'n>(&mut self, username: &'n [u8]) -> Result<Option<&'n str>, StoreError> {
        let Some(name) = key(username) else { return Ok(None) };
        if name.is_ascii() || self.place.holds_unicode {
            return Ok(Some(name));
        }
        let fail = |error| connection::error(self.location, &error);
        self.session.batch_execute("SAVEPOINT dash_users_name").map_err(fail)?;
        let sent = self.session.query_typed("SELECT $1", &[(&name, Type::TEXT)]);
        self.session.batch_execute("ROLLBACK TO dash_users_name").map_err(fail)?;
        match sent {
            Ok(_) => Ok(Some(name)),
            Err(error) if error.code() == Some(&SqlState::UNTRANSLATABLE_CHARACTER) => Ok(None),
            Err(error) => Err(fail(error)),
        }
    }

    /// Changes the row of one user, which the triggers must record.
    fn change_recorded(&mut self, sql: &str, params: &[Param]) -> Result<(), StoreError> {
        self.changes += 1;
        self.change(sql, params)
    }

    /// Commits, without checks.
    fn save(mut self, hooks: CommitHooks) -> Result<(), StoreError> {
        let receipt = place::run(&mut self.session, &Receipt::sql());
        let receipt = receipt.map_err(|error| self.error(&error))?;
        let Self { session, server, location, .. } = self;
        commit::commit(session, Receipt::read(&receipt).as_ref(), (server, location), hooks)
    }

    /// Checks deferred constraints, while the error still names them. Rejects a change that was not
    /// recorded in the history or left groups behind: one of our triggers did not fire or failed.
    /// Returns the receipt of the transaction, if it wrote anything.
    fn require_recorded(&mut self) -> Result<Option<Receipt>, StoreError> {
        // Triggers of the app may run.
        let sql = self.sql(&format!(
            "{WRITE_PATH}; SET CONSTRAINTS ALL IMMEDIATE; {};
             SELECT current_setting('dash_users.recorded', true),
                    current_setting('dash_users.failure', true); {}",
            connection::SEARCH_PATH,
            Receipt::sql()
        ));
        let results = place::run(&mut self.session, &sql).map_err(|error| self.error(&error))?;
        self.has_write_path = false;
        let row = results.first().and_then(|rows| rows.first());
        let text = |column| row.and_then(|row| row.get(column)).unwrap_or_default();
        let receipt = Receipt::read(&results);
        if self.changes == 0 {
            return Ok(receipt);
        }
        if !text(1).is_empty() {
            let reason = format!("the history cannot be written: {}", Escaped(text(1)));
            return Err(self.needs_repair(reason));
        }
        if text(0).parse().unwrap_or(0) < self.changes {
            let reason = "its triggers did not record the change".to_owned();
            return Err(self.needs_repair(reason));
        }
        Ok(receipt)
    }

    /// Rejects a row if a trigger of the app changed its username or hash.
    fn require_as_written(
        &self,
        written: &[postgres::Row],
        name: Option<&str>,
        hash: &str,
    ) -> Result<(), StoreError> {
        let is = |row: &postgres::Row, column, wanted: &str| matches!(text(row, column), StoredText::Text(found) if found == wanted);
        match written {
            [] => Err(self.refused(SKIPPED)),
            [row] if name.is_none_or(|name| is(row, 0, name)) && is(row, 1, hash) => Ok(()),
            _ => Err(self.refused(REWRITTEN)),
        }
    }

    fn needs_repair(&self, reason: String) -> StoreError {
        StoreError::NeedsRepair { location: self.location.clone(), reason }
    }
}

/// The reason if no row was changed.
const SKIPPED: &str = "a trigger or rule of the app skipped the row";

/// The reason if a changed row is rejected.
const REWRITTEN: &str = "a trigger of the app changed the username or the password hash; use the \
                         name as the app stores it, or drop the trigger";

/// The text, if PostgreSQL can store it.
fn key(username: &[u8]) -> Option<&str> {
    str::from_utf8(username).ok().filter(|name| !name.contains('\0'))
}

/// A time in the years 1970 to 9999; `None` for others, as in SQLite. No event of ours is older,
/// and RFC 3339 has no later years.
fn time(time: Option<SystemTime>) -> Option<SystemTime> {
    time.filter(|time| in_range(*time) == *time)
}

/// A text as sent by the server. With the encoding `SQL_ASCII` it can be any bytes.
struct Text(StoredText);

impl<'a> FromSql<'a> for Text {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(match str::from_utf8(raw) {
            Ok(text) => StoredText::Text(text.to_owned()),
            Err(_) => StoredText::InvalidText(raw.to_owned()),
        }))
    }

    fn accepts(ty: &Type) -> bool {
        <&str as FromSql>::accepts(ty)
    }
}

/// The text in a column, which may be NULL.
fn text(row: &postgres::Row, column: usize) -> StoredText {
    row.get::<_, Option<Text>>(column).map_or(StoredText::Null, |Text(text)| text)
}

fn read_event(row: &postgres::Row) -> Event {
    Event {
        id: row.get(0),
        at: time(row.get(1)),
        actor: text(row, 2),
        action: text(row, 3),
        username: text(row, 4),
        detail: text(row, 5),
    }
}

/// Strips NUL, which PostgreSQL cannot store.
fn printable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// SQL that removes a user whose name cannot be given to a command.
pub(super) fn sql_to_remove(username: &StoredText) -> String {
    match username {
        StoredText::Null => "DELETE FROM users WHERE username IS NULL".to_owned(),
        name => {
            let hex = base16ct::lower::encode_string(name.as_bytes());
            let encoding =
                if matches!(name, StoredText::InvalidText(_)) { "SQL_ASCII" } else { "UTF8" };
            format!("DELETE FROM users WHERE convert_to(username, '{encoding}') = '\\x{hex}'")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn time_is_in_years_1970_to_9999() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let last = 253_402_300_799;
        assert_eq!(humantime::format_rfc3339(at(last)).to_string(), "9999-12-31T23:59:59Z");
        for (seconds, expected) in [(0, Some(at(0))), (last, Some(at(last))), (last + 1, None)] {
            assert_eq!(time(Some(at(seconds))), expected, "{seconds}");
        }
        assert_eq!(time(Some(at(0) - Duration::from_nanos(1))), None);
        assert_eq!(time(None), None);
    }
}
