//! The commands, one per file. The doc comments are the help texts.

pub mod add;
pub mod backup;
pub mod check;
pub mod completions;
pub mod export;
pub mod group;
pub mod hash;
pub mod history;
pub mod import;
pub mod info;
pub mod init;
pub mod list;
pub mod lock;
pub mod man;
pub mod migrate;
pub mod passwd;
pub mod rehash;
pub mod remove;
pub mod rename;
pub mod restore;
pub mod seed;
pub mod sessions;
pub mod show;
mod source;
pub mod unlock;
pub mod update;
pub mod verify;

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::time::Duration;

use anyhow::Result;
use dash_users::{
    Error, Event, Location, StoreError, StoredText, Username, UsernameError, Users,
    store::{Schema, set_lock_timeout},
};

use crate::cli::{Cli, Command, Globals, MethodArg, Origin, environment};
use crate::exit::{Code, Failure, Report, command, with_user_hint};
use crate::output::{Change, Output};
use crate::prompt::Prompt;
use crate::terminal;

/// Runs the command in `cli`.
pub fn run(cli: &Cli, output: &Output) -> Result<()> {
    let prompt = Prompt::new(&cli.globals);
    match &cli.command {
        Command::Hash(args) => return hash::run(args, &prompt, output),
        Command::Completions(args) => return completions::run(args),
        Command::Man(args) => return man::run(args, output),
        _ => {}
    }
    set_lock_timeout(Duration::from_secs(cli.globals.wait.into()));
    let database = cli.globals.database()?;
    if let Command::Info(_) = &cli.command {
        return info::run(&cli.globals, &database, output)
            .map_err(|error| explain_missing(error, &cli.globals));
    }
    note_file_under_sudo(&cli.command, &cli.globals, &database, output);
    run_on(&database, &cli.command, &prompt, output)
        .map_err(|error| explain(error, &cli.command, &database))
        .map_err(|error| explain_missing(error, &cli.globals))
}

fn run_on(database: &Location, command: &Command, prompt: &Prompt, output: &Output) -> Result<()> {
    match command {
        Command::Init(args) => init::run(args, database, output),
        Command::Migrate(args) => migrate::run(args, database, output),
        Command::Seed(args) => seed::run(args, database, prompt, output),
        Command::Add(args) => add::run(args, database, prompt, output),
        Command::Passwd(args) => passwd::run(args, database, prompt, output),
        Command::Verify(args) => verify::run(args, database, prompt, output),
        Command::Rehash(args) => rehash::run(args, database, prompt, output),
        Command::Remove(args) => remove::run(args, database, prompt, output),
        Command::Rename(args) => rename::run(args, database, output),
        Command::Lock(args) => lock::run(args, database, output),
        Command::Unlock(args) => unlock::run(args, database, output),
        Command::Update(args) => update::run(args, database, output),
        Command::Group(args) => group::run(args, database, prompt, output),
        Command::List(args) => list::run(args, database, output),
        Command::Show(args) => show::run(args, database, output),
        Command::History(args) => history::run(args, database, prompt, output),
        Command::Sessions(args) => sessions::run(args, database, output),
        Command::Check(args) => check::run(args, database, output),
        Command::Import(args) => import::run(args, database, output),
        Command::Export(args) => export::run(args, database, output),
        Command::Backup(args) => backup::run(args, database, output),
        Command::Restore(args) => restore::run(args, database, prompt, output),
        Command::Hash(_) | Command::Completions(_) | Command::Man(_) | Command::Info(_) => {
            unreachable!("handled before opening a database")
        }
    }
}

/// Whether sudo may have removed `DASH_USERS_DATABASE`, and nothing names the database.
fn has_sudo_dropped_setting(globals: &Globals) -> bool {
    globals.origin() == Origin::Default && environment("SUDO_USER").is_some()
}

/// Says, under sudo, which file a command creates if none is named.
fn note_file_under_sudo(
    command: &Command,
    globals: &Globals,
    database: &Location,
    output: &Output,
) {
    if let (Command::Seed(_) | Command::Import(_), Location::Sqlite(path)) = (command, database)
        && has_sudo_dropped_setting(globals)
        // Set by sudo itself, while SUDO_USER may only name the actor.
        && environment("SUDO_UID").is_some()
        && !path.exists()
    {
        output.note(&format!("note: no database is named, so this creates {}", path.display()));
    }
}

/// Adds to the error about a missing `users.db` that sudo may have removed the setting.
fn explain_missing(error: anyhow::Error, globals: &Globals) -> anyhow::Error {
    match error.downcast_ref() {
        Some(Error::Store(StoreError::NoDatabase { .. })) if has_sudo_dropped_setting(globals) => {
            let Report { code, message, hint, .. } = Report::from(error);
            let sudo = "sudo removes DASH_USERS_DATABASE from the environment: if it is set, use \
                        --database, or sudo --preserve-env=DASH_USERS_DATABASE";
            let hint = hint.into_iter().chain([sudo.to_owned()]).collect::<Vec<_>>().join("; ");
            Failure::new(code, message).hint(hint).into()
        }
        _ => error,
    }
}

/// Adds a hint or suggestion that depends on the command or the database.
fn explain(error: anyhow::Error, command: &Command, database: &Location) -> anyhow::Error {
    match (error.downcast_ref(), command) {
        (Some(Error::NoSuchUser(name)), _) => match similar_user(name, database) {
            Some(similar) => {
                let message = format!("{error}; did you mean '{similar}'?");
                Failure::new(Code::NoSuchUser, message).into()
            }
            None => error,
        },
        (Some(Error::UserExists(_)), Command::Rename(_)) => {
            let hint = "choose another name, or remove the other user first";
            Failure::new(Code::UserExists, error.to_string()).hint(hint).into()
        }
        (Some(reason), _) => with_user_hint(reason, database).map_or(error, Into::into),
        _ => error,
    }
}

