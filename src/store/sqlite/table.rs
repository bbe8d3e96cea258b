//! Checks whether the app's table `users`, and a `user_groups` that it may have created, are
//! usable; if not, finds the SQL that repairs them.
//!
//! One name must mean the same user in every statement. So `username` must store text unchanged,
//! its collation must be built into SQLite, and a unique index must use the same collation.

use std::ffi::CString;

use rusqlite::{Connection, OptionalExtension};

use super::rebuild;
use super::{quote, schema_text};
use crate::escape::Escaped;

/// Why a table is unusable, and the SQL that repairs it, if there is any.
pub(super) struct Unsupported {
    pub(super) reason: String,
    pub(super) repair: Option<String>,
}

impl From<String> for Unsupported {
    fn from(reason: String) -> Self {
        Self { reason, repair: None }
    }
}

/// The result of checking a table: an error of SQLite, or whether the table is usable.
type Checked<T> = rusqlite::Result<Result<T, Unsupported>>;

/// The collations built into SQLite. Others exist only in the app.
const COLLATIONS: [&str; 3] = ["BINARY", "NOCASE", "RTRIM"];

/// The maximum number of duplicates that are shown.
const MAX_DUPLICATES: usize = 10;

/// Checks the table `users`. If it exists, returns its extra columns that are NOT NULL and have no
/// default.
pub(super) fn users(connection: &Connection) -> Checked<Option<Vec<String>>> {
    let kind: Option<String> = connection
        .query_row(
            "SELECT type FROM sqlite_schema
             WHERE name = 'users' COLLATE NOCASE AND type IN ('table', 'view')",
            [],
            |row| row.get(0),
        )
        .optional()?;
    match kind.as_deref() {
        None => return Ok(Ok(None)),
        Some("table") => {}
        Some(_) => return Ok(Err("its 'users' is a view, not a table".to_owned().into())),
    }
    let required = match columns(connection)? {
        Ok(required) => required,
        Err(unfit) => return Ok(Err(unfit)),
    };
    match names(connection)? {
        Some(unfit) => Ok(Err(unfit)),
        None => Ok(Ok(Some(required))),
    }
}

fn columns(connection: &Connection) -> Checked<Vec<String>> {
    let mut wanted = vec!["username", "password_hash", "language"];
    let mut required = Vec::new();
    let mut statement = connection.prepare(
        "SELECT name, \"notnull\" AND dflt_value IS NULL AND hidden = 0 AND NOT
                      (pk AND type = 'INTEGER' COLLATE NOCASE
                       AND (SELECT max(pk) FROM pragma_table_info('users')) = 1 AND NOT
                       (SELECT wr FROM pragma_table_list('users') WHERE schema = 'main')),
                hidden
         FROM pragma_table_xinfo('users')",
    )?;
    let mut columns = statement.query([])?;
    while let Some(row) = columns.next()? {
        let name = schema_text(row, 0)?;
        match wanted.iter().position(|wanted| name.eq_ignore_ascii_case(wanted)) {
            Some(position) if row.get::<_, i64>(2)? == 0 => {
                wanted.remove(position);
            }
            Some(_) => {
                return Ok(
                    Err(format!("column '{name}' of its table 'users' is generated").into()),
                );
            }
            None if row.get(1)? => required.push(name),
            None => {}
        }
    }
    let Some(missing) = wanted.first() else { return Ok(Ok(required)) };
    let add = "ALTER TABLE users ADD COLUMN language TEXT NOT NULL DEFAULT 'en';";
    Ok(Err(Unsupported {
        reason: format!("its table 'users' has no column '{missing}'"),
        repair: (wanted == ["language"]).then(|| add.to_owned()),
    }))
}

/// Checks that usernames are stored and compared unambiguously.
fn names(connection: &Connection) -> rusqlite::Result<Option<Unsupported>> {
    let (declared, collation) = column(connection, "users", "username")?;
    if !is_built_in(&collation) {
        let reason = format!(
            "column 'username' of its table 'users' uses the collation '{}', which only the app \
             defines",
            Escaped(&collation)
        );
        return Ok(Some(Unsupported {
            reason,
            repair: rebuild::users_with_plain_names(connection),
        }));
    }
    if has_numbers(connection, "users", &declared)? {
        let reason = format!(
            "column 'username' of its table 'users' has the type {}, which turns a name like 007 \
             into a number",
            Escaped(&declared)
        );
        return Ok(Some(Unsupported {
            reason,
            repair: rebuild::users_with_plain_names(connection),
        }));
    }

    let mut is_unique = false;
    let select = "SELECT list.name, list.origin,
                         column.coll,
                         list.\"unique\" AND NOT list.partial
                             AND (SELECT group_concat(ifnull(name, ''), ',')
                                  FROM pragma_index_info(list.name)) = 'username' COLLATE NOCASE
                  FROM pragma_index_list('users') AS list,
                       pragma_index_xinfo(list.name) AS column
                  WHERE column.key";
    let mut statement = connection.prepare(select)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (index, of_index) = (schema_text(row, 0)?, schema_text(row, 2)?);
        if !is_built_in(&of_index) {
            let reason = format!(
                "its index '{}' uses the collation '{}', which only the app defines",
                Escaped(&index),
                Escaped(&of_index)
            );
            let is_own = schema_text(row, 1)? == "c";
            let repair = is_own.then(|| format!("DROP INDEX {};", quote(&index)));
            return Ok(Some(Unsupported { reason, repair }));
        }
        // A unique index that ignores more differences than the column is even stricter.
        let is_as_strict =
            of_index.eq_ignore_ascii_case(&collation) || collation.eq_ignore_ascii_case("BINARY");
        is_unique |= row.get(3)? && is_as_strict;
    }
    if is_unique { Ok(None) } else { without_unique_index(connection, &collation).map(Some) }
}

