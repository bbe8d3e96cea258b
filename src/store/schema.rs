//! The state of a database's schema, whichever the database.

use super::{Location, StoreError, TableChanges};
use crate::event::Event;

/// The state of a database's schema.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    /// The stored version, or 0 if none is stored.
    pub version: u32,
    /// The applied migrations.
    pub applied: Vec<Migration>,
    /// The migrations to apply. A migration is pending again if something it created is missing.
    pub pending: Vec<Migration>,
    /// Why migrations up to the stored version are pending, such as
    /// `its 'dash_users_added' is missing`.
    pub damage: Vec<String>,
    /// Whether there is a table `users`.
    pub has_users_table: bool,
    /// Extra columns of `users` that are NOT NULL and have no default. Users cannot be added while
    /// there are any.
    pub required_columns: Vec<String>,
    /// Warnings for an administrator.
    pub warnings: Vec<String>,
}

impl Schema {
    /// The state of a schema. `users` holds the required extra columns of the table, if it exists;
    /// `damage` holds the problems of the objects that the `migrations` create, with the version of
    /// each.
    pub(super) fn new(
        version: u32,
        users: Option<Vec<String>>,
        damage: &[(u32, String)],
        migrations: impl IntoIterator<Item = Migration>,
    ) -> Self {
        let has_users_table = users.is_some();
        let is_applied = |migration: &Migration| {
            migration.version <= version
                && has_users_table
                && damage.iter().all(|(of, _)| *of != migration.version)
        };
        let (applied, pending) = migrations.into_iter().partition(is_applied);
        let created = damage.iter().filter(|(since, _)| *since <= version);
        let damage = created.map(|(_, reason)| reason.clone()).collect();
        let required_columns = users.unwrap_or_default();
        let warnings = Vec::new();
        Self { version, applied, pending, damage, has_users_table, required_columns, warnings }
    }

    /// The latest version that this program supports.
    fn latest(&self) -> u32 {
        let known = self.applied.iter().chain(&self.pending);
        known.map(|migration| migration.version).max().unwrap_or_default()
    }

    /// Returns an error if migrations are pending.
    pub(super) fn require_latest(&self, location: &Location) -> Result<(), StoreError> {
        if self.pending.is_empty() { Ok(()) } else { Err(self.needs_migration(location)) }
    }

    /// The error that migrations are pending, with the reason.
    pub(super) fn needs_migration(&self, location: &Location) -> StoreError {
        let reason = if !self.has_users_table {
            "it has no table 'users'".to_owned()
        } else if self.version == self.latest() {
            match &self.damage[..] {
                [reason] => reason.clone(),
                [reason, _] => format!("{reason}, and 1 more problem"),
                [reason, more @ ..] => format!("{reason}, and {} more problems", more.len()),
                [] => "its schema was changed by another program".to_owned(),
            }
        } else {
            format!("its schema version is {}, the latest is {}", self.version, self.latest())
        };
        StoreError::NeedsMigration { location: location.clone(), reason }
    }
}

/// The result of a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The migrations that were applied.
    pub applied: Vec<Migration>,
    /// The events added to the history, newest first. While parts of the schema were missing, users
    /// may have been added and removed without events.
    pub events: Vec<Event>,
    /// The changes to the table `users`.
    pub changes: TableChanges,
    /// Whether there was a table `users` and no schema version.
    pub adopted: bool,
    /// Whether the table `users` was created.
    pub created_table: bool,
}

impl Migrated {
    /// The result for a schema as it was `before`.
    pub(super) fn new(before: &Schema, events: Vec<Event>, changes: TableChanges) -> Self {
        Self {
            applied: before.pending.clone(),
            events,
            changes,
            adopted: before.version == 0 && before.has_users_table,
            created_table: !before.has_users_table,
        }
    }
}

/// A step from one version of the schema to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// The version after this step.
    pub version: u32,
    /// A short name.
    pub name: &'static str,
}
