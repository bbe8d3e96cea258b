//! Tables of apps: adopted unchanged, or rejected.

use dash_users::{Error, NewFile, OnConflict, Password, Severity, StoreError, Users};

use crate::accounts::groups;
use crate::database::{Database, Postgres};
use crate::direct_writes::{UNCHANGED, fill, members};
use crate::migrations::UNSUPPORTED;
use crate::support::{
    GOOD, TUTORIAL_TABLE, add, add_group, counts, found, hash, import, init, is_current_hash_of,
    literal, names, new_user, options, rows, similar_user, stored, with_users,
};

/// Supported tables, with preceding SQL.
const ADOPTED: [&str; 11] = [
    "CREATE TABLE users (username varchar(80) PRIMARY KEY, password_hash varchar(255) NOT NULL,
         language varchar(10) NOT NULL)",
    "CREATE TABLE users (username text PRIMARY KEY, password_hash varchar(163) NOT NULL,
         language char(5) NOT NULL)",
    "CREATE TABLE users (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
         username text UNIQUE NOT NULL, password_hash text NOT NULL, language text NOT NULL)",
    "CREATE TABLE users (id serial PRIMARY KEY, language text, email text UNIQUE,
         password_hash text, username varchar UNIQUE, seen timestamptz DEFAULT now())",
    "CREATE TABLE users (username text PRIMARY KEY, password_hash text NOT NULL,
         language text NOT NULL, lower text GENERATED ALWAYS AS (lower(username)) STORED)",
    "CREATE TABLE users (username text, password_hash text NOT NULL, language text NOT NULL);
     CREATE UNIQUE INDEX by_name ON users (username) INCLUDE (password_hash)",
    "CREATE DOMAIN word AS varchar(200) CHECK (value <> '');
     CREATE TABLE users (username word PRIMARY KEY, password_hash word, language word)",
    "CREATE UNLOGGED TABLE users (username text PRIMARY KEY, password_hash text NOT NULL,
         language text NOT NULL, name text, time text, at text, groups text)",
    "CREATE TABLE people (username text PRIMARY KEY, password_hash text, language text);
     CREATE TABLE users (UNIQUE (username)) INHERITS (people)",
    "CREATE EXTENSION IF NOT EXISTS citext;
     CREATE TABLE users (username citext PRIMARY KEY, password_hash text NOT NULL,
         language text NOT NULL)",
    "CREATE TABLE users (username text COLLATE \"POSIX\" PRIMARY KEY,
         password_hash text COLLATE \"POSIX\" NOT NULL, language text COLLATE \"C\" NOT NULL)",
];

#[test]
fn init_adopts_table_unchanged() {
    for sql in ADOPTED {
        let Some(database) = Postgres::with(sql) else { return };
        let value = literal(&hash("secret"));
        database.execute(&format!(
            "INSERT INTO users (username, password_hash, language) VALUES ('alice', {value}, 'en')"
        ));
        let before = rows(&database);
        let done = Users::init(database.location(), &NewFile::default()).unwrap();
        assert!(done.adopted, "{sql}");
        assert_eq!(rows(&database), before, "{sql}");

        let mut users = with_users(&database, &["bob"]);
        users.set_language("bob", &"fr".parse().unwrap()).unwrap();
        users.set_password("bob", &Password::from(GOOD), false).unwrap();
        let value = stored(&database, "bob");
        users.lock(&["bob", "alice"]).unwrap();
        users.unlock(&["bob", "alice"]).unwrap();
        assert_eq!(stored(&database, "bob"), value, "{sql}");
        assert!(is_current_hash_of(&value, GOOD));
        add_group(&mut users, "bob", "staff");
        users.rename("bob", &"zoe".parse().unwrap(), false).unwrap();
        assert_eq!(groups(&mut users, "zoe"), ["staff"], "{sql}");
        users.check_new(&"Zoe".parse().unwrap(), false).unwrap_err();
        assert_eq!(users.list().unwrap().len(), 2, "{sql}");
        users.remove(&["zoe"], false).unwrap();
        assert_eq!(rows(&database), before, "{sql}");
        let mut found = found(&mut users);
        found.retain(|(_, severity, _)| *severity != Severity::Info);
        assert_eq!(found, [], "{sql}");
        assert!(Users::init(database.location(), &NewFile::default()).unwrap().applied.is_empty());
    }
}

/// Why `init` rejects a database, without changing its tables.
fn refusal(database: &Postgres) -> String {
    let tables = "SELECT oid::regclass FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    let before = database.query(tables);
    let refusal = Users::init(database.location(), &NewFile::default());
    let Err(Error::Store(
        StoreError::NotADatabase { reason, .. } | StoreError::UnsupportedTable { reason, .. },
    )) = refusal
    else {
        panic!("{refusal:?}");
    };
    assert_eq!(database.query(tables), before);
    reason
}

