//! What the `password_hash` column of one user means.

use std::fmt;

use crate::hash::{HashError, MethodError, PasswordHash};
use crate::user::StoredText;

/// The value of a `password_hash` column.
///
/// # Syntax
///
/// ```text
/// active = hash                                   ; see PasswordHash
/// locked = "!" method "|" salt "|" digest         ; the hash, with its two "$" written as "|"
/// ```
///
/// A locked value has no `$`, so that every version of werkzeug answers False to it without
/// raising. No method holds a `|` and no digest does: the first and the last one give the hash
/// back byte for byte, whatever the salt holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// The user can log in.
    Active(PasswordHash),
    /// An administrator locked the user; the hash is kept for the day of unlocking. The error is
    /// one of those that werkzeug may know better: the hash is unsupported or over a limit.
    Locked(Result<PasswordHash, MethodError>),
    /// Nobody can log in with this.
    Unusable(HashError),
}

impl Credential {
    /// Reads a stored value. It never fails: what is no credential is [`Unusable`](Self::Unusable).
    #[must_use]
    pub fn parse(stored: &StoredText) -> Self {
        let StoredText::Text(text) = stored else {
            return Self::Unusable(MethodError::Raises("it is not UTF-8 text").into());
        };
        // With a "$" in it werkzeug could raise on it, and no hash with a lock has one.
        match unlocked(text).filter(|_| !text.contains('$')).map(|text| text.parse()) {
            Some(Ok(hash)) => return Self::Locked(Ok(hash)),
            Some(Err(HashError::Method(
                error @ (MethodError::Unsupported(_) | MethodError::OverLimit(_)),
            ))) => return Self::Locked(Err(error)),
            Some(Err(_)) | None => {}
        }
        match text.parse() {
            Ok(hash) => Self::Active(hash),
            Err(error) => Self::Unusable(error),
        }
    }

    /// The hash, where there is one.
    #[must_use]
    pub fn hash(&self) -> Option<&PasswordHash> {
        match self {
            Self::Active(hash) | Self::Locked(Ok(hash)) => Some(hash),
            Self::Locked(Err(_)) | Self::Unusable(_) => None,
        }
    }

    /// Whether an administrator locked the user.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Locked(_))
    }

    /// The same with another hash: what was locked stays so.
    #[must_use]
    pub fn with_hash(&self, hash: PasswordHash) -> NewCredential {
        if self.is_locked() { NewCredential::locked(&hash) } else { hash.into() }
    }
}

/// Undoes the writing of a locked value: the text behind the `!` with the first and the last `|`
/// as `$`, whatever it is.
pub(crate) fn unlocked(text: &str) -> Option<String> {
    let (method, rest) = text.strip_prefix('!')?.split_once('|')?;
    let (salt, digest) = rest.rsplit_once('|')?;
    Some(format!("{method}${salt}${digest}"))
}

/// The value of a `password_hash` column that is to be stored: active or locked, and never
/// unusable. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct NewCredential(String);

impl NewCredential {
    /// The credential of a user who is locked.
    #[must_use]
    pub fn locked(hash: &PasswordHash) -> Self {
        Self::locked_text(&hash.to_string())
    }

    fn locked_text(hash: &str) -> Self {
        Self(format!("!{}", hash.replacen('$', "|", 2)))
    }

    /// What locks the user with the credential `stored`; none if the user is locked already. A hash
    /// that werkzeug may know better than we do is locked too.
    ///
    /// # Errors
    ///
    /// The [`HashError`] of a value that is no hash.
    pub fn lock(stored: &StoredText) -> Result<Option<Self>, HashError> {
        match (Credential::parse(stored), stored) {
            (Credential::Locked(_), _) => Ok(None),
            (Credential::Active(hash), _) => Ok(Some(Self::locked(&hash))),
            (Credential::Unusable(error), StoredText::Text(text)) => {
                let locked = Self::locked_text(text);
                let is_locked = Credential::parse(&StoredText::Text(locked.0.clone())).is_locked();
                // A digest which we do not know might hold a "|".
                if is_locked && unlocked(&locked.0).as_ref() == Some(text) {
                    Ok(Some(locked))
                } else {
                    Err(error)
                }
            }
            (Credential::Unusable(error), _) => Err(error),
        }
    }

    /// What unlocks the user with the credential `stored`, byte for byte what was locked; none if
    /// the user is not locked.
    ///
    /// # Errors
    ///
    /// The [`HashError`] of a value that is marked as locked and holds no hash.
    pub fn unlock(stored: &StoredText) -> Result<Option<Self>, HashError> {
        match (Credential::parse(stored), stored) {
            (Credential::Locked(_), StoredText::Text(text)) => Ok(unlocked(text).map(Self)),
            (Credential::Unusable(error), StoredText::Text(text)) if text.starts_with('!') => {
                Err(error)
            }
            _ => Ok(None),
        }
    }
}

impl From<PasswordHash> for NewCredential {
    fn from(hash: PasswordHash) -> Self {
        Self(hash.to_string())
    }
}

