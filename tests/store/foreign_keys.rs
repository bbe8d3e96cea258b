//! Tables of the app that reference users: the effect of removing a user.

use dash_users::store::{OnDelete, Reference};
use dash_users::{Error, StoreError, Users};

use crate::database::Database;
use crate::support::{add, init, names};

/// Users alice and bob, and these tables of the app instead of earlier ones.
fn with_tables(database: &dyn Database, sql: &str) -> Users {
    let mut users = init(database);
    for table in ["photos", "prints", "albums", "notes", "orders", "tasks", r#""my ""Orders""""#] {
        database.execute(&format!("DROP TABLE IF EXISTS {table}"));
    }
    database.execute("DELETE FROM users");
    add(&mut users, "alice");
    add(&mut users, "bob");
    database.execute(sql);
    users
}

fn reference(table: &str, rows: u64, on_delete: OnDelete) -> Reference {
    Reference { table: table.to_owned(), rows, on_delete }
}

/// Asserts that removing alice is rejected because of `table`, and changes nothing. Bob can be
/// removed.
fn assert_rejected_for(database: &dyn Database, users: &mut Users, table: &str) {
    let refusal = users.remove(&["bob", "alice"], false);
    let Err(Error::Store(StoreError::Refused { reason, .. })) = refusal else {
        panic!("{refusal:?}");
    };
    assert!(reason.contains(table), "{reason}");
    assert_eq!(names(database), ["alice", "bob"]);
    // The connection is usable as before.
    assert_eq!(users.remove(&["bob"], false).unwrap(), [true]);
    assert_eq!(names(database), ["alice"]);
}

/// The app's tables, what references alice, a query, and what it finds after she is removed.
type Case =
    (&'static str, &'static [(&'static str, u64, OnDelete)], &'static str, &'static [&'static str]);

const CASES: [Case; 5] = [
    (
        "CREATE TABLE notes (owner TEXT REFERENCES users ON DELETE CASCADE, note TEXT);
         INSERT INTO notes VALUES ('alice', 'a'), ('alice', 'b'), ('bob', 'c'), (NULL, 'd');",
        &[("notes", 2, OnDelete::Delete)],
        "SELECT note FROM notes ORDER BY note",
        &["c", "d"],
    ),
    // Through a second table.
    (
        "CREATE TABLE albums (id INTEGER PRIMARY KEY,
                              owner TEXT REFERENCES users ON DELETE CASCADE);
         CREATE TABLE photos (album INTEGER REFERENCES albums ON DELETE CASCADE);
         INSERT INTO albums VALUES (1, 'alice'), (2, 'bob'), (3, 'alice');
         INSERT INTO photos VALUES (1), (1), (2), (3);",
        &[("albums", 2, OnDelete::Delete), ("photos", 3, OnDelete::Delete)],
        "SELECT album FROM photos",
        &["2"],
    ),
    (
        "CREATE TABLE notes (owner TEXT REFERENCES users ON DELETE SET NULL);
         CREATE TABLE tasks (owner TEXT DEFAULT 'bob' REFERENCES users ON DELETE SET DEFAULT);
         INSERT INTO notes VALUES ('alice');
         INSERT INTO tasks VALUES ('alice'), ('alice');",
        &[("notes", 1, OnDelete::Unset), ("tasks", 2, OnDelete::Unset)],
        "SELECT owner FROM notes UNION ALL SELECT owner FROM tasks",
        &["NULL", "bob", "bob"],
    ),
    // Keys of several columns.
    (
        "CREATE UNIQUE INDEX both_columns ON users (username, language);
         CREATE TABLE notes (lang TEXT, owner TEXT, note TEXT,
             FOREIGN KEY (owner, lang) REFERENCES users (username, language) ON DELETE CASCADE);
         INSERT INTO notes VALUES ('en', 'alice', 'a'), ('en', 'bob', 'b'), (NULL, 'alice', 'c');",
        &[("notes", 1, OnDelete::Delete)],
        "SELECT note FROM notes ORDER BY note",
        &["b", "c"],
    ),
    // Any name of a table or column.
    (
        r#"CREATE TABLE "my ""Orders""" ("the, owner" TEXT REFERENCES users ON DELETE CASCADE);
           INSERT INTO "my ""Orders""" VALUES ('alice');"#,
        &[(r#"my "Orders""#, 1, OnDelete::Delete)],
        r#"SELECT count(*) FROM "my ""Orders""""#,
        &["0"],
    ),
];

fn remove_counts_and_changes_referencing_rows(database: &dyn Database) {
    for (sql, expected, select, left) in CASES {
        let mut users = with_tables(database, sql);
        let expected: Vec<_> =
            expected.iter().map(|(table, rows, then)| reference(table, *rows, *then)).collect();
        assert_eq!(users.references("alice").unwrap(), expected, "{sql}");
        assert_eq!(users.references("zoe").unwrap(), [], "{sql}");
        users.remove(&["alice"], false).unwrap();
        assert_eq!(database.query(select), left, "{sql}");
    }
}

fn remove_reports_rows_that_restrict(database: &dyn Database) {
    for on_delete in ["", "ON DELETE RESTRICT", "ON DELETE NO ACTION"] {
        let mut users = with_tables(
            database,
            &format!(
                "CREATE TABLE orders (customer TEXT REFERENCES users {on_delete});
                 INSERT INTO orders VALUES ('alice');"
            ),
        );
        let expected = [reference("orders", 1, OnDelete::Refuse)];
        assert_eq!(users.references("alice").unwrap(), expected);
        assert_rejected_for(database, &mut users, "orders");
    }
}

fn remove_reports_other_restrictions(database: &dyn Database) {
    for (sql, table) in [
        // Behind a cascade.
        (
            "CREATE TABLE albums (id INTEGER PRIMARY KEY,
                                  owner TEXT REFERENCES users ON DELETE CASCADE);
             CREATE TABLE prints (album INTEGER REFERENCES albums);
             INSERT INTO albums VALUES (1, 'alice');
             INSERT INTO prints VALUES (1);",
            "prints",
        ),
        (
            "CREATE TABLE orders (customer TEXT REFERENCES users DEFERRABLE INITIALLY DEFERRED);
             INSERT INTO orders VALUES ('alice');",
            "orders",
        ),
        // The default is not a user.
        (
            "CREATE TABLE tasks (owner TEXT DEFAULT 'nobody' REFERENCES users ON DELETE SET DEFAULT);
             INSERT INTO tasks VALUES ('alice');",
            "tasks",
        ),
        (
            "CREATE TABLE tasks (owner TEXT NOT NULL REFERENCES users ON DELETE SET NULL);
             INSERT INTO tasks VALUES ('alice');",
            "tasks",
        ),
    ] {
        let mut users = with_tables(database, sql);
        assert_rejected_for(database, &mut users, table);
        if table == "prints" {
            assert_eq!(database.query("SELECT owner FROM albums"), ["alice"]);
        }
    }
}

fn users_can_reference_users(database: &dyn Database) {
    database.execute(
        "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL,
             language TEXT NOT NULL, manager TEXT REFERENCES users ON DELETE CASCADE)",
    );
    let mut users = with_tables(database, "");
    add(&mut users, "carol");
    database.execute("UPDATE users SET manager = 'alice' WHERE username = 'bob'");
    database.execute("UPDATE users SET manager = 'bob' WHERE username IN ('alice', 'carol')");
    let expected = [reference("users", 1, OnDelete::Delete)];
    assert_eq!(users.references("alice").unwrap(), expected);
    // Carol is removed with bob, and bob with alice.
    assert_eq!(users.remove(&["alice", "carol"], false).unwrap(), [true, true]);
    assert!(names(database).is_empty());
}

