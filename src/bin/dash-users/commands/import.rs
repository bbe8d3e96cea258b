use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result};
use clap::ValueEnum;
use dash_users::files::{self, FileError, WriteOptions};
use dash_users::transfer::{Format, Reader};
use dash_users::{
    Error, Import, ImportOptions, ImportSummary, Location, Method, NewFile, OnConflict, Password,
    StoreError, StoredText, Users,
};
use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use super::init::{self, new_file};
use super::{open, schema_warnings, tell_reconciled};
use crate::cli::{FileArgs, MethodArg, NewFileArgs};
use crate::exit::{Code, Failure, bad_records, quoted};
use crate::output::{JsonImport, Output, write_stdout};
use crate::{prompt, terminal};

/// Add or change the users of a file, all or none
///
/// The file is CSV with a header, JSON (an array of objects, or one object of names and passwords)
/// or JSON Lines. Its fields are: username, and password (clear; it is hashed) or password_hash
/// (kept as it is; PBKDF2 hashes of Django and passlib are converted), language, groups (in CSV
/// separated by ;), and locked or its opposite, active (true or false). Creates the database if
/// there is none.
///
/// Hashes in the field password, hashes with something around them, and words such as None or null
/// never become a password.
///
/// Every bad record is reported, and then nothing is changed: status 7 for data that is invalid, 8
/// for a weak password, 9 for a user who exists.
///
/// Example: dash-users import colleagues.csv --generate-missing passwords.csv
#[derive(clap::Args)]
pub struct Args {
    /// The file, or - for stdin
    pub file: PathBuf,
    /// What to do about users who exist already
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    pub on_conflict: Conflict,
    #[command(flatten)]
    pub taken: FileArgs,
    #[command(flatten)]
    pub new_file: NewFileArgs,
    #[command(flatten)]
    pub method: MethodArg,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Conflict {
    /// Change nothing at all
    #[default]
    Fail,
    /// Pass their records over
    Skip,
    /// Change what their records have; a password that is right is left as it is
    Update,
}

pub fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let on_conflict = match args.on_conflict {
        Conflict::Fail => OnConflict::Fail,
        Conflict::Skip => OnConflict::Skip,
        Conflict::Update => OnConflict::Update,
    };
    let source = Source::new(&args.file, &args.taken)?;
    let new_file = new_file(&args.new_file)?;
    let job = Job { source, on_conflict, action: "import", method: args.method.get()?, new_file };
    run_job(&job, &args.taken, database, output)
}

/// What is to be done with a file of users.
pub struct Job<'a> {
    pub source: Source<'a>,
    pub on_conflict: OnConflict,
    /// What it is called in the history.
    pub action: &'static str,
    pub method: Method,
    pub new_file: NewFile,
}

/// A file of users.
pub struct Source<'a> {
    path: &'a Path,
    format: Format,
    is_guess: bool,
}

impl<'a> Source<'a> {
    pub fn new(path: &'a Path, args: &FileArgs) -> Result<Self> {
        let format = args.input_format.map(Format::from).or_else(|| Format::of_path(path));
        let Some(format) = format else {
            let message = format!("the format of {} is not told by its name", name(path));
            let hint =
                yaml_hint(path).unwrap_or("use --input-format csv, json or jsonl".to_owned());
            return Err(Failure::new(Code::Usage, message).hint(hint).into());
        };
        Ok(Self { path, format, is_guess: args.input_format.is_none() })
    }

    fn read(&self, is_exact: bool, import: &mut Import, output: &Output) -> Result<()> {
        let mut read = || {
            let input: Box<dyn Read> = if is_standard(self.path) {
                Box::new(prompt::stdin()?)
            } else {
                Box::new(File::open(self.path)?)
            };
            let reader = Reader::new(self.format).exact(is_exact).guessed(self.is_guess);
            reader.read(input, &mut |record| import.push(record))
        };
        let format = read().with_context(|| format!("cannot read {}", name(self.path)))?;
        if format != self.format {
            output.note(&format!("note: read {} as JSON Lines", name(self.path)));
        }
        Ok(())
    }
}

/// The command that makes JSON of a YAML file.
fn yaml_hint(path: &Path) -> Option<String> {
    const CONVERT: &str =
        "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout, default=str)";
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    if !["yaml", "yml"].contains(&extension.as_str()) {
        return None;
    }
    let [from, to] = [path.to_owned(), path.with_extension("json")]
        .map(|path| quoted(&StoredText::Text(path.to_str()?.to_owned())));
    Some(format!("`python3 -c '{CONVERT}' <{} >{}` makes JSON of it", from?, to?))
}

/// Whether stdin or stdout is meant.
pub fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}

/// Whether stdout is meant, also by its name as a device.
pub fn is_stdout(file: &Path) -> bool {
    let names = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
    is_standard(file) || names.iter().any(|name| file == Path::new(name))
}

fn name(path: &Path) -> String {
    if is_standard(path) { "<stdin>".to_owned() } else { path.display().to_string() }
}

