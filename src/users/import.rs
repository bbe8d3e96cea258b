//! Importing many users from a file: records are validated, matched with existing users, hashed,
//! and written at once.

mod candidate;
mod problems;
mod prune;
mod unnamed;

use std::borrow::Borrow;
use std::num::NonZeroUsize;

use self::candidate::{Candidate, Origin, Plaintext, Planned, by_name};
pub use self::problems::BadRecords;
use self::problems::Problems;
pub use self::prune::PruneError;
use self::prune::{Listed, Pruned, names};
use self::unnamed::Unnamed;
use super::{Error, MAX_RETRIES, Users, until_known};
use crate::credential::NewCredential;
use crate::hash::{Method, PasswordHash};
use crate::password::Password;
use crate::store::{
    Access, Cause, CommitHooks, ImportRow, Row, StoreError, StoredSecret, Transaction,
};
use crate::transfer::{BadRecord, Record, RecordError, Secret};
use crate::user::StoredText;
use crate::username::Username;

/// Options of an import. By default all are false, and an existing user is an error.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct ImportOptions {
    /// What to do with records of existing users.
    pub on_conflict: OnConflict,
    /// Whether to accept usernames, hashes, languages and groups without validating them.
    pub as_is: bool,
    /// Whether to accept passwords that look like a hash or a digest; false by default.
    pub allow_hash_like: bool,
    /// Whether to accept [weak](crate::policy::Violation::is_weakness) plaintext passwords.
    pub allow_weak: bool,
    /// Whether to accept a username that differs from another only by ASCII case.
    pub allow_similar: bool,
    /// Whether to generate passwords for new users without one.
    pub generate_missing: bool,
    /// Whether to lock new users without a password, with a hash that no known password matches.
    pub lock_missing: bool,
    /// Whether to remove users that the file does not list: those in
    /// [`unlisted`](Import::unlisted), or fewer if another program removes some. Users whose names
    /// are NULL or BLOBs stay. Never removes every user.
    pub prune: bool,
    /// Whether to write nothing.
    pub dry_run: bool,
}

/// What to do with records of existing users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConflict {
    /// Import nothing and report an error.
    #[default]
    Fail,
    /// Skip the record.
    Skip,
    /// Skip the record without validating it.
    SkipUnchecked,
    /// Update the user with the fields that the record has. If the plaintext password is already
    /// the user's, the hash stays unchanged.
    Update,
    /// As `Update`, but neither lock nor unlock the user because of the lock that the record has,
    /// and do not validate the existing username.
    Sync {
        /// Whether to update the password or hash too. If not, it is not validated.
        passwords: bool,
    },
}

impl OnConflict {
    /// Whether validation depends on whether the user exists.
    fn is_validated_late(self) -> bool {
        matches!(self, Self::SkipUnchecked | Self::Sync { .. })
    }

    /// Whether passwords of existing users may change.
    fn updates_passwords(self) -> bool {
        matches!(self, Self::Update | Self::Sync { passwords: true })
    }
}

/// How many records of a file had which result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ImportSummary {
    /// Added users.
    pub added: u64,
    /// Changed users.
    pub changed: u64,
    /// Existing users who did not differ.
    pub unchanged: u64,
    /// Skipped records.
    pub skipped: u64,
    /// Those of the skipped records whose language or groups differ from the existing user's.
    pub differing: u64,
    /// Removed users.
    pub removed: u64,
}

/// An import of the records of a file.
///
/// Call [`push`](Self::push) for each record and then [`write`](Self::write). To inspect the import
/// in between, call [`end`](Self::end), [`look_up`](Self::look_up) and [`hash`](Self::hash) in this
/// order; `write` does the steps that were left out.
#[derive(Default)]
pub struct Import {
    options: ImportOptions,
    method: Method,
    stage: Stage,
    candidates: Vec<Candidate>,
    problems: Problems,
    summary: ImportSummary,
    hashes: u64,
    passwords: u64,
    converted: u64,
    locked: usize,
    pruned: Pruned,
}

/// The steps that are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Stage {
    #[default]
    Read,
    Sorted,
    LookedUp,
}

/// The existing users found so far.
#[derive(Default)]
struct Existing {
    /// Those that the file lists, if they may change or the others are removed.
    listed: Listed,
    unnamed: Unnamed,
}

