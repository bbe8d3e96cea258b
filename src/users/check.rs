//! Checking a database and its users for problems.

use std::collections::HashMap;

use super::no_password::is_no_password;
use super::plaintext::plaintext_password;
use super::unwrap::blob_of_hash;
use super::wrapped::Detected;
use super::{Error, Users, until_known};
use crate::check::{Finding, Problem};
use crate::credential::unlocked;
use crate::event::Event;
use crate::hash::{HashError, Method, MethodError, PasswordHash};
use crate::language::Language;
use crate::password::Password;
use crate::store::Row;
use crate::user::StoredText;
use crate::username::Username;

/// Username, password and language of the demo users. These passwords are public.
pub const DEMO_USERS: [(&str, &str, &str); 2] =
    [("alice", "secret123", "en"), ("bob", "pa$$w0rd", "fr")];

impl Users {
    /// Finds problems: first those of the database, then those of each user, ordered by name. Works
    /// even if triggers are missing.
    ///
    /// # Errors
    ///
    /// [`StoreError::NeedsMigration`](crate::StoreError::NeedsMigration) if the schema has an older
    /// version, and others.
    pub fn check(&mut self) -> Result<Vec<Finding>, Error> {
        let mut of_users = Vec::new();
        let mut names = HashMap::new();
        let method = self.method;
        let mut findings = self.store.check(&mut |row| {
            of_user(&row, &method, &mut names, &mut of_users);
        })?;
        self.add_column_types(&mut of_users)?;
        findings.append(&mut of_users);
        Ok(findings)
    }

    /// Adds the declared type of the column to the findings of truncated hashes.
    fn add_column_types(&mut self, findings: &mut [Finding]) -> Result<(), Error> {
        let is_truncated =
            |finding: &Finding| matches!(finding.problem, Problem::TruncatedHash { .. });
        if !findings.iter().any(is_truncated) {
            return Ok(());
        }
        let declared = self.store.hash_column()?;
        for finding in findings {
            if let Problem::TruncatedHash { column, .. } = &mut finding.problem {
                column.clone_from(&declared);
            }
        }
        Ok(())
    }

    /// Repairs every problem found by [`check`](Self::check) that can be repaired without changing
    /// a user or the file mode: restores missing parts of the schema, and deletes groups of users
    /// that do not exist. Returns the events that this added to the history, newest first.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check); nothing is changed then, except for
    /// [`StoreError::Unfinished`](crate::StoreError::Unfinished).
    pub fn repair(&mut self) -> Result<Vec<Event>, Error> {
        until_known(|| Ok(self.store.repair(self.hooks)?))
    }
}

/// Finds the problems of a user. `names` holds the earlier usernames by their lowercase form.
fn of_user(
    row: &Row,
    method: &Method,
    names: &mut HashMap<Vec<u8>, StoredText>,
    findings: &mut Vec<Finding>,
) {
    let mut problems = Vec::new();
    problems.extend(of_name(&row.username));
    if let Some(name) = row.username.as_key() {
        let other = names.entry(name.to_ascii_lowercase()).or_insert_with(|| row.username.clone());
        if *other != row.username {
            problems.push(Problem::NameDiffersByCase(other.clone()));
        }
    }
    problems.extend(of_hash(row, method));
    if has_demo_password(row) {
        problems.push(Problem::DemoPassword);
    }
    match &row.profile.language {
        StoredText::Text(language) if language.parse::<Language>().is_ok() => {}
        StoredText::Text(_) => problems.push(Problem::LanguageNotAllowed),
        _ => problems.push(Problem::LanguageNotText),
    }
    let finding = |problem| Finding { username: Some(row.username.clone()), problem };
    findings.extend(problems.into_iter().map(finding));
}

fn of_name(name: &StoredText) -> Option<Problem> {
    let StoredText::Text(name) = name else { return Some(Problem::NameNotText) };
    if name.contains(':') {
        return Some(Problem::NameCannotLogIn);
    }
    name.parse::<Username>().err().map(Problem::NameNotAllowed)
}

fn of_hash(row: &Row, current: &Method) -> Option<Problem> {
    let by_method = |error| match error {
        MethodError::Raises(reason) => Problem::HashRaises(reason),
        MethodError::Unsupported(reason) => Problem::HashUnsupported(reason),
        MethodError::OverLimit(reason) => Problem::HashOverLimit(reason),
    };
    if let Some(problem) = of_other_value(row) {
        return Some(problem);
    }
    let credential = row.secret.credential();
    if let Some(hash) = credential.hash() {
        let method = *hash.method();
        return if hash.is_outdated(current) {
            Some(Problem::HashOutdated(method))
        } else {
            method.is_weak().then_some(Problem::HashWeak(method))
        };
    }
    Some(match credential.error()? {
        _ if matches!(plaintext_password(row, false), Ok(Some(_))) => Problem::PlaintextPassword,
        HashError::NeverMatches(reason) => Problem::HashNeverMatches(reason),
        HashError::Method(error) => by_method(error),
    })
}

/// The problem of a stored value that is a damaged hash or a hash in another format.
fn of_other_value(row: &Row) -> Option<Problem> {
    let raises = match row.secret.credential().error()? {
        HashError::NeverMatches(_) => false,
        HashError::Method(MethodError::Raises(_)) => true,
        HashError::Method(_) => return None,
    };
    let text = match row.secret.expose() {
        StoredText::Null => return Some(Problem::HashNull),
        StoredText::Text(text) => text,
        _ => return blob_of_hash(&row.secret).map(|_| Problem::HashBlob),
    };
    if is_no_password(&unlocked(text).unwrap_or_else(|| text.clone())) {
        let is_empty = text.trim().is_empty();
        return Some(if is_empty { Problem::HashEmpty } else { Problem::NoPassword });
    }
    let detected = Detected::in_stored(&row.secret)?;
    let (what, is_restorable) = (detected.describe(), detected.is_restorable());
    Some(match (detected.is_wrapped(), detected.is_truncated()) {
        (true, _) if detected.is_hash() => Problem::WrappedHash { what, is_restorable },
        // It only begins like a hash, after something else.
        (true, _) => return None,
        (false, true) => {
            Problem::TruncatedHash { what, length: text.chars().count(), column: None, raises }
        }
        (false, false) => Problem::OtherHash { what, raises, is_restorable },
    })
}

fn has_demo_password(row: &Row) -> bool {
    let is_demo =
        |(name, _, _): &&(&str, &str, &str)| row.username.as_key() == Some(name.as_bytes());
    let Some((_, password, _)) = DEMO_USERS.iter().find(is_demo) else { return false };
    let credential = row.secret.credential();
    let verify = |hash: &PasswordHash| hash.verify(&Password::from(*password));
    credential.hash().is_some_and(verify)
}
