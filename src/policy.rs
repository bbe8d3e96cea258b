//! The requirements for new passwords.

use zxcvbn::{Score, zxcvbn};

use crate::escape::is_hidden;
use crate::password::Password;

/// The minimum length of a password in characters, unless weak passwords are allowed.
pub const MIN_CHARS: usize = 8;

/// The maximum length of a new password, in bytes of UTF-8.
pub const MAX_BYTES: usize = 1024;

/// The minimum score from 0 to 4 by [zxcvbn](https://github.com/dropbox/zxcvbn), unless weak
/// passwords are allowed. 3 means that more than 10⁸ guesses are needed.
pub const MIN_SCORE: u8 = Score::Three as u8;

/// Only this many characters are scored. zxcvbn's time grows with the cube of the length (2.3 s for
/// 100 random characters), and no password of this length is weak because of the rest.
const SCORED_CHARS: usize = 64;

/// Checks a new password. The `username` counts as easy to guess.
///
/// With `allow_weak`, only passwords that can never work are rejected: those for which
/// [`Violation::is_weakness`] is false.
///
/// # Errors
///
/// The first [`Violation`] found.
pub fn check(
    password: &Password,
    username: Option<&str>,
    allow_weak: bool,
) -> Result<(), Violation> {
    let text = password.expose();
    if text.is_empty() {
        return Err(Violation::Empty);
    }
    if text.chars().any(char::is_control) {
        return Err(Violation::ControlCharacter);
    }
    if text.len() > MAX_BYTES {
        return Err(Violation::TooLong);
    }
    if allow_weak {
        return Ok(());
    }
    if text.chars().count() < MIN_CHARS {
        return Err(Violation::TooShort);
    }
    if (zxcvbn(scored(text), username.as_slice()).score() as u8) < MIN_SCORE {
        return Err(Violation::Guessable);
    }
    Ok(())
}

/// Why a password is easy to guess, and how to choose a better one, in sentences of zxcvbn. Empty if
/// it says nothing.
#[must_use]
pub fn advice(password: &Password, username: Option<&str>) -> Vec<String> {
    let entropy = zxcvbn(scored(password.expose()), username.as_slice());
    let Some(feedback) = entropy.feedback() else { return Vec::new() };
    let warning = feedback.warning().map(|warning| warning.to_string());
    warning.into_iter().chain(feedback.suggestions().iter().map(ToString::to_string)).collect()
}

/// The part of a password that is scored.
fn scored(text: &str) -> &str {
    text.char_indices().nth(SCORED_CHARS).map_or(text, |(end, _)| &text[..end])
}

/// Checks that a new password from a file or another program has no invisible characters, such as a
/// byte order mark or a zero width space.
///
/// # Errors
///
/// [`Violation::Invisible`].
pub fn check_visible(password: &Password) -> Result<(), Violation> {
    let text = password.expose();
    let edge = |c: Option<char>| c.filter(|c| c.is_whitespace() && !c.is_ascii());
    let at_edge = edge(text.chars().next()).or(edge(text.chars().next_back()));
    let mut before = None;
    let mut inside = text.chars().filter(|&c| {
        let after = before.replace(c);
        // They join letters of Persian and Hindi, and emoji.
        let joins = matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}')
            && after.is_some_and(|c| !c.is_ascii() && !c.is_whitespace());
        is_hidden(c) && !joins
    });
    match at_edge.or_else(|| inside.next()) {
        Some(c) => Err(Violation::Invisible(c)),
        None => Ok(()),
    }
}

/// Why a new password is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// The password is empty.
    #[error("a password cannot be empty")]
    Empty,
    /// The password is longer than [`MAX_BYTES`] bytes.
    #[error("a password cannot be longer than {MAX_BYTES} bytes")]
    TooLong,
    /// It contains a control character. RFC 7617 forbids them in HTTP Basic authentication, and
    /// werkzeug's HMAC cannot distinguish `x` from `x` followed by NUL.
    #[error("a password cannot contain control characters, such as a line break or a tab")]
    ControlCharacter,
    /// It comes from a file and contains a format character such as U+200B.
    #[error("the password contains the invisible character U+{:04X}", u32::from(*.0))]
    Invisible(char),
    /// It has fewer than [`MIN_CHARS`] characters.
    #[error("the password is weak: it has fewer than {MIN_CHARS} characters")]
    TooShort,
    /// Its score is below [`MIN_SCORE`].
    #[error("the password is weak: it is too easy to guess")]
    Guessable,
}

