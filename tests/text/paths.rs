//! The pages for contributors: the files and names of code that they mention exist.

use std::path::Path;

use crate::files;

const PAGES: [&str; 2] = ["CONTRIBUTING.md", "docs/architecture.md"];

/// The words in backquotes, without blocks.
fn quoted(page: &str) -> Vec<String> {
    let text = files::read(page).pop().expect("the page").1;
    let outside: String = text.split("```").step_by(2).collect();
    outside.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn mentioned_paths_exist() {
    let mut count = 0;
    for page in PAGES {
        for word in quoted(page) {
            let starts = ["src/", "tests/", "examples/", "docs/"];
            let is_path = starts.iter().any(|start| word.starts_with(start));
            // `src/NAME.rs` and `src/store*` are patterns.
            if !is_path || word.contains(['N', '*']) {
                continue;
            }
            count += 1;
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&word);
            assert!(path.exists(), "{page}: {word}");
        }
    }
    assert!(count > 40, "{count}");
}

#[test]
fn mentioned_names_are_in_the_code() {
    let code: String = files::read("src").into_iter().map(|(_, code)| code).collect();
    let mut count = 0;
    for page in PAGES {
        for word in quoted(page).iter().filter(|word| word.contains("::")) {
            count += 1;
            let (module, name) = word.rsplit_once("::").unwrap();
            assert!(code.contains(&format!("fn {name}(")), "{page}: {word}");
            let kinds = ["struct", "enum", "trait", "mod"];
            let is_there = kinds.iter().any(|kind| code.contains(&format!("{kind} {module}")));
            assert!(is_there, "{page}: {word}");
        }
    }
    assert!(count > 15, "{count}");
}
