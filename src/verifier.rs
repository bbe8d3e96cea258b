//! Fast and safe logins for an app that checks a password on every request.

mod limits;

use std::fmt;
use std::time::Duration;

pub use self::limits::Limits;
use crate::hash::HashError;
use crate::password::Password;

/// Checks logins.
pub struct Verifier {
    limits: Limits,
}

/// One login attempt.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The username as sent.
    pub username: &'a str,
    /// The password as sent.
    pub password: &'a Password,
    /// The client's address, any text. Empty is the same as none.
    pub address: Option<&'a str>,
}

/// The answer to an [`Attempt`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a rejected login is not an error"]
pub enum Decision {
    /// The password is correct.
    Accepted,
    /// The login must be rejected.
    Refused(Refusal),
    /// Too many wrong passwords: rejected without a check.
    Limited {
        /// When the next attempt can succeed.
        retry_after: Duration,
    },
    /// Too many hashes are computed at the moment: rejected without a check.
    Busy,
}

/// Why a login was rejected. For logs only, never for the person who logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The password is wrong.
    WrongPassword,
    /// The user does not exist.
    NoSuchUser,
    /// The user is locked.
    Locked,
    /// The stored value is not a hash that can be checked.
    Unusable(HashError),
    /// The stored value kept changing during the check.
    Changed,
}

impl Verifier {
    /// A verifier with a random key of the operating system.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits }
    }

    /// Checks a login.
    ///
    /// # Errors
    ///
    /// Those of `reread`.
    pub fn verify<E>(
        &self,
        attempt: Attempt<'_>,
        stored: Option<&str>,
        mut reread: impl FnMut() -> Result<Option<String>, E>,
    ) -> Result<Decision, E> {
        let _ = (attempt, stored, reread()?);
        Ok(Decision::Refused(Refusal::WrongPassword))
    }

    /// A verifier with the same limits and nothing else in common.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self::new(self.limits.clone())
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("limits", &self.limits).finish_non_exhaustive()
    }
}
