//! Values that are not text or not UTF-8, which SQLite accepts in any column.

use base16ct::lower::encode_string;
use dash_users::store::sql_to_remove;
use dash_users::{Error, HashError, Login, LoginRefusal, MethodError, Password, StoredText, Users};

use crate::database::{Database, Sqlite};
use crate::support::{
    GOOD, hash, hashed, init, insert, is_current_hash_of, literal, new_user, stored,
};

/// Columns that accept NULL and any type.
const LOOSE_TABLE: &str = "CREATE TABLE users (username UNIQUE, password_hash, language)";

fn blob(bytes: impl Into<Vec<u8>>) -> StoredText {
    StoredText::Blob(bytes.into())
}

fn listed_names(users: &mut Users) -> Vec<StoredText> {
    users.list().unwrap().into_iter().map(|user| user.username).collect()
}

#[test]
fn names_of_any_type_are_removed_by_suggested_sql() {
    let database = Sqlite::with(LOOSE_TABLE);
    let mut users = init(&database);
    for name in ["NULL", "NULL", "x'ff00'", "x''", "42", "-1.5", "'alice'", "CAST(x'ff' AS TEXT)"] {
        database.execute(&format!("INSERT INTO users VALUES ({name}, '!', 'en')"));
    }
    let expected = [
        StoredText::Null,
        StoredText::Null,
        blob("-1.5"),
        blob("42"),
        StoredText::Text("alice".to_owned()),
        StoredText::InvalidText(vec![0xff]),
        blob(""),
        blob([0xff, 0]),
    ];
    assert_eq!(listed_names(&mut users), expected);
    let shown: Vec<_> = expected.iter().map(ToString::to_string).collect();
    assert_eq!(shown[..4], ["\\N", "\\N", "\\x2d312e35", "\\x3432"]);
    assert_eq!(shown[4..], ["alice", "\\u{fffd}", "\\x", "\\xff00"]);
    // One statement removes all that are NULL.
    for (at, name) in expected.iter().enumerate().skip(1) {
        database.execute(&sql_to_remove(database.location(), name));
        assert_eq!(listed_names(&mut users), expected[at + 1..], "{name}");
    }
}

#[test]
fn name_that_is_not_text_is_not_found_but_counted() {
    let database = Sqlite::with(LOOSE_TABLE);
    let mut users = init(&database);
    database.execute("INSERT INTO users VALUES (NULL, '!', 'en')");
    assert!(!users.add_if_empty(hashed(&[new_user("alice", GOOD)])).unwrap());
    database.execute("INSERT INTO users VALUES (x'616c696365', '!', 'en'), (42, '!', 'en')");
    for name in ["", "NULL", "\\N", "alice", "42"] {
        assert_eq!(users.get(name).unwrap(), None, "{name}");
    }
    users.add(&new_user("alice", GOOD)).unwrap();
    assert_eq!(users.list().unwrap().len(), 4);
}

#[test]
fn names_that_are_not_utf_8_are_found_by_bytes() {
    let database = Sqlite::new();
    let mut users = init(&database);
    let names: [&[u8]; 4] = [b"al\xff", b"al\xfe", b"\xc3", b"\xed\xa0\x80"];
    for name in names {
        let hex = encode_string(name);
        let value = literal(&hash("secret"));
        database
            .execute(&format!("INSERT INTO users VALUES (CAST(x'{hex}' AS TEXT), {value}, 'en')"));
    }
    let mut sorted = names.map(|name| StoredText::InvalidText(name.to_vec()));
    sorted.sort();
    assert_eq!(listed_names(&mut users), sorted);
    assert_eq!(users.get("al\u{fffd}").unwrap(), None);

    for name in names {
        let log_in = users.log_in(name, &Password::from("secret")).unwrap();
        assert!(matches!(log_in, Login::Accepted { .. }));
        users.rehash(name, &Password::from("secret")).unwrap();
        users.set_password(name, &Password::from(GOOD), false).unwrap();
        assert!(users.set_language(name, &"fr".parse().unwrap()).unwrap());
        assert_eq!(users.references(name).unwrap(), []);
        assert_eq!(users.remove(&[name], false).unwrap(), [true]);
    }
    assert_eq!(listed_names(&mut users), []);
}

#[test]
fn name_with_nul_is_found_whole() {
    let database = Sqlite::new();
    let mut users = init(&database);
    insert(&database, "al", &hash("secret"));
    database.execute("INSERT INTO users VALUES (CAST(x'616c00' AS TEXT), '!', 'en')");
    database.execute("INSERT INTO users VALUES (CAST(x'616c0062' AS TEXT), '!', 'en')");
    assert!(users.set_language("al\0b", &"fr".parse().unwrap()).unwrap());
    assert_eq!(users.remove(&["al\0b", "al\0"], false).unwrap(), [true, true]);
    assert_eq!(listed_names(&mut users), [StoredText::Text("al".to_owned())]);
}

#[test]
fn hash_of_any_type_is_rejected_and_replaceable() {
    let hash = hash("secret");
    let hex = encode_string(hash.as_bytes());
    for value in ["NULL", "x''", "42", "1.5", &format!("x'{hex}'"), "CAST(x'ff' AS TEXT)"] {
        let database = Sqlite::with(LOOSE_TABLE);
        let mut users = init(&database);
        database.execute(&format!("INSERT INTO users VALUES ('alice', {value}, 'en')"));
        let user = users.get("alice").unwrap().unwrap();
        assert!(user.method.is_none() && !user.locked && !user.outdated);
        let log_in = users.log_in("alice", &Password::from("secret")).unwrap();
        let Login::Refused(LoginRefusal::Unusable(reason)) = log_in else { panic!("{log_in:?}") };
        assert!(matches!(reason, HashError::Method(MethodError::Raises(_))), "{value}");

        let refusal = users.hash_plaintext_passwords(None::<&[&str]>, false);
        assert!(matches!(refusal, Err(Error::InvalidHash { .. })), "{value}");
        users.set_password("alice", &Password::from(GOOD), false).unwrap();
        assert!(is_current_hash_of(&stored(&database, "alice"), GOOD));
    }
}

#[test]
fn plaintext_of_unreachable_name_is_not_lost() {
    let database = Sqlite::with(LOOSE_TABLE);
    let mut users = init(&database);
    database.execute("INSERT INTO users VALUES ('alice', 'secret123', 'en')");
    database.execute("INSERT INTO users VALUES (NULL, 'secret123', 'en')");
    let refusal = users.hash_plaintext_passwords(None::<&[&str]>, false);
    assert!(matches!(refusal, Err(Error::UnreachableName(StoredText::Null))), "{refusal:?}");
    let values = database.query("SELECT password_hash FROM users");
    assert_eq!(values, ["secret123", "secret123"]);
}

#[test]
fn language_of_any_type_is_shown_and_replaceable() {
    for (value, expected) in [
        ("NULL", StoredText::Null),
        ("x'656e'", blob("en")),
        ("7", blob("7")),
        ("CAST(x'656eff' AS TEXT)", StoredText::InvalidText(b"en\xff".to_vec())),
        ("''", StoredText::Text(String::new())),
    ] {
        let database = Sqlite::with(LOOSE_TABLE);
        let mut users = init(&database);
        database.execute(&format!("INSERT INTO users VALUES ('alice', '!', {value})"));
        assert_eq!(users.get("alice").unwrap().unwrap().language, expected);
        assert!(users.set_language("alice", &"en".parse().unwrap()).unwrap(), "{value}");
        assert_eq!(database.query("SELECT typeof(language) FROM users"), ["text"]);
    }
}
