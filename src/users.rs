//! The operations on users. Only this module combines hashes, policy and store.

mod backup;
mod change;
mod check;
mod embedded_hash;
mod error;
mod export;
mod foreign;
mod hash_like;
mod import;
mod login;
mod no_password;
mod plaintext;
mod sessions;
mod unwrap;
mod wrapped;

use std::thread;
use std::time::{Duration, Instant, SystemTime};

pub use self::change::{Updated, UserUpdate};
pub use self::check::DEMO_USERS;
pub use self::error::{BadValues, Error};
pub use self::import::{
    BadRecords, Import, ImportOptions, ImportSummary, Imported, OnConflict, PruneError,
};
use crate::credential::NewCredential;
use crate::event::{Event, EventFilter, in_range};
use crate::group::Group;
use crate::hash::{Method, PasswordHash};
use crate::language::Language;
use crate::password::Password;
use crate::policy;
use crate::random;
use crate::store::{
    self, Access, Cause, CommitHooks, CopyableTable, Location, Migrated, Migration, NewFile,
    RETRY_PAUSE, Reference, Row, Schema, Store, StoreError, StoredSecret, TableChanges,
    Transaction,
};
use crate::user::{StoredText, User};
use crate::username::Username;

/// The users of a database.
///
/// New usernames, passwords and languages are validated. Existing users can be looked up and
/// changed whatever their names are. All hashing happens before a transaction begins, and each
/// operation that changes something is one transaction.
///
/// ```
/// use dash_users::{Location, Login, NewFile, NewUser, Password, LoginRefusal, Users};
///
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("users.db");
/// let location = Location::parse(&path)?;
/// Users::init(&location, &NewFile::default())?;
///
/// let mut users = Users::open(&location)?;
/// users.add(&NewUser::new("alice".parse()?, Password::from("plover-xyzzy-quux")))?;
///
/// match users.log_in("alice", &Password::from("plover-xyzzy-quux"))? {
///     Login::Accepted { outdated } => assert!(!outdated),
///     Login::Refused(_) => unreachable!(),
/// }
/// let guess = users.log_in("alice", &Password::from("secret"))?;
/// assert_eq!(guess, Login::Refused(LoginRefusal::WrongPassword));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Users {
    store: Box<dyn Store>,
    method: Method,
    actor: Option<String>,
    hooks: CommitHooks,
}

/// A user to add.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NewUser {
    /// The username.
    pub username: Username,
    /// The password.
    pub password: Password,
    /// The language. The default is `en`.
    pub language: Language,
    /// The groups. The default is none.
    pub groups: Vec<Group>,
    /// Whether the user is locked from the start. The default is false.
    pub locked: bool,
    /// Whether to accept a [weak](policy::Violation::is_weakness) password. The default is false.
    pub allow_weak: bool,
    /// Whether to accept a username that differs from an existing one only by ASCII case. The
    /// default is false.
    pub allow_similar: bool,
}

impl NewUser {
    /// A user with the defaults of the other fields.
    #[must_use]
    pub fn new(username: Username, password: Password) -> Self {
        Self {
            username,
            password,
            language: Language::default(),
            groups: Vec::new(),
            locked: false,
            allow_weak: false,
            allow_similar: false,
        }
    }
}

