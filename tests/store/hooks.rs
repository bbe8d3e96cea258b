//! A store with which something happens before each change, after the data for it was read.

use std::path::Path;

use dash_users::store::{
    self, Access, CommitHooks, Migrated, Row, Schema, Store, TableChanges, Transaction,
};
use dash_users::{Event, Finding, StoreError, Users};

use crate::database::Database;
use crate::support::{METHOD, method};

type Hook = Box<dyn FnMut() -> Result<(), StoreError> + Send>;

struct Hooked {
    store: Box<dyn Store>,
    before_change: Hook,
}

/// Users whose changes are each preceded by this. If it fails, so does the change.
pub(crate) fn with_hook(
    database: &dyn Database,
    before_change: impl FnMut() -> Result<(), StoreError> + Send + 'static,
) -> Users {
    let store = store::open(database.location(), Access::Write).unwrap();
    let hooked = Hooked { store, before_change: Box::new(before_change) };
    Users::new(Box::new(hooked)).with_method(method(METHOD))
}

impl Store for Hooked {
    fn schema(&mut self) -> Result<Schema, StoreError> {
        self.store.schema()
    }

    fn adopt(
        &mut self,
        changes: &TableChanges,
        hooks: CommitHooks,
    ) -> Result<Migrated, StoreError> {
        (self.before_change)()?;
        self.store.adopt(changes, hooks)
    }

    fn check(&mut self, each: &mut dyn FnMut(Row)) -> Result<Vec<Finding>, StoreError> {
        self.store.check(each)
    }

    fn repair(&mut self, hooks: CommitHooks) -> Result<Vec<Event>, StoreError> {
        (self.before_change)()?;
        self.store.repair(hooks)
    }

    fn backup(&mut self, file: &Path, overwrite: bool) -> Result<(), StoreError> {
        self.store.backup(file, overwrite)
    }

    fn begin(&mut self, access: Access) -> Result<Box<dyn Transaction + '_>, StoreError> {
        if access == Access::Write {
            (self.before_change)()?;
        }
        self.store.begin(access)
    }
}
