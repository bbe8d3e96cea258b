//! Logins: accepted and rejected ones, with reasons.

use dash_users::{HashError, Login, LoginRefusal, MethodError, Password, Users};

use crate::database::Database;
use crate::support::{
    METHOD, OUTDATED, hash, hash_with, init, insert, locked, method, over_limit, rows,
};

const ACCEPTED: Login = Login::Accepted { outdated: false };

fn log_in(users: &mut Users, username: &str, password: &str) -> Login {
    users.log_in(username, &Password::from(password)).unwrap()
}

fn login_needs_user_password_and_no_lock(database: &dyn Database) {
    let mut users = init(database);
    insert(database, "alice", &hash("secret"));
    insert(database, "carol", &locked(&hash("secret")));
    let refused = Login::Refused;
    let locked = |is_match| refused(LoginRefusal::Locked { password_matches: Some(is_match) });
    let cases = [
        ("alice", "secret", ACCEPTED),
        ("carol", "secret", locked(true)),
        ("carol", "other", locked(false)),
    ];
    let wrong = ["", "Secret", "secret ", "secre", "secret\u{301}"];
    let wrong = wrong.map(|password| ("alice", password, refused(LoginRefusal::WrongPassword)));
    let unknown = ["", "Alice", "alice ", "bob"];
    let unknown = unknown.map(|name| (name, "secret", refused(LoginRefusal::NoSuchUser)));
    for (name, password, expected) in cases.into_iter().chain(wrong).chain(unknown) {
        assert_eq!(log_in(&mut users, name, password), expected, "{name:?} {password:?}");
    }
}

fn login_rejects_locked_user_with_unusable_hash(database: &dyn Database) {
    let mut users = init(database);
    let unsupported = format!("pbkdf2:sha384:1000$salt${}", "0".repeat(96));
    for value in [over_limit(), unsupported] {
        database.execute("DELETE FROM users");
        insert(database, "alice", &locked(&value));
        let refusal = Login::Refused(LoginRefusal::Locked { password_matches: None });
        assert_eq!(log_in(&mut users, "alice", "secret"), refusal);
        assert!(users.get("alice").unwrap().unwrap().locked);
    }
}

fn login_rejects_value_that_is_not_a_hash(database: &dyn Database) {
    let mut users = init(database);
    let hash = hash("secret");
    let truncated = &hash[..hash.len() - 1];
    let locked_twice = format!("!!{hash}");
    // The value itself is tried as a password: a plaintext password must not be accepted either.
    for value in ["", "!", "*", "secret", truncated, &locked(truncated)] {
        assert!(matches!(reason(database, &mut users, value), HashError::NeverMatches(_)));
    }
    for value in ["$2b$12$abcdefghijklmnopqrstuv", "sha256$salt$ff", &locked_twice] {
        let reason = reason(database, &mut users, value);
        assert!(matches!(reason, HashError::Method(MethodError::Raises(_))), "{value}");
    }
    let reason = reason(database, &mut users, &over_limit());
    assert!(matches!(reason, HashError::Method(MethodError::OverLimit(_))));
}

/// The reason why a stored value is rejected.
fn reason(database: &dyn Database, users: &mut Users, value: &str) -> HashError {
    database.execute("DELETE FROM users");
    insert(database, "alice", value);
    let [one, other] = ["secret", value].map(|password| log_in(users, "alice", password));
    assert_eq!(one, other);
    match one {
        Login::Refused(LoginRefusal::Unusable(reason)) => reason,
        other => panic!("{value:?}: {other:?}"),
    }
}

fn login_reports_hash_of_other_method_as_outdated(database: &dyn Database) {
    let mut users = init(database);
    let current = hash("secret").replace(METHOD, "scrypt");
    insert(database, "alice", &hash_with(OUTDATED, "secret"));
    insert(database, "bob", &hash_with("pbkdf2:sha256:1000", "secret"));
    insert(database, "carol", &hash_with("scrypt:512:8:1", "secret"));
    insert(database, "dave", &current);
    for (name, is_outdated) in [("alice", true), ("bob", true), ("carol", false)] {
        let expected = Login::Accepted { outdated: is_outdated };
        assert_eq!(log_in(&mut users, name, "secret"), expected, "{name}");
        assert_eq!(users.get(name).unwrap().unwrap().outdated, is_outdated, "{name}");
    }
    // Without its parameters the method means the default one, with which this is no match.
    let dave = users.get("dave").unwrap().unwrap();
    assert!(dave.outdated && dave.method == Some(method("scrypt:32768:8:1")));
}

fn login_writes_nothing(database: &dyn Database) {
    let mut users = init(database);
    insert(database, "alice", &hash_with(OUTDATED, "secret"));
    insert(database, "bob", &locked(&hash_with(OUTDATED, "secret")));
    let before = rows(database);
    for name in ["alice", "bob", "zoe"] {
        for password in ["secret", "other"] {
            let _ = log_in(&mut users, name, password);
        }
    }
    assert_eq!(rows(database), before);
}

on_every_database! {
    login_needs_user_password_and_no_lock,
    login_rejects_locked_user_with_unusable_hash,
    login_rejects_value_that_is_not_a_hash,
    login_reports_hash_of_other_method_as_outdated,
    login_writes_nothing,
}
