//! PostgreSQL: all SQL for it is here and in the folder of this name.
//!
//! The database is shared with running apps, on this host and others, so that
//!
//! - each transaction sets its own search path, timeouts and isolation, and nothing is left in the
//!   session: through a proxy that hands a connection to another client after each transaction it
//!   works alike, and no statement is prepared by name,
//! - whoever changes users with this crate waits for the others who do, by an advisory lock; rows
//!   are locked before they are changed, so that no change by an app is lost,
//! - what fails because somebody else wrote meanwhile is a [`StoreError::Conflict`], to be tried
//!   again.
//!
//! No error tells more than the server's message: its details may hold a whole row.

mod check;
mod connection;
mod import;
mod references;
mod schema;
mod server;
mod tls;

use std::path::Path;
use std::time::{Duration, SystemTime};

use postgres::error::SqlState;
use postgres::types::{ToSql, Type};
use postgres::{Client, IsolationLevel};

pub use self::server::Server;
use super::{
    Access, Cause, ImportRow, Location, Migrated, Reference, Row, Schema, Store, StoreError,
    StoredSecret, Transaction,
};
use crate::check::Finding;
use crate::credential::NewCredential;
use crate::escape::Escaped;
use crate::event::Event;
use crate::group::Group;
use crate::language::Language;
use crate::user::StoredText;
use crate::username::Username;

/// A parameter of a query, and its type.
type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// An open connection.
pub(super) struct Postgres {
    client: Client,
    location: Location,
    access: Access,
    /// The schema that has the table `users`, or is to have it.
    schema: String,
}

impl Postgres {
    pub(super) fn open(server: &Server, access: Access) -> Result<Self, StoreError> {
        let location = Location::Postgres(server.clone());
        let mut client = connection::connect(server, &location)?;
        let schema = schema::find(&mut client, &location)?;
        Ok(Self { client, location, access, schema })
    }

    /// Begins a transaction with settings of its own.
    fn transaction(&mut self, access: Access) -> Result<PostgresTransaction<'_>, StoreError> {
        let Self { client, location, access: opened_to, schema } = self;
        let fail = |error| connection::error(location, &error);
        let is_read_only = [access, *opened_to].iter().any(|access| *access != Access::Write);
        // To read is to see one moment.
        let level = if is_read_only {
            IsolationLevel::RepeatableRead
        } else {
            IsolationLevel::ReadCommitted
        };
        let transaction =
            client.build_transaction().isolation_level(level).read_only(is_read_only).start();
        let mut transaction = transaction.map_err(fail)?;
        transaction.batch_execute(&connection::settings(schema)).map_err(fail)?;
        let (unique_indexes, import) = (Vec::new(), None);
        Ok(PostgresTransaction { transaction, location, schema, access, unique_indexes, import })
    }
}

impl Store for Postgres {
    fn schema(&mut self) -> Result<Schema, StoreError> {
        schema::inspect(&mut self.transaction(Access::Read)?)
    }

    fn migrate(&mut self) -> Result<Migrated, StoreError> {
        schema::migrate(self.transaction(Access::Write)?, false)
    }

    fn check(&mut self, each: &mut dyn FnMut(Row)) -> Result<Vec<Finding>, StoreError> {
        check::check(&mut self.transaction(Access::Read)?, each)
    }

    fn repair(&mut self) -> Result<Vec<Event>, StoreError> {
        schema::migrate(self.transaction(Access::Write)?, true).map(|migrated| migrated.events)
    }

    fn backup(&mut self, _file: &Path, _overwrite: bool) -> Result<(), StoreError> {
        Err(StoreError::NotForServers)
    }

    fn begin(&mut self, access: Access) -> Result<Box<dyn Transaction + '_>, StoreError> {
        let mut transaction = self.transaction(access)?;
        if access == Access::Write {
            transaction.run("SELECT pg_advisory_xact_lock($1)", &[(&WRITERS, Type::INT8)])?;
        }
        let schema = schema::inspect(&mut transaction)?;
        schema.require_latest(transaction.location)?;
        Ok(Box::new(transaction))
    }
}

/// The advisory lock of whoever changes users; the number is "dash-use" in ASCII.
const WRITERS: i64 = 0x6461_7368_2d75_7365;

struct PostgresTransaction<'a> {
    transaction: postgres::Transaction<'a>,
    location: &'a Location,
    schema: &'a str,
    access: Access,
    /// The indexes by which a name is there once.
    unique_indexes: Vec<String>,
    /// The import that was begun.
    import: Option<import::Import>,
}

