//! Many users from a file: judged, met with those who are there, hashed, and written at once.

use std::cmp::Ordering;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::plaintext::resembles_hash;
use super::{Error, Users};
use crate::credential::{Credential, NewCredential, unlocked};
use crate::group::{Group, GroupError};
use crate::hash::{Method, PasswordHash};
use crate::language::{Language, LanguageError};
use crate::password::Password;
use crate::policy;
use crate::store::{Access, Cause, ImportRow, NewRow, Row, RowChange, StoredSecret, Transaction};
use crate::transfer::{BadRecord, Position, Record, RecordError, Secret};
use crate::user::StoredText;
use crate::username::{Username, UsernameError};

/// How many users are looked up at once.
const CHUNK: usize = 1000;

/// How the records of a file are taken. All is false by default, and a conflict fails.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct ImportOptions {
    /// What to do about a user who is there already.
    pub on_conflict: OnConflict,
    /// Whether names, hashes, languages and groups are taken without judging them.
    pub as_is: bool,
    /// Whether clear passwords may be [weak](policy::Refusal::is_weakness).
    pub allow_weak: bool,
    /// Whether a name may differ from another one only by ASCII case.
    pub allow_similar: bool,
    /// Whether a new user without a password gets a generated one.
    pub generate_missing: bool,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// What to do about a user who is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConflict {
    /// Take none of the file.
    #[default]
    Fail,
    /// Pass the record over.
    Skip,
    /// Pass the record over without judging it.
    SkipUnjudged,
    /// Change what the record has and the user has not. A clear password that is the user's is
    /// left as it is.
    Update,
}

/// What became of the records of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ImportSummary {
    /// Users who were not there.
    pub added: u64,
    /// Users who were there otherwise.
    pub changed: u64,
    /// Users who were there just so.
    pub unchanged: u64,
    /// Records that were passed over.
    pub skipped: u64,
}

/// The records that keep a file from being imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRecords {
    first: Vec<BadRecord>,
    count: u64,
    /// The one of the class that comes first.
    worst: RecordError,
}

impl BadRecords {
    /// How many are kept.
    pub const MAX_SHOWN: usize = 20;

    /// The first of them, in the order of the file.
    #[must_use]
    pub fn first(&self) -> &[BadRecord] {
        &self.first
    }

    /// How many there are in all.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// A reason that speaks for all: invalid data before weak passwords before conflicts.
    #[must_use]
    pub fn worst(&self) -> &RecordError {
        &self.worst
    }
}

/// Which of several reasons speaks for all.
fn class(reason: &RecordError) -> u8 {
    match reason {
        RecordError::Password(_) => 1,
        RecordError::Exists | RecordError::Similar(_) => 2,
        _ => 0,
    }
}

/// Records that were found bad so far.
#[derive(Default)]
struct Problems {
    found: Vec<BadRecord>,
    dropped: u64,
    worst: Option<RecordError>,
}

impl Problems {
    fn add(&mut self, bad: BadRecord) {
        if self.worst.as_ref().is_none_or(|worst| class(&bad.reason) < class(worst)) {
            self.worst = Some(bad.reason.clone());
        }
        self.found.push(bad);
        // Memory stays bounded however many there are.
        if self.found.len() > 100 * BadRecords::MAX_SHOWN {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.found.sort_by_key(|bad| bad.position);
        self.dropped += self.found.len().saturating_sub(BadRecords::MAX_SHOWN) as u64;
        self.found.truncate(BadRecords::MAX_SHOWN);
    }

    fn result(mut self) -> Result<(), Error> {
        self.cut();
        match self.worst {
            None => Ok(()),
            Some(worst) => {
                let count = self.dropped + self.found.len() as u64;
                Err(Error::BadRecords(Box::new(BadRecords { first: self.found, count, worst })))
            }
        }
    }
}

/// The records of a file, one after the other as they are read.
#[derive(Default)]
pub struct Import {
    options: ImportOptions,
    method: Method,
    candidates: Vec<Box<Candidate>>,
    problems: Problems,
    summary: ImportSummary,
    hashes: u64,
    passwords: u64,
}

/// A record on its way into the database.
struct Candidate {
    position: Position,
    username: StoredText,
    secret: Planned,
    language: Option<StoredText>,
    groups: Option<Vec<StoredText>>,
    /// What is wrong, if that is still to be told.
    bad: Option<Box<RecordError>>,
}

enum Planned {
    Absent,
    Hash(StoredSecret),
    Clear(Box<Clear>),
}

struct Clear {
    password: Password,
    origin: Origin,
    /// What was stored for the user, and whether the password is the right one for it.
    existing: Option<(StoredSecret, bool)>,
    hash: Option<PasswordHash>,
}

/// Where a clear password comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The file says that it is one.
    Given,
    /// It is no hash.
    Guessed,
    Generated,
}

