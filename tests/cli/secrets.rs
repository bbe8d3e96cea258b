//! No password or hash appears in any output or in the history, or stays in the file after removal.

use std::collections::BTreeSet;

use crate::help::commands;
use crate::support::{SECRET123, Sandbox, TUTORIAL, empty};

/// Unique passwords. Tests search for the first part of each.
const OLD: &str = "qwzx-7391-plover";
const NEW: &str = "vmbt-4826-xyzzy";
const WRONG: &str = "hjkl-5512-quux";
const PLAINTEXT: &str = "dfgr-9047-frotz";

/// Commands in the order they run, with their stdin.
const STEPS: &[(&str, &str)] = &[
    ("migrate", ""),
    ("init", ""),
    ("migrate --status", ""),
    ("add alice --password-stdin --group staff", OLD),
    ("add alice --password-stdin", OLD),
    ("add Alice --password-stdin", OLD),
    ("add a:b --password-stdin", OLD),
    ("add bob --password-stdin", "qwzx-73"),
    ("add bob --password-stdin", "qwzx-7391\u{7}-plover"),
    ("add bob --password-file there.csv", ""),
    ("add bob --password-file password", ""),
    ("add carol --generate", ""),
    ("add dave --generate --locked", ""),
    ("passwd alice --password-stdin", NEW),
    ("passwd nobody --password-stdin", NEW),
    ("passwd carol --generate", ""),
    ("verify alice --password-stdin", NEW),
    ("verify alice --password-stdin --explain", WRONG),
    ("verify nobody --password-stdin --explain", WRONG),
    ("verify alice --password-stdin --upgrade --method pbkdf2:sha256:1000", NEW),
    ("rehash alice --password-stdin", NEW),
    ("rehash alice --password-stdin", WRONG),
    ("rehash --plaintext --all", ""),
    ("update alice --language fr", ""),
    ("rename bob robert", ""),
    ("lock alice robert", ""),
    ("verify alice --password-stdin --explain", NEW),
    ("unlock alice", ""),
    ("group add alice admins", ""),
    ("group remove alice staff", ""),
    ("group list", ""),
    ("list", ""),
    ("show robert", ""),
    ("check", ""),
    ("import there.csv", ""),
    ("import bad.csv", ""),
    ("import bad.json", ""),
    ("import broken.json", ""),
    ("import new.csv", ""),
    ("import new.csv --on-conflict update --dry-run", ""),
    ("seed new.csv", ""),
    ("import missing.csv --generate-missing generated.csv", ""),
    ("export all.csv", ""),
    ("export -", ""),
    ("backup copy.db", ""),
    ("remove erin", ""),
    ("remove erin --yes", ""),
    ("restore copy.db --yes", ""),
    ("hash --password-stdin", OLD),
    ("hash --check --hash-file plaintext --password-stdin", WRONG),
    ("hash --check --hash-file hash --password-stdin", WRONG),
    ("rehash zoe --password-stdin", PLAINTEXT),
    ("verify zoe --password-stdin --explain", PLAINTEXT),
    ("lock zoe", ""),
    ("check --fix", ""),
    ("show zoe", ""),
    ("list --outdated", ""),
    ("info", ""),
    ("rehash --plaintext zoe", ""),
    ("history --limit 1000", ""),
    ("sessions list", ""),
    ("sessions end --all", ""),
];

/// Commands whose purpose is to print hashes.
const OF_HASHES: [&str; 2] = ["export", "hash"];

/// Commands that handle no secrets.
const WITHOUT: [&str; 4] = ["completions", "group", "help", "man"];

fn with_files() -> Sandbox {
    let sandbox = empty();
    sandbox.sql(TUTORIAL);
    let damaged = &SECRET123[..SECRET123.len() - 1];
    for (name, content) in [
        ("password", format!("{OLD}\n")),
        ("plaintext", format!("{PLAINTEXT}\n")),
        ("hash", format!("{SECRET123}\n")),
        ("there.csv", format!("username,password\nalice,{OLD}\nerin,{NEW}\n")),
        ("bad.csv", format!("username,password_hash\nfred,{PLAINTEXT}\ngina,{damaged}\n")),
        (
            "bad.json",
            format!(r#"{{"fred": "{damaged}", "a:b": "{PLAINTEXT}", "gina": "dfgr-90"}}"#),
        ),
        ("broken.json", format!(r#"[{{"username": "fred", "password": "{PLAINTEXT}" "x"}}]"#)),
        ("new.csv", format!("username,password,password_hash\nerin,{NEW},\nfred,,{SECRET123}\n")),
        ("missing.csv", "username\nhugo\n".to_owned()),
    ] {
        sandbox.write(name, content);
    }
    sandbox
}

/// The parts of each stored value that must not be shown: salt and digest.
fn stored(sandbox: &Sandbox) -> Vec<String> {
    let hashes = sandbox.query("SELECT password_hash FROM users");
    let parts = hashes.iter().flat_map(|hash| hash.split(['$', '|']).skip(1));
    parts.map(str::to_owned).collect()
}

#[test]
fn no_command_shows_passwords_or_hashes() {
    let passwords = [OLD, NEW, WRONG, PLAINTEXT].map(|password| password[..7].to_owned());
    let hash = SECRET123.split('$').skip(1).map(str::to_owned);
    for format in ["table", "plain", "json"] {
        let sandbox = with_files();
        let mut passwords: BTreeSet<_> = passwords.clone().into();
        let mut hashes: BTreeSet<_> = hash.clone().collect();
        for (step, input) in STEPS {
            if *step == "rehash zoe --password-stdin" {
                sandbox.sql(&format!("INSERT INTO users VALUES ('zoe', '{PLAINTEXT}', 'en')"));
            }
            let args: Vec<_> = step.split(' ').chain(["--format", format]).collect();
            let run = sandbox.run_with(input, &args);
            let shown = run.to_string();
            assert_ne!(run.status, 2, "{args:?}: {shown}");
            hashes.extend(stored(&sandbox));
            for password in &passwords {
                assert!(!shown.contains(password), "{args:?}: {shown}");
            }
            for hash in
                hashes.iter().filter(|hash| !hash.is_empty() && !OF_HASHES.contains(&args[0]))
            {
                assert!(!shown.contains(hash), "{args:?}: {shown}");
            }
            if args.contains(&"--generate") {
                let generated = match &run.stdout {
                    json if json.starts_with('{') => {
                        run.json()["password"].as_str().unwrap().into()
                    }
                    line => line.trim_end().to_owned(),
                };
                assert_eq!(generated.len(), 20, "{args:?}: {shown}");
                assert!(!run.stderr.contains(&generated), "{args:?}: {shown}");
                passwords.insert(generated);
            }
        }
        // Nothing is left of the plaintext password, the only one that was ever in the file.
        let database = sandbox.read("users.db");
        for password in &passwords {
            let is_there = database.windows(7).any(|window| window == &password.as_bytes()[..7]);
            assert!(!is_there, "{password}");
        }
    }
}

#[test]
fn secrets_test_covers_every_command() {
    for command in commands() {
        let is_run = STEPS.iter().any(|(step, _)| step.split(' ').next() == Some(&*command[0]));
        assert!(is_run || WITHOUT.contains(&&*command[0]), "{command:?}");
    }
}
