//! Files, links and pipes that another user planted where a command writes, and non-regular files.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use crate::skip::or_skip;
use crate::support::{Mount, Run, Sandbox, seeded};

/// Another user.
const STRANGER: u32 = 65534;

/// The commands that write secrets to a file. Each writes `FILE`.
const COMMANDS: [&[&str]; 3] = [
    &["backup", "FILE"],
    &["export", "FILE", "--output-format", "csv"],
    &["import", "missing.csv", "--generate-missing", "FILE", "--on-conflict", "skip"],
];

/// A database, a file for `--generate-missing`, and a subdirectory `out` in which anyone may write.
fn sticky() -> Sandbox {
    let sandbox = seeded();
    sandbox.write("missing.csv", "username,password\neve,\n");
    fs::create_dir(sandbox.path("out")).unwrap();
    fs::set_permissions(sandbox.path("out"), Permissions::from_mode(0o1777)).unwrap();
    sandbox
}

/// Likewise, if the test can change file owners.
fn sticky_as_root() -> Option<Sandbox> {
    let sandbox = sticky();
    let can_give = lchown(sandbox.path("out"), Some(0), Some(0))
        .and_then(|()| chown(sandbox.path("missing.csv"), Some(STRANGER), None));
    or_skip(can_give.map_err(|error| format!("cannot give files away: {error}")))?;
    Some(sandbox)
}

fn run(sandbox: &Sandbox, command: &[&str], file: &str, force: bool) -> Run {
    let mut args: Vec<_> =
        command.iter().map(|arg| if *arg == "FILE" { file } else { *arg }).collect();
    if force {
        args.push("--force");
    }
    sandbox.run(&args)
}

/// Every command, with and without `--force` if it has that option.
fn each_command(mut each: impl FnMut(&[&str], bool)) {
    for command in COMMANDS {
        each(command, false);
        if command[0] != "import" {
            each(command, true);
        }
    }
}

fn is_forgotten(sandbox: &Sandbox, directory: &str) -> bool {
    let entries = fs::read_dir(sandbox.path(directory)).unwrap();
    entries.flatten().all(|entry| !entry.file_name().to_string_lossy().contains("unfinished"))
}

#[test]
fn other_users_empty_file_is_not_written() {
    let Some(sandbox) = sticky_as_root() else { return };
    let path = sandbox.path("out/file");
    for command in COMMANDS {
        fs::write(&path, "").unwrap();
        chown(&path, Some(STRANGER), Some(STRANGER)).unwrap();
        let run = run(&sandbox, command, "out/file", false);
        assert_eq!(run.status, 1, "{command:?}: {run}");
        assert!(run.stderr.contains("already exists"), "{command:?}: {run}");
        assert_eq!(fs::metadata(&path).unwrap().len(), 0, "{command:?}");
    }
    assert!(is_forgotten(&sandbox, "out"));
}

#[test]
fn own_empty_file_is_replaced() {
    let sandbox = sticky();
    for command in COMMANDS {
        sandbox.write("out/file", "");
        fs::set_permissions(sandbox.path("out/file"), Permissions::from_mode(0o644)).unwrap();
        let run = run(&sandbox, command, "out/file", false);
        assert_eq!(run.status, 0, "{command:?}: {run}");
        let written = fs::metadata(sandbox.path("out/file")).unwrap();
        assert!(written.len() > 0 && written.mode() & 0o7777 == 0o600, "{command:?}");
    }
    assert!(is_forgotten(&sandbox, "out"));
}

