//! Sessions, in a file beside the database: apps may write to it, but only read the users.
//!
//! The Python package creates it: see `python/dash_users/_login/store.py`.

use std::fs;
use std::path::{Path, PathBuf};

use humantime::{format_rfc3339_millis, parse_rfc3339};
use rusqlite::{Connection, Row, params};

use super::error::sql_error;
use super::{Sqlite, stored_text};
use crate::event::in_range;
use crate::session::{EndSessions, Session};
use crate::store::{Access, StoreError};

/// The file of the sessions, if there is one.
fn file(database: &Path) -> Option<PathBuf> {
    let mut name = fs::canonicalize(database).ok()?.into_os_string();
    name.push("-sessions");
    Some(PathBuf::from(name)).filter(|file| file.exists())
}

/// Works on the sessions, if there are any.
fn with<T: Default>(
    database: &Path,
    access: Access,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<T, StoreError> {
    let Some(file) = file(database) else { return Ok(T::default()) };
    let Sqlite { connection, location, .. } = Sqlite::open(&file, access)?;
    let exists = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'dash_users_sessions')";
    let done = connection.query_row(exists, [], |row| row.get(0)).and_then(|exists| {
        // An app may be creating it.
        if exists { work(&connection) } else { Ok(T::default()) }
    });
    done.map_err(sql_error(&location))
}

/// All sessions, by name and start.
pub(super) fn list(database: &Path) -> Result<Vec<Session>, StoreError> {
    let select = "SELECT username, started_at, last_used_at, expires_at FROM dash_users_sessions
                  ORDER BY username, started_at, id";
    with(database, Access::Read, |connection| {
        let mut statement = connection.prepare(select)?;
        statement.query_map([], read)?.collect()
    })
}

fn read(row: &Row<'_>) -> rusqlite::Result<Session> {
    let time = |column| {
        let text: Option<String> = row.get(column).ok();
        text.and_then(|text| parse_rfc3339(&text).ok())
    };
    Ok(Session {
        username: stored_text(row.get_ref(0)?),
        started_at: time(1),
        last_used_at: time(2),
        expires_at: time(3),
    })
}

/// Ends sessions, and returns how many.
pub(super) fn end(database: &Path, which: EndSessions<'_>) -> Result<u64, StoreError> {
    let count = with(database, Access::Write, |connection| match which {
        EndSessions::Of(username) => {
            let delete = "DELETE FROM dash_users_sessions WHERE CAST(username AS BLOB) = ?";
            connection.execute(delete, params![username])
        }
        EndSessions::All => connection.execute("DELETE FROM dash_users_sessions", []),
        EndSessions::ExpiredAt(time) => {
            let delete = "DELETE FROM dash_users_sessions WHERE expires_at <= ?";
            connection.execute(delete, [format_rfc3339_millis(in_range(time)).to_string()])
        }
    })?;
    Ok(count.try_into().unwrap_or(u64::MAX))
}
