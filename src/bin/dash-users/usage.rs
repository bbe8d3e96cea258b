//! Errors in the command line: what clap reports, without secrets and without misleading
//! suggestions.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli;
use crate::exit::{Code, Failure};

/// Commands of other tools, and what to use instead. The aliases in `cli` run; these do not.
const OTHER_WORDS: [(&str, &[&str]); 18] = [
    ("list", &["all", "find", "ll", "ls-users", "list-users", "search", "user", "users", "who"]),
    (
        "add",
        &["add-user", "adduser", "insert", "new", "new-user", "register", "signup", "user-add"],
    ),
    ("show", &["cat", "describe", "display", "get", "id", "inspect", "view"]),
    ("update", &["change", "edit", "modify", "set", "usermod"]),
    ("remove", &["deluser", "destroy", "drop", "erase", "purge", "remove-user"]),
    ("lock", &["ban", "block", "freeze", "suspend"]),
    ("unlock", &["unban", "unblock", "unfreeze"]),
    ("passwd", &["change-password", "chpasswd", "password", "pw", "reset", "resetpw"]),
    ("verify", &["auth", "authenticate", "login", "try"]),
    ("history", &["activity", "audit", "changes", "events", "journal", "log", "logs"]),
    ("check", &["diagnose", "doctor", "fsck", "lint", "validate"]),
    ("info", &["config", "db", "settings", "stats", "where", "whoami", "which"]),
    ("init", &["create-db", "initdb", "initialize", "setup"]),
    ("group list", &["groups", "members", "roles"]),
    ("group add", &["groupadd", "addgroup"]),
    ("migrate", &["upgrade", "upgrade-db"]),
    ("export", &["dump"]),
    ("import", &["load"]),
];

/// Options of other tools: the word, the commands that it may follow, and what to use instead.
const OTHER_OPTIONS: [(&str, &[&str], &str); 23] = [
    ("--force", &["remove", "restore"], "--yes"),
    ("-f", &["remove", "restore"], "--yes"),
    ("-y", &["export", "backup"], "--force"),
    ("--yes", &["export", "backup"], "--force"),
    ("--overwrite", &["export", "backup"], "--force"),
    ("--update", &["import"], "--on-conflict update"),
    ("--skip-existing", &["import"], "--on-conflict skip"),
    ("--update", &["seed"], "--sync"),
    ("--password", &["add", "passwd", "verify", "rehash", "hash"], "--password-stdin"),
    ("--db", &[], "--database"),
    ("--no-color", &[], "--color never"),
    ("--output", &[], "--format"),
    ("--silent", &[], "--quiet"),
    ("--no-colour", &[], "--color never"),
    ("-o", &[], "--format"),
    ("-n", &["list", "history"], "--limit"),
    ("-g", &["add"], "--group"),
    ("-G", &["add"], "--group"),
    ("--group", &["update"], "--add-group"),
    ("-p", &["add", "passwd"], "--password-stdin"),
    ("-l", &["passwd"], "dash-users lock"),
    ("--lock", &["passwd"], "dash-users lock"),
    ("-u", &["passwd"], "dash-users unlock"),
];

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

/// Replaces clap's suggestions, which go by single letters, by ones that fit, or by none.
pub fn improve_suggestions(error: &mut clap::Error) {
    let found = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let Some(typed) = text(error, ContextKind::InvalidSubcommand) else { return };
            suggest_commands(error, &typed)
        }
        ErrorKind::UnknownArgument => {
            let Some(typed) = text(error, ContextKind::InvalidArg) else { return };
            suggest_option(error, &typed)
        }
        _ => return,
    };
    error.remove(ContextKind::Suggested);
    if let Some(tip) = found {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
}

/// A tip for a mistyped command. Of its letters, less than half are wrong. For a command that would
/// write, they are at most two, and for a hidden alias one.
fn suggest_commands(error: &mut clap::Error, typed: &str) -> Option<StyledStr> {
    let similar = match error.remove(ContextKind::SuggestedSubcommand) {
        Some(ContextValue::Strings(names)) => names,
        _ => Vec::new(),
    };
    let (command, path) = invoked(error);
    if path.is_empty() {
        match &*typed.to_ascii_lowercase() {
            "version" => return Some("use 'dash-users --version'".into()),
            "test" => return None,
            word => {
                let is_it = |(_, words): &&(&str, &[&str])| words.contains(&word);
                if let Some((command, _)) = OTHER_WORDS.iter().find(is_it) {
                    return Some(format!("use 'dash-users {command}'").into());
                }
            }
        }
    }
    let mut shown: Vec<String> = Vec::new();
    for name in similar {
        let found = command.find_subcommand(&name);
        let is_hidden =
            |found: &&clap::Command| !found.get_name_and_visible_aliases().contains(&name.as_str());
        let hidden_of = found.filter(is_hidden);
        let most = match hidden_of {
            Some(_) => 1,
            None if READING.contains(&name.as_str()) => usize::MAX,
            None => 2,
        };
        let distance = strsim::osa_distance(typed, &name);
        if distance > most || 2 * distance >= typed.len() {
            continue;
        }
        let name = hidden_of.map_or(name.clone(), |command| command.get_name().to_owned());
        if !shown.contains(&name) {
            shown.push(name);
        }
    }
    let named = shown.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    match shown.len() {
        0 => None,
        1 => Some(format!("a similar subcommand exists: {named}").into()),
        _ => Some(format!("some similar subcommands exist: {named}").into()),
    }
}

