use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use dash_users::files::{self, FileError, WriteOptions};
use dash_users::transfer::Format;
use dash_users::{Location, StoreError, Users};

use super::import::is_stdout;
use super::{Definition, Invocation};
use crate::cli::{FORMATS, named};
use crate::exit::{Code, Failure, Result};
use crate::output::{JsonCopy, Output, Spool, counted, refuse_closed_stdout, write_stdout};
use crate::shell::{command, quoted_path};

/// Export all users to a file
///
/// The export includes locked users, groups and malformed rows, and `import --as-is` reads it back
/// unchanged. A new file has mode 0600, because hashes let an attacker guess passwords offline.
/// Beware of opening it in a spreadsheet: usernames that begin with =, +, - or @ are not escaped, and
/// would run as formulas.
///
/// An existing file is overwritten only with --force. Your own pipes, and root's, need no --force.
/// Devices, and other users' pipes and symbolic links, are rejected.
///
/// Example: dash-users export users.jsonl
#[derive(clap::Args)]
pub struct Args {
    /// File to write, or - for stdout
    #[arg(default_value = "-")]
    pub file: PathBuf,
    /// Format of the file [default: from its name; on stdout csv, or json with --json]
    #[arg(long, value_parser = named(FORMATS), value_name = "FORMAT")]
    pub output_format: Option<Format>,
    /// Leave out the password hashes
    #[arg(long)]
    pub without_hashes: bool,
    /// Overwrite an existing file
    #[arg(long)]
    pub force: bool,
}

impl Definition for Args {
    const NAME: &str = "export";
    const EXIT_CODES: &[(&str, &[u8])] = &[("export", &[4, 5])];
    const JSON: &[(&str, &str)] =
        &[("export FILE", "`database`, `action`, `changed`, `file`, `users`")];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        run(self, &invocation.database()?, invocation.output)
    }
}

fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let file = std::path::absolute(&args.file)?;
    if is_stdout(&args.file) {
        refuse_closed_stdout()?;
    } else {
        if database.is_file(&file) {
            return Err(StoreError::SameFile { path: file }.into());
        }
        // Fail before reading the users.
        files::check(&file, &options(args))?;
    }
    let format = match args.output_format {
        Some(format) => format,
        None if is_stdout(&args.file) && output.is_json() => Format::Json,
        None if is_stdout(&args.file) => Format::Csv,
        None => Format::of_path(&args.file).ok_or_else(|| unknown_format(&args.file, database))?,
    };
    // A slow reader must not block the app's writes to the database.
    let mut users = Users::open_read_only(database)?;
    let (spool, count) = users.export(Spool::default(), format, !args.without_hashes)??;
    drop(users);
    if is_stdout(&args.file) {
        return Ok(write_stdout(|stdout| spool.copy_to(stdout))?);
    }
    let written = files::write(&file, &options(args), |output, _| {
        let copied = spool.copy_to(output);
        copied.map_err(|error| FileError::Failed { path: file.clone(), error })
    })?;
    let warning = files::mode_warning(&written, options(args).mode);
    let file = file.display().to_string();
    let exported = counted(count, "user", "users");
    output.note(&format!("exported {exported} from {database} to {file}"));
    output.warn_all(warning);
    let database = database.to_string();
    let users = Some(count);
    let json = JsonCopy { database, action: "export", changed: true, file, users };
    Ok(output.json_only(&json)?)
}

fn unknown_format(file: &Path, database: &Location) -> Failure {
    let message = format!("cannot tell the format of {} from its name", file.display());
    let hint = "use a name such as users.csv, or --output-format csv, json or jsonl";
    let is_database = |extension: &OsStr| extension == "db" || extension == "sqlite";
    let name = quoted_path(file);
    let hint = match name.filter(|_| file.extension().is_some_and(is_database)) {
        Some(name) => {
            let backup = command(database, &format!("backup {name}"));
            format!("{hint}; to copy the database, run {backup}")
        }
        None => hint.to_owned(),
    };
    Failure::new(Code::Usage, message).hint(hint)
}

fn options(args: &Args) -> WriteOptions {
    WriteOptions { allow_pipe: true, ..WriteOptions::private("export") }.overwrite(args.force)
}
