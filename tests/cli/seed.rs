use snapbox::str;

use crate::sample;
use crate::support::{GOOD, empty, initialized, seeded};

#[test]
fn seed_adds_demo_users_once() {
    let sandbox = empty();
    sandbox.assert_session(str![[r#"
$ dash-users seed
status 0
-- stderr
created [DIR]/users.db
added users 'alice' and 'bob' in [DIR]/users.db
warning: the passwords of 'alice' and 'bob' are public: remove both users before others can reach the app

$ dash-users seed
status 0
-- stderr
nothing added: there are already users in [DIR]/users.db

"#]]);
    for (user, password) in [("alice", "secret123"), ("bob", "pa$$w0rd")] {
        assert_eq!(sandbox.verify(user, password), 0);
    }
}

#[test]
fn seed_json_counts_demo_users() {
    let sandbox = empty();
    sandbox.assert_session(str![[r#"
$ dash-users seed --json
status 0
-- stdout
{"database":"[DIR]/users.db","created":true,"dry_run":false,"added":2,"changed":0,"unchanged":0,"skipped":0,"differing":0,"removed":0,"removed_users":[],"warnings":["the passwords of 'alice' and 'bob' are public: remove both users before others can reach the app"]}

$ dash-users seed --json
status 0
-- stdout
{"database":"[DIR]/users.db","created":false,"dry_run":false,"added":0,"changed":0,"unchanged":0,"skipped":2,"differing":0,"removed":0,"removed_users":[],"warnings":[]}

"#]]);
}

#[test]
fn seed_leaves_nonempty_table_unchanged() {
    let sandbox = initialized();
    sandbox.sql("INSERT INTO users VALUES ('zoe', 'x', 'de')");
    sandbox.assert_session(str![[r#"
$ dash-users seed
status 0
-- stderr
nothing added: there are already users in [DIR]/users.db

"#]]);
    assert_eq!(sandbox.run(&["list", "--format", "plain"]).stdout.lines().count(), 1);
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
    sandbox.assert_session(str![[r#"
$ dash-users seed users.csv
status 0
-- stderr
created [DIR]/users.db
users.csv: 2 added, 0 changed, 0 unchanged, 0 skipped in [DIR]/users.db

"#]]);
    let before = sandbox.read("users.db");
    sandbox.assert_session(str![[r#"
$ dash-users seed users.csv
status 0
-- stderr
users.csv: 0 added, 0 changed, 0 unchanged, 2 skipped in [DIR]/users.db

$ dash-users seed users.csv --json
status 0
-- stdout
{"database":"[DIR]/users.db","created":false,"dry_run":false,"added":0,"changed":0,"unchanged":0,"skipped":2,"differing":0,"removed":0,"removed_users":[],"read_as":{"format":"csv","encoding":"UTF-8","delimiter":",","sheet":null,"hashes":0,"passwords":0,"converted":0,"locked":0},"warnings":[]}

"#]]);
    assert!(sandbox.read("users.db") == before);
    sandbox.assert_session(str![[r#"
$ dash-users history --format plain
status 0
-- stdout
1	[TIME]	admin	seed	\N	2 added, 0 changed

"#]]);
}

#[test]
fn seed_file_skips_records_of_existing_users_unchecked() {
    let sandbox = seeded();
    let bob = sandbox.stored("bob");
    sandbox.write(
        "users.csv",
        "username,password,language,groups\nalice,,,\nbob,12345,no language,;\n",
    );
    let before = sandbox.read("users.db");
    sandbox.assert_session(str![[r#"
$ dash-users seed users.csv
status 0
-- stderr
users.csv: 0 added, 0 changed, 0 unchanged, 2 skipped in [DIR]/users.db
note: 1 existing user differs in language or groups; to update the user, run `dash-users seed users.csv --sync --database [DIR]/users.db`

"#]]);
    assert!(sandbox.read("users.db") == before);
    assert_eq!(sandbox.stored("bob"), bob);

    // Records of new users and the number of cells are checked.
    sandbox.write("weak.csv", "username,password\nalice,12345\nann,12345\n");
    sandbox.write("malformed.csv", "username,password\nalice,12345,too much\n");
    sandbox.assert_session(str![[r#"
$ dash-users seed weak.csv
status 8
-- stderr
weak.csv:3: user 'ann': the password is weak: it has fewer than 8 characters
error: 1 bad record in weak.csv; nothing was changed
hint: use --allow-weak to accept weak passwords

$ dash-users seed malformed.csv
status 7
-- stderr
malformed.csv:2: the number of cells is 3, but the header has 2
error: 1 bad record in malformed.csv; nothing was changed

"#]]);
    assert!(sandbox.read("users.db") == before);
    sandbox.write("users.csv", format!("username,password\nalice,12345\nann,{GOOD}\n"));
    sandbox.assert_session(str![[r#"
$ dash-users seed users.csv
status 0
-- stderr
users.csv: 1 added, 0 changed, 0 unchanged, 1 skipped in [DIR]/users.db

"#]]);
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
    sandbox.assert_session(str![[r#"
$ dash-users seed --dry-run --json
status 2
-- stderr
{"error":{"code":"usage","status":2,"message":"the following required arguments were not provided: <FILE>","hint":"see dash-users seed --help"}}

"#]]);
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
