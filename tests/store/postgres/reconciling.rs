//! Reconciling groups and times with users: interrupted, while an app writes, and in large tables.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use dash_users::store::{CommitHooks, TableChanges};
use dash_users::{Error, NewFile, StoreError, Users};

use super::concurrency::in_transaction;
use crate::accounts::groups;
use crate::database::{Database, Postgres};
use crate::direct_writes::{UNCHANGED, fill, members};
use crate::support::{TUTORIAL_TABLE, found, init, open};

/// The state between the two steps of a repair: the triggers work, and nothing is reconciled.
const INTERRUPTED: &str = "UPDATE dash_users_schema SET version = 5;";

/// Other people get the names, unseen.
const REPLACED: &str = "ALTER TABLE users DISABLE TRIGGER USER;
                        UPDATE users SET password_hash = 'another';
                        ALTER TABLE users ENABLE TRIGGER USER;";

fn before() -> Option<Postgres> {
    let database = Postgres::with(TUTORIAL_TABLE)?;
    fill(&database);
    Some(database)
}

fn unseen(users: &mut Users) -> Vec<&'static str> {
    let found = found(users).into_iter().map(|(code, ..)| code);
    found.filter(|code| code.ends_with("_unseen") || *code == "orphaned_groups").collect()
}

#[test]
fn interrupted_repair_is_reported_and_finished() {
    let Some(database) = before() else { return };
    database.execute(&format!("{REPLACED}{INTERRUPTED}"));
    let refusal = open(&database).get("alice").unwrap_err().to_string();
    assert!(refusal.contains("its schema version is 5, the latest is 6"), "{refusal}");
    let refusal = open(&database).check().unwrap_err().to_string();
    assert!(refusal.contains("its schema version is 5"), "{refusal}");
    let mut users = init(&database);
    assert_eq!(members(&database), [""; 0]);
    assert_eq!(unseen(&mut users), [""; 0]);
    assert_eq!(database.query("SELECT version FROM dash_users_schema"), ["6"]);
}

#[test]
fn dropped_tables_are_recreated() {
    for table in ["user_groups", "user_events", "dash_users_times", "dash_users_imported"] {
        for repair in [
            |users: &mut Users| users.migrate().map(drop),
            |users: &mut Users| users.repair().map(drop),
        ] {
            let Some(database) = before() else { return };
            database.execute(&format!("DROP TABLE {table}"));
            let mut users = open(&database);
            repair(&mut users).unwrap();
            let codes: Vec<_> = found(&mut users).into_iter().map(|(code, ..)| code).collect();
            assert_eq!(codes, ["clear_password"; 2], "{table}");
        }
    }
}

#[test]
fn table_replaced_while_init_waits_is_adopted() {
    let Some(database) = before() else { return };
    let mut app = in_transaction(
        &database,
        "ALTER TABLE users RENAME TO earlier;
         CREATE TABLE users (LIKE earlier INCLUDING ALL);
         INSERT INTO users SELECT * FROM earlier WHERE username = 'bob'; DROP TABLE earlier",
    );
    thread::scope(|scope| {
        let running = scope.spawn(|| init(&database));
        let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND database =
                           (SELECT oid FROM pg_database WHERE datname = current_database())";
        while database.query(waiting) != ["1"] {
            thread::sleep(Duration::from_millis(5));
        }
        app.batch_execute("COMMIT").unwrap();
        let mut users = running.join().unwrap();
        assert_eq!(members(&database), ["bob staff"]);
        assert_eq!(unseen(&mut users), [""; 0]);
    });
}

#[test]
fn interrupted_adoption_keeps_groups_of_app() {
    let Some(database) = before() else { return };
    database.execute(
        "UPDATE dash_users_schema SET version = 0; DELETE FROM dash_users_times;
         DELETE FROM user_events; UPDATE users SET language = 'fr' WHERE username = 'alice';
         DELETE FROM user_events",
    );
    let mut users = init(&database);
    assert_eq!(members(&database), UNCHANGED);
    assert_eq!(database.query("SELECT count(*) FROM user_events"), ["0"]);
    assert_eq!(unseen(&mut users), [""; 0]);
}

