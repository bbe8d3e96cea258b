//! Copies of the whole database, and the way back.

use std::path::Path;

use super::{Error, Users};
use crate::store::{self, Cause, Location, Restoration};

/// A backup that was found good and is about to be [restored](Users::prepare_restore).
pub struct Restore(Box<dyn Restoration>);

impl Users {
    /// Writes a copy of the whole database, tables of the app included, to a new file with mode
    /// 0600: as it is at one moment, while others write. With `overwrite` an older copy is replaced.
    /// See [`files::write`](crate::files::write) for the files that are refused.
    ///
    /// # Errors
    ///
    /// [`StoreError::FileExists`](crate::StoreError::FileExists),
    /// [`StoreError::SameFile`](crate::StoreError::SameFile),
    /// [`StoreError::CannotWrite`](crate::StoreError::CannotWrite).
    pub fn backup(&mut self, file: &Path, overwrite: bool) -> Result<(), Error> {
        Ok(self.store.backup(file, overwrite)?)
    }

    /// Reads and checks the backup `file`, which is to take the place of all that the database at
    /// `location` holds, tables of the app included. A backup of an older schema is brought up to
    /// date. Nothing is changed before [`Restore::apply`].
    ///
    /// # Errors
    ///
    /// [`StoreError`](crate::StoreError) alone, of either file.
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
    /// How many users the backup has.
    #[must_use]
    pub fn users(&self) -> u64 {
        self.0.users()
    }

    /// Writes the backup into the database in place, all or nothing. Apps that have it open go on.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`](crate::StoreError::Busy) among others; nothing is changed then.
    pub fn apply(self) -> Result<(), Error> {
        Ok(self.0.apply()?)
    }
}
