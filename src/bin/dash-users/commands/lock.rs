use std::ffi::OsString;

use clap_complete::engine::ArgValueCompleter;
use dash_users::{Location, StoredText, Users};

use super::{CHANGES_JSON, Definition, Invocation, change_users};
use crate::complete;
use crate::exit::Result;
use crate::output::Output;

/// Lock users without changing their passwords
///
/// The app rejects locked users from their next request on. Either all users are locked or none.
/// Users who are already locked stay locked. `unlock` restores the stored value exactly.
///
/// A stored value that is not text, or is longer than 64 KiB, cannot be locked (exit code 7).
///
/// Example: dash-users lock alice bob
#[derive(clap::Args)]
#[command(aliases = ["deactivate", "disable"])]
pub struct Args {
    /// Usernames
    #[arg(value_name = "USER", required = true, add = ArgValueCompleter::new(complete::users))]
    pub users: Vec<OsString>,
}

impl Definition for Args {
    const NAME: &str = "lock";
    const EXIT_CODES: &[(&str, &[u8])] = &[("lock", &[4, 5, 6, 7, 11])];
    const JSON: &[(&str, &str)] = &[("lock", CHANGES_JSON)];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        run(self, &invocation.database()?, invocation.output)
    }
}

fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let change = |users: &mut Users, names: &[&[u8]]| users.lock(names);
    let done = |name: &StoredText| format!("locked user '{name}'");
    let already = |name: &StoredText| format!("user '{name}' is already locked");
    change_users(&args.users, database, output, "lock", change, done, already)
}
