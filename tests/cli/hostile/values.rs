//! Rows that no program should write.

use std::fmt::Write as _;

use super::{Case, MEMORY_KIB, attack_in_turn, bounded, end_of, made};
use crate::sample;
use crate::support::seeded;

/// Values in place of a hash.
const HASHES: [&str; 28] = [
    "scrypt:1048576:8:1$salt$00",
    "scrypt:2147483648:8:1$salt$00",
    "scrypt:9223372036854775808:8:1$salt$00",
    "scrypt:18446744073709551616:8:1$salt$00",
    "scrypt:99999999999999999999999999999999999999:8:1$salt$00",
    "scrypt:2:1048576:1$salt$00",
    "scrypt:32768:4294967295:1$salt$00",
    "scrypt:32768:18446744073709551615:1$salt$00",
    "scrypt:2:1:4294967295$salt$00",
    "scrypt:16384:8:33554432$salt$00",
    "scrypt:1:8:1$salt$00",
    "scrypt:0:0:0$salt$00",
    "scrypt:-2:8:1$salt$00",
    "scrypt:524288:8:1$salt$00",
    "pbkdf2:sha256:10000001$salt$00",
    "pbkdf2:sha256:2147483647$salt$00",
    "pbkdf2:sha256:4294967296$salt$00",
    "pbkdf2:sha256:99999999999999999999999$salt$00",
    "pbkdf2:sha256:0$salt$00",
    "pbkdf2:sha512:-1$salt$00",
    "pbkdf2:blake2b:1$salt$00",
    "pbkdf2:shake_256:1$salt$00",
    "$2b$31$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "$argon2id$v=19$m=4194304,t=99999,p=1$c2FsdHNhbHQ$aaaaaaaaaaaaaaaaaaaaaa",
    "!scrypt:1048576:8:1|salt|00",
    "!!scrypt:128:8:1||",
    "$$",
    "",
];

/// Names, hashes and languages as SQL: other types, and control characters.
const VALUES: [&str; 16] = [
    "NULL",
    "x''",
    "x'ff00'",
    "42",
    "-1.5e300",
    "CAST(x'ff' AS TEXT)",
    "CAST(x'c080' AS TEXT)",
    "CAST(x'eda080' AS TEXT)",
    "CAST(x'f4908080' AS TEXT)",
    "char(0)",
    "'a' || char(0) || 'b'",
    "char(27) || ']0;owned' || char(7)",
    "char(0x9b) || '31m' || char(0x85)",
    "char(0x202e, 0x2066, 0x200f, 0x61c)",
    "char(0x2028, 10, 13, 9, 0xfeff, 0x10ffff)",
    "'-x; $(reboot) `reboot` \"'",
];

/// A table that accepts values of all types.
const LOOSE: &str = "CREATE TABLE users (username UNIQUE, password_hash, language);";

#[test]
fn commands_survive_hostile_hashes() {
    let mut cases = Vec::new();
    for hash in HASHES {
        // A digest of the right length, if the method has one.
        let digest = "0".repeat(if hash.contains("scrypt") { 128 } else { 64 });
        let hash =
            hash.strip_suffix("00").map_or(hash.to_owned(), |start| start.to_owned() + &digest);
        let sql = format!("UPDATE users SET password_hash = '{hash}'");
        cases.push(Case { name: hash, file: made(true, &sql) });
    }
    attack_in_turn(sample::of(14, 2), &cases);
}

#[test]
fn commands_survive_hostile_values_of_any_type() {
    let mut cases = Vec::new();
    for (index, value) in VALUES.into_iter().enumerate() {
        let other = VALUES[(index + 5) % VALUES.len()];
        let mut sql = LOOSE.to_owned();
        for row in [
            format!("{value}, {other}, {value}"),
            format!("'alice', {value}, {other}"),
            format!("'bob', '<HASH>', {value}"),
        ] {
            write!(sql, "INSERT OR IGNORE INTO users VALUES ({row});").unwrap();
        }
        cases.push(Case { name: value.to_owned(), file: made(false, &sql) });
        // Also in dash-users' own tables.
        let sql = format!(
            "INSERT INTO user_groups SELECT 'alice', ifnull({value}, 'x');
             INSERT INTO user_groups SELECT ifnull({value}, 'x'), ifnull({other}, 'y');
             INSERT INTO user_events VALUES (99, ifnull({value}, ''), {other}, ifnull({value}, ''), 'alice', {value});
             UPDATE dash_users_times SET created_at = {value}, password_changed_at = {other};"
        );
        cases.push(Case { name: format!("{value} beside users"), file: made(true, &sql) });
    }
    attack_in_turn(sample::of(14, 2), &cases);
}

