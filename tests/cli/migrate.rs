use snapbox::str;

use crate::support::{TUTORIAL, empty, initialized};

#[test]
fn migrate_lists_previews_and_applies_pending_migrations() {
    let sandbox = empty();
    sandbox.sql(TUTORIAL);
    sandbox.assert_session(str![[r#"
$ dash-users migrate --status
status 4
-- stdout
VERSION  NAME          STATE
1        users         pending
2        accounts      pending
3        fingerprints  pending
4        group_names   pending
5        imported      pending

$ dash-users migrate --status --json
status 4
-- stdout
{"database":"[DIR]/users.db","version":0,"applied":[],"pending":[{"version":1,"name":"users"},{"version":2,"name":"accounts"},{"version":3,"name":"fingerprints"},{"version":4,"name":"group_names"},{"version":5,"name":"imported"}]}
-- stderr
{"error":{"code":"needs_migration","status":4,"message":"5 pending migrations in [DIR]/users.db","hint":null}}

$ dash-users migrate --dry-run
status 0
-- stderr
would apply migration 1 (users) to [DIR]/users.db
would apply migration 2 (accounts) to [DIR]/users.db
would apply migration 3 (fingerprints) to [DIR]/users.db
would apply migration 4 (group_names) to [DIR]/users.db
would apply migration 5 (imported) to [DIR]/users.db

$ dash-users migrate --dry-run --json
status 0
-- stdout
{"database":"[DIR]/users.db","version":0,"applied":[],"pending":[{"version":1,"name":"users"},{"version":2,"name":"accounts"},{"version":3,"name":"fingerprints"},{"version":4,"name":"group_names"},{"version":5,"name":"imported"}]}

"#]]);
    assert_eq!(sandbox.run(&["list"]).status, 4);
    sandbox.assert_session(str![[r#"
$ dash-users migrate
status 0
-- stderr
applied migration 1 (users) to [DIR]/users.db
applied migration 2 (accounts) to [DIR]/users.db
applied migration 3 (fingerprints) to [DIR]/users.db
applied migration 4 (group_names) to [DIR]/users.db
applied migration 5 (imported) to [DIR]/users.db

$ dash-users migrate
status 0
-- stderr
[DIR]/users.db is already up to date

$ dash-users migrate --status
status 0
-- stdout
VERSION  NAME          STATE
1        users         applied
2        accounts      applied
3        fingerprints  applied
4        group_names   applied
5        imported      applied

$ dash-users migrate --status --format plain
status 0
-- stdout
1	users	applied
2	accounts	applied
3	fingerprints	applied
4	group_names	applied
5	imported	applied

"#]]);
    assert_eq!(sandbox.run(&["list"]).status, 0);
}

#[test]
fn migrate_json_lists_applied_migrations() {
    let sandbox = empty();
    sandbox.sql(TUTORIAL);
    sandbox.assert_session(str![[r#"
$ dash-users migrate --json
status 0
-- stdout
{"database":"[DIR]/users.db","version":5,"applied":[{"version":1,"name":"users"},{"version":2,"name":"accounts"},{"version":3,"name":"fingerprints"},{"version":4,"name":"group_names"},{"version":5,"name":"imported"}],"pending":[]}

$ dash-users migrate --json
status 0
-- stdout
{"database":"[DIR]/users.db","version":5,"applied":[],"pending":[]}

"#]]);
}

#[test]
fn migrate_of_recreated_table_requires_init() {
    let sandbox = initialized();
    sandbox.sql(&format!("DROP TABLE users; {TUTORIAL}"));
    sandbox.assert_session(str![[r#"
$ dash-users list
status 4
-- stderr
error: [DIR]/users.db is not up to date: its 'dash_users_username_nocase' is missing, and 5 more problems
hint: run `dash-users init --database [DIR]/users.db` to update it

"#]]);
    assert_eq!(sandbox.run(&["migrate", "--status"]).status, 4);
    sandbox.assert_session(str![[r#"
$ dash-users init
status 0
-- stderr
updated [DIR]/users.db

"#]]);
    assert_eq!(sandbox.run(&["list"]).status, 0);
    sandbox.sql("DROP TABLE users");
    sandbox.assert_session(str![[r#"
$ dash-users list
status 4
-- stderr
error: [DIR]/users.db is not up to date: it has no table 'users'
hint: run `dash-users init --database [DIR]/users.db` to update it

"#]]);
    assert_eq!(sandbox.run(&["init"]).status, 0);
    assert_eq!(sandbox.run(&["list"]).status, 0);
}
