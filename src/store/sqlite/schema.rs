//! Inspecting and migrating the schema of a SQLite file.
//!
//! The version is the only row of `dash_users_schema`, not `PRAGMA user_version`, which belongs to
//! the app that owns the file.

use std::sync::LazyLock;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension};

use super::error::sql_error;
use super::table::{self, Unsupported};
use super::{Sqlite, commit, history, reconcile, schema_text};
use crate::check::SchemaObjectKind;
use crate::escape::Escaped;
use crate::event::Event;
use crate::store::{CommitHooks, Location, Migrated, Migration, Schema, StoreError, TableChanges};

/// All migrations, each with its SQL for tables and columns.
const MIGRATIONS: [(Migration, &str); 5] = [
    (Migration { version: 1, name: "users" }, include_str!("001_users.sql")),
    (Migration { version: 2, name: "accounts" }, include_str!("002_accounts.sql")),
    (Migration { version: 3, name: "fingerprints" }, include_str!("003_fingerprints.sql")),
    (Migration { version: 4, name: "group_names" }, include_str!("004_group_names.sql")),
    (Migration { version: 5, name: "imported" }, include_str!("005_imported.sql")),
];

/// The triggers of the latest version.
static TRIGGERS: LazyLock<String> = LazyLock::new(|| {
    include_str!("triggers.sql")
        .replace("{fingerprint}", &reconcile::fingerprint("NEW.password_hash"))
});

/// The latest version.
pub(super) const LATEST: u32 = MIGRATIONS[MIGRATIONS.len() - 1].0.version;

/// The first version with triggers, which maintain times and groups.
const WATCHED: u32 = 2;

/// The indexes and triggers that the migration of a version creates, with the table of each. They
/// show whether the migration is still in effect: if an app replaced `users`, they would be on the
/// old table.
const OBJECTS: [(u32, &str, &str); 10] = [
    (1, "dash_users_username_nocase", "users"),
    (2, "dash_users_added", "users"),
    (2, "dash_users_removed", "users"),
    (2, "dash_users_renamed", "users"),
    (2, "dash_users_password", "users"),
    (2, "dash_users_language", "users"),
    (2, "dash_users_group_added", "user_groups"),
    (2, "dash_users_group_removed", "user_groups"),
    (2, "dash_users_group_changed", "user_groups"),
    (4, "dash_users_group_name", "user_groups"),
];

/// Our tables except that of the version, the version that creates each, and their first columns.
const TABLES: [(u32, &str, &str); 5] = [
    (2, "user_groups", "username, group_name"),
    (2, "user_events", "id, at, actor, action, username, detail"),
    (2, "dash_users_times", "username, created_at, password_changed_at"),
    (2, "dash_users_change", "actor, action, detail, is_bulk"),
    (5, "dash_users_imported", "username, event, changes"),
];

/// The columns that later versions add to them, each with its table and type, in their order.
const COLUMNS: [(u32, &str, &str, &str); 1] = [(3, "dash_users_times", "fingerprint", "TEXT")];

/// Creates the table of the version.
const CREATE_VERSION: &str = "CREATE TABLE dash_users_schema (version INTEGER NOT NULL)";

/// Inspects the schema. Within a transaction, the result stays valid until its end.
pub(super) fn inspect(connection: &Connection, location: &Location) -> Result<Schema, StoreError> {
    let migrations = MIGRATIONS.map(|(migration, _)| migration);
    if is_as_created(connection).map_err(sql_error(location))? {
        return Ok(Schema::new(LATEST, Some(Vec::new()), &[], migrations));
    }
    let (version, of_version) = version(connection, location)?;
    let users = table::users(connection)
        .map_err(sql_error(location))?
        .map_err(|unfit| unsupported_table(location, unfit))?;
    let of_objects = damage(connection, location)?.into_iter();
    let damage = of_objects.map(|Damage { version, object, is_altered }| {
        let how = if is_altered { "was altered" } else { "is missing" };
        (version, format!("its '{object}' {how}"))
    });
    let damage: Vec<_> =
        damage.chain(of_version.map(|reason| (LATEST, reason.to_owned()))).collect();
    Ok(Schema::new(version, users, &damage, migrations))
}

