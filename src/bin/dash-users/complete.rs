//! What a shell asks for while somebody types: the candidates for a word.
//!
//! The script that `dash-users completions SHELL` prints calls the program with the variable
//! [`VARIABLE`]. Nothing that goes wrong then may be seen: whoever types has asked for nothing.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::Path;

use clap::Command;
use clap_complete::engine::CompletionCandidate;
use clap_complete::env::{EnvCompleter, Fish, Shells, Zsh};
use clap_complete::{CompleteEnv, env as shells};
use dash_users::{Location, Users};

use crate::cli::{self, environment};

/// With this variable, whose value is a shell, the program completes.
pub const VARIABLE: &str = "DASH_USERS_COMPLETE";

/// The most names that are offered.
const MAX_NAMES: u32 = 200;

/// Answers a shell, if it is one that asks.
pub fn answer() -> bool {
    if env::var_os(VARIABLE).is_none() {
        return false;
    }
    let shells: &[&dyn EnvCompleter] = &[&NamesFirst(&Bash), &NamesFirst(&Zsh), &NamesFirst(&Fish)];
    let complete = CompleteEnv::with_factory(cli::command).var(VARIABLE).shells(Shells(shells));
    let directory = env::current_dir().ok();
    // There is nobody to tell.
    let _ = complete.try_complete(env::args_os(), directory.as_deref());
    true
}

/// Writes what has a shell ask.
pub fn write_registration(shell: &dyn EnvCompleter, script: &mut Vec<u8>) -> io::Result<()> {
    const NAME: &str = env!("CARGO_BIN_NAME");
    shell.write_registration(VARIABLE, NAME, NAME, NAME, script)
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
        // A server would take too long to answer.
        let database = database()?;
        let Location::Sqlite(_) = &database else { return None };
        let mut users = Users::glance(&database).ok()?;
        find(&mut users, current.to_str()?).ok()
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
    let words: Vec<OsString> = env::args_os().skip_while(|word| word != "--").skip(1).collect();
    let named = named_database(&words)
        .or_else(|| environment("DASH_USERS_DATABASE"))
        .unwrap_or_else(|| "users.db".into());
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
        named = value.map(as_typed).or(named);
    }
    named
}

/// A word of the command line, which the shell has not read yet: without its quotes, and with the
/// home directory for a tilde.
fn as_typed(word: &str) -> OsString {
    let read = shlex::split(word).and_then(|mut words| words.pop());
    let home = word.strip_prefix("~/").zip(env::var_os("HOME"));
    match (home, read) {
        (Some((path, home)), _) => Path::new(&home).join(path).into(),
        (None, Some(word)) => word.into(),
        (None, None) => word.into(),
    }
}

/// A shell that is offered options only where a word begins with `-`, or where there is nothing
/// else.
struct NamesFirst<'a>(&'a dyn EnvCompleter);

impl EnvCompleter for NamesFirst<'_> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn is(&self, name: &str) -> bool {
        self.0.is(name)
    }

    fn write_registration(
        &self,
        variable: &str,
        name: &str,
        bin: &str,
        completer: &str,
        script: &mut dyn Write,
    ) -> io::Result<()> {
        self.0.write_registration(variable, name, bin, completer, script)
    }

    fn write_complete(
        &self,
        command: &mut Command,
        words: Vec<OsString>,
        directory: Option<&Path>,
        answer: &mut dyn Write,
    ) -> io::Result<()> {
        let index = environment("_CLAP_COMPLETE_INDEX").and_then(|index| index.into_string().ok());
        let index = index.and_then(|index| index.parse().ok()).unwrap_or(words.len() - 1);
        let is_option =
            words.get(index).is_some_and(|word| word.as_encoded_bytes().starts_with(b"-"));
        let mut all = Vec::new();
        self.0.write_complete(command, words, directory, &mut all)?;

        let separator = environment("_CLAP_IFS").and_then(|separator| separator.into_string().ok());
        let separator = separator.unwrap_or_else(|| "\n".to_owned());
        let all = String::from_utf8_lossy(&all);
        let names: Vec<_> = all.split(&separator).filter(|line| !line.starts_with('-')).collect();
        let has_names = names.iter().any(|name| !name.is_empty());
        let wanted =
            if is_option || !has_names { all.into_owned() } else { names.join(&separator) };
        answer.write_all(wanted.as_bytes())
    }
}

/// Bash splits words at `=` and `:`. Those before the current one are put together again, so that
/// `--database=users.db` is one.
pub struct Bash;

impl EnvCompleter for Bash {
    fn name(&self) -> &'static str {
        shells::Bash.name()
    }

    fn is(&self, name: &str) -> bool {
        shells::Bash.is(name)
    }

    fn write_registration(
        &self,
        variable: &str,
        _name: &str,
        bin: &str,
        completer: &str,
        script: &mut dyn Write,
    ) -> io::Result<()> {
        writeln!(
            script,
            r#"_dash_users() {{
    local IFS=$'\013' space=true word words=() last=""
    compopt +o nospace 2>/dev/null && space=false
    for word in "${{COMP_WORDS[@]:0:COMP_CWORD}}"; do
        if [[ ${{#words[@]}} -gt 0 && ( $word == [=:] || $last == [=:] ) ]]; then
            words[${{#words[@]}}-1]+=$word
        else
            words+=("$word")
        fi
        last=$word
    done
    COMPREPLY=($(
        _CLAP_IFS=$IFS _CLAP_COMPLETE_INDEX=${{#words[@]}} _CLAP_COMPLETE_COMP_TYPE=$COMP_TYPE \
        _CLAP_COMPLETE_SPACE=$space {variable}=bash \
        {completer} -- "${{words[@]}}" "$2" 2>/dev/null
    )) || unset COMPREPLY
    if [[ $space == false && ${{COMPREPLY-}} =~ [=/:]$ ]]; then
        compopt -o nospace
    fi
}}
complete -o nospace -o bashdefault -F _dash_users {bin}"#
        )
    }

    fn write_complete(
        &self,
        command: &mut Command,
        words: Vec<OsString>,
        directory: Option<&Path>,
        answer: &mut dyn Write,
    ) -> io::Result<()> {
        shells::Bash.write_complete(command, words, directory, answer)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn the_database_is_the_last_one_that_is_named() {
        let named = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(Into::into).collect();
            named_database(&words).map(PathBuf::from)
        };
        assert_eq!(named("dash-users show"), None);
        for line in
            ["-d a.db show", "show --database a.db", "-da.db show", "--database='a.db' show"]
        {
            assert_eq!(named(line), Some("a.db".into()), "{line}");
        }
        assert_eq!(named("-d a.db -d b.db show"), Some("b.db".into()));
        assert_eq!(named("show -- --database=a.db"), None);
        assert_eq!(named(r"-d a\ b.db").as_deref(), Some(Path::new("a\\")));
        assert_eq!(as_typed(r"a\ b.db"), "a b.db");
        assert_eq!(as_typed("\"a b.db\""), "a b.db");
        assert_eq!(as_typed("'unclosed"), "'unclosed");
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
