//! Groups, renames, times, and the history.

use std::time::{Duration, Instant, SystemTime};

use dash_users::{Error, Event, Group, Password, StoredText, Users};

use crate::database::Database;
use crate::support::{
    GOOD, TUTORIAL_TABLE, add, found, hash, init, insert, new_user, stored, with_users,
};

fn group(name: &str) -> Group {
    name.parse().unwrap()
}

pub(crate) fn groups(users: &mut Users, username: &str) -> Vec<String> {
    users.get(username).unwrap().unwrap().groups.iter().map(ToString::to_string).collect()
}

/// The events of the history, oldest first.
pub(crate) fn recorded(users: &mut Users, username: Option<&str>) -> Vec<String> {
    let line = |Event { actor, action, username, detail, .. }: &Event| {
        format!("{actor} {action} {username} {detail}")
    };
    let events = users.history(username.map(str::as_bytes), None).unwrap();
    events.iter().rev().map(line).collect()
}

pub(crate) fn is_recent(time: Option<SystemTime>) -> bool {
    time.is_some_and(|time| time.elapsed().unwrap_or_default() < Duration::from_secs(60))
}

fn groups_are_added_and_removed_once(database: &dyn Database) {
    let mut users = with_users(database, &["alice"]);
    let both = [group("staff"), group("admins")];
    let add = |users: &mut Users| {
        let added = users.add_groups("alice", &both).unwrap();
        [added[0], added[1]].map(|added| (added.is_added, added.is_new_group, added.is_username))
    };
    assert_eq!(add(&mut users), [(true, true, false); 2]);
    assert_eq!(add(&mut users), [(false, false, false); 2]);
    assert!(users.add_groups("alice", &[group("alice")]).unwrap()[0].is_username);
    users.remove_groups("alice", &["alice"]).unwrap();
    assert_eq!(groups(&mut users, "alice"), ["admins", "staff"]);
    assert_eq!(users.remove_groups("alice", &["staff", "nobody's"]).unwrap(), [true, false]);
    assert_eq!(groups(&mut users, "alice"), ["admins"]);
    assert!(matches!(users.add_groups("zoe", &both), Err(Error::NoSuchUser(_))));
    assert!(matches!(users.remove_groups("zoe", &["staff"]), Err(Error::NoSuchUser(_))));
}

fn groups_follow_rename_and_end_with_removal(database: &dyn Database) {
    let mut users = with_users(database, &["alice"]);
    users.add_groups("alice", &[group("admins")]).unwrap();
    users.rename("alice", &"zoe".parse().unwrap(), false).unwrap();
    assert_eq!(groups(&mut users, "zoe"), ["admins"]);
    users.remove(&["zoe"], false).unwrap();
    add(&mut users, "zoe");
    assert_eq!(groups(&mut users, "zoe"), [""; 0]);
    database.execute("DELETE FROM users WHERE username = 'zoe'");
    assert_eq!(database.query("SELECT username FROM user_groups"), [""; 0]);
}

fn new_user_can_have_groups_and_be_locked(database: &dyn Database) {
    let mut users = init(database);
    let mut new = new_user("alice", GOOD);
    new.groups = vec![group("staff")];
    new.locked = true;
    users.add(&new).unwrap();
    let alice = users.get("alice").unwrap().unwrap();
    assert!(alice.locked);
    assert_eq!(groups(&mut users, "alice"), ["staff"]);
    assert_eq!(recorded(&mut users, None), ["\\N add alice locked", "\\N group add alice staff"]);
}

fn rename_keeps_hash_and_times(database: &dyn Database) {
    let mut users = with_users(database, &["alice"]);
    let (before, hash) = (users.get("alice").unwrap().unwrap(), stored(database, "alice"));
    assert!(users.rename("alice", &"zoe".parse().unwrap(), false).unwrap());
    let after = users.get("zoe").unwrap().unwrap();
    assert_eq!(stored(database, "zoe"), hash);
    assert_eq!(after.created_at, before.created_at);
    assert_eq!(after.password_changed_at, before.password_changed_at);
    assert_eq!(users.get("alice").unwrap(), None);
    // Renaming to the same name does nothing.
    assert!(!users.rename("zoe", &"zoe".parse().unwrap(), false).unwrap());
}

