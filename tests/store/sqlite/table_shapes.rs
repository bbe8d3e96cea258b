//! Supported tables `users` of many shapes.

use dash_users::{Error, Login, NewFile, Password, StoreError, StoredText, Users};

use crate::database::{Database, Sqlite};
use crate::support::{
    GOOD, add, is_current_hash_of, new_user, open, similar_user, stored, with_users,
};

const SHAPES: [&str; 16] = [
    "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL,
         language TEXT NOT NULL)",
    "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL,
         language TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL,
         language TEXT NOT NULL) STRICT",
    "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL,
         language TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE users (username TEXT COLLATE NOCASE PRIMARY KEY, password_hash TEXT NOT NULL,
         language TEXT NOT NULL)",
    "CREATE TABLE users (username TEXT COLLATE RTRIM PRIMARY KEY, password_hash TEXT NOT NULL,
         language TEXT NOT NULL)",
    r#"CREATE TABLE "Users" ("UserName" TEXT PRIMARY KEY, [Password_Hash] TEXT NOT NULL,
         `LANGUAGE` TEXT NOT NULL)"#,
    // As SQLAlchemy writes it.
    "CREATE TABLE users (id INTEGER NOT NULL, username VARCHAR(255) NOT NULL,
         password_hash VARCHAR(162) NOT NULL, language VARCHAR(5) NOT NULL,
         PRIMARY KEY (id), UNIQUE (username))",
    "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, username NVARCHAR(80) UNIQUE,
         password_hash CLOB, language CHARACTER(2))",
    "CREATE TABLE users (username, password_hash, language, UNIQUE (username))",
    "CREATE TABLE users (language TEXT, password_hash TEXT, username TEXT);
     CREATE UNIQUE INDEX by_name ON users (username)",
    "CREATE TABLE users (username TEXT, password_hash TEXT, language TEXT);
     CREATE UNIQUE INDEX by_name ON users (UserName COLLATE NOCASE DESC)",
    "CREATE TABLE users (username TEXT UNIQUE ON CONFLICT REPLACE, password_hash TEXT,
         language TEXT)",
    "CREATE TABLE users (username TEXT PRIMARY KEY CHECK (length(username) < 99),
         password_hash TEXT CHECK (password_hash LIKE '%$%$%'), language TEXT DEFAULT 'de')",
    "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT, language TEXT,
         is_long INTEGER NOT NULL GENERATED ALWAYS AS (length(username) > 9) STORED)",
    "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT, language TEXT);
     CREATE INDEX hashes ON users (password_hash, username);
     CREATE UNIQUE INDEX partial ON users (username) WHERE language = 'en'",
];

#[test]
fn tables_of_every_shape_work() {
    for shape in SHAPES {
        let database = Sqlite::with(shape);
        let done = Users::init(database.location(), &NewFile::default()).unwrap();
        assert!(done.adopted, "{shape}");
        assert!(done.schema.required_columns.is_empty(), "{shape}");

        let mut users = open(&database);
        add(&mut users, "alice");
        add(&mut users, "bob");
        users.set_password("alice", &Password::from(GOOD), false).unwrap();
        assert!(is_current_hash_of(&stored(&database, "alice"), GOOD), "{shape}");
        assert!(users.set_language("bob", &"fr".parse().unwrap()).unwrap(), "{shape}");
        let log_in = users.log_in("bob", &Password::from("secret")).unwrap();
        assert!(matches!(log_in, Login::Accepted { .. }), "{shape}");
        assert!(matches!(users.add(&new_user("bob", GOOD)), Err(Error::UserExists(_))), "{shape}");
        let similar = users.add(&new_user("BOB", GOOD)).unwrap_err();
        let is_refused = matches!(similar, Error::UserExists(_) | Error::SimilarUser { .. });
        assert!(is_refused, "{shape}: {similar:?}");

        let listed: Vec<_> = users.list().unwrap().into_iter().map(|user| user.username).collect();
        assert_eq!(listed, ["alice", "bob"].map(|name| StoredText::Text(name.to_owned())));
        assert_eq!(users.remove(&["alice", "bob"], false).unwrap(), [true, true], "{shape}");
        assert!(database.query("SELECT 1 FROM users").is_empty(), "{shape}");
    }
}

#[test]
fn names_are_compared_by_declared_collation() {
    for part in ["COLLATE NOCASE PRIMARY", "COLLATE NOCASE DESC"] {
        let shape = SHAPES.iter().find(|shape| shape.contains(part)).unwrap();
        let database = Sqlite::with(shape);
        let mut users = with_users(&database, &["alice"]);
        let refusal = users.add(&similar_user("Alice"));
        if part.contains("PRIMARY") {
            let found = users.get("ALICE").unwrap().unwrap();
            assert_eq!(found.username, StoredText::Text("alice".to_owned()));
            assert!(matches!(refusal, Err(Error::UserExists(_))), "{refusal:?}");
            assert_eq!(users.remove(&["ALICE"], false).unwrap(), [true]);
        } else {
            // Only the index is stricter.
            assert!(
                matches!(refusal, Err(Error::Store(StoreError::Refused { .. }))),
                "{refusal:?}"
            );
            assert_eq!(users.list().unwrap().len(), 1);
        }
    }
}

fn required_columns(table: &str) -> Vec<String> {
    let columns = "username TEXT UNIQUE NOT NULL, password_hash TEXT NOT NULL, language TEXT";
    let database = Sqlite::with(&table.replace('…', columns));
    Users::init(database.location(), &NewFile::default()).unwrap().schema.required_columns
}

#[test]
fn only_keys_without_default_value_are_required() {
    for (table, expected) in [
        ("CREATE TABLE users (id INTEGER PRIMARY KEY NOT NULL, …)", &[][..]),
        ("CREATE TABLE users (id integer NOT NULL, …, PRIMARY KEY (id))", &[]),
        ("CREATE TABLE users (id TEXT PRIMARY KEY, …)", &[]),
        ("CREATE TABLE users (id INTEGER PRIMARY KEY, …) WITHOUT ROWID", &["id"]),
        (
            "CREATE TABLE users (id INTEGER NOT NULL, tenant INTEGER NOT NULL, …,
                 PRIMARY KEY (tenant, id))",
            &["id", "tenant"],
        ),
        ("CREATE TABLE users (id INT PRIMARY KEY NOT NULL, …)", &["id"]),
    ] {
        assert_eq!(required_columns(table), expected, "{table}");
    }
}
