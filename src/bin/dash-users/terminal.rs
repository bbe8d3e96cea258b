//! The terminal during a prompt: no echo, and given back as it was, whatever ends the prompt.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::Context;
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// What to restore if a signal arrives; none while there is no prompt.
static PROMPT: Mutex<Option<Saved>> = Mutex::new(None);

struct Saved {
    terminal: Option<(File, Termios)>,
}

impl Saved {
    fn restore(&self) {
        if let Some((terminal, settings)) = &self.terminal {
            // There is nothing left to try if this fails.
            let _ = tcsetattr(terminal, SetArg::TCSANOW, settings);
        }
    }
}

/// The terminal that stdin is, by its path.
pub fn path() -> PathBuf {
    nix::unistd::ttyname(io::stdin()).unwrap_or_else(|_| PathBuf::from("/dev/tty"))
}

/// Runs a prompt during which a signal ends the program at once, with status 128 plus the
/// signal's number (130 for Ctrl-C). With `hidden`, the terminal does not echo.
pub fn during_prompt<T>(
    hidden: bool,
    prompt: impl FnOnce() -> io::Result<T>,
) -> anyhow::Result<io::Result<T>> {
    watch_signals()?;
    let terminal = if hidden { Some(without_echo()?) } else { None };
    *lock() = Some(Saved { terminal });
    let answer = prompt();
    if answer.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::Interrupted) {
        // rpassword read Ctrl-C and raised the signal, which is about to end the program.
        std::thread::park_timeout(Duration::from_secs(1));
    }
    if let Some(saved) = lock().take() {
        saved.restore();
    }
    Ok(answer)
}

/// Turns the echo off, before the prompt is shown: nothing typed in a hurry is seen.
fn without_echo() -> anyhow::Result<(File, Termios)> {
    let open = || -> io::Result<_> {
        let terminal = File::open(path())?;
        let saved = tcgetattr(&terminal)?;
        let mut silent = saved.clone();
        silent.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(&terminal, SetArg::TCSANOW, &silent)?;
        Ok((terminal, saved))
    };
    open().context("cannot use the terminal")
}

fn watch_signals() -> anyhow::Result<()> {
    static WATCHED: OnceLock<Result<(), String>> = OnceLock::new();
    let watch = || -> io::Result<()> {
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        std::thread::Builder::new().spawn(move || {
            for signal in signals.forever() {
                on_signal(signal);
            }
        })?;
        Ok(())
    };
    WATCHED
        .get_or_init(|| watch().map_err(|error| error.to_string()))
        .clone()
        .map_err(anyhow::Error::msg)
        .context("cannot watch for signals")
}

fn on_signal(signal: i32) {
    let prompt = lock();
    match &*prompt {
        Some(saved) => {
            saved.restore();
            if saved.terminal.is_none() {
                eprintln!();
            }
            signal_hook::low_level::exit(128 + signal);
        }
        // Between prompts the program behaves as if nobody watched.
        None => {
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    }
}

fn lock() -> MutexGuard<'static, Option<Saved>> {
    PROMPT.lock().unwrap_or_else(PoisonError::into_inner)
}
