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
mod tests {
    use Misspelling::{
        Assignment, Command, Comment, FileUri, Invisible, Jdbc, KeywordValue, NoScheme, NotPlain,
        Placeholder, Quotes, Slashes, Tilde, Whitespace,
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
                "/srv/users.db\n\n",
                "sqlite:////srv/users.db ",
            ],
        ),
        (
            Invisible,
            &[
                "\u{feff}users.db",
                "users\u{200b}.db",
                "a.db\nb.db",
                "/srv/a.db\nb.db",
                "/srv/\u{1b}[0m.db",
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
                "PGUSER=u psql -h h db",
                "DATABASE_URL='postgresql://u:hunter2@h/db' flask run",
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
                "PGPASSWORD=hunter2 psql -h h db",
                "PGUSER=u PGPASSWORD=hunter2 ./manage.py",
                "PGPASSWORD=hunter2",
                "DB_PASSWORD = hunter2",
                "MYSQL_PWD=hunter2",
                "API_SECRET=hunter2",
                "dbi:Pg:dbname=db;password=hunter2",
                "odbc:Driver=x;Pwd=hunter2",
                "{\"host\":\"h\",\"password\":\"hunter2\"}",
                "host:h password:hunter2",
                "(DESCRIPTION=(USER=u)(PASSWORD=hunter2))",
                "URL.create('postgresql', password='hunter2')",
                "users.db;password=hunter2",
                "sqlite:///users.db;password=hunter2",
                "arn:aws:secretsmanager:eu:1:secret:hunter2",
                "docker exec -e PW=hunter2 db psql",
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
        (Tilde, &["~/users.db", "~postgres/users.db", "~", "sqlite:///~/users.db"]),
        (
            FileUri,
            &[
                "file:",
                "file:users.db",
                "file:hunter2:x",
                "file:users.db?mode=ro",
                "File:/srv/users.db?key=hunter2",
            ],
        ),
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
                "pgsql:host=h",
            ],
        ),
        (
            NoScheme,
            &[
                "//u:hunter2@h/db",
                "u:hunter2@h:5432/db",
                "localhost:5432/db",
                "localhost",
                "localhost/db",
                "u@localhost",
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
                "postgresql://<user>:hunter2@h/db",
                "sqlite:///$NAME/users.db",
                "$(cat secret)",
                "$env:DATABASE_URL",
            ],
        ),
        (NotPlain, NOT_PLAIN),
    ];

    const NOT_PLAIN: &[&str] = &[
        "h:5432:db:u:hunter2",
        "u:hunter2",
        "URL.create('postgresql')",
        "os.environ[\"DATABASE_URL\"]",
        "users.db?cache=shared&key=hunter2",
        "q.db?mode=rwc",
        "sqlite:///users.db#hunter2",
        "docker exec db cat hunter2",
        "sudo -u postgres pg_dump",
        "heroku config:get hunter2",
        "kubectl get secret hunter2",
        "!vault hunter2",
        "enc:AES256:hunter2",
        "vault:secret/data/db#hunter2",
        "users.db && echo hunter2",
        "users.db | cat",
        "users.db --password hunter2",
        "users.db -- hunter2",
        "a --b c.db",
        "a  b.db",
        "(users.db)",
        "[users.db]",
        "\u{300c}users.db\u{300d}",
        "users.db;",
        "users.db,",
        "users.db:",
        "users.db\\n",
        "users.db^M",
        "%22users.db%22",
        "None",
        "null",
        "UNDEFINED",
        "nil",
        "n/a",
        "{DB}",
        "#{DB}",
        "@DB@",
        "@DB@.db",
        "%(password)s.db",
        "u/hunter2@orcl",
        "u/hunter2@h:1521/db",
        "notes:v1.db",
        "1http://x",
        "100%.db",
        "a#b.db",
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
            "a b.db",
            "postgres/users.db",
            "postgres.db",
            "sqlite.db",
            "ann@example.db",
            "/srv/a:1/users.db",
            "//srv/users.db",
            "/srv/pa$$.db",
            "data/users.db",
            "my users.db",
            "Benutzer-Datenbank (alt).db",
            "data (alt)/users 2.sqlite3",
            "übung.db",
            "u\u{308}bung.db",
            "données/l\u{2019}été.db",
            "数据库.db",
            "a+b.db",
            "users@host.db",
            "C1.db",
            ".hidden.db",
            "users",
            "users.db~",
            "app.sqlite3",
            "None.db",
            "nulls/users.db",
            "../None",
            "/srv/users #1.db",
            "/srv/<x>.db",
            "/srv/l\u{2019}été\u{2019}",
            "/srv/the users'",
            "/srv/a\u{200c}b.db",
            "/srv/$NAME/users.db",
            "/srv/users.db;password=x",
            "/srv/None",
            "sqlite:////srv/$x/users #1.db",
            "sqlite:///./a#b.db",
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
