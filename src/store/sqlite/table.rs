//! Checks whether the app's table `users`, and a `user_groups` that it may have created, are
//! usable; if not, finds the SQL that repairs them.
//!
//! One name must mean the same user in every statement. So `username` must store text unchanged,
//! its collation must be built into SQLite, and a unique index must use the same collation.

use std::ffi::CString;

use rusqlite::{Connection, OptionalExtension, TransactionState};

use super::rebuild;
use super::{quote, schema_text};
use crate::escape::Escaped;
use crate::language::Language;
use crate::store::{CopyableTable, TableAdvice, TableChanges, adopting};

/// Why a table is unusable, and the SQL that repairs it, if there is any.
pub(super) struct Unsupported {
    pub(super) reason: String,
    pub(super) repair: Option<String>,
    pub(super) advice: TableAdvice,
}

impl Unsupported {
    fn new(reason: String, repair: Option<String>) -> Self {
        Self { reason, repair, advice: TableAdvice::default() }
    }
}

impl From<String> for Unsupported {
    fn from(reason: String) -> Self {
        Self::new(reason, None)
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
    let columns = match columns(connection)? {
        Ok(columns) => columns,
        Err(unfit) => return Ok(Err(unfit)),
    };
    let collation = match names(connection)? {
        Names::Unsupported(unfit) => return Ok(Err(*unfit)),
        Names::Unique => None,
        Names::NotUnique(collation) => Some(collation),
    };
    if columns.has_language && collation.is_none() {
        return Ok(Ok(Some(columns.required)));
    }
    lacking(connection, !columns.has_language, collation.as_deref()).map(Err)
}

/// The columns of a table with usernames and hashes.
struct Columns {
    /// Extra columns that are NOT NULL and have no default.
    required: Vec<String>,
    has_language: bool,
}

fn columns(connection: &Connection) -> Checked<Columns> {
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
    if wanted.is_empty() || wanted == ["language"] {
        return Ok(Ok(Columns { required, has_language: wanted.is_empty() }));
    }
    let copy = copyable(connection, "users")?;
    let reason = adopting::no_column(wanted[0], copy.as_ref());
    let advice = TableAdvice { copy, ..Default::default() };
    Ok(Err(Unsupported { reason, repair: None, advice }))
}

/// Whether usernames are stored and compared unambiguously.
enum Names {
    Unique,
    /// There is no unique index; this is the column's collation.
    NotUnique(String),
    Unsupported(Box<Unsupported>),
}

fn names(connection: &Connection) -> rusqlite::Result<Names> {
    let unsupported =
        |reason, repair| Names::Unsupported(Box::new(Unsupported::new(reason, repair)));
    let (declared, collation) = column(connection, "users", "username")?;
    if !is_built_in(&collation) {
        let reason = format!(
            "column 'username' of its table 'users' uses the collation '{}', which only the app \
             defines",
            Escaped(&collation)
        );
        return Ok(unsupported(reason, rebuild::users_with_plain_names(connection)));
    }
    if has_numbers(connection, "users", &declared)? {
        let reason = format!(
            "column 'username' of its table 'users' has the type {}, which turns a name like 007 \
             into a number",
            Escaped(&declared)
        );
        return Ok(unsupported(reason, rebuild::users_with_plain_names(connection)));
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
            return Ok(unsupported(reason, repair));
        }
        // A unique index that ignores more differences than the column is even stricter.
        let is_as_strict =
            of_index.eq_ignore_ascii_case(&collation) || collation.eq_ignore_ascii_case("BINARY");
        is_unique |= row.get(3)? && is_as_strict;
    }
    Ok(if is_unique { Names::Unique } else { Names::NotUnique(collation) })
}

/// Whether two names are the same only if their bytes are.
pub(super) fn compares_bytes(connection: &Connection) -> rusqlite::Result<bool> {
    column(connection, "users", "username").map(|(_, collation)| collation == "BINARY")
}

