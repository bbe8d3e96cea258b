use std::fs;

use rusqlite::Connection;
use snapbox::str;

use crate::support::{GOOD, PROGRAM, SECRET123, Sandbox, assert_run, empty, initialized};

/// A user with a clear password, and one with a hash.
fn csv() -> String {
    format!(
        "username,password,password_hash,language,groups\n\
         ann,{GOOD},,de,staff;admins\n\
         ben,,{SECRET123},,\n"
    )
}

/// A directory with a database that has the users ann and ben, and the file that they are from.
fn imported() -> Sandbox {
    let sandbox = empty();
    sandbox.write("users.csv", csv());
    assert_eq!(sandbox.run(&["import", "users.csv"]).status, 0);
    sandbox
}

fn assert_verified(sandbox: &Sandbox, users: &[(&str, &str)]) {
    for (user, password) in users {
        let run = sandbox.run_with(password, &["verify", user, "--password-stdin"]);
        assert_eq!(run.status, 0, "{user}: {run}");
    }
}

#[test]
fn a_file_makes_the_database_and_is_one_event() {
    let sandbox = empty();
    sandbox.write("users.csv", csv());
    assert_run!(
        sandbox.run(&["import", "users.csv"]),
        str![[r#"
status 0
-- stdout
-- stderr
created [DIR]/users.db
users.csv: 2 added, 0 changed, 0 unchanged, 0 skipped in [DIR]/users.db

"#]]
    );
    assert_run!(
        sandbox.run(&["list", "--format", "plain"]),
        str![[r#"
status 0
-- stdout
ann	de	false	scrypt:128:8:1	false	admins,staff	[TIME]	[TIME]
ben	en	false	pbkdf2:sha256:1000	true		[TIME]	[TIME]
-- stderr

"#]]
    );
    assert_run!(
        sandbox.run(&["history", "--format", "plain"]),
        str![[r#"
status 0
-- stdout
1	[TIME]	admin	import	\N	2 added, 0 changed
-- stderr

"#]]
    );
    assert_verified(&sandbox, &[("ann", GOOD), ("ben", "secret123")]);
    assert_eq!(sandbox.stored("ben"), SECRET123);
}

#[test]
fn json_counts_what_was_done() {
    let sandbox = empty();
    sandbox.write("users.csv", csv());
    assert_run!(
        sandbox.run(&["import", "users.csv", "--json"]),
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","added":2,"changed":0,"unchanged":0,"skipped":0,"warnings":[]}
-- stderr

"#]]
    );
    assert_run!(
        sandbox.run(&["import", "users.csv", "--json", "--on-conflict", "update"]),
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","added":0,"changed":0,"unchanged":2,"skipped":0,"warnings":[]}
-- stderr

"#]]
    );
    assert_run!(
        sandbox.run(&["import", "users.csv", "--quiet", "--on-conflict", "skip"]),
        str![[r#"
status 0
-- stdout
-- stderr

"#]]
    );
}

#[test]
fn the_name_of_a_file_tells_its_format() {
    let array = format!(
        r#"[{{"username": "ann", "password": "{GOOD}", "groups": ["staff", "admins"]}},
            {{"username": "ben", "password_hash": "{SECRET123}"}}]"#
    );
    let dictionary = format!(r#"{{"ann": "{GOOD}", "ben": "{SECRET123}"}}"#);
    let lines = array.trim_matches(['[', ']']).replace("},", "}");
    for (file, content) in [
        ("a.csv", &csv()),
        ("a.JSON", &array),
        ("a.json", &dictionary),
        ("a.jsonl", &lines),
        ("a.ndjson", &lines),
    ] {
        let sandbox = empty();
        sandbox.write(file, content);
        let run = sandbox.run(&["import", file, "--json"]);
        assert_eq!((run.status, &*run.stderr), (0, ""), "{file}: {run}");
        assert_eq!(run.json()["added"], 2, "{file}: {run}");
        assert_verified(&sandbox, &[("ann", GOOD), ("ben", "secret123")]);
        assert_eq!(sandbox.stored("ben"), SECRET123);
    }
}

#[test]
fn an_option_tells_the_format_where_no_name_does() {
    let sandbox = empty();
    sandbox.write("users.txt", csv());
    assert_run!(
        sandbox.run(&["import", "users.txt"]),
        str![[r#"
status 2
-- stdout
-- stderr
error: the format of users.txt is not told by its name
hint: use --input-format csv, json or jsonl

"#]]
    );
    assert_run!(
        sandbox.run_with(csv(), &["import", "-", "--json"]),
        str![[r#"
status 2
-- stdout
-- stderr
{"error":{"code":"usage","status":2,"message":"the format of <stdin> is not told by its name","hint":"use --input-format csv, json or jsonl"}}

"#]]
    );
    assert!(!sandbox.path("users.db").exists());
    assert_run!(
        sandbox.run_with(csv(), &["import", "-", "--input-format", "csv"]),
        str![[r#"
status 0
-- stdout
-- stderr
created [DIR]/users.db
<stdin>: 2 added, 0 changed, 0 unchanged, 0 skipped in [DIR]/users.db

"#]]
    );
    let update = ["import", "users.txt", "--input-format", "csv", "--on-conflict", "update"];
    assert_eq!(sandbox.run(&update).status, 0);
    // It beats the name.
    sandbox.write("users.json", csv());
    let update = ["import", "users.json", "--input-format", "csv", "--on-conflict", "update"];
    assert_eq!(sandbox.run(&update).status, 0);
}

#[test]
fn a_dictionary_says_how_many_values_were_taken_for_what() {
    let sandbox = empty();
    sandbox.write("users.json", format!(r#"{{"ann": "{GOOD}", "ben": "{SECRET123}"}}"#));
    assert_run!(
        sandbox.run(&["import", "users.json"]),
        str![[r#"
status 0
-- stdout
-- stderr
created [DIR]/users.db
took 1 value(s) of users.json for hashes and 1 for clear passwords
users.json: 2 added, 0 changed, 0 unchanged, 0 skipped in [DIR]/users.db

"#]]
    );
    sandbox.write("bcrypt.json", r#"{"cleo": "$2b$12$abcdefghijklmnopqrstuv", "dan": "md5$ab", "eve": "SHA1:5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8", "fay": "X03MO1qnZdYdgyfeuILPmQ=="}"#);
    assert_run!(
        sandbox.run(&["import", "bcrypt.json"]),
        str![[r#"
status 7
-- stdout
-- stderr
bcrypt.json:1: user 'cleo': the value looks like a hash but is not valid; it is not accepted as a password
bcrypt.json:2: user 'dan': the value looks like a hash but is not valid; it is not accepted as a password
bcrypt.json:3: user 'eve': the value looks like a hash but is not valid; it is not accepted as a password
bcrypt.json:4: user 'fay': the value looks like a hash but is not valid; it is not accepted as a password
error: 4 bad records in bcrypt.json (counted by item); nothing was changed

"#]]
    );
}

#[test]
fn a_conflict_leaves_all_as_it_is_unless_it_is_solved() {
    let sandbox = imported();
    sandbox.write(
        "more.csv",
        format!("username,password,language\nann,another-{GOOD},it\ncleo,{GOOD},\n"),
    );
    let before = fs::read(sandbox.path("users.db")).unwrap();
    assert_run!(
        sandbox.run(&["import", "more.csv"]),
        str![[r#"
status 9
-- stdout
-- stderr
more.csv:2: user 'ann': the user already exists
error: 1 conflict in more.csv; nothing was changed
hint: --on-conflict skip passes users over who are there, --on-conflict update changes them

"#]]
    );
    assert_run!(
        sandbox.run(&["import", "more.csv", "--json"]),
        str![[r#"
status 9
-- stdout
-- stderr
{"error":{"code":"user_exists","status":9,"message":"1 conflict in more.csv; nothing was changed","hint":"--on-conflict skip passes users over who are there, --on-conflict update changes them","details":[{"line":2,"item":null,"code":"user_exists","message":"user 'ann': the user already exists"}]}}

"#]]
    );
    assert!(fs::read(sandbox.path("users.db")).unwrap() == before);

    assert_run!(
        sandbox.run(&["import", "more.csv", "--on-conflict", "skip"]),
        str![[r#"
status 0
-- stdout
-- stderr
more.csv: 1 added, 0 changed, 0 unchanged, 1 skipped in [DIR]/users.db

"#]]
    );
    assert_verified(&sandbox, &[("ann", GOOD), ("cleo", GOOD)]);
    assert_run!(
        sandbox.run(&["import", "more.csv", "--on-conflict", "update"]),
        str![[r#"
status 0
-- stdout
-- stderr
more.csv: 0 added, 1 changed, 1 unchanged, 0 skipped in [DIR]/users.db

"#]]
    );
    assert_verified(&sandbox, &[("ann", &format!("another-{GOOD}")), ("cleo", GOOD)]);
    let ann = sandbox.run(&["show", "ann", "--json"]).json();
    assert_eq!(ann["language"], "it");
    assert_eq!(ann["groups"], serde_json::json!(["admins", "staff"]), "the file has no groups");

    // What is so already is not changed, and no event.
    let before = fs::read(sandbox.path("users.db")).unwrap();
    assert_run!(
        sandbox.run(&["import", "more.csv", "--on-conflict", "update"]),
        str![[r#"
status 0
-- stdout
-- stderr
more.csv: 0 added, 0 changed, 2 unchanged, 0 skipped in [DIR]/users.db

"#]]
    );
    assert!(fs::read(sandbox.path("users.db")).unwrap() == before);
}

#[test]
fn a_name_that_differs_by_case_is_a_conflict_with_another_way_out() {
    let sandbox = imported();
    sandbox.write("more.csv", format!("username,password\nAnn,{GOOD}\n"));
    assert_run!(
        sandbox.run(&["import", "more.csv"]),
        str![[r#"
status 9
-- stdout
-- stderr
more.csv:2: user 'Ann': user 'ann' already exists and differs only by case
error: 1 conflict in more.csv; nothing was changed
hint: --allow-similar adds names that differ only by case

"#]]
    );
    assert_eq!(sandbox.run(&["import", "more.csv", "--allow-similar"]).status, 0);
}

#[test]
fn a_dry_run_tells_and_does_nothing() {
    let sandbox = imported();
    sandbox.write(
        "more.csv",
        format!("username,password\nann,another-{GOOD}\nben,secret123\ncleo,{GOOD}\n"),
    );
    let before = fs::read(sandbox.path("users.db")).unwrap();
    assert_run!(
        sandbox.run(&[
            "import",
            "more.csv",
            "--dry-run",
            "--on-conflict",
            "update",
            "--allow-weak"
        ]),
        str![[r#"
status 0
-- stdout
-- stderr
more.csv: 1 would be added, 1 would be changed, 1 unchanged, 0 skipped in [DIR]/users.db

"#]]
    );
    assert_run!(
        sandbox.run(&[
            "import",
            "more.csv",
            "--dry-run",
            "--on-conflict",
            "skip",
            "--allow-weak",
            "--json"
        ]),
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","added":1,"changed":0,"unchanged":0,"skipped":2,"warnings":[]}
-- stderr

"#]]
    );
    assert_eq!(sandbox.run(&["import", "more.csv", "--dry-run", "--allow-weak"]).status, 9);
    assert!(fs::read(sandbox.path("users.db")).unwrap() == before);

    let sandbox = empty();
    sandbox.write("users.csv", csv());
    assert_run!(
        sandbox.run(&["import", "users.csv", "--dry-run", "--generate-missing", "new.csv"]),
        str![[r#"
status 0
-- stdout
-- stderr
users.csv: 2 would be added, 0 would be changed, 0 unchanged, 0 skipped in [DIR]/users.db

"#]]
    );
    assert_eq!(fs::read_dir(sandbox.dir()).unwrap().count(), 1, "nothing is created");
}

#[test]
fn a_file_without_records_is_no_error() {
    let sandbox = empty();
    for (file, content) in
        [("a.csv", ""), ("b.csv", "username\n"), ("c.json", "[]"), ("d.jsonl", "\n")]
    {
        sandbox.write(file, content);
        let run = sandbox.run(&["import", file, "--json"]);
        assert_eq!((run.status, &run.json()["added"]), (0, &0.into()), "{file}: {run}");
    }
    assert_eq!(sandbox.run(&["history", "--format", "plain"]).stdout, "");
}

#[test]
fn a_table_of_the_apps_own_is_adopted_on_the_way() {
    let sandbox = empty();
    sandbox.sql(
        "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL, language TEXT NOT NULL);
         INSERT INTO users VALUES ('zoe', 'x', 'de');",
    );
    sandbox.write("users.csv", csv());
    assert_run!(
        sandbox.run(&["import", "users.csv"]),
        str![[r#"
status 0
-- stdout
-- stderr
adopted table 'users' of [DIR]/users.db
users.csv: 2 added, 0 changed, 0 unchanged, 0 skipped in [DIR]/users.db

"#]]
    );
    assert_eq!(sandbox.stored("zoe"), "x");
}

#[test]
fn a_pipe_may_be_the_file() {
    let sandbox = empty();
    sandbox.write("source", csv());
    let script = "mkfifo users.csv; cat source >users.csv & exec \"$PROGRAM\" import users.csv";
    let mut shell = sandbox.shell(script);
    shell.env("PROGRAM", crate::support::PROGRAM).env("PATH", std::env::var_os("PATH").unwrap());
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_verified(&sandbox, &[("ann", GOOD), ("ben", "secret123")]);
}

#[test]
fn options_for_a_new_file_are_those_of_init() {
    use std::os::unix::fs::PermissionsExt;

    let sandbox = empty();
    sandbox.write("users.csv", csv());
    assert_eq!(sandbox.run(&["import", "users.csv", "--file-mode", "0640"]).status, 0);
    assert_eq!(fs::metadata(sandbox.path("users.db")).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn as_many_jobs_as_are_wanted_come_to_the_same() {
    let sandbox = empty();
    let names: Vec<_> = (0..40).map(|number| format!("user{number}")).collect();
    let rows: Vec<_> = names.iter().map(|name| format!("{name},{GOOD}-{name}")).collect();
    sandbox.write("users.csv", format!("username,password\n{}", rows.join("\n")));
    for jobs in ["1", "3", "256"] {
        let database = format!("{jobs}.db");
        let import = ["import", "users.csv", "--jobs", jobs, "-d", &database];
        assert_eq!(sandbox.run(&import).status, 0, "{jobs}");
        for name in [&names[0], &names[39]] {
            let verify = ["verify", name, "--password-stdin", "-d", &database];
            assert_eq!(sandbox.run_with(format!("{GOOD}-{name}"), &verify).status, 0, "{jobs}");
        }
    }
    for jobs in ["0", "257", "two"] {
        assert_eq!(sandbox.run(&["import", "users.csv", "--jobs", jobs]).status, 2, "{jobs}");
    }
    assert!(!sandbox.path("users.db").exists());
}

#[test]
fn a_method_is_that_of_all_new_hashes() {
    let sandbox = empty();
    sandbox.write("users.csv", csv());
    sandbox.run(&["import", "users.csv", "--method", "pbkdf2:sha256:7"]);
    assert!(sandbox.stored("ann").starts_with("pbkdf2:sha256:7$"));
    assert_eq!(sandbox.stored("ben"), SECRET123);
    let connection = Connection::open(sandbox.path("users.db")).unwrap();
    let clear: u32 = connection
        .query_row("SELECT count(*) FROM users WHERE instr(password_hash, ?)", [GOOD], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(clear, 0);
}

#[test]
fn import_memory_follows_the_cost_of_stored_hashes() {
    let sandbox = initialized();
    let digest = "0".repeat(128);
    let hash = format!("scrypt:262144:8:1$salt${digest}");
    sandbox.sql(&format!(
        "INSERT INTO users VALUES ('a', '{hash}', 'en'), ('b', '{hash}', 'en'), ('c', '{hash}', 'en')"
    ));
    let password = "plover-xyzzy-quux";
    let records = ["a", "b", "c"].map(|name| format!("{name},{password}\n")).concat();
    sandbox.write("users.csv", format!("username,password\n{records}"));
    // One of 256 MiB at a time; two would not fit.
    let mut command = sandbox.shell("ulimit -v 600000 && exec \"$@\"");
    let command = command.arg("sh").arg(PROGRAM);
    let command = command.args(["import", "users.csv", "--on-conflict", "update", "--jobs", "8"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn import_says_what_it_locked_and_converted() {
    let sandbox = empty();
    sandbox.write(
        "users.csv",
        "username,password_hash,active\nann,,\n,,\n\
         ben,pbkdf2_sha256$1000$seasalt$d57aL3ThhTwF2UPCCAM8bhzpKwTtAZXeca/rScQ5PHY=,0\n",
    );
    assert_run!(
        sandbox.run(&["import", "users.csv", "--lock-missing"]),
        str![[r#"
status 0
-- stdout
-- stderr
created [DIR]/users.db
converted 1 PBKDF2 hash(es) of Django or passlib
1 user(s) without a password locked; `passwd` and `unlock` let them in
users.csv: 2 added, 0 changed, 0 unchanged, 0 skipped in [DIR]/users.db

"#]]
    );
    assert_run!(
        sandbox.run(&["list", "--format", "plain"]),
        str![[r#"
status 0
-- stdout
ann	en	true	scrypt:128:8:1	false		[TIME]	[TIME]
ben	en	true	pbkdf2:sha256:1000	true		[TIME]	[TIME]
-- stderr

"#]]
    );
    let both = ["import", "users.csv", "--lock-missing", "--generate-missing", "new.csv"];
    assert_eq!(sandbox.run(&both).status, 2);
}

#[test]
fn json_lines_are_read_from_a_json_file_with_a_note() {
    let sandbox = empty();
    let lines = format!(
        "\n{{\"username\": \"ann\", \"password\": \"{GOOD}\"}}\n\n\
         {{\"username\": \"ben\", \"locked\": true, \"password\": \"{GOOD}\"}}\n"
    );
    sandbox.write("users.json", lines);
    assert_run!(
        sandbox.run(&["import", "users.json"]),
        str![[r#"
status 0
-- stdout
-- stderr
note: read users.json as JSON Lines
created [DIR]/users.db
users.json: 2 added, 0 changed, 0 unchanged, 0 skipped in [DIR]/users.db

"#]]
    );
    assert_eq!(sandbox.run(&["import", "users.json", "--input-format", "json"]).status, 7);
}

#[test]
fn json_of_other_tools_is_read() {
    for (content, users) in [
        (format!(r#"{{"users": [{{"username": "ann", "password": "{GOOD}"}}]}}"#), 1),
        (format!(r#"{{"users": {{"ann": "{GOOD}", "ben": {{"password": "{GOOD}"}}}}}}"#), 2),
        (format!(r#"{{"ann": {{"password": "{GOOD}", "language": "de"}}, "ben": "{GOOD}"}}"#), 2),
    ] {
        let sandbox = empty();
        sandbox.write("users.json", &content);
        let run = sandbox.run(&["import", "users.json", "--json"]);
        assert_eq!((run.status, &run.json()["added"]), (0, &users.into()), "{content}: {run}");
        assert_verified(&sandbox, &[("ann", GOOD)]);
    }
}

#[test]
fn yaml_is_answered_with_the_command_that_converts_it() {
    let sandbox = empty();
    sandbox.write("my users.yaml", "- username: ann\n");
    assert_run!(
        sandbox.run(&["import", "my users.yaml"]),
        str![[r#"
status 2
-- stdout
-- stderr
error: the format of my users.yaml is not told by its name
hint: `python3 -c 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout, default=str)' <'my users.yaml' >'my users.json'` makes JSON of it

"#]]
    );
}
