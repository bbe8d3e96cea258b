//! The storage of users: the operations that every database implements, without any rules.
//!
//! The rules (valid names and passwords, locking, replacing hashes) are in [`Users`](crate::Users).

mod adopting;
mod error;
mod location;
#[cfg(feature = "postgres")]
mod postgres;
mod row;
mod schema;
mod spelling;
mod sqlite;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

pub use self::adopting::{CopyableTable, TableAdvice, TableChanges};
pub use self::error::StoreError;
pub use self::location::{Location, LocationError, Misspelling};
#[cfg(feature = "postgres")]
pub use self::postgres::Server;
pub use self::row::{ImportRow, NewRow, Row, RowChange, StoredSecret};
pub use self::schema::{Migrated, Migration, Schema};
pub use self::sqlite::Restore;
use crate::check::Finding;
use crate::credential::NewCredential;
use crate::event::{Event, EventFilter};
use crate::group::Group;
use crate::language::Language;
use crate::session::{EndSessions, Session};
use crate::user::StoredText;
use crate::username::Username;

/// A users database.
///
/// Object-safe: its [`Location`] selects the implementation at run time.
pub trait Store: Send {
    /// The version of the schema, and the pending migrations.
    ///
    /// # Errors
    ///
    /// [`StoreError::NewerSchema`] and [`StoreError::NotADatabase`] among others.
    fn schema(&mut self) -> Result<Schema, StoreError>;

    /// Applies all pending migrations, and makes those of the `changes` to the table `users` that it
    /// needs, in the same transaction. Several programs can do so at the same time.
    ///
    /// # Errors
    ///
    /// As [`schema`](Self::schema); nothing is changed then, except for [`StoreError::Unfinished`].
    fn adopt(&mut self, changes: &TableChanges, hooks: CommitHooks)
    -> Result<Migrated, StoreError>;

    /// Other tables that appear to have users. The default implementation returns none.
    ///
    /// # Errors
    ///
    /// Errors of the database.
    fn other_tables(&mut self) -> Result<Vec<CopyableTable>, StoreError> {
        Ok(Vec::new())
    }

    /// Checks the database itself, and passes every row to `each` as [`Transaction::rows`] does,
    /// without groups and times. Works even if parts of the schema are missing.
    ///
    /// # Errors
    ///
    /// [`StoreError::NeedsMigration`] unless the schema has the latest version.
    fn check(&mut self, each: &mut dyn FnMut(Row)) -> Result<Vec<Finding>, StoreError>;

    /// The declared type of the column `password_hash`, if it limits the length, such as
    /// `VARCHAR(60)`. The default implementation returns `None`.
    ///
    /// # Errors
    ///
    /// Errors of the database.
    fn hash_column(&mut self) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    /// Repairs every problem found by [`check`](Self::check) that can be repaired without changing
    /// a user: completes the schema, and deletes orphaned rows. Returns the events that this added
    /// to the history, newest first.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check); nothing is changed then, except for [`StoreError::Unfinished`].
    fn repair(&mut self, hooks: CommitHooks) -> Result<Vec<Event>, StoreError>;

    /// Writes a consistent copy of the whole database to a new file with mode 0600. With
    /// `overwrite`, an existing copy is replaced.
    ///
    /// # Errors
    ///
    /// [`StoreError::FileExists`] unless `overwrite` is set; nothing is changed then.
    fn backup(&mut self, file: &Path, overwrite: bool) -> Result<(), StoreError>;

    /// The sessions of login pages, by name and start. The default implementation has none.
    ///
    /// # Errors
    ///
    /// Errors of the database, or of the file of the sessions.
    fn sessions(&mut self) -> Result<Vec<Session>, StoreError> {
        Ok(Vec::new())
    }

    /// Ends sessions of login pages, and returns how many. The default implementation has none.
    ///
    /// # Errors
    ///
    /// As [`sessions`](Self::sessions).
    fn end_sessions(&mut self, _which: EndSessions<'_>) -> Result<u64, StoreError> {
        Ok(0)
    }

    /// Begins a transaction. All reads and changes of users happen in one. Dropping it rolls it
    /// back.
    ///
    /// # Errors
    ///
    /// [`StoreError::NeedsMigration`] unless the schema is up to date.
    fn begin(&mut self, access: Access) -> Result<Box<dyn Transaction + '_>, StoreError>;

