//! Optional requirements of tests, such as Python or a server.
//!
//! Without it, the test is skipped and says so on stderr, bypassing the test harness, which would
//! capture it. With the variable `CI` set, it fails instead.

use std::env;
use std::io::{self, Write};
use std::thread;

/// Returns what a test needs, or `None` to skip the test after saying so.
///
/// # Panics
///
/// If it is unavailable and the variable `CI` is set.
pub fn or_skip<T>(needed: Result<T, String>) -> Option<T> {
    match needed {
        Ok(needed) => Some(needed),
        Err(reason) if env::var_os("CI").is_some() => panic!("{reason}"),
        Err(reason) => {
            let test = thread::current().name().unwrap_or("a test").to_owned();
            // Not eprintln, which the harness captures. Ignore errors: stderr may be closed.
            let _ = writeln!(io::stderr(), "SKIPPED {test}: {reason}");
            None
        }
    }
}
