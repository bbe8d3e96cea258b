//! Exit codes: one table for the code, `--help` and the docs, and the hint for each error. A new
//! error does not compile until it is [`Known`], and a new variant of one until it has a code.

#![warn(clippy::wildcard_enum_match_arm)]

use std::path::Path;
use std::{fmt, io};

use dash_users::files::FileError;
use dash_users::policy;
use dash_users::store::{CopyableTable, TableAdvice};
use dash_users::transfer::{BadRecord, InputFormat, Position, RecordError};
use dash_users::{
    BadRecords, BadValues, Error, GroupError, LanguageError, Location, LocationError, Misspelling,
    PasswordNotUtf8, StoreError, StoredText, UsernameError,
};

use crate::shell::{command, pasted, quoted, quoted_path, user_command};

/// What each exit code means.
pub const EXIT_CODES: [(u8, &str); 16] = [
    (0, "success, or nothing to do"),
    (1, "a file already exists, or an error not listed here"),
    (2, "usage error, or a password is needed but there is no terminal"),
    (3, "wrong password"),
    (
        4,
        "cannot use the database: missing, needs migration, not a users database, or cannot be opened",
    ),
    (5, "the database is locked by another program, or too slow; nothing was changed"),
    (6, "no such user"),
    (7, "invalid data (a name, group, language, hash or record), or problems found by check"),
    (8, "the new password is weak or not allowed"),
    (9, "the user already exists, or a user whose name differs only by case"),
    (10, "confirmation required"),
    (11, "it is unknown whether the change was saved, or whether a standby server has it"),
    (129, "the terminal was closed (SIGHUP); nothing was changed"),
    (130, "interrupted (Ctrl-C, Ctrl-D); nothing was changed"),
    (131, "quit (SIGQUIT); nothing was changed"),
    (143, "terminated (SIGTERM); nothing was changed"),
];

/// The kind of an error. It determines the code in JSON and the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    Failed,
    FileExists,
    Usage,
    Refused,
    NoDatabase,
    NeedsMigration,
    NewerSchema,
    NotADatabase,
    CannotConnect,
    Busy,
    NoSuchUser,
    InvalidData,
    Findings,
    WeakPassword,
    BadPassword,
    UserExists,
    NeedsConfirmation,
    Unconfirmed,
    Interrupted,
}

impl Code {
    pub fn exit_code(self) -> u8 {
        self.entry().0
    }

    pub fn name(self) -> &'static str {
        self.entry().1
    }

    fn entry(self) -> (u8, &'static str) {
        match self {
            Self::Failed => (1, "failed"),
            Self::FileExists => (1, "file_exists"),
            Self::Usage => (2, "usage"),
            Self::Refused => (3, "refused"),
            Self::NoDatabase => (4, "no_database"),
            Self::NeedsMigration => (4, "needs_migration"),
            Self::NewerSchema => (4, "newer_schema"),
            Self::NotADatabase => (4, "not_a_database"),
            Self::CannotConnect => (4, "cannot_connect"),
            Self::Busy => (5, "busy"),
            Self::NoSuchUser => (6, "no_such_user"),
            Self::InvalidData => (7, "invalid_data"),
            Self::Findings => (7, "findings"),
            Self::WeakPassword => (8, "weak_password"),
            Self::BadPassword => (8, "bad_password"),
            Self::UserExists => (9, "user_exists"),
            Self::NeedsConfirmation => (10, "needs_confirmation"),
            Self::Unconfirmed => (11, "unconfirmed"),
            Self::Interrupted => (130, "interrupted"),
        }
    }
}

/// An error, ready to print.
#[derive(Debug)]
pub struct Failure {
    pub code: Code,
    pub message: String,
    pub hint: Option<String>,
    pub details: Vec<Detail>,
    /// Whether stdout already shows it to people. JSON gets an error object anyway.
    pub is_answered: bool,
    /// The error of the library, which the command may explain better.
    pub cause: Option<Box<Error>>,
}

pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// An error that has an exit code, and perhaps a hint. All errors of commands do.
pub trait Known: fmt::Display + Sized {
    fn code_and_hint(&self) -> (Code, Option<String>);

    fn cause(self) -> Option<Box<Error>> {
        None
    }
}

impl<E: Known> From<E> for Failure {
    fn from(error: E) -> Self {
        let (code, hint) = error.code_and_hint();
        let message = error.to_string();
        Self { hint, cause: error.cause(), ..Self::new(code, message) }
    }
}

