//! The history. Triggers write it, even for changes by this program: see `002_accounts.sql`.

use std::collections::HashSet;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};

use super::{Text, limit, stored_text, time};
use crate::event::Event;
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

/// Reads the newest events, newest first. A user's events are those under the current name, and
/// those under earlier names before each rename.
pub(super) fn read(
    connection: &Connection,
    username: Option<&[u8]>,
    limit: Option<u32>,
    each: &mut dyn FnMut(Event),
) -> rusqlite::Result<()> {
    let Some(username) = username else {
        let select = "SELECT id, at, actor, action, username, detail FROM user_events
                      ORDER BY id DESC LIMIT ?";
        return query_events(connection, select, [limit.map_or(-1, i64::from)], each);
    };
    let cut = "SELECT substr(?, 1, 1024)";
    let name =
        connection.query_row(cut, [Text(username)], |row| row.get_ref(0).map(stored_text))?;
    // Newest first, so each name is known before its events.
    let mut targets = HashSet::from([name.as_bytes().to_vec()]);
    let mut names = HashSet::from([name]);
    let mut left = limit.unwrap_or(u32::MAX);
    let select = "SELECT id, at, actor, action, username, detail FROM user_events ORDER BY id DESC";
    let mut statement = connection.prepare(select)?;
    let mut found = statement.query([])?;
    while left > 0
        && let Some(row) = found.next()?
    {
        limit::goes_on();
        let username = stored_text(row.get_ref(4)?);
        if username == StoredText::Null {
            continue;
        }
        if row.get_ref(3)? == ValueRef::Text(b"rename")
            && let ValueRef::Text(detail) = row.get_ref(5)?
            && detail.strip_prefix(b"to ").is_some_and(|target| targets.contains(target))
        {
            targets.insert(username.as_bytes().to_vec());
            names.insert(username.clone());
        }
        if names.contains(&username) {
            each(event(row)?);
            left -= 1;
            limit::goes_on();
        }
    }
    Ok(())
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