/// A record, and the row of its user if the user exists.
type Matched<C> = (C, Option<Row>);

impl Import {
    /// An import without records, which hashes passwords with `method`.
    #[must_use]
    pub fn new(options: ImportOptions, method: Method) -> Self {
        Self { options, method, ..Self::default() }
    }

    /// Adds and validates the next record of the file, or adds its error.
    pub fn push(&mut self, record: Result<Record, BadRecord>) {
        let record = match record {
            Ok(record) => record,
            Err(bad) => return self.problems.add(bad),
        };
        let is_either = matches!(record.secret, Some(Secret::Either(_)));
        let candidate = Candidate::new(record, self.options);
        if candidate.is_converted && !is_either {
            self.converted += 1;
        }
        if is_either {
            match candidate.secret {
                Planned::Hash(_) => self.hashes += 1,
                _ => self.passwords += 1,
            }
        }
        if self.options.on_conflict.is_validated_late() {
            self.candidates.push(candidate);
        } else {
            self.validate(candidate);
        }
    }

    fn validate(&mut self, candidate: Candidate) {
        match candidate.validate(self.options) {
            Ok(()) => self.candidates.push(candidate),
            Err(reason) => self.problems.add(candidate.refused(reason)),
        }
    }

    /// How many values of a JSON object whose keys are usernames were detected as hashes, and how
    /// many as plaintext passwords.
    #[must_use]
    pub fn detected(&self) -> (u64, u64) {
        (self.hashes, self.passwords)
    }

    /// How many values of `password_hash` were converted from PBKDF2 hashes of Django or passlib.
    #[must_use]
    pub fn converted(&self) -> u64 {
        self.converted
    }

    /// How many users without a password will be locked, as known after [`look_up`](Self::look_up).
    #[must_use]
    pub fn locked_missing(&self) -> usize {
        self.locked
    }

    /// The users that [`prune`](ImportOptions::prune) removes, as known after
    /// [`look_up`](Self::look_up), ordered by name.
    #[must_use]
    pub fn unlisted(&self) -> &[StoredText] {
        &self.pruned.unlisted
    }

    /// How many users the file does not list and nobody can remove by name, as known after
    /// [`look_up`](Self::look_up): their names are NULL or BLOBs.
    #[must_use]
    pub fn unreachable(&self) -> u64 {
        self.pruned.unreachable
    }

    /// Ends reading, and checks for duplicate users in the file.
    ///
    /// # Errors
    ///
    /// [`Error::BadRecords`], and [`Error::Prune`] for a file without records.
    pub fn end(&mut self) -> Result<(), Error> {
        let is_end = self.stage < Stage::Sorted;
        if is_end {
            self.sort();
            self.stage = Stage::Sorted;
        }
        std::mem::take(&mut self.problems).result()?;
        if is_end && self.options.prune && self.candidates.is_empty() {
            return Err(PruneError::EmptyFile.into());
        }
        Ok(())
    }

    /// Looks up existing users, to avoid unnecessary hashing. Without `users`, no user exists.
    ///
    /// # Errors
    ///
    /// [`Error::BadRecords`], [`Error::Prune`].
    pub fn look_up(&mut self, users: Option<&mut Users>) -> Result<(), Error> {
        self.end()?;
        let is_validated_late = self.options.on_conflict.is_validated_late();
        let is_hash = |candidate: &Candidate| matches!(candidate.secret, Planned::Hash(_));
        let is_needed =
            is_validated_late || self.options.prune || !self.candidates.iter().all(is_hash);
        if self.stage == Stage::LookedUp || !is_needed {
            return Ok(());
        }
        let mut transaction = match users {
            Some(users) => Some(users.store.begin(Access::Read)?),
            None => None,
        };
        let size = chunk(transaction.as_deref());
        let mut there = unless_empty(transaction.as_deref_mut(), false)?;
        let mut existing = Existing::default();
        for chunk in self.take_chunks(size) {
            let Self { options, problems, summary, .. } = self;
            let there = there.as_deref_mut();
            for (candidate, row) in
                match_rows(*options, chunk, there, &mut existing, problems, summary)?
            {
                self.keep(candidate, row);
            }
        }
        let names = if self.options.prune { names(there)? } else { Vec::new() };
        // Validation takes time, during which other programs may write.
        drop(transaction);
        if is_validated_late {
            for candidate in std::mem::take(&mut self.candidates) {
                self.validate(candidate);
            }
        }
        self.stage = Stage::LookedUp;
        std::mem::take(&mut self.problems).result()?;
        self.pruned = Pruned::find(names, &existing.listed)?;
        Ok(())
    }

