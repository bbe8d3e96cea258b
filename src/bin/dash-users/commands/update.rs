use std::ffi::OsString;

use anyhow::Result;
use clap_complete::engine::ArgValueCompleter;
use dash_users::{Language, Location};

use super::{bytes, open, username};
use crate::complete;
use crate::output::{Change, Output};

/// Change a user's language
///
/// Example: dash-users update alice --language de
#[derive(clap::Args)]
pub struct Args {
    /// Username
    #[arg(add = ArgValueCompleter::new(complete::users))]
    pub user: OsString,
    /// New language, as a BCP 47 tag
    #[arg(long, value_name = "TAG")]
    pub language: String,
}

pub fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let language: Language = args.language.parse()?;
    let is_changed = open(database)?.set_language(bytes(&args.user), &language)?;
    let name = username(&args.user);
    let change = Change::new(database, &name, "update");
    let done = if is_changed {
        (change, format!("set the language of user '{name}' to {language}"))
    } else {
        (change.unchanged(), format!("the language of user '{name}' is already {language}"))
    };
    Ok(output.changes(&[done])?)
}
