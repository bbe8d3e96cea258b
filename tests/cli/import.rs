use std::fs;

use serde_json::json;
use snapbox::str;

use crate::support::{GOOD, SECRET123, Sandbox, TUTORIAL, empty, initialized};

/// A user with a plaintext password, and one with a hash.
fn csv() -> String {
    format!(
        "username,password,password_hash,language,groups\n\
         ann,{GOOD},,de,staff;admins\n\
         ben,,{SECRET123},,\n"
    )
}

/// A database with the users ann and ben, and the file they were imported from.
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
fn import_creates_database_and_one_event() {
    let sandbox = empty();
    sandbox.write("users.csv", csv());
    sandbox.assert_session(str![[r#"
$ dash-users import users.csv
status 0
-- stderr
created [DIR]/users.db
users.csv: 2 added, 0 changed, 0 unchanged, 0 skipped in [DIR]/users.db

$ dash-users list --format plain
status 0
-- stdout
ann	de	false	scrypt:128:8:1	false	admins,staff	[TIME]	[TIME]
ben	en	false	pbkdf2:sha256:1000	true		[TIME]	[TIME]

$ dash-users history --format plain
status 0
-- stdout
1	[TIME]	admin	import	\N	2 added, 0 changed

"#]]);
    assert_verified(&sandbox, &[("ann", GOOD), ("ben", "secret123")]);
    assert_eq!(sandbox.stored("ben"), SECRET123);
}

#[test]
fn import_json_counts_changes() {
    let sandbox = empty();
    sandbox.write("users.csv", csv());
    sandbox.assert_session(str![[r#"
$ dash-users import users.csv --json
status 0
-- stdout
{"database":"[DIR]/users.db","created":true,"dry_run":false,"added":2,"changed":0,"unchanged":0,"skipped":0,"differing":0,"removed":0,"removed_users":[],"read_as":{"format":"csv","encoding":"UTF-8","delimiter":",","sheet":null,"hashes":0,"passwords":0,"converted":0,"locked":0},"warnings":[]}

$ dash-users import users.csv --json --on-conflict update
status 0
-- stdout
{"database":"[DIR]/users.db","created":false,"dry_run":false,"added":0,"changed":0,"unchanged":2,"skipped":0,"differing":0,"removed":0,"removed_users":[],"read_as":{"format":"csv","encoding":"UTF-8","delimiter":",","sheet":null,"hashes":0,"passwords":0,"converted":0,"locked":0},"warnings":[]}

$ dash-users import users.csv --quiet --on-conflict skip
status 0

"#]]);
}

#[test]
fn import_format_comes_from_file_name() {
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
fn import_format_option_is_needed_without_known_name() {
    let sandbox = empty();
    sandbox.write("users.dat", csv());
    sandbox.assert_session(str![[r#"
$ dash-users import users.dat
status 2
-- stderr
error: cannot tell the format of users.dat from its name
hint: use --input-format csv, json, jsonl, xlsx or htpasswd

$ cat users.dat | dash-users import - --json
status 2
-- stderr
{"error":{"code":"usage","status":2,"message":"cannot tell the format of <stdin> from its name","hint":"use --input-format csv, json, jsonl, xlsx or htpasswd"}}

"#]]);
    assert!(!sandbox.path("users.db").exists());
    sandbox.assert_session(str![[r#"
$ cat users.dat | dash-users import - --input-format csv
status 0
-- stderr
created [DIR]/users.db
<stdin>: 2 added, 0 changed, 0 unchanged, 0 skipped in [DIR]/users.db

"#]]);
    let update = ["import", "users.dat", "--input-format", "csv", "--on-conflict", "update"];
    assert_eq!(sandbox.run(&update).status, 0);
    // The option overrides the filename.
    sandbox.write("users.json", csv());
    let update = ["import", "users.json", "--input-format", "csv", "--on-conflict", "update"];
    assert_eq!(sandbox.run(&update).status, 0);
}

#[test]
fn import_json_object_counts_hashes_and_passwords() {
    let sandbox = empty();
    sandbox.write("users.json", format!(r#"{{"ann": "{GOOD}", "ben": "{SECRET123}"}}"#));
    sandbox.write("bcrypt.json", r#"{"cleo": "$2b$12$abcdefghijklmnopqrstuv", "dan": "md5$ab", "eve": "SHA1:5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8", "fay": "X03MO1qnZdYdgyfeuILPmQ=="}"#);
    sandbox.assert_session(str![[r#"
$ dash-users import users.json
status 0
-- stderr
created [DIR]/users.db
users.json: read 1 hash and 1 plaintext password
users.json: 2 added, 0 changed, 0 unchanged, 0 skipped in [DIR]/users.db

$ dash-users import bcrypt.json
status 7
-- stderr
bcrypt.json:1: user 'cleo': the value looks like a hash but is not valid; it is not accepted as a password
bcrypt.json:2: user 'dan': the value looks like a hash but is not valid; it is not accepted as a password
bcrypt.json:3: user 'eve': the value looks like a hash but is not valid; it is not accepted as a password
bcrypt.json:4: user 'fay': the value looks like a hash but is not valid; it is not accepted as a password
error: 4 bad records in bcrypt.json (numbered by item); nothing was changed
hint: --allow-hash-like accepts it as a password; a hash goes into the field password_hash

"#]]);
}

#[test]
fn import_conflict_changes_nothing_unless_resolved() {
    let sandbox = imported();
    sandbox.write(
        "more.csv",
        format!("username,password,language\nann,another-{GOOD},it\ncleo,{GOOD},\n"),
    );
    let before = sandbox.read("users.db");
    sandbox.assert_session(str![[r#"
$ dash-users import more.csv
status 9
-- stderr
more.csv:2: user 'ann': the user already exists
error: 1 conflict in more.csv; nothing was changed
hint: use --on-conflict skip to skip existing users, or --on-conflict update to change them

$ dash-users import more.csv --json
status 9
-- stderr
{"error":{"code":"user_exists","status":9,"message":"1 conflict in more.csv; nothing was changed","hint":"use --on-conflict skip to skip existing users, or --on-conflict update to change them","details":[{"line":2,"item":null,"code":"user_exists","message":"user 'ann': the user already exists"}]}}

"#]]);
    assert!(sandbox.read("users.db") == before);

    sandbox.assert_session(str![[r#"
$ dash-users import more.csv --on-conflict skip
status 0
-- stderr
more.csv: 1 added, 0 changed, 0 unchanged, 1 skipped in [DIR]/users.db

"#]]);
    assert_verified(&sandbox, &[("ann", GOOD), ("cleo", GOOD)]);
    sandbox.assert_session(str![[r#"
$ dash-users import more.csv --on-conflict update
status 0
-- stderr
more.csv: 0 added, 1 changed, 1 unchanged, 0 skipped in [DIR]/users.db

"#]]);
    assert_verified(&sandbox, &[("ann", &format!("another-{GOOD}")), ("cleo", GOOD)]);
    let ann = sandbox.run(&["show", "ann", "--json"]).json();
    assert_eq!(ann["language"], "it");
    assert_eq!(ann["groups"], serde_json::json!(["admins", "staff"]), "the file has no groups");

    // Equal values are not changed and create no event.
    let before = sandbox.read("users.db");
    sandbox.assert_session(str![[r#"
$ dash-users import more.csv --on-conflict update
status 0
-- stderr
more.csv: 0 added, 0 changed, 2 unchanged, 0 skipped in [DIR]/users.db

"#]]);
    assert!(sandbox.read("users.db") == before);
}

#[test]
fn import_similar_name_hints_at_allow_similar() {
    let sandbox = imported();
    sandbox.write("more.csv", format!("username,password\nAnn,{GOOD}\n"));
    sandbox.assert_session(str![[r#"
$ dash-users import more.csv
status 9
-- stderr
more.csv:2: user 'Ann': user 'ann' already exists and differs only by case
error: 1 conflict in more.csv; nothing was changed
hint: use --allow-similar to allow names that differ only in case

"#]]);
    assert_eq!(sandbox.run(&["import", "more.csv", "--allow-similar"]).status, 0);
}

#[test]
fn import_dry_run_reports_and_changes_nothing() {
    let sandbox = imported();
    sandbox.write(
        "more.csv",
        format!("username,password\nann,another-{GOOD}\nben,secret123\ncleo,{GOOD}\n"),
    );
    let before = sandbox.read("users.db");
    sandbox.assert_session(str![[r#"
$ dash-users import more.csv --dry-run --on-conflict update --allow-weak
status 0
-- stderr
more.csv: 1 would be added, 1 would be changed, 1 unchanged, 0 skipped in [DIR]/users.db

$ dash-users import more.csv --dry-run --on-conflict skip --allow-weak --json
status 0
-- stdout
{"database":"[DIR]/users.db","created":false,"dry_run":true,"added":1,"changed":0,"unchanged":0,"skipped":2,"differing":0,"removed":0,"removed_users":[],"read_as":{"format":"csv","encoding":"UTF-8","delimiter":",","sheet":null,"hashes":0,"passwords":0,"converted":0,"locked":0},"warnings":[]}

"#]]);
    assert_eq!(sandbox.run(&["import", "more.csv", "--dry-run", "--allow-weak"]).status, 9);
    assert!(sandbox.read("users.db") == before);

    let sandbox = empty();
    sandbox.write("users.csv", csv());
    sandbox.assert_session(str![[r#"
$ dash-users import users.csv --dry-run --generate-missing new.csv
status 0
-- stderr
users.csv: 2 would be added, 0 would be changed, 0 unchanged, 0 skipped in [DIR]/users.db

"#]]);
    assert_eq!(fs::read_dir(sandbox.dir()).unwrap().count(), 1, "nothing is created");
}

#[test]
fn import_file_without_records_succeeds() {
    let sandbox = empty();
    for (file, content) in [
        ("a.csv", "sep=;\nusername\n"),
        ("b.csv", "username\n"),
        ("c.json", "[]"),
        ("d.jsonl", "\n"),
    ] {
        sandbox.write(file, content);
        let run = sandbox.run(&["import", file, "--json"]);
        assert_eq!((run.status, &run.json()["added"]), (0, &0.into()), "{file}: {run}");
    }
    assert_eq!(sandbox.run(&["history", "--format", "plain"]).stdout, "");
}

#[test]
fn import_adopts_app_table() {
    let sandbox = empty();
    sandbox.sql(&format!("{TUTORIAL} INSERT INTO users VALUES ('zoe', 'x', 'de');"));
    sandbox.write("users.csv", csv());
    sandbox.assert_session(str![[r#"
$ dash-users import users.csv
status 0
-- stderr
adopted table 'users' in [DIR]/users.db
users.csv: 2 added, 0 changed, 0 unchanged, 0 skipped in [DIR]/users.db

"#]]);
    assert_eq!(sandbox.stored("zoe"), "x");
}

#[test]
fn import_reads_pipe() {
    let sandbox = empty();
    sandbox.write("source", csv());
    let script = "mkfifo users.csv; cat source >users.csv & exec dash-users import users.csv";
    let output = sandbox.shell(script).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_verified(&sandbox, &[("ann", GOOD), ("ben", "secret123")]);
}

#[test]
fn import_accepts_new_file_options() {
    let sandbox = empty();
    sandbox.write("users.csv", csv());
    assert_eq!(sandbox.run(&["import", "users.csv", "--file-mode", "0640"]).status, 0);
    assert_eq!(sandbox.mode("users.db"), 0o640);
}

#[test]
fn import_result_does_not_depend_on_jobs() {
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
fn import_method_applies_to_all_new_hashes() {
    let sandbox = empty();
    sandbox.write("users.csv", csv());
    sandbox.run(&["import", "users.csv", "--method", "pbkdf2:sha256:7"]);
    assert!(sandbox.stored("ann").starts_with("pbkdf2:sha256:7$"));
    assert_eq!(sandbox.stored("ben"), SECRET123);
    assert!(!sandbox.stored("ann").contains(GOOD));
}

#[test]
fn import_memory_follows_cost_of_stored_hashes() {
    let sandbox = initialized();
    let digest = "0".repeat(128);
    let hash = format!("scrypt:262144:8:1$salt${digest}");
    sandbox.sql(&format!(
        "INSERT INTO users VALUES ('a', '{hash}', 'en'), ('b', '{hash}', 'en'), ('c', '{hash}', 'en')"
    ));
    let records = ["a", "b", "c"].map(|name| format!("{name},{GOOD}\n")).concat();
    sandbox.write("users.csv", format!("username,password\n{records}"));
    // One hash of 256 MiB at a time; two would not fit.
    let import = "dash-users import users.csv --on-conflict update --jobs 8";
    // Otherwise, C libraries reserve 64 MiB for each thread.
    let limited = format!("ulimit -v 600000 && MALLOC_ARENA_MAX=1 exec {import}");
    let output = sandbox.shell(&limited).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn import_reports_locked_users_and_converted_hashes() {
    let sandbox = empty();
    sandbox.write(
        "users.csv",
        "username,password_hash,active\nann,,\n,,\n\
         ben,pbkdf2_sha256$1000$seasalt$d57aL3ThhTwF2UPCCAM8bhzpKwTtAZXeca/rScQ5PHY=,0\n",
    );
    sandbox.assert_session(str![[r#"
$ dash-users import users.csv --lock-missing
status 0
-- stderr
created [DIR]/users.db
converted 1 PBKDF2 hash from Django or passlib
locked 1 user without a password; to let a user log in, set a password with passwd, and unlock the user
users.csv: 2 added, 0 changed, 0 unchanged, 0 skipped in [DIR]/users.db

$ dash-users list --format plain
status 0
-- stdout
ann	en	true	scrypt:128:8:1	false		[TIME]	[TIME]
ben	en	true	pbkdf2:sha256:1000	true		[TIME]	[TIME]

"#]]);
    let both = ["import", "users.csv", "--lock-missing", "--generate-missing", "new.csv"];
    assert_eq!(sandbox.run(&both).status, 2);
}

#[test]
fn import_reads_json_lines_from_json_file_with_note() {
    let sandbox = empty();
    let lines = format!(
        "\n{{\"username\": \"ann\", \"password\": \"{GOOD}\"}}\n\n\
         {{\"username\": \"ben\", \"locked\": true, \"password\": \"{GOOD}\"}}\n"
    );
    sandbox.write("users.json", lines);
    sandbox.assert_session(str![[r#"
$ dash-users import users.json
status 0
-- stderr
note: read users.json as JSON Lines
created [DIR]/users.db
users.json: 2 added, 0 changed, 0 unchanged, 0 skipped in [DIR]/users.db

"#]]);
    assert_eq!(sandbox.run(&["import", "users.json", "--input-format", "json"]).status, 7);
}

#[test]
fn import_reads_json_of_other_tools() {
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
fn import_yaml_hint_converts_the_file() {
    let sandbox = empty();
    sandbox.write("my users.yaml", "- username: ann\n");
    sandbox.assert_session(str![[r#"
$ dash-users import 'my users.yaml'
status 2
-- stderr
error: cannot tell the format of my users.yaml from its name
hint: convert it to JSON with `python3 -c 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout, default=str)' <'my users.yaml' >'my users.json'`

"#]]);
}

#[test]
fn import_rejects_hashes_in_password_field() {
    let bcrypt = "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW";
    let digest = "5f4dcc3b5aa765d61d8327deb882cf99";
    for value in [&format!("#jbcrypt:{bcrypt}"), &bcrypt.replace('$', "\\u{24}"), digest] {
        let sandbox = initialized();
        sandbox.write("new.jsonl", json!({"username": "zoe", "password": value}).to_string());
        let run = sandbox.run(&["import", "new.jsonl"]);
        assert!(run.status == 7 && run.stderr.contains("--allow-hash-like"), "{value}: {run}");
        assert!(!run.stderr.contains(value), "{run}");
        let run = sandbox.run(&["import", "new.jsonl", "--allow-hash-like"]);
        assert_eq!(run.status, 0, "{value}: {run}");
    }
}
