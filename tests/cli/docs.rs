//! The README and `docs/` compared with the program: every command block runs, and every command
//! and option that a page names exists.
//!
//! The `sh` blocks of a page run in order, in one shell and an empty directory, as a reader would
//! run them. A `text` block right after an `sh` block is its expected output. `tests/cli/pages/` has
//! a script for each page that needs files first, or whose results are checked: the blocks run in
//! place of the line `# page`, or twice in place of `# page, twice`. `docs/not-run.txt` lists the
//! blocks that do not run.
//!
//! `SNAPSHOTS=overwrite` rewrites the expected output, the generated pages and the picture.

mod generated;
mod names;
mod picture;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::process::Command;

use crate::pages::{self, Block, Page};
use crate::skip::or_skip;
use crate::support::{Sandbox, empty, program_directory};

/// Where the pages pretend to be run.
const DIRECTORY: &str = "/srv/app";

/// What separates the output of blocks.
const MARK: &str = "\u{1}";

/// The `sh` blocks of a page.
pub(crate) fn commands_of(path: &str) -> Vec<String> {
    pages::page(path).blocks_of("sh").into_iter().map(str::to_owned).collect()
}

/// The entries of `docs/not-run.txt`: the page, the first line of the block, and the reason.
fn not_run() -> Vec<(String, String, String)> {
    let text = fs::read_to_string(pages::root().join("docs/not-run.txt")).unwrap();
    let mut entries = Vec::new();
    for entry in text.split("\n\n").filter(|entry| !entry.starts_with('#')) {
        let mut lines = entry.trim().lines().map(str::to_owned);
        let [page, line, reason] = [(); 3].map(|()| lines.next().expect(entry));
        assert_eq!(lines.next(), None, "{entry}");
        entries.push((page, line, reason));
    }
    entries
}

/// Whether a block is a command block that is run.
fn runs(page: &Page, block: &Block<'_>, not_run: &[(String, String, String)]) -> bool {
    let first = block.text.lines().next().unwrap_or_default();
    block.language == "sh"
        && !not_run.iter().any(|(path, line, _)| *path == page.path && line == first)
}

#[test]
fn blocks_that_are_not_run_exist() {
    for (path, line, _) in not_run() {
        let page = pages::page(&path);
        let blocks = page.blocks_of("sh");
        let count = blocks.iter().filter(|block| block.lines().next() == Some(&*line)).count();
        assert_eq!(count, 1, "docs/not-run.txt: {path}: {line}");
    }
}

#[test]
fn command_blocks_run_as_they_are_written() {
    let shell = Command::new("sqlite3").arg("--version").output();
    if or_skip(shell.map_err(|error| format!("no sqlite3 shell: {error}"))).is_none() {
        return;
    }
    let not_run = not_run();
    let mut scripts: BTreeMap<String, String> =
        fs::read_dir(pages::root().join("tests/cli/pages")).unwrap().map(script).collect();
    let mut failures = String::new();
    for page in pages::pages() {
        let blocks = page.blocks();
        let name = page.path.trim_start_matches("docs/").replace('/', "-").replace(".md", ".sh");
        let script = scripts.remove(&name);
        if blocks.iter().any(|block| runs(&page, block, &not_run)) {
            failures += &run(&page, &blocks, &not_run, script.as_deref()).err().unwrap_or_default();
        }
    }
    assert_eq!(failures, "");
    assert!(scripts.is_empty(), "scripts without a page: {:?}", scripts.keys());
}

fn script(entry: std::io::Result<fs::DirEntry>) -> (String, String) {
    let entry = entry.unwrap();
    (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())
}

