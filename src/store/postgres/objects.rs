//! The objects that this crate creates in addition to `users`: tables, an index, triggers and their
//! functions. Finds those that are missing, altered or not working, and repairs them.

use postgres::SimpleQueryRow;
use postgres::types::Type;

use super::catalog::Catalog;
use super::connection::quoted;
use super::place::is_true;
use super::schema::{fingerprint, not_a_database};
use super::{PostgresTransaction, as_text};
use crate::check::{Problem, SchemaObject, SchemaObjectKind};
use crate::escape::Escaped;
use crate::store::{Location, Migration, StoreError};

const FUNCTIONS: &str = include_str!("functions.sql");
const OBJECTS: &str = include_str!("objects.sql");

/// All migrations, each with the SQL that creates its tables and columns, which can be repeated.
pub(super) const MIGRATIONS: [(Migration, &str); 6] = [
    (Migration { version: 1, name: "users" }, include_str!("001_users.sql")),
    (Migration { version: 2, name: "accounts" }, include_str!("002_accounts.sql")),
    (Migration { version: 3, name: "fingerprints" }, include_str!("003_fingerprints.sql")),
    (Migration { version: 4, name: "group_names" }, include_str!("004_group_names.sql")),
    (Migration { version: 5, name: "imported" }, include_str!("005_imported.sql")),
    (
        Migration { version: 6, name: "statement_triggers" },
        include_str!("006_statement_triggers.sql"),
    ),
];

/// The latest version.
pub(super) const LATEST: u32 = MIGRATIONS[MIGRATIONS.len() - 1].0.version;

/// The indexes, the version that creates each, its table, and parts of its definition.
pub(super) const INDEXES: [(u32, &str, &str, &[&str]); 2] = [
    (1, "dash_users_username_nocase", "users", &["lower(", "username", "COLLATE"]),
    (4, "dash_users_group_name", "user_groups", &["group_name"]),
];

/// Triggers: the version that creates each, the table, the bits of `tgtype`, how many columns they are
/// for (0 for all), whether they have a condition, their tables of rows, and their function.
#[rustfmt::skip]
#[expect(clippy::type_complexity, reason = "a table is easier to read")]
const TRIGGERS: [(u32, &str, &str, i16, i32, bool, &str, &str); 8] = [
    (6, "dash_users_added", "users", INSERT, 0, false, NEW, ON_USERS),
    (6, "dash_users_removed", "users", DELETE, 0, false, OLD, ON_USERS),
    (2, "dash_users_changed", "users", UPDATE, 0, false, OLD_AND_NEW, ON_USERS),
    (6, "dash_users_renamed", "users", ROW | UPDATE, 0, true, "", ON_USERS),
    (2, "dash_users_truncated", "users", TRUNCATE, 0, false, "", "dash_users_on_truncate"),
    (6, "dash_users_groups_added", "user_groups", INSERT, 0, false, NEW, ON_GROUPS),
    (6, "dash_users_groups_removed", "user_groups", DELETE, 0, false, OLD, ON_GROUPS),
    (2, "dash_users_groups_changed", "user_groups", ROW | UPDATE, 2, true, "", ON_GROUPS),
];

/// The triggers of earlier versions. With the others, they would record everything twice.
const OBSOLETE: [&str; 2] = ["dash_users_added_or_removed", "dash_users_groups"];

const OLD: &str = "dash_users_old";
const NEW: &str = "dash_users_new";
const OLD_AND_NEW: &str = "dash_users_old dash_users_new";

const ON_USERS: &str = "dash_users_on_users";
const ON_GROUPS: &str = "dash_users_on_groups";

const ROW: i16 = 1;
const INSERT: i16 = 4;
const DELETE: i16 = 8;
const UPDATE: i16 = 16;
const TRUNCATE: i16 = 32;

/// The tables, the version that needs each, and their first columns.
pub(super) const TABLES: [(u32, &str, &str); 4] = [
    (2, "user_groups", "username text NOT NULL, group_name text NOT NULL"),
    (
        2,
        "user_events",
        "id bigint NOT NULL, at timestamp with time zone NOT NULL, actor text, \
         action text NOT NULL, username text, detail text",
    ),
    (
        2,
        "dash_users_times",
        "username text NOT NULL, created_at timestamp with time zone, \
         password_changed_at timestamp with time zone",
    ),
    (
        5,
        "dash_users_imported",
        "username text NOT NULL, event bigint NOT NULL, changes text NOT NULL",
    ),
];

