//! Foreign keys of the app that reference users.

use rusqlite::{Connection, params};

use super::{Text, quote, schema_text};
use crate::store::{MAX_REFERENCES, OnDelete, Reference};

/// The rows that reference `username`, directly or through rows that would be deleted with the
/// user.
pub(super) fn to_user(
    connection: &Connection,
    username: &[u8],
) -> rusqlite::Result<Vec<Reference>> {
    let mut references = Vec::new();
    find(connection, &[Referred::users()], username, &mut references)?;
    Ok(references)
}

/// The tables whose rows prevent renaming `username`.
pub(super) fn refusing_rename(
    connection: &Connection,
    username: &[u8],
) -> rusqlite::Result<Vec<String>> {
    let users = Referred::users();
    let mut tables = Vec::new();
    for key in keys(connection, &users)? {
        if key.on_update != "CASCADE" && count(connection, &key.rows, username)? > 0 {
            tables.push(key.rows.table);
        }
    }
    Ok(tables)
}

/// Rows that are deleted with a user: those of `table`, with the alias `t` and a number in the
/// joins that lead to it from the user, `t0`.
#[derive(Clone)]
struct Referred {
    table: String,
    number: u32,
    joins: String,
}

impl Referred {
    fn users() -> Self {
        Self { table: "users".to_owned(), number: 0, joins: "users AS t0".to_owned() }
    }
}

/// Follows the foreign keys to the last table of `chain`, and those to rows that a deletion
/// cascades to. Tables already in the chain are not followed again.
fn find(
    connection: &Connection,
    chain: &[Referred],
    username: &[u8],
    references: &mut Vec<Reference>,
) -> rusqlite::Result<()> {
    let Some(target) = chain.last() else { return Ok(()) };
    for ForeignKey { rows, on_delete, .. } in keys(connection, target)? {
        if references.len() >= MAX_REFERENCES {
            break;
        }
        let count = count(connection, &rows, username)?;
        let Some(count) = u64::try_from(count).ok().filter(|count| *count > 0) else { continue };
        let on_delete = match on_delete.as_str() {
            "CASCADE" => OnDelete::Delete,
            "SET NULL" | "SET DEFAULT" => OnDelete::Unset,
            _ => OnDelete::Refuse,
        };
        references.push(Reference { table: rows.table.clone(), rows: count, on_delete });
        let is_new = chain.iter().all(|link| !link.table.eq_ignore_ascii_case(&rows.table));
        if on_delete == OnDelete::Delete && is_new {
            find(connection, &[chain, &[rows]].concat(), username, references)?;
        }
    }
    Ok(())
}

/// A foreign key, and the rows that reference deleted rows with it.
struct ForeignKey {
    rows: Referred,
    on_delete: String,
    on_update: String,
}

/// The foreign keys to `target`, except those with missing columns: SQLite then rejects every
/// deletion and reports it itself.
fn keys(connection: &Connection, target: &Referred) -> rusqlite::Result<Vec<ForeignKey>> {
    // A foreign key without columns references the primary key. Values are compared by the rules of
    // the referenced columns if these are on the left, as SQLite does.
    let mut statement = connection.prepare(
        "SELECT source.name, key.on_delete, key.on_update,
                group_concat(format('t%d.\"%w\" = t%d.\"%w\"', ?2, column.name, ?2 + 1, key.\"from\"),
                             ' AND ')
         FROM sqlite_schema AS source, pragma_foreign_key_list(source.name) AS key
              LEFT JOIN pragma_table_xinfo(?1) AS column
                  ON column.name = key.\"to\" COLLATE NOCASE
                  OR (key.\"to\" IS NULL AND column.pk = key.seq + 1)
         WHERE source.type = 'table' AND key.\"table\" = ?1 COLLATE NOCASE
         GROUP BY source.name, key.id
         HAVING count(column.name) = count(*)
         ORDER BY source.name, key.id",
    )?;
    let number = target.number + 1;
    let keys = statement.query_map(params![target.table, target.number], |row| {
        let text = |column| schema_text(row, column);
        let table = text(0)?;
        let joins = format!("{} JOIN {} AS t{number} ON {}", target.joins, quote(&table), text(3)?);
        Ok(ForeignKey {
            rows: Referred { table, number, joins },
            on_delete: text(1)?,
            on_update: text(2)?,
        })
    })?;
    keys.collect()
}

/// The number of rows deleted with `username`.
fn count(connection: &Connection, rows: &Referred, username: &[u8]) -> rusqlite::Result<i64> {
    let count = format!("SELECT count(*) FROM {} WHERE t0.username = ?", rows.joins);
    connection.query_row(&count, [Text(username)], |row| row.get(0))
}
