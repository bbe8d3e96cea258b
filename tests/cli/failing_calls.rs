//! Failing system calls: each writing call of a command fails, once or from then on.

use std::process::Output;

use crate::faults::{Scene, scenes};
use crate::sample;

/// Asserts that failed calls are reported. Returns whether the new state was reached.
fn assert_reported(scene: &Scene, fault: &str, output: Output) -> bool {
    let context = format!("{:?} {fault}: {output:?}", scene.case.args);
    let is_new = scene.is_new(&context);
    match output.status.code() {
        Some(0) => assert!(is_new, "the change is missing: {context}"),
        Some(1 | 4) => {}
        _ => panic!("{context}"),
    }
    // If stderr cannot be written, only the exit code reports the failure.
    if output.status.code() != Some(0) && !fault.starts_with("write:") {
        let stderr = String::from_utf8(output.stderr).unwrap();
        let path = scene.sandbox.dir().to_str().unwrap();
        let is_reported = |line: &str| line.starts_with("error: ") && line.contains(path);
        assert!(stderr.lines().any(is_reported) && !stderr.contains("panicked"), "{context}");
    }
    if !is_new {
        let run = scene.run();
        assert_eq!(run.status, 0, "{context}: {run}");
        assert!(scene.is_new(&context), "{context}: {run}");
    }
    is_new
}

/// Makes the writing calls of each command fail.
fn fail(skip: usize, most: usize, when: impl Fn(usize) -> String) {
    let (mut old, mut new) = (0, 0);
    let Some(scenes) = scenes(skip, 2) else { return };
    for scene in scenes {
        for (call, number) in scene.sampled_calls(most) {
            let error = if ["write", "pwrite64"].contains(&&*call) { "ENOSPC" } else { "EIO" };
            let fault = format!("{call}:error={error}:when={}", when(number));
            scene.reset();
            let output = scene.run_with_fault(&fault);
            if assert_reported(&scene, &fault, output) {
                new += 1;
            } else {
                old += 1;
            }
        }
    }
    println!("failing calls that write: {old} old, {new} new");
    assert!(old > 0 && new > 0, "{old} {new}");
}

#[test]
fn one_failing_call_is_reported_and_leaves_old_or_new_state() {
    fail(0, 6, |number| number.to_string());
}

#[test]
fn repeated_failing_calls_leave_old_or_new_state() {
    fail(1, 4, |number| format!("{number}+"));
}

#[test]
fn unreadable_file_and_uncreatable_journal_are_reported() {
    let step = sample::of(5, 1);
    let mut old = 0;
    let Some(scenes) = scenes(0, 1) else { return };
    for (turn, scene) in scenes.iter().enumerate() {
        let faults = [
            ("users.db", "pread64:error=EIO:when=1"),
            ("users.db", "pread64:error=EIO:when=4"),
            ("users.db", "pread64:error=EIO:when=6+"),
            ("users.db-journal", "openat:error=EACCES"),
            ("users.db-journal", "openat:error=ENOSPC"),
        ];
        for (file, fault) in faults.into_iter().skip(turn % step).step_by(step) {
            scene.reset();
            let output = scene.run_with_fault_on(file, fault);
            old += u32::from(!assert_reported(scene, fault, output));
        }
    }
    println!("failing reads and journals: {old} old");
    assert!(old > 0);
}