#[test]
fn init_rejects_unsupported_tables() {
    let not_a_table = ["VIEW", "MATERIALIZED VIEW"].map(|kind| {
        let people = "people (username text PRIMARY KEY, password_hash text, language text)";
        let sql = format!("CREATE TABLE {people}; CREATE {kind} users AS SELECT * FROM people");
        (sql, "not a table")
    });
    let not_text = "'username' of its table 'users' is not text";
    let own = [
        (
            "(username text PRIMARY KEY, password_hash varchar(162), language text)",
            "162 characters",
        ),
        ("(username text PRIMARY KEY, password_hash hash, language text)", "100 characters"),
        ("(username name PRIMARY KEY, password_hash name, language name)", "63 characters"),
        ("(username bytea PRIMARY KEY, password_hash text, language text)", not_text),
        ("(username integer PRIMARY KEY, password_hash text, language text)", not_text),
        ("(username text PRIMARY KEY DEFERRABLE, password_hash text, language text)", "unique"),
        (
            "(username text PRIMARY KEY, password_hash text, language text)
                 PARTITION BY HASH (username);
             CREATE TABLE part PARTITION OF users FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
            "partitioned",
        ),
    ];
    let hash = "CREATE DOMAIN hash AS varchar(100)";
    let tables = own.into_iter().chain(UNSUPPORTED);
    let tables = tables.map(|(rest, part)| (format!("{hash}; CREATE TABLE users {rest}"), part));
    for (sql, part) in not_a_table.into_iter().chain(tables) {
        let Some(database) = Postgres::with(&sql) else { return };
        let reason = refusal(&database);
        assert!(reason.contains(part), "{sql}: {reason}");
    }
}

#[test]
fn init_rejects_foreign_table() {
    let Some(database) = Postgres::new() else { return };
    let sql = "CREATE EXTENSION postgres_fdw;
               CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw;
               CREATE FOREIGN TABLE users (username text, password_hash text, language text)
               SERVER elsewhere";
    // The extension may not be installed.
    if database.superuser().batch_execute(sql).is_ok() {
        assert!(refusal(&database).contains("not a table"));
    }
}

#[test]
fn init_rejects_our_tables_with_other_columns() {
    for (sql, part) in [
        ("CREATE TABLE user_groups (id integer)", "'user_groups' is a table"),
        ("CREATE VIEW user_events AS SELECT 1 AS id", "'user_events' is a view"),
        ("CREATE TABLE dash_users_schema (applied_at text)", "dash_users_schema"),
        (
            "CREATE TABLE dash_users_schema (version integer);
             INSERT INTO dash_users_schema VALUES (1), (2)",
            "exactly one",
        ),
    ] {
        let Some(database) = Postgres::with(sql) else { return };
        let reason = refusal(&database);
        assert!(reason.contains(part), "{sql}: {reason}");
    }
}

#[test]
fn table_is_found_by_search_path() {
    let Some(database) = Postgres::new() else { return };
    let odd = r#""my ""App"" é'""#;
    database.execute(&format!(
        "CREATE TABLE users (nothing integer);
         CREATE SCHEMA {odd};
         CREATE TABLE {odd}.users (username text PRIMARY KEY, password_hash text, language text)"
    ));
    database.set(&format!("search_path = {odd}, public"));
    let mut users = with_users(&database, &["alice"]);
    add_group(&mut users, "alice", "staff");
    assert_eq!(found(&mut users).iter().filter(|found| found.1 == Severity::Error).count(), 0);
    assert_eq!(database.query(&format!("SELECT username FROM {odd}.users")), ["alice"]);
    assert_eq!(database.query(&format!("SELECT group_name FROM {odd}.user_groups")), ["staff"]);
    // An app that names the schema, and has another search path.
    database.execute(&format!("SET search_path = public; UPDATE {odd}.users SET username = 'zoe'"));
    assert_eq!(groups(&mut users, "zoe"), ["staff"]);
    assert_eq!(database.query("SELECT count(*) FROM public.users"), ["0"]);
}

#[test]
fn table_is_found_in_later_schema_of_search_path() {
    let Some(database) = Postgres::new() else { return };
    database.execute(
        "CREATE SCHEMA first; CREATE SCHEMA second;
         CREATE TABLE second.users (username text PRIMARY KEY, password_hash text, language text)",
    );
    database.set("search_path = gone, first, second");
    add(&mut init(&database), "alice");
    assert_eq!(database.query("SELECT username FROM second.users"), ["alice"]);
    assert_eq!(database.query("SELECT to_regclass('first.user_groups')"), ["NULL"]);
}

#[test]
fn search_path_without_schema_is_reported() {
    let Some(database) = Postgres::new() else { return };
    database.set("search_path = gone");
    let refusal = Users::init(database.location(), &NewFile::default());
    let Err(Error::Store(StoreError::CannotConnect { reason, .. })) = refusal else {
        panic!("{refusal:?}");
    };
    assert!(reason.contains("search path"), "{reason}");
}

