//! The schema in a SQLite file: what is there, and how it is brought up to date.
//!
//! The version is the one row of `dash_users_schema`, not `PRAGMA user_version`, which belongs to
//! the app that owns the file.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::error::sql_error;
use super::file::sync_directory;
use super::{Sqlite, history, schema_text};
use crate::check::SchemaObjectKind;
use crate::escape::Escaped;
use crate::event::Event;
use crate::store::{Location, Migrated, Migration, Schema, StoreError};

/// Every migration and its SQL, which may be applied again: it makes what is missing.
const MIGRATIONS: [(Migration, &str); 2] = [
    (Migration { version: 1, name: "users" }, include_str!("001_users.sql")),
    (Migration { version: 2, name: "accounts" }, include_str!("002_accounts.sql")),
];

/// The latest version.
pub(super) const LATEST: u32 = MIGRATIONS[MIGRATIONS.len() - 1].0.version;

/// The first version with triggers: since then, times and groups are those of the users.
const WATCHED: u32 = 2;

/// The indexes and triggers that the migration of a version makes, and the table that each is on:
/// by their names one sees that its work is there. With another table that an app made in the
/// place of `users`, they would still be on the old one.
const OBJECTS: [(u32, &str, &str); 9] = [
    (1, "dash_users_username_nocase", "users"),
    (2, "dash_users_added", "users"),
    (2, "dash_users_removed", "users"),
    (2, "dash_users_renamed", "users"),
    (2, "dash_users_password", "users"),
    (2, "dash_users_language", "users"),
    (2, "dash_users_group_added", "user_groups"),
    (2, "dash_users_group_removed", "user_groups"),
    (2, "dash_users_group_changed", "user_groups"),
];

/// The tables of version 2, and their columns.
const TABLES: [(&str, &str); 4] = [
    ("user_groups", "username, group_name"),
    ("user_events", "id, at, actor, action, username, detail"),
    ("dash_users_times", "username, created_at, password_changed_at"),
    ("dash_users_change", "actor, action, detail, is_bulk"),
];

/// Looks at the schema. Within a transaction, what it finds stays true until its end.
pub(super) fn inspect(connection: &Connection, location: &Location) -> Result<Schema, StoreError> {
    let version = version(connection, location)?;
    let users = users_table(connection, location)?;
    let missing = missing(connection, location)?.into_iter();
    let damage: Vec<_> =
        missing.map(|(version, name)| (version, format!("its '{name}' is missing"))).collect();
    let migrations = MIGRATIONS.map(|(migration, _)| migration);
    Ok(Schema::new(version, users, &damage, migrations))
}

/// Which of our objects are not there, and the version of each.
pub(super) fn missing(
    connection: &Connection,
    location: &Location,
) -> Result<Vec<(u32, &'static str)>, StoreError> {
    let select = "SELECT type, name, tbl_name,
                         ifnull((SELECT group_concat(name, ', ')
                                 FROM pragma_table_info(object.name)), '')
                  FROM sqlite_schema AS object
                  WHERE name LIKE 'dash_users_%' OR name LIKE 'user_%'";
    let read = || {
        let mut statement = connection.prepare(select)?;
        let found = statement.query_map([], |row| {
            let text = |column| schema_text(row, column);
            Ok((text(0)?, text(1)?, text(2)?, text(3)?))
        })?;
        found.collect::<rusqlite::Result<Vec<(String, String, String, String)>>>()
    };
    let found = read().map_err(sql_error(location))?;
    let is = |found: &str, name: &str| found.eq_ignore_ascii_case(name);

    let mut missing = Vec::new();
    for (table, expected) in TABLES {
        let is_it = |(kind, name, ..): &&(String, String, _, _)| {
            is(name, table) && ["table", "view"].contains(&kind.as_str())
        };
        match found.iter().find(is_it) {
            None => missing.push((2, table)),
            Some((kind, _, _, columns)) if kind == "table" && columns == expected => {}
            Some((kind, _, _, columns)) => {
                let reason = format!(
                    "its '{table}' is a {kind} with the columns {}, where dash-users keeps a table \
                     of its own with {expected}",
                    Escaped(columns)
                );
                return Err(StoreError::NotADatabase { location: location.clone(), reason });
            }
        }
    }
    for (version, object, table) in OBJECTS {
        let is_it = |(kind, name, on, _): &(String, String, String, _)| {
            is(name, object) && is(on, table) && ["index", "trigger"].contains(&kind.as_str())
        };
        if !found.iter().any(is_it) {
            missing.push((version, object));
        }
    }
    Ok(missing)
}

