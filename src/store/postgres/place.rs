//! Opening a transaction: where the users are, and everything that the transaction relies on, with
//! one message to the server.

use std::fmt::Write as _;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use postgres::error::SqlState;
use postgres::types::Type;
use postgres::{Client, SimpleQueryMessage, SimpleQueryRow};

use super::catalog::Catalog;
use super::connection::{self, Connection, SEARCH_PATH, connect, quoted};
use super::server::Server;
use super::{commit, printable};
use crate::store::{Cause, Location, StoreError};

/// The location of the users, and the roles that access them.
pub(super) struct Place {
    /// The schema that has the table `users`, or in which to create it.
    pub(super) schema: String,
    /// Whether the login role is a superuser, who then owns the tables.
    pub(super) is_superuser: bool,
    /// Whether the encoding can represent every text.
    pub(super) holds_unicode: bool,
    /// Another table that may be the intended one, if there is none here.
    pub(super) other_table: Option<OtherTable>,
}

/// A table `users` in another schema, or one whose name differs by case.
#[derive(Clone)]
pub(super) struct OtherTable {
    pub(super) schema: String,
    pub(super) name: String,
    /// Whether it has the columns of users.
    pub(super) has_users: bool,
}

/// The oldest supported server version: PostgreSQL 13.
const MIN_SERVER: i32 = 13;

/// The timeout of one statement.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(60);

/// The errors of [`ENTER`]: the server is too old, and there is no usable schema.
const OLD_SERVER: &str = "DU001";
const NO_SCHEMA: &str = "DU002";

/// The settings of a transaction, whatever the role, the database or the URL sets.
///
/// The first statement alone uses the session's search path: nothing in it can be shadowed. The
/// parser sees no setting of the same message, so no literal has a backslash.
///
/// Rows hidden by row-level security raise an error, because they must not count as missing.
const SETTINGS: &str = "
    SELECT pg_catalog.set_config('dash_users.path',
                                 pg_catalog.current_schemas(false)::pg_catalog.text, true);
    SET LOCAL search_path = pg_catalog, pg_temp;
    SET LOCAL row_security = off;
    SET LOCAL quote_all_identifiers = off;
    SET LOCAL standard_conforming_strings = on;
    SET LOCAL check_function_bodies = on;
    SET LOCAL dash_users.bulk = '';
    SET LOCAL dash_users.recorded = '';
    SET LOCAL dash_users.failure = '';
    SET LOCAL idle_in_transaction_session_timeout = 0;
    SET LOCAL client_min_messages = error;";

/// The server, and the first schema of the path that has a table `users`; otherwise the first one.
///
/// Since PostgreSQL 16, a member of a role may not be allowed to SET ROLE to it.
const FIND: &str = "
    SELECT current_setting('server_encoding'), current_setting('session_replication_role'),
           (SELECT rolsuper FROM pg_roles WHERE rolname = current_user), pg_is_in_recovery(),
           current_setting('default_transaction_read_only')::boolean,
           CASE WHEN current_setting('default_transaction_read_only')::boolean
                THEN (SELECT source FROM pg_settings
                      WHERE name = 'default_transaction_read_only') END,
           current_database(), current_user;
    WITH path (name, position) AS (
             SELECT name, position FROM unnest(current_setting('dash_users.path')::name[])
                 WITH ORDINALITY AS path (name, position)
             WHERE left(name::text, 3) <> 'pg_'),
         found (name, owner, is_member, would_obey) AS (
             SELECT path.name, owner.rolname, owner.rolname <> current_user
                    AND pg_has_role(owner.oid,
                            CASE WHEN current_setting('server_version_num')::integer < 160000
                                 THEN 'MEMBER' ELSE 'SET' END),
                    NOT owner.rolsuper AND EXISTS (
                        SELECT 1 FROM pg_roles AS super WHERE super.rolsuper
                            AND (pg_has_role(session_user, super.oid, 'MEMBER')
                                 OR pg_has_role(current_user, super.oid, 'MEMBER')))
             FROM path JOIN pg_namespace ON nspname = path.name
                 JOIN pg_class ON relnamespace = pg_namespace.oid
                     AND relname = 'users' AND relkind IN ('r', 'p', 'v', 'm', 'f')
                 JOIN pg_roles AS owner ON owner.oid = relowner
             ORDER BY position LIMIT 1),
         place (name) AS (
             SELECT coalesce((SELECT name FROM found),
                             (SELECT name FROM path ORDER BY position LIMIT 1)))
    SELECT place.name, found.owner, would_obey,
           set_config('dash_users.schema', coalesce(quote_ident(place.name), ''), true),
           set_config('dash_users.owner', CASE WHEN is_member THEN owner ELSE '' END, true)
    FROM place LEFT JOIN found ON true;";

