//! Pages that are made from the program: the commands, and the table of exit codes.

use std::fmt::Write;
use std::fs;

use super::compare;
use crate::help::commands;
use crate::pages;
use crate::support::empty;

const INTRODUCTION: &str = "\
# Commands

<!-- Generated: SNAPSHOTS=overwrite cargo test --test cli docs:: -->

This is the output of `dash-users help COMMAND` for every command. The options that every command accepts
are listed once, under [dash-users](#dash-users). See also [exit codes](exit-codes.md),
[output formats](output.md) and [passwords, names and methods](values.md).
";

/// A help text without the options that every command has.
fn without_global_options(help: &str) -> String {
    let Some((before, after)) = help.split_once("\nGlobal options:\n") else {
        return help.to_owned();
    };
    let mut lines = after.lines().skip_while(|line| line.is_empty() || line.starts_with(' '));
    let rest: Vec<_> = lines.by_ref().collect();
    format!("{before}\n{}\n", rest.join("\n"))
}

#[test]
fn commands_page_is_up_to_date() {
    let sandbox = empty();
    let mut page = INTRODUCTION.to_owned();
    for command in [Vec::new()].into_iter().chain(commands()) {
        let args: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let help = sandbox.run(&args).stdout;
        let help = if command.is_empty() { help } else { without_global_options(&help) };
        let lines: Vec<_> = help.trim_end().lines().map(str::trim_end).collect();
        let heading = "#".repeat(command.len().max(1) + 1);
        let name = if command.is_empty() { "dash-users".into() } else { command.join(" ") };
        let lines = lines.join("\n");
        writeln!(page, "\n{heading} {name}\n\n```text\n{lines}\n```").unwrap();
    }
    assert_eq!(compare("docs/reference/commands.md", &page), Ok(()));
}

/// The codes of JSON, each with its exit code, as the program's source lists them.
fn codes() -> Vec<(String, String)> {
    let source = fs::read_to_string(pages::root().join("src/bin/dash-users/exit.rs")).unwrap();
    let pairs = source.lines().filter_map(|line| {
        let (number, name) = line.split_once("=> (")?.1.split_once(", \"")?;
        Some((number.to_owned(), name.strip_suffix("\"),")?.to_owned()))
    });
    pairs.collect()
}

#[test]
fn exit_codes_page_is_up_to_date() {
    let help = empty().run(&["--help"]).stdout;
    let rows = help.lines().rev().take_while(|line| !line.ends_with(':')).map(|line| {
        let (code, meaning) = line.trim().split_once("  ").expect("a code and its meaning");
        let codes = codes();
        let names = codes.iter().filter(|(number, _)| number == code);
        let names: Vec<_> = names.map(|(_, name)| format!("`{name}`")).collect();
        format!("| {code} | {meaning} | {} |\n", names.join(", "))
    });
    let mut rows: Vec<_> = rows.collect();
    rows.reverse();
    assert!(rows.len() > 10, "{rows:?}");
    let path = "docs/reference/exit-codes.md";
    let page = pages::page(path).text;
    let head = "| exit code | meaning | `code` in JSON |\n|---|---|---|\n";
    let (before, after) = page.split_once(head).expect("the table");
    let (_, after) = after.split_once("\n\n").expect("text after the table");
    let expected = format!("{before}{head}{}\n{after}", rows.concat());
    assert_eq!(compare(path, &expected), Ok(()));
}
