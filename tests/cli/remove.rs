use snapbox::str;

use crate::support::{assert_run, seeded};

#[test]
fn users_are_removed_all_or_none() {
    let sandbox = seeded();
    assert_run!(
        sandbox.run(&["remove", "alice", "nobody", "--yes"]),
        str![[r#"
status 6
-- stdout
-- stderr
error: no user 'nobody'

"#]]
    );
    assert_run!(
        sandbox.run(&["remove", "alice", "nobody"]),
        str![[r#"
status 6
-- stdout
-- stderr
error: no user 'nobody'

"#]]
    );
    assert_run!(
        sandbox.run(&["remove", "alice"]),
        str![[r#"
status 10
-- stdout
-- stderr
error: there is no terminal to ask for confirmation on
hint: --yes goes on without asking

"#]]
    );
    assert_run!(
        sandbox.run(&["remove", "alice", "--json"]),
        str![[r#"
status 10
-- stdout
-- stderr
{"error":{"code":"needs_confirmation","status":10,"message":"there is no terminal to ask for confirmation on","hint":"--yes goes on without asking"}}

"#]]
    );
    assert_eq!(sandbox.run(&["list", "--format", "plain"]).stdout.lines().count(), 2);
    assert_run!(
        sandbox.run(&["remove", "alice", "alice", "--yes"]),
        str![[r#"
status 0
-- stdout
-- stderr
removed user 'alice' in [DIR]/users.db

"#]]
    );
    assert_run!(
        sandbox.run(&["rm", "bob", "--yes", "--json"]),
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","username":"bob","action":"remove","changed":true}
-- stderr

"#]]
    );
    assert_eq!(sandbox.run(&["list", "--format", "plain"]).stdout, "");
}

#[test]
fn those_who_are_not_there_can_be_passed_over() {
    let sandbox = seeded();
    assert_run!(
        sandbox.run(&["remove", "alice", "nobody", "--yes", "--if-exists"]),
        str![[r#"
status 0
-- stdout
-- stderr
removed user 'alice' in [DIR]/users.db
there is no user 'nobody' in [DIR]/users.db

"#]]
    );
    assert_run!(
        sandbox.run(&["remove", "nobody", "--if-exists"]),
        str![[r#"
status 0
-- stdout
-- stderr
there is no user 'nobody' in [DIR]/users.db

"#]]
    );
    assert_run!(
        sandbox.run(&["remove", "bob", "nobody", "--yes", "--if-exists", "--json"]),
        str![[r#"
status 0
-- stdout
[{"database":"[DIR]/users.db","username":"bob","action":"remove","changed":true},{"database":"[DIR]/users.db","username":"nobody","action":"remove","changed":false}]
-- stderr

"#]]
    );
}

#[test]
fn the_apps_tables_that_refer_to_a_user_are_named() {
    let sandbox = seeded();
    sandbox.sql(
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, author REFERENCES users ON DELETE CASCADE);
         CREATE TABLE tags (note REFERENCES notes ON DELETE CASCADE);
         CREATE TABLE orders (buyer REFERENCES users (username));
         CREATE TABLE visits (who REFERENCES users ON DELETE SET NULL);
         INSERT INTO notes VALUES (1, 'alice'), (2, 'alice');
         INSERT INTO tags VALUES (1), (2), (2);
         INSERT INTO visits VALUES ('alice');
         INSERT INTO orders VALUES ('bob');",
    );
    assert_run!(
        sandbox.run(&["remove", "alice", "bob", "--yes"]),
        str![[r#"
status 1
-- stdout
-- stderr
error: [DIR]/users.db refused the change: rows in orders reference the user

"#]]
    );
    assert_eq!(sandbox.run(&["list", "--format", "plain"]).stdout.lines().count(), 2);
    assert_run!(
        sandbox.run(&["remove", "alice", "--yes"]),
        str![[r#"
status 0
-- stdout
-- stderr
warning: table 'notes' loses 2 row(s) that refer to user 'alice'
warning: table 'tags' loses 3 row(s) that refer to user 'alice'
warning: table 'visits' has 1 row(s) that no longer refer to user 'alice'
removed user 'alice' in [DIR]/users.db

"#]]
    );
}