/// Applies what depends on the server and the place: further settings, and the role, which is the
/// owner if that is a group with the login role as a member, so new objects belong to the group.
///
/// With `{lock}`, acquires the lock of a program of this crate that changes users. It conflicts with
/// itself, but not with the triggers' work for an app, and needs a privilege that the app's role
/// does not have.
const ENTER: &str = "
    DO $dash_users$
    DECLARE
        server integer := current_setting('server_version_num')::integer;
        of_users text := current_setting('dash_users.schema');
        new_role text := coalesce(current_setting('dash_users.owner', true), '');
    BEGIN
        IF server < {min_server} * 10000 THEN
            RAISE EXCEPTION USING ERRCODE = '{old_server}', MESSAGE = server / 10000;
        END IF;
        IF of_users = '' THEN
            RAISE EXCEPTION USING ERRCODE = '{no_schema}';
        END IF;
        IF server >= 170000 THEN
            SET LOCAL transaction_timeout = 0;
        END IF;
        -- Otherwise the server would fail on text that is not UTF-8.
        IF current_setting('server_encoding') = 'SQL_ASCII' THEN
            SET LOCAL client_encoding = 'SQL_ASCII';
        END IF;
        IF new_role <> '' THEN
            EXECUTE format('SET LOCAL ROLE %I', new_role);
        END IF;
        IF {lock} AND NOT current_setting('transaction_read_only')::boolean AND EXISTS (
            SELECT 1 FROM pg_class WHERE relname = 'dash_users_times' AND relkind = 'r'
                AND relnamespace = to_regnamespace(of_users))
        THEN
            EXECUTE format('LOCK TABLE %s.dash_users_times IN SHARE UPDATE EXCLUSIVE MODE',
                           of_users);
        END IF;
    END
    $dash_users$;";

/// Sets the search path for statements that write: see `PostgresTransaction::write`.
const WRITE_PATH: &str = "
    SELECT set_config('search_path',
                      format('pg_catalog, %s, pg_temp', current_setting('dash_users.schema')), true);";

/// How to open a transaction.
pub(super) struct Opening<'a> {
    pub(super) is_read_only: bool,
    pub(super) lock_timeout: Duration,
    /// Whether to exclude other programs that change users.
    pub(super) locks: bool,
    /// What the history records for changes.
    pub(super) cause: Option<&'a Cause<'a>>,
}

impl Opening<'_> {
    /// Opens a transaction to read, or to write without excluding others.
    pub(super) fn new(lock_timeout: Duration) -> Self {
        Self { is_read_only: true, lock_timeout, locks: false, cause: None }
    }

    fn sql(&self) -> String {
        let mut sql = format!("{}{};", self.place_sql(), Catalog::sql());
        if let Some(cause) = self.cause {
            sql.push_str(&set_cause(cause));
            sql.push_str(WRITE_PATH);
        }
        sql
    }

    /// Without the catalog.
    fn place_sql(&self) -> String {
        // A reader sees a consistent snapshot. Otherwise the database's settings decide.
        let mut sql = if self.is_read_only {
            "START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;".to_owned()
        } else {
            "START TRANSACTION ISOLATION LEVEL READ COMMITTED;".to_owned()
        };
        let timeouts = [("lock", self.lock_timeout), ("statement", STATEMENT_TIMEOUT)];
        sql.push_str(SETTINGS);
        for (name, timeout) in timeouts {
            let _ = write!(sql, "SET LOCAL {name}_timeout = {};", timeout.as_millis());
        }
        sql.push_str(FIND);
        let enter = ENTER.replace("{min_server}", &MIN_SERVER.to_string());
        let enter = enter.replace("{old_server}", OLD_SERVER).replace("{no_schema}", NO_SCHEMA);
        sql.push_str(&enter.replace("{lock}", if self.locks { "true" } else { "false" }));
        sql
    }
}

/// Sets what the history records for changes.
pub(super) fn set_cause(cause: &Cause<'_>) -> String {
    let Cause { actor, action, detail } = *cause;
    let of = |text: Option<&str>| literal(&text.map(printable).unwrap_or_default());
    format!(
        "SELECT set_config('dash_users.actor', {}, true), set_config('dash_users.action', {}, true),
                set_config('dash_users.detail', {}, true);",
        of(actor),
        of(Some(action)),
        of(detail)
    )
}

/// A string literal, whatever `standard_conforming_strings` is.
fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// A transaction of a connection. Dropping it rolls it back.
pub(super) struct Session<'a> {
    /// `None` once the commit begins.
    connection: Option<Connection>,
    /// Where the connection is between transactions. `None` if it is lost.
    home: &'a mut Option<Connection>,
}

impl Session<'_> {
    /// Takes the connection, to commit with it.
    pub(super) fn take(&mut self) -> Option<Connection> {
        self.connection.take()
    }

    /// Puts the connection, or a new one, where the next transaction finds it.
    pub(super) fn end(self, connection: Option<Connection>) {
        *self.home = connection;
    }
}

