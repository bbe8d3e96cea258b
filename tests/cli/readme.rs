//! The README against the program: what it promises is there, and what is there it names.

use crate::support::{empty, program_directory};

const README: &str = include_str!("../../README.md");

/// The first shell block after a heading.
fn block(heading: &str) -> &'static str {
    let (_, section) = README.split_once(&format!("\n## {heading}\n")).expect("the heading");
    let (_, block) = section.split_once("```sh\n").expect("a shell block");
    block.split_once("```").expect("its end").0
}

#[test]
fn the_first_session_works_as_it_is_written() {
    let sandbox = empty();
    let path = program_directory().display();
    let script = format!("set -e; PATH={path}:$PATH\n{}", block("A first session"));
    let output = sandbox.shell(&script).env("PATH", "/usr/bin:/bin").output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{stdout}");
    let expected = "alice: accepted\nalice: refused\nstatus 3\nUSER   LANGUAGE  GROUPS  STATE  CREATED  PASSWORD SET\n";
    assert!(stdout.starts_with(expected), "{stdout}");
}

#[test]
fn the_ci_commands_can_be_run_again_and_again() {
    let sandbox = empty();
    sandbox.write("secret", "plover-xyzzy-quux");
    let path = program_directory().display();
    let commands = block("In scripts and CI").replace("/run/secrets/ci-bot", "secret");
    let script = format!("set -e; PATH={path}:$PATH\n{commands}{commands}");
    assert!(sandbox.shell(&script).env("PATH", "/usr/bin:/bin").status().unwrap().success());
}

#[test]
fn the_statuses_are_those_of_the_program() {
    let help = empty().run(&["--help"]).stdout;
    let (_, statuses) = help.split_once("Statuses:\n").unwrap();
    let rows: Vec<String> = statuses
        .lines()
        .map(|line| {
            let (status, meaning) = line.trim().split_once("  ").unwrap();
            format!("| {status} | {meaning} |\n")
        })
        .collect();
    assert!(README.contains(&format!("|---|---|\n{}\n", rows.concat())), "{rows:#?}");
}

#[test]
fn every_command_is_named_and_every_named_command_is_there() {
    let help = empty().run(&["-h"]).stdout;
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands: Vec<&str> = commands
        .lines()
        .take_while(|line| !line.is_empty())
        .map(|line| line.split_whitespace().next().unwrap())
        .filter(|command| *command != "help")
        .collect();
    let (_, table) = README.split_once("| command | does |\n|---|---|\n").unwrap();
    let named: Vec<&str> = table
        .lines()
        .take_while(|line| line.starts_with("| `"))
        .map(|line| line[3..].split([' ', '`']).next().unwrap())
        .collect();
    assert_eq!(named, commands);
}
