//! Importing many users at once. A trigger costs more time than the row itself, so our triggers are
//! disabled and their work is done here. Names are looked up together where possible, because most
//! lookups find nothing.

use std::collections::{HashMap, HashSet};

use rusqlite::{CachedStatement, Connection, params, params_from_iter};

use super::profile::{self, BETWEEN_WITHOUT_TIMES, INSERT, ONE_WITHOUT_TIMES, read_found};
use super::reconcile::fingerprint;
use super::{history, limit, schema_text, stored_text, table};
use crate::store::{Cause, ImportRow, NewRow, Row, RowChange, StoredSecret};
use crate::user::StoredText;

/// The triggers that fire for each added or changed row. Even one that only checks whether to do
/// nothing doubles the time.
const TRIGGERS: [&str; 4] =
    ["dash_users_added", "dash_users_language", "dash_users_password", "dash_users_group_added"];

/// The number of names in one statement.
const BATCH: usize = 500;

/// How many times as many users are read as are looked up, before they are looked up one by one.
const RANGE: usize = 4;

/// The page cache of an import, in KiB. Changed pages stay in it (see `cache_spill`), so with the
/// default of 2 MiB it is soon full of them, and each look-up would read its pages again.
const CACHE: i64 = 256 << 10;

/// A started import.
pub(super) struct Import {
    /// The start time, in the triggers' format.
    now: String,
    /// The id of its event.
    event: i64,
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
        let event = history::begin_import(connection)?;
        connection.pragma_update(None, "cache_size", -CACHE)?;
        history::begin_bulk(connection)?;
        let mut triggers = Vec::new();
        for name in TRIGGERS {
            let select = "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?";
            triggers.push(connection.query_row(select, [name], |row| schema_text(row, 0))?);
            connection.execute_batch(&format!("DROP TRIGGER {name}"))?;
        }
        let may_have_groups = has_groups && !was_empty;
        Ok(Self { now, event, may_have_groups, app_has_triggers, triggers })
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
        Ok(Writer {
            connection,
            now: &self.now,
            event: self.event,
            add: connection.prepare_cached(INSERT)?,
            remember: connection.prepare_cached(
                "INSERT INTO dash_users_times
                     (username, created_at, password_changed_at, fingerprint)
                 VALUES (?1, ?2, ?2, ?3)
                 ON CONFLICT (username) DO NOTHING",
            )?,
            set_fingerprint: connection.prepare_cached(
                "UPDATE dash_users_times
                 SET fingerprint = ?2, password_changed_at = ifnull(?3, password_changed_at)
                 WHERE username = ?1",
            )?,
            record: connection.prepare_cached(
                "INSERT INTO dash_users_imported (username, event, changes)
                 VALUES (ifnull(substr(?1, 1, 1024), ?1), ?2, ?3) ON CONFLICT DO NOTHING",
            )?,
        })
    }

    pub(super) fn end(self, connection: &Connection, cause: &Cause<'_>) -> rusqlite::Result<()> {
        self.triggers.iter().try_for_each(|sql| connection.execute_batch(sql))?;
        if self.app_has_triggers {
            self.record_app_changes(connection)?;
        }
        history::end_change(connection)?;
        history::end_import(connection, self.event, cause)
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
    event: i64,
    add: CachedStatement<'a>,
    remember: CachedStatement<'a>,
    set_fingerprint: CachedStatement<'a>,
    record: CachedStatement<'a>,
}