#[test]
fn names_equal_to_the_database_are_taken() {
    let Some(database) = Postgres::with(ADOPTED[9]) else { return };
    let mut users = with_users(&database, &["alice"]);
    assert!(matches!(users.add(&similar_user("ALICE")), Err(Error::UserExists(_))));
    assert!(users.rename("ALICE", &"Alice".parse().unwrap(), false).unwrap());
    add_group(&mut users, "aLiCe", "staff");
    assert_eq!(database.query("SELECT username FROM user_groups"), ["Alice"]);
    assert_eq!(groups(&mut users, "ALICE"), ["staff"]);
}

/// A database with the collation `alike`, which ignores case; none if the server has no ICU.
pub(super) fn with_collation() -> Option<Postgres> {
    let database = Postgres::new()?;
    let collation = "CREATE COLLATION alike
                         (provider = icu, locale = 'und-u-ks-level2', deterministic = false)";
    database.connect().batch_execute(collation).is_ok().then_some(database)
}

#[test]
fn names_equal_by_collation_are_taken() {
    let Some(database) = with_collation() else { return };
    database.execute(
        "CREATE TABLE users (username text COLLATE alike PRIMARY KEY, password_hash text NOT NULL,
             language text NOT NULL)",
    );
    let mut users = with_users(&database, &["Zoë"]);
    assert!(matches!(users.add(&similar_user("ZOË")), Err(Error::UserExists(_))));
    add_group(&mut users, "zoë", "staff");
    database.execute("UPDATE users SET username = 'zoë' WHERE username = 'zoë'");
    assert_eq!(groups(&mut users, "Zoë"), ["staff"]);
    let file = format!("username,password\nZOË,{GOOD}\nyan,{GOOD}");
    let skipping = options(OnConflict::Skip);
    assert_eq!(counts(import(&mut users, skipping, &file).unwrap()), [1, 0, 0, 1]);
    assert_eq!(users.names("z", 9).unwrap(), ["zoë"]);
    users.lock(&["ZOË"]).unwrap();
    users.remove(&["ZOË"], false).unwrap();
    assert_eq!(names(&database), ["yan"]);
    assert_eq!(database.query("SELECT count(*) FROM user_groups"), ["0"]);
    let mut found = found(&mut users);
    found.retain(|(_, severity, _)| *severity != Severity::Info);
    assert_eq!(found, []);
}

#[test]
fn value_too_long_for_column_is_rejected() {
    let Some(database) = Postgres::with(
        "CREATE TABLE users (username varchar(5) PRIMARY KEY, password_hash text NOT NULL,
             language varchar(2) NOT NULL)",
    ) else {
        return;
    };
    let mut users = with_users(&database, &["alice"]);
    let refusals = [
        users.add(&new_user("longer", GOOD)),
        users.set_language("alice", &"pt-BR".parse().unwrap()).map(drop),
    ];
    for refusal in refusals {
        assert!(
            matches!(&refusal, Err(Error::Store(StoreError::Refused { reason, .. }))
                if reason.contains("too long")),
            "{refusal:?}"
        );
    }
}

#[test]
fn column_gets_another_type_without_one_trigger() {
    let Some(database) = Postgres::with(TUTORIAL_TABLE) else { return };
    fill(&database);
    let alter = "ALTER TABLE users ALTER username TYPE varchar(50), ALTER language TYPE varchar(9),
                     ALTER password_hash TYPE varchar(500);";
    assert!(database.connect().batch_execute(alter).is_err());
    database.execute(&format!("BEGIN; DROP TRIGGER dash_users_renamed ON users; {alter} COMMIT"));
    drop(init(&database));
    assert_eq!(members(&database), UNCHANGED);
}

#[test]
fn other_object_with_name_of_ours_is_named() {
    for (sql, reason) in [
        ("CREATE SEQUENCE users", "its 'users' is a sequence"),
        ("CREATE TYPE users AS (a integer)", "its 'users' is a type"),
        ("CREATE DOMAIN user_groups AS text", "its 'user_groups' is a type"),
        ("CREATE TYPE user_events AS ENUM ('a')", "its 'user_events' is a type"),
        ("CREATE TYPE dash_users_times AS (a integer)", "its 'dash_users_times' is a type"),
        (
            "CREATE TABLE orders (a integer); CREATE INDEX dash_users_imported ON orders (a)",
            "its 'dash_users_imported' is an index",
        ),
        ("CREATE SEQUENCE dash_users_schema", "its 'dash_users_schema' is not a table"),
        (
            "CREATE TABLE dash_users_username_nocase (a integer)",
            "its 'dash_users_username_nocase' is a table, but dash-users needs an index",
        ),
        ("CREATE VIEW dash_users_group_name AS SELECT 1", "its 'dash_users_group_name' is a view"),
    ] {
        let Some(database) = Postgres::with(sql) else { return };
        let error = Users::init(database.location(), &NewFile::default()).unwrap_err();
        assert!(matches!(error, Error::Store(StoreError::NotADatabase { .. })), "{sql}: {error}");
        assert!(error.to_string().contains(reason), "{sql}: {error}");
    }
}
