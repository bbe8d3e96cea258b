//! Words of other tools, and what to use instead. The aliases in `cli` run; these do not.

/// Commands: what to use, and the words for it. A second word is a nested command, or an option of
/// the other tool.
const COMMANDS: [(&str, &[&str]); 30] = [
    ("list", &["all", "find", "get users", "getent", "ll", "ls-users", "list-users", "search"]),
    ("list", &["user", "users"]),
    ("add", &["add-user", "adduser", "createuser", "insert", "new", "new-user", "register"]),
    ("add", &["signup", "user-add"]),
    ("show", &["cat", "describe", "display", "exists", "finger", "get", "id", "inspect", "view"]),
    ("update", &["change", "edit", "modify", "patch", "set", "usermod"]),
    ("remove", &["deluser", "destroy", "drop", "dropuser", "erase", "purge", "remove-user"]),
    ("rename", &["usermod -l"]),
    ("lock", &["ban", "block", "freeze", "suspend", "usermod -L"]),
    ("unlock", &["unban", "unblock", "unfreeze", "usermod -U"]),
    ("passwd", &["change-password", "chpasswd", "password", "pw", "reset", "resetpw"]),
    ("verify", &["auth", "authenticate", "login", "try"]),
    ("history", &["activity", "audit", "changes", "events", "journal", "log", "logs"]),
    ("check", &["diagnose", "doctor", "fsck", "lint", "pwck", "validate"]),
    ("info", &["config", "count", "db", "settings", "stats", "where", "whoami", "which"]),
    ("init", &["create-db", "createdb", "initdb", "initialize", "setup"]),
    ("migrate", &["upgrade", "upgrade-db"]),
    ("seed FILE --sync", &["apply", "sync"]),
    ("export", &["dump"]),
    ("import", &["load", "newusers"]),
    ("backup", &["save", "snapshot"]),
    ("group list", &["groups", "members", "roles"]),
    (
        "group list --group GROUP",
        &["group describe", "group get", "group members", "group show", "group view"],
    ),
    (
        "group add USER GROUP",
        &["addgroup", "gpasswd", "grant", "group create", "group new", "groupadd", "usermod -G"],
    ),
    ("group add USER GROUP", &["usermod -a", "usermod -aG"]),
    ("group remove USER GROUP", &["gpasswd -d"]),
    ("group delete GROUP", &["delgroup", "group del", "group destroy", "group drop", "groupdel"]),
    ("group rename", &["groupmod"]),
    (
        "sessions end",
        &[
            "kick",
            "logout",
            "sessions close",
            "sessions delete",
            "sessions kill",
            "sessions remove",
            "sessions revoke",
            "sessions rm",
            "sessions terminate",
        ],
    ),
    ("sessions list", &["sessions get", "sessions show", "sessions view", "w", "who"]),
];

/// Nouns that other tools put before the command, and the command of ours that takes it.
const NOUNS: [(&str, &str); 6] = [
    ("account", ""),
    ("accounts", ""),
    ("groups", "group"),
    ("session", "sessions"),
    ("user", ""),
    ("users", ""),
];

/// Commands that take a password.
const PASSWORD: &[&str] = &["add", "passwd", "verify", "rehash", "hash"];

