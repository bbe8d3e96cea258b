//! Inspecting and migrating the schema.

use std::thread;
use std::time::{Duration, Instant};

use percent_encoding::utf8_percent_encode;
use postgres::types::Type;

use super::catalog::Catalog;
use super::connection::quoted;
pub(super) use super::objects::LATEST;
use super::objects::MIGRATIONS;
use super::place::{Opening, OtherTable, is_true};
use super::reconcile::{self, Before};
use super::server::{Server, Source};
use super::{Postgres, PostgresTransaction, as_text, commit, objects, planted, users};
use crate::check::{Problem, SchemaObject};
use crate::store::{
    Access, CommitHooks, Location, Migrated, Schema, StoreError, TableChanges, lock_timeout,
};

/// The first version with triggers, which maintain times and groups.
const WATCHED: u32 = 2;

/// How long a statement waits for a lock while readers queue behind it, and how long the readers
/// then get.
pub(super) const TURN: Duration = Duration::from_millis(500);

/// How long creating an index may take, with the wait for transactions that began before.
const INDEX_LIMIT: Duration = Duration::from_secs(120);

/// Rejects creating a table if there is another one with users, unless the search path was set
/// explicitly.
fn refuse_beside(transaction: &PostgresTransaction, server: &Server) -> Result<(), StoreError> {
    let place = &transaction.place;
    let Some(other) = place.other_table.as_ref().filter(|other| other.has_users) else {
        return Ok(());
    };
    if server.names_search_path() {
        return Ok(());
    }
    let schema = &place.schema;
    let path = |schema: &str| {
        let option = option(schema);
        let quoted = option.replace('\'', r"'\''");
        match server.source_of_options() {
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
        location: transaction.location.clone(),
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
pub(super) fn inspect(
    transaction: &mut PostgresTransaction,
    catalog: &Catalog,
) -> Result<Schema, StoreError> {
    let problems = objects::problems(transaction, catalog)?;
    planted::refuse_foreign_version(transaction, &problems)?;
    inspect_with(transaction, catalog, &problems)
}

fn inspect_with(
    transaction: &mut PostgresTransaction,
    catalog: &Catalog,
    problems: &[(u32, Problem)],
) -> Result<Schema, StoreError> {
    let (version, of_version) = version(transaction.location, catalog)?;
    let columns = users::adopt(transaction, catalog)?;
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
    if let Some(OtherTable { schema: other, name, has_users: false }) = transaction.unused_table {
        let name = format!("{}.{}", quoted(other), quoted(name));
        schema.warnings.push(format!("there is also {name}, which is not used"));
    }
    if transaction.place.is_superuser {
        schema.warnings.extend(planted::others_may_create(transaction, catalog));
    }
    Ok(schema)
}

/// Makes the latest migration pending if the history has no id for its next event. Only commands
/// that look at the schema ask for it: all others find out when they write.
pub(super) fn add_numbering(
    transaction: &mut PostgresTransaction,
    schema: &mut Schema,
) -> Result<(), StoreError> {
    if schema.pending.is_empty()
        && let Some(problem) = objects::numbering(transaction)?
    {
        schema.pending.extend(schema.applied.pop());
        schema.damage.push(problem.to_string());
    }
    Ok(())
}

/// Whether the schema has a table with this name.
pub(super) fn is_there(
    transaction: &mut PostgresTransaction,
    table: &str,
) -> Result<bool, StoreError> {
    let select = "SELECT EXISTS (SELECT 1 FROM pg_class WHERE relname = $1 AND relkind = 'r'
                      AND relnamespace = to_regnamespace('{schema}'))";
    Ok(transaction.query_one(select, &[as_text(&table)])?.get(0))
}

/// Applies pending migrations. A repair of a schema with the latest version applies all.
///
/// The version is read under the lock of programs that change users, so if several start at once,
/// one does the work and the others find it done. Some locks make readers queue behind this
/// program. It waits for a lock only [briefly](TURN), then lets the readers go first and retries.
///
/// One transaction creates everything. Unless `users` is new, it stores a version below the latest:
/// [`reconcile`] follows without these locks, and stores the latest.
pub(super) fn migrate(
    store: &mut Postgres,
    wanted: &TableChanges,
    is_repair: bool,
    hooks: CommitHooks,
) -> Result<Migrated, StoreError> {
    let deadline = Instant::now() + lock_timeout();
    let (mut events, mut has_indexes) = (Vec::new(), false);
    loop {
        stop_if_canceled(store, hooks)?;
        match attempt(store, wanted, is_repair, &mut has_indexes, hooks) {
            Err(StoreError::Busy { .. }) if Instant::now() < deadline => thread::sleep(TURN),
            Err(StoreError::Conflict { .. }) if Instant::now() < deadline => {}
            Err(error) => return Err(error),
            Ok((migrated, None)) => return Ok(Migrated { events, ..migrated }),
            Ok((migrated, Some(before))) => {
                let (found, is_overtaken) = reconcile::run(store, before, hooks)?;
                events = found;
                if !is_overtaken {
                    return Ok(Migrated { events, ..migrated });
                }
            }
        }
    }
}

/// Whether the user wants to end an update: the next one continues.
pub(super) fn stop_if_canceled(store: &Postgres, hooks: CommitHooks) -> Result<(), StoreError> {
    if (hooks.is_canceled)() {
        return Err(StoreError::Unfinished { location: store.location.clone() });
    }
    Ok(())
}

/// Creates the indexes of large tables, which takes seconds and stops nobody. What fails is left to the
/// transaction of the migration, which then stops writers, or reports the problem.
fn create_indexes(store: &mut Postgres, hooks: CommitHooks) {
    let find = |store: &mut Postgres| {
        let (mut transaction, catalog) = store.transaction(Access::Read)?;
        let problems = objects::problems(&transaction, &catalog)?;
        planted::refuse_foreign_owners(&transaction, &problems)?;
        planted::refuse_foreign_users(&mut transaction)?;
        match users::adopt(&mut transaction, &catalog)? {
            Some(_) => objects::concurrent_indexes(&mut transaction, &problems),
            None => Ok(Vec::new()),
        }
    };
    for sql in find(store).unwrap_or_default() {
        let Some(connection) = store.connection.take() else { return };
        let answer = commit::run(connection, sql, INDEX_LIMIT, hooks);
        store.connection = answer.map(|(connection, _)| connection);
    }
}

/// Creates what is missing. If users are to be reconciled, returns what there was before.
fn attempt(
    store: &mut Postgres,
    wanted: &TableChanges,
    is_repair: bool,
    has_indexes: &mut bool,
    hooks: CommitHooks,
) -> Result<(Migrated, Option<Before>), StoreError> {
    if !is_repair {
        // So a role with read privileges can find that there is nothing to do.
        let server = store.server.clone();
        let (mut transaction, catalog) = store.transaction(Access::Read)?;
        refuse_beside(&transaction, &server)?;
        let problems = objects::problems(&transaction, &catalog)?;
        if problems.is_empty() && users::needed(&mut transaction, &catalog, wanted)?.is_empty() {
            let mut schema = inspect_with(&mut transaction, &catalog, &problems)?;
            add_numbering(&mut transaction, &mut schema)?;
            if schema.pending.is_empty() {
                return Ok((Migrated::new(&schema, Vec::new(), TableChanges::default()), None));
            }
        }
    }
    if !*has_indexes {
        *has_indexes = true;
        create_indexes(store, hooks);
        stop_if_canceled(store, hooks)?;
    }
    let (mut transaction, catalog) = store.open_transaction(Access::Write, &Opening::new(TURN))?;
    let problems = objects::problems(&transaction, &catalog)?;
    planted::refuse_foreign_owners(&transaction, &problems)?;
    planted::refuse_foreign_users(&mut transaction)?;
    planted::refuse_namesakes(&mut transaction)?;
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
        let lock = "LOCK TABLE {schema}.dash_users_times IN SHARE UPDATE EXCLUSIVE MODE";
        transaction.run(lock, &[])?;
    }
    // Another program may have repaired it, or planted something, while this one waited.
    let mut catalog = Catalog::read(&mut transaction)?;
    let problems = objects::problems(&transaction, &catalog)?;
    planted::refuse_foreign_owners(&transaction, &problems)?;
    let changes = users::needed(&mut transaction, &catalog, wanted)?;
    if !changes.is_empty() {
        users::change(&mut transaction, &changes)?;
        catalog = Catalog::read(&mut transaction)?;
    }
    let mut schema = inspect_with(&mut transaction, &catalog, &problems)?;
    add_numbering(&mut transaction, &mut schema)?;
    if is_repair && (schema.version < LATEST || !schema.has_users_table) {
        return Err(schema.needs_migration(transaction.location));
    }
    let mut before = None;
    if is_repair || !schema.pending.is_empty() {
        before = apply(&mut transaction, &schema, &problems)?;
    }
    transaction.save(CommitHooks::default())?;
    Ok((Migrated::new(&schema, Vec::new(), changes), before))
}

/// Creates missing objects and stores the version. Returns what there was before, unless the table
/// of users is new. Statements that block readers come last.
fn apply(
    transaction: &mut PostgresTransaction,
    schema: &Schema,
    problems: &[(u32, Problem)],
) -> Result<Option<Before>, StoreError> {
    objects::regain(transaction, problems)?;
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
        if schema.pending.contains(&migration) {
            transaction.run_all(sql)?;
        }
    }
    let was_watched = schema.version >= WATCHED;
    if was_watched && is_another_table {
        // Users without a fingerprint would be taken for those of the table before.
        let forget = "UPDATE {schema}.dash_users_times SET fingerprint = ''
                      WHERE fingerprint IS NULL";
        transaction.run(forget, &[])?;
    }
    let had_times = "SELECT EXISTS (SELECT 1 FROM {schema}.dash_users_times)";
    let had_times = transaction.query_one(had_times, &[])?.get(0);
    let catalog = Catalog::read(transaction)?;
    let created = objects::problems(transaction, &catalog)?;
    planted::refuse_foreign_owners(transaction, &created)?;
    objects::create(transaction, problems)?;
    let is_new = !was_watched && !schema.has_users_table;
    let is_pending = !is_new && !schema.pending.is_empty();
    let version = if is_pending { schema.version.min(LATEST - 1) } else { LATEST };
    let version = i32::try_from(version).unwrap_or(i32::MAX);
    let is_stored = "SELECT count(*) = 1 AND min(version) = $1 FROM {schema}.dash_users_schema";
    if !transaction.query_one(is_stored, &[(&version, Type::INT4)])?.get::<_, bool>(0) {
        transaction.run("DELETE FROM {schema}.dash_users_schema", &[])?;
        let insert = "INSERT INTO {schema}.dash_users_schema (version) VALUES ($1)";
        transaction.run(insert, &[(&version, Type::INT4)])?;
    }
    objects::replace(transaction, problems)?;
    Ok((!is_new).then_some(Before { was_watched, had_times, is_pending }))
}

/// The fingerprint that identifies a user: a digest of the stored hash, as an SQL expression. Never
/// NULL, which means that none was recorded.
pub(super) fn fingerprint(hash: &str) -> String {
    format!(
        "coalesce(left(encode(sha256(convert_to({hash}, getdatabaseencoding())), 'hex'), 32), 'none')"
    )
}

/// The stored version, or 0, and the problem with its table, if any. Fixtures that empty every
/// table and restores of data alone leave no row or duplicate rows.
fn version(
    location: &Location,
    catalog: &Catalog,
) -> Result<(u32, Option<&'static str>), StoreError> {
    let unreadable =
        |reason: &str| not_a_database(location, format!("its 'dash_users_schema' {reason}"));
    let Some(row) = catalog.version.first() else { return Ok((0, None)) };
    if !is_true(row, 0) {
        return Err(unreadable("is not a table with an integer column 'version'"));
    }
    let versions = row.get(1).filter(|versions| !versions.is_empty());
    let versions: Vec<Option<i32>> =
        versions.into_iter().flat_map(|all| all.split(',')).map(|one| one.parse().ok()).collect();
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
