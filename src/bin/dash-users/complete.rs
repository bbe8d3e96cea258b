//! What a shell asks for while somebody types: the candidates for a word.
//!
//! The script that `dash-users completions SHELL` prints calls the program with the variable
//! [`VARIABLE`], and the words of the line behind `--`. Nothing that goes wrong then may be seen:
//! whoever types has asked for nothing.
//!
//! No candidate means anything to a shell: names of users that would are not offered, and those of
//! files are left to the shell.

mod scripts;

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::Path;

use clap::{Arg, Command, ValueHint};
use clap_complete::ArgValueCompleter;
use clap_complete::engine::{CompletionCandidate, complete};
use dash_users::{Location, Users};

use crate::cli::{self, environment};

pub use self::scripts::{BASH, FISH, ZSH};

/// With this variable, whose value is a shell, the program completes.
const VARIABLE: &str = "DASH_USERS_COMPLETE";

/// The most names that are offered.
const MAX_NAMES: u32 = 200;

/// Stands for the names of files.
const FILES: &str = "<files>";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Answers a shell, if it is one that asks.
pub fn answer() -> bool {
    let Some(shell) = asking() else { return false };
    let lines: String = offered(shell).iter().map(|candidate| line(shell, candidate)).collect();
    // There is nobody to tell.
    let _ = io::stdout().write_all(lines.as_bytes());
    true
}

/// The shell that asks. The variable alone, which may be set for good, is no question.
fn asking() -> Option<Shell> {
    let shell = match env::var(VARIABLE).ok()?.as_str() {
        "bash" => Shell::Bash,
        "zsh" => Shell::Zsh,
        "fish" => Shell::Fish,
        _ => return None,
    };
    (env::args_os().nth(1)? == "--").then_some(shell)
}

/// The candidates: options only for a word that begins with `-`, or where there is nothing else.
fn offered(shell: Shell) -> Vec<CompletionCandidate> {
    let words = words(shell);
    let Some(last) = words.len().checked_sub(1) else { return Vec::new() };
    let is_option = words[last].as_encoded_bytes().starts_with(b"-");
    let directory = env::current_dir().ok();
    let mut command = cli::command();
    if shell != Shell::Fish {
        command = leaving_files(command);
    }
    let all = complete(&mut command, words, last, directory.as_deref()).unwrap_or_default();

    let is_text = |value: &str| !value.is_empty() && !value.contains(char::is_control);
    let (options, others): (Vec<_>, Vec<_>) = all
        .into_iter()
        .filter(|candidate| candidate.get_value() != "." && text(candidate).is_some_and(is_text))
        .partition(|candidate| candidate.get_value().as_encoded_bytes().starts_with(b"-"));
    let (wanted, instead) = if is_option { (options, others) } else { (others, options) };
    if wanted.is_empty() { instead } else { wanted }
}

/// The command, with [`FILES`] in the place of files.
fn leaving_files(command: Command) -> Command {
    let files = |current: &OsStr| {
        // No shell completes an address.
        let is_address = current.to_string_lossy().contains(':');
        if is_address { Vec::new() } else { vec![CompletionCandidate::new(FILES)] }
    };
    let leave = |argument: Arg| match argument.get_value_hint() {
        ValueHint::AnyPath | ValueHint::FilePath => argument.add(ArgValueCompleter::new(files)),
        _ => argument,
    };
    command.mut_args(leave).mut_subcommands(leaving_files)
}

fn text(candidate: &CompletionCandidate) -> Option<&str> {
    candidate.get_value().to_str()
}

/// A candidate as the shell reads it, with what it is about where that is shown.
fn line(shell: Shell, candidate: &CompletionCandidate) -> String {
    let value = text(candidate).unwrap_or_default();
    let help = candidate.get_help().map(ToString::to_string);
    let help = help.as_deref().and_then(|help| help.lines().next());
    match (shell, help) {
        (Shell::Bash, _) | (Shell::Zsh | Shell::Fish, None) => format!("{value}\n"),
        (Shell::Zsh, Some(help)) => format!("{value}:{}\n", help.replace('\\', r"\\")),
        (Shell::Fish, Some(help)) => format!("{value}\t{help}\n"),
    }
}

/// The names of users.
pub fn users(current: &OsStr) -> Vec<CompletionCandidate> {
    candidates(current, |users, prefix| users.names(prefix, MAX_NAMES))
}

