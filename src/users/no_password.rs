//! Values that are placeholders for a missing password.

use zeroize::Zeroizing;

use super::wrapped::layers::{FIELD_NAMES, is_blank, plain_name};

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
    "system.dbnull",
    "{}",
    "na_character_",
    "character(0)",
    "infinity",
    "-infinity",
    "%!s(<nil>)",
    "[object object]",
    "<class 'nonetype'>",
    "nonetype",
    "optional.empty",
    "optional[null]",
    "optional[empty]",
    "system.security.securestring",
    // What locks an account, in shadow and elsewhere.
    "*lk*",
    "*np*",
    "*locked*",
    "!locked",
    "!unusable",
    "!unusable!",
];

/// What stands between brackets where a program does not show a password.
const HIDDEN: &[&str] = &[
    "redacted",
    "filtered",
    "hidden",
    "masked",
    "protected",
    "secret",
    "sensitive",
    "sensitive value",
    "known after apply",
    "empty",
    "blank",
    "unset",
    "not set",
];

const QUOTES: [(&str, &str); 4] = [("b'", "'"), ("'", "'"), ("\"", "\""), ("`", "`")];

/// What may stand around such a word, or around a name that was to be replaced by a password.
const BRACKETS: [(&str, &str); 9] = [
    ("{{", "}}"),
    ("${", "}"),
    ("<", ">"),
    ("[", "]"),
    ("(", ")"),
    ("{", "}"),
    ("%", "%"),
    ("SecretStr(", ")"),
    ("", "::text"),
];

/// Characters that programs show instead of each character of a password.
const MASKS: [char; 13] = ['*', '•', '●', '∙', '⋅', '#', '＊', '∗', '○', '◦', '■', '█', '×'];

/// The minimum number of mask characters. A single `*` locks an account.
const MIN_MASKED: usize = 4;

/// Whether a text is a placeholder for a missing password: it is empty or blank, masked, a word
/// such as `None`, `nan` or `\N`, or the name of its column.
pub(super) fn is_no_password(text: &str) -> bool {
    let mut inner = text.trim_matches(is_blank);
    let mut is_bracketed = false;
    loop {
        if is_word_for_none(inner, is_bracketed) {
            return true;
        }
        let unended = inner.trim_end_matches([',', ';', ':']).trim_matches(is_blank);
        let strip = |(open, close): &(&str, &str)| inner.strip_prefix(open)?.strip_suffix(close);
        if let Some(next) = QUOTES.iter().find_map(strip) {
            inner = next.trim_matches(is_blank);
            continue;
        }
        match BRACKETS.iter().find_map(strip).filter(|next| !next.trim().is_empty()) {
            Some(next) => (inner, is_bracketed) = (next.trim_matches(is_blank), true),
            None if unended.len() < inner.len() => inner = unended,
            None => return false,
        }
    }
}

fn is_word_for_none(text: &str, is_bracketed: bool) -> bool {
    let lower = Zeroizing::new(text.to_ascii_lowercase());
    let is_masked = text.chars().count() >= MIN_MASKED && text.chars().all(|c| MASKS.contains(&c));
    // A spreadsheet's error, in its user's language: #DIV/0!, #WERT!, #NOM?.
    let is_error = lower.len() <= 15
        && lower.strip_prefix('#').is_some_and(|error| {
            let word = error.trim_end_matches(['!', '?']);
            let is_part = |c: char| c.is_alphabetic() || c == '/' || c == '0';
            !word.is_empty()
                && word.chars().all(is_part)
                && (word.len() < error.len() || word == "nv")
        });
    // Django's mark of an account without a password.
    let is_unusable = text.len() == 41
        && text
            .strip_prefix('!')
            .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_alphanumeric()));
    let column = text.rsplit('.').next().unwrap_or_default();
    text.is_empty()
        || is_masked
        || is_error
        || is_unusable
        || NO_PASSWORD.contains(&lower.as_str())
        || FIELD_NAMES.contains(&plain_name(column).as_str())
        || is_bracketed && HIDDEN.contains(&lower.as_str())
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
            "########",
            "<nil>",
            "%!s(<nil>)",
            "[object Object]",
            "#DIV/0!",
            "#WERT!",
            "#NV",
            "NULL::text",
            "NULL,",
            "(None,)",
            "[None]",
            "[REDACTED]",
            "<redacted>",
            "(sensitive value)",
            "(known after apply)",
            "SecretStr('**********')",
            "{{ password }}",
            "%PASSWORD%",
            "<password>",
            "${PASSWORD}",
            "*LK*",
            "!locked",
            "!X7bQkP9sX7bQkP9sX7bQkP9sX7bQkP9sX7bQkP9s",
            "users.password_hash",
            "userPassword",
            "crypted_password",
            "password:",
            "＊＊＊＊",
        ] {
            assert!(is_no_password(text), "{text:?}");
        }
        for text in [
            "nonesuch",
            "Nancy",
            "secret",
            "(secret sauce)",
            "#winning!1",
            "passwords",
            "password1",
            "0",
            "b",
            "'",
        ] {
            assert!(!is_no_password(text), "{text:?}");
        }
    }
}
