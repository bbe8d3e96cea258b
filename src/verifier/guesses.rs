//! Counters of wrong passwords, and the waits they lead to.

use std::collections::HashMap;
use std::hash::RandomState;

use hashlink::LruCache;

use super::keys::{Client, Guess, Id};
use super::limits::{Limits, millis};
use super::sync::{Mutex, lock};

/// The wrong passwords of each name, of each address, and of each pair of both.
pub(super) struct Guesses {
    rules: Rules,
    /// How many may be counted of each pair, name and address. 0 is no limit.
    limits: [usize; 3],
    tables: Mutex<Tables>,
}

/// All in milliseconds.
struct Rules {
    window: u64,
    first_wait: u64,
    longest_wait: u64,
}

struct Tables {
    /// Of pairs, names and addresses, so that many of one kind do not drop another kind.
    counters: [LruCache<Id, Counter, RandomState>; 3],
    /// How many calls check a password for each. They count as wrong until they end.
    checking: HashMap<Id, usize>,
}

/// The wrong passwords of one name, address or pair.
#[derive(Default)]
struct Counter {
    /// Distinct passwords in the last window, and when they were counted.
    wrong: Vec<(Guess, u64)>,
    limited: Option<Limited>,
}

/// There were too many wrong passwords.
struct Limited {
    /// The current wait.
    wait: u64,
    /// Its end. Then one call may check a password.
    until: u64,
}

/// A call that may check a password. If it is dropped without a result, nothing is counted.
pub(super) struct Permit<'a> {
    guesses: &'a Guesses,
    client: Client,
}

impl Guesses {
    pub fn new(limits: &Limits) -> Self {
        let table = || LruCache::with_hasher(limits.counters.max(1), RandomState::new());
        let longest_wait = millis(limits.longest_wait).max(1);
        Self {
            rules: Rules {
                window: millis(limits.guess_window),
                first_wait: millis(limits.first_wait).clamp(1, longest_wait),
                longest_wait,
            },
            limits: [
                limits.guesses_per_name_and_address,
                limits.guesses_per_name,
                limits.guesses_per_address,
            ]
            .map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)),
            tables: Mutex::new(Tables {
                counters: [table(), table(), table()],
                checking: HashMap::new(),
            }),
        }
    }

    /// Lets a call check a password, or says after how many milliseconds it may try again. Nothing
    /// is stored for a call that may not.
    pub fn admit(&self, client: Client, now: u64) -> Result<Permit<'_>, u64> {
        let mut tables = lock(&self.tables);
        let tables = &mut *tables;
        let mut wait = None;
        for (kind, id) in self.counted(&client) {
            let checking = tables.checking.get(&id).copied().unwrap_or_default();
            let counter = tables.counters[kind].peek_mut(&id);
            let refused = match counter {
                Some(counter) => counter.refuses(&self.rules, self.limits[kind], checking, now),
                None => (checking >= self.limits[kind]).then_some(self.rules.first_wait),
            };
            wait = wait.max(refused);
        }
        if let Some(wait) = wait {
            return Err(wait);
        }
        for (_, id) in self.counted(&client) {
            *tables.checking.entry(id).or_default() += 1;
        }
        Ok(Permit { guesses: self, client })
    }

    /// Counts a wrong password that was not computed for this call, if it is new for the client.
    pub fn count(&self, client: &Client, guess: Guess, now: u64) {
        self.count_in(&mut lock(&self.tables), client, guess, now, false);
    }

    fn count_in(&self, tables: &mut Tables, client: &Client, guess: Guess, now: u64, hashed: bool) {
        for (kind, id) in self.counted(client) {
            let table = &mut tables.counters[kind];
            while let Some((_, oldest)) = table.iter().next()
                && oldest.is_over(&self.rules, now)
            {
                table.remove_lru();
            }
            if !table.contains_key(&id) {
                table.insert(id, Counter::default());
            }
            if let Some(counter) = table.get_mut(&id) {
                counter.count(&self.rules, self.limits[kind], guess, now, hashed);
            }
        }
    }

    /// What a client counts for, if that is limited.
    fn counted(&self, client: &Client) -> impl Iterator<Item = (usize, Id)> {
        let ids = [client.name_and_address, Some(client.name), client.address];
        let limits = self.limits;
        let counted = ids.into_iter().enumerate().filter_map(|(kind, id)| Some((kind, id?)));
        counted.filter(move |(kind, _)| limits[*kind] > 0)
    }

    /// The number of counters of each kind, and of calls that check.
    #[cfg(test)]
    pub fn len(&self) -> ([usize; 3], usize) {
        let tables = lock(&self.tables);
        (tables.counters.each_ref().map(LruCache::len), tables.checking.len())
    }
    /// Runs something while the lock is held.
    #[cfg(test)]
    pub fn with_lock(&self, run: impl FnOnce()) {
        let _lock = lock(&self.tables);
        run();
    }
}

