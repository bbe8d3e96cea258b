use std::process::Command;
use std::time::Duration;

use snapbox::str;

use crate::support::{assert_run, empty, initialized};

#[test]
fn demo_users_are_added_once() {
    let sandbox = empty();
    assert_run!(
        sandbox.run(&["seed"]),
        str![[r#"
status 0
-- stdout
-- stderr
created [DIR]/users.db
added users 'alice' and 'bob' in [DIR]/users.db
warning: the passwords of 'alice' and 'bob' are public: remove them before others can reach the app

"#]]
    );
    assert_run!(
        sandbox.run(&["seed"]),
        str![[r#"
status 0
-- stdout
-- stderr
there are users already; none added in [DIR]/users.db

"#]]
    );
    for (user, password) in [("alice", "secret123"), ("bob", "pa$$w0rd")] {
        assert_eq!(sandbox.run_with(password, &["verify", user, "--password-stdin"]).status, 0);
    }
}

#[test]
fn json_counts_them() {
    let sandbox = empty();
    assert_run!(
        sandbox.run(&["seed", "--json"]),
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","added":2,"changed":0,"unchanged":0,"skipped":0,"warnings":["the passwords of 'alice' and 'bob' are public: remove them before others can reach the app"]}
-- stderr

"#]]
    );
    assert_run!(
        sandbox.run(&["seed", "--json"]),
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","added":0,"changed":0,"unchanged":0,"skipped":2,"warnings":[]}
-- stderr

"#]]
    );
}

#[test]
fn a_table_with_any_user_is_left_alone() {
    let sandbox = initialized();
    sandbox.sql("INSERT INTO users VALUES ('zoe', 'x', 'de')");
    assert_run!(
        sandbox.run(&["seed"]),
        str![[r#"
status 0
-- stdout
-- stderr
there are users already; none added in [DIR]/users.db

"#]]
    );
    assert_eq!(sandbox.run(&["list", "--format", "plain"]).stdout.lines().count(), 1);
}

#[test]
fn an_interrupted_seed_leaves_nothing_behind() {
    let sandbox = empty();
    // It takes seconds, even on the fastest machine.
    let mut child =
        sandbox.command(&["seed", "--method", "pbkdf2:sha512:10000000"]).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    let pid = child.id().to_string();
    Command::new("kill").args(["-s", "INT", &pid]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!sandbox.path("users.db").exists());
}

#[test]
fn several_at_once_seed_one_database() {
    let sandbox = empty();
    let children: Vec<_> =
        (0..4).map(|_| sandbox.command(&["seed", "-q"]).spawn().unwrap()).collect();
    for mut child in children {
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    assert_eq!(sandbox.run(&["list", "--format", "plain"]).stdout.lines().count(), 2);
}
