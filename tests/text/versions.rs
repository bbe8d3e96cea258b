//! The version is in Cargo.toml. `packaging/notes` checks it again before a release.

use crate::files;

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn text(path: &str) -> String {
    files::read(path).pop().expect("the file").1
}

#[test]
fn changelog_begins_with_the_version() {
    let changelog = text("CHANGELOG.md");
    let heading = changelog.lines().find_map(|line| line.strip_prefix("## ")).unwrap();
    let state = heading.strip_prefix(VERSION).and_then(|rest| rest.strip_prefix(" ("));
    let state = state.and_then(|rest| rest.strip_suffix(')')).unwrap_or_default();
    let is_date = state.len() == 10
        && state.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    assert!(state == "unreleased" || is_date, "{heading}, but the version is {VERSION}");
}

#[test]
fn version_is_written_once() {
    let is_version = |line: &&str| line.starts_with("version = ");
    for (path, count) in [("Cargo.toml", 1), ("python/Cargo.toml", 0), ("pyproject.toml", 0)] {
        assert_eq!(text(path).lines().filter(is_version).count(), count, "{path}");
    }
    assert!(text("pyproject.toml").contains("\ndynamic = [\"version\"]\n"));
}
