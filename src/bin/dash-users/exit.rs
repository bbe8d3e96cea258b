//! Statuses: the one table that the code, `--help` and the README go by.

use std::fmt;

use dash_users::files::FileError;
use dash_users::policy;
use dash_users::transfer::{BadRecord, Position, RecordError};
use dash_users::{
    BadRecords, BadValues, Error, GroupError, LanguageError, Location, LocationError, Misspelling,
    PasswordNotUtf8, StoreError, StoredText, UsernameError, is_unsafe_to_print,
};

/// What each status means.
pub const STATUSES: [(u8, &str); 12] = [
    (0, "done, or already so"),
    (1, "failed for a reason that has no status of its own; a file would be overwritten"),
    (2, "wrong command line, or no terminal to ask on"),
    (3, "refused: the password does not match"),
    (4, "the database is missing, not up to date, not one of users, or cannot be opened"),
    (5, "the database is locked by another program; nothing was changed"),
    (6, "no such user"),
    (7, "invalid data: a name, group, language or stored hash; or what check found"),
    (8, "the new password is weak, or cannot be used"),
    (9, "the user exists already"),
    (10, "needs confirmation"),
    (130, "interrupted; nothing was changed"),
];

/// The kind of an error, by its name in JSON and its status.
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
    Interrupted,
}

impl Code {
    pub fn status(self) -> u8 {
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
            Self::Interrupted => (130, "interrupted"),
        }
    }
}

/// An error of the program itself, or one whose answer is on stdout already.
#[derive(Debug)]
pub struct Failure {
    code: Code,
    message: String,
    hint: Option<String>,
    is_answered: bool,
    details: Vec<Detail>,
}

/// What is wrong with a place of a file.
#[derive(Debug, Clone)]
pub struct Detail {
    /// The file, as it was given.
    pub file: String,
    /// Where in it, if it is a file of users.
    pub position: Option<Position>,
    pub code: Code,
    pub message: String,
}

impl Failure {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, message, hint: None, is_answered: false, details: Vec::new() }
    }

    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    pub fn details(self, details: Vec<Detail>) -> Self {
        Self { details, ..self }
    }

    /// For people the answer on stdout says it all; JSON has an error object all the same.
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

/// An error as it is shown.
pub struct Report {
    pub code: Code,
    pub message: String,
    pub hint: Option<String>,
    pub details: Vec<Detail>,
    /// Whether stdout has said it already.
    pub is_answered: bool,
}

impl From<anyhow::Error> for Report {
    fn from(error: anyhow::Error) -> Self {
        let message = format!("{error:#}");
        if let Some(failure) = error.downcast_ref::<Failure>() {
            let Failure { code, hint, is_answered, details, .. } = failure;
            return Self {
                code: *code,
                message,
                hint: hint.clone(),
                details: details.clone(),
                is_answered: *is_answered,
            };
        }
        let (code, hint) = if let Some(error) = error.downcast_ref::<Error>() {
            of_operation(error)
        } else if let Some(error) = error.downcast_ref::<policy::Violation>() {
            of_password(*error)
        } else if let Some(error) = error.downcast_ref::<FileError>() {
            of_file(error)
        } else if let Some(error) = error.downcast_ref::<LocationError>() {
            (Code::Usage, of_location(*error).map(str::to_owned))
        } else if error.is::<UsernameError>()
            || error.is::<GroupError>()
            || error.is::<LanguageError>()
            || error.is::<PasswordNotUtf8>()
        {
            (Code::InvalidData, None)
        } else {
            (Code::Failed, None)
        };
        Self { code, message, hint, details: Vec::new(), is_answered: false }
    }
}

/// What to write instead of what names no database.
fn of_location(error: LocationError) -> Option<&'static str> {
    Some(match error {
        LocationError::Spelling(misspelling) => match misspelling {
            Misspelling::Quotes => {
                "remove the quotes (docker --env-file keeps them); a file with such a name is ./NAME"
            }
            Misspelling::Whitespace => "remove the blanks; a file with such a name is ./NAME",
            Misspelling::Invisible => {
                "type it again on one line; a file with such a name is ./NAME"
            }
            Misspelling::Command => {
                "write the path or URL alone, as in --database users.db; a file with such a name is \
                 ./NAME"
            }
            Misspelling::Assignment => {
                "write only the part after '=', as in --database users.db; a file with such a name \
                 is ./NAME"
            }
            Misspelling::KeywordValue => {
                "write postgresql://USER@HOST:PORT/DATABASE, and the password to ~/.pgpass or \
                 PGPASSWORD; a file with such a name is ./NAME"
            }
            Misspelling::Jdbc => "write postgresql://USER@HOST:PORT/DATABASE, without jdbc:",
            Misspelling::FileUri => "write the path alone; a file with such a name is ./NAME",
            Misspelling::Slashes => {
                "write postgresql://USER@HOST:PORT/DATABASE, sqlite:///relative or \
                 sqlite:////absolute; a file with such a name is ./NAME"
            }
            Misspelling::NoScheme => {
                "write postgresql://USER@HOST:PORT/DATABASE; a file with such a name is ./NAME"
            }
            Misspelling::Comment => "remove the comment; a file with such a name is ./NAME",
            Misspelling::Placeholder => {
                "write its value; in a password write %24 for $, %3C for < and %7B for {; a file with \
                 such a name is ./NAME"
            }
            _ => return None,
        },
        // What is wrong is mostly a password.
        LocationError::Url(_) => {
            r#"percent-encode the username and password, each by itself: python3 -c 'import getpass, urllib.parse; print(urllib.parse.quote(getpass.getpass(), safe=""))'"#
        }
        LocationError::UnknownOption(_) => {
            "use options of libpq, such as sslmode=verify-full; write %26 for & in a value"
        }
        LocationError::Host => "write sqlite:///relative or sqlite:////absolute, or the path alone",
        _ => return None,
    })
}

