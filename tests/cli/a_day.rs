//! The page "A day with dash-users", in bash on a terminal.

use crate::pages;
use crate::pty::{finish, start_script};
use crate::support::empty;

#[test]
fn a_day_has_the_written_answers_in_bash_on_a_terminal() {
    let page = pages::page("docs/how-to/a-day.md");
    let commands = page.blocks_of("sh").concat();
    assert!(commands.lines().filter(|line| line.contains("dash-users")).count() >= 40);
    let sandbox = empty().with_env("DASH_USERS_METHOD", "scrypt").with_env("TERM", "dumb");
    sandbox.write("day.sh", format!("set -e\n{commands}"));
    let (shown, status) = finish(start_script(&sandbox, "exec bash day.sh"));
    let shown = shown.replace("\r\n", "\n").replace(sandbox.dir().to_str().unwrap(), "/srv/app");
    assert_eq!(status, 0, "{shown}");
    // On a slow machine.
    let is_progress = |line: &&str| line.starts_with("hashing: ");
    let shown: String = shown.split_inclusive('\n').filter(|line| !is_progress(line)).collect();
    assert_eq!(shown, page.blocks_of("text").concat());
}