fn rename_rejects_taken_name(database: &dyn Database) {
    let mut users = with_users(database, &["alice", "bob"]);
    let mut rename =
        |old: &str, new: &str, similar| users.rename(old, &new.parse().unwrap(), similar);
    assert!(matches!(rename("alice", "bob", true), Err(Error::UserExists(_))));
    assert!(matches!(rename("alice", "Bob", false), Err(Error::SimilarUser { .. })));
    assert!(matches!(rename("zoe", "carol", false), Err(Error::NoSuchUser(_))));
    assert!(rename("alice", "Alice", false).unwrap());
    assert!(rename("Alice", "Bob", true).unwrap());
}

fn history_records_actor_and_action(database: &dyn Database) {
    let mut users = init(database).with_actor("carol");
    add(&mut users, "alice");
    users.set_password("alice", &Password::from(GOOD), false).unwrap();
    users.rehash("alice", &Password::from(GOOD)).unwrap();
    users.set_language("alice", &"fr".parse().unwrap()).unwrap();
    users.lock(&["alice"]).unwrap();
    users.lock(&["alice"]).unwrap();
    users.unlock(&["alice"]).unwrap();
    users.add_groups("alice", &[group("staff")]).unwrap();
    users.remove_groups("alice", &["staff"]).unwrap();
    users.rename("alice", &"zoe".parse().unwrap(), false).unwrap();
    users.remove(&["zoe"], false).unwrap();
    let expected = [
        "carol add alice \\N",
        "carol passwd alice \\N",
        "carol rehash alice from scrypt:256:8:1 to scrypt:256:8:1",
        "carol update alice language fr",
        "carol lock alice \\N",
        "carol unlock alice \\N",
        "carol group add alice staff",
        "carol group remove alice staff",
        "carol rename alice to zoe",
        "carol remove zoe \\N",
    ];
    assert_eq!(recorded(&mut users, None), expected);
    assert_eq!(recorded(&mut users, Some("zoe")), expected);
    let newest = users.history(None, Some(2)).unwrap();
    assert_eq!(newest[0].action, StoredText::Text("remove".to_owned()));
    assert_eq!(newest.len(), 2);
    assert!(newest[0].id > newest[1].id);
    assert!(is_recent(newest[0].at));
    assert!(matches!(users.history(Some(b"nobody"), None), Err(Error::NoSuchUser(_))));
}

fn history_separates_users_with_the_same_name(database: &dyn Database) {
    let mut users = with_users(database, &["alice"]);
    users.rename("alice", &"zoe".parse().unwrap(), false).unwrap();
    add(&mut users, "alice");
    users.lock(&["alice"]).unwrap();
    let of_zoe = ["\\N add alice \\N", "\\N rename alice to zoe"];
    assert_eq!(recorded(&mut users, Some("zoe")), of_zoe);
}

fn unchanged_user_gets_no_event(database: &dyn Database) {
    let mut users = init(database).with_actor("carol");
    add(&mut users, "alice");
    assert!(users.lock(&["alice", "nobody"]).is_err());
    assert!(users.remove(&["alice", "nobody"], false).is_err());
    assert!(users.add(&new_user("alice", GOOD)).is_err());
    users.unlock(&["alice"]).unwrap();
    users.set_language("alice", &"en".parse().unwrap()).unwrap();
    assert_eq!(recorded(&mut users, None), ["carol add alice \\N"]);
}

fn app_write_is_recorded_without_actor(database: &dyn Database) {
    let mut users = init(database).with_actor("carol");
    insert(database, "alice", &hash("secret"));
    database.execute("UPDATE users SET password_hash = 'x'");
    database.execute("UPDATE users SET language = 'fr', username = 'zoe'");
    database.execute("UPDATE users SET language = 'fr', username = 'zoe', password_hash = 'x'");
    database.execute("DELETE FROM users");
    let mut recorded = recorded(&mut users, None);
    // One statement makes two changes: the database decides their order, and with it the name.
    recorded[2..4].sort();
    let language = recorded.remove(3);
    assert!(language.ends_with("language fr"), "{language}");
    let expected = ["add alice \\N", "passwd alice \\N", "rename alice to zoe", "remove zoe \\N"];
    assert_eq!(recorded, expected.map(|event| format!("\\N {event}")));
}

fn times_are_recorded_and_unknown_for_adopted_users(database: &dyn Database) {
    database.execute(TUTORIAL_TABLE);
    insert(database, "old", &hash("secret"));
    let mut users = init(database);
    insert(database, "app", &hash("secret"));
    add(&mut users, "alice");
    let mut times = |username: &str| {
        let user = users.get(username).unwrap().unwrap();
        (user.created_at, user.password_changed_at)
    };
    assert_eq!(times("old"), (None, None));
    for username in ["app", "alice"] {
        let (created, changed) = times(username);
        assert!(is_recent(created) && is_recent(changed), "{username}");
    }
    database.execute("UPDATE users SET password_hash = 'x' WHERE username = 'old'");
    let (created, changed) = times("old");
    assert!(created.is_none() && is_recent(changed));
}

