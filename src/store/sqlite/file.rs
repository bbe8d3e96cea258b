//! Creating and opening the database file.

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
use crate::store::{Access, Location, NewFile, StoreError, lock_timeout};

/// The identity of a file, independent of its name.
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

/// The time to wait before checking whether the file system supports locks.
const FIRST_TIMEOUT: Duration = Duration::from_millis(100);

/// The timeout of a commit for readers. Meanwhile it blocks new ones.
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
            // To SQLite, a file system without locks looks like a lock held by another program.
            if done.as_ref().is_err_and(|error| error.sqlite_error_code() == busy) {
                refuse_without_locks(path)?;
                connection.busy_timeout(lock_timeout()).map_err(sql_error(location))?;
                done = read();
            }
            connection.busy_timeout(lock_timeout()).map_err(sql_error(location))?;
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

    /// Opens the file and checks only its size: it may be damaged.
    pub(super) fn open_unread(path: &Path, access: Access) -> Result<Self, StoreError> {
        let location = Location::Sqlite(path.to_owned());
        let cannot_connect = |reason: String| {
            let reason = Escaped(&reason).to_string();
            StoreError::CannotConnect { location: location.clone(), reason }
        };
        let identity = match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() && metadata.len() == 1 => {
                // SQLite would treat it as empty and overwrite it.
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
        // With write permission, the file is opened for writing even to read it, to be able to roll
        // back the journal of a killed writer and to remove an empty write-ahead log.
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
            // The schema and the pages may be untrusted: triggers and indexes must not call
            // functions with side effects or write to shadow tables, and each page is checked
            // before it is used.
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

/// Makes a commit survive a power failure: otherwise the journal might reappear and undo it. SQLite
/// could do this itself (`synchronous=EXTRA`), but would fail after the commit on file systems that
/// cannot sync directories, such as some shared folders.
pub(super) fn sync_directory(connection: &Connection) {
    let directory = connection.path().map(Path::new).and_then(Path::parent);
    let _ = directory.map(|directory| File::open(directory)?.sync_all());
}

/// Rejects file systems without locks, such as some network shares and shared folders: two writers
/// would damage the file.
fn refuse_without_locks(path: &Path) -> Result<(), StoreError> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    // Not on the file itself: closing it would release this process's locks.
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
        // If it cannot be tested, it may work.
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

/// The type of a directory's file system, as in `/proc`, in parentheses.
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

/// Whether the file is in write-ahead log mode, without a log, on a read-only medium: then no one
/// is writing to it, and SQLite can read it without the log's index.
fn is_frozen_with_log(path: &Path) -> bool {
    let is_read_only = statvfs(path).is_ok_and(|of| of.flags().contains(FsFlags::ST_RDONLY));
    is_read_only && would_leave_a_log(path)
}

/// The URI with which SQLite reads an immutable file: without locks and without a log.
fn immutable(path: &Path) -> PathBuf {
    let path = files::absolute(path);
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    let encoded: Vec<_> = bytes.map(|byte| format!("%{byte:02X}")).collect();
    PathBuf::from(format!("file:{}?immutable=1", encoded.concat()))
}

/// Whether reading the file without write permission would leave a write-ahead log that a user with
/// write permission could not open: the file is in that mode, and has no log yet.
fn would_leave_a_log(path: &Path) -> bool {
    /// The offset of the journal mode in the file's header, and its value for a write-ahead log.
    const WRITE_VERSION: u64 = 18;
    const LOG: u8 = 2;

    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let mut version = [0];
    let read = File::open(path).and_then(|file| file.read_exact_at(&mut version, WRITE_VERSION));
    read.is_ok() && version == [LOG] && !Path::new(&log).exists()
}

/// A warning for a new file if there is one with the same name where Flask-SQLAlchemy 3 looks for
/// `sqlite:///users.db`: in the folder `instance` of the app.
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
    Some(format!(
        "there is also {}, where Flask-SQLAlchemy keeps its databases: if the app uses that one, run \
         `dash-users init --database {}` and remove the new file",
        other.display(),
        quoted(&other)
    ))
}

/// A path as an argument in a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", Escaped(&path.display().to_string()).to_string().replace('\'', r"'\''"))
}

/// Creates an empty file, which is a valid database. Returns false if it exists.
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
        // It was created here and is empty.
        fs::remove_file(path).map_err(|error| cannot_connect(&error.to_string()))?;
        return Err(cannot_connect(&reason));
    }
    Ok(true)
}

/// Removes a file that [`create`] created, if it is still empty.
pub(in super::super) fn remove_created(path: &Path) {
    if fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() == 0) {
        let _ = fs::remove_file(path);
    }
}

/// Warnings about a file that [`create`] created.
pub(in super::super) fn warnings(path: &Path, new_file: &NewFile) -> Vec<String> {
    let (Ok(file), Some(Ok(directory))) = (fs::metadata(path), path.parent().map(fs::metadata))
    else {
        return Vec::new();
    };
    let mut warnings: Vec<_> =
        beside(path).into_iter().chain(files::mode_warning(path, new_file.mode)).collect();
    // Root can write to every user's directory.
    let is_for_root = file.uid() == 0 && file.mode() & 0o004 == 0 && new_file.group.is_none();
    if is_for_root && directory.uid() != 0 {
        let owner = User::from_uid(Uid::from_raw(directory.uid()));
        let owner = owner.ok().flatten().map_or(directory.uid().to_string(), |user| user.name);
        warnings.push(format!(
            "the file belongs to root, but its directory belongs to {owner}, who cannot read the \
             file: run `chown {owner}: {}`",
            quoted(path)
        ));
    }
    warnings
}