/// The names of groups.
pub fn groups(current: &OsStr) -> Vec<CompletionCandidate> {
    candidates(current, |users, prefix| users.groups(prefix, MAX_NAMES))
}

fn candidates(
    current: &OsStr,
    find: impl FnOnce(&mut Users, &str) -> Result<Vec<String>, dash_users::Error>,
) -> Vec<CompletionCandidate> {
    let found = || {
        let location = database()?;
        // A server would take too long to answer.
        let Location::Sqlite(_) = &location else { return None };
        find(&mut Users::open_no_wait(&location).ok()?, current.to_str()?).ok()
    };
    let names = found().unwrap_or_default().into_iter().filter(|name| is_plain(name));
    names.map(CompletionCandidate::new).collect()
}

/// Whether a shell can insert a name as it is, whatever the shell.
fn is_plain(name: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || "._-+@%,".contains(c);
    name.chars().all(is_plain) && name.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// The database that the words before the one which is completed name, or the environment.
fn database() -> Option<Location> {
    let named = asking().and_then(|shell| named_database(&words(shell)));
    let named =
        named.or_else(|| environment("DASH_USERS_DATABASE")).unwrap_or_else(|| "users.db".into());
    Location::parse(named).ok()
}

fn named_database(words: &[OsString]) -> Option<OsString> {
    let mut named = None;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(word) = word.to_str() else { continue };
        let value = if word == "--database" || word == "-d" {
            words.next().and_then(|value| value.to_str())
        } else if word == "--" {
            break;
        } else {
            let after = word.strip_prefix("--database=");
            after.or_else(|| word.strip_prefix("-d").filter(|after| !after.is_empty()))
        };
        named = value.or(named);
    }
    let named = named?;
    match named.strip_prefix("~/").zip(env::var_os("HOME")) {
        Some((path, home)) => Some(Path::new(&home).join(path).into()),
        None => Some(named.into()),
    }
}

/// The words of the line, the last of which is completed, without their quotes.
fn words(shell: Shell) -> Vec<OsString> {
    let mut words: Vec<OsString> = env::args_os().skip(2).collect();
    let typed = match shell {
        Shell::Bash | Shell::Zsh => 0,
        Shell::Fish => words.len().saturating_sub(1),
    };
    for word in &mut words[typed..] {
        if let Some(read) = word.to_str().and_then(read) {
            *word = read.into();
        }
    }
    words
}

/// A word as a shell reads it, whose quotes may not be closed yet.
fn read(word: &str) -> Option<String> {
    let closed = |end: &str| shlex::split(&format!("{word}{end}"));
    let words = ["", "'", "\"", "\\"].into_iter().find_map(closed)?;
    <[String; 1]>::try_from(words).ok().map(|[word]| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_is_the_last_one_that_is_named() {
        let named = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(Into::into).collect();
            named_database(&words)
        };
        assert_eq!(named("dash-users show"), None);
        for line in ["-d a.db show", "show --database a.db", "-da.db show", "--database=a.db show"]
        {
            assert_eq!(named(line), Some("a.db".into()), "{line}");
        }
        assert_eq!(named("-d a.db -d b.db show"), Some("b.db".into()));
        assert_eq!(named("show -- --database=a.db"), None);
    }

    #[test]
    fn a_word_is_read_as_a_shell_reads_it() {
        for (word, expected) in [
            (r"a\ b.db", "a b.db"),
            ("\"a b.db\"", "a b.db"),
            ("--database='a b.db'", "--database=a b.db"),
            ("'not closed", "not closed"),
            ("\"it's", "it's"),
            ("''", ""),
        ] {
            assert_eq!(read(word).as_deref(), Some(expected), "{word}");
        }
        for word in ["", "#", "two words"] {
            assert_eq!(read(word), None, "{word}");
        }
    }

    #[test]
    fn only_names_that_no_shell_reads_otherwise_are_plain() {
        for name in ["alice", "alice.smith@example.org", "Zoë", "a_b-c+d", "李"] {
            assert!(is_plain(name), "{name}");
        }
        for name in ["", "-a", "a b", "$(x)", "a'b", "a\"b", "a;b", "a*", "~a", "=a", "a:b", "a\\"]
        {
            assert!(!is_plain(name), "{name}");
        }
    }
}
