//! All forms of direct writes that only SQLite has.

use crate::direct_writes::{Case, UNCHANGED};

/// With a unique column of the app's own.
pub(super) const WITH_EMAIL: &str = "CREATE TABLE users (username TEXT PRIMARY KEY,
    password_hash TEXT NOT NULL, language TEXT NOT NULL, email TEXT UNIQUE, last_login TEXT)";
/// A table without constraints.
const LOOSE: &str = "CREATE TABLE users (username PRIMARY KEY, password_hash, language)";
const NOCASE: &str = "CREATE TABLE users (username TEXT COLLATE NOCASE PRIMARY KEY,
    password_hash TEXT NOT NULL, language TEXT NOT NULL)";
const WITHOUT_ROWID: &str = "CREATE TABLE users (username TEXT PRIMARY KEY,
    password_hash TEXT NOT NULL, language TEXT NOT NULL) WITHOUT ROWID";

/// Direct writes to the tutorial's table.
pub(super) const CASES: [Case; 24] = [
    (
        "INSERT INTO users (language, username, password_hash) VALUES ('en', 'zoe', 'x')",
        &["add zoe"],
        UNCHANGED,
    ),
    (
        "INSERT INTO users SELECT username || '2', password_hash, language FROM users",
        &["add alice2", "add bob2"],
        UNCHANGED,
    ),
    ("INSERT OR IGNORE INTO users VALUES ('alice', 'x', 'en')", &[], UNCHANGED),
    ("INSERT OR IGNORE INTO users VALUES ('zoe', 'x', 'en')", &["add zoe"], UNCHANGED),
    (
        "INSERT OR ABORT INTO users VALUES ('y', 'x', 'en');
         INSERT OR FAIL INTO users VALUES ('z', 'x', 'en');
         BEGIN; INSERT OR ROLLBACK INTO users VALUES ('zz', 'x', 'en'); COMMIT",
        &["add y", "add z", "add zz"],
        UNCHANGED,
    ),
    ("REPLACE INTO users VALUES ('zoe', 'x', 'en')", &["add zoe"], UNCHANGED),
    (
        "INSERT OR REPLACE INTO users VALUES ('alice', 'x', 'en')",
        &["remove alice: replaced by another row", "group remove alice: admins", "add alice"],
        &["bob staff"],
    ),
    (
        "PRAGMA recursive_triggers = ON;
         INSERT OR REPLACE INTO users VALUES ('alice', 'x', 'en')",
        &["remove alice", "add alice"],
        &["bob staff"],
    ),
    ("UPDATE users SET password_hash = 'x' WHERE username = 'alice'", &["passwd alice"], UNCHANGED),
    (
        "UPDATE users SET language = 'de'",
        &["update alice: language de", "update bob: language de"],
        UNCHANGED,
    ),
    (
        "UPDATE users SET username = 'alice', password_hash = 'one', language = 'en'
         WHERE username = 'alice'",
        &[],
        UNCHANGED,
    ),
    (
        "UPDATE OR REPLACE users SET username = 'bob' WHERE username = 'alice'",
        &["remove bob: replaced by another row", "group remove bob: staff", "rename alice: to bob"],
        &["bob admins"],
    ),
    ("UPDATE OR IGNORE users SET username = 'bob' WHERE username = 'alice'", &[], UNCHANGED),
    (
        "UPDATE OR FAIL users SET username = 'y' WHERE username = 'alice';
         BEGIN; UPDATE OR ROLLBACK users SET username = 'z' WHERE username = 'y'; COMMIT",
        &["rename alice: to y", "rename y: to z"],
        &["bob staff", "z admins"],
    ),
    (
        "UPDATE users SET username = NULL WHERE username = 'alice';
         UPDATE users SET username = 'alice' WHERE username IS NULL",
        &["rename alice", "rename NULL: to alice"],
        &["bob staff"],
    ),
    ("DELETE FROM users WHERE username = 'bob'", &["remove bob"], &["alice admins"]),
    (
        "PRAGMA trusted_schema = OFF; INSERT INTO users VALUES ('zoe', 'x', 'en')",
        &["add zoe"],
        UNCHANGED,
    ),
    (
        "BEGIN; INSERT INTO users VALUES ('zoe', 'x', 'en'); DELETE FROM users; ROLLBACK",
        &[],
        UNCHANGED,
    ),
    (
        "CREATE TABLE visits (username TEXT REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE);
         INSERT INTO visits VALUES ('alice'), ('bob');
         PRAGMA foreign_keys = ON;
         UPDATE users SET username = 'zoe' WHERE username = 'alice';
         DELETE FROM users WHERE username = 'bob'",
        &["rename alice: to zoe", "remove bob"],
        &["zoe admins"],
    ),
    (
        "CREATE TABLE orders (username TEXT REFERENCES users ON DELETE RESTRICT);
         INSERT INTO orders VALUES ('alice');
         PRAGMA foreign_keys = ON;
         DELETE FROM users WHERE username NOT IN (SELECT username FROM orders)",
        &["remove bob"],
        &["alice admins"],
    ),
    (
        "INSERT INTO user_groups VALUES ('bob', 'admins');
         DELETE FROM user_groups WHERE username = 'alice'",
        &["group add bob: admins", "group remove alice: admins"],
        &["bob admins", "bob staff"],
    ),
    (
        "UPDATE user_groups SET group_name = 'all'",
        &[
            "group remove alice: admins",
            "group add alice: all",
            "group remove bob: staff",
            "group add bob: all",
        ],
        &["alice all", "bob all"],
    ),
    (
        "UPDATE user_groups SET username = 'bob' WHERE username = 'alice'",
        &["group remove alice: admins", "group add bob: admins"],
        &["bob admins", "bob staff"],
    ),
    ("INSERT OR IGNORE INTO user_groups VALUES ('bob', 'staff')", &[], UNCHANGED),
];

