//! The schema: what is there, and how it is brought up to date.

use postgres::Client;
use postgres::types::Type;

use super::connection::{self, quoted};
use super::{Param, PostgresTransaction, WRITERS, read_event};
use crate::event::Event;
use crate::store::{Location, Migrated, Migration, Schema, StoreError};

/// Every migration and its SQL, which may be applied again: it makes what is missing.
pub(super) const MIGRATIONS: [(Migration, &str); 2] = [
    (Migration { version: 1, name: "users" }, include_str!("001_users.sql")),
    (Migration { version: 2, name: "accounts" }, include_str!("002_accounts.sql")),
];

/// The latest version.
pub(super) const LATEST: u32 = MIGRATIONS[MIGRATIONS.len() - 1].0.version;

/// The fewest characters that a column for hashes must hold: those of a locked one.
const MIN_HASH_CHARS: i32 = 163;

/// The indexes and triggers that the migration of a version makes, and the table that each is on.
const OBJECTS: [(u32, &str, &str); 6] = [
    (1, "dash_users_username_nocase", "users"),
    (2, "dash_users_added_or_removed", "users"),
    (2, "dash_users_changed", "users"),
    (2, "dash_users_truncated", "users"),
    (2, "dash_users_groups", "user_groups"),
    (2, "dash_users_groups_changed", "user_groups"),
];

/// The tables of version 2, and their columns.
const TABLES: [(&str, &str); 3] = [
    ("user_groups", "username text NOT NULL, group_name text NOT NULL"),
    (
        "user_events",
        "id bigint NOT NULL, at timestamp with time zone NOT NULL, actor text, \
         action text NOT NULL, username text, detail text",
    ),
    (
        "dash_users_times",
        "username text NOT NULL, created_at timestamp with time zone, \
         password_changed_at timestamp with time zone",
    ),
];

/// The schema in which the table `users` is, as the search path finds it, or is to be made.
pub(super) fn find(client: &mut Client, location: &Location) -> Result<String, StoreError> {
    let find = "SELECT coalesce(
                    (SELECT nspname::text FROM pg_class JOIN pg_namespace
                        ON pg_namespace.oid = relnamespace
                     WHERE pg_class.oid = to_regclass('users') AND nspname !~ '^pg_temp'),
                    current_schema()::text)";
    let row = client.query_typed_one(find, &[]).map_err(|e| connection::error(location, &e))?;
    row.get::<_, Option<String>>(0).ok_or_else(|| StoreError::CannotConnect {
        location: location.clone(),
        reason: "the search path of the role has no schema that is there".to_owned(),
    })
}

/// Looks at the schema. Within a transaction, what it finds stays true until its end.
pub(super) fn inspect(transaction: &mut PostgresTransaction) -> Result<Schema, StoreError> {
    let version = version(transaction)?;
    let users = users_table(transaction)?;
    let missing = missing(transaction)?;
    let migrations = MIGRATIONS.map(|(migration, _)| migration);
    Ok(Schema::new(version, users, &missing, migrations))
}

