//! Hashes of other programs, recognized by their form, and the conversion of those that werkzeug's
//! format can express.
//!
//! | format | converted to |
//! |---|---|
//! | Django: `pbkdf2_sha256$iterations$salt$base64`, and `pbkdf2_sha1` | `pbkdf2:sha256:iterations$salt$hex` |
//! | passlib: `$pbkdf2-sha256$rounds$ab64$ab64`, `$pbkdf2$…` (SHA-1), `$pbkdf2-sha512$…` | the same, if the salt is plain text |
//! | passlib for LDAP: `{PBKDF2-SHA256}rounds$ab64$ab64` | likewise |
//!
//! `ab64` is base64 without padding and with `.` for `+`. Salts are text in Django and bytes in
//! passlib. werkzeug uses the UTF-8 bytes of a text without `$`.

use base64::engine::DecodePaddingMode::Indifferent;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use zeroize::Zeroizing;

use crate::hash::PasswordHash;

/// Base64 with or without padding.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(Indifferent),
);

/// A kind of hash that another program writes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// The prefix.
    prefix: &'static str,
    /// The name, with its article.
    pub(super) name: &'static str,
    /// The minimum number of characters after the last `$` or `}` of a complete hash.
    digest: usize,
}

const fn kind(prefix: &'static str, name: &'static str, digest: usize) -> Kind {
    Kind { prefix, name, digest }
}

/// Known kinds. A longer prefix comes before a shorter one that it starts with.
const KINDS: &[Kind] = &[
    kind("$2$", BCRYPT, 53),
    kind("$2a$", BCRYPT, 53),
    kind("$2b$", BCRYPT, 53),
    kind("$2x$", BCRYPT, 53),
    kind("$2y$", BCRYPT, 53),
    kind("$argon2", "an argon2 hash", 16),
    kind("$1$", "an MD5-crypt hash", 22),
    kind("$apr1$", "an Apache MD5 hash", 22),
    kind("$5$", "a SHA-256-crypt hash", 43),
    kind("$6$", "a SHA-512-crypt hash", 86),
    kind("$7$", "a scrypt-crypt hash", 43),
    kind("$y$", "a yescrypt hash", 43),
    kind("$gy$", "a gost-yescrypt hash", 43),
    kind("$sha1$", "a SHA-1-crypt hash", 28),
    kind("$md5", "a Sun MD5 hash", 22),
    kind("$3$", "an NT hash", 32),
    kind("$P$", "a phpass hash", 31),
    kind("$H$", "a phpass hash", 31),
    kind("$S$", "a Drupal hash", 52),
    kind("$pbkdf2-sha256$", "a passlib PBKDF2 hash", 43),
    kind("$pbkdf2-sha512$", "a passlib PBKDF2 hash", 86),
    kind("$pbkdf2", "a passlib PBKDF2 hash", 27),
    kind("$p5k2$", "a PBKDF2 hash in another format", 27),
    kind("$scrypt$", "a passlib scrypt hash", 43),
    kind("$bcrypt-sha256$", "a passlib bcrypt hash", 31),
    kind("pbkdf2_sha256$", "a Django PBKDF2 hash", 44),
    kind("pbkdf2_sha1$", "a Django PBKDF2 hash", 28),
    kind("bcrypt_sha256$", "a Django bcrypt hash", 53),
    kind("bcrypt$", "a Django bcrypt hash", 53),
    kind("argon2$", "a Django argon2 hash", 16),
    kind("scrypt$", "a Django scrypt hash", 86),
    kind("unsalted_", "a Django digest without salt", 32),
    kind("crypt$", "a Django crypt hash", 11),
    kind("md5$", "an MD5 hash of Django or an old werkzeug", 32),
    kind("sha1$", "a SHA-1 hash of Django or an old werkzeug", 40),
    kind("sha224$", "a SHA-224 hash of an old werkzeug", 56),
    kind("sha256$", "a SHA-256 hash of an old werkzeug", 64),
    kind("sha384$", "a SHA-384 hash of an old werkzeug", 96),
    kind("sha512$", "a SHA-512 hash of an old werkzeug", 128),
    kind("SCRAM-SHA-", "a SCRAM verifier of PostgreSQL", 27),
    kind("{", "an LDAP hash", 24),
];