/// Options: the words, the commands that they may follow (none: any), and what to use instead: an
/// option, a command, the argument FILE, or nothing.
const OPTIONS: [(&[&str], &[&str], &str); 44] = [
    (&["--force", "-f"], &["remove", "restore", "group delete"], "--yes"),
    (&["--yes", "-y", "--overwrite"], &["export", "backup"], "--force"),
    (&["--merge", "--overwrite", "--update", "--upsert"], &["import"], "--on-conflict update"),
    (&["--skip-existing"], &["import"], "--on-conflict skip"),
    (&["--update"], &["seed"], "--sync"),
    (&["-n"], &["import", "seed", "migrate"], "--dry-run"),
    (&["--password"], &["update"], "dash-users passwd"),
    (&["--password", "--stdin"], PASSWORD, "--password-stdin"),
    (&["-p"], &["add", "passwd"], "--password-stdin"),
    (&["--db", "-D"], &[], "--database"),
    (&["--no-color", "--no-colour"], &[], "--color never"),
    (&["--no-header", "--no-headers"], &[], "--format plain"),
    (&["--out", "--output", "--to", "-o"], &["export", "backup"], "FILE"),
    (&["--from", "--input", "-f", "-i"], &["import", "seed"], "FILE"),
    (&["--output", "-o"], &[], "--format"),
    (&["--silent"], &[], "--quiet"),
    (&["--head", "--lines", "--max-count", "--tail", "-n"], &["list", "history"], "--limit"),
    (&["-1", "-2", "-3", "-4", "-5", "-6", "-7", "-8", "-9"], &["history"], "--limit"),
    (&["-g", "-G"], &["add", "list"], "--group"),
    (&["--role", "--roles"], &["add", "list"], "--group"),
    (&["--group", "-G", "-aG"], &["update"], "--add-group"),
    (&["--locale"], &["add", "update"], "--language"),
    (&["--disabled"], &["add"], "--locked"),
    (&["--disabled"], &["list"], "--locked"),
    (&["--active", "--enabled"], &["list"], "--unlocked"),
    (&["--filter", "--grep", "--name", "--search"], &["list"], "--match"),
    (&["--user", "--username"], &["list"], "dash-users show"),
    (&["--order-by", "--sort-by"], &["list"], "--sort"),
    (&["--desc", "-r"], &["list"], "--reverse"),
    (&["--print0", "-0"], &["list"], "--names --null"),
    (&["--csv"], &["list"], "dash-users export"),
    (&["--author", "--by"], &["history"], "--actor"),
    (&["--after"], &["history"], "--since"),
    (&["--before"], &["history"], "--until"),
    (&["-l", "--lock"], &["passwd"], "dash-users lock"),
    (&["-L", "--lock", "--locked"], &["update"], "dash-users lock"),
    (&["-u", "--unlock"], &["passwd"], "dash-users unlock"),
    (&["-U", "--unlock", "--unlocked"], &["update"], "dash-users unlock"),
    (&["-l", "--login", "--name", "--rename"], &["update"], "dash-users rename"),
    (&["--repair"], &["check"], "--fix"),
    (&["-S", "--status"], &["passwd"], "dash-users show"),
    (&["-d", "--delete"], &["passwd"], ""),
    (&["--revoke"], &["group add"], "dash-users group remove"),
    (&["--upgrade"], &["rehash"], "dash-users verify --upgrade"),
];

/// What to use instead of a word at the end of `path`, and before the word `next`.
pub fn command_for(path: &[String], word: &str, next: Option<&str>) -> Option<&'static str> {
    let phrase = [path, &[word.to_ascii_lowercase()]].concat().join(" ");
    let longer = next.map(|next| format!("{phrase} {next}"));
    let named = |phrase: &String| {
        let is_it = |(_, words): &&(&str, &[&str])| words.contains(&phrase.as_str());
        COMMANDS.iter().find(is_it).map(|(command, _)| *command)
    };
    longer.as_ref().and_then(named).or_else(|| named(&phrase))
}

/// The command that takes the command after this noun. An empty one is the program itself.
pub fn noun(word: &str) -> Option<&'static str> {
    NOUNS.iter().find(|(noun, _)| *noun == word).map(|(_, command)| *command)
}

/// What to use instead of an option; an empty text if nothing fits.
pub fn option_for(command: &str, typed: &str) -> Option<&'static str> {
    let is_it = |(words, commands, _): &&(&[&str], &[&str], &str)| {
        words.contains(&typed) && (commands.is_empty() || commands.contains(&command))
    };
    OPTIONS.iter().find(is_it).map(|(_, _, option)| *option)
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;

    use super::*;
    use crate::cli;

    /// Why clap rejects a command line, if it does.
    fn error(line: &str) -> Option<ErrorKind> {
        let arguments = format!("dash-users {line}");
        let parsed = cli::bare().try_get_matches_from(arguments.split_whitespace());
        parsed.err().map(|error| error.kind())
    }

    #[test]
    fn other_commands_are_unknown_and_their_replacements_exist() {
        for (command, words) in COMMANDS {
            let found = error(command);
            let is_known = found.is_none_or(|kind| kind == ErrorKind::MissingRequiredArgument);
            assert!(is_known, "{command}: {found:?}");
            for word in words {
                assert_eq!(error(word), Some(ErrorKind::InvalidSubcommand), "{word}");
            }
        }
    }

    #[test]
    fn other_options_are_unknown_and_their_replacements_exist() {
        let is_unknown = |line: &str| error(line) == Some(ErrorKind::UnknownArgument);
        for (words, commands, option) in OPTIONS {
            let commands = if commands.is_empty() { &["list"] } else { commands };
            for command in commands {
                for word in words {
                    let line = format!("{command} {word}");
                    // `-d` is an option of all commands, and `-dNAME` has a value.
                    assert!(is_unknown(&line) || *word == "-d", "{line}");
                }
                let line = option.strip_prefix("dash-users ").map(str::to_owned);
                let line = line.unwrap_or_else(|| format!("{command} {option}"));
                assert!(!is_unknown(&line), "{line}");
            }
        }
    }
}
