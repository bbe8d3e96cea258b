use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use snapbox::str;

use crate::support::{TUTORIAL, empty, initialized, seeded};

#[test]
fn init_creates_database_once() {
    let sandbox = empty();
    sandbox.assert_session(str![[r#"
$ dash-users init
status 0
-- stderr
created [DIR]/users.db

$ dash-users init
status 0
-- stderr
[DIR]/users.db is already up to date

"#]]);
    let mode = fs::metadata(sandbox.path("users.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn init_json_says_what_was_done() {
    let sandbox = empty();
    sandbox.assert_session(str![[r#"
$ dash-users init --json
status 0
-- stdout
{"database":"[DIR]/users.db","action":"init","changed":true,"created":true,"adopted":false,"version":5,"applied":[{"version":1,"name":"users"},{"version":2,"name":"accounts"},{"version":3,"name":"fingerprints"},{"version":4,"name":"group_names"},{"version":5,"name":"imported"}],"pending":[],"warnings":[]}

$ dash-users init --json
status 0
-- stdout
{"database":"[DIR]/users.db","action":"init","changed":false,"created":false,"adopted":false,"version":5,"applied":[],"pending":[],"warnings":[]}

"#]]);
}

#[test]
fn init_fills_empty_file_and_adopts_tutorial_table() {
    let sandbox = empty();
    sandbox.write("users.db", "");
    sandbox.assert_session(str![[r#"
$ dash-users init
status 0
-- stderr
created table 'users' in [DIR]/users.db

"#]]);

    let sandbox = empty();
    sandbox.sql(
        "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL,
                             language TEXT NOT NULL, email TEXT NOT NULL);
         INSERT INTO users VALUES ('alice', 'x', 'en', 'a@example.org');",
    );
    sandbox.assert_session(str![[r#"
$ dash-users list
status 4
-- stderr
error: [DIR]/users.db is not up to date: its schema version is 0, the latest is 5
hint: run `dash-users init --database [DIR]/users.db` to update it

$ dash-users init
status 0
-- stderr
adopted table 'users' in [DIR]/users.db
warning: column 'email' of table 'users' is NOT NULL without a default: users cannot be added until it has one

$ dash-users init --json
status 0
-- stdout
{"database":"[DIR]/users.db","action":"init","changed":false,"created":false,"adopted":false,"version":5,"applied":[],"pending":[],"warnings":["column 'email' of table 'users' is NOT NULL without a default: users cannot be added until it has one"]}

$ dash-users list --format plain
status 0
-- stdout
alice	en	false		false			

"#]]);
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
    sandbox.assert_session(str![[r#"
$ dash-users init --file-mode 0755
status 2
-- stderr
error: invalid value '0755' for '--file-mode <MODE>': it must let the owner read and write, and nobody execute, such as 0600, 0640 or 0660

For more information, try '--help'.

$ dash-users init --file-group no-such-group
status 2
-- stderr
error: no such group: 'no-such-group'
hint: run `getent group` to list the groups of this system

"#]]);
    assert!(!sandbox.path("users.db").exists());
}

#[test]
fn init_rejects_foreign_files_unchanged() {
    let sandbox = empty();
    let text = "dear diary, this is a text of more than a hundred bytes; ".repeat(20);
    sandbox.write("text", &text);
    sandbox.write("byte", "x");
    fs::create_dir(sandbox.path("directory")).unwrap();
    sandbox.assert_session(str![[r#"
$ dash-users init -d text
status 4
-- stderr
error: [DIR]/text is not a users database: it is a text file

$ dash-users init -d byte
status 4
-- stderr
error: [DIR]/byte is not a users database: it is a file of one byte

$ dash-users init -d directory
status 4
-- stderr
error: [DIR]/directory is not a users database: it is a directory. Docker creates one if the file to mount is missing; `rmdir` removes it if it is empty

$ dash-users list -d directory
status 4
-- stderr
error: [DIR]/directory is not a users database: it is a directory. Docker creates one if the file to mount is missing; `rmdir` removes it if it is empty

$ dash-users init -d nowhere/users.db
status 4
-- stderr
error: the directory of [DIR]/nowhere/users.db does not exist
hint: run `mkdir -p [DIR]/nowhere`, or choose another file

"#]]);
    assert_eq!(sandbox.read_text("text"), text);
    assert_eq!(sandbox.read_text("byte"), "x");

    let sandbox = empty();
    sandbox.sql("CREATE VIEW users AS SELECT 1 AS username, 2 AS password_hash, 3 AS language");
    sandbox.assert_session(str![[r#"
$ dash-users init --json
status 4
-- stderr
{"error":{"code":"not_a_database","status":4,"message":"[DIR]/users.db is not a users database: its 'users' is a view, not a table","hint":null}}

"#]]);

    let sandbox = empty();
    sandbox.sql("CREATE TABLE users (username TEXT PRIMARY KEY, password TEXT)");
    sandbox.assert_session(str![[r#"
$ dash-users init
status 4
-- stderr
error: [DIR]/users.db is not a users database: its table 'users' has no column 'password_hash', only 'password'
hint: if the app reads these columns, keep them, and copy the users to a database of their own:
  sqlite3 -header -csv [DIR]/users.db 'SELECT "username" AS username, "password" AS password_hash FROM "users"' | dash-users import - --input-format csv --database dash-users.db

"#]]);
}

#[test]
fn newer_schema_is_rejected() {
    let sandbox = initialized();
    sandbox.sql("UPDATE dash_users_schema SET version = 99");
    sandbox.assert_session(str![[r#"
$ dash-users init
status 4
-- stderr
error: [DIR]/users.db has schema version 99; this program supports versions up to 5
hint: install the newer version of dash-users that wrote it

$ dash-users list --json
status 4
-- stderr
{"error":{"code":"newer_schema","status":4,"message":"[DIR]/users.db has schema version 99; this program supports versions up to 5","hint":"install the newer version of dash-users that wrote it"}}

"#]]);
}

#[test]
fn recreated_table_does_not_inherit_groups_of_namesakes() {
    let sandbox = seeded();
    sandbox.run(&["group", "add", "alice", "admins"]);
    sandbox.sql(&format!(
        "DROP TABLE users;
         {TUTORIAL}
         INSERT INTO users VALUES ('alice', 'scrypt:16:1:1$x$00', 'en');"
    ));
    sandbox.assert_session(str![[r#"
$ dash-users list
status 4
-- stderr
error: [DIR]/users.db is not up to date: its 'dash_users_username_nocase' is missing, and 5 more problems
hint: run `dash-users init --database [DIR]/users.db` to update it

$ dash-users init
status 4
-- stderr
error: [DIR]/users.db is not up to date: 1 user may have the groups of earlier users with the same names: 'alice'; `check --fix` deletes these groups; nothing was changed
hint: run `dash-users check --fix --database [DIR]/users.db` to repair it

"#]]);
    let fixed = sandbox.run(&["check", "--fix"]);
    assert!(fixed.stderr.contains("deleted group 'admins' of 'alice'"), "{fixed}");
    sandbox.assert_session(str![[r#"
$ dash-users show alice --format plain
status 0
-- stdout
alice	en	false		false			

$ dash-users history --limit 4 --format plain
status 0
-- stdout
7	[TIME]	\N	add	alice	found
6	[TIME]	\N	remove	bob	found missing
5	[TIME]	\N	remove	alice	found missing
4	[TIME]	\N	group remove	alice	admins

$ dash-users init
status 0
-- stderr
[DIR]/users.db is already up to date

"#]]);
}

#[test]
fn init_restores_missing_trigger() {
    let sandbox = seeded();
    sandbox.run(&["group", "add", "alice", "admins"]);
    sandbox.sql(
        "DROP TRIGGER dash_users_removed; DELETE FROM users WHERE username = 'bob';
         INSERT INTO users VALUES ('zoe', '!', 'en');",
    );
    sandbox.assert_session(str![[r#"
$ dash-users lock alice
status 4
-- stderr
error: [DIR]/users.db is not up to date: its 'dash_users_removed' is missing
hint: run `dash-users init --database [DIR]/users.db` to update it

$ dash-users migrate
status 0
-- stderr
applied migration 2 (accounts) to [DIR]/users.db
recorded in the history: user 'bob' was removed

$ dash-users group list --format plain
status 0
-- stdout
alice	admins

"#]]);
}

#[test]
fn init_rejects_app_table_with_our_name() {
    let sandbox = empty();
    sandbox.sql("CREATE TABLE user_groups (user_id INTEGER, group_id INTEGER)");
    sandbox.assert_session(str![[r#"
$ dash-users init
status 4
-- stderr
error: [DIR]/users.db is not a users database: its 'user_groups' is a table with the columns user_id, group_id, but dash-users needs a table of that name with username, group_name

"#]]);
    let sandbox = empty();
    sandbox.sql("CREATE VIEW user_events AS SELECT 1 AS id");
    sandbox.assert_session(str![[r#"
$ dash-users init --json
status 4
-- stderr
{"error":{"code":"not_a_database","status":4,"message":"[DIR]/users.db is not a users database: its 'user_events' is a view with the columns id, but dash-users needs a table of that name with id, at, actor, action, username, detail","hint":null}}

"#]]);
}
