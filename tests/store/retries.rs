//! Operations are retried if another program wrote at the same time, up to a limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use dash_users::{Error, Password, StoreError, Users};

use crate::database::Database;
use crate::hooks::with_hook;
use crate::support::{GOOD, OUTDATED, hash_with, hashed, insert, names, new_user, with_users};

/// How often it is tried again.
const RETRIES: u32 = 5;

/// Each operation that changes something, in an order in which each can be done.
type Operation = (&'static str, fn(&mut Users) -> Result<(), Error>);

const CHANGES: [Operation; 14] = [
    ("migrate", |users| users.migrate().map(drop)),
    ("repair", |users| users.repair().map(drop)),
    ("add_if_empty", |users| users.add_if_empty(hashed(&[new_user("zoe", GOOD)])).map(drop)),
    ("add", |users| users.add(&new_user("yan", GOOD))),
    ("set_password", |users| users.set_password("alice", &Password::from("secret"), true)),
    ("set_language", |users| users.set_language("alice", &"fr".parse().unwrap()).map(drop)),
    ("lock", |users| users.lock(&["alice"]).map(drop)),
    ("unlock", |users| users.unlock(&["alice"]).map(drop)),
    ("add_groups", |users| users.add_groups("alice", &["staff".parse().unwrap()]).map(drop)),
    ("remove_groups", |users| users.remove_groups("alice", &["staff"]).map(drop)),
    ("rehash", |users| users.rehash("alice", &Password::from("secret"))),
    ("log_in_and_upgrade", |users| {
        users.log_in_and_upgrade("old", &Password::from("secret"))?.1.map(drop)
    }),
    ("hash_plaintext_passwords", |users| {
        users.hash_plaintext_passwords(Some(&["clear"]), false).map(drop)
    }),
    ("rename", |users| users.rename("alice", &"xin".parse().unwrap(), false).map(drop)),
];

/// The users of a database with alice, and how often a change of them is to fail.
fn contended(database: &dyn Database) -> (Users, Arc<AtomicU32>) {
    drop(with_users(database, &["alice"]));
    insert(database, "old", &hash_with(OUTDATED, "secret"));
    insert(database, "clear", "plover");
    let conflicts = Arc::new(AtomicU32::new(0));
    let (left, location) = (Arc::clone(&conflicts), database.location().clone());
    let users = with_hook(database, move || {
        let one_less = |left: u32| left.checked_sub(1);
        match left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less) {
            Ok(_) => Err(StoreError::Conflict { location: location.clone() }),
            Err(_) => Ok(()),
        }
    });
    (users, conflicts)
}

fn every_change_is_retried(database: &dyn Database) {
    let (mut users, conflicts) = contended(database);
    for (name, operation) in CHANGES {
        conflicts.store(RETRIES, Ordering::Relaxed);
        operation(&mut users).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(conflicts.load(Ordering::Relaxed), 0, "{name}");
    }
    assert_eq!(names(database), ["clear", "old", "xin", "yan"]);
    conflicts.store(RETRIES, Ordering::Relaxed);
    assert_eq!(users.remove(&["xin"], false).unwrap(), [true]);
}

fn retries_are_limited(database: &dyn Database) {
    let (mut users, conflicts) = contended(database);
    for (name, operation) in CHANGES {
        conflicts.store(u32::MAX, Ordering::Relaxed);
        let result = operation(&mut users);
        assert!(
            matches!(result, Err(Error::Store(StoreError::Conflict { .. }))),
            "{name}: {result:?}"
        );
        assert_eq!(conflicts.load(Ordering::Relaxed), u32::MAX - RETRIES - 1, "{name}");
    }
    assert_eq!(names(database), ["alice", "clear", "old"]);
}

on_every_database! {
    every_change_is_retried,
    retries_are_limited,
}