impl Deref for Session<'_> {
    type Target = Client;

    fn deref(&self) -> &Client {
        match &self.connection {
            Some(connection) => &connection.client,
            None => unreachable!("it ended"),
        }
    }
}

impl DerefMut for Session<'_> {
    fn deref_mut(&mut self) -> &mut Client {
        match &mut self.connection {
            Some(connection) => &mut connection.client,
            None => unreachable!("it ended"),
        }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            // If that fails, the connection is lost, and the transaction with it.
            let _ = connection.client.batch_execute("ROLLBACK");
            *self.home = Some(connection);
        }
    }
}

/// The rows of each statement that returns rows.
pub(super) type Results = Vec<Vec<SimpleQueryRow>>;

/// Runs several statements with one message.
pub(super) fn run(client: &mut Client, sql: &str) -> Result<Results, postgres::Error> {
    let mut results = Results::new();
    for message in client.simple_query(sql)? {
        match message {
            SimpleQueryMessage::RowDescription(_) => results.push(Vec::new()),
            SimpleQueryMessage::Row(row) => results.last_mut().map_or((), |rows| rows.push(row)),
            _ => {}
        }
    }
    Ok(results)
}

/// Whether a column is true.
pub(super) fn is_true(row: &SimpleQueryRow, column: usize) -> bool {
    row.get(column) == Some("t")
}

/// An open transaction.
pub(super) struct Opened<'a> {
    pub(super) session: Session<'a>,
    pub(super) place: Place,
    /// The results of the catalog's queries.
    pub(super) results: Results,
    /// The error that needs the place for its explanation, if any.
    pub(super) error: Option<postgres::Error>,
}

/// Opens a transaction. A connection that is missing or turns out to be lost is replaced.
pub(super) fn open<'a>(
    home: &'a mut Option<Connection>,
    (server, location): (&Server, &Location),
    opening: &Opening<'_>,
) -> Result<Opened<'a>, StoreError> {
    let sql = opening.sql();
    let begin = |mut connection: Connection| (run(&mut connection.client, &sql), connection);
    let kept = home.take().filter(|connection| !connection.client.is_closed()).map(begin);
    let (answer, connection) = match kept {
        Some((Err(error), _)) if commit::is_lost(&error) => begin(connect(server, location)?),
        Some(kept) => kept,
        None => begin(connect(server, location)?),
    };
    let mut session = Session { connection: Some(connection), home };
    let mut error = None;
    let results = match answer {
        Ok(results) => results,
        Err(failure) => {
            let state = failure.code();
            let needs_place = [SqlState::INSUFFICIENT_PRIVILEGE, SqlState::LOCK_NOT_AVAILABLE];
            match state.map(SqlState::code) {
                Some(OLD_SERVER) => return Err(old_server(location, &failure)),
                Some(NO_SCHEMA) => return Err(unusable_path(&mut session, location)),
                _ if state.is_some_and(|state| needs_place.contains(state)) => {
                    error = Some(failure);
                    let only = Opening { locks: false, cause: None, ..*opening };
                    run(&mut session, &format!("ROLLBACK; {}", only.place_sql()))
                }
                _ => Err(failure),
            }
            .map_err(|failure| connection::error(location, &failure))?
        }
    };
    let mut results = results.into_iter();
    // The first is the path.
    let [_, settings, found] = [(); 3].map(|()| results.next().unwrap_or_default());
    let cannot = |reason: &str| StoreError::CannotConnect {
        location: location.clone(),
        reason: reason.to_owned(),
    };
    let (Some(settings), Some(found)) = (settings.first(), found.first()) else {
        return Err(cannot("the server sends no results"));
    };
    if settings.get(1) == Some("replica") {
        return Err(cannot(
            "session_replication_role is 'replica', so triggers do not fire: ALTER ROLE or ALTER \
             DATABASE … RESET session_replication_role",
        ));
    }
    // Triggers of the owner can acquire every right of the session: SET ROLE is no protection.
    if is_true(found, 2) {
        let owner = quoted(found.get(1).unwrap_or_default());
        return Err(cannot(&format!(
            "a superuser, or a member of such a role, would run the triggers of {owner}, who owns \
             'users', with a superuser's rights: connect as {owner}"
        )));
    }
    if !opening.is_read_only
        && let Some(error) = read_only(settings, location)
    {
        return Err(error);
    }
    let schema = found.get(0).unwrap_or_default().to_owned();
    let other_table = match found.get(1) {
        Some(_) => None,
        None => other_table(&mut session, &schema)
            .map_err(|failure| connection::error(location, &failure))?,
    };
    let place = Place {
        schema,
        is_superuser: is_true(settings, 2),
        holds_unicode: matches!(settings.get(0), Some("SQL_ASCII" | "UTF8")),
        other_table,
    };
    Ok(Opened { session, place, results: results.collect(), error })
}

