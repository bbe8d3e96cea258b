//! Changes to existing users.

use super::{Changed, Error, Users, existing};
use crate::credential::NewCredential;
use crate::group::Group;
use crate::hash::{HashError, PasswordHash};
use crate::language::Language;
use crate::password::Password;
use crate::policy;
use crate::store::{GroupAdded, StoreError, StoredSecret, Transaction};
use crate::user::StoredText;
use crate::username::Username;

/// Changes to make to users.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserUpdate {
    /// The new language, or `None` to keep it.
    pub language: Option<Language>,
    /// Groups to add the users to.
    pub add_groups: Vec<Group>,
    /// Groups to remove the users from, whatever their names are.
    pub remove_groups: Vec<Vec<u8>>,
}

/// What a [`UserUpdate`] changed of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Updated {
    /// Whether the language changed.
    pub language: bool,
    /// For each group to add the user to, whether the user was not in it.
    pub added: Vec<bool>,
    /// For each group to remove the user from, whether the user was in it.
    pub removed: Vec<bool>,
}

impl Updated {
    /// Whether anything changed.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.language || self.added.contains(&true) || self.removed.contains(&true)
    }
}

/// The users in a group whose names can be looked up.
pub(super) fn members(
    transaction: &mut dyn Transaction,
    group: &[u8],
) -> Result<Vec<StoredText>, StoreError> {
    let mut members = Vec::new();
    transaction.rows_without_times(&mut |row| {
        let is_member = row.profile.groups.iter().any(|other| other.as_key() == Some(group));
        if is_member && row.username.as_key().is_some() {
            members.push(row.username);
        }
    })?;
    Ok(members)
}

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
            if row.secret == StoredSecret::from(&new) {
                return Ok(Changed::No(()));
            }
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
        let update = UserUpdate { language: Some(language.clone()), ..UserUpdate::default() };
        Ok(self.update(&[username], &update)?[0].language)
    }

    /// Changes the language and groups of users, all or none. Returns what really changed, in the
    /// order of `usernames`.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchUser`].
    pub fn update(
        &mut self,
        usernames: &[impl AsRef<[u8]>],
        update: &UserUpdate,
    ) -> Result<Vec<Updated>, Error> {
        self.change("update", None, |transaction| {
            let mut all = Vec::new();
            for username in usernames.iter().map(AsRef::as_ref) {
                let row = existing(transaction, username)?;
                let username = row.username.as_key().unwrap_or(username);
                let mut updated = Updated::default();
                if let Some(language) = &update.language
                    && row.profile.language != StoredText::Text(language.to_string())
                {
                    transaction.set_language(username, language)?;
                    updated.language = true;
                }
                for group in &update.add_groups {
                    updated.added.push(transaction.add_group(username, group)?.is_added);
                }
                for group in &update.remove_groups {
                    updated.removed.push(transaction.remove_group(username, group)?);
                }
                all.push(updated);
            }
            let is_changed = all.iter().any(Updated::is_any);
            Ok(if is_changed { Changed::Yes(all) } else { Changed::No(all) })
        })
    }

    /// Moves all users of a group to another, which may have users already. Returns them.
    ///
    /// # Errors
    ///
    /// Only [`StoreError`].
    pub fn rename_group(&mut self, old: &[u8], new: &Group) -> Result<Vec<StoredText>, Error> {
        self.change("group", None, |transaction| {
            let members = members(transaction, old)?;
            if members.is_empty() || old == new.as_str().as_bytes() {
                return Ok(Changed::No(Vec::new()));
            }
            for username in members.iter().filter_map(StoredText::as_key) {
                transaction.remove_group(username, old)?;
                transaction.add_group(username, new)?;
            }
            Ok(Changed::Yes(members))
        })
    }

    /// Removes all users from groups. Returns those of each group.
    ///
    /// # Errors
    ///
    /// Only [`StoreError`].
    pub fn delete_groups(
        &mut self,
        groups: &[impl AsRef<[u8]>],
    ) -> Result<Vec<Vec<StoredText>>, Error> {
        self.change("group", None, |transaction| {
            let mut all = Vec::new();
            for group in groups.iter().map(AsRef::as_ref) {
                let members = members(transaction, group)?;
                for username in members.iter().filter_map(StoredText::as_key) {
                    transaction.remove_group(username, group)?;
                }
                all.push(members);
            }
            let is_changed = all.iter().any(|members| !members.is_empty());
            Ok(if is_changed { Changed::Yes(all) } else { Changed::No(all) })
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

    /// Adds a user to groups. Returns what that did, for each group.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchUser`].
    pub fn add_groups(
        &mut self,
        username: impl AsRef<[u8]>,
        groups: &[Group],
    ) -> Result<Vec<GroupAdded>, Error> {
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

    fn change_groups<T>(
        &mut self,
        username: &[u8],
        change: impl Fn(&mut dyn Transaction, &[u8]) -> Result<Vec<T>, StoreError>,
    ) -> Result<Vec<T>, Error> {
        self.change("group", None, |transaction| {
            // The name as stored: the table may compare names case-insensitively.
            let row = existing(transaction, username)?;
            let changed = change(transaction, row.username.as_key().unwrap_or(username))?;
            Ok(Changed::Yes(changed))
        })
    }
}
