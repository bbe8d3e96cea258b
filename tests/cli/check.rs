//! Output and hints of `check`. The tests of the library cover the findings themselves.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use snapbox::str;

use crate::sample;
use crate::support::{GOOD, SECRET123, Sandbox, empty, initialized, seeded};

#[test]
fn check_clean_database_has_no_findings() {
    let sandbox = initialized();
    sandbox.run_with(GOOD, &["add", "zoe", "--password-stdin", "--method", "scrypt"]);
    sandbox.assert_session(str![[r#"
$ dash-users check --method scrypt
status 0
-- stdout
no problems found in [DIR]/users.db

$ dash-users check --method scrypt --json
status 0
-- stdout
[]

$ dash-users check --fix --method scrypt --format plain
status 0

"#]]);
}

#[test]
fn check_shows_findings_and_hints_in_each_format() {
    let sandbox = seeded();
    sandbox.sql(
        "INSERT INTO users VALUES ('it''s', '$2b$12$', 'en');
         DELETE FROM users WHERE username = 'bob';",
    );
    sandbox.assert_session(str![[r#"
$ dash-users check --method scrypt:128:8:1
status 7
-- stdout
error: user 'alice' [demo_password]
   the password is the public demo password
   hint: `dash-users passwd alice --database [DIR]/users.db`
error: user 'it's' [hash_raises]
   login fails with a werkzeug exception: the stored value is a bcrypt hash
   hint: `dash-users passwd 'it'\''s' --database [DIR]/users.db`
info: user 'alice' [hash_weak]
   the hash is weak: scrypt:128:8:1 is below OWASP's recommendation
   hint: `dash-users rehash alice --database [DIR]/users.db`
-- stderr
2 errors and 0 warnings in [DIR]/users.db

$ dash-users check --format plain
status 7
-- stdout
demo_password	error	alice	the password is the public demo password	dash-users passwd alice --database [DIR]/users.db
hash_raises	error	it's	login fails with a werkzeug exception: the stored value is a bcrypt hash	dash-users passwd 'it'\''s' --database [DIR]/users.db
hash_weak	info	alice	the hash is weak: scrypt:128:8:1 is below OWASP's recommendation	dash-users rehash alice --database [DIR]/users.db
-- stderr
2 errors and 0 warnings in [DIR]/users.db

$ dash-users check --json --quiet
status 7
-- stdout
[{"code":"demo_password","severity":"error","username":"alice","message":"the password is the public demo password","hint":"dash-users passwd alice --database [DIR]/users.db"},{"code":"hash_raises","severity":"error","username":"it's","message":"login fails with a werkzeug exception: the stored value is a bcrypt hash","hint":"dash-users passwd 'it'\\''s' --database [DIR]/users.db"},{"code":"hash_weak","severity":"info","username":"alice","message":"the hash is weak: scrypt:128:8:1 is below OWASP's recommendation","hint":"dash-users rehash alice --database [DIR]/users.db"}]
-- stderr
{"error":{"code":"findings","status":7,"message":"2 errors and 0 warnings in [DIR]/users.db","hint":null}}

"#]]);
}

#[test]
fn check_shows_schema_findings_with_hints() {
    let sandbox = empty();
    sandbox.sql(
        "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL,
             language TEXT NOT NULL, email TEXT NOT NULL);
         PRAGMA journal_mode = wal;",
    );
    assert_eq!(sandbox.run(&["init"]).status, 0);
    fs::set_permissions(sandbox.dir(), Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(sandbox.path("users.db"), Permissions::from_mode(0o600)).unwrap();
    sandbox.sql(
        "CREATE TRIGGER \"a \"\"log\"\"\" AFTER INSERT ON users BEGIN SELECT 1; END;
         DROP TRIGGER dash_users_language;
         CREATE TRIGGER dash_users_language AFTER UPDATE ON users BEGIN SELECT 1; END;
         DROP INDEX dash_users_username_nocase;
         DROP TABLE user_groups;
         CREATE TABLE user_groups (username, group_name);
         INSERT INTO dash_users_change (action) VALUES ('x');",
    );
    sandbox.assert_session(str![[r#"
$ dash-users check
status 7
-- stdout
error: [index_missing]
   the index 'dash_users_username_nocase' is missing
   hint: `dash-users check --fix --database [DIR]/users.db`
error: [table_altered]
   the table 'user_groups' was altered
   hint: run `dash-users backup FILE --database [DIR]/users.db`, copy the rows of table user_groups, drop it, and run `dash-users init --database [DIR]/users.db`
error: [index_missing]
   the index 'dash_users_group_name' is missing
   hint: `dash-users check --fix --database [DIR]/users.db`
error: [trigger_altered]
   the trigger 'dash_users_language' was altered
   hint: `dash-users check --fix --database [DIR]/users.db`
error: [trigger_missing]
   the trigger 'dash_users_group_added' is missing
   hint: `dash-users check --fix --database [DIR]/users.db`
error: [trigger_missing]
   the trigger 'dash_users_group_removed' is missing
   hint: `dash-users check --fix --database [DIR]/users.db`
error: [trigger_missing]
   the trigger 'dash_users_group_changed' is missing
   hint: `dash-users check --fix --database [DIR]/users.db`
error: [change_left]
   table 'dash_users_change' has a leftover row: changes by the app are recorded as changes by dash-users
   hint: `dash-users check --fix --database [DIR]/users.db`
warning: [write_ahead_log]
   an app that runs as another user cannot read the file: it uses a write-ahead log, and only the owner can write to its directory
   hint: stop the app, then run `sqlite3 [DIR]/users.db 'PRAGMA journal_mode = DELETE'`
warning: [required_column]
   users cannot be added: column 'email' of table 'users' is NOT NULL and has no default
   hint: give the column a default in the app's schema
warning: [foreign_trigger]
   the trigger 'a "log"' was not created by dash-users, and sees every value that is written
   hint: if you do not know this trigger, remove it with this SQL: DROP TRIGGER "a ""log"""
-- stderr
8 errors and 3 warnings in [DIR]/users.db

"#]]);
}

#[test]
fn check_shows_hash_findings_with_hints() {
    let sandbox = initialized();
    let (zeros, more) = ("0".repeat(64), "0".repeat(128));
    sandbox.sql(&format!(
        "INSERT INTO users VALUES ('dear', 'scrypt:1048576:8:1$salt${more}', 'en'),
             ('odd', 'pbkdf2:sha384:1000$salt$00', 'en'),
             ('old', 'pbkdf2:sha256:1000000$salt${zeros}', 'en'),
             ('long', printf('scrypt:128:8:1$%.65536c${more}', 's'), 'en'),
             ('weak', 'scrypt:256:8:1$salt${more}', 'en');
         DELETE FROM dash_users_times WHERE username = 'odd';"
    ));
    sandbox.assert_session(str![[r#"
$ dash-users check
status 7
-- stdout
warning: user 'dear' [hash_over_limit]
   werkzeug takes seconds for each request, or raises an exception: scrypt 128·N·r·p exceeds the limit of 256 MiB
   hint: `dash-users passwd dear --database [DIR]/users.db`
warning: user 'long' [hash_over_limit]
   dash-users rejects the stored value: longer than 64 KiB
   hint: `dash-users passwd long --database [DIR]/users.db`
warning: user 'odd' [hash_unsupported]
   werkzeug may verify the stored hash, but dash-users cannot: the pbkdf2 digest is not sha1, sha256 or sha512; werkzeug may support it
   hint: `dash-users passwd odd --database [DIR]/users.db`
info: user 'odd' [added_unseen]
   the user was added without an event: the triggers were missing
   hint: `dash-users check --fix --database [DIR]/users.db`
info: user 'old' [hash_outdated]
   the hash is outdated: it uses pbkdf2:sha256:1000000
   hint: `dash-users rehash old --database [DIR]/users.db`
info: user 'weak' [hash_weak]
   the hash is weak: scrypt:256:8:1 is below OWASP's recommendation
   hint: `dash-users rehash weak --database [DIR]/users.db`
-- stderr
0 errors and 3 warnings in [DIR]/users.db

"#]]);
}

#[test]
fn check_info_findings_exit_0() {
    let sandbox = initialized();
    sandbox.sql(&format!("INSERT INTO users VALUES ('zoe', '{SECRET123}', 'de')"));
    sandbox.assert_session(str![[r#"
$ dash-users check
status 0
-- stdout
info: user 'zoe' [hash_outdated]
   the hash is outdated and weak: pbkdf2:sha256:1000 is below OWASP's recommendation
   hint: `dash-users rehash zoe --database [DIR]/users.db`

"#]]);
}

#[test]
fn check_fix_repairs_schema_but_not_users_or_modes() {
    let sandbox = initialized();
    sandbox.run_with(GOOD, &["add", "zoe", "--password-stdin", "--method", "scrypt"]);
    sandbox.sql(
        "DROP TRIGGER dash_users_removed; INSERT INTO user_groups VALUES ('gone', 'admins');
         INSERT INTO dash_users_times (username) VALUES ('lost');",
    );
    let path = sandbox.path("users.db");
    fs::set_permissions(&path, Permissions::from_mode(0o646)).unwrap();
    assert_eq!(sandbox.run(&["list"]).status, 4);
    sandbox.assert_session(str![[r#"
$ dash-users check --fix --method scrypt
status 7
-- stdout
error: [file_writable_by_others]
   anyone on this machine can change passwords: the file mode is 0646
   hint: `chmod o-rw [DIR]/users.db` (to give an app access, create the database with --file-group)
error: [trigger_missing]
   the trigger 'dash_users_removed' is missing
   fixed
warning: [file_readable_by_others]
   anyone on this machine can read the hashes: the file mode is 0646
   hint: `chmod o-rw [DIR]/users.db` (to give an app access, create the database with --file-group)
warning: user 'gone' [orphaned_groups]
   groups of a user that does not exist: admins
   fixed
info: user 'lost' [removed_unseen]
   the user was removed without an event: the row was replaced, or the triggers were missing
   fixed
-- stderr
repaired [DIR]/users.db
deleted group 'admins' of 'gone': the user was removed or replaced
recorded in the history: user 'lost' was removed
1 error and 1 warning in [DIR]/users.db

$ dash-users check --fix --method scrypt --json
status 7
-- stdout
[{"code":"file_writable_by_others","severity":"error","username":null,"message":"anyone on this machine can change passwords: the file mode is 0646","hint":"chmod o-rw [DIR]/users.db (to give an app access, create the database with --file-group)","fixed":false},{"code":"file_readable_by_others","severity":"warning","username":null,"message":"anyone on this machine can read the hashes: the file mode is 0646","hint":"chmod o-rw [DIR]/users.db (to give an app access, create the database with --file-group)","fixed":false}]
-- stderr
{"error":{"code":"findings","status":7,"message":"1 error and 1 warning in [DIR]/users.db","hint":null}}

"#]]);
    assert_eq!(sandbox.mode("users.db"), 0o646);
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    sandbox.sql("DROP TRIGGER dash_users_removed");
    sandbox.assert_session(str![[r#"
$ dash-users check --fix --method scrypt --format plain
status 0
-- stdout
trigger_missing	error		the trigger 'dash_users_removed' is missing	dash-users check --fix --database [DIR]/users.db	true
-- stderr
repaired [DIR]/users.db

"#]]);
}

/// Runs a hint in a shell, and returns whether it succeeded.
fn follow(sandbox: &Sandbox, hint: &str) -> bool {
    let Some(start) = hint.find("dash-users ") else { return false };
    let command = hint[start..].replace("--database [DIR]/", "--database ");
    let stdin = format!("printf '%s' {GOOD} | ");
    let password = if command.contains(" passwd ") { " --password-stdin" } else { "" };
    let confirmed = if command.contains(" remove ") { " --yes" } else { "" };
    // Before a username that looks like an option.
    let command = command.replacen(" --database", &format!("{password}{confirmed} --database"), 1);
    let script = format!("{stdin}{command}");
    sandbox.shell(&script).status().unwrap().success()
}

#[test]
fn check_user_hints_can_be_pasted_and_fix_findings() {
    for (name, value, language) in [
        ("no hash", "*", "en"),
        ("it's", "$2b$12$", "en"),
        ("plaintext", "hunter2", "en"),
        ("with:colon", SECRET123, "en"),
        ("trailing ", SECRET123, "en"),
        ("-rf", SECRET123, "en"),
        ("$(id)", "!", "not a language"),
        ("Zoë `x` \"y\"", "!", "en"),
    ] {
        let sandbox = initialized();
        let name = name.replace('\'', "''");
        sandbox.sql(&format!("INSERT INTO users VALUES ('{name}', '{value}', '{language}')"));
        let check = ["check", "--json", "--method", "pbkdf2:sha256:1000"];
        let mut rounds = 0;
        loop {
            let findings = sandbox.run(&check).json();
            let severe = |finding: &&serde_json::Value| finding["severity"] != "info";
            let Some(finding) = findings.as_array().unwrap().iter().find(severe) else { break };
            let hint = finding["hint"].as_str().unwrap();
            assert!(follow(&sandbox, hint), "{name}: {finding}");
            rounds += 1;
            assert!(rounds < 5, "{name}: {finding}");
        }
        assert!(rounds > 0, "{name}");
    }
}

#[test]
fn check_sql_removes_users_that_cannot_be_typed() {
    let sandbox = initialized();
    sandbox.sql(
        "INSERT INTO users VALUES (NULL, '!', 'en'), (x'00ff', '!', 'en'),
             ('a' || char(0) || 'b', '!', 'en')",
    );
    for _ in 0..3 {
        let findings = sandbox.run(&["check", "--json"]).json();
        let hint = findings[0]["hint"].as_str().unwrap().to_owned();
        sandbox.sql(hint.split_once("this SQL: ").unwrap().1);
    }
    assert_eq!(sandbox.run(&["list", "--format", "plain"]).stdout, "");
    assert_eq!(sandbox.run(&["check"]).status, 0);
}

#[test]
fn check_reports_outdated_schema_like_other_commands() {
    let sandbox = initialized();
    sandbox.sql("UPDATE dash_users_schema SET version = 1");
    sandbox.assert_session(str![[r#"
$ dash-users check
status 4
-- stderr
error: [DIR]/users.db is not up to date: its schema version is 1, the latest is 5
hint: run `dash-users init --database [DIR]/users.db` to update it

$ dash-users check --fix --json
status 4
-- stderr
{"error":{"code":"needs_migration","status":4,"message":"[DIR]/users.db is not up to date: its schema version is 1, the latest is 5","hint":"run dash-users init --database [DIR]/users.db to update it"}}

"#]]);
}

/// 80,000 findings once took minutes, because each was compared with all others.
#[test]
fn check_time_is_linear_in_findings() {
    let findings = sample::of(40_000, 80_000);
    let sandbox = initialized();
    sandbox.sql(&format!(
        "WITH RECURSIVE numbers (number) AS (
           SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {findings})
         INSERT INTO users SELECT 'user' || number, '', 'en' FROM numbers;
         INSERT INTO user_groups VALUES ('nobody', 'staff');"
    ));
    let start = Instant::now();
    for args in [&["check", "--format", "plain"][..], &["check", "--fix", "--format", "plain"]] {
        let run = sandbox.run(args);
        assert_eq!((run.status, run.stdout.lines().count()), (7, findings + 1), "{args:?}");
    }
    assert!(start.elapsed() < Duration::from_secs(90), "{:?}", start.elapsed());
}

#[test]
fn check_unwrap_restores_wrapped_hashes() {
    let sandbox = initialized();
    sandbox.sql(&format!(
        "INSERT INTO users VALUES ('ann', 'b''{SECRET123}''', 'en'),
             ('ben', '{SECRET123}' || char(10), 'en'),
             ('cleo', CAST('{SECRET123}' AS BLOB), 'en'), ('dan', 'None', 'en');"
    ));
    sandbox.assert_session(str![[r#"
$ dash-users check
status 7
-- stdout
error: user 'ann' [wrapped_hash]
   cannot log in: the stored value is a valid hash with Python's b'…' around it
   hint: `dash-users check --fix --unwrap --database [DIR]/users.db`
error: user 'ben' [wrapped_hash]
   cannot log in: the stored value is a valid hash with a line end around it
   hint: `dash-users check --fix --unwrap --database [DIR]/users.db`
error: user 'cleo' [hash_raises]
   login fails with a werkzeug exception: the stored hash is valid, but a BLOB instead of text
   hint: convert it to text with this SQL: UPDATE users SET password_hash = CAST(password_hash AS TEXT) WHERE username = 'cleo' AND typeof(password_hash) = 'blob'
error: user 'dan' [no_password]
   cannot log in: the stored value is a placeholder such as None or ***, not a hash
   hint: `dash-users passwd dan --database [DIR]/users.db`
-- stderr
4 errors and 0 warnings in [DIR]/users.db

$ dash-users check --unwrap
status 2
-- stderr
error: the following required arguments were not provided:
  --fix

Usage: dash-users check --fix --unwrap

For more information, try '--help'.

$ dash-users check --fix --unwrap --format plain
status 7
-- stdout
wrapped_hash	error	ann	cannot log in: the stored value is a valid hash with Python's b'…' around it	dash-users check --fix --unwrap --database [DIR]/users.db	true
wrapped_hash	error	ben	cannot log in: the stored value is a valid hash with a line end around it	dash-users check --fix --unwrap --database [DIR]/users.db	true
hash_raises	error	cleo	login fails with a werkzeug exception: the stored hash is valid, but a BLOB instead of text	convert it to text with this SQL: UPDATE users SET password_hash = CAST(password_hash AS TEXT) WHERE username = 'cleo' AND typeof(password_hash) = 'blob'	true
no_password	error	dan	cannot log in: the stored value is a placeholder such as None or ***, not a hash	dash-users passwd dan --database [DIR]/users.db	false
hash_outdated	info	ann	the hash is outdated and weak: pbkdf2:sha256:1000 is below OWASP's recommendation	dash-users rehash ann --database [DIR]/users.db	false
hash_outdated	info	ben	the hash is outdated and weak: pbkdf2:sha256:1000 is below OWASP's recommendation	dash-users rehash ben --database [DIR]/users.db	false
hash_outdated	info	cleo	the hash is outdated and weak: pbkdf2:sha256:1000 is below OWASP's recommendation	dash-users rehash cleo --database [DIR]/users.db	false
-- stderr
repaired 3 hashes in [DIR]/users.db
1 error and 0 warnings in [DIR]/users.db

"#]]);
    for user in ["ann", "ben", "cleo"] {
        assert_eq!(sandbox.stored(user), SECRET123);
    }
    sandbox.assert_session(str![[r#"
$ dash-users history --format plain --limit 3
status 0
-- stdout
7	[TIME]	admin	unwrap	cleo	\N
6	[TIME]	admin	unwrap	ben	\N
5	[TIME]	admin	unwrap	ann	\N

"#]]);
}

#[test]
fn check_sql_repairs_blob_hash() {
    let sandbox = initialized();
    sandbox
        .sql(&format!("INSERT INTO users VALUES ('o''hara', CAST('{SECRET123}' AS BLOB), 'en')"));
    let hint = sandbox.run(&["check", "--json"]).json()[0]["hint"].to_string();
    let (_, sql) = hint.trim_matches('"').split_once(": ").unwrap();
    sandbox.sql(sql);
    assert_eq!(sandbox.stored("o'hara"), SECRET123);
}

#[test]
fn check_identifies_stored_values() {
    let sandbox = empty();
    sandbox.sql(
        "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash VARCHAR(60),
                             language TEXT NOT NULL);",
    );
    assert_eq!(sandbox.run(&["init"]).status, 0);
    let cut = &SECRET123[..60];
    let passlib = "$pbkdf2-sha256$1000$//4A$iAuEBU1eQB0b/Gp.ejeKjb1nFAZIttYeYsf5XPqUYYE";
    sandbox.sql(&format!(
        "INSERT INTO users VALUES ('a', '{cut}', 'en'), ('b', NULL, 'en'), ('c', '', 'en'),
             ('d', '{{SSHA}}py07alIVHS3+BzMiH24nmv/xAMGXkpIS', 'en'), ('e', '{passlib}', 'en'),
             ('f', '$6$salt$short', 'en'), ('g', '$P$HmmEeCryXyTUPsWZEtgl./QQp8hANq.', 'en'),
             ('h', 'pbkdf2_sha1$1000$pinksalt$8sXy+VUuHIqLlcqnP3Hn2KFcOjA=', 'en'),
             ('i', 'b''$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW''', 'en')"
    ));
    sandbox.assert_session(str![[r#"
$ dash-users check --format plain
status 7
-- stdout
hash_never_matches	error	a	no password matches the stored hash: the stored value is a truncated hash (last 40 characters missing), with 60 characters; the column has the type VARCHAR(60)	dash-users passwd a --database [DIR]/users.db
hash_raises	error	b	login fails with a werkzeug exception: the stored hash is NULL	dash-users passwd b --database [DIR]/users.db
hash_never_matches	error	c	cannot log in: the stored hash is empty	dash-users passwd c --database [DIR]/users.db
hash_never_matches	error	d	no password matches the stored hash: the stored value is an LDAP hash	dash-users passwd d --database [DIR]/users.db
hash_raises	error	e	login fails with a werkzeug exception: the stored value is a passlib PBKDF2 hash that cannot be converted to werkzeug's format	dash-users passwd e --database [DIR]/users.db
hash_raises	error	f	login fails with a werkzeug exception: the stored value is a SHA-512-crypt hash, truncated, with 13 characters; the column has the type VARCHAR(60)	dash-users passwd f --database [DIR]/users.db
hash_raises	error	g	login fails with a werkzeug exception: the stored value is a phpass hash	dash-users passwd g --database [DIR]/users.db
hash_raises	error	h	login fails with a werkzeug exception: the stored value is a Django PBKDF2 hash	dash-users check --fix --unwrap --database [DIR]/users.db
wrapped_hash	error	i	cannot log in: the stored value is a bcrypt hash with Python's b'…' around it	dash-users passwd i --database [DIR]/users.db
file_readable_by_others	warning		anyone on this machine can read the hashes: the file mode is 0644	chmod o-rw [DIR]/users.db (to give an app access, create the database with --file-group)
-- stderr
9 errors and 1 warning in [DIR]/users.db

"#]]);
}

#[test]
fn check_summarizes_many_findings_of_a_kind() {
    let sandbox = initialized();
    sandbox.sql(
        "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1200)
         INSERT INTO users SELECT printf('user%04d', x),
             'scrypt:64:8:1$salt$' || replace(hex(zeroblob(64)), '0', 'a'), 'x y' FROM n;
         INSERT INTO users VALUES ('zoe', 'plaintext', 'en')",
    );
    sandbox.assert_session(str![[r#"
$ dash-users check
status 7
-- stdout
error: 1,200 users [hash_raises]
   login fails with a werkzeug exception: scrypt N·p is too low for werkzeug's memory limit
   hint: `dash-users passwd user0001 --database [DIR]/users.db`
   users: 'user0001', 'user0002', 'user0003', 'user0004', 'user0005', 'user0006', 'user0007', 'user0008', 'user0009', 'user0010' and 1,190 more (use --all to list them)
error: user 'zoe' [clear_password]
   the password is stored in plaintext: it does not work for login, and anyone with read access can see it
   hint: `dash-users rehash --plaintext zoe --database [DIR]/users.db`
info: 1,200 users [language_not_allowed]
   the language is not a BCP 47 tag
   hint: `dash-users update user0001 --language en --database [DIR]/users.db`
   users: 'user0001', 'user0002', 'user0003', 'user0004', 'user0005', 'user0006', 'user0007', 'user0008', 'user0009', 'user0010' and 1,190 more (use --all to list them)
-- stderr
1,201 errors and 0 warnings in [DIR]/users.db

"#]]);
    let all = sandbox.run(&["check", "--all"]);
    assert!(all.stdout.lines().count() > 1200 * 6, "{all}");
    let json = sandbox.run(&["check", "--json"]);
    let findings: Vec<serde_json::Value> = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(findings.len(), 2401);
}
