//! Password hashes against their reference, werkzeug.
//!
//! `vectors.jsonl` has one case per line: a stored value and a password, our verdict, and the
//! answers of six versions of werkzeug. The tests compare our results with the verdicts and, if
//! Python is available, those of every version of werkzeug, with `reference.py`:
//!
//! | verdict | we | werkzeug 3.1 |
//! |---|---|---|
//! | `match` | accept | True |
//! | `mismatch` | reject after hashing the password | False |
//! | `never_matches` | reject: no password can match | False |
//! | `raises` | report that werkzeug raises | raises |
//! | `unsupported` | report that only werkzeug may support it | True or False |
//! | `over_limit` | report that it costs too much | True or False, after a long time |

mod differential;
#[path = "../support/python.rs"]
mod python;
#[path = "../support/sample.rs"]
mod sample;
#[path = "../support/skip.rs"]
mod skip;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::Stdio;
use std::thread;

use dash_users::{
    Credential, HashError, Method, MethodError, NewCredential, Password, PasswordHash, StoredText,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use self::python::{Environment, environment, environment_with_werkzeug};

const VECTORS: &str = include_str!("vectors.jsonl");

/// In the vectors, a verdict of werkzeug that takes too long or too much memory.
const NOT_RUN: &str = "not run";

/// The versions with a column in the vectors, and the last patch of each.
const WERKZEUGS: [(&str, &str); 6] = [
    ("2.0", "2.0.3"),
    ("2.1", "2.1.2"),
    ("2.2", "2.2.3"),
    ("2.3", "2.3.8"),
    ("3.0", "3.0.6"),
    ("3.1", "3.1.9"),
];

/// A line of `vectors.jsonl`.
struct Vector {
    name: String,
    stored: String,
    password: String,
    verdict: String,
    /// By version.
    werkzeug: BTreeMap<String, String>,
}

impl Vector {
    /// Whether the method takes a tenth of a second or more.
    fn is_costly(&self) -> bool {
        let method = self.stored.split('$').next().unwrap_or_default();
        match method.parse() {
            Ok(Method::Scrypt(scrypt)) => scrypt.work_bytes() > 16 << 20,
            Ok(Method::Pbkdf2(pbkdf2)) => pbkdf2.iterations() > 100_000,
            Err(MethodError::OverLimit(_)) => true,
            _ => false,
        }
    }
}

fn vectors() -> Vec<Vector> {
    VECTORS.lines().map(vector).collect()
}

fn vector(line: &str) -> Vector {
    let value: Value = serde_json::from_str(line).expect(line);
    let text = |value: &Value| value.as_str().expect(line).to_owned();
    let werkzeug = value["werkzeug"].as_object().expect(line);
    Vector {
        name: text(&value["name"]),
        stored: text(&value["stored"]),
        password: text(&value["password"]),
        verdict: text(&value["verdict"]),
        werkzeug: werkzeug.iter().map(|(version, said)| (version.clone(), text(said))).collect(),
    }
}

/// All cheap vectors, and a sample of the others.
fn sampled_vectors() -> Vec<Vector> {
    let step = sample::of(4, 1);
    let mut costly = (0..step).cycle();
    vectors().into_iter().filter(|vector| !vector.is_costly() || costly.next() == Some(0)).collect()
}

/// Fails with all of `failures`, if there are any.
fn assert_none(failures: impl IntoIterator<Item = String>) {
    let failures: Vec<_> = failures.into_iter().collect();
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
}

/// The library's verdict on a stored value and a password.
fn our_verdict(stored: &str, password: &str) -> &'static str {
    match stored.parse::<PasswordHash>() {
        Ok(hash) if hash.verify(&Password::from(password)) => "match",
        Ok(_) => "mismatch",
        Err(HashError::NeverMatches(_)) => "never_matches",
        Err(HashError::Method(MethodError::Raises(_))) => "raises",
        Err(HashError::Method(MethodError::Unsupported(_))) => "unsupported",
        Err(HashError::Method(MethodError::OverLimit(_))) => "over_limit",
        Err(_) => "an error that the vectors have no word for",
    }
}

#[test]
fn every_vector_has_expected_verdict() {
    assert_none(sampled_vectors().iter().filter_map(
        |Vector { name, stored, password, verdict, .. }| {
            let ours = our_verdict(stored, password);
            (ours != verdict).then(|| format!("{name}: {verdict} expected, got {ours}"))
        },
    ));
}

