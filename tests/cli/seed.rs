use std::fs;
use std::process::Command;
use std::time::Duration;

use snapbox::str;

use crate::sample;
use crate::support::{GOOD, assert_run, empty, initialized, seeded};

#[test]
fn seed_adds_demo_users_once() {
    let sandbox = empty();
    assert_run!(
        sandbox.run(&["seed"]),
        str![[r#"
status 0
-- stdout
-- stderr
created [DIR]/users.db
added users 'alice' and 'bob' in [DIR]/users.db
warning: the passwords of 'alice' and 'bob' are public: remove both users before others can reach the app

"#]]
    );
    assert_run!(
        sandbox.run(&["seed"]),
        str![[r#"
status 0
-- stdout
-- stderr
nothing added: there are already users in [DIR]/users.db

"#]]
    );
    for (user, password) in [("alice", "secret123"), ("bob", "pa$$w0rd")] {
        assert_eq!(sandbox.run_with(password, &["verify", user, "--password-stdin"]).status, 0);
    }
}

#[test]
fn seed_json_counts_demo_users() {
    let sandbox = empty();
    assert_run!(
        sandbox.run(&["seed", "--json"]),
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","created":true,"dry_run":false,"added":2,"changed":0,"unchanged":0,"skipped":0,"differing":0,"removed":0,"removed_users":[],"warnings":["the passwords of 'alice' and 'bob' are public: remove both users before others can reach the app"]}
-- stderr

"#]]
    );
    assert_run!(
        sandbox.run(&["seed", "--json"]),
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","created":false,"dry_run":false,"added":0,"changed":0,"unchanged":0,"skipped":2,"differing":0,"removed":0,"removed_users":[],"warnings":[]}
-- stderr

"#]]
    );
}

#[test]
fn seed_leaves_nonempty_table_unchanged() {
    let sandbox = initialized();
    sandbox.sql("INSERT INTO users VALUES ('zoe', 'x', 'de')");
    assert_run!(
        sandbox.run(&["seed"]),
        str![[r#"
status 0
-- stdout
-- stderr
nothing added: there are already users in [DIR]/users.db

"#]]
    );
    assert_eq!(sandbox.run(&["list", "--format", "plain"]).stdout.lines().count(), 1);
}

#[test]
fn interrupted_seed_leaves_nothing_behind() {
    let sandbox = empty();
    // Takes seconds even on the fastest machine.
    let mut child =
        sandbox.command(&["seed", "--method", "pbkdf2:sha512:10000000"]).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    let pid = child.id().to_string();
    Command::new("kill").args(["-s", "INT", &pid]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!sandbox.path("users.db").exists());
}

#[test]
fn concurrent_seeds_add_demo_users_once() {
    let sandbox = empty();
    let children: Vec<_> =
        (0..4).map(|_| sandbox.command(&["seed", "-q"]).spawn().unwrap()).collect();
    for mut child in children {
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    assert_eq!(sandbox.run(&["list", "--format", "plain"]).stdout.lines().count(), 2);
}

#[test]
fn seed_file_adds_users_once() {
    let sandbox = empty();
    sandbox.write("users.csv", format!("username,password\nann,{GOOD}\nben,{GOOD}\n"));
    assert_run!(
        sandbox.run(&["seed", "users.csv"]),
        str![[r#"
status 0
-- stdout
-- stderr
created [DIR]/users.db
users.csv: 2 added, 0 changed, 0 unchanged, 0 skipped in [DIR]/users.db

"#]]
    );
    let before = fs::read(sandbox.path("users.db")).unwrap();
    assert_run!(
        sandbox.run(&["seed", "users.csv"]),
        str![[r#"
status 0
-- stdout
-- stderr
users.csv: 0 added, 0 changed, 0 unchanged, 2 skipped in [DIR]/users.db

"#]]
    );
    assert_run!(
        sandbox.run(&["seed", "users.csv", "--json"]),
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","created":false,"dry_run":false,"added":0,"changed":0,"unchanged":0,"skipped":2,"differing":0,"removed":0,"removed_users":[],"warnings":[]}
-- stderr

"#]]
    );
    assert!(fs::read(sandbox.path("users.db")).unwrap() == before);
    assert_run!(
        sandbox.run(&["history", "--format", "plain"]),
        str![[r#"
status 0
-- stdout
1	[TIME]	admin	seed	\N	2 added, 0 changed
-- stderr

"#]]
    );
}

#[test]
fn seed_file_skips_records_of_existing_users_unchecked() {
    let sandbox = seeded();
    let bob = sandbox.stored("bob");
    sandbox.write(
        "users.csv",
        "username,password,language,groups\nalice,,,\nbob,12345,no language,;\n",
    );
    let before = fs::read(sandbox.path("users.db")).unwrap();
    assert_run!(
        sandbox.run(&["seed", "users.csv"]),
        str![[r#"
status 0
-- stdout
-- stderr
users.csv: 0 added, 0 changed, 0 unchanged, 2 skipped in [DIR]/users.db
note: 1 existing user differs in language or groups, or in being locked; to update the user, run `dash-users seed users.csv --sync --database [DIR]/users.db`

"#]]
    );
    assert!(fs::read(sandbox.path("users.db")).unwrap() == before);
    assert_eq!(sandbox.stored("bob"), bob);

    // Records of new users are checked.
    sandbox.write("users.csv", "username,password\nalice,12345\nann,12345\n");
    assert_run!(
        sandbox.run(&["seed", "users.csv"]),
        str![[r#"
status 8
-- stdout
-- stderr
users.csv:3: user 'ann': the password is weak: it has fewer than 8 characters
error: 1 bad record in users.csv; nothing was changed
hint: use --allow-weak to accept weak passwords

"#]]
    );
    assert!(fs::read(sandbox.path("users.db")).unwrap() == before);
    sandbox.write("users.csv", format!("username,password\nalice,12345\nann,{GOOD}\n"));
    assert_run!(
        sandbox.run(&["seed", "users.csv"]),
        str![[r#"
status 0
-- stdout
-- stderr
users.csv: 1 added, 0 changed, 0 unchanged, 1 skipped in [DIR]/users.db

"#]]
    );
}

#[test]
fn seed_file_rejects_malformed_file() {
    let sandbox = seeded();
    sandbox.write("users.csv", "username,password\nalice,12345,too much\n");
    assert_run!(
        sandbox.run(&["seed", "users.csv"]),
        str![[r#"
status 7
-- stdout
-- stderr
users.csv:2: the number of cells is 3, but the header has 2
error: 1 bad record in users.csv; nothing was changed

"#]]
    );
}

#[test]
fn seed_file_options_require_file() {
    let sandbox = empty();
    for option in [
        &["--input-format", "csv"][..],
        &["--generate-missing", "new.csv"],
        &["--as-is"],
        &["--dry-run"],
        &["--allow-weak"],
        &["--allow-similar"],
        &["--jobs", "1"],
    ] {
        let run = sandbox.run(&[&["seed"], option].concat());
        assert_eq!(run.status, 2, "{option:?}: {run}");
        assert!(run.stderr.contains("<FILE>"), "{option:?}: {run}");
    }
    assert!(!sandbox.path("users.db").exists());
    assert_run!(
        sandbox.run(&["seed", "--dry-run", "--json"]),
        str![[r#"
status 2
-- stdout
-- stderr
{"error":{"code":"usage","status":2,"message":"the following required arguments were not provided: <FILE>","hint":"see --help"}}

"#]]
    );
}

#[test]
fn concurrent_seeds_from_file_add_users_once() {
    let sandbox = empty();
    let row = |number| format!("user{number},{GOOD}\n");
    sandbox
        .write("users.csv", format!("username,password\n{}", (0..20).map(row).collect::<String>()));
    for round in 0..sample::of(2, 5) {
        let database = format!("{round}.db");
        let seed = ["seed", "users.csv", "-q", "-d", &database];
        let children: Vec<_> = (0..4).map(|_| sandbox.command(&seed).spawn().unwrap()).collect();
        for mut child in children {
            assert_eq!(child.wait().unwrap().code(), Some(0));
        }
        let list = sandbox.run(&["list", "--format", "plain", "-d", &database]).stdout;
        assert_eq!(list.lines().count(), 20, "{list}");
        let history = sandbox.run(&["history", "--format", "plain", "-d", &database]).stdout;
        assert_eq!(history.lines().count(), 1, "{history}");
        assert!(history.contains("seed") && history.contains("20 added"), "{history}");
        let verify = ["verify", "user7", "--password-stdin", "-d", &database];
        assert_eq!(sandbox.run_with(GOOD, &verify).status, 0);
    }
}

#[test]
fn seed_reads_stdin() {
    let sandbox = empty();
    let seed = ["seed", "-", "--input-format", "json", "--json"];
    let run = sandbox.run_with(format!(r#"{{"ann": "{GOOD}"}}"#), &seed);
    assert_eq!((run.status, &run.json()["added"]), (0, &1.into()), "{run}");
}
