//! Every command that writes is killed, or has a system call fail, at each step of what it writes.
//!
//! A moment between two calls leaves on the disk what the next call finds, so that all moments are
//! tried. `strace` counts the calls, and kills the command as it enters one, or has it fail.

mod cases;
mod content;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use nix::unistd::Uid;
use tempfile::TempDir;

use self::cases::{CASES, Files, Start, files, prepare, put_back};
use self::content::content;
use crate::skip::or_skip;
use crate::support::{PROGRAM, Sandbox};

/// What changes files, or makes sure that it is on the disk.
const CALLS: &str = "pwrite64,write,fsync,fdatasync,ftruncate,unlink,unlinkat,fchmod,fchown";

/// The same, but for what may only be talk.
const CALLS_OF_STORE: &str = "pwrite64,fsync,fdatasync,ftruncate,unlink,unlinkat";

/// A user who owns nothing.
const NOBODY: u32 = 65534;

/// A command under `strace`, to which it is told what to do to the command's calls.
fn traced(sandbox: &Sandbox, strace: &[&str], case: &str) -> Command {
    let program = sandbox.command(&[]);
    let mut command = Command::new("strace");
    command.args(["-f", "-qq"]).args(strace).arg(PROGRAM).args(case.split(' '));
    command.current_dir(sandbox.dir()).env_clear();
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("PATH", "/usr/bin:/bin");
    command
}

fn output(mut command: Command, input: &Path) -> Output {
    let input = fs::File::open(input).unwrap();
    command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap()
}

/// What one command came to, over all of its rounds.
#[derive(Debug, Default)]
struct Counts {
    rounds: u32,
    /// In how many it was killed, or failed.
    hit: u32,
    old: u32,
    between: u32,
    new: u32,
    /// In how many an app that may not write had to wait for one that may.
    unreadable: u32,
}

/// A command, and the states that it may leave.
struct Case {
    args: &'static str,
    sandbox: Sandbox,
    /// What is on stdin.
    input: TempDir,
    files: Files,
    old: String,
    /// Between the database and its users: what `init` alone leaves.
    between: Option<String>,
    new: String,
}

impl Case {
    fn new(&(args, input, start): &(&'static str, &str, Start)) -> Self {
        let sandbox = prepare(start);
        let stdin = tempfile::tempdir().unwrap();
        fs::write(stdin.path().join("stdin"), input).unwrap();
        let database = sandbox.path("users.db");
        let before = files(sandbox.dir());
        let old = content(&database, true);
        let creates = matches!(start, Start::Nothing | Start::Table) && !args.starts_with("init");
        let between = creates.then(|| {
            assert_eq!(sandbox.run(&["init"]).status, 0);
            content(&database, false)
        });
        put_back(sandbox.dir(), &before);
        let run = sandbox.run_with(input, &args.split(' ').collect::<Vec<_>>());
        assert!(matches!(run.status, 0 | 7), "{args}: {run}");
        let new = content(&database, false);
        Self { args, sandbox, input: stdin, files: before, old, between, new }
    }

    fn run(&self, strace: &[&str]) -> Output {
        output(traced(&self.sandbox, strace, self.args), &self.input.path().join("stdin"))
    }

    /// Such calls that it makes, in their order: the name of each, and how many of that name there
    /// were, as `strace` counts them.
    fn calls(&self, calls: &str) -> Vec<(String, usize)> {
        put_back(self.sandbox.dir(), &self.files);
        let log = self.input.path().join("log");
        let trace = format!("trace={calls}");
        self.run(&["-o", log.to_str().unwrap(), "-e", &trace]);
        let mut counts = BTreeMap::new();
        let log = fs::read_to_string(log).unwrap();
        // A line is a process, the name of a call, and its arguments.
        let names = log.lines().filter_map(|line| line.split_once('(')?.0.split(' ').next_back());
        let mut count = |name: &str| {
            let count = counts.entry(name.to_owned()).or_insert(0);
            *count += 1;
            (name.to_owned(), *count)
        };
        names.map(&mut count).collect()
    }

    /// Has something done to some of its calls, to all of them if they are few, and looks at what is
    /// left after each.
    fn attack(&self, attack: &Attack) -> Counts {
        let all = self.calls(attack.calls);
        let rounds = attack.rounds.min(all.len());
        let mut counts = Counts::default();
        for round in 1..=rounds {
            // The last calls are those of the commit, and never left out.
            let (name, number) = &all[(round * all.len()).div_ceil(rounds) - 1];
            put_back(self.sandbox.dir(), &self.files);
            let deed = attack.deed.replace('N', &number.to_string());
            let inject = format!("inject={name}:{deed}");
            let output = self.run(&["-o", "/dev/null", "-e", &inject]);
            let is_hit = (attack.is_hit)(&output);
            counts.rounds += 1;
            counts.hit += u32::from(is_hit);
            self.look(&format!("{} with {inject}", self.args), &output, is_hit, &mut counts);
        }
        counts
    }

    /// That the state is the old one or the new one, and that the command can be run again.
    fn look(&self, what: &str, output: &Output, is_hit: bool, counts: &mut Counts) {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("panicked"), "{what}: {said}");
        let database = self.sandbox.path("users.db");
        let journal = self.sandbox.path("users.db-journal");
        if !self.old.is_empty() && journal.exists() && !can_nobody_read(&database) {
            counts.unreadable += 1;
        }
        let left = content(&database, true);
        if is_hit && left == self.old {
            counts.old += 1;
        } else if content(&database, false) == self.new {
            counts.new += 1;
            return;
        } else {
            let normal = content(&database, false);
            assert!(is_hit, "{what}: {said}");
            assert_eq!(Some(normal), self.between, "{what}: {said}");
            counts.between += 1;
        }
        // Passwords that are nobody's are to be removed by hand.
        let _ = fs::remove_file(self.sandbox.path("passwords.csv"));
        let again = self.run(&["-o", "/dev/null", "-e", "trace=none"]);
        let said = String::from_utf8_lossy(&again.stderr);
        assert!(matches!(again.status.code(), Some(0 | 7)), "{what}, again: {said}");
        assert_eq!(content(&database, false), self.new, "{what}, again: {said}");
    }
}

