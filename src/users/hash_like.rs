//! Values that look like a hash of another program, recognized by their form.

use crate::credential::unlocked;

/// The minimum number of hexadecimal digits of a digest, that of MD5.
const MIN_DIGEST_DIGITS: usize = 32;

/// Names of hash schemes that write `scheme$…`, even if another `$` follows immediately.
const SCHEMES: [&str; 21] = [
    "argon2",
    "argon2d",
    "argon2i",
    "argon2id",
    "bcrypt",
    "bcrypt_sha256",
    "crypt",
    "md4",
    "md5",
    "pbkdf2",
    "pbkdf2_sha1",
    "pbkdf2_sha256",
    "pbkdf2_sha512",
    "plain",
    "scrypt",
    "sha1",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "unsalted_md5",
];

/// The minimum number of hexadecimal digits after `word$$` that counts as a digest.
const MIN_DIGITS_WITHOUT_SALT: usize = 8;

/// Lengths in characters of a digest in base64 without padding: 16, 20, 28, 32, 48 and 64 bytes.
const BASE64_LENGTHS: [usize; 6] = [22, 27, 38, 43, 64, 86];

/// The minimum number of base64 characters of a digest with padding: 16 bytes.
const MIN_PADDED: usize = 24;

/// The minimum number of hexadecimal digits or base64 characters after the name of a scheme.
const MIN_BEHIND_SCHEME: usize = 16;

/// Whether a text that is not a werkzeug hash looks like a hash of another program, or like a mark
/// that locks an account:
///
/// - `$…` (bcrypt, argon2, crypt), `{SCHEME}…` (LDAP),
/// - `word$…` (Django, old werkzeug); but a word and two `$`, as in the tutorial's `pa$$w0rd`, only
///   if the word is the name of a scheme or a digest follows,
/// - `method:…$` (werkzeug),
/// - 32 or more hexadecimal digits in a row, or in groups of the same size, anywhere in the text,
/// - base64 of a digest's length that looks random, anywhere in the text,
/// - the name of a scheme, then `:` or the like, then numbers or a digest, however short,
/// - `!` and `*`, alone or repeated, and any of the above after them, also with `$` written as `|`,
///   as in a locked value,
/// - any of these between blanks or quotes.
pub(super) fn is_hash_like(text: &str) -> bool {
    let text = text.trim_matches([' ', '\'', '"']);
    if holds_digest(text) {
        return true;
    }
    let unmarked = text.trim_start_matches(['!', '*']);
    if unmarked.is_empty() && !text.is_empty() {
        return true;
    }
    let unlocked = unlocked(&format!("!{unmarked}")).filter(|_| unmarked.len() < text.len());
    looks_like_hash(unmarked) || unlocked.is_some_and(|text| looks_like_hash(&text))
}

fn looks_like_hash(text: &str) -> bool {
    let is_hex = |bytes: &[u8], min| bytes.len() >= min && bytes.iter().all(u8::is_ascii_hexdigit);
    let word_end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
    let (word, rest) = text.split_at(word_end.unwrap_or(text.len()));
    match rest.as_bytes() {
        [b'$', ..] if word.is_empty() => true,
        [b'$', b'$', digest @ ..] => {
            SCHEMES.contains(&word.to_ascii_lowercase().as_str())
                || is_hex(digest, MIN_DIGITS_WITHOUT_SALT)
        }
        [b'$', ..] => true,
        [b':', after @ ..] if !word.is_empty() => after.contains(&b'$'),
        [b'{', after @ ..] if word.is_empty() => {
            let scheme = after.split(|byte| *byte == b'}').next().unwrap_or_default();
            let is_name = |b: &u8| b.is_ascii_alphanumeric() || b"-_.".contains(b);
            scheme.len() < after.len() && !scheme.is_empty() && scheme.iter().all(is_name)
        }
        _ => false,
    }
}

/// Whether a text contains a digest anywhere.
fn holds_digest(text: &str) -> bool {
    let is_hex = |c: char| c.is_ascii_hexdigit();
    longest_run(text, is_hex) >= MIN_DIGEST_DIGITS
        || is_grouped_hex(text)
        || BASE64_ALPHABETS.iter().any(|others| {
            base64_runs(text, others).any(|(run, padding)| is_base64_digest(run, padding))
        })
        || is_behind_scheme(text)
        || is_bsdi_crypt(text)
}

/// The characters other than letters and digits of base64, of its variant for URLs, and of `crypt`.
const BASE64_ALPHABETS: [&str; 3] = ["+/", "-_", "./"];

fn longest_run(text: &str, is_part: impl Fn(char) -> bool) -> usize {
    text.split(|c| !is_part(c)).map(str::len).max().unwrap_or_default()
}

