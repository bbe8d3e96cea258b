//! Locks. A test replaces this module by one that tries every order of threads.

pub(super) use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// Locks. A panic of another thread does not matter: no lock is held while anything can panic.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Waits until another thread notifies.
pub(super) fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar.wait(guard).unwrap_or_else(std::sync::PoisonError::into_inner)
}
