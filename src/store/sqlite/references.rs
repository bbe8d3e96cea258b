//! Foreign keys of the app that lead to a user.

use rusqlite::Connection;

use super::Text;
use crate::store::{OnDelete, Reference};

/// What refers to `username`, directly or through rows that would go with the user.
pub(super) fn to_user(
    connection: &Connection,
    username: &[u8],
) -> rusqlite::Result<Vec<Reference>> {
    let mut references = Vec::new();
    let users = Referred { table: "users".to_owned(), rows: "username = ?".to_owned() };
    find(connection, &[users], username, &mut references)?;
    Ok(references)
}

/// Rows that are about to be deleted: those of `table` where the SQL expression `rows` holds.
#[derive(Clone)]
struct Referred {
    table: String,
    rows: String,
}

/// Follows the foreign keys that lead to the last table of `chain`, and on from what a deletion
/// there deletes in turn. A table that refers to one of the chain again is not followed twice.
fn find(
    connection: &Connection,
    chain: &[Referred],
    username: &[u8],
    references: &mut Vec<Reference>,
) -> rusqlite::Result<()> {
    let Some(target) = chain.last() else { return Ok(()) };
    // A foreign key without columns refers to the primary key.
    let mut statement = connection.prepare(
        "SELECT source.name, key.on_delete,
                group_concat('\"' || replace(key.\"from\", '\"', '\"\"') || '\"'),
                group_concat('\"' || replace(ifnull(key.\"to\",
                    (SELECT name FROM pragma_table_info(?1) WHERE pk = key.seq + 1)
                ), '\"', '\"\"') || '\"')
         FROM sqlite_schema AS source, pragma_foreign_key_list(source.name) AS key
         WHERE source.type = 'table' AND key.\"table\" = ?1 COLLATE NOCASE
         GROUP BY source.name, key.id
         ORDER BY source.name, key.id",
    )?;
    let keys = statement.query_map([&target.table], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    })?;
    for key in keys {
        let (table, on_delete, from, to): (String, String, String, String) = key?;
        let quote = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let rows = format!(
            "({from}) IN (SELECT {to} FROM {} WHERE {})",
            quote(&target.table),
            target.rows
        );
        let count = format!("SELECT count(*) FROM {} WHERE {rows}", quote(&table));
        let count: i64 = connection.query_row(&count, [Text(username)], |row| row.get(0))?;
        let Some(count) = u64::try_from(count).ok().filter(|count| *count > 0) else { continue };
        let on_delete = match on_delete.as_str() {
            "CASCADE" => OnDelete::Delete,
            "SET NULL" | "SET DEFAULT" => OnDelete::Unset,
            _ => OnDelete::Refuse,
        };
        references.push(Reference { table: table.clone(), rows: count, on_delete });
        let is_new = chain.iter().all(|link| !link.table.eq_ignore_ascii_case(&table));
        if on_delete == OnDelete::Delete && is_new {
            let chain = [chain, &[Referred { table, rows }]].concat();
            find(connection, &chain, username, references)?;
        }
    }
    Ok(())
}
