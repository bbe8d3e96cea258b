//! What other programs rely on, in one list: contract.txt. Rewording a message, a help text or a page
//! never changes it.
//!
//! The list is written by hand: `SNAPSHOTS=overwrite` leaves it alone. Only add to it. A changed or
//! missing line breaks other programs, and belongs in the CHANGELOG. The keys and types of JSON are in
//! `json.rs`, and the situations that lead to each exit code are in a module of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::help::commands;
use crate::support::{GOOD, SECRET123, Sandbox, empty, initialized, seeded};

const CONTRACT: &str = include_str!("contract.txt");

/// The lines of a section, without its comment.
fn section(name: &str) -> Vec<&'static str> {
    let (_, section) = CONTRACT.split_once(&format!("\n== {name}\n")).expect("the section");
    let lines = section.split("\n== ").next().unwrap_or_default().lines();
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// Compares a section with what the program has. A failure shows both, line by line.
fn assert_section(name: &str, found: &[String]) {
    let expected = section(name);
    let is_in = |line: &str| found.iter().any(|found| found == line);
    let missing = expected.iter().filter(|line| !is_in(line)).map(|line| format!("- {line}"));
    let added = found.iter().filter(|line| !expected.contains(&line.as_str()));
    let differences: Vec<_> = missing.chain(added.map(|line| format!("+ {line}"))).collect();
    assert!(expected == found, "{name}:\n{}\nfound:\n{}", differences.join("\n"), found.join("\n"));
}

/// The code of a function in a source file, and a pair of texts from each of its match arms: what is
/// before the `=>` and what is behind it.
fn arms<'a>(code: &'a str, function: &str) -> Vec<(&'a str, &'a str)> {
    let (_, code) = code.split_once(&format!("fn {function}(")).expect("the function");
    let (_, code) = code.split_once("match self {").expect("its match");
    let code = code.split("\n    }\n").next().expect("its end");
    let parts: Vec<&str> = code.split("=>").collect();
    let pattern = |part: &'a str| part.split_once(",\n").map_or(part, |(_, pattern)| pattern);
    parts.windows(2).map(|pair| (pattern(pair[0]), pair[1].trim_start())).collect()
}

/// The first word in quotes.
fn quoted(code: &str) -> &str {
    code.split('"').nth(1).expect("a text")
}

#[test]
fn error_codes_keep_their_exit_codes() {
    let code = include_str!("../../src/bin/dash-users/exit.rs");
    let entry = |(_, entry): (&str, &str)| {
        let number = entry.split(['(', ',']).nth(1).expect("its exit code");
        format!("{number} {}", quoted(entry))
    };
    let found: Vec<_> = arms(code, "entry").into_iter().map(entry).collect();
    assert_section("error codes", &found);
}

#[test]
fn page_of_findings_has_their_codes_and_severities() {
    let page = include_str!("../../docs/reference/findings.md");
    let rows = page.lines().filter_map(|row| row.strip_prefix("| `")?.split_once("` | "));
    let code = |(code, rest): (&str, &str)| format!("{code} {}", rest.split(' ').next().unwrap());
    let mut found: Vec<_> = rows.map(code).collect();
    found.sort_unstable();
    assert_section("findings", &found);
}

#[test]
fn findings_keep_their_codes_and_severities() {
    let code = include_str!("../../src/check.rs");
    let variants = |pattern: &str| -> Vec<String> {
        let names = pattern.split("Self::").skip(1);
        let end = |c: char| !c.is_alphanumeric();
        names.map(|name| name.split(end).next().unwrap_or_default().to_owned()).collect()
    };
    let mut severities = BTreeMap::new();
    for (pattern, arm) in arms(code, "severity") {
        let severity = arm.split([':', ',']).nth(2).expect("Severity::Name").to_lowercase();
        severities.extend(variants(pattern).into_iter().map(|name| (name, severity.clone())));
    }
    let mut found = BTreeSet::new();
    for (pattern, arm) in arms(code, "code") {
        for variant in variants(pattern) {
            found.insert(format!("{} {}", quoted(arm), severities[&variant]));
        }
    }
    assert_section("findings", &found.into_iter().collect::<Vec<_>>());
}

#[test]
fn environment_variables_keep_their_names() {
    fn collect(path: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
                continue;
            }
            let code = fs::read_to_string(&path).unwrap();
            let is_end = |c: char| c != '_' && !c.is_ascii_uppercase();
            for part in code.split("\"DASH_USERS_").skip(1) {
                let name = part.split(is_end).next().unwrap_or_default();
                found.insert(format!("DASH_USERS_{name}"));
            }
        }
    }
    let mut found = BTreeSet::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin"), &mut found);
    assert_section("environment variables", &found.into_iter().collect::<Vec<_>>());
}

