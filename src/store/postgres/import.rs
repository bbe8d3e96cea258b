//! Importing many users at once, all with a few statements. The triggers do nothing, and their work is
//! done here.
//!
//! Apps can write meanwhile: only rows of imported users are locked, by the statements that write
//! them. What the import was decided on is compared again by these statements. If an app was faster,
//! the import is undone up to a savepoint, and its users are looked up again.

use std::time::SystemTime;

use postgres::types::Type;

use super::schema::fingerprint;
use super::{
    Param, PostgresTransaction, REWRITTEN, SKIPPED, printable, profile, text as read_text,
};
use crate::store::{Cause, ImportRow, NewRow, RowChange, StoreError};
use crate::user::StoredText;

/// A started import.
pub(super) struct Import {
    now: SystemTime,
    /// Whether there were no users, so nothing can remain of one.
    was_empty: bool,
    /// The users, and what the history of each says about the import.
    imported: Vec<(String, String)>,
}

impl Import {
    pub(super) fn begin(transaction: &mut PostgresTransaction) -> Result<Self, StoreError> {
        transaction.run_all("SAVEPOINT dash_users_import")?;
        transaction.has_savepoint = true;
        let ask = "SELECT clock_timestamp(), NOT EXISTS (SELECT 1 FROM {schema}.users),
                          set_config('dash_users.bulk', 'on', true)";
        let row = transaction.query_one(ask, &[])?;
        let import = Self { now: row.get(0), was_empty: row.get(1), imported: Vec::new() };
        if import.was_empty {
            // Each statement sees the users whose times or groups it would delete.
            for sql in [
                "WITH gone AS (DELETE FROM {schema}.dash_users_times
                               WHERE NOT EXISTS (SELECT 1 FROM {schema}.users) RETURNING username)
                 INSERT INTO {schema}.user_events (action, username, detail)
                 SELECT 'remove', left(username, 1024), 'found missing' FROM gone",
                "DELETE FROM {schema}.user_groups
                 WHERE NOT EXISTS (SELECT 1 FROM {schema}.users)",
            ] {
                transaction.run(sql, &[])?;
            }
        }
        Ok(import)
    }

    pub(super) fn write(
        &mut self,
        transaction: &mut PostgresTransaction,
        rows: &[ImportRow],
    ) -> Result<(), StoreError> {
        let (mut new, mut changes) = (Vec::new(), Vec::new());
        for row in rows {
            if let (StoredText::Text(username), changes) = row.summary() {
                self.imported.push((username.chars().take(1024).collect(), changes));
            }
            match row {
                ImportRow::Add(row) => new.push(row),
                ImportRow::Change(row) => changes.push(row),
            }
        }
        if !new.is_empty() {
            self.add(transaction, &new)?;
        }
        if !changes.is_empty() {
            self.change(transaction, &changes)?;
        }
        Ok(())
    }

    fn add(
        &self,
        transaction: &mut PostgresTransaction,
        rows: &[&NewRow],
    ) -> Result<(), StoreError> {
        let (mut names, mut secrets, mut languages) = (Vec::new(), Vec::new(), Vec::new());
        for NewRow { username, secret, profile } in rows {
            names.push(text(transaction, username)?);
            secrets.push(text(transaction, secret.expose())?);
            languages.push(text(transaction, &profile.language)?);
        }
        let names: [Param; 1] = [(&names, Type::TEXT_ARRAY)];
        if !self.was_empty {
            let delete = "DELETE FROM {schema}.user_groups AS groups
                          USING unnest($1) AS wanted (name) WHERE groups.username = name";
            transaction.run(delete, &names)?;
        }
        // A trigger of the app may have skipped a row, or changed it.
        let insert = "WITH wanted (name, hash, language) AS (SELECT * FROM unnest($1, $2, $3)),
                          written AS (INSERT INTO {schema}.users (username, password_hash, language)
                                      SELECT * FROM wanted
                                      RETURNING username::text COLLATE \"C\" AS name,
                                                password_hash::text COLLATE \"C\" AS hash)
                      SELECT (SELECT pg_catalog.count(*) FROM written),
                             (SELECT pg_catalog.count(*)
                              FROM (SELECT name, hash FROM written
                                    EXCEPT ALL SELECT name, hash FROM wanted) AS rewritten)";
        let [names] = names;
        let secrets: Param = (&secrets, Type::TEXT_ARRAY);
        let languages: Param = (&languages, Type::TEXT_ARRAY);
        let values: [Param; 3] = [names.clone(), secrets.clone(), languages];
        let [written, rewritten] = counts(transaction, insert, &values)?;
        if written < rows.len() {
            return Err(transaction.refused(SKIPPED));
        }
        if rewritten > 0 {
            return Err(transaction.refused(REWRITTEN));
        }
        // Like the trigger on users.
        let insert = format!(
            "WITH written AS (
                 INSERT INTO {{schema}}.dash_users_times AS times
                     (username, created_at, password_changed_at, fingerprint)
                 SELECT name, $2, $2, {} FROM unnest($1, $3) AS wanted (name, hash)
                 WHERE name IS NOT NULL
                 ON CONFLICT (username) DO UPDATE SET created_at = excluded.created_at,
                     password_changed_at = excluded.password_changed_at,
                     fingerprint = excluded.fingerprint
                 RETURNING times.username, times.xmax::text <> '0' AS is_replaced)
             INSERT INTO {{schema}}.user_events (action, username, detail)
             SELECT 'remove', left(username, 1024), 'replaced by another row'
             FROM written WHERE is_replaced",
            fingerprint("hash")
        );
        transaction.run(&insert, &[names, (&self.now, Type::TIMESTAMPTZ), secrets])?;
        profile::add(transaction, rows)
    }

    fn change(
        &self,
        transaction: &mut PostgresTransaction,
        rows: &[&RowChange],
    ) -> Result<(), StoreError> {
        // A trigger of the app on a column must not fire if only the other one changes.
        for (set, of_hash, of_language) in [
            ("password_hash = wanted.hash, language = wanted.language", true, true),
            ("password_hash = wanted.hash", true, false),
            ("language = wanted.language", false, true),
        ] {
            let is_it = |row: &&&RowChange| {
                row.secret.is_some() == of_hash && row.profile.language.is_some() == of_language
            };
            let rows: Vec<_> = rows.iter().filter(is_it).copied().collect();
            if !rows.is_empty() {
                update(transaction, set, of_hash, &rows)?;
            }
        }
        self.remember(transaction, rows)?;
        profile::change(transaction, rows)
    }

    /// Updates fingerprints, and the times of new passwords.
    fn remember(
        &self,
        transaction: &mut PostgresTransaction,
        rows: &[&RowChange],
    ) -> Result<(), StoreError> {
        let (mut names, mut secrets, mut are_new) = (Vec::new(), Vec::new(), Vec::new());
        let mut before = Vec::new();
        for row in rows.iter().filter(|row| row.secret.is_some() || row.is_new_password) {
            names.push(text(transaction, &row.username)?);
            secrets.push(match &row.secret {
                Some(secret) => text(transaction, secret.expose())?,
                None => None,
            });
            before.push(text(transaction, row.before.expose())?);
            are_new.push(row.is_new_password);
        }
        if names.is_empty() {
            return Ok(());
        }
        // Like the trigger on users.
        let update = format!(
            "UPDATE {{schema}}.dash_users_times AS times
             SET fingerprint = CASE WHEN hash IS NULL OR fingerprint <> {} THEN fingerprint
                                    ELSE {} END,
                 password_changed_at = CASE WHEN is_new THEN $5 ELSE password_changed_at END
             FROM unnest($1, $2, $3, $4) AS wanted (name, before, hash, is_new)
             WHERE times.username = name",
            fingerprint("before"),
            fingerprint("hash")
        );
        let values: [Param; 5] = [
            (&names, Type::TEXT_ARRAY),
            (&before, Type::TEXT_ARRAY),
            (&secrets, Type::TEXT_ARRAY),
            (&are_new, Type::BOOL_ARRAY),
            (&self.now, Type::TIMESTAMPTZ),
        ];
        transaction.run(&update, &values).map(drop)
    }

    pub(super) fn end(
        self,
        transaction: &mut PostgresTransaction,
        cause: &Cause<'_>,
    ) -> Result<(), StoreError> {
        /// The number of users in one statement.
        const BATCH: usize = 100_000;

        let Cause { actor, action, detail } = *cause;
        let (actor, detail) = (actor.map(printable), detail.map(printable));
        let insert = "INSERT INTO {schema}.user_events (actor, action, detail) VALUES ($1, $2, $3)
                      RETURNING id";
        let values: [Param; 3] =
            [(&actor, Type::TEXT), (&action, Type::TEXT), (&detail, Type::TEXT)];
        let written = transaction.write(insert, &values)?;
        let Some(event) = written.first().map(|row| row.get::<_, i64>(0)) else {
            return Err(transaction.refused(SKIPPED));
        };
        for imported in self.imported.chunks(BATCH) {
            let (names, changes): (Vec<_>, Vec<_>) =
                imported.iter().map(|(name, changes)| (&**name, &**changes)).unzip();
            let insert = "INSERT INTO {schema}.dash_users_imported (username, event, changes)
                          SELECT name, $3, changes FROM unnest($1, $2) AS row (name, changes)
                          ON CONFLICT DO NOTHING";
            let values: [Param; 3] =
                [(&names, Type::TEXT_ARRAY), (&changes, Type::TEXT_ARRAY), (&event, Type::INT8)];
            transaction.run(insert, &values)?;
        }
        // Conflicts from here on concern the whole transaction.
        transaction.has_savepoint = false;
        transaction.query("SELECT set_config('dash_users.bulk', '', true)", &[]).map(drop)
    }
}

