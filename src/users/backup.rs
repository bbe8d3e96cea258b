//! Backup and restore of the whole database.

use std::path::Path;

use super::{Error, Users};
use crate::store::{self, Cause, Location, Restoration};

/// A checked backup, ready to be [restored](Users::prepare_restore).
pub struct Restore(Box<dyn Restoration>);

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
        Ok(Restore(store::prepare_restore(location, file, &cause)?))
    }
}

impl Restore {
    /// The number of users in the backup.
    #[must_use]
    pub fn users(&self) -> u64 {
        self.0.users()
    }

    /// Writes the backup into the database in place, completely or not at all. Apps that have it
    /// open continue to work.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`](crate::StoreError::Busy) among others; nothing is changed then.
    pub fn apply(self) -> Result<(), Error> {
        Ok(self.0.apply()?)
    }
}