/// The columns that later versions add to them, each with its table, in their order.
const COLUMNS: [(u32, &str, &str); 1] = [(3, "dash_users_times", "fingerprint text")];

/// The maximum id of an event. Larger ids were written by someone else, and leave few ids after
/// them.
pub(super) const MAX_ID: i64 = 1 << 62;

/// The problems of our objects, each with the schema version that needs the object.
pub(super) fn problems(
    transaction: &PostgresTransaction,
    catalog: &Catalog,
) -> Result<Vec<(u32, Problem)>, StoreError> {
    let mut problems = tables(transaction.location, catalog)?;
    problems.extend(indexes_and_triggers(catalog));
    problems.extend(functions(transaction, catalog));
    Ok(problems)
}

fn object(kind: SchemaObjectKind, name: &str) -> SchemaObject {
    SchemaObject { kind, name: name.to_owned() }
}

/// The name of the schema, as a parameter for `to_regnamespace`.
pub(super) fn schema(transaction: &PostgresTransaction) -> String {
    quoted(&transaction.place.schema)
}

fn tables(location: &Location, catalog: &Catalog) -> Result<Vec<(u32, Problem)>, StoreError> {
    let rows = &catalog.tables;
    let mut problems = Vec::new();
    for (version, table, first) in TABLES {
        let Some(row) = rows.iter().find(|row| row.get(0) == Some(table)) else {
            problems.push((version, Problem::Missing(object(SchemaObjectKind::Table, table))));
            continue;
        };
        let columns = row.get(2).unwrap_or_default();
        let is_table = row.get(1) == Some("r");
        let mut rest = columns.strip_prefix(first);
        let mut expected = first.to_owned();
        for (version, _, column) in COLUMNS.iter().filter(|(_, of, _)| *of == table) {
            let next = format!(", {column}");
            if let Some(behind) = rest.and_then(|rest| rest.strip_prefix(&next)) {
                rest = Some(behind);
            } else {
                let table = object(SchemaObjectKind::Table, table);
                problems.push((*version, Problem::Altered(table)));
            }
            expected += &next;
        }
        if !is_table || rest != Some("") {
            let kind = if is_table { "table" } else { "view" };
            return Err(not_a_database(
                location,
                format!(
                    "its '{table}' is a {kind} with the columns {}, but dash-users needs a table \
                     of that name with {expected}",
                    Escaped(columns)
                ),
            ));
        }
    }
    for row in rows {
        let text = |column| row.get(column).unwrap_or_default();
        let (table, expected) = (text(0), text(4).to_owned());
        if let Some(owner) = row.get(3) {
            let (object, owner) = (object(SchemaObjectKind::Table, table), owner.to_owned());
            problems.push((LATEST, Problem::ForeignOwner { object, owner, expected }));
        } else if is_true(row, 5) {
            let reason = format!("row-level security is forced on '{}'", Escaped(table));
            problems.push((LATEST, Problem::CannotRecord(reason)));
        } else if row.get(6) == Some("f") {
            let (owner, table) = (Escaped(&expected), Escaped(table));
            let reason = format!("role '{owner}' lacks privileges on its own '{table}'");
            problems.push((LATEST, Problem::CannotRecord(reason)));
        }
    }
    Ok(problems)
}

