use std::borrow::Cow;
use std::ffi::{OsStr, OsString};

use clap::Subcommand;
use clap_complete::engine::ArgValueCompleter;
use dash_users::{Error, Group, GroupAdded, GroupError, Location, StoredText, Users};
use serde::Serialize;

use super::{Definition, Invocation, MAX_COMPARED, bytes, most_similar, open, username, usernames};
use crate::complete;
use crate::exit::{Code, Failure, Result};
use crate::output::{Change, Output, counted, table};
use crate::prompt::Prompt;
use crate::shell::{command, quoted};

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
    Remove(Leaving),
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
        /// Only this group, with its members
        #[arg(
            long,
            conflicts_with = "user",
            add = ArgValueCompleter::new(complete::groups)
        )]
        group: Option<OsString>,
    },
    /// Rename a group
    ///
    /// Moves all members to the new group. If it already has members, the two become one.
    ///
    /// Example: dash-users group rename admins staff
    #[command(alias = "mv")]
    Rename {
        /// Current name of the group
        #[arg(value_name = "OLD", add = ArgValueCompleter::new(complete::groups))]
        old: OsString,
        /// New name of the group
        #[arg(value_name = "NEW", add = ArgValueCompleter::new(complete::groups))]
        new: OsString,
    },
    /// Delete groups: remove all their members from them
    ///
    /// The users themselves stay. Asks for confirmation; without a terminal, --yes is required.
    ///
    /// Example: dash-users group delete interns --yes
    Delete {
        /// Group names
        #[arg(value_name = "GROUP", required = true, add = ArgValueCompleter::new(complete::groups))]
        groups: Vec<OsString>,
        /// Do not ask for confirmation
        #[arg(short, long)]
        yes: bool,
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

#[derive(clap::Args)]
struct Leaving {
    /// Username
    #[arg(add = ArgValueCompleter::new(complete::users))]
    user: OsString,
    /// Group names
    #[arg(value_name = "GROUP", required = true, add = ArgValueCompleter::new(complete::groups_of_user))]
    groups: Vec<OsString>,
}

const MEMBERSHIP_JSON: &str = "`database`, `username`, `action`, `changed`, `groups` (those that were really added or removed); `warnings` if there are any";

impl Definition for Args {
    const NAME: &str = "group";
    const EXIT_CODES: &[(&str, &[u8])] = &[
        ("group add", &[4, 5, 6, 7, 11]),
        ("group remove", &[4, 5, 6, 7, 11]),
        ("group list", &[4, 5, 6, 7]),
        ("group rename", &[4, 5, 7, 11]),
        ("group delete", &[4, 5, 10, 11, 130]),
    ];
    const JSON: &[(&str, &str)] = &[
        ("group add", MEMBERSHIP_JSON),
        ("group remove", MEMBERSHIP_JSON),
        ("group list", "an array of `username`, `group`"),
        (
            "group rename",
            "`database`, `action`, `changed`, `group`, `new_group`, `users` (the members)",
        ),
        (
            "group delete",
            "an array of `database`, `action`, `changed`, `group`, `users` (the members)",
        ),
    ];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        run(self, &invocation.database()?, &invocation.prompt, invocation.output)
    }
}

fn run(args: &Args, database: &Location, prompt: &Prompt, output: &Output) -> Result<()> {
    match &args.command {
        Command::Add(Membership { user, groups }) => {
            let new: Vec<_> = groups.iter().map(|group| new_group(group)).collect::<Result<_>>()?;
            let mut users = open(database)?;
            let added = users.add_groups(bytes(user), &new);
            let added =
                added.map_err(|error| explain(error, user, groups, true, &mut users, database))?;
            let mut review = Review::default();
            for (group, added) in new.iter().zip(&added) {
                review.look_at(group, *added, &mut users)?;
            }
            let changed: Vec<_> = added.iter().map(|added| added.is_added).collect();
            report("group add", user, groups, &changed, database, output, review)
        }
        Command::Remove(Leaving { user, groups }) => {
            let names: Vec<_> = groups.iter().map(|group| bytes(group)).collect();
            let mut users = open(database)?;
            let changed = users.remove_groups(bytes(user), &names);
            let changed = changed
                .map_err(|error| explain(error, user, groups, false, &mut users, database))?;
            report("group remove", user, groups, &changed, database, output, Review::default())
        }
        Command::List { user, group } => list(user.as_deref(), group.as_deref(), database, output),
        Command::Rename { old, new } => rename(old, new, database, output),
        Command::Delete { groups, yes } => delete(groups, *yes, database, prompt, output),
    }
}

