//! PBKDF2 with HMAC (RFC 8018).

use std::fmt;
use std::str::FromStr;

use ::pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use super::method::MethodError;

/// The parameters of PBKDF2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pbkdf2 {
    digest: Digest,
    iterations: u32,
}

impl Pbkdf2 {
    /// The meaning of `pbkdf2` without parameters.
    pub const DEFAULT: Self = Self { digest: Digest::Sha256, iterations: 1_000_000 };

    /// The default number of iterations, as in werkzeug 3.1. Earlier versions used 600,000, 260,000
    /// and 150,000, so the meaning of a hash without iterations depends on the version.
    pub const DEFAULT_ITERATIONS: u64 = Self::DEFAULT.iterations as u64;

    /// The maximum number of iterations, ten times the default.
    pub const MAX_ITERATIONS: u64 = 10_000_000;

    /// Parameters with this HMAC `digest` and number of `iterations`.
    ///
    /// # Errors
    ///
    /// [`MethodError::Raises`] if werkzeug would raise an exception, and [`MethodError::OverLimit`]
    /// above [`MAX_ITERATIONS`](Self::MAX_ITERATIONS).
    pub fn new(digest: Digest, iterations: u64) -> Result<Self, MethodError> {
        match u32::try_from(iterations) {
            Ok(0) => Err(MethodError::Raises("pbkdf2 iterations must be at least 1")),
            Ok(count) if iterations <= Self::MAX_ITERATIONS => {
                Ok(Self { digest, iterations: count })
            }
            Ok(count) if i32::try_from(count).is_ok() => {
                Err(MethodError::OverLimit("pbkdf2 iterations exceed the limit of 10000000"))
            }
            _ => Err(MethodError::Raises("pbkdf2 iterations exceed 2147483647")),
        }
    }

    /// The digest algorithm of HMAC.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The number of iterations.
    #[must_use]
    pub fn iterations(&self) -> u32 {
        self.iterations
    }

    /// Whether it meets OWASP's minimum: see [`Method::is_weak`](super::Method::is_weak).
    pub(super) fn is_owasp(self) -> bool {
        let floor = match self.digest {
            Digest::Sha1 => 1_300_000,
            Digest::Sha256 => 600_000,
            Digest::Sha512 => 210_000,
        };
        self.iterations >= floor
    }

    pub(super) fn derive(self, password: &[u8], salt: &[u8]) -> Vec<u8> {
        let mut output = vec![0; self.digest.bytes()];
        match self.digest {
            Digest::Sha1 => pbkdf2_hmac::<Sha1>(password, salt, self.iterations, &mut output),
            Digest::Sha256 => pbkdf2_hmac::<Sha256>(password, salt, self.iterations, &mut output),
            Digest::Sha512 => pbkdf2_hmac::<Sha512>(password, salt, self.iterations, &mut output),
        }
        output
    }
}

impl fmt::Display for Pbkdf2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pbkdf2:{}:{}", self.digest.name(), self.iterations)
    }
}

/// A digest algorithm: SHA-1 or SHA-2 (FIPS 180-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Digest {
    /// SHA-1. Still secure in HMAC; rarely used.
    Sha1,
    /// SHA-256, used by nearly all PBKDF2 hashes.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Digest {
    /// The length of the digest in bytes.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// The name in werkzeug and Python's `hashlib`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }
}

impl FromStr for Digest {
    type Err = MethodError;

    fn from_str(name: &str) -> Result<Self, MethodError> {
        let all = [Self::Sha1, Self::Sha256, Self::Sha512];
        if let Some(digest) = all.into_iter().find(|digest| digest.name() == name) {
            return Ok(digest);
        }
        if is_known_to_openssl(name) {
            return Err(MethodError::Unsupported(
                "the pbkdf2 digest is not sha1, sha256 or sha512; werkzeug may support it",
            ));
        }
        Err(MethodError::Raises("the pbkdf2 digest is not sha1, sha256 or sha512"))
    }
}

/// Whether Python's `hashlib.pbkdf2_hmac` may know a digest by this name: its own names, and those
/// of OpenSSL 3, which are case-insensitive and have several aliases, and object identifiers.
/// Determined with OpenSSL 3.0, plus names of its providers and of older versions.
fn is_known_to_openssl(name: &str) -> bool {
    const PYTHON: [&str; 6] =
        ["blake2b", "blake2s", "sha3_224", "sha3_256", "sha3_384", "sha3_512"];
    const OPENSSL: [&str; 44] = [
        "blake2b-512",
        "blake2b512",
        "blake2s-256",
        "blake2s256",
        "md4",
        "md5",
        "md5-sha1",
        "mdc2",
        "ripemd",
        "ripemd-160",
        "ripemd160",
        "rmd160",
        "sha-1",
        "sha-224",
        "sha-256",
        "sha-384",
        "sha-512",
        "sha-512/224",
        "sha-512/256",
        "sha1",
        "sha2-224",
        "sha2-256",
        "sha2-384",
        "sha2-512",
        "sha2-512/224",
        "sha2-512/256",
        "sha224",
        "sha256",
        "sha3-224",
        "sha3-256",
        "sha3-384",
        "sha3-512",
        "sha384",
        "sha512",
        "sha512-224",
        "sha512-256",
        "sha512_224",
        "sha512_256",
        "sm3",
        "sha512/224",
        "sha512/256",
        "ssl3-md5",
        "ssl3-sha1",
        "whirlpool",
    ];
    let is_object_identifier = name.contains('.')
        && name.split('.').all(|arc| !arc.is_empty() && arc.bytes().all(|b| b.is_ascii_digit()));
    is_object_identifier
        || PYTHON.contains(&name)
        || OPENSSL.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openssl_digest_names_are_unsupported() {
        for name in [
            "ssl3-sha1",
            "SSL3-SHA1",
            "SHA-512/224",
            "sha-512/256",
            "SHA2-512/256",
            "1.3.14.3.2.26",
            "2.16.840.1.101.3.4.2.1",
            "MD4",
            "whirlpool",
        ] {
            let error = name.parse::<Digest>().unwrap_err();
            assert!(matches!(error, MethodError::Unsupported(_)), "{name}");
        }
        for name in ["", ".", "1.", "sha257", "1.3.x", "shake_128", "sha256 "] {
            let error = name.parse::<Digest>().unwrap_err();
            assert!(matches!(error, MethodError::Raises(_)), "{name}");
        }
    }
}