fn indexes_and_triggers(catalog: &Catalog) -> Vec<(u32, Problem)> {
    let mut problems = Vec::new();
    for (version, name, table, parts) in INDEXES {
        let index = object(SchemaObjectKind::Index, name);
        match catalog.indexes.iter().find(|row| row.get(0) == Some(name)) {
            None => problems.push((version, Problem::Missing(index))),
            Some(row) => {
                let definition = row.get(3).unwrap_or_default();
                let is_it = row.get(1) == Some(table)
                    && is_true(row, 2)
                    && definition.starts_with(parts[0])
                    && parts.iter().all(|part| definition.contains(part));
                if !is_it {
                    problems.push((LATEST, Problem::Altered(index)));
                }
            }
        }
    }
    for (version, name, table, kind, columns, has_condition, rows, function) in TRIGGERS {
        let trigger = object(SchemaObjectKind::Trigger, name);
        let is_it = |row: &&SimpleQueryRow| row.get(0) == Some(name) && row.get(1) == Some(table);
        match catalog.triggers.iter().find(is_it) {
            None => problems.push((version, Problem::Missing(trigger))),
            Some(row) => {
                let is_as_created = row.get(2) == Some(&kind.to_string())
                    && row.get(3) == Some(&columns.to_string())
                    && is_true(row, 4) == has_condition
                    && row.get(5) == Some(function)
                    && row.get(6) == Some(rows);
                if !is_as_created {
                    problems.push((LATEST, Problem::Altered(trigger)));
                }
            }
        }
    }
    let is_ours = |row: &SimpleQueryRow, name| {
        row.get(0) == Some(name) && matches!(row.get(1), Some("users" | "user_groups"))
    };
    for name in OBSOLETE {
        if catalog.triggers.iter().any(|row| is_ours(row, name)) {
            let trigger = object(SchemaObjectKind::Trigger, name);
            problems.push((LATEST, Problem::Altered(trigger)));
        }
    }
    problems
}

/// The functions of our triggers that are missing, altered, owned by another role than the owner of
/// `users`, or callable by others.
fn functions(transaction: &PostgresTransaction, catalog: &Catalog) -> Vec<(u32, Problem)> {
    let mut problems = Vec::new();
    for created in statements(FUNCTIONS) {
        let name = created.name.rsplit('.').next().unwrap_or_default();
        let function = object(SchemaObjectKind::Function, name);
        let Some(row) = catalog.functions.iter().find(|row| row.get(0) == Some(name)) else {
            problems.push((2, Problem::Missing(function)));
            continue;
        };
        let sql = function_sql(transaction, created.sql);
        let source = sql.split(&tag(transaction)).nth(1);
        let text = |column| row.get(column).unwrap_or_default();
        let mut settings: Vec<_> = text(3).lines().map(str::to_owned).collect();
        let mut wanted = settings_of(created.sql);
        settings.sort();
        wanted.sort();
        let is_as_created = row.get(1) == source && is_true(row, 2) && settings == wanted;
        let (owner, expected) = (text(4).to_owned(), text(5).to_owned());
        if owner != expected {
            problems.push((LATEST, Problem::ForeignOwner { object: function, owner, expected }));
        } else if !is_as_created || is_true(row, 6) {
            problems.push((LATEST, Problem::Altered(function)));
        }
    }
    problems
}

/// The settings of a function, in the form of the catalog.
fn settings_of(function: &str) -> Vec<String> {
    let head = function.split("$function$").next().unwrap_or_default();
    let settings = head.lines().filter_map(|line| line.strip_prefix("SET "));
    settings.map(|setting| setting.trim_end_matches(" AS ").replacen(" = ", "=", 1)).collect()
}

/// Fills in the schema and the fingerprints of a function.
fn function_sql(transaction: &PostgresTransaction, sql: &str) -> String {
    let mut sql = sql.replace("$function$", &tag(transaction));
    for hash in ["old_hash", "new_hash", "added.hash", "hash_before", "hash", "password_hash::text"]
    {
        sql = sql.replace(&format!("{{fingerprint of {hash}}}"), &fingerprint(hash));
    }
    // In a string literal.
    for hash in ["before.hash", "after.hash"] {
        let quoted = fingerprint(hash).replace('\'', "''");
        sql = sql.replace(&format!("{{fingerprint of {hash}}}"), &quoted);
    }
    transaction.sql(&sql)
}

/// The dollar quotes around the body of a function. They must not occur in the name of the schema.
fn tag(transaction: &PostgresTransaction) -> String {
    let mut tag = "$function$".to_owned();
    while transaction.place.schema.contains(&tag) {
        tag.insert(1, 'x');
    }
    tag
}

/// A statement that creates an object.
struct Created<'a> {
    /// The name after the kind, with the schema if written.
    name: &'a str,
    sql: &'a str,
}

/// The statements of a file: each begins with CREATE at the start of a line.
fn statements(file: &str) -> Vec<Created<'_>> {
    let starts = file.match_indices("\nCREATE ").map(|(start, _)| start + 1);
    let ends = starts.clone().skip(1).chain([file.len()]);
    let statement = |(start, end): (usize, usize)| {
        let sql = &file[start..end];
        let is_kind = |word: &&str| ["FUNCTION", "INDEX", "TRIGGER"].contains(word);
        let name = sql.split([' ', '(']).skip_while(|word| !is_kind(word)).nth(1);
        Created { name: name.unwrap_or_default(), sql }
    };
    starts.zip(ends).map(statement).collect()
}

