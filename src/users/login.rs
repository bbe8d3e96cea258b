//! Logins, and the hash upgrades they trigger.

use super::{Changed, Error, Users, existing};
use crate::credential::Credential;
use crate::hash::PasswordHash;
use crate::login::{Login, LoginRefusal, check};
use crate::password::Password;
use crate::store::{Access, StoredSecret};

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
        let credential = row.map(|row| row.secret.credential());
        Ok(check(credential.as_ref(), password, &self.method))
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
        let credential = row.as_ref().map(|row| row.secret.credential());
        let log_in = check(credential.as_ref(), password, &self.method);
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
        let credential = row.secret.credential();
        if let Credential::Locked(Err(reason)) = credential {
            return Err(Error::InvalidHash { username: row.username, reason });
        }
        match check(Some(&credential), password, &self.method) {
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
            let row = transaction.get(username)?;
            // An earlier attempt has stored it.
            if row.as_ref().is_some_and(|row| row.secret == StoredSecret::from(&new)) {
                return Ok(Changed::No(true));
            }
            if row.is_none_or(|row| row.secret != *checked) {
                return Ok(Changed::No(false));
            }
            transaction.set_credential(username, &new)?;
            Ok(Changed::Yes(true))
        })
    }
}
