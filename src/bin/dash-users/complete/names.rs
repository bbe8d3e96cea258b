//! Values from the database and the system that complete a word.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::env;
use std::ffi::OsStr;
use std::fs;

use clap_complete::engine::CompletionCandidate;
use dash_users::{Error, Location, User, Users, is_unsafe_to_print};

use super::{Shell, asking, database, words};

/// The maximum number of names to offer.
const MAX_NAMES: u32 = 200;

/// Methods that need no numbers.
const METHODS: [&str; 5] = ["scrypt", "pbkdf2", "pbkdf2:sha1", "pbkdf2:sha256", "pbkdf2:sha512"];

/// Usernames that complete `current`.
pub fn users(current: &OsStr) -> Vec<CompletionCandidate> {
    candidates(current, |users, prefix| users.names(prefix, MAX_NAMES))
}

/// Usernames of locked users that complete `current`.
pub fn locked_users(current: &OsStr) -> Vec<CompletionCandidate> {
    candidates(current, |users, prefix| {
        let name =
            |user: User| user.locked.then(|| user.username.to_text().map(Cow::into_owned))?;
        texts(users, prefix, |user| name(user).into_iter().collect())
    })
}

/// Group names that complete `current`.
pub fn groups(current: &OsStr) -> Vec<CompletionCandidate> {
    candidates(current, |users, prefix| users.groups(prefix, MAX_NAMES))
}

/// Groups of the user who is named by the command line, `group remove USER`.
pub fn groups_of_user(current: &OsStr) -> Vec<CompletionCandidate> {
    candidates(current, |users, prefix| {
        let Some(user) = named_user() else { return users.groups(prefix, MAX_NAMES) };
        let groups = users.get(&user)?.map(|user| user.groups).unwrap_or_default();
        let groups = groups.iter().filter_map(|group| group.to_text().map(Cow::into_owned));
        Ok(groups.filter(|group| group.starts_with(prefix)).collect())
    })
}

/// Languages in the database that complete `current`.
pub fn languages(current: &OsStr) -> Vec<CompletionCandidate> {
    candidates(current, |users, prefix| {
        texts(users, prefix, |user| {
            user.language.to_text().map(Cow::into_owned).into_iter().collect()
        })
    })
}

/// Hash methods that complete `current`.
pub fn methods(current: &OsStr) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    let fitting = METHODS.into_iter().filter(|method| method.starts_with(&*current));
    fitting.map(CompletionCandidate::new).collect()
}

/// Groups of the system that complete `current`.
pub fn file_groups(current: &OsStr) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    let file = fs::read_to_string("/etc/group").unwrap_or_default();
    let names = file.lines().filter_map(|line| line.split(':').next());
    let names = names.filter(|name| name.starts_with(&*current) && !name.starts_with(['#', '_']));
    names.map(|name| CompletionCandidate::new(name.to_owned())).collect()
}

/// Different texts of users that begin with `prefix`.
fn texts(
    users: &mut Users,
    prefix: &str,
    of: impl Fn(User) -> Vec<String>,
) -> Result<Vec<String>, Error> {
    let mut texts = BTreeSet::new();
    users.each(&mut |user| texts.extend(of(user)))?;
    texts.retain(|text| text.starts_with(prefix));
    Ok(texts.into_iter().take(MAX_NAMES as usize).collect())
}

fn candidates(
    current: &OsStr,
    find: impl FnOnce(&mut Users, &str) -> Result<Vec<String>, Error>,
) -> Vec<CompletionCandidate> {
    let found = || {
        let location = database()?;
        // A server could take too long to answer.
        let Location::Sqlite(_) = &location else { return None };
        find(&mut Users::open_no_wait(&location).ok()?, current.to_str()?).ok()
    };
    let names = found().unwrap_or_default().into_iter().filter(|name| can_be_offered(name));
    let typed = env::args_os().last().unwrap_or_default();
    let quote = open_quote(&typed.to_string_lossy());
    let quoted = |name: String| match asking() {
        Some(Shell::Bash) => for_bash(&name, quote),
        _ => Some(name),
    };
    names.filter_map(quoted).map(CompletionCandidate::new).collect()
}

/// The username after `group remove`.
fn named_user() -> Option<Vec<u8>> {
    let words = words(asking()?);
    let start = words.iter().position(|word| word == "remove" || word == "rm")?;
    let mut after = words[start + 1..].iter();
    while let Some(word) = after.next() {
        match word.to_str()? {
            "-d" | "--database" | "--format" | "--color" | "--wait" => drop(after.next()),
            option if option.starts_with('-') => {}
            // The last word is being completed.
            user if after.len() > 0 => return Some(user.as_bytes().to_owned()),
            _ => return None,
        }
    }
    None
}

/// Whether a name can be typed and shown, and is no option.
fn can_be_offered(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('-')
        && name.trim() == name
        && !name.chars().any(is_unsafe_to_print)
}

/// The quote that is still open at the end of a word.
fn open_quote(word: &str) -> Option<char> {
    let mut open = None;
    let mut chars = word.chars();
    while let Some(c) = chars.next() {
        match (open, c) {
            (None | Some('"'), '\\') => drop(chars.next()),
            (None, '\'' | '"') => open = Some(c),
            (Some(quote), c) if c == quote => open = None,
            _ => {}
        }
    }
    open
}

/// The name as bash inserts it: escaped, or for the quotes that are open. None if it cannot be.
fn for_bash(name: &str, quote: Option<char>) -> Option<String> {
    let escape = |is_special: &dyn Fn(char) -> bool| {
        let one = |c: char| if is_special(c) { format!("\\{c}") } else { c.to_string() };
        name.chars().map(one).collect()
    };
    match quote {
        Some('\'') => Some(name.replace('\'', r"'\''")),
        // History expansion cannot be quoted here.
        Some(_) if name.contains('!') => None,
        Some(_) => Some(escape(&|c| "\"\\$`".contains(c))),
        // Bash itself handles the characters at which it splits words.
        None => Some(escape(&|c| {
            c.is_ascii() && !c.is_ascii_alphanumeric() && !"._-+@%,/:=".contains(c)
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bash_reads_names_as_they_are() {
        for name in
            ["anna", "a b", "it's", "a\"b", "$(x)", "a;b*", "~a", "back`tick", r"a\b", "Zoë Q"]
        {
            for (quote, word) in [
                (None, for_bash(name, None).unwrap()),
                (Some('\''), format!("'{}'", for_bash(name, Some('\'')).unwrap())),
                (Some('"'), format!("\"{}\"", for_bash(name, Some('"')).unwrap())),
            ] {
                assert_eq!(shlex::split(&word), Some(vec![name.to_owned()]), "{quote:?}: {word}");
            }
        }
        assert_eq!(for_bash("a!b", Some('"')), None);
    }

    #[test]
    fn open_quote_ignores_closed_and_escaped_ones() {
        for (word, expected) in
            [("a", None), ("'a", Some('\'')), ("'a'", None), (r"a\'", None), ("\"it's", Some('"'))]
        {
            assert_eq!(open_quote(word), expected, "{word}");
        }
    }

    #[test]
    fn hostile_names_are_not_offered() {
        for name in ["", "-a", " a", "a\nb", "a\u{1b}", "a\u{202e}b"] {
            assert!(!can_be_offered(name), "{name:?}");
        }
    }
}
