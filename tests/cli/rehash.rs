use snapbox::str;

use crate::support::{SECRET123, initialized, seeded};

#[test]
fn rehash_stores_new_hash_for_right_password() {
    let sandbox = seeded();
    sandbox.sql("INSERT INTO users VALUES ('carol', '$2b$12$abc', 'en')");
    let before = sandbox.stored("alice");
    sandbox.assert_session(str![[r#"
$ printf secret124 | dash-users rehash alice --password-stdin --method pbkdf2:sha1:9
status 3
-- stderr
error: wrong password

"#]]);
    assert_eq!(sandbox.stored("alice"), before);
    sandbox.assert_session(str![[r#"
$ printf secret123 | dash-users rehash alice --password-stdin --method pbkdf2:sha1:9
status 0
-- stderr
stored a new hash for user 'alice' in [DIR]/users.db

"#]]);
    assert!(sandbox.stored("alice").starts_with("pbkdf2:sha1:9$"));
    sandbox.assert_session(str![[r#"
$ printf secret123 | dash-users rehash nobody --password-stdin --method pbkdf2:sha1:9
status 6
-- stderr
error: no user 'nobody'

$ printf secret123 | dash-users rehash carol --password-stdin --method pbkdf2:sha1:9
status 7
-- stderr
error: cannot use the stored password hash of 'carol': the method is neither scrypt nor pbkdf2
hint: run `dash-users passwd carol --database [DIR]/users.db` to set a new password

$ printf x | dash-users rehash alice bob --password-stdin
status 2
-- stderr
error: rehash accepts only one USER, except with --plaintext
hint: run rehash once per user, or use --plaintext for stored plaintext passwords

"#]]);
}

#[test]
fn rehash_keeps_locked_user_locked() {
    let sandbox = seeded();
    let locked = format!("!{}", sandbox.stored("alice").replace('$', "|"));
    sandbox.sql(&format!("UPDATE users SET password_hash = '{locked}' WHERE username = 'alice'"));
    assert_eq!(sandbox.run_with("secret123", &["rehash", "alice", "--password-stdin"]).status, 0);
    assert!(sandbox.stored("alice").starts_with("!scrypt:128:8:1|"));
    assert_ne!(sandbox.stored("alice"), locked);
}

#[test]
fn rehash_plaintext_hashes_plaintext_passwords() {
    let sandbox = initialized();
    sandbox.sql(&format!(
        "INSERT INTO users VALUES ('alice', 'secret123', 'en'), ('bob', 'pa$$w0rd', 'fr'),
                                  ('carol', '{SECRET123}', 'en')"
    ));
    sandbox.assert_session(str![[r#"
$ dash-users rehash --plaintext alice
status 0
-- stderr
warning: earlier backups still contain the plaintext passwords
hashed the plaintext password of user 'alice' in [DIR]/users.db
1 hashed, 0 unchanged

$ dash-users rehash --plaintext --all
status 0
-- stderr
user 'alice' already has a hash in [DIR]/users.db
warning: earlier backups still contain the plaintext passwords
hashed the plaintext password of user 'bob' in [DIR]/users.db
user 'carol' already has a hash in [DIR]/users.db
1 hashed, 2 unchanged

$ dash-users rehash --plaintext --all --json
status 0
-- stdout
[{"database":"[DIR]/users.db","username":"alice","action":"rehash","changed":false},{"database":"[DIR]/users.db","username":"bob","action":"rehash","changed":false},{"database":"[DIR]/users.db","username":"carol","action":"rehash","changed":false}]

"#]]);
    for (user, password) in [("alice", "secret123"), ("bob", "pa$$w0rd")] {
        assert_eq!(sandbox.verify(user, password), 0);
    }
    assert_eq!(sandbox.stored("carol"), SECRET123);
}

#[test]
fn rehash_plaintext_keeps_locked_unsupported_hash() {
    let sandbox = initialized();
    let locked = "!pbkdf2:sha224:1000|salt|00ff";
    let invalid = "!scrypt:32768:8:1|a|b";
    sandbox.sql(&format!("INSERT INTO users VALUES ('zoe', '{locked}', 'en')"));
    assert_eq!(sandbox.run(&["rehash", "--plaintext", "zoe"]).status, 0);
    assert_eq!(sandbox.stored("zoe"), locked);
    sandbox.wait_three_days();
    sandbox.assert_session(str![[r#"
$ dash-users list --locked
status 0
-- stdout
USER  LANGUAGE  STATE   CREATED  PASSWORD SET
zoe   en        locked  3d       3d

"#]]);
    assert_eq!(sandbox.verify("zoe", "x"), 3);
    assert_eq!(sandbox.run(&["passwd", "zoe", "--generate"]).status, 0);
    assert!(sandbox.stored("zoe").starts_with('!'));
    sandbox.sql(&format!("UPDATE users SET password_hash = '{invalid}'"));
    assert_eq!(sandbox.run(&["rehash", "--plaintext", "zoe"]).status, 7);
}

#[test]
fn rehash_plaintext_rejects_hash_like_values() {
    let sandbox = initialized();
    sandbox
        .sql("INSERT INTO users VALUES ('alice', 'secret123', 'en'), ('bob', '$2b$12$abc', 'fr')");
    sandbox.assert_session(str![[r#"
$ dash-users rehash --plaintext --all
status 7
-- stderr
error: the stored value of 'bob' looks like a hash but is not valid; it is not accepted as a password
hint: run `dash-users passwd bob --database [DIR]/users.db` to set a new password, or use --allow-hash-like if the stored value really is the password

"#]]);
    assert_eq!(sandbox.stored("alice"), "secret123");
    sandbox.sql("UPDATE users SET password_hash = '' WHERE username = 'bob'");
    sandbox.assert_session(str![[r#"
$ dash-users rehash --plaintext --all --json
status 7
-- stderr
{"error":{"code":"invalid_data","status":7,"message":"the stored value of 'bob' is empty or a placeholder such as None","hint":"run dash-users passwd bob --database [DIR]/users.db to set a new password"}}

$ dash-users rehash --plaintext alice nobody
status 6
-- stderr
error: no user 'nobody'

"#]]);
    assert_eq!(sandbox.stored("alice"), "secret123");
    assert_eq!(sandbox.run(&["rehash", "--plaintext"]).status, 2);
    assert_eq!(sandbox.run(&["rehash", "--all"]).status, 2);
    assert_eq!(sandbox.run(&["rehash", "--plaintext", "--all", "alice"]).status, 2);
}

#[test]
fn rehash_plaintext_rejects_digests_unless_allowed() {
    let sandbox = initialized();
    let digest = "sha256:5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";
    let sha224 = "pbkdf2:sha224:1000$salt$00ff";
    sandbox.sql(&format!(
        "INSERT INTO users VALUES ('alice', '{digest}', 'en'), ('bob', '{sha224}', 'en')"
    ));
    sandbox.assert_session(str![[r#"
$ dash-users rehash --plaintext alice
status 7
-- stderr
error: the stored value of 'alice' looks like a hash but is not valid; it is not accepted as a password
hint: run `dash-users passwd alice --database [DIR]/users.db` to set a new password, or use --allow-hash-like if the stored value really is the password

"#]]);
    assert_eq!(sandbox.stored("alice"), digest);
    let allowed = |user| sandbox.run(&["rehash", "--plaintext", user, "--allow-hash-like"]).status;
    assert_eq!(allowed("alice"), 0);
    assert_eq!(sandbox.verify("alice", digest), 0);
    // Some apps can verify it.
    assert_eq!(allowed("bob"), 7);
    assert_eq!(sandbox.stored("bob"), sha224);
    // The option requires usernames and --plaintext.
    assert_eq!(sandbox.run(&["rehash", "--plaintext", "--all", "--allow-hash-like"]).status, 2);
    assert_eq!(sandbox.run(&["rehash", "alice", "--allow-hash-like"]).status, 2);
}

#[test]
fn rehash_plaintext_reports_all_bad_values_at_once() {
    let sandbox = initialized();
    sandbox.sql(&format!(
        "INSERT INTO users VALUES ('alice', 'secret123', 'en'), ('bob', 'None', 'en'),
             ('carol', 'b''{SECRET123}''', 'en'), ('dave', 'nan', 'en')"
    ));
    sandbox.assert_session(str![[r#"
$ dash-users rehash --plaintext --all
status 7
-- stderr
[DIR]/users.db: the stored value of 'bob' is empty or a placeholder such as None
[DIR]/users.db: the stored value of 'carol' is a valid hash with Python's b'…' around it, which is not accepted as a password
[DIR]/users.db: the stored value of 'dave' is empty or a placeholder such as None
error: 3 stored values are not passwords; nothing was changed
hint: run `dash-users check --database [DIR]/users.db` to see how to fix each one

$ dash-users rehash --plaintext --all --json
status 7
-- stderr
{"error":{"code":"invalid_data","status":7,"message":"3 stored values are not passwords; nothing was changed","hint":"run dash-users check --database [DIR]/users.db to see how to fix each one","details":[{"line":null,"item":null,"code":"invalid_data","message":"the stored value of 'bob' is empty or a placeholder such as None"},{"line":null,"item":null,"code":"invalid_data","message":"the stored value of 'carol' is a valid hash with Python's b'…' around it, which is not accepted as a password"},{"line":null,"item":null,"code":"invalid_data","message":"the stored value of 'dave' is empty or a placeholder such as None"}]}}

$ dash-users rehash --plaintext carol
status 7
-- stderr
error: the stored value of 'carol' is a valid hash with Python's b'…' around it, which is not accepted as a password
hint: run `dash-users check --fix --unwrap --database [DIR]/users.db` to repair the hash

"#]]);
    assert_eq!(sandbox.stored("alice"), "secret123");
}
