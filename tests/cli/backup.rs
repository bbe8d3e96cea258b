use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use snapbox::str;

use crate::support::{GOOD, PROGRAM, Sandbox, assert_run, empty, seeded};

#[test]
fn backup_keeps_existing_file_and_restore_needs_yes() {
    let sandbox = seeded();
    assert_run!(
        sandbox.run(&["backup", "copy.db"]),
        str![[r#"
status 0
-- stdout
-- stderr
backed up [DIR]/users.db to [DIR]/copy.db

"#]]
    );
    assert_eq!(fs::metadata(sandbox.path("copy.db")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_run!(
        sandbox.run(&["backup", "copy.db"]),
        str![[r#"
status 1
-- stdout
-- stderr
error: [DIR]/copy.db already exists
hint: choose another file, or use --force to overwrite it

"#]]
    );
    assert_run!(
        sandbox.run(&["backup", "copy.db", "--json"]),
        str![[r#"
status 1
-- stdout
-- stderr
{"error":{"code":"file_exists","status":1,"message":"[DIR]/copy.db already exists","hint":"choose another file, or use --force to overwrite it"}}

"#]]
    );
    assert_run!(
        sandbox.run(&["backup", "copy.db", "--force", "--json"]),
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","action":"backup","changed":true,"file":"[DIR]/copy.db"}
-- stderr

"#]]
    );
    sandbox.run(&["remove", "alice", "--yes"]);
    assert_run!(
        sandbox.run(&["restore", "copy.db"]),
        str![[r#"
status 10
-- stdout
-- stderr
error: cannot ask for confirmation: stdin is not a terminal; this replaces everything in [DIR]/users.db, including the app's own tables
hint: use --yes to confirm

"#]]
    );
    assert_run!(
        sandbox.run(&["restore", "copy.db", "--yes"]),
        str![[r#"
status 0
-- stdout
-- stderr
restored [DIR]/copy.db (2 users) into [DIR]/users.db

"#]]
    );
    assert_run!(
        sandbox.run(&["history", "--limit", "2", "--format", "plain"]),
        str![[r#"
status 0
-- stdout
3	[TIME]	admin	restore	\N	from [DIR]/copy.db
2	[TIME]	admin	add	bob	\N
-- stderr

"#]]
    );
    assert_eq!(sandbox.run(&["show", "alice"]).status, 0);
    assert_run!(
        sandbox.run(&["restore", "copy.db", "--yes", "--json"]),
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","action":"restore","changed":true,"file":"[DIR]/copy.db","users":2}
-- stderr

"#]]
    );
}

#[test]
fn backup_overwrites_only_leftovers_of_killed_backup() {
    let sandbox = seeded();
    sandbox.write("copy.db", "");
    assert_eq!(sandbox.run(&["backup", "copy.db"]).status, 0);
    for content in ["x", "no database"] {
        sandbox.write("other.db", content);
        assert_eq!(sandbox.run(&["backup", "other.db"]).status, 1);
        assert_eq!(fs::read_to_string(sandbox.path("other.db")).unwrap(), content);
    }
    assert_eq!(sandbox.run(&["backup", "copy.db"]).status, 1);
}

#[test]
fn backup_is_usable_as_database() {
    let sandbox = seeded();
    sandbox.run(&["backup", "copy.db"]);
    let verify = ["verify", "alice", "--password-stdin", "-d", "copy.db"];
    assert_eq!(sandbox.run_with("secret123", &verify).status, 0);
}

#[test]
fn restore_rejects_non_backups_and_changes_nothing() {
    let sandbox = seeded();
    let before = fs::read(sandbox.path("users.db")).unwrap();
    assert_run!(
        sandbox.run(&["restore", "nowhere.db", "--yes"]),
        str![[r#"
status 4
-- stdout
-- stderr
error: no such backup: [DIR]/nowhere.db
hint: give the path of a file that `dash-users backup` wrote

"#]]
    );
    sandbox.write("text", "no database, but long enough to be read as one");
    assert_run!(
        sandbox.run(&["restore", "text", "--yes"]),
        str![[r#"
status 4
-- stdout
-- stderr
error: [DIR]/text is not a users database: it is a text file

"#]]
    );
    sandbox.write("empty", "");
    assert_run!(
        sandbox.run(&["restore", "empty", "--yes", "--json"]),
        str![[r#"
status 4
-- stdout
-- stderr
{"error":{"code":"not_a_database","status":4,"message":"[DIR]/empty is not a users database: it has no table 'users'","hint":null}}

"#]]
    );
    assert_run!(
        sandbox.run(&["restore", "users.db", "--yes"]),
        str![[r#"
status 2
-- stdout
-- stderr
error: [DIR]/users.db is the database itself
hint: choose another file

"#]]
    );
    assert_run!(
        sandbox.run(&["backup", "users.db", "--force"]),
        str![[r#"
status 2
-- stdout
-- stderr
error: [DIR]/users.db is the database itself
hint: choose another file

"#]]
    );
    assert_run!(
        sandbox.run(&["backup", "text", "--force"]),
        str![[r#"
status 4
-- stdout
-- stderr
error: [DIR]/text is not a users database: file is not a database

"#]]
    );
    assert_run!(
        sandbox.run(&["backup", "no/such/directory.db"]),
        str![[r#"
status 4
-- stdout
-- stderr
error: the directory of [DIR]/no/such/directory.db does not exist
hint: create the directory, or choose another file

"#]]
    );
    assert!(fs::read(sandbox.path("users.db")).unwrap() == before);
    assert_eq!(
        fs::read_to_string(sandbox.path("text")).unwrap(),
        "no database, but long enough to be read as one"
    );
}

#[test]
fn restore_requires_existing_database() {
    let sandbox = seeded();
    sandbox.run(&["backup", "copy.db"]);
    assert_run!(
        sandbox.run(&["restore", "copy.db", "--yes", "-d", "new.db"]),
        str![[r#"
status 4
-- stdout
-- stderr
error: no database at [DIR]/new.db
hint: run `dash-users init --database [DIR]/new.db` to create it, or use --database to choose another

"#]]
    );
    assert!(!sandbox.path("new.db").exists());
    assert_run!(
        empty().run(&["backup", "copy.db"]),
        str![[r#"
status 4
-- stdout
-- stderr
error: no database at [DIR]/users.db
hint: run `dash-users init --database [DIR]/users.db` to create it, or use --database to choose another

"#]]
    );
}

#[test]
fn restore_brings_back_old_password() {
    let sandbox = seeded();
    sandbox.run(&["backup", "copy.db"]);
    sandbox.run_with(GOOD, &["passwd", "alice", "--password-stdin"]);
    sandbox.run(&["restore", "copy.db", "--yes"]);
    let verify = ["verify", "alice", "--password-stdin"];
    assert_eq!(sandbox.run_with(GOOD, &verify).status, 3);
    assert_eq!(sandbox.run_with("secret123", &verify).status, 0);
}

/// Runs a command with a file size limit in blocks of 512 bytes, as on a full disk.
fn run_on_a_full_disk(sandbox: &Sandbox, blocks: u32, command: &str) -> Output {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec {PROGRAM} {command}");
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
    let old = fs::read(sandbox.path("old.db")).unwrap();
    sandbox.run(&["remove", "alice", "--yes"]);
    assert_eq!(run_on_a_full_disk(&sandbox, 8, "backup old.db --force").status.code(), Some(1));
    assert!(fs::read(sandbox.path("old.db")).unwrap() == old);
    assert!(!sandbox.path("old.db-journal").exists());
}