const BCRYPT: &str = "a bcrypt hash";

/// Bare digests by their number of hexadecimal digits.
const DIGESTS: [Kind; 6] = [
    kind("", "an MD5 digest", 32),
    kind("", "a SHA-1 digest", 40),
    kind("", "a SHA-224 digest", 56),
    kind("", "a SHA-256 digest", 64),
    kind("", "a SHA-384 digest", 96),
    kind("", "a SHA-512 digest", 128),
];

/// The kind of hash that a text begins like.
pub(super) fn kind_of(text: &str) -> Option<&'static Kind> {
    if text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return DIGESTS.iter().find(|kind| kind.digest == text.len());
    }
    let kind = KINDS.iter().find(|kind| text.starts_with(kind.prefix))?;
    let is_scheme = || {
        let (scheme, _) = text[1..].split_once('}')?;
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        (!scheme.is_empty() && scheme.bytes().all(is_part)).then_some(())
    };
    (kind.prefix != "{" || is_scheme().is_some()).then_some(kind)
}

impl Kind {
    /// Whether [`converted`] may convert it.
    pub(super) fn is_pbkdf2(&self) -> bool {
        self.name.ends_with(" PBKDF2 hash")
    }

    /// Whether a hash of this kind is complete. A bare digest does not count: it may be a generated
    /// password.
    pub(super) fn is_whole(&self, text: &str) -> bool {
        let has_parts = self.prefix == "{" || text.matches('$').count() > 1;
        !self.prefix.is_empty() && has_parts && digest_length(text) >= self.digest
    }

    /// Whether a hash of this kind is truncated.
    pub(super) fn is_truncated(&self, text: &str) -> bool {
        let length = digest_length(text);
        text.matches('$').count() > 1 && (1..self.digest).contains(&length) && self.prefix != "{"
    }
}

/// The number of digest characters at the end of a text.
fn digest_length(text: &str) -> usize {
    let digest = text.rsplit(['$', '}']).next().unwrap_or_default();
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+/.=-_:".contains(&byte);
    if digest.bytes().all(is_part) { digest.len() } else { 0 }
}

/// Converts a hash to werkzeug's format; `None` if its method is unsupported, it is damaged or over
/// the limits, or its salt cannot be expressed.
pub(super) fn converted(text: &str) -> Option<Zeroizing<String>> {
    let hash = match text.strip_prefix("pbkdf2_") {
        Some(of_django) => from_django(of_django)?,
        None => from_passlib(text)?,
    };
    // Ensures that it is canonical, within the limits, and has a digest of the right length.
    hash.parse::<PasswordHash>().is_ok().then_some(hash)
}

fn from_django(text: &str) -> Option<Zeroizing<String>> {
    let [algorithm @ ("sha1" | "sha256"), iterations, salt, digest] = fields(text)? else {
        return None;
    };
    let digest = BASE64.decode(digest).ok().map(Zeroizing::new)?;
    Some(written(algorithm, iterations, salt, &digest))
}

fn from_passlib(text: &str) -> Option<Zeroizing<String>> {
    let (algorithm, rest) = [
        ("$pbkdf2$", "sha1"),
        ("$pbkdf2-sha1$", "sha1"),
        ("$pbkdf2-sha256$", "sha256"),
        ("$pbkdf2-sha512$", "sha512"),
        ("{PBKDF2}", "sha1"),
        ("{PBKDF2-SHA1}", "sha1"),
        ("{PBKDF2-SHA256}", "sha256"),
        ("{PBKDF2-SHA512}", "sha512"),
    ]
    .into_iter()
    .find_map(|(prefix, algorithm)| Some((algorithm, text.strip_prefix(prefix)?)))?;
    let [rounds, salt, digest] = fields(rest)?;
    let bytes = |text: &str| BASE64.decode(text.replace('.', "+")).ok().map(Zeroizing::new);
    let salt = bytes(salt)?;
    let salt = str::from_utf8(&salt).ok().filter(|salt| !salt.contains(is_troublesome))?;
    Some(written(algorithm, rounds, salt, &bytes(digest)?))
}

