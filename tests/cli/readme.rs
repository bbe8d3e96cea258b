//! README and program agree: README's claims hold, and README covers every feature.

use std::fs;
use std::process::{Command, Output};

use rusqlite::Connection;

use crate::help::{commands, names};
use crate::skip::or_skip;
use crate::support::{GOOD, SECRET123, Sandbox, empty, initialized, program_directory};

const README: &str = include_str!("../../README.md");
const CHANGELOG: &str = include_str!("../../CHANGELOG.md");

/// The shell blocks of a section.
fn blocks(heading: &str) -> Vec<&'static str> {
    let (_, section) = README.split_once(&format!("\n## {heading}\n")).expect("the heading");
    let section = section.split("\n## ").next().unwrap_or_default();
    let blocks = section.split("```sh\n").skip(1);
    blocks.map(|block| block.split_once("```").expect("its end").0).collect()
}

/// The first shell block of a section.
pub(crate) fn block(heading: &str) -> &'static str {
    blocks(heading)[0]
}

/// Runs commands as written. Each must succeed.
fn run(sandbox: &Sandbox, commands: &str) -> Output {
    let path = program_directory().display();
    let script = format!("set -e; PATH={path}:$PATH\n{commands}");
    let output = sandbox.shell(&script).env("PATH", "/usr/bin:/bin").output().unwrap();
    assert!(output.status.success(), "{commands}{}", String::from_utf8_lossy(&output.stderr));
    output
}

#[test]
fn readme_first_session_works() {
    let output = run(&empty(), block("A first session"));
    let stdout = String::from_utf8(output.stdout).unwrap();
    let expected = "alice: accepted\nalice: refused\nstatus 3\nUSER   LANGUAGE  GROUPS  STATE  CREATED  PASSWORD SET\n";
    assert!(stdout.starts_with(expected), "{stdout}");
}

#[test]
fn readme_ci_commands_are_repeatable() {
    let sandbox = empty();
    sandbox.write("secret", "plover-xyzzy-quux");
    let commands = block("In scripts and CI").replace("/run/secrets/ci-bot", "secret");
    run(&sandbox, &format!("{commands}{commands}"));
}

#[test]
fn readme_container_entry_point_is_repeatable() {
    let sandbox = empty();
    sandbox.write("users.csv", "username,password\nalice,plover-xyzzy-quux\n");
    let commands = blocks("In scripts and CI")[1].replace("/run/secrets/", "");
    for _ in 0..2 {
        run(&sandbox, &commands.replace("exec gunicorn app:server", "exec true"));
    }
    let verify = &["verify", "alice", "--password-stdin"];
    assert_eq!(sandbox.run_with("plover-xyzzy-quux", verify).status, 0);
}

#[test]
fn readme_import_and_export_work() {
    let sandbox = empty();
    let names: Vec<_> = (0..30).map(|number| format!("colleague{number:02}\n")).collect();
    sandbox.write("colleagues.csv", format!("username\n{}", names.concat()));
    run(&sandbox, block("Many users at once"));
    let count = |file| fs::read_to_string(sandbox.path(file)).unwrap().lines().count();
    assert_eq!((count("passwords.csv"), count("users.jsonl")), (31, 30));
}

#[test]
fn readme_airflow_migration_works() {
    let shell = Command::new("sqlite3").arg("--version").output();
    if or_skip(shell.map_err(|error| format!("no sqlite3 shell: {error}"))).is_none() {
        return;
    }
    let sandbox = initialized();
    let airflow = Connection::open(sandbox.path("airflow.db")).unwrap();
    let create = "CREATE TABLE ab_user (id INTEGER PRIMARY KEY, first_name VARCHAR(256) NOT NULL,
                      username VARCHAR(512) UNIQUE NOT NULL, password VARCHAR(256),
                      active BOOLEAN);";
    airflow.execute_batch(create).unwrap();
    let insert = "INSERT INTO ab_user (first_name, username, password, active)
                  VALUES ('Al', 'alice', ?1, 1), ('Bo', 'bob', ?1, 0), ('Cy', 'cyd', NULL, 1)";
    airflow.execute(insert, [SECRET123]).unwrap();
    let [_, there, back] = blocks("Many users at once")[..] else { panic!("three blocks") };

    run(&sandbox, there);
    assert_eq!(sandbox.stored("alice"), SECRET123);
    assert_eq!(sandbox.stored("bob"), format!("!{}", SECRET123.replace('$', "|")));
    assert!(sandbox.stored("cyd").starts_with('!'));
    sandbox.run_with(GOOD, &["passwd", "alice", "--password-stdin"]);
    run(&sandbox, back);
    let select = "SELECT password FROM ab_user WHERE username = 'alice'";
    let password: String = airflow.query_row(select, [], |row| row.get(0)).unwrap();
    assert_eq!(password, sandbox.stored("alice"));
    let select = "SELECT username, password FROM ab_user WHERE active AND username != 'alice'";
    let others: (String, Option<String>) =
        airflow.query_row(select, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(others, ("cyd".to_owned(), None), "without a password here too");
}

