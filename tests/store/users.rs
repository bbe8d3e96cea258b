//! Adding, finding, listing, changing and removing users.

use std::cell::Cell;
use std::io::{self, Write};

use dash_users::policy::Violation;
use dash_users::store::CommitHooks;
use dash_users::transfer::Format;
use dash_users::{Error, Language, NewUser, Password, StoredText};

use crate::database::Database;
use crate::support::{
    GOOD, METHOD, add, hash, hashed, init, insert, is_current_hash_of, locked, method, names,
    new_user, rows, stored, with_users,
};

fn text(text: &str) -> StoredText {
    StoredText::Text(text.to_owned())
}

fn language(tag: &str) -> Language {
    tag.parse().unwrap()
}

fn added_user_is_found_as_given(database: &dyn Database) {
    let mut users = init(database);
    let mut new = NewUser::new("Zoë Quinn".parse().unwrap(), Password::from(GOOD));
    new.language = language("pt-BR");
    users.add(&new).unwrap();

    let user = users.get("Zoë Quinn").unwrap().unwrap();
    assert_eq!(user.username, text("Zoë Quinn"));
    assert_eq!(user.language, text("pt-BR"));
    assert_eq!(user.method, Some(method(METHOD)));
    assert!(!user.locked && !user.outdated);
    assert_eq!(users.list().unwrap(), [user]);
    assert!(is_current_hash_of(&stored(database, "Zoë Quinn"), GOOD));
}

fn unknown_name_is_not_found(database: &dyn Database) {
    let mut users = with_users(database, &["alice"]);
    for other in ["", "Alice", "alice ", "alic", "alice%", "al_ce"] {
        assert_eq!(users.get(other).unwrap(), None, "{other:?}");
    }
}

fn list_is_ordered_by_bytes_of_names(database: &dyn Database) {
    // No locale orders these so, and UTF-16 has U+FB01 after the last one.
    let ordered = ["B", "Z", "a", "a b", "a-b", "a1", "aa", "z", "é", "李雷", "ﬁ", "🙂"];
    let mut users = init(database);
    for name in ["🙂", "é", "a1", "z", "B", "aa", "ﬁ", "a-b", "Z", "李雷", "a b", "a"] {
        let mut new = new_user(name, "secret");
        new.allow_similar = true;
        users.add(&new).unwrap();
    }
    let listed: Vec<_> = users.list().unwrap().into_iter().map(|user| user.username).collect();
    assert_eq!(listed, ordered.map(text));
}

fn add_rejects_taken_name(database: &dyn Database) {
    let mut users = with_users(database, &["alice"]);
    let before = rows(database);
    let mut new = new_user("alice", GOOD);
    for allow_similar in [false, true] {
        new.allow_similar = allow_similar;
        let refusals = [users.add(&new), users.check_new(&new.username, allow_similar)];
        for refusal in refusals {
            assert!(matches!(refusal, Err(Error::UserExists(name)) if name.as_str() == "alice"));
        }
    }
    assert_eq!(rows(database), before);
}

fn add_rejects_similar_name_unless_allowed(database: &dyn Database) {
    let mut users = with_users(database, &["alice"]);
    let mut new = new_user("Alice", GOOD);
    for refusal in [users.add(&new), users.check_new(&new.username, false)] {
        let Err(Error::SimilarUser { username, existing }) = refusal else {
            panic!("{refusal:?}");
        };
        assert_eq!((username.as_str(), existing), ("Alice", text("alice")));
    }
    assert_eq!(names(database), ["alice"]);

    users.check_new(&new.username, true).unwrap();
    new.allow_similar = true;
    users.add(&new).unwrap();
    assert!(users.get("Alice").unwrap().is_some());
    assert!(users.get("alice").unwrap().is_some());
}

fn names_differing_otherwise_are_not_similar(database: &dyn Database) {
    let mut users = with_users(database, &["alice_ö"]);
    for other in ["alice_Ö", "alicexö", "alice%", "alice_ö1"] {
        users.check_new(&other.parse().unwrap(), false).unwrap();
    }
}