#[test]
fn every_vector_parses_as_expected_credential() {
    assert_none(vectors().iter().filter_map(|Vector { name, stored, verdict, .. }| {
        let is_locked = name.starts_with("locked form of");
        let is_as_expected = match Credential::parse(&StoredText::Text(stored.clone())) {
            Credential::Active(_) => matches!(&**verdict, "match" | "mismatch"),
            Credential::Locked(_) => is_locked || name == "locked form",
            Credential::Unusable(error) => {
                stored.parse::<PasswordHash>() == Err(error) && !is_locked
            }
        };
        (!is_as_expected).then(|| format!("{name}: {stored:?}"))
    }));
}

#[test]
fn every_hash_vector_displays_unchanged() {
    assert_none(vectors().iter().filter_map(|Vector { name, stored, .. }| {
        let credential = Credential::parse(&StoredText::Text(stored.clone()));
        let printed = credential.with_hash(credential.hash()?.clone()).to_string();
        (printed != *stored).then(|| format!("{name}: {printed:?}"))
    }));
}

#[test]
fn vectors_have_unique_names_and_all_columns() {
    let mut names = BTreeSet::new();
    for Vector { name, werkzeug, .. } in vectors() {
        assert!(werkzeug.keys().eq(WERKZEUGS.map(|(column, _)| column)), "{name}: {werkzeug:?}");
        assert!(names.insert(name.clone()), "twice: {name}");
    }
}

/// Whether our verdict agrees with that of werkzeug 3.1.
fn agree(verdict: &str, said: &str) -> bool {
    match verdict {
        "match" => said == "True",
        "mismatch" | "never_matches" => said == "False",
        "raises" => said == "raises",
        "unsupported" | "over_limit" => ["True", "False", NOT_RUN].contains(&said),
        _ => false,
    }
}

#[test]
fn every_verdict_agrees_with_werkzeug_3_1() {
    assert_none(vectors().iter().filter_map(|Vector { name, verdict, werkzeug, .. }| {
        let said = &werkzeug["3.1"];
        let is_right = agree(verdict, said);
        (!is_right).then(|| format!("{name}: {verdict}, but werkzeug said {said}"))
    }));
}

/// Answers of `reference.py` in this mode, one for each of `records`.
fn ask(environment: &Environment, mode: &str, records: &[Value]) -> Vec<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hash/reference.py");
    let mut child = environment
        .command()
        .args([script, mode])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python was there a moment ago");
    let mut stdin = child.stdin.take().expect("it is piped");
    let input = records.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    // In another thread: it answers before it has read everything.
    let writer = thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("reference.py can be waited for");
    assert!(output.status.success(), "reference.py: {}", output.status);
    writer.join().expect("no panic").expect("reference.py reads all of its input");
    let answers = String::from_utf8(output.stdout).expect("reference.py writes UTF-8");
    answers.lines().map(str::to_owned).collect()
}

/// What `check_password_hash` answers to each stored value and password.
fn verdicts(environment: &Environment, cases: &[(String, String)]) -> Vec<String> {
    let record = |(stored, password): &_| json!({"stored": stored, "password": password});
    let answers = ask(environment, "verdicts", &cases.iter().map(record).collect::<Vec<_>>());
    assert_eq!(answers.len(), cases.len());
    answers
}

/// The environment with the version of this column.
fn werkzeug(column: &str) -> Option<Environment> {
    let (_, patch) = WERKZEUGS.into_iter().find(|(name, _)| *name == column).expect(column);
    let environment = environment_with_werkzeug(patch)?;
    assert_eq!(ask(&environment, "version", &[]), [patch]);
    Some(environment)
}

fn assert_column_is_what_werkzeug_says(column: &str) {
    let Some(environment) = werkzeug(column) else { return };
    let mut vectors = sampled_vectors();
    vectors.retain(|vector| vector.werkzeug[column] != NOT_RUN);
    let case = |vector: &Vector| (vector.stored.clone(), vector.password.clone());
    let cases: Vec<_> = vectors.iter().map(case).collect();
    let answers = vectors.iter().zip(verdicts(&environment, &cases));
    assert_none(answers.filter_map(|(Vector { name, werkzeug, .. }, said)| {
        let expected = &werkzeug[column];
        (*expected != said).then(|| format!("{name}: {expected} expected, werkzeug said {said}"))
    }));
}

macro_rules! columns {
    ($($test:ident: $column:literal),+ $(,)?) => {
        $(
            #[test]
            fn $test() {
                assert_column_is_what_werkzeug_says($column);
            }
        )+
    };
}

columns! {
    werkzeug_2_0_matches_its_column: "2.0",
    werkzeug_2_1_matches_its_column: "2.1",
    werkzeug_2_2_matches_its_column: "2.2",
    werkzeug_2_3_matches_its_column: "2.3",
    werkzeug_3_0_matches_its_column: "3.0",
    werkzeug_3_1_matches_its_column: "3.1",
}