/// Whether the schema is exactly that of a new database. If so, there is nothing to inspect, which
/// would take most of the time of a lookup. An app's own tables make no difference.
fn is_as_created(connection: &Connection) -> rusqlite::Result<bool> {
    let expected = &*AS_CREATED;
    // As SQLite finds a table.
    let is_named = |table: &[u8], name: &str| table.eq_ignore_ascii_case(name.as_bytes());
    let is_known = |table: &[u8]| expected.iter().any(|(name, ..)| is_named(table, name));
    let mut found = 0;
    {
        let mut select = connection.prepare("SELECT name, tbl_name, sql FROM sqlite_schema")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let text =
                |column| row.get_ref(column).map(|text| text.as_bytes_or_null().ok().flatten());
            let (name, table, sql) = (text(0)?, text(1)?, text(2)?);
            let (name, table) = (name.unwrap_or_default(), table.unwrap_or_default());
            match expected.iter().find(|(expected, ..)| expected.as_bytes() == name) {
                Some((_, of, as_created)) => {
                    let is_same =
                        table == of.as_bytes() && sql == as_created.as_deref().map(str::as_bytes);
                    if !is_same {
                        return Ok(false);
                    }
                    found += 1;
                }
                None if is_known(name) || is_known(table) => return Ok(false),
                None => {}
            }
        }
    }
    if found < expected.len() {
        return Ok(false);
    }
    let mut select = connection.prepare("SELECT version FROM dash_users_schema")?;
    let versions: Vec<Value> =
        select.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(versions == [Value::Integer(LATEST.into())])
}

/// The name, table and SQL of each object in a new database.
static AS_CREATED: LazyLock<Vec<(&str, &str, Option<String>)>> = LazyLock::new(as_created);

fn as_created() -> Vec<(&'static str, &'static str, Option<String>)> {
    let migrated = |name: &str| {
        let (kind, sql) = MIGRATIONS.iter().find_map(|(_, sql)| {
            ["TABLE", "INDEX"].into_iter().find_map(|kind| {
                let (_, statement) =
                    sql.split_once(&format!("CREATE {kind} IF NOT EXISTS {name} "))?;
                Some((kind, statement.split(';').next()?))
            })
        })?;
        let mut sql = format!("CREATE {kind} {name} {sql}");
        for (_, _, column, of_type) in COLUMNS.iter().filter(|(_, table, ..)| *table == name) {
            // As SQLite adds a column.
            sql.insert_str(sql.rfind(')')?, &format!(", {column} {of_type}"));
        }
        Some(sql)
    };
    let tables = TABLES.iter().map(|(_, name, _)| (*name, *name));
    let objects = OBJECTS.iter().map(|(_, name, table)| (*name, *table));
    let described =
        [("users", "users")].into_iter().chain(tables).chain(objects).map(|(name, table)| {
            (name, table, migrated(name).or_else(|| Some(trigger(name).to_owned())))
        });
    described
        .chain([
            ("sqlite_autoindex_users_1", "users", None),
            ("dash_users_schema", "dash_users_schema", Some(CREATE_VERSION.to_owned())),
        ])
        .collect()
}

/// The error for an unusable table.
fn unsupported_table(
    location: &Location,
    Unsupported { reason, repair, advice }: Unsupported,
) -> StoreError {
    let (location, advice) = (location.clone(), Box::new(advice));
    StoreError::UnsupportedTable { location, reason, repair, advice }
}

/// One of our objects that is missing or altered.
pub(super) struct Damage {
    /// The version that created it.
    version: u32,
    pub(super) object: &'static str,
    is_altered: bool,
}