impl PostgresTransaction<'_> {
    fn error(&self, error: &postgres::Error) -> StoreError {
        let constraint = error.as_db_error().and_then(|db_error| {
            Some((db_error.code(), db_error.table()?, db_error.constraint()?))
        });
        match constraint {
            // Who asked before found nobody of that name.
            Some((&SqlState::UNIQUE_VIOLATION, "users", index))
                if self.unique_indexes.iter().any(|unique| unique == index) =>
            {
                StoreError::Conflict { location: self.location.clone() }
            }
            Some((&(SqlState::FOREIGN_KEY_VIOLATION | SqlState::RESTRICT_VIOLATION), table, _))
                if table != "users" =>
            {
                self.refused(&format!("rows of {} refer to the user", Escaped(table)))
            }
            _ => connection::error(self.location, error),
        }
    }

    fn refused(&self, reason: &str) -> StoreError {
        StoreError::Refused { location: self.location.clone(), reason: reason.to_owned() }
    }

    fn query(&mut self, sql: &str, params: &[Param]) -> Result<Vec<postgres::Row>, StoreError> {
        self.transaction.query_typed(sql, params).map_err(|error| self.error(&error))
    }

    fn query_one(&mut self, sql: &str, params: &[Param]) -> Result<postgres::Row, StoreError> {
        self.transaction.query_typed_one(sql, params).map_err(|error| self.error(&error))
    }

    /// Runs a statement, and says how many rows it touched.
    fn run(&mut self, sql: &str, params: &[Param]) -> Result<u64, StoreError> {
        self.transaction.execute_typed(sql, params).map_err(|error| self.error(&error))
    }

    /// Hands out what a query finds while it comes in.
    fn stream(
        &mut self,
        sql: &str,
        params: Vec<Param>,
        each: &mut dyn FnMut(&postgres::Row),
    ) -> Result<(), StoreError> {
        use postgres::fallible_iterator::FallibleIterator;

        let location = self.location;
        let fail = |error| connection::error(location, &error);
        let mut rows = self.transaction.query_typed_raw(sql, params).map_err(fail)?;
        while let Some(row) = rows.next().map_err(fail)? {
            each(&row);
        }
        Ok(())
    }

    /// Changes one row.
    fn change(&mut self, sql: &str, params: &[Param]) -> Result<(), StoreError> {
        match self.run(sql, params)? {
            0 => Err(self.refused(PASSED_OVER)),
            _ => Ok(()),
        }
    }

    fn texts(&mut self, sql: &str, params: &[Param]) -> Result<Vec<String>, StoreError> {
        Ok(self.query(sql, params)?.iter().map(|row| row.get(0)).collect())
    }
}

/// Why nothing changed where something was to.
const PASSED_OVER: &str = "a trigger of the app passed it over";

/// A name as a parameter; none if no text of this database can be equal to it.
///
/// Where users are looked up by it, it is given [no type](Type::UNKNOWN), and so has that of the
/// app's column: names are compared as the column compares them.
fn key(username: &[u8]) -> Option<&str> {
    str::from_utf8(username).ok().filter(|name| !name.contains('\0'))
}

/// A user with groups. The app's table may have columns of any name and texts of any type.
const SELECT: &str = "SELECT users.username::text, users.password_hash::text, users.language::text,
        times.created_at, times.password_changed_at,
        ARRAY(SELECT group_name FROM user_groups
              WHERE user_groups.username = users.username::text COLLATE \"C\"
              ORDER BY group_name)
    FROM users LEFT JOIN dash_users_times AS times
        ON times.username = users.username::text COLLATE \"C\"";

fn read_row(row: &postgres::Row) -> Row {
    let groups: Vec<String> = row.get(5);
    Row {
        username: stored_text(row.get(0)),
        secret: StoredSecret::from(stored_text(row.get(1))),
        language: stored_text(row.get(2)),
        created_at: time(row.get(3)),
        password_changed_at: time(row.get(4)),
        groups: groups.into_iter().map(StoredText::Text).collect(),
    }
}

/// A time of the years 1970 to 9999; none for another one, as in SQLite. Nothing of ours happened
/// then, and RFC 3339 has no years after them.
fn time(time: Option<SystemTime>) -> Option<SystemTime> {
    const YEAR_10000: Duration = Duration::from_secs(253_402_300_800);
    time.filter(|time| {
        time.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|since| since < YEAR_10000)
    })
}

fn stored_text(text: Option<String>) -> StoredText {
    text.map_or(StoredText::Null, StoredText::Text)
}

