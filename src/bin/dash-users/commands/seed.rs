use std::ffi::OsString;
use std::path::PathBuf;

use dash_users::{
    DEMO_USERS, Import, Language, Location, Method, OnConflict, Password, PasswordHash, PruneError,
    StoredText, Username, Users,
};

use super::import::{Job, Source, run_job};
use super::init::{self, new_file};
use super::{
    Definition, IMPORT_JSON, Invocation, loss, note_file_under_sudo, open, report_reconciled,
    schema_warnings,
};
use crate::cli::{FileArgs, MethodArg, NewFileArgs};
use crate::exit::{Code, Failure, Result};
use crate::output::{JsonImport, Output, counted};
use crate::prompt::Prompt;
use crate::shell::{command, quoted};

/// Add missing users from a file, or two demo users
///
/// With FILE, in any format of `import`, adds the users that do not exist yet. Records of existing
/// users are skipped without being checked or hashed. The database is created if it does not exist.
/// You can run this at every start of a container, even from several containers at once.
///
/// With --sync, existing users also get the language and groups that the file lists. A field that a
/// record does not have stays unchanged, and locked users stay locked. Passwords stay unchanged too,
/// because people change their own, unless you add --sync-passwords. With --prune, users that the
/// file does not list are removed. All of it happens in one transaction, or nothing does.
///
/// A file without users, or one that lists none of the existing users, prunes nothing: the exit code
/// is 7.
///
/// Without FILE, adds alice (password secret123, language en) and bob (pa$$w0rd, fr), unless the
/// database already has users. These passwords are public, so use them only to try things out.
///
/// Example: dash-users seed users.csv
#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Args {
    /// File of users, or - for stdin [default: the demo users]
    pub file: Option<PathBuf>,
    /// Update the language and groups of existing users too
    #[arg(long, requires = "file")]
    pub sync: bool,
    /// Update the passwords of existing users too; an equal password keeps its hash
    #[arg(long, requires = "sync")]
    pub sync_passwords: bool,
    /// Remove users that the file does not list
    ///
    /// Asks for confirmation; without a terminal, --yes is required. Users whose names are NULL or
    /// BLOBs stay: `check` shows how to remove them.
    #[arg(long, requires = "sync")]
    pub prune: bool,
    /// Do not ask for confirmation
    #[arg(short, long, requires = "prune")]
    pub yes: bool,
    #[command(flatten)]
    pub options: FileArgs,
    #[command(flatten)]
    pub new_file: NewFileArgs,
    #[command(flatten)]
    pub method: MethodArg,
}

fn demo(method: &Method) -> Result<Vec<(Username, PasswordHash, Language)>> {
    let mut users = Vec::new();
    for (username, password, language) in DEMO_USERS {
        let hash = PasswordHash::new(method, &Password::from(password));
        users.push((username.parse()?, hash, language.parse()?));
    }
    Ok(users)
}

impl Definition for Args {
    const NAME: &str = "seed";
    const EXIT_CODES: &[(&str, &[u8])] = &[("seed", &[4, 5, 7, 8, 9, 10, 11, 130])];
    const JSON: &[(&str, &str)] = &[("seed", IMPORT_JSON)];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        let database = invocation.database()?;
        note_file_under_sudo(invocation, &database);
        run(self, &database, &invocation.prompt, invocation.output)
    }
}

fn run(args: &Args, database: &Location, prompt: &Prompt, output: &Output) -> Result<()> {
    let new_file = new_file(&args.new_file)?;
    let method = args.method.get()?;
    if let Some(file) = &args.file {
        let source = Source::new(file, &args.options, database)?;
        let on_conflict = if args.sync {
            OnConflict::Sync { passwords: args.sync_passwords }
        } else {
            OnConflict::SkipUnchecked
        };
        let confirm =
            |import: &Import, file: &str| confirm(import, file, args, database, prompt, output);
        let prune = args.prune.then_some(&confirm as _);
        let job = Job { source, on_conflict, prune, action: "seed", method, new_file };
        return run_job(&job, &args.options, database, output);
    }
    // Hash before the first change. If the database has a problem, init reports it.
    let users = Users::open_read_only(database).and_then(|mut users| users.is_empty());
    let is_wanted = users.unwrap_or(true);
    let demo = if is_wanted { demo(&method)? } else { Vec::new() };
    let init = Users::init(database, &new_file)?;
    let is_added = is_wanted && open(database)?.add_if_empty(demo)?;

    let mut warnings = schema_warnings(&init.schema);
    if !init.applied.is_empty() {
        output.note(&init::done(&init, database));
        report_reconciled(&init.events, database, output);
    }
    if is_added {
        output.note(&format!("added users 'alice' and 'bob' in {database}"));
        warnings.push("the passwords of 'alice' and 'bob' are public: remove both users before others can reach the app".to_owned());
    } else {
        output.note(&format!("nothing added: there are already users in {database}"));
    }
    output.warn_all(&warnings);
    let count = DEMO_USERS.len() as u64;
    let (added, skipped) = if is_added { (count, 0) } else { (0, count) };
    Ok(output.json_only(&JsonImport {
        database: database.to_string(),
        created: init.created,
        added,
        skipped,
        warnings,
        ..JsonImport::default()
    })?)
}