/// Our objects that are missing, and our triggers that were altered.
pub(super) fn damage(
    connection: &Connection,
    location: &Location,
) -> Result<Vec<Damage>, StoreError> {
    let select = "SELECT type, name, tbl_name,
                         ifnull(CASE type WHEN 'trigger' THEN sql
                                ELSE (SELECT group_concat(name, ', ')
                                      FROM pragma_table_info(object.name)) END, '')
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

    let mut damage = Vec::new();
    let missing = |version, object| Damage { version, object, is_altered: false };
    for (version, table, first) in TABLES {
        let is_it = |(kind, name, ..): &&(String, String, _, _)| {
            is(name, table) && ["table", "view"].contains(&kind.as_str())
        };
        match found.iter().find(is_it) {
            None => damage.push(missing(version, table)),
            Some((kind, _, _, columns)) => {
                let added = COLUMNS.iter().filter(|(_, of, ..)| *of == table);
                let mut rest = columns.strip_prefix(first);
                let mut expected = first.to_owned();
                for (version, _, column, _) in added {
                    let next = format!(", {column}");
                    match rest.and_then(|rest| rest.strip_prefix(&next)) {
                        Some(behind) => rest = Some(behind),
                        None => damage.push(missing(*version, *column)),
                    }
                    expected += &next;
                }
                if kind != "table" || rest != Some("") {
                    let reason = format!(
                        "its '{table}' is a {kind} with the columns {}, but dash-users needs a \
                         table of that name with {expected}",
                        Escaped(columns)
                    );
                    return Err(StoreError::NotADatabase { location: location.clone(), reason });
                }
            }
        }
    }
    let has_groups = damage.iter().all(|damage| damage.object != "user_groups");
    if has_groups && let Some(unfit) = table::groups(connection).map_err(sql_error(location))? {
        return Err(unsupported_table(location, unfit));
    }
    for (version, object, table) in OBJECTS {
        let is_it = |(kind, name, on, _): &&(String, String, String, String)| {
            is(name, object) && is(on, table) && ["index", "trigger"].contains(&kind.as_str())
        };
        match found.iter().find(is_it) {
            None => damage.push(missing(version, object)),
            Some((kind, _, _, sql)) if kind == "trigger" && !is_same(sql, trigger(object)) => {
                damage.push(Damage { version, object, is_altered: true });
            }
            Some(_) => {}
        }
    }
    Ok(damage)
}

/// Whether two statements are the same except for quotes around names. SQLite adds quotes in
/// triggers when an app renames a column, and leaves them when it is renamed back.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    let unquoted = |sql: &str| sql.chars().filter(|c| *c != '"').collect::<Vec<_>>();
    unquoted(one) == unquoted(other)
}

/// The statement that creates a trigger, as SQLite stores it.
fn trigger(name: &str) -> &'static str {
    let begin = TRIGGERS.find(&format!("CREATE TRIGGER {name} "));
    let statement = begin.map_or("", |begin| &TRIGGERS[begin..]);
    statement.split_once("\nEND;").map_or("", |(body, _)| &statement[..body.len() + "\nEND".len()])
}

/// Applies pending migrations. The version is read inside the transaction that changes it, so if
/// several programs start at once, one does the work and the others find it done.
pub(super) fn migrate(
    store: &mut Sqlite,
    wanted: &TableChanges,
    hooks: CommitHooks,
) -> Result<Migrated, StoreError> {
    let (transaction, location) = store.begin_writing()?;
    let fail = sql_error(location);
    let changes = table::change(&transaction, wanted).map_err(&fail)?;
    let schema = inspect(&transaction, location)?;
    let events = if schema.pending.is_empty() {
        Vec::new()
    } else {
        if schema.version >= WATCHED {
            reconcile::refuse_leftovers(&transaction, location)?;
        }
        let events = apply(&transaction, &schema).map_err(&fail)?;
        if let Some(reason) = table::unchangeable(&transaction)
            // An app that does not enforce foreign keys still works. `check` reports it.
            && !reason.starts_with("foreign key mismatch")
        {
            let reason = format!("its users cannot be changed: {reason}");
            return Err(StoreError::NotADatabase { location: location.clone(), reason });
        }
        events
    };
    commit(&transaction, hooks).map_err(&fail)?;
    Ok(Migrated::new(&schema, events, changes))
}

pub(super) fn has_column(
    connection: &Connection,
    table: &str,
    column: &str,
) -> rusqlite::Result<bool> {
    let select = "SELECT EXISTS (SELECT 1 FROM pragma_table_info(?) WHERE name = ?)";
    connection.query_row(select, [table, column], |row| row.get(0))
}

/// Whether there are any groups.
pub(super) fn has_groups(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM user_groups)", [], |row| row.get(0))
}

