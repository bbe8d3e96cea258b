//! What keeps a database from doing what it is asked for.

use std::io::ErrorKind;
use std::path::PathBuf;

use super::Location;
use crate::files::FileError;

/// What can go wrong with a database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it")]
pub enum StoreError {
    #[error("no database at {}", path.display())]
    NoDatabase { path: PathBuf },
    #[error("the directory of {} does not exist", path.display())]
    NoDirectory { path: PathBuf },
    #[error("{} already exists", path.display())]
    FileExists { path: PathBuf },
    /// What is at the path must not be replaced.
    #[error("cannot write {}: {reason}", path.display())]
    CannotWrite { path: PathBuf, reason: String },
    #[error("{} is the database itself", path.display())]
    SameFile { path: PathBuf },
    #[error("{location} is not up to date: {reason}")]
    NeedsMigration { location: Location, reason: String },
    #[error("{location} has schema version {found}; this program supports versions up to {known}")]
    NewerSchema { location: Location, found: i64, known: u32 },
    #[error("{location} is not a users database: {reason}")]
    NotADatabase { location: Location, reason: String },
    /// A table of the app that cannot be shared as it stands, and SQL that repairs it, if there is
    /// any.
    #[error("{location} is not a users database: {reason}")]
    UnsupportedTable { location: Location, reason: String, repair: Option<String> },
    #[error("cannot open {location}: {reason}")]
    CannotConnect { location: Location, reason: String },
    /// As [`CannotConnect`](Self::CannotConnect), where there is a remedy: `hint` is a command, or says
    /// what to write.
    #[error("cannot open {location}: {reason}")]
    CannotOpen { location: Location, reason: String, hint: String },
    /// A setting of the connection that cannot be obeyed.
    #[error("cannot connect to {location}: {reason}")]
    Setting { location: Location, reason: String, hint: String },
    /// There is no table `users` where one would be created, but another one elsewhere.
    #[error("{location} has no table 'users' where one would be created: {reason}")]
    OtherTable { location: Location, reason: String, hint: String },
    /// Another program holds a lock: which one, if the database says so.
    #[error(
        "{location} is locked by {}; nothing was changed",
        holder.as_deref().unwrap_or("another program")
    )]
    Busy { location: Location, holder: Option<String> },
    /// The database ended a statement that took too long.
    #[error("{location} is too slow: {reason}; nothing was changed")]
    TooSlow { location: Location, reason: String },
    /// Somebody else wrote at the same time: it is to be tried again.
    #[error("{location} was changed by another program at the same time; nothing was changed")]
    Conflict { location: Location },
    /// The triggers that keep groups and the history correct do not work.
    #[error("{location} is not up to date: {reason}; nothing was changed")]
    NeedsRepair { location: Location, reason: String },
    /// A text that the encoding of the database cannot represent.
    #[error("{location} cannot store the text: {reason}")]
    NotEncodable { location: Location, reason: String },
    #[error("backup and restore do not support PostgreSQL databases")]
    NotOnServers,
    /// A constraint or trigger of the app said no.
    #[error("{location} refused the change: {reason}")]
    Refused { location: Location, reason: String },
    #[error("{location}: {reason}")]
    Failed { location: Location, reason: String },
}

impl From<FileError> for StoreError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Exists { path } => Self::FileExists { path },
            FileError::NoDirectory { path } => Self::NoDirectory { path },
            FileError::Directory { path } => {
                Self::CannotWrite { path, reason: "it is a directory".to_owned() }
            }
            FileError::Unsafe { path, reason } => {
                Self::CannotWrite { path, reason: reason.to_owned() }
            }
            FileError::Failed { path, error } => {
                let reason = error.to_string();
                match error.kind() {
                    ErrorKind::NotADirectory
                    | ErrorKind::PermissionDenied
                    | ErrorKind::ReadOnlyFilesystem => {
                        Self::CannotConnect { location: Location::Sqlite(path), reason }
                    }
                    _ => Self::CannotWrite { path, reason },
                }
            }
        }
    }
}
