use snapbox::str;

use crate::support::seeded;

#[test]
fn lock_blocks_login_and_unlock_restores_exact_hash() {
    let sandbox = seeded();
    let before = sandbox.stored("alice");
    let verify = || sandbox.verify("alice", "secret123");
    sandbox.assert_session(str![[r#"
$ dash-users lock alice
status 0
-- stderr
locked user 'alice' in [DIR]/users.db

$ dash-users lock alice
status 0
-- stderr
user 'alice' is already locked in [DIR]/users.db

"#]]);
    assert_eq!(verify(), 3);
    assert_eq!(sandbox.stored("alice"), format!("!{}", before.replace('$', "|")));
    sandbox.wait_three_days();
    sandbox.assert_session(str![[r#"
$ dash-users list --locked
status 0
-- stdout
USER   LANGUAGE  STATE   CREATED  PASSWORD SET
alice  en        locked  3d       3d

$ dash-users unlock alice
status 0
-- stderr
unlocked user 'alice' in [DIR]/users.db

$ dash-users unlock alice
status 0
-- stderr
user 'alice' is not locked in [DIR]/users.db

"#]]);
    assert_eq!(verify(), 0);
    assert_eq!(sandbox.stored("alice"), before);
}

#[test]
fn lock_json_lists_changed_and_unchanged_users() {
    let sandbox = seeded();
    sandbox.assert_session(str![[r#"
$ dash-users lock bob --json
status 0
-- stdout
[{"database":"[DIR]/users.db","username":"bob","action":"lock","changed":true}]

$ dash-users lock alice bob alice --json
status 0
-- stdout
[{"database":"[DIR]/users.db","username":"alice","action":"lock","changed":true},{"database":"[DIR]/users.db","username":"bob","action":"lock","changed":false}]

$ dash-users unlock alice bob --json
status 0
-- stdout
[{"database":"[DIR]/users.db","username":"alice","action":"unlock","changed":true},{"database":"[DIR]/users.db","username":"bob","action":"unlock","changed":true}]

"#]]);
}

#[test]
fn lock_is_all_or_nothing() {
    let sandbox = seeded();
    let before = sandbox.stored("alice");
    sandbox.assert_session(str![[r#"
$ dash-users lock alice nobody
status 6
-- stderr
error: no user 'nobody'

"#]]);
    sandbox.sql("UPDATE users SET password_hash = printf('%.65537c', 'x') WHERE username = 'bob'");
    sandbox.assert_session(str![[r#"
$ dash-users lock alice bob
status 7
-- stderr
error: cannot use the stored password hash of 'bob': longer than 64 KiB
hint: run `dash-users passwd bob --database [DIR]/users.db` to set a new password

"#]]);
    assert_eq!(sandbox.stored("alice"), before);
    assert_eq!(sandbox.run(&["lock"]).status, 2);
}

#[test]
fn lock_accepts_hash_that_only_werkzeug_supports() {
    let sandbox = seeded();
    let hash = "pbkdf2:sha224:1000$a|b$00ff";
    sandbox.sql(&format!("UPDATE users SET password_hash = '{hash}' WHERE username = 'bob'"));
    assert_eq!(sandbox.run(&["lock", "bob"]).status, 0);
    assert_eq!(sandbox.stored("bob"), "!pbkdf2:sha224:1000|a|b|00ff");
    assert_eq!(sandbox.run(&["unlock", "bob"]).status, 0);
    assert_eq!(sandbox.stored("bob"), hash);
}

#[test]
fn lock_accepts_any_text_and_unlock_restores_it() {
    let sandbox = seeded();
    for value in ["plain text", "$2b$12$abc", "pbkdf2:ssl3-sha1:1000$salt$00ff", "scrypt$a|b$c", ""]
    {
        sandbox.sql(&format!("UPDATE users SET password_hash = '{value}' WHERE username = 'bob'"));
        assert_eq!(sandbox.run(&["lock", "bob"]).status, 0, "{value}");
        let locked = sandbox.stored("bob");
        assert!(locked.starts_with('!') && !locked.contains('$'), "{locked}");
        assert_eq!(sandbox.verify("bob", "x"), 3);
        assert_eq!(sandbox.run(&["unlock", "bob"]).status, 0, "{value}");
        assert_eq!(sandbox.stored("bob"), value);
    }
}
