//! Imports with our triggers, which are disabled for it, and the app's tables, columns and
//! triggers, which apply to each row.

use dash_users::{Error, ImportOptions, OnConflict, StoreError, Users};

use crate::accounts::{groups, recorded};
use crate::database::{Database, Sqlite};
use crate::support::{
    GOOD, TUTORIAL_TABLE, add_group, counts, hash, import, init, insert, options, read, rows,
    with_users,
};

/// Changes alice and adds zoe.
fn change_and_add(users: &mut Users) -> Result<[u64; 4], Error> {
    let file = format!("username,password,language,groups\nalice,{GOOD},fr,x\nzoe,{GOOD},fr,x");
    import(users, options(OnConflict::Update), &file).map(counts)
}

fn schema(database: &Sqlite) -> Vec<String> {
    database.query(
        "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY 1",
    )
}

/// Asserts that an import is rejected because of a user, for a reason, and changes nothing.
fn assert_refused(database: &Sqlite, users: &mut Users, username: &str, expected: &str) {
    let before = (rows(database), schema(database), recorded(users, None));
    let result = change_and_add(users);
    let Err(Error::Store(StoreError::Refused { reason, .. })) = result else {
        panic!("{result:?}");
    };
    assert_eq!(reason, format!("user '{username}': {expected}"));
    assert_eq!((rows(database), schema(database), recorded(users, None)), before);
    assert!(database.query("SELECT 1 FROM user_groups").is_empty());
}

#[test]
fn check_after_import_finds_nothing() {
    let database = Sqlite::new();
    let mut users = init(&database);
    let before = schema(&database);
    assert_eq!(change_and_add(&mut users).unwrap(), [2, 0, 0, 0]);
    assert_eq!(change_and_add(&mut users).unwrap(), [0, 0, 2, 0]);
    let found = users.check().unwrap();
    let codes: Vec<_> = found.iter().map(|finding| finding.problem.code()).collect();
    assert!(codes.iter().all(|code| *code == "hash_weak"), "{codes:?}");
    assert_eq!(schema(&database), before);
    assert!(database.query("SELECT 1 FROM dash_users_change").is_empty());
    let times = "SELECT username FROM dash_users_times WHERE created_at IS NOT NULL";
    assert_eq!(database.query(times), ["alice", "zoe"]);

    // The triggers work again.
    insert(&database, "bob", "!");
    database.execute("INSERT INTO user_groups VALUES ('bob', 'y'); DELETE FROM users");
    let expected = ["\\N add bob \\N", "\\N group add bob y", "\\N remove alice \\N"];
    assert_eq!(recorded(&mut users, None)[1..4], expected);
    assert!(database.query("SELECT 1 FROM user_groups").is_empty());
}

#[test]
fn unrecorded_removal_is_recorded_by_import() {
    for others in [false, true] {
        let database = Sqlite::new();
        let mut users = with_users(&database, &["zoe"]);
        add_group(&mut users, "zoe", "admins");
        database.execute("DROP TRIGGER dash_users_removed; DELETE FROM users");
        if others {
            insert(&database, "bob", "!");
        }
        // The triggers are restored, but the removal is still unrecorded.
        let orphans = "INSERT INTO user_groups VALUES ('zoe', 'admins');
                       INSERT INTO dash_users_times (username) VALUES ('zoe')";
        users.migrate().unwrap();
        database.execute(orphans);
        assert!(import(&mut users, ImportOptions::default(), "username\nzoe").is_err());
        assert_eq!(change_and_add(&mut users).unwrap(), [2, 0, 0, 0]);
        assert_eq!(groups(&mut users, "zoe"), ["x"]);
        let mut recorded = recorded(&mut users, Some("zoe"));
        recorded.retain(|event| !event.contains(" import "));
        assert!(recorded.last().unwrap().starts_with("\\N remove zoe "), "{recorded:?}");
        assert!(
            users.check().unwrap().iter().all(|found| found.problem.code() != "orphaned_groups")
        );
    }
}