pub trait Context<T> {
    fn context(self, what: impl fmt::Display) -> Result<T>;
}

impl<T, E: Into<Failure>> Context<T> for Result<T, E> {
    fn context(self, what: impl fmt::Display) -> Result<T> {
        self.map_err(|error| error.into().context(what))
    }
}

/// A problem at one place in a file or database.
#[derive(Debug, Clone)]
pub struct Detail {
    /// The file as given by the user, or the database.
    pub file: String,
    /// The line or item, in a file of users.
    pub position: Option<Position>,
    pub code: Code,
    pub message: String,
}

impl Failure {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, message, hint: None, details: Vec::new(), is_answered: false, cause: None }
    }

    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Says what failed.
    pub fn context(self, what: impl fmt::Display) -> Self {
        Self { message: format!("{what}: {self}"), ..self }
    }

    pub fn answered(self) -> Self {
        Self { is_answered: true, ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl Known for LocationError {
    fn code_and_hint(&self) -> (Code, Option<String>) {
        (Code::Usage, of_location(*self))
    }
}

fn with_hint(code: Code, hint: impl Into<String>) -> (Code, Option<String>) {
    (code, Some(hint.into()))
}

/// Gives errors without a hint their code.
macro_rules! codes {
    ($($error:ty: $code:ident,)*) => {
        $(impl Known for $error {
            fn code_and_hint(&self) -> (Code, Option<String>) {
                (Code::$code, None)
            }
        })*
    };
}

codes! {
    UsernameError: InvalidData,
    GroupError: InvalidData,
    LanguageError: InvalidData,
    PasswordNotUtf8: InvalidData,
    clap::Error: Failed,
    io::Error: Failed,
    nix::Error: Failed,
}

/// How to correct a database argument.
fn of_location(error: LocationError) -> Option<String> {
    let or_file = |hint: &str| format!("{hint}; for a file with this name, use ./NAME");
    Some(match error {
        LocationError::Spelling(misspelling) => or_file(match misspelling {
            Misspelling::Quotes => "remove the quotes (docker --env-file keeps them)",
            Misspelling::Whitespace => "remove the spaces",
            Misspelling::Invisible => "type it again on one line",
            Misspelling::Command => "give only the path or URL, as in --database users.db",
            Misspelling::Assignment => "give only the part after '=', as in --database users.db",
            Misspelling::KeywordValue => {
                "write postgresql://USER@HOST:PORT/DATABASE, and put the password in ~/.pgpass or \
                 PGPASSWORD"
            }
            Misspelling::Jdbc => {
                return Some("write postgresql://USER@HOST:PORT/DATABASE, without jdbc:".to_owned());
            }
            Misspelling::FileUri => "give only the path",
            Misspelling::Slashes => {
                "write postgresql://USER@HOST:PORT/DATABASE, sqlite:///relative or \
                 sqlite:////absolute"
            }
            Misspelling::NoScheme => "write postgresql://USER@HOST:PORT/DATABASE",
            Misspelling::Comment => "remove the comment",
            Misspelling::Placeholder => {
                "replace it with its value; in a password, write %24 for $, %3C for < and %7B for {"
            }
            Misspelling::Tilde => {
                "write the absolute path, or $HOME in its place where a shell expands it"
            }
            Misspelling::NotPlain => return None,
        }),
        LocationError::InMemory => or_file("use a path, such as users.db"),
        LocationError::OtherDatabase(_) => {
            "use SQLite (a path, sqlite:///relative or sqlite:////absolute) or PostgreSQL (postgresql://USER@HOST:PORT/DATABASE)".to_owned()
        }
        // The cause is usually a password.
        LocationError::Url(_) => {
            r#"percent-encode the username and the password separately: python3 -c 'import getpass, urllib.parse; print(urllib.parse.quote(getpass.getpass(), safe=""))'"#.to_owned()
        }
        LocationError::UnknownOption(_) => {
            "use libpq options such as sslmode=verify-full; in a value, write %26 for &".to_owned()
        }
        LocationError::Host => {
            "write sqlite:///users.db, sqlite:////srv/users.db or only the path".to_owned()
        }
        LocationError::Empty
        | LocationError::Scheme
        | LocationError::Postgres
        | LocationError::Query
        | LocationError::NotUtf8
        | LocationError::NoCurrentDirectory => return None,
    })
}

impl Known for Error {
    fn code_and_hint(&self) -> (Code, Option<String>) {
        match self {
            Self::Store(error) => error.code_and_hint(),
            Self::Password(refusal) => refusal.code_and_hint(),
            Self::NoSuchUser(_) => (Code::NoSuchUser, None),
            Self::UserExists(_) => (Code::UserExists, None),
            Self::SimilarUser { .. } => {
                with_hint(Code::UserExists, "use --allow-similar to allow this name")
            }
            Self::WrongPassword => (Code::Refused, None),
            Self::PlaintextPassword { .. } => (Code::BadPassword, None),
            Self::InvalidHash { .. }
            | Self::HashNotPassword { .. }
            | Self::NoPassword(_)
            | Self::HashLike(_)
            | Self::UnreachableName(_)
            | Self::BadValues(_) => (Code::InvalidData, None),
            Self::ConcurrentChange(_) => with_hint(Code::Failed, "nothing was changed; try again"),
            Self::BadRecords(_) | Self::Prune(_) => (Code::Failed, None),
        }
    }

    fn cause(self) -> Option<Box<Self>> {
        Some(Box::new(self))
    }
}

/// Adds the hint to an error about a user: a command for this database.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others have their hint without it")]
pub fn with_user_hint(error: &Error, database: &Location) -> Option<Failure> {
    let passwd = |name: &StoredText| {
        let passwd = user_command(database, "passwd", name, "")?;
        Some(format!("run {passwd} to set a new password"))
    };
    let hint = match error {
        Error::UserExists(username) => {
            let passwd = passwd(&StoredText::Text(username.to_string()))?;
            format!("{passwd}, or use --if-not-exists to leave the user unchanged")
        }
        Error::HashNotPassword { is_restorable: true, .. } => {
            format!("run {} to repair the hash", command(database, "check --fix --unwrap"))
        }
        Error::HashLike(username) => {
            let passwd = passwd(username)?;
            format!("{passwd}, or use --allow-hash-like if the stored value really is the password")
        }
        Error::InvalidHash { username, .. }
        | Error::HashNotPassword { username, .. }
        | Error::NoPassword(username)
        | Error::PlaintextPassword { username, .. } => passwd(username)?,
        _ => return None,
    };
    Some(Failure::new(error.code_and_hint().0, error.to_string()).hint(hint))
}

const OVERWRITE: &str = "choose another file, or use --force to overwrite it";

impl Known for FileError {
    fn code_and_hint(&self) -> (Code, Option<String>) {
        match self {
            Self::Exists { .. } => with_hint(Code::FileExists, OVERWRITE),
            Self::NoDirectory { path } => {
                with_hint(Code::Failed, create_directory(path, "choose another file"))
            }
            Self::Directory { .. } => with_hint(Code::Failed, "give a file in that directory"),
            Self::Unsafe { .. } | Self::Failed { .. } => (Code::Failed, None),
        }
    }
}

impl Known for StoreError {
    fn code_and_hint(&self) -> (Code, Option<String>) {
        match self {
            Self::NoDatabase { path } => {
                let init = command(&Location::Sqlite(path.clone()), "init");
                let mkdir = missing_directory(path).map(|mkdir| format!("{mkdir} and "));
                let init = mkdir.unwrap_or_default() + &init;
                let hint = format!("run {init} to create it, or use --database to choose another");
                with_hint(Code::NoDatabase, hint)
            }
            Self::NoDirectory { path } => {
                with_hint(Code::NoDatabase, create_directory(path, "choose another file"))
            }
            Self::CannotWrite { path, .. } if path.is_dir() => {
                with_hint(Code::Failed, "give a file in that directory")
            }
            Self::FileExists { .. } => with_hint(Code::FileExists, OVERWRITE),
            Self::SameFile { .. } => with_hint(Code::Usage, "choose another file"),
            Self::NeedsMigration { location, .. } => {
                let init = command(location, "init");
                with_hint(Code::NeedsMigration, format!("run {init} to update it"))
            }
            Self::NeedsRepair { location, .. } => {
                let fix = command(location, "check --fix");
                with_hint(Code::NeedsMigration, format!("run {fix} to repair it"))
            }
            Self::Unfinished { location } => {
                let init = command(location, "init");
                with_hint(Code::NeedsMigration, format!("run {init} to continue"))
            }
            Self::NotEncodable { .. } => (Code::InvalidData, None),
            Self::TooSlow { .. } => (Code::Busy, None),
            Self::NewerSchema { .. } => with_hint(
                Code::NewerSchema,
                "install the newer version of dash-users that wrote it",
            ),
            Self::NotADatabase { location, .. } => (Code::NotADatabase, of_user_file(location)),
            Self::UnsupportedTable { location, repair, advice, .. } => {
                (Code::NotADatabase, of_table(location, repair.as_deref(), advice))
            }
            Self::CannotConnect { .. } => (Code::CannotConnect, None),
            Self::CannotOpen { hint, .. } | Self::ReadOnly { hint, .. } => {
                (Code::CannotConnect, not_empty(hint))
            }
            Self::Unconfirmed { location } => {
                let history = command(location, "history");
                with_hint(Code::Unconfirmed, format!("run {history} to see whether it was saved"))
            }
            Self::Unreplicated { .. } => {
                let hint = "repair the standby, or see synchronous_standby_names on the server";
                with_hint(Code::Unconfirmed, hint)
            }
            Self::Setting { hint, .. } => (Code::Usage, not_empty(hint)),
            Self::OtherTable { hint, .. } => (Code::NoDatabase, not_empty(hint)),
            Self::Busy { .. } | Self::Conflict { .. } => with_hint(Code::Busy, "try again"),
            Self::NotOnServers => {
                with_hint(Code::Failed, "use pg_dump and pg_restore, or export for the users only")
            }
            Self::CannotWrite { .. } | Self::Refused { .. } | Self::Failed { .. } => {
                (Code::Failed, None)
            }
        }
    }

    fn cause(self) -> Option<Box<Error>> {
        Error::Store(self).cause()
    }
}

/// How to import a file of users that is named as the database.
fn of_user_file(location: &Location) -> Option<String> {
    let Location::Sqlite(path) = location else { return None };
    InputFormat::of_path(path)?;
    let import = format!("`dash-users import {}`", pasted(location));
    Some(format!("run {import} to add its users; --database names the database"))
}

/// How to get along with a table of an app.
fn of_table(location: &Location, repair: Option<&str>, advice: &TableAdvice) -> Option<String> {
    let TableAdvice { changes, duplicates, copy } = advice;
    let mut init = "init".to_owned();
    if changes.add_language.is_some() {
        init += " --add-language";
    }
    if changes.add_unique_index {
        init += " --add-unique-index";
    }
    let changing = command(location, &init);
    let place = pasted(location);
    let (shell, reader, row) = if matches!(location, Location::Sqlite(_)) {
        (format!("`sqlite3 -bail {place}`"), format!("`sqlite3 -header {place}`"), "rowid")
    } else {
        (format!("`psql {place}`"), format!("`psql {place}`"), "ctid")
    };
    if let Some(sql) = duplicates {
        return Some(format!(
            "list these rows with {reader}, rename or delete all but one of each name by its {row}, \
             then run {changing}:\n{sql}"
        ));
    }
    if let Some(copy) = copy {
        let copy = copy_command(location, copy, "dash-users.db")?;
        return Some(format!(
            "if the app reads these columns, keep them, and copy the users to a database of their \
             own:\n{copy}"
        ));
    }
    let sql = repair?;
    let init = command(location, "init");
    Some(if changes.is_empty() {
        format!("run this SQL with {shell}, then run {init}:\n{sql}")
    } else {
        format!("run {changing}; or run this SQL with {shell}, then run {init}:\n{sql}")
    })
}

/// The command that copies the users of an app's table to the database `target`, if a shell can
/// express it. There is no file in between, which could be read by others or overwrite another.
pub fn copy_command(location: &Location, table: &CopyableTable, target: &str) -> Option<String> {
    let select = quoted(&StoredText::Text(table.select.clone()))?;
    let database = pasted(location);
    let export = if matches!(location, Location::Sqlite(_)) {
        format!("sqlite3 -header -csv {database} {select}")
    } else {
        format!("psql --csv --command {select} {database}")
    };
    Some(format!("{export} | dash-users import - --input-format csv --database {target}"))
}

/// The command that creates the directory of a file, if it is missing.
fn missing_directory(path: &Path) -> Option<String> {
    let directory = path.parent().filter(|directory| !directory.exists())?;
    let directory = quoted_path(directory)?;
    Some(format!("`mkdir -p {directory}`"))
}

/// How to write a file whose directory is missing.
pub fn create_directory(path: &Path, or: &str) -> String {
    match missing_directory(path) {
        Some(mkdir) => format!("run {mkdir}, or {or}"),
        None => format!("create the directory, or {or}"),
    }
}

fn not_empty(hint: &str) -> Option<String> {
    Some(hint.to_owned()).filter(|hint| !hint.is_empty())
}

/// Reports stored values that are not plaintext passwords.
pub fn bad_values(values: &BadValues, database: &Location) -> Failure {
    let detail = |error: &Error| Detail {
        file: database.to_string(),
        position: None,
        code: error.code_and_hint().0,
        message: error.to_string(),
    };
    let details: Vec<_> = values.first().iter().map(detail).collect();
    let (count, excerpt) = (values.count(), excerpt(values.count(), &details));
    let code = if values.are_passwords() { Code::BadPassword } else { Code::InvalidData };
    let message = format!("{count} stored values are not passwords{excerpt}; nothing was changed");
    let check = command(database, "check");
    let failure =
        Failure::new(code, message).hint(format!("run {check} to see how to fix each one"));
    Failure { details, ..failure }
}

/// Says how many are shown, unless all are.
fn excerpt(count: u64, details: &[Detail]) -> String {
    let shown = details.len();
    if shown as u64 == count { String::new() } else { format!(" (first {shown} shown)") }
}

/// Reports the records of `file` that cannot be imported.
pub fn bad_records(records: &BadRecords, file: &str) -> Failure {
    let detail = |bad: &BadRecord| Detail {
        file: file.to_owned(),
        position: Some(bad.position),
        code: of_record(&bad.reason).0,
        message: bad.to_string(),
    };
    let details: Vec<_> = records.first().iter().map(detail).collect();
    let (count, excerpt) = (records.count(), excerpt(records.count(), &details));
    let is_item = matches!(details.first(), Some(Detail { position: Some(Position::Item(_)), .. }));
    let numbers = if is_item { " (numbered by item)" } else { "" };
    let (code, hint) = of_record(records.worst());
    let what = if code == Code::UserExists { "conflict" } else { "bad record" };
    let s = if count == 1 { "" } else { "s" };
    let message = format!("{count} {what}{s} in {file}{numbers}{excerpt}; nothing was changed");
    Failure { hint: hint.map(str::to_owned), details, ..Failure::new(code, message) }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a bad record is invalid data")]
fn of_record(reason: &RecordError) -> (Code, Option<&'static str>) {
    let code = match reason {
        RecordError::Password(refusal) if refusal.is_weakness() => Code::WeakPassword,
        RecordError::Password(_) => Code::BadPassword,
        RecordError::Exists | RecordError::Similar(_) => Code::UserExists,
        _ => Code::InvalidData,
    };
    let hint = match reason {
        RecordError::Password(refusal) if refusal.is_weakness() => {
            "use --allow-weak to accept weak passwords"
        }
        RecordError::Exists => {
            "use --on-conflict skip to skip existing users, or --on-conflict update to change them"
        }
        RecordError::Similar(_) | RecordError::RepeatedByCase(_) => {
            "use --allow-similar to allow names that differ only in case"
        }
        RecordError::NoSecret => {
            "use --generate-missing FILE to generate missing passwords, or --lock-missing to lock these users"
        }
        RecordError::NoPassword(_) => {
            "leave the field out, and use --generate-missing FILE or --lock-missing"
        }
        RecordError::HashNotPassword(_) => {
            "put the hash in the field password_hash, with nothing around it"
        }
        RecordError::HashLike => {
            "--allow-hash-like accepts it as a password; a hash goes into the field password_hash"
        }
        RecordError::OtherHash(_) => {
            "remove everything around the hash, or use --as-is to accept hashes unchecked"
        }
        RecordError::Hash(_) => "use --as-is to accept hashes and names unchecked",
        _ => return (code, None),
    };
    (code, Some(hint))
}

impl Known for policy::Violation {
    fn code_and_hint(&self) -> (Code, Option<String>) {
        if self.is_weakness() {
            let hint = "choose a longer password, use --generate, or accept it with --allow-weak";
            with_hint(Code::WeakPassword, hint)
        } else {
            (Code::BadPassword, None)
        }
    }
}

#[cfg(test)]
mod tests;
