//! Inspecting and migrating the schema.

use std::thread;
use std::time::{Duration, Instant};

use percent_encoding::utf8_percent_encode;
use postgres::Client;
use postgres::types::{ToSql, Type};

use super::connection::{self, LOCK_TIMEOUT, quoted};
use super::server::Source;
use super::{
    LOCK_OUT_WRITERS, OtherTable, Param, Place, Postgres, PostgresTransaction, ReadOnly, objects,
    read_event, users,
};
use crate::check::{Problem, SchemaObject};
use crate::event::Event;
use crate::store::{Access, Location, Migrated, Migration, Schema, StoreError, TableChanges};

/// All migrations, each with the SQL that creates its tables and columns, which can be repeated.
pub(super) const MIGRATIONS: [(Migration, &str); 4] = [
    (Migration { version: 1, name: "users" }, include_str!("001_users.sql")),
    (Migration { version: 2, name: "accounts" }, include_str!("002_accounts.sql")),
    (Migration { version: 3, name: "fingerprints" }, include_str!("003_fingerprints.sql")),
    (Migration { version: 4, name: "group_names" }, include_str!("004_group_names.sql")),
];

/// The latest version.
pub(super) const LATEST: u32 = MIGRATIONS[MIGRATIONS.len() - 1].0.version;

/// The first version with triggers, which maintain times and groups.
const WATCHED: u32 = 2;

/// The oldest supported server version: PostgreSQL 12.
const MIN_SERVER: i32 = 120_000;

/// How long a statement waits for a lock while readers queue behind it, and how long the readers
/// then get.
const TURN: Duration = Duration::from_millis(500);

