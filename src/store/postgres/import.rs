//! Importing many users at once, thousands with one statement. The triggers do nothing, and their
//! work is done here.

use std::time::SystemTime;

use postgres::types::Type;

use super::schema::fingerprint;
use super::{Param, PostgresTransaction, REWRITTEN, SKIPPED, printable};
use crate::store::{Cause, ImportRow, NewRow, RowChange, StoreError};
use crate::user::StoredText;

/// The number of users added by one statement.
const BATCH: usize = 5000;

/// A started import.
pub(super) struct Import {
    now: SystemTime,
    /// Whether there were no users, so nothing can remain of one.
    was_empty: bool,
    /// The users to add with the next statement.
    new: Vec<NewRow>,
    /// The users, and what the history of each says about the import.
    imported: Vec<(String, String)>,
}

impl Import {
    pub(super) fn begin(transaction: &mut PostgresTransaction) -> Result<Self, StoreError> {
        let ask = "SELECT clock_timestamp(), NOT EXISTS (SELECT 1 FROM {schema}.users),
                          set_config('dash_users.bulk', 'on', true)";
        let row = transaction.query_one(ask, &[])?;
        let (now, was_empty) = (row.get(0), row.get(1));
        let import = Self { now, was_empty, new: Vec::new(), imported: Vec::new() };
        if import.was_empty {
            let forget = "INSERT INTO {schema}.user_events (action, username, detail)
                          SELECT 'remove', left(username, 1024), 'found missing'
                          FROM {schema}.dash_users_times";
            for sql in [
                forget,
                "DELETE FROM {schema}.dash_users_times",
                "DELETE FROM {schema}.user_groups",
            ] {
                transaction.run(sql, &[])?;
            }
        }
        Ok(import)
    }

    pub(super) fn write(
        &mut self,
        transaction: &mut PostgresTransaction,
        rows: Vec<ImportRow>,
    ) -> Result<(), StoreError> {
        for row in rows {
            if let (StoredText::Text(username), changes) = row.summary() {
                self.imported.push((username.chars().take(1024).collect(), changes));
            }
            match row {
                ImportRow::Add(row) => self.new.push(row),
                ImportRow::Change(row) => self.change(transaction, &row)?,
            }
        }
        if self.new.len() < BATCH { Ok(()) } else { self.add_new(transaction) }
    }

    fn add_new(&mut self, transaction: &mut PostgresTransaction) -> Result<(), StoreError> {
        let rows = std::mem::take(&mut self.new);
        if rows.is_empty() { Ok(()) } else { self.add(transaction, &rows) }
    }

