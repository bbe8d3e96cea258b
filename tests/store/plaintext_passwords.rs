//! Hashing plaintext passwords in the `password_hash` column. Hash-like values are rejected.

use std::num::NonZeroUsize;
use std::sync::Mutex;

use dash_users::policy::Violation;
use dash_users::{Error, StoredText, Users};

use crate::database::Database;
use crate::support::{
    OUTDATED, hash, hash_with, init, insert, is_current_hash_of, locked, over_limit, rows, stored,
};

const ALL: Option<&[&str]> = None;

fn text(text: &str) -> StoredText {
    StoredText::Text(text.to_owned())
}

fn rehash_hashes_plaintext_of_tutorial(database: &dyn Database) {
    let mut users = init(database);
    insert(database, "alice", "secret123");
    insert(database, "bob", "pa$$w0rd");
    let done = users.hash_plaintext_passwords(ALL, false).unwrap();
    assert_eq!(done, [(text("alice"), true), (text("bob"), true)]);
    assert!(is_current_hash_of(&stored(database, "alice"), "secret123"));
    assert!(is_current_hash_of(&stored(database, "bob"), "pa$$w0rd"));

    let before = rows(database);
    let again = users.hash_plaintext_passwords(ALL, false).unwrap();
    assert_eq!(again, [(text("alice"), false), (text("bob"), false)]);
    assert_eq!(rows(database), before);
}

fn rehash_in_parallel_hashes_each_users_own_password(database: &dyn Database) {
    let mut users = init(database);
    let names: Vec<_> = (0..10).map(|number| format!("user{number}")).collect();
    insert(database, "user", &hash("secret"));
    for name in &names {
        insert(database, name, &format!("secret of {name}"));
    }
    let reports = Mutex::new(Vec::new());
    let jobs = NonZeroUsize::new(2).unwrap();
    let report = |done, count| reports.lock().unwrap().push((done, count));
    let done = users.hash_plaintext_passwords_in_parallel(ALL, false, jobs, &report).unwrap();
    assert_eq!(done.iter().filter(|(_, is_hashed)| *is_hashed).count(), 10);
    for name in names {
        assert!(is_current_hash_of(&stored(database, &name), &format!("secret of {name}")));
    }
    let mut reports = reports.into_inner().unwrap();
    assert_eq!(reports[0], (0, 10));
    reports.sort_unstable();
    assert!(reports.into_iter().eq((0..=10).map(|done| (done, 10))));
}

fn rehash_of_named_user_leaves_others(database: &dyn Database) {
    let mut users = init(database);
    let bcrypt = "$2b$12$abcdefghijklmnopqrstuv";
    for names in [&["alice"][..], &["alice", "alice"]] {
        database.execute("DELETE FROM users");
        insert(database, "alice", "secret123");
        insert(database, "bob", bcrypt);
        let done = users.hash_plaintext_passwords(Some(names), false).unwrap();
        assert_eq!(done[0], (text("alice"), true), "{names:?}");
        assert!(is_current_hash_of(&stored(database, "alice"), "secret123"), "{names:?}");
        assert_eq!(stored(database, "bob"), bcrypt);
    }
}

fn rehash_leaves_hashes_and_locked_users(database: &dyn Database) {
    let mut users = init(database);
    insert(database, "alice", &hash("secret"));
    insert(database, "bob", &hash_with(OUTDATED, "secret"));
    insert(database, "carol", &hash_with("pbkdf2:sha1:1", "secret"));
    insert(database, "dave", &locked(&hash("secret")));
    insert(database, "erin", &locked(&over_limit()));
    let before = rows(database);
    let done = users.hash_plaintext_passwords(ALL, false).unwrap();
    assert_eq!(done, ["alice", "bob", "carol", "dave", "erin"].map(|name| (text(name), false)));
    assert_eq!(rows(database), before);
}

fn rehash_accepts_ordinary_passwords(database: &dyn Database) {
    let mut users = init(database);
    let long = "correct horse ".repeat(100);
    let passwords = [
        "a",
        "a:b",
        "a:b:c",
        "pa$$",
        "pa$$w0rd$",
        "x y$z",
        "é$z",
        "!important",
        "*star*",
        "{curly",
        "{ }",
        "my{SSHA}x",
        ":pa$$",
        "a|b|c",
        " blanks ",
        "\"quoted\"",
        "o'hara",
        "https://example.org",
        "пароль",
        "🙂🙂",
        // A digit short of a digest, and as long as one.
        "0123456789abcdef0123456789abcde",
        "0123456789abcdef0123456789abcdeg",
        // Longer than a new one may be: people log in with it today.
        &long,
    ];
    for (index, password) in passwords.iter().enumerate() {
        insert(database, &format!("user{index:02}"), password);
    }
    let done = users.hash_plaintext_passwords(ALL, false).unwrap();
    assert!(done.iter().all(|(_, changed)| *changed));
    for (index, password) in passwords.iter().enumerate() {
        let value = stored(database, &format!("user{index:02}"));
        assert!(is_current_hash_of(&value, password), "{password:?}");
    }
}

