//! Writing files that hold secrets: exports, backups, generated passwords.
//!
//! Every file that the program writes goes through [`write()`], except the database itself.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Read, Seek};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::libc;
use nix::unistd::geteuid;
use tempfile::NamedTempFile;

/// How to write a file.
#[derive(Debug, Clone, Copy)]
pub struct WriteOptions {
    /// The purpose of the file. While it is being written, it is named `unfinished-KIND-…`.
    pub kind: &'static str,
    /// The mode of the new file. The umask applies, except to mode 0600.
    pub mode: u32,
    /// Replace an existing file.
    pub overwrite: bool,
    /// Write to an existing pipe.
    pub allow_pipe: bool,
}

impl WriteOptions {
    /// Options for a new file that only its owner can read.
    #[must_use]
    pub const fn private(kind: &'static str) -> Self {
        Self { kind, mode: 0o600, overwrite: false, allow_pipe: false }
    }

    /// The same options with `overwrite` set.
    #[must_use]
    pub const fn overwrite(self, overwrite: bool) -> Self {
        Self { overwrite, ..self }
    }
}

/// Why a file cannot be written.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum FileError {
    #[error("{} already exists", path.display())]
    Exists { path: PathBuf },
    #[error("cannot write {}: its directory does not exist", path.display())]
    NoDirectory { path: PathBuf },
    #[error("cannot write {}: it is a directory", path.display())]
    Directory { path: PathBuf },
    /// Something at the path must not be written to or replaced.
    #[error("cannot write {}: {reason}", path.display())]
    Unsafe { path: PathBuf, reason: &'static str },
    #[error("cannot write {}: {error}", path.display())]
    Failed { path: PathBuf, error: io::Error },
}

impl FileError {
    pub(crate) fn failed(path: &Path, error: io::Error) -> Self {
        Self::Failed { path: path.to_owned(), error }
    }
}

const NOT_REGULAR: &str = "not a regular file";
const CHANGED: &str = "it was replaced while being written";

/// The destination.
#[derive(Debug)]
enum Target {
    /// A file that is created.
    New(PathBuf),
    /// A regular file that is replaced.
    Existing(PathBuf),
    /// A named pipe.
    Pipe(PathBuf),
    /// A pipe that is already open in this process, with a name such as `/dev/fd/63`.
    Descriptor(PathBuf),
}

impl Target {
    fn into_path(self) -> PathBuf {
        let (Self::New(path) | Self::Existing(path) | Self::Pipe(path) | Self::Descriptor(path)) =
            self;
        path
    }
}

/// Checks whether [`write()`] would accept `path`, without changing anything. Returns the absolute
/// path of the file that would be written, with a symbolic link in the last component resolved.
///
/// # Errors
///
/// As [`write()`].
pub fn check(path: &Path, options: &WriteOptions) -> Result<PathBuf, FileError> {
    locate(path, options).map(Target::into_path)
}