fn password_violating_policy_changes_nothing(database: &dyn Database) {
    let mut users = with_users(database, &["alice"]);
    let before = rows(database);
    let long = "é".repeat(513);
    for (password, allow_weak, reason) in [
        ("", true, Violation::Empty),
        ("plover\txyzzy-quux", true, Violation::ControlCharacter),
        (long.as_str(), true, Violation::TooLong),
        ("héllo!7", false, Violation::TooShort),
        ("secret123", false, Violation::Guessable),
    ] {
        let mut new = new_user("bob", password);
        new.allow_weak = allow_weak;
        let password = Password::from(password);
        for refusal in [users.add(&new), users.set_password("alice", &password, allow_weak)] {
            assert!(matches!(refusal, Err(Error::Password(why)) if why == reason), "{refusal:?}");
        }
    }
    assert_eq!(rows(database), before);
}

fn weak_password_is_accepted_if_allowed(database: &dyn Database) {
    let mut users = init(database);
    users.add(&new_user("alice", "a")).unwrap();
    assert!(is_current_hash_of(&stored(database, "alice"), "a"));
    users.set_password("alice", &Password::from("b"), true).unwrap();
    assert!(is_current_hash_of(&stored(database, "alice"), "b"));
}

fn username_counts_as_guessable(database: &dyn Database) {
    let mut users = with_users(database, &["gwrkpzqhvx", "alice"]);
    let password = Password::from("gwrkpzqhvx");
    let refusal = users.set_password("gwrkpzqhvx", &password, false);
    assert!(matches!(refusal, Err(Error::Password(Violation::Guessable))));
    users.set_password("alice", &password, false).unwrap();
}

fn new_password_replaces_value_of_one_user(database: &dyn Database) {
    let mut users = with_users(database, &["bob"]);
    let bob = stored(database, "bob");
    for value in ["", "!", "clear", "$2b$12$abcdefghijklmnopqrstuv", &hash("secret")] {
        let name = format!("user{}", value.len());
        insert(database, &name, value);
        users.set_password(&name, &Password::from(GOOD), false).unwrap();
        assert!(is_current_hash_of(&stored(database, &name), GOOD), "{value:?}");
    }
    assert_eq!(stored(database, "bob"), bob);
}

fn new_password_keeps_lock(database: &dyn Database) {
    let mut users = init(database);
    insert(database, "alice", &locked(&hash("secret")));
    users.set_password("alice", &Password::from(GOOD), false).unwrap();
    assert!(users.get("alice").unwrap().unwrap().locked);

    let value = stored(database, "alice");
    assert!(value.starts_with("!scrypt:256:8:1|") && !value.contains('$'), "{value}");
    assert!(is_current_hash_of(&value[1..].replace('|', "$"), GOOD));
}

fn language_is_changed_once(database: &dyn Database) {
    let mut users = with_users(database, &["alice"]);
    let hash = stored(database, "alice");
    assert!(users.set_language("alice", &language("fr")).unwrap());
    assert!(!users.set_language("alice", &language("fr")).unwrap());
    // Tags are the same whatever their case, but what is stored is what the app compares.
    assert!(users.set_language("alice", &language("FR")).unwrap());
    assert_eq!(users.get("alice").unwrap().unwrap().language, text("FR"));
    assert_eq!(stored(database, "alice"), hash);
}

fn changes_reject_unknown_user(database: &dyn Database) {
    let mut users = with_users(database, &["alice"]);
    let before = rows(database);
    let refusals = [
        users.set_password("Alice", &Password::from(GOOD), false),
        users.set_language("Alice", &language("fr")).map(drop),
        users.remove(&["Alice"], false).map(drop),
        users.rehash("Alice", &Password::from("secret")),
        users.hash_plaintext_passwords(Some(&["Alice"]), false).map(drop),
    ];
    for refusal in refusals {
        assert!(
            matches!(&refusal, Err(Error::NoSuchUser(name)) if *name == text("Alice")),
            "{refusal:?}"
        );
    }
    assert_eq!(rows(database), before);
}

fn remove_is_all_or_none(database: &dyn Database) {
    let mut users = with_users(database, &["alice", "bob", "carol", "dave"]);
    let refusal = users.remove(&["alice", "zoe", "bob"], false);
    assert!(matches!(refusal, Err(Error::NoSuchUser(name)) if name == text("zoe")));
    assert_eq!(names(database), ["alice", "bob", "carol", "dave"]);

    assert_eq!(users.remove(&["dave", "alice"], false).unwrap(), [true, true]);
    assert_eq!(names(database), ["bob", "carol"]);
}

