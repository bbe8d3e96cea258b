//! Files that cannot be imported: their errors, and that nothing is changed.

use std::fs;

use snapbox::{IntoData, str};

use crate::support::{GOOD, Run, SECRET123, Sandbox, empty, seeded};

/// Runs commands that must not change the directory.
#[track_caller]
fn unchanged<T>(sandbox: &Sandbox, commands: impl FnOnce() -> T) -> T {
    let files = || {
        let entries = fs::read_dir(sandbox.dir()).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> =
            entries.map(|path| (fs::read(&path).unwrap_or_default(), path)).collect();
        files.sort_by(|(_, a), (_, b)| a.cmp(b));
        files
    };
    let before = files();
    let result = commands();
    assert!(files() == before, "a file was changed");
    result
}

#[track_caller]
fn assert_rejected(sandbox: &Sandbox, session: impl IntoData) {
    unchanged(sandbox, || sandbox.assert_session(session));
}

fn run(sandbox: &Sandbox, args: &[&str]) -> Run {
    unchanged(sandbox, || sandbox.run(args))
}

const BAD: &str = "username,password,password_hash,language,groups\n\
                   a:b,plover-xyzzy-quux,,,\n\
                   ann,,,,\n\
                   ben,plover-xyzzy-quux,,,,\n\
                   cleo,12345,,,\n\
                   dan,,scrypt:1:1:1$x$00,,\n\
                   eve,plover-xyzzy-quux,,english!,\n\
                   fay,plover-xyzzy-quux,,,a;;b\n\
                   gus,plover-xyzzy-quux,,en,\n\
                   gus,plover-xyzzy-quux,,en,\n\
                   GUS,plover-xyzzy-quux,,en,\n";

