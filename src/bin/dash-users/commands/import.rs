use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use dash_users::files::{self, FileError, WriteOptions};
use dash_users::transfer::ReadAs;
use dash_users::{
    Error, Import, ImportOptions, ImportSummary, Location, Method, NewFile, OnConflict, Password,
    StoreError, StoredText, Users,
};

use super::init::{self, new_file};
pub use super::source::Source;
use super::source::{is_standard, name};
use super::{
    Definition, IMPORT_JSON, Invocation, note_file_under_sudo, open, report_reconciled,
    schema_warnings, seed,
};
use crate::cli::{FileArgs, INPUT_FORMATS, MethodArg, Named, NewFileArgs, named};
use crate::exit::{Code, Failure, Result, bad_records, create_directory};
use crate::output::{JsonImport, JsonReadAs, Output, counted, refuse_closed_stdout, write_stdout};
use crate::{progress, terminal};

/// Add or update users from a file
///
/// The file is CSV with a header row, JSON (an array of objects, or one object of usernames and
/// passwords), JSON Lines, an Excel workbook (.xlsx), or an htpasswd file (only its names). The whole file is imported in one transaction, or nothing is. The
/// database is created if it does not exist.
///
/// The fields are {fields}. A password is plaintext, and is hashed on import. A password_hash is
/// stored unchanged, except that PBKDF2 hashes from Django and passlib are converted. locked and its
/// opposite, active, are true or false. Groups in CSV are separated by semicolons. An empty CSV cell
/// means "not given", except in groups, where it means "no groups".
///
/// A werkzeug hash in the field password, a hash with extra text around it, and words such as None
/// or null are always rejected. A value that looks like a digest or a hash of another program is
/// rejected unless --allow-hash-like is given.
///
/// Every bad record is reported. The exit code is the first that applies: 7 for invalid data, 8 for
/// a weak password, 9 for an existing user.
///
/// Example: dash-users import colleagues.csv --generate-missing passwords.csv
#[derive(clap::Args)]
pub struct Args {
    /// File to import, or - for stdin
    pub file: PathBuf,
    /// What to do with existing users
    #[arg(long, value_parser = named(CONFLICTS), default_value = "fail", value_name = "WHAT")]
    pub on_conflict: OnConflict,
    #[command(flatten)]
    pub options: FileArgs,
    #[command(flatten)]
    pub new_file: NewFileArgs,
    #[command(flatten)]
    pub method: MethodArg,
}

const CONFLICTS: &[Named<OnConflict>] = &[
    ("fail", "Import nothing", OnConflict::Fail),
    ("skip", "Skip them", OnConflict::Skip),
    (
        "update",
        "Update the fields that the file has; an equal password keeps its hash",
        OnConflict::Update,
    ),
];

impl Definition for Args {
    const NAME: &str = "import";
    const EXIT_CODES: &[(&str, &[u8])] = &[("import", &[4, 5, 7, 8, 9, 11, 130])];
    const JSON: &[(&str, &str)] = &[("import", IMPORT_JSON)];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        let database = invocation.database()?;
        note_file_under_sudo(invocation, &database);
        run(self, &database, invocation.output)
    }
}

fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let source = Source::new(&args.file, &args.options, database)?;
    let new_file = new_file(&args.new_file)?;
    let method = args.method.get()?;
    let on_conflict = args.on_conflict;
    let job = Job { source, on_conflict, prune: None, action: "import", method, new_file };
    run_job(&job, &args.options, database, output)
}

/// What to do with a file of users.
pub struct Job<'a> {
    pub source: Source<'a>,
    pub on_conflict: OnConflict,
    /// Confirms the removal of users that the file does not list, if they are to be removed.
    pub prune: Option<&'a Confirm<'a>>,
    /// The action in the history.
    pub action: &'static str,
    pub method: Method,
    pub new_file: NewFile,
}

/// Confirms an import, given the name of the file, and returns warnings.
pub type Confirm<'a> = dyn Fn(&Import, &str) -> Result<Vec<String>> + 'a;

/// Whether the path means stdout, including its device names.
pub fn is_stdout(file: &Path) -> bool {
    let names = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
    is_standard(file) || names.iter().any(|name| file == Path::new(name))
}

