//! Hashes somewhere in a text, whatever is around them and however their `$` is written.
//!
//! A hash is known by its beginning (`$2b$12$`, `scrypt:32768:8:1`, `pbkdf2_sha256$600000$`), so one
//! whose end is missing counts, too. The work is linear in the length of the text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use crate::escape::is_hidden;

/// How often an encoding within an encoding is undone.
const MAX_DEPTH: usize = 3;

/// Fewest characters of an encoded hash.
const MIN_ENCODED: usize = 40;

/// Fewest characters behind the beginning of a hash of `crypt` or bcrypt.
const MIN_REST: usize = 12;

/// Ways to write `$`.
const DOLLARS: [&str; 15] = [
    "\\u{24}", "\\u0024", "\\x24", "\\044", "\\44", "\\$", "&dollar;", "&#x24;", "&#x24", "&#36;",
    "&#36", "%24", "=24", "＄", "﹩",
];

/// Names between two `$` at the beginning of a hash of `crypt` and its relatives.
const CRYPT_NAMES: [&str; 16] =
    ["1", "2", "2a", "2b", "2x", "2y", "5", "6", "7", "y", "gy", "apr1", "p", "h", "wp", "sha1"];

/// Schemes that LDAP and others write in braces.
const BRACED: [&str; 18] = [
    "argon2",
    "bcrypt",
    "blf-crypt",
    "cleartext",
    "crypt",
    "md5",
    "noop",
    "pbkdf2",
    "plain",
    "scrypt",
    "sha",
    "sha256",
    "sha512",
    "smd5",
    "ssha",
    "ssha256",
    "ssha512",
    "x-pbkdf2",
];

/// Numbers of hexadecimal digits of a digest: MD5, SHA-1, SHA-224, SHA-256, SHA-384 and SHA-512.
const DIGEST_DIGITS: [usize; 6] = [32, 40, 56, 64, 96, 128];

/// Whether a hash is somewhere in a text, or the text is marked as one.
pub(super) fn contains_hash(text: &str) -> bool {
    holds_hash(text, MAX_DEPTH)
}

fn holds_hash(text: &str, depth: usize) -> bool {
    let mut plain: Zeroizing<String> =
        Zeroizing::new(text.chars().filter(|c| !c.is_control() && !is_hidden(*c)).collect());
    for dollar in DOLLARS {
        if plain.contains(dollar) {
            plain = Zeroizing::new(plain.replace(dollar, "$"));
        }
    }
    plain.make_ascii_lowercase();
    has_beginning(&plain)
        || is_braced(&plain)
        || (depth > 0 && decoded(text).any(|inner| holds_hash(&inner, depth - 1)))
}

/// Whether a text is a digest and nothing else, or as servers and spreadsheets write one.
pub(super) fn is_digest(text: &str) -> bool {
    let text = text.trim_matches(|c: char| c.is_whitespace() || "'\"".contains(c));
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digits = ["*", "0x", "\\x", "md5"].iter().find_map(|mark| text.strip_prefix(mark));
    let is_marked = digits.is_some_and(|digits| digits.len() >= DIGEST_DIGITS[0] && is_hex(digits));
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    // ASP.NET's version 3 begins with 1 and the number of a function, as four bytes each.
    let is_identity = text.len() > 60 && text.starts_with("AQAAAA") && text.bytes().all(is_base64);
    is_marked || is_identity || DIGEST_DIGITS.contains(&text.len()) && is_hex(text)
}

/// Whether the beginning of a hash is in a text of small letters.
fn has_beginning(text: &str) -> bool {
    let words: Vec<(usize, &str)> = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
        .collect();
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let begins_with_digit = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    (0..words.len()).any(|at| {
        let (start, word) = words[at];
        let next = |count: usize| words.get(at + count).map_or("", |(_, word)| word);
        match word {
            "2" | "2a" | "2b" | "2x" | "2y" if next(1).len() == 2 && is_number(next(1)) => {
                words.get(at + 2).is_some_and(|(rest, _)| crypt_run(&text[*rest..]) >= MIN_REST)
            }
            "argon2" | "argon2i" | "argon2d" | "argon2id" => matches!(next(1), "v" | "m"),
            _ if word.ends_with("crypt") => {
                let is_ours =
                    is_number(next(1)) && is_number(next(2)) && begins_with_digit(next(3));
                !next(1).is_empty() && is_ours || matches!(next(1), "ln" | "rounds")
            }
            _ if word.ends_with("pbkdf2") => {
                (1..=2).any(|count| next(count).len() >= 3 && is_number(next(count)))
            }
            // What is left where a shell took the words behind `$` for variables.
            _ if CRYPT_NAMES.contains(&word) => {
                text[..start].ends_with('$')
                    && text[start + word.len()..]
                        .strip_prefix('$')
                        .is_some_and(|rest| crypt_run(rest) >= MIN_REST)
            }
            _ => false,
        }
    })
}

/// How many characters of a salt and digest of `crypt` a text begins with.
fn crypt_run(text: &str) -> usize {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"./$=,+-".contains(byte);
    text.bytes().take_while(is_part).count()
}

fn is_braced(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || "'\"!*".contains(c));
    let scheme = text.strip_prefix('{').and_then(|text| text.split_once('}'));
    scheme.is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && BRACED
                .iter()
                .any(|known| scheme.split(['.', '-']).next() == Some(known) || scheme == *known)
    })
}