    fn add(
        &self,
        transaction: &mut PostgresTransaction,
        rows: &[NewRow],
    ) -> Result<(), StoreError> {
        let (mut names, mut secrets, mut languages) = (Vec::new(), Vec::new(), Vec::new());
        let (mut members, mut groups) = (Vec::new(), Vec::new());
        for row in rows {
            let name = text(transaction, &row.username)?;
            for group in &row.groups {
                members.push(name);
                groups.push(text(transaction, group)?);
            }
            names.push(name);
            secrets.push(text(transaction, row.secret.expose())?);
            languages.push(text(transaction, &row.language)?);
        }
        let names: [Param; 1] = [(&names, Type::TEXT_ARRAY)];
        if !self.was_empty {
            let forget = "INSERT INTO {schema}.user_events (action, username, detail)
                          SELECT 'remove', left(username, 1024), 'replaced by another row'
                          FROM {schema}.dash_users_times WHERE username = ANY($1)";
            let times = "DELETE FROM {schema}.dash_users_times WHERE username = ANY($1)";
            let groups = "DELETE FROM {schema}.user_groups WHERE username = ANY($1)";
            for sql in [forget, times, groups] {
                transaction.run(sql, &names)?;
            }
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
        let counts = transaction.write(insert, &values)?;
        let count = |column| {
            let count = counts.first().map_or(0, |row| row.get::<_, i64>(column));
            u64::try_from(count).unwrap_or_default()
        };
        if count(0) < rows.len() as u64 {
            return Err(transaction.refused(SKIPPED));
        }
        if count(1) > 0 {
            return Err(transaction.refused(REWRITTEN));
        }
        let insert = format!(
            "INSERT INTO {{schema}}.dash_users_times
                 (username, created_at, password_changed_at, fingerprint)
             SELECT name, $2, $2, {} FROM unnest($1, $3) AS wanted (name, hash)
             WHERE name IS NOT NULL",
            fingerprint("hash")
        );
        transaction.run(&insert, &[names, (&self.now, Type::TIMESTAMPTZ), secrets])?;
        let insert =
            "INSERT INTO {schema}.user_groups (username, group_name) SELECT * FROM unnest($1, $2)";
        let values: [Param; 2] = [(&members, Type::TEXT_ARRAY), (&groups, Type::TEXT_ARRAY)];
        transaction.run(insert, &values)?;
        Ok(())
    }

    fn change(
        &self,
        transaction: &mut PostgresTransaction,
        row: &RowChange,
    ) -> Result<(), StoreError> {
        let RowChange { username, secret, is_new_password, language, groups } = row;
        let name = text(transaction, username)?;
        if let Some(secret) = secret {
            let secret = text(transaction, secret.expose())?;
            let update = "UPDATE {schema}.users SET password_hash = $2 WHERE {username = $1}
                          RETURNING username::text, password_hash::text";
            let written =
                transaction.write(update, &[(&name, Type::TEXT), (&secret, Type::TEXT)])?;
            transaction.require_as_written(&written, None, secret.unwrap_or_default())?;
            let update = format!(
                "UPDATE {{schema}}.dash_users_times SET fingerprint = {} WHERE username = $1",
                fingerprint("$2")
            );
            transaction.run(&update, &[(&name, Type::TEXT), (&secret, Type::TEXT)])?;
        }
        if let Some(language) = language {
            let language = text(transaction, language)?;
            let update =
                "UPDATE {schema}.users SET language = $2 WHERE {username = $1} RETURNING 1";
            transaction.change(update, &[(&name, Type::TEXT), (&language, Type::TEXT)])?;
        }
        if *is_new_password {
            let update =
                "UPDATE {schema}.dash_users_times SET password_changed_at = $2 WHERE username = $1";
            transaction.run(update, &[(&name, Type::TEXT), (&self.now, Type::TIMESTAMPTZ)])?;
        }
        if let Some(groups) = groups {
            let groups: Vec<_> =
                groups.iter().map(|group| text(transaction, group)).collect::<Result<_, _>>()?;
            // Like the trigger on groups.
            let touch = "UPDATE {schema}.dash_users_times SET fingerprint = fingerprint
                         WHERE username = $1";
            transaction.run(touch, &[(&name, Type::TEXT)])?;
            let delete = "DELETE FROM {schema}.user_groups WHERE username = $1";
            transaction.run(delete, &[(&name, Type::TEXT)])?;
            let insert =
                "INSERT INTO {schema}.user_groups (username, group_name) SELECT $1, unnest($2)";
            transaction.run(insert, &[(&name, Type::TEXT), (&groups, Type::TEXT_ARRAY)])?;
        }
        Ok(())
    }

    pub(super) fn end(
        mut self,
        transaction: &mut PostgresTransaction,
        cause: &Cause<'_>,
    ) -> Result<(), StoreError> {
        self.add_new(transaction)?;
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
        transaction.query("SELECT set_config('dash_users.bulk', '', true)", &[]).map(drop)
    }
}

/// A text as a parameter.
fn text<'a>(
    transaction: &PostgresTransaction,
    stored: &'a StoredText,
) -> Result<Option<&'a str>, StoreError> {
    match stored {
        StoredText::Null => Ok(None),
        StoredText::Text(text) if !text.contains('\0') => Ok(Some(text)),
        odd => Err(transaction.refused(&format!("PostgreSQL cannot store '{odd}' as text"))),
    }
}
