//! Command lines.
//!
//! The input is the arguments, one per line. Nothing panics. An error has the exit code of usage
//! errors, and shows neither the password of a URL nor a misplaced hash.

#![no_main]

/// The program without its `main`. Its modules name each other from the root of the crate.
#[allow(dead_code, reason = "only the command line is parsed here")]
#[path = "../../src/bin/dash-users"]
mod program {
    pub mod cli;
    pub mod commands;
    pub mod complete;
    pub mod exit;
    pub mod output;
    pub mod progress;
    pub mod prompt;
    pub mod shell;
    pub mod terminal;
    pub mod time;
    pub mod usage;
}

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use dash_users::Location;
use libfuzzer_sys::fuzz_target;
use program::{
    cli, commands, complete, exit, output, progress, prompt, shell, terminal, time, usage,
};

use self::exit::{Code, Failure};

fuzz_target!(|input: &[u8]| {
    let lines = input.split(|byte| *byte == b'\n').map(|line| OsString::from_vec(line.to_vec()));
    let arguments: Vec<OsString> =
        [OsString::from("dash-users")].into_iter().chain(lines).collect();
    match cli::parse(cli::command(), &arguments) {
        // A path can look like anything, and is shown.
        Ok(parsed) => match parsed.globals.database() {
            Ok(Location::Sqlite(_)) => {}
            Ok(location) => shows_nothing(&arguments, &format!("{location} {location:?}")),
            Err(error) => shows_nothing(&arguments, &format!("{error} {error:?}")),
        },
        Err(error) if error.use_stderr() => {
            let misuse = usage::Misuse::new(error, &arguments);
            match misuse.failure() {
                Some(Failure { code, message, hint, .. }) => {
                    assert_eq!(code, Code::Usage);
                    shows_nothing(&arguments, &format!("{message} {hint:?}"));
                }
                None => shows_nothing(&arguments, &misuse.error().render().to_string()),
            }
        }
        Err(help) => drop(help.render()),
    }
});

fn shows_nothing(arguments: &[OsString], shown: &str) {
    let arguments: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
    // clap strips them, so it would show one argument as another.
    if arguments.iter().any(|argument| argument.contains(char::is_control)) {
        return;
    }
    let (secret, others): (Vec<_>, Vec<_>) =
        arguments.iter().partition(|argument| secrets(argument).next().is_some());
    for secret in secret.into_iter().flat_map(|argument| secrets(argument)) {
        // Text that is also in another argument may be shown as part of that.
        let is_elsewhere = others.iter().any(|argument| argument.contains(secret));
        assert!(is_elsewhere || !shown.contains(secret), "{shown}");
    }
}

/// The secrets in an argument that are long enough to be distinguished from other words: the
/// password of a URL, the salt and digest of a hash.
fn secrets(argument: &str) -> impl Iterator<Item = &str> {
    let password = argument.split_once("://").and_then(|(_, rest)| {
        let (user, _) = rest.split_once('@')?;
        Some(user.split_once(':')?.1)
    });
    let hash = argument.split_once('$').map(|(_, rest)| rest).filter(|_| argument.contains(':'));
    let is_told_apart = |secret: &&str| {
        secret.len() > 8 && secret.is_ascii() && argument.matches(secret).count() == 1
    };
    password.into_iter().chain(hash).filter(is_told_apart)
}