/// Whether two names are the same if they differ only by spaces at the end.
pub(super) fn ignores_trailing_spaces(connection: &Connection) -> rusqlite::Result<bool> {
    let (_, collation) = column(connection, "users", "username")?;
    Ok(collation.eq_ignore_ascii_case("RTRIM"))
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

/// A table without a language, or without a unique index on a column with the given collation.
fn lacking(
    connection: &Connection,
    lacks_language: bool,
    not_unique: Option<&str>,
) -> rusqlite::Result<Unsupported> {
    let index = not_unique.map(|collation| match collation {
        "BINARY" => "no unique index on 'username' alone".to_owned(),
        _ => {
            format!("no unique index on 'username' alone with the column's collation ({collation})")
        }
    });
    let column = lacks_language.then(|| "no column 'language'".to_owned());
    let lacks: Vec<_> = column.into_iter().chain(index).collect();
    let reason = format!("its table 'users' has {}", lacks.join(", and "));
    let changes = TableChanges {
        add_language: lacks_language.then(Language::default),
        add_unique_index: not_unique.is_some(),
    };
    if not_unique.is_some()
        && let Some(duplicates) = duplicates(connection)?
    {
        let reason = format!("{reason}, and several rows have the same name: {duplicates}");
        let select = "SELECT rowid, username FROM users WHERE username IN (SELECT username FROM \
                      users GROUP BY username HAVING count(*) > 1) ORDER BY username;";
        let duplicates = connection.prepare(select).is_ok().then(|| select.to_owned());
        let advice = TableAdvice { changes, duplicates, copy: None };
        return Ok(Unsupported { reason, repair: None, advice });
    }
    let sql = changes.sql("users", &new_index(connection)?, "TEXT").join("\n");
    // A virtual table has no indexes. There is no copy of what a transaction is writing.
    let is_table = "SELECT type = 'table' FROM pragma_table_list
                    WHERE schema = 'main' AND name = 'users' COLLATE NOCASE";
    let is_writing =
        matches!(connection.transaction_state(None::<&str>), Ok(TransactionState::Write));
    let repair = if !connection.query_row(is_table, [], |row| row.get(0))? {
        None
    } else if is_writing {
        Some(sql)
    } else {
        rebuild::tried(connection, sql)
    };
    let changes = if repair.is_some() { changes } else { TableChanges::default() };
    let advice = TableAdvice { changes, ..Default::default() };
    Ok(Unsupported { reason, repair, advice })
}

/// Names of several rows, if there are any.
fn duplicates(connection: &Connection) -> rusqlite::Result<Option<String>> {
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
    let more = if duplicates.len() > MAX_DUPLICATES { ", …" } else { "" };
    duplicates.truncate(MAX_DUPLICATES);
    Ok((!duplicates.is_empty()).then(|| format!("{}{more}", duplicates.join(", "))))
}

/// A free name for an index.
fn new_index(connection: &Connection) -> rusqlite::Result<String> {
    let is_taken = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ? COLLATE NOCASE)";
    let mut name = "users_username".to_owned();
    let mut number = 1;
    while connection.query_row(is_taken, [&name], |row| row.get(0))? {
        number += 1;
        name = format!("users_username_{number}");
    }
    Ok(name)
}

/// Makes the wanted changes that the table needs, if they make it usable. Returns them.
pub(super) fn change(
    connection: &Connection,
    wanted: &TableChanges,
) -> rusqlite::Result<TableChanges> {
    if wanted.is_empty() {
        return Ok(TableChanges::default());
    }
    let changes = match users(connection)? {
        Err(Unsupported { advice, .. }) if wanted.repair(&advice) => {
            wanted.restricted_to(&advice.changes)
        }
        _ => return Ok(TableChanges::default()),
    };
    let sql = changes.sql("users", &new_index(connection)?, "TEXT");
    connection.execute_batch(&sql.concat())?;
    Ok(changes)
}

/// Tables that appear to have users, except `users`.
pub(super) fn others(connection: &Connection) -> rusqlite::Result<Vec<CopyableTable>> {
    let mut statement = connection.prepare(
        "SELECT name FROM sqlite_schema
         WHERE type = 'table' AND name <> 'users' COLLATE NOCASE AND name <> 'user_groups'
             AND name <> 'user_events' AND name NOT LIKE 'dash\\_users\\_%' ESCAPE '\\'
             AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
         ORDER BY name",
    )?;
    let names = statement.query_map([], |row| schema_text(row, 0))?;
    let mut found = Vec::new();
    for name in names {
        found.extend(copyable(connection, &name?)?);
    }
    Ok(found)
}

/// How to copy the users of a table, if it appears to have any.
fn copyable(connection: &Connection, table: &str) -> rusqlite::Result<Option<CopyableTable>> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_xinfo(?)")?;
    let columns = statement.query_map([table], |row| schema_text(row, 0))?;
    let columns: Vec<String> = columns.collect::<Result<_, _>>()?;
    adopting::copyable(table, &quote(table), &columns, quote, |select| {
        connection.query_row(select, [], |row| row.get(0))
    })
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
    Ok(Some(Unsupported::new(reason, rebuild::groups(connection))))
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
