//! Replaced and removed hashes leave no trace in the file.

use std::collections::HashSet;

use dash_users::{Password, Users};

use crate::database::Sqlite;
use crate::sample;
use crate::support::{add, init, stored, with_users};

/// The number of digits of a digest that are searched for. Shorter pieces could occur by chance.
const PIECE: usize = 16;

/// A generator of the same numbers in every run (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// A database, and the replaced or removed hashes.
struct Case {
    database: Sqlite,
    users: Users,
    names: Vec<String>,
    gone: Vec<String>,
}

impl Case {
    fn new() -> Self {
        let database = Sqlite::new();
        let users = init(&database);
        Self { database, users, names: Vec::new(), gone: Vec::new() }
    }

    fn add(&mut self, name: String) {
        add(&mut self.users, &name);
        self.names.push(name);
    }

    fn remove(&mut self, index: usize) {
        let name = self.names.swap_remove(index);
        self.gone.push(stored(&self.database, &name));
        self.users.remove(&[name], false).unwrap();
    }

    fn set_password(&mut self, name: &str) {
        self.gone.push(stored(&self.database, name));
        self.users.set_password(name, &Password::from("secret"), true).unwrap();
    }

    fn rehash(&mut self, name: &str) {
        self.gone.push(stored(&self.database, name));
        self.users.rehash(name, &Password::from("secret")).unwrap();
    }

    /// The number of these hashes with a piece of their digest in the file.
    fn traces(&self) -> usize {
        let file = self.database.bytes();
        let pieces: HashSet<&[u8]> = file.windows(PIECE).collect();
        let is_there = |hash: &&String| {
            let digest = hash.rsplit('$').next().unwrap().as_bytes();
            digest.chunks(PIECE).any(|piece| pieces.contains(piece))
        };
        self.gone.iter().filter(is_there).count()
    }

    /// Adds many users in no order, with names of very different lengths.
    fn add_many(&mut self, numbers: &mut Numbers) {
        for index in 0..300 {
            let name = format!("{}-{index}{}", numbers.below(1000), "x".repeat(numbers.below(200)));
            self.add(name);
        }
    }
}

#[test]
fn search_finds_stored_digest() {
    let mut case = Case::new();
    case.add("alice".to_owned());
    case.gone.push(stored(&case.database, "alice"));
    assert_eq!(case.traces(), 1);
}

#[test]
fn replaced_hashes_leave_no_trace() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut case = Case::new();
    case.add_many(&mut numbers);
    for _ in 0..300 {
        let name = case.names[numbers.below(case.names.len())].clone();
        if numbers.below(3) == 0 { case.rehash(&name) } else { case.set_password(&name) }
    }
    assert_eq!(case.traces(), 0);
}

#[test]
fn removed_hashes_leave_no_trace_in_one_transaction() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut case = Case::new();
    case.add_many(&mut numbers);
    let names = std::mem::take(&mut case.names);
    case.gone = names.iter().map(|name| stored(&case.database, name)).collect();
    case.users.remove(&names, false).unwrap();
    assert_eq!(case.traces(), 0);
}

#[test]
fn hashes_leave_no_trace_in_any_order_of_changes() {
    let mut traces = Vec::new();
    for seed in [1, 2, 3, 4].into_iter().take(sample::of(1, 4)) {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15 ^ (seed * 7919));
        let mut case = Case::new();
        case.add_many(&mut numbers);
        for step in 0..400 {
            let index = numbers.below(case.names.len());
            let name = case.names[index].clone();
            match numbers.below(4) {
                0 => case.remove(index),
                1 => case.rehash(&name),
                _ => case.set_password(&name),
            }
            if numbers.below(4) == 0 {
                case.add(format!("later-{step}"));
            }
        }
        traces.push(case.traces());
    }
    assert!(traces.iter().all(|count| *count == 0), "{traces:?}");
}

#[test]
fn replaced_hashes_leave_no_trace_in_write_ahead_log() {
    for reader_is_slow in [false, true] {
        let database = Sqlite::with("PRAGMA journal_mode = WAL");
        let mut users = with_users(&database, &["alice"]);
        let app = database.connect();
        app.query_row("SELECT count(*) FROM users", [], |_| Ok(())).unwrap();
        let before = stored(&database, "alice");
        let digest = before.rsplit('$').next().unwrap().as_bytes();
        if reader_is_slow {
            app.execute_batch("BEGIN; SELECT * FROM users").unwrap();
        }
        users.set_password("alice", &Password::from("secret"), true).unwrap();
        let log = std::fs::read(database.dir().join("users.db-wal")).unwrap();
        let files = [database.bytes(), log].concat();
        let is_there = files.windows(PIECE).any(|piece| piece == &digest[..PIECE]);
        // Nothing moves below a reader: SECURITY.md says so.
        assert_eq!(is_there, reader_is_slow);
    }
}
