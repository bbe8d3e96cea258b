//! Where users are kept: what every database must be able to do, and nothing of the rules.
//!
//! The rules (what a new name or password may be, who is locked, when a hash is replaced) are
//! [`Users`](crate::Users)'s.

mod error;
mod location;
#[cfg(feature = "postgres")]
mod postgres;
mod spelling;
mod sqlite;

use std::fmt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use zeroize::Zeroize;

pub use self::error::StoreError;
pub use self::location::{Location, LocationError, Misspelling};
#[cfg(feature = "postgres")]
pub use self::postgres::Server;
use crate::check::Finding;
use crate::credential::{Credential, NewCredential};
use crate::event::Event;
use crate::group::Group;
use crate::language::Language;
use crate::user::StoredText;
use crate::username::Username;

/// A database of users.
///
/// Object-safe: which database it is, is decided at run time by its [`Location`].
pub trait Store: Send {
    /// What the schema is, and which migrations are pending.
    ///
    /// # Errors
    ///
    /// [`StoreError::NewerSchema`] and [`StoreError::NotADatabase`] among others.
    fn schema(&mut self) -> Result<Schema, StoreError>;

    /// Applies all pending migrations in one transaction, safely when several programs do so at
    /// once.
    ///
    /// # Errors
    ///
    /// As [`schema`](Self::schema); nothing is changed then.
    fn migrate(&mut self, hooks: CommitHooks) -> Result<Migrated, StoreError>;

    /// What is wrong with the database apart from what the rows say, each of which is handed to
    /// `each` as [`Transaction::rows`] does, without groups and times. It looks also where
    /// something of the schema is gone.
    ///
    /// # Errors
    ///
    /// [`StoreError::NeedsMigration`] unless the schema has the latest version.
    fn check(&mut self, each: &mut dyn FnMut(Row)) -> Result<Vec<Finding>, StoreError>;

    /// The declared type of the column `password_hash` if it has a length, such as `VARCHAR(60)`;
    /// by default none is known.
    ///
    /// # Errors
    ///
    /// What the database says.
    fn hash_column(&mut self) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    /// Mends of what [`check`](Self::check) finds all that can be mended without touching a user:
    /// makes the schema whole, and drops what belongs to nobody. The answer is what that added to
    /// the history, newest first.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check); nothing is changed then.
    fn repair(&mut self, hooks: CommitHooks) -> Result<Vec<Event>, StoreError>;

    /// Writes a copy of the whole database, as it is at one moment, to a new file with mode 0600,
    /// which may replace an older copy.
    ///
    /// # Errors
    ///
    /// [`StoreError::FileExists`] unless it may be overwritten; nothing is changed then.
    fn backup(&mut self, file: &Path, overwrite: bool) -> Result<(), StoreError>;

    /// Begins a transaction. Every look at the users and every change to them is within one.
    /// Dropping it undoes what it did.
    ///
    /// # Errors
    ///
    /// [`StoreError::NeedsMigration`] unless the schema is up to date.
    fn begin(&mut self, access: Access) -> Result<Box<dyn Transaction + '_>, StoreError>;
}

/// A transaction on a [`Store`].
///
/// A user is named by the bytes of the name, for names in the table may be no UTF-8.
#[expect(clippy::missing_errors_doc, reason = "all fail alike, with what the database says")]
pub trait Transaction {
    /// The row of `username`, as the database compares names.
    fn get(&mut self, username: &[u8]) -> Result<Option<Row>, StoreError>;

    /// Hands every row to `each`, in the order of the names' bytes as the database encodes them.
    fn rows(&mut self, each: &mut dyn FnMut(Row)) -> Result<(), StoreError>;

    /// The first `limit` names that begin with `prefix` and are text, in the order of their bytes.
    fn names(&mut self, prefix: &str, limit: u32) -> Result<Vec<String>, StoreError>;

