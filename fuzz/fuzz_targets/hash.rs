//! Parsing of hashes, methods, usernames, groups and languages.
//!
//! The input is the text. A parsed text is displayed unchanged, a hash also after locking and
//! unlocking, and the cost of a hash is limited.

#![no_main]

use std::fmt::Display;
use std::str::FromStr;

use dash_users::{
    Credential, Group, Language, Method, NewCredential, Password, PasswordHash, Pbkdf2, Scrypt,
    StoredText, Username,
};
use libfuzzer_sys::fuzz_target;

/// The maximum work in bytes and number of iterations of hashes that are verified here.
const CHEAP: (u64, u32) = (256 << 10, 64);

fuzz_target!(|input: &[u8]| {
    let stored = StoredText::from(input);
    credential(&stored);
    if let StoredText::Text(text) = &stored {
        hash(text);
        if let Ok(method) = text.parse::<Method>() {
            is_bounded(&method);
            assert_eq!(method.to_string().parse(), Ok(method));
        }
        prints_back::<Username>(text);
        prints_back::<Group>(text);
        prints_back::<Language>(text);
    }
});

fn prints_back<T: FromStr + Display>(text: &str) {
    if let Ok(parsed) = text.parse::<T>() {
        assert_eq!(parsed.to_string(), text);
    }
}

fn hash(text: &str) {
    let Ok(hash) = text.parse::<PasswordHash>() else { return };
    assert_eq!(hash.to_string(), text);
    assert_eq!(format!("{hash:?}"), format!("PasswordHash({}$…)", hash.method()));
    if is_bounded(hash.method()) {
        let _ = hash.verify(&Password::from(text));
    }
}

/// Asserts that the cost of a method is within the limits, and returns whether it is low.
fn is_bounded(method: &Method) -> bool {
    match method {
        Method::Scrypt(scrypt) => {
            assert!(scrypt.work_bytes() <= Scrypt::MAX_WORK_BYTES);
            scrypt.work_bytes() <= CHEAP.0
        }
        Method::Pbkdf2(pbkdf2) => {
            assert!((1..=Pbkdf2::MAX_ITERATIONS).contains(&pbkdf2.iterations().into()));
            pbkdf2.iterations() <= CHEAP.1
        }
        _ => unreachable!("there is no other method"),
    }
}

fn credential(stored: &StoredText) {
    let credential = Credential::parse(stored);
    if let (StoredText::Text(text), Some(hash)) = (stored, credential.hash()) {
        assert_eq!(credential.with_hash(hash.clone()).to_string(), *text);
    }
    match &credential {
        Credential::Locked(_) => assert_eq!(NewCredential::lock(stored), Ok(None)),
        // Any text can be locked, if it is not too long.
        _ if matches!(stored, StoredText::Text(_)) => {}
        _ => assert!(NewCredential::lock(stored).is_err()),
    }
    // Locking and unlocking undo each other.
    for [one, other] in
        [[NewCredential::lock, NewCredential::unlock], [NewCredential::unlock, NewCredential::lock]]
    {
        if let Ok(Some(new)) = one(stored) {
            let new = StoredText::Text(new.to_string());
            let back = other(&new).expect("it can be undone").expect("it can be undone");
            assert_eq!(StoredText::Text(back.to_string()), *stored);
        }
    }
    // werkzeug returns False for a text without two "$".
    if let Ok(Some(locked)) = NewCredential::lock(stored) {
        assert!(!locked.to_string().contains('$'), "{locked}");
    }
}
