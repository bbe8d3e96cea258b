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
mod place;
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
use std::time::{Duration, SystemTime};

use postgres::error::SqlState;
use postgres::types::{FromSql, ToSql, Type};

use self::catalog::Catalog;
use self::commit::Receipt;
use self::connection::Connection;
use self::place::{Opened, Opening, OtherTable, Place, Session};
pub use self::server::Server;
use super::{
    Access, Cause, CommitHooks, CopyableTable, GroupAdded, ImportRow, Location, Migrated,
    Reference, Row, Schema, Store, StoreError, StoredSecret, TableChanges, Transaction,
    lock_timeout,
};
use crate::check::Finding;
use crate::credential::NewCredential;
use crate::escape::Escaped;
use crate::event::{Event, EventFilter};
use crate::group::Group;
use crate::language::Language;
use crate::session::{self, EndSessions};
use crate::user::{Profile, StoredText};
use crate::username::Username;

/// A parameter of a query, and its type.
type Param<'a> = (&'a (dyn ToSql + Sync), Type);

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

/// A user with groups. The app's table may have columns of any name, and text of any type.
const SELECT: &str = "SELECT users.username::text, users.password_hash::text, users.language::text,
        times.created_at, times.password_changed_at,
        ARRAY(SELECT group_name FROM {schema}.user_groups AS groups
              WHERE groups.username = users.username::text COLLATE \"C\"
              ORDER BY group_name)
    FROM {schema}.users LEFT JOIN {schema}.dash_users_times AS times
        ON times.username = users.username::text COLLATE \"C\"";

/// The same for when the other tables may be missing.
const SELECT_ALONE: &str = "SELECT username::text, password_hash::text, language::text,
        NULL::timestamptz, NULL::timestamptz, ARRAY[]::text[] FROM {schema}.users";

fn read_row(row: &postgres::Row) -> Row {
    let groups: Vec<Text> = row.get(5);
    Row {
        username: text(row, 0),
        secret: StoredSecret::from(text(row, 1)),
        profile: Profile {
            language: text(row, 2),
            groups: groups.into_iter().map(|Text(group)| group).collect(),
        },
        created_at: time(row.get(3)),
        password_changed_at: time(row.get(4)),
    }
}

/// A time in the years 1970 to 9999; `None` for others, as in SQLite. No event of ours is older,
/// and RFC 3339 has no later years.
fn time(time: Option<SystemTime>) -> Option<SystemTime> {
    const YEAR_10000: Duration = Duration::from_secs(253_402_300_800);
    time.filter(|time| {
        time.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|since| since < YEAR_10000)
    })
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

