use std::ffi::OsString;

use anyhow::Result;
use dash_users::store::OnDelete;
use dash_users::{Error, Location, StoredText, Users};

use super::usernames;
use crate::exit::{Code, Failure};
use crate::output::{Change, Output};
use crate::prompt::Prompt;

/// Remove users
///
/// Asks on a terminal; without one --yes is needed. All are removed or none. Rows of other tables
/// that refer to a user go too, or keep the user from being removed, as the app declared it.
///
/// Example: dash-users remove bob --yes
#[derive(clap::Args)]
pub struct Args {
    /// The users' names
    #[arg(value_name = "USER", required = true)]
    pub users: Vec<OsString>,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Pass over those who are not there
    #[arg(long)]
    pub if_exists: bool,
}

pub fn run(args: &Args, database: &Location, prompt: &Prompt, output: &Output) -> Result<()> {
    let mut users = Users::open(database)?;
    let names = usernames(&args.users);
    let mut going = Vec::new();
    for name in &names {
        match users.get(name)? {
            Some(user) => going.push(user.username),
            None if args.if_exists => {}
            None => return Err(Error::NoSuchUser(StoredText::from(*name)).into()),
        }
    }
    for name in going.iter().filter_map(StoredText::as_key) {
        let name_shown = StoredText::from(name);
        for reference in users.references(name)? {
            let table = StoredText::Text(reference.table);
            let rows = reference.rows;
            match reference.on_delete {
                OnDelete::Delete => output.warn(&format!(
                    "table '{table}' loses {rows} row(s) that refer to user '{name_shown}'"
                )),
                OnDelete::Unset => output.warn(&format!(
                    "table '{table}' has {rows} row(s) that will no longer refer to user '{name_shown}'"
                )),
                OnDelete::Refuse => {}
            }
        }
    }
    if !going.is_empty() && !args.yes {
        let list: Vec<_> = going.iter().map(|name| format!("'{name}'")).collect();
        let question = format!("Remove {} from {database}?", list.join(", "));
        if !prompt.confirm(&question, "--yes")? {
            output.note("nothing removed");
            return Err(Failure::new(Code::NeedsConfirmation, "not confirmed").answered().into());
        }
    }

    let removed = users.remove(&names, args.if_exists)?;
    let names: Vec<StoredText> = names.into_iter().map(StoredText::from).collect();
    let mut changes = Vec::new();
    for (name, is_removed) in names.iter().zip(removed) {
        let change = Change::new(database, name, "remove");
        changes.push(if is_removed {
            (change, format!("removed user '{name}'"))
        } else {
            (change.unchanged(), format!("there is no user '{name}'"))
        });
    }
    Ok(output.changes(&changes, args.users.len() > 1)?)
}
