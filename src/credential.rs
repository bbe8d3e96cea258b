//! The meaning of a value in the `password_hash` column: active, locked or unusable.

use std::fmt;

use crate::hash::{HashError, MethodError, PasswordHash};
use crate::store::StoredSecret;
use crate::user::StoredText;

/// The value of a `password_hash` column.
///
/// # Syntax
///
/// ```text
/// active = hash                                   ; see PasswordHash
/// locked = "!" method "|" salt "|" digest         ; the hash, with its two "$" written as "|"
///        | "!||" other                            ; any other text, with "$" written as "|d"
///                                                 ; and "|" written as "|p"
/// ```
///
/// A locked value has no `$`, so every version of werkzeug returns False for it and none raises an
/// exception. Neither a method nor a digest contains `|`, so the first and the last `|` restore the
/// hash byte for byte, whatever the salt contains. No method is empty, so the two forms cannot be
/// confused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// The user can log in.
    Active(PasswordHash),
    /// The user is locked. Holds the hash that unlocking restores, or the reason it cannot be
    /// checked.
    Locked(Result<PasswordHash, HashError>),
    /// No password matches this value.
    Unusable(HashError),
}

impl Credential {
    /// The first character of every locked value.
    pub(crate) const LOCK: char = '!';

    /// Parses a stored value. Anything that is not a credential is [`Unusable`](Self::Unusable).
    #[must_use]
    pub fn parse(stored: &StoredText) -> Self {
        let StoredText::Text(text) = stored else {
            return Self::Unusable(MethodError::Raises("not UTF-8 text").into());
        };
        Self::parse_text(text)
    }

    /// Parses a stored text.
    pub(crate) fn parse_text(text: &str) -> Self {
        if text.len() > MAX_LOCKED_BYTES {
            return Self::Unusable(MethodError::TOO_LONG.into());
        }
        if let Some(locked) = Lock::parse(text) {
            return Self::Locked(locked.value.parse());
        }
        match text.parse() {
            Ok(hash) => Self::Active(hash),
            Err(error) => Self::Unusable(error),
        }
    }

    /// The hash, active or locked; `None` for a value that cannot be checked.
    #[must_use]
    pub fn hash(&self) -> Option<&PasswordHash> {
        match self {
            Self::Active(hash) | Self::Locked(Ok(hash)) => Some(hash),
            Self::Locked(Err(_)) | Self::Unusable(_) => None,
        }
    }

    /// Why the value cannot be checked, locked or not.
    pub(crate) fn error(&self) -> Option<HashError> {
        match self {
            Self::Unusable(reason) | Self::Locked(Err(reason)) => Some(*reason),
            Self::Active(_) | Self::Locked(Ok(_)) => None,
        }
    }

    /// Whether an administrator locked the user.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Locked(_))
    }

    /// The same credential with a new hash: a locked one stays locked.
    #[must_use]
    pub fn with_hash(&self, hash: PasswordHash) -> NewCredential {
        if self.is_locked() { NewCredential::locked(&hash) } else { hash.into() }
    }
}

/// The maximum length of a locked value in bytes, reached by locking a text of `$` only.
const MAX_LOCKED_BYTES: usize = ESCAPED.len() + 2 * PasswordHash::MAX_BYTES;

/// The prefix of a locked value that does not have the form of a hash.
const ESCAPED: &str = "!||";

/// A locked value.
struct Lock {
    /// The value before locking.
    value: String,
}

impl Lock {
    /// Parses exactly what [`write`](Self::write) writes.
    fn parse(text: &str) -> Option<Self> {
        // With a "$" in it werkzeug could raise on it.
        let value = unlocked(text).filter(|_| !text.contains('$'))?;
        let is_locked = Self::write(&value).is_some_and(|locked| locked == text);
        is_locked.then_some(Self { value })
    }

    /// Locks a text; `None` if it is too long.
    fn write(value: &str) -> Option<String> {
        if value.len() > PasswordHash::MAX_BYTES {
            return None;
        }
        let is_hash = match value.parse::<PasswordHash>() {
            Ok(_)
            | Err(HashError::Method(MethodError::Unsupported(_) | MethodError::OverLimit(_))) => {
                true
            }
            Err(_) => false,
        };
        let locked = format!("!{}", value.replacen('$', "|", 2));
        // A digest of an unknown method might contain "$" or "|".
        if is_hash && !locked.contains('$') && unlocked(&locked).as_deref() == Some(value) {
            return Some(locked);
        }
        Some(format!("{ESCAPED}{}", value.replace('|', "|p").replace('$', "|d")))
    }
}