    /// Looks up passwords that another program changed since [`look_up`](Self::look_up), and
    /// verifies and hashes what is necessary because of it.
    fn look_up_again(&mut self, users: &mut Users) -> Result<(), Error> {
        let mut transaction = users.store.begin(Access::Read)?;
        for chunk in self.candidates.chunks_mut(transaction.chunk()) {
            let names: Vec<_> = chunk.iter().map(|candidate| &candidate.username).collect();
            let rows = transaction.find(&names)?;
            for (candidate, row) in chunk.iter_mut().zip(rows) {
                if let Planned::Plaintext(plaintext) = &mut candidate.secret {
                    plaintext.compare_with(row.map(|row| row.secret));
                }
            }
        }
        drop(transaction);
        self.hash(NonZeroUsize::MIN, &|| ());
        Ok(())
    }

    /// Takes the records in chunks.
    fn take_chunks(&mut self, size: usize) -> impl Iterator<Item = Vec<Candidate>> + use<> {
        let mut candidates = std::mem::take(&mut self.candidates).into_iter();
        std::iter::from_fn(move || {
            Some(candidates.by_ref().take(size).collect())
                .filter(|chunk: &Vec<_>| !chunk.is_empty())
        })
    }

    /// Sorts the records by username, which makes writing them fast, and finds duplicates.
    fn sort(&mut self) {
        let Self { candidates, problems, options, .. } = self;
        // In place. Records with the same username stay in the order of the file.
        candidates.sort_unstable_by(|a, b| {
            by_name(&a.username, &b.username).then(a.position.cmp(&b.position))
        });
        let mut refuse = |candidate: &Candidate, reason| {
            let (position, username) = (candidate.position, Some(candidate.username.clone()));
            problems.add(BadRecord { position, username, reason });
        };
        let lower_case = |a: &Candidate, b: &Candidate| {
            a.username.as_bytes().eq_ignore_ascii_case(b.username.as_bytes())
        };
        for similar in candidates.chunk_by(lower_case) {
            let first = similar.iter().map(|candidate| candidate.position).min();
            for same in similar.chunk_by(|a, b| a.username == b.username) {
                if let Some(first) = first.filter(|first| same[0].position != *first)
                    && !options.allow_similar
                    && !options.as_is
                {
                    refuse(&same[0], RecordError::RepeatedByCase(first));
                }
                // Any number of users may have the username NULL.
                for again in same[1..].iter().filter(|again| again.username != StoredText::Null) {
                    refuse(again, RecordError::Repeated(same[0].position));
                }
            }
        }
    }

    /// Keeps a record until it is written.
    fn keep(&mut self, mut candidate: Candidate, row: Option<Row>) {
        candidate.is_found = row.is_some();
        // A user whose name is NULL is found by the hash.
        if candidate.is_found
            && candidate.username != StoredText::Null
            && self.options.on_conflict == (OnConflict::Sync { passwords: false })
        {
            candidate.secret = Planned::Absent;
        }
        match (&mut candidate.secret, row) {
            (Planned::Plaintext(plaintext), Some(row)) => plaintext.existing = Some(row.secret),
            (secret @ Planned::Absent, None) if self.options.lock_missing => {
                let locked = NewCredential::locked(&PasswordHash::of_nothing(&self.method));
                *secret = Planned::Hash(StoredSecret::from(&locked));
                candidate.locked = None;
                candidate.is_made_up = true;
                self.locked += 1;
            }
            (secret @ Planned::Absent, None) => {
                *secret = Planned::plaintext(Password::generate(), Origin::Generated);
                candidate.is_made_up = true;
            }
            _ => {}
        }
        self.candidates.push(candidate);
    }

    /// How many users get a generated password, as known after [`look_up`](Self::look_up).
    #[must_use]
    pub fn generated(&self) -> usize {
        self.plaintext().filter(|plaintext| plaintext.origin == Origin::Generated).count()
    }