/// Applies what is pending. The version is read inside the transaction that changes it, so that
/// of several programs at once one does the work and the others find it done.
pub(super) fn migrate(store: &mut Sqlite) -> Result<Migrated, StoreError> {
    let Sqlite { connection, location, .. } = store;
    let fail = sql_error(location);
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&fail)?;
    let schema = inspect(&transaction, location)?;
    let events = match schema.pending[..] {
        [] => Vec::new(),
        _ => apply(&transaction, &schema).map_err(&fail)?,
    };
    transaction.commit().map_err(&fail)?;
    sync_directory(connection);
    Ok(Migrated { applied: schema.pending, events })
}

/// Every index, table and trigger of ours with its SQL, as they are where nobody altered them.
pub(super) fn objects() -> rusqlite::Result<Vec<(SchemaObjectKind, String, String)>> {
    let pristine = Connection::open_in_memory()?;
    for (_, sql) in MIGRATIONS {
        pristine.execute_batch(sql)?;
    }
    pristine
        .prepare(
            "SELECT type, name, sql FROM sqlite_schema
             WHERE name <> 'users' AND sql IS NOT NULL ORDER BY rowid",
        )?
        .query_map([], |row| {
            let kind = match row.get_ref(0)?.as_str()? {
                "index" => SchemaObjectKind::Index,
                "trigger" => SchemaObjectKind::Trigger,
                _ => SchemaObjectKind::Table,
            };
            Ok((kind, row.get(1)?, row.get(2)?))
        })?
        .collect()
}

/// Makes the schema whole where it has the latest version.
pub(super) fn repair(store: &mut Sqlite) -> Result<Vec<Event>, StoreError> {
    let Sqlite { connection, location, .. } = store;
    let fail = sql_error(location);
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&fail)?;
    let schema = inspect(&transaction, location)?;
    if schema.version < LATEST || !schema.has_users_table {
        return Err(schema.needs_migration(location));
    }
    let events = apply(&transaction, &schema).map_err(&fail)?;
    transaction.commit().map_err(&fail)?;
    sync_directory(connection);
    Ok(events)
}

/// Makes whatever is missing or altered, drops what is orphaned, and stamps the version. The answer
/// is what that added to the history.
pub(super) fn apply(transaction: &Connection, before: &Schema) -> rusqlite::Result<Vec<Event>> {
    let last = history::last_id(transaction)?;
    // With the table all that is on it goes, and nobody saw who went with it.
    let is_another_table = transaction.query_row(
        "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name GLOB 'dash_users_*'
                              AND tbl_name = 'users' COLLATE NOCASE AND type <> 'table')",
        [],
        |row| row.get(0),
    )?;
    for (_, sql) in MIGRATIONS {
        transaction.execute_batch(sql)?;
    }
    reconcile(transaction, before.version >= WATCHED, is_another_table)?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS dash_users_schema (version INTEGER NOT NULL);
         DELETE FROM dash_users_schema;",
    )?;
    transaction.execute("INSERT INTO dash_users_schema (version) VALUES (?)", [LATEST])?;
    let mut events = Vec::new();
    history::read_since(transaction, last, &mut |event| events.push(event))?;
    Ok(events)
}

/// Makes groups and times fit the users who are there, and tells of it in the history: something
/// changed while the triggers were not there, or fired none of them.
///
/// Of another table than before nobody knows whether those who have a name are still the same:
/// they get none of the groups.
fn reconcile(
    transaction: &Connection,
    was_watched: bool,
    is_another_table: bool,
) -> rusqlite::Result<()> {
    if was_watched {
        history::begin_bulk(transaction)?;
        for sql in [
            "INSERT INTO user_events (action, username, detail)
             SELECT 'group remove', substr(username, 1, 1024), substr(group_name, 1, 1024)
             FROM user_groups
             WHERE ?1 OR username NOT IN (SELECT username FROM users WHERE username IS NOT NULL)",
            "INSERT INTO user_events (action, username, detail)
             SELECT 'remove', substr(username, 1, 1024), 'found missing' FROM dash_users_times
             WHERE ?1 OR username NOT IN (SELECT username FROM users WHERE username IS NOT NULL)",
            "INSERT INTO user_events (action, username, detail)
             SELECT 'add', substr(username, 1, 1024), 'found' FROM users
             WHERE username IS NOT NULL
                 AND (?1 OR username NOT IN (SELECT username FROM dash_users_times))
                 AND EXISTS (SELECT 1 FROM dash_users_times)",
            "DELETE FROM user_groups
             WHERE ?1 OR username NOT IN (SELECT username FROM users WHERE username IS NOT NULL)",
            "DELETE FROM dash_users_times
             WHERE ?1 OR username NOT IN (SELECT username FROM users WHERE username IS NOT NULL)",
        ] {
            transaction.execute(sql, [is_another_table])?;
        }
    }
    transaction.execute_batch(
        "DELETE FROM dash_users_change;
         INSERT INTO dash_users_times (username)
         SELECT username FROM users
         WHERE username IS NOT NULL AND username NOT IN (SELECT username FROM dash_users_times);",
    )
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
        let name = schema_text(row, 0).map_err(&fail)?;
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
