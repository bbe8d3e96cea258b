use snapbox::str;

use crate::support::{assert_run, seeded};

#[test]
fn rename_keeps_password_groups_and_history() {
    let sandbox = seeded();
    sandbox.run(&["group", "add", "alice", "staff"]);
    let hash = sandbox.stored("alice");
    assert_run!(
        sandbox.run(&["rename", "alice", "alice.smith"]),
        str![[r#"
status 0
-- stdout
-- stderr
renamed user 'alice' to 'alice.smith' in [DIR]/users.db

"#]]
    );
    assert_eq!(sandbox.stored("alice.smith"), hash);
    assert_run!(
        sandbox.run(&["rename", "alice.smith", "Alice.Smith", "--json"]),
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","username":"alice.smith","action":"rename","changed":true,"new_username":"Alice.Smith"}
-- stderr

"#]]
    );
    assert_run!(
        sandbox.run(&["rename", "Alice.Smith", "Alice.Smith"]),
        str![[r#"
status 0
-- stdout
-- stderr
user 'Alice.Smith' already has this name in [DIR]/users.db

"#]]
    );
    assert_run!(
        sandbox.run(&["show", "Alice.Smith", "--format", "plain"]),
        str![[r#"
status 0
-- stdout
Alice.Smith	en	false	scrypt:128:8:1	false	staff	[TIME]	[TIME]
-- stderr

"#]]
    );
    assert_run!(
        sandbox.run(&["history", "Alice.Smith", "--format", "plain"]),
        str![[r#"
status 0
-- stdout
5	[TIME]	admin	rename	alice.smith	to Alice.Smith
4	[TIME]	admin	rename	alice	to alice.smith
3	[TIME]	admin	group add	alice	staff
1	[TIME]	admin	add	alice	\N
-- stderr

"#]]
    );
    assert_eq!(sandbox.run(&["show", "alice"]).status, 6);
}

#[test]
fn rename_rejects_taken_and_invalid_names() {
    let sandbox = seeded();
    assert_run!(
        sandbox.run(&["rename", "alice", "bob"]),
        str![[r#"
status 9
-- stdout
-- stderr
error: user 'bob' already exists
hint: choose another name, or remove the other user first

"#]]
    );
    assert_run!(
        sandbox.run(&["rename", "alice", "Bob"]),
        str![[r#"
status 9
-- stdout
-- stderr
error: user 'bob' already exists; 'Bob' differs only by case
hint: use --allow-similar to allow this name

"#]]
    );
    assert_run!(
        sandbox.run(&["rename", "alice", "a:b"]),
        str![[r#"
status 7
-- stdout
-- stderr
error: a username cannot contain ':', which ends the name in HTTP Basic authentication

"#]]
    );
    assert_run!(
        sandbox.run(&["rename", "nobody", "carol", "--json"]),
        str![[r#"
status 6
-- stdout
-- stderr
{"error":{"code":"no_such_user","status":6,"message":"no user 'nobody'","hint":null}}

"#]]
    );
    assert_eq!(sandbox.run(&["rename", "alice", "Bob", "--allow-similar"]).status, 0);
}

#[test]
fn rename_fails_if_app_foreign_key_forbids_it() {
    let sandbox = seeded();
    sandbox.sql(
        "CREATE TABLE orders (username TEXT REFERENCES users (username));
         INSERT INTO orders VALUES ('alice');",
    );
    assert_run!(
        sandbox.run(&["rename", "alice", "zoe"]),
        str![[r#"
status 1
-- stdout
-- stderr
error: [DIR]/users.db refused the change: rows in orders reference the user

"#]]
    );
    assert_eq!(sandbox.run(&["rename", "bob", "zoe"]).status, 0);
}
