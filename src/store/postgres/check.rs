//! Finding problems of a database, except those of single rows.

use postgres::types::Type;

use super::catalog::Catalog;
use super::connection::quoted;
use super::profile::{SELECT_ALONE, read_row};
use super::{PostgresTransaction, objects, schema, text};
use crate::check::{self, Finding, Problem};
use crate::store::{Row, StoreError};

pub(super) fn check(
    transaction: &mut PostgresTransaction,
    catalog: &Catalog,
    each: &mut dyn FnMut(Row),
) -> Result<Vec<Finding>, StoreError> {
    let objects = objects::problems(transaction, catalog)?;
    let found = schema::inspect(transaction, catalog)?;
    if found.version < schema::LATEST || !found.has_users_table {
        return Err(found.needs_migration(transaction.location));
    }
    let mut problems: Vec<_> =
        found.required_columns.into_iter().map(Problem::RequiredColumn).collect();
    problems.extend(objects.into_iter().map(|(_, problem)| problem));
    let is_there = |table: &str| {
        let is_it =
            |problem: &Problem| matches!(problem, Problem::Missing(object) if object.name == table);
        !problems.iter().any(is_it)
    };
    let is_blocked = problems.iter().any(|problem| matches!(problem, Problem::CannotRecord(_)));
    let has_groups = is_there("user_groups") && !is_blocked;
    let has_times = is_there("dash_users_times") && !is_blocked;
    if is_there("user_events") && !is_blocked {
        problems.extend(objects::numbering(transaction)?);
    }
    problems.extend(foreign_triggers(transaction)?);
    problems.extend(triggers_off(transaction)?);
    let of_database = |problem| Finding { username: None, problem };
    let mut findings: Vec<_> = problems.into_iter().map(of_database).collect();

    if has_groups {
        findings.extend(groups(transaction)?);
    }
    if has_times {
        findings.extend(unseen(transaction)?);
    }
    let select = format!("{SELECT_ALONE} ORDER BY username::text COLLATE \"C\" NULLS FIRST");
    transaction.stream(&select, Vec::new(), &mut |row| each(read_row(row)))?;
    Ok(findings)
}

/// The type of the column `password_hash`, if it limits the length.
pub(super) fn hash_column(
    transaction: &mut PostgresTransaction,
) -> Result<Option<String>, StoreError> {
    let select = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute
                  JOIN pg_class ON pg_class.oid = attrelid
                  WHERE relnamespace = to_regnamespace($1) AND relname = 'users'
                      AND attname = 'password_hash' AND atttypmod > 0";
    let schema = quoted(&transaction.place.schema);
    Ok(transaction.texts(select, &[(&schema, Type::TEXT)])?.pop())
}

fn foreign_triggers(transaction: &mut PostgresTransaction) -> Result<Vec<Problem>, StoreError> {
    let select = "SELECT tgname::text FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
                  WHERE relnamespace = to_regnamespace($1) AND NOT tgisinternal
                      AND (relname IN ('users', 'user_groups', 'user_events')
                           OR relname ~ '^dash_users_')
                      AND tgname !~ '^dash_users_' ORDER BY 1";
    let schema = quoted(&transaction.place.schema);
    let names = transaction.texts(select, &[(&schema, Type::TEXT)])?;
    Ok(names.into_iter().map(Problem::ForeignTrigger).collect())
}

/// Groups with invalid names, and groups of users that do not exist.
fn groups(transaction: &mut PostgresTransaction) -> Result<Vec<Finding>, StoreError> {
    let select = "SELECT groups.username, group_name, users.username IS NOT NULL
                  FROM {schema}.user_groups AS groups LEFT JOIN {schema}.users
                      ON users.username::text COLLATE \"C\" = groups.username
                  ORDER BY groups.username, group_name";
    let mut findings = Vec::new();
    transaction.stream(select, Vec::new(), &mut |row| {
        check::membership(text(row, 0), text(row, 1), row.get(2), &mut findings);
    })?;
    Ok(findings)
}

/// Roles and databases for which triggers do not fire.
fn triggers_off(transaction: &mut PostgresTransaction) -> Result<Vec<Problem>, StoreError> {
    let select = "SELECT concat_ws(' IN ',
                             CASE WHEN setrole <> 0 THEN 'ROLE ' || setrole::regrole END,
                             CASE WHEN setdatabase <> 0 THEN 'DATABASE ' || quote_ident(datname) END)
                  FROM pg_db_role_setting LEFT JOIN pg_database ON pg_database.oid = setdatabase
                  WHERE (setdatabase = 0 OR datname = current_database())
                      AND 'session_replication_role=replica' = ANY(setconfig) ORDER BY 1";
    Ok(transaction.texts(select, &[])?.into_iter().map(Problem::TriggersOff).collect())
}

/// Users who were added, removed or changed while the triggers were not working.
fn unseen(transaction: &mut PostgresTransaction) -> Result<Vec<Finding>, StoreError> {
    let current = schema::fingerprint("users.password_hash::text");
    let select = format!(
        "SELECT coalesce(times.username, users.username::text),
                users.username IS NULL, times.username IS NULL
         FROM {{schema}}.dash_users_times AS times FULL JOIN {{schema}}.users
             ON users.username::text COLLATE \"C\" = times.username
         WHERE coalesce(times.username, users.username::text) IS NOT NULL
             AND (users.username IS NULL OR times.username IS NULL OR times.fingerprint <> {current})
         ORDER BY coalesce(times.username, users.username::text) COLLATE \"C\""
    );
    let mut findings = Vec::new();
    transaction.stream(&select, Vec::new(), &mut |row| {
        let problem = match (row.get(1), row.get(2)) {
            (true, _) => Problem::RemovedUnseen,
            (false, true) => Problem::AddedUnseen,
            (false, false) => Problem::ChangedUnseen,
        };
        findings.push(Finding { username: Some(text(row, 0)), problem });
    })?;
    Ok(findings)
}
