//! Importing many users at once. A trigger costs more time than the row itself, so our triggers are
//! disabled and their work is done here. Names are looked up together where possible, because most
//! lookups find nothing.

use std::collections::HashSet;

use rusqlite::{CachedStatement, Connection, params, params_from_iter};

use super::schema::fingerprint;
use super::{history, limit, schema_text, stored_text, table};
use crate::store::{Cause, ImportRow, NewRow, RowChange};
use crate::user::StoredText;

/// The triggers that fire for each added or changed row. Even one that only checks whether to do
/// nothing doubles the time.
const TRIGGERS: [&str; 4] =
    ["dash_users_added", "dash_users_language", "dash_users_password", "dash_users_group_added"];

/// The number of names in one statement.
const BATCH: usize = 500;

/// The page cache of an import, in KiB. Changed pages stay in it (see `cache_spill`), so with the
/// default of 2 MiB it is soon full of them, and each look-up would read its pages again.
const CACHE: i64 = 256 << 10;

/// A started import.
pub(super) struct Import {
    /// The start time, in the triggers' format.
    now: String,
    /// Whether groups may remain of earlier users.
    may_have_groups: bool,
    /// Whether triggers of the app can add and remove users, which ours do not see in an import.
    app_has_triggers: bool,
    /// The SQL that recreates the triggers.
    triggers: Vec<String>,
}

impl Import {
    pub(super) fn begin(connection: &Connection) -> rusqlite::Result<Self> {
        let ask = "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
                          NOT EXISTS (SELECT 1 FROM users),
                          EXISTS (SELECT 1 FROM user_groups),
                          EXISTS (SELECT 1 FROM sqlite_schema
                                  WHERE type = 'trigger' AND tbl_name = 'users' COLLATE NOCASE
                                      AND name NOT LIKE 'dash\\_users\\_%' ESCAPE '\\')";
        let (now, was_empty, has_groups, app_has_triggers): (_, bool, bool, _) = connection
            .query_row(ask, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        // For an exact name, `forget` is enough.
        if was_empty || app_has_triggers || !table::compares_bytes(connection)? {
            delete_orphans(connection)?;
        }
        connection.pragma_update(None, "cache_size", -CACHE)?;
        history::begin_bulk(connection)?;
        let mut triggers = Vec::new();
        for name in TRIGGERS {
            let select = "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?";
            triggers.push(connection.query_row(select, [name], |row| schema_text(row, 0))?);
            connection.execute_batch(&format!("DROP TRIGGER {name}"))?;
        }
        Ok(Self { now, may_have_groups: has_groups && !was_empty, app_has_triggers, triggers })
    }

    /// Prepares for adding and changing these rows.
    pub(super) fn prepare<'a>(
        &'a self,
        connection: &'a Connection,
        rows: &[ImportRow],
    ) -> rusqlite::Result<Writer<'a>> {
        let added = |row| match row {
            &ImportRow::Add(NewRow { ref username, .. }) => Some(username),
            ImportRow::Change(_) => None,
        };
        if self.may_have_groups {
            let names: Vec<_> = rows.iter().filter_map(added).collect();
            for names in names.chunks(BATCH) {
                let list = vec!["?"; names.len()].join(", ");
                let delete = format!("DELETE FROM user_groups WHERE username IN ({list})");
                connection.execute(&delete, params_from_iter(names))?;
            }
        }
        let remember = format!(
            "INSERT INTO dash_users_times (username, created_at, password_changed_at, fingerprint)
             VALUES (?1, ?2, ?2, {})
             ON CONFLICT (username) DO NOTHING",
            fingerprint("?3")
        );
        let set_fingerprint = format!(
            "UPDATE dash_users_times
             SET fingerprint = {}, password_changed_at = ifnull(?3, password_changed_at)
             WHERE username = ?1",
            fingerprint("?2")
        );
        Ok(Writer {
            connection,
            now: &self.now,
            add: connection.prepare_cached(
                "INSERT OR ABORT INTO users (username, password_hash, language) VALUES (?, ?, ?)",
            )?,
            remember: connection.prepare_cached(&remember)?,
            set_secret: connection.prepare_cached(
                "UPDATE OR ABORT users SET password_hash = ?2 WHERE username = ?1",
            )?,
            set_fingerprint: connection.prepare_cached(&set_fingerprint)?,
        })
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

/// Adds and changes rows.
pub(super) struct Writer<'a> {
    connection: &'a Connection,
    now: &'a str,
    add: CachedStatement<'a>,
    remember: CachedStatement<'a>,
    set_secret: CachedStatement<'a>,
    set_fingerprint: CachedStatement<'a>,
}

