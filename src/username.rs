//! Names of new users.

use std::fmt;
use std::str::FromStr;

use unicode_normalization::is_nfc;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use crate::escape::is_hidden;

/// The name of a new user.
///
/// 1 to [`MAX_BYTES`](Self::MAX_BYTES) bytes of UTF-8 in Unicode normalization form C, without
///
/// - `:`, which ends the name in HTTP Basic authentication (RFC 7617, section 2),
/// - control and format characters, which are invisible,
/// - a leading `-`, which commands parse as an option,
/// - whitespace except single spaces between words; U+00A0, which looks like a space, is not
///   allowed either.
///
/// Names already in a table can be anything. They are looked up as bytes and do not use this type.
///
/// ```
/// use dash_users::Username;
///
/// let name: Username = "Zoë Quinn".parse()?;
/// assert_eq!(name.as_str(), "Zoë Quinn");
/// assert!("a:b".parse::<Username>().is_err());
/// # Ok::<(), dash_users::UsernameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Username(String);

impl Username {
    /// The maximum length of a name, in bytes of UTF-8.
    pub const MAX_BYTES: usize = 255;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Username {
    type Err = UsernameError;

    fn from_str(text: &str) -> Result<Self, UsernameError> {
        if text.is_empty() {
            return Err(UsernameError::Empty);
        }
        if text.len() > Self::MAX_BYTES {
            return Err(UsernameError::TooLong);
        }
        if text.starts_with('-') {
            return Err(UsernameError::LeadingHyphen);
        }
        // Most names are ASCII, and looking up a category takes time.
        for c in text.chars().filter(|c| !c.is_ascii_graphic() || *c == ':') {
            match c.general_category() {
                _ if c == ':' => return Err(UsernameError::Colon),
                GeneralCategory::Control => return Err(UsernameError::Invisible(c)),
                _ if c.is_whitespace() && c != ' ' => {
                    return Err(UsernameError::OtherWhitespace(c));
                }
                _ if is_hidden(c) => {
                    return Err(UsernameError::Invisible(c));
                }
                _ => {}
            }
        }
        if text.starts_with(' ') || text.ends_with(' ') || text.contains("  ") {
            return Err(UsernameError::Whitespace);
        }
        if !text.is_ascii() && !is_nfc(text) {
            return Err(UsernameError::NotNormalized);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<[u8]> for Username {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Why a text is not a valid name for a new user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it")]
pub enum UsernameError {
    #[error("a username cannot be empty")]
    Empty,
    #[error("a username cannot be longer than {} bytes", Username::MAX_BYTES)]
    TooLong,
    #[error("a username cannot contain ':', which ends the name in HTTP Basic authentication")]
    Colon,
    #[error("a username cannot contain the control or format character U+{:04X}", u32::from(*.0))]
    Invisible(char),
    #[error("a username cannot begin with '-'")]
    LeadingHyphen,
    #[error("a username cannot contain whitespace except single spaces between words")]
    Whitespace,
    #[error("a username cannot contain the whitespace character U+{:04X}", u32::from(*.0))]
    OtherWhitespace(char),
    #[error("a username must be in Unicode normalization form C (NFC)")]
    NotNormalized,
    #[error("a username must be UTF-8")]
    NotUtf8,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_accepted_unchanged() {
        for name in ["a", "alice", "Zoë Quinn", "o'hara", "x@example.org", "李雷", "🙂", "a-b"]
        {
            assert_eq!(name.parse::<Username>().unwrap().as_str(), name);
        }
        assert!("é".repeat(127).parse::<Username>().is_ok());
        assert!("a".repeat(255).parse::<Username>().is_ok());
    }

    #[test]
    fn invalid_names_have_reasons() {
        use UsernameError as E;
        for (name, reason) in [
            ("", E::Empty),
            (&*"a".repeat(256), E::TooLong),
            (&*"é".repeat(128), E::TooLong),
            ("a:b", E::Colon),
            ("a\nb", E::Invisible('\n')),
            ("a\0", E::Invisible('\0')),
            ("a\u{85}", E::Invisible('\u{85}')),
            ("a\u{200b}b", E::Invisible('\u{200b}')),
            ("\u{202e}evil", E::Invisible('\u{202e}')),
            ("-rf", E::LeadingHyphen),
            (" a", E::Whitespace),
            ("a ", E::Whitespace),
            ("a  b", E::Whitespace),
            ("a\u{a0}b", E::OtherWhitespace('\u{a0}')),
            ("a\u{2028}b", E::OtherWhitespace('\u{2028}')),
            ("a\u{3000}b", E::OtherWhitespace('\u{3000}')),
            ("e\u{301}", E::NotNormalized),
        ] {
            assert_eq!(name.parse::<Username>(), Err(reason), "{name:?}");
        }
    }
}