/// A tip for a mistyped option: one that another tool calls so, that begins so, or in which at most
/// two letters, and less than a third, differ.
fn suggest_option(error: &mut clap::Error, typed: &str) -> Option<StyledStr> {
    error.remove(ContextKind::SuggestedArg);
    let (mut command, path) = invoked(error);
    // clap's usage line shows the option that it suggested.
    let usage = command.render_usage();
    error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
    let name = path.last().map_or("", String::as_str);
    let is_it = |(word, commands, _): &&(&str, &[&str], &str)| {
        *word == typed && (commands.is_empty() || commands.contains(&name))
    };
    let tip = |option: &str| Some(format!("use '{option}'").into());
    if let Some((_, _, option)) = OTHER_OPTIONS.iter().find(is_it) {
        return tip(option);
    }
    let typed = typed.strip_prefix("--").filter(|typed| typed.len() > 2)?;
    let options: Vec<String> = command
        .get_arguments()
        .filter(|option| !option.is_hide_set())
        .filter_map(|option| option.get_long().map(str::to_owned))
        .collect();
    let mut longer = options.iter().filter(|option| option.starts_with(typed));
    if let (Some(option), None) = (longer.next(), longer.next()) {
        return tip(&format!("--{option}"));
    }
    let is_opposite = |option: &str| {
        ["un", "no-", "not-"].iter().any(|not| {
            option.strip_prefix(not) == Some(typed) || typed.strip_prefix(not) == Some(option)
        })
    };
    let distance = |option: &str| strsim::osa_distance(option, typed);
    let option = options.iter().min_by_key(|option| distance(option))?;
    let most = 2.min(typed.len().saturating_sub(1) / 3);
    let begins_alike = option.as_bytes()[..1] == typed.as_bytes()[..1];
    let is_close = distance(option) <= if begins_alike { most } else { 1 };
    (is_close && !is_opposite(option)).then(|| tip(&format!("--{option}")))?
}

/// Replaces clap's own message if it would show a possible secret: a misplaced password, a
/// password in a URL, or a hash.
pub fn failure(error: &clap::Error) -> Option<Failure> {
    let may_be_secret =
        |text: &String| text.contains("://") || text.contains(['$', '@', '=', ' ', '\n']);
    let typed = text(error, ContextKind::InvalidArg);
    let hidden = "(not shown: it may be a secret)";
    let (message, hint) = match error.kind() {
        ErrorKind::UnknownArgument => match typed {
            Some(typed) if !typed.starts_with('-') => {
                (format!("unexpected argument {hidden}"), surplus(error))
            }
            Some(typed) if may_be_secret(&typed) => {
                (format!("unexpected option {hidden}"), surplus_option(error))
            }
            _ => return None,
        },
        ErrorKind::MissingSubcommand => {
            let (command, path) = invoked(error);
            let names: Vec<_> = command.get_subcommands().map(clap::Command::get_name).collect();
            let line = [&["dash-users".to_owned()], &path[..]].concat().join(" ");
            let message = format!("'{line}' needs a command: {}", names.join(", "));
            (message, format!("see `{line} --help`"))
        }
        ErrorKind::TooManyValues => match typed {
            Some(option) if option.starts_with('-') => {
                (format!("'{option}' does not take this value {hidden}"), see_help(error))
            }
            _ => (format!("unexpected argument {hidden}"), surplus(error)),
        },
        ErrorKind::InvalidSubcommand => {
            let is_of_words = |c: char| c.is_ascii_alphabetic() || c == '-';
            let typed = text(error, ContextKind::InvalidSubcommand)?;
            if typed.chars().all(is_of_words) {
                return None;
            }
            (format!("unexpected argument {hidden}"), surplus(error))
        }
        _ => {
            text(error, ContextKind::InvalidValue).filter(may_be_secret)?;
            let option = typed.unwrap_or("an option".to_owned());
            let hint = match error.get(ContextKind::ValidValue) {
                Some(ContextValue::Strings(values)) if !values.is_empty() => {
                    format!("the values are: {}", values.join(", "))
                }
                _ => see_help(error),
            };
            (format!("invalid value for '{option}' {hidden}"), hint)
        }
    };
    Some(Failure::new(Code::Usage, message).hint(hint))
}

/// The tips in clap's error, or where to look.
pub fn hint(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let tips: Vec<_> =
        text.lines().filter_map(|line| line.trim_start().strip_prefix("tip: ")).collect();
    if tips.is_empty() { see_help(error) } else { tips.join("; ") }
}

const NO_ARGUMENT: &str =
    "use --password-stdin or --password-file: a password cannot be an argument";

/// What to do about an argument too many.
fn surplus(error: &clap::Error) -> String {
    let (_, path) = invoked(error);
    let path = path.join(" ");
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
        _ => return see_help(error),
    };
    format!("{path} takes {what}")
}

/// What to do about an unknown option with a value.
fn surplus_option(error: &clap::Error) -> String {
    let (_, path) = invoked(error);
    match path.last().map(String::as_str) {
        Some("add" | "passwd" | "verify" | "rehash" | "hash") => NO_ARGUMENT.to_owned(),
        _ => see_help(error),
    }
}

fn see_help(error: &clap::Error) -> String {
    let (_, path) = invoked(error);
    let words = [&["dash-users".to_owned()], &path[..]].concat().join(" ");
    format!("see `{words} --help`")
}

/// The command of an error, by its usage line, and the words that select it.
fn invoked(error: &clap::Error) -> (clap::Command, Vec<String>) {
    let mut command = cli::command();
    command.build();
    let usage = match error.get(ContextKind::Usage) {
        Some(ContextValue::StyledStr(usage)) => usage.to_string(),
        _ => String::new(),
    };
    let mut path = Vec::new();
    for word in usage.split_whitespace().skip_while(|word| *word != "dash-users").skip(1) {
        let Some(found) = command.find_subcommand(word).cloned() else { break };
        path.push(found.get_name().to_owned());
        command = found;
    }
    (command, path)
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    }
}
