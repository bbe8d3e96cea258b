//! Changes to tables of apps that fall short of a table `users`.

use dash_users::store::{CommitHooks, CopyableTable, TableAdvice, TableChanges};
use dash_users::{Error, Init, NewFile, StoreError, Users};

use crate::database::Database;
use crate::support::{add, hash, init, literal, names, open};

/// As pandas creates it.
const PANDAS: &str = "CREATE TABLE users (index_ BIGINT, username TEXT, password_hash TEXT);
    CREATE INDEX ix_users_index ON users (index_);
    CREATE INDEX users_username ON users (password_hash);
    INSERT INTO users VALUES (0, 'ann', 'x'), (1, 'bob', 'y')";

fn wanted(language: Option<&str>, add_unique_index: bool) -> TableChanges {
    TableChanges { add_language: language.map(|tag| tag.parse().unwrap()), add_unique_index }
}

fn adopt(database: &dyn Database, changes: &TableChanges) -> Result<Init, Error> {
    let (file, hooks) = (NewFile::default(), CommitHooks::default());
    Users::init_with(database.location(), &file, changes, hooks)
}

/// The reason, the SQL and the advice of a refusal, which changed nothing.
fn refusal(
    database: &dyn Database,
    changes: &TableChanges,
) -> (String, Option<String>, TableAdvice) {
    let rows = "SELECT username FROM users ORDER BY username";
    let before = database.query(rows);
    let refused = adopt(database, changes);
    let Err(Error::Store(StoreError::UnsupportedTable { reason, repair, advice, .. })) = refused
    else {
        panic!("{refused:?}");
    };
    assert_eq!(database.query(rows), before);
    (reason, repair, *advice)
}

fn missing_column_and_index_are_added_together(database: &dyn Database) {
    database.execute(PANDAS);
    let both = wanted(Some("de-CH"), true);
    let needed = wanted(Some("en"), true);
    for too_few in [wanted(None, false), wanted(Some("de"), false), wanted(None, true)] {
        let (reason, repair, advice) = refusal(database, &too_few);
        assert!(reason.contains("no column 'language', and no unique index"), "{reason}");
        assert_eq!(advice.changes, needed);
        assert_eq!(repair.unwrap().lines().count(), 2);
    }
    let done = adopt(database, &both).unwrap();
    assert!(done.adopted);
    assert_eq!(done.changes, both);
    assert_eq!(database.query("SELECT DISTINCT language FROM users"), ["de-CH"]);
    assert_eq!(database.query("SELECT index_ FROM users ORDER BY 1"), ["0", "1"]);
    // As an app that knows no language.
    database.execute("INSERT INTO users (username, password_hash) VALUES ('eve', 'z')");
    let mut users = open(database);
    add(&mut users, "zoe");
    assert_eq!(names(database), ["ann", "bob", "eve", "zoe"]);

    let again = adopt(database, &both).unwrap();
    assert!(again.changes.is_empty() && again.applied.is_empty());
}

fn sql_of_refusal_repairs_the_table(database: &dyn Database) {
    for (table, needed) in [
        (PANDAS, wanted(Some("en"), true)),
        (
            "CREATE TABLE users (username VARCHAR(80) PRIMARY KEY, password_hash VARCHAR(255))",
            wanted(Some("en"), false),
        ),
        (
            "CREATE TABLE users (username TEXT, password_hash TEXT, language TEXT)",
            wanted(None, true),
        ),
    ] {
        database.execute(table);
        let (_, repair, advice) = refusal(database, &TableChanges::default());
        assert_eq!(advice.changes, needed);
        database.execute(&repair.unwrap());
        assert!(adopt(database, &TableChanges::default()).unwrap().adopted);
        add(&mut open(database), "zoe");
        for own in ["users", "user_groups", "user_events", "dash_users_times", "dash_users_schema"]
        {
            database.execute(&format!("DROP TABLE {own}"));
        }
    }
}

fn duplicates_are_listed_and_nothing_is_changed(database: &dyn Database) {
    database.execute(
        "CREATE TABLE users (username TEXT, password_hash TEXT);
         INSERT INTO users VALUES ('ann', 'x'), ('b''b', 'y'), ('ann', 'z'), ('b''b', 'y'), ('c', '')",
    );
    for changes in [TableChanges::default(), wanted(Some("en"), true)] {
        let (reason, repair, advice) = refusal(database, &changes);
        assert!(reason.contains("several rows have the same name: 'ann'"), "{reason}");
        assert_eq!((repair, &advice.changes), (None, &wanted(Some("en"), true)));
        assert_eq!(database.query(&advice.duplicates.unwrap()).len(), 4);
    }
}

fn changes_that_are_not_needed_are_not_made(database: &dyn Database) {
    let both = wanted(Some("de"), true);
    let done = adopt(database, &both).unwrap();
    assert!(done.changes.is_empty() && done.created_table && !done.adopted);
    add(&mut open(database), "ann");
    assert_eq!(database.query("SELECT language FROM users"), ["en"]);
}

fn columns_of_other_names_are_named_with_a_query(database: &dyn Database) {
    let value = literal(&hash("secret"));
    database.execute(&format!(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(99) UNIQUE, pw_hash TEXT);
         INSERT INTO users VALUES (1, 'ann@example.org', {value})"
    ));
    let refused = adopt(database, &wanted(Some("en"), true));
    let Err(Error::Store(StoreError::UnsupportedTable { reason, repair, advice, .. })) = refused
    else {
        panic!("{refused:?}");
    };
    assert!(reason.ends_with("has no column 'username', only 'email'"), "{reason}");
    assert_eq!(repair, None);
    let copy = advice.copy.unwrap();
    assert!(advice.changes.is_empty());
    assert!(copy.select.contains("AS password_hash"), "{copy:?}");
    assert_eq!(database.query(&copy.select), ["ann@example.org"]);
}

fn other_tables_with_users_are_named(database: &dyn Database) {
    database.execute(
        "CREATE TABLE \"user\" (id INTEGER PRIMARY KEY, username TEXT, email TEXT, password TEXT);
         INSERT INTO \"user\" VALUES (1, NULL, 'ann@example.org', '$2b$12$x');
         CREATE TABLE \"my \"\"people\" (login TEXT, \"Passwd\" TEXT);
         INSERT INTO \"my \"\"people\" VALUES ('bob', 'plaintext');
         CREATE TABLE smtp (name TEXT, password TEXT)",
    );
    let done = Users::init(database.location(), &NewFile::default()).unwrap();
    assert!(done.created_table);
    let found: Vec<_> = done
        .other_tables
        .iter()
        .map(|CopyableTable { table, username, password, .. }| {
            [table.as_str(), username, password].join(" ")
        })
        .collect();
    assert_eq!(found, ["my \"people login Passwd", "user email password"]);
    let [people, user] = &done.other_tables[..] else { panic!() };
    assert!(people.select.contains("AS password ") && user.select.contains("AS password_hash "));
    assert_eq!(database.query(&people.select), ["bob"]);
    assert_eq!(database.query(&user.select), ["ann@example.org"]);

    init(database);
    let again = Users::init(database.location(), &NewFile::default()).unwrap();
    assert_eq!(again.other_tables, []);
}

on_every_database! {
    changes_that_are_not_needed_are_not_made,
    columns_of_other_names_are_named_with_a_query,
    duplicates_are_listed_and_nothing_is_changed,
    missing_column_and_index_are_added_together,
    other_tables_with_users_are_named,
    sql_of_refusal_repairs_the_table,
}