/// Changes users whose hash is still the one that the change was decided on.
fn update(
    transaction: &mut PostgresTransaction,
    set: &str,
    of_hash: bool,
    rows: &[&RowChange],
) -> Result<(), StoreError> {
    let (mut names, mut before) = (Vec::new(), Vec::new());
    let (mut secrets, mut languages) = (Vec::new(), Vec::new());
    for row in rows {
        names.push(text(transaction, &row.username)?);
        before.push(text(transaction, row.before.expose())?);
        secrets.push(match &row.secret {
            Some(secret) => text(transaction, secret.expose())?,
            None => None,
        });
        languages.push(match &row.profile.language {
            Some(language) => text(transaction, language)?,
            None => None,
        });
    }
    let is_same = "users.password_hash::text COLLATE \"C\" IS NOT DISTINCT FROM wanted.before";
    let wanted = "unnest($1, $2, $3, $4) AS wanted (name, before, hash, language)";
    let update = format!(
        "WITH written AS (
             UPDATE {{schema}}.users SET {set} FROM {wanted}
             WHERE {{username = wanted.name}} AND {is_same}
             RETURNING {of_hash} AND users.password_hash::text COLLATE \"C\"
                                     IS DISTINCT FROM wanted.hash AS is_rewritten)
         SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE is_rewritten) FROM written"
    );
    let values: [Param; 4] = [
        (&names, Type::TEXT_ARRAY),
        (&before, Type::TEXT_ARRAY),
        (&secrets, Type::TEXT_ARRAY),
        (&languages, Type::TEXT_ARRAY),
    ];
    let [written, rewritten] = counts(transaction, &update, &values)?;
    if rewritten > 0 {
        return Err(transaction.refused(REWRITTEN));
    }
    if written == rows.len() {
        return Ok(());
    }
    // Another program removed or changed a user, or a trigger of the app skipped one.
    let select = format!(
        "SELECT pg_catalog.count(*), 0::bigint
         FROM {wanted} JOIN {{schema}}.users ON {{username = wanted.name}}
         WHERE {is_same} OR users.password_hash::text COLLATE \"C\" = wanted.hash"
    );
    if counts(transaction, &select, &values)?[0] == rows.len() {
        return Err(transaction.refused(SKIPPED));
    }
    transaction.is_overtaken = true;
    Err(StoreError::Conflict { location: transaction.location.clone() })
}

