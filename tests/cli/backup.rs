use std::process::Output;

use snapbox::str;

use crate::support::{GOOD, Sandbox, seeded};

#[test]
fn backup_keeps_existing_file_and_restore_needs_yes() {
    let sandbox = seeded();
    sandbox.assert_session(str![[r#"
$ dash-users backup copy.db
status 0
-- stderr
backed up [DIR]/users.db to [DIR]/copy.db

"#]]);
    assert_eq!(sandbox.mode("copy.db"), 0o600);
    sandbox.assert_session(str![[r#"
$ dash-users backup copy.db
status 1
-- stderr
error: [DIR]/copy.db already exists
hint: choose another file, or use --force to overwrite it

$ dash-users backup copy.db --json
status 1
-- stderr
{"error":{"code":"file_exists","status":1,"message":"[DIR]/copy.db already exists","hint":"choose another file, or use --force to overwrite it"}}

$ dash-users backup copy.db --force --json
status 0
-- stdout
{"database":"[DIR]/users.db","action":"backup","changed":true,"file":"[DIR]/copy.db"}

"#]]);
    sandbox.run(&["remove", "alice", "--yes"]);
    sandbox.assert_session(str![[r#"
$ dash-users restore copy.db
status 10
-- stderr
error: cannot ask for confirmation: stdin is not a terminal; this replaces everything in [DIR]/users.db, including the app's own tables
hint: use --yes to confirm

$ dash-users restore copy.db --yes
status 0
-- stderr
restored [DIR]/copy.db (2 users) into [DIR]/users.db

$ dash-users history --limit 2 --format plain
status 0
-- stdout
3	[TIME]	admin	restore	\N	from [DIR]/copy.db
2	[TIME]	admin	add	bob	\N

"#]]);
    assert_eq!(sandbox.run(&["show", "alice"]).status, 0);
    sandbox.assert_session(str![[r#"
$ dash-users restore copy.db --yes --json
status 0
-- stdout
{"database":"[DIR]/users.db","action":"restore","changed":true,"file":"[DIR]/copy.db","users":2}

"#]]);
}

#[test]
fn backup_overwrites_only_leftovers_of_killed_backup() {
    let sandbox = seeded();
    sandbox.write("copy.db", "");
    assert_eq!(sandbox.run(&["backup", "copy.db"]).status, 0);
    for content in ["x", "no database"] {
        sandbox.write("other.db", content);
        assert_eq!(sandbox.run(&["backup", "other.db"]).status, 1);
        assert_eq!(sandbox.read_text("other.db"), content);
    }
    assert_eq!(sandbox.run(&["backup", "copy.db"]).status, 1);
}

#[test]
fn restore_rejects_non_backups_and_changes_nothing() {
    let sandbox = seeded();
    let before = sandbox.read("users.db");
    sandbox.write("text", "no database, but long enough to be read as one");
    sandbox.write("empty", "");
    sandbox.assert_session(str![[r#"
$ dash-users restore nowhere.db --yes
status 4
-- stderr
error: no such backup: [DIR]/nowhere.db
hint: give the path of a file that the command backup wrote

$ dash-users restore text --yes
status 4
-- stderr
error: [DIR]/text is not a users database: it is a text file

$ dash-users restore empty --yes --json
status 4
-- stderr
{"error":{"code":"not_a_database","status":4,"message":"[DIR]/empty is not a users database: it has no table 'users'","hint":null}}

$ dash-users restore users.db --yes
status 2
-- stderr
error: [DIR]/users.db is the database itself
hint: choose another file

$ dash-users backup users.db --force
status 2
-- stderr
error: [DIR]/users.db is the database itself
hint: choose another file

$ dash-users backup text --force
status 4
-- stderr
error: [DIR]/text is not a users database: file is not a database

$ dash-users backup no/such/directory.db
status 4
-- stderr
error: the directory of [DIR]/no/such/directory.db does not exist
hint: run `mkdir -p [DIR]/no/such`, or choose another file

"#]]);
    assert!(sandbox.read("users.db") == before);
    assert_eq!(sandbox.read_text("text"), "no database, but long enough to be read as one");
}

#[test]
fn restore_requires_existing_database() {
    let sandbox = seeded();
    sandbox.run(&["backup", "copy.db"]);
    sandbox.assert_session(str![[r#"
$ dash-users restore copy.db --yes -d new.db
status 4
-- stderr
error: no database at [DIR]/new.db
hint: run `dash-users init --database [DIR]/new.db` to create it, or use --database to choose another

"#]]);
    assert!(!sandbox.path("new.db").exists());
}

#[test]
fn backup_is_usable_and_restore_brings_back_old_password() {
    let sandbox = seeded();
    sandbox.run(&["backup", "copy.db"]);
    let verify = ["verify", "alice", "--password-stdin", "-d", "copy.db"];
    assert_eq!(sandbox.run_with("secret123", &verify).status, 0);
    sandbox.run_with(GOOD, &["passwd", "alice", "--password-stdin"]);
    sandbox.run(&["restore", "copy.db", "--yes"]);
    assert_eq!(sandbox.verify("alice", GOOD), 3);
    assert_eq!(sandbox.verify("alice", "secret123"), 0);
}

/// Runs a command with a file size limit in blocks of 512 bytes, as on a full disk.
fn run_on_a_full_disk(sandbox: &Sandbox, blocks: u32, command: &str) -> Output {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec dash-users {command}");
    sandbox.shell(&script).output().unwrap()
}

#[test]
fn failed_backup_and_export_leave_no_file() {
    let sandbox = seeded();
    for (blocks, command) in [(8, "backup new"), (0, "export new.csv")] {
        let output = run_on_a_full_disk(&sandbox, blocks, command);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{command}: {said}");
        assert!(!sandbox.path("new").exists() && !sandbox.path("new.csv").exists(), "{said}");
    }
    // An older copy is unchanged.
    assert_eq!(sandbox.run(&["backup", "old.db"]).status, 0);
    let old = sandbox.read("old.db");
    sandbox.run(&["remove", "alice", "--yes"]);
    assert_eq!(run_on_a_full_disk(&sandbox, 8, "backup old.db --force").status.code(), Some(1));
    assert!(sandbox.read("old.db") == old);
    assert!(!sandbox.path("old.db-journal").exists());
}
