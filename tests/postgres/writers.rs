//! Concurrent programs, as on several hosts: every change is made once.

use std::collections::BTreeMap;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::program::{GOOD, Sandbox};
use crate::sample;
use crate::server::{cluster, connect};
use crate::support::{assert_fails, assert_ok, end, on, start, users};

const WRITERS: usize = 8;
const IMPORTED: usize = 50;

/// The number of events of each action.
fn events(url: &str) -> BTreeMap<String, i64> {
    let select = "SELECT action, count(*) FROM user_events GROUP BY action";
    let rows = connect(url).query(select, &[]).unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[test]
fn eight_writers_apply_each_change_once() {
    let Some(cluster) = cluster() else { return };
    let rounds = sample::of(1, 3);
    let url = cluster.database();
    assert_ok(&on(&url).run_with(GOOD, &["seed"]));
    assert_ok(&on(&url).run_with(GOOD, &["add", "common", "--password-stdin"]));
    let write = |number: usize| {
        let actor = format!("host{number}");
        let sandbox = on(&url).with_env("SUDO_USER", &actor);
        let run = |args: &[&str]| assert_ok(&sandbox.run_with(GOOD, args));
        for round in 0..rounds {
            let user = format!("user{number}-{round}");
            run(&["add", &user, "--password-stdin"]);
            run(&["passwd", "common", "--password-stdin"]);
            run(&["group", "add", "common", &user]);
            run(&["group", "add", &user, "staff"]);
            run(&["lock", &user]);
            run(&["update", &user, "--language", "de"]);
            let (file, prefix) = (format!("{round}.csv"), format!("import{number}-{round}-"));
            users(&sandbox, &file, &prefix, IMPORTED);
            run(&["import", &file]);
            run(&["unlock", &user]);
            let new = format!("renamed{number}-{round}");
            run(&["rename", &user, &new]);
        }
    };
    thread::scope(|scope| {
        for number in 0..WRITERS {
            scope.spawn(move || write(number));
        }
    });
    let times = WRITERS * rounds;
    let sandbox = on(&url);
    let list = sandbox.run(&["list", "--json"]).json();
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 3 + times * (1 + IMPORTED));
    let named = |prefix: &str| {
        list.iter().filter(|user| user["username"].as_str().unwrap().starts_with(prefix)).count()
    };
    assert_eq!((named("renamed"), named("import"), named("user")), (times, times * IMPORTED, 0));
    for user in list.iter().filter(|user| user["username"].as_str().unwrap().starts_with("renamed"))
    {
        assert_eq!((&user["locked"], &user["language"]), (&false.into(), &"de".into()));
        assert_eq!(user["groups"], serde_json::json!(["staff"]));
    }
    let common = sandbox.run(&["show", "common", "--json"]).json();
    assert_eq!(common["groups"].as_array().unwrap().len(), times);
    assert_ok(&sandbox.run_with(GOOD, &["verify", "common", "--password-stdin"]));
    let count = i64::try_from(times).unwrap();
    let expected = [
        ("add", count + 3),
        ("group add", 2 * count),
        ("import", count),
        ("lock", count),
        ("passwd", count),
        ("rename", count),
        ("unlock", count),
        ("update", count),
    ];
    assert_eq!(events(&url), expected.map(|(action, count)| (action.to_owned(), count)).into());
    let actors = "SELECT count(DISTINCT actor) FROM user_events WHERE actor LIKE 'host_'";
    assert_eq!(connect(&url).query_one(actors, &[]).unwrap().get::<_, i64>(0), 8);
    // There are no orphans.
    let check = sandbox.run(&["check", "--json"]).json();
    let findings = check.as_array().unwrap().iter();
    let odd: Vec<_> = findings
        .filter(|finding| finding["severity"] != "info" && finding["code"] != "demo_password")
        .collect();
    assert!(odd.is_empty(), "{odd:?}");
}

