//! Tables of the app whose rows refer to users: what a removal means for them.

use dash_users::store::{OnDelete, Reference};
use dash_users::{Error, StoreError, Users};

use crate::database::Database;
use crate::support::{add, init, names};

/// Users alice and bob, and the app's own tables.
fn with_tables(database: &dyn Database, sql: &str) -> Users {
    let mut users = init(database);
    add(&mut users, "alice");
    add(&mut users, "bob");
    database.execute(sql);
    users
}

fn reference(table: &str, rows: u64, on_delete: OnDelete) -> Reference {
    Reference { table: table.to_owned(), rows, on_delete }
}

/// That removing alice is refused because of `table`, and that nothing is changed.
fn assert_refused_for(database: &dyn Database, users: &mut Users, table: &str) {
    let refusal = users.remove(&["bob", "alice"], false);
    let Err(Error::Store(StoreError::Refused { reason, .. })) = refusal else {
        panic!("{refusal:?}");
    };
    assert!(reason.contains(table), "{reason}");
    assert_eq!(names(database), ["alice", "bob"]);
}

fn rows_that_cascade_are_counted_and_deleted(database: &dyn Database) {
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

fn rows_that_cascade_through_a_second_table_are_counted_and_deleted(database: &dyn Database) {
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

fn columns_that_are_unset_are_counted_and_unset(database: &dyn Database) {
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

fn rows_that_refuse_are_counted_and_named(database: &dyn Database) {
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
        assert_refused_for(database, &mut users, "orders");
        users.remove(&["bob"], false).unwrap();
    }
}

fn a_refusal_behind_a_cascade_is_named(database: &dyn Database) {
    let mut users = with_tables(
        database,
        "CREATE TABLE albums (id INTEGER PRIMARY KEY,
                              owner TEXT REFERENCES users ON DELETE CASCADE);
         CREATE TABLE prints (album INTEGER REFERENCES albums);
         INSERT INTO albums VALUES (1, 'alice');
         INSERT INTO prints VALUES (1);",
    );
    assert_refused_for(database, &mut users, "prints");
    assert_eq!(database.query("SELECT owner FROM albums"), ["alice"]);
}

fn a_refusal_at_the_end_of_the_transaction_is_named(database: &dyn Database) {
    let mut users = with_tables(
        database,
        "CREATE TABLE orders (customer TEXT REFERENCES users DEFERRABLE INITIALLY DEFERRED);
         INSERT INTO orders VALUES ('alice');",
    );
    assert_refused_for(database, &mut users, "orders");
    // The connection is usable as before.
    assert_eq!(users.remove(&["bob"], false).unwrap(), [true]);
    assert_eq!(names(database), ["alice"]);
}

fn a_default_that_is_no_user_is_refused_and_named(database: &dyn Database) {
    let mut users = with_tables(
        database,
        "CREATE TABLE tasks (owner TEXT DEFAULT 'nobody' REFERENCES users ON DELETE SET DEFAULT);
         INSERT INTO tasks VALUES ('alice');",
    );
    assert_refused_for(database, &mut users, "tasks");
}

fn a_column_that_cannot_be_unset_is_named(database: &dyn Database) {
    let mut users = with_tables(
        database,
        "CREATE TABLE tasks (owner TEXT NOT NULL REFERENCES users ON DELETE SET NULL);
         INSERT INTO tasks VALUES ('alice');",
    );
    assert_refused_for(database, &mut users, "tasks");
}

fn keys_of_several_columns_are_followed(database: &dyn Database) {
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

fn users_may_refer_to_users(database: &dyn Database) {
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
    // Carol goes with bob, and bob with alice.
    assert_eq!(users.remove(&["alice", "carol"], false).unwrap(), [true, true]);
    assert!(names(database).is_empty());
}

fn a_user_who_would_refer_to_nothing_is_refused(database: &dyn Database) {
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
    assert!(!error.to_string().contains("refer to the user"), "{error}");
    assert_eq!(users.get("alice").unwrap().unwrap().language.to_string(), "en");
}

fn names_of_tables_and_columns_may_be_any(database: &dyn Database) {
    let mut users = with_tables(
        database,
        r#"CREATE TABLE "my ""Orders""" ("the, owner" TEXT REFERENCES users ON DELETE CASCADE);
           INSERT INTO "my ""Orders""" VALUES ('alice');"#,
    );
    let expected = [reference(r#"my "Orders""#, 1, OnDelete::Delete)];
    assert_eq!(users.references("alice").unwrap(), expected);
    users.remove(&["alice"], false).unwrap();
}

fn a_rename_is_refused_where_rows_refer_and_would_not_follow(database: &dyn Database) {
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

fn other_changes_leave_the_rows_that_refer(database: &dyn Database) {
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
    rows_that_cascade_are_counted_and_deleted,
    rows_that_cascade_through_a_second_table_are_counted_and_deleted,
    columns_that_are_unset_are_counted_and_unset,
    rows_that_refuse_are_counted_and_named,
    a_refusal_behind_a_cascade_is_named,
    a_refusal_at_the_end_of_the_transaction_is_named,
    a_default_that_is_no_user_is_refused_and_named,
    a_column_that_cannot_be_unset_is_named,
    keys_of_several_columns_are_followed,
    users_may_refer_to_users,
    a_user_who_would_refer_to_nothing_is_refused,
    names_of_tables_and_columns_may_be_any,
    a_rename_is_refused_where_rows_refer_and_would_not_follow,
    other_changes_leave_the_rows_that_refer,
}
