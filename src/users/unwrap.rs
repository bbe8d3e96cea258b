//! Restoring hashes with extra characters around them, and converting hashes of Django and passlib.

use super::wrapped::Detected;
use super::{Changed, Error, Users};
use crate::credential::NewCredential;
use crate::store::{Access, Row, StoredSecret};
use crate::user::StoredText;

impl Users {
    /// Restores every stored value that is a valid hash with extra characters around it, as found
    /// by [`check`](Self::check), and converts PBKDF2 hashes of Django and passlib, all or none.
    /// Locked users stay locked, and passwords stay the same. Returns the users whose values were
    /// restored.
    ///
    /// # Errors
    ///
    /// [`Error::ConcurrentChange`] if another program changed a value at the same time.
    pub fn unwrap_hashes(&mut self) -> Result<Vec<StoredText>, Error> {
        // Judging takes time, in which others may write.
        let mut rows = Vec::new();
        self.store.begin(Access::Read)?.rows(&mut |row| {
            if row.secret.credential().hash().is_none() {
                rows.push(row);
            }
        })?;
        let judge = |row: Row| {
            let new = restored(&row).as_ref().and_then(NewCredential::of_stored)?;
            Some((row.username, row.secret, new))
        };
        let found: Vec<_> = rows.into_iter().filter_map(judge).collect();
        self.change("unwrap", None, |transaction| {
            let mut changed = Vec::new();
            for (username, secret, new) in &found {
                let Some(key) = username.as_key() else { continue };
                if transaction.get(key)?.is_none_or(|now| now.secret != *secret) {
                    return Err(Error::ConcurrentChange(username.clone()));
                }
                transaction.set_credential(key, new)?;
                changed.push(username.clone());
            }
            Ok(if changed.is_empty() { Changed::No(changed) } else { Changed::Yes(changed) })
        })
    }
}

/// The value to store instead of the one in a row.
fn restored(row: &Row) -> Option<StoredSecret> {
    blob_of_hash(&row.secret).or_else(|| Detected::in_stored(&row.secret)?.restored())
}

/// The hash that a BLOB holds as UTF-8.
pub(super) fn blob_of_hash(stored: &StoredSecret) -> Option<StoredSecret> {
    let StoredText::Blob(bytes) = stored.expose() else { return None };
    let text = StoredSecret::from(StoredText::from(&**bytes));
    NewCredential::of_stored(&text).map(|_| text)
}
