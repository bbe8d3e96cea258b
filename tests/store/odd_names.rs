//! Names not allowed for new users, but written by others: such users can be found, changed and
//! removed like others.

use dash_users::{Login, Password, StoredText, UsernameError, Users};

use crate::database::Database;
use crate::support::{GOOD, hash, init, insert, is_current_hash_of, names, stored};

fn long_name(database: &dyn Database) -> String {
    "é".repeat(database.longest_name() / 2)
}

fn odd_names(database: &dyn Database) -> Vec<String> {
    let mut names = [
        "",
        " ",
        "alice ",
        " alice",
        "al  ice",
        "al\nice",
        "al\tice",
        "alice\r",
        "a:b",
        "-rf",
        "🙂\u{200d}🙂",
        "e\u{301}",
        "\u{feff}alice",
        "\u{202e}ecila",
        "\u{1b}[31malice",
        "\u{9b}31malice",
        "\\N",
        "%",
        "o'hara",
        "'; DROP TABLE users; --",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push(long_name(database));
    names
}

/// Uses, changes and removes a user, whatever the name.
fn use_and_remove(database: &dyn Database, users: &mut Users, name: &str) {
    let secret = Password::from("secret");
    let accepted = Login::Accepted { outdated: false };

    let user = users.get(name).unwrap().unwrap();
    assert_eq!(user.username, StoredText::Text(name.to_owned()));
    assert_eq!(users.log_in(name, &secret).unwrap(), accepted);
    users.rehash(name, &secret).unwrap();
    assert_eq!(users.log_in(name, &secret).unwrap(), accepted);
    assert!(users.set_language(name, &"fr".parse().unwrap()).unwrap());
    users.set_password(name, &Password::from(GOOD), false).unwrap();
    assert!(is_current_hash_of(&stored(database, name), GOOD));
    assert_eq!(users.references(name).unwrap(), []);
    assert_eq!(users.remove(&[name], false).unwrap(), [true]);
    assert_eq!(users.get(name).unwrap(), None);
}

fn invalid_names_can_be_listed_changed_and_removed(database: &dyn Database) {
    let mut users = init(database);
    let mut expected = odd_names(database);
    for name in &expected {
        insert(database, name, &hash("secret"));
    }
    expected.sort();
    let listed: Vec<_> = users.list().unwrap().into_iter().map(|user| user.username).collect();
    assert!(listed == expected.iter().cloned().map(StoredText::Text).collect::<Vec<_>>());
    for name in &expected {
        use_and_remove(database, &mut users, name);
    }
    assert!(names(database).is_empty());
}

fn names_differing_by_case_or_blanks_are_distinct(database: &dyn Database) {
    let mut users = init(database);
    for name in ["alice", "Alice", "alice ", "ALICE"] {
        insert(database, name, &hash("secret"));
    }
    assert_eq!(users.remove(&["Alice", "alice "], false).unwrap(), [true, true]);
    users.set_password("alice", &Password::from(GOOD), false).unwrap();
    assert!(is_current_hash_of(&stored(database, "alice"), GOOD));
    assert!(is_current_hash_of(&stored(database, "ALICE"), "secret"));
    assert_eq!(users.list().unwrap().len(), 2);
}

fn invalid_names_are_rehashed_and_shown_escaped(database: &dyn Database) {
    let mut users = init(database);
    for name in odd_names(database) {
        insert(database, &name, "plaintext password");
    }
    for user in users.list().unwrap() {
        let shown = user.username.to_string();
        assert!(!shown.contains(dash_users::is_unsafe_to_print), "{shown:?}");
    }
    users.hash_plaintext_passwords(None::<&[&str]>, false).unwrap();
    for name in odd_names(database) {
        assert!(is_current_hash_of(&stored(database, &name), "plaintext password"));
    }
}

fn new_name_can_be_similar_to_invalid_one(database: &dyn Database) {
    let mut users = init(database);
    insert(database, "alice ", "!");
    insert(database, "bob:", "!");
    users.check_new(&"Alice".parse().unwrap(), false).unwrap();
    assert_eq!("Bob:".parse::<dash_users::Username>(), Err(UsernameError::Colon));
}

on_every_database! {
    invalid_names_can_be_listed_changed_and_removed,
    names_differing_by_case_or_blanks_are_distinct,
    invalid_names_are_rehashed_and_shown_escaped,
    new_name_can_be_similar_to_invalid_one,
}
