//! Errors of operations on users.

use super::import::{BadRecords, PruneError};
use crate::hash::HashError;
use crate::policy;
use crate::store::StoreError;
use crate::user::StoredText;
use crate::username::Username;

/// Why an operation failed. Nothing was changed. New kinds of errors only come with a new minor version.
///
/// Messages show names with [control and bidirectional characters escaped](StoredText).
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Error {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no user '{0}'")]
    NoSuchUser(StoredText),
    #[error("user '{0}' already exists")]
    UserExists(Username),
    #[error("user '{existing}' already exists; '{username}' differs only by case")]
    SimilarUser { username: Username, existing: StoredText },
    #[error(transparent)]
    Password(#[from] policy::Violation),
    #[error("wrong password")]
    WrongPassword,
    /// The stored value is not a hash that can be checked.
    #[error("cannot use the stored password hash of '{username}': {reason}")]
    InvalidHash { username: StoredText, reason: HashError },
    /// A stored value looks like a hash but is not valid, so it is not hashed as a plaintext
    /// password.
    #[error(
        "the stored value of '{0}' looks like a hash but is not valid; it is not accepted as a \
         password"
    )]
    HashLike(StoredText),
    /// A stored value is a hash, perhaps with extra characters around it, not a plaintext password.
    #[error("the stored value of '{username}' is {what}, which is not accepted as a password")]
    HashNotPassword {
        username: StoredText,
        /// What the value is, in words.
        what: String,
        /// Whether [`Users::unwrap_hashes`](crate::Users::unwrap_hashes) restores it.
        is_restorable: bool,
    },
    #[error("the stored value of '{0}' is empty or a placeholder such as None")]
    NoPassword(StoredText),
    /// Stored values of several users cannot be hashed; none was.
    #[error("{} stored values cannot be hashed", .0.count())]
    BadValues(Box<BadValues>),
    /// Nobody could log in with the stored plaintext password.
    #[error("cannot hash the plaintext password of '{username}': {reason}")]
    PlaintextPassword { username: StoredText, reason: policy::Violation },
    /// The username is NULL or a BLOB, which cannot be looked up.
    #[error("cannot hash the plaintext password of '{0}': nobody can log in with such a username")]
    UnreachableName(StoredText),
    /// Records of a file are invalid; none was imported.
    #[error("{} invalid record(s)", .0.count())]
    BadRecords(Box<BadRecords>),
    /// Another program removed the user or changed the password, for example while the new one was
    /// hashed.
    #[error("user '{0}' was removed or changed by another program at the same time")]
    ConcurrentChange(StoredText),
    /// The users that a file does not list cannot be removed.
    #[error(transparent)]
    Prune(#[from] PruneError),
}

/// The errors for several users whose stored values cannot be hashed.
#[derive(Debug)]
pub struct BadValues {
    first: Vec<Error>,
    count: u64,
    are_passwords: bool,
}

impl BadValues {
    /// The maximum number of errors in [`first`](Self::first).
    pub const MAX_SHOWN: usize = 20;

    /// Combines errors into one. A single error is returned itself; without errors the result is
    /// `Ok`.
    pub(super) fn collect(errors: impl IntoIterator<Item = Error>) -> Result<(), Error> {
        let mut are_passwords = true;
        let mut errors = errors.into_iter().inspect(|error| {
            are_passwords &= matches!(error, Error::PlaintextPassword { .. });
        });
        let mut first: Vec<_> = errors.by_ref().take(Self::MAX_SHOWN).collect();
        let count = (first.len() + errors.count()) as u64;
        match (count, first.pop()) {
            (_, None) => Ok(()),
            (1, Some(error)) => Err(error),
            (_, Some(last)) => {
                first.push(last);
                Err(Error::BadValues(Box::new(Self { first, count, are_passwords })))
            }
        }
    }

    /// The first errors, ordered by username.
    #[must_use]
    pub fn first(&self) -> &[Error] {
        &self.first
    }

    /// The total number of errors.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether all are [`Error::PlaintextPassword`].
    #[must_use]
    pub fn are_passwords(&self) -> bool {
        self.are_passwords
    }
}
