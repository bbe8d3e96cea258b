//! Rows of the table `users`, as they are read and as they are to be written.

use std::fmt;
use std::mem;
use std::time::SystemTime;

use zeroize::Zeroize;

use crate::credential::{Credential, NewCredential};
use crate::hash::Method;
use crate::user::{PartialProfile, Profile, StoredText, User};

/// A row of the table `users`, with the groups and times stored in other tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The username.
    pub username: StoredText,
    /// The `password_hash`.
    pub secret: StoredSecret,
    /// The other fields.
    pub profile: Profile,
    /// When the row was added, if known.
    pub created_at: Option<SystemTime>,
    /// When the password was last changed, if known.
    pub password_changed_at: Option<SystemTime>,
}

impl Row {
    /// The user, whose hash is compared with the `current` method.
    pub(crate) fn into_user(self, current: &Method) -> User {
        let Self { username, secret, profile, created_at, password_changed_at } = self;
        let times = [created_at, password_changed_at];
        User::new(username, profile, &secret.credential(), current, times)
    }
}

/// A change of one row, as part of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ImportRow {
    Add(NewRow),
    Change(RowChange),
}

/// A row to add as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "see Row")]
pub struct NewRow {
    pub username: StoredText,
    pub secret: StoredSecret,
    pub profile: Profile,
}

/// The changes to a row. A field that is `None` does not change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowChange {
    /// The username as stored.
    pub username: StoredText,
    /// The `password_hash` that the change was decided on.
    pub before: StoredSecret,
    /// The new `password_hash`.
    pub secret: Option<StoredSecret>,
    /// Whether the hash is of a different password than before.
    pub is_new_password: bool,
    /// The new fields, replacing the existing ones.
    pub profile: PartialProfile,
}

impl ImportRow {
    /// The user, and what the history of the user says about the import.
    pub(crate) fn summary(&self) -> (&StoredText, String) {
        match self {
            Self::Add(row) => (&row.username, "added".to_owned()),
            Self::Change(change) => {
                let secret = match &change.secret {
                    Some(_) if change.is_new_password => Some("password"),
                    Some(secret) if secret.is_locked() => Some("locked"),
                    Some(_) => Some("unlocked"),
                    None => None,
                };
                let changes: Vec<_> = secret.into_iter().chain(change.profile.given()).collect();
                (&change.username, changes.join(", "))
            }
        }
    }
}

/// A stored `password_hash`, which may be a plaintext password: `Debug` shows no part of it, and
/// its memory is wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredSecret(StoredText);

impl Drop for StoredSecret {
    fn drop(&mut self) {
        let mut bytes = match mem::replace(&mut self.0, StoredText::Null) {
            StoredText::Null => return,
            StoredText::Text(text) => text.into_bytes(),
            StoredText::InvalidText(bytes) | StoredText::Blob(bytes) => bytes,
        };
        // All of the memory at once: `Vec::zeroize` calls a function for each byte.
        bytes.clear();
        bytes.spare_capacity_mut().zeroize();
    }
}

impl StoredSecret {
    /// The meaning of the value.
    #[must_use]
    pub fn credential(&self) -> Credential {
        Credential::parse(&self.0)
    }

    /// Whether an administrator locked the user: as
    /// [`Credential::is_locked`], without parsing most hashes.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        let may_be = |text: &str| text.starts_with(Credential::LOCK);
        matches!(&self.0, StoredText::Text(text) if may_be(text)) && self.credential().is_locked()
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
