//! Tests of PostgreSQL only.

mod adopting;
mod app_triggers;
mod check;
mod concurrency;
mod direct_writes;
mod encodings;
mod hostile;
mod import_retries;
mod imports;
mod reconciling;
mod statements;
mod unseen;

use std::path::Path;

use dash_users::{Error, StoreError, Users};

use crate::database::{Database, Postgres};
use crate::support::init;

#[test]
fn backup_and_restore_are_not_supported() {
    let Some(database) = Postgres::new() else { return };
    let file = Path::new("/dev/null/backup.db");
    let backup = init(&database).backup(file, false);
    assert!(matches!(backup, Err(Error::Store(StoreError::NotOnServers))), "{backup:?}");
    let restore = Users::prepare_restore(database.location(), file, None).map(drop);
    assert!(matches!(restore, Err(Error::Store(StoreError::NotOnServers))), "{restore:?}");
}
