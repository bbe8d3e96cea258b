//! Conversion of SQLite's errors.

use rusqlite::{ErrorCode, ffi};

use crate::escape::{Escaped, without_digests};
use crate::store::{Location, StoreError};

/// The reason why changes to the opened file would be lost.
pub(super) const MOVED: &str = "another program moved, removed or replaced it; nothing was changed";

/// Converts an error of SQLite.
pub(super) fn error(location: &Location, error: &rusqlite::Error) -> StoreError {
    let location = location.clone();
    let reason = match error.sqlite_error().map(|error| error.extended_code) {
        Some(ffi::SQLITE_READONLY_ROLLBACK | ffi::SQLITE_READONLY_RECOVERY) => {
            "a killed program left a journal; rolling it back needs write access to the file and \
             its directory"
        }
        Some(ffi::SQLITE_READONLY_DIRECTORY) => {
            "its directory is not writable, and SQLite needs a journal there"
        }
        Some(ffi::SQLITE_READONLY_DBMOVED) => MOVED,
        Some(code) if code & 0xff == ffi::SQLITE_READONLY => "it cannot be written",
        Some(ffi::SQLITE_FULL) => "the disk is full; nothing was changed",
        Some(code) if code & 0xff == ffi::SQLITE_IOERR => {
            "it cannot be read or written: check the disk, its quotas and limits (`ulimit -f`)"
        }
        Some(ffi::SQLITE_INTERRUPT) => "a statement ran for too long",
        _ => &Escaped(&without_digests(without_name(&error.to_string()))).to_string(),
    };
    let reason = reason.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::Busy { location, holder: None }
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            StoreError::NotADatabase { location, reason }
        }
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            StoreError::CannotConnect { location, reason }
        }
        Some(ErrorCode::OperationInterrupted) => StoreError::TooSlow { location, reason },
        Some(ErrorCode::ConstraintViolation) => StoreError::Refused { location, reason },
        _ => StoreError::Failed { location, reason },
    }
}

/// A function that converts errors of one database.
pub(super) fn sql_error(location: &Location) -> impl Fn(rusqlite::Error) -> StoreError + '_ {
    |error| self::error(location, &error)
}

/// Removes the name of an unreadable schema entry from SQLite's message: in a damaged file it may
/// be a row of `users`, and the name a hash.
fn without_name(message: &str) -> &str {
    const MALFORMED: &str = "malformed database schema";
    if message.starts_with(MALFORMED) { MALFORMED } else { message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_errors_have_meaning_and_location() {
        const OPEN: &str = "cannot open /users.db: ";
        const BUSY: &str = "/users.db is locked by another program";
        const SAID: &str = "in SQLite's words";
        const DAMAGED: &str = "/users.db is not a users database: ";
        for (code, kind, reason) in [
            (ffi::SQLITE_READONLY_ROLLBACK, OPEN, "a killed program left a journal"),
            (ffi::SQLITE_READONLY_RECOVERY, OPEN, "a killed program left a journal"),
            (ffi::SQLITE_READONLY_DIRECTORY, OPEN, "its directory is not writable"),
            (ffi::SQLITE_READONLY_DBMOVED, OPEN, "another program moved, removed or replaced it"),
            (ffi::SQLITE_READONLY, OPEN, "it cannot be written"),
            (ffi::SQLITE_READONLY_CANTINIT, OPEN, "it cannot be written"),
            (ffi::SQLITE_CANTOPEN, OPEN, SAID),
            (ffi::SQLITE_PERM, OPEN, SAID),
            (ffi::SQLITE_FULL, "/users.db: ", "the disk is full; nothing was changed"),
            (ffi::SQLITE_IOERR, "/users.db: ", "it cannot be read or written"),
            (ffi::SQLITE_IOERR_WRITE, "/users.db: ", "it cannot be read or written"),
            (ffi::SQLITE_NOMEM, "/users.db: ", SAID),
            (ffi::SQLITE_BUSY_SNAPSHOT, BUSY, ""),
            (ffi::SQLITE_LOCKED, BUSY, ""),
            (ffi::SQLITE_INTERRUPT, "/users.db is too slow: ", "a statement ran for too long"),
            (ffi::SQLITE_NOTADB, DAMAGED, SAID),
            (ffi::SQLITE_CORRUPT_INDEX, DAMAGED, SAID),
            (ffi::SQLITE_CONSTRAINT_CHECK, "/users.db refused the change: ", SAID),
        ] {
            let failure =
                rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some(SAID.to_owned()));
            let said = error(&Location::Sqlite("/users.db".into()), &failure).to_string();
            assert!(said.starts_with(&format!("{kind}{reason}")), "{code}: {said}");
        }
    }
}
