//! JSON shapes: the stable keys and types of every command's output.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::help::commands;
use crate::support::{GOOD, Run, SECRET123, Sandbox, empty, initialized};

const PAGE: &str = include_str!("../../docs/reference/output.md");

// The keys of an object with the types of their values. `?` marks a value that may be null,
// brackets mark a key that may be missing.
const USER: &str = "username:string? language:string? locked:bool method:string? outdated:bool \
                    groups:array created_at:string? password_changed_at:string?";
const CHANGE: &str = "database:string username:string? action:string changed:bool \
                      [password:string] [new_username:string] [warnings:array] [locked:bool] \
                      [groups:array]";
const MEMBER: &str = "username:string? group:string?";
const SESSION: &str = "username:string? started_at:string? last_used_at:string? expires_at:string?";
const ENDED: &str = "database:string action:string changed:bool ended:number [username:string?]";
const EVENT: &str = "id:number at:string? actor:string? action:string? username:string? \
                     detail:string?";
const FINDING: &str = "code:string severity:string username:string? message:string hint:string \
                       [fixed:bool]";
const COPY: &str = "database:string action:string changed:bool file:string [users:number]";
const VERIFIED: &str = "username:string? verified:bool upgraded:bool [reason:string?] \
                        [database:string]";
const HASH: &str = "[hash:string] [password:string] [verified:bool]";
const IMPORT: &str = "database:string created:bool dry_run:bool added:number changed:number \
                      unchanged:number skipped:number differing:number removed:number \
                      removed_users:array warnings:array [read_as:object]";
const READ_AS: &str = "format:string encoding:string? delimiter:string? sheet:string? \
                       hashes:number passwords:number converted:number locked:number";
const INIT: &str = "database:string action:string changed:bool created:bool adopted:bool \
                    version:number applied:array pending:array warnings:array [events:array] \
                    [added:array] [other_tables:array]";
const MIGRATE: &str = "database:string version:number applied:array pending:array \
                       [warnings:array] [events:array]";
const PRUNED: &str = "database:string action:string changed:bool pruned:number before:string";
const GROUP: &str = "database:string action:string changed:bool group:string users:array \
                     [new_group:string]";
const INFO: &str = "database:string source:string kind:string version:number up_to_date:bool \
                    mode:string? owner:string? group:string? journal_mode:string? users:number? \
                    locked:number? outdated:number? last_change:string?";
const PAGES: &str = "directory:string";

// Nested objects and errors.
const MIGRATION: &str = "version:number name:string";
const ERROR: &str = "code:string status:number message:string hint:string? [details:array]";
const DETAIL: &str = "line:number? item:number? code:string message:string";
const EXPORTED: &str =
    "username:string password_hash:string language:string groups:array locked:bool";

/// The command lines of the table in `docs/reference/output.md`, and what each row is to name.
const ROWS: [(&str, &str); 33] = [
    ("init", INIT),
    ("migrate", MIGRATE),
    ("seed", IMPORT),
    ("add", CHANGE),
    ("passwd", CHANGE),
    ("verify", VERIFIED),
    ("rehash", CHANGE),
    ("rehash --plaintext", CHANGE),
    ("remove", CHANGE),
    ("rename", CHANGE),
    ("update", CHANGE),
    ("lock", CHANGE),
    ("unlock", CHANGE),
    ("group add", CHANGE),
    ("group remove", CHANGE),
    ("group list", MEMBER),
    ("group rename", GROUP),
    ("group delete", GROUP),
    ("sessions list", SESSION),
    ("sessions end", ENDED),
    ("list", USER),
    ("list --names", ""),
    ("show", USER),
    ("history", EVENT),
    ("history --prune-before", PRUNED),
    ("check", FINDING),
    ("info", INFO),
    ("import", IMPORT),
    ("export FILE", COPY),
    ("backup", COPY),
    ("restore", COPY),
    ("hash", HASH),
    ("man", PAGES),
];

/// Commands without a row.
const WITHOUT_ROW: [(&str, &str); 3] = [
    ("group", "has commands of its own"),
    ("sessions", "has commands of its own"),
    ("completions", "prints a script in every format"),
];

/// Words in the rows that are not keys.
const OTHERS: [&str; 10] = [
    "error",
    "warning",
    "info",
    "rename",
    "flag",
    "environment",
    "default",
    "null",
    "sqlite",
    "postgresql",
];

