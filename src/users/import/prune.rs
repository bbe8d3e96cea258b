//! Removing users that a file does not list.

use std::collections::{HashMap, HashSet};

use super::super::Error;
use crate::store::{Cause, StoreError, StoredSecret, Transaction};
use crate::transfer::Position;
use crate::user::StoredText;

/// Why users that a file does not list are not removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PruneError {
    /// The file is empty, perhaps by mistake.
    #[error("the file lists no users, so every user would be removed")]
    EmptyFile,
    /// The file lists none of the existing users, so it is probably the wrong file.
    #[error("the file lists none of the {0} existing users, so every user would be removed")]
    EveryUser(u64),
    /// Another program added a user, or changed the stored value of one, after the users to be
    /// removed were determined.
    #[error("user '{0}' was added or changed by another program at the same time")]
    Unexpected(StoredText),
    /// A foreign key or trigger of the app removes a listed user together with another.
    #[error(
        "removing the other users would also remove '{0}', because of a foreign key or trigger of \
         the app"
    )]
    Listed(StoredText),
}

/// The names as stored of the users that a file lists, and where.
pub(super) type Listed = HashMap<StoredText, Position>;

/// The users of a database, as far as a file lists them.
#[derive(Default)]
pub(super) struct Pruned {
    /// The users that the file does not list, ordered by name.
    pub(super) unlisted: Vec<StoredText>,
    /// Their stored values, in the same order. Another user of the same name has another.
    secrets: Vec<StoredSecret>,
    /// How many others no command can remove: their names are NULL or BLOBs.
    pub(super) unreachable: u64,
}

impl Pruned {
    /// Compares the users with those that the file lists, by their names as stored.
    pub(super) fn find(
        all: Vec<(StoredText, StoredSecret)>,
        listed: &Listed,
    ) -> Result<Self, Error> {
        let mut pruned = Self::default();
        let mut kept = 0_u64;
        for (name, secret) in all {
            match (name.as_key(), listed.contains_key(&name)) {
                (None, is_listed) => pruned.unreachable += u64::from(!is_listed),
                (Some(_), true) => kept += 1,
                (Some(_), false) => {
                    pruned.unlisted.push(name);
                    pruned.secrets.push(secret);
                }
            }
        }
        match pruned.unlisted.len() as u64 {
            count @ 1.. if kept == 0 => Err(PruneError::EveryUser(count).into()),
            _ => Ok(pruned),
        }
    }

    fn unlisted_with_secrets(&self) -> impl Iterator<Item = (&StoredText, &StoredSecret)> {
        self.unlisted.iter().zip(&self.secrets)
    }

    /// Checks that nobody would be removed except those of `expected`.
    pub(super) fn require_only(&self, expected: &Self) -> Result<(), Error> {
        let expected: HashMap<_, _> = expected.unlisted_with_secrets().collect();
        match self.unlisted_with_secrets().find(|(name, secret)| expected.get(name) != Some(secret))
        {
            Some((name, _)) => Err(PruneError::Unexpected(name.clone()).into()),
            None => Ok(()),
        }
    }

    /// Removes the users, each with an event in the history.
    pub(super) fn remove(
        &self,
        transaction: &mut (dyn Transaction + '_),
        actor: Option<&str>,
        listed: &Listed,
    ) -> Result<(), Error> {
        if self.unlisted.is_empty() {
            return Ok(());
        }
        transaction.attribute(&Cause { actor, action: "remove", detail: None })?;
        for name in &self.unlisted {
            let Some(key) = name.as_key() else { continue };
            // A foreign key of the app may have removed this user together with another.
            if transaction.get(key)?.is_some_and(|row| row.username == *name) {
                transaction.delete(key).map_err(|error| of_user(name, error))?;
            }
        }
        let mut missing: HashSet<_> = listed.keys().collect();
        transaction.rows(&mut |row| {
            missing.remove(&row.username);
        })?;
        match missing.into_iter().min() {
            Some(name) => Err(PruneError::Listed(name.clone()).into()),
            None => Ok(()),
        }
    }
}

/// The names of all users, with their stored values.
pub(super) fn names(
    transaction: Option<&mut (dyn Transaction + '_)>,
) -> Result<Vec<(StoredText, StoredSecret)>, StoreError> {
    let mut names = Vec::new();
    if let Some(transaction) = transaction {
        transaction.rows(&mut |row| names.push((row.username, row.secret)))?;
    }
    Ok(names)
}

/// Adds the user to the reason of a refusal.
fn of_user(name: &StoredText, error: StoreError) -> StoreError {
    match error {
        StoreError::Refused { location, reason } => {
            StoreError::Refused { location, reason: format!("user '{name}': {reason}") }
        }
        error => error,
    }
}
