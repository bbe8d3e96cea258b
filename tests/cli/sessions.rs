use rusqlite::Connection;
use snapbox::str;

use crate::support::{GOOD, Sandbox, seeded};

/// As the Python package creates it.
const TABLE: &str = "CREATE TABLE dash_users_sessions (
    id BLOB PRIMARY KEY, username TEXT NOT NULL, app TEXT NOT NULL, digest BLOB NOT NULL,
    started_at TEXT NOT NULL, last_used_at TEXT NOT NULL, expires_at TEXT NOT NULL
) WITHOUT ROWID;";

fn connect(sandbox: &Sandbox) -> Connection {
    Connection::open(sandbox.path("users.db-sessions")).unwrap()
}

fn with_sessions() -> Sandbox {
    let sandbox = seeded();
    add_to(&sandbox);
    sandbox
}

/// Adds two sessions of alice, one of them expired, and one of bob.
pub(crate) fn add_to(sandbox: &Sandbox) {
    let connection = connect(sandbox);
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection.execute_batch(TABLE).unwrap();
    connection
        .execute_batch(
            "INSERT INTO dash_users_sessions VALUES
             (x'aa01', 'alice', 'app', x'ff', '2026-01-31T12:00:00.000Z',
              '2026-01-31T13:00:00.000Z', '2999-01-31T14:00:00.000Z'),
             (x'aa02', 'alice', 'app', x'ff', '2026-01-31T12:00:00.000Z',
              '2026-01-31T12:00:00.000Z', '2026-01-31T13:00:00.000Z'),
             (x'aa03', 'bob', 'other', x'ff', '2026-02-01T12:00:00.000Z',
              '2026-02-01T12:00:00.000Z', '2999-02-01T13:00:00.000Z')",
        )
        .unwrap();
}

