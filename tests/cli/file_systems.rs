//! File systems without locks or modes, read-only media, and files that are not databases.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::{Command, Output, Stdio};

use crate::faults::strace;
use crate::skip::or_skip;
use crate::support::{Mount, PROGRAM, Sandbox, empty, seeded};

/// Runs the program with every system call of a kind failing.
fn with_fault(sandbox: &Sandbox, fault: &str, args: &[&str]) -> Output {
    let inject = format!("inject={fault}");
    let strace = ["-f", "-o", "/dev/null", "-e", &inject, PROGRAM];
    sandbox.command_of("strace", &[&strace, args].concat()).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn file_systems_without_locks_are_rejected_at_once() {
    let Some(()) = or_skip(strace()) else { return };
    for error in ["ENOLCK", "EACCES"] {
        let fault = format!("fcntl:error={error}");
        let sandbox = empty();
        let output = with_fault(&sandbox, &fault, &["init"]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(4), "{said}");
        assert!(said.contains("does not support locks"), "{said}");
        assert!(!sandbox.path("users.db").exists(), "an empty file was left behind");

        let sandbox = seeded();
        let output = with_fault(&sandbox, &fault, &["lock", "alice"]);
        assert_eq!(output.status.code(), Some(4), "{output:?}");
    }
}

#[test]
fn file_systems_without_modes_cause_warning() {
    let Some(()) = or_skip(strace()) else { return };
    let fault = "fchmod:error=EPERM";
    let sandbox = empty();
    let output = with_fault(&sandbox, fault, &["init", "--file-mode", "0640"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(said(&output).contains("users.db has mode 0600"), "{output:?}");
    let output = with_fault(&sandbox, fault, &["export", "users.csv"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn write_ahead_log_on_read_only_media_is_readable() {
    let sandbox = seeded();
    sandbox.sql("PRAGMA journal_mode = WAL");
    let disk = sandbox.path("disk 100%?#");
    fs::create_dir(&disk).unwrap();
    let Some(_mount) = or_skip(Mount::new(&["-t", "tmpfs", "-o", "size=1m", "tmpfs"], &disk))
    else {
        return;
    };
    let file = disk.join("users.db");
    fs::copy(sandbox.path("users.db"), &file).unwrap();
    let remount = |options: &str| {
        let remounted = Command::new("mount").args(["-o", options]).arg(&disk).status();
        assert!(remounted.unwrap().success());
    };
    remount("remount,ro");
    let list = ["list", "--database", file.to_str().unwrap(), "--format", "plain"];
    let run = sandbox.run(&list);
    assert_eq!((run.status, run.stdout.lines().count()), (0, 2), "{run}");
    let run = sandbox.run(&["lock", "alice", "--database", file.to_str().unwrap()]);
    assert_eq!(run.status, 4, "{run}");

    remount("remount,rw");
    fs::write(disk.join("users.db-wal"), "x").unwrap();
    remount("remount,ro");
    let run = sandbox.run(&list);
    assert_eq!(run.status, 4, "{run}");
}

#[test]
fn non_database_files_are_identified() {
    for (content, part) in [
        (&b"\x1f\x8b\x08\0 ..."[..], "gzip"),
        (b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n", "SQL dump"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "git lfs pull"),
        (b"<!DOCTYPE html>\n<title>Sign in</title>\n", "web page"),
    ] {
        let sandbox = seeded();
        sandbox.write("other.db", content);
        for args in [&["restore", "other.db", "--yes"][..], &["list", "--database", "other.db"]] {
            let run = sandbox.run(args);
            assert!(run.status == 4 && run.stderr.contains(part), "{args:?}: {run}");
        }
    }
}

#[test]
fn root_files_in_other_users_directory_are_noted() {
    let sandbox = empty();
    let app = sandbox.path("app");
    fs::create_dir(&app).unwrap();
    let given = chown(&app, Some(65534), None).map_err(|error| error.to_string());
    let Some(()) = or_skip(given) else { return };
    let run = sandbox.run(&["init", "--database", "app/users.db"]);
    let hint = "`chown nobody: '[DIR]/app/users.db'`";
    assert!(run.status == 0 && run.stderr.contains(hint), "{run}");
}

#[test]
fn backup_and_generated_passwords_accept_stdout_and_pipes() {
    let sandbox = seeded();
    sandbox.write("new.csv", "username,password\nzoe,\n");
    for name in ["-", "/dev/stdout"] {
        let mut backup = sandbox.command_of(PROGRAM, &["backup", name]);
        let output = backup.stdout(Stdio::piped()).output().unwrap();
        assert!(output.stdout.starts_with(b"SQLite format 3\0"), "{name}: {output:?}");
        assert_eq!(output.stdout.len() % 4096, 0, "{name}");

        let run = sandbox.run(&["import", "new.csv", "--generate-missing", name]);
        assert!(run.status == 0 && run.stdout.starts_with("username,password\nzoe,"), "{run}");
        assert_eq!(sandbox.run(&["remove", "zoe", "--yes"]).status, 0);
    }
    let script = format!(
        "mkfifo pipe; cat pipe > copy.db & {PROGRAM} backup pipe && wait;
         cat pipe > passwords & {PROGRAM} import new.csv --generate-missing pipe && wait; test -p pipe"
    );
    let output = sandbox.shell(&script).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let run = sandbox.run(&["list", "--database", "copy.db", "--format", "plain"]);
    assert_eq!((run.status, run.stdout.lines().count()), (0, 2), "{run}");
    let passwords = sandbox.read_text("passwords");
    assert!(passwords.starts_with("username,password\nzoe,"), "{passwords}");
}

#[test]
fn devices_are_rejected_untouched() {
    let sandbox = seeded();
    sandbox.write("new.csv", "username,password\nzoe,\n");
    let mode = || fs::metadata("/dev/null").unwrap().permissions().mode();
    let before = mode();
    for args in [
        &["backup", "/dev/null", "--force"][..],
        &["export", "/dev/null", "--force", "--output-format", "csv"],
        &["import", "new.csv", "--generate-missing", "/dev/null"],
        &["man", "/dev/null"],
        &["init", "--database", "/dev/null"],
    ] {
        let run = sandbox.run(args);
        assert!([1, 4].contains(&run.status), "{args:?}: {run}");
        assert_eq!(mode(), before, "{args:?}");
    }
}

#[test]
fn closed_stdout_is_rejected_before_any_change() {
    let sandbox = seeded();
    sandbox.write("new.csv", "username,password\nzoe,\n");
    for command in [
        "add zoe --generate",
        "passwd alice --generate",
        "import new.csv --generate-missing -",
        "export -",
        "backup -",
    ] {
        let before = sandbox.run(&["export"]);
        let output = sandbox.shell(&format!("{PROGRAM} {command} >&-")).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{command}: {output:?}");
        assert!(said(&output).contains("stdout is closed"), "{command}: {output:?}");
        assert_eq!(sandbox.run(&["export"]), before, "{command}");
    }
}

#[test]
fn journal_and_log_names_are_rejected() {
    let sandbox = seeded();
    for suffix in ["journal", "wal", "shm"] {
        let file = format!("users.db-{suffix}");
        for args in [&["backup", &file][..], &["export", &file, "--output-format", "csv"]] {
            let run = sandbox.run(args);
            assert_eq!(run.status, 2, "{args:?}: {run}");
            assert!(!sandbox.path(&file).exists());
        }
    }
}