/// Whether a text contains groups of 2, 4 or 8 hexadecimal digits, all of the same size, that add
/// up to a digest: `5f:4d:cc…`, `SHA1 Fingerprint=5F:4D:…`, `\x5f\x4d…`, `0x5f, 0x4d, …`. A UUID
/// has groups of several sizes.
fn is_grouped_hex(text: &str) -> bool {
    let (mut digits, mut size) = (0, 0);
    let (mut has_digit, mut has_letter) = (false, false);
    for group in text.split(|c: char| !c.is_ascii_hexdigit()) {
        // Between two separators, or before the "x" of "0x5f".
        if group.is_empty() || group == "0" {
            continue;
        }
        if group.len() != size {
            (digits, has_digit, has_letter) = (0, false, false);
            size = group.len();
        }
        digits += size;
        has_digit |= group.bytes().any(|byte| byte.is_ascii_digit());
        has_letter |= group.bytes().any(|byte| byte.is_ascii_alphabetic());
        let is_digest = digits >= MIN_DIGEST_DIGITS && has_digit && has_letter;
        if is_digest && [2, 4, 8].contains(&size) {
            return true;
        }
    }
    false
}

/// The runs of letters, digits and `others`, with the number of `=` after each.
fn base64_runs<'a>(text: &'a str, others: &'a str) -> impl Iterator<Item = (&'a str, usize)> {
    let is_part = move |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c| !is_part(c));
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (run, behind) = rest.split_at(end);
        rest = behind;
        let padding = behind.bytes().take_while(|byte| *byte == b'=').count();
        (!run.is_empty()).then_some((run, padding))
    })
}

fn is_base64_digest(run: &str, padding: usize) -> bool {
    let has_digit = run.bytes().any(|byte| byte.is_ascii_digit());
    let length = run.len();
    let is_padded = matches!(padding, 1 | 2) && (length + padding).is_multiple_of(4);
    let is_long = if is_padded {
        length + padding >= MIN_PADDED
    } else {
        has_digit && (BASE64_LENGTHS.contains(&length) || length > BASE64_LENGTHS[4])
    };
    is_long && looks_random(run)
}

/// Whether upper and lower case are mixed as in random text: less than half of the characters
/// belong to words, which are three or more lowercase letters. The first letter may be uppercase.
fn looks_random(run: &str) -> bool {
    let has_upper = run.bytes().any(|byte| byte.is_ascii_uppercase());
    let has_lower = run.bytes().any(|byte| byte.is_ascii_lowercase());
    let mut in_words = 0;
    let mut is_capital_before = false;
    for part in run.split_inclusive(|c: char| !c.is_ascii_lowercase()) {
        let letters = part.bytes().filter(u8::is_ascii_lowercase).count();
        if letters + usize::from(is_capital_before) > 3 || letters >= 3 {
            in_words += letters + usize::from(is_capital_before);
        }
        is_capital_before = part.bytes().last().is_some_and(|byte| byte.is_ascii_uppercase());
    }
    has_upper && has_lower && 2 * in_words < run.len()
}

/// Whether a text begins with the name of a scheme (`SHA-256`, `hmac_sha1`) and continues like a
/// hash: with numbers (`sha1:64000:…`), or with a digest, which may be shorter than one that is
/// recognized by its length alone.
fn is_behind_scheme(text: &str) -> bool {
    let text = text.trim_start_matches(['!', '*', '(', '[', '{', '<']);
    let Some((name, rest)) = text.split_once([':', '=', '#', '|', ';', ',', '/', ')', ']', '>'])
    else {
        return false;
    };
    let plain = |name: &str| name.to_ascii_lowercase().replace(['-', '_', ' '], "");
    let name = plain(name);
    let name = name.strip_prefix("hmac").unwrap_or(&name);
    if !SCHEMES.iter().any(|scheme| plain(scheme) == name) {
        return false;
    }
    let rest = rest.trim_start_matches([' ', ':', '=']);
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let has_number = digits > 0 && rest[digits..].starts_with([':', ';', ',', '|', '.', '#']);
    let is_base64 = |(run, _): (&str, usize)| run.len() >= MIN_BEHIND_SCHEME && looks_random(run);
    has_number
        || longest_run(rest, |c| c.is_ascii_hexdigit()) >= MIN_BEHIND_SCHEME
        || BASE64_ALPHABETS.iter().any(|others| base64_runs(rest, others).any(is_base64))
}

