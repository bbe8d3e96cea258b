//! What is wrong with a database, apart from what its rows say.

use postgres::types::Type;

use super::connection::quoted;
use super::{PostgresTransaction, schema, stored_text};
use crate::check::{Finding, Problem, SchemaObject, SchemaObjectKind};
use crate::group::Group;
use crate::store::{Row, StoreError, StoredSecret};
use crate::user::StoredText;

pub(super) fn check(
    transaction: &mut PostgresTransaction,
    each: &mut dyn FnMut(Row),
) -> Result<Vec<Finding>, StoreError> {
    let found = schema::inspect(transaction)?;
    if found.version < schema::LATEST || !found.has_users_table {
        return Err(schema::needs_migration(&found, transaction.location));
    }
    let mut problems = Vec::new();
    problems.extend(found.required_columns.into_iter().map(Problem::RequiredColumn));
    let missing = schema::missing(transaction)?;
    for (_, name) in &missing {
        let kind = match *name {
            "dash_users_username_nocase" => SchemaObjectKind::Index,
            "user_groups" | "user_events" | "dash_users_times" => SchemaObjectKind::Table,
            _ => SchemaObjectKind::Trigger,
        };
        problems.push(Problem::Missing(SchemaObject { kind, name: (*name).to_owned() }));
    }
    problems.extend(functions(transaction)?);
    problems.extend(foreign_triggers(transaction)?);
    let of_database = |problem| Finding { username: None, problem };
    let mut findings: Vec<_> = problems.into_iter().map(of_database).collect();

    let is_there = |table: &str| missing.iter().all(|(_, name)| *name != table);
    if is_there("user_groups") {
        findings.extend(groups(transaction)?);
    }
    if is_there("dash_users_times") {
        findings.extend(unseen(transaction)?);
    }
    let select = "SELECT username::text, password_hash::text, language::text FROM users
                  ORDER BY username::text COLLATE \"C\" NULLS FIRST";
    transaction.stream(select, Vec::new(), &mut |row| {
        each(Row {
            username: stored_text(row.get(0)),
            secret: StoredSecret::from(stored_text(row.get(1))),
            language: stored_text(row.get(2)),
            groups: Vec::new(),
            created_at: None,
            password_changed_at: None,
        });
    })?;
    Ok(findings)
}

/// The functions of our triggers that are missing, or not as they were made.
fn functions(transaction: &mut PostgresTransaction) -> Result<Vec<Problem>, StoreError> {
    let select = "SELECT proname::text, prosrc FROM pg_proc
                  WHERE pronamespace = $1::text::regnamespace AND proname ~ '^dash_users_'";
    let schema = quoted(transaction.schema);
    let rows = transaction.query(select, &[(&schema, Type::TEXT)])?;
    let found: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let mut problems = Vec::new();
    for (_, sql) in schema::MIGRATIONS {
        for made in sql.split("CREATE OR REPLACE FUNCTION ").skip(1) {
            let name = made.split('(').next().unwrap_or_default().to_owned();
            let expected = made.split("$$").nth(1);
            let object = SchemaObject { kind: SchemaObjectKind::Function, name };
            match found.iter().find(|(name, _)| *name == object.name) {
                None => problems.push(Problem::Missing(object)),
                Some((_, source)) if Some(source.as_str()) != expected => {
                    problems.push(Problem::Altered(object));
                }
                Some(_) => {}
            }
        }
    }
    Ok(problems)
}

fn foreign_triggers(transaction: &mut PostgresTransaction) -> Result<Vec<Problem>, StoreError> {
    let select = "SELECT tgname::text FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
                  WHERE relnamespace = $1::text::regnamespace AND NOT tgisinternal
                      AND (relname IN ('users', 'user_groups', 'user_events')
                           OR relname ~ '^dash_users_')
                      AND tgname !~ '^dash_users_' ORDER BY 1";
    let schema = quoted(transaction.schema);
    let names = transaction.texts(select, &[(&schema, Type::TEXT)])?;
    Ok(names.into_iter().map(Problem::ForeignTrigger).collect())
}

/// Groups that nobody could be put into, and those of users who are not there.
fn groups(transaction: &mut PostgresTransaction) -> Result<Vec<Finding>, StoreError> {
    let select = "SELECT username, group_name,
                         EXISTS (SELECT 1 FROM users WHERE users.username = user_groups.username)
                  FROM user_groups ORDER BY username, group_name";
    let mut findings: Vec<Finding> = Vec::new();
    transaction.stream(select, Vec::new(), &mut |row| {
        let username = Some(StoredText::Text(row.get(0)));
        let group: String = row.get(1);
        if row.get(2) {
            if let Err(reason) = group.parse::<Group>() {
                let problem = Problem::GroupNotAllowed(StoredText::Text(group), reason);
                findings.push(Finding { username, problem });
            }
            return;
        }
        match findings.last_mut() {
            Some(Finding { username: last, problem: Problem::OrphanedGroups(groups) })
                if *last == username =>
            {
                groups.push(StoredText::Text(group));
            }
            _ => {
                let problem = Problem::OrphanedGroups(vec![StoredText::Text(group)]);
                findings.push(Finding { username, problem });
            }
        }
    })?;
    Ok(findings)
}

/// Users who came or went while no trigger told.
fn unseen(transaction: &mut PostgresTransaction) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Vec::new();
    for (problem, select) in [
        (
            Problem::RemovedUnseen,
            "SELECT username FROM dash_users_times AS times
             WHERE NOT EXISTS (SELECT 1 FROM users WHERE users.username = times.username)
             ORDER BY 1",
        ),
        (
            Problem::AddedUnseen,
            "SELECT username::text FROM users
             WHERE username IS NOT NULL AND NOT EXISTS (
                 SELECT 1 FROM dash_users_times AS times WHERE times.username = users.username)
             ORDER BY 1",
        ),
    ] {
        for name in transaction.texts(select, &[])? {
            let username = Some(StoredText::Text(name));
            findings.push(Finding { username, problem: problem.clone() });
        }
    }
    Ok(findings)
}
