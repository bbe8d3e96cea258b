use snapbox::str;

use crate::support::{GOOD, initialized, seeded};

#[test]
fn group_add_adds_memberships() {
    let sandbox = seeded();
    sandbox.assert_session(str![[r#"
$ dash-users group add alice admins 'data science'
status 0
-- stderr
new group 'admins'
new group 'data science'
added user 'alice' to groups 'admins', 'data science' in [DIR]/users.db

$ dash-users group add alice admins
status 0
-- stderr
user 'alice' is already in group 'admins' in [DIR]/users.db

$ dash-users group add bob admins Führung --json
status 0
-- stdout
{"database":"[DIR]/users.db","username":"bob","action":"group add","changed":true,"groups":["admins","Führung"]}

$ dash-users group list
status 0
-- stdout
GROUP         USERS
Führung       bob
admins        alice, bob
data science  alice

$ dash-users group list --format plain
status 0
-- stdout
bob	Führung
alice	admins
bob	admins
alice	data science

$ dash-users group ls alice --json
status 0
-- stdout
[{"username":"alice","group":"admins"},{"username":"alice","group":"data science"}]

"#]]);
}

#[test]
fn group_remove_deletes_memberships() {
    let sandbox = seeded();
    sandbox.run(&["group", "add", "alice", "admins", "data science"]);
    sandbox.run(&["group", "add", "bob", "admins", "Führung"]);
    sandbox.assert_session(str![[r#"
$ dash-users group remove alice admins 'nobody'"'"'s'
status 0
-- stderr
removed user 'alice' from group 'admins' in [DIR]/users.db

$ dash-users group rm alice admins
status 0
-- stderr
user 'alice' is not in group 'admins' in [DIR]/users.db

$ dash-users group remove alice admins --json
status 0
-- stdout
{"database":"[DIR]/users.db","username":"alice","action":"group remove","changed":false,"groups":[]}

"#]]);
    assert_eq!(sandbox.run(&["show", "alice", "--json"]).json()["groups"][0], "data science");
    sandbox.assert_session(str![[r#"
$ dash-users list --group admins --format plain
status 0
-- stdout
bob	fr	false	scrypt:128:8:1	false	Führung,admins	[TIME]	[TIME]

$ dash-users list --group 'nobody'"'"'s' --json
status 0
-- stdout
[]

"#]]);
}

#[test]
fn group_add_rejects_invalid_name_and_changes_nothing() {
    let sandbox = seeded();
    sandbox.assert_session(str![[r#"
$ dash-users group add alice staff a,b
status 7
-- stderr
error: a group name cannot contain ',', which separates groups
hint: name each group on its own: group add USER GROUP GROUP, or --group GROUP --group GROUP

$ dash-users group add nobody staff
status 6
-- stderr
error: no user 'nobody'

$ dash-users group remove nobody staff --json
status 6
-- stderr
{"error":{"code":"no_such_user","status":6,"message":"no user 'nobody'","hint":null}}

$ dash-users group list nobody
status 6
-- stderr
error: no user 'nobody'

$ printf plover-xyzzy-quux | dash-users add carol --group 'a;b' --password-stdin
status 7
-- stderr
error: a group name cannot contain ';', which separates groups
hint: name each group on its own: group add USER GROUP GROUP, or --group GROUP --group GROUP

"#]]);
    assert_eq!(sandbox.run(&["group", "list", "--format", "plain"]).stdout, "");
}

#[test]
fn add_accepts_locked_and_groups() {
    let sandbox = initialized();
    sandbox.assert_session(str![[r#"
$ printf plover-xyzzy-quux | dash-users add carol --group staff --group admins --locked --password-stdin
status 0
-- stderr
new group 'staff'
new group 'admins'
added locked user 'carol' in [DIR]/users.db

"#]]);
    let carol = sandbox.run(&["show", "carol", "--json"]).json();
    assert_eq!(carol["groups"], serde_json::json!(["admins", "staff"]));
    assert_eq!(carol["locked"], true);
    assert_eq!(sandbox.verify("carol", GOOD), 3);
    sandbox.run(&["unlock", "carol"]);
    assert_eq!(sandbox.verify("carol", GOOD), 0);
}

#[test]
fn group_remove_accepts_invalid_existing_group() {
    let sandbox = seeded();
    sandbox.sql("INSERT INTO user_groups VALUES ('alice', 'a,b')");
    assert_eq!(sandbox.run(&["group", "remove", "alice", "a,b"]).status, 0);
    assert_eq!(sandbox.run(&["group", "list", "--format", "plain"]).stdout, "");
}