/// Triggers of others on our tables and `users`, each with its table.
pub(super) fn foreign_triggers(
    connection: &Connection,
    ours: &[Object],
) -> rusqlite::Result<Vec<(String, String)>> {
    let select = "SELECT name, tbl_name FROM sqlite_schema
                  WHERE type = 'trigger'
                    AND (tbl_name COLLATE NOCASE IN ('users', 'user_groups', 'user_events')
                         OR tbl_name LIKE 'dash\\_users\\_%' ESCAPE '\\')";
    let mut statement = connection.prepare(select)?;
    let found = statement.query_map([], |row| Ok((schema_text(row, 0)?, schema_text(row, 1)?)))?;
    let mut found: Vec<_> = found.collect::<rusqlite::Result<_>>()?;
    found.retain(|(name, _)| ours.iter().all(|(_, ours, _)| !ours.eq_ignore_ascii_case(name)));
    Ok(found)
}

/// One of our indexes, tables and triggers: its name and its unaltered SQL.
pub(super) type Object = (SchemaObjectKind, String, String);

/// All of them.
pub(super) fn objects() -> rusqlite::Result<Vec<Object>> {
    let pristine = Connection::open_in_memory()?;
    create(&pristine)?;
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

/// Creates missing objects, and recreates the triggers.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    for (migration, sql) in MIGRATIONS {
        // SQLite has no ADD COLUMN IF NOT EXISTS.
        let mut added = COLUMNS.iter().filter(|(version, ..)| *version == migration.version);
        let is_there = match added.next() {
            Some((_, table, column, _)) => has_column(connection, table, column)?,
            None => false,
        };
        if !is_there {
            connection.execute_batch(sql)?;
        }
    }
    connection.execute_batch(&TRIGGERS)
}

/// Completes a schema of the latest version.
pub(super) fn repair(store: &mut Sqlite, hooks: CommitHooks) -> Result<Vec<Event>, StoreError> {
    let (transaction, location) = store.begin_writing()?;
    let fail = sql_error(location);
    let schema = inspect(&transaction, location)?;
    if schema.version < WATCHED {
        return Err(schema.needs_migration(location));
    }
    let events = apply(&transaction, &schema).map_err(&fail)?;
    commit(&transaction, hooks).map_err(&fail)?;
    Ok(events)
}

/// Creates missing objects, recreates altered ones, deletes orphaned rows, and stores the version.
/// Returns the events that this added to the history.
pub(super) fn apply(transaction: &Connection, before: &Schema) -> rusqlite::Result<Vec<Event>> {
    let last = history::last_id(transaction)?;
    let is_another_table = reconcile::is_another_table(transaction)?;
    create(transaction)?;
    reconcile::run(transaction, before.version >= WATCHED, is_another_table)?;
    let create = CREATE_VERSION.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS");
    transaction.execute_batch(&format!("{create}; DELETE FROM dash_users_schema;"))?;
    transaction.execute("INSERT INTO dash_users_schema (version) VALUES (?)", [LATEST])?;
    let mut events = Vec::new();
    history::read_since(transaction, last, &mut |event| events.push(event))?;
    Ok(events)
}

/// The stored version, or 0, and the problem with its table, if any. Fixtures that empty every
/// table and restores of data alone leave no row or duplicate rows.
fn version(
    connection: &Connection,
    location: &Location,
) -> Result<(u32, Option<&'static str>), StoreError> {
    let fail = sql_error(location);
    let unreadable = |reason: &str| StoreError::NotADatabase {
        location: location.clone(),
        reason: format!("its 'dash_users_schema' {reason}"),
    };
    let select = "SELECT type = 'table' AND EXISTS (
                    SELECT 1 FROM pragma_table_info('dash_users_schema') WHERE name = 'version')
                  FROM sqlite_schema WHERE name = 'dash_users_schema' COLLATE NOCASE";
    match connection.query_row(select, [], |row| row.get(0)).optional().map_err(&fail)? {
        None => return Ok((0, None)),
        Some(false) => return Err(unreadable("is not a table with a column 'version'")),
        Some(true) => {}
    }
    let mut statement =
        connection.prepare("SELECT version FROM dash_users_schema").map_err(&fail)?;
    let versions: Vec<Value> = statement
        .query_map([], |row| row.get(0))
        .map_err(&fail)?
        .collect::<Result<_, _>>()
        .map_err(&fail)?;
    let (version, damage) = match &versions[..] {
        [] => (LATEST.into(), Some("its 'dash_users_schema' is empty")),
        [Value::Integer(version)] => (*version, None),
        [Value::Integer(version), same @ ..] if same.iter().all(|other| *other == versions[0]) => {
            (*version, Some("its 'dash_users_schema' has duplicate rows"))
        }
        _ => return Err(unreadable("does not contain exactly one version")),
    };
    if version > i64::from(LATEST) {
        let (location, found) = (location.clone(), version);
        return Err(StoreError::NewerSchema { location, found, known: LATEST });
    }
    let version = u32::try_from(version).map_err(|_| unreadable("contains a negative version"))?;
    Ok((version, damage))
}

