//! Every writing command, and the allowed states after a kill or a failing system call.

mod cases;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::io::{Seek, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, OnceLock};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

pub(crate) use self::cases::{CASES, Case, GENERATING};
use self::cases::{THEN, succeed};
use crate::sample;
use crate::skip::or_skip;
use crate::support::{PROGRAM, Run, Sandbox, empty, without_times};

/// The system calls that change the disk. Some exist only on some machines.
const CALLS: &str = "write,pwrite64,fsync,fdatasync,ftruncate,fchmod,?chmod,fchmodat,\
                     ?unlink,unlinkat,?link,linkat,?rename,renameat,?renameat2";

/// The content of the database and of the file written next to it.
type State = [String; 2];

/// A case, with its states before and after.
pub(crate) struct Scene {
    pub(crate) case: &'static Case,
    pub(crate) sandbox: Sandbox,
    run: Arc<FaultlessRun>,
    /// Its index among the scenes of a test.
    turn: usize,
}

/// The run of a case without a fault.
#[derive(Default)]
struct FaultlessRun {
    files: Vec<(String, Vec<u8>)>,
    /// The allowed states: old, perhaps intermediate ones, and last new.
    states: Vec<State>,
    /// The writing system calls in order, in strace's format.
    trace: String,
}

/// The runs of all cases, each created by the first test that uses it.
static RUNS: [OnceLock<Arc<FaultlessRun>>; CASES.len()] = [const { OnceLock::new() }; CASES.len()];

/// All cases, or in a sample one of `step` similar neighbors: the first, or with `skip` a later
/// one. None without strace.
pub(crate) fn scenes(skip: usize, step: usize) -> Option<Vec<Scene>> {
    let step = sample::of(step, 1);
    let cases = CASES.iter().zip(&RUNS).skip(skip % step).step_by(step);
    cases.enumerate().map(|(turn, (case, run))| Scene::with(case, run, turn)).collect()
}

impl Scene {
    /// A case outside `CASES`, or none without strace.
    pub(crate) fn new(case: &'static Case) -> Option<Self> {
        Self::with(case, &OnceLock::new(), 0)
    }

    fn with(case: &'static Case, run: &OnceLock<Arc<FaultlessRun>>, turn: usize) -> Option<Self> {
        or_skip(strace())?;
        let run = Arc::clone(run.get_or_init(|| Arc::new(Self::run_without_fault(case))));
        Some(Self { case, sandbox: empty(), run, turn })
    }

