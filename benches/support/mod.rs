//! Shared functions of the benchmarks: running work in turn, and comparing durations.

#[path = "../../tests/support/python.rs"]
#[expect(dead_code, reason = "one werkzeug is enough here")]
pub mod python;
#[path = "../../tests/support/skip.rs"]
pub mod skip;

use std::fmt::Display;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// The cost of one round.
#[derive(Clone, Copy)]
pub struct Cost {
    pub seconds: f64,
    /// The peak memory of the process in MiB, if known.
    pub peak: Option<f64>,
}

/// Seconds alone.
impl From<f64> for Cost {
    fn from(seconds: f64) -> Self {
        Self { seconds, peak: None }
    }
}

/// One kind of work, and the cost of each round.
pub struct Work<'a> {
    name: String,
    run: Box<dyn FnMut() -> Cost + 'a>,
    costs: Vec<Cost>,
}

impl<'a> Work<'a> {
    pub fn new<C: Into<Cost>>(name: impl Into<String>, mut run: impl FnMut() -> C + 'a) -> Self {
        Self { name: name.into(), run: Box::new(move || run().into()), costs: Vec::new() }
    }

    fn seconds(&self) -> Vec<f64> {
        self.costs.iter().map(|cost| cost.seconds).collect()
    }

    /// The median duration.
    #[allow(dead_code, reason = "most benchmarks only compare")]
    pub fn median(&self) -> f64 {
        quantile(&self.seconds(), 0.5)
    }

    /// The median of the peaks, if known.
    #[allow(dead_code, reason = "not all benchmarks measure memory")]
    pub fn peak(&self) -> Option<f64> {
        let peaks: Option<Vec<f64>> = self.costs.iter().map(|cost| cost.peak).collect();
        peaks.map(|peaks| quantile(&peaks, 0.5))
    }
}

/// Whether this only tests that the benchmark runs: `cargo test --benches`, which does not pass
/// `--bench`, or `cargo bench -- --test`.
pub fn is_test() -> bool {
    let has = |flag: &str| std::env::args().any(|argument| argument == flag);
    !has("--bench") || has("--test")
}

/// The number of rounds: the variable `ROUNDS`, or `default`.
pub fn rounds(default: usize) -> usize {
    let rounds = std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    if is_test() { 1 } else { rounds.unwrap_or(default) }
}

/// Runs each work once per round, so a slowdown of the machine affects all of them.
pub fn take_turns(rounds: usize, works: &mut [Work<'_>]) {
    for _ in 0..rounds {
        for work in &mut *works {
            let cost = (work.run)();
            work.costs.push(cost);
        }
    }
}

/// The titles of the cells of [`compare`].
pub const TITLES: [&str; 5] = ["work", "median ms", "compared with", "ratio", "quartiles"];

/// A work and its median, another one and its median, and the median and quartiles of the ratios
/// of the rounds.
pub fn compare(work: &Work<'_>, against: &Work<'_>) -> [String; 5] {
    let (ours, theirs) = (work.seconds(), against.seconds());
    let ratios: Vec<f64> = ours.iter().zip(&theirs).map(|(a, b)| a / b).collect();
    [
        work.name.clone(),
        format!("{:.1}", 1e3 * quantile(&ours, 0.5)),
        format!("{}: {:.1}", against.name, 1e3 * quantile(&theirs, 0.5)),
        format!("{:.2}", quantile(&ratios, 0.5)),
        format!("{:.2} to {:.2}", quantile(&ratios, 0.25), quantile(&ratios, 0.75)),
    ]
}

/// Prints the first lines of a Markdown table.
pub fn print_titles<T: Display>(titles: impl IntoIterator<Item = T>) {
    let titles: Vec<_> = titles.into_iter().collect();
    print_row(&titles);
    println!("|{}", "---|".repeat(titles.len()));
}

/// Prints a row of a Markdown table.
pub fn print_row<T: Display>(cells: impl IntoIterator<Item = T>) {
    for cell in cells {
        print!("| {cell} ");
    }
    println!("|");
}

/// The program, for a database.
pub fn program(database: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dash-users"));
    command.arg("--database").arg(database);
    command
}

/// The duration of a process in seconds. It must end with this exit code.
pub fn time(command: &mut Command, input: &str, status: i32) -> f64 {
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let mut child = command.spawn().expect("the program starts");
    // A program that needs no input does not wait for it.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let ended = child.wait().expect("the program ends");
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(ended.code(), Some(status), "{command:?}");
    seconds
}

/// The quantile of values, such as the median with a share of 0.5.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index, from a share of a few values"
    )]
    let index = (share * (values.len() - 1) as f64).round() as usize;
    values[index]
}
