use std::ffi::OsString;

use anyhow::Result;
use clap_complete::engine::ArgValueCompleter;
use dash_users::{Error, Location};

use super::{bytes, note_first_scrypt, open, sessions, username};
use crate::cli::{MethodArg, NewPasswordArgs};
use crate::complete;
use crate::output::{Change, Output};
use crate::prompt::Prompt;

/// Set a user's password
///
/// Asks for the password twice, unless --password-stdin, --password-file or --generate is given. A
/// locked user stays locked.
///
/// Example: dash-users passwd alice
#[derive(clap::Args)]
pub struct Args {
    /// Username
    #[arg(add = ArgValueCompleter::new(complete::users))]
    pub user: OsString,
    #[command(flatten)]
    pub password: NewPasswordArgs,
    #[command(flatten)]
    pub method: MethodArg,
}

pub fn run(args: &Args, database: &Location, prompt: &Prompt, output: &Output) -> Result<()> {
    let source = prompt.new_source(&args.password)?;
    let name = username(&args.user);
    let mut users = open(database)?.with_method(args.method.get()?);
    // Fail before asking for a password.
    let Some(user) = users.get(bytes(&args.user))? else {
        return Err(Error::NoSuchUser(name).into());
    };

    note_first_scrypt(&mut users, &args.method, output)?;
    let password = prompt.new_password(&source)?;
    users.set_password(bytes(&args.user), &password, args.password.allow_weak)?;
    sessions::forget(&mut users, &[bytes(&args.user)], output);
    let password = source.generated(&password);
    let is_locked = user.locked.then_some(true);
    let change = Change { password, locked: is_locked, ..Change::new(database, &name, "passwd") };
    let locked = if user.locked { "locked " } else { "" };
    let done = format!("set a new password for {locked}user '{name}'");
    Ok(output.change(change, done)?)
}
