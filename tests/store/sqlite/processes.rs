//! Processes: concurrent ones, ones with another umask, and ones without write permission.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use super::journals::{UPDATE, filled, killed_after};
use crate::database::{Database, Sqlite};
use crate::support::{add, init, names, open};

const PROGRAM: &str = env!("CARGO_BIN_EXE_dash-users");

/// The user `nobody` of Linux, who has no rights.
const NOBODY: u32 = 65_534;

/// The program, or a copy of it, on the file at `path`.
fn command(program: impl AsRef<Path>, path: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(program.as_ref());
    command.env_clear().arg("--database").arg(path).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts `init` in four processes, and waits for them.
fn init_at_once(database: &Sqlite) {
    let start = |_| command(PROGRAM, database.path(), &["init"]).spawn().unwrap();
    let children: Vec<Child> = (0..4).map(start).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert_status(output, 0);
    }
    assert_eq!(database.query("SELECT count(*) FROM dash_users_schema"), ["1"]);
}

#[test]
fn concurrent_processes_create_one_database() {
    for round in 0..20 {
        let database = Sqlite::new();
        if round % 2 == 0 {
            fs::write(database.path(), "").unwrap();
        }
        init_at_once(&database);
        add(&mut init(&database), "alice");
    }
}

#[test]
fn umask_does_not_change_mode_of_new_file() {
    for (umask, args, mode) in [
        ("000", "", 0o600),
        ("022", "", 0o600),
        ("777", "", 0o600),
        ("077", "--file-mode 0640", 0o640),
        ("777", "--file-mode 0664", 0o664),
    ] {
        let database = Sqlite::new();
        let script = format!("umask {umask} && exec \"$0\" --database \"$1\" init {args}");
        let mut shell = Command::new("sh");
        shell.env_clear().args(["-c", &script, PROGRAM]).arg(database.path());
        assert_status(shell.output().unwrap(), 0);
        let found = fs::metadata(database.path()).unwrap().permissions().mode() & 0o7777;
        assert_eq!(found, mode, "umask {umask} {args}");
    }
}

/// Runs the program on the file at `path` without write permission for it and for the directory.
fn run_without_rights(database: &Sqlite, path: &Path, args: &[&str]) -> Output {
    run_with_directory_mode(0o555, database, path, args)
}

/// Runs the program without write permission: as `nobody` if we are root, which no mode restricts,
/// otherwise as ourselves.
fn run_with_directory_mode(mode: u32, database: &Sqlite, path: &Path, args: &[&str]) -> Output {
    let set_mode =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let program = copy_of_program(database);
    set_mode(database.path(), 0o444);
    set_mode(database.dir(), mode);
    let mut command = command(program, path, args);
    if database.is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().unwrap();
    // Allow using and removing it.
    set_mode(database.dir(), 0o755);
    set_mode(database.path(), 0o644);
    output
}

/// A copy of the program in the directory of a database: `nobody` may have no access to the build
/// directory.
fn copy_of_program(database: &Sqlite) -> PathBuf {
    let copy = database.dir().join("dash-users");
    // In another process: here, a child that another thread starts meanwhile would inherit the open
    // file, and a file that is open for writing cannot be run.
    let status = Command::new("cp").arg(PROGRAM).arg(&copy).status().unwrap();
    assert!(status.success());
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    copy
}

/// Asserts that the program exited with `status`, and returns its stdout.
fn assert_status(output: Output, status: i32) -> String {
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// Asserts that the program could not open the database, for this reason.
fn assert_cannot_open(output: Output, reason: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains(reason), "{stderr}");
    assert_status(output, 4);
}

#[test]
fn without_write_permission_changes_are_rejected() {
    let database = Sqlite::new();
    add(&mut init(&database), "alice");
    let list = run_without_rights(&database, database.path(), &["list", "--format", "plain"]);
    assert!(assert_status(list, 0).starts_with("alice\t"));
    assert_status(run_without_rights(&database, database.path(), &["init"]), 0);
    let remove = ["remove", "alice", "--yes"];
    let refused = run_without_rights(&database, database.path(), &remove);
    assert_cannot_open(refused, "it cannot be written");
    assert_eq!(names(&database), ["alice"]);
}

#[test]
fn unwritable_directory_gets_no_file() {
    let database = Sqlite::new();
    drop(init(&database));
    let missing = database.dir().join("missing.db");
    assert_cannot_open(run_without_rights(&database, &missing, &["init"]), "Permission denied");
    assert!(!missing.exists());
}

#[test]
fn without_write_permission_journal_is_reported() {
    let database = filled();
    let killed = killed_after(&database, UPDATE);
    let before = killed.bytes();
    let refused = run_without_rights(&killed, killed.path(), &["list"]);
    assert_cannot_open(refused, "a killed program left a journal");
    assert!(killed.bytes() == before);
    // With write permission, it can still be read.
    assert_eq!(open(&killed).list().unwrap().len(), names(&database).len());
}

#[test]
fn without_write_permission_leaves_no_log() {
    let database = Sqlite::new();
    drop(init(&database));
    database.execute("PRAGMA journal_mode = wal");
    let refused = run_with_directory_mode(0o777, &database, database.path(), &["list"]);
    assert_cannot_open(refused, "it uses a write-ahead log");
    let mut entries = fs::read_dir(database.dir()).unwrap();
    assert!(entries.all(|entry| !entry.unwrap().file_name().to_string_lossy().contains("-wal")));
    add(&mut open(&database), "alice");
}

#[test]
fn failed_group_change_leaves_no_file() {
    let database = Sqlite::new();
    if !database.is_root() {
        eprintln!("skipped: only root can run this test");
        return;
    }
    fs::set_permissions(database.dir(), fs::Permissions::from_mode(0o777)).unwrap();
    let mut init =
        command(copy_of_program(&database), database.path(), &["init", "--file-group", "0"]);
    let refused = init.uid(NOBODY).gid(NOBODY).output().unwrap();
    assert_cannot_open(refused, "cannot set its group");
    assert!(!database.path().exists());
}
