//! The README against the program: what it promises is there, and what is there it names.

use std::fs;
use std::process::{Command, Output};

use rusqlite::Connection;

use crate::skip::or_skip;
use crate::support::{GOOD, SECRET123, Sandbox, empty, initialized, program_directory};

const README: &str = include_str!("../../README.md");

/// The shell blocks of a section.
fn blocks(heading: &str) -> Vec<&'static str> {
    let (_, section) = README.split_once(&format!("\n## {heading}\n")).expect("the heading");
    let section = section.split("\n## ").next().unwrap_or_default();
    let blocks = section.split("```sh\n").skip(1);
    blocks.map(|block| block.split_once("```").expect("its end").0).collect()
}

/// The first of them.
fn block(heading: &str) -> &'static str {
    blocks(heading)[0]
}

/// Runs commands as they are written, each of which must succeed.
fn run(sandbox: &Sandbox, commands: &str) -> Output {
    let path = program_directory().display();
    let script = format!("set -e; PATH={path}:$PATH\n{commands}");
    let output = sandbox.shell(&script).env("PATH", "/usr/bin:/bin").output().unwrap();
    assert!(output.status.success(), "{commands}{}", String::from_utf8_lossy(&output.stderr));
    output
}

#[test]
fn the_first_session_works_as_it_is_written() {
    let output = run(&empty(), block("A first session"));
    let stdout = String::from_utf8(output.stdout).unwrap();
    let expected = "alice: accepted\nalice: refused\nstatus 3\nUSER   LANGUAGE  GROUPS  STATE  CREATED  PASSWORD SET\n";
    assert!(stdout.starts_with(expected), "{stdout}");
}

#[test]
fn the_ci_commands_can_be_run_again_and_again() {
    let sandbox = empty();
    sandbox.write("secret", "plover-xyzzy-quux");
    let commands = block("In scripts and CI").replace("/run/secrets/ci-bot", "secret");
    run(&sandbox, &format!("{commands}{commands}"));
}

#[test]
fn the_entry_point_of_a_container_can_be_run_again_and_again() {
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
fn colleagues_get_passwords_and_are_exported() {
    let sandbox = empty();
    let names: Vec<_> = (0..30).map(|number| format!("colleague{number:02}\n")).collect();
    sandbox.write("colleagues.csv", format!("username\n{}", names.concat()));
    run(&sandbox, block("Many users at once"));
    let count = |file| fs::read_to_string(sandbox.path(file)).unwrap().lines().count();
    assert_eq!((count("passwords.csv"), count("users.jsonl")), (31, 30));
}

#[test]
fn users_come_from_airflow_and_go_back() {
    let shell = Command::new("sqlite3").arg("--version").output();
    if or_skip(shell.map_err(|error| format!("no sqlite3 shell: {error}"))).is_none() {
        return;
    }
    let sandbox = initialized();
    let airflow = Connection::open(sandbox.path("airflow.db")).unwrap();
    let create = "CREATE TABLE ab_user (id INTEGER PRIMARY KEY, first_name VARCHAR(256) NOT NULL,
                      username VARCHAR(512) UNIQUE NOT NULL, password VARCHAR(256));";
    airflow.execute_batch(create).unwrap();
    let insert = "INSERT INTO ab_user (first_name, username, password) VALUES ('Al', 'alice', ?)";
    airflow.execute(insert, [SECRET123]).unwrap();
    let [_, there, back] = blocks("Many users at once")[..] else { panic!("three blocks") };

    run(&sandbox, there);
    assert_eq!(sandbox.stored("alice"), SECRET123);
    sandbox.run_with(GOOD, &["passwd", "alice", "--password-stdin"]);
    run(&sandbox, back);
    let select = "SELECT password FROM ab_user WHERE username = 'alice'";
    let password: String = airflow.query_row(select, [], |row| row.get(0)).unwrap();
    assert_eq!(password, sandbox.stored("alice"));
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