/// The ids of all sessions.
fn ids(sandbox: &Sandbox) -> Vec<String> {
    let connection = connect(sandbox);
    let select = "SELECT hex(id) FROM dash_users_sessions ORDER BY id";
    let mut select = connection.prepare(select).unwrap();
    select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn sessions_list_shows_who_is_logged_in() {
    let sandbox = with_sessions();
    sandbox.assert_session(str![[r#"
$ dash-users sessions list --format plain
status 0
-- stdout
alice	[TIME]	[TIME]	[TIME]
bob	[TIME]	[TIME]	[TIME]

$ dash-users sessions ls bob --json
status 0
-- stdout
[{"username":"bob","started_at":"[TIME]","last_used_at":"[TIME]","expires_at":"[TIME]"}]

$ dash-users sessions list carol
status 6
-- stderr
error: no user 'carol'

"#]]);
    connect(&sandbox)
        .execute_batch(
            "UPDATE dash_users_sessions SET
                 started_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-3 days'),
                 last_used_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-2 days'),
                 expires_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+4 days')",
        )
        .unwrap();
    sandbox.assert_session(str![[r#"
$ dash-users sessions list
status 0
-- stdout
USER   STARTED     LAST USED   EXPIRES
alice  3 days ago  2 days ago  in 4 days
alice  3 days ago  2 days ago  in 4 days
bob    3 days ago  2 days ago  in 4 days

"#]]);
}

#[test]
fn sessions_list_without_login_page_is_empty() {
    let sandbox = seeded();
    sandbox.assert_session(str![[r#"
$ dash-users sessions list --json
status 0
-- stdout
[]

$ dash-users sessions end --all
status 0
-- stderr
no sessions in [DIR]/users.db

"#]]);
    // Nothing is created.
    assert!(!sandbox.path("users.db-sessions").exists());
}

#[test]
fn sessions_end_deletes_and_records() {
    let sandbox = with_sessions();
    sandbox.assert_session(str![[r#"
$ dash-users sessions end
status 2
-- stderr
error: the following required arguments were not provided:
  <USER>...

Usage: dash-users sessions end <USER>...

For more information, try '--help'.

$ dash-users sessions end bob carol
status 6
-- stderr
error: no user 'carol'

$ dash-users sessions end --expired
status 0
-- stderr
ended 1 expired session in [DIR]/users.db

$ dash-users sessions end bob alice --json
status 0
-- stdout
[{"database":"[DIR]/users.db","username":"bob","action":"sessions end","changed":true,"ended":1},{"database":"[DIR]/users.db","username":"alice","action":"sessions end","changed":true,"ended":1}]

$ dash-users sessions end bob
status 0
-- stderr
user 'bob' has no sessions in [DIR]/users.db

$ dash-users sessions end --all --json
status 0
-- stdout
{"database":"[DIR]/users.db","action":"sessions end","changed":false,"ended":0}

"#]]);
    assert_eq!(ids(&sandbox), [""; 0]);
    let events = sandbox.query(
        "SELECT action || '|' || coalesce(username, '') || '|' || detail FROM user_events
         WHERE action LIKE 'sessions%' ORDER BY id",
    );
    assert_eq!(
        events,
        [
            "sessions end||1 expired session",
            "sessions end|bob|1 session",
            "sessions end|alice|1 session"
        ]
    );
}

#[test]
fn sessions_end_all_counts_all() {
    let sandbox = with_sessions();
    sandbox.assert_session(str![[r#"
$ dash-users sessions end --all
status 0
-- stderr
ended 3 sessions in [DIR]/users.db

$ dash-users history --limit 1 --format plain --action 'sessions end'
status 0
-- stdout
3	[TIME]	admin	sessions end	\N	all 3 sessions

"#]]);
}

#[test]
fn changes_of_login_end_sessions() {
    let changes: [&[&str]; 6] = [
        &["lock", "alice"],
        &["unlock", "alice"],
        &["remove", "alice", "--yes"],
        &["rename", "alice", "carol"],
        &["passwd", "alice", "--password-stdin"],
        &["restore", "backup.db", "--yes"],
    ];
    for change in changes {
        let sandbox = with_sessions();
        sandbox.run(&["backup", "backup.db"]);
        let run = sandbox.run_with(GOOD, change);
        assert_eq!(run.status, 0, "{change:?}");
        let left: &[&str] = if change[0] == "restore" { &[] } else { &["AA03"] };
        assert_eq!(ids(&sandbox), left, "{change:?}");
    }
}

#[test]
fn failed_changes_end_no_sessions() {
    let sandbox = with_sessions();
    for change in [
        &["lock", "alice", "carol"][..],
        &["remove", "alice", "carol", "--yes"],
        &["rename", "alice", "bob"],
        &["restore", "missing.db", "--yes"],
        &["update", "alice", "--language", "fr"],
        &["group", "add", "alice", "staff"],
    ] {
        sandbox.run(change);
    }
    assert_eq!(ids(&sandbox).len(), 3);
}

#[test]
fn damaged_sessions_file_does_not_fail_changes() {
    let sandbox = seeded();
    sandbox.write("users.db-sessions", "no database, but long enough to be one".repeat(100));
    sandbox.assert_session(str![[r#"
$ dash-users lock alice
status 0
-- stderr
warning: sessions of the login page end only at their next request: [DIR]/users.db-sessions is not a users database: it is a text file
locked user 'alice' in [DIR]/users.db

$ dash-users sessions list
status 4
-- stderr
error: [DIR]/users.db-sessions is not a users database: it is a text file

"#]]);
}

#[test]
fn sessions_are_beside_the_file_behind_a_link() {
    let sandbox = with_sessions();
    std::fs::create_dir(sandbox.path("links")).unwrap();
    std::os::unix::fs::symlink("../users.db", sandbox.path("links/app.db")).unwrap();
    assert_eq!(sandbox.run(&["lock", "bob", "-d", "links/app.db"]).status, 0);
    assert_eq!(ids(&sandbox), ["AA01", "AA02"]);
}
