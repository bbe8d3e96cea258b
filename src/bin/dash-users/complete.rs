//! Shell completion: candidates for the word being typed.
//!
//! The script from `dash-users completions SHELL` runs the program with the variable [`VARIABLE`]
//! set and the words of the command line after `--`. Errors are silent, because the user has not
//! run a command yet.
//!
//! Names with shell syntax are quoted: by the program for bash, by the other shells themselves.
//! Filenames are left to the shell.

mod names;
mod scripts;

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::Path;

use clap::{Arg, Command, ValueHint};
use clap_complete::ArgValueCompleter;
use clap_complete::engine::{CompletionCandidate, complete};
use dash_users::Location;

use crate::cli::{self, environment};

pub use self::names::{
    file_groups, groups, groups_of_user, languages, locked_users, methods, users,
};
pub use self::scripts::{BASH, FISH, ZSH};

/// Makes the program complete a command line. The value is the name of the shell.
const VARIABLE: &str = "DASH_USERS_COMPLETE";

/// Asks the shell to complete filenames.
const FILES: &str = "<files>";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Answers a completion request, if this is one.
pub fn answer() -> bool {
    let Some(shell) = asking() else { return false };
    let lines: String = offered(shell).iter().map(|candidate| line(shell, candidate)).collect();
    // A shell that is gone needs no answer.
    let _ = io::stdout().write_all(lines.as_bytes());
    true
}

/// The shell that requests completion. The variable alone is no request: it may be exported.
fn asking() -> Option<Shell> {
    let shell = match env::var(VARIABLE).ok()?.as_str() {
        "bash" => Shell::Bash,
        "zsh" => Shell::Zsh,
        "fish" => Shell::Fish,
        _ => return None,
    };
    (env::args_os().nth(1)? == "--").then_some(shell)
}

/// The candidates. Options are offered only for a word that begins with `-`, or if nothing else fits.
fn offered(shell: Shell) -> Vec<CompletionCandidate> {
    let words = words(shell);
    let Some(last) = words.len().checked_sub(1) else { return Vec::new() };
    let is_option = words[last].as_encoded_bytes().starts_with(b"-");
    let directory = env::current_dir().ok();
    let mut command = cli::command();
    if shell != Shell::Fish {
        command = leaving_files(command);
    }
    command = without_aliases(command, &words);
    let all = complete(&mut command, words, last, directory.as_deref()).unwrap_or_default();

    let is_text = |value: &str| !value.is_empty() && !value.contains(char::is_control);
    let (options, others): (Vec<_>, Vec<_>) = all
        .into_iter()
        .filter(|candidate| candidate.get_value() != "." && text(candidate).is_some_and(is_text))
        .partition(|candidate| candidate.get_value().as_encoded_bytes().starts_with(b"-"));
    let (wanted, instead) = if is_option { (options, others) } else { (others, options) };
    if wanted.is_empty() { instead } else { wanted }
}

/// Removes aliases that are not to be offered for the last word: hidden ones, and those of a command
/// whose name fits too. An alias among the words before must be understood.
fn without_aliases(command: Command, words: &[OsString]) -> Command {
    let Some((last, before)) = words.split_last() else { return command };
    let prefix = last.to_string_lossy();
    command.mut_subcommands(|command| {
        let command = without_aliases(command, words);
        let is_used = |alias: &&str| before.iter().any(|word| word == alias);
        let offers_name = command.get_name().starts_with(&*prefix);
        let shown = command.get_visible_aliases().filter(|alias| !offers_name || is_used(alias));
        // clap takes names that live as long as the program, which ends with the answer.
        let leaked = |alias: &str| &*alias.to_owned().leak();
        let shown: Vec<&'static str> = shown.map(leaked).collect();
        let all = command.get_all_aliases().filter(is_used).map(leaked);
        let used: Vec<&'static str> = all.filter(|alias| !shown.contains(alias)).collect();
        command.visible_alias(None::<&str>).visible_aliases(shown).aliases(used)
    })
}

/// The command, completing filenames to [`FILES`].
fn leaving_files(command: Command) -> Command {
    let files = |current: &OsStr| {
        // Shells do not complete URLs.
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

/// A candidate in the shell's format, with its help if the shell shows it.
fn line(shell: Shell, candidate: &CompletionCandidate) -> String {
    let value = text(candidate).unwrap_or_default();
    let help = candidate.get_help().map(ToString::to_string);
    let help = help.as_deref().and_then(|help| help.lines().next());
    // Zsh ends the value at a colon.
    let described = |value: &str| {
        if value.ends_with(FILES) { value.to_owned() } else { value.replace(':', r"\:") }
    };
    match (shell, help) {
        (Shell::Bash, _) | (Shell::Fish, None) => format!("{value}\n"),
        (Shell::Zsh, None) => format!("{}\n", described(value)),
        (Shell::Zsh, Some(help)) => {
            format!("{}:{}\n", described(value), help.replace('\\', r"\\"))
        }
        (Shell::Fish, Some(help)) => format!("{value}\t{help}\n"),
    }
}

/// The database named by the command line, the environment or the default.
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
    let in_home =
        ["~/", "$HOME/", "${HOME}/"].into_iter().find_map(|home| named.strip_prefix(home));
    match in_home.zip(env::var_os("HOME")) {
        Some((path, home)) => Some(Path::new(&home).join(path).into()),
        None => Some(named.into()),
    }
}

/// The words of the command line without quotes. The last one is being completed.
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

/// Unquotes a word like a shell. Its last quote may still be open.
fn read(word: &str) -> Option<String> {
    let closed = |end: &str| shlex::split(&format!("{word}{end}"));
    let words = ["", "'", "\"", "\\"].into_iter().find_map(closed)?;
    <[String; 1]>::try_from(words).ok().map(|[word]| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_database_is_the_last_one_given() {
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
    fn read_unquotes_like_a_shell() {
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
}
