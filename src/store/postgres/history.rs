//! Reading and pruning the history. Triggers write it.

use std::collections::HashSet;
use std::time::SystemTime;

use postgres::types::Type;

use super::connection::quoted;
use super::{Param, PostgresTransaction, printable, read_event, text};
use crate::event::{Event, EventFilter, KeptRenames, in_range};
use crate::store::{Cause, StoreError};
use crate::user::StoredText;

/// Reads the selected events, newest first.
pub(super) fn read(
    transaction: &mut PostgresTransaction,
    username: Option<&str>,
    filter: &EventFilter,
    each: &mut dyn FnMut(Event),
) -> Result<(), StoreError> {
    let limit = filter.limit.map(i64::from);
    let (since, until) = (filter.since.map(in_range), filter.until.map(in_range));
    let actions = Some(&filter.actions).filter(|actions| !actions.is_empty());
    let actor = filter.actor.as_ref().and_then(StoredText::to_text);
    let (is_by_actor, actor) = (filter.actor.is_some(), actor.as_deref().map(printable));
    let (name, renames) = match username {
        Some(name) => (Some(name), renames(transaction, name)?),
        None => (None, Vec::new()),
    };
    // Those without a time in the years 1970 to 9999 have none.
    let mut conditions = vec![
        "($4 IS NULL OR at >= $4)".to_owned(),
        "($5 IS NULL OR at < $5)".to_owned(),
        "($4 IS NULL AND $5 IS NULL OR at >= 'epoch' AND at < '10000-01-01 00:00:00+00')"
            .to_owned(),
        "($6 IS NULL OR action = ANY ($6))".to_owned(),
        "(NOT $7 OR actor IS NOT DISTINCT FROM $8)".to_owned(),
    ];
    // The last id of each name: one row per name, so a hash join can find it.
    let names = "WITH names (name, last) AS MATERIALIZED (
           SELECT name, max(last) FROM (
             SELECT left($2, 1024) COLLATE \"C\", (SELECT max(id) FROM {schema}.user_events)
             UNION ALL
             SELECT username, id FROM {schema}.user_events WHERE id = ANY ($3)
           ) AS known (name, last) GROUP BY name)";
    if name.is_some() {
        conditions.push(
            "(imported.changes IS NOT NULL
              OR EXISTS (SELECT 1 FROM names WHERE name = event.username AND event.id <= last))"
                .to_owned(),
        );
    }
    // What an import did to the user.
    let select = format!(
        "{names} SELECT id, at, actor, action, coalesce(event.username, imported.username),
                        coalesce(imported.changes, detail)
         FROM {{schema}}.user_events AS event LEFT JOIN LATERAL (
             SELECT one.username, changes
             FROM names JOIN {{schema}}.dash_users_imported AS one ON one.username = name
             WHERE one.event = event.id AND one.event <= last AND event.username IS NULL
             LIMIT 1) AS imported ON $2 IS NOT NULL
         WHERE {} ORDER BY id DESC LIMIT $1",
        conditions.join(" AND ")
    );
    let params: Vec<Param> = vec![
        (&limit, Type::INT8),
        (&name, Type::TEXT),
        (&renames, Type::INT8_ARRAY),
        (&since, Type::TIMESTAMPTZ),
        (&until, Type::TIMESTAMPTZ),
        (&actions, Type::TEXT_ARRAY),
        (&is_by_actor, Type::BOOL),
        (&actor, Type::TEXT),
    ];
    transaction.stream(&select, params, &mut |row| each(read_event(row)))
}

/// The ids of the events that renamed a user to `name`, from any name.
fn renames(transaction: &mut PostgresTransaction, name: &str) -> Result<Vec<i64>, StoreError> {
    let select = "SELECT id, username, detail FROM {schema}.user_events
                  WHERE action = 'rename' AND username IS NOT NULL AND detail LIKE 'to %'
                  ORDER BY id DESC";
    let name: String = name.chars().take(1024).collect();
    let mut targets = HashSet::from([format!("to {name}").into_bytes()]);
    let mut renames = Vec::new();
    // Newest first, so each name is known before the events that led to it.
    transaction.stream(select, Vec::new(), &mut |row| {
        if targets.contains(text(row, 2).as_bytes()) {
            targets.insert([b"to ", text(row, 1).as_bytes()].concat());
            renames.push(row.get(0));
        }
    })?;
    Ok(renames)
}

