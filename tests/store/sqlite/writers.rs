//! Other writers: Python's SQLite, our version of SQLite, and the oldest version that our triggers
//! support.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use rusqlite::Connection;

use crate::python::environment;
use crate::skip::or_skip;

/// Runs SQL on a file, which must succeed. False if it cannot run here.
pub(super) type Writer = fn(&Path, &str) -> bool;

pub(super) const WRITERS: [(&str, Writer); 3] =
    [("ours", ours), ("Python", python), ("3.26", oldest)];

fn ours(path: &Path, sql: &str) -> bool {
    let connection = Connection::open(path).unwrap();
    connection.pragma_update(None, "foreign_keys", false).unwrap();
    connection.execute_batch(sql).unwrap();
    true
}

fn python(path: &Path, sql: &str) -> bool {
    const CODE: &str = "import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.executescript(sys.stdin.read())
connection.commit()";

    let Some(environment) = environment() else { return false };
    feed(environment.command().args(["-c", CODE]).arg(path), sql);
    true
}

fn oldest(path: &Path, sql: &str) -> bool {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let Some(program) = or_skip(BUILT.get_or_init(build_oldest).clone()) else { return false };
    feed(Command::new(program).arg(path), sql);
    true
}

/// Builds SQLite 3.26 as a program. Cargo locks the directory.
fn build_oldest() -> Result<PathBuf, String> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/old_sqlite/Cargo.toml");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("old-sqlite");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--manifest-path", manifest, "--target-dir"])
        .arg(&target)
        .output()
        .map_err(|error| error.to_string())?;
    if built.status.success() {
        Ok(target.join("debug/old-sqlite"))
    } else {
        let reason = String::from_utf8_lossy(&built.stderr).into_owned();
        Err(format!("SQLite 3.26 cannot be built: {reason}"))
    }
}

fn feed(command: &mut Command, sql: &str) {
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
