//! The databases that cases run against, as an app sees them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dash_users::Location;
#[cfg(feature = "postgres")]
use postgres::{Client, SimpleQueryMessage};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use tempfile::TempDir;

#[cfg(feature = "postgres")]
use crate::server::{self, Cluster};
use crate::support::{OPERATIONS, Operation};

/// A new database without tables for one case, and an app's access to it.
pub(crate) trait Database: Sync {
    fn location(&self) -> &Location;

    /// Runs SQL as an app does, through a new connection each time. The function can be sent to
    /// another thread, or called during an operation.
    fn app(&self) -> Box<dyn Fn(&str) + Send>;

    /// The first column of a query's result as text; `NULL` for NULL.
    fn query(&self, sql: &str) -> Vec<String>;

    /// The maximum length of a name that a primary key can store, in bytes.
    fn longest_name(&self) -> usize;

    /// The operations of [`Users`](dash_users::Users) that it supports.
    fn operations(&self) -> Vec<Operation> {
        OPERATIONS.into()
    }

    fn execute(&self, sql: &str) {
        self.app()(sql);
    }
}

/// A SQLite file in its own directory. The first writer creates it.
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
    // The default of SQLite in apps; rusqlite is compiled with another one.
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

/// A database of the server that all cases share. It is dropped in the end.
#[cfg(feature = "postgres")]
pub(crate) struct Postgres {
    cluster: &'static Cluster,
    name: String,
    url: String,
    location: Location,
}

#[cfg(feature = "postgres")]
impl Postgres {
    /// `None` if there is no server, so the case is skipped.
    pub(crate) fn new() -> Option<Self> {
        let cluster = server::cluster()?;
        let name = cluster.empty_database(server::OWNER);
        let url = cluster.url(server::OWNER, cluster.password(), &name);
        let location = Location::parse(&url).unwrap();
        Some(Self { cluster, name, url, location })
    }

    /// A database in which an app has run some SQL.
    pub(crate) fn with(sql: &str) -> Option<Self> {
        let database = Self::new()?;
        database.execute(sql);
        Some(database)
    }

    /// A database with another encoding than UTF-8, and no locale.
    pub(crate) fn encoded(encoding: &str) -> Option<Self> {
        let database = Self::new()?;
        let name = database.name();
        let provider = if database.cluster.version() < 15 { "" } else { "LOCALE_PROVIDER libc" };
        let create = format!(
            "CREATE DATABASE {name} OWNER {} TEMPLATE template0 ENCODING '{encoding}'
             LC_COLLATE 'C' LC_CTYPE 'C' {provider}",
            server::OWNER
        );
        database.cluster.drop_database(name);
        database.cluster.superuser(server::SUPERUSER).batch_execute(&create).unwrap();
        Some(database)
    }

    pub(crate) fn cluster(&self) -> &'static Cluster {
        self.cluster
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The same database at another URL.
    pub(crate) fn located(&self, url: &str) -> Location {
        assert!(url.contains(&self.name));
        Location::parse(url).unwrap()
    }

    /// A connection as an app has it, of the database's owner.
    pub(crate) fn connect(&self) -> Client {
        server::connect(&self.url)
    }

    /// A new role that may log in: its name, and the URL of this database for it. `ROLE` stands
    /// for its name in `grants`, which the superuser runs.
    pub(crate) fn role(&self, grants: &str) -> (String, String) {
        let role = self.cluster.role("");
        self.superuser().batch_execute(&grants.replace("ROLE", &role)).unwrap();
        let url = self.cluster.url(&role, &role, &self.name);
        (role, url)
    }

    /// Changes a setting of the database, as `name = value`.
    pub(crate) fn set(&self, setting: &str) {
        let alter = format!("ALTER DATABASE {} SET {setting}", self.name);
        self.superuser().batch_execute(&alter).unwrap();
    }

    /// A connection of the superuser.
    pub(crate) fn superuser(&self) -> Client {
        self.cluster.superuser(&self.name)
    }
}

#[cfg(feature = "postgres")]
impl Drop for Postgres {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.cluster.drop_database(&self.name);
        }
    }
}

#[cfg(feature = "postgres")]
impl Database for Postgres {
    fn location(&self) -> &Location {
        &self.location
    }

    fn app(&self) -> Box<dyn Fn(&str) + Send> {
        let url = self.url.clone();
        Box::new(move |sql| server::connect(&url).batch_execute(sql).unwrap())
    }

    fn query(&self, sql: &str) -> Vec<String> {
        let first = |message| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("NULL").to_owned()),
            _ => None,
        };
        self.connect().simple_query(sql).unwrap().into_iter().filter_map(first).collect()
    }

    /// `backup` supports files only.
    fn operations(&self) -> Vec<Operation> {
        OPERATIONS.into_iter().filter(|(name, _)| *name != "backup").collect()
    }

    /// An index entry has at most a third of a page.
    fn longest_name(&self) -> usize {
        2000
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
