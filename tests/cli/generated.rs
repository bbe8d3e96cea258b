//! `--generate-missing`: a file of passwords for users without one.

use std::fs;

use snapbox::str;

use crate::support::{GOOD, Sandbox, empty, seeded};

const IMPORT: [&str; 4] = ["import", "users.csv", "--generate-missing", "passwords.csv"];

/// Users with and without a password.
fn with_file(sandbox: Sandbox) -> Sandbox {
    sandbox.write("users.csv", format!("username,password\nann,{GOOD}\nben,\n\"cleo, jr\",\n"));
    sandbox
}

#[test]
fn generate_missing_writes_passwords_to_private_file() {
    let sandbox = with_file(empty());
    sandbox.assert_session(str![[r#"
$ dash-users import users.csv
status 7
-- stderr
users.csv:3: user 'ben': no password or password_hash
users.csv:4: user 'cleo, jr': no password or password_hash
error: 2 bad records in users.csv; nothing was changed
hint: use --generate-missing FILE to generate missing passwords, or --lock-missing to lock these users

$ dash-users import users.csv --generate-missing passwords.csv
status 0
-- stderr
created [DIR]/users.db
users.csv: 3 added, 0 changed, 0 unchanged, 0 skipped in [DIR]/users.db

"#]]);
    assert_eq!(sandbox.mode("passwords.csv"), 0o600);
    let written = sandbox.read_text("passwords.csv");
    let lines: Vec<_> = written.lines().collect();
    assert_eq!(lines.len(), 3, "{written}");
    assert_eq!(lines[0], "username,password");
    for (line, name, cell) in [(lines[1], "ben", "ben,"), (lines[2], "cleo, jr", "\"cleo, jr\",")] {
        let password = line.strip_prefix(cell).expect(line);
        assert_eq!(password.len(), 20, "{line}");
        assert_eq!(sandbox.verify(name, password), 0);
    }
    assert_ne!(lines[1].rsplit(',').next(), lines[2].rsplit(',').next());
    assert_eq!(sandbox.verify("ann", GOOD), 0);
}

#[test]
fn generated_passwords_file_can_be_imported() {
    let sandbox = with_file(empty());
    sandbox.run(&IMPORT);
    assert_eq!(sandbox.run(&["import", "passwords.csv", "-d", "other.db"]).status, 0);
}

#[test]
fn generate_missing_never_overwrites_file() {
    let sandbox = with_file(seeded());
    sandbox.write("passwords.csv", "precious");
    let before = sandbox.read("users.db");
    sandbox.assert_session(str![[r#"
$ dash-users import users.csv --generate-missing passwords.csv
status 1
-- stderr
error: [DIR]/passwords.csv already exists
hint: choose another file for the passwords

$ dash-users import users.csv --generate-missing passwords.csv --json
status 1
-- stderr
{"error":{"code":"file_exists","status":1,"message":"[DIR]/passwords.csv already exists","hint":"choose another file for the passwords"}}

"#]]);
    assert_eq!(sandbox.read("passwords.csv"), b"precious");
    assert!(sandbox.read("users.db") == before);
}

#[test]
fn generate_missing_reports_bad_file_before_any_change() {
    let sandbox = with_file(empty());
    sandbox.assert_session(str![[r#"
$ dash-users import users.csv --generate-missing no/such/directory.csv
status 1
-- stderr
error: cannot write [DIR]/no/such/directory.csv: its directory does not exist
hint: run `mkdir -p [DIR]/no/such`, or choose another file for the passwords

"#]]);
    assert_eq!(fs::read_dir(sandbox.dir()).unwrap().count(), 1, "nothing is created");
}

#[test]
fn failed_import_leaves_no_passwords_file() {
    let sandbox = seeded();
    for content in ["username\na:b\n", "username,password\nann,12345\nben,\n", "username\nalice\n"]
    {
        sandbox.write("users.csv", content);
        assert!([7, 8, 9].contains(&sandbox.run(&IMPORT).status), "{content}");
        assert!(!sandbox.path("passwords.csv").exists(), "{content}");
    }
}

#[test]
fn generate_missing_keeps_passwords_of_existing_users() {
    let sandbox = seeded();
    sandbox.write("users.csv", "username,language\nalice,de\nben,de\n");
    sandbox.assert_session(str![[r#"
$ dash-users import users.csv --generate-missing passwords.csv --on-conflict update
status 0
-- stderr
users.csv: 1 added, 1 changed, 0 unchanged, 0 skipped in [DIR]/users.db

"#]]);
    let written = sandbox.read_text("passwords.csv");
    assert!(!written.contains("alice") && written.contains("\nben,"), "{written}");
    assert_eq!(sandbox.verify("alice", "secret123"), 0);
}

#[test]
fn generate_missing_ignores_file_if_nothing_is_missing() {
    let sandbox = empty();
    sandbox.write("users.csv", "username\nalice\nbob\n");
    let seed = ["seed", "users.csv", "--generate-missing", "passwords.csv"];
    assert_eq!(sandbox.run(&seed).status, 0);
    let passwords = sandbox.read("passwords.csv");
    assert_eq!(sandbox.run(&seed).status, 0);
    assert_eq!(sandbox.read("passwords.csv"), passwords);
    fs::remove_file(sandbox.path("passwords.csv")).unwrap();
    assert_eq!(sandbox.run(&seed).status, 0);
    assert!(!sandbox.path("passwords.csv").exists());
}

#[test]
fn generate_missing_writes_usernames_unescaped() {
    let sandbox = empty();
    sandbox.write("users.csv", "username\nCORP\\zoe\n\"Quinn, Zoe\"\n");
    assert_eq!(sandbox.run(&IMPORT).status, 0);
    let passwords = sandbox.read_text("passwords.csv");
    let lines: Vec<_> = passwords.lines().collect();
    assert!(lines[1].starts_with("CORP\\zoe,"), "{passwords}");
    assert!(lines[2].starts_with("\"Quinn, Zoe\","), "{passwords}");
    let password = lines[1].split_once(',').unwrap().1;
    assert_eq!(sandbox.verify("CORP\\zoe", password), 0);
}
