//! Makes groups and times match the users, and records that in the history: users may have changed
//! while the triggers were not working.

use rusqlite::Connection;

use super::error::sql_error;
use super::schema::{has_column, has_groups};
use super::{history, stored_text};
use crate::store::{Location, StoreError};
use crate::user::StoredText;

/// The fingerprint that identifies a user, as an SQL expression of the stored hash: see
/// `003_fingerprints.sql`.
pub(super) fn fingerprint(hash: &str) -> String {
    format!(
        "CASE WHEN length({hash}) > 64 AND substr({hash}, -32) NOT GLOB '*[^0-9a-f]*'
              THEN substr({hash}, -32) END"
    )
}

/// An SQL condition for a row `kept` of groups or times that belongs to no user: there is no user
/// with the name, or that user has another hash than was last recorded. If none was recorded, it
/// depends on whether this is another table than before.
fn is_gone() -> String {
    format!(
        "NOT EXISTS (
             SELECT 1 FROM users LEFT JOIN dash_users_times AS times
                 ON times.username = users.username
             WHERE kept.username = users.username
                 AND CASE WHEN times.fingerprint IS NULL THEN NOT ?1
                          ELSE times.fingerprint IS {} END)",
        fingerprint("users.password_hash")
    )
}

/// Makes groups and times match the users.
pub(super) fn run(
    transaction: &Connection,
    was_watched: bool,
    is_another_table: bool,
) -> rusqlite::Result<()> {
    let current = fingerprint("users.password_hash");
    if was_watched {
        history::begin_bulk(transaction)?;
        let gone = is_gone();
        for sql in [
            format!(
                "INSERT INTO user_events (action, username, detail)
                 SELECT 'group remove', substr(username, 1, 1024), substr(group_name, 1, 1024)
                 FROM user_groups AS kept WHERE {gone}"
            ),
            format!(
                "INSERT INTO user_events (action, username, detail)
                 SELECT 'remove', substr(username, 1, 1024), 'found missing'
                 FROM dash_users_times AS kept WHERE {gone}"
            ),
            format!(
                "INSERT INTO user_events (action, username, detail)
                 SELECT 'add', substr(username, 1, 1024), 'found' FROM users AS kept
                 WHERE username IS NOT NULL AND EXISTS (SELECT 1 FROM dash_users_times)
                     AND (username COLLATE BINARY NOT IN (SELECT username FROM dash_users_times) OR {gone})"
            ),
            format!("DELETE FROM user_groups AS kept WHERE {gone}"),
            format!("DELETE FROM dash_users_times AS kept WHERE {gone}"),
        ] {
            transaction.execute(&sql, [is_another_table])?;
        }
    }
    transaction.execute_batch(&format!(
        "DELETE FROM dash_users_change;
         INSERT INTO dash_users_times (username, fingerprint)
         SELECT username, {current} FROM users
         WHERE username IS NOT NULL
             AND username COLLATE BINARY NOT IN (SELECT username FROM dash_users_times);
         UPDATE dash_users_times SET fingerprint =
             (SELECT {current} FROM users WHERE users.username = dash_users_times.username)
         WHERE fingerprint IS NULL;"
    ))
}

/// Stops if groups may belong to other users than those who have the names now: an app replaced the
/// table, or wrote to it while the triggers were not working. Only a repair drops such groups.
pub(super) fn refuse_leftovers(
    connection: &Connection,
    location: &Location,
) -> Result<(), StoreError> {
    let refuse = |reason| Err(StoreError::NeedsRepair { location: location.clone(), reason });
    let names = match leftovers(connection).map_err(sql_error(location))? {
        Leftovers::All(is) => {
            return refuse(format!(
                "its table 'users' is {is}, but groups of earlier users remain: `restore` a \
                 backup, or drop the groups with `check --fix`"
            ));
        }
        Leftovers::These(names) if names.is_empty() => return Ok(()),
        Leftovers::These(names) => names,
    };
    let count = names.len();
    let shown: Vec<_> = names.iter().take(10).map(|name| format!("'{name}'")).collect();
    let more = if count > shown.len() { " …" } else { "" };
    refuse(format!(
        "{} may have the groups of earlier users with the same names: {}{more}; `check --fix` \
         deletes these groups",
        if count == 1 { "1 user".to_owned() } else { format!("{count} users") },
        shown.join(", ")
    ))
}

/// Users whose groups may belong to earlier users.
enum Leftovers {
    These(Vec<StoredText>),
    /// There are groups but no users. The text describes the table `users`.
    All(&'static str),
}

fn leftovers(connection: &Connection) -> rusqlite::Result<Leftovers> {
    let is_there = |table: &str| {
        let select = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ? COLLATE NOCASE)";
        connection.query_row(select, [table], |row| row.get::<_, bool>(0))
    };
    if !is_there("user_groups")? || !is_there("dash_users_times")? {
        return Ok(Leftovers::These(Vec::new()));
    }
    let has_groups = has_groups(connection)?;
    if !is_there("users")? {
        let none = Leftovers::These(Vec::new());
        return Ok(if has_groups { Leftovers::All("gone") } else { none });
    }
    let is_another_table = is_another_table(connection)?;
    let is_empty = "SELECT NOT EXISTS (SELECT 1 FROM users)";
    if is_another_table && has_groups && connection.query_row(is_empty, [], |row| row.get(0))? {
        return Ok(Leftovers::All("new and empty"));
    }
    let has_fingerprints = has_column(connection, "dash_users_times", "fingerprint")?;
    let gone = if has_fingerprints { is_gone() } else { "?1".to_owned() };
    let select = format!(
        "SELECT DISTINCT kept.username FROM user_groups AS kept
         WHERE kept.username IN (SELECT username FROM users) AND {gone}"
    );
    let mut statement = connection.prepare(&select)?;
    let names = statement.query_map([is_another_table], |row| row.get_ref(0).map(stored_text))?;
    names.collect::<rusqlite::Result<_>>().map(Leftovers::These)
}

/// Whether `users` has none of our triggers, so it is another table than before. SQLite drops
/// triggers with their table, and no event records the removed users. Tools that rebuild a table
/// copy its indexes, but not its triggers.
pub(super) fn is_another_table(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name GLOB 'dash_users_*'
                              AND tbl_name = 'users' COLLATE NOCASE AND type = 'trigger')",
        [],
        |row| row.get(0),
    )
}
