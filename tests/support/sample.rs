//! How much of a long test runs.
//!
//! Some tests repeat one check many times: a command killed at each of its system calls, every
//! command on each of 300 damaged databases, thousands of generated hashes. `cargo test` runs an
//! evenly spread sample of these. With the variable `DASH_USERS_TESTS` set to `full`, all of them
//! run. benches/README.md lists the durations of both.

use std::env;

/// The number of repetitions, or the distance between them: `sample`, or `full` in a full run.
///
/// # Panics
///
/// If the variable has another value than `full`.
pub fn of(sample: usize, full: usize) -> usize {
    match env::var("DASH_USERS_TESTS") {
        Err(env::VarError::NotPresent) => sample,
        Ok(value) if value == "full" => full,
        other => panic!("DASH_USERS_TESTS is not `full`: {other:?}"),
    }
}
