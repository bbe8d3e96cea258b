//! Hints that are commands work when they are pasted.

use std::process::Stdio;

use crate::support::{GOOD, Sandbox, empty, seeded};

/// The commands in a text: what stands between backticks, without placeholders such as FILE.
fn commands(text: &str) -> Vec<String> {
    let spans = text.split('`').skip(1).step_by(2);
    let is_placeholder =
        |word: &str| word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase());
    let is_whole = |command: &&str| !command.split(' ').any(is_placeholder);
    spans.filter(is_whole).map(str::to_owned).collect()
}

/// Pastes a command into bash, with a good password on stdin where one is asked for.
fn paste(sandbox: &Sandbox, command: &str) {
    let asks = ["dash-users passwd", "dash-users rehash "].iter().any(|it| command.starts_with(it));
    let source = if asks && !command.contains("--plaintext") { " --password-stdin" } else { "" };
    // The options follow the database: after `--`, there are only names.
    let command = command.replacen(" --database", &format!("{source} --database"), 1);
    let script = format!("printf %s {GOOD} | {command}");
    let mut shell = sandbox.shell("");
    let program = shell.get_envs().find(|(name, _)| *name == "PATH").unwrap().1.unwrap().to_owned();
    shell = sandbox.command_of("bash", &["-c", &script]);
    let output = shell.env("PATH", program).stdin(Stdio::null()).output().unwrap();
    let status = output.status.code().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    // A rehash with another password than the user's is refused, and check may find the rest.
    assert!([0, 3, 7].contains(&status), "{command}: {status}: {stderr}");
}

fn paste_all(sandbox: &Sandbox, args: &[&str]) {
    let run = sandbox.run(args);
    let text = run.to_string().replace("[DIR]", sandbox.dir().to_str().unwrap());
    let commands = commands(&text);
    assert!(!commands.is_empty(), "{args:?}: {run}");
    let json = sandbox.run(&[args, &["--json"]].concat());
    assert!(!json.stderr.contains('`'), "{json}");
    for command in commands {
        paste(sandbox, &command);
    }
}

#[test]
fn hint_for_a_missing_database_creates_it() {
    for database in ["a.db", "no/such/b.db", "it's a b.db"] {
        let sandbox = empty();
        let path = sandbox.path(database);
        let path = path.to_str().unwrap();
        paste_all(&sandbox, &["list", "--database", path]);
        assert_eq!(sandbox.run(&["list", "--database", path]).status, 0, "{database}");
    }
}

#[test]
fn hint_for_a_missing_directory_creates_it() {
    for args in [&["init", "-d", "no/a.db"][..], &["backup", "no/b.db"], &["export", "no/c.csv"]] {
        let sandbox = seeded();
        paste_all(&sandbox, args);
        assert_eq!(sandbox.run(args).status, 0, "{args:?}");
    }
}

#[test]
fn hint_for_a_directory_names_a_file_in_it() {
    let sandbox = seeded();
    paste_all(&sandbox, &["backup", "."]);
    assert!(sandbox.path("users-backup.db").exists());
}

#[test]
fn hint_for_a_path_of_another_kind_names_the_command() {
    let sandbox = seeded();
    sandbox.run(&["backup", "a b.db"]);
    sandbox.run(&["group", "add", "bob", "staff"]);
    sandbox.run(&["remove", "alice", "--yes"]);
    for args in [
        &["import", "users.db"][..],
        &["export", "copy.db"],
        &["show", "staff"],
        &["group", "add", "office", "bob"],
        &["group", "remove", "staff", "bob"],
    ] {
        paste_all(&sandbox, args);
    }
    assert!(sandbox.path("copy.db").exists());
    assert_eq!(sandbox.run(&["list", "--group", "office", "--names"]).stdout, "bob\n");
    assert_eq!(sandbox.run(&["list", "--group", "staff", "--names"]).stdout, "");
    // Adding the users of the backup is refused for bob, and restoring it asks for confirmation.
    for args in [["import", "a b.db"], ["seed", "a b.db"]] {
        let run = sandbox.run(&args);
        let names = "'[DIR]/a b.db' | dash-users import - --input-format csv --database";
        assert!(run.stderr.contains(names), "{run}");
        assert!(run.stderr.contains("`dash-users restore '[DIR]/a b.db' --database"), "{run}");
    }
    sandbox.write("a.csv", "username,language\n");
    assert!(sandbox.run(&["restore", "a.csv"]).stderr.contains("`dash-users import "));
}

#[test]
fn hint_about_a_user_names_user_and_database() {
    let sandbox = seeded();
    paste_all(&sandbox, &["add", "alice", "--generate"]);
    assert_eq!(sandbox.verify("alice", GOOD), 0);
}

#[test]
fn hints_of_check_work_for_every_name_that_a_shell_can_express() {
    for (name, sql) in [
        ("a:b", "'a:b'"),
        ("it's", "'it''s:'"),
        ("back`tick", "'back`tick:'"),
        ("control", "'c' || char(7) || 'd'"),
        ("newline", "'c' || char(10) || 'd'"),
        ("option", "'-x'"),
        ("not UTF-8", "CAST(x'61ff' AS TEXT)"),
    ] {
        let sandbox = empty();
        sandbox.run(&["init"]);
        sandbox.sql(&format!("INSERT INTO users VALUES ({sql}, 'scrypt:1$x', 'en')"));
        let directory = sandbox.dir().to_str().unwrap();
        let run = sandbox.run(&["check", "--json"]);
        let findings: serde_json::Value =
            serde_json::from_str(&run.stdout.replace("[DIR]", directory)).unwrap();
        let hints: Vec<_> =
            findings.as_array().unwrap().iter().map(|it| it["hint"].as_str().unwrap()).collect();
        let renames = |hint: &&&str| hint.starts_with("dash-users rename");
        let sets = |hint: &&&str| hint.starts_with("dash-users passwd");
        assert!(hints.iter().any(|hint| sets(&hint)), "{name}: {hints:?}");
        // The new name comes last.
        for hint in hints.iter().filter(sets).chain(hints.iter().filter(renames)) {
            if !hint.contains(" NEW") {
                paste(&sandbox, hint);
            }
        }
        assert_eq!(sandbox.run(&["list", "--format", "plain"]).stdout.lines().count(), 1, "{name}");
    }
}
