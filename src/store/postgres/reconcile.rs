//! Makes groups and times match the users, and records that in the history: users may have changed
//! while the triggers were not working.
//!
//! The triggers work already. If any was missing, they were committed with a version below the latest,
//! so other commands reject the schema. Apps read and write meanwhile, so no table is locked: a search reads
//! all users, and those who do not match are settled in short transactions that lock only their
//! rows. The next search finds what an app changed in between. Once a search finds nothing, the
//! triggers keep it that way, and the version is stored. After an interruption, the next `init`
//! continues.
//!
//! A user keeps groups and times if the hash is the last recorded one, or if none was recorded.

use std::collections::HashSet;
use std::thread;
use std::time::Instant;

use postgres::types::Type;

use super::place::Opening;
use super::schema::{LATEST, TURN, fingerprint, stop_if_canceled};
use super::{Param, Postgres, PostgresTransaction, read_event, users};
use crate::event::Event;
use crate::store::{Access, CommitHooks, StoreError, lock_timeout};

/// The maximum number of names that a search returns.
const MAX_FOUND: i64 = 500_000;

/// The number of users in one transaction.
const BATCH: usize = 10_000;

/// What there was before the triggers were created.
#[derive(Clone, Copy)]
pub(super) struct Before {
    /// Whether there were triggers at some time. If not, all users are new to them.
    pub(super) was_watched: bool,
    /// Whether users were recorded, so additional ones are worth an event.
    pub(super) had_times: bool,
    /// Whether anything was missing, so the version was lowered.
    pub(super) is_pending: bool,
}

/// Settles all users, and stores the version. Returns the events that this added to the history,
/// newest first, and whether another program was faster to store the version.
pub(super) fn run(
    store: &mut Postgres,
    before: Before,
    hooks: CommitHooks,
) -> Result<(Vec<Event>, bool), StoreError> {
    let mut events = Vec::new();
    let mut deadline = Instant::now() + lock_timeout();
    loop {
        let mut turn = || {
            let found = search(store, before)?;
            if found.is_empty() {
                return Ok(Some(!before.is_pending || stamp(store)?));
            }
            for names in found.chunks(BATCH) {
                stop_if_canceled(store, hooks)?;
                if settle(store, before, names, &mut events)? {
                    deadline = Instant::now() + lock_timeout();
                }
            }
            Ok(None)
        };
        match turn() {
            Ok(Some(is_first)) => {
                events.reverse();
                return Ok((events, !is_first));
            }
            Err(StoreError::Busy { .. } | StoreError::Conflict { .. }) | Ok(None)
                if Instant::now() < deadline =>
            {
                thread::sleep(TURN / 10);
            }
            // The rows that an app holds are skipped.
            Ok(None) => {
                return Err(StoreError::Busy { location: store.location.clone(), holder: None });
            }
            Err(error) => return Err(error),
        }
    }
}

/// Stores the version. Returns whether no other program did so before.
fn stamp(store: &mut Postgres) -> Result<bool, StoreError> {
    let (mut transaction, _) = store.open_transaction(Access::Write, &Opening::new(TURN))?;
    // As in a migration, which may be about to lower it.
    let lock = "LOCK TABLE {schema}.dash_users_schema IN SHARE UPDATE EXCLUSIVE MODE";
    transaction.run(lock, &[])?;
    let latest = i32::try_from(LATEST).unwrap_or(i32::MAX);
    let update = "UPDATE {schema}.dash_users_schema SET version = $1 WHERE version <> $1";
    let count = transaction.run(update, &[(&latest, Type::INT4)])?;
    transaction.save(CommitHooks::default())?;
    Ok(count > 0)
}

