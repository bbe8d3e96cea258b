use snapbox::str;

use crate::support::{GOOD, SECRET123, initialized, seeded};

#[test]
fn passwd_replaces_old_password() {
    let sandbox = seeded();
    sandbox.assert_session(str![[r#"
$ printf plover-xyzzy-quux | dash-users passwd alice --password-stdin
status 0
-- stderr
set a new password for user 'alice' in [DIR]/users.db

"#]]);
    assert_eq!(sandbox.verify("alice", GOOD), 0);
    assert_eq!(sandbox.verify("alice", "secret123"), 3);
    sandbox.assert_session(str![[r#"
$ printf plover-xyzzy-quux | dash-users passwd alice --password-stdin --json
status 0
-- stdout
{"database":"[DIR]/users.db","username":"alice","action":"passwd","changed":true}

"#]]);
}

#[test]
fn passwd_generate_prints_password_once() {
    let sandbox = seeded();
    let run = sandbox.run(&["passwd", "bob", "--generate"]);
    assert_eq!(run.stdout.len(), 21);
    assert_eq!(sandbox.verify("bob", run.stdout), 0);
}

#[test]
fn passwd_rejects_unknown_user_and_weak_password() {
    let sandbox = seeded();
    let before = sandbox.stored("alice");
    sandbox.assert_session(str![[r#"
$ printf plover-xyzzy-quux | dash-users passwd nobody --password-stdin
status 6
-- stderr
error: no user 'nobody'

$ printf alice123 | dash-users passwd alice --password-stdin --json
status 8
-- stderr
{"error":{"code":"weak_password","status":8,"message":"the password is weak: it is too easy to guess","hint":"choose a longer password, use --generate, or accept it with --allow-weak"}}

"#]]);
    assert_eq!(sandbox.stored("alice"), before);
}

#[test]
fn passwd_keeps_lock_and_replaces_invalid_value() {
    let sandbox = initialized();
    let locked = format!("!{}", SECRET123.replace('$', "|"));
    sandbox.sql(&format!("INSERT INTO users VALUES ('zoe', '{locked}', 'de'), ('yan', '!', 'de')"));
    sandbox.assert_session(str![[r#"
$ printf plover-xyzzy-quux | dash-users passwd zoe --password-stdin
status 0
-- stderr
set a new password for locked user 'zoe' in [DIR]/users.db

"#]]);
    assert!(sandbox.stored("zoe").starts_with("!scrypt:128:8:1|"));
    assert_eq!(sandbox.run_with(GOOD, &["passwd", "yan", "--password-stdin"]).status, 0);
    assert!(sandbox.stored("yan").starts_with("scrypt:128:8:1$"));
}
