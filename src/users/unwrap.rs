//! Hashes with something around them, or as Django and passlib write them, are restored.

use super::wrapped::Seen;
use super::{Changed, Error, Users};
use crate::credential::NewCredential;
use crate::store::{Row, StoredSecret};
use crate::user::StoredText;

impl Users {
    /// Restores each stored value that is a valid hash with something around it, as
    /// [`check`](Self::check) finds it, and converts PBKDF2 hashes of Django and passlib: all or none.
    /// Locked users stay locked, and passwords are the same. The answer is whose value was restored.
    ///
    /// # Errors
    ///
    /// [`Error::ConcurrentChange`] if another program was faster.
    pub fn unwrap_hashes(&mut self) -> Result<Vec<StoredText>, Error> {
        self.change("unwrap", None, |transaction| {
            let mut found = Vec::new();
            transaction.rows(&mut |row| {
                if let Some(new) = restored(&row).as_ref().and_then(NewCredential::of_stored) {
                    found.push((row.username, row.secret, new));
                }
            })?;
            let mut changed = Vec::new();
            for (username, secret, new) in found {
                let Some(key) = username.as_key() else { continue };
                if transaction.get(key)?.is_none_or(|now| now.secret != secret) {
                    return Err(Error::ConcurrentChange(username));
                }
                transaction.set_credential(key, &new)?;
                changed.push(username);
            }
            Ok(if changed.is_empty() { Changed::No(changed) } else { Changed::Yes(changed) })
        })
    }
}

/// What is to be stored in the place of a value.
fn restored(row: &Row) -> Option<StoredSecret> {
    blob_of_hash(&row.secret).or_else(|| Seen::in_stored(&row.secret)?.restored())
}

/// The hash whose UTF-8 is stored as a BLOB.
pub(super) fn blob_of_hash(stored: &StoredSecret) -> Option<StoredSecret> {
    let StoredText::Blob(bytes) = stored.expose() else { return None };
    let text = StoredSecret::from(StoredText::from(&**bytes));
    NewCredential::of_stored(&text).map(|_| text)
}