/// Writes a file atomically and returns its path, as [`check`] does.
///
/// `fill` receives a new file in the target's directory, and the path of it. The file is created
/// exclusively with its mode, and renamed to the target after `fill` returns. An existing file is
/// replaced, not written into, so the new file belongs to the caller.
///
/// A symbolic link is followed only if the caller or root owns it. This is checked for the last
/// component of the path and every link it leads to, not for directories.
///
/// A mount point cannot be replaced. It is overwritten in place if it is a regular file that the
/// caller owns. With [`allow_pipe`](WriteOptions::allow_pipe), a pipe owned by the caller or root
/// is written to directly.
///
/// # Errors
///
/// [`FileError::Exists`] if the file exists, unless `overwrite` is set or the caller owns it and it
/// is empty. [`FileError::Unsafe`] for a device, a socket, a pipe, or a symbolic link owned by
/// another user; these are left unchanged. Errors of `fill` are returned unchanged.
pub fn write<E: From<FileError>>(
    path: &Path,
    options: &WriteOptions,
    fill: impl FnOnce(&mut File, &Path) -> Result<(), E>,
) -> Result<PathBuf, E> {
    let given = absolute(path);
    let target = locate(path, options)?;
    let (path, overwrite, flags) = match target {
        Target::New(path) => (path, false, None),
        Target::Existing(path) => (path, true, None),
        Target::Pipe(path) => (path, false, Some(libc::O_NOFOLLOW)),
        Target::Descriptor(path) => (path, false, Some(0)),
    };
    if let Some(flags) = flags {
        let mut pipe = open_pipe(&path, flags, &given)?;
        fill(&mut pipe, &path)?;
        return Ok(path);
    }

    let failed = |error| FileError::Failed { path: given.clone(), error };
    let mut unfinished = create(&path, options).map_err(failed)?;
    let name = unfinished.path().to_owned();
    fill(unfinished.as_file_mut(), &name)?;
    unfinished.as_file().sync_all().map_err(failed)?;
    let created = unfinished.as_file().metadata().map_err(failed)?;
    if !fs::symlink_metadata(&name).is_ok_and(|named| is_same(&named, &created)) {
        return Err(FileError::Unsafe { path: given, reason: CHANGED }.into());
    }
    if overwrite {
        match unfinished.persist(&path) {
            Ok(_) => {}
            Err(error) if error.error.kind() == io::ErrorKind::ResourceBusy => {
                copy_in_place(error.file, &path, options, &given)?;
            }
            Err(error) => return Err(failed(error.error).into()),
        }
    } else if let Err(error) = unfinished.persist_noclobber(&path) {
        return Err(match error.error.kind() {
            io::ErrorKind::AlreadyExists => FileError::Exists { path: given },
            _ => failed(error.error),
        }
        .into());
    }
    // Some shared folders cannot sync a directory.
    let _ = path.parent().map(|directory| File::open(directory)?.sync_all());
    Ok(path)
}

/// Determines what is at a path, following symbolic links of the caller and root.
fn locate(path: &Path, options: &WriteOptions) -> Result<Target, FileError> {
    const MAX_LINKS: u32 = 40;

    let given = absolute(path);
    let refuse = |reason| FileError::Unsafe { path: given.clone(), reason };
    let failed = |error| FileError::Failed { path: given.clone(), error };
    let mut path = given.clone();
    for links in 0..MAX_LINKS {
        let found = match fs::symlink_metadata(&path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if links > 0 {
                    return Err(refuse("it is a broken symbolic link"));
                }
                if !path.parent().is_some_and(Path::is_dir) {
                    return Err(FileError::NoDirectory { path });
                }
                return Ok(Target::New(path));
            }
            Err(error) => return Err(failed(error)),
        };
        if !found.is_symlink() {
            return classify(path, &found, options, given);
        }
        if !is_trusted(&found) {
            return Err(refuse("it is a symbolic link owned by another user"));
        }
        let next = fs::read_link(&path).map_err(failed)?;
        let next = path.parent().unwrap_or(Path::new("/")).join(next);
        // A link in /proc/self/fd to an open pipe does not name an existing path.
        let is_gone = fs::symlink_metadata(&next).is_err();
        if is_gone && let Ok(open) = fs::metadata(&path) {
            return if options.allow_pipe && open.file_type().is_fifo() {
                Ok(Target::Descriptor(path))
            } else {
                Err(refuse(NOT_REGULAR))
            };
        }
        path = next;
    }
    Err(refuse("too many symbolic links"))
}

/// Decides what to do with an existing path that is not a symbolic link.
fn classify(
    path: PathBuf,
    found: &Metadata,
    options: &WriteOptions,
    given: PathBuf,
) -> Result<Target, FileError> {
    let kind = found.file_type();
    if kind.is_dir() {
        return Err(FileError::Directory { path: given });
    }
    if kind.is_fifo() && options.allow_pipe {
        return if is_trusted(found) {
            Ok(Target::Pipe(path))
        } else {
            Err(FileError::Unsafe { path: given, reason: "it is a pipe owned by another user" })
        };
    }
    if !kind.is_file() {
        return Err(FileError::Unsafe { path: given, reason: NOT_REGULAR });
    }
    if options.overwrite || (found.len() == 0 && is_own(found)) {
        return Ok(Target::Existing(path));
    }
    Err(FileError::Exists { path: given })
}

