use std::fs::{self, File};
use std::io::{self, BufWriter, Seek};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use dash_users::transfer::Format;
use dash_users::{Error, Location, StoreError, Users};
use tempfile::SpooledTempFile;

use super::import::is_standard;
use super::sync_directory;
use crate::cli::FileFormat;
use crate::exit::{Code, Failure};
use crate::output::{JsonCopy, Output, write_stdout};

/// How many bytes are held in memory; more go through a file that has no name.
const SPOOLED_BYTES: usize = 8 << 20;

/// Write all users to a file that `import --as-is` reads back
///
/// Locked users, groups and odd rows included. A new file has mode 0600: with the hashes in it,
/// passwords can be guessed. In a spreadsheet, beware of names that begin with =, +, - or @: they
/// are written as they are, and would be run as formulas.
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
    /// Overwrite an older file
    #[arg(long)]
    pub force: bool,
}

pub fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let format = match args.output_format {
        Some(format) => format.into(),
        None if is_standard(&args.file) && output.is_json() => Format::Json,
        None if is_standard(&args.file) => Format::Csv,
        None => Format::of_path(&args.file).ok_or_else(|| {
            let message = format!("the format of {} is not told by its name", args.file.display());
            Failure::new(Code::Usage, message).hint("use --output-format csv, json or jsonl")
        })?,
    };
    let file = std::path::absolute(&args.file)?;
    if !is_standard(&args.file) {
        refuse(&file, database, args.force)?;
    }
    // Whoever reads slowly must not keep the app from writing to the database.
    let spool = BufWriter::with_capacity(1 << 16, SpooledTempFile::new(SPOOLED_BYTES));
    let mut users = Users::open_read_only(database)?;
    let (spool, count) = users
        .export(spool, format, !args.without_hashes)?
        .context("cannot write a temporary file")?;
    let mut spool = spool.into_inner().map_err(io::IntoInnerError::into_error)?;
    spool.rewind()?;
    if is_standard(&args.file) {
        return Ok(write_stdout(|stdout| io::copy(&mut spool, stdout).map(drop))?);
    }
    write(&mut spool, &file, args.force)
        .with_context(|| format!("cannot write {}", file.display()))?;
    let file = file.display().to_string();
    output.note(&format!("wrote {count} user(s) of {database} to {file}"));
    let database = database.to_string();
    let users = Some(count);
    let json = JsonCopy { database, action: "export", changed: true, file, users };
    Ok(output.json_only(&json)?)
}

/// Refuses to overwrite a file unasked, and the database in any case.
fn refuse(file: &Path, database: &Location, may_overwrite: bool) -> Result<()> {
    if file.is_dir() {
        let message = format!("{} is a directory", file.display());
        return Err(Failure::new(Code::Failed, message).hint("name a file in it").into());
    }
    if !file.parent().is_some_and(Path::is_dir) {
        let message = format!("{} cannot be written: there is no such directory", file.display());
        let hint = "create the directory, or name another file";
        return Err(Failure::new(Code::Failed, message).hint(hint).into());
    }
    let path = file.to_owned();
    let error = if database.is_file(file) {
        StoreError::SameFile { path }
    } else if file.exists() && !may_overwrite {
        StoreError::FileExists { path }
    } else {
        return Ok(());
    };
    Err(Error::from(error).into())
}

/// Writes a file for its owner alone, which is there as a whole or not at all, in the place of an
/// older one too. What is no file, a pipe or device, is written to.
fn write(spool: &mut SpooledTempFile, path: &Path, may_overwrite: bool) -> io::Result<()> {
    if may_overwrite && fs::metadata(path).is_ok_and(|older| !older.is_file()) {
        return io::copy(spool, &mut File::options().write(true).open(path)?).map(drop);
    }
    let path = match fs::canonicalize(path) {
        Ok(older) if may_overwrite => older,
        _ => path.to_owned(),
    };
    // Should it be killed, the name of what it leaves says what that is.
    let mut unfinished = tempfile::Builder::new()
        .prefix("unfinished-export-")
        .tempfile_in(path.parent().unwrap_or(Path::new("/")))
        // The error would have that name in it.
        .map_err(|error| io::Error::from(error.kind()))?;
    io::copy(spool, unfinished.as_file_mut())?;
    unfinished.as_file().sync_all()?;
    if may_overwrite {
        unfinished.persist(&path)?;
    } else {
        unfinished.persist_noclobber(&path)?;
    }
    sync_directory(&path);
    Ok(())
}
