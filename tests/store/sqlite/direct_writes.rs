//! Direct writes by an app with each SQLite: they are recorded correctly, do not leak groups, and
//! never fail because of our triggers.

mod cases;

use dash_users::{Error, NewFile, StoreError, StoredText, Users};

use self::cases::{CASES, OTHER_TABLES, WITH_EMAIL};
use super::writers::{WRITERS, Writer};
use crate::database::{Database, Sqlite};
use crate::direct_writes::{self, UNCHANGED, fill, members};
use crate::sample;
use crate::support::{GOOD, TUTORIAL_TABLE, add, hash, init, locked, new_user};

/// A database with alice and bob whose history is empty.
fn before(table: &str) -> Sqlite {
    let database = Sqlite::with(table);
    fill(&database);
    database
}

/// The recorded events without an actor.
fn recorded(database: &Sqlite) -> Vec<String> {
    database.query(
        "SELECT action || ' ' || CASE typeof(username) WHEN 'blob' THEN quote(username)
                                                       ELSE ifnull(username, 'NULL') END
                || ifnull(': ' || detail, '')
         FROM user_events WHERE actor IS NULL ORDER BY id",
    )
}

/// Asserts that every user with a name, and no one else, has a row of times.
fn assert_times(database: &Sqlite, context: &str) {
    let names = "SELECT quote(username) FROM users WHERE username IS NOT NULL ORDER BY 1";
    let times = "SELECT quote(username) FROM dash_users_times ORDER BY 1";
    assert_eq!(database.query(times), database.query(names), "{context}");
}

#[test]
fn app_writes_are_recorded_and_leak_no_groups() {
    for (writer, write) in WRITERS {
        let on_tutorial = direct_writes::CASES.into_iter().chain(CASES);
        let on_tutorial =
            on_tutorial.map(|(sql, events, groups)| (TUTORIAL_TABLE, sql, events, groups));
        for (table, sql, expected, in_groups) in on_tutorial.chain(OTHER_TABLES) {
            let database = before(table);
            if write(database.path(), sql) {
                let context = format!("{writer}: {sql}");
                assert_eq!(recorded(&database), expected, "{context}");
                assert_eq!(members(&database), in_groups, "{context}");
                assert_times(&database, &context);
            }
        }
    }
}

#[test]
fn evicted_user_is_found_by_check_and_recorded() {
    let database = before(WITH_EMAIL);
    database.execute(
        "UPDATE users SET email = 'bob@x' WHERE username = 'bob';
         INSERT OR REPLACE INTO users VALUES ('zoe', 'x', 'en', 'bob@x', NULL)",
    );
    let mut users = Users::open(database.location()).unwrap();
    let codes: Vec<_> = users
        .check()
        .unwrap()
        .into_iter()
        .filter(|finding| finding.username == Some(StoredText::Text("bob".to_owned())))
        .map(|finding| finding.problem.code())
        .collect();
    assert_eq!(codes, ["orphaned_groups", "removed_unseen"]);
    users.repair().unwrap();
    assert_eq!(
        recorded(&database),
        ["add zoe", "group remove bob: staff", "remove bob: found missing"]
    );
    assert_eq!(members(&database), ["alice admins"]);
    assert_times(&database, "repaired");
}

#[test]
fn lock_by_app_is_recorded_as_lock() {
    let hash = hash("secret");
    let locked = locked(&hash);
    let steps = [(&*hash, "passwd"), (&*locked, "lock"), (&*hash, "unlock"), ("!clear", "passwd")];
    for (writer, write) in WRITERS {
        let database = before(TUTORIAL_TABLE);
        for (value, action) in steps {
            database.execute(
                "UPDATE dash_users_times SET password_changed_at = NULL; DELETE FROM user_events",
            );
            let update =
                format!("UPDATE users SET password_hash = '{value}' WHERE username = 'bob'");
            if !write(database.path(), &update) {
                continue;
            }
            assert_eq!(recorded(&database), [format!("{action} bob")], "{writer}");
            let changed =
                "SELECT count(*) FROM dash_users_times WHERE password_changed_at NOT NULL";
            let is_new = u8::from(action == "passwd").to_string();
            assert_eq!(database.query(changed), [is_new], "{writer}: {action}");
        }
    }
}