/// Whether an app that may write neither the database nor beside it finds a user there.
fn can_nobody_read(database: &Path) -> bool {
    const READ: &str = "
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute('SELECT password_hash FROM users WHERE username = ?', ('alice',)).fetchone()
";
    let mode =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(database.parent().unwrap(), 0o755);
    mode(database, 0o644);
    let mut python = Command::new("python3");
    python.args(["-c", READ]).arg(database).stderr(Stdio::null());
    python.uid(NOBODY).gid(NOBODY).status().unwrap().success()
}

fn is_there() -> Result<(), String> {
    let strace = Command::new("strace").args(["-e", "trace=none", "true"]).output();
    if !strace.is_ok_and(|output| output.status.success()) {
        return Err("strace cannot trace a program".to_owned());
    }
    if Uid::effective().is_root() {
        Ok(())
    } else {
        Err("not root, who can be somebody else".to_owned())
    }
}

/// What is done to calls.
struct Attack {
    calls: &'static str,
    /// To the one of number N, as `strace` has it.
    deed: &'static str,
    /// How many calls are hit at most.
    rounds: usize,
    is_hit: fn(&Output) -> bool,
}

/// Attacks each of the commands, and says what came of it.
fn attack_all(attack: &Attack) {
    if or_skip(is_there()).is_none() {
        return;
    }
    for case in CASES {
        let counts = Case::new(case).attack(attack);
        println!("{} ({:?}), {}: {counts:?}", case.0, case.2, attack.deed);
        assert_ne!(counts.hit, 0, "{case:?}: {counts:?}");
    }
}

#[test]
fn a_command_that_is_killed_leaves_the_old_state_or_the_new() {
    attack_all(&Attack {
        calls: CALLS,
        deed: "signal=SIGKILL:when=N",
        rounds: 30,
        is_hit: |output| output.status.signal() == Some(9),
    });
}

#[test]
fn a_command_whose_disk_fails_once_leaves_the_old_state_or_the_new() {
    attack_all(&Attack {
        calls: CALLS_OF_STORE,
        deed: "error=EIO:when=N",
        rounds: 8,
        is_hit: |output| !output.status.success(),
    });
}

#[test]
fn a_command_whose_disk_is_full_from_then_on_leaves_the_old_state_or_the_new() {
    attack_all(&Attack {
        calls: CALLS_OF_STORE,
        deed: "error=ENOSPC:when=N+",
        rounds: 8,
        is_hit: |output| !output.status.success(),
    });
}