/// The table, and a direct write to it as in [`Case`].
type OtherCase = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

/// Direct writes to other tables.
pub(super) const OTHER_TABLES: [OtherCase; 7] = [
    (
        WITHOUT_ROWID,
        "INSERT OR REPLACE INTO users VALUES ('alice', 'x', 'en')",
        &["remove alice: replaced by another row", "group remove alice: admins", "add alice"],
        &["bob staff"],
    ),
    (
        WITH_EMAIL,
        "UPDATE users SET email = 'bob@x' WHERE username = 'bob';
         INSERT OR REPLACE INTO users VALUES ('zoe', 'x', 'en', 'bob@x', NULL);
         INSERT INTO users VALUES ('bob', 'x', 'en', NULL, NULL)",
        &["add zoe", "remove bob: replaced by another row", "group remove bob: staff", "add bob"],
        &["alice admins"],
    ),
    (
        WITH_EMAIL,
        "UPDATE users SET last_login = 'now', email = username;
         UPDATE users SET last_login = NULL",
        &[],
        UNCHANGED,
    ),
    (
        NOCASE,
        "UPDATE users SET username = 'Alice' WHERE username = 'ALICE'",
        &["rename alice: to Alice"],
        &["Alice admins", "bob staff"],
    ),
    (
        WITHOUT_ROWID,
        "DELETE FROM users; INSERT INTO users VALUES ('bob', 'x', 'en')",
        &["remove alice", "remove bob", "add bob"],
        &[],
    ),
    (
        LOOSE,
        "INSERT INTO users VALUES (NULL, NULL, NULL), (NULL, 1, 2.5), (x'00ff', x'01', x''),
             (7, 8, 9);
         UPDATE users SET password_hash = x'02', language = NULL WHERE username = x'00ff';
         UPDATE users SET username = x'01' WHERE username = 'alice';
         DELETE FROM users WHERE username IS NULL",
        &[
            "add NULL",
            "add NULL",
            "add X'00FF'",
            "add 7",
            "passwd X'00FF'",
            "update X'00FF': language NULL",
            "rename alice: to \u{1}",
            "remove NULL",
            "remove NULL",
        ],
        &["\u{1} admins", "bob staff"],
    ),
    (
        "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL,
             language TEXT NOT NULL, boss TEXT REFERENCES users ON DELETE CASCADE)",
        "PRAGMA foreign_keys = ON;
         UPDATE users SET boss = 'bob' WHERE username = 'alice';
         DELETE FROM users WHERE username = 'bob'",
        &["remove alice", "remove bob"],
        &[],
    ),
];
