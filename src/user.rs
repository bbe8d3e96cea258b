//! Users as plain data, without the hash: what their fields are, and how they are validated.

use std::borrow::Cow;
use std::fmt;
use std::time::SystemTime;

use crate::credential::Credential;
use crate::escape::Escaped;
use crate::group::{Group, GroupError};
use crate::hash::Method;
use crate::language::{Language, LanguageError};

/// A value from a text column that other programs may write to: SQLite accepts any value.
///
/// `Display` is safe to print on a terminal: control, bidirectional and invalid characters are
/// shown as `\t`, `\n`, `\\` and `\u{…}`, NULL as `\N`, and a BLOB as `\x` with hexadecimal digits.
///
/// ```
/// use dash_users::StoredText;
///
/// assert_eq!(StoredText::from(&b"al\x1bice"[..]).to_string(), r"al\u{1b}ice");
/// assert_eq!(StoredText::Null.to_string(), r"\N");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum StoredText {
    Null,
    Text(String),
    /// Text that is not UTF-8.
    InvalidText(Vec<u8>),
    /// A BLOB, or a number as its digits.
    Blob(Vec<u8>),
}

impl StoredText {
    /// The text, with U+FFFD in place of invalid UTF-8; `None` for NULL and BLOBs.
    #[must_use]
    pub fn to_text(&self) -> Option<Cow<'_, str>> {
        self.as_key().map(String::from_utf8_lossy)
    }

    /// The bytes to look the row up by; `None` for a value that cannot be looked up.
    #[must_use]
    pub fn as_key(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text.as_bytes()),
            Self::InvalidText(bytes) => Some(bytes),
            Self::Null | Self::Blob(_) => None,
        }
    }

    /// The text, if it is UTF-8.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes of a text or BLOB, empty for NULL, for sorting.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Null => &[],
            Self::Text(text) => text.as_bytes(),
            Self::InvalidText(bytes) | Self::Blob(bytes) => bytes,
        }
    }
}

impl From<&[u8]> for StoredText {
    fn from(bytes: &[u8]) -> Self {
        match str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::InvalidText(bytes.to_owned()),
        }
    }
}

impl fmt::Display for StoredText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("\\N"),
            Self::Text(text) => Escaped(text).fmt(f),
            Self::InvalidText(bytes) => Escaped(&String::from_utf8_lossy(bytes)).fmt(f),
            Self::Blob(bytes) => {
                write!(f, "\\x{}", base16ct::lower::encode_string(bytes))
            }
        }
    }
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// The username, valid or not.
    pub username: StoredText,
    /// The language, usually a BCP 47 tag.
    pub language: StoredText,
    /// Whether an administrator locked the user.
    pub locked: bool,
    /// The hash method; `None` if the stored value is not a usable hash.
    pub method: Option<Method>,
    /// Whether the hash is [outdated](crate::PasswordHash::is_outdated).
    pub outdated: bool,
    /// The groups, in the order of their bytes.
    pub groups: Vec<StoredText>,
    /// When the user was added; `None` if that was before this crate managed the table.
    pub created_at: Option<SystemTime>,
    /// When the password was last changed; `None` if that was before this crate managed the table.
    /// Locking and rehashing the same password do not count.
    pub password_changed_at: Option<SystemTime>,
}

