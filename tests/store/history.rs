//! Selecting and pruning events.

use std::time::{Duration, SystemTime};

use dash_users::{Error, Event, EventFilter, StoredText, Users};

use crate::accounts::recorded;
use crate::database::Database;
use crate::support::{add, init};

/// Sets the time of all events whose id is at most `last`.
fn set_time(database: &dyn Database, last: u32, time: &str) {
    database.execute(&format!("UPDATE user_events SET at = '{time}' WHERE id <= {last}"));
}

fn time(text: &str) -> SystemTime {
    humantime::parse_rfc3339(text).unwrap()
}

fn ids(users: &mut Users, username: Option<&str>, filter: &EventFilter) -> Vec<i64> {
    let events = users.events(username.map(str::as_bytes), filter).unwrap();
    events.iter().map(|event| event.id).collect()
}

fn events_are_selected_by_time_action_and_actor(database: &dyn Database) {
    let mut users = init(database).with_actor("admin");
    for name in ["a", "b", "c"] {
        add(&mut users, name);
    }
    users.rename("a", &"x".parse().unwrap(), false).unwrap();
    database.execute("UPDATE users SET language = 'de' WHERE username = 'x'");
    set_time(database, 5, "2026-01-03T00:00:00.000Z");
    set_time(database, 2, "2026-01-02T00:00:00.000Z");
    set_time(database, 1, "2026-01-01T00:00:00.000Z");

    let all = EventFilter::default();
    let second = Some(time("2026-01-02T00:00:00Z"));
    let since = EventFilter { since: second, ..all.clone() };
    let until = EventFilter { until: second, ..all.clone() };
    let renames = EventFilter { actions: vec!["rename".into(), "update".into()], ..all.clone() };
    let adds = EventFilter { actions: vec!["add".into()], ..all.clone() };
    let unknown = EventFilter { actor: Some(StoredText::Null), ..all.clone() };
    let admin = EventFilter { actor: Some(StoredText::Text("admin".into())), ..all.clone() };
    let newest = EventFilter { limit: Some(1), ..since.clone() };
    let future = EventFilter {
        since: Some(SystemTime::now() + Duration::from_secs(1 << 50)),
        ..all.clone()
    };
    for (username, filter, expected) in [
        (None, &all, &[5, 4, 3, 2, 1][..]),
        (None, &since, &[5, 4, 3, 2]),
        (None, &until, &[1]),
        (None, &renames, &[5, 4]),
        (None, &unknown, &[5]),
        (None, &admin, &[4, 3, 2, 1]),
        (None, &newest, &[5]),
        (None, &future, &[]),
        (Some("x"), &since, &[5, 4]),
        (Some("x"), &until, &[1]),
        (Some("x"), &adds, &[1]),
        (Some("x"), &admin, &[4, 1]),
        (Some("x"), &newest, &[5]),
        (Some("b"), &renames, &[]),
    ] {
        assert_eq!(ids(&mut users, username, filter), expected, "{username:?} {filter:?}");
    }
    let nobody = users.events(Some(b"nobody"), &renames);
    assert!(matches!(nobody, Err(Error::NoSuchUser(_))));
    let removed = users.remove(&["b"], false).and_then(|_| users.events(Some(b"b"), &renames));
    assert_eq!(removed.unwrap(), []);
}

fn pruning_deletes_old_events_only(database: &dyn Database) {
    let mut users = init(database).with_actor("admin");
    for name in ["a", "b", "c"] {
        add(&mut users, name);
    }
    let before = users.list().unwrap();
    set_time(database, 3, "2026-01-03T00:00:00.000Z");
    set_time(database, 2, "2026-01-02T00:00:00.000Z");
    assert_eq!(users.prune_history(time("2026-01-02T00:00:00Z")).unwrap(), 0);
    assert_eq!(recorded(&mut users, None).len(), 3);

    let third = time("2026-01-03T00:00:00Z");
    assert_eq!(users.prunable(third).unwrap(), 2);
    assert_eq!(users.prune_history(third).unwrap(), 2);
    let left = ["admin add c \\N", "admin prune \\N 2 events before 2026-01-03T00:00:00Z"];
    assert_eq!(recorded(&mut users, None), left);
    assert_eq!(users.list().unwrap(), before);

    // A later event has a higher id, even if all are deleted.
    let last = users.history(None, None).unwrap()[0].id;
    let future = SystemTime::now() + Duration::from_secs(3600);
    assert_eq!(users.prune_history(future).unwrap(), 2);
    let left = users.history(None, None).unwrap();
    assert_eq!(left.len(), 1);
    assert!(left[0].id > last);
    assert_eq!(left[0].action, StoredText::Text("prune".into()));
}

fn pruned_renames_still_lead_to_newer_events(database: &dyn Database) {
    let mut users = init(database);
    add(&mut users, "a");
    users.rename("a", &"b".parse().unwrap(), false).unwrap();
    users.rename("b", &"c".parse().unwrap(), false).unwrap();
    add(&mut users, "a");
    set_time(database, 3, "2026-01-01T00:00:00.000Z");
    let third = time("2026-01-03T00:00:00Z");
    assert_eq!(users.prunable(third).unwrap(), 3);

    // The clock was set back after the first event.
    set_time(database, 1, "2026-01-05T00:00:00.000Z");
    let all = EventFilter::default();
    let before = ids(&mut users, Some("c"), &all);
    assert_eq!(before, [3, 2, 1]);
    assert_eq!(users.prune_history(third).unwrap(), 0);
    assert_eq!(ids(&mut users, Some("c"), &all), before);
    assert_eq!(ids(&mut users, Some("a"), &all), [4, 2, 1]);
}

fn every_written_action_is_known(_: &dyn Database) {
    let mut sorted = Event::ACTIONS;
    sorted.sort_unstable();
    assert_eq!(sorted, Event::ACTIONS);
}

on_every_database! {
    events_are_selected_by_time_action_and_actor,
    every_written_action_is_known,
    pruned_renames_still_lead_to_newer_events,
    pruning_deletes_old_events_only,
}