fn old_server(location: &Location, failure: &postgres::Error) -> StoreError {
    let found = failure.as_db_error().map_or("too old", |error| error.message());
    let reason = format!("the server is PostgreSQL {found}; {MIN_SERVER} is the oldest");
    StoreError::CannotConnect { location: location.clone(), reason }
}

/// The error for changes if the server is read-only.
fn read_only(row: &SimpleQueryRow, location: &Location) -> Option<StoreError> {
    if is_true(row, 3) {
        return Some(StoreError::ReadOnly {
            location: location.clone(),
            reason: "the server is a standby, which is read-only".to_owned(),
            hint: "use the primary, or all hosts with target_session_attrs=read-write in the URL"
                .to_owned(),
        });
    }
    let name = |column| quoted(row.get(column).unwrap_or_default());
    let (database, role) = (name(6), name(7));
    let setting = "default_transaction_read_only";
    let (whose, undo) = match row.get(5) {
        Some("database") => {
            (" for the database", format!("ALTER DATABASE {database} RESET {setting};"))
        }
        Some("user") => (" for the role", format!("ALTER ROLE {role} RESET {setting};")),
        Some("database user") => (
            " for the role in the database",
            format!("ALTER ROLE {role} IN DATABASE {database} RESET {setting};"),
        ),
        Some("client") => (" by PGOPTIONS or the options of the URL", "remove it there".to_owned()),
        _ => (" for the server", format!("ALTER SYSTEM RESET {setting}; SELECT pg_reload_conf();")),
    };
    is_true(row, 4).then(|| StoreError::ReadOnly {
        location: location.clone(),
        reason: format!("it is read-only: {setting} is on{whose}"),
        hint: format!("to allow changes: {undo}"),
    })
}

/// The error if there is no usable schema: none exists, or the role may use none.
fn unusable_path(session: &mut Session<'_>, location: &Location) -> StoreError {
    let reason = "the role's search path has no schema that exists and that it may use".to_owned();
    // A schema with users, or else the first one that the session's own search path names.
    let select = "SELECT format('GRANT USAGE%s ON SCHEMA %I TO %I;',
                             CASE WHEN pg_class.oid IS NULL THEN ', CREATE' ELSE '' END,
                             nspname, current_user)
                  FROM pg_namespace
                      LEFT JOIN pg_class ON relnamespace = pg_namespace.oid
                          AND relname = 'users' AND relkind IN ('r', 'p')
                      LEFT JOIN (SELECT CASE trimmed WHEN '$user' THEN current_user
                                                     ELSE trimmed END, position
                                 FROM pg_settings,
                                     regexp_split_to_table(reset_val, ',')
                                         WITH ORDINALITY AS part (part, position),
                                     btrim(part, ' \"') AS trimmed
                                 WHERE name = 'search_path') AS path (named, position)
                          ON named = nspname::text
                  WHERE (pg_class.oid IS NOT NULL OR position IS NOT NULL)
                      AND NOT has_schema_privilege(pg_namespace.oid, 'USAGE')
                  ORDER BY pg_class.oid IS NULL, position, nspname = 'public' DESC LIMIT 1";
    let select = format!("ROLLBACK; START TRANSACTION READ ONLY; {SEARCH_PATH}; {select}");
    let results = run(session, &select).unwrap_or_default();
    match results.first().and_then(|rows| rows.first()?.get(0)) {
        Some(grant) => {
            let hint = grant.to_owned();
            StoreError::CannotOpen { location: location.clone(), reason, hint }
        }
        None => StoreError::CannotConnect { location: location.clone(), reason },
    }
}

/// Another table that may be the intended one if `schema` has none. One that an app is likely to
/// use comes first.
fn other_table(
    session: &mut Session<'_>,
    schema: &str,
) -> Result<Option<OtherTable>, postgres::Error> {
    let select = "SELECT nspname::text, relname::text,
                      (SELECT count(DISTINCT lower(attname)) = 2 FROM pg_attribute
                       WHERE attrelid = pg_class.oid AND NOT attisdropped
                           AND lower(attname) IN ('username', 'password_hash')) AS has_users
                  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
                  WHERE lower(relname) = 'users' AND relkind IN ('r', 'p', 'v', 'm', 'f')
                      AND nspname <> 'information_schema' AND NOT starts_with(nspname::text, 'pg_')
                  ORDER BY has_users DESC, nspname = $1 DESC, nspname, relname LIMIT 1";
    let rows = session.query_typed(select, &[(&schema, Type::TEXT)])?;
    Ok(rows.first().map(|row| OtherTable {
        schema: row.get(0),
        name: row.get(1),
        has_users: row.get(2),
    }))
}
