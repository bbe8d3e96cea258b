use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::cli;
use crate::output::Output;

/// Write a man page for each command to a directory
///
/// The directory is made if it is missing. Pages that are there are overwritten.
///
/// Example: dash-users man ~/.local/share/man/man1
#[derive(clap::Args)]
pub struct Args {
    /// The directory
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
}

#[derive(Serialize)]
struct Json {
    directory: String,
}

pub fn run(args: &Args, output: &Output) -> Result<()> {
    let directory = &args.directory;
    let context = || format!("cannot write to {}", directory.display());
    fs::create_dir_all(directory).with_context(context)?;
    clap_mangen::generate_to(cli::command(), directory).with_context(context)?;
    let directory = directory.display().to_string();
    output.note(&format!("wrote the man pages to {directory}"));
    Ok(output.json_only(&Json { directory })?)
}
