use snapbox::str;

use crate::support::{assert_run, seeded};

#[test]
fn remove_is_all_or_nothing() {
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
error: cannot ask for confirmation: stdin is not a terminal
hint: use --yes to confirm

"#]]
    );
    assert_run!(
        sandbox.run(&["remove", "alice", "--json"]),
        str![[r#"
status 10
-- stdout
-- stderr
{"error":{"code":"needs_confirmation","status":10,"message":"cannot ask for confirmation: stdin is not a terminal","hint":"use --yes to confirm"}}

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
fn remove_if_exists_skips_missing_users() {
    let sandbox = seeded();
    assert_run!(
        sandbox.run(&["remove", "alice", "nobody", "--yes", "--if-exists"]),
        str![[r#"
status 0
-- stdout
-- stderr
removed user 'alice' in [DIR]/users.db
no user 'nobody' in [DIR]/users.db

"#]]
    );
    assert_run!(
        sandbox.run(&["remove", "nobody", "--if-exists"]),
        str![[r#"
status 0
-- stdout
-- stderr
no user 'nobody' in [DIR]/users.db

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
fn remove_warns_about_referring_app_tables() {
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
warning: removing user 'alice' deletes 2 rows from table 'notes'
warning: removing user 'alice' deletes 3 rows from table 'tags'
warning: removing user 'alice' clears the reference in 1 row of table 'visits'
removed user 'alice' in [DIR]/users.db

"#]]
    );
}
