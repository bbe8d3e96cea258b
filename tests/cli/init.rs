use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use snapbox::str;

use crate::support::{assert_run, empty, initialized, seeded};

#[test]
fn init_creates_database_once() {
    let sandbox = empty();
    assert_run!(
        sandbox.run(&["init"]),
        str![[r#"
status 0
-- stdout
-- stderr
created [DIR]/users.db

"#]]
    );
    assert_run!(
        sandbox.run(&["init"]),
        str![[r#"
status 0
-- stdout
-- stderr
[DIR]/users.db is already up to date

"#]]
    );
    let mode = fs::metadata(sandbox.path("users.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn init_json_says_what_was_done() {
    let sandbox = empty();
    assert_run!(
        sandbox.run(&["init", "--json"]),
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","action":"init","changed":true,"created":true,"adopted":false,"version":3,"applied":[{"version":1,"name":"users"},{"version":2,"name":"accounts"},{"version":3,"name":"fingerprints"}],"pending":[],"warnings":[]}
-- stderr

"#]]
    );
    assert_run!(
        sandbox.run(&["init", "--json"]),
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","action":"init","changed":false,"created":false,"adopted":false,"version":3,"applied":[],"pending":[],"warnings":[]}
-- stderr

"#]]
    );
}

#[test]
fn init_fills_empty_file_and_adopts_tutorial_table() {
    let sandbox = empty();
    sandbox.write("users.db", "");
    assert_run!(
        sandbox.run(&["init"]),
        str![[r#"
status 0
-- stdout
-- stderr
created table 'users' in [DIR]/users.db

"#]]
    );

    let sandbox = empty();
    sandbox.sql(
        "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL,
                             language TEXT NOT NULL, email TEXT NOT NULL);
         INSERT INTO users VALUES ('alice', 'x', 'en', 'a@example.org');",
    );
    assert_run!(
        sandbox.run(&["list"]),
        str![[r#"
status 4
-- stdout
-- stderr
error: [DIR]/users.db is not up to date: its schema version is 0, the latest is 3
hint: run `dash-users init --database [DIR]/users.db` to update it

"#]]
    );
    assert_run!(
        sandbox.run(&["init"]),
        str![[r#"
status 0
-- stdout
-- stderr
adopted table 'users' in [DIR]/users.db
warning: column 'email' of table 'users' is NOT NULL without a default: users cannot be added until it has one

"#]]
    );
    assert_run!(
        sandbox.run(&["init", "--json"]),
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","action":"init","changed":false,"created":false,"adopted":false,"version":3,"applied":[],"pending":[],"warnings":["column 'email' of table 'users' is NOT NULL without a default: users cannot be added until it has one"]}
-- stderr

"#]]
    );
    assert_run!(
        sandbox.run(&["list", "--format", "plain"]),
        str![[r#"
status 0
-- stdout
alice	en	false		false			
-- stderr

"#]]
    );
}

#[test]
fn init_sets_mode_and_group_of_new_file() {
    let sandbox = empty();
    let gid = fs::metadata(sandbox.dir()).unwrap().gid().to_string();
    let run = sandbox.run(&["init", "--file-mode", "0640", "--file-group", &gid]);
    assert_eq!(run.status, 0, "{run}");
    let mode = fs::metadata(sandbox.path("users.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o640);

    let sandbox = empty();
    assert_run!(
        sandbox.run(&["init", "--file-mode", "0755"]),
        str![[r#"
status 2
-- stdout
-- stderr
error: invalid value '0755' for '--file-mode <MODE>': it must let the owner read and write, and nobody execute, such as 0600, 0640 or 0660

For more information, try '--help'.

"#]]
    );
    assert_run!(
        sandbox.run(&["init", "--file-group", "no-such-group"]),
        str![[r#"
status 2
-- stdout
-- stderr
error: no such group: 'no-such-group'

"#]]
    );
    assert!(!sandbox.path("users.db").exists());
}

#[test]
fn init_rejects_foreign_files_unchanged() {
    let sandbox = empty();
    sandbox
        .write("users.db", "dear diary, this is a text of more than a hundred bytes; ".repeat(20));
    let before = fs::read(sandbox.path("users.db")).unwrap();
    assert_run!(
        sandbox.run(&["init"]),
        str![[r#"
status 4
-- stdout
-- stderr
error: [DIR]/users.db is not a users database: it is a text file

"#]]
    );
    assert_eq!(fs::read(sandbox.path("users.db")).unwrap(), before);

    let sandbox = empty();
    sandbox.sql("CREATE VIEW users AS SELECT 1 AS username, 2 AS password_hash, 3 AS language");
    assert_run!(
        sandbox.run(&["init", "--json"]),
        str![[r#"
status 4
-- stdout
-- stderr
{"error":{"code":"not_a_database","status":4,"message":"[DIR]/users.db is not a users database: its 'users' is a view, not a table","hint":null}}

"#]]
    );

    let sandbox = empty();
    sandbox.sql("CREATE TABLE users (username TEXT PRIMARY KEY, password TEXT)");
    assert_run!(
        sandbox.run(&["init"]),
        str![[r#"
status 4
-- stdout
-- stderr
error: [DIR]/users.db is not a users database: its table 'users' has no column 'password_hash', only 'password'
hint: if the app reads these columns, keep them, and copy the users to a database of their own:
  sqlite3 -header -csv [DIR]/users.db 'SELECT "username" AS username, "password" AS password_hash FROM "users"' >users.csv
  dash-users import users.csv --database dash-users.db && rm users.csv

"#]]
    );

    let sandbox = empty();
    fs::create_dir(sandbox.path("users.db")).unwrap();
    assert_run!(
        sandbox.run(&["init"]),
        str![[r#"
status 4
-- stdout
-- stderr
error: [DIR]/users.db is not a users database: it is a directory. Docker creates one if the file to mount is missing; `rmdir` removes it if it is empty

"#]]
    );
    assert_run!(
        sandbox.run(&["init", "-d", "nowhere/users.db"]),
        str![[r#"
status 4
-- stdout
-- stderr
error: the directory of [DIR]/nowhere/users.db does not exist
hint: create the directory, or choose another file

"#]]
    );
}

#[test]
fn init_does_not_overwrite_one_byte_file() {
    let sandbox = empty();
    sandbox.write("users.db", "x");
    assert_run!(
        sandbox.run(&["init"]),
        str![[r#"
status 4
-- stdout
-- stderr
error: [DIR]/users.db is not a users database: it is a file of one byte

"#]]
    );
    assert_eq!(fs::read(sandbox.path("users.db")).unwrap(), b"x");
}

#[test]
fn newer_schema_is_rejected() {
    let sandbox = initialized();
    sandbox.sql("UPDATE dash_users_schema SET version = 99");
    assert_run!(
        sandbox.run(&["init"]),
        str![[r#"
status 4
-- stdout
-- stderr
error: [DIR]/users.db has schema version 99; this program supports versions up to 3
hint: install the newer version of dash-users that wrote it

"#]]
    );
    assert_run!(
        sandbox.run(&["list", "--json"]),
        str![[r#"
status 4
-- stdout
-- stderr
{"error":{"code":"newer_schema","status":4,"message":"[DIR]/users.db has schema version 99; this program supports versions up to 3","hint":"install the newer version of dash-users that wrote it"}}

"#]]
    );
}

#[test]
fn recreated_table_does_not_inherit_groups_of_namesakes() {
    let sandbox = seeded();
    sandbox.run(&["group", "add", "alice", "admins"]);
    sandbox.sql(
        "DROP TABLE users;
         CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL,
             language TEXT NOT NULL);
         INSERT INTO users VALUES ('alice', 'scrypt:16:1:1$x$00', 'en');",
    );
    assert_run!(
        sandbox.run(&["list"]),
        str![[r#"
status 4
-- stdout
-- stderr
error: [DIR]/users.db is not up to date: its 'dash_users_username_nocase' is missing, and 5 more problems
hint: run `dash-users init --database [DIR]/users.db` to update it

"#]]
    );
    assert_run!(
        sandbox.run(&["init"]),
        str![[r#"
status 4
-- stdout
-- stderr
error: [DIR]/users.db is not up to date: groups may belong to earlier users with the same names but other password hashes: 'alice' (1 in all); `check --fix` drops these groups; nothing was changed
hint: run `dash-users check --database [DIR]/users.db` for the reason, and add --fix to repair it

"#]]
    );
    let fixed = sandbox.run(&["check", "--fix"]);
    assert!(fixed.stderr.contains("deleted group 'admins' of 'alice'"), "{fixed}");
    assert_run!(
        sandbox.run(&["show", "alice", "--format", "plain"]),
        str![[r#"
status 0
-- stdout
alice	en	false		false			
-- stderr

"#]]
    );
    assert_run!(
        sandbox.run(&["history", "--limit", "4", "--format", "plain"]),
        str![[r#"
status 0
-- stdout
7	[TIME]	\N	add	alice	found
6	[TIME]	\N	remove	bob	found missing
5	[TIME]	\N	remove	alice	found missing
4	[TIME]	\N	group remove	alice	admins
-- stderr

"#]]
    );
    assert_run!(
        sandbox.run(&["init"]),
        str![[r#"
status 0
-- stdout
-- stderr
[DIR]/users.db is already up to date

"#]]
    );
}

#[test]
fn init_restores_missing_trigger() {
    let sandbox = seeded();
    sandbox.run(&["group", "add", "alice", "admins"]);
    sandbox.sql(
        "DROP TRIGGER dash_users_removed; DELETE FROM users WHERE username = 'bob';
         INSERT INTO users VALUES ('zoe', '!', 'en');",
    );
    assert_run!(
        sandbox.run(&["lock", "alice"]),
        str![[r#"
status 4
-- stdout
-- stderr
error: [DIR]/users.db is not up to date: its 'dash_users_removed' is missing
hint: run `dash-users init --database [DIR]/users.db` to update it

"#]]
    );
    assert_run!(
        sandbox.run(&["migrate"]),
        str![[r#"
status 0
-- stdout
-- stderr
applied migration 2 (accounts) to [DIR]/users.db
recorded in the history: user 'bob' was removed

"#]]
    );
    assert_run!(
        sandbox.run(&["group", "list", "--format", "plain"]),
        str![[r#"
status 0
-- stdout
alice	admins
-- stderr

"#]]
    );
}

#[test]
fn init_rejects_app_table_with_our_name() {
    let sandbox = empty();
    sandbox.sql("CREATE TABLE user_groups (user_id INTEGER, group_id INTEGER)");
    assert_run!(
        sandbox.run(&["init"]),
        str![[r#"
status 4
-- stdout
-- stderr
error: [DIR]/users.db is not a users database: its 'user_groups' is a table with the columns user_id, group_id, but dash-users needs a table of that name with username, group_name

"#]]
    );
    let sandbox = empty();
    sandbox.sql("CREATE VIEW user_events AS SELECT 1 AS id");
    assert_run!(
        sandbox.run(&["init", "--json"]),
        str![[r#"
status 4
-- stdout
-- stderr
{"error":{"code":"not_a_database","status":4,"message":"[DIR]/users.db is not a users database: its 'user_events' is a view with the columns id, but dash-users needs a table of that name with id, at, actor, action, username, detail","hint":null}}

"#]]
    );
}
