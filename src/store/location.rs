//! Locations of databases: paths and URLs.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

#[cfg(feature = "postgres")]
use super::Server;
use super::spelling;

/// Where a database is.
///
/// # Syntax
///
/// ```text
/// sqlite:///relative/path      SQLAlchemy's spelling
/// sqlite:////absolute/path
/// postgresql://user@host/database   also postgres:// and postgresql+ANYDRIVER://
/// any/other/path
/// ```
///
/// One trailing newline is stripped. A text that looks like another kind of connection string, such
/// as `host=db password=…`, or like a URL with extra characters around it, is rejected, so it does
/// not become a file name. A relative path must consist of letters, digits and a few other characters.
/// A text that begins with `/`, `./` or `../` is always a path. No error shows the text, which may
/// contain a password.
///
/// ```
/// use dash_users::Location;
///
/// let location = Location::parse("sqlite:////srv/app/users.db")?;
/// assert_eq!(location.to_string(), "/srv/app/users.db");
/// assert!(Location::parse("mysql://root:secret@db/app").is_err());
/// # Ok::<(), dash_users::LocationError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// A SQLite file, as an absolute path.
    Sqlite(PathBuf),
    /// A database on a PostgreSQL server.
    #[cfg(feature = "postgres")]
    Postgres(Server),
}

impl Location {
    /// The path of a SQLite file.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => None,
        }
    }

    /// Whether `path` leads to the database file, by any name, or is the name of its journal or log.
    #[must_use]
    pub fn is_file(&self, path: &Path) -> bool {
        let Some(database) = self.path() else { return false };
        let identity = |path: &Path| fs::metadata(path).map(|file| (file.dev(), file.ino())).ok();
        let found = identity(database);
        // SQLite deletes what it does not take for its own journal or log.
        let is_beside = |suffix: &&str| {
            let mut beside = database.as_os_str().to_owned();
            beside.push(suffix);
            path == Path::new(&beside)
        };
        (found.is_some() && found == identity(path))
            || ["-journal", "-wal", "-shm"].iter().any(is_beside)
    }

    /// Parses a path or URL. A relative path is relative to the current directory.
    ///
    /// # Errors
    ///
    /// [`LocationError`] if the text is not a location that this crate supports.
    pub fn parse(text: impl AsRef<OsStr>) -> Result<Self, LocationError> {
        let text = without_line_end(text.as_ref());
        if let Some(name) = spelling::other_database(&text.to_string_lossy()) {
            return Err(LocationError::OtherDatabase(name));
        }
        if spelling::is_in_memory(&text.to_string_lossy()) {
            return Err(LocationError::InMemory);
        }
        let Some((scheme, rest)) = spelling::url(text) else {
            return Self::file(text);
        };
        let is_sqlite = matches!(&*scheme, "sqlite" | "sqlite+pysqlite" | "sqlite+aiosqlite");
        if !is_sqlite {
            spelling::check_url(text)?;
        }
        let rest = rest.to_str().ok_or(LocationError::NotUtf8)?;
        match &*scheme {
            _ if is_sqlite => {
                let path = rest.strip_prefix('/').ok_or(LocationError::Host)?;
                if path.contains('?') {
                    return Err(LocationError::Query);
                }
                Self::file(OsStr::new(path))
            }
            #[cfg(feature = "postgres")]
            scheme if is_postgres(scheme) => Server::parse(rest).map(Self::Postgres),
            #[cfg(not(feature = "postgres"))]
            scheme if is_postgres(scheme) => Err(LocationError::Postgres),
            "file" => Err(LocationError::Spelling(Misspelling::FileUri)),
            _ => Err(LocationError::Scheme),
        }
    }

    fn file(path: &OsStr) -> Result<Self, LocationError> {
        if path.is_empty() {
            return Err(LocationError::Empty);
        }
        spelling::check_path(path)?;
        // Absolute, so SQLite does not read "file:…" as a URI or ":memory:" as a special name.
        match std::path::absolute(Path::new(path)) {
            Ok(path) => Ok(Self::Sqlite(path)),
            Err(_) => Err(LocationError::NoCurrentDirectory),
        }
    }
}

