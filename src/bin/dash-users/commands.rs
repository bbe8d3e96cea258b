//! The commands, one per file. The doc comments are the help texts.

mod add;
mod backup;
mod check;
mod completions;
mod export;
mod group;
mod hash;
mod history;
mod import;
mod info;
mod init;
mod list;
mod lock;
mod man;
mod migrate;
mod passwd;
mod rehash;
mod remove;
mod rename;
mod restore;
mod seed;
mod sessions;
mod show;
mod source;
mod unlock;
mod update;
mod verify;

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::time::Duration;

use clap::ArgMatches;
use dash_users::{
    Error, Event, Location, StoreError, StoredText, Username, UsernameError, Users,
    store::{OnDelete, Reference, Schema, set_lock_timeout},
};

use crate::cli::{Globals, MethodArg, Origin, environment};
use crate::exit::{Code, Failure, Result, with_user_hint};
use crate::output::{Change, Output, counted};
use crate::prompt::Prompt;
use crate::shell::{command, quoted};
use crate::terminal;

/// All commands with their headings, in the order of `-h`.
pub const COMMANDS: [Command; 26] = [
    Command::of::<init::Args>(Heading::SetUp),
    Command::of::<migrate::Args>(Heading::SetUp),
    Command::of::<seed::Args>(Heading::SetUp),
    Command::of::<add::Args>(Heading::Users),
    Command::of::<passwd::Args>(Heading::Users),
    Command::of::<verify::Args>(Heading::Users),
    Command::of::<rehash::Args>(Heading::Users),
    Command::of::<remove::Args>(Heading::Users),
    Command::of::<rename::Args>(Heading::Users),
    Command::of::<update::Args>(Heading::Users),
    Command::of::<lock::Args>(Heading::Users),
    Command::of::<unlock::Args>(Heading::Users),
    Command::of::<group::Args>(Heading::Users),
    Command::of::<sessions::Args>(Heading::Users),
    Command::of::<list::Args>(Heading::Inspect),
    Command::of::<show::Args>(Heading::Inspect),
    Command::of::<history::Args>(Heading::Inspect),
    Command::of::<check::Args>(Heading::Inspect),
    Command::of::<info::Args>(Heading::Inspect),
    Command::of::<import::Args>(Heading::Files),
    Command::of::<export::Args>(Heading::Files),
    Command::of::<backup::Args>(Heading::Files),
    Command::of::<restore::Args>(Heading::Files),
    Command::of::<hash::Args>(Heading::Tools),
    Command::of::<completions::Args>(Heading::Tools),
    Command::of::<man::Args>(Heading::Tools),
];

/// A command: its arguments implement this.
pub trait Definition: clap::Args {
    const NAME: &str;
    /// The exit codes besides 0, 1 and 2, of the command or of each of its own commands.
    const EXIT_CODES: &[(&str, &[u8])];
    /// What command lines print with `--json`, as in docs/reference/output.md.
    const JSON: &[(&str, &str)];

    fn run(&self, invocation: &Invocation) -> Result<()>;
}

/// The groups of commands in `-h`, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heading {
    SetUp,
    Users,
    Inspect,
    Files,
    Tools,
}

/// A [`Definition`] without its type.
pub struct Command {
    pub name: &'static str,
    pub heading: Heading,
    pub exit_codes: &'static [(&'static str, &'static [u8])],
    pub json: &'static [(&'static str, &'static str)],
    pub with_arguments: fn(clap::Command) -> clap::Command,
    run: fn(&ArgMatches, &Invocation) -> Result<()>,
}

impl Command {
    const fn of<A: Definition>(heading: Heading) -> Self {
        Self {
            name: A::NAME,
            heading,
            exit_codes: A::EXIT_CODES,
            json: A::JSON,
            with_arguments: A::augment_args,
            run: |matches, invocation| A::from_arg_matches(matches)?.run(invocation),
        }
    }
}

/// What commands work with, besides their own arguments.
pub struct Invocation<'a> {
    pub globals: &'a Globals,
    pub prompt: Prompt,
    pub output: &'a Output,
}

impl Invocation<'_> {
    fn database(&self) -> Result<Location> {
        self.globals.database()
    }
}

/// The keys of `seed` and `import`.
const IMPORT_JSON: &str = "`database`, `created`, `dry_run`, `added`, `changed`, `unchanged`, `skipped`, `differing`, `removed`, `removed_users`, `warnings`; with a file `read_as`, how it was read";

/// The keys of commands that change users.
const CHANGES_JSON: &str =
    "an array of `database`, `username`, `action`, `changed`; `warnings` if there are any";

