//! The file: how it is created and opened.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::{Uid, User};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::sql_error;
use super::limit::{self, Work};
use super::{Sqlite, format};
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

/// How long to wait before looking whether the file system has locks at all.
const FIRST_TIMEOUT: Duration = Duration::from_millis(100);

/// How long a commit waits for readers, which shuts out new ones meanwhile.
pub(super) const COMMIT_TIMEOUT: Duration = Duration::from_secs(1);

impl Sqlite {
    pub(in super::super) fn open(path: &Path, access: Access) -> Result<Self, StoreError> {
        let store = Self::open_unread(path, access)?;
        let _work = Work::statement();
        let Self { connection, location, .. } = &store;
        let read = || connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
        let busy = Some(ErrorCode::DatabaseBusy);
        let mut done = read();
        if access != Access::ReadNoWait {
            // To SQLite a file system without locks looks like a lock of another program.
            if done.as_ref().is_err_and(|error| error.sqlite_error_code() == busy) {
                refuse_without_locks(path)?;
                connection.busy_timeout(BUSY_TIMEOUT).map_err(sql_error(location))?;
                done = read();
            }
            connection.busy_timeout(BUSY_TIMEOUT).map_err(sql_error(location))?;
        }
        done.map_err(|error| match sql_error(location)(error) {
            StoreError::NotADatabase { location, reason } => {
                let reason = format::name(path).map_or(reason, str::to_owned);
                StoreError::NotADatabase { location, reason }
            }
            error => error,
        })?;
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
            Ok(metadata) => {
                let reason = if metadata.is_dir() {
                    "it is a directory. Docker creates one if the file to mount is missing; \
                     `rmdir` removes it if it is empty"
                } else {
                    "it is not a file"
                };
                let reason = reason.to_owned();
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
            Access::ReadNoWait => (OpenFlags::SQLITE_OPEN_READ_ONLY, Duration::ZERO),
            Access::Read | Access::Write => (OpenFlags::SQLITE_OPEN_READ_WRITE, FIRST_TIMEOUT),
        };
        let is_frozen = access != Access::Write && is_frozen_with_log(path);
        let (mode, name) = if is_frozen {
            (OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI, immutable(path))
        } else {
            (mode, files::absolute(path))
        };
        let flags = mode | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(name, flags).map_err(|error| {
            let reason = File::open(path).err().map(|error| error.to_string());
            cannot_connect(reason.unwrap_or_else(|| error.to_string()))
        })?;
        limit::watch(&mut connection).map_err(sql_error(&location))?;
        let open = || {
            if !is_frozen && connection.is_readonly("main")? && would_leave_a_log(path) {
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
                "it uses a write-ahead log, so opening it needs write access: run `PRAGMA \
                journal_mode = DELETE` in it before making it read-only, or copy it to a \
                writable directory"
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

/// Refuses a file system that has no locks, as some network shares and shared folders: there a file
/// gets damaged when two programs write.
fn refuse_without_locks(path: &Path) -> Result<(), StoreError> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    // Not on the file itself: closing it would take away the locks of this process.
    let lock = tempfile::tempfile_in(directory).map_err(|_| Errno::UnknownErrno).and_then(|file| {
        let whole = libc::flock {
            l_type: libc::c_short::try_from(libc::F_RDLCK).unwrap_or_default(),
            l_whence: libc::c_short::try_from(libc::SEEK_SET).unwrap_or_default(),
            l_start: 0,
            l_len: 0,
            l_pid: 0,
        };
        fcntl(&file, FcntlArg::F_SETLK(&whole))
    });
    match lock {
        // What cannot be tried may work.
        Ok(_) | Err(Errno::UnknownErrno) => Ok(()),
        Err(error) => {
            let kind = file_system(directory);
            let reason = format!(
                "its file system{kind} does not support locks ({}): move it to a local disk",
                error.desc()
            );
            Err(StoreError::CannotConnect { location: Location::Sqlite(path.to_owned()), reason })
        }
    }
}

/// The type of the file system that a directory is on, as `/proc` names it, in brackets.
fn file_system(directory: &Path) -> String {
    let directory = fs::canonicalize(directory).unwrap_or_default();
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mount = mounts
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(' ').skip(1);
            Some((fields.next()?, fields.next()?))
        })
        .filter(|(point, _)| directory.starts_with(point))
        .max_by_key(|(point, _)| point.len());
    mount.map(|(_, kind)| format!(" ({kind})")).unwrap_or_default()
}

/// Whether the file says that it has a write-ahead log, has none now, and is on a medium that cannot
/// be written: then nobody is writing it, and SQLite can read it without the log's index.
fn is_frozen_with_log(path: &Path) -> bool {
    let is_read_only = statvfs(path).is_ok_and(|of| of.flags().contains(FsFlags::ST_RDONLY));
    is_read_only && would_leave_a_log(path)
}

/// The URI by which SQLite reads a file that does not change: without locks and without a log.
fn immutable(path: &Path) -> PathBuf {
    let path = files::absolute(path);
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    let encoded: Vec<_> = bytes.map(|byte| format!("%{byte:02X}")).collect();
    PathBuf::from(format!("file:{}?immutable=1", encoded.concat()))
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
fn beside(path: &Path) -> Option<String> {
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
                return Err(cannot_connect("it is a broken symbolic link"));
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
            .map_err(|error| format!("cannot set its group: {error}")),
        None => Ok(()),
    }
    .and_then(|()| {
        files::set_mode(&file, new_file.mode)
            .map_err(|error| format!("cannot set its mode: {error}"))
    });
    if let Err(reason) = prepared {
        // It is ours, and empty.
        fs::remove_file(path).map_err(|error| cannot_connect(&error.to_string()))?;
        return Err(cannot_connect(&reason));
    }
    Ok(true)
}

/// Removes a file that [`create`] made, if nothing was written to it.
pub(in super::super) fn remove_created(path: &Path) {
    if fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() == 0) {
        let _ = fs::remove_file(path);
    }
}

/// What an administrator should know of a file that [`create`] made.
pub(in super::super) fn warnings(path: &Path, new_file: &NewFile) -> Vec<String> {
    let (Ok(file), Some(Ok(directory))) = (fs::metadata(path), path.parent().map(fs::metadata))
    else {
        return Vec::new();
    };
    let mut warnings: Vec<_> =
        beside(path).into_iter().chain(files::mode_warning(path, new_file.mode)).collect();
    // Root can write into everybody's directory.
    if file.uid() == 0 && directory.uid() != 0 && new_file.group.is_none() {
        let owner = User::from_uid(Uid::from_raw(directory.uid()));
        let owner = owner.ok().flatten().map_or(directory.uid().to_string(), |user| user.name);
        warnings.push(format!(
            "the file belongs to root, but its directory belongs to {owner}, who cannot read the \
            file: run `chown {owner}: {}`",
            Escaped(&path.display().to_string())
        ));
    }
    warnings
}
