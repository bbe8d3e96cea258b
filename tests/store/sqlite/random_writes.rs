//! Random statements of an app on a table with our triggers and on one without: both have the same
//! rows, and no user has the groups of another.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use rusqlite::Connection;

use crate::database::Sqlite;
use crate::sample;
use crate::support::init;

/// Tables whose names compare and convert in every way that is adopted. `uid` is the person: it goes
/// with the row, and is new with each row.
const TABLES: [&str; 9] = [
    "CREATE TABLE users (uid, username TEXT PRIMARY KEY, password_hash TEXT, language TEXT,
         email TEXT UNIQUE)",
    "CREATE TABLE users (uid, username TEXT COLLATE NOCASE PRIMARY KEY, password_hash TEXT,
         language TEXT, email TEXT UNIQUE)",
    "CREATE TABLE users (uid, username TEXT COLLATE RTRIM UNIQUE, password_hash TEXT COLLATE NOCASE,
         language TEXT, email TEXT UNIQUE)",
    "CREATE TABLE users (uid, username UNIQUE, password_hash, language, email UNIQUE)",
    "CREATE TABLE users (uid, username VARCHAR(9) COLLATE NOCASE PRIMARY KEY, password_hash NUMERIC,
         language STRING, email UNIQUE) WITHOUT ROWID",
    "CREATE TABLE users (uid INTEGER, username TEXT PRIMARY KEY, password_hash TEXT, language TEXT,
         email TEXT UNIQUE) STRICT",
    "CREATE TABLE users (uid, username TEXT, password_hash, language, email UNIQUE);
     CREATE UNIQUE INDEX by_name ON users (username COLLATE NOCASE)",
    "CREATE TABLE users (uid, username TEXT UNIQUE ON CONFLICT REPLACE, password_hash, language,
         email UNIQUE ON CONFLICT REPLACE)",
    "CREATE TABLE users (uid PRIMARY KEY, username BLOB COLLATE NOCASE UNIQUE ON CONFLICT IGNORE,
         password_hash, language, email UNIQUE ON CONFLICT FAIL)",
];

/// Names that are the same or not, as a column compares and converts them.
const NAMES: [&str; 12] = [
    "'alice'",
    "'ALICE'",
    "'Alice'",
    "'alice '",
    "'bob'",
    "'BOB'",
    "'7'",
    "'007'",
    "7",
    "NULL",
    "x'616c696365'",
    "'ALICE  '",
];

/// Statements, in which `#` is a new number.
fn statement() -> impl Strategy<Value = String> {
    let conflict = select(vec!["", "OR REPLACE", "OR IGNORE", "OR FAIL", "OR ABORT"]);
    let name = || select(NAMES.to_vec());
    let email = select(vec!["NULL", "'x'", "'y'", "#"]);
    let insert = (conflict.clone(), name(), name(), email).prop_map(|(conflict, one, two, email)| {
        format!("INSERT {conflict} INTO users VALUES (#, {one}, 'h', 'en', {email}), (#, {two}, 'h', 'en', NULL)")
    });
    let upsert = (name(), name()).prop_map(|(name, new)| {
        format!(
            "INSERT INTO users VALUES (#, {name}, 'h', 'en', NULL) ON CONFLICT (username) DO UPDATE
             SET password_hash = 'other', username = {new}"
        )
    });
    let rename = (conflict.clone(), name(), name()).prop_map(|(conflict, old, new)| {
        format!("UPDATE {conflict} users SET username = {new} WHERE username = {old}")
    });
    let rename_all = (
        conflict,
        select(vec!["upper(username)", "username || ' '", "rtrim(username)", "NULL", "username"]),
    )
        .prop_map(|(conflict, new)| format!("UPDATE {conflict} users SET username = {new}"));
    let change = (select(vec!["password_hash", "language", "email"]), name(), name()).prop_map(
        |(column, value, name)| {
            format!("UPDATE OR REPLACE users SET {column} = {value} WHERE username = {name}")
        },
    );
    let delete = name().prop_map(|name| format!("DELETE FROM users WHERE username = {name}"));
    let triggers =
        select(vec!["ON", "OFF"]).prop_map(|value| format!("PRAGMA recursive_triggers = {value}"));
    prop_oneof![
        4 => insert,
        1 => upsert,
        3 => rename,
        1 => rename_all,
        2 => change,
        2 => delete,
        1 => triggers,
        1 => Just("DELETE FROM users".to_owned()),
    ]
}

