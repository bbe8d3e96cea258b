//! Imports are retried after a deadlock or serialization failure, without hashing again.

use std::thread;
use std::time::{Duration, Instant};

use dash_users::{Error, Import, ImportOptions, OnConflict, Password, StoreError, Users};

use crate::accounts::recorded;
use crate::database::{Database, Postgres};
use crate::postgres::concurrency::while_it_waits;
use crate::support::{
    GOOD, add, counts, init, is_current_hash_of, names, open, options, read, stored,
};

/// A trigger that raises an error for the first `times` rows, also of transactions rolled back.
fn failing(database: &Postgres, state: &str, times: u32) {
    database.execute(&format!(
        "CREATE SEQUENCE attempts;
         CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF nextval('attempts') <= {times} THEN
                 RAISE EXCEPTION 'try again' USING ERRCODE = '{state}';
             END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER fail BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION fail()"
    ));
}

fn generating() -> Import {
    let mut options = ImportOptions::default();
    options.generate_missing = true;
    read(options, &format!("username,password\nalice,{GOOD}\nbob,\n"))
}

/// Saves an import: its summary, and the generated passwords at each commit.
fn save(import: &mut Import, users: &mut Users) -> (Result<[u64; 4], Error>, Vec<String>) {
    let mut passwords = Vec::new();
    let saved = import.save(Some(users), "import", |imported| {
        passwords.extend(imported.generated().iter().map(|(_, new)| new.expose().to_owned()));
        Ok::<_, Error>(())
    });
    (saved.map(counts), passwords)
}

#[test]
fn import_is_retried_after_serialization_failure_or_deadlock() {
    for state in ["40001", "40P01"] {
        let Some(database) = Postgres::new() else { return };
        let serializable = format!(
            "ALTER DATABASE {} SET default_transaction_isolation = 'serializable'",
            database.name()
        );
        database.superuser().batch_execute(&serializable).unwrap();
        let mut users = init(&database);
        failing(&database, state, 5);
        let (saved, passwords) = save(&mut generating(), &mut users);
        assert_eq!(saved.unwrap(), [2, 0, 0, 0], "{state}");
        assert_eq!(passwords.len(), 1);
        assert!(is_current_hash_of(&stored(&database, "bob"), &passwords[0]));
        assert_eq!(recorded(&mut users, None), [r"\N import \N 2 added, 0 changed"]);
    }
}

#[test]
fn failed_commit_keeps_generated_passwords() {
    let Some(database) = Postgres::new() else { return };
    let mut users = init(&database);
    failing(&database, "40001", 3);
    database.execute(
        "DROP TRIGGER fail ON users;
         CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON users DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION fail()",
    );
    let (saved, passwords) = save(&mut generating(), &mut users);
    assert_eq!(saved.unwrap(), [2, 0, 0, 0]);
    assert_eq!(passwords.len(), 4, "one at each commit");
    assert!(passwords.iter().all(|password| *password == passwords[0]));
    assert!(is_current_hash_of(&stored(&database, "bob"), &passwords[0]));
}

#[test]
fn import_retries_are_limited() {
    let Some(database) = Postgres::new() else { return };
    let mut users = init(&database);
    failing(&database, "40001", 1000);
    let (saved, passwords) = save(&mut generating(), &mut users);
    assert!(matches!(saved, Err(Error::Store(StoreError::Conflict { .. }))), "{saved:?}");
    assert_eq!(passwords, [""; 0]);
    // Each attempt fails at its first row.
    assert_eq!(database.query("SELECT last_value FROM attempts"), ["6"]);
    assert!(names(&database).is_empty() && recorded(&mut users, None).is_empty());
    // Another error is not retried.
    database.execute("DROP TRIGGER fail ON users; DROP FUNCTION fail; DROP SEQUENCE attempts");
    failing(&database, "23514", 1000);
    let (saved, _) = save(&mut generating(), &mut users);
    assert!(matches!(saved, Err(Error::Store(StoreError::Refused { .. }))), "{saved:?}");
    assert_eq!(database.query("SELECT last_value FROM attempts"), ["1"]);
}

#[test]
fn deadlock_of_seed_with_app_is_retried() {
    let Some(database) = Postgres::new() else { return };
    let mut users = init(&database);
    for name in ["alice", "bob"] {
        add(&mut users, name);
    }
    database.execute(
        "CREATE TABLE profiles (owner text REFERENCES users (username) ON DELETE CASCADE);
         INSERT INTO profiles VALUES ('bob')",
    );
    // The first to detect the deadlock is aborted: make that the program.
    let slow = format!("ALTER DATABASE {} SET deadlock_timeout = '500ms'", database.name());
    database.superuser().batch_execute(&slow).unwrap();
    let mut app = database.superuser();
    // The app locks the row that is deleted with bob, and then needs the table of users.
    app.batch_execute("SET deadlock_timeout = '60s'; BEGIN; UPDATE profiles SET owner = owner")
        .unwrap();
    let seed = || {
        let mut options = options(OnConflict::Sync { passwords: true });
        options.prune = true;
        let file = format!("username,password,language\nalice,{GOOD},fr\ncarol,{GOOD},de\n");
        let mut import = read(options, &file);
        import.save(Some(&mut open(&database)), "seed", |_| Ok::<_, Error>(()))
    };
    let update = "UPDATE users SET language = 'xx'; COMMIT";
    let saved = while_it_waits(&database, seed, || app.batch_execute(update).unwrap()).unwrap();
    assert_eq!((counts(saved), saved.removed), ([1, 1, 0, 0], 1));
    assert_eq!(names(&database), ["alice", "carol"]);
    assert_eq!(database.query("SELECT owner FROM profiles"), [""; 0]);
    assert_eq!(database.query("SELECT language FROM users WHERE username = 'alice'"), ["fr"]);
    let log_in = users.log_in("alice", &Password::from(GOOD)).unwrap();
    assert!(matches!(log_in, dash_users::Login::Accepted { .. }));
    let deadlocks = "SELECT deadlocks > 0 FROM pg_stat_database WHERE datname = current_database()";
    let until = Instant::now() + Duration::from_secs(20);
    while database.query(deadlocks) != ["t"] {
        assert!(Instant::now() < until, "there was no deadlock");
        thread::sleep(Duration::from_millis(50));
    }
}