    /// Begins a transaction that makes a change. The default implementation
    /// [begins](Self::begin) and [attributes](Transaction::attribute).
    ///
    /// # Errors
    ///
    /// As [`begin`](Self::begin).
    fn begin_change(&mut self, cause: &Cause<'_>) -> Result<Box<dyn Transaction + '_>, StoreError> {
        let mut transaction = self.begin(Access::Write)?;
        transaction.attribute(cause)?;
        Ok(transaction)
    }
}

/// What adding a user to a group did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupAdded {
    /// Whether the user was not in the group before.
    pub is_added: bool,
    /// Whether nobody was in the group before.
    pub is_new_group: bool,
    /// Whether the group has the name of a user.
    pub is_username: bool,
}

/// A transaction on a [`Store`].
///
/// A user is identified by the bytes of the username, because stored names may not be UTF-8.
#[expect(clippy::missing_errors_doc, reason = "all fail alike, with what the database says")]
pub trait Transaction {
    /// The row of `username`, compared as the database compares names.
    fn get(&mut self, username: &[u8]) -> Result<Option<Row>, StoreError>;

    /// Passes every row to `each`, ordered by the bytes of the username in the database's encoding.
    fn rows(&mut self, each: &mut dyn FnMut(Row)) -> Result<(), StoreError>;

    /// As [`rows`](Self::rows), without the times, if that is faster.
    fn rows_without_times(&mut self, each: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        self.rows(each)
    }

    /// The first `limit` usernames that begin with `prefix` and are text, ordered by their bytes.
    fn names(&mut self, prefix: &str, limit: u32) -> Result<Vec<String>, StoreError>;

    /// The first `limit` groups that begin with `prefix` and are text, ordered by their bytes.
    fn groups(&mut self, prefix: &str, limit: u32) -> Result<Vec<String>, StoreError>;

    /// Whether there are no users. In a transaction that writes, no other program can add or change
    /// users from then on, unless the database has locks of single rows and `locks` is false.
    fn is_empty(&mut self, locks: bool) -> Result<bool, StoreError>;

    /// The usernames that differ from `username` only by ASCII case.
    fn similar(&mut self, username: &Username) -> Result<Vec<StoredText>, StoreError>;

    /// For each of `usernames`, one that differs only by ASCII case: the last by its bytes.
    fn similar_to(
        &mut self,
        usernames: &[Username],
    ) -> Result<Vec<Option<StoredText>>, StoreError> {
        usernames.iter().map(|username| Ok(self.similar(username)?.pop())).collect()
    }

    /// The rows of other tables that reference `username`, and what deleting the user does to them.
    fn references(&mut self, username: &[u8]) -> Result<Vec<Reference>, StoreError>;