    /// The first `limit` groups that begin with `prefix` and are text, in the order of their bytes.
    fn groups(&mut self, prefix: &str, limit: u32) -> Result<Vec<String>, StoreError>;

    /// Whether there is no user at all.
    fn is_empty(&mut self) -> Result<bool, StoreError>;

    /// The names that equal `username` but for ASCII case.
    fn similar(&mut self, username: &Username) -> Result<Vec<StoredText>, StoreError>;

    /// What deleting `username` means for the rows of other tables that refer to the user.
    fn references(&mut self, username: &[u8]) -> Result<Vec<Reference>, StoreError>;

    /// Says who makes the changes that follow, and what they are called in the history. Without
    /// it they look as if an app had made them.
    fn attribute(&mut self, cause: &Cause<'_>) -> Result<(), StoreError>;

    /// Hands the newest `limit` events to `each`, newest first: all, or those of `username` and of
    /// the names that the user had before.
    fn events(
        &mut self,
        username: Option<&[u8]>,
        limit: Option<u32>,
        each: &mut dyn FnMut(Event),
    ) -> Result<(), StoreError>;

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

    /// Gives `username` another name. Groups and times go along.
    fn rename(&mut self, username: &[u8], new: &Username) -> Result<(), StoreError>;

    /// Puts `username` into a group, and says whether the user was not in it.
    fn add_group(&mut self, username: &[u8], group: &Group) -> Result<bool, StoreError>;

    /// Takes `username` out of a group, and says whether the user was in it.
    fn remove_group(&mut self, username: &[u8], group: &[u8]) -> Result<bool, StoreError>;

    /// The rows of `usernames`, in their order, as the database compares names.
    fn find(&mut self, usernames: &[&StoredText]) -> Result<Vec<Option<Row>>, StoreError>;

    /// Adds and changes many rows, which the history tells of as one event: until
    /// [`end_import`](Self::end_import) nothing else may be changed. Names that are added have no
    /// groups of an earlier holder.
    fn import(&mut self, rows: Vec<ImportRow>) -> Result<(), StoreError>;

    /// Ends the import, and tells of it with the cause's actor, action and detail.
    fn end_import(&mut self, cause: &Cause<'_>) -> Result<(), StoreError>;

    /// Deletes the row of `username`.
    fn delete(&mut self, username: &[u8]) -> Result<(), StoreError>;

    /// Makes all changes of the transaction permanent, or none of them. A reader can delay this: the
    /// error is [`StoreError::Busy`] after a short wait, and the whole change can be made again.
    fn commit(self: Box<Self>, hooks: CommitHooks) -> Result<(), StoreError>;
}

/// Functions that run around a commit, for a program that a signal may end before it.
#[derive(Debug, Clone, Copy)]
pub struct CommitHooks {
    /// Runs when everything is written and the commit begins.
    pub before: fn(),
    /// Runs when a commit that has begun is rolled back because another program is in the way.
    pub rolled_back: fn(),
}

impl Default for CommitHooks {
    fn default() -> Self {
        Self { before: || (), rolled_back: || () }
    }
}

/// What a program means to do with a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Look only: a database on a read-only file system will do.
    Read,
    /// Look only, now or not at all: wait for nobody, and leave no trace, not even the repair of
    /// what a program that was killed left.
    ReadNoWait,
    /// Change something.
    Write,
}

/// A row of the table `users`, and what is kept beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The name.
    pub username: StoredText,
    /// The `password_hash`.
    pub secret: StoredSecret,
    /// The language.
    pub language: StoredText,
    /// The groups, in the order of their bytes.
    pub groups: Vec<StoredText>,
    /// When the row was added, if that is known.
    pub created_at: Option<SystemTime>,
    /// When the password was last changed, if that is known.
    pub password_changed_at: Option<SystemTime>,
}

/// What is to be done with a row, as part of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ImportRow {
    Add(NewRow),
    Change(RowChange),
}

