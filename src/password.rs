//! Plaintext passwords: wiped after use, never shown, compared in constant time.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::random;

/// A plaintext password.
///
/// Its memory is wiped on drop, `Debug` prints no character of it, and there is no `Display`: only
/// [`expose`](Self::expose) returns the text. Comparing two passwords of the same length takes the
/// same time wherever they differ.
///
/// Any text is valid. The [`policy`](crate::policy) decides which *new* passwords are accepted.
///
/// ```
/// use dash_users::Password;
///
/// let password = Password::from("correct horse battery staple");
/// assert_eq!(format!("{password:?}"), "Password(…)");
/// ```
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// The length of a [generated](Self::generate) password, in characters.
    pub const GENERATED_CHARS: usize = 20;

    /// Letters and digits without the easily confused `0`, `O`, `o`, `1`, `I`, `l`.
    const UNAMBIGUOUS: &[u8] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz";

    /// Generates a random password of [`GENERATED_CHARS`](Self::GENERATED_CHARS) letters and digits
    /// (about 116 bits).
    ///
    /// # Panics
    ///
    /// If the operating system's random generator fails.
    #[must_use]
    pub fn generate() -> Self {
        Self::from(random::text(Self::UNAMBIGUOUS, Self::GENERATED_CHARS))
    }

    /// Converts UTF-8 bytes to a password.
    ///
    /// # Errors
    ///
    /// [`PasswordNotUtf8`] if they are not UTF-8. They are wiped even then.
    pub fn from_utf8(mut bytes: Zeroizing<Vec<u8>>) -> Result<Self, PasswordNotUtf8> {
        String::from_utf8(std::mem::take(&mut *bytes)).map(Self::from).map_err(|error| {
            error.into_bytes().zeroize();
            PasswordNotUtf8
        })
    }

    /// The plaintext. Do not print, log or store it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl PartialEq for Password {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Password {}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// The bytes of a password are not UTF-8, so no browser could send it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the password is not UTF-8")]
pub struct PasswordNotUtf8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_character() {
        assert_eq!(format!("{:?}", Password::from("s3cret")), "Password(…)");
        let invalid = Password::from_utf8(Zeroizing::new(b"s3cret\xff".to_vec())).unwrap_err();
        assert!(!format!("{invalid:?} {invalid}").contains("s3cret"));
    }

    #[test]
    fn equality_compares_text() {
        assert_eq!(Password::from("a"), Password::from("a"));
        for other in ["", "b", "aa", "A", "a\0"] {
            assert_ne!(Password::from("a"), Password::from(other));
        }
    }

    #[test]
    fn generated_passwords_are_unambiguous_and_differ() {
        let password = Password::generate();
        assert_eq!(password.expose().len(), Password::GENERATED_CHARS);
        assert!(password.expose().bytes().all(|byte| Password::UNAMBIGUOUS.contains(&byte)));
        assert!(!Password::UNAMBIGUOUS.iter().any(|byte| b"0Oo1Il".contains(byte)));
        assert_ne!(password, Password::generate());
    }
}
