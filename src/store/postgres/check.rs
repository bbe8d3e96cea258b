//! What is wrong with a database, apart from what its rows say.

use postgres::types::Type;

use super::connection::quoted;
use super::{Param, PostgresTransaction, schema, stored_text};
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
        return Err(found.needs_migration(transaction.location));
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
    problems.extend(altered(transaction)?);
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

/// Triggers, with the bits of `tgtype`, the columns that they are for, and the function they call.
const TRIGGERS: [(&str, i16, i32, &str); 5] = [
    ("dash_users_added_or_removed", ROW | INSERT | DELETE, 0, "dash_users_on_users"),
    ("dash_users_changed", ROW | UPDATE, 3, "dash_users_on_users"),
    ("dash_users_truncated", TRUNCATE, 0, "dash_users_on_truncate"),
    ("dash_users_groups", ROW | INSERT | DELETE, 0, "dash_users_on_groups"),
    ("dash_users_groups_changed", ROW | UPDATE, 2, "dash_users_on_groups"),
];

const ROW: i16 = 1;
const INSERT: i16 = 4;
const DELETE: i16 = 8;
const UPDATE: i16 = 16;
const TRUNCATE: i16 = 32;

/// The triggers and indexes that are there, but not as they were made.
fn altered(transaction: &mut PostgresTransaction) -> Result<Vec<Problem>, StoreError> {
    let schema = quoted(transaction.schema);
    let schema: [Param; 1] = [(&schema, Type::TEXT)];
    let altered = |kind, name| Problem::Altered(SchemaObject { kind, name });
    let mut problems = Vec::new();
    let select = "SELECT tgname::text, tgtype, coalesce(array_length(tgattr::int2[], 1), 0),
                         proname::text, pronamespace = relnamespace
                             AND (tgqual IS NOT NULL) = (tgtype & 16 <> 0)
                  FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
                      JOIN pg_proc ON pg_proc.oid = tgfoid
                  WHERE relnamespace = $1::text::regnamespace AND tgenabled <> 'D'
                      AND relname IN ('users', 'user_groups') ORDER BY 1";
    for row in transaction.query(select, &schema)? {
        let name: String = row.get(0);
        let found = (row.get(1), row.get(2), row.get(3));
        let is_as_made = |&(_, kind, columns, function): &(_, _, _, &str)| {
            (kind, columns, function) == found && row.get(4)
        };
        if TRIGGERS.iter().any(|made| made.0 == name && !is_as_made(made)) {
            problems.push(altered(SchemaObjectKind::Trigger, name));
        }
    }
    let select = "SELECT relname::text
                  FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
                  WHERE relnamespace = $1::text::regnamespace
                      AND relname = 'dash_users_username_nocase'
                      AND (NOT indisvalid OR indisunique OR indpred IS NOT NULL OR indnatts <> 1
                           OR coalesce(pg_get_expr(indexprs, indrelid), '')
                              !~ '^lower\\(.*username.*COLLATE')";
    for name in transaction.texts(select, &schema)? {
        problems.push(altered(SchemaObjectKind::Index, name));
    }
    Ok(problems)
}

/// The functions of our triggers that are missing, or not as they were made.
fn functions(transaction: &mut PostgresTransaction) -> Result<Vec<Problem>, StoreError> {
    let select = "SELECT proname::text, prosrc,
                         prosecdef AND coalesce(proconfig, '{}')
                             = ARRAY['search_path=' || $1::text::regnamespace || ', pg_catalog, pg_temp']
                  FROM pg_proc
                  WHERE pronamespace = $1::text::regnamespace AND proname ~ '^dash_users_'";
    let schema = quoted(transaction.schema);
    let rows = transaction.query(select, &[(&schema, Type::TEXT)])?;
    let found: Vec<(String, String, bool)> =
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    let mut problems = Vec::new();
    for (_, sql) in schema::MIGRATIONS {
        for made in sql.split("CREATE OR REPLACE FUNCTION ").skip(1) {
            let name = made.split('(').next().unwrap_or_default().to_owned();
            let expected = made.split("$$").nth(1);
            let object = SchemaObject { kind: SchemaObjectKind::Function, name };
            match found.iter().find(|(name, ..)| *name == object.name) {
                None => problems.push(Problem::Missing(object)),
                Some((_, source, is_safe)) if Some(&**source) != expected || !is_safe => {
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
                         EXISTS (SELECT 1 FROM users
                                 WHERE users.username::text COLLATE \"C\" = user_groups.username)
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
             WHERE NOT EXISTS (SELECT 1 FROM users
                               WHERE users.username::text COLLATE \"C\" = times.username)
             ORDER BY 1",
        ),
        (
            Problem::AddedUnseen,
            "SELECT username::text FROM users
             WHERE username IS NOT NULL AND NOT EXISTS (
                 SELECT 1 FROM dash_users_times AS times
                 WHERE times.username = users.username::text COLLATE \"C\")
             ORDER BY username::text COLLATE \"C\"",
        ),
    ] {
        for name in transaction.texts(select, &[])? {
            let username = Some(StoredText::Text(name));
            findings.push(Finding { username, problem: problem.clone() });
        }
    }
    Ok(findings)
}