    /// Sets the actor, action and detail that the history records for the following changes.
    /// Without it, changes are recorded as made by the app.
    fn attribute(&mut self, cause: &Cause<'_>) -> Result<(), StoreError>;

    /// Adds an event to the history that no change of a user causes.
    fn record(&mut self, username: Option<&[u8]>, cause: &Cause<'_>) -> Result<(), StoreError>;

    /// Passes the selected events to `each`, newest first: those of all users, or those of `username`
    /// and of the user's earlier names.
    fn events(
        &mut self,
        username: Option<&[u8]>,
        filter: &EventFilter,
        each: &mut dyn FnMut(Event),
    ) -> Result<(), StoreError>;

    /// The number of events that [`prune`](Self::prune) would delete. Fails if it would.
    fn prunable(&mut self, before: SystemTime) -> Result<u64, StoreError>;

    /// Deletes the events before a time, and records the cause. Events whose time is unknown stay,
    /// and renames that connect a name with an event that stays.
    fn prune(&mut self, before: SystemTime, cause: &Cause<'_>) -> Result<(), StoreError>;

    /// Adds a row.
    fn insert(
        &mut self,
        username: &Username,
        credential: &NewCredential,
        language: &Language,
    ) -> Result<(), StoreError>;

    /// Replaces the hash of `username`.
    fn set_credential(&mut self, username: &[u8], new: &NewCredential) -> Result<(), StoreError>;

    /// Replaces the language of `username`.
    fn set_language(&mut self, username: &[u8], language: &Language) -> Result<(), StoreError>;

    /// Renames `username`. Groups and times follow.
    fn rename(&mut self, username: &[u8], new: &Username) -> Result<(), StoreError>;

    /// Adds `username` to a group, in a single statement.
    fn add_group(&mut self, username: &[u8], group: &Group) -> Result<GroupAdded, StoreError>;

    /// Removes `username` from a group. Returns whether the user was a member.
    fn remove_group(&mut self, username: &[u8], group: &[u8]) -> Result<bool, StoreError>;

    /// The rows of `usernames`, in the same order, compared as the database compares names. The names
    /// differ. The rows may be without times.
    fn find(&mut self, usernames: &[&StoredText]) -> Result<Vec<Option<Row>>, StoreError>;

    /// For each of `usernames`, whether there may be a user with this name, as the database compares
    /// names, or with one that differs only by ASCII case. If not, there is none. The default
    /// implementation does not know.
    fn may_have(&mut self, usernames: &[&StoredText]) -> Result<Vec<bool>, StoreError> {
        Ok(vec![true; usernames.len()])
    }

    /// How many users an import looks up and writes at once. The default, 250, is enough if a
    /// statement takes no round trip.
    fn chunk(&self) -> usize {
        250
    }

    /// Whether the import failed because another program added or changed one of its users since it
    /// was looked up. If so, the import is undone, and can begin again in this transaction. The
    /// default implementation excludes other programs.
    fn undo_import(&mut self) -> Result<bool, StoreError> {
        Ok(false)
    }

    /// Adds and changes many rows, recorded in the history as one event. Until
    /// [`end_import`](Self::end_import), nothing else may be changed. Added users get no groups of
    /// an earlier user with the same name.
    fn import(&mut self, rows: Vec<ImportRow>) -> Result<(), StoreError>;

    /// Ends the import, and records it with the cause's actor, action and detail.
    fn end_import(&mut self, cause: &Cause<'_>) -> Result<(), StoreError>;

    /// Deletes the row of `username`.
    fn delete(&mut self, username: &[u8]) -> Result<(), StoreError>;

    /// Commits all changes of the transaction, or none. If readers delay the commit, the error is
    /// [`StoreError::Busy`] after a short wait, and the whole change can be retried.
    /// [`StoreError::Unconfirmed`] and [`StoreError::Unreplicated`] do not say that nothing was changed.
    fn commit(self: Box<Self>, hooks: CommitHooks) -> Result<(), StoreError>;
}

/// Functions that run around a commit, for a program that may be ended by a signal before it.
#[derive(Debug, Clone, Copy)]
pub struct CommitHooks {
    /// Called when everything is written and the commit begins.
    pub before: fn(),
    /// Called when a commit that has begun is rolled back, for example because another program
    /// holds a lock.
    pub rolled_back: fn(),
    /// Called several times a second while a server has not answered to a commit, and between the
    /// steps of a long update of a schema: whether to stop. A commit does not wait longer than 30
    /// seconds anyway.
    pub is_canceled: fn() -> bool,
}

impl Default for CommitHooks {
    fn default() -> Self {
        Self { before: || (), rolled_back: || (), is_canceled: || false }
    }
}

/// How a database is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read only. Works on a read-only file system.
    Read,
    /// Read only, without waiting for locks and without leaving a trace: a journal left by a killed
    /// program is not rolled back.
    ReadNoWait,
    /// Read and write.
    Write,
}

/// How the history records a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause<'a> {
    /// Who makes the change, usually a user of the operating system.
    pub actor: Option<&'a str>,
    /// The action, if the change itself does not determine it: see [`Event`].
    pub action: &'a str,
    /// Details. Never a password, salt or digest.
    pub detail: Option<&'a str>,
}

/// For how long to wait for a lock that another program holds, in milliseconds.
static WAIT_MS: AtomicU64 = AtomicU64::new(10_000);

/// Sets for how long operations of this process wait for a lock that another program holds. The
/// default is 10 seconds. It concerns databases that are opened afterwards.
pub fn set_lock_timeout(wait: Duration) {
    WAIT_MS.store(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// For how long to wait for a lock.
pub(crate) fn lock_timeout() -> Duration {
    Duration::from_millis(WAIT_MS.load(Ordering::Relaxed))
}

/// The pause before a change is retried that another program blocked. SQLite readers poll for the
/// lock at least every 100 ms.
pub(crate) const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// The maximum number of references that are followed. With tables that all cascade to each other,
/// the number of paths grows factorially.
pub(crate) const MAX_REFERENCES: usize = 100;

/// Rows of another table that reference a user by a foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The table's name.
    pub table: String,
    /// The number of rows.
    pub rows: u64,
    /// What the database does to them when the user is deleted.
    pub on_delete: OnDelete,
}

/// The action of a foreign key on deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDelete {
    /// The referencing rows are deleted too.
    Delete,
    /// The referencing columns are set to NULL or their default.
    Unset,
    /// The deletion is rejected.
    Refuse,
}

/// How a new database file is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewFile {
    /// The permission bits of the file. The default is 0600.
    pub mode: u32,
    /// The id of the group that owns the file. The default is the group of the process.
    pub group: Option<u32>,
}

impl Default for NewFile {
    fn default() -> Self {
        Self { mode: 0o600, group: None }
    }
}

/// Opens the database at `location`, which must exist.
///
/// # Errors
///
/// [`StoreError::NoDatabase`], [`StoreError::NotADatabase`] or [`StoreError::CannotConnect`].
pub fn open(location: &Location, access: Access) -> Result<Box<dyn Store>, StoreError> {
    match location {
        Location::Sqlite(path) => Ok(Box::new(sqlite::Sqlite::open(path, access)?)),
        #[cfg(feature = "postgres")]
        Location::Postgres(server) => Ok(Box::new(postgres::Postgres::open(server, access)?)),
    }
}

/// SQL that removes a user whose name cannot be given to a command, for the database's shell.
#[must_use]
pub fn sql_to_remove(location: &Location, username: &StoredText) -> String {
    match location {
        Location::Sqlite(_) => sqlite::sql_to_remove(username),
        #[cfg(feature = "postgres")]
        Location::Postgres(_) => postgres::sql_to_remove(username),
    }
}

/// SQL that converts a user's hash from BLOB to text.
#[must_use]
pub fn sql_to_cast(username: &str) -> String {
    let name = username.replace('\'', "''");
    format!(
        "UPDATE users SET password_hash = CAST(password_hash AS TEXT) WHERE username = '{name}' AND \
         typeof(password_hash) = 'blob'"
    )
}

/// Creates an empty database at `location`. Returns whether it did; false if there already is one.
///
/// # Errors
///
/// [`StoreError::NoDirectory`] if its directory is missing, and [`StoreError::CannotConnect`] if it
/// cannot be created there. Then no file is left behind.
pub fn create(location: &Location, new_file: &NewFile) -> Result<bool, StoreError> {
    // The owner of a server creates its databases.
    location.path().map_or(Ok(false), |path| sqlite::create(path, new_file))
}

/// Removes the file that [`create`] created, if it is still empty.
pub(crate) fn remove_created(location: &Location) {
    if let Some(path) = location.path() {
        sqlite::remove_created(path);
    }
}

/// Warnings about the file that [`create`] created.
pub(crate) fn warnings_of_created(location: &Location, new_file: &NewFile) -> Vec<String> {
    location.path().map(|path| sqlite::warnings(path, new_file)).unwrap_or_default()
}

/// Reads and checks the backup `file`, migrates a copy of it, and records the restore in its
/// history. Changes neither `file` nor the database at `location`, which must exist but may be
/// damaged.
///
/// # Errors
///
/// [`StoreError::NoDatabase`], [`StoreError::NotADatabase`] or [`StoreError::NewerSchema`] of
/// either, and [`StoreError::SameFile`].
pub(crate) fn prepare_restore(
    location: &Location,
    file: &Path,
    cause: &Cause<'_>,
) -> Result<Restore, StoreError> {
    let path = location.path().ok_or(StoreError::NotOnServers)?;
    sqlite::prepare_restore(path, file, cause)
}