/// A row that is to be added as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "see Row")]
pub struct NewRow {
    pub username: StoredText,
    pub secret: StoredSecret,
    pub language: StoredText,
    pub groups: Vec<StoredText>,
}

/// What is to be changed of a row, as it is; what is none stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowChange {
    /// Whose row, by the name as it is stored.
    pub username: StoredText,
    /// The new `password_hash`.
    pub secret: Option<StoredSecret>,
    /// Whether that is of another password than before.
    pub is_new_password: bool,
    /// The new language.
    pub language: Option<StoredText>,
    /// All groups.
    pub groups: Option<Vec<StoredText>>,
}

/// Who changes something, and how the history tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause<'a> {
    /// Who, usually a user of the operating system.
    pub actor: Option<&'a str>,
    /// What is done, where the change itself does not tell: see [`Event`].
    pub action: &'a str,
    /// What else there is to say. Never a password, salt or digest.
    pub detail: Option<&'a str>,
}

/// A stored `password_hash`, which may be a clear password: `Debug` shows nothing of it, and its
/// memory is wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredSecret(StoredText);

impl Drop for StoredSecret {
    fn drop(&mut self) {
        match &mut self.0 {
            StoredText::Null => {}
            StoredText::Text(text) => text.zeroize(),
            StoredText::InvalidText(bytes) | StoredText::Blob(bytes) => bytes.zeroize(),
        }
    }
}

impl StoredSecret {
    /// What the value means.
    #[must_use]
    pub fn credential(&self) -> Credential {
        Credential::parse(&self.0)
    }

    /// The value itself. Do not print, log or show it.
    #[must_use]
    pub fn expose(&self) -> &StoredText {
        &self.0
    }
}

impl From<&NewCredential> for StoredSecret {
    fn from(credential: &NewCredential) -> Self {
        Self(StoredText::Text(credential.to_string()))
    }
}

impl From<StoredText> for StoredSecret {
    fn from(stored: StoredText) -> Self {
        Self(stored)
    }
}

impl fmt::Debug for StoredSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredSecret(…)")
    }
}

/// How long a change that another program was in the way of waits before it is made again: SQLite's
/// readers look every 100 ms at most whether the file is free.
pub(crate) const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// The most references that are followed. Tables that all cascade to each other have as many ways
/// through them as there are orders of them.
pub(crate) const MAX_REFERENCES: usize = 100;

/// Rows of another table that refer to a user by a foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The table's name.
    pub table: String,
    /// How many rows.
    pub rows: u64,
    /// What the database does to them when the user is deleted.
    pub on_delete: OnDelete,
}

/// What a foreign key says of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDelete {
    /// The referring rows are deleted too.
    Delete,
    /// The referring columns get NULL or their default.
    Unset,
    /// The deletion is refused.
    Refuse,
}

/// The state of a database's schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The version that is stored, 0 where none is.
    pub version: u32,
    /// The migrations that were applied.
    pub applied: Vec<Migration>,
    /// Those that are still to be applied. A migration is pending again if what it made is gone.
    pub pending: Vec<Migration>,
    /// Why migrations up to the stored version are pending: `its 'dash_users_added' is missing`.
    pub damage: Vec<String>,
    /// Whether there is a table `users`.
    pub has_users_table: bool,
    /// Further columns of `users` which are NOT NULL without a default: no user can be added as
    /// long as they are.
    pub required_columns: Vec<String>,
    /// What else an administrator should know.
    pub warnings: Vec<String>,
}

