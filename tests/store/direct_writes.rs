//! Direct writes by an app that every database supports. Each database has more, and tests all of
//! them.

use crate::database::Database;
use crate::support::init;

/// A direct write: the SQL, the recorded events, and the resulting members of groups.
pub(crate) type Case = (&'static str, &'static [&'static str], &'static [&'static str]);

pub(crate) const UNCHANGED: &[&str] = &["alice admins", "bob staff"];

pub(crate) const CASES: [Case; 13] = [
    ("INSERT INTO users VALUES ('zoe', 'x', 'en')", &["add zoe"], UNCHANGED),
    (
        "INSERT INTO users VALUES ('zoe', 'x', 'en'), ('yan', 'x', 'en')",
        &["add zoe", "add yan"],
        UNCHANGED,
    ),
    ("INSERT INTO users VALUES ('alice', 'z', 'de') ON CONFLICT DO NOTHING", &[], UNCHANGED),
    (
        "INSERT INTO users VALUES ('alice', 'z', 'de'), ('zoe', 'z', 'de')
         ON CONFLICT (username) DO UPDATE SET password_hash = excluded.password_hash",
        &["passwd alice", "add zoe"],
        UNCHANGED,
    ),
    (
        "UPDATE users SET username = 'zoe' WHERE username = 'alice'",
        &["rename alice: to zoe"],
        &["bob staff", "zoe admins"],
    ),
    (
        "UPDATE users SET username = username || '2'",
        &["rename alice: to alice2", "rename bob: to bob2"],
        &["alice2 admins", "bob2 staff"],
    ),
    ("UPDATE users SET password_hash = password_hash, language = language", &[], UNCHANGED),
    ("DELETE FROM users", &["remove alice", "remove bob"], &[]),
    ("BEGIN; DELETE FROM users; ROLLBACK", &[], UNCHANGED),
    (
        "BEGIN; INSERT INTO users VALUES ('zoe', 'x', 'en'); SAVEPOINT s;
         DELETE FROM users WHERE username = 'alice'; ROLLBACK TO s;
         UPDATE users SET language = 'de' WHERE username = 'zoe'; COMMIT",
        &["add zoe", "update zoe: language de"],
        UNCHANGED,
    ),
    (
        "BEGIN; DELETE FROM users WHERE username = 'alice';
         INSERT INTO users VALUES ('alice', 'z', 'en'); COMMIT",
        &["remove alice", "add alice"],
        &["bob staff"],
    ),
    (
        "UPDATE users SET username = 'zoe' WHERE username = 'alice';
         UPDATE users SET username = 'alice' WHERE username = 'bob';
         UPDATE users SET username = 'bob' WHERE username = 'zoe'",
        &["rename alice: to zoe", "rename bob: to alice", "rename zoe: to bob"],
        &["alice staff", "bob admins"],
    ),
    (
        "INSERT INTO user_groups VALUES ('bob', 'x'); DELETE FROM user_groups WHERE username = 'bob'
         AND group_name = 'staff'; UPDATE user_groups SET group_name = 'y' WHERE group_name = 'x'",
        &["group add bob: x", "group remove bob: staff", "group remove bob: x", "group add bob: y"],
        &["alice admins", "bob y"],
    ),
];

/// Migrates a database, and adds alice and bob, each in a group. The history is empty.
pub(crate) fn fill(database: &dyn Database) {
    drop(init(database));
    database.execute(
        "INSERT INTO users (username, password_hash, language)
             VALUES ('alice', 'one', 'en'), ('bob', 'two', 'en');
         INSERT INTO user_groups VALUES ('alice', 'admins'), ('bob', 'staff');
         DELETE FROM user_events",
    );
}

/// Who is in which group.
pub(crate) fn members(database: &dyn Database) -> Vec<String> {
    database.query("SELECT username || ' ' || group_name FROM user_groups ORDER BY 1")
}