/// The result of [`Users::init`].
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// The users in `store`.
    #[must_use]
    pub fn new(store: Box<dyn Store>) -> Self {
        Self { store, method: Method::default(), actor: None, hooks: CommitHooks::default() }
    }

    /// Opens the database at `location` to read and write.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoDatabase`](crate::StoreError::NoDatabase) if there is none, and others if it
    /// cannot be opened.
    pub fn open(location: &Location) -> Result<Self, Error> {
        Ok(Self::new(store::open(location, Access::Write)?))
    }

    /// Opens the database at `location` read-only. Every change fails.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_read_only(location: &Location) -> Result<Self, Error> {
        Ok(Self::new(store::open(location, Access::Read)?))
    }

    /// Opens the database at `location` read-only, and fails instead of waiting for a lock. For
    /// shell completion.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and [`StoreError::Busy`](crate::StoreError::Busy).
    pub fn open_no_wait(location: &Location) -> Result<Self, Error> {
        Ok(Self::new(store::open(location, Access::ReadNoWait)?))
    }

    /// Hashes new passwords with `method`, and compares stored hashes with it to find outdated
    /// ones. The default is `scrypt:32768:8:1`.
    #[must_use]
    pub fn with_method(self, method: Method) -> Self {
        Self { method, ..self }
    }

    /// Sets the actor that the history records for changes. The default is none, as for changes by
    /// the app.
    #[must_use]
    pub fn with_actor(self, actor: impl Into<String>) -> Self {
        Self { actor: Some(actor.into()), ..self }
    }

    /// Calls `hooks` around each commit, so a program that is ended by a signal before it can
    /// report that nothing was changed. By default nothing is called.
    #[must_use]
    pub fn with_commit_hooks(self, hooks: CommitHooks) -> Self {
        Self { hooks, ..self }
    }

    /// Creates the database at `location` if there is none, and migrates its schema. An existing
    /// table `users` of an app is adopted unchanged.
    ///
    /// # Errors
    ///
    /// [`StoreError`](crate::StoreError): nothing is changed then, and no file is left behind.
    pub fn init(location: &Location, new_file: &NewFile) -> Result<Init, Error> {
        Self::init_with(location, new_file, &TableChanges::default(), CommitHooks::default())
    }

    /// As [`init`](Self::init), and makes those of the `changes` to an app's table `users` that it
    /// needs. Calls `hooks` around the part that cannot be undone: the commit, or everything if a
    /// file is created.
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
                return Ok(Init {
                    created: false,
                    adopted: false,
                    applied: Vec::new(),
                    events: Vec::new(),
                    changes: TableChanges::default(),
                    created_table: false,
                    other_tables: Vec::new(),
                    schema,
                });
            }
            Ok(_) => {}
            Err(StoreError::UnsupportedTable { advice, .. }) if changes.repair(&advice) => {}
            Err(error) => return Err(error.into()),
        }
        let mut store = store::open(location, Access::Write)?;
        let migrated = until_known(|| Ok(store.adopt(changes, hooks)?))?;
        let Migrated { applied, events, changes, adopted, created_table } = migrated;
        // A hint only: it may not fail what is done.
        let other_tables =
            if created_table { store.other_tables().unwrap_or_default() } else { Vec::new() };
        let schema = store.schema()?;
        Ok(Init {
            created: false,
            adopted,
            applied,
            events,
            changes,
            created_table,
            other_tables,
            schema,
        })
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

    /// The user `username`, if there is one.
    ///
    /// # Errors
    ///
    /// Only [`StoreError`](crate::StoreError).
    pub fn get(&mut self, username: impl AsRef<[u8]>) -> Result<Option<User>, Error> {
        let row = self.store.begin(Access::Read)?.get(username.as_ref())?;
        Ok(row.map(|row| row.into_user(&self.method)))
    }

    /// All users, ordered by the bytes of their names in the database's encoding.
    ///
    /// # Errors
    ///
    /// Only [`StoreError`](crate::StoreError).
    pub fn list(&mut self) -> Result<Vec<User>, Error> {
        let mut users = Vec::new();
        self.each(&mut |user| users.push(user))?;
        Ok(users)
    }

    /// Passes all users to `each`, in the order of [`list`](Self::list). Other programs may be unable
    /// to change the database until this returns, so `each` should be fast.
    ///
    /// # Errors
    ///
    /// Only [`StoreError`](crate::StoreError), perhaps after some users.
    pub fn each(&mut self, each: &mut dyn FnMut(User)) -> Result<(), Error> {
        let mut transaction = self.store.begin(Access::Read)?;
        Ok(transaction.rows(&mut |row| each(row.into_user(&self.method)))?)
    }

    /// Whether there are hashes and all of them are PBKDF2. Then the app's werkzeug or Python may
    /// not support scrypt.
    ///
    /// # Errors
    ///
    /// Only [`StoreError`](crate::StoreError).
    pub fn are_all_pbkdf2(&mut self) -> Result<bool, Error> {
        let (mut pbkdf2, mut others) = (0, 0);
        self.store.begin(Access::Read)?.rows_without_times(&mut |row| match row
            .secret
            .credential()
            .hash()
        {
            Some(hash) if matches!(hash.method(), Method::Pbkdf2(_)) => pbkdf2 += 1,
            Some(_) => others += 1,
            None => {}
        })?;
        Ok(pbkdf2 > 0 && others == 0)
    }

    /// The first `limit` usernames that begin with `prefix`, ordered by their bytes. Names that are
    /// not text are skipped.
    ///
    /// # Errors
    ///
    /// Only [`StoreError`](crate::StoreError).
    pub fn names(&mut self, prefix: &str, limit: u32) -> Result<Vec<String>, Error> {
        Ok(self.store.begin(Access::Read)?.names(prefix, limit)?)
    }

    /// The first `limit` groups that begin with `prefix`, as for [`names`](Self::names).
    ///
    /// # Errors
    ///
    /// Only [`StoreError`](crate::StoreError).
    pub fn groups(&mut self, prefix: &str, limit: u32) -> Result<Vec<String>, Error> {
        Ok(self.store.begin(Access::Read)?.groups(prefix, limit)?)
    }

    /// Checks that `username` is available.
    ///
    /// # Errors
    ///
    /// [`Error::UserExists`], [`Error::SimilarUser`].
    pub fn check_new(&mut self, username: &Username, allow_similar: bool) -> Result<(), Error> {
        is_free(&mut *self.store.begin(Access::Read)?, username, allow_similar)
    }

    /// The newest `limit` events of the history, newest first: of all users, or of `username`,
    /// including the user's earlier names.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchUser`] if there is neither a user nor an event with that name.
    pub fn history(
        &mut self,
        username: Option<&[u8]>,
        limit: Option<u32>,
    ) -> Result<Vec<Event>, Error> {
        self.events(username, &EventFilter { limit, ..EventFilter::default() })
    }

    /// As [`history`](Self::history), only the selected events. An event whose time is unknown is
    /// neither before nor after any.
    ///
    /// # Errors
    ///
    /// As [`history`](Self::history).
    pub fn events(
        &mut self,
        username: Option<&[u8]>,
        filter: &EventFilter,
    ) -> Result<Vec<Event>, Error> {
        let mut events = Vec::new();
        let mut transaction = self.store.begin(Access::Read)?;
        // The table may compare names case-insensitively; the history does not.
        let user = match username {
            Some(username) => transaction.get(username)?,
            None => None,
        };
        let stored = user.as_ref().and_then(|row| row.username.as_key());
        transaction.events(stored.or(username), filter, &mut |event| events.push(event))?;
        if let Some(username) = username
            && events.is_empty()
            && user.is_none()
            && filter.limit != Some(0)
        {
            let mut is_known = false;
            if !filter.is_open() {
                let any = EventFilter { limit: Some(1), ..EventFilter::default() };
                transaction.events(Some(username), &any, &mut |_| is_known = true)?;
            }
            if !is_known {
                return Err(Error::NoSuchUser(StoredText::from(username)));
            }
        }
        Ok(events)
    }

    /// The number of events that [`prune_history`](Self::prune_history) would delete.
    ///
    /// # Errors
    ///
    /// As [`prune_history`](Self::prune_history).
    pub fn prunable(&mut self, before: SystemTime) -> Result<u64, Error> {
        Ok(self.store.begin(Access::Read)?.prunable(before)?)
    }

    /// Deletes the events before a time, and returns their number. The deletion itself is an event,
    /// unless there was nothing to delete. Events whose time is unknown are kept, and so are renames
    /// that connect a name with newer events.
    ///
    /// # Errors
    ///
    /// [`StoreError::CannotConnect`](crate::StoreError::CannotConnect) on a PostgreSQL server if
    /// another role owns the history.
    pub fn prune_history(&mut self, before: SystemTime) -> Result<u64, Error> {
        let Self { store, actor, hooks, .. } = self;
        let time = humantime::format_rfc3339_seconds(in_range(before));
        until_alone(|| {
            let mut transaction = store.begin(Access::Write)?;
            let count = transaction.prunable(before)?;
            if count > 0 {
                let s = if count == 1 { "" } else { "s" };
                let detail = format!("{count} event{s} before {time}");
                let detail = Some(detail.as_str());
                let cause = Cause { actor: actor.as_deref(), action: "prune", detail };
                transaction.prune(before, &cause)?;
                transaction.commit(*hooks)?;
            }
            Ok(count)
        })
    }

    /// Adds a user.
    ///
    /// # Errors
    ///
    /// [`Error::Password`], [`Error::UserExists`], [`Error::SimilarUser`].
    pub fn add(&mut self, new: &NewUser) -> Result<(), Error> {
        policy::check(&new.password, Some(new.username.as_str()), new.allow_weak)?;
        let hash = PasswordHash::new(&self.method, &new.password);
        let credential = if new.locked { NewCredential::locked(&hash) } else { hash.into() };
        self.change("add", new.locked.then_some("locked"), |transaction| {
            match is_free(transaction, &new.username, new.allow_similar) {
                Err(Error::UserExists(_))
                    if is_stored(transaction, new.username.as_ref(), &credential)? =>
                {
                    return Ok(Changed::No(()));
                }
                free => free?,
            }
            transaction.insert(&new.username, &credential, &new.language)?;
            for group in &new.groups {
                transaction.add_group(new.username.as_ref(), group)?;
            }
            Ok(Changed::Yes(()))
        })
    }

    /// Whether there are no users.
    ///
    /// # Errors
    ///
    /// Only [`StoreError`](crate::StoreError).
    pub fn is_empty(&mut self) -> Result<bool, Error> {
        Ok(self.store.begin(Access::Read)?.is_empty(false)?)
    }

    /// Adds users with hashed passwords, all or none, if there are no users yet.
    ///
    /// # Errors
    ///
    /// Only [`StoreError`](crate::StoreError).
    pub fn add_if_empty(
        &mut self,
        users: Vec<(Username, PasswordHash, Language)>,
    ) -> Result<bool, Error> {
        let users: Vec<(_, NewCredential, _)> =
            users.into_iter().map(|(name, hash, language)| (name, hash.into(), language)).collect();
        self.change("add", None, |transaction| {
            if !transaction.is_empty(true)? {
                return Ok(Changed::No(false));
            }
            for (username, credential, language) in &users {
                transaction.insert(username, credential, language)?;
            }
            Ok(Changed::Yes(true))
        })
    }

    /// The rows of the app's tables that reference `username`, and what removing the user does to
    /// them.
    ///
    /// # Errors
    ///
    /// Only [`StoreError`](crate::StoreError).
    pub fn references(&mut self, username: impl AsRef<[u8]>) -> Result<Vec<Reference>, Error> {
        Ok(self.store.begin(Access::Read)?.references(username.as_ref())?)
    }

    /// As [`references`](Self::references), for several users. Rows of the same table are added up.
    ///
    /// # Errors
    ///
    /// Only [`StoreError`](crate::StoreError).
    pub fn references_to_any(&mut self, usernames: &[StoredText]) -> Result<Vec<Reference>, Error> {
        let mut transaction = self.store.begin(Access::Read)?;
        let mut all = Vec::<Reference>::new();
        for username in usernames.iter().filter_map(StoredText::as_key) {
            for next in transaction.references(username)? {
                let is_same = |other: &&mut Reference| {
                    other.table == next.table && other.on_delete == next.on_delete
                };
                match all.iter_mut().find(is_same) {
                    Some(same) => same.rows += next.rows,
                    None => all.push(next),
                }
            }
        }
        Ok(all)
    }

    /// Removes users, all or none. Returns for each whether it existed. With `if_exists`, users
    /// that do not exist are skipped.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchUser`]; [`StoreError::Refused`](crate::StoreError::Refused) if another table
    /// references a user.
    pub fn remove(
        &mut self,
        usernames: &[impl AsRef<[u8]>],
        if_exists: bool,
    ) -> Result<Vec<bool>, Error> {
        self.change("remove", None, |transaction| {
            let mut removed = Vec::new();
            for username in usernames {
                match existing(transaction, username.as_ref()) {
                    Ok(_) => removed.push(true),
                    Err(Error::NoSuchUser(_)) if if_exists => removed.push(false),
                    Err(error) => return Err(error),
                }
            }
            for username in usernames.iter().map(AsRef::as_ref) {
                // A foreign key of the app may have removed this user together with another.
                if transaction.get(username)?.is_some() {
                    transaction.delete(username)?;
                }
            }
            Ok(Changed::Yes(removed))
        })
    }

    /// Makes a change in a transaction and records it in the history; see [`Event`] for the
    /// actions. It is retried if another program wrote at the same time, or if it is unknown whether
    /// it was saved: then `change` must find it done.
    fn change<T>(
        &mut self,
        action: &str,
        detail: Option<&str>,
        mut change: impl FnMut(&mut dyn Transaction) -> Result<Changed<T>, Error>,
    ) -> Result<T, Error> {
        let Self { store, actor, hooks, .. } = self;
        let cause = Cause { actor: actor.as_deref(), action, detail };
        until_known(|| {
            let mut transaction = store.begin_change(&cause)?;
            match change(&mut *transaction)? {
                Changed::Yes(result) => {
                    transaction.commit(*hooks)?;
                    Ok(result)
                }
                Changed::No(result) => Ok(result),
            }
        })
    }
}

