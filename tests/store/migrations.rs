//! Creating, adopting and migrating the schema. Other operations reject an outdated one.

use std::sync::Barrier;
use std::thread;

use dash_users::store::{self, Access, CommitHooks, Schema, TableChanges};
use dash_users::{Error, Init, NewFile, Password, StoreError, Users};

use crate::accounts::groups;
use crate::database::Database;
use crate::support::{
    GOOD, TUTORIAL_TABLE, add, add_group, init, insert, names, new_user, open, rows, with_users,
};

fn try_init(database: &dyn Database) -> Result<Init, Error> {
    Users::init(database.location(), &NewFile::default())
}

fn schema(database: &dyn Database) -> Schema {
    Users::open_read_only(database.location()).unwrap().schema().unwrap()
}

/// The contents of our own table.
fn versions(database: &dyn Database) -> Vec<String> {
    database.query("SELECT version FROM dash_users_schema")
}

/// Columns and further SQL of tables that are rejected, and part of the reason.
pub(crate) const UNSUPPORTED: [(&str, &str); 7] = [
    ("(username text PRIMARY KEY, password_hash text)", "'language'"),
    ("(name text PRIMARY KEY, password_hash text, language text)", "'username'"),
    (
        "(username text PRIMARY KEY, password_hash text,
          language text GENERATED ALWAYS AS ('en') STORED)",
        "generated",
    ),
    ("(username text, password_hash text, language text)", "unique"),
    (
        "(username text, password_hash text, language text);
         CREATE UNIQUE INDEX by_name ON users (username) WHERE language = 'en'",
        "unique",
    ),
    (
        "(username text, password_hash text, language text);
         CREATE UNIQUE INDEX by_name ON users (lower(username))",
        "unique",
    ),
    (
        "(username text, password_hash text, language text, PRIMARY KEY (username, language))",
        "unique",
    ),
];

/// Asserts that every operation fails because a migration is needed.
fn assert_needs_migration(database: &dyn Database) {
    let mut users = open(database);
    for (name, operation) in database.operations() {
        let result = operation(&mut users);
        assert!(
            matches!(result, Err(Error::Store(StoreError::NeedsMigration { .. }))),
            "{name}: {result:?}"
        );
    }
}

fn init_applies_every_migration_once(database: &dyn Database) {
    let done = try_init(database).unwrap();
    assert!(!done.adopted && !done.applied.is_empty());
    assert_eq!(done.schema.applied, done.applied);
    assert_eq!(done.schema.pending, []);
    assert!(done.schema.has_users_table);
    assert_eq!(versions(database), [done.schema.version.to_string()]);
    let applied: Vec<_> = done.applied.iter().map(|migration| migration.version).collect();
    let latest = u32::try_from(applied.len()).unwrap();
    assert_eq!(applied, (1..=latest).collect::<Vec<_>>());
    assert_eq!((done.schema.version, schema(database).version), (latest, latest));

    let again = try_init(database).unwrap();
    assert!(!again.created && !again.adopted && again.applied.is_empty());
    assert_eq!(again.schema, done.schema);
    assert_eq!(open(database).migrate().unwrap().applied, []);
    assert_eq!(versions(database).len(), 1);
}

fn second_init_changes_nothing(database: &dyn Database) {
    let mut users = with_users(database, &["alice"]);
    // A repair would drop it.
    database.execute("INSERT INTO user_groups (username, group_name) VALUES ('gone', 'staff')");
    let all = |users: &mut Users| (rows(database), users.history(None, None).unwrap());
    let before = all(&mut users);
    assert!(try_init(database).unwrap().applied.is_empty());
    // As if another program had migrated it.
    let migrated = store::open(database.location(), Access::Write)
        .unwrap()
        .adopt(&TableChanges::default(), CommitHooks::default())
        .unwrap();
    assert_eq!((migrated.applied, migrated.events), (vec![], vec![]));
    assert_eq!(all(&mut users), before);
    assert_eq!(database.query("SELECT username FROM user_groups"), ["gone"]);
}

fn database_without_users_needs_migration(database: &dyn Database) {
    database.execute("CREATE TABLE notes (note TEXT)");
    assert_needs_migration(database);
    let before = schema(database);
    assert_eq!((before.version, before.has_users_table), (0, false));
    assert_eq!(before.applied, []);
    assert_eq!(try_init(database).unwrap().applied, before.pending);
    assert_eq!(database.query("SELECT count(*) FROM notes"), ["0"]);
}

fn init_adopts_table_with_rows(database: &dyn Database) {
    database.execute(TUTORIAL_TABLE);
    insert(database, "alice", "secret123");
    insert(database, "alice ", "!");
    let before = rows(database);
    assert_needs_migration(database);
    assert_eq!(rows(database), before);
    assert!(schema(database).has_users_table);

    let done = try_init(database).unwrap();
    assert!(done.adopted && !done.created);
    assert_eq!(rows(database), before);
    add(&mut open(database), "bob");
    assert_eq!(names(database), ["alice", "alice ", "bob"]);
}

