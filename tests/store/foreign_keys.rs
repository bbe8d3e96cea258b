//! Tables of the app that reference users: the effect of removing a user.

use dash_users::store::{OnDelete, Reference};
use dash_users::{Error, StoreError, Users};

use crate::database::Database;
use crate::support::{add, names, with_users};

/// Users alice and bob, and the app's own tables.
fn with_tables(database: &dyn Database, sql: &str) -> Users {
    let users = with_users(database, &["alice", "bob"]);
    database.execute(sql);
    users
}

fn reference(table: &str, rows: u64, on_delete: OnDelete) -> Reference {
    Reference { table: table.to_owned(), rows, on_delete }
}

/// Asserts that removing alice is rejected because of `table`, and changes nothing.
fn assert_rejected_for(database: &dyn Database, users: &mut Users, table: &str) {
    let refusal = users.remove(&["bob", "alice"], false);
    let Err(Error::Store(StoreError::Refused { reason, .. })) = refusal else {
        panic!("{refusal:?}");
    };
    assert!(reason.contains(table), "{reason}");
    assert_eq!(names(database), ["alice", "bob"]);
}

fn remove_counts_and_deletes_cascading_rows(database: &dyn Database) {
    let mut users = with_tables(
        database,
        "CREATE TABLE notes (owner TEXT REFERENCES users ON DELETE CASCADE, note TEXT);
         INSERT INTO notes VALUES ('alice', 'a'), ('alice', 'b'), ('bob', 'c'), (NULL, 'd');",
    );
    let expected = [reference("notes", 2, OnDelete::Delete)];
    assert_eq!(users.references("alice").unwrap(), expected);
    assert_eq!(users.references("zoe").unwrap(), []);
    users.remove(&["alice"], false).unwrap();
    assert_eq!(database.query("SELECT note FROM notes ORDER BY note"), ["c", "d"]);
}

fn remove_counts_rows_cascading_through_second_table(database: &dyn Database) {
    let mut users = with_tables(
        database,
        "CREATE TABLE albums (id INTEGER PRIMARY KEY,
                              owner TEXT REFERENCES users ON DELETE CASCADE);
         CREATE TABLE photos (album INTEGER REFERENCES albums ON DELETE CASCADE);
         INSERT INTO albums VALUES (1, 'alice'), (2, 'bob'), (3, 'alice');
         INSERT INTO photos VALUES (1), (1), (2), (3);",
    );
    let expected =
        [reference("albums", 2, OnDelete::Delete), reference("photos", 3, OnDelete::Delete)];
    assert_eq!(users.references("alice").unwrap(), expected);
    users.remove(&["alice"], false).unwrap();
    assert_eq!(database.query("SELECT album FROM photos"), ["2"]);
}

fn remove_counts_and_unsets_columns(database: &dyn Database) {
    let mut users = with_tables(
        database,
        "CREATE TABLE notes (owner TEXT REFERENCES users ON DELETE SET NULL);
         CREATE TABLE tasks (owner TEXT DEFAULT 'bob' REFERENCES users ON DELETE SET DEFAULT);
         INSERT INTO notes VALUES ('alice');
         INSERT INTO tasks VALUES ('alice'), ('alice');",
    );
    let expected = [reference("notes", 1, OnDelete::Unset), reference("tasks", 2, OnDelete::Unset)];
    assert_eq!(users.references("alice").unwrap(), expected);
    users.remove(&["alice"], false).unwrap();
    assert_eq!(database.query("SELECT owner FROM notes"), ["NULL"]);
    assert_eq!(database.query("SELECT owner FROM tasks"), ["bob", "bob"]);
}

fn remove_reports_rows_that_restrict(database: &dyn Database) {
    for on_delete in ["", "ON DELETE RESTRICT", "ON DELETE NO ACTION"] {
        database.execute("DROP TABLE IF EXISTS orders; DROP TABLE IF EXISTS users;");
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
        users.remove(&["bob"], false).unwrap();
    }
}

