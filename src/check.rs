//! The problems that [`Users::check`](crate::Users::check) finds in a database and its users.

use std::fmt;

use crate::escape::Escaped;
use crate::group::{Group, GroupError};
use crate::hash::{Method, MethodError};
use crate::user::StoredText;
use crate::username::UsernameError;

/// A problem, and the user it concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The user, or `None` for a problem of the database as a whole.
    pub username: Option<StoredText>,
    /// The problem.
    pub problem: Problem,
}

/// Adds the problem of a user in a group, if there is one. The groups of a user come one after the
/// other.
pub(crate) fn membership(
    username: StoredText,
    group: StoredText,
    has_user: bool,
    findings: &mut Vec<Finding>,
) {
    let username = Some(username);
    let problem = if has_user {
        match group.as_str().map_or(Err(GroupError::NotUtf8), str::parse::<Group>) {
            Ok(_) => return,
            Err(reason) => Problem::GroupNotAllowed(group, reason),
        }
    } else if let Some(Finding { username: last, problem: Problem::OrphanedGroups(groups) }) =
        findings.last_mut()
        && *last == username
    {
        return groups.push(group);
    } else {
        Problem::OrphanedGroups(vec![group])
    };
    findings.push(Finding { username, problem });
}

/// The severity of a problem. The most severe is the smallest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// A user cannot log in, someone can log in who should not, or data is lost.
    Error,
    /// May become an error.
    Warning,
    /// For your information; nothing is broken.
    Info,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        })
    }
}

