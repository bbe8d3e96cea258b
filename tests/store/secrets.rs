//! No message and no `Debug` shows a password or a stored value.

use std::error::Error;

use dash_users::store::{self, Access, Row, StoredSecret};
use dash_users::{Credential, NewCredential, Password, PasswordHash, StoredText};

use crate::database::Database;
use crate::support::{hash, hash_with, init, insert, locked, new_user, open, over_limit};

/// A plaintext password that occurs in no other text here.
const CLEAR: &str = "qwzx-7391";

/// Every piece of a stored value of at least four characters that could reveal part of it.
fn pieces(value: &str) -> Vec<&str> {
    // A method may be shown.
    let is_method = |piece: &str| ["scrypt", "pbkdf2", "sha256", "salt"].contains(&piece);
    let is_number = |piece: &str| piece.bytes().all(|byte| byte.is_ascii_digit());
    let pieces = value.split(['$', '|', '!', '{', '}', ':', ' ', '\t']);
    pieces.filter(|piece| piece.len() > 3 && !is_method(piece) && !is_number(piece)).collect()
}

fn assert_shows_nothing(shown: &str, value: &str) {
    for piece in pieces(value) {
        assert!(!shown.contains(piece), "{shown} shows {piece}");
    }
}

/// An error as it is shown, with its sources.
fn shown(error: &dyn Error) -> String {
    let source = error.source().map(shown).unwrap_or_default();
    format!("{error} {error:?} {source}")
}

/// Values of every kind; each that is not a hash contains a plaintext password.
fn values() -> Vec<String> {
    let hash = hash(CLEAR);
    vec![
        hash.clone(),
        locked(&hash),
        format!("!{hash}"),
        hash_with("pbkdf2:sha256:10", CLEAR),
        over_limit(),
        hash[..hash.len() - 1].to_owned(),
        CLEAR.to_owned(),
        format!("{CLEAR}\t"),
        format!("${CLEAR}$"),
        format!("{CLEAR}$"),
        format!("scrypt:{CLEAR}:8:1$salt$ff"),
        format!("pbkdf2:{CLEAR}:1$salt$ff"),
        format!("{{SSHA}}{CLEAR}"),
    ]
}

fn errors_show_no_password_or_stored_value(database: &dyn Database) {
    let mut users = init(database);
    let other = Password::from("othr-5512");
    for value in values() {
        database.execute("DELETE FROM users");
        insert(database, "alice", &value);
        let errors = [
            users.rehash("alice", &other).err(),
            users.hash_plaintext_passwords(None::<&[&str]>, false).err(),
            users.hash_plaintext_passwords(Some(&["zoe"]), false).err(),
            users.add(&new_user("alice", CLEAR)).err(),
            users.add(&new_user("Alice", CLEAR)).err(),
            users.set_password("zoe", &Password::from(CLEAR), false).err(),
            users.set_password("alice", &Password::from(format!("{CLEAR}\n")), true).err(),
            users.set_password("alice", &Password::from(&CLEAR[..7]), false).err(),
        ];
        for error in errors.iter().flatten() {
            let shown = shown(error);
            assert_shows_nothing(&shown, &value);
            assert_shows_nothing(&shown, "qwzx-73 othr-5512");
        }
        let log_in = users.log_in("alice", &other).unwrap();
        assert_shows_nothing(&format!("{log_in:?}"), &value);
    }
}

fn constraint_error_shows_no_stored_value(database: &dyn Database) {
    database.execute(
        "CREATE TABLE users (username TEXT PRIMARY KEY,
             password_hash TEXT NOT NULL CHECK (length(password_hash) < 9),
             language TEXT NOT NULL)",
    );
    let mut users = init(database);
    insert(database, "alice", "!");
    let password = Password::from(CLEAR);
    let errors = [
        users.add(&new_user("bob", CLEAR)).unwrap_err(),
        users.set_password("alice", &password, true).unwrap_err(),
    ];
    for error in errors {
        // The hash is random, but its parts are long: nothing long may be there.
        let shown = shown(&error);
        let longest = shown.split(|c: char| !c.is_ascii_hexdigit()).map(str::len).max();
        assert!(longest < Some(32), "{shown}");
        assert_shows_nothing(&shown, CLEAR);
    }
}

fn taken_name_error_shows_no_stored_value(database: &dyn Database) {
    drop(init(database));
    let hash: PasswordHash = hash(CLEAR).parse().unwrap();
    insert(database, "alice", &hash.to_string());
    let mut store = store::open(database.location(), Access::Write).unwrap();
    let mut transaction = store.begin(Access::Write).unwrap();
    let (name, language) = ("alice".parse().unwrap(), "en".parse().unwrap());
    let error = transaction.insert(&name, &hash.clone().into(), &language).unwrap_err();
    assert_shows_nothing(&shown(&error), &hash.to_string());
}

fn debug_of_row_shows_no_stored_value(database: &dyn Database) {
    drop(init(database));
    for value in values() {
        database.execute("DELETE FROM users");
        insert(database, "alice", &value);
        let mut store = store::open(database.location(), Access::Read).unwrap();
        let row: Row = store.begin(Access::Read).unwrap().get(b"alice").unwrap().unwrap();
        assert_eq!(row.secret.expose(), &StoredText::Text(value.clone()));
        let user = open(database).get("alice").unwrap();
        let credential = row.secret.credential();
        assert_eq!(format!("{:?}", row.secret), "StoredSecret(…)");
        for shown in [
            format!("{row:?} {row:#?}"),
            format!("{credential:?} {:?}", credential.hash()),
            format!("{user:?}"),
        ] {
            assert_shows_nothing(&shown, &value);
        }
    }
}

#[test]
fn debug_of_new_credential_shows_no_value() {
    let hash: PasswordHash = hash(CLEAR).parse().unwrap();
    let new = NewCredential::from(hash.clone());
    let secret = StoredSecret::from(StoredText::Blob(hash.to_string().into_bytes()));
    let active = Credential::Active(hash.clone());
    let shown = format!("{hash:?} {new:?} {secret:?} {active:?}");
    assert_shows_nothing(&shown, &hash.to_string());
    assert_shows_nothing(&format!("{:?}", new_user("alice", CLEAR)), CLEAR);
}

/// Rejected logins are logged in the same words for every user.
fn rejected_login_shows_no_password(database: &dyn Database) {
    let mut users = init(database);
    insert(database, "alice", &hash(CLEAR));
    for (name, password) in [("alice", CLEAR), ("alice", "othr-5512"), ("zoe", CLEAR)] {
        let log_in = users.log_in(name, &Password::from(password)).unwrap();
        assert_shows_nothing(&format!("{log_in:?}"), "qwzx-7391 othr-5512");
    }
}

on_every_database! {
    errors_show_no_password_or_stored_value,
    constraint_error_shows_no_stored_value,
    taken_name_error_shows_no_stored_value,
    debug_of_row_shows_no_stored_value,
    rejected_login_shows_no_password,
}
