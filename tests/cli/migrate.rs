use snapbox::str;

use crate::support::{assert_run, empty, initialized};

const TUTORIAL: &str = "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL,
                                            language TEXT NOT NULL)";

#[test]
fn migrate_lists_previews_and_applies_pending_migrations() {
    let sandbox = empty();
    sandbox.sql(TUTORIAL);
    assert_run!(
        sandbox.run(&["migrate", "--status"]),
        str![[r#"
status 4
-- stdout
VERSION  NAME          STATE
1        users         pending
2        accounts      pending
3        fingerprints  pending
-- stderr

"#]]
    );
    assert_run!(
        sandbox.run(&["migrate", "--status", "--json"]),
        str![[r#"
status 4
-- stdout
{"database":"[DIR]/users.db","version":0,"applied":[],"pending":[{"version":1,"name":"users"},{"version":2,"name":"accounts"},{"version":3,"name":"fingerprints"}]}
-- stderr
{"error":{"code":"needs_migration","status":4,"message":"3 pending migrations in [DIR]/users.db","hint":null}}

"#]]
    );
    assert_run!(
        sandbox.run(&["migrate", "--dry-run"]),
        str![[r#"
status 0
-- stdout
-- stderr
would apply migration 1 (users) to [DIR]/users.db
would apply migration 2 (accounts) to [DIR]/users.db
would apply migration 3 (fingerprints) to [DIR]/users.db

"#]]
    );
    assert_run!(
        sandbox.run(&["migrate", "--dry-run", "--json"]),
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","version":0,"applied":[],"pending":[{"version":1,"name":"users"},{"version":2,"name":"accounts"},{"version":3,"name":"fingerprints"}]}
-- stderr

"#]]
    );
    assert_eq!(sandbox.run(&["list"]).status, 4);
    assert_run!(
        sandbox.run(&["migrate"]),
        str![[r#"
status 0
-- stdout
-- stderr
applied migration 1 (users) to [DIR]/users.db
applied migration 2 (accounts) to [DIR]/users.db
applied migration 3 (fingerprints) to [DIR]/users.db

"#]]
    );
    assert_run!(
        sandbox.run(&["migrate"]),
        str![[r#"
status 0
-- stdout
-- stderr
[DIR]/users.db is already up to date

"#]]
    );
    assert_run!(
        sandbox.run(&["migrate", "--status"]),
        str![[r#"
status 0
-- stdout
VERSION  NAME          STATE
1        users         applied
2        accounts      applied
3        fingerprints  applied
-- stderr

"#]]
    );
    assert_run!(
        sandbox.run(&["migrate", "--status", "--format", "plain"]),
        str![[r#"
status 0
-- stdout
1	users	applied
2	accounts	applied
3	fingerprints	applied
-- stderr

"#]]
    );
    assert_eq!(sandbox.run(&["list"]).status, 0);
}

#[test]
fn migrate_json_lists_applied_migrations() {
    let sandbox = empty();
    sandbox.sql(TUTORIAL);
    assert_run!(
        sandbox.run(&["migrate", "--json"]),
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","version":3,"applied":[{"version":1,"name":"users"},{"version":2,"name":"accounts"},{"version":3,"name":"fingerprints"}],"pending":[]}
-- stderr

"#]]
    );
    assert_run!(
        sandbox.run(&["migrate", "--json"]),
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","version":3,"applied":[],"pending":[]}
-- stderr

"#]]
    );
}

#[test]
fn migrate_of_recreated_table_requires_init() {
    let sandbox = initialized();
    sandbox.sql(&format!("DROP TABLE users; {TUTORIAL}"));
    assert_run!(
        sandbox.run(&["list"]),
        str![[r#"
status 4
-- stdout
-- stderr
error: [DIR]/users.db is not up to date: its 'dash_users_username_nocase' is missing, and 5 more problems
hint: run `dash-users init --database [DIR]/users.db` to update it

"#]]
    );
    assert_eq!(sandbox.run(&["migrate", "--status"]).status, 4);
    assert_run!(
        sandbox.run(&["init"]),
        str![[r#"
status 0
-- stdout
-- stderr
updated [DIR]/users.db

"#]]
    );
    assert_eq!(sandbox.run(&["list"]).status, 0);
    sandbox.sql("DROP TABLE users");
    assert_run!(
        sandbox.run(&["list"]),
        str![[r#"
status 4
-- stdout
-- stderr
error: [DIR]/users.db is not up to date: it has no table 'users'
hint: run `dash-users init --database [DIR]/users.db` to update it

"#]]
    );
    assert_eq!(sandbox.run(&["init"]).status, 0);
    assert_eq!(sandbox.run(&["list"]).status, 0);
}