fn add_rejects_user_with_dangling_reference(database: &dyn Database) {
    database.execute(
        "CREATE TABLE languages (tag TEXT PRIMARY KEY);
         INSERT INTO languages VALUES ('en');
         CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL,
             language TEXT NOT NULL REFERENCES languages);",
    );
    let mut users = with_tables(database, "");
    let refusal = users.set_language("alice", &"fr".parse().unwrap());
    let Err(Error::Store(error)) = refusal else { panic!("{refusal:?}") };
    assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
    assert!(!error.to_string().contains("reference the user"), "{error}");
    assert_eq!(users.get("alice").unwrap().unwrap().language.to_string(), "en");
}

fn rename_rejected_by_rows_that_would_not_follow(database: &dyn Database) {
    let mut users = with_tables(
        database,
        "CREATE TABLE notes (owner TEXT REFERENCES users ON UPDATE CASCADE);
         CREATE TABLE orders (customer TEXT REFERENCES users);
         CREATE TABLE tasks (owner TEXT REFERENCES users);
         INSERT INTO notes VALUES ('alice');
         INSERT INTO orders VALUES ('alice');
         INSERT INTO tasks VALUES ('bob');",
    );
    let zoe = "zoe".parse().unwrap();
    let refusal = users.rename("alice", &zoe, false);
    let Err(Error::Store(StoreError::Refused { reason, .. })) = refusal else {
        panic!("{refusal:?}");
    };
    let named = ["notes", "orders", "tasks"].map(|table| reason.contains(table));
    assert_eq!(named, [false, true, false], "{reason}");
    assert_eq!(names(database), ["alice", "bob"]);

    database.execute("DELETE FROM orders");
    assert!(users.rename("alice", &zoe, false).unwrap());
    assert_eq!(database.query("SELECT owner FROM notes"), ["zoe"]);
}

fn other_changes_keep_referencing_rows(database: &dyn Database) {
    let mut users = with_tables(
        database,
        "CREATE TABLE notes (owner TEXT REFERENCES users ON DELETE CASCADE);
         INSERT INTO notes VALUES ('alice');",
    );
    users.set_password("alice", &dash_users::Password::from("other"), true).unwrap();
    users.set_language("alice", &"fr".parse().unwrap()).unwrap();
    assert_eq!(database.query("SELECT owner FROM notes"), ["alice"]);
}

on_every_database! {
    remove_counts_and_changes_referencing_rows,
    remove_reports_rows_that_restrict,
    remove_reports_other_restrictions,
    users_can_reference_users,
    add_rejects_user_with_dangling_reference,
    rename_rejected_by_rows_that_would_not_follow,
    other_changes_keep_referencing_rows,
}
