//! Tips for a mistyped command, option or value, instead of clap's, which compare single letters.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{Misuse, words};

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

impl Misuse<'_> {
    /// Replaces clap's suggestions by ones that fit, or by none.
    pub(super) fn improve_suggestions(&mut self) {
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
