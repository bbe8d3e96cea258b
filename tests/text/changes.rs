//! The lists of files under "Three changes" in docs/architecture.md are complete: a file that names
//! every command, finding or field is one that a new one belongs in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use dash_users::User;
use dash_users::transfer::FIELDS;

use crate::files;

const PAGE: &str = "docs/architecture.md";

/// The paths of the table under a heading.
fn all_listed(heading: &str) -> BTreeSet<String> {
    let page = files::read(PAGE).pop().expect("the page").1;
    let section = page.split_once(&format!("### {heading}\n")).expect("the heading").1;
    let section = section.split("\n#").next().unwrap_or_default();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// These, except patterns such as `commands/NAME.rs`.
fn listed(heading: &str) -> BTreeSet<String> {
    all_listed(heading).into_iter().filter(|path| !path.contains("NAME")).collect()
}

/// Whether a text has a name as a word of its own, which is not that of a module.
fn names(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || "_-".contains(c);
    text.match_indices(name).any(|(start, _)| {
        let rest = &text[start + name.len()..];
        !text[..start].ends_with(is_part) && !rest.starts_with(is_part) && !rest.starts_with("::")
    })
}

/// Names that belong together, and the places where they are looked for.
type List<'a> = (&'a [&'a str], Vec<&'a str>);

/// Asserts that the files of a list are those that name everything in one of `lists`.
fn assert_complete(heading: &str, lists: &[List<'_>]) {
    let listed = listed(heading);
    let mut lacking: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (places, all) in lists {
        for (path, text) in places.iter().flat_map(|place| files::read(place)) {
            // Unit tests come with their module.
            if path.contains("/tests.rs") || path.contains("/tests/") {
                continue;
            }
            let missing: Vec<_> = all.iter().copied().filter(|name| !names(&text, name)).collect();
            assert!(!missing.is_empty() || listed.contains(&path), "list {path} under '{heading}'");
            let least = lacking.entry(path).or_insert_with(|| missing.clone());
            if missing.len() < least.len() {
                *least = missing;
            }
        }
    }
    let incomplete = listed.iter().filter(|path| !lacking[*path].is_empty());
    let incomplete: Vec<_> =
        incomplete.map(|path| format!("{path} lacks {:?}", lacking[path])).collect();
    assert!(incomplete.is_empty(), "see '{heading}' in {PAGE}:\n{}", incomplete.join("\n"));
}

#[test]
fn files_of_a_new_command_are_listed() {
    let commands = files::read("src/bin/dash-users/commands");
    let stems = commands.iter().filter_map(|(path, _)| Path::new(path).file_stem()?.to_str());
    let commands: Vec<_> = stems.filter(|name| *name != "source").collect();
    let places = ["src", "tests/cli", "docs/reference", "CHANGELOG.md"];
    assert_complete("A new command", &[(&places, commands)]);
}

#[test]
fn files_of_a_new_finding_are_listed() {
    let code = files::read("src/check.rs").pop().expect("the file").1;
    let part = |start: &str, end: &str| {
        let (_, part) = code.split_once(start).expect("the start");
        part.split(end).next().unwrap_or_default()
    };
    let variants = part("pub enum Problem {\n", "\n}").lines();
    let variants = variants.filter_map(|line| line.strip_prefix("    "));
    let variants = variants.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
    let end = |c: char| !c.is_alphanumeric();
    let variants = variants.map(|line| line.split(end).next().unwrap_or_default()).collect();
    let codes = part("pub fn code(", "pub fn").split('"').skip(1).step_by(2).collect();
    let places = ["src", "docs/reference", "tests/cli/contract.txt"];
    assert_complete("A new finding of check", &[(&["src"], variants), (&places, codes)]);
}

#[test]
fn files_of_a_new_field_are_listed() {
    let heading = "A new field of a user";
    let places = ["src", "docs/reference", "tests/cli/json.rs", "tests/cli/contract.txt"];
    assert_complete(
        heading,
        &[
            (&places, User::FIELDS.to_vec()),
            (&places, FIELDS.to_vec()),
            (&["src"], vec!["Profile {"]),
            (&["src"], vec!["MIGRATIONS:"]),
        ],
    );
    let of_src = all_listed(heading).into_iter().filter(|path| path.starts_with("src/"));
    assert_eq!(of_src.count(), 7, "one change, one place");
}