/// A problem. `Display` is one line, safe to print on a terminal, and shows no part of a stored
/// hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The username is NULL, a BLOB or not valid UTF-8.
    NameNotText,
    /// The username contains a `:`.
    NameCannotLogIn,
    /// The username is not allowed for new users.
    NameNotAllowed(UsernameError),
    /// Another user, the one given, has a name that differs only by ASCII case.
    NameDiffersByCase(StoredText),
    /// The language is NULL, a BLOB or not valid UTF-8.
    LanguageNotText,
    /// The language is not a BCP 47 tag.
    LanguageNotAllowed,
    /// The user is in a group whose name is not allowed.
    GroupNotAllowed(StoredText, GroupError),
    /// werkzeug raises an exception on the stored value.
    HashRaises(&'static str),
    /// werkzeug returns False for every password.
    HashNeverMatches(&'static str),
    /// The stored hash costs more than the limits of [`Method`].
    HashOverLimit(&'static str),
    /// werkzeug may support the method; this crate does not.
    HashUnsupported(&'static str),
    /// The stored value is a hash with extra characters around it; `what` describes both.
    #[expect(missing_docs, reason = "see OtherHash")]
    WrappedHash { what: String, is_restorable: bool },
    /// The stored value is a truncated hash.
    TruncatedHash {
        /// What the value is, in words.
        what: String,
        /// The stored length in characters.
        length: usize,
        /// The declared type of the column, if it limits the length.
        column: Option<String>,
        /// Whether werkzeug raises an exception on it.
        raises: bool,
    },
    /// The stored value is a hash in another program's format.
    OtherHash {
        /// What the value is, in words.
        what: String,
        /// Whether werkzeug raises an exception on it.
        raises: bool,
        /// Whether [`Users::unwrap_hashes`](crate::Users::unwrap_hashes) converts it.
        is_restorable: bool,
    },
    /// The stored value is NULL.
    HashNull,
    /// The stored value is a BLOB that holds a valid hash as UTF-8.
    HashBlob,
    /// The stored value is empty or blank.
    HashEmpty,
    /// The stored value is a placeholder such as `None` or `****`.
    NoPassword,
    /// The hash is [outdated](crate::PasswordHash::is_outdated), and may be [weak](Method::is_weak)
    /// too.
    HashOutdated(Method),
    /// The hash is [weak](Method::is_weak) but not outdated.
    HashWeak(Method),
    /// The stored value is a plaintext password.
    PlaintextPassword,
    /// The user still has the public [demo password](crate::DEMO_USERS).
    DemoPassword,
    /// Groups are stored for a user that does not exist.
    OrphanedGroups(Vec<StoredText>),
    /// The user was removed, and the history has no event of it.
    RemovedUnseen,
    /// The user was added, and the history has no event of it.
    AddedUnseen,
    /// A function, index, table or trigger of this crate is missing.
    Missing(SchemaObject),
    /// A function, index, table or trigger of this crate was altered.
    Altered(SchemaObject),
    /// The table `users` has a trigger of this name that this crate did not create.
    ForeignTrigger(String),
    /// A table or function of this crate has another owner than the table `users` (PostgreSQL).
    #[expect(missing_docs, reason = "the names say it")]
    ForeignOwner { object: SchemaObject, owner: String, expected: String },
    /// The triggers cannot write the history, for this reason.
    CannotRecord(String),
    /// Users cannot be added, changed or removed by anyone, for this reason.
    CannotChange(String),
    /// Triggers do not fire for this role or database, because of its `session_replication_role`.
    TriggersOff(String),
    /// The password hash was changed, and the history has no event of it.
    ChangedUnseen,
    /// A column of `users` is NOT NULL and has no default.
    RequiredColumn(String),
    /// The table that marks changes of this crate for the triggers has a leftover row.
    ChangeLeft,
    /// Everyone can read the file, which has this mode.
    ReadableByOthers(u32),
    /// Everyone can write to the file, which has this mode.
    WritableByOthers(u32),
    /// The file has this many hard links. A rollback journal belongs to one name only: opened by
    /// another name after a crash, the database is not recovered.
    HardLinked(u64),
    /// The database uses a write-ahead log in a directory that others cannot write to.
    WriteAheadLog,
    /// The database is damaged, as described.
    Integrity(String),
}

/// A function, index, table or trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SchemaObject {
    pub kind: SchemaObjectKind,
    pub name: String,
}

/// The kind of a [`SchemaObject`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum SchemaObjectKind {
    Function,
    Index,
    Table,
    Trigger,
}

impl Problem {
    /// The [codes](Self::code) of all problems, sorted.
    pub const CODES: [&'static str; 41] = [
        "added_unseen",
        "change_left",
        "changed_unseen",
        "clear_password",
        "demo_password",
        "file_hard_linked",
        "file_readable_by_others",
        "file_writable_by_others",
        "foreign_owner",
        "foreign_trigger",
        "function_altered",
        "function_missing",
        "group_not_allowed",
        "hash_never_matches",
        "hash_outdated",
        "hash_over_limit",
        "hash_raises",
        "hash_unsupported",
        "hash_weak",
        "history_blocked",
        "index_altered",
        "index_missing",
        "integrity",
        "language_not_allowed",
        "language_not_text",
        "name_cannot_log_in",
        "name_differs_by_case",
        "name_not_allowed",
        "name_not_text",
        "no_password",
        "orphaned_groups",
        "removed_unseen",
        "required_column",
        "table_altered",
        "table_missing",
        "trigger_altered",
        "trigger_missing",
        "triggers_off",
        "users_unchangeable",
        "wrapped_hash",
        "write_ahead_log",
    ];

    /// A code for programs. Codes do not change in later versions.
    #[must_use]
    pub fn code(&self) -> &'static str {
        use SchemaObjectKind::{Function, Index, Table, Trigger};
        match self {
            Self::NameNotText => "name_not_text",
            Self::NameCannotLogIn => "name_cannot_log_in",
            Self::NameNotAllowed(_) => "name_not_allowed",
            Self::NameDiffersByCase(_) => "name_differs_by_case",
            Self::LanguageNotText => "language_not_text",
            Self::LanguageNotAllowed => "language_not_allowed",
            Self::GroupNotAllowed(..) => "group_not_allowed",
            Self::HashRaises(_)
            | Self::HashNull
            | Self::HashBlob
            | Self::TruncatedHash { raises: true, .. }
            | Self::OtherHash { raises: true, .. } => "hash_raises",
            Self::HashNeverMatches(_)
            | Self::HashEmpty
            | Self::TruncatedHash { raises: false, .. }
            | Self::OtherHash { raises: false, .. } => "hash_never_matches",
            Self::WrappedHash { .. } => "wrapped_hash",
            Self::NoPassword => "no_password",
            Self::HashOverLimit(_) => "hash_over_limit",
            Self::HashUnsupported(_) => "hash_unsupported",
            Self::HashOutdated(_) => "hash_outdated",
            Self::HashWeak(_) => "hash_weak",
            Self::PlaintextPassword => "clear_password",
            Self::DemoPassword => "demo_password",
            Self::OrphanedGroups(_) => "orphaned_groups",
            Self::RemovedUnseen => "removed_unseen",
            Self::AddedUnseen => "added_unseen",
            Self::Missing(SchemaObject { kind: Function, .. }) => "function_missing",
            Self::Missing(SchemaObject { kind: Index, .. }) => "index_missing",
            Self::Missing(SchemaObject { kind: Table, .. }) => "table_missing",
            Self::Missing(SchemaObject { kind: Trigger, .. }) => "trigger_missing",
            Self::Altered(SchemaObject { kind: Function, .. }) => "function_altered",
            Self::Altered(SchemaObject { kind: Index, .. }) => "index_altered",
            Self::Altered(SchemaObject { kind: Table, .. }) => "table_altered",
            Self::Altered(SchemaObject { kind: Trigger, .. }) => "trigger_altered",
            Self::ForeignTrigger(_) => "foreign_trigger",
            Self::ForeignOwner { .. } => "foreign_owner",
            Self::CannotRecord(_) => "history_blocked",
            Self::CannotChange(_) => "users_unchangeable",
            Self::TriggersOff(_) => "triggers_off",
            Self::ChangedUnseen => "changed_unseen",
            Self::RequiredColumn(_) => "required_column",
            Self::ChangeLeft => "change_left",
            Self::ReadableByOthers(_) => "file_readable_by_others",
            Self::WritableByOthers(_) => "file_writable_by_others",
            Self::HardLinked(_) => "file_hard_linked",
            Self::WriteAheadLog => "write_ahead_log",
            Self::Integrity(_) => "integrity",
        }
    }

    /// The severity.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::NameNotText
            | Self::NameCannotLogIn
            | Self::HashRaises(_)
            | Self::HashNeverMatches(_)
            | Self::WrappedHash { .. }
            | Self::TruncatedHash { .. }
            | Self::OtherHash { .. }
            | Self::HashNull
            | Self::HashBlob
            | Self::HashEmpty
            | Self::NoPassword
            | Self::PlaintextPassword
            | Self::DemoPassword
            | Self::Missing(_)
            | Self::Altered(_)
            | Self::ForeignOwner { .. }
            | Self::CannotRecord(_)
            | Self::CannotChange(_)
            | Self::TriggersOff(_)
            | Self::ChangeLeft
            | Self::WritableByOthers(_)
            | Self::Integrity(_) => Severity::Error,
            Self::NameNotAllowed(_)
            | Self::NameDiffersByCase(_)
            | Self::LanguageNotText
            | Self::GroupNotAllowed(..)
            | Self::HashOverLimit(_)
            | Self::HashUnsupported(_)
            | Self::OrphanedGroups(_)
            | Self::ChangedUnseen
            | Self::ForeignTrigger(_)
            | Self::RequiredColumn(_)
            | Self::ReadableByOthers(_)
            | Self::HardLinked(_)
            | Self::WriteAheadLog => Severity::Warning,
            Self::LanguageNotAllowed
            | Self::HashOutdated(_)
            | Self::HashWeak(_)
            | Self::RemovedUnseen
            | Self::AddedUnseen => Severity::Info,
        }
    }
}

