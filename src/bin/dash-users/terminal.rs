//! Terminal settings and signals. However the program ends, the terminal is restored.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use dash_users::store::CommitHooks;
use nix::sys::termios::{
    _POSIX_VDISABLE, InputFlags, LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr,
    tcsetattr,
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;

use crate::output::interruption;

/// The prompt that is open.
static PROMPT: Mutex<Option<Saved>> = Mutex::new(None);

/// Held while signals may end the program.
static INTERRUPTIBLE: Mutex<()> = Mutex::new(());

/// Whether errors are JSON.
static IS_JSON: AtomicBool = AtomicBool::new(false);

/// Whether a progress bar is shown on stderr.
static HAS_BAR: AtomicBool = AtomicBool::new(false);

/// What to do when a prompt ends.
struct Saved {
    /// A terminal, and the settings to restore.
    terminal: Option<(File, Termios)>,
    /// Whether stderr needs a newline.
    has_line: bool,
}

impl Saved {
    fn restore(&self) {
        if let Some((terminal, settings)) = &self.terminal {
            // If this fails, nothing else can be done.
            let _ = tcsetattr(terminal, SetArg::TCSANOW, settings);
        }
    }
}

/// Whether the terminal shows typed characters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    On,
    Off,
}

/// The path of the terminal on stdin.
pub fn path() -> PathBuf {
    nix::unistd::ttyname(io::stdin()).unwrap_or_else(|_| PathBuf::from("/dev/tty"))
}

/// Runs a prompt, and restores the terminal afterwards.
pub fn during_prompt<T>(
    echo: Echo,
    is_on_stderr: bool,
    prompt: impl FnOnce() -> io::Result<T>,
) -> Result<io::Result<T>> {
    let terminal = if echo == Echo::Off { Some(without_echo()?) } else { None };
    *lock() = Some(Saved { terminal, has_line: is_on_stderr });
    let answer = prompt();
    if let Some(saved) = lock().take() {
        saved.restore();
    }
    Ok(answer)
}

/// Turns off echo, except for newlines. This happens before the prompt appears, so early typing is
/// hidden too.
fn without_echo() -> Result<(File, Termios)> {
    let open = || -> io::Result<_> {
        let terminal = File::open(path())?;
        let saved = tcgetattr(&terminal)?;
        let mut silent = saved.clone();
        silent.local_flags.remove(LocalFlags::ECHO);
        silent.local_flags.insert(LocalFlags::ECHONL);
        // Disable the keys that would quit or stop the program without restoring the echo.
        for key in [SpecialCharacterIndices::VQUIT, SpecialCharacterIndices::VSUSP] {
            silent.control_chars[key as usize] = _POSIX_VDISABLE;
        }
        // Backspace must delete a whole character, not one byte.
        silent.input_flags.insert(InputFlags::IUTF8);
        tcsetattr(&terminal, SetArg::TCSANOW, &silent)?;
        Ok((terminal, saved))
    };
    open().context("cannot use the terminal")
}

/// From now on, a signal ends the program with exit code 128 plus its number, such as 130 for
/// Ctrl-C. The next program that opens the database rolls back an unfinished transaction. Exceeding
/// the file size limit (`ulimit -f`) is a write error and does not end the program.
pub fn watch_signals() -> Result<()> {
    let watch = || -> io::Result<()> {
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXFSZ])?;
        std::thread::Builder::new().spawn(move || {
            for signal in signals.forever().filter(|signal| *signal != SIGXFSZ) {
                end(signal);
            }
        })?;
        Ok(())
    };
    watch().context("cannot watch for signals")
}

thread_local! {
    /// The number of reasons to delay signals, and the lock that delays them. Never dropped at exit.
    static POINTS_OF_NO_RETURN: RefCell<(u32, Option<ManuallyDrop<MutexGuard<'static, ()>>>)> =
        const { RefCell::new((0, None)) };
}

/// Keeps signals from ending the program during a commit.
pub const COMMIT_HOOKS: CommitHooks =
    CommitHooks { before: pass_point_of_no_return, rolled_back: step_back };

/// From now on, no signal ends the program, because exit code 130 promises that nothing was changed.
pub fn pass_point_of_no_return() {
    POINTS_OF_NO_RETURN.with_borrow_mut(|(passed, guard)| {
        *passed += 1;
        guard.get_or_insert_with(|| {
            ManuallyDrop::new(INTERRUPTIBLE.lock().unwrap_or_else(PoisonError::into_inner))
        });
    });
}

/// Undoes one [`pass_point_of_no_return`] after a rollback. A signal received in the meantime ends
/// the program now.
fn step_back() {
    POINTS_OF_NO_RETURN.with_borrow_mut(|(passed, guard)| {
        *passed = passed.saturating_sub(1);
        if *passed == 0 {
            guard.take().map(ManuallyDrop::into_inner);
        }
    });
}

/// Says whether errors are JSON.
pub fn set_json(is_json: bool) {
    IS_JSON.store(is_json, Ordering::Relaxed);
}

/// Says whether there is a progress bar on stderr.
pub fn set_bar(is_shown: bool) {
    HAS_BAR.store(is_shown, Ordering::Relaxed);
}

fn end(signal: i32) {
    let _interruptible = INTERRUPTIBLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(saved) = &*lock() {
        saved.restore();
        if saved.has_line {
            eprintln!();
        }
    } else if HAS_BAR.load(Ordering::Relaxed) {
        eprintln!();
    }
    let exit_code = 128 + signal;
    let line =
        interruption(IS_JSON.load(Ordering::Relaxed), u8::try_from(exit_code).unwrap_or(130));
    // Without stderr there is nowhere to report to.
    let _ = writeln!(io::stderr(), "{line}");
    signal_hook::low_level::exit(exit_code);
}

fn lock() -> MutexGuard<'static, Option<Saved>> {
    PROMPT.lock().unwrap_or_else(PoisonError::into_inner)
}
