//! Finding problems of a file, except those of single rows.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rusqlite::Connection;

use super::error::sql_error;
use super::profile::{ALL_ALONE, read_rows};
use super::{Sqlite, reconcile, schema, schema_text, stored_text, table};
use crate::check::{self, Finding, Problem, SchemaObject, SchemaObjectKind};
use crate::store::{Location, Row, StoreError};

/// The maximum number of lines of `PRAGMA integrity_check` that are shown.
const MAX_INTEGRITY_LINES: u32 = 10;

pub(super) fn check(
    store: &mut Sqlite,
    each: &mut dyn FnMut(Row),
) -> Result<Vec<Finding>, StoreError> {
    let Sqlite { connection, location, .. } = store;
    let fail = sql_error(location);
    let transaction = connection.transaction().map_err(&fail)?;
    // Constraints of the app are the app's concern, and may take any time.
    transaction.pragma_update(None, "ignore_check_constraints", true).map_err(&fail)?;
    let integrity = integrity(&transaction);
    transaction.pragma_update(None, "ignore_check_constraints", false).map_err(&fail)?;
    let mut findings = integrity.map_err(&fail)?;
    match look(&transaction, location, &mut findings, each) {
        // A damaged file cannot be read completely.
        Err(StoreError::NotADatabase { .. }) if !findings.is_empty() => Ok(findings),
        looked => looked.map(|()| findings),
    }
}

/// A problem of the database, not of a user.
fn of_database(problem: Problem) -> Finding {
    Finding { username: None, problem }
}

fn integrity(connection: &Connection) -> rusqlite::Result<Vec<Finding>> {
    let check = format!("PRAGMA integrity_check({MAX_INTEGRITY_LINES})");
    let lines: Vec<String> = connection
        .prepare(&check)?
        .query_map([], |row| row.get_ref(0).map(|line| stored_text(line).to_string()))?
        .collect::<Result<_, _>>()?;
    let wrong = lines.into_iter().filter(|line| line != "ok");
    Ok(wrong.map(|line| of_database(Problem::Integrity(line))).collect())
}

fn look(
    connection: &Connection,
    location: &Location,
    findings: &mut Vec<Finding>,
    each: &mut dyn FnMut(Row),
) -> Result<(), StoreError> {
    let fail = sql_error(location);
    let schema = schema::inspect(connection, location)?;
    if schema.version < schema::LATEST {
        return Err(schema.needs_migration(location));
    }
    if !schema.has_users_table {
        // Only a repair deletes the remains of users. If nothing remains, `init` is enough.
        let is_left = schema::has_groups(connection).map_err(&fail)?;
        let kind = SchemaObjectKind::Table;
        let users = SchemaObject { kind, name: "users".to_owned() };
        findings.push(of_database(Problem::Missing(users)));
        return if is_left { Ok(()) } else { Err(schema.needs_migration(location)) };
    }
    let Some(path) = location.path() else { return Ok(()) };
    findings.extend(of_file(path, connection).map_err(&fail)?.into_iter().map(of_database));
    findings
        .extend(schema.required_columns.into_iter().map(Problem::RequiredColumn).map(of_database));

    let damage = schema::damage(connection, location)?;
    // Our own triggers need our tables.
    if damage.is_empty() {
        findings
            .extend(table::unchangeable(connection).map(Problem::CannotChange).map(of_database));
    }
    let is_there = |table: &str| damage.iter().all(|damage| damage.object != table);
    findings.extend(objects(connection).map_err(&fail)?.into_iter().map(of_database));
    if is_there("user_groups") {
        findings.extend(groups(connection).map_err(&fail)?);
    }
    if is_there("dash_users_times") {
        findings.extend(unseen(connection).map_err(&fail)?);
    }
    if is_there("dash_users_change") && exists(connection, "dash_users_change").map_err(&fail)? {
        findings.push(of_database(Problem::ChangeLeft));
    }
    read_rows(connection, ALL_ALONE, [], each).map_err(&fail)
}

/// Whether one of our tables has a row.
fn exists(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    let select = format!("SELECT EXISTS (SELECT 1 FROM {table})");
    connection.query_row(&select, [], |row| row.get(0))
}