/// The result of a change, and whether there is anything to commit.
enum Changed<T> {
    Yes(T),
    No(T),
}

/// How often an operation is retried that failed because another program wrote at the same time.
const MAX_RETRIES: u32 = 5;

/// The longest pause before the first such retry. It doubles with each, and is shortened at random,
/// so that two programs do not meet again.
const CONFLICT_PAUSE: Duration = Duration::from_millis(10);

/// As [`until_alone`]. An operation that may have been saved is retried, to find it done.
fn until_known<T>(mut attempt: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    let mut unknown = None;
    for _ in 0..=MAX_RETRIES {
        match (until_alone(&mut attempt), unknown) {
            (Err(Error::Store(error @ StoreError::Unconfirmed { .. })), _) => unknown = Some(error),
            // For example, the user whom the first attempt removed is not found.
            (Err(error), Some(first))
                if !matches!(error, Error::Store(StoreError::Unreplicated { .. })) =>
            {
                return Err(Error::Store(first));
            }
            (result, _) => return result,
        }
    }
    unknown.map_or_else(attempt, |error| Err(Error::Store(error)))
}

/// Retries an operation while other programs write at the same time, up to the limits.
fn until_alone<T>(mut attempt: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    let deadline = Instant::now() + store::lock_timeout();
    let mut conflicts = 0;
    loop {
        match attempt() {
            Err(Error::Store(StoreError::Conflict { .. })) if conflicts < MAX_RETRIES => {
                let part = f64::from(random::bytes(1)[0]) / 255.0;
                thread::sleep((CONFLICT_PAUSE * (1 << conflicts)).mul_f64(part));
                conflicts += 1;
            }
            // Waiting to begin a transaction uses up all of that time; a commit fails early.
            Err(Error::Store(StoreError::Busy { .. })) if Instant::now() < deadline => {
                thread::sleep(RETRY_PAUSE);
            }
            result => return result,
        }
    }
}

fn existing(transaction: &mut dyn Transaction, username: &[u8]) -> Result<Row, Error> {
    transaction.get(username)?.ok_or_else(|| Error::NoSuchUser(StoredText::from(username)))
}

/// Whether the user has exactly this value. No two hashes have the same salt, so if it is a new
/// one, an earlier attempt has stored it.
fn is_stored(
    transaction: &mut dyn Transaction,
    username: &[u8],
    credential: &NewCredential,
) -> Result<bool, Error> {
    let row = transaction.get(username)?;
    Ok(row.is_some_and(|row| row.secret == StoredSecret::from(credential)))
}

fn is_free(
    transaction: &mut dyn Transaction,
    username: &Username,
    allow_similar: bool,
) -> Result<(), Error> {
    if transaction.get(username.as_ref())?.is_some() {
        return Err(Error::UserExists(username.clone()));
    }
    match transaction.similar(username)?.pop() {
        Some(existing) if !allow_similar => {
            Err(Error::SimilarUser { username: username.clone(), existing })
        }
        _ => Ok(()),
    }
}