/// Runs a command in four processes at once, and returns their JSON.
fn four_at_once(sandbox: &Sandbox, args: &[&str]) -> Vec<serde_json::Value> {
    let children: Vec<_> = (0..4).map(|_| start(sandbox, args)).collect();
    let outputs = children.into_iter().map(|child| child.wait_with_output().unwrap());
    let json = |output: std::process::Output| {
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    outputs.map(json).collect()
}

#[test]
fn four_concurrent_inits_create_one_schema() {
    let Some(cluster) = cluster() else { return };
    for _ in 0..sample::of(1, 3) {
        let url = cluster.database();
        let sandbox = on(&url);
        let documents = four_at_once(&sandbox, &["init", "--json"]);
        let changed = documents.iter().filter(|document| document["changed"] == true).count();
        assert_eq!(changed, 1, "{documents:?}");
        assert_ok(&sandbox.run(&["check"]));
        let mut client = connect(&url);
        let versions = client.query("SELECT version FROM dash_users_schema", &[]).unwrap();
        assert_eq!(versions.len(), 1);
        assert!(events(&url).is_empty());
    }
}

#[test]
fn four_concurrent_seeds_add_each_user_once() {
    let Some(cluster) = cluster() else { return };
    for _ in 0..sample::of(1, 3) {
        let url = cluster.database();
        let sandbox = on(&url);
        users(&sandbox, "users.csv", "user", 500);
        let documents = four_at_once(&sandbox, &["seed", "users.csv", "--json"]);
        let added: u64 = documents.iter().map(|document| document["added"].as_u64().unwrap()).sum();
        assert_eq!(added, 500, "{documents:?}");
        assert_eq!(sandbox.run(&["export"]).stdout.lines().count(), 501);
        let mut client = connect(&url);
        let groups = client.query_one("SELECT count(*) FROM user_groups", &[]).unwrap();
        assert_eq!(groups.get::<_, i64>(0), 500);
    }
}

#[test]
fn concurrent_adds_of_same_user_succeed_once() {
    let Some(cluster) = cluster() else { return };
    let url = cluster.database();
    let sandbox = on(&url);
    assert_ok(&sandbox.run(&["init"]));
    let children: Vec<_> =
        (0..6).map(|_| start(&sandbox, &["add", "carol", "--generate", "--quiet"])).collect();
    let mut exit_codes: Vec<_> = children.into_iter().map(|child| end(child).0.unwrap()).collect();
    exit_codes.sort_unstable();
    assert_eq!(exit_codes, [0, 9, 9, 9, 9, 9]);
    assert_eq!(events(&url), [("add".to_owned(), 1)].into());
}

#[test]
fn init_waits_for_row_of_app_until_limit_or_signal() {
    let Some(cluster) = cluster() else { return };
    let url = cluster.database();
    let sandbox = on(&url);
    assert_ok(&sandbox.run(&["seed", "--quiet"]));
    assert_ok(&sandbox.run(&["group", "add", "alice", "admins"]));
    let mut client = connect(&url);
    // Another person gets the name, unseen, and a repair was interrupted.
    let replace = "ALTER TABLE users DISABLE TRIGGER USER;
                   UPDATE users SET password_hash = 'another' WHERE username = 'alice';
                   ALTER TABLE users ENABLE TRIGGER USER;
                   UPDATE dash_users_schema SET version = 5;";
    client.batch_execute(replace).unwrap();
    let hold = "BEGIN; UPDATE users SET language = 'de' WHERE username = 'alice'";
    client.batch_execute(hold).unwrap();
    assert_fails(&sandbox.run(&["init", "--wait", "1"]), 5, "is locked by another program");

    let mut init = start(&sandbox, &["init", "--wait", "600"]);
    let select = "SELECT count(*) FROM pg_stat_activity
                  WHERE application_name = 'dash-users' AND datname = current_database()
                      AND query LIKE '%FULL JOIN%'";
    while connect(&url).query_one(select, &[]).unwrap().get::<_, i64>(0) == 0 {
        assert_eq!(init.try_wait().unwrap(), None, "it ended");
        thread::sleep(Duration::from_millis(20));
    }
    Command::new("kill").args(["-INT", &init.id().to_string()]).status().unwrap();
    let (status, stderr) = end(init);
    assert_eq!(status, Some(4), "{stderr}");
    assert!(stderr.contains("the update was interrupted"), "{stderr}");

    client.batch_execute("COMMIT").unwrap();
    assert_ok(&sandbox.run(&["init"]));
    let alice = sandbox.run(&["show", "alice", "--json"]).json();
    assert_eq!(alice["groups"], serde_json::json!([]));
}