    /// How many passwords [`hash`](Self::hash) will hash.
    #[must_use]
    pub fn passwords(&self) -> usize {
        self.plaintext().filter(|plaintext| plaintext.is_work(self.options.dry_run)).count()
    }

    fn plaintext(&self) -> impl Iterator<Item = &Plaintext> {
        self.candidates.iter().filter_map(|candidate| match &candidate.secret {
            Planned::Plaintext(plaintext) => Some(&**plaintext),
            _ => None,
        })
    }

    /// Hashes the plaintext passwords on `jobs` threads. Each computes up to three hashes at once,
    /// which need 32 MiB each with the default method, more for a stored hash of a higher cost.
    /// Together the threads use at most 193 MiB, or the memory of one hash if that is more.
    /// `progress` is called after each password.
    pub fn hash(&mut self, jobs: NonZeroUsize, progress: &(dyn Fn() + Sync)) {
        let (method, dry_run) = (self.method, self.options.dry_run);
        // Another program may change a password, which is then verified again.
        let is_kept = self.options.on_conflict.updates_passwords();
        let mut work = Vec::new();
        for candidate in &mut self.candidates {
            match &mut candidate.secret {
                Planned::Plaintext(plaintext) if plaintext.is_work(dry_run) => {
                    work.push(&mut **plaintext);
                }
                _ => {}
            }
        }
        Plaintext::hash_all(work, &method, dry_run, is_kept, jobs, progress);
    }
}

/// A written import, rolled back unless it is committed.
#[must_use = "nothing is changed before it is committed"]
pub struct Imported<'a> {
    transaction: Option<Box<dyn Transaction + 'a>>,
    hooks: CommitHooks,
    summary: ImportSummary,
    generated: Vec<(StoredText, Password)>,
}

impl Imported<'_> {
    /// The summary.
    #[must_use]
    pub fn summary(&self) -> ImportSummary {
        self.summary
    }

    /// The generated passwords with their usernames.
    #[must_use]
    pub fn generated(&self) -> &[(StoredText, Password)] {
        &self.generated
    }

    /// Commits the import.
    ///
    /// # Errors
    ///
    /// Only [`StoreError`](crate::StoreError); nothing is changed then.
    pub fn commit(self) -> Result<ImportSummary, Error> {
        if let Some(transaction) = self.transaction {
            transaction.commit(self.hooks)?;
        }
        Ok(self.summary)
    }
}

