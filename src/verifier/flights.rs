//! One computation for all calls that ask for the same at the same time.

use std::collections::HashMap;
use std::hash::Hash;

use super::sync::{Arc, Condvar, Mutex, lock, wait};

/// The computations that run.
pub(super) struct Flights<K, T> {
    running: Mutex<HashMap<K, Arc<Flight<T>>>>,
}

struct Flight<T> {
    ended: Mutex<Option<Ended<T>>>,
    changed: Condvar,
}

#[derive(Clone, Copy)]
enum Ended<T> {
    Result(T),
    Failed,
}

/// What a call has to do.
pub(super) enum Joined<'a, K: Copy + Eq + Hash, T: Copy> {
    /// Compute it.
    Lead(Lead<'a, K, T>),
    /// Nothing: another call computed it.
    Result(T),
    /// Start again: the other call had no result for all.
    Failed,
}

/// The duty to compute. If it is dropped without a result, the others start again.
pub(super) struct Lead<'a, K: Copy + Eq + Hash, T: Copy> {
    flights: &'a Flights<K, T>,
    flight: Arc<Flight<T>>,
    key: K,
    result: Ended<T>,
}

impl<K: Copy + Eq + Hash, T: Copy> Flights<K, T> {
    pub fn new() -> Self {
        Self { running: Mutex::new(HashMap::new()) }
    }

    /// Waits for the result of another call with the same key, or leads.
    pub fn join(&self, key: K) -> Joined<'_, K, T> {
        let mut running = lock(&self.running);
        let Some(flight) = running.get(&key).cloned() else {
            let flight = Arc::new(Flight { ended: Mutex::new(None), changed: Condvar::new() });
            running.insert(key, Arc::clone(&flight));
            return Joined::Lead(Lead { flights: self, flight, key, result: Ended::Failed });
        };
        drop(running);
        let mut ended = lock(&flight.ended);
        loop {
            match *ended {
                Some(Ended::Result(result)) => return Joined::Result(result),
                Some(Ended::Failed) => return Joined::Failed,
                None => ended = wait(&flight.changed, ended),
            }
        }
    }

    /// Runs something while the lock is held.
    #[cfg(test)]
    pub fn with_lock(&self, run: impl FnOnce()) {
        let _lock = lock(&self.running);
        run();
    }
}

impl<K: Copy + Eq + Hash, T: Copy> Lead<'_, K, T> {
    /// Gives the result to all who wait.
    pub fn share(mut self, result: T) {
        self.result = Ended::Result(result);
    }
}

impl<K: Copy + Eq + Hash, T: Copy> Drop for Lead<'_, K, T> {
    fn drop(&mut self) {
        // Removed first: a call that starts again must not meet this one.
        lock(&self.flights.running).remove(&self.key);
        *lock(&self.flight.ended) = Some(self.result);
        self.flight.changed.notify_all();
    }
}
