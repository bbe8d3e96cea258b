//! A logical replica takes over, as in an upgrade to another version: sequences are not replicated.

use std::thread::sleep;
use std::time::Duration;

use crate::program::GOOD;
use crate::server::{Cluster, SUPERUSER, connect};
use crate::skip::or_skip;
use crate::support::{assert_fails, assert_ok, name, on};

/// The old server's database, copied by logical replication to a new server, which takes over.
fn promoted() -> Option<(Cluster, String)> {
    let old = or_skip(Cluster::start(&["wal_level = logical"]))?;
    let url = old.database();
    let before = on(&url);
    assert_ok(&before.run(&["seed"]));
    assert_ok(&before.run(&["group", "add", "alice", "admins"]));
    for command in ["lock", "unlock", "lock", "unlock"] {
        assert_ok(&before.run(&[command, "bob"]));
    }
    let new = or_skip(Cluster::start(&["wal_level = logical"]))?;
    let copy = new.database();
    assert_ok(&on(&copy).run(&["init"]));
    connect(&copy).batch_execute("TRUNCATE dash_users_schema").unwrap();
    let publish = "CREATE PUBLICATION upgrade FOR ALL TABLES";
    old.superuser(name(&url)).batch_execute(publish).unwrap();
    let mut admin = new.superuser(name(&copy));
    let subscribe = format!(
        "CREATE SUBSCRIPTION upgrade
         CONNECTION 'host=127.0.0.1 port={} user={SUPERUSER} password={} dbname={}'
         PUBLICATION upgrade",
        old.port(),
        old.password(),
        name(&url)
    );
    admin.batch_execute(&subscribe).unwrap();
    let waiting = "SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'";
    for _ in 0..300 {
        if admin.query_one(waiting, &[]).unwrap().get::<_, i64>(0) == 0 {
            break;
        }
        sleep(Duration::from_millis(100));
    }
    assert_ok(&before.run(&["update", "bob", "--language", "de"]));
    let changed = "SELECT count(*) FROM users WHERE username = 'bob' AND language = 'de'";
    while admin.query_one(changed, &[]).unwrap().get::<_, i64>(0) == 0 {
        sleep(Duration::from_millis(50));
    }
    admin.batch_execute("DROP SUBSCRIPTION upgrade").unwrap();
    Some((new, copy))
}

#[test]
fn history_of_promoted_replica_is_repaired() {
    for repair in [&["init"][..], &["check", "--fix"]] {
        let Some((_server, url)) = promoted() else { return };
        let sandbox = on(&url);
        let before = sandbox.run(&["export"]).stdout;
        for args in [&["lock", "alice"][..], &["remove", "alice", "--yes"]] {
            let run = sandbox.run(args);
            assert_fails(&run, 4, "the history cannot be written");
            assert!(run.stderr.contains("check --fix"), "{run}");
        }
        assert_eq!(sandbox.run(&["export"]).stdout, before);
        let check = sandbox.run(&["check"]);
        assert!(check.stdout.contains("the next id of 'user_events' is already used"), "{check}");
        let run = sandbox.run(repair);
        assert!([0, 7].contains(&run.status), "{repair:?}: {run}");
        for args in [&["lock", "alice"][..], &["remove", "alice", "--yes"]] {
            assert_ok(&sandbox.run(args));
        }
        assert_ok(&sandbox.run_with(GOOD, &["add", "alice", "--password-stdin"]));
        assert_eq!(
            sandbox.run(&["show", "alice", "--json"]).json()["groups"],
            serde_json::json!([])
        );
        let history = sandbox.run(&["history", "--format", "plain"]).stdout;
        // Two additions, a group, four locks, the language; then these three.
        assert_eq!(history.lines().count(), 11, "{history}");
    }
}
