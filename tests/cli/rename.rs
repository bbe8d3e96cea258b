use snapbox::str;

use crate::support::seeded;

#[test]
fn rename_keeps_password_groups_and_history() {
    let sandbox = seeded();
    sandbox.run(&["group", "add", "alice", "staff"]);
    let hash = sandbox.stored("alice");
    sandbox.assert_session(str![[r#"
$ dash-users rename alice alice.smith
status 0
-- stderr
renamed user 'alice' to 'alice.smith' in [DIR]/users.db

"#]]);
    assert_eq!(sandbox.stored("alice.smith"), hash);
    sandbox.assert_session(str![[r#"
$ dash-users rename alice.smith Alice.Smith --json
status 0
-- stdout
{"database":"[DIR]/users.db","username":"alice.smith","action":"rename","changed":true,"new_username":"Alice.Smith"}

$ dash-users rename Alice.Smith Alice.Smith
status 0
-- stderr
user 'Alice.Smith' already has this name in [DIR]/users.db

$ dash-users show Alice.Smith --format plain
status 0
-- stdout
Alice.Smith	en	false	scrypt:128:8:1	false	staff	[TIME]	[TIME]

$ dash-users history Alice.Smith --format plain
status 0
-- stdout
5	[TIME]	admin	rename	alice.smith	to Alice.Smith
4	[TIME]	admin	rename	alice	to alice.smith
3	[TIME]	admin	group add	alice	staff
1	[TIME]	admin	add	alice	\N

"#]]);
    assert_eq!(sandbox.run(&["show", "alice"]).status, 6);
}

#[test]
fn rename_rejects_taken_and_invalid_names() {
    let sandbox = seeded();
    sandbox.assert_session(str![[r#"
$ dash-users rename alice bob
status 9
-- stderr
error: user 'bob' already exists
hint: choose another name, or remove the other user first

$ dash-users rename alice Bob
status 9
-- stderr
error: user 'bob' already exists; 'Bob' differs only by case
hint: use --allow-similar to allow this name

$ dash-users rename alice a:b
status 7
-- stderr
error: a username cannot contain ':', which ends the name in HTTP Basic authentication

$ dash-users rename nobody carol --json
status 6
-- stderr
{"error":{"code":"no_such_user","status":6,"message":"no user 'nobody'","hint":null}}

"#]]);
    assert_eq!(sandbox.run(&["rename", "alice", "Bob", "--allow-similar"]).status, 0);
}

#[test]
fn rename_fails_if_app_foreign_key_forbids_it() {
    let sandbox = seeded();
    sandbox.sql(
        "CREATE TABLE orders (username TEXT REFERENCES users (username));
         INSERT INTO orders VALUES ('alice');",
    );
    sandbox.assert_session(str![[r#"
$ dash-users rename alice zoe
status 1
-- stderr
error: [DIR]/users.db refused the change: rows in orders reference the user

"#]]);
    assert_eq!(sandbox.run(&["rename", "bob", "zoe"]).status, 0);
}
