//! Where a database is.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

#[cfg(feature = "postgres")]
use super::Server;

/// Where a database is.
///
/// # Syntax
///
/// ```text
/// sqlite:///relative/path      SQLAlchemy's spelling
/// sqlite:////absolute/path
/// postgresql://user@host/database   also postgres:// and postgresql+ANYDRIVER://
/// any/other/path               also one that begins with "file:" or is ":memory:"
/// ```
///
/// Any other `SCHEME://` is refused. No error shows the text, which may hold a password.
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
    /// A SQLite file, by its absolute path.
    Sqlite(PathBuf),
    /// A database of a PostgreSQL server.
    #[cfg(feature = "postgres")]
    Postgres(Server),
}

impl Location {
    /// Whether `path` leads to the very file that the database is, by whatever name.
    #[must_use]
    pub fn is_file(&self, path: &Path) -> bool {
        #[cfg_attr(
            not(feature = "postgres"),
            expect(irrefutable_let_patterns, reason = "one kind")
        )]
        let Self::Sqlite(database) = self else { return false };
        let identity = |path: &Path| fs::metadata(path).map(|file| (file.dev(), file.ino())).ok();
        let database = identity(database);
        database.is_some() && database == identity(path)
    }

    /// Reads a path or URL; a relative path starts from the current directory.
    ///
    /// # Errors
    ///
    /// [`LocationError`] if the text names no database that this crate knows.
    pub fn parse(text: impl AsRef<OsStr>) -> Result<Self, LocationError> {
        let text = text.as_ref();
        let path = match scheme(text) {
            None => text.to_owned(),
            Some("sqlite") => {
                let Some(url) = text.to_str().map(str::trim_start) else {
                    return Err(LocationError::NotUtf8);
                };
                let Some(path) = url["sqlite://".len()..].strip_prefix('/') else {
                    return Err(LocationError::Host);
                };
                if path.contains('?') {
                    return Err(LocationError::Query);
                }
                OsString::from(path)
            }
            #[cfg(feature = "postgres")]
            Some(scheme) if is_postgres(scheme) => {
                let url = text.to_str().map(str::trim_start).ok_or(LocationError::NotUtf8)?;
                return Ok(Self::Postgres(Server::new(url)));
            }
            #[cfg(not(feature = "postgres"))]
            Some(scheme) if is_postgres(scheme) => return Err(LocationError::Postgres),
            Some(_) => return Err(LocationError::Scheme),
        };
        if path.is_empty() {
            return Err(LocationError::Empty);
        }
        // Absolute, so that SQLite takes neither "file:…" for a URI nor ":memory:" for a name.
        match std::path::absolute(Path::new(&path)) {
            Ok(path) => Ok(Self::Sqlite(path)),
            Err(_) => Err(LocationError::NoCurrentDirectory),
        }
    }
}

/// The scheme of a URL (RFC 3986, section 3.1); a path has none.
fn scheme(text: &OsStr) -> Option<&str> {
    let bytes = text.as_encoded_bytes().trim_ascii_start();
    let end = bytes.windows(3).position(|window| window == b"://")?;
    let scheme = str::from_utf8(&bytes[..end]).ok()?;
    let mut chars = scheme.chars();
    let valid = chars.next()?.is_ascii_alphabetic()
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    valid.then_some(scheme)
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

/// Why a text names no database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocationError {
    /// There is no path.
    #[error("the database's path is empty")]
    Empty,
    /// A scheme that this crate does not know.
    #[error(
        "the database's URL has an unknown scheme: it is a path, sqlite:///relative, sqlite:////absolute or postgresql://…"
    )]
    Scheme,
    /// A PostgreSQL URL, without the feature `postgres`.
    #[error(
        "this build of dash-users does not know PostgreSQL: the database is a path, sqlite:///relative or sqlite:////absolute"
    )]
    Postgres,
    /// `sqlite://` with fewer than three slashes.
    #[error("a sqlite URL names no host: write sqlite:///relative or sqlite:////absolute")]
    Host,
    /// A `?` in a sqlite URL.
    #[error("a sqlite URL takes no options after '?': write the path alone")]
    Query,
    /// A URL that is not UTF-8.
    #[error("the database's URL must be UTF-8")]
    NotUtf8,
    /// A relative path, and a current directory that is gone.
    #[error("the current directory is gone: write an absolute path")]
    NoCurrentDirectory,
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn paths_and_sqlite_urls_become_absolute_paths() {
        let here = std::env::current_dir().unwrap();
        for (text, path) in [
            ("users.db", here.join("users.db")),
            ("file:users.db?mode=ro", here.join("file:users.db?mode=ro")),
            (":memory:", here.join(":memory:")),
            ("/srv/users.db", "/srv/users.db".into()),
            ("sqlite:///a/users.db", here.join("a/users.db")),
            ("sqlite:////srv/users.db", "/srv/users.db".into()),
            ("1http://x", here.join("1http:/x")),
        ] {
            let shown = path.display().to_string();
            let location = Location::parse(text);
            assert_eq!(location, Ok(Location::Sqlite(path)), "{text}");
            assert_eq!(location.unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_names_no_database_is_refused_without_being_shown() {
        for (text, error) in [
            ("", LocationError::Empty),
            ("sqlite:///", LocationError::Empty),
            ("sqlite://", LocationError::Host),
            ("sqlite://users.db", LocationError::Host),
            ("sqlite:///users.db?mode=ro", LocationError::Query),
            ("mysql://u:hunter2@h/db", LocationError::Scheme),
            ("https://example.org/users.db", LocationError::Scheme),
            #[cfg(not(feature = "postgres"))]
            (" postgres://u:hunter2@h/db", LocationError::Postgres),
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