/// A group name for a new membership.
pub fn new_group(name: &OsStr) -> Result<Group> {
    match name.to_str().ok_or(GroupError::NotUtf8)?.parse() {
        Err(error @ GroupError::Separator(_)) => {
            let hint = "name each group on its own: group add USER GROUP GROUP, or --group GROUP --group GROUP";
            Err(Failure::from(error).hint(hint))
        }
        group => Ok(group?),
    }
}

/// What to say about groups that someone is to be added to.
#[derive(Default)]
pub struct Review {
    notes: Vec<String>,
    warnings: Vec<String>,
}

impl Review {
    /// Mentions a group that nobody was in, because a misspelled one is new, and one that has the
    /// name of a user.
    fn look_at(&mut self, group: &Group, added: GroupAdded, users: &mut Users) -> Result<()> {
        let name = StoredText::Text(group.as_str().to_owned());
        if added.is_new_group {
            let mut known = users.groups("", MAX_COMPARED)?;
            known.retain(|other| other != group.as_str());
            self.notes.push(match most_similar(group.as_str(), &known) {
                Some(other) => format!("new group '{name}'; there is '{other}'"),
                None => format!("new group '{name}'"),
            });
        }
        if added.is_username {
            self.warnings.push(format!("the group '{name}' has the name of a user"));
        }
        Ok(())
    }

    /// Prints the notes, and returns the warnings, which belong to a change.
    pub fn print_notes(self, output: &Output) -> Vec<String> {
        for note in &self.notes {
            output.note(note);
        }
        self.warnings
    }
}

/// What to say about groups before anyone is added to them.
pub fn review(users: &mut Users, groups: &[Group]) -> Result<Review> {
    let mut review = Review::default();
    for group in groups {
        // The first that begins so, in byte order.
        let first = users.groups(group.as_str(), 1)?;
        let is_new_group = first.first().map(String::as_str) != Some(group.as_str());
        let is_username = users.get(group.as_str())?.is_some();
        let added = GroupAdded { is_added: true, is_new_group, is_username };
        review.look_at(group, added, users)?;
    }
    Ok(review)
}

/// Explains an unknown user if the names are in the wrong order.
fn explain(
    error: Error,
    user: &OsStr,
    groups: &[OsString],
    is_addition: bool,
    users: &mut Users,
    database: &Location,
) -> Failure {
    let mut is_user = |name: &OsString| users.get(bytes(name)).is_ok_and(|user| user.is_some());
    if !matches!(error, Error::NoSuchUser(_)) || !groups.iter().all(&mut is_user) {
        return error.into();
    }
    let names: Option<Vec<_>> = groups.iter().map(|name| quoted(&username(name))).collect();
    let (Some(group), Some(names)) = (quoted(&username(user)), names) else { return error.into() };
    let (nested, option) =
        if is_addition { ("add", "add-group") } else { ("remove", "remove-group") };
    let line = match &names[..] {
        [name] => format!("group {nested} {name} {group}"),
        names => format!("update {} --{option} {group}", names.join(" ")),
    };
    let message = format!("{error}; '{}' is a user", username(&groups[0]));
    let hint = format!("the user comes first: run {}", command(database, &line));
    Failure::new(Code::NoSuchUser, message).hint(hint)
}

/// Names of groups after their noun.
pub fn in_words<'a>(groups: impl Iterator<Item = &'a OsString>) -> String {
    let names: Vec<_> =
        groups.map(|group| format!("'{}'", StoredText::from(bytes(group)))).collect();
    format!("{} {}", if names.len() == 1 { "group" } else { "groups" }, names.join(", "))
}

/// Reports the groups that the user was added to or removed from.
fn report(
    action: &'static str,
    user: &OsStr,
    groups: &[OsString],
    changed: &[bool],
    database: &Location,
    output: &Output,
    review: Review,
) -> Result<()> {
    let name = username(user);
    let warnings = review.print_notes(output);
    let list = |wanted: bool| {
        let groups = groups.iter().zip(changed).filter(|(_, changed)| **changed == wanted);
        in_words(groups.map(|(group, _)| group))
    };
    let is_addition = action == "group add";
    let really = groups.iter().zip(changed).filter(|(_, changed)| **changed);
    let really = really.map(|(group, _)| String::from_utf8_lossy(bytes(group))).collect();
    let change = Change { groups: Some(really), warnings, ..Change::new(database, &name, action) };
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

#[derive(Serialize)]
struct JsonGroup<'a> {
    database: String,
    action: &'static str,
    changed: bool,
    group: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_group: Option<&'a str>,
    users: Vec<Option<Cow<'a, str>>>,
}

