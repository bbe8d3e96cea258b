//! Help of the program and each command, and the man pages generated from it.

use std::fs;
use std::process::Command;
use std::sync::LazyLock;

use snapbox::str;
use unicode_width::UnicodeWidthStr;

use crate::sample;
use crate::skip::or_skip;
use crate::support::{GOOD, Sandbox, empty, initialized};

#[test]
fn short_help_lists_every_command() {
    empty().assert_session(str![[r#"
$ dash-users -h
status 0
-- stdout
User management for Dash apps

Usage: dash-users [OPTIONS] <COMMAND>

Set up:
  init         Create the database, or update an existing one
  migrate      Apply pending schema migrations
  seed         Add missing users from a file, or two demo users

Users:
  add          Add a user [alias: create]
  passwd       Set a user's password
  verify       Check a user's password, as the app does
  rehash       Hash a user's password again, with the current method
  remove       Remove users [aliases: rm, delete]
  rename       Rename a user
  update       Change the language and groups of users
  lock         Lock users without changing their passwords
  unlock       Unlock users and restore their passwords
  group        Add users to groups, remove them, or list groups
  sessions     List or end sessions of the login page

Inspect:
  list         List users, without their hashes [alias: ls]
  show         Show one user, without the hash
  history      Show who changed what, newest first
  check        Check the database and its users for problems
  info         Show which database is in use, and its state

Files:
  import       Add or update users from a file
  export       Export all users to a file
  backup       Copy the whole database to a file
  restore      Replace the database's contents with a backup

Tools:
  hash         Hash a password, or check it against a hash, without a database
  completions  Print a shell completion script
  man          Write man pages to a directory
  help         Print help for dash-users or a command

Options:
  -d, --database <DB>    Database: a path, sqlite:///relative, sqlite:////absolute or
                         postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]
      --format <FORMAT>  Output format [default: table] [possible values: table, plain, json]
      --json             Same as --format json
  -q, --quiet            Print only results and errors
      --color <WHEN>     When to use color [default: auto] [possible values: auto, always, never]
      --no-pager         Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default:
                         less]
      --wait <SECONDS>   How long to wait for a database that another program has locked, in seconds
                         [default: 10]
      --no-input         Never prompt for input, even on a terminal
  -h, --help             Print help (see more with '--help')
  -V, --version          Print version

Example:
  dash-users init && dash-users add alice && dash-users list

"#]]);
}

#[test]
fn no_command_prints_help_to_stderr() {
    let run = empty().run(&[]);
    assert_eq!((run.status, &*run.stdout), (2, ""));
    assert!(run.stderr.starts_with("User management for Dash apps\n"), "{run}");
    empty().assert_session(str![[r#"
$ dash-users --json
status 2
-- stderr
{"error":{"code":"usage","status":2,"message":"'dash-users' needs a command: init, migrate, seed, add, passwd, verify, rehash, remove, rename, update, lock, unlock, group, sessions, list, show, history, check, info, import, export, backup, restore, hash, completions, man, help","hint":"see dash-users --help"}}

"#]]);
}

#[test]
fn long_help_lists_exit_codes() {
    let run = empty().run(&["--help"]);
    assert_eq!(run.status, 0);
    assert!(run.stdout.contains("\nExit codes:\n    0  success, or nothing to do\n"), "{run}");
}

/// The words of every command, including the subcommands of `group`.
pub(crate) fn commands() -> Vec<Vec<String>> {
    static COMMANDS: LazyLock<Vec<Vec<String>>> = LazyLock::new(all_commands);
    COMMANDS.clone()
}

fn all_commands() -> Vec<Vec<String>> {
    fn collect(sandbox: &Sandbox, command: &[String], all: &mut Vec<Vec<String>>) {
        for name in names(&text(sandbox, command, "-h")) {
            let command = [command, &[name]].concat();
            all.push(command.clone());
            collect(sandbox, &command, all);
        }
    }
    let mut all = Vec::new();
    collect(&empty(), &[], &mut all);
    assert!(all.len() > 25, "{all:?}");
    all
}

/// The command names in a help text.
pub(crate) fn names(help: &str) -> Vec<String> {
    let (before, _) = help.split_once("\nOptions:\n").expect("options");
    let lines = before.lines().filter_map(|line| line.strip_prefix("  "));
    let lines = lines.filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
    let names = lines.map(|line| line.split(' ').next().unwrap().to_owned());
    names.filter(|name| name != "help").collect()
}

/// The help of a command with this option.
fn text(sandbox: &Sandbox, command: &[String], option: &str) -> String {
    let args: Vec<_> = command.iter().map(String::as_str).chain([option]).collect();
    let run = sandbox.run(&args);
    assert_eq!((run.status, &*run.stderr), (0, ""), "{args:?}");
    run.stdout
}

/// The short and long help of the program and every command.
fn helps() -> Vec<(String, String, String)> {
    static HELPS: LazyLock<Vec<(String, String, String)>> = LazyLock::new(|| {
        let sandbox = empty();
        let help = |command: Vec<String>| {
            let [short, long] = ["-h", "--help"].map(|option| text(&sandbox, &command, option));
            (command.join(" "), short, long)
        };
        [Vec::new()].into_iter().chain(commands()).map(help).collect()
    });
    HELPS.clone()
}

#[test]
fn help_begins_with_summary_and_long_help_adds_details() {
    for (command, short, long) in helps() {
        let summary = short.lines().next().unwrap();
        assert!(summary.starts_with(|c: char| c.is_ascii_uppercase()), "{command}: {summary}");
        assert!(!summary.ends_with('.') && summary.width() <= 80, "{command}: {summary}");
        assert_eq!(long.lines().next(), Some(summary), "{command}");
        assert!(short.len() < long.len(), "{command}");
    }
}

#[test]
fn help_lines_fit_terminal_width() {
    for (command, short, long) in helps() {
        for line in short.lines().chain(long.lines()) {
            assert!(line.width() <= 100, "{command}: {line}");
        }
        let (before_options, _) = short.split_once("\nOptions:\n").unwrap();
        for line in before_options.lines() {
            assert!(line.width() <= 80, "{command}: {line}");
        }
    }
}

#[test]
fn every_option_and_argument_has_help() {
    for (command, _, long) in helps() {
        let lines: Vec<&str> = long.lines().collect();
        let mut count = 0;
        for pair in lines.windows(2) {
            let [line, next] = pair else { unreachable!() };
            let indent = line.len() - line.trim_start().len();
            let is_entry = match line.trim_start().chars().next() {
                Some('-') => indent == 2 || indent == 6,
                Some('<' | '[') => indent == 2,
                _ => false,
            };
            if is_entry {
                count += 1;
                let explanation = next.strip_prefix(&" ".repeat(10)).unwrap_or_default();
                assert!(explanation.starts_with(char::is_alphanumeric), "{command}: {line}");
            }
        }
        let is_program = command.is_empty();
        assert!(count >= if is_program { 7 } else { 1 }, "{command}: {count}");
    }
}

#[test]
fn every_command_lists_its_exit_codes() {
    for (command, short, long) in helps() {
        let (_, codes) = long.split_once("\nExit codes:\n").expect(&command);
        let codes: Vec<u8> = codes
            .lines()
            .map(|line| line.split_whitespace().next().unwrap().parse().unwrap())
            .collect();
        assert!(codes.starts_with(&[0, 1, 2]) && codes.is_sorted(), "{command}: {codes:?}");
        assert!(!short.contains("Exit codes:"), "{command}");
    }
}

#[test]
fn help_command_equals_help_option() {
    let sandbox = empty();
    for command in commands() {
        let help: Vec<_> = ["help"].into_iter().chain(command.iter().map(String::as_str)).collect();
        assert_eq!(sandbox.run(&help).stdout, text(&sandbox, &command, "--help"), "{help:?}");
    }
}

#[test]
fn every_command_has_one_working_example() {
    let with_users = initialized().with_env("DASH_USERS_PASSWORD_FILE", "secret");
    with_users.write("secret", GOOD);
    for user in ["alice", "bob"] {
        assert_eq!(with_users.run(&["add", user, "--group", "admins"]).status, 0);
    }
    assert_eq!(with_users.run(&["backup", "users-2026-01-31.db"]).status, 0);
    for (command, _, long) in helps().into_iter().skip(1) {
        let examples: Vec<_> =
            long.lines().filter_map(|line| line.strip_prefix("Example: ")).collect();
        let [example] = examples[..] else { panic!("{command}: {examples:?}") };
        assert!(example.starts_with(&format!("dash-users {command}")), "{command}: {example}");
        let sandbox = empty().with_env("DASH_USERS_PASSWORD_FILE", "secret");
        for file in ["secret", "users.db", "users-2026-01-31.db"] {
            fs::copy(with_users.path(file), sandbox.path(file)).unwrap();
        }
        sandbox.write("users.csv", "username,password\ndave,plover-xyzzy-quux\n");
        sandbox.write("colleagues.csv", "username\ndave\n");
        let asks = command == "restore";
        let example = example.replace("www-data", "$(id -g)") + if asks { " --yes" } else { "" };
        works(&sandbox, &example);
    }
}

#[test]
fn short_help_example_works() {
    let help = empty().run(&["-h"]).stdout;
    let (_, example) = help.split_once("\nExample:\n").unwrap();
    let sandbox = empty().with_env("DASH_USERS_PASSWORD_FILE", "secret");
    sandbox.write("secret", GOOD);
    works(&sandbox, example);
}

/// Runs an example as written, in a home directory with the usual folders.
fn works(sandbox: &Sandbox, example: &str) {
    let home = sandbox.path("home");
    fs::create_dir_all(home.join(".local/share/bash-completion/completions")).unwrap();
    let output = sandbox.shell(example).env("HOME", home).output().unwrap();
    assert!(output.status.success(), "{example}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn help_and_usage_errors_hide_environment_values() {
    let sandbox = empty()
        .with_env("DASH_USERS_DATABASE", "postgres://u:SECRET@h/d?password=SECRET")
        .with_env("DASH_USERS_METHOD", "SECRET");
    let suffixes = [&["-h"][..], &["--help"], &[], &["x"], &["x", "y"], &["--nonsense"]];
    let formats = ["table", "json"];
    let endings = suffixes.iter().flat_map(|args| formats.map(|format| (*args, format)));
    let endings: Vec<_> = endings.collect();
    let step = sample::of(5, 1);
    for (index, command) in [Vec::new()].into_iter().chain(commands()).enumerate() {
        for (suffixes, format) in endings.iter().skip(index % step).step_by(step) {
            let command = command.iter().map(String::as_str);
            let args: Vec<_> = command.chain(suffixes.iter().copied()).collect();
            let run = sandbox.run(&[&args[..], &["--format", format]].concat());
            assert!(!run.to_string().contains("SECRET"), "{args:?}: {run}");
        }
    }
}

#[test]
fn man_writes_a_page_per_command() {
    let sandbox = empty().with_env("DASH_USERS_DATABASE", "postgres://u:SECRET@h/d");
    sandbox.assert_session(str![[r#"
$ dash-users man share/man/man1
status 0
-- stderr
wrote the man pages to [DIR]/share/man/man1

$ dash-users man share/man/man1 --json
status 0
-- stdout
{"directory":"[DIR]/share/man/man1"}

"#]]);
    let pages = fs::read_dir(sandbox.path("share/man/man1")).unwrap();
    let mut pages: Vec<_> =
        pages.map(|page| page.unwrap().file_name().into_string().unwrap()).collect();
    pages.sort_unstable();
    let page =
        |command: Vec<String>| [&["dash-users".to_owned()], &command[..]].concat().join("-") + ".1";
    let mut expected: Vec<_> = [Vec::new()].into_iter().chain(commands()).map(page).collect();
    expected.sort_unstable();
    assert_eq!(pages, expected);
    for page in pages {
        let text = fs::read_to_string(sandbox.path("share/man/man1").join(&page)).unwrap();
        let title = format!("\n.TH {} 1 ", page.trim_end_matches(".1").to_uppercase());
        assert!(text.contains(&title), "{page}: {text}");
        for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "\"EXIT STATUS\""] {
            assert!(text.contains(&format!("\n.SH {section}\n")), "{page}: {text}");
        }
        assert!(!text.contains(['\x1b']) && !text.contains("SECRET"), "{page}: {text}");
    }
}

#[test]
fn man_of_a_command_is_not_a_directory() {
    let sandbox = empty();
    let run = sandbox.run(&["man", "ls"]);
    assert_eq!(run.status, 2, "{run}");
    assert!(run.stderr.contains("hint: run `dash-users help list`"), "{run}");
    assert!(!sandbox.path("ls").exists());
    assert_eq!(sandbox.run(&["man", "./ls"]).status, 0);
    sandbox.write("file", "");
    let run = sandbox.run(&["man", "file"]);
    assert!(run.status == 1 && run.stderr.contains("it is a file\n"), "{run}");
}

#[test]
fn man_pages_pass_mandoc_lint() {
    let sandbox = empty();
    assert_eq!(sandbox.run(&["man", "man1"]).status, 0);
    let pages = fs::read_dir(sandbox.path("man1")).unwrap().map(|page| page.unwrap().path());
    let lint = Command::new("mandoc").arg("-Tlint").args(pages).output();
    let Some(lint) = or_skip(lint.map_err(|error| format!("mandoc cannot be run: {error}"))) else {
        return;
    };
    assert_eq!(String::from_utf8_lossy(&lint.stdout), "");
}

#[test]
fn man_reports_unwritable_pages() {
    let sandbox = empty();
    sandbox.write("file", "");
    sandbox.assert_session(str![[r#"
$ dash-users man file/man1
status 1
-- stderr
error: cannot create [DIR]/file/man1: Not a directory (os error 20)

"#]]);
    fs::create_dir_all(sandbox.path("dir/dash-users-add.1")).unwrap();
    sandbox.assert_session(str![[r#"
$ dash-users man dir --json
status 1
-- stderr
{"error":{"code":"failed","status":1,"message":"cannot write [DIR]/dir/dash-users-add.1: Is a directory (os error 21)","hint":null}}

"#]]);
}