#[test]
fn long_name_can_be_written_renamed_and_removed() {
    let long = format!("zeroblob({})", sample::of(1_000_000, 10_000_000));
    for (writer, write) in WRITERS {
        let database = before(TUTORIAL_TABLE);
        let name = format!("replace(hex({long}), '0', 'n')");
        let sql = format!(
            "INSERT INTO users VALUES ({name}, {name}, {name});
             UPDATE users SET username = {name} || 'x', language = {name} || 'y'
             WHERE length(username) > 1000;
             UPDATE users SET username = {name} WHERE username = 'alice';
             DELETE FROM users WHERE length(username) > 1000"
        );
        if write(database.path(), &sql) {
            let longest = "SELECT max(length(username) + ifnull(length(detail), 0)) < 3000
                           FROM user_events";
            assert_eq!(database.query(longest), ["1"], "{writer}");
            assert_eq!(members(&database), ["bob staff"], "{writer}");
            assert_times(&database, writer);
        }
    }
}

#[test]
fn app_sees_own_row_ids_and_counts() {
    let database = before(TUTORIAL_TABLE);
    let connection = database.connect();
    let count = connection.execute("INSERT INTO users VALUES ('zoe', 'x', 'en')", []).unwrap();
    assert_eq!((count, connection.last_insert_rowid()), (1, 3));
    assert_eq!(connection.execute("UPDATE users SET language = 'de'", []).unwrap(), 3);
    assert_eq!(connection.execute("DELETE FROM users", []).unwrap(), 3);
}

#[test]
fn recreated_table_has_no_triggers_until_init() {
    for (writer, write) in WRITERS {
        let database = before(TUTORIAL_TABLE);
        let anew = format!(
            "DROP TABLE users; {TUTORIAL_TABLE}; INSERT INTO users VALUES ('bob', 'x', 'en')"
        );
        if !write(database.path(), &anew) {
            continue;
        }
        let mut users = Users::open(database.location()).unwrap();
        let list = users.list();
        assert!(matches!(list, Err(Error::Store(StoreError::NeedsMigration { .. }))), "{list:?}");
        assert_eq!(members(&database), UNCHANGED, "{writer}");

        // Bob may be another person than before.
        let refusal = Users::init(database.location(), &NewFile::default());
        assert!(
            matches!(refusal, Err(Error::Store(StoreError::NeedsRepair { .. }))),
            "{refusal:?}"
        );
        assert_eq!(members(&database), UNCHANGED, "{writer}");
        users.repair().unwrap();
        assert!(members(&database).is_empty(), "{writer}");
        assert_times(&database, writer);
        let recorded = recorded(&database);
        assert_eq!(
            recorded,
            [
                "group remove alice: admins",
                "group remove bob: staff",
                "remove alice: found missing",
                "remove bob: found missing",
                "add bob: found"
            ],
            "{writer}"
        );
        let bob = users.get("bob").unwrap().unwrap();
        assert_eq!((bob.created_at, bob.password_changed_at), (None, None));
    }
}

#[test]
fn leftover_change_row_is_reported_and_deleted() {
    let database = before(TUTORIAL_TABLE);
    database.execute("INSERT INTO dash_users_change (actor, action) VALUES ('mallory', 'passwd')");
    let mut users = Users::open(database.location()).unwrap();
    let codes: Vec<_> = users.check().unwrap().iter().map(|found| found.problem.code()).collect();
    assert!(codes.contains(&"change_left"), "{codes:?}");
    users.repair().unwrap();
    database.execute("INSERT INTO users VALUES ('zoe', 'x', 'en')");
    assert_eq!(recorded(&database), ["add zoe"]);
}

#[test]
fn changes_by_crate_and_app_are_distinguished() {
    let database = before(TUTORIAL_TABLE);
    let mut users = init(&database).with_actor("admin");
    users.add(&new_user("zoe", GOOD)).unwrap();
    database.execute("UPDATE users SET language = 'fr' WHERE username = 'zoe'");
    users.remove(&["zoe"], false).unwrap();
    // What fails leaves nothing behind.
    assert!(users.remove(&["bob", "nobody"], false).is_err());
    database.execute("DELETE FROM users WHERE username = 'bob'");
    add(&mut users, "yan");
    let all = "SELECT ifnull(actor, '-') || ' ' || action || ' ' || username FROM user_events";
    assert_eq!(
        database.query(all),
        ["admin add zoe", "- update zoe", "admin remove zoe", "- remove bob", "admin add yan"]
    );
    assert_eq!(database.query("SELECT count(*) FROM dash_users_change"), ["0"]);
}

/// All writers are different programs.
#[test]
fn writers_match_their_description() {
    let versions: Vec<_> = WRITERS
        .iter()
        .filter_map(|(_, write): &(&str, Writer)| {
            let database = Sqlite::with("CREATE TABLE version (number)");
            write(database.path(), "INSERT INTO version VALUES (sqlite_version())")
                .then(|| database.query("SELECT number FROM version").remove(0))
        })
        .collect();
    assert!(versions.len() < 3 || versions[2] == "3.26.0", "{versions:?}");
    assert_ne!(versions[0], "3.26.0");
}