/// The size of a table from which on its index is created without a lock that stops writers.
const LARGE: i64 = 8 << 20;

/// The statements that create missing indexes of large tables, or replace them, without stopping
/// readers or writers. Each must be run outside of a transaction.
pub(super) fn concurrent_indexes(
    transaction: &mut PostgresTransaction,
    problems: &[(u32, Problem)],
) -> Result<Vec<String>, StoreError> {
    let mut sql = Vec::new();
    for (_, name, table, _) in INDEXES {
        let is_it = |problem: &&Problem| matches!(problem, Problem::Missing(object) | Problem::Altered(object) if object.name == name);
        let Some(problem) = problems.iter().map(|(_, problem)| problem).find(is_it) else {
            continue;
        };
        let of_table =
            format!("SELECT coalesce(pg_relation_size(to_regclass('{{schema}}.{table}')), 0)");
        if transaction.query_one(&of_table, &[])?.get::<_, i64>(0) < LARGE {
            continue;
        }
        if let Problem::Altered(_) = problem {
            sql.push(transaction.sql(&format!("DROP INDEX CONCURRENTLY {{schema}}.{name}")));
        }
        let created = statements(OBJECTS).into_iter().find(|created| created.name == name);
        let create = created.map(|created| created.sql).unwrap_or_default();
        let create = create.replacen("CREATE INDEX", "CREATE INDEX CONCURRENTLY", 1);
        sql.push(transaction.sql(&create));
    }
    Ok(sql)
}

/// Creates missing objects and replaces functions, without blocking readers.
pub(super) fn create(
    transaction: &mut PostgresTransaction,
    problems: &[(u32, Problem)],
) -> Result<(), StoreError> {
    let is_function = |(_, problem): &&(u32, Problem)| {
        let (Problem::Missing(object) | Problem::Altered(object)) = problem else { return false };
        object.kind == SchemaObjectKind::Function
    };
    if problems.iter().any(|problem| is_function(&problem)) {
        for function in statements(FUNCTIONS) {
            let sql = function_sql(transaction, function.sql);
            transaction.run_all(&sql)?;
            // Also from others that default privileges grant to.
            let revoke =
                "SELECT format('REVOKE ALL ON FUNCTION %s FROM %s', pg_proc.oid::regprocedure,
                              CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END)
                          FROM pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))
                          WHERE pronamespace = to_regnamespace('{schema}') AND grantee <> proowner
                              AND prokind = 'f' AND pronargs = 0
                              AND proname IN ('dash_users_on_users', 'dash_users_on_truncate',
                                              'dash_users_on_groups')";
            for revoke in transaction.texts(revoke, &[])? {
                transaction.run_all(&revoke)?;
            }
        }
    }
    renumber(transaction)?;
    let is_there = |name: &str| {
        problems
            .iter()
            .all(|(_, problem)| !matches!(problem, Problem::Missing(object) if object.name == name))
    };
    for created in statements(OBJECTS).iter().filter(|created| !is_there(created.name)) {
        // A disabled trigger still exists, and an index may be on another table.
        drop_object(transaction, created.name)?;
        transaction.run_all(created.sql)?;
    }
    Ok(())
}

/// Replaces altered indexes and triggers, and drops those of earlier versions. This blocks readers.
pub(super) fn replace(
    transaction: &mut PostgresTransaction,
    problems: &[(u32, Problem)],
) -> Result<(), StoreError> {
    let is_altered = |name: &str| {
        problems
            .iter()
            .any(|(_, problem)| matches!(problem, Problem::Altered(object) if object.name == name))
    };
    for name in OBSOLETE.iter().filter(|name| is_altered(name)) {
        drop_object(transaction, name)?;
    }
    for created in statements(OBJECTS).iter().filter(|created| is_altered(created.name)) {
        drop_object(transaction, created.name)?;
        transaction.run_all(created.sql)?;
    }
    Ok(())
}

