//! Commands killed or interrupted at each writing system call, and so at each step of a commit.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;

use rusqlite::{Connection, OpenFlags, ffi};

use crate::faults::{CASES, GENERATING, Scene, dump, is_end, scenes};
use crate::sample;

#[test]
fn killed_command_leaves_old_or_new_state() {
    let (mut all_old, mut found_new, mut unreadable) = (0, 0, 0);
    let Some(scenes) = scenes(0, 1) else { return };
    for scene in scenes {
        let case = scene.case;
        let mut found_old = 0;
        for (call, number) in scene.sampled_calls(30) {
            scene.reset();
            let output = scene.run_with_fault(&format!("{call}:signal=SIGKILL:when={number}"));
            let context = format!("{:?} killed at {call} {number}", case.args);
            assert_eq!(output.status.signal(), Some(9), "{context}: {output:?}");
            assert_nothing_is_for_others(&scene, &context);
            unreadable += u32::from(!can_be_read_without_rights(&scene, &context));
            if scene.is_new(&context) {
                found_new += 1;
                continue;
            }
            found_old += 1;
            // The tutorial's app, or another program with write access, has opened it.
            assert!(can_be_read_without_rights(&scene, &context), "{context}");
            // Leftovers do not block the next run.
            let run = scene.run();
            assert_eq!(run.status, 0, "{context}: {run}");
            assert!(scene.is_new(&context), "{context}: {run}");
        }
        assert!(found_old > 0, "{:?}: never killed in time", case.args);
        all_old += found_old;
    }
    println!(
        "killed: {all_old} old, {found_new} new, {unreadable} of all unreadable without rights until rolled back"
    );
    assert!(found_new > 0 && unreadable > 0, "{found_new} {unreadable}");
}

/// Checks reading without write access. It fails only if the commit itself was cut short, until a
/// program with write access has opened the database. Half a change is never visible.
fn can_be_read_without_rights(scene: &Scene, context: &str) -> bool {
    let path = scene.sandbox.path("users.db");
    if fs::metadata(&path).map_or(0, |file| file.len()) == 0 {
        return true;
    }
    let journal = fs::read(scene.sandbox.path("users.db-journal")).unwrap_or_default();
    let is_hot = journal.first().is_some_and(|byte| *byte != 0);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(&path, flags).unwrap();
    match dump(&connection, scene.sandbox.dir()) {
        Ok(found) => {
            assert!(scene.may_be_found(&found), "{context}: {found}");
            true
        }
        Err(error) => match error.sqlite_error().unwrap().extended_code {
            ffi::SQLITE_READONLY_ROLLBACK if is_hot => false,
            // Unchanged.
            ffi::SQLITE_CORRUPT => true,
            _ => panic!("{context}: {error}"),
        },
    }
}

fn assert_nothing_is_for_others(scene: &Scene, context: &str) {
    for entry in fs::read_dir(scene.sandbox.dir()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{context}: {entry:?}");
    }
}

#[test]
fn interrupted_command_changes_nothing_or_completes() {
    let (mut found_old, mut found_new) = (0, 0);
    let Some(scenes) = scenes(0, 2) else { return };
    for scene in scenes {
        let case = scene.case;
        for (call, number) in scene.sampled_calls(5) {
            scene.reset();
            let output = scene.run_with_fault(&format!("{call}:signal=SIGINT:when={number}"));
            let context = format!("{:?} interrupted at {call} {number}", case.args);
            let is_new = scene.is_new(&context);
            let status = output.status.code().unwrap();
            // An export or backup does not change the database.
            if case.file.is_none() || status == 0 {
                assert_eq!(status, if is_new { 0 } else { 130 }, "{context}: {output:?}");
            }
            if is_new { found_new += 1 } else { found_old += 1 }
        }
    }
    println!("interrupted: {found_old} old, {found_new} new");
    assert!(found_old > 0 && found_new > 0, "{found_old} {found_new}");
}

#[test]
fn killed_import_never_loses_generated_passwords() {
    let Some(scene) = Scene::new(&GENERATING) else { return };
    let mut found = [0, 0];
    for (call, number) in scene.calls(sample::of(3, 15)) {
        scene.reset();
        scene.run_with_fault(&format!("{call}:signal=SIGKILL:when={number}"));
        let context = format!("killed at {call} {number}");
        let is_new = scene.is_new(&context);
        found[usize::from(is_new)] += 1;
        if is_new {
            let passwords = fs::read_to_string(scene.sandbox.path("passwords.csv")).unwrap();
            let password = passwords.lines().find_map(|line| line.strip_prefix("fay,")).unwrap();
            let run = scene.sandbox.run_with(password, &["verify", "fay", "--password-stdin"]);
            assert_eq!(run.status, 0, "{context}: {run}");
        }
    }
    assert!(found[0] > 0 && found[1] > 0, "{found:?}");
}

#[test]
fn killed_rollback_leaves_old_state() {
    let Some(case) = CASES.iter().find(|case| case.args[0] == "rename") else { panic!() };
    let Some(scene) = Scene::new(case) else { return };
    let mut killed = 0;
    for call in ["ftruncate", "pwrite64", "fsync", "unlink"] {
        for number in 1.. {
            scene.reset();
            scene.run_with_fault("unlink:signal=SIGKILL:when=1");
            let fault = format!("inject={call}:signal=SIGKILL:when={number}");
            let output = scene.run_traced(&["list"], &["-o/dev/null", "-e", &fault]);
            let context = format!("rolling back, killed at {call} {number}");
            assert!(!scene.is_new(&context), "{context}");
            if output.status.success() {
                break;
            }
            assert_eq!(output.status.signal(), Some(9), "{context}: {output:?}");
            killed += 1;
        }
    }
    println!("killed while rolling back: {killed}");
    assert!(killed > 10, "{killed}");
}

#[test]
fn reported_success_is_on_disk() {
    let Some(scenes) = scenes(0, 1) else { return };
    for scene in scenes {
        if scene.trace().contains("users.db-wal") {
            // A log is synced at the commit and removed at the end.
            continue;
        }
        // A commit ends by removing the journal, an export by renaming the file. Both then sync the
        // directory.
        let (args, trace) = (scene.case.args, scene.trace());
        let after = trace.lines().rev().take_while(|line| !is_end(line));
        let is_synced = after.into_iter().any(|line| line.starts_with("fsync("));
        assert!(is_synced && trace.lines().any(is_end), "{args:?} {trace}");
    }
}