/// Finds the schema with the table `users` through the session's search path, or the schema in
/// which to create it.
pub(super) fn find(client: &mut Client, location: &Location) -> Result<Place, StoreError> {
    let fail = |error| connection::error(location, &error);
    let cannot = |reason: String| StoreError::CannotConnect { location: location.clone(), reason };
    let mut transaction = client.build_transaction().read_only(true).start().map_err(fail)?;
    // The only statement that uses that search path: nothing in it can be shadowed.
    let path = transaction.query_typed_one("SELECT pg_catalog.current_schemas(false)", &[]);
    let path: Vec<String> = path.map_err(fail)?.get(0);
    transaction.batch_execute("SET LOCAL search_path = pg_catalog, pg_temp").map_err(fail)?;
    let select = "SELECT current_setting('server_version_num')::integer,
                         current_setting('server_encoding'),
                         current_setting('session_replication_role'),
                         (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
                         pg_is_in_recovery(),
                         current_setting('default_transaction_read_only')::boolean,
                         (SELECT source FROM pg_settings
                          WHERE name = 'default_transaction_read_only'),
                         current_database()::text, current_user::text";
    let row = transaction.query_typed_one(select, &[]).map_err(fail)?;
    let (version, encoding): (i32, String) = (row.get(0), row.get(1));
    let is_superuser = row.get(3);
    if version < MIN_SERVER {
        let (found, needed) = (version / 10_000, MIN_SERVER / 10_000);
        return Err(cannot(format!("the server is PostgreSQL {found}; {needed} is the oldest")));
    }
    if row.get::<_, String>(2) == "replica" {
        return Err(cannot(
            "session_replication_role is 'replica', so triggers do not fire: ALTER ROLE or ALTER \
             DATABASE … RESET session_replication_role"
                .to_owned(),
        ));
    }
    let read_only = read_only(&row);
    let path: Vec<String> = path.into_iter().filter(|name| !name.starts_with("pg_")).collect();
    // Since PostgreSQL 16, a member of a role may not be allowed to SET ROLE to it.
    let may_be = if version < 160_000 { "MEMBER" } else { "SET" };
    let select = "SELECT nspname::text, owner.rolname::text, owner.rolname <> current_user
                         AND pg_has_role(owner.oid, $2), NOT owner.rolsuper AND EXISTS (
                             SELECT 1 FROM pg_roles AS super WHERE super.rolsuper
                                 AND (pg_has_role(session_user, super.oid, 'MEMBER')
                                      OR pg_has_role(current_user, super.oid, 'MEMBER')))
                  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
                      JOIN pg_roles AS owner ON owner.oid = relowner
                  WHERE relname = 'users' AND relkind IN ('r', 'p', 'v', 'm', 'f')
                      AND nspname::text = ANY($1)
                  ORDER BY array_position($1, nspname::text) LIMIT 1";
    let params = [(&path as &(dyn ToSql + Sync), Type::TEXT_ARRAY), (&may_be, Type::TEXT)];
    let found = transaction.query_typed(select, &params).map_err(fail)?;
    let (schema, owner) = match found.first() {
        // Triggers of the owner can acquire every right of the session: SET ROLE is no protection.
        Some(row) if row.get(3) => {
            let owner = quoted(row.get(1));
            return Err(cannot(format!(
                "a superuser, or a member of such a role, would run the triggers of {owner}, who owns \
                 'users', with a superuser's rights: connect as {owner}"
            )));
        }
        Some(row) => (row.get(0), row.get::<_, bool>(2).then(|| row.get(1))),
        None => match path.into_iter().next() {
            Some(schema) => (schema, None),
            None => return Err(unusable_path(&mut transaction, location)),
        },
    };
    let other_table =
        if found.is_empty() { other_table(&mut transaction, &schema).map_err(fail)? } else { None };
    let is_sql_ascii = encoding == "SQL_ASCII";
    let holds_unicode = is_sql_ascii || encoding == "UTF8";
    Ok(Place {
        schema,
        owner,
        version,
        is_superuser,
        holds_unicode,
        is_sql_ascii,
        read_only,
        other_table,
    })
}

/// Why the server is read-only, if it is.
fn read_only(row: &postgres::Row) -> Option<ReadOnly> {
    let (is_standby, is_set): (bool, bool) = (row.get(4), row.get(5));
    if is_standby {
        return Some(ReadOnly {
            reason: "the server is a standby, which is read-only".to_owned(),
            hint: "use the primary, or all hosts with target_session_attrs=read-write in the URL"
                .to_owned(),
        });
    }
    let source: Option<String> = row.get(6);
    let (database, role) = (quoted(row.get(7)), quoted(row.get(8)));
    let setting = "default_transaction_read_only";
    let (whose, undo) = match source.as_deref() {
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
    is_set.then(|| ReadOnly {
        reason: format!("it is read-only: {setting} is on{whose}"),
        hint: format!("to allow changes: {undo}"),
    })
}

/// The error if there is no usable schema: none exists, or the role may use none.
fn unusable_path(transaction: &mut postgres::Transaction<'_>, location: &Location) -> StoreError {
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
    let rows = transaction.query_typed(select, &[]).unwrap_or_default();
    match rows.first() {
        Some(row) => {
            StoreError::CannotOpen { location: location.clone(), reason, hint: row.get(0) }
        }
        None => StoreError::CannotConnect { location: location.clone(), reason },
    }
}

/// Another table that may be the intended one if `schema` has none. One that an app is likely to
/// use comes first.
fn other_table(
    transaction: &mut postgres::Transaction<'_>,
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
    let rows = transaction.query_typed(select, &[(&schema, Type::TEXT)])?;
    Ok(rows.first().map(|row| OtherTable {
        schema: row.get(0),
        name: row.get(1),
        has_users: row.get(2),
    }))
}

/// Rejects creating a table if there is another one with users, unless the search path was set
/// explicitly.
fn refuse_beside(store: &Postgres) -> Result<(), StoreError> {
    let Some(other) = store.place.other_table.as_ref().filter(|other| other.has_users) else {
        return Ok(());
    };
    if store.server.names_search_path() {
        return Ok(());
    }
    let schema = &store.place.schema;
    let path = |schema: &str| {
        let option = option(schema);
        let quoted = option.replace('\'', r"'\''");
        match store.server.source_of_options() {
            Some(Source::Url) => {
                let encoded = utf8_percent_encode(&option, percent_encoding::NON_ALPHANUMERIC);
                format!("add %20-csearch_path%3D{encoded} to the options of the URL")
            }
            Some(Source::ServiceFile) => {
                format!("add -csearch_path={option} to the options of the service, in its file")
            }
            Some(Source::Environment) => {
                format!("export PGOPTIONS=\"$PGOPTIONS\"' -csearch_path={quoted}'")
            }
            None => format!("export PGOPTIONS='-csearch_path={quoted}'"),
        }
    };
    let name = format!("{}.{}", quoted(&other.schema), quoted(&other.name));
    let hint = if other.name == "users" {
        format!("to use it: {}; to create another one: {}", path(&other.schema), path(schema))
    } else {
        format!(
            "to use it, if the app does not depend on that name: ALTER TABLE {name} RENAME TO users; to \
             create another one: {}",
            path(schema)
        )
    };
    Err(StoreError::OtherTable {
        location: store.location.clone(),
        reason: format!("there is {name}; nothing was created in {}", quoted(schema)),
        hint,
    })
}

/// The name of a schema in connection options, where a backslash escapes the next character.
fn option(schema: &str) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if schema.chars().all(is_plain) {
        return schema.to_owned();
    }
    quoted(schema).replace('\\', r"\\").replace(' ', r"\ ")
}

/// Inspects the schema. Within a transaction, the result stays valid until its end.
pub(super) fn inspect(transaction: &mut PostgresTransaction) -> Result<Schema, StoreError> {
    let problems = objects::problems(transaction)?;
    objects::refuse_foreign_version(transaction, &problems)?;
    inspect_with(transaction, &problems)
}

fn inspect_with(
    transaction: &mut PostgresTransaction,
    problems: &[(u32, Problem)],
) -> Result<Schema, StoreError> {
    let (version, of_version) = version(transaction)?;
    let columns = users::adopt(transaction)?;
    let damage = |(version, problem): &(u32, Problem)| {
        let reason = match problem {
            Problem::Missing(SchemaObject { name, .. }) => format!("its '{name}' is missing"),
            Problem::Altered(SchemaObject { name, .. }) => format!("its '{name}' was changed"),
            problem => problem.to_string(),
        };
        (*version, reason)
    };
    let of_version = of_version.map(|reason| (LATEST, reason.to_owned()));
    let damage: Vec<_> = problems.iter().map(damage).chain(of_version).collect();
    let migrations = MIGRATIONS.map(|(migration, _)| migration);
    let mut schema = Schema::new(version, columns, &damage, migrations);
    if let Some(OtherTable { schema: other, name, has_users: false }) =
        &transaction.place.other_table
    {
        let name = format!("{}.{}", quoted(other), quoted(name));
        schema.warnings.push(format!("there is also {name}, which is not used"));
    }
    if transaction.place.is_superuser {
        schema.warnings.extend(objects::others_may_create(transaction)?);
    }
    Ok(schema)
}

/// Whether the schema has a table with this name.
pub(super) fn is_there(
    transaction: &mut PostgresTransaction,
    table: &str,
) -> Result<bool, StoreError> {
    let select = "SELECT EXISTS (SELECT 1 FROM pg_class WHERE relname = $1 AND relkind = 'r'
                      AND relnamespace = to_regnamespace($2))";
    let schema = quoted(&transaction.place.schema);
    let params: [Param; 2] = [(&table, Type::TEXT), (&schema, Type::TEXT)];
    Ok(transaction.query_one(select, &params)?.get(0))
}