fn table_recreated_by_app_needs_migration(database: &dyn Database) {
    let mut users = with_users(database, &["alice"]);
    database.execute("DROP TABLE users");
    assert_needs_migration(database);

    database.execute(TUTORIAL_TABLE);
    insert(database, "bob", "!");
    assert_needs_migration(database);
    // A connection that was opened before sees it too.
    assert!(matches!(users.list(), Err(Error::Store(StoreError::NeedsMigration { .. }))));

    let done = try_init(database).unwrap();
    assert!(!done.applied.is_empty() && !done.adopted);
    assert_eq!(versions(database).len(), 1);
    assert_eq!(users.list().unwrap().len(), 1);
}

fn table_replaced_by_app_needs_migration(database: &dyn Database) {
    let mut users = with_users(database, &["alice"]);
    database.execute("ALTER TABLE users RENAME TO old_users");
    assert_needs_migration(database);
    database.execute(TUTORIAL_TABLE);
    assert_needs_migration(database);
    drop(init(database));
    add(&mut users, "bob");
    assert_eq!(names(database), ["bob"]);
    assert_eq!(database.query("SELECT username FROM old_users"), ["alice"]);
    // Names in the old table are not compared.
    users.check_new(&"Alice".parse().unwrap(), false).unwrap();
}

/// Why a migration is needed.
fn reason(database: &dyn Database) -> String {
    match open(database).list() {
        Err(Error::Store(StoreError::NeedsMigration { reason, .. })) => reason,
        other => panic!("{other:?}"),
    }
}

fn needs_migration_shows_reason(database: &dyn Database) {
    database.execute("CREATE TABLE notes (note TEXT)");
    assert_eq!(reason(database), "it has no table 'users'");
    database.execute(TUTORIAL_TABLE);
    let latest = schema(database).pending.len();
    assert_eq!(reason(database), format!("its schema version is 0, the latest is {latest}"));
    drop(init(database));
    database.execute("DROP INDEX dash_users_username_nocase");
    assert_eq!(reason(database), "its 'dash_users_username_nocase' is missing");
    database.execute("DROP TABLE dash_users_times");
    assert_eq!(reason(database), "its 'dash_users_times' is missing, and 1 more problem");
}

fn newer_schema_is_rejected_by_every_operation(database: &dyn Database) {
    let mut users = with_users(database, &["alice"]);
    database.execute("UPDATE dash_users_schema SET version = 99");
    let before = rows(database);

    let operations = database.operations().into_iter();
    let mut results: Vec<_> =
        operations.map(|(name, operation)| (name, operation(&mut users))).collect();
    results.push(("init", try_init(database).map(drop)));
    results.push(("migrate", users.migrate().map(drop)));
    results.push(("schema", users.schema().map(drop)));

    for (name, result) in results {
        let Err(Error::Store(StoreError::NewerSchema { found: 99, known, .. })) = result else {
            panic!("{name}: {result:?}");
        };
        assert!((1..99).contains(&known));
    }
    assert_eq!(rows(database), before);
    assert_eq!(versions(database), ["99"]);
}

fn required_columns_are_reported(database: &dyn Database) {
    database.execute(
        "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL,
             language TEXT NOT NULL, email TEXT NOT NULL, nick TEXT, phone INTEGER NOT NULL,
             active INTEGER DEFAULT 1 NOT NULL)",
    );
    let done = try_init(database).unwrap();
    assert_eq!(done.schema.required_columns, ["email", "phone"]);

    database.execute("INSERT INTO users VALUES ('alice', '!', 'en', 'a@example.org', NULL, 1, 1)");
    let mut users = open(database);
    users.set_password("alice", &Password::from(GOOD), false).unwrap();
    let refusal = users.add(&new_user("bob", GOOD));
    let Err(Error::Store(StoreError::Refused { reason, .. })) = refusal else {
        panic!("{refusal:?}");
    };
    assert!(reason.contains("email"), "{reason}");
    assert_eq!(names(database), ["alice"]);
}

