//! Upgrading hashes, without undoing concurrent changes.

use std::thread;

use dash_users::{Error, HashError, Login, LoginRefusal, Password, StoredText, Users};

use crate::database::Database;
use crate::hooks::with_hook;
use crate::support::{
    GOOD, METHOD, OUTDATED, hash, hash_with, hashed, init, insert, is_current_hash_of, literal,
    locked, method, new_user, open, over_limit, rows, stored,
};

/// The result of a login, and whether the hash was replaced.
type Outcome = (Login, bool);

const UPGRADED: Outcome = (Login::Accepted { outdated: true }, true);
const LOST: Outcome = (Login::Accepted { outdated: true }, false);

fn upgrade(users: &mut Users, username: &str, password: &str) -> Outcome {
    let password = Password::from(password);
    let (log_in, upgraded) = users.log_in_and_upgrade(username, &password).unwrap();
    (log_in, upgraded.unwrap())
}

fn rehash(users: &mut Users, username: &str, password: &str) -> Result<(), Error> {
    users.rehash(username, &Password::from(password))
}

/// The users of a database in which another program runs `sql` before each change.
fn interleaved(database: &dyn Database, sql: String) -> Users {
    let app = database.app();
    with_hook(database, move || {
        app(&sql);
        Ok(())
    })
}

fn correct_password_upgrades_outdated_hash(database: &dyn Database) {
    let mut users = init(database);
    for outdated in [OUTDATED, "pbkdf2:sha512:10"] {
        database.execute("DELETE FROM users");
        insert(database, "alice", &hash_with(outdated, "secret"));
        assert_eq!(upgrade(&mut users, "alice", "secret"), UPGRADED);
        assert!(is_current_hash_of(&stored(database, "alice"), "secret"));
        let again = upgrade(&mut users, "alice", "secret");
        assert_eq!(again, (Login::Accepted { outdated: false }, false));
    }
}

fn upgrade_needs_correct_password_and_outdated_hash(database: &dyn Database) {
    let mut users = init(database);
    insert(database, "alice", &hash_with(OUTDATED, "secret"));
    insert(database, "bob", &hash_with("scrypt:512:8:1", "secret"));
    insert(database, "carol", &locked(&hash_with(OUTDATED, "secret")));
    insert(database, "dave", "secret");
    let before = rows(database);
    for (name, password) in [("alice", "other"), ("carol", "secret"), ("dave", "secret")] {
        let outcome = upgrade(&mut users, name, password);
        assert!(matches!(outcome, (Login::Refused(_), false)), "{name}");
    }
    let refusal = upgrade(&mut users, "zoe", "secret");
    assert_eq!(refusal, (Login::Refused(LoginRefusal::NoSuchUser), false));
    let bob = upgrade(&mut users, "bob", "secret");
    assert_eq!(bob, (Login::Accepted { outdated: false }, false));
    assert_eq!(rows(database), before);
}

fn login_succeeds_if_new_hash_cannot_be_stored(database: &dyn Database) {
    drop(init(database));
    insert(database, "alice", &hash_with(OUTDATED, "secret"));
    let before = rows(database);
    let read_only = Users::open_read_only(database.location()).unwrap();
    let mut users = read_only.with_method(method(METHOD));
    let password = Password::from("secret");
    let (log_in, upgraded) = users.log_in_and_upgrade("alice", &password).unwrap();
    assert_eq!(log_in, Login::Accepted { outdated: true });
    assert!(matches!(upgraded, Err(Error::Store(_))), "{upgraded:?}");
    assert_eq!(rows(database), before);
}

fn concurrent_change_is_kept_by_upgrade(database: &dyn Database) {
    drop(init(database));
    let outdated = hash_with(OUTDATED, "secret");
    let set = |value: &str| format!("UPDATE users SET password_hash = {}", literal(value));
    let (other, locked) = (hash("another password"), locked(&outdated));
    for (sql, left) in [
        (set(&other), vec![format!("alice {other} en")]),
        (set(&locked), vec![format!("alice {locked} en")]),
        ("DELETE FROM users".to_owned(), vec![]),
    ] {
        database.execute("DELETE FROM users");
        insert(database, "alice", &outdated);
        let mut users = interleaved(database, sql.clone());
        assert_eq!(upgrade(&mut users, "alice", "secret"), LOST, "{sql}");
        assert_eq!(rows(database), left, "{sql}");
    }
    insert(database, "alice", &outdated);
    let mut users = interleaved(database, "UPDATE users SET language = 'fr'".to_owned());
    assert_eq!(upgrade(&mut users, "alice", "secret"), UPGRADED);
    assert_eq!(database.query("SELECT language FROM users"), ["fr"]);
    assert!(is_current_hash_of(&stored(database, "alice"), "secret"));
}