fn of_operation(error: &Error) -> (Code, Option<String>) {
    match error {
        Error::Store(error) => of_store(error),
        Error::Password(refusal) => of_password(*refusal),
        Error::NoSuchUser(_) => (Code::NoSuchUser, None),
        Error::UserExists(_) => {
            let hint = "`dash-users passwd` sets a new password; `add --if-not-exists` leaves the user as is";
            (Code::UserExists, Some(hint.to_owned()))
        }
        Error::SimilarUser { .. } => {
            (Code::UserExists, Some("`--allow-similar` adds it all the same".to_owned()))
        }
        Error::WrongPassword => (Code::Refused, None),
        Error::HashNotPassword { is_restorable: true, .. } => {
            let hint = "`dash-users check --fix --unwrap` restores the hash";
            (Code::InvalidData, Some(hint.to_owned()))
        }
        Error::InvalidHash { .. } | Error::HashNotPassword { .. } | Error::NoPassword(_) => {
            (Code::InvalidData, Some("`dash-users passwd` sets a new password".to_owned()))
        }
        Error::HashLike(_) => {
            let hint = "`dash-users passwd` sets a new password; if the value is the password, \
                        name the user with --allow-hash-like";
            (Code::InvalidData, Some(hint.to_owned()))
        }
        Error::PlaintextPassword { .. } => {
            (Code::BadPassword, Some("`dash-users passwd` sets a new password".to_owned()))
        }
        Error::UnreachableName(_) | Error::BadValues(_) => (Code::InvalidData, None),
        Error::ConcurrentChange(_) => {
            (Code::Failed, Some("nothing was changed; try again".to_owned()))
        }
        _ => (Code::Failed, None),
    }
}

fn of_file(error: &FileError) -> (Code, Option<String>) {
    let (code, hint) = match error {
        FileError::Exists { .. } => {
            (Code::FileExists, "name another file, or overwrite it with --force")
        }
        FileError::NoDirectory { .. } => {
            (Code::Failed, "create the directory, or name another file")
        }
        FileError::Directory { .. } => (Code::Failed, "name a file in it"),
        _ => return (Code::Failed, None),
    };
    (code, Some(hint.to_owned()))
}

fn of_store(error: &StoreError) -> (Code, Option<String>) {
    match error {
        StoreError::NoDatabase { path } => {
            let init = command(&Location::Sqlite(path.clone()), "init");
            (Code::NoDatabase, Some(format!("{init} creates it; --database names another")))
        }
        StoreError::NoDirectory { .. } => {
            (Code::NoDatabase, Some("create the directory, or name another file".to_owned()))
        }
        StoreError::FileExists { .. } => {
            (Code::FileExists, Some("name another file, or overwrite it with --force".to_owned()))
        }
        StoreError::SameFile { .. } => (Code::Usage, Some("name another file".to_owned())),
        StoreError::NeedsMigration { location, .. } => {
            let init = command(location, "init");
            (Code::NeedsMigration, Some(format!("{init} brings it up to date")))
        }
        StoreError::NeedsRepair { location, .. } => {
            let check = command(location, "check");
            (Code::NeedsMigration, Some(format!("{check} shows why; check --fix repairs it")))
        }
        StoreError::NotEncodable { .. } => (Code::InvalidData, None),
        StoreError::TooSlow { .. } => (Code::Busy, None),
        StoreError::NewerSchema { .. } => {
            (Code::NewerSchema, Some("use the newer dash-users that wrote it".to_owned()))
        }
        StoreError::NotADatabase { .. } => (Code::NotADatabase, None),
        StoreError::UnsupportedTable { location, repair, .. } => {
            let (file, init) = (pasted(location), command(location, "init"));
            let hint =
                |sql| format!("run this SQL with `sqlite3 -bail {file}`, then {init}:\n{sql}");
            (Code::NotADatabase, repair.as_ref().map(hint))
        }
        StoreError::CannotConnect { .. } => (Code::CannotConnect, None),
        StoreError::CannotOpen { hint, .. } => (Code::CannotConnect, not_empty(hint)),
        StoreError::Setting { hint, .. } => (Code::Usage, not_empty(hint)),
        StoreError::OtherTable { hint, .. } => (Code::NoDatabase, not_empty(hint)),
        StoreError::Busy { .. } | StoreError::Conflict { .. } => {
            (Code::Busy, Some("try again".to_owned()))
        }
        StoreError::NotOnServers => (
            Code::Failed,
            Some(
                "use pg_dump and pg_restore; `dash-users export` writes the users alone".to_owned(),
            ),
        ),
        _ => (Code::Failed, None),
    }
}

