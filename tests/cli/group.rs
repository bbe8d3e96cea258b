use snapbox::str;

use crate::support::{GOOD, assert_run, initialized, seeded};

#[test]
fn group_add_adds_memberships() {
    let sandbox = seeded();
    assert_run!(
        sandbox.run(&["group", "add", "alice", "admins", "data science"]),
        str![[r#"
status 0
-- stdout
-- stderr
added user 'alice' to groups 'admins', 'data science' in [DIR]/users.db

"#]]
    );
    assert_run!(
        sandbox.run(&["group", "add", "alice", "admins"]),
        str![[r#"
status 0
-- stdout
-- stderr
user 'alice' is already in group 'admins' in [DIR]/users.db

"#]]
    );
    assert_run!(
        sandbox.run(&["group", "add", "bob", "admins", "Führung", "--json"]),
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","username":"bob","action":"group add","changed":true}
-- stderr

"#]]
    );
    assert_run!(
        sandbox.run(&["group", "list"]),
        str![[r#"
status 0
-- stdout
GROUP         USERS
Führung       bob
admins        alice, bob
data science  alice
-- stderr

"#]]
    );
    assert_run!(
        sandbox.run(&["group", "list", "--format", "plain"]),
        str![[r#"
status 0
-- stdout
bob	Führung
alice	admins
bob	admins
alice	data science
-- stderr

"#]]
    );
    assert_run!(
        sandbox.run(&["group", "ls", "alice", "--json"]),
        str![[r#"
status 0
-- stdout
[{"username":"alice","group":"admins"},{"username":"alice","group":"data science"}]
-- stderr

"#]]
    );
}

#[test]
fn group_remove_deletes_memberships() {
    let sandbox = seeded();
    sandbox.run(&["group", "add", "alice", "admins", "data science"]);
    sandbox.run(&["group", "add", "bob", "admins", "Führung"]);
    assert_run!(
        sandbox.run(&["group", "remove", "alice", "admins", "nobody's"]),
        str![[r#"
status 0
-- stdout
-- stderr
removed user 'alice' from group 'admins' in [DIR]/users.db

"#]]
    );
    assert_run!(
        sandbox.run(&["group", "rm", "alice", "admins"]),
        str![[r#"
status 0
-- stdout
-- stderr
user 'alice' is not in group 'admins' in [DIR]/users.db

"#]]
    );
    assert_run!(
        sandbox.run(&["group", "remove", "alice", "admins", "--json"]),
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","username":"alice","action":"group remove","changed":false}
-- stderr

"#]]
    );
    assert_eq!(sandbox.run(&["show", "alice", "--json"]).json()["groups"][0], "data science");
    assert_run!(
        sandbox.run(&["list", "--group", "admins", "--format", "plain"]),
        str![[r#"
status 0
-- stdout
bob	fr	false	scrypt:128:8:1	false	Führung,admins	[TIME]	[TIME]
-- stderr

"#]]
    );
    assert_run!(
        sandbox.run(&["list", "--group", "nobody's", "--json"]),
        str![[r#"
status 0
-- stdout
[]
-- stderr

"#]]
    );
}

#[test]
fn group_add_rejects_invalid_name_and_changes_nothing() {
    let sandbox = seeded();
    assert_run!(
        sandbox.run(&["group", "add", "alice", "staff", "a,b"]),
        str![[r#"
status 7
-- stdout
-- stderr
error: a group name cannot contain ',', which separates groups

"#]]
    );
    assert_run!(
        sandbox.run(&["group", "add", "nobody", "staff"]),
        str![[r#"
status 6
-- stdout
-- stderr
error: no user 'nobody'

"#]]
    );
    assert_run!(
        sandbox.run(&["group", "remove", "nobody", "staff", "--json"]),
        str![[r#"
status 6
-- stdout
-- stderr
{"error":{"code":"no_such_user","status":6,"message":"no user 'nobody'","hint":null}}

"#]]
    );
    assert_run!(
        sandbox.run(&["group", "list", "nobody"]),
        str![[r#"
status 6
-- stdout
-- stderr
error: no user 'nobody'

"#]]
    );
    assert_eq!(sandbox.run(&["group", "list", "--format", "plain"]).stdout, "");
    let add = ["add", "carol", "--group", "a;b", "--password-stdin"];
    assert_run!(
        sandbox.run_with(GOOD, &add),
        str![[r#"
status 7
-- stdout
-- stderr
error: a group name cannot contain ';', which separates groups

"#]]
    );
}

#[test]
fn add_accepts_locked_and_groups() {
    let sandbox = initialized();
    let add = ["add", "carol", "--group", "staff", "--group", "admins", "--locked"];
    assert_run!(
        sandbox.run_with(GOOD, &[&add[..], &["--password-stdin"]].concat()),
        str![[r#"
status 0
-- stdout
-- stderr
added locked user 'carol' in [DIR]/users.db

"#]]
    );
    let carol = sandbox.run(&["show", "carol", "--json"]).json();
    assert_eq!(carol["groups"], serde_json::json!(["admins", "staff"]));
    assert_eq!(carol["locked"], true);
    let verify = ["verify", "carol", "--password-stdin"];
    assert_eq!(sandbox.run_with(GOOD, &verify).status, 3);
    sandbox.run(&["unlock", "carol"]);
    assert_eq!(sandbox.run_with(GOOD, &verify).status, 0);
}

#[test]
fn group_remove_accepts_invalid_existing_group() {
    let sandbox = seeded();
    sandbox.sql("INSERT INTO user_groups VALUES ('alice', 'a,b')");
    assert_eq!(sandbox.run(&["group", "remove", "alice", "a,b"]).status, 0);
    assert_eq!(sandbox.run(&["group", "list", "--format", "plain"]).stdout, "");
}
