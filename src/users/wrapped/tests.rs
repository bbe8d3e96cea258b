//! Hashes in every kind of wrapping.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

use super::layers::MIN_ENCODED;
use super::*;

const SCRYPT: &str = "scrypt:128:8:1$c2FsdHNhbHQ$7d4e1b0f51d3f64d3b8b2dbe3b6d0d2a0ad0ad6f0b2c15d4fdf3bf55f1fb7c1e7d4e1b0f51d3f64d3b8b2dbe3b6d0d2a0ad0ad6f0b2c15d4fdf3bf55f1fb7c1e";
const PBKDF2: &str = "pbkdf2:sha256:1000$cXcFpMbSWnUBUfdk$1ffcc3ba1a859774713ed1ca80b7470388d1764e13351cdab2c88bbfcb4340a9";
const LOCKED: &str = "!pbkdf2:sha1:1|a|b||c|0c60c80f961f0e71f3a9b524af6012062fe037a6";
const BCRYPT: &str = "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW";
const ARGON2: &str = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$RdescudvJCsgt3ub+b1dxw";
const CRYPT: &str = "$1$NCnEEl0k$jomJzyHZ5pgqz0n84skX41";
const DJANGO: &str = "pbkdf2_sha256$1000$seasalt$d57aL3ThhTwF2UPCCAM8bhzpKwTtAZXeca/rScQ5PHY=";

fn restored(text: &str) -> Option<String> {
    let stored = Detected::in_text(text)?.restored()?;
    stored.expose().to_text().map(std::borrow::Cow::into_owned)
}

fn each_char(text: &str, write: impl Fn(char) -> String) -> String {
    text.chars().map(write).collect()
}

/// Descriptions of layers, and the hash with that layer.
fn wrapped(hash: &str) -> Vec<(&'static str, String)> {
    let utf16: Vec<u8> = hash.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let percent = |c: char| match c {
        c if c.is_ascii_alphanumeric() => c.to_string(),
        c => format!("%{:02X}", u32::from(c)),
    };
    let hex = base16ct::lower::encode_string(hash.as_bytes());
    vec![
        ("Python's b'…' around it", format!("b'{hash}'")),
        ("Python's b'…' around it", format!("b\"{hash}\"")),
        ("Python's b'…' around it", format!("B'{hash}'")),
        ("Python's u'…' around it", format!("u'{hash}'")),
        ("quotes around it", format!("'{hash}'")),
        ("quotes around it", format!("\"{hash}\"")),
        ("quotes around it", format!("\"\"{hash}\"\"")),
        ("quotes around it", format!("“{hash}”")),
        ("a quote before it", format!("\"{hash}")),
        ("a quote after it", format!("{hash}'")),
        ("brackets around it", format!("({hash})")),
        ("a line end around it", format!("{hash}\n")),
        ("a line end around it", format!("{hash}\r\n")),
        ("spaces around it", format!("  {hash}\t")),
        ("spaces around it", format!("{hash}\u{a0}")),
        ("NUL characters around it", format!("{hash}\0\0\0")),
        ("a byte order mark around it", format!("\u{feff}{hash}")),
        ("invisible characters around it", format!("{hash}\u{200b}")),
        ("a comma or semicolon after it", format!("{hash},")),
        ("a comma or semicolon after it", format!("{hash};")),
        ("a field's name before it", format!("password_hash={hash}")),
        ("a base64 encoding around it", BASE64_STANDARD.encode(hash)),
        ("a base64 encoding around it", BASE64_URL_SAFE_NO_PAD.encode(hash)),
        ("a base64 encoding around it and", BASE64_STANDARD.encode(utf16)),
        ("a hexadecimal encoding around it", format!("\\x{hex}")),
        ("a hexadecimal encoding around it", hex.to_ascii_uppercase()),
        ("URL escapes in it", each_char(hash, percent)),
        ("a function's name around it", format!("bytearray(b'{hash}')")),
        ("brackets around it and", format!("('{hash}',)")),
        ("quotes around it", format!("{{\"password_hash\": \"{hash}\"}}")),
        ("quotes around it and a line end around it", format!("\"{hash}\n\"")),
        ("quotes around it and Python's b'…' around it", format!("\"b'{hash}'\"")),
    ]
}

/// The same for other spellings of `$`.
fn respelled(hash: &str) -> Vec<(&'static str, String)> {
    let as_dollar = |spelling| hash.replace('$', spelling);
    vec![
        ("'$$' for '$'", as_dollar("$$")),
        ("a backslash before '$'", as_dollar("\\$")),
        ("HTML escapes in it", as_dollar("&#36;")),
        ("HTML escapes in it", as_dollar("&#x24;")),
        ("HTML escapes in it", as_dollar("&dollar;")),
        ("HTML escapes in it", as_dollar("&amp;#36;")),
        ("URL escapes in it", as_dollar("%24")),
        ("backslash escapes in it", as_dollar("\\u0024")),
        ("backslash escapes in it", as_dollar("\\x24")),
        ("Python's b'…' around it and '$$' for '$'", format!("b'{}'", as_dollar("$$"))),
        ("quotes around it and URL escapes in it", format!("\"{}\"", as_dollar("%24"))),
    ]
}

