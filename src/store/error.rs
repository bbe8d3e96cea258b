//! Errors of a database.

use std::io::ErrorKind;
use std::path::PathBuf;

use super::{Location, TableAdvice};
use crate::files::FileError;

/// An error of a database. Unless the message says otherwise, nothing was changed.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum StoreError {
    #[error("no database at {}", path.display())]
    NoDatabase { path: PathBuf },
    #[error("the directory of {} does not exist", path.display())]
    NoDirectory { path: PathBuf },
    #[error("{} already exists", path.display())]
    FileExists { path: PathBuf },
    /// The file at the path must not be replaced.
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
    /// A table of the app that cannot be used unchanged, and SQL that repairs it, if there is any.
    #[error("{location} is not a users database: {reason}")]
    UnsupportedTable {
        location: Location,
        reason: String,
        repair: Option<String>,
        advice: Box<TableAdvice>,
    },
    #[error("cannot open {location}: {reason}")]
    CannotConnect { location: Location, reason: String },
    /// As [`CannotConnect`](Self::CannotConnect), with a `hint`: a command, or what to write.
    #[error("cannot open {location}: {reason}")]
    CannotOpen { location: Location, reason: String, hint: String },
    /// The server is a standby, or allows no changes.
    #[error("cannot change {location}: {reason}")]
    ReadOnly { location: Location, reason: String, hint: String },
    /// The answer to a commit was lost. The change may have been saved.
    #[error("the connection to {location} was lost: the change may or may not have been saved")]
    Unconfirmed { location: Location },
    /// A commit was not confirmed by the standby that the server waits for.
    #[error(
        "the change was saved in {location}, but no standby has confirmed it: it is lost if a \
         standby takes over that did not receive it"
    )]
    Unreplicated { location: Location },
    /// A connection setting that is invalid or not supported.
    #[error("cannot connect to {location}: {reason}")]
    Setting { location: Location, reason: String, hint: String },
    /// There is no table `users` where one would be created, but there is one elsewhere.
    #[error("{location} has no table 'users' where one would be created: {reason}")]
    OtherTable { location: Location, reason: String, hint: String },
    /// Another program holds a lock. `holder` names it, if the database does.
    #[error(
        "{location} is locked by {}; nothing was changed",
        holder.as_deref().unwrap_or("another program")
    )]
    Busy { location: Location, holder: Option<String> },
    /// The database aborted a statement that took too long.
    #[error("{location} is too slow: {reason}; nothing was changed")]
    TooSlow { location: Location, reason: String },
    /// Another program wrote at the same time. Retry the operation.
    #[error("{location} was changed by another program at the same time; nothing was changed")]
    Conflict { location: Location },
    /// The triggers that maintain groups and the history do not work.
    #[error("{location} is not up to date: {reason}; nothing was changed")]
    NeedsRepair { location: Location, reason: String },
    /// The user ended an update of the schema. The next one continues.
    #[error("{location} is not up to date: the update was interrupted")]
    Unfinished { location: Location },
    /// The encoding of the database cannot represent a text.
    #[error("{location} cannot store the text: {reason}")]
    NotEncodable { location: Location, reason: String },
    #[error("backup and restore do not support PostgreSQL databases")]
    NotOnServers,
    /// A constraint or trigger of the app rejected the change.
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
