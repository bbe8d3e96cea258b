//! Foreign keys of the app that lead to a user.

use rusqlite::Connection;

use super::{Text, schema_text};
use crate::store::{MAX_REFERENCES, OnDelete, Reference};

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

/// The tables whose rows keep `username` from being renamed.
pub(super) fn refusing_rename(
    connection: &Connection,
    username: &[u8],
) -> rusqlite::Result<Vec<String>> {
    let mut tables = Vec::new();
    for key in keys(connection, "users")? {
        if key.on_update != "CASCADE" && key.count(connection, "username = ?", username)? > 0 {
            tables.push(key.table);
        }
    }
    Ok(tables)
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
    for key in keys(connection, &target.table)? {
        if references.len() >= MAX_REFERENCES {
            break;
        }
        let count = key.count(connection, &target.rows, username)?;
        let Some(rows) = u64::try_from(count).ok().filter(|count| *count > 0) else { continue };
        let on_delete = match key.on_delete.as_str() {
            "CASCADE" => OnDelete::Delete,
            "SET NULL" | "SET DEFAULT" => OnDelete::Unset,
            _ => OnDelete::Refuse,
        };
        references.push(Reference { table: key.table.clone(), rows, on_delete });
        let is_new = chain.iter().all(|link| !link.table.eq_ignore_ascii_case(&key.table));
        if on_delete == OnDelete::Delete && is_new {
            let rows = key.referring(&target.rows);
            let chain = [chain, &[Referred { table: key.table, rows }]].concat();
            find(connection, &chain, username, references)?;
        }
    }
    Ok(())
}

/// A foreign key that leads to the table `target`.
struct ForeignKey {
    table: String,
    target: String,
    /// The columns, as SQL.
    from: String,
    to: String,
    on_delete: String,
    on_update: String,
}

fn keys(connection: &Connection, target: &str) -> rusqlite::Result<Vec<ForeignKey>> {
    // A foreign key without columns refers to the primary key.
    let mut statement = connection.prepare(
        "SELECT source.name, key.on_delete, key.on_update,
                group_concat('\"' || replace(key.\"from\", '\"', '\"\"') || '\"'),
                group_concat('\"' || replace(ifnull(key.\"to\",
                    (SELECT name FROM pragma_table_info(?1) WHERE pk = key.seq + 1)
                ), '\"', '\"\"') || '\"')
         FROM sqlite_schema AS source, pragma_foreign_key_list(source.name) AS key
         WHERE source.type = 'table' AND key.\"table\" = ?1 COLLATE NOCASE
         GROUP BY source.name, key.id
         ORDER BY source.name, key.id",
    )?;
    let keys = statement.query_map([target], |row| {
        let text = |column| schema_text(row, column);
        Ok(ForeignKey {
            table: text(0)?,
            target: target.to_owned(),
            on_delete: text(1)?,
            on_update: text(2)?,
            from: text(3)?,
            to: text(4)?,
        })
    })?;
    keys.collect()
}

impl ForeignKey {
    /// The SQL expression that holds in rows which refer to those of the target where `rows` does.
    fn referring(&self, rows: &str) -> String {
        format!("({}) IN (SELECT {} FROM {} WHERE {rows})", self.from, self.to, quote(&self.target))
    }

    /// How many rows refer to those of the target where `rows` holds.
    fn count(&self, connection: &Connection, rows: &str, username: &[u8]) -> rusqlite::Result<i64> {
        let referring = self.referring(rows);
        let count = format!("SELECT count(*) FROM {} WHERE {referring}", quote(&self.table));
        connection.query_row(&count, [Text(username)], |row| row.get(0))
    }
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