#[test]
fn readme_exit_codes_equal_help() {
    let help = empty().run(&["--help"]).stdout;
    let (_, codes) = help.split_once("Exit codes:\n").unwrap();
    let rows: Vec<String> = codes
        .lines()
        .map(|line| {
            let (status, meaning) = line.trim().split_once("  ").unwrap();
            format!("| {status} | {meaning} |\n")
        })
        .collect();
    assert!(README.contains(&format!("|---|---|\n{}\n", rows.concat())), "{rows:#?}");
}

#[test]
fn readme_lists_commands_in_help_order() {
    let (_, table) = README.split_once("| command | does |\n|---|---|\n").unwrap();
    let named: Vec<&str> = table
        .lines()
        .take_while(|line| line.starts_with("| `"))
        .map(|line| line[3..].split([' ', '`']).next().unwrap())
        .collect();
    assert_eq!(named, names(&empty().run(&["-h"]).stdout));
}

#[test]
fn readme_names_global_options() {
    let help = empty().run(&["-h"]).stdout;
    for option in options(&help).iter().filter(|option| !["--help", "--version"].contains(option)) {
        assert!(README.contains(&format!("`{option}")), "{option}");
    }
}

#[test]
fn readme_and_changelog_name_existing_options() {
    let sandbox = empty();
    let help = |command: &[String]| sandbox.run(&[&strs(command)[..], &["-h"]].concat()).stdout;
    let first_screen = help(&[]);
    let top = names(&first_screen);
    let helps: Vec<_> = commands().into_iter().map(|command| (help(&command), command)).collect();
    let all = first_screen + &helps.iter().map(|(help, _)| help.as_str()).collect::<String>();

    let mut count = 0;
    for mention in [README, CHANGELOG].into_iter().flat_map(|document| mentions(document, &top)) {
        let line = mention.strip_prefix("dash-users ").unwrap_or(&mention);
        let words: Vec<&str> = line.split_whitespace().collect();
        // The longest match: `group add`, not `group`.
        let found = helps.iter().rfind(|(_, command)| words.starts_with(&strs(command)));
        let known = match found {
            Some((help, _)) => help,
            None if words[0] == "help" || words[0].starts_with('-') => &all,
            None => panic!("there is no such command: {mention}"),
        };
        for option in options(&mention) {
            count += 1;
            assert!(options(known).contains(&option), "{option}: {mention}");
        }
    }
    assert!(count > 40, "{count}");
}

fn strs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// The long options in a text.
fn options(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| c != '-' && !c.is_ascii_alphanumeric());
    words.filter(|word| word.starts_with("--") && word.len() > 2).collect()
}

/// Mentions of these `commands` in a document: inline code that is a command or an option, and
/// command lines in shell blocks.
fn mentions(document: &str, commands: &[String]) -> Vec<String> {
    let is_ours = |code: &&str| match code.split_whitespace().next() {
        Some("dash-users") => code.contains(' ') && !code.contains(" = "),
        // An option of Cargo.
        Some("--no-default-features") | None => false,
        Some(first) => first.starts_with("--") || commands.iter().any(|command| command == first),
    };
    let mut mentions = Vec::new();
    for (index, part) in document.split("```").enumerate() {
        if index % 2 == 0 {
            mentions.extend(part.split('`').skip(1).step_by(2).filter(is_ours));
        } else if let Some(block) = part.strip_prefix("sh\n") {
            let lines = block.lines().map(|line| line.split(" #").next().unwrap_or_default());
            let programs = lines.flat_map(|line| line.split(['|', ';', '&', '>', '(']));
            mentions.extend(programs.map(str::trim).filter(|line| line.starts_with("dash-users ")));
        }
    }
    mentions.into_iter().map(str::to_owned).collect()
}

/// The sections with shell blocks, the number of blocks, and the test that runs them.
const BLOCKS: [(&str, usize, &str); 7] = [
    ("Install", 1, "nothing: they would install the program; tests/wheel has one of its own"),
    ("Completion", 1, "shells::readme_lines_set_up_completion"),
    ("A first session", 1, "readme_first_session_works"),
    ("With your Dash app", 1, "nothing: it would stay; tests/app runs the example"),
    ("In scripts and CI", 2, "readme_ci_commands_…, readme_container_entry_point_…"),
    ("Many users at once", 3, "readme_import_and_export_work, readme_airflow_migration_works"),
    ("Several hosts: PostgreSQL", 2, "nothing: that server is not there; tests/postgres has one"),
];

#[test]
fn readme_shell_blocks_are_run_or_excused() {
    let sections = README.split("\n## ").skip(1).map(|section| section.lines().next().unwrap());
    let found: Vec<(&str, usize)> = sections
        .map(|heading| (heading, blocks(heading).len()))
        .filter(|(_, count)| *count > 0)
        .collect();
    assert_eq!(found, BLOCKS.map(|(heading, count, _)| (heading, count)));
}
