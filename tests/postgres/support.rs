//! The program on a database of a server.

use std::fs;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::program::{Run, Sandbox, empty};
use crate::server::{Cluster, OWNER, SUPERUSER};

/// A directory for the program, with the database of `url`.
pub(crate) fn on(url: &str) -> Sandbox {
    empty().with_env("DASH_USERS_DATABASE", url)
}

/// A directory for the program, and a new database with alice and bob.
pub(crate) fn seeded(cluster: &Cluster) -> Sandbox {
    let sandbox = on(&cluster.database());
    assert_ok(&sandbox.run(&["seed", "--quiet"]));
    sandbox
}

pub(crate) fn assert_ok(run: &Run) {
    assert_eq!(run.status, 0, "{run}");
}

/// Asserts that a command fails with this exit code and a reason that contains `part`.
pub(crate) fn assert_fails(run: &Run, status: i32, part: &str) {
    assert_eq!(run.status, status, "{run}");
    assert!(run.stderr.contains(part) && run.stdout.is_empty(), "not '{part}' in {run}");
}

/// Starts a command.
pub(crate) fn start(sandbox: &Sandbox, args: &[&str]) -> Child {
    let mut command = sandbox.command(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// The exit code and stderr of a started command.
pub(crate) fn end(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// The name of the database in a URL.
pub(crate) fn name(url: &str) -> &str {
    url.rsplit('/').next().unwrap()
}

/// Writes a file of `count` users whose names begin with `prefix`.
pub(crate) fn users(sandbox: &Sandbox, file: &str, prefix: &str, count: usize) {
    let hash = crate::program::SECRET123;
    let lines = (0..count).map(|number| format!("{prefix}{number:05},{hash},en,staff\n"));
    let lines: String = lines.collect();
    fs::write(sandbox.path(file), format!("username,password_hash,language,groups\n{lines}"))
        .unwrap();
}

/// Waits until `count` statements of the owner wait.
pub(crate) fn await_queries(cluster: &Cluster, count: i64) {
    let mut admin = cluster.superuser(SUPERUSER);
    let select = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = '{OWNER}' AND state = 'active'
             AND (wait_event_type = 'Lock' OR wait_event IN ('PgSleep', 'SyncRep'))"
    );
    for _ in 0..600 {
        if admin.query_one(&select, &[]).unwrap().get::<_, i64>(0) >= count {
            return;
        }
        sleep(Duration::from_millis(50));
    }
    panic!("no statement waits");
}