/// Asks whether to remove the users that the file does not list. Returns warnings about the app's
/// own tables, unless they were part of the question.
fn confirm(
    import: &Import,
    file: &str,
    args: &Args,
    database: &Location,
    prompt: &Prompt,
    output: &Output,
) -> Result<Vec<String>> {
    let unlisted = import.unlisted();
    if unlisted.is_empty() {
        return Ok(Vec::new());
    }
    let references = Users::open_read_only(database)?.references_to_any(unlisted)?.into_iter();
    let mut losses: Vec<_> =
        references.filter_map(|reference| loss("pruning", reference)).collect();
    if args.yes || args.options.dry_run {
        return Ok(losses);
    }
    let count = counted(unlisted.len() as u64, "user", "users");
    let names = listed(unlisted);
    if !prompt.can_confirm() {
        losses.insert(0, format!("{file} does not list {count} of {database}: {names}"));
    }
    let question = format!("Remove {count} that {file} does not list from {database}: {names}?");
    prompt.confirm(&losses, &question, "nothing was changed", output)?;
    Ok(Vec::new())
}

/// The first names, and the number of others.
pub fn listed(names: &[StoredText]) -> String {
    const MAX_NAMES: usize = 20;
    let mut listed: Vec<_> = names.iter().take(MAX_NAMES).map(|name| format!("'{name}'")).collect();
    if names.len() > MAX_NAMES {
        listed.push(format!("and {} more", names.len() - MAX_NAMES));
    }
    listed.join(", ")
}

/// A warning about users who were not removed.
pub fn unreachable(import: &Import, database: &Location) -> Option<String> {
    let users = match import.unreachable() {
        0 => return None,
        1 => "1 user whose name is".to_owned(),
        count => format!("{count} users whose names are"),
    };
    let check = command(database, "check");
    Some(format!(
        "{users} NULL or not text cannot be pruned: run {check} to see how to remove them"
    ))
}

/// Why users are not removed.
pub fn explain(error: &PruneError, file: &str) -> Failure {
    let message = format!("{file}: {error}; nothing was changed");
    match error {
        PruneError::EmptyFile | PruneError::EveryUser(_) => {
            let hint = "check that it is the right file and complete, or leave out --prune";
            Failure::new(Code::InvalidData, message).hint(hint)
        }
        PruneError::Listed(_) => {
            let hint = "leave out --prune, and remove users with the command remove";
            Failure::new(Code::Failed, message).hint(hint)
        }
        _ => Failure::new(Code::Failed, message).hint("try again"),
    }
}

/// A note that existing users differ from their records, with the command that updates them.
pub fn differing(count: u64, database: &Location) -> String {
    let (users, them) = match count {
        1 => ("1 existing user differs".to_owned(), "the user"),
        count => (format!("{count} existing users differ"), "them"),
    };
    let how = match sync_command(std::env::args_os().skip(1).collect(), database) {
        Some(sync) => format!("run {sync}"),
        None => "add --sync".to_owned(),
    };
    format!("note: {users} in language or groups; to update {them}, {how}")
}

/// The given command with --sync, or none if it cannot be pasted.
fn sync_command(arguments: Vec<OsString>, database: &Location) -> Option<String> {
    let mut words = Vec::new();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let argument = argument.into_string().ok()?;
        match argument.as_str() {
            "--" => return None,
            // The database is added, without a password.
            "-d" | "--database" => drop(arguments.next()),
            short if short.starts_with("-d") || short.starts_with("--database=") => {}
            _ => words.push(quoted(&StoredText::Text(argument))?),
        }
    }
    words.push("--sync".to_owned());
    Some(command(database, &words.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sync_command_repeats_arguments_without_database() {
        let database = Location::parse("/app/users.db").unwrap();
        let said = |arguments: &[&str]| {
            sync_command(arguments.iter().map(OsString::from).collect(), &database)
        };
        let expected =
            "`dash-users seed 'my users.txt' --input-format csv --sync --database /app/users.db`";
        for database in
            [&["-d", "secret"][..], &["--database", "secret"], &["-dx"], &["--database=x"]]
        {
            let seed = ["seed", "my users.txt", "--input-format", "csv"];
            assert_eq!(said(&[database, &seed].concat()).as_deref(), Some(expected));
            assert_eq!(said(&[&seed, database].concat()).as_deref(), Some(expected));
        }
        assert_eq!(said(&["seed", "--", "-users.csv"]), None);
    }
}
