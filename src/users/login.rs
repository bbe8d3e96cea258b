//! Logins, and the hash upgrades they trigger.

use super::{Changed, Error, Users, existing};
use crate::credential::Credential;
use crate::hash::{HashError, Method, PasswordHash};
use crate::password::Password;
use crate::store::{Access, StoredSecret};

/// The result of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a rejected login is not an error"]
pub enum Login {
    /// The password is correct.
    Accepted {
        /// Whether the stored hash is [outdated](PasswordHash::is_outdated).
        outdated: bool,
    },
    /// The login must be rejected.
    Refused(LoginRefusal),
}

/// Why a login was rejected. Show it to administrators only, never to the person who logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginRefusal {
    /// The password is wrong.
    WrongPassword,
    /// The user does not exist. The check took as long as one hash with the current method.
    NoSuchUser,
    /// The user is locked.
    Locked {
        /// Whether the password matches the locked hash; `None` if that hash cannot be checked.
        password_matches: Option<bool>,
    },
    /// The stored value is not a hash that can be checked.
    Unusable(HashError),
}

impl Users {
    /// Checks a password as the app would. For an unknown user, and for a value that never matches,
    /// this takes as long as a hash with the current method; for a locked user, as long as the
    /// locked hash. So timing does not distinguish them from a wrong password.
    ///
    /// # Errors
    ///
    /// Only [`StoreError`](crate::StoreError): a rejected login is not an error.
    pub fn log_in(
        &mut self,
        username: impl AsRef<[u8]>,
        password: &Password,
    ) -> Result<Login, Error> {
        let row = self.store.begin(Access::Read)?.get(username.as_ref())?;
        Ok(check(row.as_ref().map(|row| &row.secret), password, &self.method))
    }

    /// As [`log_in`](Self::log_in). If the password is correct and the hash is outdated, stores a
    /// new hash, unless another program changed the stored value meanwhile. The second value is
    /// whether a new hash was stored, or why it could not be; the login is valid in either case.
    ///
    /// # Errors
    ///
    /// Only [`StoreError`](crate::StoreError): a rejected login is not an error.
    pub fn log_in_and_upgrade(
        &mut self,
        username: impl AsRef<[u8]>,
        password: &Password,
    ) -> Result<(Login, Result<bool, Error>), Error> {
        let username = username.as_ref();
        let row = self.store.begin(Access::Read)?.get(username)?;
        let log_in = check(row.as_ref().map(|row| &row.secret), password, &self.method);
        let upgraded = match (row, log_in) {
            (Some(row), Login::Accepted { outdated: true }) => {
                self.replace_hash("upgrade", username, &row.secret, password)
            }
            _ => Ok(false),
        };
        Ok((log_in, upgraded))
    }

    /// Checks the password and stores a new hash of it with the current method. Works for locked
    /// users too.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchUser`], [`Error::WrongPassword`], [`Error::InvalidHash`], and
    /// [`Error::ConcurrentChange`] if another program changed the password at the same time.
    pub fn rehash(&mut self, username: impl AsRef<[u8]>, password: &Password) -> Result<(), Error> {
        let username = username.as_ref();
        let row = existing(&mut *self.store.begin(Access::Read)?, username)?;
        if let Credential::Locked(Err(reason)) = row.secret.credential() {
            return Err(Error::InvalidHash { username: row.username, reason });
        }
        match check(Some(&row.secret), password, &self.method) {
            Login::Accepted { .. }
            | Login::Refused(LoginRefusal::Locked { password_matches: Some(true) }) => {}
            Login::Refused(LoginRefusal::Unusable(reason)) => {
                return Err(Error::InvalidHash { username: row.username, reason });
            }
            Login::Refused(_) => return Err(Error::WrongPassword),
        }
        if self.replace_hash("rehash", username, &row.secret, password)? {
            Ok(())
        } else {
            Err(Error::ConcurrentChange(row.username))
        }
    }

    /// Stores a new hash of `password` if the stored value is still `checked`.
    fn replace_hash(
        &mut self,
        action: &str,
        username: &[u8],
        checked: &StoredSecret,
        password: &Password,
    ) -> Result<bool, Error> {
        let credential = checked.credential();
        let before = credential.hash().map(|hash| format!("from {} ", hash.method()));
        let detail = format!("{}to {}", before.unwrap_or_default(), self.method);
        let new = credential.with_hash(PasswordHash::new(&self.method, password));
        self.change(action, Some(&detail), |transaction| {
            if transaction.get(username)?.is_none_or(|row| row.secret != *checked) {
                return Ok(Changed::No(false));
            }
            transaction.set_credential(username, &new)?;
            Ok(Changed::Yes(true))
        })
    }
}

/// Checks a login with `password` against the stored value.
fn check(stored: Option<&StoredSecret>, password: &Password, current: &Method) -> Login {
    let refusal = match stored.map(StoredSecret::credential) {
        Some(Credential::Active(hash)) if hash.verify(password) => {
            return Login::Accepted { outdated: hash.is_outdated(current) };
        }
        Some(Credential::Active(_)) => LoginRefusal::WrongPassword,
        Some(Credential::Locked(Ok(hash))) => {
            LoginRefusal::Locked { password_matches: Some(hash.verify(password)) }
        }
        Some(Credential::Locked(Err(_))) => {
            PasswordHash::verify_nothing(current, password);
            LoginRefusal::Locked { password_matches: None }
        }
        Some(Credential::Unusable(reason)) => {
            if matches!(reason, HashError::NeverMatches(_)) {
                PasswordHash::verify_nothing(current, password);
            }
            LoginRefusal::Unusable(reason)
        }
        None => {
            PasswordHash::verify_nothing(current, password);
            LoginRefusal::NoSuchUser
        }
    };
    Login::Refused(refusal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::DERIVED;
    use crate::user::StoredText;

    /// The hashes computed for a rejected login.
    fn work(stored: Option<&str>, current: &Method) -> Vec<Method> {
        let stored = stored.map(|text| StoredSecret::from(StoredText::Text(text.to_owned())));
        DERIVED.take();
        let log_in = check(stored.as_ref(), &Password::from("other"), current);
        assert!(matches!(log_in, Login::Refused(_)));
        DERIVED.take()
    }

    #[test]
    fn rejected_login_computes_one_hash() {
        let current: Method = "scrypt:128:8:1".parse().unwrap();
        let hash = PasswordHash::new(&current, &Password::from("secret")).to_string();
        for stored in [
            None,
            Some(&*hash),
            Some(""),
            Some("*"),
            Some(&hash[..hash.len() - 1]),
            Some(&format!("!{}", hash.replace('$', "|"))),
            Some("!pbkdf2:sha224:1|salt|00ff"),
        ] {
            assert_eq!(work(stored, &current), [current], "{stored:?}");
        }
        // A hash with another cost, and an answer that is an error, take another time.
        let other: Method = "pbkdf2:sha256:1".parse().unwrap();
        assert_eq!(work(Some(&hash), &other), [current]);
        assert_eq!(work(Some("$2b$12$salt"), &current), []);
    }
}
