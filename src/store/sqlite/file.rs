//! The file: how it is created and opened.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::Sqlite;
use super::error::sql_error;
use super::limit::{self, Work};
use crate::escape::Escaped;
use crate::files;
use crate::store::{Access, Location, NewFile, StoreError};

/// Which file it is, whatever its name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|metadata| Self::from(&metadata))
    }
}

impl From<&Metadata> for Identity {
    fn from(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// How long to wait for another program's transaction.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a commit waits for readers, which shuts out new ones meanwhile.
pub(super) const COMMIT_TIMEOUT: Duration = Duration::from_secs(1);

impl Sqlite {
    pub(in super::super) fn open(path: &Path, access: Access) -> Result<Self, StoreError> {
        let store = Self::open_unread(path, access)?;
        let _work = Work::statement();
        let read = "SELECT count(*) FROM sqlite_schema";
        let read = store.connection.query_row(read, [], |_| Ok(()));
        read.map_err(sql_error(&store.location))?;
        Ok(store)
    }

    /// Opens the file and looks no further than at its size: it may be damaged.
    pub(super) fn open_unread(path: &Path, access: Access) -> Result<Self, StoreError> {
        let location = Location::Sqlite(path.to_owned());
        let cannot_connect = |reason: String| {
            let reason = Escaped(&reason).to_string();
            StoreError::CannotConnect { location: location.clone(), reason }
        };
        let identity = match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() && metadata.len() == 1 => {
                // SQLite would take it for an empty file, and overwrite it.
                let reason = "it is a file of one byte".to_owned();
                return Err(StoreError::NotADatabase { location, reason });
            }
            Ok(metadata) if metadata.is_file() => Identity::from(&metadata),
            Ok(_) => {
                let reason = "it is not a file".to_owned();
                return Err(StoreError::NotADatabase { location, reason });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(StoreError::NoDatabase { path: path.to_owned() });
            }
            Err(error) => return Err(cannot_connect(error.to_string())),
        };
        // Whoever may write opens the file to write, also to read it: a reader must be able to
        // roll the journal of a killed writer back, and to remove an empty write-ahead log.
        let (mode, patience) = match access {
            Access::Glance => (OpenFlags::SQLITE_OPEN_READ_ONLY, Duration::ZERO),
            Access::Read | Access::Write => (OpenFlags::SQLITE_OPEN_READ_WRITE, BUSY_TIMEOUT),
        };
        let flags = mode | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection =
            Connection::open_with_flags(files::absolute(path), flags).map_err(|error| {
                let reason = File::open(path).err().map(|error| error.to_string());
                cannot_connect(reason.unwrap_or_else(|| error.to_string()))
            })?;
        limit::watch(&mut connection).map_err(sql_error(&location))?;
        let open = || {
            if connection.is_readonly("main")? && would_leave_a_log(path) {
                return Ok(false);
            }
            connection.busy_timeout(patience)?;
            // Somebody else may have written the schema, and the pages: no trigger or index calls
            // what reaches beyond the file or writes a virtual table's own tables, and a page is
            // looked at before it is used.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
            connection.pragma_update(None, "cell_size_check", true)?;
            connection.pragma_update(None, "secure_delete", true)?;
            connection.pragma_update(None, "cache_spill", false)?;
            connection.pragma_update(None, "temp_store", "MEMORY")?;
            connection.pragma_update(None, "foreign_keys", true)?;
            connection.pragma_update(None, "query_only", access != Access::Write)?;
            Ok(true)
        };
        match open() {
            Ok(true) => Ok(Self { connection, location, identity }),
            Ok(false) => Err(cannot_connect(
                "it has a write-ahead log, which only someone who may write the file can open"
                    .to_owned(),
            )),
            Err(error) => Err(sql_error(&location)(error)),
        }
    }
}

/// Has what was committed be there also after a power cut: else the journal might be there again,
/// and undo it. SQLite would do so itself (`synchronous=EXTRA`), and fail after the commit where
/// directories cannot be synced, as in some shared folders.
pub(super) fn sync_directory(connection: &Connection) {
    let directory = connection.path().map(Path::new).and_then(Path::parent);
    let _ = directory.map(|directory| File::open(directory)?.sync_all());
}

/// Whether reading the file without the right to write it would leave a write-ahead log behind,
/// which the one who has that right could then not open: it has the mode, and no log yet.
fn would_leave_a_log(path: &Path) -> bool {
    /// Where the file's header says which journal it has, and what it says for a log.
    const WRITE_VERSION: u64 = 18;
    const LOG: u8 = 2;

    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let mut version = [0];
    let read = File::open(path).and_then(|file| file.read_exact_at(&mut version, WRITE_VERSION));
    read.is_ok() && version == [LOG] && !Path::new(&log).exists()
}

/// What to say of a new file if Flask keeps one of that name elsewhere: `sqlite:///users.db` of
/// Flask-SQLAlchemy 3 is in the folder `instance` of the app.
pub(in super::super) fn beside(path: &Path) -> Option<String> {
    let (directory, name) = (path.parent()?, path.file_name()?);
    let mut folders = vec![
        directory.join("instance"),
        directory.join("app/instance"),
        directory.join("src/instance"),
    ];
    if directory.file_name().is_some_and(|name| name == "instance") {
        folders = vec![directory.parent()?.to_owned()];
    }
    let other = folders.into_iter().map(|folder| folder.join(name)).find(|file| file.is_file())?;
    let quoted = |path: &Path| format!("'{}'", path.display().to_string().replace('\'', r"'\''"));
    Some(format!(
        "there is also {}, where Flask-SQLAlchemy keeps its databases: if the app uses that one, run \
         `dash-users init --database {}` and remove the new file",
        other.display(),
        quoted(&other)
    ))
}

/// Creates an empty file, which is a valid database; false if there is something already.
pub(in super::super) fn create(path: &Path, new_file: &NewFile) -> Result<bool, StoreError> {
    let cannot_connect = |reason: &str| StoreError::CannotConnect {
        location: Location::Sqlite(path.to_owned()),
        reason: reason.to_owned(),
    };
    let options = &mut OpenOptions::new();
    let file = match options.write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let is_dangling =
                fs::metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
            if is_dangling {
                return Err(cannot_connect("it is a symbolic link to nothing"));
            }
            return Ok(false);
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(StoreError::NoDirectory { path: path.to_owned() });
        }
        Err(error) => return Err(cannot_connect(&error.to_string())),
    };
    let prepared = match new_file.group {
        Some(group) => std::os::unix::fs::fchown(&file, None, Some(group))
            .map_err(|error| format!("its group cannot be set: {error}")),
        None => Ok(()),
    }
    .and_then(|()| {
        let permissions = Permissions::from_mode(new_file.mode);
        file.set_permissions(permissions)
            .map_err(|error| format!("its mode cannot be set: {error}"))
    });
    if let Err(reason) = prepared {
        // It is ours, and empty.
        fs::remove_file(path).map_err(|error| cannot_connect(&error.to_string()))?;
        return Err(cannot_connect(&reason));
    }
    Ok(true)
}