/// The error for a group that nobody is in.
fn no_such_group(users: &mut Users, name: &OsStr) -> Result<Failure> {
    let shown = StoredText::from(bytes(name));
    let known = users.groups("", u32::MAX)?;
    let message = match most_similar(&name.to_string_lossy(), &known) {
        Some(other) => format!("no user is in '{shown}'; did you mean '{other}'?"),
        None => format!("no user is in '{shown}'"),
    };
    Ok(Failure::new(Code::InvalidData, message))
}

fn rename(old: &OsStr, new: &OsStr, database: &Location, output: &Output) -> Result<()> {
    let group = new_group(new)?;
    let mut users = open(database)?;
    if users.members(bytes(old))?.is_empty() {
        return Err(no_such_group(&mut users, old)?);
    }
    let before = users.members(group.as_str().as_bytes())?.len() as u64;
    let moved = users.rename_group(bytes(old), &group)?;
    let (name, new_name) =
        (StoredText::from(bytes(old)), StoredText::Text(group.as_str().to_owned()));
    let new_text = group.as_str().to_owned();
    let count = counted(moved.len() as u64, "user", "users");
    if moved.is_empty() {
        output.note(&format!("group '{name}' already has this name in {database}"));
    } else {
        if before > 0 {
            let before = counted(before, "user", "users");
            output.warn(&format!("group '{new_name}' already had {before}"));
        }
        output
            .note(&format!("renamed group '{name}' to '{new_name}', with {count}, in {database}"));
    }
    Ok(output.json_only(&JsonGroup {
        database: database.to_string(),
        action: "group rename",
        changed: !moved.is_empty(),
        group: old.to_string_lossy(),
        new_group: Some(&new_text),
        users: moved.iter().map(StoredText::to_text).collect(),
    })?)
}

fn delete(
    groups: &[OsString],
    yes: bool,
    database: &Location,
    prompt: &Prompt,
    output: &Output,
) -> Result<()> {
    let mut users = open(database)?;
    let names = usernames(groups);
    let mut going = Vec::new();
    for name in &names {
        let members = users.members(name)?.len() as u64;
        if members > 0 {
            let count = counted(members, "user", "users");
            going.push(format!("'{}' (with {count})", StoredText::from(*name)));
        }
    }
    if !going.is_empty() && !yes {
        let question = format!("Delete the groups {} from {database}?", going.join(", "));
        prompt.confirm(&[], &question, "nothing deleted", output)?;
    }
    let deleted = users.delete_groups(&names)?;
    let mut json = Vec::new();
    for (name, members) in names.iter().zip(&deleted) {
        let group = StoredText::from(*name);
        let count = counted(members.len() as u64, "user", "users");
        output.note(&match members.len() {
            0 => format!("no user is in '{group}' in {database}"),
            _ => format!("deleted group '{group}', with {count}, from {database}"),
        });
        json.push(JsonGroup {
            database: database.to_string(),
            action: "group delete",
            changed: !members.is_empty(),
            group: String::from_utf8_lossy(name),
            new_group: None,
            users: members.iter().map(StoredText::to_text).collect(),
        });
    }
    Ok(output.json_only(&json)?)
}

fn list(
    user: Option<&OsStr>,
    group: Option<&OsStr>,
    database: &Location,
    output: &Output,
) -> Result<()> {
    let mut users = Users::open_read_only(database)?;
    let found = match user {
        Some(user) => match users.get(bytes(user))? {
            Some(found) => vec![found],
            None => return Err(Error::NoSuchUser(username(user)).into()),
        },
        None => users.list()?,
    };
    if let Some(group) = group
        && users.members(bytes(group))?.is_empty()
    {
        return Err(no_such_group(&mut users, group)?);
    }
    let is_wanted =
        |name: &&StoredText| group.is_none_or(|group| name.as_key() == Some(bytes(group)));
    let memberships = found
        .iter()
        .flat_map(|user| user.groups.iter().filter(is_wanted).map(|group| (group, &user.username)));
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
