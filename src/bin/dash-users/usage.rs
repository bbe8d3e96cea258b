//! Errors in the command line: what clap reports, without secrets and without misleading
//! suggestions.

mod words;

use std::borrow::Cow;
use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli;
use crate::exit::{Code, Failure};

/// Commands that change neither the database nor a server.
const READING: [&str; 13] = [
    "backup",
    "check",
    "completions",
    "export",
    "hash",
    "help",
    "history",
    "info",
    "list",
    "ls",
    "man",
    "show",
    "verify",
];

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
    /// Replaces clap's suggestions, which go by single letters, by ones that fit, or by none.
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

    fn improve_suggestions(&mut self) {
        let tip = match self.error.kind() {
            ErrorKind::InvalidSubcommand => {
                self.error.remove(ContextKind::SuggestedSubcommand);
                self.text(ContextKind::InvalidSubcommand)
                    .and_then(|typed| self.other_command(&typed))
            }
            ErrorKind::UnknownArgument => {
                self.error.remove(ContextKind::SuggestedArg);
                // clap's usage line shows the option that it suggested.
                let usage = self.command.render_usage();
                self.error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
                self.text(ContextKind::InvalidArg).and_then(|typed| self.other_option(&typed))
            }
            ErrorKind::InvalidValue => {
                self.error.remove(ContextKind::SuggestedValue);
                self.text(ContextKind::InvalidValue).and_then(|typed| self.other_value(&typed))
            }
            ErrorKind::MissingRequiredArgument if self.path == ["group", "remove"] => {
                Some("to delete a group, use 'dash-users group delete GROUP'".to_owned())
            }
            _ => return,
        };
        self.error.remove(ContextKind::Suggested);
        if let Some(tip) = tip {
            let tip = ContextValue::StyledStrs(vec![StyledStr::from(tip)]);
            self.error.insert(ContextKind::Suggested, tip);
        }
    }

    fn text(&self, kind: ContextKind) -> Option<String> {
        match self.error.get(kind) {
            Some(ContextValue::String(text)) => Some(text.clone()),
            _ => None,
        }
    }

    /// A tip for an unknown command: one that another tool calls so, or similar ones. Of the
    /// letters of a similar one, less than half are wrong. For a command that would write, they are
    /// at most two, and for a hidden alias one.
    fn other_command(&self, typed: &str) -> Option<String> {
        let position = self.arguments.iter().position(|argument| argument == typed);
        let next = position.and_then(|position| self.arguments.get(position + 1));
        let next = next.map(|next| &**next);
        if let Some(tip) = self.after_noun(typed, next) {
            return Some(tip);
        }
        if self.path.is_empty() && typed.eq_ignore_ascii_case("version") {
            return Some("use 'dash-users --version'".to_owned());
        }
        if let Some(command) = words::command_for(&self.path, typed, next) {
            return Some(format!("use 'dash-users {command}'"));
        }
        let typed = typed.to_lowercase();
        let mut similar: Vec<_> = self
            .command
            .get_subcommands()
            .filter_map(|command| similar_name(command, &typed))
            .collect();
        similar.sort_by_key(|(distance, _)| *distance);
        if similar.first().is_some_and(|(distance, _)| *distance == 0) {
            similar.retain(|(distance, _)| *distance == 0);
        }
        let similar: Vec<_> = similar.iter().map(|(_, name)| format!("'{name}'")).collect();
        match &similar[..] {
            [] => None,
            [name] => Some(format!("a similar subcommand exists: {name}")),
            names => Some(format!("some similar subcommands exist: {}", names.join(", "))),
        }
    }

    /// A tip for a noun before the command, as in `user add`.
    fn after_noun(&self, typed: &str, next: Option<&str>) -> Option<String> {
        let parent = words::noun(typed).filter(|_| self.path.is_empty())?;
        let command = match parent {
            "" => &self.command,
            parent => self.command.find_subcommand(parent)?,
        };
        let found = command.find_subcommand(next?)?.get_name();
        let line = format!("dash-users {parent} {found}").replace("  ", " ");
        Some(format!("use '{line}'"))
    }

    /// A tip for an unknown option: the right place of one that is known, one that another tool calls
    /// so, that begins so, or in which at most two letters, and less than a third, differ.
    fn other_option(&self, typed: &str) -> Option<String> {
        let tip = |option: &str| Some(format!("use '{option}'"));
        let line = self.line();
        if self.has_option(typed) {
            return Some(if self.is_after_dashes(typed) {
                format!("put '{typed}' before '--'")
            } else {
                format!("put '{typed}' after '{line}'")
            });
        }
        // Before the command, a letter means something else.
        let is_before = self.arguments[..self.before].iter().any(|argument| argument == typed);
        let path = self.path.join(" ");
        let path = if is_before && !typed.starts_with("--") { "" } else { &path };
        if let Some(option) = words::option_for(path, typed) {
            return match option {
                "" => None,
                "FILE" => tip(&format!("{line} FILE")),
                option => tip(option),
            };
        }
        let typed = typed.strip_prefix("--").filter(|typed| typed.len() > 2)?;
        let is_positional = |argument: &&clap::Arg| {
            let id = argument.get_id().as_str();
            argument.is_positional()
                && (id == typed || id == "user" && ["name", "username"].contains(&typed))
        };
        if self.command.get_arguments().any(|argument| is_positional(&argument)) {
            let positionals = self.command.get_positionals();
            let names = positionals.filter_map(clap::Arg::get_value_names).flatten();
            return tip(&names.fold(line, |line, name| format!("{line} {name}")));
        }
        let options: Vec<&str> = self
            .command
            .get_arguments()
            .filter(|option| !option.is_hide_set())
            .filter_map(clap::Arg::get_long)
            .collect();
        // As with `--csv`.
        let formats = |option: &&clap::Arg| {
            let is_format = option.get_long().is_some_and(|name| name.ends_with("format"));
            is_format && option.get_possible_values().iter().any(|value| value.get_name() == typed)
        };
        let format = self.command.get_arguments().find(formats).and_then(clap::Arg::get_long);
        if let Some(option) = format {
            return tip(&format!("--{option} {typed}"));
        }
        let is_opposite = |option: &str| {
            ["un", "no-", "not-"].iter().any(|not| {
                option.strip_prefix(not) == Some(typed) || typed.strip_prefix(not) == Some(option)
            })
        };
        let end = format!("-{typed}");
        let is_longer = |option: &&&str| {
            (option.starts_with(typed) || option.ends_with(&end)) && !is_opposite(option)
        };
        let mut longer = options.iter().filter(is_longer);
        if let (Some(option), None) = (longer.next(), longer.next()) {
            return tip(&format!("--{option}"));
        }
        let distance = |option: &str| strsim::osa_distance(option, typed);
        let option = options.iter().min_by_key(|option| distance(option))?;
        let most = 2.min(typed.len().saturating_sub(1) / 3);
        let begins_alike = option.as_bytes()[..1] == typed.as_bytes()[..1];
        let is_close = distance(option) <= if begins_alike { most } else { 1 };
        (is_close && !is_opposite(option)).then(|| tip(&format!("--{option}")))?
    }

    /// A tip for an unknown value: the option that takes it, as `--input-format` does for a format of
    /// files, or a similar value.
    fn other_value(&self, typed: &str) -> Option<String> {
        let option = self.text(ContextKind::InvalidArg)?;
        if option.starts_with("--format ") {
            let takes_it = |option: &&clap::Arg| {
                option.get_possible_values().iter().any(|value| value.get_name() == typed)
            };
            let other = self.command.get_arguments().find(takes_it).and_then(clap::Arg::get_long);
            match other {
                Some(other) => return Some(format!("use '--{other} {typed}'")),
                None if typed == "csv" => return Some("use 'dash-users export'".to_owned()),
                None if typed == "tsv" => return Some("use '--format plain'".to_owned()),
                None => {}
            }
        }
        let Some(ContextValue::Strings(values)) = self.error.get(ContextKind::ValidValue) else {
            return None;
        };
        let value = values.iter().min_by_key(|value| strsim::osa_distance(value, typed))?;
        let is_close = 2 * strsim::osa_distance(value, typed) < typed.len();
        is_close.then(|| format!("a similar value exists: '{value}'"))
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

/// The name or alias of a command that is most similar to what was typed, with their distance: 0 if
/// it begins so. A hidden alias stands for the name.
fn similar_name(command: &clap::Command, typed: &str) -> Option<(usize, String)> {
    let visible = command.get_name_and_visible_aliases();
    let similar = |name: &str| {
        let is_hidden = !visible.contains(&name);
        let most = match name {
            _ if is_hidden => 1,
            name if READING.contains(&name) => usize::MAX,
            _ => 2,
        };
        let distance = strsim::osa_distance(name, typed);
        let begins_so = typed.len() > 1 && name.starts_with(typed);
        let is_similar = distance <= most && (begins_so || 2 * distance < typed.len());
        let shown = if is_hidden { command.get_name() } else { name };
        is_similar.then(|| (if begins_so { 0 } else { distance }, shown.to_owned()))
    };
    let names = [command.get_name()].into_iter().chain(command.get_all_aliases());
    names.filter_map(similar).min_by_key(|(distance, _)| *distance)
}

/// Whether an argument is this option, without a value.
fn is_option(option: &clap::Arg, argument: &str) -> bool {
    let long = argument.strip_prefix("--");
    let short = argument.strip_prefix('-').and_then(|short| short.parse::<char>().ok());
    long.is_some_and(|long| option.get_long() == Some(long))
        || short.is_some_and(|short| option.get_short() == Some(short))
}
