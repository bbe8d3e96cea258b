//! Backup and restore of the whole database.

use std::path::Path;

use super::{Error, Users};
use crate::store::{self, Cause, Location, Restore};

impl Users {
    /// Writes a consistent copy of the whole database, including tables of the app, to a new file
    /// with mode 0600. Other programs can write meanwhile. With `overwrite`, an existing file is
    /// replaced. See [`files::write`](crate::files::write) for the files that are rejected.
    ///
    /// # Errors
    ///
    /// [`StoreError::FileExists`](crate::StoreError::FileExists),
    /// [`StoreError::SameFile`](crate::StoreError::SameFile),
    /// [`StoreError::CannotWrite`](crate::StoreError::CannotWrite).
    pub fn backup(&mut self, file: &Path, overwrite: bool) -> Result<(), Error> {
        Ok(self.store.backup(file, overwrite)?)
    }

    /// Reads and checks the backup `file`, to replace the whole contents of the database at
    /// `location`, including tables of the app. A backup with an older schema is migrated. Nothing
    /// is changed before [`Restore::apply`].
    ///
    /// # Errors
    ///
    /// Only [`StoreError`](crate::StoreError), of either file.
    pub fn prepare_restore(
        location: &Location,
        file: &Path,
        actor: Option<&str>,
    ) -> Result<Restore, Error> {
        let detail = format!("from {}", file.display());
        let cause = Cause { actor, action: "restore", detail: Some(&detail) };
        Ok(store::prepare_restore(location, file, &cause)?)
    }
}
