//! What a database holds, to be compared.

use std::path::Path;

use dash_users::PasswordHash;
use rusqlite::types::Value;
use rusqlite::{Connection, Row};

use crate::support::without_times;

/// A value; of a new hash only what is the same each time.
fn shown(value: &Value, is_exact: bool) -> String {
    let text = match value {
        Value::Text(text) if !is_exact => text,
        _ => return format!("{value:?}"),
    };
    let (lock, hash) = match text.strip_prefix('!') {
        Some(locked) => ("!", locked.replace('|', "$")),
        None => ("", text.clone()),
    };
    match hash.parse::<PasswordHash>() {
        Ok(hash) => format!("{lock}{hash:?}"),
        Err(_) => without_times(text),
    }
}

/// All that a database holds, after whatever was not done is undone. Nothing if there is no table.
pub(super) fn content(path: &Path, is_exact: bool) -> String {
    if !path.exists() {
        return String::new();
    }
    let connection = Connection::open(path).unwrap();
    let rows = |sql: &str| -> Vec<String> {
        let mut select = connection.prepare(sql).unwrap();
        let count = select.column_count();
        let row = |row: &Row<'_>| {
            let values = (0..count).map(|i| shown(&row.get(i).unwrap(), is_exact));
            Ok(values.collect::<Vec<_>>().join(" "))
        };
        select.query_map((), row).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(rows("PRAGMA integrity_check").concat().replace("Text(\"ok\")", "ok"), "ok");
    let mut all = rows("SELECT type, name, sql FROM sqlite_schema ORDER BY name");
    let mut tables = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
        .unwrap();
    for table in tables.query_map((), |row| row.get::<_, String>(0)).unwrap() {
        let mut rows = rows(&format!("SELECT * FROM {}", table.unwrap()));
        // Not all have a rowid to go by.
        rows.sort();
        all.append(&mut rows);
    }
    all.join("\n")
}