#[test]
fn force_replaces_other_users_file_and_owner() {
    let Some(sandbox) = sticky_as_root() else { return };
    for (command, file) in [(COMMANDS[0], "out/copy.db"), (COMMANDS[1], "out/copy.csv")] {
        assert_eq!(run(&sandbox, command, file, false).status, 0);
        let path = sandbox.path(file);
        let own = fs::metadata(&path).unwrap().uid();
        chown(&path, Some(STRANGER), Some(STRANGER)).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
        let theirs = fs::File::open(&path).unwrap();
        let run = run(&sandbox, command, file, true);
        assert_eq!(run.status, 0, "{command:?}: {run}");
        let written = fs::metadata(&path).unwrap();
        assert_eq!((written.uid(), written.mode() & 0o7777), (own, 0o600), "{command:?}");
        assert_eq!(theirs.metadata().unwrap().nlink(), 0, "{command:?}: written into");
    }
    sandbox.write("out/text", "no database");
    chown(sandbox.path("out/text"), Some(STRANGER), None).unwrap();
    assert_eq!(run(&sandbox, COMMANDS[0], "out/text", true).status, 4);
    assert_eq!(sandbox.read_text("out/text"), "no database");
}

#[test]
fn other_users_link_is_not_followed() {
    let Some(sandbox) = sticky_as_root() else { return };
    assert_eq!(run(&sandbox, COMMANDS[0], "target", false).status, 0);
    let before = sandbox.read("target");
    let link = sandbox.path("out/link");
    for target in ["../target", "../nowhere", "/dev/null"] {
        let _ = fs::remove_file(&link);
        symlink(target, &link).unwrap();
        lchown(&link, Some(STRANGER), Some(STRANGER)).unwrap();
        each_command(|command, force| {
            let run = run(&sandbox, command, "out/link", force);
            assert_eq!(run.status, 1, "{command:?} {target}: {run}");
            let reason = "it is a symbolic link owned by another user";
            assert!(run.stderr.contains(reason), "{command:?} {target}: {run}");
        });
    }
    assert!(sandbox.read("target") == before);
    assert!(!sandbox.path("nowhere").exists() && link.is_symlink());
    // The same holds for an own link to another user's link.
    symlink("link", sandbox.path("out/own")).unwrap();
    assert_eq!(run(&sandbox, COMMANDS[1], "out/own", true).status, 1);
}

#[test]
fn own_link_is_followed_and_kept() {
    let sandbox = sticky();
    for (command, file) in [(COMMANDS[0], "copy.db"), (COMMANDS[1], "copy.csv")] {
        assert_eq!(run(&sandbox, command, file, false).status, 0);
        let old = fs::metadata(sandbox.path(file)).unwrap().ino();
        let link = sandbox.path(&format!("out/{file}"));
        symlink(sandbox.path(file), &link).unwrap();
        let run = run(&sandbox, command, &format!("out/{file}"), true);
        assert_eq!(run.status, 0, "{run}");
        assert!(link.is_symlink() && fs::metadata(sandbox.path(file)).unwrap().ino() != old);
    }
}

#[test]
fn non_regular_files_are_rejected_unchanged() {
    let sandbox = sticky();
    let _listener = UnixListener::bind(sandbox.path("out/socket")).unwrap();
    fs::set_permissions(sandbox.path("out/socket"), Permissions::from_mode(0o644)).unwrap();
    fs::create_dir(sandbox.path("out/directory")).unwrap();
    // A separate node of the null device, to protect the machine's own.
    let mut files = vec!["out/socket", "out/directory"];
    let mknod = Command::new("mknod").arg(sandbox.path("out/null")).args(["c", "1", "3"]).output();
    if mknod.is_ok_and(|output| output.status.success()) {
        fs::set_permissions(sandbox.path("out/null"), Permissions::from_mode(0o666)).unwrap();
        files.push("out/null");
    }
    for file in files {
        let state = |path: &Path| {
            let found = fs::symlink_metadata(path).unwrap();
            (found.mode(), found.uid(), found.ino())
        };
        let before = state(&sandbox.path(file));
        each_command(|command, force| {
            let run = run(&sandbox, command, file, force);
            assert_eq!(run.status, 1, "{command:?} {file}: {run}");
            let is_said = ["not a regular file", "is a directory"];
            assert!(is_said.iter().any(|said| run.stderr.contains(said)), "{command:?}: {run}");
            assert!(state(&sandbox.path(file)) == before, "{command:?} {file}");
        });
    }
    assert!(is_forgotten(&sandbox, "out"));
}

