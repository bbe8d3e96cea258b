//! Commands and names to paste into a shell.

use std::path::Path;

use dash_users::{Location, StoredText, is_unsafe_to_print};

/// A command for the database, ready to paste.
pub fn command(database: &Location, arguments: &str) -> String {
    format!("`dash-users {arguments} --database {}`", pasted(database))
}

/// A command about a user, ready to paste, or none if a shell cannot express the name.
pub fn user_command(
    database: &Location,
    before: &str,
    user: &StoredText,
    after: &str,
) -> Option<String> {
    let name = quoted(user)?;
    if !user.as_key()?.starts_with(b"-") {
        return Some(command(database, &format!("{before} {name}{after}")));
    }
    // A name like an option must follow all options.
    let (option, after) = if after.contains("--") { (after, "") } else { ("", after) };
    Some(format!("`dash-users {before}{option} --database {} -- {name}{after}`", pasted(database)))
}

/// The database as a shell argument.
pub fn pasted(database: &Location) -> String {
    let text = if let Location::Sqlite(path) = database {
        StoredText::from(path.as_os_str().as_encoded_bytes())
    } else {
        StoredText::Text(database.to_string())
    };
    quoted(&text).unwrap_or(database.to_string())
}

/// The text as a shell argument, or none if it cannot be one. Invalid UTF-8, control characters and
/// the like become escapes in `$'…'`, which bash, zsh and ksh understand.
pub fn quoted(text: &StoredText) -> Option<String> {
    let bytes = match text {
        StoredText::Text(text) => text.as_bytes(),
        StoredText::InvalidText(bytes) => bytes,
        StoredText::Null | StoredText::Blob(_) => return None,
    };
    if bytes.contains(&0) {
        return None;
    }
    let text = match str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(is_unsafe_to_print) => text,
        _ => return Some(escaped(bytes)),
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,@%=:".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return Some(text.to_owned());
    }
    Some(format!("'{}'", text.replace('\'', r"'\''")))
}

/// The path as a shell argument.
pub fn quoted_path(path: &Path) -> Option<String> {
    quoted(&StoredText::from(path.as_os_str().as_encoded_bytes()))
}

/// The bytes in `$'…'`, each as it is or in octal: a digit may follow.
fn escaped(bytes: &[u8]) -> String {
    let byte = |byte: &u8| match byte {
        b'\'' | b'\\' => format!("\\{}", char::from(*byte)),
        b' '..=b'~' => char::from(*byte).to_string(),
        byte => format!("\\{byte:03o}"),
    };
    format!("$'{}'", bytes.iter().map(byte).collect::<String>())
}

/// A hint as in JSON: without the backticks around its commands. A backtick in a name stays.
pub fn without_backticks(hint: &str) -> String {
    let mut result = String::with_capacity(hint.len());
    let mut rest = hint;
    while let Some((before, after)) = rest.split_once('`') {
        result += before;
        let Some(end) = end_of_command(after) else {
            return result + "`" + after;
        };
        result += &after[..end];
        rest = &after[end + 1..];
    }
    result + rest
}

/// The position of the first backtick that is not in quotes.
fn end_of_command(text: &str) -> Option<usize> {
    let (mut is_quoted, mut has_escapes, mut before) = (false, true, ' ');
    let mut chars = text.char_indices();
    while let Some((position, c)) = chars.next() {
        match c {
            '\\' if has_escapes => drop(chars.next()),
            '\'' => {
                is_quoted = !is_quoted;
                has_escapes = !is_quoted || before == '$';
            }
            '`' if !is_quoted => return Some(position),
            _ => {}
        }
        before = c;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_quotes_path_if_needed() {
        let init = |path: &str| command(&Location::Sqlite(path.into()), "init");
        assert_eq!(init("/srv/a.db"), "`dash-users init --database /srv/a.db`");
        assert_eq!(init("/a b/$x'"), r"`dash-users init --database '/a b/$x'\'''`");
    }

    #[test]
    fn without_backticks_keeps_those_of_names() {
        for (hint, expected) in [
            ("run `dash-users init` to create it", "run dash-users init to create it"),
            ("run `dash-users passwd 'a`b' -d x`, or", "run dash-users passwd 'a`b' -d x, or"),
            (r"run `show 'a'\''`b'`", r"run show 'a'\''`b'"),
            (r"run `show $'\'`\001'` or `x`", r"run show $'\'`\001' or x"),
            ("one ` alone", "one ` alone"),
        ] {
            assert_eq!(without_backticks(hint), expected);
        }
    }

    #[test]
    fn quoted_expresses_all_but_nul() {
        let quoted = |text: &str| quoted(&StoredText::Text(text.to_owned()));
        assert_eq!(quoted("zoe"), Some("zoe".to_owned()));
        assert_eq!(quoted("Zoë Q"), Some("'Zoë Q'".to_owned()));
        assert_eq!(quoted(""), Some("''".to_owned()));
        assert_eq!(quoted("a\nb'\\"), Some(r"$'a\012b\'\\'".to_owned()));
        assert_eq!(quoted("\u{202e}a"), Some(r"$'\342\200\256a'".to_owned()));
        assert_eq!(quoted("a\0"), None);
        assert_eq!(super::quoted(&StoredText::from(&b"\xff"[..])), Some(r"$'\377'".to_owned()));
        assert_eq!(super::quoted(&StoredText::Blob(b"a".to_vec())), None);
    }
}
