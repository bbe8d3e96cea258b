//! Every exit code of the commands, with its code in JSON. 130 is tested with the prompts.

use std::thread;
use std::time::Duration;

use rusqlite::Connection;

use crate::support::{GOOD, Sandbox, empty, initialized, seeded};

fn expect(sandbox: &Sandbox, input: &str, args: &[&str], status: i32, code: &str) {
    let run = sandbox.run_with(input, &[args, &["--json"]].concat());
    assert_eq!(run.status, status, "{args:?}: {run}");
    assert_eq!(run.error()["code"], code, "{args:?}: {run}");
}

#[test]
fn errors_have_their_exit_code_and_json_code() {
    let sandbox = seeded();
    expect(&sandbox, "", &["add", "carol", "--password-file", "nowhere"], 1, "failed");
    expect(&sandbox, "", &["import", "nowhere.csv"], 1, "failed");
    sandbox.write("there.csv", "username,password\nalice,12345\n");
    expect(&sandbox, "", &["export", "there.csv"], 1, "file_exists");
    expect(&sandbox, "", &["import", "there.csv"], 8, "weak_password");
    expect(&sandbox, "", &["import", "there.csv", "--allow-weak"], 9, "user_exists");
    expect(&sandbox, "", &["import", "-"], 2, "usage");
    expect(&sandbox, "", &["nonsense"], 2, "usage");
    expect(&sandbox, "", &["passwd", "alice"], 2, "usage");
    expect(&sandbox, "x", &["verify", "alice", "--password-stdin"], 3, "refused");
    expect(&sandbox, "x", &["verify", "nobody", "--password-stdin"], 3, "refused");
    expect(&sandbox, "x", &["rehash", "alice", "--password-stdin"], 3, "refused");
    expect(&sandbox, "", &["show", "nobody"], 6, "no_such_user");
    expect(&sandbox, "", &["update", "nobody", "--language", "en"], 6, "no_such_user");
    expect(&sandbox, "", &["update", "alice", "--language", "e"], 7, "invalid_data");
    expect(&sandbox, GOOD, &["add", "a:b", "--password-stdin"], 7, "invalid_data");
    expect(&sandbox, "12345", &["add", "carol", "--password-stdin"], 8, "weak_password");
    expect(&sandbox, "", &["add", "carol", "--password-stdin"], 8, "bad_password");
    expect(&sandbox, GOOD, &["add", "alice", "--password-stdin"], 9, "user_exists");
    expect(&sandbox, GOOD, &["add", "Alice", "--password-stdin"], 9, "user_exists");
    expect(&sandbox, "", &["remove", "alice"], 10, "needs_confirmation");
}

#[test]
fn database_errors_have_their_json_code() {
    expect(&empty(), "", &["list"], 4, "no_database");
    let sandbox = empty();
    sandbox.write("users.db", "");
    expect(&sandbox, "", &["list"], 4, "needs_migration");
    expect(&sandbox, "", &["migrate", "--status"], 4, "needs_migration");
    sandbox.write("users.db", "this is no database at all, whatever its name says".repeat(20));
    expect(&sandbox, "", &["list"], 4, "not_a_database");
    let sandbox = initialized();
    sandbox.sql("UPDATE dash_users_schema SET version = 2000000000000");
    expect(&sandbox, "", &["list"], 4, "newer_schema");
    expect(&sandbox, "", &["list", "-d", "users.db/x"], 4, "cannot_connect");
}

#[test]
fn locked_database_is_busy_for_writers_only() {
    let sandbox = seeded();
    let other = Connection::open(sandbox.path("users.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(sandbox.run(&["list"]).status, 0, "a reserved lock does not block readers");
    expect(&sandbox, "", &["remove", "alice", "--yes", "--wait", "0"], 5, "busy");
}

#[test]
fn wait_ends_when_the_lock_is_released() {
    let sandbox = seeded();
    let other = Connection::open(sandbox.path("users.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    thread::scope(|scope| {
        let lock = scope.spawn(|| sandbox.run(&["lock", "alice", "--wait", "600"]));
        thread::sleep(Duration::from_millis(300));
        assert!(!lock.is_finished(), "it waits for the lock");
        other.execute_batch("COMMIT").unwrap();
        assert_eq!(lock.join().unwrap().status, 0);
    });
    for wait in ["-1", "soon", "1e9"] {
        assert_eq!(sandbox.run(&["list", "--wait", wait]).status, 2, "{wait}");
    }
}
