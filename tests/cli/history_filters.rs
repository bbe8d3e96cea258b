use snapbox::str;

use crate::support::{GOOD, assert_run, initialized, seeded};

fn details(run: &crate::support::Run) -> Vec<String> {
    assert_eq!(run.status, 0, "{run}");
    let line = |line: &str| {
        let fields: Vec<_> = line.split('\t').collect();
        [fields[3], fields[4]].join(" ")
    };
    run.stdout.lines().map(line).collect()
}

#[test]
fn history_is_filtered_by_time_action_and_actor() {
    let sandbox = seeded();
    sandbox.wait_three_days();
    sandbox.run(&["lock", "bob"]);
    sandbox.run(&["group", "add", "bob", "staff"]);
    sandbox.sql("UPDATE users SET language = 'de' WHERE username = 'bob'");
    sandbox.sql("INSERT INTO user_events (at, action) VALUES ('12345', 'unlock')");
    for (args, expected) in [
        ("--since 1d", &["update bob", "group add bob", "lock bob"][..]),
        ("--since=2w --until 12h", &["add bob", "add alice"]),
        ("--until 2000-01-01", &[]),
        ("--since 2000-01-01T00:00:00+02:00 --limit 1", &["update bob"]),
        ("--action lock,update", &["update bob", "lock bob"]),
        ("--action add --action lock bob", &["lock bob", "add bob"]),
        ("--actor admin --since 1d", &["group add bob", "lock bob"]),
        (r"--actor \N bob", &["update bob"]),
        ("--actor nobody alice", &[]),
    ] {
        let args: Vec<_> = args.split(' ').collect();
        let run = sandbox.run(&[&["history", "--format", "plain"], &args[..]].concat());
        assert_eq!(details(&run), expected, "{args:?}");
    }
    let run = sandbox.run(&["history", "--format", "plain", "--action", "group add"]);
    assert_eq!(details(&run), ["group add bob"]);
    assert_eq!(sandbox.run(&["history", "nobody", "--since", "1d"]).status, 6);
    let run = sandbox.run(&["history", "--action", "lokc"]);
    assert_eq!(run.status, 2, "{run}");
    assert!(run.stderr.contains("the actions are: add, group add, group remove, import"), "{run}");
    let run = sandbox.run(&["history", "--since", "yesterday"]);
    assert!(run.status == 2 && run.stderr.contains("expected an age such as 30d"), "{run}");
}

#[test]
fn prune_deletes_old_events_and_is_an_event() {
    let sandbox = seeded();
    sandbox.wait_three_days();
    sandbox.run(&["lock", "bob"]);
    assert_run!(
        sandbox.run(&["history", "--prune-before", "1d"]),
        str![[r#"
status 10
-- stderr
error: cannot ask for confirmation: stdin is not a terminal
hint: use --yes to confirm

"#]]
    );
    assert_run!(
        sandbox.run(&["history", "--prune-before", "1d", "--yes"]),
        str![[r#"
status 0
-- stderr
deleted 2 events before [TIME] from [DIR]/users.db

"#]]
    );
    let left = sandbox.run(&["history", "--format", "plain"]);
    let left: Vec<_> =
        left.stdout.lines().map(|line| line.split('\t').collect::<Vec<_>>()).collect();
    assert_eq!(left[0][2..5], ["admin", "prune", "\\N"]);
    assert!(left[0][5].starts_with("2 events before "), "{left:?}");
    assert_eq!((left.len(), left[1][3]), (2, "lock"));
    assert_run!(
        sandbox.run(&["history", "--prune-before", "2026-01-01", "--json"]),
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","action":"prune","changed":false,"pruned":0,"before":"[TIME]"}

"#]]
    );
    for other in ["--since=1d", "--limit=1", "--action=add", "--actor=x", "bob"] {
        let run = sandbox.run(&["history", "--prune-before", "1d", "--yes", other]);
        assert_eq!(run.status, 2, "{run}");
    }
    assert_eq!(sandbox.run(&["history", "--yes"]).status, 2);
    let missing = initialized().run(&["history", "--prune-before", "1d", "-d", "no.db"]);
    assert_eq!(missing.status, 4, "{missing}");
}

#[test]
fn pruned_hash_history_leaves_users_unchanged() {
    let sandbox = seeded();
    sandbox.run_with(GOOD, &["passwd", "bob", "--password-stdin"]);
    let before = sandbox.run(&["list", "--json"]).stdout;
    assert_eq!(sandbox.run(&["history", "--prune-before", "0h", "--yes"]).status, 0);
    assert_eq!(sandbox.run(&["list", "--json"]).stdout, before);
    assert_eq!(sandbox.run(&["history", "bob", "--json"]).stdout, "[]\n");
}
