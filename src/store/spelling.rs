//! Detection of texts that are neither a plain path nor a URL: connection strings of other
//! programs, and remains of shells, settings files and templates. None of them may become a file
//! name.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use unicode_normalization::char::is_combining_mark;

use super::location::{LocationError, Misspelling};
use crate::escape::is_unsafe_to_print;

/// Programs and shell words that begin a line copied from documentation.
const COMMANDS: [&str; 12] = [
    "dash-users",
    "env",
    "export",
    "flask",
    "pg_dump",
    "pgcli",
    "psql",
    "set",
    "setenv",
    "setx",
    "sqlite",
    "sqlite3",
];

/// Schemes of other databases, and their names.
const OTHER_DATABASES: [(&str, &str); 32] = [
    ("bigquery", "BigQuery"),
    ("cassandra", "Cassandra"),
    ("clickhouse", "ClickHouse"),
    ("clickhousedb", "ClickHouse"),
    ("cockroach", "CockroachDB"),
    ("cockroachdb", "CockroachDB"),
    ("couchdb", "CouchDB"),
    ("databricks", "Databricks"),
    ("db2", "Db2"),
    ("duckdb", "DuckDB"),
    ("firebird", "Firebird"),
    ("hana", "SAP HANA"),
    ("ibm_db_sa", "Db2"),
    ("libsql", "libSQL"),
    ("mariadb", "MariaDB"),
    ("mongodb", "MongoDB"),
    ("mssql", "SQL Server"),
    ("mssqlms", "SQL Server"),
    ("mysql", "MySQL"),
    ("mysql2", "MySQL"),
    ("mysqlx", "MySQL"),
    ("neo4j", "Neo4j"),
    ("oracle", "Oracle"),
    ("presto", "Presto"),
    ("redis", "Redis"),
    ("rediss", "Redis"),
    ("redshift", "Redshift"),
    ("snowflake", "Snowflake"),
    ("sqlserver", "SQL Server"),
    ("tidb", "TiDB"),
    ("trino", "Trino"),
    ("valkey", "Valkey"),
];

/// Schemes that are often written without `://`.
const SCHEMES: [&str; 8] =
    ["http", "https", "jdbc", "pgsql", "postgres", "postgresql", "sqlite", "sqlite3"];

/// How the names of parameters and variables end whose value is secret, in lower case.
const SECRETS: [&str; 5] = ["passwd", "password", "pw", "pwd", "secret"];

/// Keywords in connection strings of libpq, ODBC and ADO.NET, in lower case.
const KEYWORDS: [&str; 24] = [
    "application_name",
    "data source",
    "database",
    "dbname",
    "driver",
    "dsn",
    "host",
    "hostaddr",
    "options",
    "passfile",
    "password",
    "port",
    "pwd",
    "server",
    "service",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "uid",
    "user",
    "user id",
    "userid",
    "username",
];

/// What a name ends with that may hold blanks and other inner characters.
const EXTENSIONS: [&str; 8] =
    [".db", ".db3", ".s3db", ".sdb", ".sl3", ".sqlite", ".sqlite3", ".sqlitedb"];

/// What programs write for a value that is not set, in lower case.
const UNSET: [&str; 7] = ["n/a", "nan", "nil", "none", "null", "undefined", "unset"];

/// The scheme of a URL (RFC 3986, section 3.1), in lower case, and what follows its `://`. Drivers
/// also have `_` in their names.
pub(super) fn url(text: &OsStr) -> Option<(String, &OsStr)> {
    let bytes = text.as_bytes();
    let end = bytes.windows(3).position(|window| window == b"://")?;
    let scheme = str::from_utf8(&bytes[..end]).ok()?;
    is_scheme(scheme).then(|| (scheme.to_ascii_lowercase(), OsStr::from_bytes(&bytes[end + 3..])))
}

/// The name of another database, if the text begins as its URLs or connection strings do.
pub(super) fn other_database(text: &str) -> Option<&'static str> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_prefix("jdbc:").unwrap_or(&text);
    let scheme = text.split_once(':')?.0;
    if ["sqlite+pysqlcipher", "sqlite+sqlcipher", "sqlcipher"].contains(&scheme) {
        return Some("SQLCipher");
    }
    let scheme = scheme.split('+').next().unwrap_or_default();
    OTHER_DATABASES.iter().find(|(other, _)| *other == scheme).map(|(_, name)| *name)
}

