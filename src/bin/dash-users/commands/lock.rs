use std::ffi::OsString;

use anyhow::Result;
use clap_complete::engine::ArgValueCompleter;
use dash_users::{Location, StoredText, Users};

use super::change_users;
use crate::complete;
use crate::output::Output;

/// Lock users out, and keep their passwords
///
/// The app refuses them on its next request. All are locked or none; who is locked already stays so.
/// Any stored text can be locked, and `unlock` restores it. A value that is no text, with which
/// nobody can log in, or longer than 64 KiB is refused (status 7).
///
/// Example: dash-users lock alice bob
#[derive(clap::Args)]
pub struct Args {
    /// The users' names
    #[arg(value_name = "USER", required = true, add = ArgValueCompleter::new(complete::users))]
    pub users: Vec<OsString>,
}

pub fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let change = |users: &mut Users, names: &[&[u8]]| users.lock(names);
    let done = |name: &StoredText| format!("locked user '{name}'");
    let already = |name: &StoredText| format!("user '{name}' is locked already");
    change_users(&args.users, database, output, "lock", change, done, already)
}
