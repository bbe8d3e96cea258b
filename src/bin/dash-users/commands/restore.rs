use std::path::PathBuf;

use anyhow::Result;
use dash_users::{Location, Users};

use super::actor;
use crate::exit::{Code, Failure};
use crate::output::{JsonCopy, Output};
use crate::prompt::Prompt;
use crate::terminal;

/// Put a backup back in the place of all that the database holds
///
/// Users, groups and history, and also the app's own tables in the same file, are then those of the
/// backup. It is checked first, and written into the database in place: apps need not be restarted.
///
/// Apps cannot read while the file is written: a few milliseconds, and some 3 seconds for 100 MB.
/// Python's sqlite3 gives up after 5 seconds by default, so stop the app before you restore more.
///
/// Asks on a terminal; without one --yes is needed.
///
/// Example: dash-users restore users-2026-01-31.db
#[derive(clap::Args)]
pub struct Args {
    /// The backup
    pub file: PathBuf,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

pub fn run(args: &Args, database: &Location, prompt: &Prompt, output: &Output) -> Result<()> {
    let file = std::path::absolute(&args.file)?;
    if matches!(database, Location::Sqlite(_)) && !file.exists() {
        let message = format!("there is no backup at {}", file.display());
        let hint = "`dash-users backup` writes one";
        return Err(Failure::new(Code::NoDatabase, message).hint(hint).into());
    }
    let restore = Users::prepare_restore(database, &file, Some(&actor()))?;
    let (file, users) = (file.display().to_string(), restore.users());
    if !args.yes {
        let loss =
            format!("all that {database} holds now will be lost, tables of the app included");
        let question = format!("Restore {file}, with {users} user(s), into {database}?");
        if !prompt.confirm(&[loss], &question, "--yes")? {
            output.note("nothing restored");
            return Err(Failure::new(Code::NeedsConfirmation, "not confirmed").answered().into());
        }
    }
    terminal::pass_point_of_no_return();
    restore.apply()?;
    output.note(&format!("restored {file}, with {users} user(s), into {database}"));
    let database = database.to_string();
    Ok(output.json_only(&JsonCopy {
        database,
        action: "restore",
        changed: true,
        file,
        users: Some(users),
    })?)
}
