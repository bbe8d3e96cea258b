//! Encodings, types and collations of columns, and settings of the database.

use dash_users::{Error, Login, NewFile, OnConflict, Password, Severity, StoreError, Users};

use super::adopting::with_collation;
use crate::accounts::groups;
use crate::database::{Database, Postgres};
use crate::support::{
    GOOD, TUTORIAL_TABLE, add, add_group, counts, found, import, init, new_user, open, options,
    similar_user, stored, with_users,
};

#[test]
fn invalid_utf_8_does_not_break_commands() {
    let Some(database) = Postgres::encoded("SQL_ASCII") else { return };
    database.execute(TUTORIAL_TABLE);
    let mut users = with_users(&database, &["zoë"]);
    database.execute(
        "SET client_encoding = 'SQL_ASCII';
         INSERT INTO users VALUES (E'odd\\xff', 'x', E'\\xfe');
         INSERT INTO user_groups VALUES (E'odd\\xff', E'g\\xff')",
    );
    assert_eq!(users.list().unwrap().len(), 2);
    let codes: Vec<_> = found(&mut users).into_iter().map(|(code, ..)| code).collect();
    assert!(codes.contains(&"name_not_text") && codes.contains(&"language_not_text"), "{codes:?}");
    assert!(users.history(None, None).unwrap().len() >= 2);
    users.lock(&["zoë"]).unwrap();
    let odd = users.list().unwrap().into_iter().map(|user| user.username);
    let odd = odd.into_iter().find(|name| name.to_string() != "zoë").unwrap();
    database.execute(&format!(
        "SET client_encoding = 'SQL_ASCII'; {}",
        dash_users::store::sql_to_remove(database.location(), &odd)
    ));
    assert_eq!(users.list().unwrap().len(), 1);
}

#[test]
fn name_outside_encoding_is_not_found() {
    let Some(database) = Postgres::encoded("LATIN1") else { return };
    let mut users = with_users(&database, &["zoë"]);
    let name = "д";
    assert!(users.get(name).unwrap().is_none());
    assert!(matches!(users.remove(&[name], false), Err(Error::NoSuchUser(_))));
    assert!(matches!(users.lock(&["zoë", name]), Err(Error::NoSuchUser(_))));
    assert!(matches!(users.log_in(name, &Password::from("secret")).unwrap(), Login::Refused(_)));
    let history = users.history(Some(name.as_bytes()), None);
    assert!(matches!(history, Err(Error::NoSuchUser(_))), "{history:?}");
    let added = users.add(&new_user(name, GOOD));
    assert!(matches!(added, Err(Error::Store(StoreError::NotEncodable { .. }))), "{added:?}");
    let file = format!("username,password\nyan,{GOOD}\n{name},{GOOD}");
    let imported = import(&mut users, options(OnConflict::Skip), &file);
    assert!(matches!(imported, Err(Error::Store(StoreError::NotEncodable { .. }))));
    assert_eq!(users.list().unwrap().len(), 1);
}

#[test]
fn citext_in_other_schema_compares_like_column() {
    let Some(database) = Postgres::new() else { return };
    let sql = "CREATE SCHEMA extensions; CREATE EXTENSION citext SCHEMA extensions;
               GRANT USAGE ON SCHEMA extensions TO PUBLIC";
    // Not every server has the extension.
    if database.superuser().batch_execute(sql).is_err() {
        return;
    }
    database.execute(
        "CREATE TABLE users (username extensions.citext PRIMARY KEY, password_hash text NOT NULL,
             language text NOT NULL)",
    );
    let mut users = with_users(&database, &["alice"]);
    assert!(matches!(users.add(&similar_user("ALICE")), Err(Error::UserExists(_))));
    users.lock(&["ALICE"]).unwrap();
    let file = format!("username,password\nALICE,{GOOD}\nzoe,{GOOD}");
    assert_eq!(counts(import(&mut users, options(OnConflict::Skip), &file).unwrap()), [1, 0, 0, 1]);
    users.remove(&["ALICE"], false).unwrap();
}

#[test]
fn column_types_that_change_values_are_rejected() {
    for (columns, part) in [
        ("username char(20) PRIMARY KEY, password_hash text, language text", "char(n)"),
        ("username text PRIMARY KEY, password_hash char(200), language text", "char(n)"),
        ("username text PRIMARY KEY, password_hash outer_hash, language text", "100 characters"),
    ] {
        let Some(database) = Postgres::with(
            "CREATE DOMAIN inner_hash AS varchar(100); CREATE DOMAIN outer_hash AS inner_hash",
        ) else {
            return;
        };
        database.execute(&format!("CREATE TABLE users ({columns})"));
        let refusal = Users::init(database.location(), &NewFile::default()).unwrap_err();
        assert!(refusal.to_string().contains(part), "{columns}: {refusal}");
        // The SQL in the message repairs it.
        let message = refusal.to_string();
        let (_, repair) = message.split_once(": ALTER").unwrap();
        database.execute(&format!("ALTER{repair}"));
        add(&mut init(&database), "alice");
    }
}

#[test]
fn case_insensitive_hash_column_records_change() {
    let Some(database) = with_collation() else { return };
    database.execute(
        "CREATE TABLE users (username text COLLATE alike PRIMARY KEY,
             password_hash text COLLATE alike NOT NULL, language text COLLATE alike NOT NULL)",
    );
    let mut users = with_users(&database, &["alice"]);
    add_group(&mut users, "alice", "staff");
    users.lock(&["alice"]).unwrap();
    users.unlock(&["alice"]).unwrap();
    database.execute("DELETE FROM user_events");
    database.execute("UPDATE users SET password_hash = upper(password_hash)");
    database.execute("UPDATE users SET username = 'zoe', password_hash = 'x'");
    let events = "SELECT action || ' ' || username FROM user_events ORDER BY id";
    assert_eq!(database.query(events), ["passwd alice", "rename alice", "passwd zoe"]);
    assert_eq!(groups(&mut users, "zoe"), ["staff"]);
}

#[test]
fn database_settings_change_nothing() {
    for setting in [
        "quote_all_identifiers = on",
        "standard_conforming_strings = off",
        "default_transaction_isolation = serializable",
        "idle_in_transaction_session_timeout = 300",
        "row_security = on",
        "lock_timeout = 1",
        "escape_string_warning = off",
        "bytea_output = escape",
    ] {
        let Some(database) = Postgres::with(TUTORIAL_TABLE) else { return };
        database.set(setting);
        let mut users = with_users(&database, &["alice"]);
        add_group(&mut users, "alice", "staff");
        users.rename("alice", &"zoe".parse().unwrap(), false).unwrap();
        assert_eq!(
            found(&mut users),
            [("hash_weak", Severity::Info, "zoe".to_owned())],
            "{setting}"
        );
        assert_eq!(users.repair().unwrap(), [], "{setting}");
        assert_eq!(groups(&mut open(&database), "zoe"), ["staff"], "{setting}");
        assert!(stored(&database, "zoe").starts_with("scrypt:"));
    }
}