/// Applies pending migrations. A repair of a schema with the latest version applies all.
///
/// The version is read under the lock of programs that change users, so if several start at once,
/// one does the work and the others find it done. Some locks make readers queue behind this
/// program. It waits for a lock only [briefly](TURN), then lets the readers go first and retries.
pub(super) fn migrate(
    store: &mut Postgres,
    wanted: &TableChanges,
    is_repair: bool,
) -> Result<Migrated, StoreError> {
    let deadline = Instant::now() + LOCK_TIMEOUT;
    loop {
        match attempt(store, wanted, is_repair) {
            Err(StoreError::Busy { .. }) if Instant::now() < deadline => thread::sleep(TURN),
            Err(StoreError::Conflict { .. }) if Instant::now() < deadline => {}
            result => return result,
        }
    }
}

fn attempt(
    store: &mut Postgres,
    wanted: &TableChanges,
    is_repair: bool,
) -> Result<Migrated, StoreError> {
    if !is_repair {
        refuse_beside(store)?;
        // So a role with read privileges can find that there is nothing to do.
        let mut transaction = store.transaction(Access::Read)?;
        let problems = objects::problems(&mut transaction)?;
        if problems.is_empty() && users::needed(&mut transaction, wanted)?.is_empty() {
            let schema = inspect_with(&mut transaction, &problems)?;
            if schema.pending.is_empty() {
                return Ok(Migrated::new(&schema, Vec::new(), TableChanges::default()));
            }
        }
    }
    let mut transaction = store.transaction_with(Access::Write, TURN)?;
    let problems = objects::problems(&mut transaction)?;
    objects::refuse_foreign_owners(&transaction, &problems)?;
    objects::refuse_foreign_users(&mut transaction)?;
    // If nothing exists yet, the first to create the table continues and the others retry.
    if !is_there(&mut transaction, "dash_users_schema")? {
        transaction.run_all(
            "CREATE TABLE {schema}.dash_users_schema (version integer NOT NULL);
             INSERT INTO {schema}.dash_users_schema VALUES (0)",
        )?;
    }
    let lock = "LOCK TABLE {schema}.dash_users_schema IN SHARE UPDATE EXCLUSIVE MODE";
    transaction.run(lock, &[])?;
    if is_there(&mut transaction, "dash_users_times")? {
        transaction.run(LOCK_OUT_WRITERS, &[])?;
    }
    // Another program may have repaired it, or planted something, while this one waited.
    let problems = objects::problems(&mut transaction)?;
    objects::refuse_foreign_owners(&transaction, &problems)?;
    let changes = users::needed(&mut transaction, wanted)?;
    if !changes.is_empty() {
        users::change(&mut transaction, &changes)?;
    }
    let schema = inspect_with(&mut transaction, &problems)?;
    if is_repair && (schema.version < LATEST || !schema.has_users_table) {
        return Err(schema.needs_migration(transaction.location));
    }
    let mut events = Vec::new();
    if is_repair || !schema.pending.is_empty() {
        events = apply(&mut transaction, &schema, &problems)?;
    }
    let location = transaction.location;
    transaction.transaction.commit().map_err(|error| connection::commit_error(location, &error))?;
    Ok(Migrated::new(&schema, events, changes))
}