impl Import {
    /// Adds and changes users, all or none, as one event of the history with this `action`. Without
    /// `users`, no user exists, and the changes are only counted.
    ///
    /// # Errors
    ///
    /// [`Error::BadRecords`] for an existing user, [`Error::ConcurrentChange`] for a user whose
    /// password another program changed while passwords were hashed, and [`Error::Prune`].
    pub fn write<'a>(
        &mut self,
        mut users: Option<&'a mut Users>,
        action: &str,
    ) -> Result<Imported<'a>, Error> {
        self.look_up(users.as_deref_mut())?;
        self.hash(NonZeroUsize::MIN, &|| ());
        let dry_run = self.options.dry_run;
        let access = if dry_run { Access::Read } else { Access::Write };
        let (actor, hooks, mut transaction) = match users {
            Some(users) => {
                let Users { store, actor, hooks, .. } = users;
                (actor.as_deref(), *hooks, Some(store.begin(access)?))
            }
            None => (None, CommitHooks::default(), None),
        };
        let mut attempts = 0;
        let (summary, generated) = loop {
            let written = self.write_in(transaction.as_deref_mut(), actor, action);
            let is_overtaken = matches!(written, Err(Error::Store(StoreError::Conflict { .. })));
            match transaction.as_deref_mut().filter(|_| is_overtaken && attempts < MAX_RETRIES) {
                Some(transaction) => {
                    if !transaction.undo_import()? {
                        break written?;
                    }
                    attempts += 1;
                }
                None => break written?,
            }
        };
        let ImportSummary { added, changed, removed, .. } = summary;
        let transaction = transaction.filter(|_| added + changed + removed > 0 && !dry_run);
        Ok(Imported { transaction, hooks, summary, generated })
    }

    /// Writes in a transaction. Returns the summary, and the generated passwords.
    fn write_in(
        &mut self,
        mut transaction: Option<&mut (dyn Transaction + '_)>,
        actor: Option<&str>,
        action: &str,
    ) -> Result<(ImportSummary, Vec<(StoredText, Password)>), Error> {
        let dry_run = self.options.dry_run;
        // Those to be removed depend on all others.
        let locks = self.options.prune;
        let has_users = unless_empty(transaction.as_deref_mut(), locks)?.is_some();
        let (mut summary, mut problems) = (self.summary, Problems::default());
        let names = match transaction.as_deref_mut() {
            there if self.options.prune => names(there)?,
            _ => Vec::new(),
        };
        let mut existing = Existing::default();
        let mut generated = Vec::new();
        for chunk in self.candidates.chunks(chunk(transaction.as_deref())) {
            let there = transaction.as_deref_mut().filter(|_| has_users);
            let mut rows = Vec::new();
            let chunk = chunk.iter().collect();
            for (candidate, row) in
                match_rows(self.options, chunk, there, &mut existing, &mut problems, &mut summary)?
            {
                let Some(row) = row else {
                    summary.added += 1;
                    let (row, password) = candidate.new_row()?;
                    generated.extend(password.map(|password| (row.username.clone(), password)));
                    rows.push(ImportRow::Add(row));
                    continue;
                };
                match candidate.change(row, self.options)? {
                    Some(change) => {
                        summary.changed += 1;
                        rows.push(ImportRow::Change(change));
                    }
                    None => summary.unchanged += 1,
                }
            }
            // Changes written before a problem is found are rolled back with the transaction.
            if let Some(transaction) = transaction.as_mut().filter(|_| !dry_run && !rows.is_empty())
            {
                transaction.import(rows)?;
            }
        }
        problems.result()?;
        let pruned = Pruned::find(names, &existing.listed)?;
        pruned.require_only(&self.pruned)?;
        summary.removed = pruned.unlisted.len() as u64;
        let ImportSummary { added, changed, removed, .. } = summary;
        let mut detail = format!("{added} added, {changed} changed");
        if removed > 0 {
            detail = format!("{detail}, {removed} removed");
        }
        let is_written = added + changed + removed > 0 && !dry_run;
        if let Some(transaction) = transaction.filter(|_| is_written) {
            transaction.import(Vec::new())?;
            transaction.end_import(&Cause { actor, action, detail: Some(&detail) })?;
            pruned.remove(transaction, actor, &existing.listed)?;
        }
        self.pruned = pruned;
        Ok((summary, generated))
    }

    /// Writes and commits. If another program holds a lock or wrote at the same time, both are
    /// retried up to the usual limit. Passwords are hashed again only for users whose password
    /// another program changed. `before_commit` is called before each commit.
    ///
    /// # Errors
    ///
    /// Errors of [`write`](Self::write), [`Imported::commit`] and `before_commit`; nothing is
    /// changed then.
    pub fn save<E: From<Error>>(
        &mut self,
        mut users: Option<&mut Users>,
        action: &str,
        mut before_commit: impl FnMut(&Imported<'_>) -> Result<(), E>,
    ) -> Result<ImportSummary, E> {
        let mut conflicts = 0;
        loop {
            let saved = until_known(|| {
                let imported = self.write(users.as_deref_mut(), action)?;
                match before_commit(&imported) {
                    Ok(()) => Ok(Ok(imported.commit()?)),
                    Err(error) => Ok(Err(error)),
                }
            });
            match (saved, &mut users) {
                (Err(Error::ConcurrentChange(_)), Some(users))
                    if self.options.on_conflict.updates_passwords() && conflicts < MAX_RETRIES =>
                {
                    conflicts += 1;
                    self.look_up_again(users)?;
                }
                (saved, _) => return saved?,
            }
        }
    }
}

/// How many users are looked up and written at once.
fn chunk(transaction: Option<&(dyn Transaction + '_)>) -> usize {
    transaction.map_or(usize::MAX, Transaction::chunk)
}

/// The transaction, unless there are no users; see [`Transaction::is_empty`].
fn unless_empty<'a, 't>(
    transaction: Option<&'a mut (dyn Transaction + 't)>,
    locks: bool,
) -> Result<Option<&'a mut (dyn Transaction + 't)>, Error> {
    match transaction {
        Some(transaction) => Ok((!transaction.is_empty(locks)?).then_some(transaction)),
        None => Ok(None),
    }
}

