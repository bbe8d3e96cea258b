//! A record that is being imported.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::num::NonZeroUsize;

use super::super::Error;
use super::super::embedded_hash::{contains_hash, is_digest};
use super::super::foreign::converted;
use super::super::hash_like::is_hash_like;
use super::super::no_password::is_no_password;
use super::super::wrapped::Detected;
use super::{ImportOptions, OnConflict};
use crate::credential::{Credential, NewCredential, unlocked};
use crate::hash::{HashError, Method, PasswordHash, bulk};
use crate::password::Password;
use crate::policy;
use crate::store::{NewRow, Row, RowChange, StoredSecret};
use crate::transfer::{BadRecord, FIELDS, Position, Record, RecordError, Secret};
use crate::user::{PartialProfile, StoredText};
use crate::username::{Username, UsernameError};

/// A record that is being imported.
pub(super) struct Candidate {
    pub(super) position: Position,
    pub(super) username: StoredText,
    pub(super) secret: Planned,
    profile: PartialProfile,
    /// Whether to lock the user; `None` if the record does not say.
    pub(super) locked: Option<bool>,
    /// Whether the user existed when users were looked up.
    pub(super) is_found: bool,
    /// Whether the hash was converted from another program's format.
    pub(super) is_converted: bool,
    /// Whether the hash or password is made up for a new user who has none.
    pub(super) is_made_up: bool,
}

/// The source of the hash to store.
pub(super) enum Planned {
    Absent,
    Hash(StoredSecret),
    Plaintext(Box<Plaintext>),
}

pub(super) struct Plaintext {
    /// Empty once it is hashed, except for a generated password, which has to be reported.
    password: Password,
    pub(super) origin: Origin,
    /// The value stored for the existing user.
    pub(super) existing: Option<StoredSecret>,
    /// Whether the password matches the existing value, once verified.
    is_right: Option<bool>,
    hash: Option<PasswordHash>,
}

/// Where a plaintext password comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The file gives it as a password.
    Given,
    /// The value is not a hash, so it is a password.
    Guessed,
    Generated,
}

impl Planned {
    pub(super) fn plaintext(password: Password, origin: Origin) -> Self {
        let (existing, is_right, hash) = (None, None, None);
        Self::Plaintext(Box::new(Plaintext { password, origin, existing, is_right, hash }))
    }
}

impl Plaintext {
    /// Whether there is anything to compute. In a dry run, only existing values are verified.
    pub(super) fn is_work(&self, dry_run: bool) -> bool {
        let is_verified = self.existing.is_none() || self.is_right.is_some();
        let is_hashed = self.is_right == Some(true) || self.hash.is_some() || dry_run;
        !is_verified || !is_hashed
    }

    /// Sets the value stored for the existing user, to be verified if it is another than before.
    pub(super) fn compare_with(&mut self, existing: Option<StoredSecret>) {
        if self.existing != existing {
            self.existing = existing;
            self.is_right = None;
        }
    }

    /// Verifies and hashes passwords where necessary, and calls `progress` after each of them. Then
    /// the passwords are wiped, unless `is_kept`.
    pub(super) fn hash_all(
        mut work: Vec<&mut Self>,
        method: &Method,
        dry_run: bool,
        is_kept: bool,
        jobs: NonZeroUsize,
        progress: &(dyn Fn() + Sync),
    ) {
        let (mut checked, mut hashes) = (Vec::new(), Vec::new());
        for plaintext in &mut work {
            let Some(existing) = plaintext.existing.as_ref() else { continue };
            if plaintext.is_right.is_some() {
                continue;
            }
            match existing.credential().hash() {
                Some(hash) => {
                    hashes.push(hash.clone());
                    checked.push(&mut **plaintext);
                }
                None => plaintext.is_right = Some(false),
            }
        }
        let checks: Vec<_> =
            hashes.iter().zip(checked.iter().map(|plaintext| &plaintext.password)).collect();
        let is_right = bulk::verify_all(&checks, jobs, &|is_right| {
            // A wrong password is hashed next.
            if is_right || dry_run {
                progress();
            }
        });
        for (plaintext, is_right) in checked.into_iter().zip(is_right) {
            plaintext.is_right = Some(is_right);
        }

        let new = work.iter_mut().map(|plaintext| &mut **plaintext).filter(|plaintext| {
            plaintext.is_right != Some(true) && plaintext.hash.is_none() && !dry_run
        });
        let new: Vec<_> = new.collect();
        let passwords: Vec<_> = new.iter().map(|plaintext| &plaintext.password).collect();
        let hashes = bulk::hash_all(method, &passwords, jobs, progress);
        for (plaintext, hash) in new.into_iter().zip(hashes) {
            plaintext.hash = Some(hash);
        }
        for plaintext in work {
            if plaintext.origin != Origin::Generated && !is_kept {
                plaintext.password = Password::from("");
            }
        }
    }
}

