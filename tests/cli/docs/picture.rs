//! The picture of a terminal in the README, made from real output.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use super::{DIRECTORY, compare};
use crate::support::{GOOD, Sandbox, empty};

/// The size of a character, and of the space around all of them, in pixels.
const WIDTH: f64 = 8.43;
const HEIGHT: usize = 20;
const MARGIN: usize = 20;
const BAR: usize = 28;

/// A user of each kind, added three days ago.
fn prepared() -> Sandbox {
    let sandbox = empty();
    sandbox.write("secret", GOOD);
    for args in [
        &["init"][..],
        &["add", "alice", "--group", "admins", "--password-file", "secret"],
        &["add", "bob", "--language", "fr", "--password-file", "secret"],
        &["add", "carol", "--group", "staff", "--password-file", "secret"],
    ] {
        assert_eq!(sandbox.run(args).status, 0);
    }
    sandbox.wait_three_days();
    sandbox
}

/// The commands in the picture, and what they print.
fn lines() -> Vec<String> {
    // A slow machine may show `1s` for `0s`.
    let all = (0..5).map(|_| lines_of(&prepared()));
    all.into_iter().find(|lines| lines.iter().any(|line| line.starts_with("0s "))).expect("0s")
}

fn lines_of(sandbox: &Sandbox) -> Vec<String> {
    let mut lines = Vec::new();
    for command in ["list", "lock bob", "history --limit 3", "verify alice --password-file secret"]
    {
        let args: Vec<&str> = command.split(' ').collect();
        let run = sandbox.run(&args);
        assert_eq!(run.status, 0, "{run}");
        lines.push(format!("$ dash-users {command}"));
        let output = (run.stdout + &run.stderr).replace("[DIR]", DIRECTORY);
        lines.extend(output.lines().map(|line| line.trim_end().to_owned()));
        lines.push(String::new());
    }
    lines.pop();
    lines
}

fn svg(lines: &[String]) -> String {
    let columns = lines.iter().map(|line| line.width()).max().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let width = (columns as f64 * WIDTH) as usize + 2 * MARGIN;
    let height = lines.len() * HEIGHT + 2 * MARGIN + BAR;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-label=\"dash-users in a terminal\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#16202c\"/>\n"
    );
    for (index, color) in ["#ff5f57", "#febc2e", "#28c840"].into_iter().enumerate() {
        let x = MARGIN + 6 + index * 20;
        writeln!(svg, "<circle cx=\"{x}\" cy=\"22\" r=\"6\" fill=\"{color}\"/>").unwrap();
    }
    svg += "<g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', \
            monospace\" font-size=\"14\" fill=\"#d7dfe8\">\n";
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| !line.is_empty()) {
        let y = BAR + MARGIN + (index + 1) * HEIGHT - 6;
        // Browsers collapse other spaces.
        let escaped = line.replace('&', "&amp;").replace('<', "&lt;").replace(' ', "\u{a0}");
        let style =
            if line.starts_with("$ ") { " fill=\"#8ce0a8\" font-weight=\"bold\"" } else { "" };
        writeln!(svg, "<text x=\"{MARGIN}\" y=\"{y}\"{style}>{escaped}</text>").unwrap();
    }
    svg + "</g>\n</svg>\n"
}

#[test]
fn terminal_picture_shows_real_output() {
    assert_eq!(compare("docs/terminal.svg", &svg(&lines())), Ok(()));
}