/// Creates a file with a temporary name in the directory of `path`.
fn create(path: &Path, options: &WriteOptions) -> io::Result<NamedTempFile> {
    let unfinished = tempfile::Builder::new()
        .prefix(&format!("unfinished-{}-", options.kind))
        .permissions(Permissions::from_mode(options.mode))
        .tempfile_in(path.parent().unwrap_or(Path::new("/")))
        // The original error contains the temporary name.
        .map_err(|error| io::Error::from(error.kind()))?;
    if is_private(options) {
        // Regardless of the umask.
        set_mode(unfinished.as_file(), options.mode)?;
    }
    Ok(unfinished)
}

/// A warning if a written file does not have the `mode` it was created with, as on file systems
/// without modes.
#[must_use]
pub fn mode_warning(path: &Path, mode: u32) -> Option<String> {
    let file = fs::metadata(path).ok().filter(Metadata::is_file)?;
    let found = file.mode() & 0o7777;
    let open = if found & !mode == 0 { "" } else { "; others may be able to read or write it" };
    (found != mode).then(|| {
        let path = path.display();
        format!("{path} has mode {found:04o}: its file system does not support {mode:04o}{open}")
    })
}

/// Sets the mode of a file. A file system without modes is not an error: see [`mode_warning`].
pub(crate) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    match file.set_permissions(Permissions::from_mode(mode)) {
        Err(error)
            if [io::ErrorKind::PermissionDenied, io::ErrorKind::Unsupported]
                .contains(&error.kind()) =>
        {
            Ok(())
        }
        result => result,
    }
}

/// Opens a pipe. Blocks until it has a reader.
fn open_pipe(path: &Path, flags: i32, given: &Path) -> Result<File, FileError> {
    let failed = |error| FileError::Failed { path: given.to_owned(), error };
    let pipe = File::options().write(true).custom_flags(flags).open(path).map_err(failed)?;
    let opened = pipe.metadata().map_err(failed)?;
    if !opened.file_type().is_fifo() || (flags != 0 && !is_trusted(&opened)) {
        return Err(FileError::Unsafe { path: given.to_owned(), reason: CHANGED });
    }
    Ok(pipe)
}

/// Overwrites a file that cannot be renamed over because it is a mount point, such as a single file
/// in a container.
fn copy_in_place(
    from: NamedTempFile,
    path: &Path,
    options: &WriteOptions,
    given: &Path,
) -> Result<(), FileError> {
    let copy = || {
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
        let mut file = File::options().write(true).custom_flags(flags).open(path)?;
        let opened = file.metadata()?;
        if !opened.is_file() || !is_own(&opened) {
            return Ok(false);
        }
        if is_private(options) {
            set_mode(&file, options.mode)?;
        }
        let mut from = from.into_file();
        from.rewind()?;
        file.set_len(0)?;
        io::copy(&mut from, &mut file)?;
        file.sync_all()?;
        Ok(true)
    };
    match copy() {
        Ok(true) => Ok(()),
        Ok(false) => {
            let reason = "it is a mount point, and not a regular file that you own";
            Err(FileError::Unsafe { path: given.to_owned(), reason })
        }
        Err(error) => Err(FileError::Failed { path: given.to_owned(), error }),
    }
}

/// Whether a regular file begins with these bytes.
pub(crate) fn begins_with(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    let mut start = Vec::new();
    file.take(bytes.len() as u64).read_to_end(&mut start)?;
    Ok(start == bytes)
}

fn is_private(options: &WriteOptions) -> bool {
    options.mode == 0o600
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Whether the caller owns a file.
pub(crate) fn is_own(file: &Metadata) -> bool {
    file.uid() == geteuid().as_raw()
}

/// Whether the caller or root owns a file, so that no other user can have placed it.
fn is_trusted(file: &Metadata) -> bool {
    is_own(file) || file.uid() == 0
}

/// Makes a path absolute, so SQLite does not read it as a URI.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests;