/// Asserts that a value is rejected because it is hash-like, and that another user is not changed
/// either.
fn assert_hash_like(database: &dyn Database, users: &mut Users, value: &str) {
    database.execute("DELETE FROM users");
    insert(database, "alice", "secret123");
    insert(database, "bob", value);
    let before = rows(database);
    for result in [
        users.hash_plaintext_passwords(ALL, false),
        users.hash_plaintext_passwords(Some(&["bob"]), false),
    ] {
        assert!(
            matches!(
                &result,
                Err(Error::HashLike(name) | Error::HashNotPassword { username: name, .. })
                    if *name == text("bob")
            ),
            "{value:?}: {result:?}"
        );
    }
    assert_eq!(rows(database), before);
}

fn rehash_rejects_hash_like_values(database: &dyn Database) {
    let mut users = init(database);
    let hash = hash("secret");
    let locked = locked(&hash);
    let bcrypt = "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW";
    for value in [
        bcrypt,
        "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$d29yZA",
        "$6$salt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2",
        "$",
        "$$secret",
        "sha256$salt$2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b",
        "pbkdf2_sha256$600000$salt$aGFzaGhhc2hoYXNo",
        "argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdA$aGFzaA",
        " $2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW",
        "'sha1$salt$2bb80d537b1da3e38bd30361aa855686bde0eacd'",
        "{ssha}c2FsdHNhbHQ=",
        "md5a1b2c3d4e5f60718293a4b5c6d7e8f90",
        "SCRAM-SHA-256$4096:c2FsdA==$a2V5:a2V5",
        "word$",
        "method:parameter$",
        // Names of schemes before "$$", where a plaintext password may have a word.
        &format!("bcrypt_sha256${bcrypt}"),
        &format!("bcrypt${bcrypt}"),
        "sha1$$5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8",
        "md5$$5f4dcc3b5aa765d61d8327deb882cf99",
        "plain$$secret123",
        // Werkzeug hashes that are damaged, too expensive, or of an unknown digest.
        &hash[..hash.len() - 1],
        "scrypt:32768:8:1$salt$short",
        "scrypt$salt$short",
        &format!("{hash}'"),
        &over_limit(),
        &format!("pbkdf2:sha384:1000$salt${}", "0".repeat(96)),
        // Digests alone.
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8",
        &"0".repeat(64),
        "{SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3",
        "{SHA512-CRYPT}salt",
        // Digests with an empty salt.
        &format!("sha224$${}", "0".repeat(56)),
        &format!("sha256$${}", "0".repeat(64)),
        &format!("sha384$${}", "0".repeat(96)),
        &format!("sha512$${}", "0".repeat(128)),
        // Marks that lock an account.
        "!",
        "!!",
        "*",
        &format!("!{hash}"),
        &format!("!{bcrypt}"),
        "!5f4dcc3b5aa765d61d8327deb882cf99",
        "!!$6$salt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2",
        "*$6$salt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2",
        &format!("!!{hash}"),
        // The value of a locked user without its last digit, or with another mark.
        &locked[..locked.len() - 1],
        &format!("!{locked}"),
    ] {
        assert_hash_like(database, &mut users, value);
    }
}

fn rehash_rejects_passwords_unusable_for_login(database: &dyn Database) {
    let mut users = init(database);
    for (value, expected) in [
        ("secret123\n", Violation::ControlCharacter),
        ("sec\tret", Violation::ControlCharacter),
        ("sec\u{9b}ret", Violation::ControlCharacter),
        ("sec\u{200b}ret", Violation::Invisible('\u{200b}')),
        ("\u{feff}secret", Violation::Invisible('\u{feff}')),
    ] {
        database.execute("DELETE FROM users");
        insert(database, "alice", "secret123");
        insert(database, "bob", value);
        let before = rows(database);
        let refusal = users.hash_plaintext_passwords(ALL, false);
        let Err(Error::PlaintextPassword { username, reason }) = refusal else {
            panic!("{value:?}: {refusal:?}");
        };
        assert_eq!((username, reason), (text("bob"), expected));
        assert_eq!(rows(database), before);
    }
}

fn rehash_of_empty_table_hashes_nothing(database: &dyn Database) {
    let mut users = init(database);
    assert_eq!(users.hash_plaintext_passwords(ALL, false).unwrap(), []);
    assert_eq!(users.hash_plaintext_passwords(Some(&[""; 0]), false).unwrap(), []);
}

on_every_database! {
    rehash_hashes_plaintext_of_tutorial,
    rehash_in_parallel_hashes_each_users_own_password,
    rehash_of_named_user_leaves_others,
    rehash_leaves_hashes_and_locked_users,
    rehash_accepts_ordinary_passwords,
    rehash_rejects_hash_like_values,
    rehash_rejects_passwords_unusable_for_login,
    rehash_of_empty_table_hashes_nothing,
}