/// Strips the newline of the file or command that a text came from.
fn without_line_end(text: &OsStr) -> &OsStr {
    let bytes = text.as_bytes();
    let line = bytes.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    OsStr::from_bytes(line.unwrap_or(bytes))
}

/// `postgres`, `postgresql` and SQLAlchemy's `postgresql+DRIVER`.
fn is_postgres(scheme: &str) -> bool {
    matches!(scheme.split('+').next(), Some("postgres" | "postgresql"))
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            #[cfg(feature = "postgres")]
            Self::Postgres(server) => server.fmt(f),
        }
    }
}

/// Why a text is not a location. No message shows any part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum LocationError {
    #[error("the database path is empty")]
    Empty,
    #[error(
        "the database URL has an unknown scheme: use a path, sqlite:///relative, \
         sqlite:////absolute or postgresql://…"
    )]
    Scheme,
    /// The text names another database, the one given.
    #[error("{0} databases are not supported")]
    OtherDatabase(&'static str),
    /// `:memory:`, `sqlite://`
    #[error("the database would be in memory: nothing would be kept")]
    InMemory,
    /// A PostgreSQL URL, but the feature `postgres` is disabled.
    #[error(
        "this build of dash-users does not support PostgreSQL: use a path, sqlite:///relative or \
         sqlite:////absolute"
    )]
    Postgres,
    /// `sqlite://` with fewer than three slashes.
    #[error(
        "a sqlite URL cannot name a host: write three slashes, or four before an absolute path"
    )]
    Host,
    #[error("a sqlite URL cannot have options after '?': use the path alone")]
    Query,
    #[error("the database URL must be UTF-8")]
    NotUtf8,
    #[error("the current directory no longer exists: use an absolute path")]
    NoCurrentDirectory,
    /// The text is neither a plain path nor a URL, but looks like something else.
    #[error("the database path or URL {0}")]
    Spelling(Misspelling),
    /// A part of a PostgreSQL URL is invalid.
    #[error("the database URL {0}")]
    Url(&'static str),
    /// An unknown option after the `?` of a PostgreSQL URL, by its number: its name may be part of
    /// a password.
    #[error("the database URL has an unknown option after '?' (number {0})")]
    UnknownOption(usize),
}

/// What a text looks like that is neither a plain path nor a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misspelling {
    /// `"users.db"`
    Quotes,
    /// ` users.db`
    Whitespace,
    /// Control and invisible characters, including a second line.
    Invisible,
    /// `psql postgresql://…`, `export DATABASE_URL=…`, `-d users.db`
    Command,
    /// `DATABASE_URL=postgresql://…`
    Assignment,
    /// `host=… dbname=…`
    KeywordValue,
    /// `jdbc:postgresql://…`
    Jdbc,
    /// `file:users.db`, `file:users.db?mode=ro`, `file:///srv/users.db`
    FileUri,
    /// `postgresql:/…`, `sqlite:users.db`
    Slashes,
    /// `user:password@host/database`
    NoScheme,
    /// `users.db # comment`
    Comment,
    /// `$DATABASE_URL`, `{{ database }}`
    Placeholder,
    /// `~/users.db`
    Tilde,
    /// `users.db;`, `u:password`, `None`
    NotPlain,
}

