//! Parsing hashes as werkzeug 3.1 does.

use std::str::FromStr;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use super::PasswordHash;
use super::method::{Method, MethodError};

/// Why a stored value is not a usable hash, by what werkzeug 3.1's `check_password_hash` does with
/// it.
///
/// The reason contains no part of the value, which may be a plaintext password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HashError {
    /// It returns False for every password.
    #[error("{0}")]
    NeverMatches(&'static str),
    /// It raises an exception, or the hash costs too much: see [`MethodError`].
    #[error(transparent)]
    Method(#[from] MethodError),
}

/// The parts of a hash as they are in its text.
struct Parts<'a> {
    spelling: &'a str,
    method: Method,
    salt: &'a str,
    /// The digest is at the start of it.
    digest: [u8; MAX_DIGEST_BYTES],
}

/// The length of the longest digest.
const MAX_DIGEST_BYTES: usize = 64;

fn parts(text: &str) -> Result<Parts<'_>, HashError> {
    if text.len() > PasswordHash::MAX_BYTES {
        return Err(MethodError::TOO_LONG.into());
    }
    let mut parts = text.splitn(3, '$');
    let (Some(spelling), Some(salt), Some(digits)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(HashError::NeverMatches("not a hash (fewer than two '$')"));
    };
    let method: Method = spelling.parse()?;
    if !digits.is_ascii() {
        return Err(MethodError::Raises("the digest is not ASCII").into());
    }
    let mut digest = [0; MAX_DIGEST_BYTES];
    let decoded = base16ct::lower::decode(digits, &mut digest);
    if decoded.is_ok_and(|digest| digest.len() == method.digest_bytes()) {
        return Ok(Parts { spelling, method, salt, digest });
    }
    Err(HashError::NeverMatches("the digest is not lowercase hexadecimal of the right length"))
}

impl PasswordHash {
    /// Whether a text is a hash: as parsing it, but without allocating.
    pub(crate) fn validate(text: &str) -> Result<(), HashError> {
        parts(text).map(drop)
    }
}

impl FromStr for PasswordHash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        let Parts { spelling, method, salt, digest } = parts(text)?;
        let digest = digest[..method.digest_bytes()].to_vec();
        Ok(Self { spelling: spelling.to_owned(), method, salt: salt.to_owned(), digest })
    }
}

/// Parses a numeric parameter. A number of more than 64 bits becomes [`u64::MAX`], which exceeds
/// every limit too.
pub(super) fn whole_number(text: &str) -> Result<u64, MethodError> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let canonical = !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == text && digits == "0" || !digits.starts_with('0'));
    if canonical && digits != text {
        Err(MethodError::Raises("a parameter is negative"))
    } else if canonical {
        Ok(text.parse().unwrap_or(u64::MAX))
    } else if is_python_int(text) {
        Err(MethodError::Unsupported(
            "a parameter is a number in an unusual form that only Python reads",
        ))
    } else {
        Err(MethodError::Raises("a parameter is not a whole number"))
    }
}

/// Whether Python's `int()` accepts `text`: surrounding whitespace, a sign, leading zeros, single
/// underscores between digits, and decimal digits of any script.
fn is_python_int(text: &str) -> bool {
    let text = text.trim();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    digits.split('_').all(|group| {
        let is_digit = |c: char| c.general_category() == GeneralCategory::DecimalNumber;
        !group.is_empty() && group.chars().all(is_digit)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_canonical_or_rejected() {
        assert_eq!(whole_number("0"), Ok(0));
        assert_eq!(whole_number("32768"), Ok(32_768));
        assert_eq!(whole_number(&"9".repeat(5000)), Ok(u64::MAX));
        for text in [
            "", "-", "+", "_", "1_", "_1", "1__0", "0x10", "1.0", "1e3", "one", "½", "- 1", "8\x1c",
        ] {
            assert!(matches!(whole_number(text), Err(MethodError::Raises(_))), "{text}");
        }
        for text in [" 8", "8\n", "+8", "08", "00", "-0", "1_0", "٨", "８"] {
            assert!(matches!(whole_number(text), Err(MethodError::Unsupported(_))), "{text:?}");
        }
        assert!(matches!(whole_number("-1"), Err(MethodError::Raises(_))));
    }

    fn hex(digits: usize) -> impl Strategy<Value = String> {
        proptest::string::string_regex(&format!("[0-9a-f]{{{digits}}}")).unwrap()
    }

    /// Texts similar to hashes: words of the grammar in any order, with others between them.
    fn near_misses() -> impl Strategy<Value = String> {
        const WORDS: &[&str] = &[
            "scrypt", "pbkdf2", "sha1", "sha256", "sha512", ":", ":", "$", "$", "!", "|", "1", "8",
            "128", "1024", "0", "-1", " ", "\n", "é", "\0", "00ff", "salt",
        ];
        let word = prop_oneof![
            proptest::sample::select(WORDS).prop_map(str::to_owned),
            hex(40),
            hex(64),
            hex(128),
        ];
        proptest::collection::vec(word, 0..12).prop_map(|words| words.concat())
    }

    /// Hashes that follow the grammar, cheap or expensive.
    fn hashes() -> impl Strategy<Value = String> {
        const METHODS: &[(&str, usize)] = &[
            ("scrypt", 128),
            ("scrypt:128:8:1", 128),
            ("scrypt:262144:8:1", 128),
            ("pbkdf2", 64),
            ("pbkdf2:sha1", 40),
            ("pbkdf2:sha256:600000", 64),
            ("pbkdf2:sha512:10000000", 128),
        ];
        (proptest::sample::select(METHODS), "[^$]{0,24}").prop_flat_map(
            |((method, digits), salt)| {
                hex(digits).prop_map(move |digest| format!("{method}${salt}${digest}"))
            },
        )
    }

    proptest! {
        #[test]
        fn any_parsed_text_displays_unchanged(
            text in prop_oneof![any::<String>(), near_misses(), hashes()],
        ) {
            if let Ok(hash) = text.parse::<PasswordHash>() {
                prop_assert_eq!(hash.to_string(), text);
            }
        }

        #[test]
        fn every_hash_of_the_grammar_parses(text in hashes()) {
            prop_assert!(text.parse::<PasswordHash>().is_ok());
        }
    }
}