impl Writer<'_> {
    pub(super) fn write(&mut self, row: &ImportRow) -> Result<(), Unwritten> {
        match row {
            ImportRow::Add(row) => self.add(row),
            ImportRow::Change(row) => self.change(row),
        }
    }

    fn add(&mut self, row: &NewRow) -> Result<(), Unwritten> {
        let NewRow { username, secret, language, groups } = row;
        if self.add.execute(params![username, secret.expose(), language])? == 0 {
            return Err(None);
        }
        if *username != StoredText::Null {
            let values = params![username, self.now, secret.expose()];
            if self.remember.execute(values)? == 0 {
                forget(self.connection, username)?;
                self.remember.execute(values)?;
            }
        }
        add_groups(self.connection, username, groups)?;
        Ok(())
    }

    fn change(&mut self, row: &RowChange) -> Result<(), Unwritten> {
        let RowChange { username, secret, is_new_password, language, groups } = row;
        if let Some(secret) = secret {
            if self.set_secret.execute([username, secret.expose()])? == 0 {
                return Err(None);
            }
            let changed_at = is_new_password.then_some(self.now);
            self.set_fingerprint.execute(params![username, secret.expose(), changed_at])?;
        }
        if let Some(language) = language {
            let update = "UPDATE OR ABORT users SET language = ?2 WHERE username = ?1";
            if self.connection.prepare_cached(update)?.execute([username, language])? == 0 {
                return Err(None);
            }
        }
        if let Some(groups) = groups {
            let delete = "DELETE FROM user_groups WHERE username = ?";
            self.connection.prepare_cached(delete)?.execute([username])?;
            add_groups(self.connection, username, groups)?;
        }
        Ok(())
    }
}

/// Deletes the times of an earlier user of the name, like the trigger `dash_users_added`.
fn forget(connection: &Connection, username: &StoredText) -> rusqlite::Result<()> {
    for sql in [
        "INSERT INTO user_events (action, username, detail)
         SELECT 'remove', substr(username, 1, 1024), 'replaced by another row'
         FROM dash_users_times WHERE username = ?",
        "DELETE FROM dash_users_times WHERE username = ?",
    ] {
        connection.prepare_cached(sql)?.execute([username])?;
    }
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

/// See [`Transaction::may_have`](crate::store::Transaction::may_have). Reads the users between the
/// first and the last name, unless there are many more of them than names.
pub(super) fn may_have(
    connection: &Connection,
    usernames: &[&StoredText],
) -> rusqlite::Result<Vec<bool>> {
    let keys: Vec<_> = usernames.iter().map(|username| key(username)).collect();
    let known = || keys.iter().flatten();
    let (Some(first), Some(last)) = (known().min(), known().max()) else {
        return Ok(vec![true; usernames.len()]);
    };
    if table::ignores_trailing_spaces(connection)? {
        return Ok(vec![true; usernames.len()]);
    }
    let most = usernames.len().saturating_mul(4);
    let mut statement = connection.prepare_cached(
        "SELECT username FROM users
         WHERE username >= ?1 COLLATE NOCASE AND username <= ?2 COLLATE NOCASE",
    )?;
    let mut found = statement.query([first, last])?;
    let (mut existing, mut rows) = (HashSet::new(), 0);
    while let Some(row) = found.next()? {
        rows += 1;
        if rows > most {
            return Ok(vec![true; usernames.len()]);
        }
        existing.insert(stored_text(row.get_ref(0)?).as_bytes().to_ascii_lowercase());
        limit::goes_on();
    }
    let may_be =
        |key: &Option<String>| key.as_ref().is_none_or(|key| existing.contains(key.as_bytes()));
    Ok(keys.iter().map(may_be).collect())
}

/// What two names have in common that SQLite considers equal, whether or not it ignores case. None
/// for a name that SQLite may cut or replace when it compares.
fn key(username: &StoredText) -> Option<String> {
    match username {
        StoredText::Text(text) if !text.contains(['\0', '\u{fffe}', '\u{ffff}']) => {
            Some(text.to_ascii_lowercase())
        }
        _ => None,
    }
}