/// A key, the type of its value, and whether it may be missing.
fn keys(shape: &'static str) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
    shape.split_whitespace().map(|word| {
        let (key, kind) = word.trim_matches(['[', ']']).split_once(':').unwrap();
        (key, kind, word.starts_with('['))
    })
}

/// Whether an object has all required keys, these optional ones, and no others.
fn assert_shape(value: &Value, shape: &'static str, optional: &[&str]) {
    let object = value.as_object().expect("an object");
    let found: BTreeSet<&str> = object.keys().map(String::as_str).collect();
    let always = keys(shape).filter(|(_, _, may_miss)| !may_miss).map(|(key, ..)| key);
    assert_eq!(found, always.chain(optional.iter().copied()).collect(), "{value}");
    for (key, kind, _) in keys(shape) {
        let Some(value) = object.get(key) else { continue };
        let found = match value {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let is_null = found == "null" && kind.ends_with('?');
        assert!(is_null || found == kind.trim_end_matches('?'), "{key}: {value}");
    }
    if let Some(read_as) = object.get("read_as") {
        assert_shape(read_as, READ_AS, &[]);
    }
    for (key, shape) in
        [("applied", MIGRATION), ("pending", MIGRATION), ("events", EVENT), ("details", DETAIL)]
    {
        for item in object.get(key).and_then(Value::as_array).into_iter().flatten() {
            assert_shape(item, shape, &[]);
        }
    }
    for text in object.get("warnings").and_then(Value::as_array).into_iter().flatten() {
        assert!(text.is_string(), "{value}");
    }
}

/// Checks for one document on stdout, and nothing on stderr except one error if the run failed.
fn document(run: &Run) -> Value {
    if run.status == 0 {
        assert_eq!(run.stderr, "", "{run}");
    } else {
        assert_shape(&run.error(), ERROR, &[]);
    }
    run.json()
}

/// The JSON output of a command line with a good password on stdin.
fn answer(sandbox: &Sandbox, args: &str) -> Value {
    let args: Vec<_> = args.split(' ').chain(["--json"]).collect();
    document(&sandbox.run_with(GOOD, &args))
}

fn one(sandbox: &Sandbox, args: &str, shape: &'static str, optional: &[&str]) {
    assert_shape(&answer(sandbox, args), shape, optional);
}

fn several(sandbox: &Sandbox, args: &str, shape: &'static str, optional: &[&str]) {
    let answer = answer(sandbox, args);
    let items = answer.as_array().expect("an array");
    assert!(!items.is_empty(), "{args}");
    for item in items {
        assert_shape(item, shape, optional);
    }
}

#[test]
fn changes_have_documented_json_shape() {
    let sandbox = initialized();
    one(&sandbox, "add alice --password-stdin", CHANGE, &[]);
    one(&sandbox, "add alice --password-stdin --if-not-exists", CHANGE, &[]);
    one(&sandbox, "add bob --generate", CHANGE, &["password"]);
    one(&sandbox, "passwd alice --password-stdin", CHANGE, &[]);
    one(&sandbox, "passwd bob --generate", CHANGE, &["password"]);
    one(&sandbox, "rehash alice --password-stdin", CHANGE, &[]);
    several(&sandbox, "update alice --language de", CHANGE, &[]);
    several(&sandbox, "lock alice", CHANGE, &[]);
    one(&sandbox, "passwd alice --password-stdin", CHANGE, &["locked"]);
    several(&sandbox, "lock alice bob", CHANGE, &[]);
    several(&sandbox, "unlock alice", CHANGE, &[]);
    several(&sandbox, "unlock alice bob", CHANGE, &[]);
    one(&sandbox, "group add alice admins staff", CHANGE, &["groups"]);
    one(&sandbox, "group remove alice staff", CHANGE, &["groups"]);
    one(&sandbox, "group rename admins staff", GROUP, &["new_group"]);
    several(&sandbox, "group delete staff --yes", GROUP, &[]);
    one(&sandbox, "rename alice carol", CHANGE, &["new_username"]);
    one(&sandbox, "rename carol carol", CHANGE, &["new_username"]);
    sandbox.sql("INSERT INTO users VALUES ('dave', 'plain text', 'en')");
    several(&sandbox, "rehash --plaintext dave", CHANGE, &["warnings"]);
    several(&sandbox, "rehash --plaintext --all", CHANGE, &[]);
    sandbox.sql(
        "CREATE TABLE posts (author REFERENCES users ON DELETE CASCADE);
         INSERT INTO posts VALUES ('dave');",
    );
    several(&sandbox, "remove dave --yes", CHANGE, &["warnings"]);
    several(&sandbox, "remove dave --yes --if-exists", CHANGE, &[]);
    several(&sandbox, "remove bob carol --yes", CHANGE, &[]);
}

#[test]
fn queries_have_documented_json_shape() {
    let sandbox = initialized();
    sandbox.sql(&format!(
        "INSERT INTO users VALUES ('zoe', '{SECRET123}', 'en'), (NULL, 'h', x'00'), (x'ff', 1, 2);
         INSERT INTO user_groups VALUES ('zoe', 'admins'), ('zoe', x'00');"
    ));
    one(&sandbox, "show zoe", USER, &[]);
    several(&sandbox, "list", USER, &[]);
    one(&sandbox, "info", INFO, &[]);
    several(&sandbox, "group list", MEMBER, &[]);
    several(&sandbox, "group list zoe", MEMBER, &[]);
    crate::sessions::add_to(&sandbox);
    several(&sandbox, "sessions list", SESSION, &[]);
    several(&sandbox, "sessions end zoe", ENDED, &["username"]);
    one(&sandbox, "sessions end --expired", ENDED, &[]);
    one(&sandbox, "sessions end --all", ENDED, &[]);
    several(&sandbox, "history", EVENT, &[]);
    one(&sandbox, "history --prune-before 2000-01-01", PRUNED, &[]);
    several(&sandbox, "check", FINDING, &[]);
    several(&sandbox, "check --fix", FINDING, &["fixed"]);
    sandbox.sql("DELETE FROM users; DELETE FROM user_groups");
    for args in ["list", "group list", "check"] {
        assert_eq!(answer(&sandbox, args), Value::Array(Vec::new()), "{args}");
    }
}

#[test]
fn password_checks_print_json_for_any_exit_code() {
    let sandbox = initialized();
    sandbox
        .sql(&format!("INSERT INTO users VALUES ('zoe', '{SECRET123}', 'en'), ('yan', '*', '')"));
    sandbox.write("right", "secret123");
    sandbox.write("hash", SECRET123);
    one(&sandbox, "verify zoe --password-file right", VERIFIED, &[]);
    one(&sandbox, "verify zoe --password-file right --explain", VERIFIED, &["reason"]);
    for user in ["zoe", "yan", "nobody"] {
        one(&sandbox, &format!("verify {user} --password-stdin"), VERIFIED, &[]);
        let explained = format!("verify {user} --password-stdin --explain");
        one(&sandbox, &explained, VERIFIED, &["reason"]);
    }
    let upgrade = "verify zoe --password-file right --upgrade";
    one(&sandbox, upgrade, VERIFIED, &["database"]);
    one(&sandbox, upgrade, VERIFIED, &[]);
    one(&sandbox, "hash --password-stdin", HASH, &["hash"]);
    one(&sandbox, "hash --generate", HASH, &["hash", "password"]);
    for password in ["--password-stdin", "--password-file right"] {
        let check = format!("hash --check --hash-file hash {password}");
        one(&sandbox, &check, HASH, &["verified"]);
    }
}

#[test]
fn file_commands_have_documented_json_shape() {
    let sandbox = empty();
    sandbox.write("users.csv", format!("username,password\ncarol,{GOOD}\n"));
    one(&sandbox, "seed", IMPORT, &[]);
    one(&sandbox, "seed", IMPORT, &[]);
    one(&sandbox, "seed users.csv", IMPORT, &["read_as"]);
    one(&sandbox, "import users.csv --on-conflict update --dry-run", IMPORT, &["read_as"]);
    one(&sandbox, "import users.csv --on-conflict update", IMPORT, &["read_as"]);
    one(&sandbox, "export users.jsonl", COPY, &["users"]);
    several(&sandbox, "export", EXPORTED, &[]);
    one(&sandbox, "backup copy.db", COPY, &[]);
    one(&sandbox, "restore copy.db --yes", COPY, &["users"]);
    one(&sandbox, "man pages", PAGES, &[]);
}

#[test]
fn schema_commands_have_documented_json_shape() {
    let sandbox = empty();
    one(&sandbox, "init", INIT, &[]);
    one(&sandbox, "init", INIT, &[]);
    one(&sandbox, "migrate", MIGRATE, &[]);
    one(&sandbox, "migrate --status", MIGRATE, &[]);
    one(&sandbox, "migrate --dry-run", MIGRATE, &[]);
    for (command, shape) in [("init", INIT), ("migrate", MIGRATE)] {
        one(&sandbox, "add zoe --password-stdin", CHANGE, &[]);
        sandbox.sql("DROP TRIGGER dash_users_removed; DELETE FROM users");
        one(&sandbox, command, shape, &["events"]);
    }

    let sandbox = empty();
    sandbox.sql(
        "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL,
                             language TEXT NOT NULL, mail TEXT NOT NULL)",
    );
    one(&sandbox, "migrate --status", MIGRATE, &["warnings"]);
    one(&sandbox, "migrate", MIGRATE, &["warnings"]);
    one(&sandbox, "init", INIT, &[]);

    let sandbox = empty();
    sandbox.sql("CREATE TABLE user (name, password); CREATE TABLE users (username, password_hash)");
    one(&sandbox, "init --add-language --add-unique-index", INIT, &["added"]);
    sandbox.sql("DROP TABLE users; DROP TABLE user_groups; DROP TABLE user_events");
    one(&sandbox, "init", INIT, &["other_tables"]);
}