/// Runs the blocks of a page, and compares their output.
fn run(
    page: &Page,
    blocks: &[Block<'_>],
    not_run: &[(String, String, String)],
    script: Option<&str>,
) -> Result<(), String> {
    let mut commands = String::new();
    for (index, block) in blocks.iter().enumerate().filter(|(_, block)| runs(page, block, not_run))
    {
        // `exec` replaces the shell: such a block gets a shell of its own.
        let is_last = block.text.lines().any(|line| line.starts_with("exec "));
        let [open, close] = if is_last { ["(", ")"] } else { ["", ""] };
        writeln!(commands, "printf '{MARK}{index}\\n'\n{open}\n{}{close}", block.text).unwrap();
    }
    writeln!(commands, "printf '{MARK}end\\n'").unwrap();
    // Secrets of a container are in the sandbox.
    let commands = commands.replace(" /run/secrets/", " run/secrets/");
    let script = match script.unwrap_or("# page\n") {
        script if script.contains("# page, twice\n") => {
            script.replace("# page, twice\n", &format!("{commands}{commands}"))
        }
        script => script.replace("# page\n", &commands),
    };
    let sandbox = empty().with_env("DASH_USERS_METHOD", "scrypt");
    let output = output(&sandbox, &script).map_err(|output| {
        format!("{}: a block fails:\n{}\n", page.path, output.replace(MARK, "-- block "))
    })?;
    let mut outputs: BTreeMap<usize, &str> = BTreeMap::new();
    for part in output.split(MARK).skip(1) {
        let (index, text) = part.split_once('\n').unwrap();
        if let Ok(index) = index.parse() {
            outputs.entry(index).or_insert(text);
        }
    }
    let mut expected = page.text.clone();
    for (index, block) in blocks.iter().enumerate().skip(1) {
        let found = outputs.get(&(index - 1));
        if let (Some(found), "text", true) = (found, block.language, block.follows) {
            let command = blocks[index - 1].text;
            let old = format!("```sh\n{command}```\n\n```text\n{}```\n", block.text);
            assert!(expected.contains(&old), "{}: {command}", page.path);
            expected =
                expected.replace(&old, &format!("```sh\n{command}```\n\n```text\n{found}```\n"));
        }
    }
    compare(&page.path, &expected)
}

/// The output of a script, or `Err` if one of its commands fails.
fn output(sandbox: &Sandbox, script: &str) -> Result<String, String> {
    let script = format!("exec 2>&1; set -e; umask 077; {STUB}\n{script}");
    let path = format!(
        "{}:{}:/usr/local/bin:/usr/bin:/bin",
        sandbox.path("bin").display(),
        program_directory().display()
    );
    let mut command = sandbox.shell(&script);
    let output = command.env("PATH", path).env("HOME", sandbox.dir()).output().unwrap();
    let directory = sandbox.dir().to_str().unwrap();
    let text = String::from_utf8(output.stdout).unwrap().replace(directory, DIRECTORY);
    // On a slow machine.
    let is_progress = |line: &&str| line.starts_with("hashing: ");
    let text: String = text.split_inclusive('\n').filter(|line| !is_progress(line)).collect();
    if output.status.success() { Ok(text) } else { Err(text) }
}

/// A function for scripts: creates a program that does nothing.
const STUB: &str = r#"mkdir bin; stub() { echo '#!/bin/sh' >"bin/$1"; chmod +x "bin/$1"; }"#;

/// Compares a file of the checkout with what it should be, or rewrites it.
fn compare(path: &str, expected: &str) -> Result<(), String> {
    let file = pages::root().join(path);
    let found = fs::read_to_string(&file).unwrap_or_default();
    if found == expected {
        return Ok(());
    }
    if std::env::var("SNAPSHOTS").is_ok_and(|value| value == "overwrite") {
        fs::write(file, expected).unwrap();
        return Ok(());
    }
    let differing = found.lines().zip(expected.lines()).find(|(found, expected)| found != expected);
    Err(format!("{path} is not up to date: run with SNAPSHOTS=overwrite; {differing:#?}\n"))
}

#[test]
fn python_blocks_are_parts_of_tested_files() {
    let files = ["examples/app.py", "tests/app/tutorial.py"];
    let files = files.map(|file| fs::read_to_string(pages::root().join(file)).unwrap());
    // Those of these pages use the package: python/tests/test_docs.py checks them.
    let others = [
        "connect-your-app",
        "fail2ban",
        "flask",
        "gunicorn-and-uwsgi",
        "login-page",
        "python",
        "python-scripts",
    ];
    let others = others.map(|page| format!("docs/how-to/{page}.md"));
    for page in pages::pages()
        .into_iter()
        .filter(|page| page.path != "README.md" && !others.contains(&page.path))
    {
        for block in page.blocks_of("python") {
            // A page may leave lines out.
            let is_part = |file: &String| {
                let mut lines = file.lines();
                block.lines().all(|line| lines.any(|other| line == other))
            };
            assert!(files.iter().any(is_part), "{}: {block}", page.path);
        }
    }
}

#[test]
fn readme_is_short() {
    let readme = pages::page("README.md");
    assert!(readme.text.lines().count() <= 150);
}

#[test]
fn relative_links_lead_to_files() {
    let others = ["CHANGELOG.md", "SECURITY.md", "benches/README.md"].map(pages::page);
    let mut count = 0;
    for page in pages::pages().into_iter().chain(others) {
        let file = pages::root().join(&page.path);
        for target in page.text.split("](").skip(1).filter_map(|text| text.split(')').next()) {
            let path = target.split('#').next().unwrap();
            if path.is_empty() || path.contains(':') {
                continue;
            }
            count += 1;
            assert!(file.parent().unwrap().join(path).exists(), "{}: {target}", page.path);
        }
    }
    assert!(count > 80, "{count}");
}