/// Reads a file, judges and hashes what is in it, and then writes it at once.
pub fn run_job(job: &Job, args: &FileArgs, database: &Location, output: &Output) -> Result<()> {
    let Job { source, on_conflict, action, method, new_file } = job;
    let file = name(source.path);
    let explain = |error| match error {
        Error::BadRecords(records) => bad_records(&records, &file).into(),
        error => anyhow::Error::from(error),
    };
    let explain_any = |error: anyhow::Error| match error.downcast() {
        Ok(error) => explain(error),
        Err(error) => error,
    };
    let mut options = ImportOptions::default();
    options.on_conflict = *on_conflict;
    options.as_is = args.as_is;
    options.allow_weak = args.allow_weak;
    options.allow_similar = args.allow_similar;
    options.generate_missing = args.generate_missing.is_some();
    options.lock_missing = args.lock_missing;
    options.dry_run = args.dry_run;

    let mut import = Import::new(options, *method);
    source.read(args.as_is, &mut import, output)?;
    import.end().map_err(explain)?;

    let mut warnings = Vec::new();
    let mut make_ready = || -> Result<()> {
        let init = Users::init(database, new_file)?;
        warnings = schema_warnings(&init.schema);
        if !init.applied.is_empty() {
            output.note(&init::done(&init, database));
            tell_reconciled(&init.events, output);
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
    import.look_up(users.as_mut()).map_err(explain)?;
    if let Some(path) = args.generate_missing.as_deref().filter(|_| import.generated() > 0) {
        // Before anything is hashed in vain.
        refuse_passwords(path)?;
    }
    hash(&mut import, args.jobs, output);

    let taken_for = import.detected();
    if !args.dry_run {
        make_ready()?;
        users = Some(open(database)?);
    }
    let summary = save(&mut import, users.as_mut(), action, args, output).map_err(explain_any)?;
    if taken_for != (0, 0) {
        let (hashes, passwords) = taken_for;
        output.note(&format!(
            "took {hashes} value(s) of {file} for hashes and {passwords} for clear passwords"
        ));
    }
    if import.converted() > 0 {
        let converted = import.converted();
        output.note(&format!("converted {converted} PBKDF2 hash(es) of Django or passlib"));
    }
    if import.locked_missing() > 0 {
        let locked = import.locked_missing();
        output.note(&format!(
            "{locked} user(s) without a password locked; `passwd` and `unlock` let them in"
        ));
    }
    tell(summary, &file, args.dry_run, warnings, database, output)
}

fn hash(import: &mut Import, jobs: Option<u16>, output: &Output) {
    let jobs = jobs.and_then(|jobs| NonZeroUsize::new(jobs.into()));
    // A machine that does not tell has one.
    let jobs = jobs.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    let count = import.passwords();
    if !output.is_watched() || count < 2 {
        return import.hash(jobs, &|| ());
    }

    let template = "hashing [{wide_bar}] {pos}/{len}  {rate}  {eta} left";
    let rate = |state: &ProgressState, text: &mut dyn fmt::Write| {
        // A bar without its rate is no failure.
        let _ = write!(text, "{:.1}/s", state.per_sec());
    };
    let style = ProgressStyle::with_template(template).unwrap_or(ProgressStyle::default_bar());
    let style = style.with_key("rate", rate).progress_chars("=> ");
    let bar = ProgressBar::new(count as u64).with_style(style);
    terminal::during_bar(|| import.hash(jobs, &|| bar.inc(1)));
    bar.finish_and_clear();
}

/// Writes it. The generated passwords are in their file before that.
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
            // Nor may an interruption leave passwords behind that are nobody's.
            terminal::pass_point_of_no_return();
            let passwords = write_passwords(path, imported.generated());
            written = Some(passwords.map_err(explain_passwords)?);
        }
        anyhow::Ok(())
    });
    match (&saved, written) {
        // They are nobody's.
        (Err(_), Some(path)) if path.is_file() => {
            let _ = fs::remove_file(path);
        }
        (Ok(_), Some(path)) => {
            let warning = files::mode_warning(&path, PASSWORDS.mode);
            if let Some(warning) = warning {
                output.warn(&warning);
            }
        }
        _ => {}
    }
    saved
}

const PASSWORDS: WriteOptions =
    WriteOptions { allow_pipe: true, ..WriteOptions::private("passwords") };

/// Refuses a file that passwords cannot be written to.
fn refuse_passwords(path: &Path) -> Result<()> {
    if is_stdout(path) {
        return Ok(());
    }
    files::check(path, &PASSWORDS).map(drop).map_err(explain_passwords)
}

/// Adds what to do: there is no `--force` for passwords.
fn explain_passwords(error: FileError) -> anyhow::Error {
    let (code, hint) = match error {
        FileError::Exists { .. } => (Code::FileExists, "name another file for the passwords"),
        FileError::NoDirectory { .. } => {
            (Code::Failed, "create the directory, or name another file for the passwords")
        }
        error => return error.into(),
    };
    Failure::new(code, error.to_string()).hint(hint).into()
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
        // As it is to be typed, not as it is shown.
        let username = username.to_text().unwrap_or_default();
        writer.write_record([&*username, password.expose()])?;
    }
    writer.flush()
}

fn tell(
    summary: ImportSummary,
    file: &str,
    dry_run: bool,
    warnings: Vec<String>,
    database: &Location,
    output: &Output,
) -> Result<()> {
    let ImportSummary { added, changed, unchanged, skipped, .. } = summary;
    let would = if dry_run { "would be " } else { "" };
    output.note(&format!(
        "{file}: {added} {would}added, {changed} {would}changed, {unchanged} unchanged, {skipped} skipped in {database}"
    ));
    for warning in &warnings {
        output.warn(warning);
    }
    let database = database.to_string();
    Ok(output.json_only(&JsonImport { database, added, changed, unchanged, skipped, warnings })?)
}