/// Whether two names are the same only if their bytes are.
pub(super) fn compares_bytes(connection: &Connection) -> rusqlite::Result<bool> {
    column(connection, "users", "username").map(|(_, collation)| collation == "BINARY")
}

/// The declared type and the collation of a column.
fn column(
    connection: &Connection,
    table: &str,
    column: &str,
) -> rusqlite::Result<(String, String)> {
    let (declared, collation, ..) = connection.column_metadata(None, table, column)?;
    let text = |text: Option<CString>| {
        text.map(|text| text.to_string_lossy().into_owned()).unwrap_or_default()
    };
    Ok((text(declared), text(collation)))
}

fn is_built_in(collation: &str) -> bool {
    COLLATIONS.iter().any(|known| known.eq_ignore_ascii_case(collation))
}

/// Whether SQLite converts text that looks like a number in a column of the declared type:
/// <https://www.sqlite.org/datatype3.html#determination_of_column_affinity>.
fn has_numbers(connection: &Connection, table: &str, declared: &str) -> rusqlite::Result<bool> {
    let declared = declared.to_ascii_uppercase();
    let has = |part: &str| declared.contains(part);
    if has("INT") {
        return Ok(true);
    }
    if declared.is_empty() || ["CHAR", "CLOB", "TEXT", "BLOB"].into_iter().any(has) {
        return Ok(false);
    }
    let select = "SELECT strict FROM pragma_table_list(?) WHERE schema = 'main'";
    let is_strict: bool = connection.query_row(select, [table], |row| row.get(0))?;
    Ok(!(is_strict && declared == "ANY"))
}

fn without_unique_index(connection: &Connection, collation: &str) -> rusqlite::Result<Unsupported> {
    let how = match collation {
        "BINARY" => String::new(),
        _ => format!(" with the column's collation ({collation})"),
    };
    let what = format!("its table 'users' has no unique index on 'username' alone{how}");
    let select = format!(
        "SELECT group_concat(quote(username), ' = ') FROM users WHERE username IS NOT NULL
         GROUP BY username HAVING count(*) > 1 ORDER BY username LIMIT {}",
        MAX_DUPLICATES + 1
    );
    let mut statement = connection.prepare(&select)?;
    let found = statement.query_map([], |row| schema_text(row, 0))?;
    let mut duplicates: Vec<_> = found
        .map(|found| found.map(|found| Escaped(&found).to_string()))
        .collect::<Result<_, _>>()?;
    if duplicates.is_empty() {
        let create = "CREATE UNIQUE INDEX users_username ON users (username);";
        return Ok(Unsupported { reason: what, repair: Some(create.to_owned()) });
    }
    let more = if duplicates.len() > MAX_DUPLICATES { ", …" } else { "" };
    duplicates.truncate(MAX_DUPLICATES);
    let shown = duplicates.join(", ");
    Ok(format!("{what}, and several rows have the same name: {shown}{more}").into())
}

/// Why the database rejects changes to `users`, if it does: a foreign key, a trigger or an index of
/// the app references something missing.
pub(super) fn unchangeable(connection: &Connection) -> Option<String> {
    [
        "INSERT INTO users (username, password_hash, language) VALUES (NULL, NULL, NULL)",
        "UPDATE users SET username = NULL, password_hash = NULL, language = NULL",
        "DELETE FROM users",
    ]
    .into_iter()
    .find_map(|sql| connection.prepare(sql).err())
    .map(|error| match error {
        rusqlite::Error::SqliteFailure(_, Some(reason))
        | rusqlite::Error::SqlInputError { msg: reason, .. } => reason,
        error => error.to_string(),
    })
}

/// Why a table `user_groups` of an app cannot store the groups, if it has both columns.
pub(super) fn groups(connection: &Connection) -> rusqlite::Result<Option<Unsupported>> {
    let Some(reason) = groups_reason(connection)? else { return Ok(None) };
    let reason = format!("its table 'user_groups' {reason}");
    Ok(Some(Unsupported { reason, repair: rebuild::groups(connection) }))
}

fn groups_reason(connection: &Connection) -> rusqlite::Result<Option<String>> {
    for name in ["username", "group_name"] {
        let (declared, collation) = column(connection, "user_groups", name)?;
        if collation != "BINARY" {
            let collation = Escaped(&collation);
            return Ok(Some(format!("uses the collation '{collation}' for '{name}'")));
        }
        if has_numbers(connection, "user_groups", &declared)? {
            let declared = Escaped(&declared);
            return Ok(Some(format!("has the type {declared} for '{name}', which changes text")));
        }
    }
    // Our triggers rename and remove groups, after the user's row was changed.
    let select = "SELECT on_update, on_delete FROM pragma_foreign_key_list('user_groups')
                  WHERE \"from\" = 'username' COLLATE NOCASE
                      AND NOT (on_update = 'NO ACTION' AND on_delete IN ('NO ACTION', 'CASCADE'))";
    let key = connection
        .query_row(select, [], |row| {
            Ok(format!(
                "has a foreign key with ON UPDATE {} and ON DELETE {}, so changing a user \
                 changes groups",
                schema_text(row, 0)?,
                schema_text(row, 1)?
            ))
        })
        .optional()?;
    if key.is_some() {
        return Ok(key);
    }
    let select = "SELECT list.name FROM pragma_index_list('user_groups') AS list
                  WHERE list.\"unique\"
                      AND (SELECT count(*) FROM pragma_index_info(list.name)) < 2";
    let index = connection.query_row(select, [], |row| schema_text(row, 0)).optional()?;
    Ok(index.map(|index| {
        format!("allows only one row per value, because of the unique index '{}'", Escaped(&index))
    }))
}
