//! Findings of a check and events of a repair on every database. Damage is specific to a database,
//! and tested with each.

use dash_users::Users;

use crate::database::Database;
use crate::support::{found, with_users};

/// User alice, and groups of a removed user.
fn with_orphans(database: &dyn Database) -> Users {
    let mut users = with_users(database, &["alice"]);
    let insert =
        "INSERT INTO user_groups (username, group_name) VALUES ('gone', 'a'), ('gone', 'b')";
    database.execute(insert);
    users
}

fn check_without_one_table_checks_the_others(database: &dyn Database) {
    let mut users = with_orphans(database);
    let codes = |users: &mut Users| -> Vec<_> {
        let codes = found(users).into_iter().map(|(code, ..)| code);
        codes.filter(|code| *code != "hash_weak").collect()
    };
    database.execute("DROP TABLE dash_users_times");
    assert_eq!(codes(&mut users), ["table_missing", "orphaned_groups"]);
    database.execute("DROP TABLE user_groups");
    let codes = codes(&mut users);
    assert!(codes.contains(&"table_missing") && !codes.contains(&"orphaned_groups"), "{codes:?}");
}

fn repair_records_dropped_groups(database: &dyn Database) {
    let mut users = with_orphans(database);
    let recorded: Vec<_> = users
        .repair()
        .unwrap()
        .iter()
        .map(|event| format!("{} {} {}", event.action, event.username, event.detail))
        .collect();
    assert_eq!(recorded, ["group remove gone b", "group remove gone a"]);
    assert_eq!(users.history(Some(b"gone"), None).unwrap().len(), 4);
    assert_eq!(users.repair().unwrap(), []);
}

on_every_database! {
    check_without_one_table_checks_the_others,
    repair_records_dropped_groups,
}
