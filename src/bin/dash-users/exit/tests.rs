//! What each error comes to, and what can be pasted.

use std::path::PathBuf;

use dash_users::PasswordHash;

use super::*;

#[test]
fn every_code_has_a_status_of_the_table() {
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
        assert!(STATUSES.iter().any(|(status, _)| *status == code.status()), "{code:?}");
    }
}

fn report(error: impl Into<anyhow::Error>) -> (Code, String) {
    let report = Report::from(error.into());
    (report.code, report.hint.unwrap_or_default())
}

#[test]
fn what_keeps_an_operation_from_being_done_has_a_code_and_a_way_out() {
    let name = || StoredText::Text("alice".to_owned());
    let username = || "alice".parse().unwrap();
    let passwd = "`dash-users passwd` sets a new password";
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
        let (found, way_out) = report(error);
        assert_eq!(found, code, "{message}");
        assert!(way_out.contains(hint) && way_out.is_empty() == hint.is_empty(), "{message}");
    }
}

#[test]
fn what_keeps_a_database_from_being_used_has_a_code_and_a_way_out() {
    let path = || PathBuf::from("/srv/a.db");
    let location = || Location::Sqlite(path());
    let reason = String::new;
    for (error, code, hint) in [
        (StoreError::NoDatabase { path: path() }, Code::NoDatabase, "init"),
        (StoreError::NoDirectory { path: path() }, Code::NoDatabase, "create the directory"),
        (StoreError::FileExists { path: path() }, Code::FileExists, "--force"),
        (StoreError::SameFile { path: path() }, Code::Usage, "another file"),
        (
            StoreError::NeedsMigration { location: location(), reason: reason() },
            Code::NeedsMigration,
            "init",
        ),
        (
            StoreError::NewerSchema { location: location(), found: 9, known: 2 },
            Code::NewerSchema,
            "newer dash-users",
        ),
        (
            StoreError::NotADatabase { location: location(), reason: reason() },
            Code::NotADatabase,
            "",
        ),
        (
            StoreError::CannotConnect { location: location(), reason: reason() },
            Code::CannotConnect,
            "",
        ),
        (StoreError::Busy { location: location(), holder: None }, Code::Busy, "try again"),
        (StoreError::Conflict { location: location() }, Code::Busy, "try again"),
        (StoreError::Refused { location: location(), reason: reason() }, Code::Failed, ""),
        (StoreError::Failed { location: location(), reason: reason() }, Code::Failed, ""),
    ] {
        let message = error.to_string();
        let (found, way_out) = report(Error::from(error));
        assert_eq!(found, code, "{message}");
        assert!(way_out.contains(hint) && way_out.is_empty() == hint.is_empty(), "{message}");
    }
}

#[test]
fn what_is_no_value_of_its_kind_is_invalid_data() {
    let invalid = (Code::InvalidData, String::new());
    assert_eq!(report(UsernameError::Empty), invalid);
    assert_eq!(report(GroupError::Empty), invalid);
    assert_eq!(report(LanguageError), invalid);
    assert_eq!(report(PasswordNotUtf8), invalid);
    assert_eq!(report(LocationError::Empty), (Code::Usage, String::new()));
    assert_eq!(report(policy::Violation::Empty), (Code::BadPassword, String::new()));
    assert_eq!(report(anyhow::anyhow!("whatever")), (Code::Failed, String::new()));
}

#[test]
fn what_is_answered_stays_so_with_all_that_it_says() {
    let failure = Failure::new(Code::Refused, "no").hint("yes").answered();
    let report = Report::from(anyhow::Error::from(failure));
    assert!(report.is_answered);
    assert_eq!((report.code, &*report.message), (Code::Refused, "no"));
    assert_eq!(report.hint.as_deref(), Some("yes"));
}

#[test]
fn a_command_to_paste_is_quoted_where_it_must_be() {
    let init = |path: &str| command(&Location::Sqlite(path.into()), "init");
    assert_eq!(init("/srv/a.db"), "`dash-users init --database /srv/a.db`");
    assert_eq!(init("/a b/$x'"), r"`dash-users init --database '/a b/$x'\'''`");
}

#[test]
fn what_cannot_be_typed_is_not_quoted() {
    let quoted = |text: &str| quoted(&StoredText::Text(text.to_owned()));
    assert_eq!(quoted("zoe"), Some("zoe".to_owned()));
    assert_eq!(quoted("Zoë Q"), Some("'Zoë Q'".to_owned()));
    assert_eq!(quoted(""), Some("''".to_owned()));
    for text in ["a\nb", "a\0", "\u{202e}a"] {
        assert_eq!(quoted(text), None, "{text:?}");
    }
}

#[test]
fn what_is_wrong_with_a_record_has_a_code_and_a_way_out() {
    let alice = || StoredText::Text("alice".to_owned());
    for (reason, code, hint) in [
        (RecordError::Password(policy::Violation::TooShort), Code::WeakPassword, "--allow-weak"),
        (RecordError::Password(policy::Violation::Empty), Code::BadPassword, ""),
        (RecordError::Exists, Code::UserExists, "--on-conflict"),
        (RecordError::Similar(alice()), Code::UserExists, "--allow-similar"),
        (RecordError::RepeatedByCase(Position::Line(1)), Code::InvalidData, "--allow-similar"),
        (RecordError::Hash("".parse::<PasswordHash>().unwrap_err()), Code::InvalidData, "--as-is"),
        (RecordError::NoSecret, Code::InvalidData, "--generate-missing"),
        (RecordError::HashLike, Code::InvalidData, ""),
    ] {
        let (found, way_out) = of_record(&reason);
        assert_eq!(found, code, "{reason}");
        let way_out = way_out.unwrap_or_default();
        assert!(way_out.contains(hint) && way_out.is_empty() == hint.is_empty(), "{reason}");
    }
}