#[test]
fn app_trigger_fires_for_each_row() {
    let database = Sqlite::with("CREATE TABLE log (line TEXT)");
    let mut users = with_users(&database, &["alice"]);
    database.execute(
        "CREATE TRIGGER added AFTER INSERT ON users BEGIN
             INSERT INTO log VALUES ('add ' || NEW.username || ' ' || NEW.language); END;
         CREATE TRIGGER changed AFTER UPDATE OF language ON users BEGIN
             INSERT INTO log VALUES ('language ' || NEW.username || ' ' || NEW.language); END;
         CREATE TRIGGER grouped AFTER INSERT ON user_groups BEGIN
             INSERT INTO log VALUES ('group ' || NEW.username || ' ' || NEW.group_name); END;",
    );
    assert_eq!(change_and_add(&mut users).unwrap(), [1, 1, 0, 0]);
    let expected = ["language alice fr", "group alice x", "add zoe fr", "group zoe x"];
    assert_eq!(database.query("SELECT line FROM log ORDER BY rowid"), expected);
}

#[test]
fn app_trigger_rejecting_one_row_rejects_import() {
    let skipped = "a trigger of the app skipped the row";
    for (event, username) in [("INSERT", "zoe"), ("UPDATE", "alice")] {
        for (action, expected) in [
            ("RAISE(IGNORE)", skipped),
            ("RAISE(ABORT, 'no\u{1b}')", "no\\u{1b}"),
            ("RAISE(FAIL, 'no')", "no"),
            ("RAISE(ROLLBACK, 'no')", "no"),
        ] {
            let database = Sqlite::new();
            let mut users = with_users(&database, &["alice"]);
            database.execute(&format!(
                "CREATE TRIGGER refuse BEFORE {event} ON users BEGIN SELECT {action}; END"
            ));
            assert_refused(&database, &mut users, username, expected);
            // The connection is usable as before.
            database.execute("DROP TRIGGER refuse");
            assert_eq!(change_and_add(&mut users).unwrap(), [1, 1, 0, 0]);
        }
    }
}

#[test]
fn required_column_rejects_new_users_only() {
    let database = Sqlite::with(
        "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL,
             language TEXT NOT NULL, email TEXT NOT NULL)",
    );
    let mut users = init(&database);
    let hash = hash("secret");
    database.execute(&format!("INSERT INTO users VALUES ('alice', '{hash}', 'en', 'a@b.c')"));
    let expected = "NOT NULL constraint failed: users.email";
    assert_refused(&database, &mut users, "zoe", expected);
    let file = "username,language\nalice,fr";
    let summary = import(&mut users, options(OnConflict::Update), file).unwrap();
    assert_eq!(counts(summary), [0, 1, 0, 0]);
    assert_eq!(database.query("SELECT email FROM users"), ["a@b.c"]);
}

#[test]
fn app_keys_and_checks_apply() {
    let database = Sqlite::with(
        "CREATE TABLE languages (tag TEXT PRIMARY KEY);
         INSERT INTO languages VALUES ('en');
         CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL,
             language TEXT NOT NULL REFERENCES languages,
             UNIQUE (username COLLATE NOCASE), CHECK (length(username) < 9))",
    );
    let mut users = with_users(&database, &["alice"]);
    assert_refused(&database, &mut users, "alice", "FOREIGN KEY constraint failed");
    let mut allowing = ImportOptions::default();
    allowing.allow_similar = true;
    for (name, part) in [("Alice", "UNIQUE"), ("zoe-is-long", "CHECK")] {
        let file = format!("username,password\nbob,{GOOD}\n{name},{GOOD}");
        let error = import(&mut users, allowing, &file).unwrap_err().to_string();
        assert!(error.contains(&format!("user '{name}': {part} constraint failed")), "{error}");
    }
    database.execute("INSERT INTO languages VALUES ('fr')");
    assert_eq!(change_and_add(&mut users).unwrap(), [1, 1, 0, 0]);
}

#[test]
fn deferred_key_rejects_commit() {
    let database = Sqlite::with(
        "CREATE TABLE languages (tag TEXT PRIMARY KEY);
         CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL,
             language TEXT NOT NULL REFERENCES languages DEFERRABLE INITIALLY DEFERRED)",
    );
    let mut users = init(&database);
    let before = schema(&database);
    let mut imported = read(ImportOptions::default(), &format!("username,password\nzoe,{GOOD}"));
    let refusal = imported.write(Some(&mut users), "import").unwrap().commit();
    assert!(matches!(refusal, Err(Error::Store(StoreError::Refused { .. }))), "{refusal:?}");
    assert!(rows(&database).is_empty());
    assert_eq!(schema(&database), before);
    // The connection is usable as before.
    database.execute("INSERT INTO languages VALUES ('fr')");
    assert_eq!(change_and_add(&mut users).unwrap(), [2, 0, 0, 0]);
}

