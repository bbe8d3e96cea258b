//! Concurrent writers: no change is lost, and no wait is endless.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use dash_users::{Error, NewFile, OnConflict, Password, StoreError, Users};
use postgres::Client;

use crate::accounts::recorded;
use crate::database::{Database, Postgres};
use crate::support::{
    GOOD, TUTORIAL_TABLE, add, hashed, init, names, new_user, open, options, rows, stored,
    with_users,
};

/// Waits until a session waits for a lock in this database.
fn wait_for_a_waiter(database: &Postgres) {
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let until = Instant::now() + Duration::from_secs(20);
    while database.query(waiting) == ["0"] {
        assert!(Instant::now() < until, "nobody waits");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Runs `operation` in another thread, and `meanwhile` as soon as it waits for a lock.
pub(crate) fn while_it_waits<T: Send>(
    database: &Postgres,
    operation: impl FnOnce() -> T + Send,
    meanwhile: impl FnOnce(),
) -> T {
    thread::scope(|scope| {
        let waiting = scope.spawn(operation);
        wait_for_a_waiter(database);
        meanwhile();
        waiting.join().unwrap()
    })
}

/// A connection of the app, in a transaction that has run `sql`.
pub(crate) fn in_transaction(database: &Postgres, sql: &str) -> Client {
    let mut app = database.connect();
    app.batch_execute(&format!("BEGIN; {sql}")).unwrap();
    app
}

#[test]
fn add_sees_uncommitted_user_of_app() {
    let Some(database) = Postgres::new() else { return };
    add(&mut init(&database), "bob");
    for operation in [
        |users: &mut Users| users.add(&new_user("alice", GOOD)),
        |users: &mut Users| users.rename("bob", &"alice".parse().unwrap(), false).map(drop),
    ] {
        let mut app =
            in_transaction(&database, "INSERT INTO users VALUES ('alice', 'the app''s', 'en')");
        let result = while_it_waits(
            &database,
            || operation(&mut open(&database)),
            || app.batch_execute("COMMIT").unwrap(),
        );
        assert!(matches!(result, Err(Error::UserExists(_))), "{result:?}");
        assert_eq!(stored(&database, "alice"), "the app's");
        database.execute("DELETE FROM users WHERE username = 'alice'");
    }
}

#[test]
fn import_sees_uncommitted_user_of_app() {
    let Some(database) = Postgres::new() else { return };
    drop(init(&database));
    let mut app = in_transaction(&database, "INSERT INTO users VALUES ('alice', '!', 'en')");
    let import = || {
        let file = format!("username,password\nalice,{GOOD}\nzoe,{GOOD}");
        let mut users = open(&database);
        crate::support::import(&mut users, options(OnConflict::Skip), &file)
    };
    let result = while_it_waits(&database, import, || app.batch_execute("COMMIT").unwrap());
    let summary = result.unwrap();
    assert_eq!((summary.added, summary.skipped), (1, 1));
    assert_eq!(names(&database), ["alice", "zoe"]);
}

#[test]
fn seed_sees_uncommitted_user_of_app() {
    let Some(database) = Postgres::new() else { return };
    let mut users = init(&database);
    let mut app = in_transaction(&database, "INSERT INTO users VALUES ('alice', '!', 'en')");
    // Readers do not wait.
    assert!(users.is_empty().unwrap());
    let demo = || open(&database).add_if_empty(hashed(&[new_user("zoe", GOOD)]));
    let added = while_it_waits(&database, demo, || app.batch_execute("COMMIT").unwrap());
    assert!(!added.unwrap());
    assert_eq!(names(&database), ["alice"]);
}

#[test]
fn writers_wait_for_each_other_and_readers_do_not() {
    let Some(database) = Postgres::new() else { return };
    let mut users = with_users(&database, &["alice"]);
    let lock = "LOCK TABLE dash_users_times IN SHARE UPDATE EXCLUSIVE MODE";
    let mut other = in_transaction(&database, lock);
    assert_eq!(users.list().unwrap().len(), 1);
    let locked = while_it_waits(
        &database,
        || open(&database).lock(&["alice"]),
        || other.batch_execute("COMMIT").unwrap(),
    );
    assert_eq!(locked.unwrap(), [true]);
}

#[test]
fn change_sees_uncommitted_change_of_app() {
    let Some(database) = Postgres::new() else { return };
    drop(with_users(&database, &["alice"]));
    let mut app = in_transaction(&database, "UPDATE users SET password_hash = 'the app''s'");
    let result = while_it_waits(
        &database,
        || open(&database).rehash("alice", &Password::from("secret")),
        || app.batch_execute("COMMIT").unwrap(),
    );
    assert!(matches!(result, Err(Error::ConcurrentChange(_))), "{result:?}");
    assert_eq!(stored(&database, "alice"), "the app's");
}

#[test]
fn deadlock_with_app_is_retried() {
    let Some(database) = Postgres::new() else { return };
    let mut users = with_users(&database, &["alice", "bob"]);
    // The first to detect the deadlock is aborted: here, the program.
    database.set("deadlock_timeout = '500ms'");
    let mut app = database.superuser();
    app.batch_execute(
        "SET deadlock_timeout = '60s'; BEGIN;
         UPDATE users SET language = 'fr' WHERE username = 'bob'",
    )
    .unwrap();
    let update = "UPDATE users SET language = 'fr' WHERE username = 'alice'; COMMIT";
    let locked = while_it_waits(
        &database,
        || open(&database).lock(&["alice", "bob"]),
        || app.batch_execute(update).unwrap(),
    );
    assert_eq!(locked.unwrap(), [true, true]);
    let users = users.list().unwrap();
    assert!(users.iter().all(|user| user.locked && user.language.to_string() == "fr"));
    let deadlocks = "SELECT deadlocks > 0 FROM pg_stat_database WHERE datname = current_database()";
    let until = Instant::now() + Duration::from_secs(20);
    while database.query(deadlocks) != ["t"] {
        assert!(Instant::now() < until, "there was no deadlock");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn lock_held_by_app_times_out() {
    let Some(database) = Postgres::new() else { return };
    let mut users = with_users(&database, &["alice"]);
    let before = rows(&database);
    let _app = in_transaction(&database, "UPDATE users SET language = 'fr'");
    // Readers do not wait.
    assert_eq!(users.list().unwrap().len(), 1);
    let begun = Instant::now();
    let refusal = users.lock(&["alice"]);
    assert!(matches!(refusal, Err(Error::Store(StoreError::Busy { .. }))), "{refusal:?}");
    assert!((5..30).contains(&begun.elapsed().as_secs()));
    assert_eq!(rows(&database), before);
}

#[test]
fn terminated_connection_is_reported() {
    let Some(database) = Postgres::new() else { return };
    drop(with_users(&database, &["alice"]));
    let before = rows(&database);
    let _app = in_transaction(&database, "UPDATE users SET language = 'fr'");
    let cut_off = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let refusal = while_it_waits(
        &database,
        || open(&database).lock(&["alice"]),
        || database.superuser().batch_execute(cut_off).unwrap(),
    );
    // The error is the server's message or the end of the connection.
    assert!(matches!(refusal, Err(Error::Store(StoreError::CannotConnect { .. }))), "{refusal:?}");
    assert_eq!(rows(&database), before);
}

#[test]
fn concurrent_writers_lose_nothing() {
    let Some(database) = Postgres::new() else { return };
    let mut users = with_users(&database, &["alice", "bob", "carol"]);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let app = scope.spawn(|| {
            let mut app = database.connect();
            let mut count = 0;
            while !stop.load(Ordering::Relaxed) {
                // In random order.
                let update = format!(
                    "UPDATE users SET language = 'x{count}'
                     WHERE username IN (SELECT username FROM users ORDER BY random())"
                );
                let updated = app.batch_execute(&update);
                if let Err(error) = updated {
                    assert_eq!(error.code().unwrap().code(), "40P01", "{error}");
                }
                count += 1;
                // Each deadlock costs a second: without a pause, a change may not get through in time.
                thread::sleep(Duration::from_millis(5));
            }
        });
        let work = |number: usize| {
            let database = &database;
            move || {
                let mut users = open(database);
                let name = format!("user{number}");
                for _ in 0..5 {
                    users.lock(&["carol", "alice", "bob"]).unwrap();
                    users.add(&new_user(&name, GOOD)).unwrap();
                    users.unlock(&["bob", "carol", "alice"]).unwrap();
                    users.remove(&[&name], false).unwrap();
                }
            }
        };
        let workers: Vec<_> = (0..4).map(|number| scope.spawn(work(number))).collect();
        let worked: Vec<_> = workers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        stop.store(true, Ordering::Relaxed);
        app.join().unwrap();
        assert!(worked.iter().all(Result::is_ok));
    });
    assert_eq!(names(&database), ["alice", "bob", "carol"]);
    let added =
        recorded(&mut users, None).iter().filter(|recorded| recorded.contains(" add user")).count();
    assert_eq!(added, 20);
    assert!(users.list().unwrap().iter().all(|user| !user.locked));
}

#[test]
fn read_only_role_can_read_and_not_write() {
    let Some(database) = Postgres::new() else { return };
    add(&mut init(&database), "alice");
    let (_, url) = database.role("GRANT SELECT ON ALL TABLES IN SCHEMA public TO ROLE");
    let location = database.located(&url);
    let mut users = Users::open_read_only(&location).unwrap();
    assert_eq!(users.list().unwrap().len(), 1);
    assert!(users.check().unwrap().iter().all(|finding| finding.username.is_some()));
    assert_eq!(users.history(None, None).unwrap().len(), 1);
    let mut users = Users::open(&location).unwrap();
    let refusals = [
        users.add(&new_user("zoe", GOOD)),
        users.remove(&["alice"], false).map(drop),
        users.lock(&["alice"]).map(drop),
        users.migrate().map(drop),
    ];
    for refusal in &refusals[..3] {
        assert!(
            matches!(refusal, Err(Error::Store(StoreError::CannotOpen { reason, hint, .. }))
                if reason.contains("permission denied") && hint.contains("GRANT INSERT")),
            "{refusal:?}"
        );
    }
    assert!(refusals[3].is_ok());
    assert_eq!(names(&database), ["alice"]);
}

#[test]
fn read_only_session_can_read() {
    let Some(database) = Postgres::new() else { return };
    drop(with_users(&database, &["alice"]));
    database.set("default_transaction_read_only = on");
    assert_eq!(Users::open_read_only(database.location()).unwrap().list().unwrap().len(), 1);
    // A writer does not override it.
    let refusal = open(&database).add(&new_user("bob", GOOD));
    assert!(matches!(refusal, Err(Error::Store(StoreError::ReadOnly { .. }))), "{refusal:?}");
    assert_eq!(names(&database), ["alice"]);
    let mut reader = Users::open_read_only(database.location()).unwrap();
    let refusal = reader.lock(&["alice"]);
    assert!(matches!(refusal, Err(Error::Store(StoreError::CannotConnect { .. }))), "{refusal:?}");
}

#[test]
fn role_without_create_privilege_gets_hint() {
    let Some(database) = Postgres::new() else { return };
    let (_, url) = database.role("");
    if database.cluster().version() < 15 {
        database.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    }
    let refusal = Users::init(&database.located(&url), &NewFile::default());
    let Err(Error::Store(StoreError::CannotOpen { reason, hint, .. })) = refusal else {
        panic!("{refusal:?}");
    };
    assert!(reason.contains("permission denied"), "{reason}");
    assert!(hint.contains("CREATE ON SCHEMA public TO"), "{hint}");
    assert_eq!(database.query("SELECT count(*) FROM pg_class WHERE relname = 'users'"), ["0"]);
}

/// Runs two changes of apps in concurrent transactions, five times: the number of failures.
fn unserializable(database: &Postgres, changes: &[String; 2]) -> usize {
    let failed = (0..5).filter(|_| {
        let mut apps = [(); 2].map(|()| database.connect());
        let mut each = |sql: [&str; 2]| {
            apps.iter_mut().zip(sql).all(|(app, sql)| app.batch_execute(sql).is_ok())
        };
        assert!(each(["BEGIN ISOLATION LEVEL SERIALIZABLE"; 2]));
        !each(changes.each_ref().map(String::as_str)) || !each(["COMMIT"; 2])
    });
    failed.count()
}

#[test]
fn triggers_add_no_serialization_conflicts() {
    let Some(database) = Postgres::with(TUTORIAL_TABLE) else { return };
    drop(with_users(&database, &["alice", "bob", "carol", "dora"]));
    database.superuser().batch_execute("VACUUM ANALYZE").unwrap();
    let by_index = "SET LOCAL enable_seqscan = off;";
    for (names, change) in [
        (
            ["alice", "bob"],
            "UPDATE users SET password_hash = 'x' || random() WHERE username = 'NAME'",
        ),
        (["alice", "bob"], "UPDATE users SET language = 'l' || random() WHERE username = 'NAME'"),
        (["carol", "dora"], "DELETE FROM users WHERE username = 'NAME'"),
        (["eve", "frank"], "INSERT INTO users VALUES ('NAME' || random(), 'x', 'en')"),
    ] {
        let changes = names.map(|name| format!("{by_index} {}", change.replace("NAME", name)));
        assert_eq!(unserializable(&database, &changes), 0, "{changes:?}");
    }
}

#[test]
fn unneeded_repair_does_not_wait_for_readers() {
    let Some(database) = Postgres::with(TUTORIAL_TABLE) else { return };
    let mut users = init(&database);
    let mut reader =
        in_transaction(&database, "SELECT count(*) FROM users, user_groups, user_events");
    assert_eq!(users.repair().unwrap(), []);
    let done = Users::init(database.location(), &NewFile::default()).unwrap();
    assert!(done.applied.is_empty());
    // A missing trigger is created without a lock that readers wait for.
    reader.batch_execute("COMMIT").unwrap();
    database.execute("DROP TRIGGER dash_users_changed ON users");
    let _reader = in_transaction(&database, "SELECT count(*) FROM users");
    Users::init(database.location(), &NewFile::default()).unwrap();
}