/// Runs a command.
pub fn run(
    command: &Command,
    matches: &ArgMatches,
    globals: &Globals,
    output: &Output,
) -> Result<()> {
    set_lock_timeout(Duration::from_secs(globals.wait.into()));
    let invocation = Invocation { globals, prompt: Prompt::new(globals), output };
    (command.run)(matches, &invocation).map_err(|error| explain(error, globals))
}

/// Whether sudo may have removed `DASH_USERS_DATABASE`, and nothing names the database.
fn has_sudo_dropped_setting(globals: &Globals) -> bool {
    globals.origin() == Origin::Default && environment("SUDO_USER").is_some()
}

/// Says, under sudo, which file the command creates if none is named.
fn note_file_under_sudo(invocation: &Invocation, database: &Location) {
    if let Location::Sqlite(path) = database
        && has_sudo_dropped_setting(invocation.globals)
        // Set by sudo itself, while SUDO_USER may only name the actor.
        && environment("SUDO_UID").is_some()
        && !path.exists()
    {
        let note = format!("note: no database is named, so this creates {}", path.display());
        invocation.output.note(&note);
    }
}

/// Adds a hint or suggestion that depends on the database.
fn explain(failure: Failure, globals: &Globals) -> Failure {
    let (Some(cause), Ok(database)) = (failure.cause.as_deref(), globals.database()) else {
        return failure;
    };
    match cause {
        Error::NoSuchUser(name) => explain_unknown(cause, name, &database).unwrap_or(failure),
        // sudo may have removed the setting.
        Error::Store(StoreError::NoDatabase { .. }) if has_sudo_dropped_setting(globals) => {
            let sudo = "sudo removes DASH_USERS_DATABASE from the environment: if it is set, use \
                        --database, or sudo --preserve-env=DASH_USERS_DATABASE";
            let hint: Vec<_> = failure.hint.iter().map(String::as_str).chain([sudo]).collect();
            Failure { hint: Some(hint.join("; ")), ..failure }
        }
        cause => with_user_hint(cause, &database).unwrap_or(failure),
    }
}

/// What an unknown user may be: a group, a misplaced option, or a misspelled name.
fn explain_unknown(error: &Error, name: &StoredText, database: &Location) -> Option<Failure> {
    let failure = |reason: &str| Failure::new(Code::NoSuchUser, format!("{error}; {reason}"));
    let mut users = Users::open_no_wait(database).ok()?;
    if !users.members(name.as_key()?).ok()?.is_empty() {
        let failure = failure(&format!("'{name}' is a group"));
        let Some(list) = quoted(name).map(|group| format!("group list --group {group}")) else {
            return Some(failure);
        };
        let hint = format!("run {} to list its members", command(database, &list));
        return Some(failure.hint(hint));
    }
    let text = name.to_text()?;
    let hint = match &*text {
        "user" | "users" => {
            Some(format!("give only the names of users, without the word '{text}'"))
        }
        option if option.starts_with('-') => Some("put options before '--'".to_owned()),
        _ => None,
    };
    if let Some(hint) = hint {
        return Some(Failure::new(Code::NoSuchUser, error.to_string()).hint(hint));
    }
    let names = users.names("", MAX_COMPARED).ok()?;
    let similar = most_similar(&text, &names)?;
    Some(failure(&format!("did you mean '{similar}'?")))
}

/// Comparing more names would take longer than the command itself.
const MAX_COMPARED: u32 = 100_000;

/// The most similar name. Up to a third of the letters may differ.
fn most_similar(name: &str, names: &[String]) -> Option<StoredText> {
    let name = name.to_lowercase();
    let limit = name.chars().count().div_ceil(3);
    let distance = |other: &String| strsim::osa_distance(&name, &other.to_lowercase());
    let (distance, other) = names.iter().map(|other| (distance(other), other)).min()?;
    (distance <= limit).then(|| StoredText::Text(other.clone()))
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

/// What `removing` users does to rows that reference them. The database itself reports an error if
/// it refuses.
fn loss(removing: &str, Reference { table, rows, on_delete }: Reference) -> Option<String> {
    let (table, rows) = (StoredText::Text(table), counted(rows, "row", "rows"));
    match on_delete {
        OnDelete::Delete => Some(format!("{removing} deletes {rows} from table '{table}'")),
        OnDelete::Unset => {
            Some(format!("{removing} clears the reference in {rows} of table '{table}'"))
        }
        OnDelete::Refuse => None,
    }
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