impl Writer<'_> {
    pub(super) fn write(&mut self, row: &ImportRow) -> Result<(), Unwritten> {
        match row {
            ImportRow::Add(row) => self.add(row)?,
            ImportRow::Change(row) => self.change(row)?,
        }
        let (username, changes) = row.summary();
        if *username != StoredText::Null {
            self.record.execute(params![username, self.event, changes])?;
        }
        Ok(())
    }

    fn add(&mut self, row: &NewRow) -> Result<(), Unwritten> {
        let NewRow { username, secret, profile } = row;
        if self.add.execute(params![username, secret.expose(), profile.language])? == 0 {
            return Err(None);
        }
        if *username != StoredText::Null {
            let fingerprint = self.fingerprint_of(secret.expose())?;
            let values = params![username, self.now, fingerprint];
            if self.remember.execute(values)? == 0 {
                forget(self.connection, username)?;
                self.remember.execute(values)?;
            }
        }
        Ok(profile::add(self.connection, username, profile)?)
    }

    fn change(&mut self, row: &RowChange) -> Result<(), Unwritten> {
        let RowChange { username, before: _, secret, is_new_password, profile } = row;
        let connection = self.connection;
        // An app's trigger on a column must not fire if only the other one changes.
        let secret = secret.as_ref().map(StoredSecret::expose);
        let new = [("password_hash = ?", secret), ("language = ?", profile.language.as_ref())];
        let (set, values): (Vec<_>, Vec<_>) =
            new.into_iter().filter_map(|(set, value)| Some((set, value?))).unzip();
        if !set.is_empty() {
            let update = format!("UPDATE OR ABORT users SET {} WHERE username = ?", set.join(", "));
            let values = params_from_iter(values.into_iter().chain([username]));
            if connection.prepare_cached(&update)?.execute(values)? == 0 {
                return Err(None);
            }
        }
        if let Some(secret) = secret {
            let changed_at = is_new_password.then_some(self.now);
            let fingerprint = self.fingerprint_of(secret)?;
            self.set_fingerprint.execute(params![username, fingerprint, changed_at])?;
        }
        Ok(profile::change(connection, username, profile)?)
    }

    /// The value of [`fingerprint`], computed without SQL for text, which is faster.
    fn fingerprint_of(&self, hash: &StoredText) -> rusqlite::Result<StoredText> {
        let StoredText::Text(text) = hash else {
            let select = format!("SELECT {}", fingerprint("?1"));
            let mut select = self.connection.prepare_cached(&select)?;
            return select.query_row([hash], |row| row.get_ref(0).map(stored_text));
        };
        // To SQLite's functions, a text ends at NUL.
        let text = text.split('\0').next().unwrap_or_default();
        let is_digit = |c: char| matches!(c, '0'..='9' | 'a'..='f');
        let end = text.len().checked_sub(32).and_then(|start| text.get(start..));
        let end = end.filter(|end| end.chars().all(is_digit) && text.chars().count() > 64);
        Ok(end.map_or(StoredText::Null, |end| StoredText::Text(end.to_owned())))
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

/// See [`Transaction::find`](crate::store::Transaction::find). Reads the users between the first
/// and the last name, or each on its own if there are many more of them than names.
pub(super) fn find(
    connection: &Connection,
    usernames: &[&StoredText],
) -> rusqlite::Result<Vec<Option<Row>>> {
    let mut each = connection.prepare_cached(ONE_WITHOUT_TIMES)?;
    let mut together = find_together(connection, usernames)?;
    let find = |username: &&StoredText| {
        if let Some(rows) = &mut together {
            return Ok(rows.remove(*username));
        }
        let mut found = None;
        read_found(each.query([*username])?, &mut |row| found = Some(row))?;
        Ok(found)
    };
    usernames.iter().map(find).collect()
}

/// The users between the first and the last name.
fn find_together(
    connection: &Connection,
    usernames: &[&StoredText],
) -> rusqlite::Result<Option<HashMap<StoredText, Row>>> {
    let keys: Option<Vec<_>> = usernames.iter().map(|username| key(username)).collect();
    let keys = keys.unwrap_or_default();
    let (Some(first), Some(last)) = (keys.iter().min(), keys.iter().max()) else {
        return Ok(None);
    };
    if !table::compares_bytes(connection)? {
        return Ok(None);
    }
    let most = usernames.len() * RANGE;
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let (mut rows, mut count) = (HashMap::new(), 0);
    let mut select = connection.prepare_cached(BETWEEN_WITHOUT_TIMES)?;
    read_found(select.query(params![first, last, limit])?, &mut |row| {
        count += row.profile.groups.len().max(1);
        rows.insert(row.username.clone(), row);
    })?;
    Ok((count < most).then_some(rows))
}

/// See [`Transaction::may_have`](crate::store::Transaction::may_have). Reads the names between the
/// first and the last one, unless there are many more of them.
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
    let most = usernames.len() * RANGE;
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::schema;
    use super::*;

    fn database(username: &str) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        let users = format!("CREATE TABLE users (username {username}, password_hash, language)");
        connection.execute_batch(&users).unwrap();
        schema::create(&connection).unwrap();
        history::begin_bulk(&connection).unwrap();
        connection
    }

    fn names() -> impl Strategy<Value = Vec<StoredText>> {
        let text = "[aAbB \\x00é]{0,3}".prop_map(StoredText::Text);
        let blob = proptest::collection::vec(prop_oneof![Just(b'a'), Just(255)], 1..3);
        let odd = blob.prop_map(|bytes| {
            if bytes.contains(&255) {
                StoredText::InvalidText(bytes)
            } else {
                StoredText::Blob(bytes)
            }
        });
        let name = prop_oneof![9 => text, 1 => odd, 1 => Just(StoredText::Null)];
        proptest::collection::btree_set(name, 0..12).prop_map(Vec::from_iter)
    }

    proptest! {
        #[test]
        fn users_found_together_are_those_found_alone(
            stored in names(),
            wanted in names(),
            column in prop_oneof![
                3 => Just("TEXT"), 1 => Just(""), 1 => Just("TEXT COLLATE NOCASE"),
                1 => Just("TEXT COLLATE RTRIM"),
            ],
        ) {
            let connection = database(column);
            for (index, name) in stored.iter().enumerate() {
                let insert = "INSERT INTO users VALUES (?, ?, 'en')";
                connection.execute(insert, params![name, format!("hash {index}")]).unwrap();
                for group in &["x", "y", "z"][..index % 4] {
                    let insert = "INSERT OR IGNORE INTO user_groups VALUES (?, ?)";
                    connection.execute(insert, params![name, group]).unwrap();
                }
            }
            let wanted: Vec<_> = wanted.iter().collect();
            let shown = |rows: Vec<Option<Row>>| {
                let shown = rows.into_iter().map(|row| {
                    row.map(|row| (row.username.clone(), row.secret.expose().clone(), row.profile.groups.len()))
                });
                shown.collect::<Vec<_>>()
            };
            let together = shown(find(&connection, &wanted).unwrap());
            let mut select = connection.prepare(ONE_WITHOUT_TIMES).unwrap();
            let alone = wanted.iter().map(|name| {
                let mut found = None;
                read_found(select.query([*name]).unwrap(), &mut |row| found = Some(row)).unwrap();
                found
            });
            prop_assert_eq!(together, shown(alone.collect()));
        }

        #[test]
        fn fingerprint_matches_sql(
            start in "[a-f0-9$é\\x00]{0,4}|[a-f0-9é]{28,70}",
            end in "[a-f0-9]{30,34}|[a-g0-9A]{32}|[a-f0-9\\x00é]{32}",
        ) {
            let connection = database("TEXT");
            let import = Import {
                now: String::new(),
                event: 1,
                may_have_groups: false,
                app_has_triggers: false,
                triggers: Vec::new(),
            };
            let writer = import.prepare(&connection, &[]).unwrap();
            let text = start + &end;
            for hash in [StoredText::Text(text.clone()), StoredText::Blob(text.into_bytes())] {
                let select = format!("SELECT {}", fingerprint("?1"));
                let expected =
                    connection.query_row(&select, [&hash], |row| row.get_ref(0).map(stored_text));
                prop_assert_eq!(writer.fingerprint_of(&hash).unwrap(), expected.unwrap());
            }
        }
    }
}
