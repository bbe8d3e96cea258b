use snapbox::str;

use crate::support::{GOOD, initialized, seeded};

#[test]
fn history_lists_events_newest_first() {
    let sandbox = seeded();
    sandbox.run_with(GOOD, &["passwd", "alice", "--password-stdin"]);
    sandbox.run(&["lock", "bob"]);
    sandbox.sql("UPDATE users SET language = 'de' WHERE username = 'bob'");
    sandbox.wait_three_days();
    sandbox.assert_session(str![[r#"
$ dash-users history
status 0
-- stdout
WHEN  WHO      ACTION  USER   DETAIL
3d    unknown  update  bob    language de
3d    admin    lock    bob
3d    admin    passwd  alice
3d    admin    add     bob
3d    admin    add     alice

$ dash-users history bob --format plain
status 0
-- stdout
5	[TIME]	\N	update	bob	language de
4	[TIME]	admin	lock	bob	\N
2	[TIME]	admin	add	bob	\N

$ dash-users history bob --limit 1 --json
status 0
-- stdout
[{"id":5,"at":"[TIME]","actor":null,"action":"update","username":"bob","detail":"language de"}]

$ dash-users history --limit 0
status 2
-- stderr
error: invalid value '0' for '--limit <N>': expected a whole number from 1 to 4294967295, such as 20

For more information, try '--help'.

"#]]);
}

#[test]
fn history_of_removed_user_remains() {
    let sandbox = seeded();
    sandbox.run(&["remove", "bob", "--yes"]);
    sandbox.assert_session(str![[r#"
$ dash-users history bob --format plain
status 0
-- stdout
3	[TIME]	admin	remove	bob	\N
2	[TIME]	admin	add	bob	\N

$ dash-users history nobody
status 6
-- stderr
error: no user 'nobody'

"#]]);
    initialized().assert_session(str![[r#"
$ dash-users history --json
status 0
-- stdout
[]

"#]]);
}

#[test]
fn history_actor_without_sudo_is_process_user() {
    let sandbox = initialized().with_env("SUDO_USER", "");
    sandbox.run_with(GOOD, &["add", "zoe", "--password-stdin"]);
    let whoami = sandbox.shell("id -un").output().unwrap().stdout;
    let events = sandbox.run(&["history", "--json"]).json();
    assert_eq!(events[0]["actor"], String::from_utf8(whoami).unwrap().trim_end());
}

#[test]
fn history_escapes_hostile_events() {
    let sandbox = initialized();
    sandbox.sql(
        "INSERT INTO user_events (at, actor, action, username, detail)
         VALUES ('\x1b[2J', '\x1b[31m', x'00ff', '\u{202e}', 'a' || char(10) || 'b')",
    );
    sandbox.assert_session(str![[r#"
$ dash-users history
status 0
-- stdout
WHO         ACTION  USER      DETAIL
\u{1b}[31m  \x00ff  \u{202e}  a\nb

$ dash-users history --json
status 0
-- stdout
[{"id":1,"at":null,"actor":"\u001b[31m","action":null,"username":"\u202e","detail":"a\nb"}]

"#]]);
}
