//! Password hashes in the text format of [werkzeug](https://werkzeug.palletsprojects.com)'s
//! `security` module, as version 3.1 reads them.

pub(crate) mod bulk;
mod method;
mod parse;
mod pbkdf2;
mod scrypt;

use std::fmt;

use subtle::ConstantTimeEq;

#[cfg(test)]
pub(crate) use self::method::DERIVED;
pub use self::method::{Method, MethodError};
pub use self::parse::HashError;
pub use self::pbkdf2::{Digest, Pbkdf2};
pub use self::scrypt::Scrypt;
use crate::password::Password;
use crate::random;

/// A password hash.
///
/// # Syntax
///
/// ```text
/// hash    = method "$" salt "$" digest
/// method  = "scrypt" [ ":" N ":" r ":" p ]                ; see Method
///         | "pbkdf2" [ ":" algorithm [ ":" iterations ] ]
/// salt    = any text without "$", used as its UTF-8 bytes, not decoded; may be empty
/// digest  = lower-case hexadecimal: 128 digits for scrypt,
///           40, 64 or 128 for pbkdf2 with sha1, sha256 or sha512
/// ```
///
/// A parsed hash is displayed byte for byte as it was. Parsing fails with a [`HashError`] that says
/// how werkzeug treats the text.
///
/// # Security
///
/// Parsing does not hash, and allocates no more than the length of the text. [`Method`] limits the
/// cost of verifying, so an untrusted hash can neither hang nor exhaust the machine. `Debug` shows
/// only the method, not the salt or digest.
///
/// ```
/// use dash_users::{Method, Password, PasswordHash};
///
/// let password = Password::from("plover-xyzzy-quux");
/// let hash = PasswordHash::new(&Method::default(), &password);
/// assert!(hash.verify(&password));
///
/// let read: PasswordHash = hash.to_string().parse()?;
/// assert_eq!(read.method().to_string(), "scrypt:32768:8:1");
/// assert!(!read.verify(&Password::from("something else")));
/// # Ok::<(), dash_users::HashError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    /// The method as spelled in the text: `scrypt` and `scrypt:32768:8:1` are the same method.
    spelling: String,
    method: Method,
    salt: String,
    digest: Vec<u8>,
}

impl PasswordHash {
    /// The maximum length of a hash in bytes. A longer text is rejected without parsing it.
    pub const MAX_BYTES: usize = 64 << 10;

    /// The length of a new salt in characters, the same as werkzeug 3.1's.
    pub const SALT_CHARS: usize = 16;

    /// Hashes `password` with a fresh random salt (95 bits).
    ///
    /// # Panics
    ///
    /// If the operating system's random generator fails.
    #[must_use]
    pub fn new(method: &Method, password: &Password) -> Self {
        let salt = new_salt();
        let digest = method.derive(password, &salt);
        Self::from_parts(*method, salt, digest)
    }

    fn from_parts(method: Method, salt: String, digest: Vec<u8>) -> Self {
        Self { spelling: method.to_string(), method, salt, digest }
    }

    /// A hash with a random salt and digest, which no known password matches.
    pub(crate) fn of_nothing(method: &Method) -> Self {
        Self::from_parts(*method, new_salt(), random::bytes(method.digest_bytes()))
    }

    /// Does the work of verifying a password and discards the result, so an unknown user takes as
    /// long as an existing one.
    pub(crate) fn verify_nothing(method: &Method, password: &Password) {
        std::hint::black_box(method.derive(password, &"0".repeat(Self::SALT_CHARS)));
    }

    /// Whether `password` matches. Digests are compared in constant time.
    #[must_use]
    pub fn verify(&self, password: &Password) -> bool {
        self.method.derive(password, &self.salt).ct_eq(&self.digest).into()
    }

    /// The method and its cost.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Whether the hash should be replaced by one with the method `current`: it uses another
    /// algorithm, does less work, or does not spell out all parameters.
    #[must_use]
    pub fn is_outdated(&self, current: &Method) -> bool {
        !self.method.is_as_strong_as(current) || self.spelling != self.method.to_string()
    }
}

/// A random salt.
fn new_salt() -> String {
    const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    random::text(ALPHABET, PasswordHash::SALT_CHARS)
}

impl fmt::Display for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = base16ct::lower::encode_string(&self.digest);
        write!(f, "{}${}${digest}", self.spelling, self.salt)
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PasswordHash({}$…)", self.method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(text: &str) -> PasswordHash {
        text.parse().unwrap()
    }

    #[test]
    fn new_hash_has_all_parameters_and_new_salt() {
        let password = Password::from("x");
        for (method, full) in
            [("scrypt", "scrypt:32768:8:1$"), ("pbkdf2:sha256:1", "pbkdf2:sha256:1$")]
        {
            let method = method.parse().unwrap();
            let [one, two] = [(); 2].map(|()| PasswordHash::new(&method, &password).to_string());
            assert!(one.starts_with(full), "{one}");
            assert_ne!(one, two);
            assert_eq!(one.split('$').nth(1).unwrap().len(), PasswordHash::SALT_CHARS);
        }
    }

    #[test]
    fn omitted_parameters_have_defaults() {
        for (text, method) in [
            ("pbkdf2:sha1:1$salt$e1a8a5e1a3e6ac42bb0dd8a3c3dc8cb4a4a4a4a4", "pbkdf2:sha1:1"),
            (&format!("pbkdf2:sha512$s${}", "0".repeat(128)), "pbkdf2:sha512:1000000"),
            (&format!("scrypt$s${}", "0".repeat(128)), "scrypt:32768:8:1"),
        ] {
            assert_eq!(hash(text).method().to_string(), method);
        }
    }

    #[test]
    fn debug_shows_neither_salt_nor_digest() {
        let hash = hash("pbkdf2:sha1:1$saltsalt$e1a8a5e1a3e6ac42bb0dd8a3c3dc8cb4a4a4a4a4");
        assert_eq!(format!("{hash:?}"), "PasswordHash(pbkdf2:sha1:1$…)");
    }

    #[test]
    fn outdated_covers_algorithm_work_and_omissions() {
        let scrypt = |method: &str| hash(&format!("{method}$s${}", "0".repeat(128)));
        let sha256 = |method: &str| hash(&format!("{method}$s${}", "0".repeat(64)));
        let current = Method::default();
        assert!(!scrypt("scrypt:32768:8:1").is_outdated(&current));
        assert!(!scrypt("scrypt:65536:8:1").is_outdated(&current));
        assert!(!scrypt("scrypt:16384:8:2").is_outdated(&current));
        assert!(scrypt("scrypt:16384:8:1").is_outdated(&current));
        assert!(scrypt("scrypt").is_outdated(&current));
        assert!(sha256("pbkdf2:sha256:1000000").is_outdated(&current));

        let current = "pbkdf2:sha256:1000".parse().unwrap();
        assert!(!sha256("pbkdf2:sha256:1000").is_outdated(&current));
        assert!(sha256("pbkdf2:sha256:999").is_outdated(&current));
        assert!(sha256("pbkdf2:sha256").is_outdated(&current));
        assert!(hash(&format!("pbkdf2:sha1:5000$s${}", "0".repeat(40))).is_outdated(&current));
        assert!(scrypt("scrypt:32768:8:1").is_outdated(&current));
    }
}
