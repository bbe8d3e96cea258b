//! `seed FILE --sync`, with `--sync-passwords` and `--prune`.

use std::fs;

use snapbox::str;

use crate::pty::{finish, start};
use crate::support::{GOOD, Sandbox, assert_run, empty, initialized, seeded};

/// The demo users, and a file that lists alice with other fields, and ann.
fn edited() -> Sandbox {
    let sandbox = seeded();
    let file = format!("username,password,language,groups\nalice,12345,de,staff\nann,{GOOD},,\n");
    sandbox.write("users.csv", file);
    sandbox
}

fn users(sandbox: &Sandbox) -> Vec<String> {
    let list = sandbox.run(&["list", "--format", "plain"]).stdout;
    list.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

#[test]
fn seed_without_sync_names_the_command_that_updates() {
    let sandbox = edited();
    let seed = ["seed", "users.csv", "--input-format=csv", "-d", "users.db"];
    assert_run!(
        sandbox.run(&seed),
        str![[r#"
status 0
-- stderr
users.csv: 1 added, 0 changed, 0 unchanged, 1 skipped in [DIR]/users.db
note: 1 existing user differs in language or groups; to update the user, run `dash-users seed users.csv --input-format=csv --sync --database [DIR]/users.db`

"#]]
    );
    let said = sandbox.run(&seed).stderr;
    let command = said.split('`').nth(1).unwrap().replace("[DIR]", sandbox.dir().to_str().unwrap());
    let command = command.replace("dash-users ", &format!("{} ", crate::support::PROGRAM));
    assert!(sandbox.shell(&command).status().unwrap().success(), "{command}");
    assert!(!sandbox.run(&seed).stderr.contains("--sync"));
}

#[test]
fn seed_sync_updates_once() {
    let sandbox = edited();
    let before = sandbox.stored("alice");
    assert_run!(
        sandbox.run(&["seed", "users.csv", "--sync"]),
        str![[r#"
status 0
-- stderr
users.csv: 1 added, 1 changed, 0 unchanged, 0 skipped in [DIR]/users.db

"#]]
    );
    let database = fs::read(sandbox.path("users.db")).unwrap();
    assert_run!(
        sandbox.run(&["seed", "users.csv", "--sync", "--json"]),
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","created":false,"dry_run":false,"added":0,"changed":0,"unchanged":2,"skipped":0,"differing":0,"removed":0,"removed_users":[],"read_as":{"format":"csv","encoding":"UTF-8","delimiter":",","sheet":null,"hashes":0,"passwords":0,"converted":0,"locked":0},"warnings":[]}

"#]]
    );
    assert_eq!(fs::read(sandbox.path("users.db")).unwrap(), database);
    assert_eq!(sandbox.stored("alice"), before);
    assert_run!(
        sandbox.run(&["show", "alice", "--format", "plain"]),
        str![[r#"
status 0
-- stdout
alice	de	false	scrypt:128:8:1	false	staff	[TIME]	[TIME]

"#]]
    );
}

#[test]
fn seed_sync_passwords_replaces_different_ones() {
    let sandbox = edited();
    let seed = ["seed", "users.csv", "--sync", "--sync-passwords", "--allow-weak", "--json"];
    assert_eq!(sandbox.run(&seed[..4]).status, 8);
    assert_eq!(sandbox.run(&seed).json()["changed"], 1);
    assert_eq!(sandbox.run_with("12345", &["verify", "alice", "--password-stdin"]).status, 0);
    let before = fs::read(sandbox.path("users.db")).unwrap();
    assert_eq!(sandbox.run(&seed).json()["unchanged"], 2);
    assert_eq!(fs::read(sandbox.path("users.db")).unwrap(), before);
}

#[test]
fn seed_prune_needs_confirmation() {
    let sandbox = edited();
    let before = fs::read(sandbox.path("users.db")).unwrap();
    let prune = ["seed", "users.csv", "--sync", "--prune"];
    assert_run!(
        sandbox.run(&prune),
        str![[r#"
status 10
-- stderr
error: cannot ask for confirmation: stdin is not a terminal; users.csv does not list 1 user of [DIR]/users.db: 'bob'
hint: use --yes to confirm

"#]]
    );
    assert_run!(
        sandbox.run(&[&prune[..], &["--json", "--no-input"]].concat()),
        str![[r#"
status 10
-- stderr
{"error":{"code":"needs_confirmation","status":10,"message":"cannot ask for confirmation with --no-input; users.csv does not list 1 user of [DIR]/users.db: 'bob'","hint":"use --yes to confirm"}}

"#]]
    );
    assert_run!(
        sandbox.run(&[&prune[..], &["--dry-run"]].concat()),
        str![[r#"
status 0
-- stderr
would be removed: 'bob'
users.csv: 1 would be added, 1 would be changed, 0 unchanged, 0 skipped, 1 would be removed in [DIR]/users.db

"#]]
    );
    for answer in ["n", "", "nonsense"] {
        let mut session = start(&sandbox, &prune);
        session.exp_string("Remove 1 user that users.csv does not list from ").unwrap();
        session.exp_string(": 'bob'? [y/N] ").unwrap();
        session.send_line(answer).unwrap();
        let (rest, status) = finish(session);
        assert_eq!(status, 10, "{rest}");
        assert!(rest.contains("nothing was changed") && !rest.contains("error"), "{rest}");
    }
    assert_eq!(fs::read(sandbox.path("users.db")).unwrap(), before);

    let mut session = start(&sandbox, &prune);
    session.exp_string("[y/N] ").unwrap();
    session.send_line("y").unwrap();
    assert_eq!(finish(session).1, 0);
    assert_eq!(users(&sandbox), ["alice", "ann"]);
    // There is nothing left to confirm.
    assert_run!(
        sandbox.run(&prune),
        str![[r#"
status 0
-- stderr
users.csv: 0 added, 0 changed, 2 unchanged, 0 skipped in [DIR]/users.db

"#]]
    );
    assert_run!(
        sandbox.run(&["history", "--limit", "2", "--format", "plain"]),
        str![[r#"
status 0
-- stdout
4	[TIME]	admin	remove	bob	\N
3	[TIME]	admin	seed	\N	1 added, 1 changed, 1 removed

"#]]
    );
}

#[test]
fn seed_prune_names_the_first_users() {
    let sandbox = edited();
    let rows: Vec<_> = (0..30).map(|number| format!("('u{number:02}', 'x', 'en')")).collect();
    sandbox.sql(&format!("INSERT INTO users VALUES {}", rows.join(", ")));
    sandbox.sql("INSERT INTO users VALUES (NULL, 'x', 'en'), ('a' || char(27), 'x', 'en')");
    let prune = ["seed", "users.csv", "--sync", "--prune", "--yes"];
    assert_run!(
        sandbox.run(&prune[..4]),
        str![[r#"
status 10
-- stderr
error: cannot ask for confirmation: stdin is not a terminal; users.csv does not list 32 users of [DIR]/users.db: 'a\u{1b}', 'bob', 'u00', 'u01', 'u02', 'u03', 'u04', 'u05', 'u06', 'u07', 'u08', 'u09', 'u10', 'u11', 'u12', 'u13', 'u14', 'u15', 'u16', 'u17', and 12 more
hint: use --yes to confirm

"#]]
    );
    let dry_run = sandbox.run(&[&prune[..], &["--dry-run", "--json"]].concat()).json();
    assert_eq!((&dry_run["removed"], &dry_run["dry_run"]), (&32.into(), &true.into()));
    assert_eq!(dry_run["removed_users"].as_array().unwrap().len(), 32);
    assert_run!(
        sandbox.run(&prune),
        str![[r#"
status 0
-- stderr
removed: 'a\u{1b}', 'bob', 'u00', 'u01', 'u02', 'u03', 'u04', 'u05', 'u06', 'u07', 'u08', 'u09', 'u10', 'u11', 'u12', 'u13', 'u14', 'u15', 'u16', 'u17', and 12 more
users.csv: 1 added, 1 changed, 0 unchanged, 0 skipped, 32 removed in [DIR]/users.db
warning: 1 user whose name is NULL or not text cannot be pruned: run `dash-users check --database [DIR]/users.db` to see how to remove them

"#]]
    );
    assert_eq!(users(&sandbox), [r"\N", "alice", "ann"]);
}

#[test]
fn seed_prune_warns_about_referring_app_tables() {
    let sandbox = edited();
    sandbox.sql(
        "CREATE TABLE notes (owner TEXT REFERENCES users (username) ON DELETE CASCADE);
         INSERT INTO notes VALUES ('bob'), ('bob'), ('alice')",
    );
    let prune = ["seed", "users.csv", "--sync", "--prune", "--yes"];
    assert_run!(
        sandbox.run(&prune[..4]),
        str![[r#"
status 10
-- stderr
error: cannot ask for confirmation: stdin is not a terminal; users.csv does not list 1 user of [DIR]/users.db: 'bob'; pruning deletes 2 rows from table 'notes'
hint: use --yes to confirm

"#]]
    );
    assert_run!(
        sandbox.run(&prune),
        str![[r#"
status 0
-- stderr
removed: 'bob'
users.csv: 1 added, 1 changed, 0 unchanged, 0 skipped, 1 removed in [DIR]/users.db
warning: pruning deletes 2 rows from table 'notes'

"#]]
    );
}

#[test]
fn seed_prune_never_removes_every_user() {
    let sandbox = seeded();
    let before = fs::read(sandbox.path("users.db")).unwrap();
    for (name, file) in [
        ("empty.csv", "username,password\n".to_owned()),
        ("empty.json", "[]".to_owned()),
        ("object.json", "{}".to_owned()),
        ("other.csv", format!("username,password\nann,{GOOD}\n")),
    ] {
        sandbox.write(name, file);
        let run = sandbox.run(&["seed", name, "--sync", "--prune", "--yes"]);
        assert_eq!(run.status, 7, "{name}: {run}");
    }
    assert_run!(
        sandbox.run(&["seed", "empty.csv", "--sync", "--prune", "--yes"]),
        str![[r#"
status 7
-- stderr
note: empty.csv has no records
error: empty.csv: the file lists no users, so every user would be removed; nothing was changed
hint: check that it is the right file and complete, or leave out --prune

"#]]
    );
    assert_run!(
        sandbox.run(&["seed", "other.csv", "--sync", "--prune", "--yes", "--json"]),
        str![[r#"
status 7
-- stderr
{"error":{"code":"invalid_data","status":7,"message":"other.csv: the file lists none of the 2 existing users, so every user would be removed; nothing was changed","hint":"check that it is the right file and complete, or leave out --prune"}}

"#]]
    );
    // Cut off in the middle of a record.
    for (name, file) in [
        ("cut.csv", "username,language\nalice,en\nbo".to_owned()),
        ("cut.csv", "username,language\nalice,en\n\"bo".to_owned()),
        ("cut.json", r#"[{"username": "alice"}, {"user"#.to_owned()),
        ("cut.jsonl", "{\"username\": \"alice\"}\n{\"user".to_owned()),
    ] {
        sandbox.write(name, &file);
        let run = sandbox.run(&["seed", name, "--sync", "--prune", "--yes"]);
        assert_eq!(run.status, 7, "{file}: {run}");
    }
    assert_eq!(fs::read(sandbox.path("users.db")).unwrap(), before);
}

#[test]
fn seed_prune_of_new_database_removes_nobody() {
    let sandbox = empty();
    sandbox.write("users.csv", format!("username,password\nann,{GOOD}\n"));
    let prune = ["seed", "users.csv", "--sync", "--sync-passwords", "--prune", "--json"];
    let dry_run = sandbox.run(&[&prune[..], &["--dry-run"]].concat());
    assert_run!(
        dry_run,
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","created":true,"dry_run":true,"added":1,"changed":0,"unchanged":0,"skipped":0,"differing":0,"removed":0,"removed_users":[],"read_as":{"format":"csv","encoding":"UTF-8","delimiter":",","sheet":null,"hashes":0,"passwords":0,"converted":0,"locked":0},"warnings":[]}

"#]]
    );
    assert!(!sandbox.path("users.db").exists());
    assert_run!(
        sandbox.run(&prune),
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","created":true,"dry_run":false,"added":1,"changed":0,"unchanged":0,"skipped":0,"differing":0,"removed":0,"removed_users":[],"read_as":{"format":"csv","encoding":"UTF-8","delimiter":",","sheet":null,"hashes":0,"passwords":0,"converted":0,"locked":0},"warnings":[]}

"#]]
    );
}

#[test]
fn seed_sync_options_require_each_other() {
    let sandbox = initialized();
    sandbox.write("users.csv", "username\n");
    for (arguments, missing) in [
        (&["--sync"][..], "<FILE>"),
        (&["users.csv", "--sync-passwords"], "--sync"),
        (&["users.csv", "--prune"], "--sync"),
        (&["users.csv", "--sync", "--yes"], "--prune"),
    ] {
        let run = sandbox.run(&[&["seed"], arguments].concat());
        assert_eq!(run.status, 2, "{arguments:?}: {run}");
        assert!(run.stderr.contains(missing), "{arguments:?}: {run}");
    }
}

#[test]
fn concurrent_syncs_agree() {
    let sandbox = edited();
    for round in 0..3 {
        let password = format!("{GOOD}-{round}");
        sandbox
            .write("users.csv", format!("username,password\nalice,{password}\nann,{password}\n"));
        let seed = ["seed", "users.csv", "--sync", "--sync-passwords", "--prune", "-yq"];
        let children: Vec<_> = (0..4).map(|_| sandbox.command(&seed).spawn().unwrap()).collect();
        for mut child in children {
            assert_eq!(child.wait().unwrap().code(), Some(0));
        }
        assert_eq!(users(&sandbox), ["alice", "ann"]);
        for user in users(&sandbox) {
            let verify = ["verify", &user, "--password-stdin"];
            assert_eq!(sandbox.run_with(&password, &verify).status, 0);
        }
    }
    let history = sandbox.run(&["history", "--format", "plain"]).stdout;
    assert_eq!(history.matches("\tseed\t").count(), 3, "{history}");
}
