//! Foreign keys of the app that reference users.

use postgres::types::Type;

use super::PostgresTransaction;
use super::connection::quoted;
use crate::store::{MAX_REFERENCES, OnDelete, Reference, StoreError};

/// A foreign key.
struct ForeignKey {
    /// The name of the referencing table.
    name: String,
    /// The tables and columns, as SQL.
    table: String,
    from: String,
    target: String,
    to: String,
    on_delete: OnDelete,
}

/// The rows that reference `username`, directly or through rows that would be deleted with the
/// user.
pub(super) fn to_user(
    transaction: &mut PostgresTransaction,
    username: &str,
) -> Result<Vec<Reference>, StoreError> {
    let mut references = Vec::new();
    let users = "SELECT to_regclass('{schema}.users')::text";
    let users: String = transaction.query_one(users, &[])?.get(0);
    find(transaction, &[users], "{username = $1}", username, &mut references)?;
    Ok(references)
}

/// Follows the foreign keys to the last table of `chain`, whose rows are deleted if the SQL
/// expression `rows` holds, and those to rows that a deletion cascades to.
fn find(
    transaction: &mut PostgresTransaction,
    chain: &[String],
    rows: &str,
    username: &str,
    references: &mut Vec<Reference>,
) -> Result<(), StoreError> {
    let Some(target) = chain.last() else { return Ok(()) };
    for key in keys(transaction, target)? {
        if references.len() >= MAX_REFERENCES {
            break;
        }
        let ForeignKey { name, table, from, target, to, on_delete } = key;
        let referring = format!("({from}) IN (SELECT {to} FROM {target} WHERE {rows})");
        let count = format!("SELECT count(*) FROM {table} WHERE {referring}");
        let count: i64 = transaction.query_one(&count, &[(&username, Type::TEXT)])?.get(0);
        let Some(rows) = u64::try_from(count).ok().filter(|count| *count > 0) else { continue };
        references.push(Reference { table: name, rows, on_delete });
        if on_delete == OnDelete::Delete && !chain.contains(&table) {
            let chain = [chain, &[table]].concat();
            find(transaction, &chain, &referring, username, references)?;
        }
    }
    Ok(())
}

fn keys(
    transaction: &mut PostgresTransaction,
    target: &str,
) -> Result<Vec<ForeignKey>, StoreError> {
    let columns = |numbers: &str, table: &str| {
        format!(
            "(SELECT string_agg(quote_ident(attname), ', ' ORDER BY position)
              FROM unnest({numbers}) WITH ORDINALITY AS number (number, position)
              JOIN pg_attribute ON attrelid = {table} AND attnum = number)"
        )
    };
    let select = format!(
        "SELECT conrelid::regclass::text, {}, confrelid::regclass::text, {}, confdeltype::text,
                CASE WHEN relnamespace = to_regnamespace($2) THEN relname
                     ELSE relnamespace::regnamespace || '.' || relname END
         FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid WHERE contype = 'f' AND confrelid = $1::text::regclass
         ORDER BY 1, conname",
        columns("conkey", "conrelid"),
        columns("confkey", "confrelid"),
    );
    let schema = quoted(&transaction.place.schema);
    let rows = transaction.query(&select, &[(&target, Type::TEXT), (&schema, Type::TEXT)])?;
    let key = |row: &postgres::Row| ForeignKey {
        name: row.get(5),
        table: row.get(0),
        from: row.get(1),
        target: row.get(2),
        to: row.get(3),
        on_delete: match row.get(4) {
            "c" => OnDelete::Delete,
            "n" | "d" => OnDelete::Unset,
            _ => OnDelete::Refuse,
        },
    };
    Ok(rows.iter().map(key).collect())
}
