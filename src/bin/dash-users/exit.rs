//! Statuses: the one table that the code, `--help` and the README go by.

use std::fmt;
use std::path::Path;

use dash_users::policy;
use dash_users::{
    Error, LanguageError, Location, LocationError, PasswordNotUtf8, StoreError, UsernameError,
};

/// What each status means.
pub const STATUSES: [(u8, &str); 12] = [
    (0, "done, or already so"),
    (1, "failed for a reason that has no status of its own"),
    (2, "wrong command line, or no terminal to ask on"),
    (3, "refused: the password does not match"),
    (4, "the database is missing, not up to date, not one of users, or cannot be opened"),
    (5, "the database is locked by another program; nothing was changed"),
    (6, "no such user"),
    (7, "invalid data: a name, language or stored hash"),
    (8, "the new password is weak, or cannot be used"),
    (9, "the user exists already"),
    (10, "needs confirmation"),
    (130, "interrupted; nothing was changed"),
];

/// The kind of an error, by its name in JSON and its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    Failed,
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
}

impl Failure {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, is_answered: false }
    }

    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
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
    /// Whether stdout has said it already.
    pub is_answered: bool,
}

impl From<anyhow::Error> for Report {
    fn from(error: anyhow::Error) -> Self {
        let message = format!("{error:#}");
        if let Some(failure) = error.downcast_ref::<Failure>() {
            let Failure { code, hint, is_answered, .. } = failure;
            return Self { code: *code, message, hint: hint.clone(), is_answered: *is_answered };
        }
        let (code, hint) = if let Some(error) = error.downcast_ref::<Error>() {
            of_operation(error)
        } else if let Some(error) = error.downcast_ref::<policy::Refusal>() {
            of_password(*error)
        } else if error.is::<LocationError>() {
            (Code::Usage, None)
        } else if error.is::<UsernameError>()
            || error.is::<LanguageError>()
            || error.is::<PasswordNotUtf8>()
        {
            (Code::InvalidData, None)
        } else {
            (Code::Failed, None)
        };
        Self { code, message, hint, is_answered: false }
    }
}

fn of_operation(error: &Error) -> (Code, Option<String>) {
    match error {
        Error::Store(error) => of_store(error),
        Error::Password(refusal) => of_password(*refusal),
        Error::NoSuchUser(_) => (Code::NoSuchUser, None),
        Error::UserExists(_) => {
            let hint = "`dash-users passwd` sets a new password; `add --if-not-exists` lets it be";
            (Code::UserExists, Some(hint.to_owned()))
        }
        Error::SimilarUser { .. } => {
            (Code::UserExists, Some("`--allow-similar` adds it all the same".to_owned()))
        }
        Error::WrongPassword => (Code::Refused, None),
        Error::InvalidHash { .. } | Error::ResemblesHash(_) => {
            (Code::InvalidData, Some("`dash-users passwd` sets a new password".to_owned()))
        }
        Error::ClearPassword { .. } => {
            (Code::BadPassword, Some("`dash-users passwd` sets a new password".to_owned()))
        }
        Error::UnreachableName(_) => (Code::InvalidData, None),
        Error::ChangedMeanwhile(_) => {
            (Code::Failed, Some("nothing was changed; try again".to_owned()))
        }
        _ => (Code::Failed, None),
    }
}

fn of_store(error: &StoreError) -> (Code, Option<String>) {
    match error {
        StoreError::NoDatabase { path } => {
            (Code::NoDatabase, Some(format!("{} creates it; --database names another", init(path))))
        }
        StoreError::NoDirectory { .. } => {
            (Code::NoDatabase, Some("create the directory, or name another --database".to_owned()))
        }
        StoreError::NeedsMigration { location: Location::Sqlite(path), .. } => {
            (Code::NeedsMigration, Some(format!("{} brings it up to date", init(path))))
        }
        StoreError::NeedsMigration { .. } => (Code::NeedsMigration, None),
        StoreError::NewerSchema { .. } => {
            (Code::NewerSchema, Some("use the newer dash-users that wrote it".to_owned()))
        }
        StoreError::NotADatabase { .. } => (Code::NotADatabase, None),
        StoreError::CannotConnect { .. } => (Code::CannotConnect, None),
        StoreError::Busy { .. } => (Code::Busy, Some("try again".to_owned())),
        _ => (Code::Failed, None),
    }
}

fn of_password(refusal: policy::Refusal) -> (Code, Option<String>) {
    if refusal.is_weakness() {
        let hint = "choose a longer one, or use --generate; --allow-weak takes it all the same";
        (Code::WeakPassword, Some(hint.to_owned()))
    } else {
        (Code::BadPassword, None)
    }
}

/// The command that creates or migrates the database at `path`, to be pasted.
fn init(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,@%=:".contains(c);
    if path.chars().all(is_plain) {
        format!("`dash-users init --database {path}`")
    } else {
        format!("`dash-users init --database '{}'`", path.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_status_of_the_table() {
        for code in [
            Code::Failed,
            Code::Usage,
            Code::Refused,
            Code::NoDatabase,
            Code::NeedsMigration,
            Code::NewerSchema,
            Code::NotADatabase,
            Code::CannotConnect,
            Code::Busy,
            Code::NoSuchUser,
            Code::InvalidData,
            Code::WeakPassword,
            Code::BadPassword,
            Code::UserExists,
            Code::NeedsConfirmation,
            Code::Interrupted,
        ] {
            assert!(STATUSES.iter().any(|(status, _)| *status == code.status()), "{code:?}");
        }
    }

    #[test]
    fn a_command_to_paste_is_quoted_where_it_must_be() {
        assert_eq!(init(Path::new("/srv/a.db")), "`dash-users init --database /srv/a.db`");
        assert_eq!(init(Path::new("/a b/$x'")), r"`dash-users init --database '/a b/$x'\'''`");
    }
}
