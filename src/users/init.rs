//! Creating, adopting and migrating a database.

use super::{Error, Users, until_known};
use crate::event::Event;
use crate::store::{
    self, Access, CommitHooks, CopyableTable, Location, Migrated, Migration, NewFile, Schema,
    StoreError, TableChanges,
};

/// The result of [`Users::init`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Init {
    /// Whether the file was created.
    pub created: bool,
    /// Whether an existing table `users` of an app was adopted.
    pub adopted: bool,
    /// The migrations that were applied. Empty if the schema was up to date.
    pub applied: Vec<Migration>,
    /// The events that this added to the history, newest first: see [`Migrated::events`].
    pub events: Vec<Event>,
    /// The changes to the table `users` of an app.
    pub changes: TableChanges,
    /// Whether the table `users` was created, perhaps beside tables of an app.
    pub created_table: bool,
    /// Other tables that appear to have users, if the table `users` was created.
    pub other_tables: Vec<CopyableTable>,
    /// The schema as it is now.
    pub schema: Schema,
}

impl Users {
    /// Creates the database at `location` if there is none, and migrates its schema. An existing
    /// table `users` of an app is adopted unchanged.
    ///
    /// # Errors
    ///
    /// [`StoreError`](crate::StoreError). Except for [`StoreError::Unfinished`], nothing is changed
    /// then, and no file is left behind.
    pub fn init(location: &Location, new_file: &NewFile) -> Result<Init, Error> {
        Self::init_with(location, new_file, &TableChanges::default(), CommitHooks::default())
    }

    /// As [`init`](Self::init), and makes those of the `changes` to an app's table `users` that it
    /// needs. Calls `hooks` around the part that cannot be undone: the commit, or everything if a
    /// file is created or the database is on a server. There, `is_canceled` ends it between two steps.
    ///
    /// # Errors
    ///
    /// As [`init`](Self::init).
    pub fn init_with(
        location: &Location,
        new_file: &NewFile,
        changes: &TableChanges,
        hooks: CommitHooks,
    ) -> Result<Init, Error> {
        (hooks.before)();
        let created = store::create(location, new_file)?;
        if !created {
            (hooks.rolled_back)();
            return Self::bring_up_to_date(location, changes, hooks);
        }
        match Self::bring_up_to_date(location, changes, hooks) {
            Ok(mut init) => {
                init.created = true;
                init.schema.warnings.extend(store::warnings_of_created(location, new_file));
                Ok(init)
            }
            Err(error) => {
                store::remove_created(location);
                Err(error)
            }
        }
    }

    fn bring_up_to_date(
        location: &Location,
        changes: &TableChanges,
        hooks: CommitHooks,
    ) -> Result<Init, Error> {
        match store::open(location, Access::Read)?.schema() {
            Ok(schema) if schema.pending.is_empty() => {
                return Ok(Init { schema, ..Init::default() });
            }
            // Also if an app replaces the table right now: what follows is retried.
            Ok(_) | Err(StoreError::Conflict { .. }) => {}
            Err(StoreError::UnsupportedTable { advice, .. }) if changes.repair(&advice) => {}
            Err(error) => return Err(error.into()),
        }
        let mut store = store::open(location, Access::Write)?;
        let migrated = until_known(|| Ok(store.adopt(changes, hooks)?))?;
        let Migrated { applied, events, changes, adopted, created_table } = migrated;
        let (created, mut other_tables) = (false, Vec::new());
        if created_table {
            // A hint only: it may not fail what is done.
            other_tables = store.other_tables().unwrap_or_default();
        }
        let schema = store.schema()?;
        Ok(Init { created, adopted, applied, events, changes, created_table, other_tables, schema })
    }

    /// The state of the database's schema.
    ///
    /// # Errors
    ///
    /// Only [`StoreError`](crate::StoreError).
    pub fn schema(&mut self) -> Result<Schema, Error> {
        Ok(self.store.schema()?)
    }

    /// Applies all pending migrations, in a file with one transaction. On a server, an interrupted
    /// migration is finished by the next one.
    ///
    /// # Errors
    ///
    /// Only [`StoreError`](crate::StoreError).
    pub fn migrate(&mut self) -> Result<Migrated, Error> {
        until_known(|| Ok(self.store.adopt(&TableChanges::default(), self.hooks)?))
    }
}
