//! Names of groups, as used by `BasicAuth(user_groups=…)` and by callbacks that are limited to
//! groups.

use std::fmt;
use std::str::FromStr;

/// The name of a group: 1 to [`MAX_BYTES`](Self::MAX_BYTES) bytes of UTF-8 without `,`, `;` and
/// control characters, and without leading or trailing whitespace.
///
/// ```
/// use dash_users::Group;
///
/// assert_eq!("data science".parse::<Group>()?.as_str(), "data science");
/// assert!("admins,staff".parse::<Group>().is_err());
/// # Ok::<(), dash_users::GroupError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group(String);

impl Group {
    /// The maximum length of a name, in bytes of UTF-8.
    pub const MAX_BYTES: usize = 255;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Group {
    type Err = GroupError;

    fn from_str(text: &str) -> Result<Self, GroupError> {
        if text.is_empty() {
            return Err(GroupError::Empty);
        }
        if text.len() > Self::MAX_BYTES {
            return Err(GroupError::TooLong);
        }
        if let Some(c) = text.chars().find(|c| matches!(c, ',' | ';')) {
            return Err(GroupError::Separator(c));
        }
        if let Some(c) = text.chars().find(|c| c.is_control()) {
            return Err(GroupError::Control(c));
        }
        if text.trim() != text {
            return Err(GroupError::Whitespace);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is not a valid group name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it")]
pub enum GroupError {
    #[error("a group name cannot be empty")]
    Empty,
    #[error("a group name cannot be longer than {} bytes", Group::MAX_BYTES)]
    TooLong,
    #[error("a group name cannot contain '{0}', which separates groups")]
    Separator(char),
    #[error("a group name cannot contain the control character U+{:04X}", u32::from(*.0))]
    Control(char),
    #[error("a group name cannot begin or end with whitespace")]
    Whitespace,
    #[error("a group name must be UTF-8")]
    NotUtf8,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_accepted_unchanged() {
        for name in ["admins", "a", "data science", "Führung", "a/b:c|d", "🙂"] {
            assert_eq!(name.parse::<Group>().unwrap().to_string(), name);
        }
        assert!("a".repeat(255).parse::<Group>().is_ok());
    }

    #[test]
    fn invalid_names_have_reasons() {
        use GroupError as E;
        for (name, reason) in [
            ("", E::Empty),
            (&*"a".repeat(256), E::TooLong),
            ("a,b", E::Separator(',')),
            ("a;b", E::Separator(';')),
            ("a\tb", E::Control('\t')),
            ("a\u{85}b", E::Control('\u{85}')),
            (" a", E::Whitespace),
            ("a\u{a0}", E::Whitespace),
        ] {
            assert_eq!(name.parse::<Group>(), Err(reason), "{name:?}");
        }
    }
}
