//! SQL for an administrator that replaces a table with a usable one, keeping rows, indexes and
//! triggers. This program never runs it on the file, only on a copy in memory to test it.

use rusqlite::Connection;

use super::{quote, schema, schema_text};
use crate::check::SchemaObjectKind;

/// The maximum size of a file in bytes. For a larger file, no copy is made and no SQL is suggested.
const MAX_BYTES: i64 = 256 << 20;

/// The temporary name of the new table.
const NEW: &str = "dash_users_rebuilt";

/// SQL that rebuilds `users` so that `username` is TEXT without a collation: stored unchanged, and
/// compared byte by byte.
pub(super) fn users_with_plain_names(connection: &Connection) -> Option<String> {
    let create = sql_of(connection, "users").ok()?;
    let create = with_plain_column(&create, "username")?;
    let select = |column: &str| {
        if column.eq_ignore_ascii_case("username") {
            format!("CAST({} AS TEXT)", quote(column))
        } else {
            quote(column)
        }
    };
    let sql = rebuild(connection, "users", &create, select).ok()?;
    tried(connection, sql)
}

/// SQL that replaces `user_groups` by a table as this program creates it.
pub(super) fn groups(connection: &Connection) -> Option<String> {
    let is_it = |(kind, name, _): &(SchemaObjectKind, String, String)| {
        *kind == SchemaObjectKind::Table && name == "user_groups"
    };
    let (.., create) = schema::objects().ok()?.into_iter().find(is_it)?;
    let body = &create[create.find('(')?..];
    let create = format!("CREATE TABLE {NEW} {body}");
    let sql = rebuild(connection, "user_groups", &create, |column| {
        format!("CAST({} AS TEXT)", quote(column))
    });
    tried(connection, sql.ok()?)
}

fn sql_of(connection: &Connection, table: &str) -> rusqlite::Result<String> {
    let select = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE";
    connection.query_row(select, [table], |row| schema_text(row, 0))
}

/// The steps of SQLite's documentation for changes that ALTER TABLE does not support:
/// <https://www.sqlite.org/lang_altertable.html#otheralter>.
fn rebuild(
    connection: &Connection,
    table: &str,
    create: &str,
    select: impl Fn(&str) -> String,
) -> rusqlite::Result<String> {
    let texts = |sql: &str| {
        let mut statement = connection.prepare(sql)?;
        let found = statement.query_map([table], |row| schema_text(row, 0))?;
        found.collect::<rusqlite::Result<Vec<_>>>()
    };
    let columns = texts("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY cid")?;
    let objects = texts(
        "SELECT sql FROM sqlite_schema
         WHERE tbl_name = ? COLLATE NOCASE AND type IN ('index', 'trigger') AND sql IS NOT NULL
             AND name NOT LIKE 'dash\\_users\\_%' ESCAPE '\\'
         ORDER BY type, rowid",
    )?;
    let names: Vec<_> = columns.iter().map(|column| quote(column)).collect();
    let values: Vec<_> = columns.iter().map(|column| select(column)).collect();
    let mut steps = vec![
        "PRAGMA foreign_keys = OFF".to_owned(),
        "PRAGMA legacy_alter_table = ON".to_owned(),
        "BEGIN IMMEDIATE".to_owned(),
        create.to_owned(),
        format!(
            "INSERT INTO {NEW} ({}) SELECT {} FROM {table}",
            names.join(", "),
            values.join(", ")
        ),
        format!("DROP TABLE {table}"),
        format!("ALTER TABLE {NEW} RENAME TO {table}"),
    ];
    steps.extend(objects);
    steps.push("COMMIT".to_owned());
    Ok(steps.join(";\n") + ";")
}

/// The SQL, if it works on a copy and makes that copy usable.
pub(super) fn tried(connection: &Connection, sql: String) -> Option<String> {
    let size = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    let size: i64 = connection.query_row(size, [], |row| row.get(0)).ok()?;
    if size > MAX_BYTES {
        return None;
    }
    let mut copy = Connection::open_in_memory().ok()?;
    let backup = rusqlite::backup::Backup::new(connection, &mut copy).ok()?;
    backup.step(-1).ok()?;
    drop(backup);
    copy.execute_batch(&sql).ok()?;
    super::table::users(&copy).is_ok_and(|judged| judged.is_ok()).then_some(sql)
}

