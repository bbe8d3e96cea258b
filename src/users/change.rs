//! Changes to existing users.

use super::{Changed, Error, Users, existing};
use crate::credential::NewCredential;
use crate::group::Group;
use crate::hash::{HashError, PasswordHash};
use crate::language::Language;
use crate::password::Password;
use crate::policy;
use crate::store::{StoreError, Transaction};
use crate::user::StoredText;
use crate::username::Username;

impl Users {
    /// Sets a new password. A locked user stays locked.
    ///
    /// # Errors
    ///
    /// [`Error::Password`], [`Error::NoSuchUser`].
    pub fn set_password(
        &mut self,
        username: impl AsRef<[u8]>,
        password: &Password,
        allow_weak: bool,
    ) -> Result<(), Error> {
        let username = username.as_ref();
        policy::check(password, str::from_utf8(username).ok(), allow_weak)?;
        let hash = PasswordHash::new(&self.method, password);
        self.change("passwd", None, |transaction| {
            let row = existing(transaction, username)?;
            let new = row.secret.credential().with_hash(hash.clone());
            transaction.set_credential(username, &new)?;
            Ok(Changed::Yes(()))
        })
    }

    /// Locks users, all or none. The app rejects them from its next request on. Returns for each
    /// whether it was locked now, false if it already was.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchUser`], and [`Error::InvalidHash`] for a value that is not text or too long.
    pub fn lock(&mut self, usernames: &[impl AsRef<[u8]>]) -> Result<Vec<bool>, Error> {
        self.replace_credentials("lock", usernames, NewCredential::lock)
    }

    /// Unlocks users, all or none, and restores the hashes from before locking. Returns for each
    /// whether it was locked.
    ///
    /// # Errors
    ///
    /// As [`lock`](Self::lock).
    pub fn unlock(&mut self, usernames: &[impl AsRef<[u8]>]) -> Result<Vec<bool>, Error> {
        self.replace_credentials("unlock", usernames, NewCredential::unlock)
    }

    fn replace_credentials(
        &mut self,
        action: &str,
        usernames: &[impl AsRef<[u8]>],
        replace: impl Fn(&StoredText) -> Result<Option<NewCredential>, HashError>,
    ) -> Result<Vec<bool>, Error> {
        self.change(action, None, |transaction| {
            let mut changed = Vec::new();
            for username in usernames.iter().map(AsRef::as_ref) {
                let row = existing(transaction, username)?;
                let new = replace(row.secret.expose())
                    .map_err(|reason| Error::InvalidHash { username: row.username, reason })?;
                if let Some(new) = &new {
                    transaction.set_credential(username, new)?;
                }
                changed.push(new.is_some());
            }
            Ok(Changed::Yes(changed))
        })
    }

    /// Sets the language. Returns whether it changed.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchUser`].
    pub fn set_language(
        &mut self,
        username: impl AsRef<[u8]>,
        language: &Language,
    ) -> Result<bool, Error> {
        let username = username.as_ref();
        self.change("update", None, |transaction| {
            let row = existing(transaction, username)?;
            if row.language == StoredText::Text(language.to_string()) {
                return Ok(Changed::No(false));
            }
            transaction.set_language(username, language)?;
            Ok(Changed::Yes(true))
        })
    }

    /// Renames a user. Returns whether the name changed. Hash, groups and times stay.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchUser`], [`Error::UserExists`], [`Error::SimilarUser`] for a user other than
    /// this one; [`StoreError::Refused`](crate::StoreError::Refused) if a table of the app
    /// references the user and does not allow renaming.
    pub fn rename(
        &mut self,
        username: impl AsRef<[u8]>,
        new: &Username,
        allow_similar: bool,
    ) -> Result<bool, Error> {
        self.change("rename", None, |transaction| {
            let old = existing(transaction, username.as_ref())?.username;
            let is_old = |name: &StoredText| *name == old;
            if is_old(&StoredText::Text(new.to_string())) {
                return Ok(Changed::No(false));
            }
            // A table may compare names case-insensitively.
            let found = transaction.get(new.as_ref())?;
            if found.is_some_and(|row| !is_old(&row.username)) {
                return Err(Error::UserExists(new.clone()));
            }
            let other = transaction.similar(new)?.into_iter().find(|name| !is_old(name));
            if let Some(existing) = other.filter(|_| !allow_similar) {
                return Err(Error::SimilarUser { username: new.clone(), existing });
            }
            transaction.rename(username.as_ref(), new)?;
            Ok(Changed::Yes(true))
        })
    }

    /// Adds a user to groups. Returns for each whether the user was added, false for a member.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchUser`].
    pub fn add_groups(
        &mut self,
        username: impl AsRef<[u8]>,
        groups: &[Group],
    ) -> Result<Vec<bool>, Error> {
        self.change_groups(username.as_ref(), |transaction, username| {
            groups.iter().map(|group| transaction.add_group(username, group)).collect()
        })
    }

    /// Removes a user from groups, whatever their names are. Returns for each whether the user was
    /// a member.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchUser`].
    pub fn remove_groups(
        &mut self,
        username: impl AsRef<[u8]>,
        groups: &[impl AsRef<[u8]>],
    ) -> Result<Vec<bool>, Error> {
        self.change_groups(username.as_ref(), |transaction, username| {
            groups.iter().map(|group| transaction.remove_group(username, group.as_ref())).collect()
        })
    }

    fn change_groups(
        &mut self,
        username: &[u8],
        change: impl Fn(&mut dyn Transaction, &[u8]) -> Result<Vec<bool>, StoreError>,
    ) -> Result<Vec<bool>, Error> {
        self.change("group", None, |transaction| {
            // The name as stored: the table may compare names case-insensitively.
            let row = existing(transaction, username)?;
            let changed = change(transaction, row.username.as_key().unwrap_or(username))?;
            Ok(Changed::Yes(changed))
        })
    }
}