/// Matches each record with the user of the same name. Returns the records of new users, and those
/// of existing users with the row they may change. Without `transaction`, no user exists.
fn match_rows<C: Borrow<Candidate>>(
    options: ImportOptions,
    chunk: Vec<C>,
    mut transaction: Option<&mut (dyn Transaction + '_)>,
    existing: &mut Existing,
    problems: &mut Problems,
    summary: &mut ImportSummary,
) -> Result<Vec<Matched<C>>, Error> {
    let mut may_exist = vec![false; chunk.len()];
    let (mut rows, mut similar) = (Vec::new(), vec![None; chunk.len()]);
    if let Some(transaction) = &mut transaction {
        let mut names: Vec<_> =
            chunk.iter().map(|candidate| &candidate.borrow().username).collect();
        may_exist = transaction.may_have(&names)?;
        let mut each = may_exist.iter();
        names.retain(|_| each.next() == Some(&true));
        rows = transaction.find(&names)?;
        similar = similar_users(options, *transaction, &chunk, &may_exist, &rows)?;
    }
    let mut rows = rows.into_iter();
    let mut matched = Vec::with_capacity(chunk.len());
    for ((kept, may_exist), similar) in chunk.into_iter().zip(may_exist).zip(similar) {
        let candidate = kept.borrow();
        let mut row = if may_exist { rows.next().flatten() } else { None };
        if let Some(transaction) = &mut transaction
            && let Some((secret, language)) = candidate.unnamed_content()?
        {
            row = existing.unnamed.take(*transaction, &secret, &language)?;
        }
        if let Some(row) = row {
            let is_skipped =
                matches!(options.on_conflict, OnConflict::Skip | OnConflict::SkipUnchecked);
            if options.prune || !is_skipped {
                let first = existing.listed.insert(row.username.clone(), candidate.position);
                // The table may ignore case, so two names mean the same user.
                if let Some(first) = first.filter(|_| !is_skipped)
                    && row.username != StoredText::Null
                {
                    problems.add(candidate.refused(RecordError::Repeated(first)));
                    continue;
                }
            }
            match options.on_conflict {
                OnConflict::Fail => problems.add(candidate.refused(RecordError::Exists)),
                OnConflict::Skip | OnConflict::SkipUnchecked => {
                    summary.skipped += 1;
                    summary.differing += u64::from(candidate.differs(&row));
                }
                OnConflict::Update | OnConflict::Sync { .. } => matched.push((kept, Some(row))),
            }
            continue;
        }
        let is_absent = matches!(candidate.secret, Planned::Absent);
        if is_absent && candidate.is_found {
            return Err(Error::ConcurrentChange(candidate.username.clone()));
        }
        if is_absent && !options.generate_missing && !options.lock_missing {
            problems.add(candidate.refused(RecordError::NoSecret));
        } else if let Some(similar) = similar {
            problems.add(candidate.refused(RecordError::Similar(similar)));
        } else {
            matched.push((kept, None));
        }
    }
    Ok(matched)
}

/// For each record, an existing user whose name differs only by case, if the record is of a new user
/// and similar names are not allowed.
fn similar_users<C: Borrow<Candidate>>(
    options: ImportOptions,
    transaction: &mut dyn Transaction,
    chunk: &[C],
    may_exist: &[bool],
    rows: &[Option<Row>],
) -> Result<Vec<Option<StoredText>>, Error> {
    let mut similar = vec![None; chunk.len()];
    if options.allow_similar || options.as_is {
        return Ok(similar);
    }
    let (mut rows, mut places, mut names) = (rows.iter(), Vec::new(), Vec::new());
    for (place, (candidate, may_exist)) in chunk.iter().zip(may_exist).enumerate() {
        if !*may_exist || rows.next().is_some_and(Option::is_some) {
            continue;
        }
        if let Some(Ok(name)) = candidate.borrow().username.as_str().map(str::parse::<Username>) {
            places.push(place);
            names.push(name);
        }
    }
    for (place, found) in places.into_iter().zip(transaction.similar_to(&names)?) {
        similar[place] = found;
    }
    Ok(similar)
}