impl fmt::Display for Misspelling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quotes => "is in quotes",
            Self::Whitespace => "has leading or trailing whitespace",
            Self::Invisible => "contains a control or invisible character",
            Self::Command => "looks like a command",
            Self::Assignment => "looks like NAME=VALUE",
            Self::KeywordValue => "looks like key=value pairs",
            Self::Jdbc => "looks like a JDBC URL",
            Self::FileUri => "looks like a file: URI",
            Self::Slashes => "looks like a URL without '://' after its scheme",
            Self::NoScheme => "looks like a URL without a scheme",
            Self::Comment => "has a trailing comment",
            Self::Placeholder => "contains an unexpanded variable or placeholder",
            Self::Tilde => "begins with '~', which only a shell expands",
            Self::NotPlain => "is not a plain file name: if a file has this name, write ./NAME",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_sqlite_urls_become_absolute_paths() {
        let here = std::env::current_dir().unwrap();
        for (text, path) in [
            ("users.db", here.join("users.db")),
            ("users.db\n", here.join("users.db")),
            ("users.db\r\n", here.join("users.db")),
            ("./users.db\n\n", here.join("users.db\n")),
            ("./file:users.db?mode=ro", here.join("file:users.db?mode=ro")),
            ("SQLite:///users.db", here.join("users.db")),
            ("sqlite+pysqlite:////srv/users.db", "/srv/users.db".into()),
            ("./:memory:", here.join(":memory:")),
            ("/srv/:memory:", "/srv/:memory:".into()),
            ("mysql.db", here.join("mysql.db")),
            ("./mysql:", here.join("mysql:")),
            ("/srv/users.db", "/srv/users.db".into()),
            ("sqlite:///a/users.db", here.join("a/users.db")),
            ("sqlite:////srv/users.db", "/srv/users.db".into()),
            ("./1http://x", here.join("1http:/x")),
        ] {
            let shown = path.display().to_string();
            let location = Location::parse(text);
            assert_eq!(location, Ok(Location::Sqlite(path)), "{text}");
            assert_eq!(location.unwrap().to_string(), shown);
        }
    }

    #[test]
    fn other_schemes_are_rejected_and_not_shown() {
        for (text, error) in [
            ("", LocationError::Empty),
            ("\n", LocationError::Empty),
            ("sqlite:///", LocationError::Empty),
            (":memory:", LocationError::InMemory),
            (":MEMORY:", LocationError::InMemory),
            ("file::memory:", LocationError::InMemory),
            ("file::memory:?cache=shared", LocationError::InMemory),
            ("file:users?mode=memory&cache=shared", LocationError::InMemory),
            ("sqlite://", LocationError::InMemory),
            ("SQLite+pysqlite://", LocationError::InMemory),
            ("sqlite://:memory:", LocationError::InMemory),
            ("sqlite:///:memory:", LocationError::InMemory),
            ("sqlite+aiosqlite:///:memory:", LocationError::InMemory),
            ("sqlite:///file::memory:?cache=shared&uri=true", LocationError::InMemory),
            ("sqlite::memory:", LocationError::InMemory),
            ("sqlite://users.db", LocationError::Host),
            ("sqlite:///users.db?mode=ro", LocationError::Query),
            ("my_sql+driver_x://u:hunter2@h/db", LocationError::Scheme),
            ("mysql://u:hunter2@h/db", LocationError::OtherDatabase("MySQL")),
            ("MySQL+pymysql://u:$hunter2@h/db", LocationError::OtherDatabase("MySQL")),
            ("mariadb+mariadbconnector://u:hunter2@h", LocationError::OtherDatabase("MariaDB")),
            ("mongodb+srv://u:hunter2@h/db", LocationError::OtherDatabase("MongoDB")),
            ("mssql+pyodbc://u:hunter2@dsn", LocationError::OtherDatabase("SQL Server")),
            ("jdbc:sqlserver://h;password=hunter2", LocationError::OtherDatabase("SQL Server")),
            ("jdbc:oracle:thin:u/hunter2@h", LocationError::OtherDatabase("Oracle")),
            ("mysql:host=h;password=hunter2", LocationError::OtherDatabase("MySQL")),
            ("cockroachdb://u:hunter2@h/db", LocationError::OtherDatabase("CockroachDB")),
            ("rediss://:hunter2@h/0", LocationError::OtherDatabase("Redis")),
            ("duckdb:////srv/users.db", LocationError::OtherDatabase("DuckDB")),
            ("sqlite+pysqlcipher://:hunter2@/users.db", LocationError::OtherDatabase("SQLCipher")),
            ("https://example.org/users.db", LocationError::Scheme),
            ("file:///srv/hunter2.db", LocationError::Spelling(Misspelling::FileUri)),
            #[cfg(not(feature = "postgres"))]
            ("Postgres://u:hunter2@h/db", LocationError::Postgres),
        ] {
            assert_eq!(Location::parse(text), Err(error), "{text}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
        let url = OsStr::from_bytes(b"sqlite:///\xff.db");
        assert_eq!(Location::parse(url), Err(LocationError::NotUtf8));
        let path = OsStr::from_bytes(b"/srv/\xff.db");
        assert_eq!(Location::parse(path), Ok(Location::Sqlite(path.into())));
    }
}
