//! Values that are placeholders for a missing password.

use zeroize::Zeroizing;

use super::wrapped::layers::{FIELD_NAMES, is_blank, plain_name, strip_start, unquoted};

/// Words that programs write instead of a missing password, in lower case.
const NO_PASSWORD: &[&str] = &[
    "none",
    "null",
    "nil",
    "nan",
    "-nan",
    "nat",
    "na",
    "n/a",
    "#n/a",
    "#n/a n/a",
    "#na",
    "<na>",
    "<n/a>",
    "(null)",
    "<null>",
    "[null]",
    "(none)",
    "<none>",
    "undefined",
    "\\n",
    "#null!",
    "#value!",
    "#name?",
    "#ref!",
    "1.#ind",
    "-1.#ind",
    "1.#qnan",
    "-1.#qnan",
    "dbnull",
    "{}",
];

/// Characters that programs show instead of each character of a password.
const MASKS: [char; 5] = ['*', '•', '●', '∙', '⋅'];

/// The minimum number of mask characters. A single `*` locks an account.
const MIN_MASKED: usize = 4;

/// Whether a text is a placeholder for a missing password: it is empty or blank, masked, a word
/// such as `None`, `nan` or `\N`, or the name of its column.
pub(super) fn is_no_password(text: &str) -> bool {
    let mut text = text;
    loop {
        let inner = text.trim_matches(is_blank);
        let inner = strip_start(inner, "b").and_then(unquoted).or(unquoted(inner)).unwrap_or(inner);
        if inner.len() == text.len() {
            break;
        }
        text = inner;
    }
    let lower = Zeroizing::new(text.to_ascii_lowercase());
    let is_masked = text.chars().count() >= MIN_MASKED && text.chars().all(|c| MASKS.contains(&c));
    text.is_empty()
        || is_masked
        || NO_PASSWORD.contains(&lower.as_str())
        || FIELD_NAMES.contains(&plain_name(text).as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_no_password() {
        for text in [
            "",
            " ",
            "\n",
            "\u{feff}",
            "\u{a0}\t",
            "None",
            "none",
            "NONE",
            "nan",
            "NaN",
            "null",
            "NULL",
            "nil",
            "N/A",
            "#N/A",
            "undefined",
            "\\N",
            "<NA>",
            "NaT",
            "'None'",
            "\"null\"",
            "b'None'",
            "''",
            " None\r\n",
            "(null)",
            "[NULL]",
            "password",
            "Password",
            "PASSWORD_HASH",
            "password-hash",
            "Password Hash",
            "hashed_password",
            "********",
            "••••••••",
        ] {
            assert!(is_no_password(text), "{text:?}");
        }
        for text in
            ["nonesuch", "Nancy", "secret", "nullify", "passwords", "password1", "0", "b", "'"]
        {
            assert!(!is_no_password(text), "{text:?}");
        }
    }
}