/// Reads a file, validates and hashes its records, and then writes them in one transaction.
pub fn run_job(job: &Job, args: &FileArgs, database: &Location, output: &Output) -> Result<()> {
    let Job { source, on_conflict, prune, action, method, new_file } = job;
    if output.is_json() && args.generate_missing.as_deref().is_some_and(is_stdout) {
        let message = "cannot write passwords to stdout, which holds the JSON document";
        return Err(Failure::new(Code::Usage, message).hint("give a file for the passwords"));
    }
    let file = name(source.path);
    let explain = |failure: Failure| match failure.cause.as_deref() {
        Some(Error::BadRecords(records)) => {
            let failure = bad_records(records, &file);
            match source.hint(records.worst(), action) {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        }
        Some(Error::Prune(error)) => seed::explain(error, &file),
        _ => failure,
    };
    let mut options = ImportOptions::default();
    options.on_conflict = *on_conflict;
    options.as_is = args.as_is;
    options.allow_weak = args.allow_weak;
    options.allow_hash_like = args.allow_hash_like;
    options.allow_similar = args.allow_similar;
    options.generate_missing = args.generate_missing.is_some();
    options.lock_missing = args.lock_missing;
    options.dry_run = args.dry_run;
    options.prune = prune.is_some();

    let mut import = Import::new(options, *method);
    let file_as = source.read(&mut import, output)?;
    import.end().map_err(|error| explain(error.into()))?;

    let (mut warnings, mut created) = (Vec::new(), false);
    let mut make_ready = || -> Result<()> {
        let init = Users::init(database, new_file)?;
        created |= init.created;
        warnings = schema_warnings(&init.schema);
        if !init.applied.is_empty() {
            output.note(&init::done(&init, database));
            report_reconciled(&init.events, database, output);
        }
        Ok(())
    };
    let mut users = match Users::open_read_only(database) {
        Ok(users) => Some(users),
        Err(Error::Store(StoreError::NoDatabase { .. })) => None,
        Err(error) => return Err(error.into()),
    };
    if let Some(users) = users.as_mut().filter(|_| !args.dry_run)
        && !users.schema()?.pending.is_empty()
    {
        make_ready()?;
    }
    import.look_up(users.as_mut()).map_err(|error| explain(error.into()))?;
    let would_create = args.dry_run && users.is_none();
    let losses = prune.map_or(Ok(Vec::new()), |confirm| confirm(&import, &file))?;
    if let Some(path) = args.generate_missing.as_deref().filter(|_| import.generated() > 0) {
        // Fail before hashing anything.
        check_passwords_file(path)?;
    }
    let (count, done) = (import.passwords(), AtomicUsize::new(0));
    progress::hashing(args.jobs, output, |jobs, progress| {
        progress(0, count);
        import.hash(jobs, &|| progress(done.fetch_add(1, Ordering::Relaxed) + 1, count));
    });

    if !args.dry_run {
        make_ready()?;
        users = Some(open(database)?);
    }
    let summary = save(&mut import, users.as_mut(), action, args, output).map_err(explain)?;
    note_detected(&import, &file, output);
    warnings.extend(losses);
    warnings.extend(seed::unreachable(&import, database));
    let removed = import.unlisted();
    let ImportSummary { added, changed, unchanged, skipped, differing, .. } = summary;
    let json = JsonImport {
        database: database.to_string(),
        created: created || would_create,
        dry_run: args.dry_run,
        added,
        changed,
        unchanged,
        skipped,
        differing,
        removed: summary.removed,
        removed_users: removed.iter().map(|name| name.to_text().map(Into::into)).collect(),
        read_as: Some(json_read_as(file_as, &import)),
        warnings,
    };
    report(&json, removed, &file, output)?;
    if *on_conflict == OnConflict::SkipUnchecked && summary.differing > 0 {
        output.note(&seed::differing(summary.differing, database));
    }
    Ok(())
}

/// Says what was made of the values of a file.
fn note_detected(import: &Import, file: &str, output: &Output) {
    let read_as = import.detected();
    if read_as != (0, 0) {
        let hashes = counted(read_as.0, "hash", "hashes");
        let passwords = counted(read_as.1, "plaintext password", "plaintext passwords");
        output.note(&format!("{file}: read {hashes} and {passwords}"));
    }
    if import.converted() > 0 {
        let converted = counted(import.converted(), "PBKDF2 hash", "PBKDF2 hashes");
        output.note(&format!("converted {converted} from Django or passlib"));
    }
    if import.locked_missing() > 0 {
        let locked = counted(import.locked_missing() as u64, "user", "users");
        output.note(&format!(
            "locked {locked} without a password; to let a user log in, set a password with passwd, and unlock the user"
        ));
    }
}

fn json_read_as(file_as: ReadAs, import: &Import) -> JsonReadAs {
    let (hashes, passwords) = import.detected();
    let format = INPUT_FORMATS.iter().find(|(.., format)| *format == file_as.format);
    JsonReadAs {
        format: format.map_or("", |(name, ..)| name),
        encoding: file_as.encoding.map(|encoding| encoding.to_string()),
        delimiter: file_as.delimiter.map(|delimiter| delimiter.to_string()),
        sheet: file_as.sheet,
        hashes,
        passwords,
        converted: import.converted(),
        locked: import.locked_missing() as u64,
    }
}

/// Writes the import. Generated passwords are written to their file first.
fn save(
    import: &mut Import,
    users: Option<&mut Users>,
    action: &str,
    args: &FileArgs,
    output: &Output,
) -> Result<ImportSummary> {
    let mut written = None;
    let saved = import.save(users, action, |imported| {
        let is_written = !args.dry_run && !imported.generated().is_empty();
        let path = args.generate_missing.as_deref().filter(|_| is_written);
        if let Some(path) = path.filter(|_| written.is_none()) {
            // From here on, an interruption must not leave passwords of users who were not imported.
            terminal::pass_point_of_no_return();
            let passwords = write_passwords(path, imported.generated());
            written = Some(passwords.map_err(explain_passwords)?);
        }
        Ok::<_, Failure>(())
    });
    match (&saved, written) {
        // The users of these passwords were not imported, as far as is known.
        (Err(error), Some(path)) if path.is_file() && error.code != Code::Unconfirmed => {
            let _ = fs::remove_file(path);
        }
        (Ok(_), Some(path)) if !is_stdout(&path) => {
            output.warn_all(files::mode_warning(&path, PASSWORDS.mode));
        }
        _ => {}
    }
    saved
}

const PASSWORDS: WriteOptions =
    WriteOptions { allow_pipe: true, ..WriteOptions::private("passwords") };

/// Checks that passwords can be written to the file.
fn check_passwords_file(path: &Path) -> Result<()> {
    if is_stdout(path) {
        return refuse_closed_stdout();
    }
    files::check(path, &PASSWORDS).map(drop).map_err(explain_passwords)
}

/// Adds a hint without `--force`, which does not apply to passwords.
fn explain_passwords(error: FileError) -> Failure {
    const OTHER: &str = "choose another file for the passwords";
    let hint = match &error {
        FileError::Exists { .. } => OTHER.to_owned(),
        FileError::NoDirectory { path } => create_directory(path, OTHER),
        _ => return error.into(),
    };
    Failure::from(error).hint(hint)
}

/// Writes the generated passwords, and returns the path of the file.
fn write_passwords(
    path: &Path,
    generated: &[(StoredText, Password)],
) -> Result<PathBuf, FileError> {
    let failed = |error| FileError::Failed { path: path.to_owned(), error };
    if is_stdout(path) {
        write_stdout(|stdout| write_rows(stdout, generated)).map_err(failed)?;
        return Ok(path.to_owned());
    }
    files::write(path, &PASSWORDS, |file, _| write_rows(file, generated).map_err(failed))
}

fn write_rows(file: &mut dyn Write, generated: &[(StoredText, Password)]) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(file);
    writer.write_record(["username", "password"])?;
    for (username, password) in generated {
        // As typed at login, not escaped for display.
        let username = username.to_text().unwrap_or_default();
        writer.write_record([&*username, password.expose()])?;
    }
    writer.flush()
}

/// Reports the counts and names of an import.
fn report(json: &JsonImport, names: &[StoredText], file: &str, output: &Output) -> Result<()> {
    let JsonImport { added, changed, unchanged, skipped, removed, .. } = json;
    let would = if json.dry_run { "would be " } else { "" };
    let mut counts = format!(
        "{added} {would}added, {changed} {would}changed, {unchanged} unchanged, {skipped} skipped"
    );
    if *removed > 0 {
        output.note(&format!("{would}removed: {}", seed::listed(names)));
        counts = format!("{counts}, {removed} {would}removed");
    }
    output.note(&format!("{file}: {counts} in {}", json.database));
    output.warn_all(&json.warnings);
    Ok(output.json_only(json)?)
}
