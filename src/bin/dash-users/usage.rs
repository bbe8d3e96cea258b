//! Errors in the command line: what clap reports, without secrets and without misleading
//! suggestions.

mod tips;
mod words;

use std::borrow::Cow;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli;
use crate::exit::{Code, Failure};

/// A command line that clap does not accept.
pub struct Misuse<'a> {
    arguments: Vec<Cow<'a, str>>,
    error: clap::Error,
    /// The command, and the words that select it.
    command: clap::Command,
    path: Vec<String>,
    /// The number of arguments to the last of these words.
    before: usize,
}

impl<'a> Misuse<'a> {
    /// Replaces clap's suggestions, which compare single letters, by ones that fit, or by none.
    pub fn new(error: clap::Error, arguments: &'a [OsString]) -> Self {
        let arguments: Vec<_> = arguments.iter().map(|it| it.to_string_lossy()).collect();
        let (command, path, before) = invoked(&arguments);
        let mut misuse = Self { arguments, error, command, path, before };
        misuse.improve_suggestions();
        misuse
    }

    /// clap's error, with suggestions that fit.
    pub fn error(&self) -> &clap::Error {
        &self.error
    }

    fn text(&self, kind: ContextKind) -> Option<String> {
        match self.error.get(kind) {
            Some(ContextValue::String(text)) => Some(text.clone()),
            _ => None,
        }
    }

    fn has_option(&self, typed: &str) -> bool {
        self.command.get_arguments().any(|option| is_option(option, typed))
    }

    fn is_after_dashes(&self, typed: &str) -> bool {
        let mut rest = self.arguments.iter().skip_while(|argument| *argument != "--");
        rest.any(|argument| argument == typed || argument.starts_with(&format!("{typed}=")))
    }

    /// The command, as typed in a shell.
    fn line(&self) -> String {
        [&["dash-users".to_owned()], &self.path[..]].concat().join(" ")
    }

    /// Replaces clap's own message if it would show a possible secret: a misplaced password, a
    /// password in a URL, or a hash.
    pub fn failure(&self) -> Option<Failure> {
        let may_be_secret =
            |text: &String| text.contains("://") || text.contains(['$', '@', '=', ' ', '\n']);
        let typed = self.text(ContextKind::InvalidArg);
        let hidden = "(not shown: it may be a secret)";
        let (message, hint) = match self.error.kind() {
            ErrorKind::UnknownArgument => match typed {
                Some(typed) if self.is_positional(&typed) => {
                    (format!("unexpected argument {hidden}"), self.surplus())
                }
                Some(typed) if may_be_secret(&typed) => {
                    (format!("unexpected option {hidden}"), self.surplus_option())
                }
                _ => return None,
            },
            ErrorKind::MissingSubcommand => {
                let names = self.command.get_subcommands().map(clap::Command::get_name);
                let (line, names) = (self.line(), names.collect::<Vec<_>>());
                let message = format!("'{line}' needs a command: {}", names.join(", "));
                (message, format!("see `{line} --help`"))
            }
            ErrorKind::TooManyValues => match typed {
                Some(option) if option.starts_with('-') => {
                    (format!("'{option}' does not take this value {hidden}"), self.see_help())
                }
                _ => (format!("unexpected argument {hidden}"), self.surplus()),
            },
            ErrorKind::InvalidSubcommand => {
                let is_of_words = |c: char| c.is_ascii_alphabetic() || c == '-';
                let typed = self.text(ContextKind::InvalidSubcommand)?;
                if typed.chars().all(is_of_words) {
                    return None;
                }
                (format!("unexpected argument {hidden}"), self.surplus())
            }
            _ => {
                self.text(ContextKind::InvalidValue).filter(may_be_secret)?;
                let option = typed.unwrap_or("an option".to_owned());
                let hint = match self.error.get(ContextKind::ValidValue) {
                    Some(ContextValue::Strings(values)) if !values.is_empty() => {
                        format!("the values are: {}", values.join(", "))
                    }
                    // The reason does not show the value.
                    _ => std::error::Error::source(&self.error)
                        .map_or_else(|| self.see_help(), ToString::to_string),
                };
                (format!("invalid value for '{option}' {hidden}"), hint)
            }
        };
        Some(Failure::new(Code::Usage, message).hint(hint))
    }