/// A value of a [`User`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the types say it")]
pub enum UserValue<'a> {
    Text(&'a StoredText),
    Texts(&'a [StoredText]),
    State(bool),
    Method(Option<Method>),
    Time(Option<SystemTime>),
}

impl User {
    /// The names of all fields, as in this crate's JSON.
    pub const FIELDS: [&str; 8] = [
        "username",
        "language",
        "locked",
        "method",
        "outdated",
        "groups",
        "created_at",
        "password_changed_at",
    ];

    /// A user whose hash is compared with the `current` method.
    pub(crate) fn new(
        username: StoredText,
        profile: Profile,
        credential: &Credential,
        current: &Method,
        [created_at, password_changed_at]: [Option<SystemTime>; 2],
    ) -> Self {
        let Profile { language, groups } = profile;
        let hash = credential.hash();
        Self {
            username,
            language,
            locked: credential.is_locked(),
            method: hash.map(|hash| *hash.method()),
            outdated: hash.is_some_and(|hash| hash.is_outdated(current)),
            groups,
            created_at,
            password_changed_at,
        }
    }

    /// The names and values of all fields.
    #[must_use]
    pub fn fields(&self) -> [(&'static str, UserValue<'_>); Self::FIELDS.len()] {
        let Self {
            username,
            language,
            locked,
            method,
            outdated,
            groups,
            created_at,
            password_changed_at,
        } = self;
        let values = [
            UserValue::Text(username),
            UserValue::Text(language),
            UserValue::State(*locked),
            UserValue::Method(*method),
            UserValue::State(*outdated),
            UserValue::Texts(groups),
            UserValue::Time(*created_at),
            UserValue::Time(*password_changed_at),
        ];
        std::array::from_fn(|field| (Self::FIELDS[field], values[field]))
    }
}

/// What a user has besides a name and a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The language.
    pub language: StoredText,
    /// The groups, in the order of their bytes.
    pub groups: Vec<StoredText>,
}

impl Profile {
    /// The names of all fields.
    pub const FIELDS: [&str; 2] = ["language", "groups"];

    /// The value of each field, a text or several.
    pub(crate) fn values(&self) -> [UserValue<'_>; Self::FIELDS.len()] {
        let Self { language, groups } = self;
        [UserValue::Text(language), UserValue::Texts(groups)]
    }
}

/// Some fields of a [`Profile`]; `None` is not given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "see Profile")]
pub struct PartialProfile {
    pub language: Option<StoredText>,
    pub groups: Option<Vec<StoredText>>,
}

/// A field of a [`PartialProfile`], to be set.
pub(crate) enum PartialValue<'a> {
    Text(&'a mut Option<StoredText>),
    Texts(&'a mut Option<Vec<StoredText>>),
}

impl PartialProfile {
    /// The value of each field in [`Profile::FIELDS`].
    pub(crate) fn values_mut(&mut self) -> [PartialValue<'_>; Profile::FIELDS.len()] {
        let Self { language, groups } = self;
        [PartialValue::Text(language), PartialValue::Texts(groups)]
    }

    /// The names of the given fields.
    pub(crate) fn given(&self) -> impl Iterator<Item = &'static str> {
        let Self { language, groups } = self;
        let are_given = [language.is_some(), groups.is_some()];
        let fields = Profile::FIELDS.into_iter().zip(are_given);
        fields.filter(|(_, is_given)| *is_given).map(|(name, _)| name)
    }

    /// Rejects an invalid field.
    pub(crate) fn validate<E>(&self) -> Result<(), E>
    where
        E: From<LanguageError> + From<GroupError>,
    {
        let Self { language, groups } = self;
        if let Some(language) = language {
            language.as_str().ok_or(LanguageError)?.parse::<Language>()?;
        }
        for group in groups.iter().flatten() {
            group.as_str().ok_or(GroupError::NotUtf8)?.parse::<Group>()?;
        }
        Ok(())
    }

    /// The fields that differ from the current ones.
    pub(crate) fn changes(&self, current: &Profile) -> Self {
        let Self { language, groups } = self;
        Self {
            language: language.as_ref().filter(|new| **new != current.language).cloned(),
            groups: groups.as_ref().filter(|new| **new != current.groups).cloned(),
        }
    }

    /// The profile of a new user.
    pub(crate) fn complete(&self) -> Profile {
        let Self { language, groups } = self.clone();
        let default = || StoredText::Text(Language::default().to_string());
        Profile { language: language.unwrap_or_else(default), groups: groups.unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_has_the_fields_of_profile() {
        let profile = PartialProfile::default().complete();
        let credential = Credential::parse(&StoredText::Null);
        let user =
            User::new(StoredText::Null, profile, &credential, &Method::default(), [None, None]);
        let is_text = |value: &_| matches!(value, UserValue::Text(_) | UserValue::Texts(_));
        let texts = user.fields().into_iter().filter(|(_, value)| is_text(value));
        let names: Vec<_> = texts.map(|(name, _)| name).collect();
        assert_eq!(names, [&["username"], &Profile::FIELDS[..]].concat(), "in this order");
    }
}