/// A character that is invisible or that another program may change.
fn is_troublesome(c: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator};
    c == '$'
        || matches!(c.general_category(), Control | Format | LineSeparator | ParagraphSeparator)
}

fn fields<const COUNT: usize>(text: &str) -> Option<[&str; COUNT]> {
    text.split('$').collect::<Vec<_>>().try_into().ok()
}

fn written(algorithm: &str, iterations: &str, salt: &str, digest: &[u8]) -> Zeroizing<String> {
    let digest = Zeroizing::new(base16ct::lower::encode_string(digest));
    Zeroizing::new(format!("pbkdf2:{algorithm}:{iterations}${salt}${}", *digest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::Password;

    /// Hashes by Django 5.2 and passlib 1.7.4 of "plover-xyzzy-quux".
    const CONVERTIBLE: [&str; 8] = [
        "pbkdf2_sha256$1000$seasalt$d57aL3ThhTwF2UPCCAM8bhzpKwTtAZXeca/rScQ5PHY=",
        "pbkdf2_sha1$1000$pinksalt$8sXy+VUuHIqLlcqnP3Hn2KFcOjA=",
        "$pbkdf2$1000$c2Vhc2FsdA$VqXw2eZxW/kV9TilfvX1uT7k7zA",
        // A salt of "Zürich salt".
        "$pbkdf2-sha256$1000$WsO8cmljaCBzYWx0$XOxdoI0djZgQJ8jtyysIhBGavz1CAZHVHou6EdJSyQo",
        "$pbkdf2-sha512$1000$Zmxvd2VyIG9mIHNhbHQ$p/anMMMaN7Wx2mF0clw8KIaUvT7NQesCOwtRa9pHdLHLtjhN8FOdDD3aLKom4kVgJrE5W4BIpNav9b2Jqz0Epw",
        "{PBKDF2}1000$cm9jayBzYWx0$xv13IYXVz40tSNHeocGp9soIPVA",
        "{PBKDF2-SHA256}1000$cm9jayBzYWx0$NdJBIZYEvGtEuHOsbbkEw949AP65tFQDXIWYtxEtIPg",
        "{PBKDF2-SHA512}1000$cm9jayBzYWx0$VjW0.cvZrQGISMiG34Mif8coTuCQiNV9N7VfSM32NT7H0camjaj/cynkS5C1vm0eWkTb6NqDnewrNEYwjSTtbA",
    ];

    #[test]
    fn converted_django_and_passlib_hashes_verify() {
        for text in CONVERTIBLE {
            let hash: PasswordHash = converted(text).expect(text).parse().unwrap();
            assert!(hash.verify(&Password::from("plover-xyzzy-quux")), "{text}");
            assert!(!hash.verify(&Password::from("plover-xyzzy")), "{text}");
        }
        let django = converted(CONVERTIBLE[0]).unwrap();
        let digest = "779eda2f74e1853c05d943c208033c6e1ce92b04ed0195de71afeb49c4393c76";
        assert_eq!(*django, format!("pbkdf2:sha256:1000$seasalt${digest}"));
    }

    #[test]
    fn inexpressible_pbkdf2_is_not_converted() {
        let truncated = &CONVERTIBLE[0][..60];
        let over_limit = &CONVERTIBLE[0].replace("1000", "10000001");
        for text in [
            // Salts that are not UTF-8, or contain "$" or a line break.
            "$pbkdf2-sha256$1000$//4A$iAuEBU1eQB0b/Gp.ejeKjb1nFAZIttYeYsf5XPqUYYE",
            "$pbkdf2-sha256$1000$YSRi$wvIpAq3p185/e18jJiLEyLAOAhZLBLWaqFOCTczYF8k",
            "$pbkdf2-sha256$1000$YQpi$2CQBZcXGr2EEIXedO41GcTXZkzMbzEFlydkp7DT8ySk",
            truncated,
            over_limit,
            &CONVERTIBLE[0].replace("1000", "01000"),
            &CONVERTIBLE[0].replace("$seasalt", "$sea$salt"),
            &CONVERTIBLE[0].replace("sha256", "sha1"),
            &CONVERTIBLE[0].replace("sha256", "md5"),
            &CONVERTIBLE[2].replace("1000", "0"),
            "$p5k2$1ffb8$ltK6t7Z2TglByPn_P6f0vg==$3WriNVuyGccXlwvyaUHw1zSaFMM=",
            "",
            "pbkdf2_",
            "$pbkdf2$",
        ] {
            assert_eq!(converted(text), None, "{text}");
        }
    }

    #[test]
    fn hashes_of_other_programs_have_names() {
        // As passlib 1.7.4 and Django 5.2 write them.
        for (text, name) in [
            ("$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW", "a bcrypt hash"),
            ("$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$RdescudvJCsgt3ub+b1dxw", "an argon2 hash"),
            ("$1$NCnEEl0k$jomJzyHZ5pgqz0n84skX41", "an MD5-crypt hash"),
            (
                "$5$rounds=1000$tFVJgyXCRt3r56T3$5udhMJwgb37Mevqj5lJ0LQJt3jgnkuR8wl9peMbwb/B",
                "a SHA-256-crypt hash",
            ),
            (
                "$6$rounds=1000$6ViUZ8tPTsxZiiu3$WjsTJO..5FKHSZ3kXfe/4z5tSauLqJf3tPdIUUYzgxSKLlC.ysZYpH3q70wzjSOSE6eyVMzqIkb9umElv1jCL0",
                "a SHA-512-crypt hash",
            ),
            (
                "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7",
                "a yescrypt hash",
            ),
            ("$P$HmmEeCryXyTUPsWZEtgl./QQp8hANq.", "a phpass hash"),
            ("{SSHA}py07alIVHS3+BzMiH24nmv/xAMGXkpIS", "an LDAP hash"),
            ("$apr1$CrEPHUxx$pNlFysLftHte1ouJDOR961", "an Apache MD5 hash"),
            ("$sha1$480000$iBnYJXLl$jeDWjzXjP4COiPt9taO4ZS3U6W1t", "a SHA-1-crypt hash"),
            (
                "$scrypt$ln=4,r=8,p=1$VYrxPgdAiBHCWMv533vv/Q$EgJvoR8PGxpowQUZSRIL9FtiZxO7X5IOKS7E7cUyCWE",
                "a passlib scrypt hash",
            ),
            (CONVERTIBLE[3], "a passlib PBKDF2 hash"),
            (CONVERTIBLE[0], "a Django PBKDF2 hash"),
            (
                "bcrypt$$2b$12$rlH4dBlP0/r.BThP1M3ytOKSy/TaihXe/7B.Uvp8G1efpP6JQvvO2",
                "a Django bcrypt hash",
            ),
            (
                "md5$seasalt$96e087252eb990cc1788a7dec6bf921a",
                "an MD5 hash of Django or an old werkzeug",
            ),
        ] {
            let kind = kind_of(text).expect(text);
            assert_eq!(kind.name, name);
            assert!(kind.is_whole(text) && !kind.is_truncated(text), "{text}");
            let is_longest = digest_length(text) == kind.digest;
            assert!(!is_longest || kind.is_truncated(&text[..text.len() - 2]), "{text}");
        }
        assert_eq!(kind_of("5f4dcc3b5aa765d61d8327deb882cf99").unwrap().name, "an MD5 digest");
        for text in
            ["", "secret123", "pa$$w0rd", "{curly", "{ }", "$ecret", "scrypt:1:1:1$a$b", "5f"]
        {
            assert_eq!(kind_of(text), None, "{text}");
        }
    }
}
