//! The check of a login, and all that one process remembers for it.

use std::time::Duration;

use super::admission::Admission;
use super::flights::{Flights, Joined, Lead};
use super::guesses::Guesses;
use super::keys::{Client, Id, Keys, LoginKey};
use super::limits::millis;
use super::remembered::Remembered;
use super::wrong::WrongPasswords;
use super::{Attempt, Clock, Decision, Limits, Refusal};
use crate::credential::Credential;
use crate::hash::Method;
use crate::login::{Login, LoginRefusal, check, checked_method};

/// How often the stored value may change during one check.
const MAX_CHANGES: usize = 3;

/// What a process shares with no other.
pub(super) struct Process {
    pub id: u32,
    clock: Clock,
    method: Method,
    keys: Keys,
    pub remembered: Remembered,
    pub wrong: WrongPasswords,
    pub guesses: Guesses,
    pub flights: Flights<LoginKey, Result<(), Refusal>>,
    pub admission: Admission<Id>,
}

impl Process {
    pub fn new(limits: &Limits, clock: Clock, id: u32, key: [u8; 32]) -> Self {
        Self {
            id,
            clock,
            method: limits.method,
            keys: Keys::new(key),
            remembered: Remembered::new(
                limits.remembered_logins,
                millis(limits.remembered_idle),
                millis(limits.remembered_total),
            ),
            wrong: WrongPasswords::new(
                limits.counters,
                limits.wrong_per_name,
                millis(limits.wrong_for),
            ),
            guesses: Guesses::new(limits),
            flights: Flights::new(),
            admission: Admission::new(
                limits.hash_memory_bytes,
                limits.hashes_at_once,
                limits.waiting,
                limits.waiting_per_name,
            ),
        }
    }

    fn now(&self) -> u64 {
        millis((self.clock)())
    }

    pub fn verify<E>(
        &self,
        attempt: &Attempt<'_>,
        stored: Option<&str>,
        reread: &mut dyn FnMut() -> Result<Option<String>, E>,
    ) -> Result<Decision, E> {
        let client = self.keys.client(attempt);
        let mut changed: Option<Option<String>> = None;
        loop {
            let stored = changed.as_ref().map_or(stored, Option::as_deref);
            let key = self.keys.login(attempt, stored, &client);
            if self.remembered.uses(&key, self.now()) {
                return Ok(Decision::Accepted);
            }
            if let Some(refusal) = self.wrong.get(&client.name, &key, self.now()) {
                return Ok(self.refuse_again(attempt, stored, &client, refusal));
            }
            match self.flights.join(key) {
                Joined::Lead(lead) => {
                    return self.lead(lead, attempt, stored, key, client, reread);
                }
                Joined::Result(Ok(())) => return Ok(Decision::Accepted),
                Joined::Result(Err(refusal)) => {
                    return Ok(self.refuse_again(attempt, stored, &client, refusal));
                }
                // The row may be older than the wait.
                Joined::Failed => changed = Some(reread()?),
            }
        }
    }

    /// Refuses a password that was computed for another call.
    fn refuse_again(
        &self,
        attempt: &Attempt<'_>,
        stored: Option<&str>,
        client: &Client,
        refusal: Refusal,
    ) -> Decision {
        self.guesses.count(client, self.keys.guess(attempt, stored), self.now());
        Decision::Refused(refusal)
    }

    /// Checks a password that is not known to be right or wrong.
    fn lead<E>(
        &self,
        lead: Lead<'_, LoginKey, Result<(), Refusal>>,
        attempt: &Attempt<'_>,
        read: Option<&str>,
        read_key: LoginKey,
        client: Client,
        reread: &mut dyn FnMut() -> Result<Option<String>, E>,
    ) -> Result<Decision, E> {
        // Another call may have ended since this one looked.
        if self.remembered.uses(&read_key, self.now()) {
            return Ok(Decision::Accepted);
        }
        if let Some(refusal) = self.wrong.get(&client.name, &read_key, self.now()) {
            return Ok(self.refuse_again(attempt, read, &client, refusal));
        }
        let permit = match self.guesses.admit(client, self.now()) {
            Ok(permit) => permit,
            Err(wait) => {
                return Ok(Decision::Limited { retry_after: Duration::from_millis(wait) });
            }
        };
        let mut stored = read.map(str::to_owned);
        let mut changes = 0;
        let result = loop {
            let credential = stored.as_deref().map(Credential::parse_text);
            let Some(result) = self.compute(credential.as_ref(), attempt, client.name) else {
                return Ok(Decision::Busy);
            };
            let now_stored = reread()?;
            if now_stored == stored {
                break result;
            }
            stored = now_stored;
            // A hash was computed already, so this takes no less than a wrong password.
            if let Some(refusal) = refusal_without_hash(stored.as_deref()) {
                break Err(refusal);
            }
            changes += 1;
            if changes > MAX_CHANGES {
                return Ok(Decision::Refused(Refusal::Changed));
            }
        };
        let (key, now) = (self.keys.login(attempt, stored.as_deref(), &client), self.now());
        match result {
            Ok(()) => {
                self.remembered.insert(key, now);
                permit.right();
            }
            Err(refusal) => {
                self.wrong.insert(client.name, key, refusal, now);
                permit.wrong(self.keys.guess(attempt, stored.as_deref()), now);
            }
        }
        // Those who wait read the same value as this call. If it changed, they read it again.
        if key == read_key {
            lead.share(result);
        }
        Ok(result.map_or_else(Decision::Refused, |()| Decision::Accepted))
    }

    /// Computes the hash; `None` if there are too many.
    fn compute(
        &self,
        stored: Option<&Credential>,
        attempt: &Attempt<'_>,
        name: Id,
    ) -> Option<Result<(), Refusal>> {
        let _place = match checked_method(stored, &self.method) {
            Some(method) => Some(self.admission.enter(name, method.memory_bytes())?),
            None => None,
        };
        Some(match check(stored, attempt.password, &self.method) {
            Login::Accepted { .. } => Ok(()),
            Login::Refused(refusal) => Err(refusal.into()),
        })
    }
}

/// Why nobody can log in with a stored value, whatever the password.
fn refusal_without_hash(stored: Option<&str>) -> Option<Refusal> {
    match stored.map(Credential::parse_text) {
        Some(Credential::Active(_)) => None,
        Some(Credential::Locked(_)) => Some(Refusal::Locked),
        Some(Credential::Unusable(reason)) => Some(Refusal::Unusable(reason)),
        None => Some(Refusal::NoSuchUser),
    }
}

impl From<LoginRefusal> for Refusal {
    fn from(refusal: LoginRefusal) -> Self {
        match refusal {
            LoginRefusal::WrongPassword => Self::WrongPassword,
            LoginRefusal::NoSuchUser => Self::NoSuchUser,
            LoginRefusal::Locked { .. } => Self::Locked,
            LoginRefusal::Unusable(reason) => Self::Unusable(reason),
        }
    }
}

#[cfg(test)]
impl Process {
    /// Runs something while another thread would hold all locks.
    pub fn with_locks(&self, run: impl FnOnce()) {
        self.remembered.with_locks(|| {
            self.wrong.with_lock(|| self.guesses.with_lock(|| self.flights.with_lock(run)));
        });
    }
}
