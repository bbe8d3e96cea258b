use snapbox::str;

use crate::support::{empty, initialized, seeded};

#[test]
fn info_shows_database_and_where_the_setting_came_from() {
    let sandbox = seeded();
    sandbox.run(&["lock", "bob"]);
    sandbox.assert_session(str![[""]]);
    let source = |args: &[&str]| sandbox.run(args).json()["source"].clone();
    assert_eq!(source(&["info", "--json"]), "default");
    assert_eq!(source(&["info", "--json", "-d", "users.db"]), "flag");
    let sandbox = seeded().with_env("DASH_USERS_DATABASE", "users.db");
    assert_eq!(sandbox.run(&["info", "--json"]).json()["source"], "environment");
}

#[test]
fn info_works_before_an_update() {
    let sandbox = initialized();
    sandbox.sql("UPDATE dash_users_schema SET version = 1; PRAGMA journal_mode = WAL");
    let info = sandbox.run(&["info", "--json"]).json();
    assert_eq!(info["up_to_date"], false);
    assert_eq!(info["users"], serde_json::Value::Null);
    assert_eq!(info["journal_mode"], "wal");
    assert_eq!(empty().run(&["info"]).status, 4);
}

#[test]
fn missing_database_under_sudo_names_the_dropped_variable() {
    let sandbox = empty();
    let run = sandbox.run(&["list"]);
    assert!(run.stderr.contains("sudo --preserve-env=DASH_USERS_DATABASE"), "{run}");
    for named in [&["list", "-d", "a.db"][..], &["info", "--database=a.db"]] {
        assert!(!sandbox.run(named).stderr.contains("sudo"), "{named:?}");
    }
    let sandbox = sandbox.with_env("SUDO_UID", "1000");
    let seed = sandbox.run(&["seed"]);
    assert!(
        seed.stderr.starts_with("note: no database is named, so this creates [DIR]/users.db\n")
    );
    assert!(!sandbox.run(&["seed"]).stderr.contains("no database is named"));
}
