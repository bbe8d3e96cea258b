//! The pager, for text that does not fit the terminal.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::process::{Command, Stdio};

use crate::terminal;

/// Whether stdout is a terminal with fewer lines than the text.
pub fn is_needed(text: &str) -> bool {
    // `terminal_size` looks at the standard streams in turn.
    let size = if io::stdout().is_terminal() { terminal_size::terminal_size() } else { None };
    // The prompt of the shell needs a line too.
    size.is_some_and(|(_, height)| text.lines().count() >= usize::from(height.0))
}

/// Shows the text in the pager: `DASH_USERS_PAGER`, `PAGER` or less. Returns false if there is none.
/// An empty variable, or `cat`, means none, and so does a terminal that less cannot control.
pub fn show(text: &str) -> io::Result<bool> {
    let set = ["DASH_USERS_PAGER", "PAGER"].into_iter().find_map(env::var_os);
    if set.as_ref().is_some_and(|pager| pager.is_empty() || pager == "cat") {
        return Ok(false);
    }
    // less asks to go on there.
    let is_dumb = env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    if set.is_none() && is_dumb {
        return Ok(false);
    }
    let mut command = match &set {
        Some(pager) => {
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(pager);
            shell
        }
        None => Command::new("less"),
    };
    // As git does: leave if it fits, keep colors, and leave the text on the screen.
    if env::var_os("LESS").is_none() {
        command.env("LESS", "FRX");
    }
    // Ctrl-C is for the pager.
    terminal::set_pager(true);
    let result = run(command.stdin(Stdio::piped()), text);
    terminal::set_pager(false);
    result
}

fn run(command: &mut Command, text: &str) -> io::Result<bool> {
    /// What a shell returns if it finds no such command, or cannot run it.
    const NOT_RUN: [i32; 2] = [126, 127];
    let Ok(mut pager) = command.spawn() else { return Ok(false) };
    if let Some(mut stdin) = pager.stdin.take() {
        // The user may quit before the end.
        let _ = writeln!(stdin, "{text}");
    }
    let status = pager.wait()?;
    Ok(!status.code().is_some_and(|code| NOT_RUN.contains(&code)))
}