#[test]
fn canceled_init_is_continued() {
    static ASKED: AtomicU32 = AtomicU32::new(0);

    // Before the index, after it, and before users are compared.
    for step in 0..3 {
        let Some(database) = before() else { return };
        database.execute(&format!("{REPLACED} DROP TRIGGER dash_users_removed ON users"));
        ASKED.store(step, Ordering::Relaxed);
        let is_canceled = || {
            ASKED
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
                .is_err()
        };
        let hooks = CommitHooks { is_canceled, ..CommitHooks::default() };
        let changes = TableChanges::default();
        let error = Users::init_with(database.location(), &NewFile::default(), &changes, hooks);
        let error = error.unwrap_err();
        assert!(matches!(error, Error::Store(StoreError::Unfinished { .. })), "{step}: {error}");
        assert_eq!(members(&database), UNCHANGED);
        let mut users = init(&database);
        assert_eq!(members(&database), [""; 0]);
        assert_eq!(unseen(&mut users), [""; 0]);
    }
}

#[test]
fn app_keeps_its_row_while_others_are_reconciled() {
    let Some(database) = before() else { return };
    database.execute(&format!("{REPLACED}{INTERRUPTED}"));
    let mut app =
        in_transaction(&database, "UPDATE users SET password_hash = 'x' WHERE username = 'alice'");
    thread::scope(|scope| {
        let running = scope.spawn(|| init(&database));
        // Readers and writers of other rows go on, and of those that were reconciled.
        while members(&database) != ["alice admins"] {
            thread::sleep(Duration::from_millis(5));
        }
        database.execute("UPDATE users SET language = 'de' WHERE username = 'bob'");
        assert!(!running.is_finished());
        app.batch_execute("COMMIT").unwrap();
        let mut users = running.join().unwrap();
        assert_eq!(groups(&mut users, "alice"), [""; 0]);
        assert_eq!(unseen(&mut users), [""; 0]);
    });
}

#[test]
fn user_added_unseen_meanwhile_gets_no_groups_of_earlier_one() {
    let Some(database) = before() else { return };
    database.execute(&format!(
        "ALTER TABLE users DISABLE TRIGGER USER; DELETE FROM users WHERE username = 'alice';
         ALTER TABLE users ENABLE TRIGGER USER; DELETE FROM dash_users_times
         WHERE username = 'alice'; {INTERRUPTED}"
    ));
    // Like an app that adds the user with triggers off.
    let mut app = database.superuser();
    app.batch_execute(
        "BEGIN; SET LOCAL session_replication_role = replica;
         INSERT INTO users VALUES ('alice', 'another', 'en');
         INSERT INTO dash_users_times VALUES ('alice')",
    )
    .unwrap();
    thread::scope(|scope| {
        let running = scope.spawn(|| init(&database));
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
                           AND datname = current_database()
                           AND query LIKE 'INSERT INTO %dash_users_times%'";
        while database.query(waiting) != ["1"] {
            thread::sleep(Duration::from_millis(5));
        }
        app.batch_execute("DELETE FROM dash_users_times WHERE username = 'alice'; COMMIT").unwrap();
        let mut users = running.join().unwrap();
        assert_eq!(groups(&mut users, "alice"), [""; 0]);
        assert_eq!(unseen(&mut users), [""; 0]);
    });
}

#[test]
fn large_table_is_adopted_and_repaired() {
    let Some(database) = Postgres::with(TUTORIAL_TABLE) else { return };
    database.execute(
        "INSERT INTO users SELECT 'user' || number, repeat(md5(number::text), 5), 'en'
         FROM generate_series(1, 50000) AS number",
    );
    drop(init(&database));
    assert_eq!(database.query("SELECT count(*) FROM dash_users_times"), ["50000"]);
    assert_eq!(database.query("SELECT count(*) FROM user_events"), ["0"]);
    database.execute(
        "INSERT INTO user_groups SELECT username, 'staff' FROM users;
         DELETE FROM user_events; DROP TRIGGER dash_users_changed ON users;
         DROP INDEX dash_users_username_nocase;
         CREATE INDEX dash_users_username_nocase ON users (username);
         UPDATE users SET password_hash = username WHERE length(username) < 8;
         DELETE FROM user_events WHERE action = 'passwd'",
    );
    let repaired = Users::init(database.location(), &NewFile::default()).unwrap();
    assert_eq!(repaired.events.len(), 3 * 999);
    let unseen = "SELECT count(*) FROM users LEFT JOIN dash_users_times AS times USING (username)
                  WHERE fingerprint IS DISTINCT FROM
                      left(encode(sha256(convert_to(password_hash, 'UTF8')), 'hex'), 32)";
    assert_eq!(database.query(unseen), ["0"]);
    assert_eq!(database.query("SELECT count(*) FROM user_groups"), ["49001"]);
    let index = "SELECT pg_get_indexdef('dash_users_username_nocase'::regclass)";
    assert!(database.query(index)[0].contains("lower("));
}
