//! Imports while an app writes: only rows of imported users are locked, and no change of the app is
//! lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use dash_users::{Error, ImportOptions, OnConflict};

use crate::accounts::{groups, recorded};
use crate::database::{Database, Postgres};
use crate::postgres::concurrency::{in_transaction, while_it_waits};
use crate::support::{
    GOOD, counts, hash, import, init, literal, locked, names, open, options, prepare, reasons,
    stored, with_users,
};

#[test]
fn uncommitted_import_locks_its_own_users_only() {
    let Some(database) = Postgres::new() else { return };
    let mut users = with_users(&database, &["alice", "bob", "carol"]);
    let hash = hash("other");
    let file = format!("username,password_hash,groups\nalice,{hash},x\nzoe,{hash},y\n");
    let mut prepared = prepare(&mut users, options(OnConflict::Update), &file).unwrap();
    let imported = prepared.write(Some(&mut users), "import").unwrap();
    let mut app = database.connect();
    app.batch_execute(
        "SET lock_timeout = '1ms';
         UPDATE users SET language = 'fr' WHERE username = 'bob';
         DELETE FROM users WHERE username = 'carol';
         INSERT INTO users VALUES ('dave', '!', 'en');
         INSERT INTO user_groups VALUES ('dave', 'x')",
    )
    .unwrap();
    assert!(
        app.batch_execute("UPDATE users SET language = 'fr' WHERE username = 'alice'").is_err()
    );
    assert_eq!(counts(imported.commit().unwrap()), [1, 1, 0, 0]);
    app.batch_execute("UPDATE users SET language = 'fr' WHERE username = 'alice'").unwrap();
    assert_eq!(names(&database), ["alice", "bob", "dave", "zoe"]);
    assert_eq!(groups(&mut users, "zoe"), ["y"]);
}

#[test]
fn lock_by_app_during_import_is_kept() {
    let Some(database) = Postgres::new() else { return };
    let mut users = with_users(&database, &["alice", "bob"]);
    let (old, new) = (hash("old"), hash("new"));
    let set = |value: &str| {
        format!("UPDATE users SET password_hash = {} WHERE username = 'alice'", literal(value))
    };
    database.execute(&set(&old));
    let mut app = in_transaction(&database, &set(&locked(&old)));
    let file = format!("username,password_hash,language\nalice,{new},de\nbob,{new},de\nzoe,{new},");
    let result = while_it_waits(
        &database,
        || import(&mut open(&database), options(OnConflict::Update), &file),
        || app.batch_execute("COMMIT").unwrap(),
    );
    assert_eq!(counts(result.unwrap()), [1, 2, 0, 0]);
    assert_eq!(stored(&database, "alice"), locked(&new));
    assert_eq!(recorded(&mut users, Some("zoe")), [r"\N import zoe added"]);
    let imports = recorded(&mut users, None);
    assert_eq!(imports.iter().filter(|event| event.contains(" import ")).count(), 1);
}

#[test]
fn user_removed_by_app_during_import_is_added_again() {
    let Some(database) = Postgres::new() else { return };
    let mut users = with_users(&database, &["alice"]);
    let mut app = in_transaction(&database, "DELETE FROM users WHERE username = 'alice'");
    let file = format!("username,password_hash,language\nalice,{},de", hash("new"));
    let result = while_it_waits(
        &database,
        || import(&mut open(&database), options(OnConflict::Update), &file),
        || app.batch_execute("COMMIT").unwrap(),
    );
    assert_eq!(counts(result.unwrap()), [1, 0, 0, 0]);
    let events = recorded(&mut users, Some("alice"));
    assert_eq!(events[1..], [r"\N remove alice \N", r"\N import alice added"]);
}

#[test]
fn user_added_by_app_during_import_is_a_conflict() {
    let Some(database) = Postgres::new() else { return };
    drop(init(&database));
    let mut app = in_transaction(&database, "INSERT INTO users VALUES ('alice', 'x', 'en')");
    let file = format!("username,password\nalice,{GOOD}\nzoe,{GOOD}");
    let result = while_it_waits(
        &database,
        || import(&mut open(&database), ImportOptions::default(), &file),
        || app.batch_execute("COMMIT").unwrap(),
    );
    assert_eq!(reasons(result), ["2 user 'alice': the user already exists"]);
    assert_eq!(names(&database), ["alice"]);
}

#[test]
fn app_that_writes_all_the_time_is_not_refused() {
    let Some(database) = Postgres::new() else { return };
    let mut users = with_users(&database, &["alice"]);
    database.execute("ALTER TABLE users ADD COLUMN seen integer NOT NULL DEFAULT 0");
    let hash = hash("other");
    let lines: Vec<_> = (0..2000).map(|number| format!("user{number:04},{hash},x\n")).collect();
    let lines = lines.concat();
    let file = format!("username,password_hash,groups\n{lines}");
    let is_done = AtomicBool::new(false);
    let written = thread::scope(|scope| {
        let app = scope.spawn(|| {
            let mut app = database.connect();
            app.batch_execute("SET lock_timeout = '1ms'").unwrap();
            let mut written = 0;
            while !is_done.load(Ordering::Relaxed) {
                let update = "UPDATE users SET seen = seen + 1 WHERE username = 'alice'";
                app.batch_execute(update).unwrap();
                written += 1;
                thread::sleep(std::time::Duration::from_millis(20));
            }
            written
        });
        let imported = import(&mut users, options(OnConflict::Fail), &file);
        is_done.store(true, Ordering::Relaxed);
        assert_eq!(counts(imported.unwrap()), [2000, 0, 0, 0]);
        app.join().unwrap()
    });
    assert_eq!(database.query("SELECT sum(seen) FROM users"), [written.to_string()]);
    let refusal = import(&mut users, options(OnConflict::Fail), &file).unwrap_err();
    assert!(matches!(refusal, Error::BadRecords(records) if records.count() == 2000));
}
