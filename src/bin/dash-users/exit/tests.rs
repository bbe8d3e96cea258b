//! Code and hint of each error.

use std::path::PathBuf;

use dash_users::PasswordHash;

use super::*;

#[test]
fn every_code_has_an_exit_code_in_the_table() {
    for code in [
        Code::Failed,
        Code::FileExists,
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
        Code::Findings,
        Code::WeakPassword,
        Code::BadPassword,
        Code::UserExists,
        Code::NeedsConfirmation,
        Code::Interrupted,
    ] {
        assert!(EXIT_CODES.iter().any(|(exit, _)| *exit == code.exit_code()), "{code:?}");
    }
}

/// Asserts that a hint has a part, or that there is none.
fn assert_hint(hint: &str, part: &str, message: &str) {
    assert!(hint.contains(part) && hint.is_empty() == part.is_empty(), "{message}");
}

fn report(error: impl Into<Failure>) -> (Code, String) {
    let failure = error.into();
    (failure.code, failure.hint.unwrap_or_default())
}

#[test]
fn operation_error_has_code_and_hint() {
    let name = || StoredText::Text("alice".to_owned());
    let username = || "alice".parse().unwrap();
    let passwd = "`dash-users passwd alice --database /srv/a.db`";
    let reason = policy::Violation::Empty;
    let no_hash = "".parse::<PasswordHash>().unwrap_err();
    for (error, code, hint) in [
        (Error::NoSuchUser(name()), Code::NoSuchUser, ""),
        (Error::UserExists(username()), Code::UserExists, "passwd"),
        (
            Error::SimilarUser { username: username(), existing: name() },
            Code::UserExists,
            "--allow-similar",
        ),
        (Error::Password(reason), Code::BadPassword, ""),
        (Error::Password(policy::Violation::TooShort), Code::WeakPassword, "--generate"),
        (Error::WrongPassword, Code::Refused, ""),
        (Error::InvalidHash { username: name(), reason: no_hash }, Code::InvalidData, passwd),
        (Error::HashLike(name()), Code::InvalidData, passwd),
        (
            Error::HashNotPassword { username: name(), what: String::new(), is_restorable: true },
            Code::InvalidData,
            "check --fix --unwrap",
        ),
        (
            Error::HashNotPassword { username: name(), what: String::new(), is_restorable: false },
            Code::InvalidData,
            passwd,
        ),
        (Error::NoPassword(name()), Code::InvalidData, passwd),
        (Error::PlaintextPassword { username: name(), reason }, Code::BadPassword, passwd),
        (Error::UnreachableName(name()), Code::InvalidData, ""),
        (Error::ConcurrentChange(name()), Code::Failed, "try again"),
        (StoreError::NotOnServers.into(), Code::Failed, "pg_dump"),
    ] {
        let message = error.to_string();
        let (found, found_hint) =
            match with_user_hint(&error, &Location::Sqlite("/srv/a.db".into())) {
                Some(failure) => report(failure),
                None => report(error),
            };
        assert_eq!(found, code, "{message}");
        assert_hint(&found_hint, hint, &message);
    }
}

#[test]
fn database_error_has_code_and_hint() {
    use StoreError as E;

    let path = || PathBuf::from("/srv/a.db");
    let location = || Location::Sqlite(path());
    let reason = String::new;
    for (error, code, hint) in [
        (E::NoDatabase { path: path() }, Code::NoDatabase, "init"),
        (E::NoDirectory { path: path() }, Code::NoDatabase, "create the directory"),
        (E::FileExists { path: path() }, Code::FileExists, "--force"),
        (E::SameFile { path: path() }, Code::Usage, "another file"),
        (
            E::NeedsMigration { location: location(), reason: reason() },
            Code::NeedsMigration,
            "init",
        ),
        (E::NewerSchema { location: location(), found: 9, known: 2 }, Code::NewerSchema, "newer"),
        (E::NotADatabase { location: location(), reason: reason() }, Code::NotADatabase, ""),
        (E::CannotConnect { location: location(), reason: reason() }, Code::CannotConnect, ""),
        (E::Busy { location: location(), holder: None }, Code::Busy, "try again"),
        (E::Conflict { location: location() }, Code::Busy, "try again"),
        (E::Refused { location: location(), reason: reason() }, Code::Failed, ""),
        (E::Failed { location: location(), reason: reason() }, Code::Failed, ""),
    ] {
        let message = error.to_string();
        let (found, found_hint) = report(Error::from(error));
        assert_eq!(found, code, "{message}");
        assert_hint(&found_hint, hint, &message);
    }
}

#[test]
fn invalid_value_has_its_code() {
    let invalid = (Code::InvalidData, String::new());
    assert_eq!(report(UsernameError::Empty), invalid);
    assert_eq!(report(GroupError::Empty), invalid);
    assert_eq!(report(LanguageError), invalid);
    assert_eq!(report(PasswordNotUtf8), invalid);
    assert_eq!(report(LocationError::Empty), (Code::Usage, String::new()));
    assert_eq!(report(policy::Violation::Empty), (Code::BadPassword, String::new()));
    assert_eq!(report(io::Error::other("whatever")), (Code::Failed, String::new()));
}

#[test]
fn context_keeps_code_and_hint() {
    let failure = Err::<(), _>(Failure::new(Code::Refused, "no").hint("yes")).context("why");
    let failure = failure.unwrap_err();
    assert_eq!((failure.code, &*failure.message), (Code::Refused, "why: no"));
    assert_eq!(failure.hint.as_deref(), Some("yes"));
}

#[test]
fn record_error_has_code_and_hint() {
    let alice = || StoredText::Text("alice".to_owned());
    for (reason, code, hint) in [
        (RecordError::Password(policy::Violation::TooShort), Code::WeakPassword, "--allow-weak"),
        (RecordError::Password(policy::Violation::Empty), Code::BadPassword, ""),
        (RecordError::Exists, Code::UserExists, "--on-conflict"),
        (RecordError::Similar(alice()), Code::UserExists, "--allow-similar"),
        (RecordError::RepeatedByCase(Position::Line(1)), Code::InvalidData, "--allow-similar"),
        (RecordError::Hash("".parse::<PasswordHash>().unwrap_err()), Code::InvalidData, "--as-is"),
        (RecordError::NoSecret, Code::InvalidData, "--generate-missing"),
        (RecordError::HashLike, Code::InvalidData, "--allow-hash-like"),
    ] {
        let (found, found_hint) = of_record(&reason);
        assert_eq!(found, code, "{reason}");
        assert_hint(found_hint.unwrap_or_default(), hint, &reason.to_string());
    }
}
