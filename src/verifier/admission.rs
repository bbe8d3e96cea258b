//! How many hashes are computed at once.

use std::collections::VecDeque;

use super::sync::{Condvar, Mutex, lock, wait};

/// The places for hashes. Those who wait are admitted in order.
pub(super) struct Admission<N> {
    /// The memory of all hashes in bytes.
    pub memory: u64,
    pub at_once: usize,
    pub waiting: usize,
    pub waiting_per_name: usize,
    places: Mutex<Places<N>>,
    changed: Condvar,
}

struct Places<N> {
    memory: u64,
    running: usize,
    /// A number and the name of each call that waits.
    queue: VecDeque<(u64, N)>,
    next: u64,
}

/// The place of a running hash.
pub(super) struct Place<'a, N> {
    admission: &'a Admission<N>,
    memory: u64,
}

impl<N: Copy + PartialEq> Admission<N> {
    pub fn new(memory: u64, at_once: usize, waiting: usize, waiting_per_name: usize) -> Self {
        let places = Places { memory: 0, running: 0, queue: VecDeque::new(), next: 0 };
        let (places, changed) = (Mutex::new(places), Condvar::new());
        Self { memory, at_once: at_once.max(1), waiting, waiting_per_name, places, changed }
    }

    /// Waits for a place; `None` if too many wait already.
    pub fn enter(&self, name: N, memory: u64) -> Option<Place<'_, N>> {
        let mut places = lock(&self.places);
        if !(places.queue.is_empty() && self.fits(&places, memory)) {
            let same = places.queue.iter().filter(|(_, other)| *other == name).count();
            if places.queue.len() >= self.waiting || same >= self.waiting_per_name {
                return None;
            }
            let number = places.next;
            places.next = number.wrapping_add(1);
            places.queue.push_back((number, name));
            let is_first = |places: &Places<N>| {
                places.queue.front().is_some_and(|(first, _)| *first == number)
            };
            while !(is_first(&places) && self.fits(&places, memory)) {
                places = wait(&self.changed, places);
            }
            places.queue.pop_front();
            // The next one may fit too.
            self.changed.notify_all();
        }
        places.running += 1;
        places.memory = places.memory.saturating_add(memory);
        Some(Place { admission: self, memory })
    }

    /// A hash that needs more than all memory is computed alone.
    fn fits(&self, places: &Places<N>, memory: u64) -> bool {
        let fits = places.memory.saturating_add(memory) <= self.memory;
        places.running == 0 || (fits && places.running < self.at_once)
    }
}

impl<N> Drop for Place<'_, N> {
    fn drop(&mut self) {
        let mut places = lock(&self.admission.places);
        places.running -= 1;
        places.memory = places.memory.saturating_sub(self.memory);
        self.admission.changed.notify_all();
    }
}
