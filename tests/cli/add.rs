use snapbox::str;

use crate::support::{GOOD, initialized, seeded};

#[test]
fn password_stdin_strips_only_one_newline() {
    let sandbox = initialized();
    sandbox.assert_session(str![[r#"
$ printf ' plover-xyzzy-quux \r\n' | dash-users add carol --password-stdin
status 0
-- stderr
added user 'carol' in [DIR]/users.db

"#]]);
    let verify = |password: String| sandbox.verify("carol", password);
    assert_eq!(verify(format!(" {GOOD} ")), 0);
    assert_eq!(verify(GOOD.to_owned()), 3);
}

#[test]
fn password_file_option_overrides_environment() {
    let sandbox = initialized().with_env("DASH_USERS_PASSWORD_FILE", "other");
    sandbox.write("password", format!("{GOOD}\n"));
    sandbox.write("other", "another-plover-quux\n");
    sandbox.assert_session(str![[r#"
$ dash-users add carol --password-file password
status 0
-- stderr
added user 'carol' in [DIR]/users.db

$ dash-users add dave
status 0
-- stderr
added user 'dave' in [DIR]/users.db

$ printf plover-xyzzy-quux | dash-users add erin --password-stdin
status 0
-- stderr
added user 'erin' in [DIR]/users.db

"#]]);
    for (user, password) in [("carol", GOOD), ("dave", "another-plover-quux"), ("erin", GOOD)] {
        assert_eq!(sandbox.verify(user, password), 0);
    }
}

#[test]
fn unreadable_password_file_is_named() {
    let sandbox = initialized();
    sandbox.write("latin1", b"pl\xe9onasme-et-quoi");
    sandbox.assert_session(str![[r#"
$ dash-users add carol --password-file nowhere
status 1
-- stderr
error: the file given by --password-file does not exist (name not shown: it may be the password)
hint: write the password to a file and pass the name of that file, or use --password-stdin

$ dash-users add carol --password-file latin1
status 7
-- stderr
error: cannot read the password from latin1: the password is not UTF-8

"#]]);
}

#[test]
fn add_generate_prints_only_the_working_password() {
    let sandbox = initialized();
    let run = sandbox.run(&["add", "carol", "--generate"]);
    assert_eq!(run.stderr, "added user 'carol' in [DIR]/users.db\n");
    assert_eq!(run.stdout.len(), 21);
    assert_eq!(sandbox.verify("carol", run.stdout), 0);

    let json = sandbox.run(&["add", "dave", "--generate", "--json"]);
    assert_eq!(json.stderr, "");
    let password = json.json()["password"].as_str().unwrap().to_owned();
    assert_eq!(sandbox.verify("dave", password), 0);
    assert_eq!(sandbox.run(&["add", "erin", "--generate", "--quiet"]).stderr, "");
}

#[test]
fn add_json_describes_change() {
    let sandbox = initialized();
    sandbox.assert_session(str![[r#"
$ printf plover-xyzzy-quux | dash-users add carol --password-stdin --json --if-not-exists
status 0
-- stdout
{"database":"[DIR]/users.db","username":"carol","action":"add","changed":true}

$ printf plover-xyzzy-quux | dash-users add carol --password-stdin --json --if-not-exists
status 0
-- stdout
{"database":"[DIR]/users.db","username":"carol","action":"add","changed":false}

"#]]);
}

#[test]
fn add_existing_user_fails_or_does_nothing_if_asked() {
    let sandbox = seeded();
    let before = sandbox.stored("alice");
    sandbox.assert_session(str![[r#"
$ printf plover-xyzzy-quux | dash-users add alice --password-stdin
status 9
-- stderr
error: user 'alice' already exists
hint: run `dash-users passwd alice --database [DIR]/users.db` to set a new password, or use --if-not-exists to leave the user unchanged

$ printf plover-xyzzy-quux | dash-users create alice --password-stdin --if-not-exists
status 0
-- stderr
user 'alice' already exists in [DIR]/users.db

$ dash-users add alice --generate --if-not-exists
status 0
-- stderr
user 'alice' already exists in [DIR]/users.db

"#]]);
    assert_eq!(sandbox.stored("alice"), before);
}

#[test]
fn add_similar_username_requires_option() {
    let sandbox = seeded();
    sandbox.assert_session(str![[r#"
$ printf plover-xyzzy-quux | dash-users add ALICE --password-stdin
status 9
-- stderr
error: user 'alice' already exists; 'ALICE' differs only by case
hint: use --allow-similar to allow this name

$ printf plover-xyzzy-quux | dash-users add ALICE --password-stdin --if-not-exists
status 9
-- stderr
error: user 'alice' already exists; 'ALICE' differs only by case
hint: use --allow-similar to allow this name

$ printf plover-xyzzy-quux | dash-users add ALICE --password-stdin --allow-similar
status 0
-- stderr
added user 'ALICE' in [DIR]/users.db

"#]]);
}

#[test]
fn add_weak_password_requires_option_and_bad_one_fails() {
    let sandbox = initialized();
    sandbox.assert_session(str![[r#"
$ printf short | dash-users add carol --password-stdin
status 8
-- stderr
error: the password is weak: it has fewer than 8 characters
hint: choose a longer password, use --generate, or accept it with --allow-weak

$ printf carol1234 | dash-users add carol --password-stdin
status 8
-- stderr
error: the password is weak: it is too easy to guess
hint: choose a longer password, use --generate, or accept it with --allow-weak

$ dash-users add carol --password-stdin --allow-weak
status 8
-- stderr
error: a password cannot be empty

$ printf 'a\tb' | dash-users add carol --password-stdin --allow-weak
status 8
-- stderr
error: a password cannot contain control characters, such as a line break or a tab

$ printf '%01025d' 0 | dash-users add carol --password-stdin --allow-weak
status 8
-- stderr
error: a password cannot be longer than 1024 bytes

$ dash-users list --format plain
status 0

$ printf short | dash-users add carol --password-stdin --allow-weak
status 0
-- stderr
added user 'carol' in [DIR]/users.db

"#]]);
}

#[test]
fn add_rejects_invalid_name_and_language_with_reason() {
    let sandbox = initialized();
    sandbox.assert_session(str![[r#"
$ printf plover-xyzzy-quux | dash-users add a:b --password-stdin
status 7
-- stderr
error: a username cannot contain ':', which ends the name in HTTP Basic authentication

$ printf plover-xyzzy-quux | dash-users add '' --password-stdin
status 7
-- stderr
error: a username cannot be empty

$ printf plover-xyzzy-quux | dash-users add --password-stdin -- -x
status 7
-- stderr
error: a username cannot begin with '-'

$ printf plover-xyzzy-quux | dash-users add carol --password-stdin --language en_US
status 7
-- stderr
error: a language must be a BCP 47 tag, such as 'en' or 'pt-BR'

$ printf plover-xyzzy-quux | dash-users add carol --password-stdin --json --language ''
status 7
-- stderr
{"error":{"code":"invalid_data","status":7,"message":"a language must be a BCP 47 tag, such as 'en' or 'pt-BR'","hint":null}}

"#]]);
}

#[test]
fn no_terminal_error_names_password_options() {
    let sandbox = initialized();
    sandbox.assert_session(str![[r#"
$ dash-users add carol
status 2
-- stderr
error: cannot ask for a password: stdin is not a terminal
hint: use --password-stdin, --password-file or --generate

$ dash-users add carol --json
status 2
-- stderr
{"error":{"code":"usage","status":2,"message":"cannot ask for a password: stdin is not a terminal","hint":"use --password-stdin, --password-file or --generate"}}

$ dash-users add carol --password-stdin --generate
status 2
-- stderr
error: the argument '--password-stdin' cannot be used with '--generate'

Usage: dash-users add --password-stdin <USER>

For more information, try '--help'.

"#]]);
}

#[test]
fn password_argument_is_rejected_and_not_shown() {
    let sandbox = initialized();
    for args in [
        &["add", "carol", "hunter2hunter2"][..],
        &["--json", "add", "carol", "hunter2hunter2"],
        &["add", "carol", "--password=hunter2hunter2"],
        &["add", "carol", "--password-stdin=hunter2hunter2"],
        &["add", "carol", "-phunter2hunter2"],
        &["add", "carol", "--generate=hunter2hunter2", "--json"],
    ] {
        let run = sandbox.run(args);
        assert_eq!(run.status, 2, "{args:?}");
        assert!(!run.to_string().contains("hunter2"), "{run}");
    }
}

#[test]
fn method_uses_werkzeug_syntax() {
    let sandbox = initialized();
    let add = |user: &str, method: &str| {
        sandbox.run_with(GOOD, &["add", user, "--password-stdin", "--method", method])
    };
    assert_eq!(add("carol", "pbkdf2:sha512:1000").status, 0);
    assert!(sandbox.stored("carol").starts_with("pbkdf2:sha512:1000$"));
    assert_eq!(add("dave", "scrypt").status, 0);
    assert!(sandbox.stored("dave").starts_with("scrypt:32768:8:1$"));
    assert_eq!(sandbox.stored("dave").len(), 162);
    sandbox.assert_session(str![[r#"
$ printf plover-xyzzy-quux | dash-users add erin --password-stdin --method scrypt:1048576:8:1
status 2
-- stderr
error: invalid value 'scrypt:1048576:8:1' for '--method <METHOD>': scrypt 128·N·r·p exceeds the limit of 256 MiB

For more information, try '--help'.

$ printf plover-xyzzy-quux | dash-users add erin --password-stdin --method bcrypt
status 2
-- stderr
error: invalid value 'bcrypt' for '--method <METHOD>': the method is neither scrypt nor pbkdf2

For more information, try '--help'.

"#]]);
}

#[test]
fn add_reports_app_constraint_violations() {
    let sandbox = initialized();
    sandbox.sql("ALTER TABLE users ADD COLUMN age INTEGER CHECK (age > 0) DEFAULT 0");
    sandbox.assert_session(str![[r#"
$ printf plover-xyzzy-quux | dash-users add carol --password-stdin
status 1
-- stderr
error: [DIR]/users.db refused the change: CHECK constraint failed: age > 0

"#]]);
}

#[test]
fn first_scrypt_hash_in_pbkdf2_table_is_noted() {
    let sandbox = initialized().with_env("DASH_USERS_METHOD", "");
    let add = |name: &str, more: &[&str]| {
        sandbox.run_with(GOOD, &[&["add", name, "--password-stdin"], more].concat()).stderr
    };
    let is_noted = |stderr: &str| stderr.contains("use --method pbkdf2");
    assert!(!is_noted(&add("ann", &["--method", "pbkdf2:sha256:9"])));
    assert!(!is_noted(&add("ben", &["--method", "scrypt:128:8:1", "--locked"])));
    sandbox.sql("DELETE FROM users WHERE username = 'ben'");
    assert!(!is_noted(&add("ben", &["--quiet"])));
    sandbox.sql("DELETE FROM users WHERE username = 'ben'");
    sandbox.assert_session(str![[r#"
$ printf plover-xyzzy-quux | dash-users passwd ann --password-stdin --method pbkdf2:sha1:9
status 0
-- stderr
set a new password for user 'ann' in [DIR]/users.db

$ printf plover-xyzzy-quux | dash-users add ben --password-stdin
status 0
-- stderr
note: all existing hashes are pbkdf2, but the new one is scrypt; use --method pbkdf2 if the app runs werkzeug before 2.3 or a Python without hashlib.scrypt
added user 'ben' in [DIR]/users.db

"#]]);
    assert!(!is_noted(&add("cleo", &[])));
    sandbox.sql("DELETE FROM users WHERE username != 'ann'");
    let passwd = sandbox.run_with(GOOD, &["passwd", "ann", "--password-stdin"]);
    assert!(is_noted(&passwd.stderr), "{passwd}");
}

#[test]
fn invisible_password_characters_are_named() {
    let sandbox = initialized();
    let add = |input: &[u8]| sandbox.run_with(input, &["add", "ann", "--password-stdin"]);
    for c in ['\u{feff}', '\u{2060}', '\u{ad}', '\u{200d}', '\u{202e}'] {
        let run = add(format!("plover{c}-xyzzy-quux").as_bytes());
        assert_eq!(run.status, 8);
        assert!(run.stderr.contains(&format!("U+{:04X}", u32::from(c))), "{run}");
    }
    sandbox.assert_session(str![[r#"
$ printf 'plover\342\200\213-xyzzy-quux' | dash-users add ann --password-stdin
status 8
-- stderr
error: the password contains the invisible character U+200B

$ printf '\377\376p\0l\0' | dash-users add ann --password-stdin
status 7
-- stderr
error: cannot read the password from stdin: the password is UTF-16LE, not UTF-8
hint: convert the file with `iconv -f UTF-16LE -t UTF-8 FILE`, or in PowerShell write it with `Set-Content -Encoding utf8`

$ dash-users add "$(printf 'an\302\240n')" --generate
status 7
-- stderr
error: a username cannot contain the whitespace character U+00A0

"#]]);
    assert_eq!(add(format!("\u{feff}{GOOD}\r\n").as_bytes()).status, 0);
    assert_eq!(sandbox.verify("ann", GOOD), 0);
}