#[test]
fn rows_referencing_changed_user_stay() {
    let database = Sqlite::with(TUTORIAL_TABLE);
    let mut users = with_users(&database, &["alice"]);
    database.execute(
        "CREATE TABLE notes (owner TEXT REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE);
         INSERT INTO notes VALUES ('alice')",
    );
    assert_eq!(change_and_add(&mut users).unwrap(), [1, 1, 0, 0]);
    assert_eq!(database.query("SELECT owner FROM notes"), ["alice"]);
}

#[test]
fn as_is_accepts_invalid_users() {
    let database =
        Sqlite::with("CREATE TABLE users (username TEXT UNIQUE, password_hash, language)");
    let mut users = init(&database);
    let mut options = ImportOptions::default();
    let file = "username,password_hash,language,groups\n\
        \\null,\\null,\\null,\n\\null,!,,\na:b,clear,not a tag,\"x,y\"\n,,,\n\
        \"\\{\"\"blob\"\":\"\"61\"\"}\",\"\\{\"\"text\"\":\"\"ff\"\"}\",en,\na,\\null,en,\nA,,en,\n";
    assert!(import(&mut users, options, file).is_err());
    options.as_is = true;
    assert_eq!(counts(import(&mut users, options, file).unwrap()), [7, 0, 0, 0]);
    let odd = "SELECT coalesce(typeof(username) || ' ' || hex(username), '') || ' ' ||
                      typeof(password_hash) || ' ' || hex(password_hash) || ' ' || typeof(language)
               FROM users ORDER BY rowid";
    let mut found = database.query(odd);
    found.sort();
    let expected = [
        "blob 61 text FF text",
        "null  null  null",
        "null  text 21 text",
        "text  text  text",
        "text 41 text  text",
        "text 61 null  text",
        "text 613A62 text 636C656172 text",
    ];
    assert_eq!(found, expected);
    assert_eq!(database.query("SELECT group_name FROM user_groups"), ["x,y"]);
    // A plaintext password is validated anyway.
    let weak = "username,password\nbob,secret123";
    assert!(import(&mut users, options, weak).is_err());
}

#[test]
fn import_finds_users_as_the_table_compares() {
    let names = ["A", "b", "b ", "D  ", "ä", "Ö", "u\u{fffd}", "v\u{ffff}", "z"];
    let others = ["a", "B", "b   ", "d", "Ä", "ö", "u\u{ffff}", "U\u{fffd}", "v\u{ffff}", "c", "Z"];
    for encoding in ["UTF-8", "UTF-16le"] {
        for collation in ["BINARY", "nocase", "RTRIM"] {
            let database = Sqlite::with(&format!(
                "PRAGMA encoding = '{encoding}';
                 CREATE TABLE users (username TEXT PRIMARY KEY COLLATE {collation},
                                     password_hash TEXT, language TEXT)"
            ));
            let mut users = init(&database);
            for name in names {
                let insert = format!("INSERT OR IGNORE INTO users VALUES ('{name}', '!', 'en')");
                database.execute(&insert);
            }
            for other in names.into_iter().chain(others) {
                let select = format!("SELECT 1 FROM users WHERE username = '{other}'");
                let found = database.query(&select).len() as u64;
                let mut options = options(OnConflict::Skip);
                (options.as_is, options.dry_run) = (true, true);
                let file = format!("username,password_hash\n\"{other}\",!");
                let found_too = import(&mut users, options, &file).unwrap().skipped;
                assert_eq!(found_too, found, "{other:?} {collation} {encoding}");

                let select = format!(
                    "SELECT 1 FROM users WHERE username = '{other}' COLLATE NOCASE
                         AND username <> '{other}' COLLATE BINARY"
                );
                let is_similar = !database.query(&select).is_empty() && found == 0;
                options.as_is = false;
                let file = format!("username,password\n\"{other}\",{GOOD}");
                let result = import(&mut users, options, &file);
                let said = result.map_or_else(|error| format!("{error:?}"), |_| String::new());
                let is_refused = said.contains("Similar");
                let is_valid = other.parse::<dash_users::Username>().is_ok();
                assert_eq!(is_refused, is_similar && is_valid, "{other:?} {collation} {said}");
            }
        }
    }
}