fn remove_if_exists_skips_unknown_users(database: &dyn Database) {
    let mut users = with_users(database, &["alice", "bob", "carol"]);
    for (remove, if_exists, expected) in [
        (&["zoe", "alice", "yan"][..], true, &[false, true, false][..]),
        (&["zoe"], true, &[false]),
        (&[], false, &[]),
        (&["zoe", "zoe"], true, &[false, false]),
        (&["carol", "carol"], false, &[true, true]),
    ] {
        assert_eq!(users.remove(remove, if_exists).unwrap(), expected, "{remove:?}");
    }
    assert_eq!(names(database), ["bob"]);
}

fn demo_users_are_added_to_empty_table_only(database: &dyn Database) {
    let mut users = init(database);
    let twice = [new_user("alice", "a"), new_user("bob", "b"), new_user("alice", "c")];
    assert!(matches!(users.add_if_empty(hashed(&twice)), Err(Error::Store(_))));
    assert!(names(database).is_empty());

    let mut bob = new_user("bob", "pa$$w0rd");
    bob.language = language("fr");
    let demo = [new_user("alice", "secret123"), bob];
    assert!(users.add_if_empty(hashed(&demo)).unwrap());
    assert_eq!(names(database), ["alice", "bob"]);
    assert!(is_current_hash_of(&stored(database, "bob"), "pa$$w0rd"));

    assert_eq!(users.remove(&["alice"], false).unwrap(), [true]);
    let before = rows(database);
    assert!(!users.add_if_empty(hashed(&demo)).unwrap());
    assert_eq!(rows(database), before);
}

fn lock_and_unlock_are_all_or_none(database: &dyn Database) {
    let mut users = with_users(database, &["alice", "bob"]);
    let before = rows(database);
    assert_eq!(users.lock(&["alice"]).unwrap(), [true]);
    assert_eq!(users.lock(&["bob", "alice"]).unwrap(), [true, false]);
    assert!(users.list().unwrap().iter().all(|user| user.locked));
    let locked = rows(database);
    assert!(matches!(users.unlock(&["alice", "zoe"]), Err(Error::NoSuchUser(_))));
    assert_eq!(rows(database), locked);
    assert_eq!(users.unlock(&["alice", "bob", "alice"]).unwrap(), [true, true, false]);
    assert_eq!(rows(database), before);
}

fn export_counts_users_and_returns_output_error(database: &dyn Database) {
    /// Accepts this number of bytes.
    struct Output(usize);

    impl Write for Output {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut users = with_users(database, &["alice", "bob", "zoe"]);
    for format in [Format::Csv, Format::Json] {
        let (output, count) = users.export(Output(100_000), format, true).unwrap().unwrap();
        assert_eq!(count, 3);
        let written = 100_000 - output.0;
        for room in [0, 30, written / 2, written - 1] {
            let failure = users.export(Output(room), format, true).unwrap().err();
            let kind = failure.map(|error| error.kind());
            assert_eq!(kind, Some(io::ErrorKind::StorageFull), "{format:?} {room}");
        }
    }
}

fn commit_hooks_run_around_commit(database: &dyn Database) {
    thread_local! {
        static ANNOUNCED: Cell<u32> = const { Cell::new(0) };
    }

    let mut users = init(database).with_commit_hooks(CommitHooks {
        before: || ANNOUNCED.set(ANNOUNCED.get() + 1),
        ..CommitHooks::default()
    });
    add(&mut users, "alice");
    assert_eq!(ANNOUNCED.get(), 1);
    assert!(users.add(&new_user("alice", GOOD)).is_err());
    assert!(users.get("alice").unwrap().is_some());
    assert_eq!(ANNOUNCED.get(), 1);
    users.remove(&["alice"], false).unwrap();
    assert_eq!(ANNOUNCED.get(), 2);
}

on_every_database! {
    lock_and_unlock_are_all_or_none,
    added_user_is_found_as_given,
    unknown_name_is_not_found,
    list_is_ordered_by_bytes_of_names,
    add_rejects_taken_name,
    add_rejects_similar_name_unless_allowed,
    names_differing_otherwise_are_not_similar,
    password_violating_policy_changes_nothing,
    weak_password_is_accepted_if_allowed,
    username_counts_as_guessable,
    new_password_replaces_value_of_one_user,
    new_password_keeps_lock,
    language_is_changed_once,
    changes_reject_unknown_user,
    remove_is_all_or_none,
    remove_if_exists_skips_unknown_users,
    demo_users_are_added_to_empty_table_only,
    export_counts_users_and_returns_output_error,
    commit_hooks_run_around_commit,
}
