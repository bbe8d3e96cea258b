//! `dash-users`: user management for Dash apps, on the command line.
//!
//! Rules for all commands: results go to stdout. Prompts, notes, warnings and errors go to stderr,
//! in lower case and without a full stop. With `--format json`, stderr holds at most one error
//! object. Commands return errors; only `exit` maps them to exit codes.

#![allow(clippy::doc_markdown, reason = "the documentation of arguments is help, not Markdown")]
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

mod cli;
mod commands;
mod complete;
mod exit;
mod output;
mod progress;
mod prompt;
mod shell;
mod terminal;
mod time;
mod usage;

use std::ffi::OsString;
use std::process::ExitCode;

use mimalloc::MiMalloc;
use nix::sys::resource::{Resource, setrlimit};
use zeroizing_alloc::ZeroAlloc;

use self::cli::{Parsed, parse};
use self::exit::Result;
use self::output::Output;
use self::usage::Misuse;

/// Wipes all freed memory, because buffers of file-reading crates may have held a password.
/// mimalloc puts the memory of a hash on huge pages, which saves 8,000 page faults per hash: see
/// `benches/README.md`.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<MiMalloc> = ZeroAlloc(MiMalloc);

fn main() -> ExitCode {
    if complete::answer() {
        return ExitCode::SUCCESS;
    }
    // A core dump would contain passwords. If dumps cannot be disabled, carry on.
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    if let Err(error) = terminal::watch_signals() {
        // Signals then terminate the program in the default way.
        eprintln!("warning: {error}");
    }
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // Only help and errors need the texts that `cli::help` adds.
    let parsed = parse(cli::bare(), &arguments).or_else(|_| parse(cli::help(), &arguments));
    let Parsed { globals, command, matches } = match parsed {
        Ok(parsed) => parsed,
        Err(error) if error.use_stderr() => {
            let misuse = Misuse::new(error, &arguments);
            let output = Output::for_usage_errors(&arguments);
            return match misuse.failure() {
                Some(failure) => finish(&output, Err(failure)),
                None => ExitCode::from(output.usage_error(&misuse)),
            };
        }
        Err(help) => {
            let output = Output::for_usage_errors(&arguments);
            return finish(&output, output.help(&help).map_err(Into::into));
        }
    };
    let output = Output::new(&globals);
    let result = commands::run(&command, &matches, &globals, &output);
    finish(&output, result)
}

/// Reports an error and returns the exit code.
fn finish(output: &Output, result: Result<()>) -> ExitCode {
    match result {
        Err(failure) => {
            output.error(&failure);
            ExitCode::from(failure.code.exit_code())
        }
        Ok(()) => ExitCode::SUCCESS,
    }
}
