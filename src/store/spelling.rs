//! Detection of texts that are neither a plain path nor a URL: connection strings of other
//! programs, and remains of shells, settings files and templates. None of them may become a file
//! name.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

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

/// Schemes that are often written without `://`.
const SCHEMES: [&str; 14] = [
    "cockroachdb",
    "http",
    "https",
    "jdbc",
    "mariadb",
    "mongodb",
    "mssql",
    "mysql",
    "oracle",
    "pgsql",
    "postgres",
    "postgresql",
    "sqlite",
    "sqlite3",
];

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

/// The scheme of a URL (RFC 3986, section 3.1), in lower case, and what follows its `://`.
pub(super) fn url(text: &OsStr) -> Option<(String, &OsStr)> {
    let bytes = text.as_bytes();
    let end = bytes.windows(3).position(|window| window == b"://")?;
    let scheme = str::from_utf8(&bytes[..end]).ok()?;
    is_scheme(scheme).then(|| (scheme.to_ascii_lowercase(), OsStr::from_bytes(&bytes[end + 3..])))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// Rejects a text that is neither a plain path nor a URL.
pub(super) fn check(text: &OsStr) -> Result<(), LocationError> {
    let bytes = text.as_bytes();
    if bytes.starts_with(b"./") || bytes.starts_with(b"../") {
        return Ok(());
    }
    match misspelling(&text.to_string_lossy(), url(text).is_some()) {
        Some(misspelling) => Err(LocationError::Spelling(misspelling)),
        None => Ok(()),
    }
}

fn misspelling(text: &str, is_url: bool) -> Option<Misspelling> {
    use Misspelling::{
        Assignment, Command, Comment, FileUri, Invisible, Jdbc, KeywordValue, NoScheme,
        Placeholder, Quotes, Slashes, Whitespace,
    };

    let lower = text.trim().to_lowercase();
    let is_blank = |c: char| c.is_whitespace();
    let (word, follows) = lower.split_once(is_blank).unwrap_or((&lower, ""));
    // Specific forms are reported before extra characters around any form.
    if lower.starts_with('-') || (!follows.is_empty() && COMMANDS.contains(&word)) {
        return Some(Command);
    }
    let bare = lower.trim_start_matches(is_quote);
    if bare.starts_with("jdbc:") {
        return Some(Jdbc);
    }
    if let Some(name) = assigned(bare) {
        return Some(if KEYWORDS.contains(&name) { KeywordValue } else { Assignment });
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
    if lower.starts_with("file:") && text.contains('?') {
        return Some(FileUri);
    }
    if lacks_slashes(&lower) {
        return Some(Slashes);
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
        || !is_url && (text == "~" || text.starts_with("~/"))
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
    has_credentials || has_port || has_user
}

#[cfg(test)]
mod tests {
    use Misspelling::{
        Assignment, Command, Comment, FileUri, Invisible, Jdbc, KeywordValue, NoScheme,
        Placeholder, Quotes, Slashes, Whitespace,
    };

    use super::*;
    use crate::Location;

    const MISSPELLED: &[(Misspelling, &[&str])] = &[
        (
            Quotes,
            &[
                "\"users.db\"",
                "'hunter2.db'",
                "`users.db`",
                "\u{201c}users.db\u{201d}",
                "users.db'",
                "'postgresql://u:hunter2@h/db'",
                "b'users.db'",
                "\"postgresql://u:hunter2@h/db",
            ],
        ),
        (
            Whitespace,
            &[
                " users.db",
                "users.db ",
                " postgres://u:hunter2@h/db",
                "users.db\n\n",
                "\tusers.db",
                "\u{a0}users.db",
                "/srv/users.db ",
            ],
        ),
        (
            Invisible,
            &[
                "\u{feff}users.db",
                "users\u{200b}.db",
                "a.db\nb.db",
                "\u{feff}postgresql://u:hunter2@h/db",
                "postgresql://u:hunter2@h/db\u{1b}[0m",
                "postgresql://u:hunter2@h/\u{a0}db",
            ],
        ),
        (
            Command,
            &[
                "psql 'postgresql://u:hunter2@h/db'",
                "psql postgresql://u:hunter2@h/db",
                "-d users.db",
                "--database=users.db",
                "export DATABASE_URL=postgres://u:hunter2@h/db",
                "sqlite3 users.db",
                "PSQL \"host=h password=hunter2\"",
                "set DATABASE_URL=hunter2",
            ],
        ),
        (
            Assignment,
            &[
                "DATABASE_URL=postgres://u:hunter2@h/db",
                "DB = users.db",
                "SQLALCHEMY_DATABASE_URI='hunter2'",
                "DASH_USERS_DATABASE=users.db",
            ],
        ),
        (
            KeywordValue,
            &[
                "host=h dbname=db password=hunter2",
                "password=hunter2",
                "password = hunter2",
                "\"host=h password=hunter2\"",
                "'host=h password=hunter2'",
                "Server=h;Database=db;User Id=u;Password=hunter2;",
                "Driver={PostgreSQL};Pwd=hunter2",
                "Data Source=users.db",
                "user id = u; password=hunter2",
                "service=app",
            ],
        ),
        (
            Jdbc,
            &[
                "jdbc:postgresql://h/db?user=u&password=hunter2",
                "JDBC:sqlite:users.db",
                "\"jdbc:postgresql://h/db\"",
            ],
        ),
        (FileUri, &["file:users.db?mode=ro", "File:/srv/users.db?key=hunter2"]),
        (
            Slashes,
            &[
                "postgresql:/u:hunter2@h/db",
                "postgres:u:hunter2@h",
                "postgresql;//u:hunter2@h/db",
                "postgresql//u:hunter2@h/db",
                "sqlite:users.db",
                "sqlite:/srv/users.db",
                "sqlite3:users.db",
                "postgresql+psycopg2:/u:hunter2@h/db",
                "Postgres:h",
                "mysql:host=h",
            ],
        ),
        (
            NoScheme,
            &[
                "//u:hunter2@h/db",
                "u:hunter2@h:5432/db",
                "localhost:5432/db",
                "h:5432",
                "u@h/db",
                "//u@h",
                "postgress:/u:hunter2@h/db",
                "://u:hunter2@h/db",
            ],
        ),
        (Comment, &["users.db # the users", "postgresql://u:hunter2@h/db # prod"]),
        (
            Placeholder,
            &[
                "$DATABASE_URL",
                "${DATABASE_URL}",
                "{{ database_url }}",
                "%DATABASE_URL%",
                "<database>",
                "postgresql://u:$PASSWORD@h/db",
                "postgresql://u:[YOUR-PASSWORD]@h/db",
                "~/users.db",
                "postgresql://<user>:hunter2@h/db",
                "/srv/$NAME/users.db",
                "$(cat secret)",
                "$env:DATABASE_URL",
            ],
        ),
    ];

    #[test]
    fn misspelled_location_is_rejected_and_not_shown() {
        for (misspelling, texts) in MISSPELLED {
            for text in *texts {
                let error = LocationError::Spelling(*misspelling);
                assert_eq!(Location::parse(text), Err(error), "{text}");
                assert!(!format!("{error} {error:?}").contains("hunter2"));
            }
        }
    }

    #[test]
    fn unusual_plain_location_is_a_path() {
        for text in [
            "users.db",
            ":memory:",
            "a b.db",
            "postgres/users.db",
            "postgres.db",
            "sqlite.db",
            "ann@example.db",
            "/srv/a:1/users.db",
            "//srv/users.db",
            "/srv/pa$$.db",
            "100%.db",
            "a#b.db",
            "notes:v1.db",
            "./$DATABASE_URL",
            "./\"users.db\"",
            "../password=x",
            "./a b ",
            "/srv/x=y/users.db",
            "set.db",
        ] {
            assert!(matches!(Location::parse(text), Ok(Location::Sqlite(_))), "{text}");
        }
    }
}