#[test]
fn huge_values_use_bounded_time_and_memory() {
    let megabytes = sample::of(1, 10);
    let plain = format!("printf('%.*c', {megabytes}000000, 'x')");
    let wild = "replace(printf('%.*c', 100000, 'x'), 'x', char(27, 0x202e))";
    let digits = format!("printf('%.*c', {megabytes}000000, '9')");
    let cases = [
        (
            "names, and all that is about alice",
            format!(
                "INSERT INTO users VALUES ({plain}, '<HASH>', {wild}),
                     (CAST(zeroblob(500000) AS TEXT), {plain}, 'en');
                 INSERT INTO user_groups VALUES ('alice', {wild});
                 UPDATE users SET language = {wild} WHERE username = 'alice';
                 UPDATE user_events SET detail = {wild}, action = {plain};"
            ),
        ),
        (
            "salt and cost",
            format!(
                "UPDATE users SET password_hash =
                     'scrypt:128:8:1$' || {plain} || '$' || printf('%.*c', 128, '0')
                 WHERE username = 'alice';
                 UPDATE users SET password_hash = 'scrypt:' || {digits} || ':8:1$salt$00'
                 WHERE username = 'bob'"
            ),
        ),
        (
            "digest and plaintext password",
            format!(
                "UPDATE users SET password_hash = 'scrypt:128:8:1$salt$' || {digits}
                 WHERE username = 'bob';
                 UPDATE users SET password_hash = {plain} WHERE username = 'alice';"
            ),
        ),
    ];
    let cases =
        cases.map(|(name, sql)| Case { name: format!("huge {name}"), file: made(true, &sql) });
    attack_in_turn(sample::of(3, 1), &cases);
}

/// The accepted costs that use the most memory, by blocks and by lanes.
#[test]
fn costliest_hash_uses_bounded_memory() {
    // The 256 MiB of a hash, plus the program itself and the allocator's reserve.
    const WORST: u32 = 640 << 10;
    const NONE: u32 = 64 << 10;

    let sandbox = seeded();
    let worst = ["262144:8:1", "4:262144:2", "128:16384:1", "2:262144:4"];
    let worst = worst.into_iter().take(sample::of(2, 4)).map(|cost| (cost, WORST, 3));
    let rejected = [
        ("524288:8:1", NONE, 7),
        ("128:16385:1", NONE, 7),
        ("4:262145:2", NONE, 7),
        ("1048576:8:1", NONE, 7),
        ("2:1:4294967295", NONE, 7),
    ];
    for (cost, kib, status) in worst.chain(rejected) {
        let digest = "0".repeat(128);
        sandbox.sql(&format!("UPDATE users SET password_hash = 'scrypt:{cost}$salt${digest}'"));
        let args = ["verify", "alice", "--password-stdin"];
        let (found, output) = end_of(bounded(&sandbox, kib, &args), "secret123").unwrap();
        assert_eq!(found, Some(status), "{cost}: {output}");
    }
}

#[test]
fn endless_input_is_not_read_to_the_end() {
    let sandbox = seeded();
    for format in ["csv", "jsonl"] {
        let args = ["import", "/dev/zero", "--input-format", format];
        let (status, output) = end_of(bounded(&sandbox, MEMORY_KIB, &args), "").unwrap();
        assert_eq!(status, Some(7), "{output}");
        let line = "/dev/zero:1: no record ends within 64 MiB from here; the rest of the file was not read\n";
        assert!(output.starts_with(line), "{output}");
    }
}
