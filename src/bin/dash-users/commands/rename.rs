use std::ffi::OsString;

use anyhow::Result;
use clap_complete::engine::ArgValueCompleter;
use dash_users::Location;

use super::{bytes, new_username, open, username};
use crate::complete;
use crate::output::{Change, Output};

/// Give a user another name
///
/// The password, the groups and the history stay. Tables of the app that refer to the user follow,
/// or keep the user from being renamed, as the app declared it.
///
/// Example: dash-users rename alice alice.smith
#[derive(clap::Args)]
pub struct Args {
    /// The name as it is
    #[arg(value_name = "OLD", add = ArgValueCompleter::new(complete::users))]
    pub old: OsString,
    /// The name as it is to be
    #[arg(value_name = "NEW")]
    pub new: OsString,
    /// Allow a name that differs from another user's only by ASCII case
    #[arg(long)]
    pub allow_similar: bool,
}

pub fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let new = new_username(&args.new)?;
    let is_changed = open(database)?.rename(bytes(&args.old), &new, args.allow_similar)?;
    let old = username(&args.old);
    let change = Change::new(database, &old, "rename");
    let change = Change { new_username: Some(new.as_str()), ..change };
    let done = if is_changed {
        (change, format!("renamed user '{old}' to '{new}'"))
    } else {
        (change.unchanged(), format!("user '{old}' is called so already"))
    };
    Ok(output.changes(&[done], false)?)
}
