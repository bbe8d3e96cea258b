//! The operations on users. Only this module combines hashes, policy and store.

mod backup;
mod change;
mod check;
mod embedded_hash;
mod error;
mod export;
mod foreign;
mod hash_like;
mod history;
mod import;
mod init;
mod login;
mod no_password;
mod plaintext;
mod read;
mod sessions;
mod unwrap;
mod wrapped;

use std::thread;
use std::time::{Duration, Instant};

pub use self::change::{Updated, UserUpdate};
pub use self::check::DEMO_USERS;
pub use self::error::{BadValues, Error};
pub use self::import::{
    BadRecords, Import, ImportOptions, ImportSummary, Imported, OnConflict, PruneError,
};
pub use self::init::Init;
use crate::credential::NewCredential;
use crate::group::Group;
use crate::hash::{Method, PasswordHash};
use crate::language::Language;
use crate::password::Password;
use crate::policy;
use crate::random;
use crate::store::{
    self, Access, Cause, CommitHooks, Location, RETRY_PAUSE, Row, Store, StoreError, StoredSecret,
    Transaction,
};
use crate::user::StoredText;
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

    /// Checks that `username` is available.
    ///
    /// # Errors
    ///
    /// [`Error::UserExists`], [`Error::SimilarUser`].
    pub fn check_new(&mut self, username: &Username, allow_similar: bool) -> Result<(), Error> {
        is_free(&mut *self.store.begin(Access::Read)?, username, allow_similar)
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