/// Which of our objects are not there, and the version of each.
pub(super) fn missing(
    transaction: &mut PostgresTransaction,
) -> Result<Vec<(u32, &'static str)>, StoreError> {
    let select = "SELECT relkind::text, relname::text, relname::text,
                         (SELECT string_agg(attname || ' ' || format_type(atttypid, NULL)
                              || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END,
                              ', ' ORDER BY attnum) FROM pg_attribute
                          WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped)
                  FROM pg_class WHERE relnamespace = $1::text::regnamespace AND relkind <> 'i'
                      AND (relname ~ '^dash_users_' OR relname ~ '^user_')
                  UNION ALL
                  SELECT 'i', index.relname, users.relname, NULL
                  FROM pg_index JOIN pg_class AS index ON index.oid = indexrelid
                      JOIN pg_class AS users ON users.oid = indrelid
                  WHERE index.relnamespace = $1::text::regnamespace AND index.relname ~ '^dash_users_'
                  UNION ALL
                  SELECT 'trigger', tgname, relname, NULL
                  FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
                  WHERE relnamespace = $1::text::regnamespace AND NOT tgisinternal
                      AND tgenabled <> 'D'";
    let schema = quoted(transaction.schema);
    let rows = transaction.query(select, &[(&schema, Type::TEXT)])?;
    let found: Vec<(String, String, String, Option<String>)> =
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect();

    let mut missing = Vec::new();
    for (table, expected) in TABLES {
        let is_it = |(kind, name, ..): &&(String, String, _, _)| {
            name == table && !["i", "trigger", "S"].contains(&kind.as_str())
        };
        match found.iter().find(is_it) {
            None => missing.push((2, table)),
            Some((kind, _, _, Some(columns))) if kind == "r" && columns == expected => {}
            Some((kind, _, _, columns)) => {
                let kind = if kind == "r" { "table" } else { "view" };
                let columns = columns.as_deref().unwrap_or_default();
                return Err(unfit(
                    transaction.location,
                    format!(
                        "its '{table}' is a {kind} with the columns {columns}, where dash-users \
                         keeps a table of its own with {expected}"
                    ),
                ));
            }
        }
    }
    for (version, object, table) in OBJECTS {
        let is_it = |(kind, name, on, _): &(String, String, String, _)| {
            name == object && on == table && ["i", "trigger"].contains(&kind.as_str())
        };
        if !found.iter().any(is_it) {
            missing.push((version, object));
        }
    }
    Ok(missing)
}

fn unfit(location: &Location, reason: String) -> StoreError {
    StoreError::NotADatabase { location: location.clone(), reason }
}

/// Applies what is pending; for a repair everything, where the schema has the latest version. The
/// version is read under the lock of whoever changes users: of several programs at once one does
/// the work and the others find it done.
pub(super) fn migrate(
    mut transaction: PostgresTransaction,
    is_repair: bool,
) -> Result<Migrated, StoreError> {
    transaction.run("SELECT pg_advisory_xact_lock($1)", &[(&WRITERS, Type::INT8)])?;
    let schema = inspect(&mut transaction)?;
    if is_repair && (schema.version < LATEST || !schema.has_users_table) {
        return Err(schema.needs_migration(transaction.location));
    }
    let mut events = Vec::new();
    if is_repair || !schema.pending.is_empty() {
        events = apply(&mut transaction, &schema)?;
    }
    let location = transaction.location;
    transaction.transaction.commit().map_err(|error| connection::commit_error(location, &error))?;
    Ok(Migrated { applied: schema.pending, events })
}

/// Makes whatever is missing, drops what is orphaned, and stamps the version. The answer is what
/// that added to the history, newest first.
fn apply(transaction: &mut PostgresTransaction, before: &Schema) -> Result<Vec<Event>, StoreError> {
    let has_events = "SELECT to_regclass('user_events') IS NOT NULL";
    let mut last: i64 = 0;
    if transaction.query_one(has_events, &[])?.get(0) {
        let select = "SELECT coalesce(max(id), 0) FROM user_events";
        last = transaction.query_one(select, &[])?.get(0);
    }
    // With the table all that is on it goes, and nobody saw who went with it.
    let is_another_table: bool = transaction
        .query_one(
            "SELECT NOT EXISTS (SELECT 1 FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
                                WHERE relname = 'users' AND tgname ~ '^dash_users_'
                                    AND relnamespace = quote_ident(current_schema())::regnamespace)",
            &[],
        )?
        .get(0);
    let schema = quoted(transaction.schema);
    for (_, sql) in MIGRATIONS {
        let sql = sql.replace("{schema}", &schema);
        let applied = transaction.transaction.batch_execute(&sql);
        applied.map_err(|error| transaction.error(&error))?;
    }
    reconcile(transaction, before.version == LATEST, is_another_table)?;
    let stamp = "CREATE TABLE IF NOT EXISTS dash_users_schema (version integer NOT NULL);
                 DELETE FROM dash_users_schema;";
    let stamped = transaction.transaction.batch_execute(stamp);
    stamped.map_err(|error| transaction.error(&error))?;
    let latest = i32::try_from(LATEST).unwrap_or(i32::MAX);
    let insert = "INSERT INTO dash_users_schema (version) VALUES ($1)";
    transaction.run(insert, &[(&latest, Type::INT4)])?;
    let select = "SELECT id, at, actor, action, username, detail FROM user_events
                  WHERE id > $1 ORDER BY id DESC";
    Ok(transaction.query(select, &[(&last, Type::INT8)])?.iter().map(read_event).collect())
}