#[test]
fn errors_have_one_json_shape_with_details_for_files() {
    let sandbox = initialized();
    sandbox.write("bad.csv", "username,password\na:b,x\n");
    sandbox.write("bad.json", r#"[{"username": "zoe"}]"#);
    for (args, optional) in [
        (&["show", "nobody"][..], &[][..]),
        (&["nonsense"], &[]),
        (&["add", "zoe", "--password-file", "nowhere"], &[]),
        (&["list", "-d", "nowhere.db"], &[]),
        (&["import", "bad.csv"], &["details"]),
        (&["import", "bad.json"], &["details"]),
        (&["seed", "bad.csv"], &["details"]),
    ] {
        let run = sandbox.run(&[args, &["--json"]].concat());
        assert_eq!(run.stdout, "", "{args:?}: {run}");
        assert_eq!(run.stderr.lines().count(), 1, "{args:?}: {run}");
        let error = run.error();
        assert_shape(&error, ERROR, optional);
    }
}

#[test]
fn docs_name_json_keys_of_every_command() {
    let (_, section) = PAGE.split_once("| command | document |\n|---|---|\n").unwrap();
    let (table, section) = section.trim_start().split_once("\n\n").unwrap();
    let rows: Vec<(&str, &str)> =
        table.lines().map(|row| row.trim_matches(['|', ' ']).split_once(" | ").unwrap()).collect();
    let lines: Vec<_> = rows.iter().map(|(line, _)| line.trim_matches('`')).collect();
    assert_eq!(lines, ROWS.map(|(line, _)| line));

    for ((line, text), (_, shape)) in rows.iter().zip(ROWS) {
        let named = text.split('`').skip(1).step_by(2);
        let is_key = |word: &&str| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let named: BTreeSet<_> =
            named.filter(is_key).filter(|word| !OTHERS.contains(word)).collect();
        let all: BTreeSet<_> = keys(shape).map(|(key, ..)| key).collect();
        let optional = keys(shape).filter(|(.., may_miss)| *may_miss).map(|(key, ..)| key);
        let required = &all - &optional.collect();
        assert!(required.is_subset(&named) && named.is_subset(&all), "{line}: {text}");
    }
    for (key, ..) in keys(ERROR).chain(keys(DETAIL)) {
        let is_named =
            section.contains(&format!("`{key}`")) || section.contains(&format!("\"{key}\":"));
        assert!(is_named, "{key}");
    }
    for command in commands().iter().map(|words| words.join(" ")) {
        let has_row = lines.iter().any(|line| line.trim_end_matches(" FILE") == command);
        let is_listed = WITHOUT_ROW.iter().any(|(other, _)| *other == command);
        assert!(has_row != is_listed, "{command}: `const JSON` in its file, and the table");
    }
}

/// Each row is in the help of its command, which comes from the file of the command.
#[test]
fn docs_describe_json_as_help_does() {
    let sandbox = empty();
    let (_, table) = PAGE.split_once("| command | document |\n|---|---|\n").unwrap();
    for row in table.lines().take_while(|row| row.starts_with('|')) {
        let (line, text) = row.trim_matches(['|', ' ']).split_once(" | ").unwrap();
        let names = line.trim_matches('`').split(' ');
        let names: Vec<_> =
            names.take_while(|name| name.starts_with(|c: char| c.is_ascii_lowercase())).collect();
        let help = sandbox.run(&[&names[..], &["--help"]].concat()).stdout;
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            help.contains(&text.replace('`', "")),
            "{line} in docs/reference/output.md: {help}"
        );
    }
}