/// What a shell is offered for the last of these words.
fn completed(sandbox: &Sandbox, words: &[&str]) -> Vec<String> {
    let mut command = sandbox.command(&[&["--", "dash-users"], words].concat());
    command.env("DASH_USERS_COMPLETE", "bash").stdin(Stdio::null());
    let output = command.output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The options in a short help, as they are spelled there: `-d, --database <DB>`.
fn spellings(sandbox: &Sandbox, command: &[&str]) -> Vec<String> {
    let help = sandbox.run(&[command, &["-h"]].concat()).stdout;
    // Continuation lines of a description are indented further.
    let is_option = |line: &&str| line.starts_with("  -") || line.starts_with("      --");
    let spelling = |line: &str| line.trim_start().split("  ").next().unwrap().to_owned();
    help.lines().filter(is_option).map(spelling).collect()
}

/// The options in a short help, as `-d --database=` where one has a value, which is listed if it is
/// one of a few.
fn options(sandbox: &Sandbox, command: &[&str], known: &[String]) -> Vec<String> {
    let option = |spelling: String| {
        let (spelling, value) = spelling.split_once(" <").unwrap_or((&spelling, ""));
        let (option, long) = (spelling.replace(',', ""), spelling.rsplit(' ').next().unwrap());
        if value.is_empty() || known.iter().any(|known| known.starts_with(&format!("{option}="))) {
            return option;
        }
        let prefix = format!("{long}=");
        let offered = completed(sandbox, &[command, &[&prefix]].concat());
        let values = offered.iter().filter_map(|value| value.strip_prefix(&prefix));
        // The groups of the system differ.
        let is_fixed = |value: &&str| long != "--file-group" && !value.starts_with('<');
        let fixed: Vec<_> = values.filter(is_fixed).collect();
        format!("{option}={}", fixed.join("|"))
    };
    let is_known = |option: &String| {
        known.iter().any(|known| known == option || known.starts_with(&format!("{option}=")))
    };
    spellings(sandbox, command).into_iter().map(option).filter(|option| !is_known(option)).collect()
}

#[test]
fn commands_keep_their_arguments_and_exit_codes() {
    let sandbox = empty();
    let global = options(&sandbox, &[], &[]);
    let mut found = vec![format!("dash-users {}", global.join(" "))];
    let first_screen = sandbox.run(&["-h"]).stdout;
    for command in commands() {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let name = words.join(" ");
        let help = sandbox.run(&[&words[..], &["--help"]].concat()).stdout;
        let usage = help.split_once("Usage: ").unwrap().1.split("\n\n").next().unwrap();
        let arguments = usage.split_whitespace().skip(1 + words.len());
        let arguments = arguments.filter(|word| *word != "[OPTIONS]").map(|word| {
            let is_name = |c: char| c.is_ascii_uppercase() || c == '_';
            if word.starts_with('-') { word.to_owned() } else { word.replace(is_name, "") }
        });
        let line: Vec<_> = words.iter().map(|word| (*word).to_owned()).chain(arguments).collect();
        found.push(line.join(" "));

        let listed = first_screen.lines().find(|line| line.starts_with(&format!("  {name} ")));
        let alias = listed.and_then(|line| line.rsplit_once(": ")?.1.strip_suffix(']'));
        found.extend(alias.map(|alias| format!("    alias {alias}")));
        let own = options(&sandbox, &words, &global);
        found.extend((!own.is_empty()).then(|| format!("    {}", own.join(" "))));
        let codes = help.lines().filter_map(|line| line.trim_start().split_once("  "));
        let codes: Vec<_> =
            codes.map(|(code, _)| code).filter(|code| code.parse::<u8>().is_ok()).collect();
        found.push(format!("    exit codes {}", codes.join(" ")));
    }
    assert_section("commands", &found);
}

#[test]
fn completion_offers_every_command_and_option() {
    let sandbox = empty();
    for command in commands() {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let (last, before) = words.split_last().unwrap();
        let offered = completed(&sandbox, &[before, &[""]].concat());
        assert!(offered.iter().any(|offered| offered == last), "{command:?}: {offered:?}");

        let offered = completed(&sandbox, &[&words[..], &["--"]].concat());
        for spelling in spellings(&sandbox, &words) {
            let option = spelling.split(' ').find(|word| word.starts_with("--")).unwrap();
            assert!(offered.iter().any(|offered| offered == option), "{command:?}: {option}");
        }
    }
}

/// A database for commands that show something.
fn shown() -> Sandbox {
    let sandbox = initialized();
    sandbox.sql(&format!(
        "INSERT INTO users VALUES ('zoe', '{SECRET123}', 'de'), ('no hash', '*', '');
         INSERT INTO user_groups VALUES ('zoe', 'admins'), ('zoe', 'staff'), ('gone', 'x');"
    ));
    sandbox.write("secret", "secret123");
    sandbox.write("hash", SECRET123);
    crate::sessions::add_to(&sandbox);
    sandbox
}

/// A value of JSON as a cell of `--format plain`.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// Each column holds what JSON has under the key of the same name.
#[test]
fn columns_of_plain_keep_their_order() {
    for line in section("columns of --format plain") {
        let (command, columns) = line.split_once(": ").unwrap();
        let columns: Vec<&str> = columns.split_whitespace().collect();
        let run = |format: &str| {
            let args: Vec<&str> = command.split(' ').chain(["--format", format]).collect();
            shown().run(&args)
        };
        let (plain, json) = (run("plain"), run("json"));
        assert_eq!(plain.status, json.status, "{command}");
        let json = json.json();
        let items = json.as_array().cloned().unwrap_or_else(|| vec![json]);
        let rows: Vec<Vec<&str>> =
            plain.stdout.lines().map(|line| line.split('\t').collect()).collect();
        assert_eq!(rows.len(), items.len(), "{command}: {plain}");
        for (row, item) in rows.iter().zip(&items) {
            assert_eq!(item.as_object().unwrap().len(), columns.len(), "{command}: {item}");
            let cells: Vec<_> = columns.iter().map(|key| cell(&item[key])).collect();
            let row: Vec<_> = row.iter().map(|cell| cell.replace("\\N", "")).collect();
            assert_eq!(row, cells, "{command}");
        }
    }
}

/// `migrate --status`, `hash` and `--generate`, whose rows are not those of JSON.
#[test]
fn other_plain_results_keep_their_form() {
    let sandbox = empty();
    sandbox.write("users.db", "");
    let status = sandbox.run(&["migrate", "--status", "--format", "plain"]);
    let first = status.stdout.lines().next().unwrap();
    assert_eq!(first.split('\t').collect::<Vec<_>>(), ["1", "users", "pending"], "{status}");

    let rows = |args: &[&str]| -> Vec<String> {
        let run = initialized().run_with(GOOD, &[args, &["--format", "plain"]].concat());
        run.stdout.lines().map(str::to_owned).collect()
    };
    let hash = rows(&["hash", "--password-stdin"]);
    assert!(hash.len() == 1 && hash[0].starts_with("scrypt:128:8:1$"), "{hash:?}");
    let generated = rows(&["hash", "--generate"]);
    assert!(generated.len() == 2 && generated[0].len() == 20, "{generated:?}");
    assert!(generated[1].starts_with("scrypt:128:8:1$"), "{generated:?}");
    let password = rows(&["add", "ann", "--generate"]);
    assert!(password.len() == 1 && password[0].len() == 20, "{password:?}");
}

/// Commands that change something or write a file print nothing else.
#[test]
fn changes_print_no_rows() {
    let sandbox = seeded();
    sandbox.write("users.csv", format!("username,password\ncarol,{GOOD}\n"));
    for args in [
        "init",
        "migrate",
        "seed",
        "passwd bob --password-stdin",
        "rehash bob --password-stdin",
        "update bob --language de",
        "lock bob",
        "unlock bob",
        "group add bob staff",
        "group remove bob staff",
        "rename bob ben",
        "import users.csv",
        "export users.json",
        "backup copy.db",
        "restore copy.db --yes",
        "remove ben --yes",
        "man pages",
    ] {
        let words: Vec<&str> = args.split(' ').chain(["--format", "plain"]).collect();
        let run = sandbox.run_with(GOOD, &words);
        assert_eq!((run.status, &*run.stdout), (0, ""), "{args}: {run}");
    }
}

#[test]
fn events_keep_their_actions() {
    let sandbox = seeded();
    sandbox.write("users.csv", format!("username,password\ncarol,{GOOD}\n"));
    sandbox.write("more.csv", format!("username,password\ndora,{GOOD}\n"));
    sandbox.write("secret", "secret123");
    sandbox.sql(&format!(
        "INSERT INTO users VALUES ('old', '{SECRET123}', 'en'), ('plain', 'x y z', 'en'),
                                  ('wrapped', ' {SECRET123} ', 'en');
         INSERT INTO user_events (at, action) VALUES ('2000-01-01T00:00:00.000Z', 'add')"
    ));
    for (args, status) in [
        ("add ann --password-stdin", 0),
        ("passwd ann --password-stdin", 0),
        ("rehash ann --password-stdin", 0),
        ("rehash --plaintext plain", 0),
        ("verify old --upgrade --password-file secret", 0),
        ("check --fix --unwrap", 7),
        ("update ann --language de", 0),
        ("lock ann", 0),
        ("unlock ann", 0),
        ("group add ann staff", 0),
        ("group remove ann staff", 0),
        ("rename ann anna", 0),
        ("import users.csv", 0),
        ("seed more.csv", 0),
        ("backup copy.db", 0),
        ("restore copy.db --yes", 0),
        ("remove anna --yes", 0),
        ("history --prune-before 2001-01-01 --yes", 0),
    ] {
        let run = sandbox.run_with(GOOD, &args.split(' ').collect::<Vec<_>>());
        assert_eq!(run.status, status, "{args}: {run}");
    }
    let actions = sandbox.query("SELECT DISTINCT action FROM user_events ORDER BY 1");
    assert_section("actions in user_events", &actions);
}

#[test]
fn reasons_of_verify_keep_their_names() {
    let sandbox = initialized();
    let scrypt = |method: &str| format!("{method}$salt${}", "0".repeat(128));
    sandbox.sql(&format!(
        "INSERT INTO users VALUES
             ('old', '{SECRET123}', ''), ('never', '*', ''), ('raises', '{}', ''),
             ('costly', '{}', ''), ('unknown', 'pbkdf2:sha3_256:1000$a$b', ''),
             ('locked', '!{}', '')",
        scrypt("scrypt:x:8:1"),
        scrypt("scrypt:1048576:8:1"),
        SECRET123.replace('$', "|"),
    ));
    let reason = |user: &str, password: &str| {
        let args = ["verify", user, "--password-stdin", "--explain", "--json"];
        cell(&sandbox.run_with(password, &args).json()["reason"])
    };
    let mut found: Vec<_> = ["old", "never", "raises", "costly", "unknown", "locked", "nobody"]
        .map(|user| reason(user, "secret123"))
        .into();
    found.push(reason("old", "wrong"));
    found.sort_unstable();
    assert_section("reasons of verify --explain", &found);
}

#[test]
fn tables_keep_their_columns() {
    let sandbox = initialized();
    let select = "SELECT m.name || ' ' || group_concat(c.name || ' ' || c.type, ', ')
                  FROM sqlite_schema m JOIN pragma_table_info(m.name) c
                  WHERE m.type = 'table' GROUP BY m.name ORDER BY m.name";
    let lines = sandbox.query(select);
    assert_section("tables in SQLite", &lines);

    // The same tables and columns are in PostgreSQL, where dash_users_change is a setting.
    let sql = concat!(
        include_str!("../../src/store/postgres/001_users.sql"),
        include_str!("../../src/store/postgres/002_accounts.sql"),
        include_str!("../../src/store/postgres/003_fingerprints.sql"),
        include_str!("../../src/store/postgres/005_imported.sql"),
    );
    for line in lines {
        let (table, columns) = line.split_once(' ').unwrap();
        if ["dash_users_change", "dash_users_schema"].contains(&table) {
            continue;
        }
        let (_, created) = sql.split_once(&format!("{{schema}}.{table} (")).expect(table);
        let created = created.split("\n);").next().unwrap();
        for column in columns.split(", ").map(|column| column.split(' ').next().unwrap()) {
            let is_created = created.contains(&format!("\n    {column} "));
            assert!(
                is_created || sql.contains(&format!("IF NOT EXISTS {column} ")),
                "{table}.{column}"
            );
        }
    }
    let others = "SELECT type || ' ' || name FROM sqlite_schema
                  WHERE type IN ('trigger', 'view') OR name LIKE 'dash\\_users%' ESCAPE '\\'
                  ORDER BY type, name";
    assert_section("objects in SQLite", &sandbox.query(others));
}

/// The beginnings of lines on stderr.
#[test]
fn lines_keep_their_beginnings() {
    let sandbox = seeded();
    sandbox.write("bad.csv", "username,password\na:b,x\n");
    sandbox.write("bad.json", r#"[{"username": "zoe", "password": 1}]"#);
    sandbox.write("bad.jsonl", "{\"username\": \"zoe\"}\n");
    sandbox.sql("INSERT INTO users VALUES ('odd', '$2b$10$x', 'en'), ('odder', '', 'en')");
    let mut found = Vec::new();
    for args in [
        "import bad.csv",
        "import bad.json",
        "import bad.jsonl",
        "rehash --plaintext --all",
        "import - --input-format jsonl",
        "seed -d other.db",
    ] {
        let run = sandbox.run_with("{}\n", &args.split(' ').collect::<Vec<_>>());
        // A line without a blank before its first colon.
        let beginning = |line: &str| {
            let start = line.split_once(": ")?.0;
            (!start.contains(' ')).then(|| format!("{start}:"))
        };
        let lines: Vec<_> = run.stderr.lines().filter_map(beginning).collect();
        found.push(format!("{args}: {}", lines.join(" ")));
    }
    assert_section("beginnings of lines on stderr", &found);
}