#[cfg(test)]
mod tests {
    use super::super::operations::GROUPS;
    use super::super::profile::ALL;
    use super::*;

    fn new() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        create(&connection).unwrap();
        connection.execute_batch(CREATE_VERSION).unwrap();
        connection.execute("INSERT INTO dash_users_schema VALUES (?)", [LATEST]).unwrap();
        connection
    }

    #[test]
    fn only_schema_of_new_database_needs_no_inspection() {
        assert!(is_as_created(&new()).unwrap());
        for (sql, expected) in [
            ("CREATE TABLE orders (id); CREATE INDEX by_id ON orders (id)", true),
            ("CREATE VIEW names AS SELECT username FROM users", true),
            ("INSERT INTO dash_users_schema SELECT version FROM dash_users_schema", false),
            ("UPDATE dash_users_schema SET version = version + 1", false),
            ("DELETE FROM dash_users_schema", false),
            ("ALTER TABLE users ADD COLUMN email", false),
            ("ALTER TABLE users RENAME TO people", false),
            ("ALTER TABLE users RENAME TO u; ALTER TABLE u RENAME TO Users", false),
            ("ALTER TABLE users RENAME COLUMN language TO locale", false),
            ("CREATE INDEX i ON USERS (language COLLATE NOCASE)", false),
            ("CREATE TRIGGER t AFTER DELETE ON users BEGIN SELECT 1; END", false),
            ("CREATE INDEX i ON user_groups (group_name)", false),
            ("DROP INDEX dash_users_username_nocase", false),
            ("DROP INDEX dash_users_group_name", false),
            ("DROP TRIGGER dash_users_group_changed", false),
            ("DROP TABLE user_events", false),
            ("DROP TABLE users; CREATE VIEW users AS SELECT 1", false),
            (
                "DROP TRIGGER dash_users_added;
                 CREATE TRIGGER dash_users_added AFTER INSERT ON users BEGIN SELECT 1; END",
                false,
            ),
        ] {
            let connection = new();
            connection.execute_batch(sql).unwrap();
            assert_eq!(is_as_created(&connection).unwrap(), expected, "{sql}");
        }
    }

    #[test]
    fn every_object_of_migrations_is_listed() {
        let mut created: Vec<_> = objects().unwrap().into_iter().map(|(_, name, _)| name).collect();
        let tables = TABLES.iter().map(|(_, name, _)| *name);
        let mut listed: Vec<_> = OBJECTS.iter().map(|(_, name, _)| *name).chain(tables).collect();
        created.sort_unstable();
        listed.sort_unstable();
        assert_eq!(created, listed, "list it in OBJECTS or TABLES");
        // Columns, and the table of each object.
        let damage = damage(&new(), &Location::Sqlite("x.db".into()));
        assert_eq!(damage.expect("list new columns in COLUMNS").len(), 0);
        new().prepare(ALL).expect("add what profile.rs reads to MIGRATIONS");
    }

    #[test]
    fn groups_are_found_through_index() {
        let connection = new();
        let plan = format!("EXPLAIN QUERY PLAN {GROUPS}");
        let mut plan = connection.prepare(&plan).unwrap();
        let steps = plan.query_map(["a", "b", "9"], |row| row.get(3)).unwrap();
        let steps: Vec<String> = steps.collect::<rusqlite::Result<_>>().unwrap();
        let of_table = steps.iter().filter(|step| step.contains("user_groups"));
        let of_table: Vec<_> = of_table.map(String::as_str).collect();
        let search = "SEARCH user_groups USING COVERING INDEX dash_users_group_name \
                      (group_name>? AND group_name<?)";
        assert_eq!(of_table, [search; 2]);
    }
}