/// Drops our index or trigger with this name, if it exists.
fn drop_object(transaction: &mut PostgresTransaction, name: &str) -> Result<(), StoreError> {
    let select = "SELECT format('DROP INDEX %s', pg_class.oid::regclass) FROM pg_class
                  WHERE relnamespace = to_regnamespace('{schema}') AND relkind = 'i'
                      AND relname = $1
                  UNION ALL
                  SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass)
                  FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
                  WHERE relnamespace = to_regnamespace('{schema}') AND tgname = $1
                      AND relname IN ('users', 'user_groups')";
    let drops = transaction.texts(select, &[as_text(&name)])?;
    drops.iter().try_for_each(|drop| transaction.run_all(drop))
}

/// Checks that the history has an id for its next event, as far as the role can see. Logical
/// replication does not copy the sequence.
pub(super) fn numbering(
    transaction: &mut PostgresTransaction,
) -> Result<Option<Problem>, StoreError> {
    let select = "SELECT name, has_sequence_privilege(name, 'SELECT')
                  FROM pg_get_serial_sequence('{schema}.user_events', 'id') AS name";
    let row = transaction.query_one(select, &[])?;
    let Some(sequence) = row.get::<_, Option<String>>(0) else {
        let reason = "column 'id' of 'user_events' is not an identity column".to_owned();
        return Ok(Some(Problem::CannotRecord(reason)));
    };
    if !row.get::<_, bool>(1) {
        return Ok(None);
    }
    let select = format!(
        "SELECT last_value >= seqmax AND is_called,
                coalesce((SELECT max(id) FROM {{schema}}.user_events WHERE id < {MAX_ID}), 0)
                    > CASE WHEN is_called THEN last_value ELSE last_value - 1 END
         FROM {sequence}, pg_sequence WHERE seqrelid = to_regclass($1)"
    );
    let row = transaction.query_one(&select, &[(&sequence, Type::TEXT)])?;
    let reason = match (row.get(0), row.get(1)) {
        (true, _) => "'user_events' has no ids left",
        (false, true) => "the next id of 'user_events' is already used",
        (false, false) => return Ok(None),
    };
    Ok(Some(Problem::CannotRecord(reason.to_owned())))
}

/// Sets the next id of the history to follow its last event.
fn renumber(transaction: &mut PostgresTransaction) -> Result<(), StoreError> {
    if numbering(transaction)?.is_none() {
        return Ok(());
    }
    let sequence = "SELECT pg_get_serial_sequence('{schema}.user_events', 'id')";
    let sequence: String = transaction.query_one(sequence, &[])?.get(0);
    transaction.run_all(&format!("ALTER SEQUENCE {sequence} NO MAXVALUE NO CYCLE"))?;
    let set = format!(
        "SELECT setval(to_regclass($1), coalesce(
             (SELECT max(id) FROM {{schema}}.user_events WHERE id < {MAX_ID}), 0) + 1, false)"
    );
    transaction.query(&set, &[(&sequence, Type::TEXT)]).map(drop)
}

/// Grants the owner of `users` the privileges that its triggers need on its own tables.
pub(super) fn regain(
    transaction: &mut PostgresTransaction,
    problems: &[(u32, Problem)],
) -> Result<(), StoreError> {
    if !problems.iter().any(|(_, problem)| matches!(problem, Problem::CannotRecord(_))) {
        return Ok(());
    }
    for (_, table, _) in TABLES {
        transaction.run_all(&format!(
            "GRANT ALL ON {{schema}}.{table} TO CURRENT_USER;
             ALTER TABLE {{schema}}.{table} NO FORCE ROW LEVEL SECURITY"
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_and_column_of_migrations_is_listed() {
        let sql = MIGRATIONS.map(|(_, sql)| sql).concat();
        let after = |start: &str| sql.split(start).skip(1).collect::<Vec<_>>();
        for table in after("CREATE TABLE IF NOT EXISTS {schema}.") {
            let is_it = |name: &str| table.starts_with(&format!("{name} "));
            let is_listed = is_it("users") || TABLES.iter().any(|(_, name, _)| is_it(name));
            assert!(is_listed, "list it in TABLES: {table}");
        }
        for added in after("ALTER TABLE {schema}.") {
            let (table, column) = added.split_once(" ADD COLUMN IF NOT EXISTS ").unwrap();
            let is_it =
                |(_, of, listed): &_| *of == table && column.starts_with(&format!("{listed};"));
            assert!(COLUMNS.iter().any(is_it), "list it in COLUMNS: {added}");
        }
    }
}
