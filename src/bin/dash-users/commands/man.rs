use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Command;
use clap_mangen::Man;
use dash_users::files::{self, FileError, WriteOptions};
use serde::Serialize;

use super::source::is_standard;
use crate::cli;
use crate::exit::{Code, Failure};
use crate::output::Output;

/// Write man pages to a directory
///
/// Writes one page per command. The directory is created if it does not exist. Existing pages are
/// overwritten.
///
/// Example: dash-users man ~/.local/share/man/man1
#[derive(clap::Args)]
pub struct Args {
    /// Directory to write to
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
}

#[derive(Serialize)]
struct Json {
    directory: String,
}

pub fn run(args: &Args, output: &Output) -> Result<()> {
    if is_standard(&args.directory) {
        let failure = Failure::new(Code::Usage, "cannot write man pages to stdout");
        return Err(failure.hint("give a directory; for one called -, write ./-").into());
    }
    let directory = std::path::absolute(&args.directory)?;
    fs::create_dir_all(&directory)
        .with_context(|| format!("cannot create {}", directory.display()))?;
    let mut command = cli::command().disable_help_subcommand(true);
    command.build();
    write(&command, &directory)?;
    let directory = directory.display().to_string();
    output.note(&format!("wrote the man pages to {directory}"));
    Ok(output.json_only(&Json { directory })?)
}

/// Writes the pages of a command and its subcommands.
fn write(command: &Command, directory: &Path) -> Result<()> {
    command.get_subcommands().try_for_each(|command| write(command, directory))?;
    let source = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).source(source);
    let mut page = Vec::new();
    man.render(&mut page)?;
    // The last parts of the help become sections of the man page.
    let page = String::from_utf8_lossy(&page)
        .replace(".SH EXTRA\n", "")
        .replace("\nExample:\n", "\n.SH EXAMPLE\n")
        .replace("\nExit codes:\n", "\n.SH \"EXIT STATUS\"\n");
    let path = directory.join(man.get_filename());
    let options = WriteOptions { kind: "man", mode: 0o666, overwrite: true, allow_pipe: false };
    files::write(&path, &options, |file, _| {
        let written = file.write_all(page.as_bytes());
        written.map_err(|error| FileError::Failed { path: path.clone(), error })
    })
    .map_err(|error| match error {
        // The hint of this error does not apply: the user cannot choose the filename.
        FileError::Directory { path } => {
            FileError::Failed { path, error: io::Error::from_raw_os_error(nix::libc::EISDIR) }
        }
        error => error,
    })?;
    Ok(())
}