/// Finds names whose groups or times do not match their user.
fn search(store: &mut Postgres, before: Before) -> Result<Vec<String>, StoreError> {
    let (mut transaction, _) = store.open_transaction(Access::Read, &Opening::new(TURN))?;
    let current = fingerprint("users.password_hash::text");
    let orphaned = "UNION ALL
        SELECT groups.username FROM {schema}.user_groups AS groups LEFT JOIN {schema}.users
            ON users.username::text COLLATE \"C\" = groups.username
        WHERE users.username IS NULL";
    let select = format!(
        "SELECT name FROM (
             SELECT coalesce(times.username, users.username::text COLLATE \"C\") AS name
             FROM {{schema}}.dash_users_times AS times FULL JOIN {{schema}}.users
                 ON users.username::text COLLATE \"C\" = times.username
             WHERE coalesce(times.username, users.username::text) IS NOT NULL
                 AND (users.username IS NULL OR times.username IS NULL
                      OR times.fingerprint IS DISTINCT FROM {current})
             {}) AS found
         LIMIT $1",
        if before.was_watched { orphaned } else { "" }
    );
    // All users and all times are joined.
    transaction.query("SELECT set_config('work_mem', '64MB', true)", &[])?;
    let mut names: Vec<String> = Vec::new();
    let limit: Param = (&MAX_FOUND, Type::INT8);
    transaction.stream(&select, vec![limit], &mut |row| names.push(row.get(0)))?;
    names.sort();
    names.dedup();
    Ok(names)
}

/// Makes groups and times match the users with these names, except rows that an app has locked.
/// Returns whether any did not match.
fn settle(
    store: &mut Postgres,
    before: Before,
    names: &[String],
    events: &mut Vec<Event>,
) -> Result<bool, StoreError> {
    let opening = Opening { locks: true, ..Opening::new(TURN) };
    let (mut transaction, catalog) = store.open_transaction(Access::Write, &opening)?;
    users::adopt(&mut transaction, &catalog)?;
    // Each name is looked up with an index.
    transaction.query(
        "SELECT set_config('dash_users.bulk', 'on', true), set_config('enable_seqscan', 'off', true)",
        &[],
    )?;
    let Strays { found, new, known, replaced } = strays(&mut transaction, before, names)?;
    let gone = if found < names.len() { lock_gone(&mut transaction, names)? } else { Vec::new() };
    let is_settled = !(new.is_empty() && known.is_empty() && gone.is_empty());
    let with_times = gone.iter().filter(|(_, had_times)| *had_times).map(|(name, _)| name);
    let with_times = sorted(replaced.iter().chain(with_times));
    if before.was_watched {
        let ungrouped =
            sorted(new.iter().map(|(name, _)| name).chain(gone.iter().map(|(name, _)| name)));
        let returning = "RETURNING id, at, actor, action, username, detail";
        let from_names = |action: &str, detail: &str| {
            format!(
                "INSERT INTO {{schema}}.user_events (action, username, detail)
                 SELECT '{action}', left(name, 1024), '{detail}' FROM unnest($1) AS one (name)
                 {returning}"
            )
        };
        let of_groups = format!(
            "INSERT INTO {{schema}}.user_events (action, username, detail)
             SELECT 'group remove', left(username, 1024), left(group_name, 1024)
             FROM {{schema}}.user_groups WHERE username = ANY ($1)
             ORDER BY username, group_name {returning}"
        );
        let added =
            if before.had_times { sorted(new.iter().map(|(name, _)| name)) } else { vec![] };
        for (insert, names) in [
            (&of_groups, &ungrouped),
            (&from_names("remove", "found missing"), &with_times),
            (&from_names("add", "found"), &added),
        ] {
            let rows = transaction.query(insert, &[(names, Type::TEXT_ARRAY)])?;
            events.extend(rows.iter().map(read_event));
        }
        let delete = "DELETE FROM {schema}.user_groups WHERE username = ANY ($1)";
        transaction.run(delete, &[(&ungrouped, Type::TEXT_ARRAY)])?;
    }
    let delete = "DELETE FROM {schema}.dash_users_times WHERE username = ANY ($1)";
    let outdated = sorted(replaced.iter().chain(gone.iter().map(|(name, _)| name)));
    transaction.run(delete, &[(&outdated, Type::TEXT_ARRAY)])?;
    let insert = "INSERT INTO {schema}.dash_users_times (username, fingerprint)
                  SELECT * FROM unnest($1, $2)
                  ON CONFLICT (username) DO UPDATE SET fingerprint = excluded.fingerprint";
    let (names, fingerprints): (Vec<_>, Vec<_>) = new.into_iter().chain(known).unzip();
    let values: [Param; 2] = [(&names, Type::TEXT_ARRAY), (&fingerprints, Type::TEXT_ARRAY)];
    transaction.run(insert, &values)?;
    transaction.save(CommitHooks::default())?;
    Ok(is_settled)
}