fn new_password_wins_over_concurrent_upgrade(database: &dyn Database) {
    drop(init(database));
    for round in 0..20 {
        database.execute("DELETE FROM users");
        insert(database, "alice", &hash_with(OUTDATED, "secret"));
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| upgrade(&mut open(database), "alice", "secret"));
            }
            let password = Password::from(GOOD);
            scope.spawn(move || open(database).set_password("alice", &password, false).unwrap());
        });
        assert!(is_current_hash_of(&stored(database, "alice"), GOOD), "{round}");
    }
}

fn rehash_uses_new_salt_and_keeps_lock(database: &dyn Database) {
    let mut users = init(database);
    let outdated = hash_with(OUTDATED, "secret");
    for before in [hash("secret"), hash_with("scrypt:512:8:1", "secret"), locked(&outdated)] {
        database.execute("DELETE FROM users");
        insert(database, "alice", &before);
        rehash(&mut users, "alice", "secret").unwrap();
        let after = stored(database, "alice");
        assert_eq!(after.starts_with('!'), before.starts_with('!'), "{before}");
        let hash = after.replace('!', "").replace('|', "$");
        assert!(is_current_hash_of(&hash, "secret") && after != before, "{before}");
    }
}

fn rehash_rejection_has_reason(database: &dyn Database) {
    let mut users = init(database);
    insert(database, "alice", &hash("secret"));
    insert(database, "bob", &locked(&hash("secret")));
    insert(database, "carol", "secret");
    insert(database, "dave", &locked(&over_limit()));
    let before = rows(database);
    for name in ["alice", "bob"] {
        let refusal = rehash(&mut users, name, "other");
        assert!(matches!(refusal, Err(Error::WrongPassword)), "{name}: {refusal:?}");
    }
    let refusal = rehash(&mut users, "carol", "secret");
    let Err(Error::InvalidHash { username, reason }) = refusal else { panic!("{refusal:?}") };
    assert_eq!(username, StoredText::Text("carol".to_owned()));
    assert!(matches!(reason, HashError::NeverMatches(_)));
    let refusal = rehash(&mut users, "dave", "secret");
    assert!(matches!(refusal, Err(Error::InvalidHash { .. })), "{refusal:?}");
    assert!(matches!(rehash(&mut users, "zoe", "secret"), Err(Error::NoSuchUser(_))));
    assert_eq!(rows(database), before);
}

fn rehash_does_not_undo_concurrent_change(database: &dyn Database) {
    drop(init(database));
    insert(database, "alice", &hash("secret"));
    let meanwhile = hash("another password");
    let mut users =
        interleaved(database, format!("UPDATE users SET password_hash = {}", literal(&meanwhile)));
    let refusal = rehash(&mut users, "alice", "secret");
    assert!(matches!(refusal, Err(Error::ConcurrentChange(_))), "{refusal:?}");
    assert_eq!(stored(database, "alice"), meanwhile);
}

fn plaintext_changed_concurrently_is_not_hashed(database: &dyn Database) {
    drop(init(database));
    insert(database, "alice", "plover");
    insert(database, "bob", "xyzzy");
    let change = "UPDATE users SET password_hash = 'quux' WHERE username = 'bob'";
    let mut users = interleaved(database, change.to_owned());
    let refusal = users.hash_plaintext_passwords(None::<&[&str]>, false);
    let Err(Error::ConcurrentChange(name)) = refusal else { panic!("{refusal:?}") };
    assert_eq!(name, StoredText::Text("bob".to_owned()));
    assert_eq!(rows(database), ["alice plover en", "bob quux en"]);
}

fn user_added_concurrently_is_not_added_again(database: &dyn Database) {
    drop(init(database));
    let app_s = hash("the app's");
    let insert = format!("INSERT INTO users VALUES ('alice', {}, 'en')", literal(&app_s));
    let mut users = interleaved(database, insert);
    assert!(users.is_empty().unwrap());
    let added = users.add_if_empty(hashed(&[new_user("alice", "secret123")])).unwrap();
    assert!(!added);
    assert_eq!(stored(database, "alice"), app_s);
}

on_every_database! {
    correct_password_upgrades_outdated_hash,
    upgrade_needs_correct_password_and_outdated_hash,
    login_succeeds_if_new_hash_cannot_be_stored,
    concurrent_change_is_kept_by_upgrade,
    new_password_wins_over_concurrent_upgrade,
    rehash_uses_new_salt_and_keeps_lock,
    rehash_rejection_has_reason,
    rehash_does_not_undo_concurrent_change,
    plaintext_changed_concurrently_is_not_hashed,
    user_added_concurrently_is_not_added_again,
}