    fn run_without_fault(case: &'static Case) -> FaultlessRun {
        let sandbox = empty();
        (case.before)(&sandbox);
        let entries = fs::read_dir(sandbox.dir()).unwrap().map(|entry| entry.unwrap());
        let files = entries
            .map(|entry| {
                (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
            })
            .collect();
        let run = Arc::new(FaultlessRun { files, ..FaultlessRun::default() });
        let scene = Self { case, sandbox, run, turn: 0 };
        scene.reset();
        let mut states = vec![scene.state()];
        for command in case.between {
            scene.reset();
            succeed(&scene.sandbox, &[command]);
            states.push(scene.state());
        }
        scene.reset();
        let output = scene.run_traced(case.args, &["-o", "trace", "-e", &format!("trace={CALLS}")]);
        assert_eq!(output.status.code(), Some(0), "{:?}: {output:?}", case.args);
        states.push(scene.state());
        states.dedup();
        assert!(states.len() == case.between.len() + 2, "{:?} changes nothing", case.args);
        let trace = fs::read_to_string(scene.sandbox.path("trace")).unwrap();
        FaultlessRun { files: scene.run.files.clone(), states, trace }
    }

    pub(crate) fn trace(&self) -> &str {
        &self.run.trace
    }

    /// Restores the initial state, readable by the owner only.
    pub(crate) fn reset(&self) {
        for entry in fs::read_dir(self.sandbox.dir()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        for (name, content) in &self.run.files {
            self.sandbox.write(name, content);
            fs::set_permissions(self.sandbox.path(name), Permissions::from_mode(0o600)).unwrap();
        }
    }

    /// The writing calls by name and number: at most `most` of each name, including the last.
    pub(crate) fn calls(&self, most: usize) -> Vec<(String, usize)> {
        let numbers = |(call, count): (&str, usize)| {
            let step = count.div_ceil(most);
            (1..=count).rev().step_by(step).map(|number| (call.to_owned(), number)).collect()
        };
        self.counts().into_iter().flat_map::<Vec<_>, _>(numbers).collect()
    }

    /// The same, or in a sample three of them: the first call, the one that ends the commit, and the
    /// last call of another name, which varies by case.
    pub(crate) fn sampled_calls(&self, most: usize) -> Vec<(String, usize)> {
        if sample::of(1, 0) == 0 {
            return self.calls(most);
        }
        let first = (self.names().next().unwrap(), 1);
        let mut last = self.counts();
        let end = self.names().rfind(|name| is_end(name)).expect("an end");
        let end = last.remove_entry(end).unwrap();
        let others: Vec<_> = last.into_iter().filter(|call| *call != first).collect();
        let calls = [first, end, others[self.turn % others.len()]];
        calls.map(|(name, number)| (name.to_owned(), number)).into()
    }

    /// The number of calls by name.
    fn counts(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for name in self.names() {
            *counts.entry(name).or_default() += 1;
        }
        counts
    }

    /// The names of the calls in order.
    fn names(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.run.trace.lines().filter_map(|line| line.split_once('(')).map(|(name, _)| name)
    }

    /// Runs the command with a fault at the given calls: `fsync:signal=SIGKILL:when=1`.
    pub(crate) fn run_with_fault(&self, fault: &str) -> Output {
        self.run_traced(self.case.args, &["-o/dev/null", "-e", &format!("inject={fault}")])
    }

    /// Runs the command with a fault at calls for a file.
    pub(crate) fn run_with_fault_on(&self, file: &str, fault: &str) -> Output {
        let file = self.sandbox.path(file);
        let inject = format!("inject={fault}");
        let options = ["-o/dev/null", "-P", file.to_str().unwrap(), "-e", &inject];
        self.run_traced(self.case.args, &options)
    }

    /// Runs the program under strace, which traces the writing thread.
    pub(crate) fn run_traced(&self, args: &[&str], options: &[&str]) -> Output {
        let args = [options, &[PROGRAM], args].concat();
        let mut input = tempfile::tempfile().unwrap();
        input.write_all(self.case.input.as_bytes()).unwrap();
        input.rewind().unwrap();
        self.sandbox.command_of("strace", &args).stdin(input).output().unwrap()
    }

    /// Runs the command without a fault.
    pub(crate) fn run(&self) -> Run {
        self.sandbox.run_with(self.case.input, self.case.args)
    }

    /// Whether this state is allowed.
    pub(crate) fn may_be_found(&self, database: &str) -> bool {
        self.run.states.iter().any(|[state, _]| state == database)
    }

    /// Whether the current state is the new one. It must be the old or the new.
    pub(crate) fn is_new(&self, context: &str) -> bool {
        let found = self.state();
        let known = self.run.states.iter().position(|state| *state == found);
        let args = self.case.args;
        let Some(known) = known else {
            panic!("{args:?} {context}: neither old nor new: {found:?}")
        };
        known == self.run.states.len() - 1
    }

    fn state(&self) -> State {
        let file = self.case.file.map(|file| contents(&self.sandbox.path(file)));
        [contents(&self.sandbox.path("users.db")), file.unwrap_or_default()]
    }
}

/// Whether a call ends a commit (by removing the journal) or an export (by naming the file).
pub(crate) fn is_end(call: &str) -> bool {
    call.starts_with("unlink") || call.starts_with("rename")
}

/// Whether strace is installed and allowed to trace.
pub(crate) fn strace() -> Result<(), String> {
    static FOUND: OnceLock<Result<(), String>> = OnceLock::new();
    let find = || {
        let trace = ["-o", "/dev/null", "-e", "trace=none", PROGRAM, "--version"];
        match Command::new("strace").args(trace).output() {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => Err(format!("strace cannot be run: {error}")),
        }
    };
    FOUND.get_or_init(find).clone()
}

/// The content of a file. For a database every row, without new salts and times.
fn contents(path: &Path) -> String {
    let Ok(bytes) = fs::read(path) else { return String::new() };
    if path.extension().is_some_and(|extension| extension == "csv") {
        return String::from_utf8(bytes).unwrap();
    }
    // Open it like an app, which rolls back the unfinished transaction.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let connection = Connection::open_with_flags(path, flags).unwrap();
    dump(&connection, path.parent().unwrap()).unwrap_or_else(|error| format!("unreadable: {error}"))
}

/// Every row of every table, with `[DIR]` for the directory.
pub(crate) fn dump(connection: &Connection, directory: &Path) -> rusqlite::Result<String> {
    let directory = directory.to_str().unwrap();
    let integrity: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if integrity != "ok" {
        return Ok(format!("damaged: {integrity}"));
    }
    let select = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let tables: Vec<String> =
        connection.prepare(select)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut parts = vec!["(SELECT type, name, tbl_name, sql FROM sqlite_schema)".to_owned()];
    parts.extend(tables.iter().map(|table| format!("\"{table}\"")));
    let mut dump = String::new();
    for part in parts {
        let mut select = connection.prepare(&format!("SELECT * FROM {part}"))?;
        let columns = select.column_count();
        let mut rows = select.query([])?;
        let mut lines = Vec::new();
        while let Some(row) = rows.next()? {
            let mut line = format!("{part}: ");
            for column in 0..columns {
                match row.get_ref(column)? {
                    ValueRef::Text(text) => {
                        let text = String::from_utf8_lossy(text);
                        let text = text.replace(THEN, "[THEN]").replace(directory, "[DIR]");
                        line.push_str(&without_salt(&without_times(&text)));
                    }
                    other => write!(line, "{other:?}").unwrap(),
                }
                line.push('|');
            }
            line.push('\n');
            lines.push(line);
        }
        lines.sort();
        dump.extend(lines);
    }
    Ok(dump)
}

/// Replaces a hash of the tests' method by the method.
fn without_salt(text: &str) -> String {
    let is_hash = |hash: &str| {
        let Some((salt, digest)) = hash.split_once('$') else { return false };
        salt.len() == 16 && digest.len() == 128 && digest.bytes().all(|b| b.is_ascii_hexdigit())
    };
    match text.strip_prefix("scrypt:128:8:1$") {
        // A fingerprint is part of the hash.
        None if text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit()) => {
            "[FINGERPRINT]".to_owned()
        }
        Some(hash) if is_hash(hash) => "[HASH]".to_owned(),
        _ => text.to_owned(),
    }
}