/// The two numbers that a statement returns.
fn counts(
    transaction: &mut PostgresTransaction,
    sql: &str,
    values: &[Param],
) -> Result<[usize; 2], StoreError> {
    let rows = transaction.write(sql, values)?;
    let count = |column| {
        let count = rows.first().map_or(0, |row| row.get::<_, i64>(column));
        usize::try_from(count).unwrap_or_default()
    };
    Ok([count(0), count(1)])
}

/// See [`Transaction::similar_to`](crate::store::Transaction::similar_to).
pub(super) fn similar_to(
    transaction: &mut PostgresTransaction,
    names: &[Option<&str>],
) -> Result<Vec<Option<StoredText>>, StoreError> {
    let mut similar = vec![None; names.len()];
    if names.is_empty() {
        return Ok(similar);
    }
    let select = "SELECT DISTINCT ON (wanted.position) wanted.position, users.username::text
                  FROM unnest($1) WITH ORDINALITY AS wanted (name, position)
                      JOIN {schema}.users ON lower(users.username::text COLLATE \"C\")
                          = lower(wanted.name COLLATE \"C\") AND users.username::text <> wanted.name
                  ORDER BY wanted.position, users.username::text COLLATE \"C\" DESC";
    for row in transaction.query(select, &[(&names, Type::TEXT_ARRAY)])? {
        let place = usize::try_from(row.get::<_, i64>(0) - 1).ok();
        if let Some(place) = place.and_then(|place| similar.get_mut(place)) {
            *place = Some(read_text(&row, 1));
        }
    }
    Ok(similar)
}

/// A text as a parameter.
pub(super) fn text<'a>(
    transaction: &PostgresTransaction,
    stored: &'a StoredText,
) -> Result<Option<&'a str>, StoreError> {
    match stored {
        StoredText::Null => Ok(None),
        StoredText::Text(text) if !text.contains('\0') => Ok(Some(text)),
        odd => Err(transaction.refused(&format!("PostgreSQL cannot store '{odd}' as text"))),
    }
}