impl Planned {
    fn clear(password: Password, origin: Origin) -> Self {
        Self::Clear(Box::new(Clear { password, origin, existing: None, hash: None }))
    }
}

impl Import {
    /// No records yet. Passwords will be hashed with `method`.
    #[must_use]
    pub fn new(options: ImportOptions, method: Method) -> Self {
        Self { options, method, ..Self::default() }
    }

    /// Takes the next record of the file, or what is wrong with it, and judges it.
    pub fn push(&mut self, record: Result<Record, BadRecord>) {
        match record {
            Ok(record) => {
                let candidate = self.candidate(record);
                match candidate.bad {
                    // Whether it counts is known when the user is found or not.
                    Some(_) if self.options.on_conflict != OnConflict::SkipUnjudged => {
                        self.problems.add(candidate.into_bad());
                    }
                    _ => self.candidates.push(candidate),
                }
            }
            Err(bad) => self.problems.add(bad),
        }
    }

    fn candidate(&mut self, record: Record) -> Box<Candidate> {
        let Record { position, username, secret, language, mut groups } = record;
        if let Some(groups) = &mut groups {
            groups.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
            groups.dedup();
            groups.shrink_to_fit();
        }
        let secret = match secret {
            None => Planned::Absent,
            Some(Secret::Password(password)) => Planned::clear(password, Origin::Given),
            Some(Secret::Hash(hash)) => Planned::Hash(hash),
            Some(Secret::Either(text)) => {
                let stored = StoredSecret::from(StoredText::Text(text.expose().to_owned()));
                match stored.credential() {
                    Credential::Active(_) | Credential::Locked(_) => {
                        self.hashes += 1;
                        Planned::Hash(stored)
                    }
                    Credential::Unusable(_) => {
                        self.passwords += 1;
                        Planned::clear(text, Origin::Guessed)
                    }
                }
            }
        };
        let mut candidate =
            Box::new(Candidate { position, username, secret, language, groups, bad: None });
        candidate.bad = candidate.judge(&self.options).err().map(Box::new);
        candidate
    }

    /// Of a JSON object whose keys are names: how many values were taken for a hash, and how many
    /// for a clear password.
    #[must_use]
    pub fn taken_for(&self) -> (u64, u64) {
        (self.hashes, self.passwords)
    }

    /// Ends the reading, and looks for users who are in the file twice.
    ///
    /// # Errors
    ///
    /// [`Error::BadRecords`].
    pub fn end(&mut self) -> Result<(), Error> {
        self.sort();
        std::mem::take(&mut self.problems).result()
    }

