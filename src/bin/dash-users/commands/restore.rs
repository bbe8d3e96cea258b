use std::path::{Path, PathBuf};

use dash_users::transfer::InputFormat;
use dash_users::{Error, Location, StoreError, Users};

use super::source::is_standard;
use super::{Definition, Invocation, actor, sessions};
use crate::exit::{Code, Failure, Result};
use crate::output::{JsonCopy, Output, counted};
use crate::prompt::Prompt;
use crate::shell::{command, quoted_path};
use crate::terminal;

/// Replace the database's contents with a backup
///
/// Replaces everything: users, groups, history, and the app's own tables in the same file. The backup
/// is checked first and then written into the existing file, so apps need no restart.
///
/// Apps cannot read during the write, which takes a few milliseconds, or about 3 seconds for 100 MB.
/// Python's sqlite3 gives up after 5 seconds by default, so stop the app before you restore a larger
/// database.
///
/// Asks for confirmation; without a terminal, --yes is required.
///
/// Example: dash-users restore users-2026-01-31.db
#[derive(clap::Args)]
pub struct Args {
    /// Backup to restore
    pub file: PathBuf,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub yes: bool,
}

impl Definition for Args {
    const NAME: &str = "restore";
    const EXIT_CODES: &[(&str, &[u8])] = &[("restore", &[4, 5, 10, 130])];
    const JSON: &[(&str, &str)] =
        &[("restore", "`database`, `action`, `changed`, `file`, `users`")];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        run(self, &invocation.database()?, &invocation.prompt, invocation.output)
    }
}

fn run(args: &Args, database: &Location, prompt: &Prompt, output: &Output) -> Result<()> {
    if is_standard(&args.file) {
        let failure = Failure::new(Code::Usage, "cannot restore from stdin");
        return Err(failure.hint("give a file; for one called -, write ./-"));
    }
    let file = std::path::absolute(&args.file)?;
    if matches!(database, Location::Sqlite(_)) && !file.exists() {
        let message = format!("no such backup: {}", file.display());
        let hint = "give the path of a file that the command backup wrote";
        return Err(Failure::new(Code::NoDatabase, message).hint(hint));
    }
    let restore = Users::prepare_restore(database, &file, Some(&actor()));
    let restore = restore.map_err(|error| explain(error, &file, database))?;
    let (file, users) = (file.display().to_string(), restore.users());
    let size = counted(users, "user", "users");
    if !args.yes {
        let loss =
            format!("this replaces everything in {database}, including the app's own tables");
        let question = format!("Restore {file} ({size}) into {database}?");
        prompt.confirm(&[loss], &question, "nothing restored", output)?;
    }
    terminal::pass_point_of_no_return();
    restore.apply()?;
    sessions::forget_all(database, output);
    output.note(&format!("restored {file} ({size}) into {database}"));
    Ok(output.json_only(&JsonCopy::new(database, "restore", file, Some(users)))?)
}

/// Adds a hint if the file is one of users.
fn explain(error: Error, file: &Path, database: &Location) -> Failure {
    let is_other = matches!(error, Error::Store(StoreError::NotADatabase { .. }))
        && InputFormat::of_path(file).is_some();
    let failure = Failure::from(error);
    match quoted_path(file).filter(|_| is_other) {
        Some(name) => {
            let import = command(database, &format!("import {name}"));
            failure.hint(format!("to add the users of a file, run {import}"))
        }
        None => failure,
    }
}
