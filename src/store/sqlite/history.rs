//! The history. Triggers write it, even for changes by this program: see `002_accounts.sql`.

use std::borrow::Cow;
use std::collections::HashSet;
use std::time::SystemTime;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row, params};

use super::{Text, limit, stored_text, time};
use crate::event::{Event, EventFilter, KeptRenames, in_range};
use crate::store::Cause;
use crate::user::StoredText;

/// Sets the actor for the triggers, until [`end_change`].
pub(super) fn attribute(connection: &Connection, cause: &Cause<'_>) -> rusqlite::Result<()> {
    end_change(connection)?;
    let insert = "INSERT INTO dash_users_change (actor, action, detail) VALUES (?, ?, ?)";
    connection.execute(insert, params![cause.actor, cause.action, cause.detail])?;
    Ok(())
}

/// Tells the triggers to leave all recording to this program, until [`end_change`].
pub(super) fn begin_bulk(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "DELETE FROM dash_users_change;
         INSERT INTO dash_users_change (action, is_bulk) VALUES ('bulk', 1);",
    )
}

pub(super) fn end_change(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM dash_users_change", []).map(drop)
}

/// Writes an event that is not written by a trigger.
pub(super) fn write(connection: &Connection, cause: &Cause<'_>) -> rusqlite::Result<()> {
    let insert = "INSERT INTO user_events (actor, action, detail) VALUES (?, ?, ?)";
    connection.execute(insert, params![cause.actor, cause.action, cause.detail])?;
    Ok(())
}

/// Writes the event of an import whose cause is not known yet, and returns its id.
pub(super) fn begin_import(connection: &Connection) -> rusqlite::Result<i64> {
    connection.execute("INSERT INTO user_events (action) VALUES ('import')", [])?;
    Ok(connection.last_insert_rowid())
}

pub(super) fn end_import(
    connection: &Connection,
    id: i64,
    cause: &Cause<'_>,
) -> rusqlite::Result<()> {
    let update = "UPDATE user_events SET actor = ?2, action = ?3, detail = ?4 WHERE id = ?1";
    connection.execute(update, params![id, cause.actor, cause.action, cause.detail]).map(drop)
}

/// The time of an event as [`time`] reads it, always with milliseconds; NULL if it is none.
const AT: &str = "CASE WHEN typeof(at) = 'text' AND at >= '1970'
                           AND at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*Z'
                       THEN strftime('%Y-%m-%dT%H:%M:%fZ', at) END";

/// A time as [`AT`] has it.
fn at(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(in_range(time)).to_string()
}

/// Reads the selected events, newest first. A user's events are those under the current name, and
/// those under earlier names before each rename.
pub(super) fn read(
    connection: &Connection,
    username: Option<&[u8]>,
    filter: &EventFilter,
    each: &mut dyn FnMut(Event),
) -> rusqlite::Result<()> {
    let mut conditions = Vec::new();
    let mut params: Vec<Value> = Vec::new();
    for (sign, time) in [(">=", filter.since), ("<", filter.until)] {
        if let Some(time) = time {
            conditions.push(format!("ifnull({AT} {sign} ?, 0)"));
            params.push(at(time).into());
        }
    }
    if !filter.actions.is_empty() {
        conditions.push(format!("action IN ({})", vec!["?"; filter.actions.len()].join(", ")));
        params.extend(filter.actions.iter().map(|action| action.clone().into()));
    }
    if let Some(actor) = &filter.actor {
        conditions.push("actor IS ?".to_owned());
        params.push(actor.to_text().map(Cow::into_owned).into());
    }
    let condition = if conditions.is_empty() { "1".to_owned() } else { conditions.join(" AND ") };
    let columns = "SELECT id, at, actor, action, username, detail";
    let params = rusqlite::params_from_iter(params);
    let Some(username) = username else {
        let limit = filter.limit.map_or(-1, i64::from);
        let select =
            format!("{columns} FROM user_events WHERE {condition} ORDER BY id DESC LIMIT {limit}");
        return query_events(connection, &select, params, each);
    };
    let cut = "SELECT substr(?, 1, 1024)";
    let name =
        connection.query_row(cut, [Text(username)], |row| row.get_ref(0).map(stored_text))?;
    // Newest first, so each name is known before its events.
    let mut targets = HashSet::from([name.as_bytes().to_vec()]);
    let mut names = HashSet::from([name]);
    let mut left = filter.limit.unwrap_or(u32::MAX);
    // Renames count even if they are not selected.
    let select = format!(
        "{columns}, {condition} AS is_selected FROM user_events
         WHERE is_selected OR action = 'rename' ORDER BY id DESC"
    );
    let mut statement = connection.prepare(&select)?;
    let mut found = statement.query(params)?;
    while left > 0
        && let Some(row) = found.next()?
    {
        limit::goes_on();
        let username = stored_text(row.get_ref(4)?);
        if username == StoredText::Null {
            if row.get(6)?
                && let Some(event) = imported(connection, &names, event(row)?)?
            {
                each(event);
                left -= 1;
            }
            continue;
        }
        if row.get_ref(3)? == ValueRef::Text(b"rename")
            && let ValueRef::Text(detail) = row.get_ref(5)?
            && detail.strip_prefix(b"to ").is_some_and(|target| targets.contains(target))
        {
            targets.insert(username.as_bytes().to_vec());
            names.insert(username.clone());
        }
        if names.contains(&username) && row.get(6)? {
            each(event(row)?);
            left -= 1;
            limit::goes_on();
        }
    }
    Ok(())
}