/// Creates missing objects, deletes orphaned groups and times, and stores the version. Returns the
/// events that this added to the history, newest first. Statements that block readers come last.
fn apply(
    transaction: &mut PostgresTransaction,
    before: &Schema,
    problems: &[(u32, Problem)],
) -> Result<Vec<Event>, StoreError> {
    objects::regain(transaction, problems)?;
    let last: i64 = if is_there(transaction, "user_events")? {
        let select = format!(
            "SELECT coalesce(max(id), 0) FROM {{schema}}.user_events WHERE id < {}",
            objects::MAX_ID
        );
        transaction.query_one(&select, &[])?.get(0)
    } else {
        0
    };
    // Triggers are dropped with their table, so no event records the removed users.
    let is_another_table: bool = transaction
        .query_one(
            "SELECT NOT EXISTS (SELECT 1 FROM pg_trigger
                                WHERE tgrelid = to_regclass('{schema}.users')
                                    AND starts_with(tgname::text, 'dash_users_'))",
            &[],
        )?
        .get(0);
    for (migration, sql) in MIGRATIONS {
        if before.pending.contains(&migration) {
            transaction.run_all(sql)?;
        }
    }
    let created = objects::problems(transaction)?;
    objects::refuse_foreign_owners(transaction, &created)?;
    objects::create(transaction, problems)?;
    reconcile(transaction, before.version >= WATCHED, is_another_table)?;
    let latest = i32::try_from(LATEST).unwrap_or(i32::MAX);
    let is_stamped = "SELECT count(*) = 1 AND min(version) = $1 FROM {schema}.dash_users_schema";
    if !transaction.query_one(is_stamped, &[(&latest, Type::INT4)])?.get::<_, bool>(0) {
        transaction.run("DELETE FROM {schema}.dash_users_schema", &[])?;
        let insert = "INSERT INTO {schema}.dash_users_schema (version) VALUES ($1)";
        transaction.run(insert, &[(&latest, Type::INT4)])?;
    }
    objects::replace(transaction, problems)?;
    let select = "SELECT id, at, actor, action, username, detail FROM {schema}.user_events
                  WHERE id > $1 ORDER BY id DESC";
    Ok(transaction.query(select, &[(&last, Type::INT8)])?.iter().map(read_event).collect())
}

/// The fingerprint that identifies a user: a digest of the stored hash, as an SQL expression.
pub(super) fn fingerprint(hash: &str) -> String {
    format!("left(encode(sha256(convert_to({hash}, getdatabaseencoding())), 'hex'), 32)")
}

