use std::ffi::OsString;

use anyhow::Result;
use dash_users::{Location, StoredText, Users};

use super::{changes, usernames};
use crate::output::Output;

/// Let locked users in again, with the passwords they had
///
/// Each gets the very hash from before. All are unlocked or none; who is not locked stays so.
///
/// Example: dash-users unlock alice
#[derive(clap::Args)]
pub struct Args {
    /// The users' names
    #[arg(value_name = "USER", required = true)]
    pub users: Vec<OsString>,
}

pub fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let names = usernames(&args.users);
    let outcomes = Users::open(database)?.unlock(&names)?;
    let names: Vec<StoredText> = names.into_iter().map(StoredText::from).collect();
    let done = |name: &StoredText| format!("unlocked user '{name}'");
    let already = |name: &StoredText| format!("user '{name}' is not locked");
    let changes = changes(database, "unlock", names.iter().zip(outcomes), done, already);
    Ok(output.changes(&changes, args.users.len() > 1)?)
}
