//! Damaged, truncated and foreign files.

use std::fmt::Write;
use std::fs;

use rusqlite::Connection;

use super::{Case, attack_in_turn, made};
use crate::sample;
use crate::support::{SECRET123, empty, seeded};

/// Pseudo-random bytes, the same at each run, like an encrypted file.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

fn case(name: impl Into<String>, file: Vec<u8>) -> Case {
    Case { name: name.into(), file }
}

/// A small database with many small pages.
fn whole() -> Vec<u8> {
    let mut sql = String::from("PRAGMA page_size = 1024; VACUUM; CREATE TABLE visits (who, at);");
    for number in 0..40 {
        write!(sql, "INSERT INTO users VALUES ('user{number}', '{SECRET123}', 'en');").unwrap();
    }
    made(true, &sql)
}

#[test]
fn commands_survive_overwritten_pages() {
    const PAGE: usize = 1024;

    let whole = whole();
    let noise = noise(PAGE);
    let mut cases = Vec::new();
    for page in 0..whole.len() / PAGE {
        // The first page except the header, without which it is not a database.
        let start = page * PAGE + if page == 0 { 100 } else { 0 };
        let mut with = |name: &str, bytes: &[u8]| {
            let mut file = whole.clone();
            file[start..(page + 1) * PAGE].copy_from_slice(&bytes[..(page + 1) * PAGE - start]);
            cases.push(case(format!("page {} is {name}", page + 1), file));
        };
        with("noise", &noise);
        // Another page of the same file.
        let other = (page + 7) % (whole.len() / PAGE);
        with("another one", &whole[other * PAGE..(other + 1) * PAGE]);
    }
    assert!(cases.len() > 40, "{}", cases.len());
    attack_in_turn(sample::of(28, 2), &cases);
}

#[test]
fn commands_survive_forged_headers() {
    let whole = whole();
    let mut cases = Vec::new();
    // The meaningful fields, by their most significant byte.
    for offset in [16, 17, 18, 19, 20, 21, 22, 23, 28, 31, 32, 36, 43, 47, 52, 56, 59, 64, 92] {
        for byte in [0, 2, 0xff] {
            let mut file = whole.clone();
            file[offset] = byte;
            cases.push(case(format!("byte {offset} of the header is {byte}"), file));
        }
    }
    attack_in_turn(sample::of(28, 3), &cases);
}

#[test]
fn commands_survive_truncated_and_foreign_files() {
    let whole = whole();
    let near = |length: usize| [length - 1, length, length + 1];
    let lengths = [0, 1, 2, 15, 16, 17, 50].into_iter().chain(near(100)).chain(near(512));
    let lengths =
        lengths.chain([1, 2, 3, 7, 13, 20].into_iter().flat_map(|page| near(page * 1024)));
    let mut cases: Vec<_> = lengths
        .map(|length| case(format!("the first {length} bytes"), whole[..length].to_vec()))
        .collect();
    for length in [1, 100, 4096, 100_000] {
        cases.push(case(format!("{length} bytes of noise"), noise(length)));
    }
    let encrypted: Vec<_> = whole.iter().zip(noise(whole.len())).map(|(a, b)| a ^ b).collect();
    cases.push(case("encrypted", [&whole[..16], &encrypted[16..]].concat()));
    cases.push(case("a text", b"username,password\nalice,secret\n".repeat(100)));
    cases.push(case("another file behind it", [whole.clone(), noise(10_000)].concat()));
    assert_eq!(cases.len(), 38);
    attack_in_turn(sample::of(28, 3), &cases);
}

/// A database in write-ahead log mode, without its log, or with part of its changes in the log.
#[test]
fn commands_survive_missing_write_ahead_log() {
    let sandbox = seeded();
    let connection = Connection::open(sandbox.path("users.db")).unwrap();
    connection.pragma_update(None, "journal_mode", "wal").unwrap();
    connection.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    let before = sandbox.read("users.db");
    connection.execute_batch("CREATE TABLE x (y); UPDATE users SET language = 'fr'").unwrap();
    let without_log = sandbox.read("users.db");
    drop(connection);
    let after = sandbox.read("users.db");
    // Half of the file is old.
    let middle = after.len() / 8192 * 4096;
    let mixed = [&after[..middle], &before[middle.min(before.len())..]].concat();
    let cases = [
        case("the log is gone", without_log),
        case("the log is in the file", after),
        case("half of the log is in the file", mixed),
    ];
    attack_in_turn(sample::of(3, 1), &cases);
}

/// `restore` with a journal of another database next to the file.
#[test]
fn commands_survive_foreign_journal() {
    let sandbox = empty();
    fs::write(sandbox.path("users.db"), whole()).unwrap();
    for (name, journal) in [
        ("users.db-journal", [&b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"[..], &noise(5000)].concat()),
        ("users.db-journal", noise(5000)),
        ("users.db-wal", [&b"\x37\x7f\x06\x82"[..], &noise(5000)].concat()),
        ("users.db-shm", noise(32_768)),
    ] {
        for args in [&["list"][..], &["lock", "alice"], &["check"], &["unlock", "alice"]] {
            fs::write(sandbox.path(name), &journal).unwrap();
            super::run(&sandbox, args, "").unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
        }
        let _ = fs::remove_file(sandbox.path(name));
    }
}
