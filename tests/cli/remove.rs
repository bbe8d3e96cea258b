use snapbox::str;

use crate::support::seeded;

#[test]
fn remove_is_all_or_nothing() {
    let sandbox = seeded();
    sandbox.assert_session(str![[r#"
$ dash-users remove alice nobody --yes
status 6
-- stderr
error: no user 'nobody'

$ dash-users remove alice nobody
status 6
-- stderr
error: no user 'nobody'

$ dash-users remove alice
status 10
-- stderr
error: cannot ask for confirmation: stdin is not a terminal
hint: use --yes to confirm

$ dash-users remove alice --json
status 10
-- stderr
{"error":{"code":"needs_confirmation","status":10,"message":"cannot ask for confirmation: stdin is not a terminal","hint":"use --yes to confirm"}}

"#]]);
    assert_eq!(sandbox.run(&["list", "--format", "plain"]).stdout.lines().count(), 2);
    sandbox.assert_session(str![[r#"
$ dash-users remove alice alice --yes
status 0
-- stderr
removed user 'alice' in [DIR]/users.db

$ dash-users rm bob --yes --json
status 0
-- stdout
[{"database":"[DIR]/users.db","username":"bob","action":"remove","changed":true}]

"#]]);
    assert_eq!(sandbox.run(&["list", "--format", "plain"]).stdout, "");
}

#[test]
fn remove_if_exists_skips_missing_users() {
    let sandbox = seeded();
    sandbox.assert_session(str![[r#"
$ dash-users remove alice nobody --yes --if-exists
status 0
-- stderr
removed user 'alice' in [DIR]/users.db
no user 'nobody' in [DIR]/users.db

$ dash-users remove nobody --if-exists
status 0
-- stderr
no user 'nobody' in [DIR]/users.db

$ dash-users remove bob nobody --yes --if-exists --json
status 0
-- stdout
[{"database":"[DIR]/users.db","username":"bob","action":"remove","changed":true},{"database":"[DIR]/users.db","username":"nobody","action":"remove","changed":false}]

"#]]);
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
    sandbox.assert_session(str![[r#"
$ dash-users remove alice bob --yes
status 1
-- stderr
error: [DIR]/users.db refused the change: rows in orders reference the user

"#]]);
    assert_eq!(sandbox.run(&["list", "--format", "plain"]).stdout.lines().count(), 2);
    sandbox.assert_session(str![[r#"
$ dash-users remove alice --yes
status 0
-- stderr
warning: removing user 'alice' deletes 2 rows from table 'notes'
warning: removing user 'alice' deletes 3 rows from table 'tags'
warning: removing user 'alice' clears the reference in 1 row of table 'visits'
removed user 'alice' in [DIR]/users.db

"#]]);
}
