use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use dash_users::files::{self, FileError, WriteOptions};
use dash_users::{Location, StoreError, Users};

use super::import::is_stdout;
use super::{Definition, Invocation};
use crate::exit::{Code, Context, Failure, Result};
use crate::output::{JsonCopy, Output, refuse_closed_stdout, write_stdout};
use crate::shell::{command, quoted_path};

const OPTIONS: WriteOptions = WriteOptions { allow_pipe: true, ..WriteOptions::private("backup") };

/// Copy the whole database to a file
///
/// The copy is consistent, even while apps read and write. It has mode 0600, and is a database
/// itself. FILE can also be - for stdout, or a pipe.
///
/// Example: dash-users backup users-$(date +%F).db
#[derive(clap::Args)]
pub struct Args {
    /// File to write, or - for stdout
    pub file: PathBuf,
    /// Overwrite an existing backup
    #[arg(long)]
    pub force: bool,
}

impl Definition for Args {
    const NAME: &str = "backup";
    const EXIT_CODES: &[(&str, &[u8])] = &[("backup", &[4, 5])];
    const JSON: &[(&str, &str)] = &[("backup", "`database`, `action`, `changed`, `file`")];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        run(self, &invocation.database()?, invocation.output)
    }
}

fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let file = std::path::absolute(&args.file)?;
    let mut users = Users::open_read_only(database)?;
    if is_stdout(&args.file) {
        refuse_closed_stdout()?;
    } else if database.is_file(&file) {
        return Err(StoreError::SameFile { path: file }.into());
    }
    let is_pipe = fs::metadata(&file).is_ok_and(|file| file.file_type().is_fifo());
    if is_stdout(&args.file) || is_pipe {
        return stream(&mut users, args, &file);
    }
    if file.is_dir() {
        let message = format!("cannot write {}: it is a directory", file.display());
        let failure = Failure::new(Code::Failed, message);
        return Err(match quoted_path(&file.join("users-backup.db")) {
            Some(copy) => {
                let backup = command(database, &format!("backup {copy}"));
                failure.hint(format!("give a file in that directory, as in {backup}"))
            }
            None => failure,
        });
    }
    users.backup(&file, args.force)?;
    let warning = files::mode_warning(&file, OPTIONS.mode);
    let file = file.display().to_string();
    output.note(&format!("backed up {database} to {file}"));
    output.warn_all(warning);
    Ok(output.json_only(&JsonCopy::new(database, "backup", file, None))?)
}

/// Writes the backup to a pipe or stdout, using a temporary file because SQLite writes out of order.
fn stream(users: &mut Users, args: &Args, file: &Path) -> Result<()> {
    let directory = tempfile::tempdir().context("cannot create a temporary directory")?;
    let copy = directory.path().join("backup.db");
    users.backup(&copy, false)?;
    let mut copy = File::open(copy).context("cannot read the temporary backup")?;
    if is_stdout(&args.file) {
        return Ok(write_stdout(|stdout| io::copy(&mut copy, stdout).map(drop))?);
    }
    files::write(file, &OPTIONS, |pipe, _| {
        let failed = |error| FileError::Failed { path: file.to_owned(), error };
        io::copy(&mut copy, pipe).map(drop).map_err(failed)
    })?;
    Ok(())
}
