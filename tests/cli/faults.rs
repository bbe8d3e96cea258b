//! Every command that writes, and what may be found after it was killed or a system call failed.

mod cases;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::io::{Seek, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

pub(crate) use self::cases::{CASES, Case, GENERATING};
use self::cases::{THEN, succeed};
use crate::skip::or_skip;
use crate::support::{PROGRAM, Run, Sandbox, in_memory, without_times};

/// The system calls that change what is on the disk. Some are there on some machines only.
const CALLS: &str = "write,pwrite64,fsync,fdatasync,ftruncate,fchmod,?chmod,fchmodat,\
                     ?unlink,unlinkat,?link,linkat,?rename,renameat,?renameat2";

/// All that is in the database, and in the file that is written beside it.
type State = [String; 2];

/// A case, and how it is before and after.
pub(crate) struct Scene {
    pub(crate) case: &'static Case,
    pub(crate) sandbox: Sandbox,
    files: Vec<(String, Vec<u8>)>,
    /// What may be found: the old, perhaps something between, and last the new.
    states: Vec<State>,
    /// The system calls by which it writes, in their order, as strace writes them.
    pub(crate) trace: String,
}

impl Scene {
    /// Sees how the command does without a fault; none without strace.
    pub(crate) fn new(case: &'static Case) -> Option<Self> {
        or_skip(strace())?;
        let sandbox = in_memory();
        (case.before)(&sandbox);
        let entries = fs::read_dir(sandbox.dir()).unwrap().map(|entry| entry.unwrap());
        let files = entries
            .map(|entry| {
                (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
            })
            .collect();
        let mut scene = Self { case, sandbox, files, states: Vec::new(), trace: String::new() };
        scene.reset();
        scene.states.push(scene.state());
        for command in case.between {
            scene.reset();
            succeed(&scene.sandbox, &[command]);
            scene.states.push(scene.state());
        }
        scene.reset();
        let output = scene.run_traced(case.args, &["-o", "trace", "-e", &format!("trace={CALLS}")]);
        assert_eq!(output.status.code(), Some(0), "{:?}: {output:?}", case.args);
        scene.states.push(scene.state());
        scene.states.dedup();
        assert!(scene.states.len() == case.between.len() + 2, "{:?} changes nothing", case.args);
        scene.trace = fs::read_to_string(scene.sandbox.path("trace")).unwrap();
        Some(scene)
    }

    /// Puts everything back as it was, for its owner alone.
    pub(crate) fn reset(&self) {
        for entry in fs::read_dir(self.sandbox.dir()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        for (name, content) in &self.files {
            self.sandbox.write(name, content);
            fs::set_permissions(self.sandbox.path(name), Permissions::from_mode(0o600)).unwrap();
        }
    }

    /// The calls by which it writes, each by its name and number: of those of a name no more than
    /// `most`, the last among them.
    pub(crate) fn calls(&self, most: usize) -> Vec<(String, usize)> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (call, _) in self.trace.lines().filter_map(|line| line.split_once('(')) {
            *counts.entry(call).or_default() += 1;
        }
        let numbers = |(call, count): (&str, usize)| {
            let step = count.div_ceil(most);
            (1..=count).rev().step_by(step).map(|number| (call.to_owned(), number)).collect()
        };
        counts.into_iter().flat_map::<Vec<_>, _>(numbers).collect()
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

    /// Runs the program on strace, which watches the thread that writes.
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

    /// Whether a database that holds this may be found.
    pub(crate) fn may_be_found(&self, database: &str) -> bool {
        self.states.iter().any(|[state, _]| state == database)
    }

    /// Whether what is there is the new; it must be that or the old.
    pub(crate) fn is_new(&self, context: &str) -> bool {
        let found = self.state();
        let known = self.states.iter().position(|state| *state == found);
        let args = self.case.args;
        let Some(known) = known else {
            panic!("{args:?} {context}: neither old nor new: {found:?}")
        };
        known == self.states.len() - 1
    }

    fn state(&self) -> State {
        let file = self.case.file.map(|file| contents(&self.sandbox.path(file)));
        [contents(&self.sandbox.path("users.db")), file.unwrap_or_default()]
    }
}

/// Whether strace is there and may trace.
fn strace() -> Result<(), String> {
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

/// All that is in a file: of a database every row, without the salts and times that are new.
fn contents(path: &Path) -> String {
    let Ok(bytes) = fs::read(path) else { return String::new() };
    if path.extension().is_some_and(|extension| extension == "csv") {
        return String::from_utf8(bytes).unwrap();
    }
    // As an app opens it, which undoes what was not done.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let connection = Connection::open_with_flags(path, flags).unwrap();
    dump(&connection).unwrap_or_else(|error| format!("unreadable: {error}"))
}

/// Every row of every table.
pub(crate) fn dump(connection: &Connection) -> rusqlite::Result<String> {
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
                        let text = String::from_utf8_lossy(text).replace(THEN, "[THEN]");
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

/// A whole hash of the method that the program is run with, by its method alone.
fn without_salt(text: &str) -> String {
    let is_hash = |hash: &str| {
        let Some((salt, digest)) = hash.split_once('$') else { return false };
        salt.len() == 16 && digest.len() == 128 && digest.bytes().all(|b| b.is_ascii_hexdigit())
    };
    match text.strip_prefix("scrypt:128:8:1$") {
        Some(hash) if is_hash(hash) => "[HASH]".to_owned(),
        _ => text.to_owned(),
    }
}