/// What the longest run of base64 or hexadecimal digits in a text stands for.
fn decoded(text: &str) -> impl Iterator<Item = Zeroizing<String>> + use<> {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/-_".contains(c);
    let run = text.split(|c| !is_base64(c)).max_by_key(|run| run.len()).unwrap_or_default();
    let of_base64 = (run.len() >= MIN_ENCODED).then(|| {
        let standard = Zeroizing::new(run.replace('-', "+").replace('_', "/"));
        STANDARD_NO_PAD.decode(standard.as_bytes()).ok()
    });
    // Also in pairs: `73:63:72`, `\x73\x63`, `0x73, 0x63`.
    let digits: Zeroizing<String> =
        Zeroizing::new(text.replace("0x", "").chars().filter(char::is_ascii_hexdigit).collect());
    let is_mostly_hex = digits.len() * 2 >= text.len() && digits.len() >= 64;
    let of_hex = is_mostly_hex.then(|| base16ct::mixed::decode_vec(&digits).ok());
    let both = [of_base64.flatten(), of_hex.flatten()];
    both.into_iter().flatten().filter_map(|bytes| String::from_utf8(bytes).ok().map(Zeroizing::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BCRYPT: &str = "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW";
    const OURS: &str =
        "scrypt:32768:8:1$CMVzU3MNMqf7YKxJ$6d2e1f0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c";
    const OTHERS: [&str; 5] = [
        "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b0",
        "pbkdf2_sha256$600000$saltsalt$GqJlTN0u9yHrBkJ4lBbpUqkm0h0JhWcAqhQKqW6uBR8=",
        "$pbkdf2-sha256$29000$c2FsdHNhbHQ$XohImNooBHFR0OVvjcYpJ3NgPQ1qq73WKhHvch0VQtg",
        "$6$rounds=5000$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO",
        "$P$B9wrXvYYwE4PzC9eBpTrrLrFZo2VnM1",
    ];

    #[test]
    fn hashes_are_found_whatever_is_around_them() {
        for hash in [BCRYPT, OURS].into_iter().chain(OTHERS) {
            for text in [
                hash.to_owned(),
                format!("=\"{hash}\""),
                format!("ann|{hash}|en"),
                format!("1|{hash}"),
                format!("#jbcrypt:{hash}"),
                format!("werkzeug{hash}"),
                format!("<td>{hash}</td>"),
                format!("SecretStr('{hash}')"),
                format!("CAST('{hash}' AS TEXT)"),
                format!("{{{hash} true}}"),
                format!("„{hash}“"),
                format!("ï»¿{hash}"),
                format!("{hash}.<br>"),
                format!("s:60:\"{hash}\";"),
                format!("ENC({hash})"),
                format!("{hash}::text"),
                format!("b'{}", &hash[..hash.len() - 8]),
                hash.replace('$', "\\u{24}"),
                hash.replace('$', "&#36"),
                hash.replace('$', "=24"),
                hash.replace('$', "＄"),
                hash.replace('$', "%24"),
                hash.chars().flat_map(|c| [c, '\u{200b}']).collect(),
                base16ct::lower::encode_string(hash.as_bytes()),
                STANDARD_NO_PAD.encode(hash),
                format!("base64:{}", STANDARD_NO_PAD.encode(STANDARD_NO_PAD.encode(hash))),
            ] {
                assert!(contains_hash(&text), "{text}");
            }
        }
        for text in [
            BCRYPT.replace('$', "_"),
            BCRYPT.replace('$', "|"),
            OURS.to_ascii_uppercase(),
            OURS[1..].to_owned(),
            OURS.replace('$', ""),
            "!scrypt:32768:8:1|CMVz".to_owned(),
            "{CRYPT}abcdefgh".to_owned(),
            "{noop}secret".to_owned(),
            "{ARGON2}$argon2id".to_owned(),
            "$wp$2y$10$abcdefghijklmnopqrstuv".to_owned(),
        ] {
            assert!(contains_hash(&text), "{text}");
        }
    }

    #[test]
    fn digests_are_known_by_their_length_and_marks() {
        for text in [
            "5f4dcc3b5aa765d61d8327deb882cf99",
            "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19",
            "md55f4dcc3b5aa765d61d8327deb882cf99",
            "0x0100A8E4F0C1B2D3E4F5A6B7C8D9E0F1A2B3C4D5E6F7A8B9",
            "AQAAAAEAACcQAAAAEH2GlqLj1V9TD5cXSEpGCd3dSh8vRJt4Kb0bqQiZB0D4qXHE2mV1SCGjE8cVQuLmFw==",
        ] {
            assert!(is_digest(text), "{text}");
        }
    }

    #[test]
    fn passwords_hold_no_hash() {
        for text in [
            "secret123",
            "pa$$w0rd",
            "Ca$hMoney2023",
            "MyDogHas$5 bones",
            "budget:$5000",
            "{name}!2024",
            "my 2 12 year old twins",
            "scrypt is better than bcrypt",
            "pbkdf2 is fine",
            "kT7uZq2LmX9vRb4NcY6wHs3DpJ8fGa5E",
            "correct-horse-battery-staple-42",
            "123e4567-e89b-12d3-a456-426614174000",
            "I argue that argon2 wins",
            "Two households, both alike in dignity, In fair Verona, where we lay our scene, 1597",
            "https://example.org/accounts/login?next=/home",
            "cafebabe-deadbeef",
        ] {
            assert!(!contains_hash(text) && !is_digest(text), "{text}");
        }
    }
}