    /// Looks for users who are there already, so that nothing is hashed in vain. Without `users`
    /// nobody is there.
    ///
    /// # Errors
    ///
    /// [`Error::BadRecords`].
    pub fn look_up(&mut self, users: Option<&mut Users>) -> Result<(), Error> {
        let is_needed = self.options.on_conflict == OnConflict::SkipUnjudged
            || self
                .candidates
                .iter()
                .any(|candidate| !matches!(candidate.secret, Planned::Hash(_)));
        if !is_needed {
            return Ok(());
        }
        let mut transaction = match users {
            Some(users) => Some(users.store.begin(Access::Read)?),
            None => None,
        };
        let mut there = somebody(transaction.as_deref_mut())?;
        for chunk in self.take_chunks() {
            for (candidate, row) in self.meet(chunk, there.as_deref_mut())? {
                self.keep(candidate, row);
            }
        }
        std::mem::take(&mut self.problems).result()
    }

    /// The records, some at a time.
    fn take_chunks(&mut self) -> impl Iterator<Item = Vec<Box<Candidate>>> + use<> {
        let mut candidates = std::mem::take(&mut self.candidates).into_iter();
        std::iter::from_fn(move || {
            Some(candidates.by_ref().take(CHUNK).collect())
                .filter(|chunk: &Vec<_>| !chunk.is_empty())
        })
    }

    /// Sorts the records by name, which makes writing them fast, and finds those that are twice.
    fn sort(&mut self) {
        let Self { candidates, problems, options, .. } = self;
        candidates.sort_by(|a, b| by_name(&a.username, &b.username));
        let mut refuse = |candidate: &Candidate, reason| {
            let (position, username) = (candidate.position, Some(candidate.username.clone()));
            problems.add(BadRecord { position, username, reason });
        };
        let lower_case = |a: &Box<Candidate>, b: &Box<Candidate>| {
            a.username.as_bytes().eq_ignore_ascii_case(b.username.as_bytes())
        };
        for similar in candidates.chunk_by(lower_case) {
            for same in similar.chunk_by(|a, b| a.username == b.username) {
                let is_first = same[0].position == similar[0].position;
                if !is_first && !options.allow_similar && !options.as_is {
                    refuse(&same[0], RecordError::RepeatedByCase(similar[0].position));
                }
                // Any number of users may be called NULL.
                for again in same[1..].iter().filter(|again| again.username != StoredText::Null) {
                    refuse(again, RecordError::Repeated(same[0].position));
                }
            }
        }
    }

