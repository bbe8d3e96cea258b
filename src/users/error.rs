//! What keeps an operation on users from being done.

use super::import::BadRecords;
use crate::hash::HashError;
use crate::policy;
use crate::store::StoreError;
use crate::user::StoredText;
use crate::username::Username;

/// Why an operation was not done. Nothing was changed then.
///
/// Messages show names with [control and bidirectional characters escaped](StoredText).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no user of that name.
    #[error("no user '{0}'")]
    NoSuchUser(StoredText),
    /// There is a user of that name.
    #[error("user '{0}' already exists")]
    UserExists(Username),
    /// There is a user whose name differs only by ASCII case.
    #[error("user '{existing}' already exists; '{username}' differs only by case")]
    SimilarUser {
        /// The new name.
        username: Username,
        /// The name that is there.
        existing: StoredText,
    },
    /// The new password is refused.
    #[error(transparent)]
    Password(#[from] policy::Violation),
    /// The password is not the user's.
    #[error("wrong password")]
    WrongPassword,
    /// The stored value is no hash that can be checked.
    #[error("cannot use the stored password hash of '{username}': {reason}")]
    InvalidHash {
        /// The user.
        username: StoredText,
        /// What is wrong with it.
        reason: HashError,
    },
    /// A stored value looks like a hash and is none, so that it is not taken for a clear password.
    #[error(
        "the stored value of '{0}' looks like a hash but is not valid; it is not accepted as a \
        password"
    )]
    HashLike(StoredText),
    /// A stored value is a hash, perhaps with something around it, and no clear password.
    #[error("the stored value of '{username}' is {what}, which is not accepted as a password")]
    HashNotPassword {
        /// The user.
        username: StoredText,
        /// What it is, in words.
        what: String,
        /// Whether [`Users::unwrap_hashes`](crate::Users::unwrap_hashes) restores it.
        is_restorable: bool,
    },
    /// A stored value is empty, or a word such as `None` or `null`.
    #[error("the stored value of '{0}' is empty or a placeholder such as None")]
    NoPassword(StoredText),
    /// Stored values of several users that are no clear passwords: none was hashed.
    #[error("{} stored values cannot be hashed", .0.count())]
    BadValues(Box<BadValues>),
    /// A stored clear password is one that nobody can log in with.
    #[error("cannot hash the plaintext password of '{username}': {reason}")]
    PlaintextPassword {
        /// The user.
        username: StoredText,
        /// What is wrong with it.
        reason: policy::Violation,
    },
    /// The name is NULL or a BLOB, which no look-up finds.
    #[error("cannot hash the plaintext password of '{0}': nobody can log in with such a username")]
    UnreachableName(StoredText),
    /// Records of a file that cannot be taken: none was.
    #[error("{} invalid record(s)", .0.count())]
    BadRecords(Box<BadRecords>),
    /// Another program changed the user while the password was hashed.
    #[error("the password of '{0}' was changed by another program at the same time")]
    ConcurrentChange(StoredText),
}

/// Why the stored values of several users are not hashed.
#[derive(Debug)]
pub struct BadValues {
    first: Vec<Error>,
    count: u64,
    are_passwords: bool,
}

impl BadValues {
    /// How many are kept.
    pub const MAX_SHOWN: usize = 20;

    /// All of them as one error, which a single one is itself; none if there is none.
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

    /// The first of them, in the order of the names.
    #[must_use]
    pub fn first(&self) -> &[Error] {
        &self.first
    }

    /// How many there are in all.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether all are clear passwords that nobody can log in with.
    #[must_use]
    pub fn are_passwords(&self) -> bool {
        self.are_passwords
    }
}
