//! Hashing plaintext passwords in the `password_hash` column.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::embedded_hash::contains_hash;
use super::error::BadValues;
use super::hash_like::is_hash_like;
use super::no_password::is_no_password;
use super::wrapped::Detected;
use super::{Changed, Error, Users, existing};
use crate::credential::{Credential, NewCredential, unlocked};
use crate::hash::{HashError, MethodError, bulk};
use crate::password::Password;
use crate::policy;
use crate::store::{Access, Row};
use crate::user::StoredText;

impl Users {
    /// Replaces the plaintext passwords of `usernames`, or of all users, with their hashes, all or
    /// none. Returns each user and whether it was changed. A value that already is a hash, locked
    /// or not, is not changed. A locked plaintext password becomes a locked hash.
    ///
    /// A value that looks like a hash of another program is rejected, because the hash itself would
    /// become the password. `allow_hash_like` accepts it, for a password that happens to look like
    /// a hash. Always rejected are hashes that werkzeug may verify but this crate does not,
    /// werkzeug hashes with extra characters around them, and placeholders such as `None`.
    ///
    /// # Errors
    ///
    /// [`Error::HashLike`], [`Error::HashNotPassword`], [`Error::NoPassword`],
    /// [`Error::PlaintextPassword`] for one with control or invisible characters,
    /// [`Error::InvalidHash`] for a value that is not text, and [`Error::BadValues`] for several of
    /// these. Also [`Error::NoSuchUser`], and [`Error::ConcurrentChange`] if another program
    /// changed a value at the same time.
    pub fn hash_plaintext_passwords(
        &mut self,
        usernames: Option<&[impl AsRef<[u8]>]>,
        allow_hash_like: bool,
    ) -> Result<Vec<(StoredText, bool)>, Error> {
        let jobs = NonZeroUsize::MIN;
        self.hash_plaintext_passwords_in_parallel(usernames, allow_hash_like, jobs, &|_, _| ())
    }

    /// The same on `jobs` threads, with the memory of [`Import::hash`](crate::Import::hash).
    /// `progress` is called with the number of hashed passwords and of all: once before the first,
    /// then after each.
    ///
    /// # Errors
    ///
    /// As of [`hash_plaintext_passwords`](Self::hash_plaintext_passwords).
    pub fn hash_plaintext_passwords_in_parallel(
        &mut self,
        usernames: Option<&[impl AsRef<[u8]>]>,
        allow_hash_like: bool,
        jobs: NonZeroUsize,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Vec<(StoredText, bool)>, Error> {
        let mut rows = Vec::new();
        let mut transaction = self.store.begin(Access::Read)?;
        match usernames {
            Some(usernames) => {
                for username in usernames {
                    let row = existing(&mut *transaction, username.as_ref())?;
                    if !rows.contains(&row) {
                        rows.push(row);
                    }
                }
            }
            None => transaction.rows(&mut |row| rows.push(row))?,
        }
        drop(transaction);

        let mut plaintext = Vec::with_capacity(rows.len());
        let mut bad = Vec::new();
        for row in &rows {
            match plaintext_password(row, allow_hash_like) {
                Ok(password) => plaintext.push(password),
                Err(error) => bad.push(error),
            }
        }
        BadValues::collect(bad)?;
        let passwords: Vec<&Password> = plaintext.iter().flatten().collect();
        let count = passwords.len();
        let done = AtomicUsize::new(0);
        progress(0, count);
        let hashes = bulk::hash_all(&self.method, &passwords, jobs, &|| {
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, count);
        });
        let mut hashes = hashes.into_iter();
        let hashes: Vec<Option<NewCredential>> = rows
            .iter()
            .zip(&plaintext)
            .map(|(row, password)| {
                let hash = password.as_ref().and_then(|_| hashes.next())?;
                Some(row.secret.credential().with_hash(hash))
            })
            .collect();

        self.change("rehash", Some("from a clear password"), |transaction| {
            for (row, hash) in rows.iter().zip(&hashes) {
                let (Some(hash), Some(username)) = (hash, row.username.as_key()) else { continue };
                if transaction.get(username)?.is_none_or(|now| now.secret != row.secret) {
                    return Err(Error::ConcurrentChange(row.username.clone()));
                }
                transaction.set_credential(username, hash)?;
            }
            Ok(Changed::Yes(()))
        })?;
        let done = rows.into_iter().zip(hashes);
        Ok(done.map(|(row, hash)| (row.username, hash.is_some())).collect())
    }
}

/// The plaintext password in a row; `None` if the value already is a hash.
pub(super) fn plaintext_password(
    row: &Row,
    allow_hash_like: bool,
) -> Result<Option<Password>, Error> {
    let username = || row.username.clone();
    let reason = match row.secret.credential() {
        Credential::Active(_) | Credential::Locked(Ok(_) | Err(HashError::Method(_))) => {
            return Ok(None);
        }
        Credential::Locked(Err(reason)) | Credential::Unusable(reason) => reason,
    };
    if reason == MethodError::TOO_LONG.into() {
        return Err(Error::InvalidHash { username: username(), reason });
    }
    if row.username.as_key().is_none() {
        return Err(Error::UnreachableName(username()));
    }
    let StoredText::Text(text) = row.secret.expose() else {
        return Err(Error::InvalidHash { username: username(), reason });
    };
    let may_be_verified = matches!(
        reason,
        HashError::Method(MethodError::Unsupported(_) | MethodError::OverLimit(_))
    );
    let locked = row.secret.credential().is_locked().then(|| unlocked(text)).flatten();
    let text = locked.as_ref().unwrap_or(text);
    if is_no_password(text) {
        return Err(Error::NoPassword(username()));
    }
    if let Some(detected) = Detected::in_stored(&row.secret).filter(Detected::is_hash)
        && (detected.is_ours() || !allow_hash_like)
        && !may_be_verified
    {
        let (what, is_restorable) = (detected.describe(), detected.is_restorable());
        return Err(Error::HashNotPassword { username: username(), what, is_restorable });
    }
    if may_be_verified || !allow_hash_like && (is_hash_like(text) || contains_hash(text)) {
        return Err(Error::HashLike(username()));
    }
    let password = Password::from(text.as_str());
    match policy::check(&password, None, true).and_then(|()| policy::check_visible(&password)) {
        // A long password worked in the app, and continues to work.
        Ok(()) | Err(policy::Violation::TooLong) => Ok(Some(password)),
        Err(reason) => Err(Error::PlaintextPassword { username: username(), reason }),
    }
}