#[test]
fn import_reports_line_of_every_bad_record() {
    let sandbox = empty();
    sandbox.write("users.csv", BAD);
    assert_rejected(
        &sandbox,
        str![[r#"
$ dash-users import users.csv
status 7
-- stderr
users.csv:2: user 'a…': a username cannot contain ':', which ends the name in HTTP Basic authentication
users.csv:3: user 'ann': no password or password_hash
users.csv:4: the number of cells is 6, but the header has 5
users.csv:5: user 'cleo': the password is weak: it has fewer than 8 characters
users.csv:6: user 'dan': cannot use the password_hash: scrypt N must be a power of two, at least 2
users.csv:7: user 'eve': a language must be a BCP 47 tag, such as 'en' or 'pt-BR'
users.csv:8: user 'fay': a group name cannot be empty
users.csv:10: user 'gus': duplicate user: also in line 9
users.csv:11: user 'GUS': the username differs only by case from the one in line 9
error: 9 bad records in users.csv; nothing was changed

$ dash-users import users.csv --json
status 7
-- stderr
{"error":{"code":"invalid_data","status":7,"message":"9 bad records in users.csv; nothing was changed","hint":null,"details":[{"line":2,"item":null,"code":"invalid_data","message":"user 'a…': a username cannot contain ':', which ends the name in HTTP Basic authentication"},{"line":3,"item":null,"code":"invalid_data","message":"user 'ann': no password or password_hash"},{"line":4,"item":null,"code":"invalid_data","message":"the number of cells is 6, but the header has 5"},{"line":5,"item":null,"code":"weak_password","message":"user 'cleo': the password is weak: it has fewer than 8 characters"},{"line":6,"item":null,"code":"invalid_data","message":"user 'dan': cannot use the password_hash: scrypt N must be a power of two, at least 2"},{"line":7,"item":null,"code":"invalid_data","message":"user 'eve': a language must be a BCP 47 tag, such as 'en' or 'pt-BR'"},{"line":8,"item":null,"code":"invalid_data","message":"user 'fay': a group name cannot be empty"},{"line":10,"item":null,"code":"invalid_data","message":"user 'gus': duplicate user: also in line 9"},{"line":11,"item":null,"code":"invalid_data","message":"user 'GUS': the username differs only by case from the one in line 9"}]}}

"#]],
    );
    // The output is the same with existing users and other options.
    let with_users = seeded();
    with_users.write("users.csv", BAD);
    assert_eq!(
        run(&with_users, &["import", "users.csv", "--quiet", "--on-conflict", "skip"]),
        run(&sandbox, &["import", "users.csv"])
    );
}

#[test]
fn import_counts_lines_with_any_newlines_and_cells() {
    for line_end in ["\n", "\r\n"] {
        let sandbox = empty();
        let lines = ["username,password", "", "a:b,x", "\"c\nd\",x", "e:f,x", ""];
        sandbox.write("users.csv", lines.join(line_end));
        let error = run(&sandbox, &["import", "users.csv", "--json"]).error();
        let details = error["details"].as_array().unwrap();
        let found: Vec<_> = details.iter().map(|detail| &detail["line"]).collect();
        assert_eq!(found, [3, 4, 6], "{line_end:?}: {error}");
    }
}

#[test]
fn import_shows_first_20_of_many_bad_records() {
    let sandbox = empty();
    let records = (1..=2500).map(|number| format!("a:{number},x\n"));
    sandbox.write("users.csv", format!("username,password\n{}", records.collect::<String>()));
    let rejected = run(&sandbox, &["import", "users.csv"]);
    assert_eq!(rejected.status, 7);
    assert_eq!(rejected.stderr.lines().count(), 21, "{rejected}");
    assert!(rejected.stderr.starts_with("users.csv:2: user 'a…': "), "{rejected}");
    let last = "error: 2500 bad records in users.csv (first 20 shown); nothing was changed\n";
    assert!(rejected.stderr.ends_with(last), "{rejected}");
    let error = run(&sandbox, &["import", "users.csv", "--json"]).error();
    assert_eq!(error["details"].as_array().unwrap().len(), 20);
}

#[test]
fn import_reports_bad_json_items_by_number() {
    let sandbox = empty();
    let records = format!(
        r#"[{{"username": "ann", "password": "{GOOD}"}},
            {{"username": "ben", "passwrod": "{GOOD}"}},
            {{"username": "cleo", "password": 12345678}}, 7]"#
    );
    sandbox.write("users.json", records);
    assert_rejected(
        &sandbox,
        str![[r#"
$ dash-users import users.json
status 7
-- stderr
users.json:2: user 'ben': unknown field 'passwrod': use username, password, password_hash, language, groups, locked or active
users.json:3: user 'cleo': field 'password' is not text
users.json:4: not a JSON object
error: 3 bad records in users.json (numbered by item); nothing was changed
hint: name the field, as in `dash-users import users.json --column password=passwrod`

$ dash-users import users.json --json
status 7
-- stderr
{"error":{"code":"invalid_data","status":7,"message":"3 bad records in users.json (numbered by item); nothing was changed","hint":"name the field, as in dash-users import users.json --json --column password=passwrod","details":[{"line":null,"item":2,"code":"invalid_data","message":"user 'ben': unknown field 'passwrod': use username, password, password_hash, language, groups, locked or active"},{"line":null,"item":3,"code":"invalid_data","message":"user 'cleo': field 'password' is not text"},{"line":null,"item":4,"code":"invalid_data","message":"not a JSON object"}]}}

"#]],
    );
}

#[test]
fn import_reports_bad_json_lines_by_number() {
    let sandbox = empty();
    sandbox.write("users.jsonl", "{\"username\": \"ann\"}\n\nnonsense\n{\"username\": \"b:n\"}");
    assert_rejected(
        &sandbox,
        str![[r#"
$ dash-users import users.jsonl
status 7
-- stderr
users.jsonl:1: user 'ann': no password or password_hash
users.jsonl:3: invalid JSON: expected value, in column 2
users.jsonl:4: user 'b…': a username cannot contain ':', which ends the name in HTTP Basic authentication
error: 3 bad records in users.jsonl; nothing was changed
hint: use --generate-missing FILE to generate missing passwords, or --lock-missing to lock these users

"#]],
    );
}

#[test]
fn import_reports_files_that_are_not_users() {
    let sandbox = empty();
    sandbox.write("email.csv", format!("username,email,password\nann,ann@example.com,{GOOD}\n"));
    sandbox.write("headless.csv", format!("ann,{GOOD}\n"));
    sandbox.write("binary.csv", [0xff, 0xfe, 0, b'\n', 0xff]);
    sandbox.write("cut.json", format!(r#"[{{"username": "ann", "password": "{GOOD}"}}"#));
    sandbox.write("empty.json", "");
    let single = format!(r#"{{"username": "ann", "password_hash": "{SECRET123}"}}"#);
    sandbox.write("single.json", single);
    assert_rejected(
        &sandbox,
        str![[r#"
$ dash-users import email.csv
status 7
-- stderr
email.csv:1: unknown field 'email': use username, password, password_hash, language, groups, locked or active
error: 1 bad record in email.csv; nothing was changed
hint: ignore them with `dash-users import email.csv --ignore-unknown`, or use one as a field with --column FIELD=HEADER

$ dash-users import headless.csv
status 7
-- stderr
headless.csv:1: no `username` column in the header row
error: 1 bad record in headless.csv; nothing was changed
hint: add a header row such as username,password,language, or name the column with the usernames by --column username=HEADER

$ dash-users import binary.csv
status 7
-- stderr
note: read binary.csv as UTF-16LE
binary.csv:1: the text is not UTF-16LE
error: 1 bad record in binary.csv; nothing was changed

$ dash-users import cut.json
status 7
-- stderr
cut.json:1: the JSON ends unexpectedly
error: 1 bad record in cut.json; nothing was changed

$ dash-users import empty.json
status 7
-- stderr
empty.json:1: the file is empty
error: 1 bad record in empty.json; nothing was changed

$ dash-users import single.json
status 7
-- stderr
single.json:1: this looks like a single record, not an object of usernames and passwords: put it in an array
error: 1 bad record in single.json (numbered by item); nothing was changed

"#]],
    );
}

#[test]
fn import_reports_unreadable_files() {
    let sandbox = empty();
    fs::create_dir(sandbox.path("directory.csv")).unwrap();
    assert_rejected(
        &sandbox,
        str![[r#"
$ dash-users import nowhere.csv
status 1
-- stderr
error: cannot read nowhere.csv: No such file or directory (os error 2)

$ dash-users import nowhere.csv --json
status 1
-- stderr
{"error":{"code":"failed","status":1,"message":"cannot read nowhere.csv: No such file or directory (os error 2)","hint":null}}

$ dash-users import directory.csv
status 1
-- stderr
error: cannot read directory.csv: it is a directory
hint: give a file in that directory

$ dash-users seed nowhere.csv
status 1
-- stderr
error: cannot read nowhere.csv: No such file or directory (os error 2)

$ dash-users import nowhere.sql
status 1
-- stderr
error: cannot read nowhere.sql: No such file or directory (os error 2)

$ dash-users seed alice
status 1
-- stderr
error: cannot read alice: No such file or directory (os error 2)
hint: give a file of users; to add a user, run `dash-users add alice --database [DIR]/users.db`

$ dash-users import .
status 1
-- stderr
error: cannot read .: it is a directory
hint: give a file in that directory

"#]],
    );
}

#[test]
fn import_exit_code_prefers_invalid_then_weak_then_conflict() {
    let sandbox = seeded();
    let [bad, weak, conflict] =
        [format!("c:d,{GOOD}"), "eve,12345".to_owned(), format!("alice,{GOOD}")];
    for (records, status, code) in [
        (vec![&*conflict], 9, "user_exists"),
        (vec![&*conflict, &weak], 8, "weak_password"),
        (vec![&*weak, &conflict, &bad], 7, "invalid_data"),
    ] {
        sandbox.write("users.csv", format!("username,password\n{}\n", records.join("\n")));
        let rejected = run(&sandbox, &["import", "users.csv", "--json"]);
        assert_eq!(rejected.status, status, "{rejected}");
        assert_eq!(rejected.error()["code"], code, "{rejected}");
    }
}

#[test]
fn import_rejects_weak_password_unless_allowed() {
    let sandbox = empty();
    sandbox.write("users.csv", "username,password\nann,12345\nben,password1\ncleo,cleo1234\n");
    assert_rejected(
        &sandbox,
        str![[r#"
$ dash-users import users.csv
status 8
-- stderr
users.csv:2: user 'ann': the password is weak: it has fewer than 8 characters
users.csv:3: user 'ben': the password is weak: it is too easy to guess
users.csv:4: user 'cleo': the password is weak: it is too easy to guess
error: 3 bad records in users.csv; nothing was changed
hint: use --allow-weak to accept weak passwords

"#]],
    );
    assert_eq!(sandbox.run(&["import", "users.csv", "--allow-weak"]).status, 0);
    // The option does not allow passwords that can never work.
    sandbox.write("users.csv", "username,password\ndan,\"tab\tin the password\"\n");
    assert_rejected(
        &sandbox,
        str![[r#"
$ dash-users import users.csv --allow-weak
status 8
-- stderr
users.csv:2: user 'dan': a password cannot contain control characters, such as a line break or a tab
error: 1 bad record in users.csv; nothing was changed

"#]],
    );
}

#[test]
fn import_output_contains_no_password() {
    const SECRET: &str = "hush-plover-xyzzy";
    for (file, content) in [
        ("a.csv", format!("ann,{SECRET}\nben,{SECRET}\n")),
        ("a.csv", format!("{SECRET}\n")),
        ("a.csv", format!("username,password\na:b,{SECRET}\n")),
        ("a.csv", format!("username,password\nann,{SECRET},{SECRET}\n")),
        (
            "a.csv",
            format!("username,password,password_hash\nann,{SECRET},{SECRET}\nben,,{SECRET}\n"),
        ),
        ("a.csv", format!("username,password\nann,\"{SECRET}\n")),
        ("a.json", format!(r#"{{"ann": "${SECRET}"}}"#)),
        ("a.json", format!(r#"{{"ann": {{"password": "{SECRET}"}}, "ben": ["{SECRET}"]}}"#)),
        ("a.json", format!(r#"{{"ann": "{SECRET}\q"}}"#)),
        ("a.json", format!("\"{SECRET}\"")),
        ("a.json", format!(r#"["{SECRET}"]"#)),
        ("a.json", format!(r#"[{{"username": "ann", "password": ["{SECRET}"]}}]"#)),
        ("a.json", format!(r#"[{{"username": "ann", "password_hash": "{SECRET}"}}]"#)),
        ("a.jsonl", format!("{SECRET}\n\"{SECRET}\"\n[\"{SECRET}\"]\n")),
    ] {
        let sandbox = empty();
        sandbox.write(file, &content);
        for option in ["--json", "--format=table"] {
            let rejected = run(&sandbox, &["import", file, option]);
            assert_ne!(rejected.status, 0, "{content}: {rejected}");
            assert!(!rejected.to_string().contains("hush"), "{content}: {rejected}");
        }
    }
    let sandbox = empty();
    sandbox.write("a.json", format!(r#"{{"ann": "{SECRET}"}}"#));
    for args in [&["--dry-run"][..], &["--json"], &[], &["--on-conflict", "update"]] {
        let done = sandbox.run(&[&["import", "a.json"], args].concat());
        assert!(!done.to_string().contains("hush"), "{done}");
    }
}
