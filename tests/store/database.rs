//! The databases that cases run against, seen from outside.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dash_users::Location;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use tempfile::TempDir;

/// A new database of its own for one case, without any table, and an app's way into it.
pub(crate) trait Database: Sync {
    fn location(&self) -> &Location;

    /// What runs SQL as an app does, each time through a connection of its own. It may be handed
    /// to another thread, or called in the middle of an operation.
    fn app(&self) -> Box<dyn Fn(&str) + Send>;

    /// The first column of what a query finds, as text; `NULL` for NULL.
    fn query(&self, sql: &str) -> Vec<String>;

    /// The longest name, in bytes, that a primary key may be expected to hold.
    fn longest_name(&self) -> usize;

    fn execute(&self, sql: &str) {
        self.app()(sql);
    }
}

/// A SQLite file in a directory of its own. The first to write to it creates it.
pub(crate) struct Sqlite {
    dir: TempDir,
    path: PathBuf,
    location: Location,
}

impl Sqlite {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("users.db");
        let location = Location::parse(&path).unwrap();
        Self { dir, path, location }
    }

    /// A database in which an app has run some SQL.
    pub(crate) fn with(sql: &str) -> Self {
        let database = Self::new();
        database.execute(sql);
        database
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A connection with SQLite's defaults, which does not wait for locks.
    pub(crate) fn connect(&self) -> Connection {
        connect(&self.path)
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs::read(&self.path).unwrap()
    }

    /// Whether this process is root, whom no file mode keeps out.
    pub(crate) fn is_root(&self) -> bool {
        fs::metadata(self.dir()).unwrap().uid() == 0
    }
}

fn connect(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.busy_timeout(Duration::ZERO).unwrap();
    // As an app's SQLite has it unless it asks: rusqlite's is compiled otherwise.
    connection.pragma_update(None, "foreign_keys", false).unwrap();
    connection
}

impl Database for Sqlite {
    fn location(&self) -> &Location {
        &self.location
    }

    fn app(&self) -> Box<dyn Fn(&str) + Send> {
        let path = self.path.clone();
        Box::new(move |sql| connect(&path).execute_batch(sql).unwrap())
    }

    fn query(&self, sql: &str) -> Vec<String> {
        let connection = self.connect();
        let mut statement = connection.prepare(sql).unwrap();
        let text = |row: &rusqlite::Row<'_>| Ok(as_text(row.get_ref(0)?));
        statement.query_map([], text).unwrap().collect::<Result<_, _>>().unwrap()
    }

    fn longest_name(&self) -> usize {
        10 << 20
    }
}

fn as_text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
    }
}