    /// The tips in clap's error, or where to look.
    pub fn hint(&self) -> String {
        let text = self.error.render().to_string();
        let tips: Vec<_> =
            text.lines().filter_map(|line| line.trim_start().strip_prefix("tip: ")).collect();
        if tips.is_empty() { self.see_help() } else { tips.join("; ") }
    }

    /// What to do about an argument too many.
    fn surplus(&self) -> String {
        let path = self.path.join(" ");
        let what = match &*path {
            "" => return "begin with a command, such as `dash-users list`; name the database with --database FILE".to_owned(),
            "add" | "passwd" | "verify" | "rehash" => {
                return format!("{path} takes one user; {NO_ARGUMENT}");
            }
            "hash" => return NO_ARGUMENT.to_owned(),
            "init" | "migrate" | "info" => {
                return format!("{path} takes no arguments; name the database with --database FILE");
            }
            "check" => "no arguments, and checks all users; for one user, use show USER or verify USER; name the database with --database FILE",
            "list" => "no arguments; for one user, use show USER; for several, use list --match PATTERN; name the database with --database FILE",
            "show" => "one user; for several, use list --match PATTERN",
            "history" | "group list" => "at most one user",
            "rename" => "the old and the new name; put a name with spaces in quotes",
            "group rename" => "the old and the new group; put a name with spaces in quotes",
            "export" | "backup" | "import" | "seed" | "restore" => {
                "one file; name the database with --database FILE"
            }
            "completions" => "one shell",
            "man" => "one directory",
            "group" => return "begin with add, remove or list, as in `dash-users group list`".to_owned(),
            _ => return self.see_help(),
        };
        format!("{path} takes {what}")
    }

    /// What to do about an unknown option with a value.
    fn surplus_option(&self) -> String {
        match self.path.last().map(String::as_str) {
            Some("add" | "passwd" | "verify" | "rehash" | "hash") => NO_ARGUMENT.to_owned(),
            _ => self.see_help(),
        }
    }

    fn see_help(&self) -> String {
        format!("see `{} --help`", self.line())
    }

    /// Whether an unexpected argument is not an option.
    fn is_positional(&self, typed: &str) -> bool {
        !typed.starts_with('-') || (self.is_after_dashes(typed) && !self.has_option(typed))
    }
}

const NO_ARGUMENT: &str =
    "use --password-stdin or --password-file: a password cannot be an argument";

/// The command of a command line, and the words that select it.
/// Also the number of arguments to the last of these words.
fn invoked(arguments: &[Cow<'_, str>]) -> (clap::Command, Vec<String>, usize) {
    let mut command = cli::command();
    command.build();
    let (mut path, mut before) = (Vec::new(), 0);
    let mut words = arguments.iter().enumerate().skip(1).take_while(|(_, word)| *word != "--");
    // An unknown option may have a value.
    let mut may_be_value = false;
    while let Some((position, word)) = words.next() {
        if word.starts_with('-') {
            let option = command.get_arguments().find(|option| is_option(option, word));
            may_be_value = option.is_none() && !word.contains('=');
            if option.is_some_and(|option| option.get_action().takes_values()) {
                words.next();
            }
        } else if let Some(found) = command.find_subcommand(&**word).filter(|_| word != "help") {
            path.push(found.get_name().to_owned());
            before = position;
            command = found.clone();
        } else if word == "help" || may_be_value {
            may_be_value = false;
        } else {
            break;
        }
    }
    (command, path, before)
}

/// Whether an argument is this option, without a value.
fn is_option(option: &clap::Arg, argument: &str) -> bool {
    let long = argument.strip_prefix("--");
    let short = argument.strip_prefix('-').and_then(|short| short.parse::<char>().ok());
    long.is_some_and(|long| option.get_long() == Some(long))
        || short.is_some_and(|short| option.get_short() == Some(short))
}
