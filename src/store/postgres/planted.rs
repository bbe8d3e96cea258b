//! What others may have planted where our objects are, or should be: refused, because its code would
//! run with the rights of the role that uses it, or reported.

use postgres::types::Type;

use super::PostgresTransaction;
use super::catalog::Catalog;
use super::connection::quoted;
use super::objects::{INDEXES, TABLES, schema};
use super::schema::not_a_database;
use crate::check::{Problem, SchemaObjectKind};
use crate::store::StoreError;

/// Rejects creating objects for a table `users` that belongs to another role: a role that can
/// create objects may have planted it.
pub(super) fn refuse_foreign_users(
    transaction: &mut PostgresTransaction,
) -> Result<(), StoreError> {
    let select = "SELECT pg_get_userbyid(relowner)::text FROM pg_class
                  WHERE oid = to_regclass('{schema}.users')
                      AND relowner <> to_regrole(quote_ident(current_user))";
    let owners = transaction.texts(select, &[])?;
    let Some(owner) = owners.first() else { return Ok(()) };
    let owner = quoted(owner);
    Err(StoreError::CannotConnect {
        location: transaction.location.clone(),
        reason: format!("its table 'users' belongs to {owner}: connect as {owner}"),
    })
}

/// A warning for superusers if others can create objects in the schema: the triggers run with
/// superuser rights.
pub(super) fn others_may_create(
    transaction: &PostgresTransaction,
    catalog: &Catalog,
) -> Option<String> {
    let schema = schema(transaction);
    let other = quoted(catalog.creators.first()?.get(0)?);
    Some(format!(
        "the triggers run with the rights of a superuser, and other roles may create objects in \
         schema {schema}, {other} for one: better run init as a role that is no superuser"
    ))
}

/// Rejects a stored version that another role may have planted.
pub(super) fn refuse_foreign_version(
    transaction: &PostgresTransaction,
    problems: &[(u32, Problem)],
) -> Result<(), StoreError> {
    let is_version = |(_, problem): &(u32, Problem)| matches!(problem, Problem::ForeignOwner { object, .. } if object.name == "dash_users_schema");
    if problems.iter().any(is_version) {
        return refuse_foreign_owners(transaction, problems);
    }
    Ok(())
}

/// Stops if something of another kind has the name of a table or index of ours: creating it would fail
/// as if another program had been faster.
pub(super) fn refuse_namesakes(transaction: &mut PostgresTransaction) -> Result<(), StoreError> {
    let select = "
        SELECT relname::text,
               CASE WHEN relkind = 'c' THEN 'a type' WHEN relkind = 'S' THEN 'a sequence'
                    WHEN relkind = 'v' THEN 'a view' WHEN relkind IN ('i', 'I') THEN 'an index'
                    ELSE 'a table' END
        FROM pg_class WHERE relnamespace = to_regnamespace('{schema}')
            AND (relname = ANY ($1) AND relkind IN ('c', 'i', 'I', 'S')
                 OR relname = ANY ($2) AND relkind <> 'i')
        UNION ALL
        SELECT typname::text, 'a type' FROM pg_type
        WHERE typnamespace = to_regnamespace('{schema}') AND typname = ANY ($1) AND typrelid = 0";
    let tables = TABLES.map(|(_, name, _)| name);
    let tables = [&["users", "dash_users_schema"], &tables[..]].concat();
    let indexes = INDEXES.map(|(_, name, ..)| name);
    let params = [(&tables as _, Type::TEXT_ARRAY), (&&indexes[..] as _, Type::TEXT_ARRAY)];
    let rows = transaction.query(select, &params)?;
    let Some(row) = rows.first() else { return Ok(()) };
    let (name, kind): (&str, &str) = (row.get(0), row.get(1));
    let needed = if indexes.contains(&name) { "an index" } else { "a table" };
    let reason = format!("its '{name}' is {kind}, but dash-users needs {needed} of that name");
    Err(not_a_database(transaction.location, reason))
}

/// Stops if tables or functions belong to another role than `users`: their triggers and code would
/// run with the rights of the role that uses them.
pub(super) fn refuse_foreign_owners(
    transaction: &PostgresTransaction,
    problems: &[(u32, Problem)],
) -> Result<(), StoreError> {
    let schema = schema(transaction);
    let mut first = None;
    let mut alters = Vec::new();
    for (_, problem) in problems {
        let Problem::ForeignOwner { object, expected, .. } = problem else { continue };
        first = first.or(Some(problem));
        let (kind, arguments) = match object.kind {
            SchemaObjectKind::Function => ("FUNCTION", "()"),
            _ => ("TABLE", ""),
        };
        let (name, owner) = (quoted(&object.name), quoted(expected));
        alters.push(format!("ALTER {kind} {schema}.{name}{arguments} OWNER TO {owner};"));
    }
    let Some(first) = first else { return Ok(()) };
    Err(not_a_database(
        transaction.location,
        format!(
            "{first}: drop it if dash-users did not create it; otherwise, as a superuser: {}",
            alters.join(" ")
        ),
    ))
}
