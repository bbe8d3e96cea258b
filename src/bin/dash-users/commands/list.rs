use anyhow::Result;
use dash_users::{Location, Users};

use crate::cli::MethodArg;
use crate::output::{JsonUser, Output, plain_user, table};

/// List the users, never their hashes
///
/// With --format plain the columns are: username, language, locked (true or false), method (empty
/// if the stored value is no hash), outdated (true or false), groups (separated by commas), created
/// and password changed (both empty where unknown).
///
/// Example: dash-users list --outdated
#[derive(clap::Args)]
pub struct Args {
    /// Only users with an outdated hash
    #[arg(long)]
    pub outdated: bool,
    /// Only locked users
    #[arg(long)]
    pub locked: bool,
    #[command(flatten)]
    pub method: MethodArg,
}

pub fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let mut users = Users::open_read_only(database)?.with_method(args.method.get()?).list()?;
    users.retain(|user| (user.outdated || !args.outdated) && (user.locked || !args.locked));
    let json = || users.iter().map(JsonUser::from).collect::<Vec<_>>();
    let rows = || users.iter().map(plain_user).collect();
    let people = || {
        let rows = users.iter().map(|user| {
            let state = match (user.method.is_some(), user.locked, user.outdated) {
                (false, false, _) => "no usable hash",
                (_, true, true) => "locked, outdated",
                (_, true, false) => "locked",
                (_, false, true) => "outdated",
                (_, false, false) => "",
            };
            let method = user.method.map(|method| method.to_string()).unwrap_or_default();
            vec![user.username.to_string(), user.language.to_string(), method, state.to_owned()]
        });
        table(&["USER", "LANGUAGE", "METHOD", "STATE"], rows.collect())
    };
    Ok(output.result(json, rows, people)?)
}