impl Permit<'_> {
    /// The password was wrong.
    pub fn wrong(self, guess: Guess, now: u64) {
        let mut tables = lock(&self.guesses.tables);
        self.guesses.count_in(&mut tables, &self.client, guess, now, true);
        self.end(&mut tables);
        drop(tables);
        std::mem::forget(self);
    }

    /// The password was right: the name has no wrong ones any more, from this address and from all.
    /// The address keeps those for other names: the user may be the one who guesses.
    pub fn right(self) {
        let mut tables = lock(&self.guesses.tables);
        for (kind, id) in self.guesses.counted(&self.client) {
            if Some(id) != self.client.address {
                tables.counters[kind].remove(&id);
            }
        }
        self.end(&mut tables);
        drop(tables);
        std::mem::forget(self);
    }

    fn end(&self, tables: &mut Tables) {
        for (_, id) in self.guesses.counted(&self.client) {
            if let Some(checking) = tables.checking.get_mut(&id) {
                *checking -= 1;
                if *checking == 0 {
                    tables.checking.remove(&id);
                }
            }
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.end(&mut lock(&self.guesses.tables));
    }
}

impl Counter {
    /// How long a call must wait, with so many others that check already.
    fn refuses(&mut self, rules: &Rules, limit: usize, checking: usize, now: u64) -> Option<u64> {
        self.forget(rules, now);
        let refused = match &self.limited {
            Some(limited) if now < limited.until => return Some(limited.until - now),
            Some(_) => checking > 0,
            None => self.wrong.len().saturating_add(checking) >= limit,
        };
        refused.then_some(rules.first_wait)
    }

    /// Counts a password, unless it was counted before. One that was hashed again counts again:
    /// otherwise a few passwords in turn would cost any number of hashes.
    fn count(&mut self, rules: &Rules, limit: usize, guess: Guess, now: u64, hashed: bool) {
        self.forget(rules, now);
        let same = self.wrong.iter_mut().find(|(other, _)| other.password == guess.password);
        if let Some((same, _)) = same
            && !(hashed && same.stored == guess.stored)
        {
            same.stored = guess.stored;
            return;
        }
        if self.wrong.len() >= limit {
            self.wrong.remove(0);
        }
        self.wrong.push((guess, now));
        // A wait is prolonged by the one call that may check a password after it.
        if self.limited.is_some() && !hashed {
            return;
        }
        let wait = match &self.limited {
            Some(limited) => limited.wait.saturating_mul(2).min(rules.longest_wait),
            None if self.wrong.len() >= limit => rules.first_wait,
            None => return,
        };
        self.limited = Some(Limited { wait, until: now.saturating_add(wait) });
    }

    /// Forgets what is over. If the clock went back, what lies in the future is taken as now.
    fn forget(&mut self, rules: &Rules, now: u64) {
        for (_, at) in &mut self.wrong {
            *at = now.min(*at);
        }
        self.wrong.retain(|(_, at)| now - at < rules.window);
        if let Some(limited) = &mut self.limited {
            limited.until = limited.until.min(now.saturating_add(limited.wait));
        }
        self.limited.take_if(|limited| limited.is_over(rules, now));
    }

    fn is_over(&self, rules: &Rules, now: u64) -> bool {
        let is_old = |at: u64| now.checked_sub(at).is_some_and(|age| age >= rules.window);
        self.wrong.iter().all(|(_, at)| is_old(*at))
            && self.limited.as_ref().is_none_or(|limited| limited.is_over(rules, now))
    }
}

impl Limited {
    /// After a wait and a window without a wrong password.
    fn is_over(&self, rules: &Rules, now: u64) -> bool {
        now >= self.until.saturating_add(rules.window)
    }
}