/// Condition for events before the time `$1`.
const IS_OLD: &str = "(at < $1 AND at >= 'epoch')";

/// The number of events to prune, and the ids of old renames to keep.
fn old(
    transaction: &mut PostgresTransaction,
    before: SystemTime,
) -> Result<(u64, Vec<i64>), StoreError> {
    require_owner(transaction)?;
    let before = in_range(before);
    let has_renames = format!(
        "SELECT EXISTS (SELECT 1 FROM {{schema}}.user_events WHERE action = 'rename' AND {IS_OLD})"
    );
    let params: [Param; 1] = [(&before, Type::TIMESTAMPTZ)];
    let mut kept = KeptRenames::default();
    if transaction.query_one(&has_renames, &params)?.get(0) {
        let select = format!(
            "SELECT id, at, actor, action, username, detail, {IS_OLD}
             FROM {{schema}}.user_events ORDER BY id"
        );
        transaction.stream(&select, params.to_vec(), &mut |row| {
            kept.read(&read_event(row), row.get(6));
        })?;
    }
    let count =
        format!("SELECT count(*) FROM {{schema}}.user_events WHERE {IS_OLD} AND id <> ALL ($2)");
    let params: [Param; 2] = [(&before, Type::TIMESTAMPTZ), (&kept.ids, Type::INT8_ARRAY)];
    let count: i64 = transaction.query_one(&count, &params)?.get(0);
    Ok((count.try_into().unwrap_or_default(), kept.ids))
}

/// The number of events to prune.
pub(super) fn prunable(
    transaction: &mut PostgresTransaction,
    before: SystemTime,
) -> Result<u64, StoreError> {
    old(transaction, before).map(|(count, _)| count)
}

/// Deletes the events before a time, and records the cause.
pub(super) fn prune(
    transaction: &mut PostgresTransaction,
    before: SystemTime,
    cause: &Cause<'_>,
) -> Result<(), StoreError> {
    let (_, kept) = old(transaction, before)?;
    let insert = "INSERT INTO {schema}.user_events (actor, action, detail) VALUES ($1, $2, $3)
                  RETURNING id";
    let (actor, detail) = (cause.actor.map(printable), cause.detail.map(printable));
    let params: [Param; 3] =
        [(&actor, Type::TEXT), (&cause.action, Type::TEXT), (&detail, Type::TEXT)];
    let written = transaction.write(insert, &params)?;
    let Some(newest) = written.first().map(|row| row.get::<_, i64>(0)) else {
        return Err(transaction.refused(super::SKIPPED));
    };
    let delete = format!(
        "DELETE FROM {{schema}}.user_events WHERE {IS_OLD} AND id <> ALL ($2) AND id <> $3"
    );
    let before = in_range(before);
    let params: [Param; 3] =
        [(&before, Type::TIMESTAMPTZ), (&kept, Type::INT8_ARRAY), (&newest, Type::INT8)];
    transaction.write(&delete, &params)?;
    let delete = "DELETE FROM {schema}.dash_users_imported AS imported
                  WHERE NOT EXISTS (SELECT 1 FROM {schema}.user_events WHERE id = imported.event)";
    transaction.run(delete, &[]).map(drop)
}

/// Other roles may add to the history, but not delete from it.
fn require_owner(transaction: &mut PostgresTransaction) -> Result<(), StoreError> {
    let select = "SELECT pg_get_userbyid(relowner)::text FROM pg_class
                  WHERE oid = to_regclass('{schema}.user_events')
                      AND NOT pg_has_role(current_user, relowner, 'USAGE')";
    let owners = transaction.texts(select, &[])?;
    let Some(owner) = owners.first() else { return Ok(()) };
    let owner = quoted(owner);
    Err(StoreError::CannotConnect {
        location: transaction.location.clone(),
        reason: format!("only {owner}, who owns the history, can prune it: connect as {owner}"),
    })
}