/// Problems with the file's mode, links and journal.
fn of_file(path: &Path, connection: &Connection) -> rusqlite::Result<Vec<Problem>> {
    let mode = |path: &Path| fs::metadata(path).map(|metadata| metadata.mode());
    let mut problems = Vec::new();
    // The file existed when it was opened.
    let file = mode(path).unwrap_or_default() & 0o7777;
    if file & 0o004 != 0 {
        problems.push(Problem::ReadableByOthers(file));
    }
    if file & 0o002 != 0 {
        problems.push(Problem::WritableByOthers(file));
    }
    if let Ok(names @ 2..) = fs::metadata(path).map(|metadata| metadata.nlink()) {
        problems.push(Problem::HardLinked(names));
    }
    let journal: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    let directory = path.parent().and_then(|directory| mode(directory).ok());
    if journal == "wal" && directory.is_some_and(|mode| mode & 0o022 == 0) {
        problems.push(Problem::WriteAheadLog);
    }
    Ok(problems)
}

/// Indexes, tables and triggers that are missing, altered, or not ours.
fn objects(connection: &Connection) -> rusqlite::Result<Vec<Problem>> {
    let select = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL";
    let found: Vec<(String, String)> = connection
        .prepare(select)?
        .query_map([], |row| Ok((schema_text(row, 0)?, schema_text(row, 1)?)))?
        .collect::<Result<_, _>>()?;
    let sql = |wanted: &str| {
        let is_it = |(name, _): &&(String, String)| name.eq_ignore_ascii_case(wanted);
        found.iter().find(is_it).map(|(_, sql)| sql)
    };
    let mut problems = Vec::new();
    let ours = schema::objects()?;
    for (kind, name, expected) in &ours {
        let object = || SchemaObject { kind: *kind, name: name.clone() };
        match sql(name) {
            None => problems.push(Problem::Missing(object())),
            Some(sql) if !schema::is_same(sql, expected) => {
                problems.push(Problem::Altered(object()));
            }
            Some(_) => {}
        }
    }
    let foreign = schema::foreign_triggers(connection, &ours)?;
    problems.extend(foreign.into_iter().map(|(name, _)| Problem::ForeignTrigger(name)));
    Ok(problems)
}

/// Groups with invalid names, and groups of users that do not exist.
fn groups(connection: &Connection) -> rusqlite::Result<Vec<Finding>> {
    let mut statement = connection.prepare(
        "SELECT username, group_name,
                username IN (SELECT username FROM users WHERE username IS NOT NULL)
         FROM user_groups ORDER BY username, group_name",
    )?;
    let mut rows = statement.query([])?;
    let mut findings = Vec::new();
    while let Some(row) = rows.next()? {
        let (username, group) = (stored_text(row.get_ref(0)?), stored_text(row.get_ref(1)?));
        check::membership(username, group, row.get(2)?, &mut findings);
    }
    Ok(findings)
}

/// Users who were added, removed or changed without the triggers.
fn unseen(connection: &Connection) -> rusqlite::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (problem, select) in [
        (
            Problem::RemovedUnseen,
            "SELECT username FROM dash_users_times
             WHERE username NOT IN (SELECT username FROM users WHERE username IS NOT NULL)",
        ),
        (
            Problem::AddedUnseen,
            "SELECT username FROM users
             WHERE username IS NOT NULL
                 AND username COLLATE BINARY NOT IN (SELECT username FROM dash_users_times)",
        ),
        (
            Problem::ChangedUnseen,
            &format!(
                "SELECT users.username FROM users JOIN dash_users_times AS times
                     ON times.username = users.username
                 WHERE times.fingerprint IS NOT NULL AND times.fingerprint IS NOT {}",
                reconcile::fingerprint("users.password_hash")
            ),
        ),
    ] {
        let mut statement = connection.prepare(select)?;
        let names = statement.query_map([], |row| row.get_ref(0).map(stored_text))?;
        for name in names {
            findings.push(Finding { username: Some(name?), problem: problem.clone() });
        }
    }
    Ok(findings)
}