/// What an import did to the user with one of these names, if the event is one.
fn imported(
    connection: &Connection,
    names: &HashSet<StoredText>,
    event: Event,
) -> rusqlite::Result<Option<Event>> {
    let select = "SELECT changes FROM dash_users_imported WHERE username = ? AND event = ?";
    let mut select = connection.prepare_cached(select)?;
    for name in names {
        let mut found = select.query(params![name, event.id])?;
        if let Some(row) = found.next()? {
            let detail = stored_text(row.get_ref(0)?);
            return Ok(Some(Event { username: name.clone(), detail, ..event }));
        }
    }
    Ok(None)
}

/// Condition for events before the time `?1`, except the kept renames `?2`, as a JSON array.
fn is_old() -> String {
    format!("ifnull({AT} < ?1, 0) AND id NOT IN (SELECT value FROM json_each(?2))")
}

/// The number of events to prune, and the ids of old renames to keep.
fn old(connection: &Connection, before: SystemTime) -> rusqlite::Result<(u64, String)> {
    let mut kept = KeptRenames::default();
    let has_old =
        format!("SELECT EXISTS (SELECT 1 FROM user_events WHERE action = 'rename' AND {AT} < ?)");
    if connection.query_row(&has_old, [at(before)], |row| row.get(0))? {
        let select = format!(
            "SELECT id, at, actor, action, username, detail, ifnull({AT} < ?, 0)
             FROM user_events ORDER BY id"
        );
        let mut statement = connection.prepare(&select)?;
        let mut found = statement.query([at(before)])?;
        while let Some(row) = found.next()? {
            kept.read(&event(row)?, row.get(6)?);
            limit::goes_on();
        }
    }
    let ids: Vec<_> = kept.ids.iter().map(ToString::to_string).collect();
    let kept = format!("[{}]", ids.join(","));
    let count = format!("SELECT count(*) FROM user_events WHERE {}", is_old());
    let count: i64 = connection.query_row(&count, params![at(before), kept], |row| row.get(0))?;
    Ok((count.try_into().unwrap_or_default(), kept))
}

/// The number of events to prune.
pub(super) fn prunable(connection: &Connection, before: SystemTime) -> rusqlite::Result<u64> {
    old(connection, before).map(|(count, _)| count)
}

/// Deletes the events before a time, and records the cause. The new event comes first, so its id
/// is higher than any before.
pub(super) fn prune(
    connection: &Connection,
    before: SystemTime,
    cause: &Cause<'_>,
) -> rusqlite::Result<()> {
    let (_, kept) = old(connection, before)?;
    write(connection, cause)?;
    let newest = connection.last_insert_rowid();
    let delete = format!("DELETE FROM user_events WHERE {} AND id <> ?3", is_old());
    connection.execute(&delete, params![at(before), kept, newest])?;
    let delete = "DELETE FROM dash_users_imported
                  WHERE NOT EXISTS (SELECT 1 FROM user_events WHERE id = event)";
    connection.execute(delete, []).map(drop)
}

/// The id of the newest event; 0 if there is none, or no history.
pub(super) fn last_id(connection: &Connection) -> rusqlite::Result<i64> {
    let is_there = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'user_events')";
    if !connection.query_row(is_there, [], |row| row.get(0))? {
        return Ok(0);
    }
    let last = "SELECT coalesce(max(id), 0) FROM user_events";
    connection.query_row(last, [], |row| row.get(0))
}

/// Reads the events after an id, newest first.
pub(super) fn read_since(
    connection: &Connection,
    last: i64,
    each: &mut dyn FnMut(Event),
) -> rusqlite::Result<()> {
    let select = "SELECT id, at, actor, action, username, detail FROM user_events
                  WHERE id > ? ORDER BY id DESC";
    query_events(connection, select, [last], each)
}

fn query_events(
    connection: &Connection,
    select: &str,
    params: impl rusqlite::Params,
    each: &mut dyn FnMut(Event),
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(select)?;
    let mut found = statement.query(params)?;
    while let Some(row) = found.next()? {
        each(event(row)?);
        limit::goes_on();
    }
    Ok(())
}

fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    Ok(Event {
        id: row.get(0)?,
        at: time(row.get_ref(1)?),
        actor: stored_text(row.get_ref(2)?),
        action: stored_text(row.get_ref(3)?),
        username: stored_text(row.get_ref(4)?),
        detail: stored_text(row.get_ref(5)?),
    })
}