fn not_empty(hint: &str) -> Option<String> {
    Some(hint.to_owned()).filter(|hint| !hint.is_empty())
}

/// Says which stored values are no clear passwords.
pub fn bad_values(values: &BadValues, database: &Location) -> Failure {
    let detail = |error: &Error| Detail {
        file: database.to_string(),
        position: None,
        code: of_operation(error).0,
        message: error.to_string(),
    };
    let details: Vec<_> = values.first().iter().map(detail).collect();
    let (count, shown) = (values.count(), details.len());
    let of_which = if shown as u64 == count {
        String::new()
    } else {
        format!(", of which the first {shown} are shown")
    };
    let code = if values.are_passwords() { Code::BadPassword } else { Code::InvalidData };
    let message = format!("{count} stored values are no passwords{of_which}; nothing was changed");
    let check = command(database, "check");
    let failure = Failure::new(code, message).details(details);
    failure.hint(format!("{check} says what to do about each"))
}

/// Says which records of `file` cannot be taken.
pub fn bad_records(records: &BadRecords, file: &str) -> Failure {
    let detail = |bad: &BadRecord| Detail {
        file: file.to_owned(),
        position: Some(bad.position),
        code: of_record(&bad.reason).0,
        message: bad.to_string(),
    };
    let details: Vec<_> = records.first().iter().map(detail).collect();
    let (count, shown) = (records.count(), details.len());
    let of_which = match u64::try_from(shown) {
        Ok(shown) if shown < count => format!(", of which the first {shown} are shown"),
        _ => String::new(),
    };
    let is_item = matches!(details.first(), Some(Detail { position: Some(Position::Item(_)), .. }));
    let numbers = if is_item { " (counted by item)" } else { "" };
    let (code, hint) = of_record(records.worst());
    let what = if code == Code::UserExists { "conflict" } else { "bad record" };
    let s = if count == 1 { "" } else { "s" };
    let message = format!("{count} {what}{s} in {file}{numbers}{of_which}; nothing was changed");
    let failure = Failure::new(code, message).details(details);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn of_record(reason: &RecordError) -> (Code, Option<&'static str>) {
    match reason {
        RecordError::Password(refusal) if refusal.is_weakness() => {
            (Code::WeakPassword, Some("--allow-weak takes weak passwords"))
        }
        RecordError::Password(_) => (Code::BadPassword, None),
        RecordError::Exists => (
            Code::UserExists,
            Some(
                "--on-conflict skip passes users over who are there, --on-conflict update changes them",
            ),
        ),
        RecordError::Similar(_) => {
            (Code::UserExists, Some("--allow-similar adds names that differ only by case"))
        }
        RecordError::RepeatedByCase(_) => {
            (Code::InvalidData, Some("--allow-similar adds names that differ only by case"))
        }
        RecordError::NoSecret => (
            Code::InvalidData,
            Some(
                "--generate-missing FILE generates the passwords that are missing; --lock-missing locks the users",
            ),
        ),
        RecordError::NoPassword(_) => (
            Code::InvalidData,
            Some("leave the field empty, and use --generate-missing FILE or --lock-missing"),
        ),
        RecordError::HashNotPassword(_) => (
            Code::InvalidData,
            Some("a hash goes into the field password_hash, with nothing around it"),
        ),
        RecordError::OtherHash(_) => (
            Code::InvalidData,
            Some("write hashes with nothing around them; --as-is takes them without judging them"),
        ),
        RecordError::Hash(_) => {
            (Code::InvalidData, Some("--as-is takes hashes and names without judging them"))
        }
        _ => (Code::InvalidData, None),
    }
}

fn of_password(refusal: policy::Violation) -> (Code, Option<String>) {
    if refusal.is_weakness() {
        let hint = "choose a longer one, or use --generate; --allow-weak takes it all the same";
        (Code::WeakPassword, Some(hint.to_owned()))
    } else {
        (Code::BadPassword, None)
    }
}

/// A command for the database, to be pasted.
pub fn command(database: &Location, arguments: &str) -> String {
    format!("`dash-users {arguments} --database {}`", pasted(database))
}

/// A database as an argument in a shell.
fn pasted(database: &Location) -> String {
    let database = database.to_string();
    quoted(&StoredText::Text(database.clone())).unwrap_or(database)
}

/// A text as an argument in a shell; none if it cannot be pasted.
pub fn quoted(text: &StoredText) -> Option<String> {
    let StoredText::Text(text) = text else { return None };
    if text.chars().any(is_unsafe_to_print) {
        return None;
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,@%=:".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return Some(text.clone());
    }
    Some(format!("'{}'", text.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests;