/// The stdout and stderr of a script.
fn script(sandbox: &Sandbox, script: &str) -> String {
    let output = sandbox.shell(&format!("exec 2>&1; {script}")).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn export_writes_to_pipes_and_stdout_without_force() {
    let sandbox = sticky();
    let exported = sandbox.run(&["export"]).stdout;
    let csv = "--output-format csv --quiet";
    for (name, command) in [
        ("stdout", format!("dash-users export /dev/stdout {csv} | cat")),
        ("a file on stdout", "dash-users export /dev/stdout >out/csv; cat out/csv".to_owned()),
        ("a descriptor", format!("{{ dash-users export /dev/fd/3 {csv} 3>&1 >&2; }} | cat")),
        ("a fifo", format!("mkfifo -m 600 fifo; cat fifo & dash-users export fifo {csv}; wait")),
    ] {
        assert_eq!(script(&sandbox, &command), exported, "{name}");
    }
}

#[test]
fn other_users_pipe_is_rejected() {
    let Some(sandbox) = sticky_as_root() else { return };
    assert_eq!(script(&sandbox, "mkfifo -m 666 out/fifo"), "");
    chown(sandbox.path("out/fifo"), Some(STRANGER), None).unwrap();
    each_command(|command, force| {
        let run = run(&sandbox, command, "out/fifo", force);
        assert_eq!(run.status, 1, "{run}");
        assert!(run.stderr.contains("it is a pipe owned by another user"), "{run}");
    });
}

#[test]
fn backup_rejects_planted_journal() {
    let Some(sandbox) = sticky_as_root() else { return };
    for suffix in ["journal", "wal"] {
        let path = sandbox.path(&format!("out/copy.db-{suffix}"));
        fs::write(&path, "planted").unwrap();
        chown(&path, Some(STRANGER), None).unwrap();
        let rejected = run(&sandbox, COMMANDS[0], "out/copy.db", false);
        assert_eq!(rejected.status, 1, "{rejected}");
        assert!(rejected.stderr.contains("SQLite would apply"), "{rejected}");
        assert!(!sandbox.path("out/copy.db").exists());
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn man_does_not_follow_other_users_link() {
    let Some(sandbox) = sticky_as_root() else { return };
    sandbox.write("precious", "precious");
    let link = sandbox.path("out/dash-users.1");
    symlink("../precious", &link).unwrap();
    lchown(&link, Some(STRANGER), None).unwrap();
    let run = sandbox.run(&["man", "out"]);
    assert_eq!(run.status, 1, "{run}");
    assert_eq!(sandbox.read_text("precious"), "precious");
    fs::remove_file(&link).unwrap();
    assert_eq!(sandbox.run(&["man", "out"]).status, 0);
    assert_eq!(sandbox.run(&["man", "out"]).status, 0);
    assert!(is_forgotten(&sandbox, "out"));
    let mode = fs::metadata(sandbox.path("out/dash-users.1")).unwrap().mode();
    assert_eq!(mode & 0o600, 0o600);
}

#[test]
fn own_mounted_file_is_overwritten_in_place() {
    let sandbox = sticky();
    for (command, name) in [(COMMANDS[0], "copy.db"), (COMMANDS[1], "copy.csv")] {
        let [from, to] = ["from", "to"].map(|at| sandbox.path(&format!("{at}-{name}")));
        for path in [&from, &to] {
            fs::write(path, "").unwrap();
        }
        let Some(_mount) = or_skip(Mount::new(&["--bind", from.to_str().unwrap()], &to)) else {
            return;
        };
        let to = format!("to-{name}");
        for force in [false, true] {
            let run = run(&sandbox, command, &to, force);
            assert_eq!(run.status, 0, "{command:?}: {run}");
            let written = fs::metadata(&from).unwrap();
            assert!(written.len() > 0 && written.mode() & 0o7777 == 0o600, "{command:?}");
        }
        if chown(&from, Some(STRANGER), None).is_ok() {
            let before = fs::read(&from).unwrap();
            let run = run(&sandbox, command, &to, true);
            assert_eq!(run.status, 1, "{command:?}: {run}");
            assert!(fs::read(&from).unwrap() == before);
        }
    }
}