/// Users whose times do not match, by name with the current fingerprint.
#[derive(Default)]
struct Strays {
    /// The number of users with these names.
    found: usize,
    /// Who may be other people than those with these names before.
    new: Vec<(String, Option<String>)>,
    known: Vec<(String, Option<String>)>,
    /// The new ones with times of somebody else.
    replaced: Vec<String>,
}

/// Looks up users, and locks those who may lose groups.
fn strays(
    transaction: &mut PostgresTransaction,
    before: Before,
    names: &[String],
) -> Result<Strays, StoreError> {
    let select = format!(
        "SELECT wanted.name, {}, times.username IS NOT NULL, times.fingerprint
         FROM unnest($1) AS wanted (name)
             JOIN {{schema}}.users ON {{username = wanted.name}}
                 AND users.username::text COLLATE \"C\" = wanted.name
             LEFT JOIN {{schema}}.dash_users_times AS times ON times.username = wanted.name
         {}",
        fingerprint("users.password_hash::text"),
        if before.was_watched { "FOR NO KEY UPDATE OF users SKIP LOCKED" } else { "" }
    );
    let mut strays = Strays::default();
    for row in transaction.query(&select, &[(&names, Type::TEXT_ARRAY)])? {
        strays.found += 1;
        let (name, current): (String, Option<String>) = (row.get(0), row.get(1));
        let (has_times, stored): (bool, Option<String>) = (row.get(2), row.get(3));
        if has_times && stored == current {
            continue;
        }
        if has_times && (stored.is_none() || !before.was_watched) {
            strays.known.push((name, current));
            continue;
        }
        if has_times {
            strays.replaced.push(name.clone());
        }
        strays.new.push((name, current));
    }
    Ok(strays)
}

/// The names without a user, and whether each had times. No user can get such a name until the end
/// of the transaction: the trigger waits for the row of times.
fn lock_gone(
    transaction: &mut PostgresTransaction,
    names: &[String],
) -> Result<Vec<(String, bool)>, StoreError> {
    let select = "SELECT wanted.name FROM unnest($1) AS wanted (name)
                  WHERE NOT EXISTS (SELECT 1 FROM {schema}.users WHERE {username = wanted.name}
                                        AND users.username::text COLLATE \"C\" = wanted.name)";
    let gone = transaction.texts(select, &[(&names, Type::TEXT_ARRAY)])?;
    if gone.is_empty() {
        return Ok(Vec::new());
    }
    // A user added meanwhile with triggers off keeps the row: it is not NULL, so it does not match.
    let lock = "INSERT INTO {schema}.dash_users_times AS times (username, fingerprint)
                SELECT unnest($1), ''
                ON CONFLICT (username) DO UPDATE SET fingerprint = times.fingerprint
                RETURNING username, xmax::text <> '0'";
    let locked = transaction.query(lock, &[(&gone, Type::TEXT_ARRAY)])?;
    // A user may have got the name before it was locked.
    let gone: HashSet<_> =
        transaction.texts(select, &[(&gone, Type::TEXT_ARRAY)])?.into_iter().collect();
    let locked = locked.iter().map(|row| (row.get(0), row.get(1)));
    Ok(locked.filter(|(name, _)| gone.contains(name)).collect())
}

fn sorted<'a>(names: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    let mut names: Vec<_> = names.map(String::as_str).collect();
    names.sort_unstable();
    names
}