/// Restores the text of a locked value: after `!`, the first and the last `|` become `$`; after
/// `!||`, the escaped characters are restored.
pub(crate) fn unlocked(text: &str) -> Option<String> {
    if let Some(escaped) = text.strip_prefix(ESCAPED) {
        let mut parts = escaped.split('|');
        let mut value = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (character, rest) = match part.strip_prefix('d') {
                Some(rest) => ('$', rest),
                None => ('|', part.strip_prefix('p')?),
            };
            value.push(character);
            value.push_str(rest);
        }
        return Some(value);
    }
    let (method, rest) = text.strip_prefix('!')?.split_once('|')?;
    let (salt, digest) = rest.rsplit_once('|')?;
    Some(format!("{method}${salt}${digest}"))
}

/// A value to store in the `password_hash` column: active or locked, never unusable. `Debug` shows
/// no part of it.
#[derive(Clone, PartialEq, Eq)]
pub struct NewCredential(String);

impl NewCredential {
    /// The credential of a locked user.
    #[must_use]
    pub fn locked(hash: &PasswordHash) -> Self {
        Self(format!("!{}", hash.to_string().replacen('$', "|", 2)))
    }

    /// A stored value unchanged, if it is a hash, locked or not.
    pub(crate) fn of_stored(stored: &StoredSecret) -> Option<Self> {
        match (stored.credential(), stored.expose()) {
            (Credential::Active(_) | Credential::Locked(Ok(_)), StoredText::Text(text)) => {
                Some(Self(text.clone()))
            }
            _ => None,
        }
    }

    /// The value that locks a user whose stored value is `stored`, or `None` if the user is already
    /// locked. Any text can be locked, whether it is a hash or not.
    ///
    /// # Errors
    ///
    /// A [`HashError`] if the value is not text, which nobody can log in with anyway, or is longer
    /// than [`PasswordHash::MAX_BYTES`].
    pub fn lock(stored: &StoredText) -> Result<Option<Self>, HashError> {
        match (Credential::parse(stored), stored) {
            (Credential::Locked(_), _) => Ok(None),
            (_, StoredText::Text(text)) => match Lock::write(text) {
                Some(locked) => Ok(Some(Self(locked))),
                None => Err(MethodError::TOO_LONG.into()),
            },
            (Credential::Unusable(error), _) => Err(error),
            (Credential::Active(_), _) => Ok(None),
        }
    }

    /// The value that unlocks a user whose stored value is `stored`, byte for byte as before
    /// locking, or `None` if the user is not locked.
    ///
    /// # Errors
    ///
    /// A [`HashError`] if the value begins with `!` but is not a locked value.
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
    fn locked_value_restores_hash_with_any_salt() {
        let hash: PasswordHash = HASH.parse().unwrap();
        let locked = NewCredential::locked(&hash).to_string();
        assert_eq!(locked, "!pbkdf2:sha1:1|a|b||c|0c60c80f961f0e71f3a9b524af6012062fe037a6");
        assert_eq!(credential(&locked), Credential::Locked(Ok(hash)));
    }