/// Makes groups and times fit the users who are there, and tells of it in the history: something
/// changed while the triggers were not there.
///
/// Of another table than before nobody knows whether those who have a name are still the same:
/// they get none of the groups.
fn reconcile(
    transaction: &mut PostgresTransaction,
    was_watched: bool,
    is_another_table: bool,
) -> Result<(), StoreError> {
    transaction.query("SELECT set_config('dash_users.bulk', 'on', true)", &[])?;
    if was_watched {
        let gone = "($1 OR NOT EXISTS (SELECT 1 FROM users
                                       WHERE users.username::text COLLATE \"C\" = kept.username))";
        for sql in [
            format!(
                "INSERT INTO user_events (action, username, detail)
                 SELECT 'group remove', left(username, 1024), left(group_name, 1024)
                 FROM user_groups AS kept WHERE {gone} ORDER BY username, group_name"
            ),
            format!(
                "INSERT INTO user_events (action, username, detail)
                 SELECT 'remove', left(username, 1024), 'found missing'
                 FROM dash_users_times AS kept WHERE {gone} ORDER BY username"
            ),
            "INSERT INTO user_events (action, username, detail)
             SELECT 'add', left(username, 1024), 'found' FROM users
             WHERE username IS NOT NULL
                 AND ($1 OR NOT EXISTS (SELECT 1 FROM dash_users_times AS times
                                        WHERE times.username = users.username::text COLLATE \"C\"))
                 AND EXISTS (SELECT 1 FROM dash_users_times)
             ORDER BY username::text COLLATE \"C\""
                .to_owned(),
            format!("DELETE FROM user_groups AS kept WHERE {gone}"),
            format!("DELETE FROM dash_users_times AS kept WHERE {gone}"),
        ] {
            transaction.run(&sql, &[(&is_another_table, Type::BOOL)])?;
        }
    }
    let insert = "INSERT INTO dash_users_times (username)
                  SELECT username FROM users WHERE username IS NOT NULL ON CONFLICT DO NOTHING";
    transaction.run(insert, &[])?;
    transaction.query("SELECT set_config('dash_users.bulk', '', true)", &[]).map(drop)
}

/// The stored version; 0 without one.
fn version(transaction: &mut PostgresTransaction) -> Result<u32, StoreError> {
    let location = transaction.location;
    let unreadable = |reason: &str| unfit(location, format!("its 'dash_users_schema' {reason}"));
    let select = "SELECT relkind = 'r' AND EXISTS (
                      SELECT 1 FROM pg_attribute WHERE attrelid = pg_class.oid
                          AND attname = 'version' AND atttypid = 'integer'::regtype)
                  FROM pg_class WHERE relnamespace = $1::text::regnamespace
                      AND relname = 'dash_users_schema'";
    let schema = quoted(transaction.schema);
    let found = transaction.query(select, &[(&schema, Type::TEXT)])?;
    match found.first().map(|row| row.get(0)) {
        None => return Ok(0),
        Some(false) => {
            return Err(unreadable("is not a table with a column 'version' of integers"));
        }
        Some(true) => {}
    }
    let rows = transaction.query("SELECT version FROM dash_users_schema", &[])?;
    let found = match &rows[..] {
        [row] => row.get::<_, Option<i32>>(0),
        _ => None,
    };
    let found = found.ok_or_else(|| unreadable("does not hold exactly one version"))?;
    match u32::try_from(found) {
        Ok(found) if found <= LATEST => Ok(found),
        Ok(_) => Err(StoreError::NewerSchema {
            location: location.clone(),
            found: found.into(),
            known: LATEST,
        }),
        Err(_) => Err(unreadable("holds a negative version")),
    }
}

/// Whether a table `users` that an app and this crate can share is there: if so, those of its
/// further columns which are NOT NULL without a default.
fn users_table(transaction: &mut PostgresTransaction) -> Result<Option<Vec<String>>, StoreError> {
    let schema = quoted(transaction.schema);
    let schema: Param = (&schema, Type::TEXT);
    let location = transaction.location;
    let unfit = |reason: String| unfit(location, reason);
    let select = "SELECT relkind::text FROM pg_class
                  WHERE relnamespace = $1::text::regnamespace AND relname = 'users'
                      AND relkind IN ('r', 'p', 'v', 'm', 'f')";
    let kinds = transaction.query(select, std::slice::from_ref(&schema))?;
    match kinds.first().map(|row| row.get(0)) {
        None => return Ok(None),
        Some("r") => {}
        // A row that moves from one part to another goes and comes, as if it were of another user.
        Some("p") => return Err(unfit("its table 'users' is partitioned".to_owned())),
        Some(_) => return Err(unfit("its 'users' is no table".to_owned())),
    }

    let select = "SELECT attname::text, attnotnull AND NOT atthasdef AND attidentity = '',
                         attgenerated <> '', own.typcategory::text,
                         CASE WHEN base.typname IN ('varchar', 'bpchar')
                              THEN nullif(greatest(atttypmod, own.typtypmod), -1) - 4
                              WHEN base.typname = 'name' THEN 63 END
                  FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
                      JOIN pg_type AS own ON own.oid = atttypid
                      JOIN pg_type AS base
                          ON base.oid = CASE own.typtype WHEN 'd' THEN own.typbasetype
                                                         ELSE own.oid END
                  WHERE relnamespace = $1::text::regnamespace AND relname = 'users'
                      AND attnum > 0 AND NOT attisdropped ORDER BY attnum";
    let mut wanted = vec!["username", "password_hash", "language"];
    let mut required = Vec::new();
    for row in transaction.query(select, std::slice::from_ref(&schema))? {
        let name: String = row.get(0);
        let Some(position) = wanted.iter().position(|wanted| *wanted == name) else {
            if row.get(1) {
                required.push(name);
            }
            continue;
        };
        wanted.remove(position);
        if row.get(2) {
            return Err(unfit(format!("column '{name}' of its table 'users' is generated")));
        }
        if row.get::<_, String>(3) != "S" {
            return Err(unfit(format!("column '{name}' of its table 'users' is no text")));
        }
        let length: Option<i32> = row.get(4);
        if let Some(length) = length.filter(|length| *length < MIN_HASH_CHARS)
            && name == "password_hash"
        {
            return Err(unfit(format!(
                "column 'password_hash' of its table 'users' holds {length} characters, and a \
                 locked hash has {MIN_HASH_CHARS}: alter its type to text"
            )));
        }
    }
    if let Some(missing) = wanted.first() {
        return Err(unfit(format!("its table 'users' has no column '{missing}'")));
    }

    // Where it is deferred, users may swap names, and nobody could tell whose groups are whose.
    let select = "SELECT index.relname::text
                  FROM pg_index JOIN pg_class AS users ON users.oid = indrelid
                      JOIN pg_class AS index ON index.oid = indexrelid
                      JOIN pg_attribute ON attrelid = indrelid AND attname = 'username'
                  WHERE users.relnamespace = $1::text::regnamespace AND users.relname = 'users'
                      AND indisunique AND indisvalid AND indimmediate AND indpred IS NULL AND indexprs IS NULL
                      AND indnkeyatts = 1 AND indkey[0] = attnum";
    transaction.unique_indexes = transaction.texts(select, &[schema])?;
    if transaction.unique_indexes.is_empty() {
        return Err(unfit("its table 'users' has no unique index on 'username' alone".to_owned()));
    }
    Ok(Some(required))
}
