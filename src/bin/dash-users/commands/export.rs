use std::io::{self, BufWriter, Seek};
use std::path::PathBuf;

use anyhow::{Context, Result};
use dash_users::files::{self, FileError, WriteOptions};
use dash_users::transfer::Format;
use dash_users::{Error, Location, StoreError, Users};
use tempfile::SpooledTempFile;

use super::import::is_stdout;
use crate::cli::FileFormat;
use crate::exit::{Code, Failure};
use crate::output::{JsonCopy, Output, refuse_closed_stdout, write_stdout};

/// How many bytes are held in memory; more go through a file that has no name.
const SPOOLED_BYTES: usize = 8 << 20;

/// Write all users to a file that `import --as-is` reads back
///
/// Locked users, groups and odd rows included. A new file has mode 0600: with the hashes in it,
/// passwords can be guessed. In a spreadsheet, beware of names that begin with =, +, - or @: they
/// are written as they are, and would be run as formulas.
///
/// An existing file is replaced only with --force. A pipe of yours or root's is written to without
/// it; devices, and other users' pipes and symbolic links, are refused.
///
/// Example: dash-users export users.jsonl
#[derive(clap::Args)]
pub struct Args {
    /// The file to write, or - for stdout
    #[arg(default_value = "-")]
    pub file: PathBuf,
    /// Format of the file, where its name does not tell; on stdout csv, or json with --json
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub output_format: Option<FileFormat>,
    /// Leave the password hashes out
    #[arg(long)]
    pub without_hashes: bool,
    /// Replace an existing file
    #[arg(long)]
    pub force: bool,
}

pub fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let format = match args.output_format {
        Some(format) => format.into(),
        None if is_stdout(&args.file) && output.is_json() => Format::Json,
        None if is_stdout(&args.file) => Format::Csv,
        None => Format::of_path(&args.file).ok_or_else(|| {
            let message = format!("the format of {} is not told by its name", args.file.display());
            Failure::new(Code::Usage, message).hint("use --output-format csv, json or jsonl")
        })?,
    };
    let file = std::path::absolute(&args.file)?;
    if is_stdout(&args.file) {
        refuse_closed_stdout()?;
    } else {
        if database.is_file(&file) {
            return Err(Error::from(StoreError::SameFile { path: file }).into());
        }
        // Before the users are read in vain.
        files::check(&file, &options(args))?;
    }
    // Whoever reads slowly must not keep the app from writing to the database.
    let spool = BufWriter::with_capacity(1 << 16, SpooledTempFile::new(SPOOLED_BYTES));
    let mut users = Users::open_read_only(database)?;
    let (spool, count) = users
        .export(spool, format, !args.without_hashes)?
        .context("cannot write a temporary file")?;
    let mut spool = spool.into_inner().map_err(io::IntoInnerError::into_error)?;
    spool.rewind()?;
    if is_stdout(&args.file) {
        return Ok(write_stdout(|stdout| io::copy(&mut spool, stdout).map(drop))?);
    }
    let written = files::write(&file, &options(args), |output, _| {
        let copied = io::copy(&mut spool, output);
        copied.map(drop).map_err(|error| FileError::Failed { path: file.clone(), error })
    })?;
    let warning = files::mode_warning(&written, options(args).mode);
    let file = file.display().to_string();
    output.note(&format!("wrote {count} user(s) of {database} to {file}"));
    if let Some(warning) = warning {
        output.warn(&warning);
    }
    let database = database.to_string();
    let users = Some(count);
    let json = JsonCopy { database, action: "export", changed: true, file, users };
    Ok(output.json_only(&json)?)
}

fn options(args: &Args) -> WriteOptions {
    WriteOptions { allow_pipe: true, ..WriteOptions::private("export") }.overwrite(args.force)
}