    /// Has each record meet the user of its name: the answer has those which are to be added, and
    /// those which may change the row that is there. Without `transaction` nobody is there.
    fn meet(
        &mut self,
        chunk: Vec<Box<Candidate>>,
        mut transaction: Option<&mut (dyn Transaction + '_)>,
    ) -> Result<Vec<(Box<Candidate>, Option<Row>)>, Error> {
        let rows = match &mut transaction {
            Some(transaction) => {
                let names: Vec<_> = chunk.iter().map(|candidate| &candidate.username).collect();
                transaction.find(&names)?
            }
            None => chunk.iter().map(|_| None).collect(),
        };
        let mut met = Vec::with_capacity(chunk.len());
        for (candidate, row) in chunk.into_iter().zip(rows) {
            if row.is_some() {
                match self.options.on_conflict {
                    OnConflict::Fail => self.problems.add(candidate.refused(RecordError::Exists)),
                    OnConflict::Skip | OnConflict::SkipUnjudged => self.summary.skipped += 1,
                    OnConflict::Update => met.push((candidate, row)),
                }
                continue;
            }
            let similar = match &mut transaction {
                Some(transaction) => self.similar(*transaction, &candidate)?,
                None => None,
            };
            let is_absent = matches!(candidate.secret, Planned::Absent);
            if candidate.bad.is_some() {
                self.problems.add(candidate.into_bad());
            } else if is_absent && !self.options.generate_missing {
                self.problems.add(candidate.refused(RecordError::NoSecret));
            } else if let Some(similar) = similar {
                self.problems.add(candidate.refused(RecordError::Similar(similar)));
            } else {
                met.push((candidate, None));
            }
        }
        Ok(met)
    }

    /// A user whose name differs only by case from that of a new one, where that counts.
    fn similar(
        &self,
        transaction: &mut dyn Transaction,
        candidate: &Candidate,
    ) -> Result<Option<StoredText>, Error> {
        if self.options.allow_similar || self.options.as_is {
            return Ok(None);
        }
        match text(&candidate.username).and_then(|name| name.parse::<Username>().ok()) {
            Some(name) => Ok(transaction.similar(&name)?.pop()),
            None => Ok(None),
        }
    }

    /// Keeps a record until it is written.
    fn keep(&mut self, mut candidate: Box<Candidate>, row: Option<Row>) {
        match (&mut candidate.secret, row) {
            (Planned::Clear(clear), Some(row)) => clear.existing = Some((row.secret, false)),
            (secret @ Planned::Absent, None) => {
                *secret = Planned::clear(Password::generate(), Origin::Generated);
            }
            _ => {}
        }
        self.candidates.push(candidate);
    }

    /// How many passwords [`hash`](Self::hash) is to hash.
    #[must_use]
    pub fn passwords(&self) -> usize {
        let is_work = |candidate: &&Box<Candidate>| matches!(&candidate.secret, Planned::Clear(clear) if clear.is_work(self.options.dry_run));
        self.candidates.iter().filter(is_work).count()
    }

    /// Hashes the clear passwords on `jobs` threads, each of which takes the memory of a hash: 32
    /// MiB with the default method. `progress` is called after each.
    pub fn hash(&mut self, jobs: NonZeroUsize, progress: &(dyn Fn() + Sync)) {
        let (method, dry_run) = (self.method, self.options.dry_run);
        let mut work = Vec::new();
        for candidate in &mut self.candidates {
            match &mut candidate.secret {
                Planned::Clear(clear) if clear.is_work(dry_run) => work.push(clear),
                _ => {}
            }
        }
        let jobs = jobs.get().min(work.len());
        let work = Mutex::new(work.into_iter());
        let next = || work.lock().unwrap_or_else(PoisonError::into_inner).next();
        let run = || {
            while let Some(clear) = next() {
                clear.hash(&method, dry_run);
                progress();
            }
        };
        thread::scope(|scope| {
            for _ in 1..jobs {
                // Without it the others have more to do.
                let _ = thread::Builder::new().spawn_scoped(scope, run);
            }
            run();
        });
    }
}

impl Clear {
    /// Whether there is anything to hash: without writing only what is there is verified.
    fn is_work(&self, dry_run: bool) -> bool {
        !dry_run || self.existing.is_some()
    }

    fn hash(&mut self, method: &Method, dry_run: bool) {
        if let Some((existing, is_right)) = &mut self.existing {
            let credential = existing.credential();
            *is_right = credential.hash().is_some_and(|hash| hash.verify(&self.password));
            if *is_right {
                return;
            }
        }
        if !dry_run {
            self.hash = Some(PasswordHash::new(method, &self.password));
        }
    }
}

impl Candidate {
    fn refused(self, reason: RecordError) -> BadRecord {
        BadRecord { position: self.position, username: Some(self.username), reason }
    }

    fn into_bad(self) -> BadRecord {
        let Self { position, username, bad, .. } = self;
        let reason = bad.map_or(RecordError::NoUsername, |reason| *reason);
        BadRecord { position, username: Some(username), reason }
    }