fn remove_reports_restriction_behind_cascade(database: &dyn Database) {
    let mut users = with_tables(
        database,
        "CREATE TABLE albums (id INTEGER PRIMARY KEY,
                              owner TEXT REFERENCES users ON DELETE CASCADE);
         CREATE TABLE prints (album INTEGER REFERENCES albums);
         INSERT INTO albums VALUES (1, 'alice');
         INSERT INTO prints VALUES (1);",
    );
    assert_rejected_for(database, &mut users, "prints");
    assert_eq!(database.query("SELECT owner FROM albums"), ["alice"]);
}

fn remove_reports_deferred_restriction(database: &dyn Database) {
    let mut users = with_tables(
        database,
        "CREATE TABLE orders (customer TEXT REFERENCES users DEFERRABLE INITIALLY DEFERRED);
         INSERT INTO orders VALUES ('alice');",
    );
    assert_rejected_for(database, &mut users, "orders");
    // The connection is usable as before.
    assert_eq!(users.remove(&["bob"], false).unwrap(), [true]);
    assert_eq!(names(database), ["alice"]);
}

fn remove_reports_default_without_user(database: &dyn Database) {
    let mut users = with_tables(
        database,
        "CREATE TABLE tasks (owner TEXT DEFAULT 'nobody' REFERENCES users ON DELETE SET DEFAULT);
         INSERT INTO tasks VALUES ('alice');",
    );
    assert_rejected_for(database, &mut users, "tasks");
}

fn remove_reports_column_that_cannot_be_unset(database: &dyn Database) {
    let mut users = with_tables(
        database,
        "CREATE TABLE tasks (owner TEXT NOT NULL REFERENCES users ON DELETE SET NULL);
         INSERT INTO tasks VALUES ('alice');",
    );
    assert_rejected_for(database, &mut users, "tasks");
}

fn remove_follows_keys_of_several_columns(database: &dyn Database) {
    let mut users = with_tables(
        database,
        "CREATE UNIQUE INDEX both_columns ON users (username, language);
         CREATE TABLE notes (lang TEXT, owner TEXT, note TEXT,
             FOREIGN KEY (owner, lang) REFERENCES users (username, language) ON DELETE CASCADE);
         INSERT INTO notes VALUES ('en', 'alice', 'a'), ('en', 'bob', 'b'), (NULL, 'alice', 'c');",
    );
    let expected = [reference("notes", 1, OnDelete::Delete)];
    assert_eq!(users.references("alice").unwrap(), expected);
    users.remove(&["alice"], false).unwrap();
    assert_eq!(database.query("SELECT note FROM notes ORDER BY note"), ["b", "c"]);
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

fn references_accept_any_table_and_column_name(database: &dyn Database) {
    let mut users = with_tables(
        database,
        r#"CREATE TABLE "my ""Orders""" ("the, owner" TEXT REFERENCES users ON DELETE CASCADE);
           INSERT INTO "my ""Orders""" VALUES ('alice');"#,
    );
    let expected = [reference(r#"my "Orders""#, 1, OnDelete::Delete)];
    assert_eq!(users.references("alice").unwrap(), expected);
    users.remove(&["alice"], false).unwrap();
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
    remove_counts_and_deletes_cascading_rows,
    remove_counts_rows_cascading_through_second_table,
    remove_counts_and_unsets_columns,
    remove_reports_rows_that_restrict,
    remove_reports_restriction_behind_cascade,
    remove_reports_deferred_restriction,
    remove_reports_default_without_user,
    remove_reports_column_that_cannot_be_unset,
    remove_follows_keys_of_several_columns,
    users_can_reference_users,
    add_rejects_user_with_dangling_reference,
    references_accept_any_table_and_column_name,
    rename_rejected_by_rows_that_would_not_follow,
    other_changes_keep_referencing_rows,
}