/// Makes groups and times match the users, and records that in the history: users may have changed
/// while the triggers were not working.
///
/// A user keeps groups and times if the hash is the last recorded one. If none was recorded, they
/// are kept unless this is another table than before.
fn reconcile(
    transaction: &mut PostgresTransaction,
    was_watched: bool,
    is_another_table: bool,
) -> Result<(), StoreError> {
    let current = fingerprint("users.password_hash::text");
    transaction.query("SELECT set_config('dash_users.bulk', 'on', true)", &[])?;
    if was_watched {
        let gone = format!(
            "NOT EXISTS (
                 SELECT 1 FROM {{schema}}.users JOIN {{schema}}.dash_users_times AS times
                     ON times.username = users.username::text COLLATE \"C\"
                 WHERE users.username::text COLLATE \"C\" = kept.username
                     AND CASE WHEN times.fingerprint IS NULL THEN NOT $1
                              ELSE times.fingerprint IS NOT DISTINCT FROM {current} END)"
        );
        for sql in [
            format!(
                "INSERT INTO {{schema}}.user_events (action, username, detail)
                 SELECT 'group remove', left(username, 1024), left(group_name, 1024)
                 FROM {{schema}}.user_groups AS kept WHERE {gone} ORDER BY username, group_name"
            ),
            format!(
                "INSERT INTO {{schema}}.user_events (action, username, detail)
                 SELECT 'remove', left(username, 1024), 'found missing'
                 FROM {{schema}}.dash_users_times AS kept WHERE {gone} ORDER BY username"
            ),
            format!("DELETE FROM {{schema}}.user_groups AS kept WHERE {gone}"),
            format!(
                "INSERT INTO {{schema}}.user_events (action, username, detail)
                 SELECT 'add', left(name, 1024), 'found'
                 FROM (SELECT users.username::text COLLATE \"C\" AS name, username::text COLLATE \"C\" AS username
                       FROM {{schema}}.users) AS kept
                 WHERE name IS NOT NULL AND EXISTS (SELECT 1 FROM {{schema}}.dash_users_times)
                     AND {gone}
                 ORDER BY name"
            ),
            format!("DELETE FROM {{schema}}.dash_users_times AS kept WHERE {gone}"),
        ] {
            transaction.run(&sql, &[(&is_another_table, Type::BOOL)])?;
        }
    }
    let insert = format!(
        "INSERT INTO {{schema}}.dash_users_times AS times (username, fingerprint)
         SELECT username::text, {current} FROM {{schema}}.users WHERE username IS NOT NULL
         ON CONFLICT (username) DO UPDATE SET fingerprint = excluded.fingerprint
         WHERE times.fingerprint IS NULL"
    );
    transaction.run(&insert, &[])?;
    transaction.query("SELECT set_config('dash_users.bulk', '', true)", &[]).map(drop)
}

/// The stored version, or 0, and the problem with its table, if any. Fixtures that empty every
/// table and restores of data alone leave no row or duplicate rows.
fn version(
    transaction: &mut PostgresTransaction,
) -> Result<(u32, Option<&'static str>), StoreError> {
    let location = transaction.location;
    let unreadable =
        |reason: &str| not_a_database(location, format!("its 'dash_users_schema' {reason}"));
    let select = "SELECT relkind = 'r' AND EXISTS (
                      SELECT 1 FROM pg_attribute WHERE attrelid = pg_class.oid
                          AND attname = 'version' AND atttypid = 'integer'::regtype)
                  FROM pg_class WHERE relnamespace = to_regnamespace($1)
                      AND relname = 'dash_users_schema'";
    let schema = quoted(&transaction.place.schema);
    let found = transaction.query(select, &[(&schema, Type::TEXT)])?;
    match found.first().map(|row| row.get(0)) {
        None => return Ok((0, None)),
        Some(false) => {
            return Err(unreadable("is not a table with an integer column 'version'"));
        }
        Some(true) => {}
    }
    let rows = transaction.query("SELECT version FROM {schema}.dash_users_schema", &[])?;
    let versions: Vec<Option<i32>> = rows.iter().map(|row| row.get(0)).collect();
    let (found, damage) = match versions[..] {
        [] => return Ok((LATEST, Some("its 'dash_users_schema' is empty"))),
        [Some(version)] => (version, None),
        [Some(version), ref same @ ..] if same.iter().all(|other| *other == Some(version)) => {
            (version, Some("its 'dash_users_schema' has duplicate rows"))
        }
        _ => return Err(unreadable("does not contain exactly one version")),
    };
    match u32::try_from(found) {
        Ok(found) if found <= LATEST => Ok((found, damage)),
        Ok(_) => Err(StoreError::NewerSchema {
            location: location.clone(),
            found: found.into(),
            known: LATEST,
        }),
        Err(_) => Err(unreadable("contains a negative version")),
    }
}

pub(super) fn not_a_database(location: &Location, reason: String) -> StoreError {
    StoreError::NotADatabase { location: location.clone(), reason }
}
