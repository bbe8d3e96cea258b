//! The progress bar while passwords are hashed.

use std::fmt;
use std::num::NonZeroUsize;
use std::thread;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::output::Output;
use crate::terminal;

/// Calls `hash` with a number of threads, and a function that reports how many passwords are done
/// and how many there are. By default there is a thread per core.
pub fn hashing<T>(
    jobs: Option<u16>,
    output: &Output,
    hash: impl FnOnce(NonZeroUsize, &(dyn Fn(usize, usize) + Sync)) -> T,
) -> T {
    let jobs = jobs.and_then(|jobs| NonZeroUsize::new(jobs.into()));
    // If the number of cores is unknown, assume one.
    let jobs = jobs.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    if !output.is_watched() {
        return hash(jobs, &|_, _| ());
    }

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
