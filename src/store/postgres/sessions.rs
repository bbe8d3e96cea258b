//! Sessions, in a table beside the users. Apps that have a login page may write to it.
//!
//! The Python package creates it: see `python/dash_users/_login/postgres.py`.

use postgres::types::Type;

use super::{Param, PostgresTransaction, key, text, time};
use crate::event::in_range;
use crate::session::{EndSessions, Session};
use crate::store::StoreError;

/// Whether there is a table.
fn exists(transaction: &mut PostgresTransaction) -> Result<bool, StoreError> {
    let exists = "SELECT to_regclass('{schema}.dash_users_sessions') IS NOT NULL";
    Ok(transaction.query_one(exists, &[])?.get(0))
}

/// All sessions, by name and start.
pub(super) fn list(transaction: &mut PostgresTransaction) -> Result<Vec<Session>, StoreError> {
    let mut sessions = Vec::new();
    if exists(transaction)? {
        let select = "SELECT username, started_at, last_used_at, expires_at
                      FROM {schema}.dash_users_sessions
                      ORDER BY username COLLATE \"C\", started_at, id";
        transaction.stream(select, Vec::new(), &mut |row| {
            sessions.push(Session {
                username: text(row, 0),
                started_at: time(row.get(1)),
                last_used_at: time(row.get(2)),
                expires_at: time(row.get(3)),
            });
        })?;
    }
    Ok(sessions)
}

/// Ends sessions, and returns how many.
pub(super) fn end(
    transaction: &mut PostgresTransaction,
    which: EndSessions<'_>,
) -> Result<u64, StoreError> {
    if !exists(transaction)? {
        return Ok(0);
    }
    let (name, before) = match which {
        EndSessions::Of(username) => match key(username) {
            Some(name) => (Some(name), None),
            None => return Ok(0),
        },
        EndSessions::All => (None, None),
        EndSessions::ExpiredAt(time) => (None, Some(in_range(time))),
    };
    let delete = "DELETE FROM {schema}.dash_users_sessions
                  WHERE ($1 IS NULL OR username = $1) AND ($2 IS NULL OR expires_at <= $2)
                  RETURNING 1";
    let params: [Param; 2] = [(&name, Type::TEXT), (&before, Type::TIMESTAMPTZ)];
    let ended = transaction.write(delete, &params)?.len();
    Ok(ended.try_into().unwrap_or(u64::MAX))
}
