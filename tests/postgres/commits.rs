//! Commits that are not answered.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::program::Sandbox;
use crate::sample;
use crate::server::{Cluster, SUPERUSER};
use crate::skip::or_skip;
use crate::support::{assert_ok, await_queries, end, on, start};

/// A server that waits for a standby that does not exist, and its database with alice and bob.
fn waiting() -> Option<(Cluster, Sandbox)> {
    let cluster = or_skip(Cluster::start(&["synchronous_commit = on"]))?;
    let sandbox = on(&cluster.database());
    assert_ok(&sandbox.run(&["seed"]));
    let mut admin = cluster.superuser(SUPERUSER);
    admin.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'", &[]).unwrap();
    admin.execute("SELECT pg_reload_conf()", &[]).unwrap();
    Some((cluster, sandbox))
}

#[test]
fn signal_ends_wait_for_standby() {
    let Some((cluster, sandbox)) = waiting() else { return };
    for (signal, command, user) in
        [("-TERM", "lock", "alice"), ("-INT", "lock", "bob"), ("-HUP", "unlock", "bob")]
    {
        let locking = start(&sandbox, &[command, user]);
        await_queries(&cluster, 1);
        let begin = Instant::now();
        Command::new("kill").args([signal, &locking.id().to_string()]).status().unwrap();
        let (status, stderr) = end(locking);
        assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
        assert_eq!(status, Some(11), "{stderr}");
        assert!(stderr.contains("no standby has confirmed it"), "{stderr}");
    }
    let locked = |user| sandbox.run(&["show", user, "--json"]).json()["locked"].clone();
    assert_eq!((locked("alice"), locked("bob")), (true.into(), false.into()));
}

#[test]
fn canceled_wait_for_standby_is_reported() {
    let Some((cluster, sandbox)) = waiting() else { return };
    for end_it in ["pg_cancel_backend", "pg_terminate_backend"] {
        for (command, is_locked) in [("lock", true), ("unlock", false)] {
            let locking = start(&sandbox, &[command, "alice", "--json"]);
            await_queries(&cluster, 1);
            let select =
                format!("SELECT {end_it}(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
            cluster.superuser(SUPERUSER).execute(&select, &[]).unwrap();
            let (status, stderr) = end(locking);
            assert_eq!(status, Some(11), "{stderr}");
            let error: serde_json::Value = serde_json::from_str(&stderr).unwrap();
            assert_eq!(error["error"]["code"], "unconfirmed", "{stderr}");
            let user = sandbox.run(&["show", "alice", "--json"]).json();
            assert_eq!(user["locked"], is_locked);
        }
    }
}

#[test]
fn wait_for_standby_is_limited() {
    if sample::of(0, 1) == 0 {
        return;
    }
    let Some((_cluster, sandbox)) = waiting() else { return };
    let begin = Instant::now();
    let run = sandbox.run(&["lock", "alice"]);
    assert_eq!(run.status, 11, "{run}");
    assert!((25..40).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
    // Nothing is left to do, so nothing waits.
    assert_ok(&sandbox.run(&["lock", "alice"]));
}

#[test]
fn crash_during_commit_is_found_out() {
    let Some((cluster, sandbox)) = waiting() else { return };
    for (command, is_locked) in [("lock", true), ("unlock", false)] {
        let locking = start(&sandbox, &[command, "alice"]);
        await_queries(&cluster, 1);
        cluster.kill();
        cluster.restart();
        let (status, stderr) = end(locking);
        assert_eq!(status, Some(0), "{stderr}");
        assert!(stderr.contains(&format!("{command}ed user 'alice'")), "{stderr}");
        let user = sandbox.run(&["show", "alice", "--json"]).json();
        assert_eq!(user["locked"], is_locked);
    }
    // Without a server, nobody knows.
    let sandbox = sandbox.with_env("PGCONNECT_TIMEOUT", "1");
    let locking = start(&sandbox, &["lock", "alice", "--wait", "1"]);
    await_queries(&cluster, 1);
    cluster.kill();
    let (status, stderr) = end(locking);
    assert_eq!(status, Some(11), "{stderr}");
    assert!(stderr.contains("may or may not have been saved"), "{stderr}");
    assert!(stderr.contains("dash-users history --database"), "{stderr}");
    cluster.restart();
}
