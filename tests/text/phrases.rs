//! Phrases that the project's English does without, in its documents, code and tests.

use crate::files;

/// What is read. docs/messages.md repeats what is in src.
const PLACES: [&str; 18] = [
    "README.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.toml",
    "clippy.toml",
    "deny.toml",
    "justfile",
    "packaging",
    "pyproject.toml",
    ".cargo",
    ".ci",
    ".github",
    "benches",
    "docs",
    "examples",
    "src",
    "tests",
];

/// Files that are not read: generated ones, data, and this one.
const EXCEPT: [&str; 4] =
    ["docs/messages.md", "tests/hash/vectors.jsonl", "tests/text/phrases.rs", "tests/old_sqlite/"];

/// Phrases, and what to write instead. Case does not matter, and neither do line ends within a phrase.
const BANNED: &[(&str, &str)] = &[
    ("all the same", "anyway, still"),
    ("as it stands", "unchanged"),
    ("as they stand", "unchanged"),
    ("clear password", "plaintext password"),
    ("clear passwords", "plaintext passwords"),
    ("further columns", "extra columns"),
    ("in the place of", "instead of, replace"),
    ("is not to be had", "is unavailable"),
    ("is told", "is reported"),
    ("log-in", "login, or the verb: log in"),
    ("log-ins", "logins"),
    ("looks for whatever", "checks for"),
    ("made anew", "recreated"),
    ("mend", "repair"),
    ("mended", "repaired"),
    ("mends", "repairs"),
    ("not told by", "cannot be determined from"),
    ("of which", "a sentence of its own"),
    ("pass over", "skip"),
    ("passed over", "skipped"),
    ("passes over", "skips"),
    ("put back", "restored"),
    ("puts back", "restores"),
    ("spoilt", "damaged"),
    ("statuses", "exit codes"),
    ("take off", "strip"),
    ("taken off", "stripped"),
    ("takes off", "strips"),
    ("tells of", "reports, describes"),
    ("user name", "username"),
    ("user names", "usernames"),
    ("what is wrong", "the problem"),
    ("white space", "whitespace"),
    ("who are there", "existing"),
    ("who is there", "existing"),
    ("whoever", "anyone who, the one who"),
];

/// Where a phrase is right: the beginning of a path, the phrase, and the reason.
const ALLOWED: &[(&str, &str, &str)] =
    &[("src/users/plaintext.rs", "clear password", "it is the detail of stored events")];

/// A text as lower-case words with single spaces, without the marks of comments; and where in it each
/// line begins.
fn words(text: &str) -> (String, Vec<usize>) {
    let mut words = String::from(" ");
    let mut starts = Vec::new();
    for line in text.lines() {
        starts.push(words.len());
        let comment = ["//!", "///", "//", "--", "#", ">"];
        let line = line.trim_start();
        let line = comment.iter().find_map(|mark| line.strip_prefix(mark)).unwrap_or(line);
        for word in line.split_whitespace() {
            words.push_str(&word.to_ascii_lowercase());
            words.push(' ');
        }
    }
    (words, starts)
}

/// The lines, counted from 1, that a phrase begins on.
fn lines((words, starts): &(String, Vec<usize>), phrase: &str) -> Vec<usize> {
    let is_word = |c: char| c == '_' || c == '-' || c.is_alphanumeric();
    let whole = |index: &usize| {
        let (before, after) = (&words[..*index], &words[index + phrase.len()..]);
        !before.ends_with(is_word) && !after.starts_with(is_word)
    };
    let found = words.match_indices(phrase).map(|(index, _)| index).filter(whole);
    found.map(|index| starts.partition_point(|start| *start <= index)).collect()
}

#[test]
fn banned_phrases_are_not_used() {
    let mut found = Vec::new();
    let mut used = vec![false; ALLOWED.len()];
    let texts = PLACES.iter().flat_map(|place| files::read(place));
    for (path, text) in texts.filter(|(path, _)| !EXCEPT.iter().any(|end| path.starts_with(end))) {
        let words = words(&text);
        for (phrase, instead) in BANNED {
            let lines = lines(&words, phrase);
            let allowed = ALLOWED
                .iter()
                .position(|(place, other, _)| path.starts_with(place) && other == phrase);
            match allowed {
                Some(index) => used[index] |= !lines.is_empty(),
                None => found.extend(
                    lines.iter().map(|line| format!("{path}:{line}: '{phrase}': {instead}")),
                ),
            }
        }
    }
    assert!(found.is_empty(), "{} phrases:\n{}", found.len(), found.join("\n"));
    let unused = ALLOWED.iter().zip(used).filter(|(_, used)| !used).map(|(allowed, _)| allowed);
    assert_eq!(unused.collect::<Vec<_>>(), [&("", "", ""); 0], "these are not needed");
}

#[test]
fn phrases_are_found_across_lines() {
    let text = "one\n/// All the\n/// same, two\nsmall the same";
    assert_eq!(lines(&words(text), "all the same"), [2]);
    assert_eq!(lines(&words("a log-in, a log-in-page, log-ins"), "log-in"), [1]);
    assert_eq!(lines(&words("mod statuses;\nThe STATUSES."), "statuses"), [1, 2]);
}
