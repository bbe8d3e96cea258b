use snapbox::str;

use crate::support::{GOOD, empty};

#[test]
fn hash_prints_only_a_valid_hash() {
    let sandbox = empty();
    let run = sandbox.run_with(GOOD, &["hash", "--password-stdin", "--method", "scrypt:256:8:1"]);
    assert_eq!((run.status, &*run.stderr), (0, ""));
    assert!(run.stdout.starts_with("scrypt:256:8:1$"), "{run}");
    assert_eq!(run.stdout.lines().count(), 1);

    sandbox.write("hash", &run.stdout);
    sandbox.assert_session(str![[r#"
$ printf plover-xyzzy-quux | dash-users hash --check --hash-file hash --password-stdin
status 0
-- stdout
the password matches

$ printf other | dash-users hash --check --hash-file hash --password-stdin
status 3
-- stdout
the password does not match

$ printf other | dash-users hash --check --hash-file hash --password-stdin --json
status 3
-- stdout
{"verified":false}
-- stderr
{"error":{"code":"refused","status":3,"message":"the password does not match","hint":null}}

"#]]);
    let check = ["hash", "--check", "--hash-file", "hash", "--password-stdin", "--json"];
    assert_eq!(sandbox.run_with(GOOD, &check).json()["verified"], true);
}

#[test]
fn hash_generate_prints_password_and_hash() {
    let sandbox = empty();
    let run = sandbox.run(&["hash", "--generate"]);
    let [password, hash] = run.stdout.lines().collect::<Vec<_>>()[..] else { panic!("{run}") };
    sandbox.write("hash", hash);
    let check = ["hash", "--check", "--hash-file", "hash", "--password-stdin"];
    assert_eq!(sandbox.run_with(password, &check).status, 0);
    let json = sandbox.run(&["hash", "--generate", "--json"]).json();
    assert_eq!(json["password"].as_str().unwrap().len(), 20);
    assert!(json["hash"].as_str().unwrap().starts_with("scrypt:128:8:1$"));
}

#[test]
fn hash_check_rejects_unusable_hash_without_showing_it() {
    let sandbox = empty();
    sandbox.write("bcrypt", "$2b$12$abcdefghijklmnopqrstuv");
    sandbox.write("binary", b"\xff");
    sandbox.write("costly", "scrypt:1048576:8:1$a$b");
    sandbox.write("text", "no hash at all");
    sandbox.assert_session(str![[r#"
$ printf plover-xyzzy-quux | dash-users hash --check --hash-file bcrypt --password-stdin
status 7
-- stderr
error: no usable hash in bcrypt: the method is neither scrypt nor pbkdf2

$ printf plover-xyzzy-quux | dash-users hash --check --hash-file binary --password-stdin
status 7
-- stderr
error: no usable hash in binary: not UTF-8

$ printf plover-xyzzy-quux | dash-users hash --check --hash-file costly --password-stdin
status 7
-- stderr
error: no usable hash in costly: scrypt 128·N·r·p exceeds the limit of 256 MiB

$ printf plover-xyzzy-quux | dash-users hash --check --hash-file text --password-stdin
status 3
-- stdout
the password does not match

$ dash-users hash --check --hash-file gone --password-stdin
status 1
-- stderr
error: the file given by --hash-file does not exist (name not shown: it may be the hash)
hint: write the hash to a file, and pass the name of that file

"#]]);
}

#[test]
fn hash_requires_password_that_meets_policy() {
    let sandbox = empty();
    sandbox.assert_session(str![[r#"
$ printf password | dash-users hash --password-stdin
status 8
-- stderr
error: the password is weak: it is too easy to guess
hint: choose a longer password, use --generate, or accept it with --allow-weak

"#]]);
    let weak = ["hash", "--password-stdin", "--allow-weak"];
    assert_eq!(sandbox.run_with("password", &weak).status, 0);
}

#[test]
fn hash_check_requires_hash_file_and_vice_versa() {
    let sandbox = empty();
    assert_eq!(sandbox.run(&["hash", "--check"]).status, 2);
    assert_eq!(sandbox.run(&["hash", "--hash-file", "x"]).status, 2);
    assert_eq!(sandbox.run(&["hash", "--check", "--hash-file", "x", "--generate"]).status, 2);
}
