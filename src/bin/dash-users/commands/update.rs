use std::ffi::OsString;

use clap::ArgGroup;
use clap_complete::engine::ArgValueCompleter;
use dash_users::{Language, Location, StoredText, Updated, UserUpdate};

use super::group::{in_words, new_group, review};
use super::{Definition, Invocation, bytes, open, usernames};
use crate::complete;
use crate::exit::{Code, Failure, Result};
use crate::output::{Change, Output};

/// Change the language and groups of users
///
/// Either all users are changed or none.
///
/// Example: dash-users update alice bob --language de --add-group staff --remove-group interns
#[derive(clap::Args)]
#[command(override_usage = "dash-users update [OPTIONS] <USER>...")]
#[command(group = ArgGroup::new("what").required(true).multiple(true))]
pub struct Args {
    /// Usernames
    #[arg(value_name = "USER", required = true, add = ArgValueCompleter::new(complete::users))]
    pub users: Vec<OsString>,
    /// New language, as a BCP 47 tag
    #[arg(long, value_name = "TAG", group = "what", add = ArgValueCompleter::new(complete::languages))]
    pub language: Option<String>,
    /// Add the users to a group (repeatable)
    #[arg(
        long = "add-group",
        value_name = "GROUP",
        group = "what",
        add = ArgValueCompleter::new(complete::groups)
    )]
    pub add: Vec<OsString>,
    /// Remove the users from a group (repeatable)
    #[arg(
        long = "remove-group",
        value_name = "GROUP",
        group = "what",
        add = ArgValueCompleter::new(complete::groups)
    )]
    pub remove: Vec<OsString>,
}

impl Definition for Args {
    const NAME: &str = "update";
    const EXIT_CODES: &[(&str, &[u8])] = &[("update", &[4, 5, 6, 7, 11])];
    const JSON: &[(&str, &str)] = &[(
        "update",
        "an array of `database`, `username`, `action`, `changed`; for groups `groups`, those that were really added or removed; `warnings` if there are any",
    )];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        run(self, &invocation.database()?, invocation.output)
    }
}

fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let language: Option<Language> = args.language.as_ref().map(|tag| tag.parse()).transpose()?;
    if let Some(both) = args.add.iter().find(|group| args.remove.contains(group)) {
        let group = StoredText::from(bytes(both));
        let message = format!("'{group}' is given to both --add-group and --remove-group");
        return Err(Failure::new(Code::Usage, message).hint("leave out one of them"));
    }
    let update = UserUpdate {
        language,
        add_groups: args.add.iter().map(|group| new_group(group)).collect::<Result<_>>()?,
        remove_groups: args.remove.iter().map(|group| bytes(group).to_owned()).collect(),
    };
    let mut users = open(database)?;
    let mut warnings = review(&mut users, &update.add_groups)?.print_notes(output);
    let names = usernames(&args.users);
    let updated = users.update(&names, &update)?;
    let names: Vec<StoredText> = names.into_iter().map(StoredText::from).collect();
    let has_groups = !args.add.is_empty() || !args.remove.is_empty();
    let mut changes = Vec::new();
    for (name, updated) in names.iter().zip(&updated) {
        let mut change = Change::new(database, name, "update");
        change.changed = updated.is_any();
        let [added, removed] = [(&args.add, &updated.added), (&args.remove, &updated.removed)]
            .map(|(groups, changed)| really(groups, changed));
        let groups = [&added[..], &removed].concat();
        change.groups = has_groups
            .then(|| groups.iter().map(|group| String::from_utf8_lossy(bytes(group))).collect());
        // One warning is enough.
        change.warnings = std::mem::take(&mut warnings);
        let done = done(name, updated, &update, [&added, &removed]);
        changes.push((change, done));
    }
    Ok(output.changes(&changes)?)
}

/// The groups that really changed.
fn really<'a>(groups: &'a [OsString], changed: &[bool]) -> Vec<&'a OsString> {
    groups.iter().zip(changed).filter(|(_, changed)| **changed).map(|(group, _)| group).collect()
}

/// What was done to a user, in words.
fn done(
    name: &StoredText,
    updated: &Updated,
    update: &UserUpdate,
    [added, removed]: [&[&OsString]; 2],
) -> String {
    let mut done = Vec::new();
    if let Some(language) = update.language.as_ref().filter(|_| updated.language) {
        done.push(format!("set the language of user '{name}' to {language}"));
    }
    if !added.is_empty() {
        done.push(format!("added user '{name}' to {}", in_words(added.iter().copied())));
    }
    if !removed.is_empty() {
        done.push(format!("removed user '{name}' from {}", in_words(removed.iter().copied())));
    }
    if done.is_empty() {
        let has_groups = !update.add_groups.is_empty() || !update.remove_groups.is_empty();
        done.push(match &update.language {
            Some(language) if !has_groups => {
                format!("the language of user '{name}' is already {language}")
            }
            _ => format!("user '{name}' already has this language and these groups"),
        });
    }
    done.join(", ")
}
