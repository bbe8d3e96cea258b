//! Importing many users at once. A trigger costs more time than the row itself, so our triggers are
//! disabled and their work is done here.

use rusqlite::{Connection, params};

use super::schema::fingerprint;
use super::{history, schema_text, table};
use crate::store::{Cause, ImportRow, NewRow, RowChange};
use crate::user::StoredText;

/// The triggers that fire for each added row. Even a trigger that only checks whether to do
/// nothing, as those for changes do, would double the time.
const TRIGGERS: [&str; 2] = ["dash_users_added", "dash_users_group_added"];

/// A started import.
pub(super) struct Import {
    /// The start time, in the triggers' format.
    now: String,
    /// Whether there were no users, so nothing can remain of one.
    was_empty: bool,
    /// Whether triggers of the app can add and remove users, which ours do not see in an import.
    app_has_triggers: bool,
    /// The SQL that recreates the triggers.
    triggers: Vec<String>,
}

impl Import {
    pub(super) fn begin(connection: &Connection) -> rusqlite::Result<Self> {
        let ask = "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
                          NOT EXISTS (SELECT 1 FROM users),
                          EXISTS (SELECT 1 FROM sqlite_schema
                                  WHERE type = 'trigger' AND tbl_name = 'users' COLLATE NOCASE
                                      AND name NOT LIKE 'dash\\_users\\_%' ESCAPE '\\')";
        let (now, was_empty, app_has_triggers) =
            connection.query_row(ask, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        // For an exact name, `forget` is enough.
        if was_empty || app_has_triggers || !table::compares_bytes(connection)? {
            delete_orphans(connection)?;
        }
        history::begin_bulk(connection)?;
        let mut triggers = Vec::new();
        for name in TRIGGERS {
            let select = "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?";
            triggers.push(connection.query_row(select, [name], |row| schema_text(row, 0))?);
            connection.execute_batch(&format!("DROP TRIGGER {name}"))?;
        }
        Ok(Self { now, was_empty, app_has_triggers, triggers })
    }

    pub(super) fn write(&self, connection: &Connection, row: &ImportRow) -> Result<(), Unwritten> {
        match row {
            ImportRow::Add(row) => {
                if !self.was_empty {
                    forget(connection, &row.username)?;
                }
                add(connection, row, &self.now)
            }
            ImportRow::Change(row) => change(connection, row, &self.now),
        }
    }

    pub(super) fn end(self, connection: &Connection, cause: &Cause<'_>) -> rusqlite::Result<()> {
        self.triggers.iter().try_for_each(|sql| connection.execute_batch(sql))?;
        if self.app_has_triggers {
            self.record_app_changes(connection)?;
        }
        history::end_change(connection)?;
        history::write(connection, cause)
    }

    /// Records what triggers of the app did during the import.
    fn record_app_changes(&self, connection: &Connection) -> rusqlite::Result<()> {
        delete_orphans(connection)?;
        let remember = format!(
            "INSERT INTO dash_users_times (username, created_at, password_changed_at, fingerprint)
             SELECT username, ?1, ?1, {} FROM users
             WHERE username IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM dash_users_times AS times
                                 WHERE times.username = users.username)",
            fingerprint("users.password_hash")
        );
        connection.execute(&remember, [&self.now]).map(drop)
    }
}

/// Why a row was not written; none if a trigger of the app skipped the row.
type Unwritten = Option<rusqlite::Error>;

/// Deletes remains of users who were removed without an event, before their names are reused.
fn delete_orphans(connection: &Connection) -> rusqlite::Result<()> {
    // The first comparison finds the row by the index, the second is exact.
    let is_gone = "NOT EXISTS (SELECT 1 FROM users WHERE users.username = kept.username
                                   AND users.username COLLATE BINARY = kept.username)";
    connection.execute_batch(&format!(
        "INSERT INTO user_events (action, username, detail)
         SELECT 'remove', substr(username, 1, 1024), 'found missing' FROM dash_users_times AS kept
         WHERE {is_gone};
         DELETE FROM dash_users_times AS kept WHERE {is_gone};
         DELETE FROM user_groups AS kept WHERE {is_gone};"
    ))
}

/// The same for one name, like the trigger `dash_users_added`.
fn forget(connection: &Connection, username: &StoredText) -> rusqlite::Result<()> {
    for sql in [
        "INSERT INTO user_events (action, username, detail)
         SELECT 'remove', substr(username, 1, 1024), 'replaced by another row'
         FROM dash_users_times WHERE username = ?",
        "DELETE FROM dash_users_times WHERE username = ?",
        "DELETE FROM user_groups WHERE username = ?",
    ] {
        connection.prepare_cached(sql)?.execute([username])?;
    }
    Ok(())
}

fn add(connection: &Connection, row: &NewRow, now: &str) -> Result<(), Unwritten> {
    let insert = "INSERT OR ABORT INTO users (username, password_hash, language) VALUES (?, ?, ?)";
    let values = params![row.username, row.secret.expose(), row.language];
    if connection.prepare_cached(insert)?.execute(values)? == 0 {
        return Err(None);
    }
    if row.username != StoredText::Null {
        let insert = format!(
            "INSERT INTO dash_users_times (username, created_at, password_changed_at, fingerprint)
             VALUES (?1, ?2, ?2, {})",
            fingerprint("?3")
        );
        let values = params![row.username, now, row.secret.expose()];
        connection.prepare_cached(&insert)?.execute(values)?;
    }
    add_groups(connection, &row.username, &row.groups)?;
    Ok(())
}

fn add_groups(
    connection: &Connection,
    username: &StoredText,
    groups: &[StoredText],
) -> rusqlite::Result<()> {
    let insert = "INSERT INTO user_groups (username, group_name) VALUES (?, ?)";
    for group in groups {
        connection.prepare_cached(insert)?.execute([username, group])?;
    }
    Ok(())
}

fn change(connection: &Connection, row: &RowChange, now: &str) -> Result<(), Unwritten> {
    let RowChange { username, secret, is_new_password, language, groups } = row;
    let set = |update, value: &StoredText| match connection
        .prepare_cached(update)?
        .execute([username, value])?
    {
        0 => Err(None),
        _ => Ok(()),
    };
    if let Some(secret) = secret {
        set("UPDATE OR ABORT users SET password_hash = ?2 WHERE username = ?1", secret.expose())?;
        let update = format!(
            "UPDATE dash_users_times SET fingerprint = {} WHERE username = ?1",
            fingerprint("?2")
        );
        connection.prepare_cached(&update)?.execute([username, secret.expose()])?;
    }
    if let Some(language) = language {
        set("UPDATE OR ABORT users SET language = ?2 WHERE username = ?1", language)?;
    }
    if *is_new_password {
        let update = "UPDATE dash_users_times SET password_changed_at = ?2 WHERE username = ?1";
        connection.prepare_cached(update)?.execute(params![username, now])?;
    }
    if let Some(groups) = groups {
        let delete = "DELETE FROM user_groups WHERE username = ?";
        connection.prepare_cached(delete)?.execute([username])?;
        add_groups(connection, username, groups)?;
    }
    Ok(())
}
