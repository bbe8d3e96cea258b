//! What Linux shows other processes of a running command: arguments, environment and memory.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use memchr::memmem;
use rusqlite::Connection;

use crate::support::{Sandbox, initialized};

/// Two unique passwords.
const OLD: &str = "qwzx-7391-plover";
const NEW: &str = "vmbt-4826-xyzzy";

fn read(child: &Child, name: &str) -> String {
    let content = fs::read(format!("/proc/{}/{name}", child.id())).unwrap();
    String::from_utf8_lossy(&content).into_owned()
}

/// Waits until the command sleeps, which means it waits for the database.
fn wait_for_sleep(child: &mut Child) {
    let sleep = format!("{} ", nix::libc::SYS_clock_nanosleep);
    while !read(child, "syscall").starts_with(&sleep) {
        assert!(child.try_wait().unwrap().is_none(), "it did not wait");
        thread::sleep(Duration::from_millis(10));
    }
}

/// The memory of the command, except the stack, where only unoptimized builds leave copies.
fn memory(child: &Child) -> Vec<u8> {
    const PAGE: u64 = 4096;
    const PART: u64 = 512;
    let open = |name| File::open(format!("/proc/{}/{name}", child.id())).unwrap();
    let [memory, pages] = ["mem", "pagemap"].map(open);
    let mut content = Vec::new();
    for line in read(child, "maps").lines() {
        let [range, rights] = [0, 1].map(|field| line.split(' ').nth(field).unwrap());
        if !rights.starts_with("rw") || line.ends_with("[stack]") {
            continue;
        }
        let (from, to) = range.split_once('-').unwrap();
        let [from, to] = [from, to].map(|end| u64::from_str_radix(end, 16).unwrap() / PAGE);
        // Most memory reserved by the allocator is not mapped.
        for first in (from..to).step_by(usize::try_from(PART).unwrap()) {
            let count = usize::try_from(PART.min(to - first)).unwrap();
            let mut flags = vec![0; count * 8];
            pages.read_exact_at(&mut flags, first * 8).unwrap();
            if flags.iter().any(|byte| *byte != 0) {
                let mut part = vec![0; count * usize::try_from(PAGE).unwrap()];
                memory.read_exact_at(&mut part, first * PAGE).unwrap();
                content.append(&mut part);
            }
        }
    }
    content
}

/// A command that has read its input and waits for another writer.
fn while_it_waits(sandbox: &Sandbox, mut command: Command, input: &str, look: impl Fn(&Child)) {
    let other = Connection::open(sandbox.path("users.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    wait_for_sleep(&mut child);
    look(&child);
    other.execute_batch("ROLLBACK").unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn password_is_in_memory_once_and_only_while_needed() {
    let csv = format!("username,password\nfred,{OLD}\ngina,{NEW}\n");
    let jsonl = format!(
        "{{\"username\": \"hugo\", \"password\": \"{OLD}\"}}\n{{\"username\": \"ida\", \"password\": \"{NEW}\"}}"
    );
    let object = format!(r#"{{"jane": "{OLD}", "kurt": "{NEW}"}}"#);
    let sandbox = initialized();
    sandbox.write("password", format!("{OLD}\n"));
    for (args, input, copies) in [
        (&["add", "alice", "--password-stdin"][..], OLD, 1),
        (&["add", "bob", "--password-file", "password"], "", 1),
        (&["passwd", "alice", "--password-stdin"], OLD, 1),
        (&["import", "-", "--jobs", "1", "--input-format", "csv"], &csv, 0),
        (&["import", "-", "--jobs", "1", "--input-format", "jsonl"], &jsonl, 0),
        (&["import", "-", "--jobs", "1", "--input-format", "json"], &object, 0),
    ] {
        while_it_waits(&sandbox, sandbox.command(args), input, |child| {
            let memory = memory(child);
            let count = |text| memmem::find_iter(&memory, text).count();
            assert_eq!(count(OLD), copies, "{args:?}");
            assert_eq!(count(NEW), 0, "{args:?}");
            // The search finds existing text.
            assert_ne!(count("BEGIN IMMEDIATE"), 0, "{args:?}");
        });
    }
}

#[test]
fn process_list_and_core_dumps_contain_no_password() {
    let sandbox = initialized();
    let script = "ulimit -c unlimited && exec dash-users add alice --password-stdin";
    while_it_waits(&sandbox, sandbox.shell(script), OLD, |child| {
        let limits = read(child, "limits");
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
        for name in ["cmdline", "environ", "comm", "status"] {
            let content = read(child, name);
            assert!(!content.contains(&OLD[..7]), "{content}");
        }
        assert!(read(child, "cmdline").contains("--password-stdin"));
    });
}
