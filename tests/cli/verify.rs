use snapbox::str;

use crate::support::{Run, SECRET123, initialized, seeded};

#[test]
fn verify_hides_whether_user_exists() {
    let sandbox = seeded();
    let verify = |user: &str, options: &[&str]| {
        sandbox.run_with("x", &[&["verify", user, "--password-stdin"], options].concat())
    };
    for options in [&[][..], &["--json"], &["--format", "plain"], &["--upgrade"]] {
        let wrong = verify("alice", options);
        let unknown = verify("nobody", options);
        assert_eq!(wrong.status, 3);
        assert_eq!(wrong.to_string().replace("alice", "nobody"), unknown.to_string());
    }
}

#[test]
fn verify_prints_result_in_each_format() {
    let sandbox = seeded();
    sandbox.assert_session(str![[r#"
$ printf 'secret123\n' | dash-users verify alice --password-stdin
status 0
-- stdout
alice: accepted

$ printf secret123 | dash-users verify alice --password-stdin --quiet --format plain
status 0
-- stdout
alice	true	false

$ printf secret123 | dash-users verify alice --password-stdin --json
status 0
-- stdout
{"username":"alice","verified":true,"upgraded":false}

$ printf secret123 | dash-users verify alice --password-stdin --json --explain
status 0
-- stdout
{"username":"alice","verified":true,"upgraded":false,"reason":null}

$ printf secret124 | dash-users verify alice --password-stdin
status 3
-- stdout
alice: refused

$ printf secret124 | dash-users verify alice --password-stdin --json
status 3
-- stdout
{"username":"alice","verified":false,"upgraded":false}
-- stderr
{"error":{"code":"refused","status":3,"message":"alice: refused","hint":null}}

$ printf secret124 | dash-users verify alice --password-stdin --json --explain
status 3
-- stdout
{"username":"alice","verified":false,"upgraded":false,"reason":"wrong_password"}
-- stderr
{"error":{"code":"refused","status":3,"message":"alice: refused: the password is wrong","hint":null}}

"#]]);
}

#[test]
fn verify_explain_gives_reason() {
    let sandbox = initialized();
    let locked = SECRET123.replace('$', "|");
    sandbox.sql(&format!(
        "INSERT INTO users VALUES
         ('outdated', '{SECRET123}', 'en'), ('locked', '!{locked}', 'en'), ('empty', '', 'en'),
         ('bang', '!{SECRET123}', 'en'), ('bcrypt', '$2b$12$abc', 'en'),
         ('sha224', 'pbkdf2:sha224:1$a$b', 'en'), ('huge', 'scrypt:1048576:8:1$a$b', 'en'),
         ('blob', x'00', 'en'), ('short', 'scrypt$a$b', 'en')"
    ));
    let raises = "werkzeug raises an exception: the method is neither scrypt nor pbkdf2";
    for (user, password, status, reason) in [
        ("outdated", "secret123", 0, "the stored hash is outdated; use --upgrade to replace it"),
        ("outdated", "x", 3, "the password is wrong"),
        ("locked", "secret123", 3, "the user is locked; the password is right"),
        ("locked", "x", 3, "the user is locked; the password is wrong"),
        ("nobody", "x", 3, "no such user"),
        ("empty", "x", 3, "not a hash (fewer than two '$')"),
        ("short", "x", 3, "the digest is not lowercase hexadecimal of the right length"),
        ("bang", "secret123", 7, raises),
        ("bcrypt", "x", 7, raises),
        (
            "sha224",
            "x",
            7,
            "the pbkdf2 digest is not sha1, sha256 or sha512; werkzeug may support it",
        ),
        ("huge", "x", 7, "scrypt 128·N·r·p exceeds the limit of 256 MiB"),
        ("blob", "x", 7, "werkzeug raises an exception: not UTF-8 text"),
    ] {
        let answer = match status {
            0 => "accepted",
            3 => "refused",
            _ => "the stored hash cannot be used",
        };
        let run = sandbox.run_with(password, &["verify", user, "--password-stdin", "--explain"]);
        let stdout = format!("{user}: {answer}: {reason}\n");
        assert_eq!(run, Run { status, stdout, stderr: String::new() });
    }
    sandbox.assert_session(str![[r#"
$ printf x | dash-users verify huge --password-stdin --explain --json
status 7
-- stdout
{"username":"huge","verified":false,"upgraded":false,"reason":"over_limit"}
-- stderr
{"error":{"code":"invalid_data","status":7,"message":"huge: the stored hash cannot be used: scrypt 128·N·r·p exceeds the limit of 256 MiB","hint":null}}

"#]]);
}

#[test]
fn verify_upgrade_requires_right_password() {
    let sandbox = initialized();
    sandbox.sql(&format!("INSERT INTO users VALUES ('alice', '{SECRET123}', 'en')"));
    let upgrade = ["verify", "alice", "--password-stdin", "--upgrade", "--json"];
    assert_eq!(sandbox.run_with("x", &upgrade).status, 3);
    assert_eq!(sandbox.stored("alice"), SECRET123);
    sandbox.assert_session(str![[r#"
$ printf secret123 | dash-users verify alice --password-stdin --upgrade --json
status 0
-- stdout
{"database":"[DIR]/users.db","username":"alice","verified":true,"upgraded":true}

"#]]);
    assert!(sandbox.stored("alice").starts_with("scrypt:128:8:1$"));
    sandbox.assert_session(str![[r#"
$ printf secret123 | dash-users verify alice --password-stdin --upgrade --json
status 0
-- stdout
{"username":"alice","verified":true,"upgraded":false}

$ printf secret123 | dash-users verify alice --password-stdin
status 0
-- stdout
alice: accepted

"#]]);
}