/// The user whose name is most similar to an unknown one.
fn similar_user(name: &StoredText, database: &Location) -> Option<StoredText> {
    /// Comparing more names would take longer than the command itself.
    const MAX_NAMES: u32 = 100_000;

    let names =
        Users::open_no_wait(database).and_then(|mut users| users.names("", MAX_NAMES)).ok()?;
    most_similar(&name.to_text()?, &names).map(|other| StoredText::Text(other.clone()))
}

/// The most similar name. Up to a third of the letters may differ.
fn most_similar<'a>(name: &str, names: &'a [String]) -> Option<&'a String> {
    let name = name.to_lowercase();
    let limit = name.chars().count().div_ceil(3);
    let distance = |other: &String| strsim::osa_distance(&name, &other.to_lowercase());
    let (distance, other) = names.iter().map(|other| (distance(other), other)).min()?;
    (distance <= limit).then_some(other)
}

/// Opens the database for changes. The history names the current user as the actor.
fn open(database: &Location) -> Result<Users, Error> {
    let users = Users::open(database)?.with_actor(actor());
    Ok(users.with_commit_hooks(terminal::COMMIT_HOOKS))
}

/// Notes, before the first scrypt hash in a table, that the app may be unable to verify it.
fn note_first_scrypt(users: &mut Users, method: &MethodArg, output: &Output) -> Result<(), Error> {
    if method.is_default() && users.are_all_pbkdf2()? {
        output.note(
            "note: all existing hashes are pbkdf2, but the new one is scrypt; use --method pbkdf2 if the app runs werkzeug before 2.3 or a Python without hashlib.scrypt",
        );
    }
    Ok(())
}

/// The operating system user, or the user who called sudo.
fn actor() -> String {
    if let Some(name) = environment("SUDO_USER") {
        return name.to_string_lossy().into_owned();
    }
    let id = nix::unistd::getuid();
    match nix::unistd::User::from_uid(id) {
        Ok(Some(user)) => user.name,
        _ => id.to_string(),
    }
}

/// The bytes of a name given as an argument.
fn bytes(name: &OsStr) -> &[u8] {
    name.as_encoded_bytes()
}

/// The name of a new user.
fn new_username(name: &OsStr) -> Result<Username> {
    let name = name.to_str().ok_or(UsernameError::NotUtf8)?;
    Ok(name.parse()?)
}

/// The name of an existing user, which may break today's rules.
fn username(name: &OsStr) -> StoredText {
    StoredText::from(bytes(name))
}

/// Names of existing users, without duplicates, in the order given.
fn usernames(names: &[OsString]) -> Vec<&[u8]> {
    let mut seen = HashSet::new();
    names.iter().map(|name| bytes(name)).filter(|name| seen.insert(*name)).collect()
}

/// Changes users, all or none, and reports each.
fn change_users(
    arguments: &[OsString],
    database: &Location,
    output: &Output,
    action: &'static str,
    change: impl FnOnce(&mut Users, &[&[u8]]) -> Result<Vec<bool>, Error>,
    done: impl Fn(&StoredText) -> String,
    already: impl Fn(&StoredText) -> String,
) -> Result<()> {
    let names = usernames(arguments);
    let mut users = open(database)?;
    let outcomes = change(&mut users, &names)?;
    sessions::forget(&mut users, &names, output);
    let names: Vec<StoredText> = names.into_iter().map(StoredText::from).collect();
    let changes = changes(database, action, names.iter().zip(outcomes), done, already);
    Ok(output.changes(&changes)?)
}

/// The changes to several users, with a message for each, changed or not.
fn changes<'a>(
    database: &Location,
    action: &'static str,
    users: impl Iterator<Item = (&'a StoredText, bool)>,
    done: impl Fn(&StoredText) -> String,
    already: impl Fn(&StoredText) -> String,
) -> Vec<(Change<'a>, String)> {
    users
        .map(|(name, is_changed)| {
            let change = Change::new(database, name, action);
            if is_changed { (change, done(name)) } else { (change.unchanged(), already(name)) }
        })
        .collect()
}

/// Reports changes to groups and history that repairing the schema caused.
fn report_reconciled(events: &[Event], database: &Location, output: &Output) {
    const MAX_LINES: usize = 20;
    for Event { action, username, detail, .. } in events.iter().rev().take(MAX_LINES) {
        output.note(&match action.to_text().as_deref() {
            Some("group remove") => {
                format!(
                    "deleted group '{detail}' of '{username}': the user was removed or replaced"
                )
            }
            Some("remove") => format!("recorded in the history: user '{username}' was removed"),
            _ => format!("recorded in the history: user '{username}' was found in the table"),
        });
    }
    if events.len() > MAX_LINES {
        let more = events.len() - MAX_LINES;
        let history = command(database, "history");
        output.note(&format!("and {more} more: run {history} to see all"));
    }
}

/// Warnings about an adopted table.
fn schema_warnings(schema: &Schema) -> Vec<String> {
    let warn = |column: &String| {
        let column = StoredText::Text(column.clone());
        format!(
            "column '{column}' of table 'users' is NOT NULL without a default: users cannot be added until it has one"
        )
    };
    schema.required_columns.iter().map(warn).chain(schema.warnings.iter().cloned()).collect()
}