/// The consequence of a stored value that is not a valid hash.
fn login_failure(raises: bool) -> &'static str {
    if raises {
        "login fails with a werkzeug exception"
    } else {
        "no password matches the stored hash"
    }
}

impl fmt::Display for Problem {
    #[expect(clippy::too_many_lines, reason = "one message for each problem")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameNotText => f.write_str("cannot log in: the username is not UTF-8 text"),
            Self::NameCannotLogIn => f.write_str(
                "cannot log in: HTTP Basic authentication ends the username at the first ':'",
            ),
            Self::NameNotAllowed(reason) => {
                write!(f, "not allowed for a new user: {reason}")
            }
            Self::NameDiffersByCase(other) => {
                write!(f, "the username differs only by case from '{other}'")
            }
            Self::LanguageNotText => f.write_str("the language is not UTF-8 text"),
            Self::LanguageNotAllowed => f.write_str("the language is not a BCP 47 tag"),
            Self::GroupNotAllowed(group, reason) => {
                write!(f, "invalid group '{group}': {reason}")
            }
            Self::HashRaises(reason) => write!(f, "{}: {reason}", login_failure(true)),
            Self::HashNeverMatches(reason) => write!(f, "{}: {reason}", login_failure(false)),
            Self::WrappedHash { what, .. } => {
                write!(f, "cannot log in: the stored value is {what}")
            }
            Self::OtherHash { what, raises, .. } => {
                write!(f, "{}: the stored value is {what}", login_failure(*raises))
            }
            Self::TruncatedHash { what, length, column, raises } => {
                write!(
                    f,
                    "{}: the stored value is {what}, with {length} characters",
                    login_failure(*raises)
                )?;
                match column {
                    Some(column) => write!(f, "; the column has the type {}", Escaped(column)),
                    None => Ok(()),
                }
            }
            Self::HashNull => {
                f.write_str("login fails with a werkzeug exception: the stored hash is NULL")
            }
            Self::HashBlob => f.write_str(
                "login fails with a werkzeug exception: the stored hash is valid, but a BLOB \
                 instead of text",
            ),
            Self::HashEmpty => f.write_str("cannot log in: the stored hash is empty"),
            Self::NoPassword => f.write_str(
                "cannot log in: the stored value is a placeholder such as None or ***, not a hash",
            ),
            Self::HashOverLimit(reason)
                if MethodError::TOO_LONG == MethodError::OverLimit(reason) =>
            {
                write!(f, "dash-users rejects the stored value: {reason}")
            }
            Self::HashOverLimit(reason) => write!(
                f,
                "werkzeug takes seconds for each request, or raises an exception: {reason}"
            ),
            Self::HashUnsupported(reason) => {
                write!(f, "werkzeug may verify the stored hash, but dash-users cannot: {reason}")
            }
            Self::HashOutdated(method) if method.is_weak() => {
                write!(f, "the hash is outdated and weak: {method} is below OWASP's recommendation")
            }
            Self::HashOutdated(method) => write!(f, "the hash is outdated: it uses {method}"),
            Self::HashWeak(method) => {
                write!(f, "the hash is weak: {method} is below OWASP's recommendation")
            }
            Self::PlaintextPassword => f.write_str(
                "the password is stored in plaintext: it does not work for login, and anyone \
                 with read access can see it",
            ),
            Self::DemoPassword => f.write_str("the password is the public demo password"),
            Self::OrphanedGroups(groups) => {
                let groups: Vec<_> = groups.iter().map(ToString::to_string).collect();
                write!(f, "groups of a user that does not exist: {}", groups.join(", "))
            }
            Self::RemovedUnseen => f.write_str(
                "the user was removed without an event: the row was replaced, or the triggers were \
                 missing",
            ),
            Self::AddedUnseen => {
                f.write_str("the user was added without an event: the triggers were missing")
            }
            Self::Missing(object) => write!(f, "the {object} is missing"),
            Self::Altered(object) => write!(f, "the {object} was altered"),
            Self::ForeignTrigger(name) => write!(
                f,
                "the trigger '{}' was not created by dash-users, and sees every value that is \
                 written",
                Escaped(name)
            ),
            Self::ForeignOwner { object, owner, expected } => write!(
                f,
                "the {object} belongs to role '{}', but 'users' belongs to '{}'",
                Escaped(owner),
                Escaped(expected)
            ),
            Self::CannotRecord(reason) => {
                write!(f, "the triggers cannot write the history: {reason}")
            }
            Self::CannotChange(reason) => {
                write!(f, "users cannot be added, changed or removed: {}", Escaped(reason))
            }
            Self::TriggersOff(of) => write!(
                f,
                "triggers do not fire for {}: its session_replication_role is 'replica'",
                Escaped(of)
            ),
            Self::ChangedUnseen => f.write_str(
                "the password hash was changed while the triggers were not working: the groups \
                 may belong to an earlier user",
            ),
            Self::RequiredColumn(name) => write!(
                f,
                "users cannot be added: column '{}' of table 'users' is NOT NULL and has no \
                 default",
                Escaped(name)
            ),
            Self::ChangeLeft => f.write_str(
                "table 'dash_users_change' has a leftover row: changes by the app are recorded \
                 as changes by dash-users",
            ),
            Self::ReadableByOthers(mode) => {
                write!(f, "anyone on this machine can read the hashes: the file mode is {mode:04o}")
            }
            Self::WritableByOthers(mode) => {
                write!(
                    f,
                    "anyone on this machine can change passwords: the file mode is {mode:04o}"
                )
            }
            Self::HardLinked(names) => write!(
                f,
                "the file has {names} hard links: after a crash, opening it by another name \
                 misses its journal and damages it"
            ),
            Self::WriteAheadLog => f.write_str(
                "an app that runs as another user cannot read the file: it uses a write-ahead \
                 log, and only the owner can write to its directory",
            ),
            Self::Integrity(reason) => write!(f, "the file is damaged: {}", Escaped(reason)),
        }
    }
}

impl fmt::Display for SchemaObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            SchemaObjectKind::Function => "function",
            SchemaObjectKind::Index => "index",
            SchemaObjectKind::Table => "table",
            SchemaObjectKind::Trigger => "trigger",
        };
        write!(f, "{kind} '{}'", Escaped(&self.name))
    }
}