    /// The first reason not to take the record.
    fn judge(&self, options: &ImportOptions) -> Result<(), RecordError> {
        if !options.as_is {
            text(&self.username).ok_or(UsernameError::NotUtf8)?.parse::<Username>()?;
        }
        match &self.secret {
            Planned::Hash(hash) if !options.as_is => judge_hash(hash)?,
            Planned::Clear(clear) => {
                if clear.origin == Origin::Guessed && resembles_hash(clear.password.expose()) {
                    return Err(RecordError::ResemblesHash);
                }
                policy::check(&clear.password, text(&self.username), options.allow_weak)?;
            }
            Planned::Absent => {
                // Of others it depends on whether they are there.
                let is_certain = matches!(options.on_conflict, OnConflict::Fail | OnConflict::Skip);
                if is_certain && !options.generate_missing {
                    return Err(RecordError::NoSecret);
                }
            }
            Planned::Hash(_) => {}
        }
        if options.as_is {
            return Ok(());
        }
        if let Some(language) = &self.language {
            text(language).ok_or(LanguageError)?.parse::<Language>()?;
        }
        for group in self.groups.iter().flatten() {
            text(group).ok_or(GroupError::NotUtf8)?.parse::<Group>()?;
        }
        Ok(())
    }
}

/// The order in which names that differ only by case, or not at all, follow each other.
fn by_name(a: &StoredText, b: &StoredText) -> Ordering {
    let lower_case = |text| StoredText::as_bytes(text).iter().map(u8::to_ascii_lowercase);
    let is_blob = |text| matches!(text, &StoredText::Blob(_));
    lower_case(a)
        .cmp(lower_case(b))
        .then_with(|| a.as_bytes().cmp(b.as_bytes()))
        .then_with(|| is_blob(a).cmp(&is_blob(b)))
}

fn text(stored: &StoredText) -> Option<&str> {
    match stored {
        StoredText::Text(text) => Some(text),
        _ => None,
    }
}

fn judge_hash(stored: &StoredSecret) -> Result<(), RecordError> {
    match stored.credential() {
        Credential::Active(_) | Credential::Locked(Ok(_)) => Ok(()),
        Credential::Locked(Err(error)) => Err(RecordError::Hash(error.into())),
        Credential::Unusable(error) => Err(RecordError::Hash(error)),
    }
}

/// An import that is written, and lost unless it is committed.
#[must_use = "nothing is changed before it is committed"]
pub struct Imported<'a> {
    transaction: Option<Box<dyn Transaction + 'a>>,
    summary: ImportSummary,
    generated: Vec<(StoredText, Password)>,
}

impl Imported<'_> {
    /// What it comes to.
    #[must_use]
    pub fn summary(&self) -> ImportSummary {
        self.summary
    }

    /// The passwords that were generated, and for whom.
    #[must_use]
    pub fn generated(&self) -> &[(StoredText, Password)] {
        &self.generated
    }

    /// Makes it permanent, all or nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError`](crate::StoreError) alone; nothing is changed then.
    pub fn commit(self) -> Result<ImportSummary, Error> {
        if let Some(transaction) = self.transaction {
            transaction.commit()?;
        }
        Ok(self.summary)
    }
}

impl Import {
    /// Adds and changes users, all or none, as one event of the history that is called `action`.
    /// Without `users` nobody is there: what would be done is only counted.
    ///
    /// # Errors
    ///
    /// [`Error::BadRecords`] for a user who is there; [`Error::ChangedMeanwhile`] for one whose
    /// password another program changed while passwords were hashed.
    pub fn write<'a>(
        mut self,
        users: Option<&'a mut Users>,
        action: &str,
    ) -> Result<Imported<'a>, Error> {
        let dry_run = self.options.dry_run;
        let access = if dry_run { Access::Read } else { Access::Write };
        let (actor, mut transaction) = match users {
            Some(Users { store, actor, .. }) => (actor.as_deref(), Some(store.begin(access)?)),
            None => (None, None),
        };
        let is_anybody_there = somebody(transaction.as_deref_mut())?.is_some();
        let mut generated = Vec::new();
        for chunk in self.take_chunks() {
            let there = transaction.as_deref_mut().filter(|_| is_anybody_there);
            let mut rows = Vec::new();
            for (candidate, row) in self.meet(chunk, there)? {
                let Some(row) = row else {
                    self.summary.added += 1;
                    let (row, password) = candidate.into_new_row()?;
                    generated.extend(password.map(|password| (row.username.clone(), password)));
                    rows.push(ImportRow::Add(row));
                    continue;
                };
                match candidate.into_change(row, dry_run)? {
                    Some(change) => {
                        self.summary.changed += 1;
                        rows.push(ImportRow::Change(change));
                    }
                    None => self.summary.unchanged += 1,
                }
            }
            // What is written before a problem is found is lost with the transaction.
            if let Some(transaction) = transaction.as_mut().filter(|_| !dry_run && !rows.is_empty())
            {
                transaction.import(rows)?;
            }
        }
        self.problems.result()?;
        let ImportSummary { added, changed, .. } = self.summary;
        let detail = format!("{added} added, {changed} changed");
        let mut transaction = transaction.filter(|_| added + changed > 0 && !dry_run);
        if let Some(transaction) = &mut transaction {
            transaction.end_import(&Cause { actor, action, detail: Some(&detail) })?;
        }
        Ok(Imported { transaction, summary: self.summary, generated })
    }
}

