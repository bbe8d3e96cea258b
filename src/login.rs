//! The check of a password against a stored value, in the same time for all rejected logins.

use crate::credential::Credential;
use crate::hash::{HashError, Method, PasswordHash};
use crate::password::Password;

/// The result of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a rejected login is not an error"]
pub enum Login {
    /// The password is correct.
    Accepted {
        /// Whether the stored hash is [outdated](PasswordHash::is_outdated).
        outdated: bool,
    },
    /// The login must be rejected.
    Refused(LoginRefusal),
}

/// Why a login was rejected. Show it to administrators only, never to the person who logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginRefusal {
    /// The password is wrong.
    WrongPassword,
    /// The user does not exist. The check took as long as one hash with the current method.
    NoSuchUser,
    /// The user is locked.
    Locked {
        /// Whether the password matches the locked hash; `None` if that hash cannot be checked.
        password_matches: Option<bool>,
    },
    /// The stored value is not a hash that can be checked.
    Unusable(HashError),
}

/// Checks `password` against the stored value; `None` is an unknown user. For an unknown user, and
/// for a value that never matches, this computes a hash with the current method; for a locked user,
/// the locked hash.
pub(crate) fn check(stored: Option<&Credential>, password: &Password, current: &Method) -> Login {
    let refusal = match stored {
        Some(Credential::Active(hash)) if hash.verify(password) => {
            return Login::Accepted { outdated: hash.is_outdated(current) };
        }
        Some(Credential::Active(_)) => LoginRefusal::WrongPassword,
        Some(Credential::Locked(Ok(hash))) => {
            LoginRefusal::Locked { password_matches: Some(hash.verify(password)) }
        }
        Some(Credential::Locked(Err(_))) => {
            PasswordHash::verify_nothing(current, password);
            LoginRefusal::Locked { password_matches: None }
        }
        Some(Credential::Unusable(reason)) => {
            if matches!(reason, HashError::NeverMatches(_)) {
                PasswordHash::verify_nothing(current, password);
            }
            LoginRefusal::Unusable(*reason)
        }
        None => {
            PasswordHash::verify_nothing(current, password);
            LoginRefusal::NoSuchUser
        }
    };
    Login::Refused(refusal)
}

/// The method of the hash that [`check`] computes, if it computes one.
pub(crate) fn checked_method(stored: Option<&Credential>, current: &Method) -> Option<Method> {
    match stored {
        Some(Credential::Active(hash) | Credential::Locked(Ok(hash))) => Some(*hash.method()),
        Some(Credential::Unusable(HashError::NeverMatches(_)) | Credential::Locked(Err(_)))
        | None => Some(*current),
        Some(Credential::Unusable(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::DERIVED;

    /// The hashes computed for a rejected login.
    fn work(stored: Option<&str>, current: &Method) -> Vec<Method> {
        let stored = stored.map(Credential::parse_text);
        DERIVED.take();
        let log_in = check(stored.as_ref(), &Password::from("other"), current);
        assert!(matches!(log_in, Login::Refused(_)));
        let derived = DERIVED.take();
        assert_eq!(checked_method(stored.as_ref(), current).as_slice(), derived);
        derived
    }

    #[test]
    fn rejected_login_computes_one_hash() {
        let current: Method = "scrypt:128:8:1".parse().unwrap();
        let hash = PasswordHash::new(&current, &Password::from("secret")).to_string();
        for stored in [
            None,
            Some(&*hash),
            Some(""),
            Some("*"),
            Some(&hash[..hash.len() - 1]),
            Some(&format!("!{}", hash.replace('$', "|"))),
            Some("!pbkdf2:sha224:1|salt|00ff"),
        ] {
            assert_eq!(work(stored, &current), [current], "{stored:?}");
        }
        // A hash with another cost, and an answer that is an error, take another time.
        let other: Method = "pbkdf2:sha256:1".parse().unwrap();
        assert_eq!(work(Some(&hash), &other), [current]);
        assert_eq!(work(Some("$2b$12$salt"), &current), []);
    }
}