fn rows(connection: &Connection, select: &str) -> Vec<(String, String)> {
    let mut statement = connection.prepare(select).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// The person of each row, and the name.
fn people(connection: &Connection) -> BTreeMap<String, String> {
    rows(connection, "SELECT CAST(uid AS TEXT), quote(username) FROM users").into_iter().collect()
}

fn run(table: &str, statements: &[String]) -> Result<(), TestCaseError> {
    let (database, twin) = (Sqlite::with(table), Sqlite::with(table));
    let mut users = init(&database);
    let (ours, plain) = (database.connect(), twin.connect());
    let mut number = 0;
    for statement in statements {
        let mut sql = String::new();
        for part in statement.split_inclusive('#') {
            number += 1;
            sql += &part.replace('#', &number.to_string());
        }
        let before = people(&ours);
        let done = [&ours, &plain].map(|app| app.execute_batch(&sql).map_err(|e| e.to_string()));
        prop_assert_eq!(&done[0], &done[1], "{}", sql);
        let all = "SELECT quote(uid) || quote(username) || quote(email),
                          quote(password_hash) || quote(language) FROM users ORDER BY 1";
        prop_assert_eq!(rows(&ours, all), rows(&plain, all), "{}", sql);

        // Everybody has only the own group.
        let strangers = "SELECT quote(users.username), quote(group_name) FROM users, user_groups
                         WHERE users.username = user_groups.username
                             AND group_name <> 'g' || uid";
        prop_assert_eq!(rows(&ours, strangers), [], "{}", sql);
        // And keeps it under a new name.
        let kept: BTreeMap<_, _> =
            rows(&ours, "SELECT substr(group_name, 2), quote(username) FROM user_groups")
                .into_iter()
                .collect();
        for (person, name) in people(&ours) {
            let had_name = before.get(&person).is_some_and(|before| before.starts_with('\''));
            if had_name && name.starts_with('\'') {
                prop_assert_eq!(kept.get(&person), Some(&name), "{}: {}", sql, person);
            }
        }
        let times = "SELECT quote(username), typeof(username) FROM dash_users_times
                     WHERE username IN (SELECT username FROM users) ORDER BY 1, 2";
        let names = "SELECT quote(username), typeof(username) FROM users
                     WHERE username IS NOT NULL ORDER BY 1, 2";
        prop_assert_eq!(rows(&ours, times), rows(&ours, names), "{}", sql);

        ours.execute_batch(
            "INSERT OR IGNORE INTO user_groups
             SELECT username, 'g' || uid FROM users WHERE typeof(username) = 'text'",
        )
        .unwrap();
    }
    drop((ours, plain));
    users.repair().unwrap();
    let findings = users.check().unwrap();
    let unseen =
        ["orphaned_groups", "removed_unseen", "added_unseen", "changed_unseen", "integrity"];
    let codes: Vec<_> = findings.iter().map(|found| found.problem.code()).collect();
    prop_assert!(codes.iter().all(|code| !unseen.contains(code)), "{:?}", codes);
    Ok(())
}

#[test]
fn random_writes_leak_no_groups() {
    let cases = sample::of(5, 300).try_into().unwrap();
    for table in TABLES {
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        TestRunner::new(config)
            .run(&vec(statement(), 1..40), |statements| run(table, &statements))
            .unwrap_or_else(|error| panic!("{table}: {error}"));
    }
}