/// The transaction again, unless there is no user at all.
fn somebody<'a, 't>(
    transaction: Option<&'a mut (dyn Transaction + 't)>,
) -> Result<Option<&'a mut (dyn Transaction + 't)>, Error> {
    match transaction {
        Some(transaction) => Ok((!transaction.is_empty()?).then_some(transaction)),
        None => Ok(None),
    }
}

impl Candidate {
    /// The row of a new user, and the password that was generated for it.
    fn into_new_row(self) -> Result<(NewRow, Option<Password>), Error> {
        let Self { username, secret, language, groups, .. } = self;
        let language =
            language.unwrap_or_else(|| StoredText::Text(Language::default().to_string()));
        let (secret, password) = match secret {
            Planned::Hash(hash) => (hash, None),
            Planned::Clear(clear) => {
                let Clear { password, origin, hash, existing } = *clear;
                if existing.is_some() {
                    return Err(Error::ChangedMeanwhile(username));
                }
                let hash = hash.map(NewCredential::from);
                let secret = hash.as_ref().map_or(StoredText::Null.into(), StoredSecret::from);
                (secret, (origin == Origin::Generated).then_some(password))
            }
            Planned::Absent => return Err(Error::ChangedMeanwhile(username)),
        };
        Ok((NewRow { username, secret, language, groups: groups.unwrap_or_default() }, password))
    }

    /// What of `row` is to be changed; none if it is so already.
    fn into_change(self, row: Row, dry_run: bool) -> Result<Option<RowChange>, Error> {
        let (secret, is_new_password) = match self.secret {
            Planned::Absent => (None, false),
            Planned::Hash(hash) if hash == row.secret => (None, false),
            Planned::Hash(hash) => {
                let is_new = unlocked_hash(&hash) != unlocked_hash(&row.secret);
                (Some(hash), is_new)
            }
            Planned::Clear(clear) => match *clear {
                Clear { existing: Some((checked, _)), .. } if checked != row.secret => {
                    return Err(Error::ChangedMeanwhile(row.username));
                }
                Clear { existing: Some((_, true)), .. } => (None, false),
                Clear { existing: Some(_), hash, .. } => {
                    let credential = row.secret.credential();
                    let new = hash.map(|hash| StoredSecret::from(&credential.with_hash(hash)));
                    // Nothing is hashed where nothing is written.
                    (new.or_else(|| dry_run.then(|| StoredText::Null.into())), true)
                }
                Clear { existing: None, .. } => {
                    return Err(Error::ChangedMeanwhile(row.username));
                }
            },
        };
        let language = self.language.filter(|language| *language != row.language);
        let groups = self.groups.filter(|groups| *groups != row.groups);
        let is_change = secret.is_some() || language.is_some() || groups.is_some();
        let username = row.username;
        Ok(is_change.then_some(RowChange { username, secret, is_new_password, language, groups }))
    }
}

/// The hash of a stored value, locked or not.
fn unlocked_hash(stored: &StoredSecret) -> StoredText {
    match stored.expose() {
        StoredText::Text(text) => StoredText::Text(unlocked(text).unwrap_or_else(|| text.clone())),
        odd => odd.clone(),
    }
}