/// Whether a text is BSD's extended DES: `_`, a count (whose last two digits are nearly always
/// `..`), a salt, and a digest of 11 characters.
fn is_bsdi_crypt(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"./".contains(&byte);
    match text.as_bytes() {
        [b'_', _, _, b'.', b'.', rest @ ..] => {
            rest.len() == 15 && rest.iter().copied().all(is_part)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_hash_like_in_any_context() {
        let sha1 = "5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8";
        let md5 = "5f4dcc3b5aa765d61d8327deb882cf99";
        let sha256 = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";
        let pairs = |text: &str, separator: &str| {
            let pairs = text.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap());
            pairs.collect::<Vec<_>>().join(separator)
        };
        for text in [
            &format!("sha256:{sha256}"),
            &format!("SHA1:{}", sha1.to_ascii_uppercase()),
            &format!("{md5}:salt"),
            &format!("salt:{md5}"),
            &format!("{sha256}.{md5}"),
            &format!("{md5}.{md5}"),
            &format!("0x0200{}", sha1.to_ascii_uppercase()),
            &format!("0x{md5}"),
            &format!("\\x{md5}"),
            &format!("*{}", sha1.to_ascii_uppercase()),
            &format!("b'{md5}'"),
            &format!("MD5 (password) = {md5}"),
            &format!("md5${md5}"),
            &format!("aad3b435b51404eeaad3b435b51404ee:{md5}:::"),
            &pairs(sha1, ":"),
            &pairs(sha1, " ").to_ascii_uppercase(),
            &pairs(md5, "-"),
            &format!("\\x{}", pairs(md5, "\\x")),
            &format!("0x{}", pairs(md5, ", 0x")),
            &format!("SHA1 Fingerprint={}", pairs(sha1, ":")),
            "5f4dcc3b 5aa765d6 1d8327de b882cf99",
            "sha1:64000:18:n+SFDT5eVGkoDTXPhkHjoqaYRYzNqLx7:qBnYV+lxsgLwVqYCz4fAkFD2",
            "sha1:64000:18:salt:short",
            "pbkdf2-sha512:1000:c2FsdA:eA",
            "SHA-1:W6ph5Mm5Pz8GgiULbPgzG37mj9g",
            "md5:5f4dcc3b5aa765d6",
            "hmac_sha256=XohImNooBHFR0OVvjcYp",
            // MD5, SHA-1, SHA-256 and SHA-512 in base64, with padding and without, and for URLs.
            "X03MO1qnZdYdgyfeuILPmQ==",
            "X03MO1qnZdYdgyfeuILPmQ",
            "W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
            "W6ph5Mm5Pz8GgiULbPgzG37mj9g",
            "XohImNooBHFR0OVvjcYpJ3NgPQ1qq73WKhHvch0VQtg=",
            "XohImNooBHFR0OVvjcYpJ3NgPQ1qq73WKhHvch0VQtg",
            "sha256-XohImNooBHFR0OVvjcYpJ3NgPQ1qq73WKhHvch0VQtg",
            "sQnzu7wkTrgkQZF-0G1hi5AI3Qmzvv0bXgc5TBBqi7mAsdd4XllI2ERbAyr0Kd9u-9fRhxaJMs0EMyZqIgHOAA",
            "AQAAAAEAACcQAAAAEH2GlqLj1V9TD5cXSEpGCd3dSh8vRJt4Kb0bqQiZB0D4qXHE2mV1SCGjE8cVQuLmFw==",
            "_J9..rasmBYk8r9AiWNc",
            "$P$B9wrXvYYwE4PzC9eBpTrrLrFZo2VnM1",
            "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/",
        ] {
            assert!(is_hash_like(text), "{text}");
        }
    }

    #[test]
    fn passwords_are_not_hash_like() {
        for text in [
            "secret123",
            "pa$$w0rd",
            "correct horse battery staple",
            "CorrectHorseBatteryStaple2024",
            "CorrectHorseBattery123",
            "ThisIsMyLongPassword12",
            "ILoveYouVeryMuchIndeed==",
            "correct-horse-battery-staple-42",
            "TheQuickBrownFoxJumpsOverTheLazyDog-AndThenItRunsAway4TimesInARow-Again",
            "Two households, both alike in dignity, In fair Verona, where we lay our scene, 1597",
            // Passwords from password managers: 16, 20, 24 and 32 characters, and with signs.
            "kT7uZq2LmX9vRb4N",
            "kT7uZq2LmX9vRb4NcY6w",
            "kT7uZq2LmX9vRb4NcY6wHs3D",
            "kT7uZq2LmX9vRb4NcY6wHs3DpJ8fGa5E",
            "kT7u!q2LmX9vRb&NcY6wHs",
            "abcd-efgh-ijkl-mnop-2345",
            // A UUID, a product key, a card number, a phone number.
            "123e4567-e89b-12d3-a456-426614174000",
            "VK7JG-NPHTM-C97JM-9MPGT-3V66T",
            "1234 5678 9012 3456",
            "+49 30 12 34 56 78 90",
            "0123456789abcdef0123456789abcde",
            "cafe babe dead beef face",
            "md5:is broken",
            "sha256: never again",
            "plain: and simple words",
            "https://example.org/accounts/login?next=/home",
            "_underscore..password",
        ] {
            assert!(!is_hash_like(text), "{text}");
        }
    }
}