impl fmt::Display for NewCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NewCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewCredential(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "pbkdf2:sha1:1$a|b||c$0c60c80f961f0e71f3a9b524af6012062fe037a6";

    fn credential(text: &str) -> Credential {
        Credential::parse(&StoredText::Text(text.to_owned()))
    }

    #[test]
    fn a_locked_value_gives_its_hash_back_whatever_the_salt_holds() {
        let hash: PasswordHash = HASH.parse().unwrap();
        let locked = NewCredential::locked(&hash).to_string();
        assert_eq!(locked, "!pbkdf2:sha1:1|a|b||c|0c60c80f961f0e71f3a9b524af6012062fe037a6");
        assert_eq!(credential(&locked), Credential::Locked(Ok(hash)));
    }

    #[test]
    fn there_is_a_hash_in_what_is_one_locked_or_not() {
        let hash: PasswordHash = HASH.parse().unwrap();
        let locked = NewCredential::locked(&hash).to_string();
        for text in [HASH, &locked] {
            assert_eq!(credential(text).hash(), Some(&hash), "{text}");
        }
        for text in ["!", "!pbkdf2:sha224:1|salt|00ff", "hunter2"] {
            assert_eq!(credential(text).hash(), None, "{text}");
        }
    }

    #[test]
    fn debug_shows_nothing_of_a_new_value() {
        let hash: PasswordHash = HASH.parse().unwrap();
        assert_eq!(format!("{:?}", NewCredential::locked(&hash)), "NewCredential(…)");
    }

    #[test]
    fn a_new_hash_of_a_locked_user_is_locked() {
        let hash: PasswordHash = HASH.parse().unwrap();
        let locked = Credential::Locked(Ok(hash.clone()));
        assert!(locked.with_hash(hash.clone()).to_string().starts_with("!pbkdf2:sha1:1|"));
        assert_eq!(credential("!").with_hash(hash).to_string(), HASH);
    }

    #[test]
    fn a_locked_hash_that_we_cannot_check_is_locked_all_the_same() {
        let hash: PasswordHash = HASH.parse().unwrap();
        for text in ["!pbkdf2:sha224:1|salt|00ff", "!scrypt:1048576:8:1|salt|00ff"] {
            assert!(matches!(credential(text), Credential::Locked(Err(_))), "{text}");
            assert!(credential(text).with_hash(hash.clone()).to_string().starts_with('!'));
        }
    }

    #[test]
    fn locking_and_unlocking_give_the_value_back_and_are_idempotent() {
        let text = |text: &str| StoredText::Text(text.to_owned());
        for hash in [HASH, "pbkdf2:sha224:1$a|b$00ff", "scrypt:1048576:8:1$$ff"] {
            let locked = NewCredential::lock(&text(hash)).unwrap().unwrap().to_string();
            assert!(!locked.contains('$'), "{locked}");
            assert_eq!(NewCredential::lock(&text(&locked)), Ok(None));
            let unlocked = NewCredential::unlock(&text(&locked)).unwrap().unwrap();
            assert_eq!(unlocked.to_string(), hash);
            assert_eq!(NewCredential::unlock(&text(hash)), Ok(None));
        }
    }

    #[test]
    fn what_is_no_hash_cannot_be_locked_and_a_damaged_lock_not_be_undone() {
        for stored in ["", "!", "secret123", "$2b$12$abc", "scrypt$salt$short", "!scrypt|salt|ff"] {
            let stored = StoredText::Text(stored.to_owned());
            assert!(NewCredential::lock(&stored).is_err(), "{stored}");
            let is_marked = stored.to_string().starts_with('!');
            assert_eq!(NewCredential::unlock(&stored).is_err(), is_marked, "{stored}");
        }
        assert!(NewCredential::lock(&StoredText::Null).is_err());
    }

    #[test]
    fn what_could_not_be_unlocked_to_what_it_was_or_would_make_werkzeug_raise_is_not_locked() {
        for rest in ["salt$a$b", "salt$a$b$c", "salt$$", "salt$a|b", "a|b|c", "a|b"] {
            let stored = StoredText::Text(format!("pbkdf2:sha224:1${rest}"));
            assert!(NewCredential::lock(&stored).is_err(), "{stored}");
        }
        for locked in ["!pbkdf2:sha224:1|salt|a$b", "!pbkdf2:sha224:1|a$b$c|00"] {
            assert!(matches!(credential(locked), Credential::Unusable(_)), "{locked}");
        }
    }

    #[test]
    fn what_only_resembles_a_locked_value_is_unusable() {
        use HashError::{Method, NeverMatches};
        for text in ["", "!", "!!", "*", "!scrypt|salt|ff", "scrypt|salt|ff", "!|||"] {
            assert!(matches!(credential(text), Credential::Unusable(NeverMatches(_))), "{text}");
        }
        let prefixed = credential(&format!("!{HASH}"));
        assert!(matches!(prefixed, Credential::Unusable(Method(MethodError::Raises(_)))));
    }

    #[test]
    fn what_is_not_text_is_unusable() {
        for stored in [
            StoredText::Null,
            StoredText::Blob(HASH.into()),
            StoredText::InvalidText(b"\xff".to_vec()),
        ] {
            assert!(matches!(Credential::parse(&stored), Credential::Unusable(_)));
        }
    }
}
