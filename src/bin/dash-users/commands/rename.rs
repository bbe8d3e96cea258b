use std::ffi::OsString;

use anyhow::Result;
use clap_complete::engine::ArgValueCompleter;
use dash_users::Location;

use super::{bytes, new_username, open, sessions, username};
use crate::complete;
use crate::output::{Change, Output};

/// Rename a user
///
/// The user keeps the password, groups and history. Rows in the app's own tables that refer to the
/// user are updated, or prevent the renaming, depending on their foreign keys.
///
/// Example: dash-users rename alice alice.smith
#[derive(clap::Args)]
pub struct Args {
    /// Current username
    #[arg(value_name = "OLD", add = ArgValueCompleter::new(complete::users))]
    pub old: OsString,
    /// New username
    #[arg(value_name = "NEW")]
    pub new: OsString,
    /// Allow a username that differs from another only in ASCII case
    #[arg(long)]
    pub allow_similar: bool,
}

pub fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let new = new_username(&args.new)?;
    let mut users = open(database)?;
    let is_changed = users.rename(bytes(&args.old), &new, args.allow_similar)?;
    sessions::forget(&mut users, &[bytes(&args.old)], output);
    let old = username(&args.old);
    let change = Change::new(database, &old, "rename");
    let change = Change { new_username: Some(new.as_str()), ..change };
    let (change, done) = if is_changed {
        (change, format!("renamed user '{old}' to '{new}'"))
    } else {
        (change.unchanged(), format!("user '{old}' already has this name"))
    };
    Ok(output.change(change, done)?)
}