impl Candidate {
    pub(super) fn new(record: Record, options: ImportOptions) -> Self {
        let Record { position, username, secret, mut profile, locked } = record;
        if let Some(groups) = &mut profile.groups {
            // In the order of a row's groups.
            let is_blob = |group: &StoredText| matches!(group, StoredText::Blob(_));
            let order = |a: &_, b: &_| is_blob(a).cmp(&is_blob(b));
            groups.sort_by(|a, b| order(a, b).then_with(|| a.as_bytes().cmp(b.as_bytes())));
            groups.dedup();
            groups.shrink_to_fit();
        }
        let converted = match &secret {
            Some(Secret::Hash(hash)) if !options.as_is => {
                hash.expose().as_str().and_then(converted_hash)
            }
            Some(Secret::Either(text)) => converted_hash(text.expose()),
            _ => None,
        };
        let is_converted = converted.is_some();
        let secret = match (converted, secret) {
            (Some(converted), _) => Planned::Hash(converted),
            (None, None) => Planned::Absent,
            (None, Some(Secret::Password(password))) => Planned::plaintext(password, Origin::Given),
            (None, Some(Secret::Hash(hash))) => Planned::Hash(hash),
            (None, Some(Secret::Either(text))) => {
                let stored = StoredSecret::from(StoredText::Text(text.expose().to_owned()));
                match stored.credential() {
                    Credential::Active(_) | Credential::Locked(_) => Planned::Hash(stored),
                    Credential::Unusable(_) => Planned::plaintext(text, Origin::Guessed),
                }
            }
        };
        Self {
            position,
            username,
            secret,
            profile,
            locked,
            is_found: false,
            is_converted,
            is_made_up: false,
        }
    }

    pub(super) fn refused(&self, reason: RecordError) -> BadRecord {
        BadRecord { position: self.position, username: Some(self.username.clone()), reason }
    }

    /// Validates the record. Returns the first problem.
    pub(super) fn validate(&self, options: ImportOptions) -> Result<(), RecordError> {
        if !options.as_is && !self.is_found {
            self.username.as_str().ok_or(UsernameError::NotUtf8)?.parse::<Username>()?;
        }
        if self.username == StoredText::Null && !matches!(self.secret, Planned::Hash(_)) {
            return Err(RecordError::UnnamedWithoutHash);
        }
        match &self.secret {
            Planned::Hash(hash) => {
                if !options.as_is {
                    validate_hash(hash)?;
                }
                with_lock(hash, self.locked).map_err(RecordError::Hash)?;
            }
            Planned::Plaintext(plaintext) => {
                validate_password(plaintext, options.allow_hash_like)?;
                policy::check(&plaintext.password, self.username.as_str(), options.allow_weak)?;
                policy::check_visible(&plaintext.password)?;
            }
            Planned::Absent => {
                // For the others, it depends on whether the user exists.
                let is_certain = matches!(options.on_conflict, OnConflict::Fail | OnConflict::Skip);
                if is_certain && !options.generate_missing && !options.lock_missing {
                    return Err(RecordError::NoSecret);
                }
            }
        }
        if options.as_is { Ok(()) } else { self.profile.validate() }
    }

