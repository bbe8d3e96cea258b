//! The program on a pseudo-terminal.

use rexpect::process::WaitStatus;
use rexpect::session::{PtySession, spawn_command};

use crate::support::{PROGRAM, Sandbox};

/// Starts the program on a terminal that echoes input, the default.
pub(crate) fn start(sandbox: &Sandbox, args: &[&str]) -> PtySession {
    start_script(sandbox, &format!("exec {}", program(args)))
}

/// Starts a shell script on such a terminal.
pub(crate) fn start_script(sandbox: &Sandbox, script: &str) -> PtySession {
    spawn_command(sandbox.shell(&format!("stty echo; {script}")), Some(20_000)).unwrap()
}

/// The remaining output and the exit code.
pub(crate) fn finish(mut session: PtySession) -> (String, i32) {
    let rest = session.exp_eof().unwrap();
    match session.process().wait().unwrap() {
        WaitStatus::Exited(_, status) => (rest, status),
        other => panic!("{other:?}"),
    }
}

/// The output for a terminal of this width.
pub(crate) fn shown(sandbox: &Sandbox, width: u16, args: &[&str]) -> String {
    let script = format!("stty cols {width} rows 24; exec {}", program(args));
    let (shown, _) = finish(start_script(sandbox, &script));
    // rexpect treats each byte as a character.
    let bytes = shown.chars().map(|byte| u8::try_from(byte).unwrap()).collect();
    String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
}

/// A shell command line for the program and its arguments.
fn program(args: &[&str]) -> String {
    let quote = |argument: &&str| format!("'{}'", argument.replace('\'', r"'\''"));
    [&[PROGRAM], args].concat().iter().map(quote).collect::<Vec<_>>().join(" ")
}
