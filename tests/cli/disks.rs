//! Full disks and file size limits.

use std::fmt::Write as _;
use std::fs;
use std::process::Output;

use crate::skip::or_skip;
use crate::support::{Mount, SECRET123, Sandbox, initialized};

/// A file with this many users.
fn users(count: u32) -> String {
    let mut csv = "username,password_hash\n".to_owned();
    for number in 0..count {
        writeln!(csv, "user{number},{SECRET123}").unwrap();
    }
    csv
}

/// A database of some users, and a file of more users than will fit.
fn with_some() -> Sandbox {
    let sandbox = initialized();
    sandbox.write("some.csv", users(500));
    sandbox.write("many.csv", users(3000));
    assert_eq!(sandbox.run(&["import", "some.csv"]).status, 0);
    sandbox
}

fn assert_failed(output: &Output, status: i32, reason: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{:?}: {said}", output.status);
    assert!(said.starts_with("error: ") && said.contains(reason), "{said}");
}

#[test]
fn file_size_limit_is_an_error_not_a_signal() {
    for (command, reason) in [
        ("import many.csv --on-conflict skip", "ulimit -f"),
        ("backup copy.db", "ulimit -f"),
        ("export all.csv", "File too large"),
    ] {
        let sandbox = with_some();
        let export = sandbox.run(&["export"]);
        // In blocks of 512 bytes.
        let size = fs::metadata(sandbox.path("users.db")).unwrap().len() / 512;
        let most = if command.starts_with("import") { size + 16 } else { 16 };
        let script = format!("ulimit -f {most} && exec dash-users {command}");
        assert_failed(&sandbox.shell(&script).output().unwrap(), 1, reason);
        assert!(sandbox.run(&["export"]) == export, "{command}");
        assert_eq!(sandbox.run(&["check"]).status, 0, "{command}");
        // A second attempt succeeds.
        let run = sandbox.run(&command.split(' ').collect::<Vec<_>>());
        assert_eq!(run.status, 0, "{command}: {run}");
    }
}

#[test]
fn full_disk_is_an_error_and_changes_nothing() {
    let sandbox = with_some();
    let path = sandbox.path("disk");
    fs::create_dir(&path).unwrap();
    let Some(_disk) = or_skip(Mount::new(&["-t", "tmpfs", "-o", "size=512k", "tmpfs"], &path))
    else {
        return;
    };
    let on_disk = ["--database", "disk/users.db"];
    assert_eq!(sandbox.run(&[&["import", "some.csv"][..], &on_disk].concat()).status, 0);
    let export = sandbox.run(&[&["export"][..], &on_disk].concat());
    for args in [
        &["import", "many.csv", "--on-conflict", "skip"][..],
        &["backup", "disk/copy.db"],
        &["export", "disk/all.csv"],
        &["init", "--database", "disk/other.db"],
    ] {
        let is_import = args[0] == "import";
        if !is_import {
            // Fills the disk.
            let free = vec![b'x'; 1 << 20];
            let _ = fs::write(path.join("rest"), free);
        }
        let here = if args.contains(&"--database") { &[][..] } else { &on_disk };
        let run = sandbox.run(&[args, here].concat());
        assert_eq!(run.status, 1, "{args:?}: {run}");
        let is_said =
            ["the disk is full", "No space left"].iter().any(|it| run.stderr.contains(it));
        assert!(is_said, "{args:?}: {run}");
        let _ = fs::remove_file(path.join("rest"));
        assert!(sandbox.run(&[&["export"][..], &on_disk].concat()) == export, "{args:?}");
    }
}