    /// The row of a new user, and the generated password if there is one.
    pub(super) fn new_row(&self) -> Result<(NewRow, Option<Password>), Error> {
        let Self { username, secret, locked, .. } = self;
        let (secret, password) = match secret {
            Planned::Hash(hash) => (self.locked_hash(hash)?, None),
            Planned::Plaintext(plaintext) => {
                let Plaintext { password, origin, hash, existing, .. } = &**plaintext;
                if existing.is_some() {
                    return Err(Error::ConcurrentChange(username.clone()));
                }
                let is_locked = *locked == Some(true);
                let hash = hash.as_ref().map(|hash| new_credential(hash, is_locked));
                let secret = hash.as_ref().map_or(StoredText::Null.into(), StoredSecret::from);
                (secret, (*origin == Origin::Generated).then(|| password.clone()))
            }
            Planned::Absent => return Err(Error::ConcurrentChange(username.clone())),
        };
        let (username, profile) = (username.clone(), self.profile.complete());
        Ok((NewRow { username, secret, profile }, password))
    }

    /// Whether fields other than the password differ from those of the existing user.
    pub(super) fn differs(&self, row: &Row) -> bool {
        self.profile.changes(&row.profile) != PartialProfile::default()
    }

    /// The hash and language of a user whose name is NULL, to find the same one.
    pub(super) fn unnamed_content(&self) -> Result<Option<(StoredSecret, StoredText)>, Error> {
        match (&self.username, &self.secret) {
            (StoredText::Null, Planned::Hash(hash)) => {
                Ok(Some((self.locked_hash(hash)?, self.profile.complete().language)))
            }
            _ => Ok(None),
        }
    }

    /// The changes to `row`; `None` if there are none.
    pub(super) fn change(
        &self,
        row: Row,
        options: ImportOptions,
    ) -> Result<Option<RowChange>, Error> {
        let ImportOptions { on_conflict, dry_run, .. } = options;
        if row.username == StoredText::Null {
            // It was found by its content, and has no groups.
            return Ok(None);
        }
        let locked = self.lock_of(&row, options);
        let relocked = |stored| self.relocked(stored, locked);
        // The stored value, locked or unlocked as the record says.
        let same = || Ok::<_, Error>(relocked(&row.secret)?.filter(|other| *other != row.secret));
        let (secret, is_new_password) = match &self.secret {
            _ if self.is_made_up || on_conflict == (OnConflict::Sync { passwords: false }) => {
                (same()?, false)
            }
            Planned::Absent => (same()?, false),
            Planned::Hash(hash) => {
                let relocked = relocked(hash)?;
                let hash = relocked.as_ref().unwrap_or(hash);
                let is_new = unlocked_hash(hash) != unlocked_hash(&row.secret);
                ((*hash != row.secret).then(|| hash.clone()), is_new)
            }
            Planned::Plaintext(plaintext) => match &**plaintext {
                Plaintext { existing, .. } if existing.as_ref() != Some(&row.secret) => {
                    return Err(Error::ConcurrentChange(row.username));
                }
                Plaintext { is_right: Some(true), .. } => (same()?, false),
                Plaintext { hash, .. } => {
                    let is_locked = locked.unwrap_or_else(|| row.secret.credential().is_locked());
                    let new = hash.as_ref();
                    let new = new.map(|hash| StoredSecret::from(&new_credential(hash, is_locked)));
                    // A dry run does not hash.
                    (new.or_else(|| dry_run.then(|| StoredText::Null.into())), true)
                }
            },
        };
        let profile = self.profile.changes(&row.profile);
        let is_change = secret.is_some() || profile != PartialProfile::default();
        let (username, before) = (row.username, row.secret);
        let change = RowChange { username, before, secret, is_new_password, profile };
        Ok(is_change.then_some(change))
    }
}

impl Candidate {
    /// Whether the existing user is to be locked. `None` leaves it to the hash of the record, which
    /// may lock an active user, but unlocks nobody unless it is taken as it is.
    fn lock_of(&self, row: &Row, options: ImportOptions) -> Option<bool> {
        let is_locked = row.secret.is_locked();
        let (is_sync, has_passwords) = match options.on_conflict {
            OnConflict::Sync { passwords } => (true, passwords),
            _ => (false, true),
        };
        let is_hash = matches!(self.secret, Planned::Hash(_)) && !self.is_made_up && has_passwords;
        match self.locked {
            locked if options.as_is && is_hash => locked,
            Some(_) if is_sync => Some(is_locked),
            None if is_locked => Some(true),
            locked => locked,
        }
    }