/// Rewrites a stored CREATE TABLE statement for a table [`NEW`] in which the column has the type
/// TEXT and no collation.
fn with_plain_column(create: &str, column: &str) -> Option<String> {
    const CONSTRAINTS: [&str; 10] = [
        "CONSTRAINT",
        "PRIMARY",
        "NOT",
        "NULL",
        "UNIQUE",
        "CHECK",
        "DEFAULT",
        "COLLATE",
        "REFERENCES",
        "GENERATED",
    ];
    let tokens = tokens(create);
    let open = tokens.iter().position(|token| token.text == "(")?;
    let mut depth = 0;
    let mut first = None;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.text {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        let begins = index == open || (depth == 1 && token.text == ",");
        let next = tokens.get(index + 1);
        if begins && next.is_some_and(|next| next.is_name(column)) {
            first = Some(index + 1);
            break;
        }
    }
    let name = first?;
    let is_end = |depth: i32, token: &Token<'_>| depth == 0 && [",", ")"].contains(&token.text);
    let mut depth = 0;
    let mut end = name + 1;
    while !is_end(depth, tokens.get(end)?) {
        match tokens[end].text {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        end += 1;
    }
    let definition = &tokens[name + 1..end];
    let is_constraint =
        |token: &Token<'_>| CONSTRAINTS.iter().any(|word| token.text.eq_ignore_ascii_case(word));
    let of_type = definition.iter().position(is_constraint).unwrap_or(definition.len());
    let after_type = definition.get(of_type).map_or(tokens[end].start, |token| token.start);
    let mut rest = create[after_type..tokens[end].start].to_owned();
    let collate = definition.iter().position(|token| token.text.eq_ignore_ascii_case("COLLATE"));
    if let Some(collate) = collate {
        let collation = definition.get(collate + 1)?;
        let from = definition[collate].start - after_type;
        rest.replace_range(from..collation.end() - after_type, "");
    }
    Some(format!(
        "CREATE TABLE {NEW} {} TEXT {}{}",
        create[tokens[open].start..tokens[name].end()].trim_end(),
        rest.trim_end(),
        &create[tokens[end].start..]
    ))
}

/// A token of SQL: a word, a name, a literal or a sign.
struct Token<'a> {
    start: usize,
    text: &'a str,
}

impl Token<'_> {
    fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether the token is this name, quoted or not.
    fn is_name(&self, name: &str) -> bool {
        let unquoted = match self.text.as_bytes() {
            [b'"' | b'`' | b'\'' | b'[', .., _] => &self.text[1..self.text.len() - 1],
            _ => self.text,
        };
        unquoted.eq_ignore_ascii_case(name)
    }
}

/// The tokens of an SQL statement that SQLite accepted, without comments.
fn tokens(sql: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some(first) = sql[start..].chars().next() {
        let rest = &sql[start..];
        let until = |end: &str| rest.find(end).map_or(rest.len(), |at| at + end.len());
        let (length, is_token) = if rest.starts_with("--") {
            (until("\n"), false)
        } else if rest.starts_with("/*") {
            (until("*/"), false)
        } else if first.is_ascii_whitespace() {
            (1, false)
        } else if let '"' | '`' | '\'' = first {
            (quoted_length(rest, first), true)
        } else if first == '[' {
            (until("]"), true)
        } else {
            let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$' || !c.is_ascii();
            let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            (length.max(first.len_utf8()), true)
        };
        if is_token {
            tokens.push(Token { start, text: &rest[..length] });
        }
        start += length;
    }
    tokens
}

/// The length of a quoted text, in which quotes are doubled.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
            return at + 1;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn column_becomes_plain_text() {
        for (create, expected) in [
            (
                "CREATE TABLE users (username STRING PRIMARY KEY, password_hash TEXT)",
                "(username TEXT PRIMARY KEY, password_hash TEXT)",
            ),
            ("CREATE TABLE Users(username)", "(username TEXT )"),
            (
                "CREATE TABLE \"users\" (id DECIMAL(5, 2) DEFAULT (1, ','), \"UserName\" VAR(8, 2)\n)",
                "(id DECIMAL(5, 2) DEFAULT (1, ','), \"UserName\" TEXT )",
            ),
            (
                "CREATE TABLE users (a /* , username ) */, -- username x,\n [username] A B COLLATE de \
                 NOT NULL DEFAULT 'x, COLLATE', b) STRICT",
                "(a /* , username ) */, -- username x,\n [username] TEXT  NOT NULL DEFAULT \
                 'x, COLLATE', b) STRICT",
            ),
            (
                "CREATE TABLE users (username STRING UNIQUE COLLATE 'de', b)",
                "(username TEXT UNIQUE, b)",
            ),
        ] {
            let made = with_plain_column(create, "username");
            assert_eq!(made.as_deref(), Some(&*format!("CREATE TABLE {NEW} {expected}")));
        }
    }

    #[test]
    fn quotes_are_part_of_a_token() {
        let texts = |sql| tokens(sql).into_iter().map(|token| token.text).collect::<Vec<_>>();
        assert_eq!(
            texts("a'b''c'\"d\"\"\"[e f](é,1.5)"),
            ["a", "'b''c'", "\"d\"\"\"", "[e f]", "(", "é", ",", "1", ".", "5", ")"]
        );
    }
}
