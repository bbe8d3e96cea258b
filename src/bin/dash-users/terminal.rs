//! Terminal settings and signals. However the program ends, the terminal is restored.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use dash_users::store::CommitHooks;
use nix::sys::termios::{
    _POSIX_VDISABLE, InputFlags, LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr,
    tcsetattr,
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGXFSZ};
use signal_hook::iterator::Signals;

use crate::exit::{Context, Result};
use crate::output::interruption;

/// The prompt that is open.
static PROMPT: Mutex<Option<Saved>> = Mutex::new(None);

/// Held while signals may end the program.
static INTERRUPTIBLE: Mutex<()> = Mutex::new(());

/// Whether a pager is running, which handles Ctrl-C itself.
static HAS_PAGER: AtomicBool = AtomicBool::new(false);

/// Whether there was a signal that ends the program.
static IS_SIGNALED: AtomicBool = AtomicBool::new(false);

/// Whether errors are JSON.
static IS_JSON: AtomicBool = AtomicBool::new(false);

/// Whether a progress bar is shown on stderr.
static HAS_BAR: AtomicBool = AtomicBool::new(false);

/// An open prompt.
struct Saved {
    terminal: File,
    question: String,
    /// The settings to restore when it ends, and the silent ones to use meanwhile.
    settings: Option<(Termios, Termios)>,
}

impl Saved {
    fn restore(&self) {
        if let Some((settings, _)) = &self.settings {
            // If this fails, nothing else can be done.
            let _ = tcsetattr(&self.terminal, SetArg::TCSANOW, settings);
        }
    }

    /// Asks again after the program was suspended.
    fn resume(&self) {
        if let Some((_, silent)) = &self.settings {
            let _ = tcsetattr(&self.terminal, SetArg::TCSANOW, silent);
        }
        let _ = (&self.terminal).write_all(self.question.as_bytes());
    }
}

/// Whether the terminal shows typed characters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    On,
    Off,
}

/// The terminal to ask on: the one that controls the program, even if stdin and stderr are
/// redirected, or else the one on stdin.
pub fn open() -> io::Result<File> {
    let open = |path: &Path| File::options().read(true).write(true).open(path);
    open(Path::new("/dev/tty")).or_else(|error| match nix::unistd::ttyname(io::stdin()) {
        Ok(path) => open(&path),
        Err(_) => Err(error),
    })
}

/// Asks a question, runs a prompt that reads the answer, and restores the terminal afterwards.
pub fn during_prompt<T>(
    echo: Echo,
    question: &str,
    prompt: impl FnOnce(&File) -> io::Result<T>,
) -> Result<io::Result<T>> {
    let terminal = open().context("cannot use the terminal")?;
    let settings = match echo {
        Echo::Off => Some(without_echo(&terminal).context("cannot use the terminal")?),
        Echo::On => None,
    };
    let asking = terminal.try_clone().context("cannot use the terminal")?;
    *lock() = Some(Saved { terminal, question: question.to_owned(), settings });
    let asked = (&asking).write_all(question.as_bytes());
    let answer = asked.and_then(|()| prompt(&asking));
    if let Some(saved) = lock().take() {
        saved.restore();
    }
    Ok(answer)
}

/// Turns off echo, except for newlines. This happens before the prompt appears, so early typing is
/// hidden too. Returns the settings before and now.
fn without_echo(terminal: &File) -> io::Result<(Termios, Termios)> {
    let saved = tcgetattr(terminal)?;
    let mut silent = saved.clone();
    silent.local_flags.remove(LocalFlags::ECHO);
    silent.local_flags.insert(LocalFlags::ECHONL);
    // Disable the key that would quit the program with a core dump.
    silent.control_chars[SpecialCharacterIndices::VQUIT as usize] = _POSIX_VDISABLE;
    // Backspace must delete a whole character, not one byte.
    silent.input_flags.insert(InputFlags::IUTF8);
    tcsetattr(terminal, SetArg::TCSANOW, &silent)?;
    Ok((saved, silent))
}

/// From now on, a signal ends the program with exit code 128 plus its number, such as 130 for
/// Ctrl-C. The next program that opens the database rolls back an unfinished transaction. Exceeding
/// the file size limit (`ulimit -f`) is a write error and does not end the program.
pub fn watch_signals() -> Result<()> {
    let watch = || -> io::Result<()> {
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGXFSZ])?;
        std::thread::Builder::new().spawn(move || {
            for signal in signals.forever() {
                match signal {
                    SIGXFSZ => {}
                    SIGTSTP => suspend(),
                    signal => end(signal),
                }
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
    CommitHooks { before: pass_point_of_no_return, rolled_back: step_back, is_canceled };

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

/// Whether a signal waits for the end of a commit.
fn is_canceled() -> bool {
    IS_SIGNALED.load(Ordering::Relaxed)
}

/// Says whether a pager is running.
pub fn set_pager(is_running: bool) {
    HAS_PAGER.store(is_running, Ordering::Relaxed);
}

/// Says whether errors are JSON.
pub fn set_json(is_json: bool) {
    IS_JSON.store(is_json, Ordering::Relaxed);
}

/// Says whether there is a progress bar on stderr.
pub fn set_bar(is_shown: bool) {
    HAS_BAR.store(is_shown, Ordering::Relaxed);
}

/// Stops the program, as Ctrl-Z does by default, with the terminal as it was found.
fn suspend() {
    if let Some(saved) = &*lock() {
        saved.restore();
    }
    // If this fails, the program goes on.
    let _ = signal_hook::low_level::emulate_default_handler(SIGTSTP);
    if let Some(saved) = &*lock() {
        saved.resume();
    }
}

fn end(signal: i32) {
    if signal == SIGINT && HAS_PAGER.load(Ordering::Relaxed) {
        return;
    }
    IS_SIGNALED.store(true, Ordering::Relaxed);
    let _interruptible = INTERRUPTIBLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(saved) = &*lock() {
        saved.restore();
        let _ = (&saved.terminal).write_all(b"\n");
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