    /// Locks or unlocks a stored value if the record says so.
    fn locked_hash(&self, stored: &StoredSecret) -> Result<StoredSecret, Error> {
        Ok(self.relocked(stored, self.locked)?.unwrap_or_else(|| stored.clone()))
    }

    /// See [`with_lock`].
    fn relocked(
        &self,
        stored: &StoredSecret,
        locked: Option<bool>,
    ) -> Result<Option<StoredSecret>, Error> {
        with_lock(stored, locked)
            .map_err(|reason| Error::InvalidHash { username: self.username.clone(), reason })
    }
}

/// A stored value locked or unlocked if requested; `None` if that changes nothing.
fn with_lock(
    stored: &StoredSecret,
    locked: Option<bool>,
) -> Result<Option<StoredSecret>, HashError> {
    let new = match locked {
        Some(true) => NewCredential::lock(stored.expose())?,
        Some(false) if stored.is_locked() => NewCredential::unlock(stored.expose())?,
        _ => None,
    };
    Ok(new.as_ref().map(StoredSecret::from))
}

fn new_credential(hash: &PasswordHash, is_locked: bool) -> NewCredential {
    if is_locked { NewCredential::locked(hash) } else { hash.clone().into() }
}

/// Converts a hash of Django or passlib to werkzeug's format.
fn converted_hash(text: &str) -> Option<StoredSecret> {
    converted(text).map(|hash| StoredSecret::from(StoredText::Text((*hash).clone())))
}

/// The hash of a stored value, locked or not.
fn unlocked_hash(stored: &StoredSecret) -> Cow<'_, StoredText> {
    let unlocked = stored.expose().as_str().and_then(unlocked);
    unlocked.map_or(Cow::Borrowed(stored.expose()), |text| Cow::Owned(StoredText::Text(text)))
}

/// An order in which usernames that differ only by case, or not at all, are adjacent.
pub(super) fn by_name(a: &StoredText, b: &StoredText) -> Ordering {
    let (bytes_a, bytes_b) = (a.as_bytes(), b.as_bytes());
    let lower_case = |(a, b): (&u8, &u8)| a.to_ascii_lowercase().cmp(&b.to_ascii_lowercase());
    // Most bytes are equal.
    let differing = bytes_a.iter().zip(bytes_b).filter(|(a, b)| a != b);
    let first = differing.map(lower_case).find(|order| order.is_ne());
    first
        .unwrap_or_else(|| bytes_a.len().cmp(&bytes_b.len()))
        .then_with(|| bytes_a.cmp(bytes_b))
        .then_with(|| a.cmp(b))
}

fn validate_hash(stored: &StoredSecret) -> Result<(), RecordError> {
    // Most are, and this is fast.
    if stored.expose().as_str().is_some_and(|text| PasswordHash::validate(text).is_ok()) {
        return Ok(());
    }
    let (Credential::Locked(Err(error)) | Credential::Unusable(error)) = stored.credential() else {
        return Ok(());
    };
    if stored.expose().as_str().is_some_and(is_no_password) {
        return Err(RecordError::NoPassword(FIELDS[2]));
    }
    match Detected::in_stored(stored)
        .filter(|detected| detected.is_hash() && (detected.is_wrapped() || !detected.is_ours()))
    {
        Some(detected) => Err(RecordError::OtherHash(detected.describe())),
        None => Err(RecordError::Hash(error)),
    }
}

/// Rejects hashes and placeholders. A value that only looks like a hash may be a password if the
/// file gives it as one, except a digest.
fn validate_password(plaintext: &Plaintext, allow_hash_like: bool) -> Result<(), RecordError> {
    let password = plaintext.password.expose();
    if is_no_password(password) {
        return Err(RecordError::NoPassword(FIELDS[1]));
    }
    if let Some(detected) = Detected::in_text(password).filter(Detected::is_hash) {
        return Err(RecordError::HashNotPassword(detected.describe()));
    }
    let is_refused = contains_hash(password)
        || match plaintext.origin {
            Origin::Given => is_digest(password),
            Origin::Guessed => is_hash_like(password),
            Origin::Generated => false,
        };
    if is_refused && !allow_hash_like {
        return Err(RecordError::HashLike);
    }
    Ok(())
}