impl Transaction for PostgresTransaction<'_> {
    fn get(&mut self, username: &[u8]) -> Result<Option<Row>, StoreError> {
        let Some(name) = self.key(username)? else { return Ok(None) };
        // A row that will be changed is locked.
        let lock = if self.access == Access::Write { "FOR UPDATE OF users" } else { "" };
        let select = format!("{SELECT} WHERE {{username = $1}} {lock}");
        let rows = self.query_exact(&select, &[(&name, Type::TEXT)])?;
        Ok(rows.first().map(read_row))
    }

    fn rows(&mut self, each: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        let select = format!("{SELECT} ORDER BY users.username::text COLLATE \"C\" NULLS FIRST");
        self.stream(&select, Vec::new(), &mut |row| each(read_row(row)))
    }

    fn names(&mut self, prefix: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        let select = "SELECT username::text FROM {schema}.users
                      WHERE starts_with(username::text COLLATE \"C\", $1)
                      ORDER BY username::text COLLATE \"C\" LIMIT $2";
        self.texts(select, &[(&prefix, Type::TEXT), (&i64::from(limit), Type::INT8)])
    }

    fn groups(&mut self, prefix: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        // DISTINCT would read every membership. This looks up one row for each group.
        let select = "WITH RECURSIVE found (name, position) AS (
                          (SELECT group_name, 1::bigint FROM {schema}.user_groups
                           WHERE group_name >= $1 COLLATE \"C\"
                           ORDER BY group_name COLLATE \"C\" LIMIT 1)
                          UNION ALL
                          SELECT next.group_name, position + 1
                          FROM found CROSS JOIN LATERAL (
                              SELECT group_name FROM {schema}.user_groups
                              WHERE group_name > found.name COLLATE \"C\"
                              ORDER BY group_name COLLATE \"C\" LIMIT 1) AS next
                          WHERE starts_with(name, $1) AND position < $2
                      )
                      SELECT name FROM found WHERE starts_with(name, $1) ORDER BY position LIMIT $2";
        self.texts(select, &[(&prefix, Type::TEXT), (&i64::from(limit), Type::INT8)])
    }

    fn is_empty(&mut self, locks: bool) -> Result<bool, StoreError> {
        if locks && self.access == Access::Write {
            self.run("LOCK TABLE {schema}.users IN SHARE ROW EXCLUSIVE MODE", &[])?;
        }
        Ok(self.query_one("SELECT NOT EXISTS (SELECT 1 FROM {schema}.users)", &[])?.get(0))
    }

    fn similar(&mut self, username: &Username) -> Result<Vec<StoredText>, StoreError> {
        let select = "SELECT username::text FROM {schema}.users
                      WHERE lower(username::text COLLATE \"C\") = lower($1 COLLATE \"C\")
                          AND username::text <> $1
                      ORDER BY username::text COLLATE \"C\"";
        let Some(name) = self.key(username.as_ref())? else { return Ok(Vec::new()) };
        let rows = self.query_exact(select, &[(&name, Type::TEXT)])?;
        Ok(rows.iter().map(|row| text(row, 0)).collect())
    }

    fn similar_to(
        &mut self,
        usernames: &[Username],
    ) -> Result<Vec<Option<StoredText>>, StoreError> {
        let mut names = Vec::new();
        for name in usernames {
            names.push(self.key(name.as_ref())?);
        }
        import::similar_to(self, &names)
    }

    fn references(&mut self, username: &[u8]) -> Result<Vec<Reference>, StoreError> {
        match self.key(username)? {
            Some(name) => references::to_user(self, name),
            None => Ok(Vec::new()),
        }
    }

    fn attribute(&mut self, cause: &Cause<'_>) -> Result<(), StoreError> {
        let set = place::set_cause(cause);
        place::run(&mut self.session, &set).map(drop).map_err(|error| self.error(&error))
    }

    fn events(
        &mut self,
        username: Option<&[u8]>,
        filter: &EventFilter,
        each: &mut dyn FnMut(Event),
    ) -> Result<(), StoreError> {
        let name = match username {
            None => None,
            Some(username) => match self.key(username)? {
                Some(name) => Some(name),
                None => return Ok(()),
            },
        };
        history::read(self, name, filter, each)
    }

    fn record(&mut self, username: Option<&[u8]>, cause: &Cause<'_>) -> Result<(), StoreError> {
        let insert = "INSERT INTO {schema}.user_events (actor, action, username, detail)
                      VALUES ($1, $2, left($3, 1024), $4) RETURNING 1";
        let (actor, detail) = (cause.actor.map(printable), cause.detail.map(printable));
        let params: [Param; 4] = [
            (&actor, Type::TEXT),
            (&cause.action, Type::TEXT),
            (&username.and_then(key), Type::TEXT),
            (&detail, Type::TEXT),
        ];
        self.write(insert, &params).map(drop)
    }

    fn prunable(&mut self, before: SystemTime) -> Result<u64, StoreError> {
        history::prunable(self, before)
    }

    fn prune(&mut self, before: SystemTime, cause: &Cause<'_>) -> Result<(), StoreError> {
        history::prune(self, before, cause)
    }

    fn insert(
        &mut self,
        username: &Username,
        credential: &NewCredential,
        language: &Language,
    ) -> Result<(), StoreError> {
        let insert = "INSERT INTO {schema}.users (username, password_hash, language)
                      VALUES ($1, $2, $3) RETURNING username::text, password_hash::text";
        let credential = credential.to_string();
        let params: [Param; 3] = [
            (&username.as_str(), Type::TEXT),
            (&credential, Type::TEXT),
            (&language.as_str(), Type::TEXT),
        ];
        let written = self.write(insert, &params)?;
        self.changes += 1;
        self.require_as_written(&written, Some(username.as_str()), &credential)
    }

    fn set_credential(&mut self, username: &[u8], new: &NewCredential) -> Result<(), StoreError> {
        let update = "UPDATE {schema}.users SET password_hash = $2 WHERE {username = $1}
                      RETURNING username::text, password_hash::text";
        let (name, new) = (key(username), new.to_string());
        let written = self.write(update, &[(&name, Type::TEXT), (&new, Type::TEXT)])?;
        self.changes += 1;
        self.require_as_written(&written, None, &new)
    }

    fn set_language(&mut self, username: &[u8], language: &Language) -> Result<(), StoreError> {
        let update = "UPDATE {schema}.users SET language = $2 WHERE {username = $1} RETURNING 1";
        let params: [Param; 2] = [(&key(username), Type::TEXT), (&language.as_str(), Type::TEXT)];
        self.change_recorded(update, &params)
    }

    fn rename(&mut self, username: &[u8], new: &Username) -> Result<(), StoreError> {
        let update = "UPDATE {schema}.users SET username = $2 WHERE {username = $1} RETURNING 1";
        let params: [Param; 2] = [(&key(username), Type::TEXT), (&new.as_str(), Type::TEXT)];
        self.change_recorded(update, &params)?;
        // A trigger of the app may have changed the name.
        match self.get(new.as_ref())? {
            Some(row) if row.username == StoredText::Text(new.to_string()) => Ok(()),
            _ => Err(self.refused(REWRITTEN)),
        }
    }

    fn add_group(&mut self, username: &[u8], group: &Group) -> Result<GroupAdded, StoreError> {
        // All parts see the tables as they were before the statement.
        let insert = "WITH added AS (
                          INSERT INTO {schema}.user_groups (username, group_name) VALUES ($1, $2)
                          ON CONFLICT DO NOTHING RETURNING 1)
                      SELECT EXISTS (SELECT FROM added),
                             NOT EXISTS (SELECT FROM {schema}.user_groups WHERE group_name = $2),
                             EXISTS (SELECT FROM {schema}.users WHERE username::text = $2)";
        let params: [Param; 2] = [(&key(username), Type::TEXT), (&group.as_str(), Type::TEXT)];
        let rows = self.write(insert, &params)?;
        let fact = |index| rows.first().is_some_and(|row| row.get(index));
        let is_added = fact(0);
        self.changes += i32::from(is_added);
        Ok(GroupAdded { is_added, is_new_group: fact(1), is_username: fact(2) })
    }

    fn remove_group(&mut self, username: &[u8], group: &[u8]) -> Result<bool, StoreError> {
        let delete = "DELETE FROM {schema}.user_groups WHERE username = $1 AND group_name = $2
                      RETURNING 1";
        let params: [Param; 2] = [(&key(username), Type::TEXT), (&key(group), Type::TEXT)];
        let is_removed = !self.write(delete, &params)?.is_empty();
        self.changes += i32::from(is_removed);
        Ok(is_removed)
    }

    fn find(&mut self, usernames: &[&StoredText]) -> Result<Vec<Option<Row>>, StoreError> {
        let mut names: Vec<Option<&str>> = Vec::new();
        for name in usernames {
            names.push(match name.as_key() {
                Some(name) => self.key(name)?,
                None => None,
            });
        }
        let select = format!(
            "SELECT found.*, position
             FROM unnest($1) WITH ORDINALITY AS wanted (name, position)
                 JOIN LATERAL ({SELECT} WHERE {{username = wanted.name}}) AS found ON true"
        );
        let rows = self.query(&select, &[(&names, Type::TEXT_ARRAY)])?;
        let mut found: Vec<_> = names.iter().map(|_| None).collect();
        for row in &rows {
            let position: i64 = row.get(6);
            let index = usize::try_from(position - 1).ok();
            if let Some(place) = index.and_then(|index| found.get_mut(index)) {
                *place = Some(read_row(row));
            }
        }
        Ok(found)
    }

    /// Each lookup of many users may read all users once.
    fn chunk(&self) -> usize {
        100_000
    }

    fn undo_import(&mut self) -> Result<bool, StoreError> {
        if !self.is_overtaken {
            return Ok(false);
        }
        (self.is_overtaken, self.import, self.has_write_path) = (false, None, true);
        self.batch("ROLLBACK TO SAVEPOINT dash_users_import")?;
        Ok(true)
    }

    fn import(&mut self, rows: Vec<ImportRow>) -> Result<(), StoreError> {
        let mut import = match self.import.take() {
            Some(import) => import,
            None => import::Import::begin(self)?,
        };
        import.write(self, &rows)?;
        self.import = Some(import);
        Ok(())
    }

    fn end_import(&mut self, cause: &Cause<'_>) -> Result<(), StoreError> {
        match self.import.take() {
            Some(import) => import.end(self, cause),
            None => Ok(()),
        }
    }

    fn delete(&mut self, username: &[u8]) -> Result<(), StoreError> {
        let delete = "DELETE FROM {schema}.users WHERE {username = $1} RETURNING 1";
        self.change_recorded(delete, &[(&key(username), Type::TEXT)])
    }

    fn commit(mut self: Box<Self>, hooks: CommitHooks) -> Result<(), StoreError> {
        let receipt = self.require_recorded()?;
        (hooks.before)();
        let Self { session, server, location, .. } = *self;
        commit::commit(session, receipt.as_ref(), (server, location), hooks)
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
