//! SECURITY.md names only tests that exist.

use std::fs;
use std::path::Path;

const SECURITY: &str = include_str!("../../SECURITY.md");

/// Whether a test or a module of tests exists. The path begins with the suite.
fn is_there(path: &str) -> bool {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let file = |path: &str| tests.join(format!("{}.rs", path.replace("::", "/")));
    let (module, name) = path.rsplit_once("::").expect("a suite, and what is in it");
    // A function, or a name given to a macro.
    let forms = [format!("fn {name}("), format!("    {name}: ")];
    let holds_it = |file: &Path| {
        fs::read_to_string(file).is_ok_and(|code| forms.iter().any(|form| code.contains(form)))
    };
    file(path).exists() || holds_it(&file(module)) || holds_it(&tests.join(module).join("main.rs"))
}

#[test]
fn security_page_names_existing_tests() {
    let words = SECURITY.split('`').skip(1).step_by(2);
    let is_test = |word: &&str| {
        let suites = ["app::", "cli::", "hash::", "postgres::", "store::"];
        suites.iter().any(|suite| word.starts_with(suite)) && !word.contains(' ')
    };
    let named: Vec<_> = words.filter(is_test).collect();
    assert!(named.len() > 20, "{named:?}");
    let missing: Vec<_> = named.into_iter().filter(|path| !is_there(path)).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn security_page_names_existing_tests_of_python() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/tests");
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let code: String = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let words = SECURITY.split('`').skip(1).step_by(2);
    let named: Vec<_> = words.filter(|word| word.len() > 5 && word.starts_with("test_")).collect();
    assert!(named.len() > 20, "{named:?}");
    let is_missing = |name: &&str| !code.contains(&format!("def {name}("));
    let missing: Vec<_> = named.into_iter().filter(is_missing).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn security_check_detects_missing_tests() {
    assert!(is_there("cli::security"));
    assert!(is_there("cli::security::security_page_names_existing_tests"));
    assert!(!is_there("cli::security::nothing"));
    assert!(!is_there("cli::nothing"));
}
