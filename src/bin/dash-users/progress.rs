//! The progress bar, or lines, while passwords are hashed.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::output::{Output, Progress};
use crate::terminal;

/// Between two lines, where there is no bar.
const PAUSE: Duration = Duration::from_secs(5);

/// Calls `hash` with a number of threads, and a function that reports how many passwords are done
/// and how many there are. By default there is a thread per core.
pub fn hashing<T>(
    jobs: Option<u32>,
    output: &Output,
    hash: impl FnOnce(NonZeroUsize, &(dyn Fn(usize, usize) + Sync)) -> T,
) -> T {
    let jobs = jobs.and_then(|jobs| NonZeroUsize::new(jobs as usize));
    // If the number of cores is unknown, assume one.
    let jobs = jobs.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    match output.progress() {
        Progress::Bar => with_bar(jobs, hash),
        Progress::Lines => with_lines(jobs, output, hash),
        Progress::None => hash(jobs, &|_, _| ()),
    }
}

/// Writes a line every few seconds.
fn with_lines<T>(
    jobs: NonZeroUsize,
    output: &Output,
    hash: impl FnOnce(NonZeroUsize, &(dyn Fn(usize, usize) + Sync)) -> T,
) -> T {
    let next = Mutex::new(Instant::now() + PAUSE);
    hash(jobs, &|done, count| {
        // A thread that finds it locked has nothing to add.
        let Ok(mut next) = next.try_lock() else { return };
        if Instant::now() >= *next && done < count {
            *next = Instant::now() + PAUSE;
            output.note(&format!("hashing: {done} of {count} passwords"));
        }
    })
}

fn with_bar<T>(
    jobs: NonZeroUsize,
    hash: impl FnOnce(NonZeroUsize, &(dyn Fn(usize, usize) + Sync)) -> T,
) -> T {
    let template = "hashing [{wide_bar}] {pos}/{len}  {rate}  {eta} left";
    let rate = |state: &ProgressState, text: &mut dyn fmt::Write| {
        // A progress bar works without its rate.
        let _ = write!(text, "{:.1}/s", state.per_sec());
    };
    let style = ProgressStyle::with_template(template).unwrap_or(ProgressStyle::default_bar());
    let style = style.with_key("rate", rate).progress_chars("=> ");
    let bar = ProgressBar::hidden().with_style(style);
    let progress = |done: usize, count: usize| {
        // A single password needs no bar.
        if done == 0 && count > 1 {
            bar.set_length(count as u64);
            bar.set_draw_target(ProgressDrawTarget::stderr());
            terminal::set_bar(true);
        }
        bar.set_position(done as u64);
    };
    let result = hash(jobs, &progress);
    terminal::set_bar(false);
    bar.finish_and_clear();
    result
}
