use std::ffi::OsString;

use clap_complete::engine::ArgValueCompleter;
use dash_users::{Location, StoredText, Users};

use super::{CHANGES_JSON, Definition, Invocation, change_users};
use crate::complete;
use crate::exit::Result;
use crate::output::Output;

/// Unlock users and restore their passwords
///
/// Each user's previous hash is restored exactly. Either all users are unlocked or none. Users who
/// are not locked stay unchanged.
///
/// Example: dash-users unlock alice
#[derive(clap::Args)]
#[command(aliases = ["activate", "enable"])]
pub struct Args {
    /// Usernames
    #[arg(value_name = "USER", required = true, add = ArgValueCompleter::new(complete::locked_users))]
    pub users: Vec<OsString>,
}

impl Definition for Args {
    const NAME: &str = "unlock";
    const EXIT_CODES: &[(&str, &[u8])] = &[("unlock", &[4, 5, 6, 7, 11])];
    const JSON: &[(&str, &str)] = &[("unlock", CHANGES_JSON)];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        run(self, &invocation.database()?, invocation.output)
    }
}

fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let change = |users: &mut Users, names: &[&[u8]]| users.unlock(names);
    let done = |name: &StoredText| format!("unlocked user '{name}'");
    let already = |name: &StoredText| format!("user '{name}' is not locked");
    change_users(&args.users, database, output, "unlock", change, done, already)
}
