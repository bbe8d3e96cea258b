use std::ffi::OsString;

use clap_complete::engine::ArgValueCompleter;
use dash_users::{Error, Location};

use super::{Definition, Invocation, bytes, new_username, open, sessions, username};
use crate::complete;
use crate::exit::{Code, Failure, Result};
use crate::output::{Change, Output};

/// Rename a user
///
/// The user keeps the password, groups and history. Rows in the app's own tables that refer to the
/// user are updated, or prevent the renaming, depending on their foreign keys.
///
/// Example: dash-users rename alice alice.smith
#[derive(clap::Args)]
#[command(aliases = ["mv", "ren"])]
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

impl Definition for Args {
    const NAME: &str = "rename";
    const EXIT_CODES: &[(&str, &[u8])] = &[("rename", &[4, 5, 6, 7, 9, 11])];
    const JSON: &[(&str, &str)] = &[(
        "rename",
        "`database`, `username`, `new_username`, `action`, `changed`; `warnings` if there are any",
    )];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        run(self, &invocation.database()?, invocation.output)
    }
}

fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let new = new_username(&args.new)?;
    let mut users = open(database)?;
    let is_changed = match users.rename(bytes(&args.old), &new, args.allow_similar) {
        Err(error @ Error::UserExists(_)) => {
            let hint = "choose another name, or remove the other user first";
            return Err(Failure::new(Code::UserExists, error.to_string()).hint(hint));
        }
        renamed => renamed?,
    };
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