fn lock_and_rehash_keep_password_time(database: &dyn Database) {
    database.execute(TUTORIAL_TABLE);
    insert(database, "alice", &hash("secret"));
    let mut users = init(database);
    users.rehash("alice", &Password::from("secret")).unwrap();
    users.lock(&["alice"]).unwrap();
    users.unlock(&["alice"]).unwrap();
    assert_eq!(users.get("alice").unwrap().unwrap().password_changed_at, None);
    users.set_password("alice", &Password::from(GOOD), false).unwrap();
    assert!(is_recent(users.get("alice").unwrap().unwrap().password_changed_at));
}

fn time_outside_four_digit_years_is_unknown(database: &dyn Database) {
    let mut users = with_users(database, &["alice"]);
    for time in ["1969-12-31 23:59:59Z", "20000-01-01 00:00:00Z", "infinity", "-infinity"] {
        database.execute(&format!(
            "UPDATE dash_users_times SET created_at = '{time}', password_changed_at = '{time}';
             UPDATE user_events SET at = '{time}'"
        ));
        let alice = users.get("alice").unwrap().unwrap();
        assert_eq!((alice.created_at, alice.password_changed_at), (None, None), "{time}");
        let history = users.history(None, None).unwrap();
        assert!(history.iter().all(|event| event.at.is_none()), "{time}");
    }
}

fn names_and_groups_are_found_by_prefix(database: &dyn Database) {
    let mut users = with_users(database, &["al", "zoe", "alice", "bob", "Alan"]);
    users.add_groups("bob", &[group("staff"), group("admin"), group("stuff")]).unwrap();
    users.add_groups("alice", &[group("staff")]).unwrap();
    assert_eq!(users.names("al", 9).unwrap(), ["al", "alice"]);
    assert_eq!(users.names("", 2).unwrap(), ["Alan", "al"]);
    assert_eq!(users.names("%", 9).unwrap(), [""; 0]);
    assert_eq!(users.groups("st", 9).unwrap(), ["staff", "stuff"]);
    assert_eq!(users.groups("", 1).unwrap(), ["admin"]);
    assert_eq!(users.groups("_", 9).unwrap(), [""; 0]);
}

fn orphaned_groups_are_found_by_username(database: &dyn Database) {
    let mut users = init(database);
    database.execute("INSERT INTO user_groups VALUES ('gone', 'a'), ('gone', 'b'), ('lost', 'a')");
    let recorded: Vec<_> =
        users.check().unwrap().iter().map(|found| found.problem.to_string()).collect();
    let orphaned = "groups of a user that does not exist: ";
    assert_eq!(recorded, [format!("{orphaned}a, b"), format!("{orphaned}a")]);
    assert_eq!(found(&mut users)[1].2, "lost");
}

/// 16,000 renames took minutes when each was searched for in all events.
fn history_time_is_linear_in_renames(database: &dyn Database) {
    const RENAMES: usize = 16_000;

    let mut users = init(database);
    database.execute(&format!(
        "WITH RECURSIVE numbers (number) AS (
           SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {RENAMES})
         INSERT INTO user_events (action, username, detail)
         SELECT 'rename', 'user' || number, 'to user' || (number + 1) FROM numbers"
    ));
    let start = Instant::now();
    let last = format!("user{}", RENAMES + 1);
    let events = users.history(Some(last.as_bytes()), None).unwrap();
    assert_eq!(events.len(), RENAMES);
    assert_eq!(events[0].username.to_string(), format!("user{RENAMES}"));
    assert_eq!(users.history(Some(b"user3"), None).unwrap().len(), 3);
    assert_eq!(users.history(Some(last.as_bytes()), Some(2)).unwrap(), events[..2]);
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

on_every_database! {
    history_time_is_linear_in_renames,
    orphaned_groups_are_found_by_username,
    names_and_groups_are_found_by_prefix,
    groups_are_added_and_removed_once,
    groups_follow_rename_and_end_with_removal,
    new_user_can_have_groups_and_be_locked,
    rename_keeps_hash_and_times,
    rename_rejects_taken_name,
    history_records_actor_and_action,
    history_separates_users_with_the_same_name,
    unchanged_user_gets_no_event,
    app_write_is_recorded_without_actor,
    times_are_recorded_and_unknown_for_adopted_users,
    time_outside_four_digit_years_is_unknown,
    lock_and_rehash_keep_password_time,
}