    #[test]
    fn hash_is_returned_for_active_and_locked() {
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
    fn debug_shows_no_value() {
        let hash: PasswordHash = HASH.parse().unwrap();
        assert_eq!(format!("{:?}", NewCredential::locked(&hash)), "NewCredential(…)");
    }

    #[test]
    fn new_hash_of_locked_user_is_locked() {
        let hash: PasswordHash = HASH.parse().unwrap();
        let locked = Credential::Locked(Ok(hash.clone()));
        assert!(locked.with_hash(hash.clone()).to_string().starts_with("!pbkdf2:sha1:1|"));
        assert_eq!(credential("!").with_hash(hash).to_string(), HASH);
    }

    #[test]
    fn locked_unsupported_hash_is_locked() {
        let hash: PasswordHash = HASH.parse().unwrap();
        for text in ["!pbkdf2:sha224:1|salt|00ff", "!scrypt:1048576:8:1|salt|00ff"] {
            assert!(matches!(credential(text), Credential::Locked(Err(_))), "{text}");
            assert!(credential(text).with_hash(hash.clone()).to_string().starts_with('!'));
        }
    }

    #[test]
    fn lock_and_unlock_round_trip_and_are_idempotent() {
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
    fn lock_and_unlock_round_trip_any_text() {
        let text = |text: &str| StoredText::Text(text.to_owned());
        let mut values =
            ["", "!", "*", "secret123", "|", "$", "|d", "$2b$12$abc", "!scrypt|salt|ff"]
                .map(str::to_owned)
                .to_vec();
        values.extend(
            ["scrypt$salt$short", "md5$salt$", "!||", "!|||", "|p|d$$$", "pa$$w0rd"]
                .map(str::to_owned),
        );
        values.extend([
            format!("!{HASH}"),
            format!("{HASH}'"),
            "$".repeat(PasswordHash::MAX_BYTES),
        ]);
        for rest in ["salt$a$b", "salt$a$b$c", "salt$$", "salt$a|b", "a|b|c", "a|b"] {
            values.push(format!("pbkdf2:sha224:1${rest}"));
        }
        for value in &values {
            // "!||" is the lock of the empty text.
            let Some(locked) = NewCredential::lock(&text(value)).unwrap() else {
                assert_eq!(value, "!||");
                continue;
            };
            let locked = locked.to_string();
            assert!(!locked.contains('$') && credential(&locked).is_locked(), "{locked}");
            assert_eq!(NewCredential::lock(&text(&locked)), Ok(None));
            let unlocked = NewCredential::unlock(&text(&locked)).unwrap().unwrap();
            assert_eq!(unlocked.to_string(), *value);
        }
    }

    #[test]
    fn lock_rejects_non_text_and_long_values() {
        let long =
            format!("pbkdf2:sha1:1${}${}", "a".repeat(PasswordHash::MAX_BYTES), "0".repeat(40));
        let is_too_long =
            |stored: &str| credential(stored) == Credential::Unusable(MethodError::TOO_LONG.into());
        for long in [&long, &format!("!{}", long.replace('$', "|")), &"x".repeat(1 << 20)] {
            assert!(is_too_long(long));
            let refused = Err(MethodError::TOO_LONG.into());
            assert_eq!(NewCredential::lock(&StoredText::Text(long.clone())), refused);
        }
        let longest =
            &long.replacen("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "", 1);
        assert_eq!(longest.len(), PasswordHash::MAX_BYTES);
        assert!(matches!(credential(longest), Credential::Active(_)));
        assert!(matches!(
            credential(&format!("!{}", longest.replace('$', "|"))),
            Credential::Locked(Ok(_))
        ));
        for stored in [StoredText::Null, StoredText::Blob(HASH.into())] {
            assert!(NewCredential::lock(&stored).is_err());
        }
    }

    #[test]
    fn unlock_rejects_damaged_locks() {
        for stored in
            ["!", "!scrypt|salt|ff", "!|||", "!||a|b", "!||a$b", "!pbkdf2:sha224:1|salt|a$b"]
        {
            assert!(matches!(credential(stored), Credential::Unusable(_)), "{stored}");
            assert!(NewCredential::unlock(&StoredText::Text(stored.to_owned())).is_err());
        }
        // The second form of what has the first.
        let other = format!("!||{}", HASH.replace('|', "|p").replace('$', "|d"));
        assert!(matches!(credential(&other), Credential::Unusable(_)));
    }

    #[test]
    fn locked_lookalikes_are_unusable() {
        use HashError::{Method, NeverMatches};
        for text in ["", "!", "!!", "*", "!scrypt|salt|ff", "scrypt|salt|ff", "!|||"] {
            assert!(matches!(credential(text), Credential::Unusable(NeverMatches(_))), "{text}");
        }
        let prefixed = credential(&format!("!{HASH}"));
        assert!(matches!(prefixed, Credential::Unusable(Method(MethodError::Raises(_)))));
    }

    #[test]
    fn non_text_is_unusable() {
        for stored in [
            StoredText::Null,
            StoredText::Blob(HASH.into()),
            StoredText::InvalidText(b"\xff".to_vec()),
        ] {
            assert!(matches!(Credential::parse(&stored), Credential::Unusable(_)));
        }
    }
}
