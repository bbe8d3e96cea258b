use std::ffi::OsString;

use anyhow::Result;
use clap_complete::engine::ArgValueCompleter;
use dash_users::{Location, StoredText, Users};

use super::change_users;
use crate::complete;
use crate::output::Output;

/// Let locked users in again, with the passwords they had
///
/// Each gets the very hash from before. All are unlocked or none; who is not locked stays so.
///
/// Example: dash-users unlock alice
#[derive(clap::Args)]
pub struct Args {
    /// The users' names
    #[arg(value_name = "USER", required = true, add = ArgValueCompleter::new(complete::users))]
    pub users: Vec<OsString>,
}

pub fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let change = |users: &mut Users, names: &[&[u8]]| users.unlock(names);
    let done = |name: &StoredText| format!("unlocked user '{name}'");
    let already = |name: &StoredText| format!("user '{name}' is not locked");
    change_users(&args.users, database, output, "unlock", change, done, already)
}
