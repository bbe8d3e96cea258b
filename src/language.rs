//! Language tags for the `language` column.

use std::fmt;
use std::str::FromStr;

use oxilangtag::LanguageTag;

/// A well-formed language tag (BCP 47, RFC 5646), stored as it was written. The default is `en`.
///
/// ```
/// use dash_users::Language;
///
/// assert_eq!(Language::default().as_str(), "en");
/// assert_eq!("pt-BR".parse::<Language>()?.as_str(), "pt-BR");
/// assert!("english!".parse::<Language>().is_err());
/// # Ok::<(), dash_users::LanguageError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Language(String);

impl Language {
    /// The tag as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Language {
    fn default() -> Self {
        Self("en".to_owned())
    }
}

impl FromStr for Language {
    type Err = LanguageError;

    fn from_str(text: &str) -> Result<Self, LanguageError> {
        match LanguageTag::parse(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(_) => Err(LanguageError),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not a well-formed BCP 47 language tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a language must be a BCP 47 tag, such as 'en' or 'pt-BR'")]
pub struct LanguageError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_unchanged() {
        for tag in ["en", "FR", "pt-BR", "zh-Hant-TW", "de-CH-1996", "x-klingon", "i-klingon"] {
            assert_eq!(tag.parse::<Language>().unwrap().to_string(), tag);
        }
    }

    #[test]
    fn invalid_tags_are_rejected() {
        for text in ["", " ", "e", "en_US", "english language", "en-", "-en", "en\n", "français"] {
            assert_eq!(text.parse::<Language>(), Err(LanguageError), "{text:?}");
        }
    }
}
