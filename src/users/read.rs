//! Looking up users.

use super::change::members;
use super::{Error, Users};
use crate::hash::Method;
use crate::store::{Access, Reference};
use crate::user::{StoredText, User};

/// Only the database fails: each error is a [`StoreError`](crate::StoreError).
#[expect(clippy::missing_errors_doc, reason = "all fail alike")]
impl Users {
    /// The user `username`, if there is one.
    pub fn get(&mut self, username: impl AsRef<[u8]>) -> Result<Option<User>, Error> {
        let row = self.store.begin(Access::Read)?.get(username.as_ref())?;
        Ok(row.map(|row| row.into_user(&self.method)))
    }

    /// All users, ordered by the bytes of their names in the database's encoding.
    pub fn list(&mut self) -> Result<Vec<User>, Error> {
        let mut users = Vec::new();
        self.each(&mut |user| users.push(user))?;
        Ok(users)
    }

    /// Passes all users to `each`, in the order of [`list`](Self::list). Other programs may be unable
    /// to change the database until this returns, so `each` should be fast.
    pub fn each(&mut self, each: &mut dyn FnMut(User)) -> Result<(), Error> {
        let mut transaction = self.store.begin(Access::Read)?;
        Ok(transaction.rows(&mut |row| each(row.into_user(&self.method)))?)
    }

    /// The first `limit` usernames that begin with `prefix`, ordered by their bytes. Names that are
    /// not text are skipped.
    pub fn names(&mut self, prefix: &str, limit: u32) -> Result<Vec<String>, Error> {
        Ok(self.store.begin(Access::Read)?.names(prefix, limit)?)
    }

    /// The first `limit` groups that begin with `prefix`, as for [`names`](Self::names).
    pub fn groups(&mut self, prefix: &str, limit: u32) -> Result<Vec<String>, Error> {
        Ok(self.store.begin(Access::Read)?.groups(prefix, limit)?)
    }

    /// Whether there are no users.
    pub fn is_empty(&mut self) -> Result<bool, Error> {
        Ok(self.store.begin(Access::Read)?.is_empty(false)?)
    }

    /// The users in a group, in the order of [`list`](Self::list). Users whose names cannot be looked
    /// up are left out.
    pub fn members(&mut self, group: &[u8]) -> Result<Vec<StoredText>, Error> {
        Ok(members(&mut *self.store.begin(Access::Read)?, group)?)
    }

    /// Whether there are hashes and all of them are PBKDF2. Then the app's werkzeug or Python may
    /// not support scrypt.
    pub fn are_all_pbkdf2(&mut self) -> Result<bool, Error> {
        let (mut pbkdf2, mut others) = (0, 0);
        self.store.begin(Access::Read)?.rows_without_times(&mut |row| match row
            .secret
            .credential()
            .hash()
        {
            Some(hash) if matches!(hash.method(), Method::Pbkdf2(_)) => pbkdf2 += 1,
            Some(_) => others += 1,
            None => {}
        })?;
        Ok(pbkdf2 > 0 && others == 0)
    }

    /// The rows of the app's tables that reference `username`, and what removing the user does to
    /// them.
    pub fn references(&mut self, username: impl AsRef<[u8]>) -> Result<Vec<Reference>, Error> {
        Ok(self.store.begin(Access::Read)?.references(username.as_ref())?)
    }

    /// As [`references`](Self::references), for several users. Rows of the same table are added up.
    pub fn references_to_any(&mut self, usernames: &[StoredText]) -> Result<Vec<Reference>, Error> {
        let mut transaction = self.store.begin(Access::Read)?;
        let mut all = Vec::<Reference>::new();
        for username in usernames.iter().filter_map(StoredText::as_key) {
            for next in transaction.references(username)? {
                let is_same = |other: &&mut Reference| {
                    other.table == next.table && other.on_delete == next.on_delete
                };
                match all.iter_mut().find(is_same) {
                    Some(same) => same.rows += next.rows,
                    None => all.push(next),
                }
            }
        }
        Ok(all)
    }
}