#[test]
fn wrapped_hash_is_described_and_restored_exactly() {
    for hash in [SCRYPT, PBKDF2, LOCKED] {
        for (around, text) in wrapped(hash) {
            let detected = Detected::in_text(&text).expect(&text);
            let described = detected.describe();
            assert!(detected.is_wrapped() && detected.is_hash() && detected.is_ours(), "{text}");
            assert!(described.starts_with("a valid hash with "), "{described}: {text}");
            assert!(described.contains(around), "{described}: {text}");
            assert_eq!(restored(&text).as_deref(), Some(hash), "{text}");
            assert!(!format!("{detected:?} {described}").contains(&hash[hash.len() - 20..]));
        }
    }
    for hash in [SCRYPT, PBKDF2] {
        for (around, text) in respelled(hash) {
            assert_eq!(
                Detected::in_text(&text).unwrap().describe(),
                format!("a valid hash with {around}")
            );
            assert_eq!(restored(&text).as_deref(), Some(hash), "{text}");
        }
    }
}

#[test]
fn wrapped_foreign_hash_is_described_not_restored() {
    for (hash, name) in
        [(BCRYPT, "a bcrypt hash"), (ARGON2, "an argon2 hash"), (CRYPT, "an MD5-crypt hash")]
    {
        // Base64 this short may be anything.
        let is_short = |text: &str| text.len() < MIN_ENCODED;
        for (around, text) in [wrapped(hash), respelled(hash)].concat() {
            if is_short(&text) && around.contains("encoding") {
                continue;
            }
            let detected = Detected::in_text(&text).expect(&text);
            let described = detected.describe();
            assert!(detected.is_wrapped() && detected.is_hash(), "{described}: {text}");
            assert!(described.starts_with(&format!("{name} with ")), "{described}: {text}");
            assert!(described.contains(around), "{described}: {text}");
            assert_eq!(restored(&text), None, "{text}");
        }
    }
}

#[test]
fn wrapped_django_hash_is_converted() {
    let converted = foreign::converted(DJANGO).unwrap();
    for (_, text) in [wrapped(DJANGO), respelled(DJANGO)].concat() {
        assert_eq!(restored(&text).as_ref(), Some(&*converted), "{text}");
    }
}

#[test]
fn stray_b_is_removed() {
    assert_eq!(restored(&format!("b{PBKDF2}")).as_deref(), Some(PBKDF2));
    let detected = Detected::in_text(&format!("b{BCRYPT}")).unwrap();
    assert_eq!(detected.describe(), "a bcrypt hash with a stray b before it");
}

#[test]
fn ambiguous_escapes_are_not_restored() {
    let digest = "0".repeat(40);
    for text in [
        // Either the salt was "a%41", and only "$" was escaped, or it was "aA".
        format!("pbkdf2:sha1:1%24a%41%24{digest}"),
        format!("pbkdf2:sha1:1&#36;a&#65;&#36;{digest}"),
        format!("pbkdf2:sha1:1\\u0024a\\u0041\\u0024{digest}"),
    ] {
        let detected = Detected::in_text(&text).unwrap();
        assert!(detected.is_wrapped() && !detected.is_restorable(), "{text}");
    }
    let text = format!("pbkdf2:sha1:1$a%41${digest}\n");
    assert_eq!(restored(&text).as_deref(), Some(text.trim()));
}

#[test]
fn lock_marks_are_never_removed() {
    for mark in ["!", "*", "!!", "x", "LOCKED:", "locked(", "#", "-", "disabled "] {
        for hash in [PBKDF2, BCRYPT] {
            assert_eq!(restored(&format!("{mark}{hash}")), None, "{mark}");
            assert_eq!(restored(&format!("'{mark}{hash}'")), None, "{mark}");
            assert_eq!(restored(&format!("{mark}{hash})")), None, "{mark}");
        }
    }
}

#[test]
fn wrapped_hash_of_a_locked_user_stays_locked() {
    let wrapped = StoredText::Text(format!("b'{PBKDF2}'"));
    let locked = NewCredential::lock(&wrapped).unwrap().unwrap();
    let restored = Detected::in_stored(&StoredSecret::from(&locked)).unwrap().restored().unwrap();
    let expected = format!("!{}", PBKDF2.replace('$', "|"));
    assert_eq!(restored.expose(), &StoredText::Text(expected));
}

#[test]
fn truncated_hash_shows_missing_length() {
    for (text, expected) in [
        (&SCRYPT[..60], "a truncated hash (last 95 characters missing)"),
        (&SCRYPT[..154], "a truncated hash (last 1 character missing)"),
        (&PBKDF2[..95], "a truncated hash (last 5 characters missing)"),
        (&PBKDF2[..30], "a truncated hash"),
        ("pbkdf2:sha256:260000", "a truncated hash"),
        ("scrypt:32768:8:1$", "a truncated hash"),
        ("scrypt:32768:8:1$salt$", "a truncated hash (last 128 characters missing)"),
        (&BCRYPT[..40], "a bcrypt hash, truncated"),
        (&DJANGO[..60], "a Django PBKDF2 hash, truncated"),
    ] {
        let detected = Detected::in_text(text).expect(text);
        assert_eq!(detected.describe(), expected.replace("1 character are", "1 character is"));
        assert!(detected.is_truncated() && !detected.is_restorable(), "{text}");
    }
}

#[test]
fn passwords_are_not_hashes() {
    for text in [
        "",
        "secret123",
        "pa$$w0rd",
        "pa$$",
        "b'secret'",
        "(secret)",
        "\"quoted\"",
        "password=secret",
        "a%24b",
        "100%&#36;",
        "c2VjcmV0MTIzc2VjcmV0MTIzc2VjcmV0MTIzc2VjcmV0",
        "$ecret",
        "crypt$hello-world-123",
        "kT7uZq2LmX9vRb4NcY6wHs3DpJ8fGa5E",
        "5f4dcc3b5aa765d61d8327deb882cf99",
    ] {
        assert!(!Detected::in_text(text).is_some_and(|detected| detected.is_hash()), "{text}");
    }
}
