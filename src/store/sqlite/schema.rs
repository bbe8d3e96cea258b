//! The schema in a SQLite file: what is there, and how it is brought up to date.
//!
//! The version is the one row of `dash_users_schema`, not `PRAGMA user_version`, which belongs to
//! the app that owns the file.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::Sqlite;
use crate::store::{Location, Migration, Schema, StoreError};

/// Every migration, its SQL, and the index or trigger by which one sees that its work is there.
const MIGRATIONS: [(Migration, &str, &[&str]); 1] = [(
    Migration { version: 1, name: "users" },
    include_str!("001_users.sql"),
    &["dash_users_username_nocase"],
)];

/// The latest version.
pub(super) const LATEST: u32 = MIGRATIONS[MIGRATIONS.len() - 1].0.version;

/// Looks at the schema. Within a transaction, what it finds stays true until its end.
pub(super) fn inspect(connection: &Connection, location: &Location) -> Result<Schema, StoreError> {
    let version = version(connection, location)?;
    let users = users_table(connection, location)?;
    let mut schema = Schema {
        version,
        applied: Vec::new(),
        pending: Vec::new(),
        has_users_table: users.is_some(),
        required_columns: users.unwrap_or_default(),
    };
    for (migration, _, objects) in MIGRATIONS {
        let is_applied = migration.version <= version
            && schema.has_users_table
            && objects
                .iter()
                .try_fold(true, |all, name| Ok(all && exists(connection, name)?))
                .map_err(sql_error(location))?;
        if is_applied { &mut schema.applied } else { &mut schema.pending }.push(migration);
    }
    Ok(schema)
}

/// Applies what is pending. The version is read inside the transaction that changes it, so that
/// of several programs at once one does the work and the others find it done.
pub(super) fn migrate(store: &mut Sqlite) -> Result<Vec<Migration>, StoreError> {
    let Sqlite { connection, location } = store;
    let fail = sql_error(location);
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&fail)?;
    let pending = inspect(&transaction, location)?.pending;
    for (migration, sql, _) in MIGRATIONS {
        if pending.contains(&migration) {
            transaction.execute_batch(sql).map_err(&fail)?;
        }
    }
    if !pending.is_empty() {
        transaction
            .execute_batch(
                "CREATE TABLE IF NOT EXISTS dash_users_schema (version INTEGER NOT NULL);
                 DELETE FROM dash_users_schema;",
            )
            .map_err(&fail)?;
        transaction
            .execute("INSERT INTO dash_users_schema (version) VALUES (?)", [LATEST])
            .map_err(&fail)?;
    }
    transaction.commit().map_err(&fail)?;
    Ok(pending)
}

/// The stored version; 0 without one.
fn version(connection: &Connection, location: &Location) -> Result<u32, StoreError> {
    let fail = sql_error(location);
    let unreadable = |reason: &str| StoreError::NotADatabase {
        location: location.clone(),
        reason: format!("its 'dash_users_schema' {reason}"),
    };
    let select = "SELECT type = 'table' AND EXISTS (
                    SELECT 1 FROM pragma_table_info('dash_users_schema') WHERE name = 'version')
                  FROM sqlite_schema WHERE name = 'dash_users_schema' COLLATE NOCASE";
    match connection.query_row(select, [], |row| row.get(0)).optional().map_err(&fail)? {
        None => return Ok(0),
        Some(false) => return Err(unreadable("is not a table with a column 'version'")),
        Some(true) => {}
    }
    let mut statement =
        connection.prepare("SELECT version FROM dash_users_schema").map_err(&fail)?;
    let versions: Vec<rusqlite::types::Value> = statement
        .query_map([], |row| row.get(0))
        .map_err(&fail)?
        .collect::<Result<_, _>>()
        .map_err(&fail)?;
    match versions[..] {
        [rusqlite::types::Value::Integer(found)] if found > i64::from(LATEST) => {
            Err(StoreError::NewerSchema { location: location.clone(), found, known: LATEST })
        }
        [rusqlite::types::Value::Integer(found)] => {
            u32::try_from(found).map_err(|_| unreadable("holds a negative version"))
        }
        _ => Err(unreadable("does not hold exactly one version")),
    }
}

/// Whether a table `users` that an app and this crate can share is there: if so, those of its
/// further columns which are NOT NULL without a default.
fn users_table(
    connection: &Connection,
    location: &Location,
) -> Result<Option<Vec<String>>, StoreError> {
    let fail = sql_error(location);
    let unfit = |reason: String| StoreError::NotADatabase { location: location.clone(), reason };
    let kind: Option<String> = connection
        .query_row(
            "SELECT type FROM sqlite_schema
             WHERE name = 'users' COLLATE NOCASE AND type IN ('table', 'view')",
            [],
            |row| row.get(0),
        )
        .optional()
        .map_err(&fail)?;
    match kind.as_deref() {
        None => return Ok(None),
        Some("table") => {}
        Some(_) => return Err(unfit("its 'users' is a view, not a table".to_owned())),
    }

    let mut wanted = vec!["username", "password_hash", "language"];
    let mut required = Vec::new();
    let mut statement = connection
        .prepare(
            "SELECT name, \"notnull\" AND dflt_value IS NULL AND hidden = 0 AND NOT
                          (pk AND type = 'INTEGER' COLLATE NOCASE
                           AND (SELECT max(pk) FROM pragma_table_info('users')) = 1 AND NOT
                           (SELECT wr FROM pragma_table_list('users') WHERE schema = 'main')),
                    hidden
             FROM pragma_table_xinfo('users')",
        )
        .map_err(&fail)?;
    let mut columns = statement.query([]).map_err(&fail)?;
    while let Some(row) = columns.next().map_err(&fail)? {
        let name: String = row.get(0).map_err(&fail)?;
        let position = wanted.iter().position(|wanted| name.eq_ignore_ascii_case(wanted));
        match position {
            Some(position) if row.get::<_, i64>(2).map_err(&fail)? == 0 => {
                wanted.remove(position);
            }
            Some(_) => {
                return Err(unfit(format!("column '{name}' of its table 'users' is generated")));
            }
            None if row.get(1).map_err(&fail)? => required.push(name),
            None => {}
        }
    }
    if let Some(missing) = wanted.first() {
        return Err(unfit(format!("its table 'users' has no column '{missing}'")));
    }

    let unique: bool = connection
        .query_row(
            "SELECT EXISTS (
               SELECT 1 FROM pragma_index_list('users') AS list
               WHERE list.\"unique\" AND NOT list.partial AND
                     (SELECT group_concat(ifnull(name, ''), ',') FROM pragma_index_info(list.name))
                     = 'username' COLLATE NOCASE)",
            [],
            |row| row.get(0),
        )
        .map_err(&fail)?;
    if !unique {
        return Err(unfit("its table 'users' has no unique index on 'username' alone".to_owned()));
    }
    Ok(Some(required))
}

/// Whether an index or trigger is there, and on the table `users`: with another one that an app
/// made in its place, it would still hang on the old one.
fn exists(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema
                        WHERE type IN ('index', 'trigger') AND name = ? COLLATE NOCASE
                          AND tbl_name = 'users' COLLATE NOCASE)",
        [name],
        |row| row.get(0),
    )
}

/// Says of a failed statement which database it was, and what it means.
pub(super) fn sql_error(location: &Location) -> impl Fn(rusqlite::Error) -> StoreError + '_ {
    |error| super::error(location, &error)
}
