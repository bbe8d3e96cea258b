//! Changes to several users and whole groups, and repeated commands that change nothing.

use snapbox::str;

use crate::support::{GOOD, seeded};

#[test]
fn update_changes_language_and_groups_of_several_users() {
    let sandbox = seeded();
    sandbox.run(&["group", "add", "bob", "interns"]);
    sandbox.assert_session(str![[r#"
$ dash-users update alice bob --language de --add-group staff --remove-group interns
status 0
-- stderr
new group 'staff'
set the language of user 'alice' to de, added user 'alice' to group 'staff' in [DIR]/users.db
set the language of user 'bob' to de, added user 'bob' to group 'staff', removed user 'bob' from group 'interns' in [DIR]/users.db

$ dash-users update alice bob --language de --add-group staff --remove-group interns --json
status 0
-- stdout
[{"database":"[DIR]/users.db","username":"alice","action":"update","changed":false,"groups":[]},{"database":"[DIR]/users.db","username":"bob","action":"update","changed":false,"groups":[]}]

$ dash-users update alice --remove-group staff --language de
status 0
-- stderr
removed user 'alice' from group 'staff' in [DIR]/users.db

"#]]);
    let unknown = sandbox.run(&["update", "alice", "nobody", "--language", "fr"]);
    assert_eq!(unknown.status, 6);
    assert_eq!(sandbox.query("SELECT DISTINCT language FROM users"), ["de"]);
    let both = sandbox.run(&["update", "bob", "--add-group", "x", "--remove-group", "x"]);
    assert_eq!(both.status, 2, "{both}");
}

#[test]
fn new_group_is_mentioned_with_a_similar_one_or_a_user() {
    let sandbox = seeded();
    sandbox.assert_session(str![[r#"
$ dash-users group add alice admins
status 0
-- stderr
new group 'admins'
added user 'alice' to group 'admins' in [DIR]/users.db

$ dash-users group add bob Admins
status 0
-- stderr
new group 'Admins'; there is 'admins'
added user 'bob' to group 'Admins' in [DIR]/users.db

$ dash-users group add bob admins
status 0
-- stderr
added user 'bob' to group 'admins' in [DIR]/users.db

$ dash-users update bob --add-group bob
status 0
-- stderr
new group 'bob'
warning: the group 'bob' has the name of a user
added user 'bob' to group 'bob' in [DIR]/users.db

"#]]);
    let json = sandbox.run(&["group", "add", "bob", "alice", "--json"]).json();
    assert_eq!(json["warnings"][0], "the group 'alice' has the name of a user");
}

#[test]
fn groups_are_renamed_deleted_and_listed() {
    let sandbox = seeded();
    sandbox.run(&["update", "alice", "bob", "--add-group", "stff"]);
    sandbox.assert_session(str![[r#"
$ dash-users group rename stff staff
status 0
-- stderr
renamed group 'stff' to 'staff', with 2 users, in [DIR]/users.db

$ dash-users group rename stff staff
status 7
-- stderr
error: no user is in 'stff'; did you mean 'staff'?

$ dash-users group list --group staff
status 0
-- stdout
GROUP  USERS
staff  alice, bob

$ dash-users group list --group stff
status 7
-- stderr
error: no user is in 'stff'; did you mean 'staff'?

$ dash-users group list staff
status 6
-- stderr
error: no user 'staff'; 'staff' is a group
hint: run `dash-users group list --group staff --database [DIR]/users.db` to list its members

$ dash-users group rename staff staff --json
status 0
-- stdout
{"database":"[DIR]/users.db","action":"group rename","changed":false,"group":"staff","new_group":"staff","users":[]}

"#]]);
    let delete = sandbox.run(&["group", "delete", "staff"]);
    assert_eq!(delete.status, 10, "{delete}");
    let json = sandbox.run(&["group", "delete", "staff", "staff", "--yes", "--json"]).json();
    assert_eq!(json.as_array().unwrap().len(), 1);
    assert_eq!(json[0]["users"], serde_json::json!(["alice", "bob"]));
    assert!(sandbox.query("SELECT group_name FROM user_groups").is_empty());
}

#[test]
fn passwd_if_different_leaves_an_equal_password_alone() {
    let sandbox = seeded();
    let passwd = |password: &str| {
        let args = ["passwd", "alice", "--if-different", "--password-stdin", "--json"];
        sandbox.run_with(password, &args).json()
    };
    assert_eq!(passwd(GOOD)["changed"], true);
    let hash = sandbox.stored("alice");
    assert_eq!(passwd(GOOD)["changed"], false);
    sandbox.run(&["lock", "alice"]);
    let locked = passwd(GOOD);
    assert_eq!((&locked["changed"], &locked["locked"]), (&false.into(), &true.into()));
    sandbox.run(&["unlock", "alice"]);
    assert_eq!(sandbox.stored("alice"), hash);
    assert_eq!(sandbox.run(&["passwd", "alice", "--if-different", "--generate"]).status, 2);
}
