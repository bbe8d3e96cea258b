use std::borrow::Cow;
use std::ffi::{OsStr, OsString};

use anyhow::Result;
use clap::Subcommand;
use clap_complete::engine::ArgValueCompleter;
use dash_users::{Error, Group, GroupError, Location, StoredText, Users};
use serde::Serialize;

use super::{bytes, open, username};
use crate::complete;
use crate::output::{Change, Output, table};

/// Add users to groups, remove them, or list groups
///
/// An app can read groups from the table user_groups, for BasicAuth(user_groups=…).
///
/// Example: dash-users group add alice admins
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Add a user to groups
    ///
    /// A group exists as long as it has a member. Group names cannot contain commas, semicolons or
    /// control characters.
    ///
    /// Example: dash-users group add alice admins "data science"
    Add(Membership),
    /// Remove a user from groups
    ///
    /// Example: dash-users group remove alice admins
    #[command(visible_alias = "rm")]
    Remove(Membership),
    /// List a user's groups, or all groups with their members
    ///
    /// Columns of --format plain: username, group.
    ///
    /// Example: dash-users group list alice
    #[command(visible_alias = "ls")]
    List {
        /// Username [default: all users]
        #[arg(add = ArgValueCompleter::new(complete::users))]
        user: Option<OsString>,
    },
}

#[derive(clap::Args)]
struct Membership {
    /// Username
    #[arg(add = ArgValueCompleter::new(complete::users))]
    user: OsString,
    /// Group names
    #[arg(value_name = "GROUP", required = true, add = ArgValueCompleter::new(complete::groups))]
    groups: Vec<OsString>,
}

pub fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    match &args.command {
        Command::Add(Membership { user, groups }) => {
            let new: Vec<_> = groups.iter().map(|group| new_group(group)).collect::<Result<_>>()?;
            let changed = open(database)?.add_groups(bytes(user), &new)?;
            report("group add", user, groups, &changed, database, output)
        }
        Command::Remove(Membership { user, groups }) => {
            let names: Vec<_> = groups.iter().map(|group| bytes(group)).collect();
            let changed = open(database)?.remove_groups(bytes(user), &names)?;
            report("group remove", user, groups, &changed, database, output)
        }
        Command::List { user } => list(user.as_deref(), database, output),
    }
}

/// A group name for a new membership.
pub fn new_group(name: &OsStr) -> Result<Group> {
    Ok(name.to_str().ok_or(GroupError::NotUtf8)?.parse()?)
}

/// Reports the groups that the user was added to or removed from.
fn report(
    action: &'static str,
    user: &OsStr,
    groups: &[OsString],
    changed: &[bool],
    database: &Location,
    output: &Output,
) -> Result<()> {
    let name = username(user);
    let list = |wanted: bool| {
        let groups = groups.iter().zip(changed).filter(|(_, changed)| **changed == wanted);
        let groups: Vec<_> =
            groups.map(|(group, _)| format!("'{}'", StoredText::from(bytes(group)))).collect();
        format!("{} {}", if groups.len() == 1 { "group" } else { "groups" }, groups.join(", "))
    };
    let is_addition = action == "group add";
    let really = groups.iter().zip(changed).filter(|(_, changed)| **changed);
    let really = really.map(|(group, _)| String::from_utf8_lossy(bytes(group))).collect();
    let change = Change { groups: Some(really), ..Change::new(database, &name, action) };
    let (change, done) = match (changed.contains(&true), is_addition) {
        (true, true) => (change, format!("added user '{name}' to {}", list(true))),
        (true, false) => (change, format!("removed user '{name}' from {}", list(true))),
        (false, true) => {
            (change.unchanged(), format!("user '{name}' is already in {}", list(false)))
        }
        (false, false) => (change.unchanged(), format!("user '{name}' is not in {}", list(false))),
    };
    Ok(output.change(change, done)?)
}

#[derive(Serialize)]
struct Json<'a> {
    username: Option<Cow<'a, str>>,
    group: Option<Cow<'a, str>>,
}

fn list(user: Option<&OsStr>, database: &Location, output: &Output) -> Result<()> {
    let mut users = Users::open_read_only(database)?;
    let found = match user {
        Some(user) => {
            let found = users.get(bytes(user))?;
            vec![found.ok_or_else(|| Error::NoSuchUser(username(user)))?]
        }
        None => users.list()?,
    };
    let memberships =
        found.iter().flat_map(|user| user.groups.iter().map(|group| (group, &user.username)));
    let mut members: Vec<(&StoredText, &StoredText)> = memberships.collect();
    members.sort();

    let json = || {
        let members = members.iter();
        members
            .map(|(group, name)| Json { username: name.to_text(), group: group.to_text() })
            .collect::<Vec<_>>()
    };
    let rows =
        || members.iter().map(|(group, name)| vec![name.to_string(), group.to_string()]).collect();
    let people = || {
        let groups = members.chunk_by(|(one, _), (other, _)| one == other).map(|members| {
            let names: Vec<_> = members.iter().map(|(_, name)| name.to_string()).collect();
            vec![members[0].0.to_string(), names.join(", ")]
        });
        table(&["GROUP", "USERS"], &groups.collect::<Vec<_>>())
    };
    Ok(output.result(json, rows, people)?)
}