#[test]
fn every_werkzeug_rejects_locked_hash_without_raising() {
    let mut cases = Vec::new();
    for Vector { stored, password, .. } in vectors() {
        let text = StoredText::Text(stored.clone());
        let Some(locked) = NewCredential::lock(&text).expect(&stored) else { continue };
        let locked = locked.to_string();
        let text = StoredText::Text(locked.clone());
        assert!(Credential::parse(&text).is_locked(), "{locked}");
        let unlocked = NewCredential::unlock(&text).expect(&stored).expect(&stored);
        assert_eq!(unlocked.to_string(), stored);
        cases.push((locked, password));
    }
    let mut failures = Vec::new();
    for (column, patch) in WERKZEUGS {
        let Some(environment) = environment_with_werkzeug(patch) else { continue };
        for ((locked, _), said) in cases.iter().zip(verdicts(&environment, &cases)) {
            if said != "False" {
                failures.push(format!("werkzeug {column} said {said} to {locked:?}"));
            }
        }
    }
    assert_none(failures);
}

/// Methods, and the number of hashes of each in a full run.
const ROUND_TRIPS: [(&str, usize); 6] = [
    ("scrypt:32768:8:1", 3),
    ("scrypt:16384:8:2", 3),
    ("scrypt:128:8:1", 32),
    ("pbkdf2:sha1:7", 32),
    ("pbkdf2:sha256:1000", 32),
    ("pbkdf2:sha512:1", 32),
];

/// A method, a random password and another one.
fn random_cases() -> Vec<(&'static str, String, String)> {
    let mut runner = TestRunner::default();
    let mut random = |pattern: &str| {
        let strategy = proptest::string::string_regex(pattern).expect(pattern);
        strategy.new_tree(&mut runner).expect(pattern).current()
    };
    let mut cases = Vec::new();
    for (method, count) in ROUND_TRIPS {
        for _ in 0..sample::of(count.div_ceil(3), count) {
            // Any characters, often more than the 64 bytes that HMAC does not hash first.
            let password = random("(?s).{0,40}");
            // HMAC ignores NULs at the end.
            let other = random("(?s).{0,40}[^\\x00]");
            if password != other {
                cases.push((method, password, other));
            }
        }
    }
    cases
}

#[test]
fn werkzeug_verifies_our_hashes() {
    let Some(environment) = environment() else { return };
    let mut cases = Vec::new();
    let mut expected = Vec::new();
    for (method, password, other) in random_cases() {
        let method: Method = method.parse().expect(method);
        let stored = PasswordHash::new(&method, &Password::from(&*password)).to_string();
        cases.extend([(stored.clone(), password), (stored, other)]);
        expected.extend(["True", "False"]);
    }
    let answers = cases.iter().zip(expected).zip(verdicts(&environment, &cases));
    assert_none(answers.filter_map(|((case, expected), said)| {
        (said != expected).then(|| format!("{case:?}: {expected} expected, werkzeug said {said}"))
    }));
}

#[test]
fn we_verify_hashes_of_werkzeug() {
    let Some(environment) = environment() else { return };
    let cases = random_cases();
    let record = |(method, password, _): &_| json!({"method": method, "password": password});
    let hashes = ask(&environment, "hash", &cases.iter().map(record).collect::<Vec<_>>());
    assert_eq!(hashes.len(), cases.len());

    let mut failures = Vec::new();
    for ((method, password, other), stored) in cases.iter().zip(hashes) {
        let stored: String = serde_json::from_str(&stored).expect(&stored);
        let hash: PasswordHash = stored.parse().expect(&stored);
        let verdicts = (our_verdict(&stored, password), our_verdict(&stored, other));
        let is_faithful = hash.method().to_string() == *method && hash.to_string() == stored;
        if verdicts != ("match", "mismatch") || !is_faithful {
            failures.push(format!("{stored:?}, {password:?}, {other:?}: {verdicts:?}"));
        }
    }
    assert_none(failures);
}

#[test]
fn default_hash_of_werkzeug_is_not_outdated() {
    let Some(environment) = environment() else { return };
    let records = ["scrypt", "pbkdf2"].map(|method| json!({"method": method, "password": "x"}));
    for (stored, method) in ask(&environment, "hash", &records).iter().zip(["scrypt", "pbkdf2"]) {
        let stored: String = serde_json::from_str(stored).expect(stored);
        let hash: PasswordHash = stored.parse().expect(&stored);
        let current: Method = method.parse().expect(method);
        assert_eq!(*hash.method(), current);
        assert!(!hash.is_outdated(&current), "{stored}");
    }
}