/// Starts `init` in many threads at the same moment: one does the work, all succeed.
fn init_at_once(database: &dyn Database) {
    let threads = 8;
    let barrier = Barrier::new(threads);
    let done: Vec<_> = thread::scope(|scope| {
        let start = || {
            barrier.wait();
            try_init(database).unwrap()
        };
        let started: Vec<_> = (0..threads).map(|_| scope.spawn(start)).collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(done.iter().filter(|init| !init.applied.is_empty()).count(), 1);
    assert!(done.iter().filter(|init| init.created).count() <= 1);
    assert_eq!(versions(database).len(), 1);
}

fn concurrent_inits_create_one_database(database: &dyn Database) {
    init_at_once(database);
    assert!(names(database).is_empty());
}

fn concurrent_inits_adopt_one_table(database: &dyn Database) {
    database.execute(TUTORIAL_TABLE);
    insert(database, "alice", "secret123");
    init_at_once(database);
    assert_eq!(rows(database), ["alice secret123 en"]);
}

fn concurrent_adds_of_same_user_succeed_once(database: &dyn Database) {
    drop(init(database));
    let added = thread::scope(|scope| {
        let add = || open(database).add(&new_user("alice", GOOD));
        let started: Vec<_> = (0..4).map(|_| scope.spawn(add)).collect();
        let results = started.into_iter().map(|thread| thread.join().unwrap());
        results.filter(|result| !matches!(result, Err(Error::UserExists(_)))).count()
    });
    assert_eq!(added, 1);
    assert_eq!(names(database), ["alice"]);
}

fn init_repairs_missing_or_duplicate_version(database: &dyn Database) {
    let mut users = with_users(database, &["alice"]);
    add_group(&mut users, "alice", "staff");
    for (sql, reason) in [
        ("DELETE FROM dash_users_schema", "is empty"),
        (
            "INSERT INTO dash_users_schema SELECT version FROM dash_users_schema",
            "has duplicate rows",
        ),
    ] {
        database.execute(sql);
        let refusal = open(database).lock(&["alice"]).unwrap_err().to_string();
        assert!(refusal.contains(reason), "{refusal}");
        let mut users = init(database);
        assert_eq!(groups(&mut users, "alice"), ["staff"]);
        assert_eq!(versions(database), [schema(database).version.to_string()]);
    }
}

/// Turns the database into one of an older version.
fn downgrade(database: &dyn Database, version: u32) {
    database.execute("DROP TABLE dash_users_imported");
    if version < 4 {
        database.execute("DROP INDEX dash_users_group_name");
    }
    if version < 3 {
        database.execute("ALTER TABLE dash_users_times DROP COLUMN fingerprint");
    }
    database.execute(&format!("UPDATE dash_users_schema SET version = {version}"));
}

fn database_of_version_3_gets_later_objects_only(database: &dyn Database) {
    let mut users = with_users(database, &["alice"]);
    add_group(&mut users, "alice", "staff");
    let found = |users: &mut Users| (users.history(None, None).unwrap(), users.check().unwrap());
    let before = found(&mut users);
    let latest = schema(database).version;
    downgrade(database, 3);
    assert_eq!(reason(database), format!("its schema version is 3, the latest is {latest}"));
    assert_needs_migration(database);

    let applied = try_init(database).unwrap().applied;
    let applied: Vec<_> = applied.iter().map(|migration| migration.version).collect();
    assert_eq!(applied, (4..=latest).collect::<Vec<_>>());
    assert_eq!(groups(&mut users, "alice"), ["staff"]);
    assert_eq!(found(&mut users), before);
}

fn migration_passes_no_groups_to_new_users(database: &dyn Database) {
    drop(init(database));
    for version in [2, 3] {
        let mut users = open(database);
        add(&mut users, "alice");
        add_group(&mut users, "alice", "admins");
        // The app replaces the table, and with it the triggers.
        database.execute("DROP TABLE users");
        downgrade(database, version);
        database.execute(TUTORIAL_TABLE);
        insert(database, "alice", "!");
        // SQLite leaves that to `check --fix`.
        if let Err(error) = try_init(database) {
            assert!(matches!(error, Error::Store(StoreError::NeedsRepair { .. })), "{error:?}");
            open(database).repair().unwrap();
        }
        let mut users = init(database);
        assert_eq!(groups(&mut users, "alice"), [""; 0], "version {version}");
        let removed =
            database.query("SELECT username FROM user_events WHERE action = 'group remove'");
        assert_eq!(removed.last().map(String::as_str), Some("alice"), "version {version}");
        users.remove(&["alice"], false).unwrap();
    }
}

fn groups_are_distinct_and_sorted(database: &dyn Database) {
    let mut users = with_users(database, &["alice", "bob"]);
    for (user, group) in [
        ("alice", "staff"),
        ("bob", "staff"),
        ("alice", "stars"),
        ("bob", "Staff"),
        ("bob", "admins"),
        ("alice", "stä"),
        ("alice", "t"),
    ] {
        add_group(&mut users, user, group);
    }
    let mut found = |prefix: &str, limit| users.groups(prefix, limit).unwrap();
    assert_eq!(found("", 9), ["Staff", "admins", "staff", "stars", "stä", "t"]);
    assert_eq!(found("st", 9), ["staff", "stars", "stä"]);
    assert_eq!(found("st", 2), ["staff", "stars"]);
    assert_eq!(found("t", 9), ["t"]);
    assert_eq!(found("u", 9), [""; 0]);
    assert_eq!(found("", 0), [""; 0]);
}

on_every_database! {
    database_of_version_3_gets_later_objects_only,
    migration_passes_no_groups_to_new_users,
    groups_are_distinct_and_sorted,
    init_repairs_missing_or_duplicate_version,
    init_applies_every_migration_once,
    second_init_changes_nothing,
    database_without_users_needs_migration,
    init_adopts_table_with_rows,
    table_recreated_by_app_needs_migration,
    table_replaced_by_app_needs_migration,
    needs_migration_shows_reason,
    newer_schema_is_rejected_by_every_operation,
    required_columns_are_reported,
    concurrent_inits_create_one_database,
    concurrent_inits_adopt_one_table,
    concurrent_adds_of_same_user_succeed_once,
}
