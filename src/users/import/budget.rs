//! A limit on the memory that concurrent hashing uses.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Memory that threads share. Together they use at most [`BYTES`](Self::BYTES), or one of them uses
/// all that it needs.
#[derive(Default)]
pub(super) struct Budget {
    taken: Mutex<u64>,
    released: Condvar,
}

impl Budget {
    /// The limit in bytes: six hashes with the default method.
    const BYTES: u64 = 192 << 20;

    /// Does `work`, which uses `bytes` of memory, as soon as they are available.
    pub(super) fn during<T>(&self, bytes: u64, work: impl FnOnce() -> T) -> T {
        let is_too_much = |taken: &mut u64| *taken > 0 && taken.saturating_add(bytes) > Self::BYTES;
        let taken = self.released.wait_while(self.taken(), is_too_much);
        *taken.unwrap_or_else(PoisonError::into_inner) += bytes;
        let _share = Share { budget: self, bytes };
        work()
    }

    fn taken(&self) -> MutexGuard<'_, u64> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Memory that is released when the work is done or panics.
struct Share<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        *self.budget.taken() -= self.bytes;
        self.budget.released.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// The peak memory of concurrent works with these sizes in bytes.
    fn peak(works: &[u64]) -> u64 {
        let (budget, now, peak) = (Budget::default(), AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for bytes in works.iter().copied() {
                let (budget, now, peak) = (&budget, &now, &peak);
                scope.spawn(move || {
                    budget.during(bytes, || {
                        let taken = now.fetch_add(bytes, Ordering::SeqCst) + bytes;
                        peak.fetch_max(taken, Ordering::SeqCst);
                        thread::sleep(Duration::from_millis(20));
                        now.fetch_sub(bytes, Ordering::SeqCst);
                    });
                });
            }
        });
        assert_eq!(*budget.taken(), 0);
        peak.into_inner()
    }

    #[test]
    fn concurrent_work_stays_within_budget() {
        let (small, large) = (Budget::BYTES / 6, Budget::BYTES * 4 / 3);
        assert!(peak(&[small; 12]) <= Budget::BYTES);
        assert_eq!(peak(&[large; 3]), large);
        assert!(peak(&[large, small, small, large, small, 0, 0]) <= large);
    }
}