impl Schema {
    /// What is there: `users` are the columns of that table which must be given, and `damage` says
    /// what is wrong with the objects that the `migrations` create, with the version of each.
    fn new(
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

    /// The latest version that this program knows.
    fn latest(&self) -> u32 {
        let known = self.applied.iter().chain(&self.pending);
        known.map(|migration| migration.version).max().unwrap_or_default()
    }

    /// Keeps a database from being used as long as migrations are pending.
    fn require_latest(&self, location: &Location) -> Result<(), StoreError> {
        if self.pending.is_empty() { Ok(()) } else { Err(self.needs_migration(location)) }
    }

    /// Says that migrations are pending, and why.
    fn needs_migration(&self, location: &Location) -> StoreError {
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

/// What came of migrating.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The migrations that were pending.
    pub applied: Vec<Migration>,
    /// What was added to the history, newest first: where something of the schema was gone, users
    /// may have come and gone unseen.
    pub events: Vec<Event>,
}

/// A step from one version of the schema to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// The version that it leads to.
    pub version: u32,
    /// What it brings, in a word or two.
    pub name: &'static str,
}

/// How a database file is created where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewFile {
    /// The file's permission bits; 0600 by default.
    pub mode: u32,
    /// The group that is to own it; by default that of the process.
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

/// SQL by which a shell of the database removes the user of a name that no command can be given.
#[must_use]
pub fn sql_to_remove(location: &Location, username: &StoredText) -> String {
    match location {
        Location::Sqlite(_) => sqlite::sql_to_remove(username),
        #[cfg(feature = "postgres")]
        Location::Postgres(_) => postgres::sql_to_remove(username),
    }
}

/// SQL that makes text of the BLOB which is stored as the hash of a user.
#[must_use]
pub fn sql_to_cast(username: &str) -> String {
    let name = username.replace('\'', "''");
    format!(
        "UPDATE users SET password_hash = CAST(password_hash AS TEXT) WHERE username = '{name}' AND \
         typeof(password_hash) = 'blob'"
    )
}

/// Creates an empty database at `location`, or says that there is one.
///
/// # Errors
///
/// [`StoreError::NoDirectory`] if its directory is missing, [`StoreError::CannotConnect`] if it
/// cannot be created there. Nothing is left behind then.
pub fn create(location: &Location, new_file: &NewFile) -> Result<bool, StoreError> {
    match location {
        Location::Sqlite(path) => sqlite::create(path, new_file),
        // Its owner creates it.
        #[cfg(feature = "postgres")]
        Location::Postgres(_) => Ok(false),
    }
}

/// Removes what [`create`] made, if nothing was written to it.
pub(crate) fn remove_created(location: &Location) {
    match location {
        Location::Sqlite(path) => sqlite::remove_created(path),
        #[cfg(feature = "postgres")]
        Location::Postgres(_) => {}
    }
}

/// What an administrator should know of what [`create`] made.
pub(crate) fn warnings_of_created(location: &Location, new_file: &NewFile) -> Vec<String> {
    match location {
        Location::Sqlite(path) => sqlite::warnings(path, new_file),
        #[cfg(feature = "postgres")]
        Location::Postgres(_) => Vec::new(),
    }
}

/// A backup that was found good, and is about to take the place of all that a database holds.
pub trait Restoration {
    /// How many users the backup has.
    fn users(&self) -> u64;

    /// Writes it into the database in place, all or nothing, while apps go on.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] among others; nothing is changed then.
    fn apply(self: Box<Self>) -> Result<(), StoreError>;
}

/// Reads the backup `file` and checks it, brings a copy of it up to date, and notes in its history
/// that it is restored. Nothing is changed yet, neither `file` nor the database at `location`,
/// which must exist but may be damaged.
///
/// # Errors
///
/// [`StoreError::NoDatabase`], [`StoreError::NotADatabase`] or [`StoreError::NewerSchema`] of
/// either, and [`StoreError::SameFile`].
pub fn prepare_restore(
    location: &Location,
    file: &Path,
    cause: &Cause<'_>,
) -> Result<Box<dyn Restoration>, StoreError> {
    match location {
        Location::Sqlite(path) => Ok(Box::new(sqlite::prepare_restore(path, file, cause)?)),
        #[cfg(feature = "postgres")]
        Location::Postgres(_) => Err(StoreError::NotOnServers),
    }
}