fn read_event(row: &postgres::Row) -> Event {
    Event {
        id: row.get(0),
        at: time(row.get(1)),
        actor: stored_text(row.get(2)),
        action: stored_text(row.get(3)),
        username: stored_text(row.get(4)),
        detail: stored_text(row.get(5)),
    }
}

impl Transaction for PostgresTransaction<'_> {
    fn get(&mut self, username: &[u8]) -> Result<Option<Row>, StoreError> {
        let Some(name) = key(username) else { return Ok(None) };
        // Whoever is going to change the row keeps others from it.
        let lock = if self.access == Access::Write { "FOR UPDATE OF users" } else { "" };
        let select = format!("{SELECT} WHERE users.username = $1 {lock}");
        let rows = self.query(&select, &[(&name, Type::UNKNOWN)])?;
        Ok(rows.first().map(read_row))
    }

    fn rows(&mut self, each: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        let select = format!("{SELECT} ORDER BY users.username::text COLLATE \"C\" NULLS FIRST");
        self.stream(&select, Vec::new(), &mut |row| each(read_row(row)))
    }

    fn names(&mut self, prefix: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        let select = "SELECT username::text FROM users
                      WHERE starts_with(username::text COLLATE \"C\", $1)
                      ORDER BY username::text COLLATE \"C\" LIMIT $2";
        self.texts(select, &[(&prefix, Type::TEXT), (&i64::from(limit), Type::INT8)])
    }

    fn groups(&mut self, prefix: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        let select = "SELECT DISTINCT group_name FROM user_groups WHERE starts_with(group_name, $1)
                      ORDER BY group_name LIMIT $2";
        self.texts(select, &[(&prefix, Type::TEXT), (&i64::from(limit), Type::INT8)])
    }

    fn is_empty(&mut self) -> Result<bool, StoreError> {
        // Who asks that in order to change something relies on the answer, and on those of `find`.
        if self.access == Access::Write {
            self.run("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE", &[])?;
        }
        Ok(self.query_one("SELECT NOT EXISTS (SELECT 1 FROM users)", &[])?.get(0))
    }

    fn similar(&mut self, username: &Username) -> Result<Vec<StoredText>, StoreError> {
        let select = "SELECT username::text FROM users
                      WHERE lower(username::text COLLATE \"C\") = lower($1 COLLATE \"C\")
                          AND username::text <> $1
                      ORDER BY username::text COLLATE \"C\"";
        let names = self.texts(select, &[(&username.as_str(), Type::TEXT)])?;
        Ok(names.into_iter().map(StoredText::Text).collect())
    }

    fn references(&mut self, username: &[u8]) -> Result<Vec<Reference>, StoreError> {
        match key(username) {
            Some(name) => references::to_user(self, name),
            None => Ok(Vec::new()),
        }
    }

    fn attribute(&mut self, cause: &Cause<'_>) -> Result<(), StoreError> {
        let Cause { actor, action, detail } = *cause;
        let set = "SELECT set_config('dash_users.actor', coalesce($1, ''), true),
                          set_config('dash_users.action', $2, true),
                          set_config('dash_users.detail', coalesce($3, ''), true)";
        let (actor, detail) = (actor.map(printable), detail.map(printable));
        let params: [Param; 3] =
            [(&actor, Type::TEXT), (&action, Type::TEXT), (&detail, Type::TEXT)];
        self.query(set, &params).map(drop)
    }

    fn events(
        &mut self,
        username: Option<&[u8]>,
        limit: Option<u32>,
        each: &mut dyn FnMut(Event),
    ) -> Result<(), StoreError> {
        let limit = limit.map(i64::from);
        let all = "SELECT id, at, actor, action, username, detail FROM user_events
                   ORDER BY id DESC LIMIT $1";
        let of_user = "WITH RECURSIVE names (name, last) AS (
               SELECT left($2, 1024) COLLATE \"C\", (SELECT max(id) FROM user_events)
               UNION
               SELECT event.username, event.id - 1 FROM names, user_events AS event
               WHERE event.action = 'rename' AND event.detail = 'to ' || name AND event.id <= last)
             SELECT id, at, actor, action, username, detail FROM user_events AS event
             WHERE EXISTS (SELECT 1 FROM names WHERE name = event.username AND event.id <= last + 1)
             ORDER BY id DESC LIMIT $1";
        let mut each = |row: &postgres::Row| each(read_event(row));
        match username {
            None => self.stream(all, vec![(&limit, Type::INT8)], &mut each),
            Some(username) => match key(username) {
                Some(name) => {
                    let params: Vec<Param> = vec![(&limit, Type::INT8), (&name, Type::TEXT)];
                    self.stream(of_user, params, &mut each)
                }
                None => Ok(()),
            },
        }
    }

    fn insert(
        &mut self,
        username: &Username,
        credential: &NewCredential,
        language: &Language,
    ) -> Result<(), StoreError> {
        let insert = "INSERT INTO users (username, password_hash, language) VALUES ($1, $2, $3)";
        let credential = credential.to_string();
        let params: [Param; 3] = [
            (&username.as_str(), Type::TEXT),
            (&credential, Type::TEXT),
            (&language.as_str(), Type::TEXT),
        ];
        self.change(insert, &params)
    }

    fn set_credential(&mut self, username: &[u8], new: &NewCredential) -> Result<(), StoreError> {
        let update = "UPDATE users SET password_hash = $2 WHERE username = $1";
        let params: [Param; 2] = [(&key(username), Type::UNKNOWN), (&new.to_string(), Type::TEXT)];
        self.change(update, &params)
    }

    fn set_language(&mut self, username: &[u8], language: &Language) -> Result<(), StoreError> {
        let update = "UPDATE users SET language = $2 WHERE username = $1";
        let params: [Param; 2] =
            [(&key(username), Type::UNKNOWN), (&language.as_str(), Type::TEXT)];
        self.change(update, &params)
    }

    fn rename(&mut self, username: &[u8], new: &Username) -> Result<(), StoreError> {
        let update = "UPDATE users SET username = $2 WHERE username = $1";
        let params: [Param; 2] = [(&key(username), Type::UNKNOWN), (&new.as_str(), Type::TEXT)];
        self.change(update, &params)
    }

    fn add_group(&mut self, username: &[u8], group: &Group) -> Result<bool, StoreError> {
        let insert = "INSERT INTO user_groups (username, group_name) VALUES ($1, $2)
                      ON CONFLICT DO NOTHING";
        let params: [Param; 2] = [(&key(username), Type::TEXT), (&group.as_str(), Type::TEXT)];
        Ok(self.run(insert, &params)? > 0)
    }

    fn remove_group(&mut self, username: &[u8], group: &[u8]) -> Result<bool, StoreError> {
        let delete = "DELETE FROM user_groups WHERE username = $1 AND group_name = $2";
        let params: [Param; 2] = [(&key(username), Type::TEXT), (&key(group), Type::TEXT)];
        Ok(self.run(delete, &params)? > 0)
    }

    fn find(&mut self, usernames: &[&StoredText]) -> Result<Vec<Option<Row>>, StoreError> {
        let names: Vec<Option<&str>> =
            usernames.iter().map(|name| name.as_key().and_then(key)).collect();
        // As the column compares names, by the indexes on it.
        let wanted = "SELECT format_type(atttypid, NULL) FROM pg_attribute
                      WHERE attrelid = to_regclass('users') AND attname = 'username'";
        let name_type: String = self.query_one(wanted, &[])?.get(0);
        let select = format!(
            "SELECT found.*, position
             FROM unnest($1) WITH ORDINALITY AS wanted (name, position)
                 JOIN LATERAL ({SELECT} WHERE users.username = wanted.name::{name_type}) AS found
                     ON true"
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

    fn import(&mut self, rows: Vec<ImportRow>) -> Result<(), StoreError> {
        let mut import = match self.import.take() {
            Some(import) => import,
            None => import::Import::begin(self)?,
        };
        import.write(self, rows)?;
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
        let delete = "DELETE FROM users WHERE username = $1";
        self.change(delete, &[(&key(username), Type::UNKNOWN)])
    }

    fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        // What was deferred may fail, while it can still be told why.
        self.run("SET CONSTRAINTS ALL IMMEDIATE", &[])?;
        let location = self.location;
        self.transaction.commit().map_err(|error| connection::commit_error(location, &error))
    }
}

/// A text without NUL, which no text of this database can hold.
fn printable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// SQL that removes a user whose name no command can be given.
pub(super) fn sql_to_remove(username: &StoredText) -> String {
    match username {
        StoredText::Null => "DELETE FROM users WHERE username IS NULL".to_owned(),
        name => {
            let hex = base16ct::lower::encode_string(name.as_bytes());
            format!("DELETE FROM users WHERE convert_to(username, 'UTF8') = '\\x{hex}'")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_of_the_years_1970_to_9999() {
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
