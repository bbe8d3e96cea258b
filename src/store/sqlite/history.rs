//! The history. Triggers write it, for changes by this program too: see `002_accounts.sql`.

use rusqlite::{Connection, params};

use super::{Text, stored_text, time};
use crate::event::Event;
use crate::store::Cause;

/// Tells the triggers who makes the changes that follow, until [`end_change`].
pub(super) fn attribute(connection: &Connection, cause: &Cause<'_>) -> rusqlite::Result<()> {
    end_change(connection)?;
    let insert = "INSERT INTO dash_users_change (actor, action, detail) VALUES (?, ?, ?)";
    connection.execute(insert, params![cause.actor, cause.action, cause.detail])?;
    Ok(())
}

pub(super) fn end_change(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM dash_users_change", []).map(drop)
}

/// Writes an event that no trigger writes.
pub(super) fn write(connection: &Connection, cause: &Cause<'_>) -> rusqlite::Result<()> {
    let insert = "INSERT INTO user_events (actor, action, detail) VALUES (?, ?, ?)";
    connection.execute(insert, params![cause.actor, cause.action, cause.detail])?;
    Ok(())
}

/// Reads the newest events, newest first. A user's events are those under the name, and those that
/// led to a renaming to it under the name before.
pub(super) fn read(
    connection: &Connection,
    username: Option<&[u8]>,
    limit: Option<u32>,
    each: &mut dyn FnMut(Event),
) -> rusqlite::Result<()> {
    let limit = limit.map_or(-1, i64::from);
    let of_user = "WITH RECURSIVE names (name, last) AS (
           SELECT substr(?2, 1, 1024), (SELECT max(id) FROM user_events)
           UNION
           SELECT event.username, event.id - 1 FROM names, user_events AS event
           WHERE event.action = 'rename' AND event.detail = 'to ' || name AND event.id <= last)
         SELECT id, at, actor, action, username, detail FROM user_events AS event
         WHERE EXISTS (SELECT 1 FROM names WHERE name = event.username AND event.id <= last + 1)
         ORDER BY id DESC LIMIT ?1";
    let all = "SELECT id, at, actor, action, username, detail FROM user_events
               ORDER BY id DESC LIMIT ?1";
    let mut statement = connection.prepare(if username.is_some() { of_user } else { all })?;
    let mut found = match username {
        Some(username) => statement.query(params![limit, Text(username)])?,
        None => statement.query([limit])?,
    };
    while let Some(row) = found.next()? {
        each(Event {
            id: row.get(0)?,
            at: time(row.get_ref(1)?),
            actor: stored_text(row.get_ref(2)?),
            action: stored_text(row.get_ref(3)?),
            username: stored_text(row.get_ref(4)?),
            detail: stored_text(row.get_ref(5)?),
        });
    }
    Ok(())
}
