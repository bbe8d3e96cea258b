use std::collections::HashSet;
use std::ffi::OsString;

use clap_complete::engine::ArgValueCompleter;
use dash_users::{Error, Location, StoredText, Users};

use super::{CHANGES_JSON, Definition, Invocation, changes, loss, open, sessions, usernames};
use crate::complete;
use crate::exit::Result;
use crate::output::Output;
use crate::prompt::Prompt;

/// Remove users
///
/// Asks for confirmation; without a terminal, --yes is required. Either all users are removed or
/// none. Rows in the app's own tables that refer to a user are deleted, are changed, or prevent the
/// removal, depending on their foreign keys.
///
/// Example: dash-users remove bob --yes
#[derive(clap::Args)]
#[command(visible_aliases = ["rm", "delete"], aliases = ["del", "userdel"])]
pub struct Args {
    /// Usernames
    #[arg(value_name = "USER", required = true, add = ArgValueCompleter::new(complete::users))]
    pub users: Vec<OsString>,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub yes: bool,
    /// Skip users who do not exist
    #[arg(long)]
    pub if_exists: bool,
}

impl Definition for Args {
    const NAME: &str = "remove";
    const EXIT_CODES: &[(&str, &[u8])] = &[("remove", &[4, 5, 6, 10, 11, 130])];
    const JSON: &[(&str, &str)] = &[("remove", CHANGES_JSON)];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        run(self, &invocation.database()?, &invocation.prompt, invocation.output)
    }
}

fn run(args: &Args, database: &Location, prompt: &Prompt, output: &Output) -> Result<()> {
    let mut users = open(database)?;
    let (mut names, mut going) = (Vec::new(), Vec::new());
    let mut found = HashSet::new();
    for name in usernames(&args.users) {
        let Some(user) = users.get(name)? else {
            if !args.if_exists {
                return Err(Error::NoSuchUser(StoredText::from(name)).into());
            }
            names.push(name);
            continue;
        };
        // If the table ignores case, two names may mean the same user.
        if !found.insert(user.username.clone()) {
            continue;
        }
        names.push(name);
        going.push(match user.groups.len() {
            0 => format!("'{}'", user.username),
            1 => format!("'{}' (in 1 group)", user.username),
            groups => format!("'{}' (in {groups} groups)", user.username),
        });
    }
    let warnings: Vec<_> =
        names.iter().map(|name| losses(&mut users, name)).collect::<Result<_>>()?;
    if !going.is_empty() && !args.yes {
        let question = format!("Remove {} from {database}?", going.join(", "));
        prompt.confirm(&warnings.concat(), &question, "nothing removed", output)?;
    }

    let removed = users.remove(&names, args.if_exists)?;
    sessions::forget(&mut users, &names, output);
    let names: Vec<StoredText> = names.into_iter().map(StoredText::from).collect();
    let done = |name: &StoredText| format!("removed user '{name}'");
    let already = |name: &StoredText| format!("no user '{name}'");
    let mut changes = changes(database, "remove", names.iter().zip(removed), done, already);
    if args.yes {
        for ((change, _), warnings) in changes.iter_mut().zip(warnings) {
            change.warnings = warnings;
        }
    }
    Ok(output.changes(&changes)?)
}

/// What the app's own tables lose when a user is removed.
fn losses(users: &mut Users, name: &[u8]) -> Result<Vec<String>> {
    let removing = format!("removing user '{}'", StoredText::from(name));
    let references = users.references(name)?.into_iter();
    Ok(references.filter_map(|reference| loss(&removing, reference)).collect())
}