/// Whether SQLite or SQLAlchemy would create a database in memory.
pub(super) fn is_in_memory(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    let url = text.split_once("://").filter(|(scheme, _)| {
        matches!(*scheme, "sqlite" | "sqlite3" | "sqlite+pysqlite" | "sqlite+aiosqlite")
    });
    if url.is_some_and(|(_, rest)| rest.is_empty()) {
        return true;
    }
    let path = url.map_or(&*text, |(_, rest)| rest.strip_prefix('/').unwrap_or(rest));
    let path = path.strip_prefix("sqlite:").unwrap_or(path);
    match path.strip_prefix("file:") {
        Some(name) => {
            name == ":memory:"
                || name.starts_with(":memory:?")
                || name.split_once('?').is_some_and(|(_, options)| {
                    options.split('&').any(|option| option == "mode=memory")
                })
        }
        None => path == ":memory:" || path.starts_with(":memory:?"),
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-._".contains(c))
}

/// Refuses a URL with something around it, or with a placeholder in it.
pub(super) fn check_url(text: &OsStr) -> Result<(), LocationError> {
    refuse(misspelling(&text.to_string_lossy(), true))
}

/// Refuses what may be anything else than a path. An absolute one cannot, nor `./NAME`.
pub(super) fn check_path(path: &OsStr) -> Result<(), LocationError> {
    let bytes = path.as_bytes();
    if bytes.starts_with(b"./") || bytes.starts_with(b"../") {
        return Ok(());
    }
    let text = path.to_string_lossy();
    refuse(if bytes.starts_with(b"/") {
        absolute_misspelling(&text)
    } else {
        misspelling(&text, false).or_else(|| (!is_plain(&text)).then_some(Misspelling::NotPlain))
    })
}

fn refuse(misspelling: Option<Misspelling>) -> Result<(), LocationError> {
    misspelling.map_or(Ok(()), |misspelling| Err(LocationError::Spelling(misspelling)))
}

fn absolute_misspelling(text: &str) -> Option<Misspelling> {
    let is_line_end = |c| matches!(c, '\u{2028}' | '\u{2029}');
    if text.trim() != text {
        Some(Misspelling::Whitespace)
    } else if text.chars().any(|c| c.is_control() || is_line_end(c)) {
        Some(Misspelling::Invisible)
    } else {
        lacks_scheme(text).then_some(Misspelling::NoScheme)
    }
}

/// Whether a relative path has a name as people give it to files.
fn is_plain(path: &str) -> bool {
    let lower = path.to_lowercase();
    let has_extension = EXTENSIONS.iter().any(|extension| lower.ends_with(extension));
    // U+FFFD stands for bytes of a path that are no UTF-8.
    let is_letter =
        |c: char| c.is_alphanumeric() || is_combining_mark(c) || "_-.~\u{fffd}".contains(c);
    // Commands and connection strings hold these too.
    let is_inner = |c: char| has_extension && " @+()'\u{2019}".contains(c);
    !path.is_empty()
        && !UNSET.contains(&&*lower)
        && !path.contains("  ")
        && !path.contains(" -")
        && path.split('/').all(|name| name.is_empty() || name.starts_with(is_letter))
        && path.chars().all(|c| c == '/' || is_letter(c) || is_inner(c))
}

fn misspelling(text: &str, is_url: bool) -> Option<Misspelling> {
    use Misspelling::{
        Assignment, Command, Comment, FileUri, Invisible, Jdbc, KeywordValue, NoScheme,
        Placeholder, Quotes, Slashes, Tilde, Whitespace,
    };

    let lower = text.trim().to_lowercase();
    let is_blank = |c: char| c.is_whitespace();
    let (word, follows) = lower.split_once(is_blank).unwrap_or((&lower, ""));
    let bare = lower.trim_start_matches(is_quote);
    // A form of its own is named before what may be around any form.
    if lower.starts_with('-') || (!follows.is_empty() && COMMANDS.contains(&word)) {
        return Some(Command);
    }
    if sets_variables(&lower) {
        return Some(if sets_secret(&lower) { KeywordValue } else { Command });
    }
    if bare.starts_with("jdbc:") {
        return Some(Jdbc);
    }
    if let Some(name) = assigned(bare) {
        let is_keyword = KEYWORDS.contains(&name) || is_secret(name);
        return Some(if is_keyword { KeywordValue } else { Assignment });
    }
    if text.trim() != text {
        return Some(Whitespace);
    }
    if text.starts_with(is_quote) || text.ends_with(is_quote) {
        return Some(Quotes);
    }
    if text.chars().any(is_invisible) {
        return Some(Invisible);
    }
    if has_placeholder(text, is_url) {
        return Some(Placeholder);
    }
    if text.contains(" #") || text.contains("\t#") {
        return Some(Comment);
    }
    if is_url {
        return None;
    }
    if text.starts_with('~') {
        return Some(Tilde);
    }
    if lower.starts_with("file:") {
        return Some(FileUri);
    }
    if lacks_slashes(&lower) {
        return Some(Slashes);
    }
    if sets_secret(&lower) {
        return Some(KeywordValue);
    }
    lacks_scheme(text).then_some(NoScheme)
}

fn is_quote(c: char) -> bool {
    matches!(c, '\'' | '"' | '`' | '\u{ab}' | '\u{bb}' | '\u{2018}'..='\u{201f}')
}

/// Whether a character is invisible, such as a byte order mark or a no-break space.
fn is_invisible(c: char) -> bool {
    // U+FFFD stands for bytes of a path that are not UTF-8.
    c != '\u{fffd}' && is_unsafe_to_print(c)
        || c != ' ' && c.is_whitespace()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// The name in `NAME = VALUE`.
fn assigned(text: &str) -> Option<&str> {
    let name = text.split_once('=')?.0.trim_end();
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == ' ';
    (name.starts_with(|c: char| c.is_alphabetic() || c == '_') && name.chars().all(is_name))
        .then_some(name)
}

/// Whether a parameter or variable is a secret by its name, in lower case.
fn is_secret(name: &str) -> bool {
    SECRETS.iter().any(|secret| name.ends_with(secret))
}

/// Whether a secret is set somewhere, in lower case: `…;pwd=VALUE`, `"password": "VALUE"`.
fn sets_secret(text: &str) -> bool {
    let is_blank = |c: char| is_quote(c) || c == ' ';
    let mut names =
        text.match_indices(['=', ':']).map(|(end, _)| text[..end].trim_end_matches(is_blank));
    names.any(is_secret)
}

/// Whether a command follows variables that are set for it: `NAME=VALUE psql`, in lower case.
fn sets_variables(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let is_set = |word: &str| assigned(word).is_some_and(|name| !KEYWORDS.contains(&name));
    words.next().is_some_and(is_set)
        && words
            .find(|word| !is_set(word))
            .is_some_and(|word| !word.contains('=') && !word.starts_with('#'))
}

/// Whether there is an unexpanded variable or template placeholder.
fn has_placeholder(text: &str, is_url: bool) -> bool {
    // A password in a URL may contain a dollar sign, but rarely a name after it.
    let is_variable = |part: &str| {
        part.strip_prefix('$').is_some_and(|name| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && (!is_url || name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
        })
    };
    let is_separator = |c: char| if is_url { "/:@?".contains(c) } else { c == '/' };
    let is_name =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let percent: Vec<&str> = text.split('%').collect();
    ["${", "{{", "$(", "[YOUR", "<%"].iter().any(|opening| text.contains(opening))
        || text.find('<').is_some_and(|start| text[start..].contains('>'))
        || text.split(is_separator).any(is_variable)
        || !is_url && percent.len() > 2 && percent[1..percent.len() - 1].iter().any(|p| is_name(p))
}

/// Whether the text is a URL with an incomplete `://`, in lower case: `postgresql:/`,
/// `postgres;//`.
fn lacks_slashes(text: &str) -> bool {
    let end = text.find([':', ';', '/', ',']).unwrap_or(text.len());
    let (scheme, rest) = text.split_at(end);
    let scheme = scheme.split('+').next().unwrap_or_default();
    SCHEMES.contains(&scheme) && (rest.starts_with([':', ';', ',']) || rest.starts_with("//"))
}

/// Whether the text names a server without a scheme: `user:password@host/db`, `host:5432/db`.
fn lacks_scheme(text: &str) -> bool {
    let host = text.strip_prefix("//").unwrap_or(text);
    if host.starts_with('/') {
        return false;
    }
    let has_credentials = host.find(':').is_some_and(|colon| host[colon..].contains('@'));
    let has_port = host.split_once(':').is_some_and(|(name, rest)| {
        let port = rest.split('/').next().unwrap_or_default();
        !name.contains('/') && !port.is_empty() && port.bytes().all(|c| c.is_ascii_digit())
    });
    let has_user = host.split_once('@').is_some_and(|(user, rest)| {
        !user.contains('/') && (text.starts_with("//") || rest.contains('/'))
    });
    let name = host.rsplit('@').next().and_then(|host| host.split('/').next());
    has_credentials || has_port || has_user || name == Some("localhost")
}

#[cfg(test)]
mod tests;