impl Violation {
    /// Whether the password would work but is weak.
    #[must_use]
    pub fn is_weakness(self) -> bool {
        matches!(self, Self::TooShort | Self::Guessable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(password: &str, username: &str, allow_weak: bool) -> Result<(), Violation> {
        check(&Password::from(password), Some(username), allow_weak)
    }

    #[test]
    fn advice_says_why_a_password_is_weak() {
        assert!(!advice(&Password::from("password1"), None).is_empty());
        assert!(advice(&Password::from("plover-xyzzy-quux-73"), None).is_empty());
    }

    #[test]
    fn allow_weak_rejects_unusable_passwords() {
        for allow_weak in [false, true] {
            assert_eq!(verdict("", "alice", allow_weak), Err(Violation::Empty));
            for control in ["plover-xyzzy\0", "plover\txyzzy", "plover\nxyzzy", "plover\u{9b}xyzzy"]
            {
                assert_eq!(verdict(control, "alice", allow_weak), Err(Violation::ControlCharacter));
            }
            assert_eq!(verdict(&"é".repeat(513), "alice", allow_weak), Err(Violation::TooLong));
        }
        assert_eq!(verdict(&"é".repeat(512), "alice", true), Ok(()));
        for refusal in [Violation::Empty, Violation::ControlCharacter, Violation::TooLong] {
            assert!(!refusal.is_weakness(), "{refusal}");
        }
    }

    #[test]
    fn weak_passwords_are_rejected_unless_allowed() {
        for (weak, reason) in [
            ("héllo!7", Violation::TooShort),
            ("secret123", Violation::Guessable),
            ("pa$$w0rd", Violation::Guessable),
            ("aaaaaaaaaaaaaaaa", Violation::Guessable),
        ] {
            assert_eq!(verdict(weak, "alice", false), Err(reason), "{weak}");
            assert!(reason.is_weakness());
            assert_eq!(verdict(weak, "alice", true), Ok(()), "{weak}");
        }
        assert_eq!(verdict("plover-xyzzy-quux", "alice", false), Ok(()));
    }

    #[test]
    fn length_and_score_bounds_are_inclusive() {
        // zxcvbn never gives eight characters a score above 2.
        let (shortest, longer) = ("wq7#vK2p", "wq7#vK2pn");
        assert_eq!(shortest.len(), MIN_CHARS);
        assert_eq!(verdict(shortest, "alice", false), Err(Violation::Guessable));
        assert_eq!(zxcvbn(longer, &[]).score() as u8, MIN_SCORE);
        assert_eq!(verdict(longer, "alice", false), Ok(()));
    }

    #[test]
    fn username_counts_as_guessable() {
        assert_eq!(verdict("gwrkpzqhvx", "alice", false), Ok(()));
        assert_eq!(verdict("gwrkpzqhvx", "gwrkpzqhvx", false), Err(Violation::Guessable));
    }

    #[test]
    fn only_start_of_long_password_is_scored() {
        let long = Password::generate().expose().repeat(50);
        assert_eq!(verdict(&long, "alice", false), Ok(()));
    }

    #[test]
    fn passwords_with_hidden_characters_are_refused() {
        for text in [
            "a\u{200b}b",
            "a\u{feff}",
            "\u{2060}ab",
            "a\u{2800}b",
            "a\u{3164}",
            "a\u{34f}b",
            "ab\u{2028}",
            "ab\u{a0}",
            "\u{3000}ab",
            "a\u{fffd}b",
            "a\u{200d}b",
            "\u{200c}ab",
        ] {
            let refusal = check_visible(&Password::from(text));
            assert!(matches!(refusal, Err(Violation::Invisible(_))), "{text:?}: {refusal:?}");
        }
        // Persian, Hindi and emoji need joiners; a space may be any.
        for text in
            ["نمی\u{200c}دانم", "क्\u{200d}ष", "👩\u{200d}👧", "❤\u{fe0f}!", "a\u{a0}b", " a b "]
        {
            check_visible(&Password::from(text))
                .unwrap_or_else(|error| panic!("{text:?}: {error}"));
        }
    }
}
