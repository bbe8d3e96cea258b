//! The operations on users in a transaction. Each is one statement, or a few.

use std::time::SystemTime;

use rusqlite::params;

use super::import::{self, Import};
use super::limit::Work;
use super::profile::{ALL, ALL_WITHOUT_TIMES, INSERT, ONE, read_rows};
use super::{SKIPPED, SqliteTransaction, Text, commit, history, references, stored_text};
use crate::credential::NewCredential;
use crate::event::{Event, EventFilter};
use crate::group::Group;
use crate::language::Language;
use crate::store::{
    Cause, CommitHooks, GroupAdded, ImportRow, NewRow, OnDelete, Reference, Row, RowChange,
    StoreError, Transaction,
};
use crate::user::StoredText;
use crate::username::Username;

/// The groups with names from `?1` to `?2`, at most `?3`. `DISTINCT` would read every membership; this
/// looks up one row for each group.
pub(super) const GROUPS: &str = "WITH RECURSIVE found (name) AS (
        SELECT min(group_name) FROM user_groups
        WHERE group_name >= ?1 AND group_name < ?2
        UNION ALL
        SELECT (SELECT min(group_name) FROM user_groups
                WHERE group_name > found.name AND group_name < ?2)
        FROM found WHERE found.name IS NOT NULL
        LIMIT ?3
    )
    SELECT name FROM found WHERE name IS NOT NULL";

impl Transaction for SqliteTransaction<'_> {
    fn get(&mut self, username: &[u8]) -> Result<Option<Row>, StoreError> {
        let mut found = None;
        self.run(|connection| {
            read_rows(connection, ONE, [Text(username)], &mut |row| found = Some(row))
        })?;
        Ok(found)
    }

    fn rows(&mut self, each: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        self.run(|connection| read_rows(connection, ALL, [], each))
    }

    fn rows_without_times(&mut self, each: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        self.run(|connection| read_rows(connection, ALL_WITHOUT_TIMES, [], each))
    }

    fn names(&mut self, prefix: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        let select = "SELECT username FROM users
                      WHERE username >= ?1 COLLATE BINARY AND username < ?2 COLLATE BINARY
                      ORDER BY username COLLATE BINARY LIMIT ?3";
        self.texts(select, prefix, limit)
    }

    fn groups(&mut self, prefix: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        self.texts(GROUPS, prefix, limit)
    }

    fn is_empty(&mut self, _locks: bool) -> Result<bool, StoreError> {
        let select = "SELECT NOT EXISTS (SELECT 1 FROM users)";
        self.run(|connection| connection.query_row(select, [], |row| row.get(0)))
    }

    fn similar(&mut self, username: &Username) -> Result<Vec<StoredText>, StoreError> {
        let select = "SELECT username FROM users
                      WHERE username = ?1 COLLATE NOCASE AND username <> ?1 COLLATE BINARY
                      ORDER BY username COLLATE BINARY";
        self.run(|connection| {
            let mut select = connection.prepare_cached(select)?;
            select.query_map([username.as_str()], |row| row.get_ref(0).map(stored_text))?.collect()
        })
    }

    fn references(&mut self, username: &[u8]) -> Result<Vec<Reference>, StoreError> {
        self.run(|connection| references::to_user(connection, username))
    }

    fn attribute(&mut self, cause: &Cause<'_>) -> Result<(), StoreError> {
        self.run(|connection| history::attribute(connection, cause))
    }

    fn events(
        &mut self,
        username: Option<&[u8]>,
        filter: &EventFilter,
        each: &mut dyn FnMut(Event),
    ) -> Result<(), StoreError> {
        self.run(|connection| history::read(connection, username, filter, each))
    }

    fn record(&mut self, username: Option<&[u8]>, cause: &Cause<'_>) -> Result<(), StoreError> {
        let Cause { actor, action, detail } = cause;
        let insert = "INSERT INTO user_events (actor, action, username, detail)
                      VALUES (?, ?, CAST(? AS TEXT), ?)";
        let values = params![actor, action, username, detail];
        self.run(|connection| connection.execute(insert, values).map(drop))
    }

    fn prunable(&mut self, before: SystemTime) -> Result<u64, StoreError> {
        let _work = self.work_on_file();
        history::prunable(&self.transaction, before).map_err(|error| self.error(&error))
    }

    fn prune(&mut self, before: SystemTime, cause: &Cause<'_>) -> Result<(), StoreError> {
        let _work = self.work_on_file();
        history::prune(&self.transaction, before, cause).map_err(|error| self.error(&error))
    }

    fn insert(
        &mut self,
        username: &Username,
        credential: &NewCredential,
        language: &Language,
    ) -> Result<(), StoreError> {
        self.change(INSERT, params![username.as_str(), credential.to_string(), language.as_str()])
    }

    fn set_credential(&mut self, username: &[u8], new: &NewCredential) -> Result<(), StoreError> {
        self.change(
            "UPDATE OR ABORT users SET password_hash = ? WHERE username = ?",
            params![new.to_string(), Text(username)],
        )
    }

    fn set_language(&mut self, username: &[u8], language: &Language) -> Result<(), StoreError> {
        self.change(
            "UPDATE OR ABORT users SET language = ? WHERE username = ?",
            params![language.as_str(), Text(username)],
        )
    }

    fn rename(&mut self, username: &[u8], new: &Username) -> Result<(), StoreError> {
        let refusing = self.run(|connection| references::refusing_rename(connection, username))?;
        self.refusing[0].extend(refusing);
        self.change(
            "UPDATE OR ABORT users SET username = ? WHERE username = ?",
            params![new.as_str(), Text(username)],
        )
    }

    fn add_group(&mut self, username: &[u8], group: &Group) -> Result<GroupAdded, StoreError> {
        let select = "SELECT NOT EXISTS (SELECT 1 FROM user_groups WHERE group_name = ?1),
                             EXISTS (SELECT 1 FROM users WHERE username = ?1)";
        let insert = "INSERT INTO user_groups (username, group_name) SELECT ?1, ?2
                      WHERE NOT EXISTS (SELECT 1 FROM user_groups
                                        WHERE username = ?1 AND group_name = ?2)";
        self.run(|connection| {
            let read = |row: &rusqlite::Row| Ok((row.get(0)?, row.get(1)?));
            let (is_new_group, is_username) =
                connection.query_row(select, [group.as_str()], read)?;
            let rows = connection.execute(insert, params![Text(username), group.as_str()])?;
            Ok(GroupAdded { is_added: rows > 0, is_new_group, is_username })
        })
    }

    fn remove_group(&mut self, username: &[u8], group: &[u8]) -> Result<bool, StoreError> {
        let delete = "DELETE FROM user_groups WHERE username = ? AND group_name = ?";
        let values = [Text(username), Text(group)];
        Ok(self.run(|connection| connection.execute(delete, values))? > 0)
    }

    fn find(&mut self, usernames: &[&StoredText]) -> Result<Vec<Option<Row>>, StoreError> {
        self.run(|connection| import::find(connection, usernames))
    }

    fn may_have(&mut self, usernames: &[&StoredText]) -> Result<Vec<bool>, StoreError> {
        self.run(|connection| import::may_have(connection, usernames))
    }

    fn import(&mut self, rows: Vec<ImportRow>) -> Result<(), StoreError> {
        let _work = Work::statement();
        let import = match self.import.take() {
            Some(import) => import,
            None => self.run(Import::begin)?,
        };
        let writer = import.prepare(&self.transaction, &rows);
        let mut writer = writer.map_err(|error| self.error(&error))?;
        for row in &rows {
            writer.write(row).map_err(|error| {
                let error = match error {
                    Some(error) => self.error(&error),
                    None => self.refused(SKIPPED),
                };
                let (ImportRow::Add(NewRow { username, .. })
                | ImportRow::Change(RowChange { username, .. })) = row;
                match error {
                    StoreError::Refused { location, reason } => {
                        let reason = format!("user '{username}': {reason}");
                        StoreError::Refused { location, reason }
                    }
                    error => error,
                }
            })?;
        }
        drop(writer);
        self.import = Some(import);
        Ok(())
    }

    fn end_import(&mut self, cause: &Cause<'_>) -> Result<(), StoreError> {
        match self.import.take() {
            Some(import) => self.run(|connection| import.end(connection, cause)),
            None => Ok(()),
        }
    }

    fn delete(&mut self, username: &[u8]) -> Result<(), StoreError> {
        let _work = Work::statement();
        for Reference { table, on_delete, .. } in self.references(username)? {
            match on_delete {
                OnDelete::Refuse => self.refusing[0].push(table),
                // Its default may not be a user.
                OnDelete::Unset => self.refusing[1].push(table),
                OnDelete::Delete => {}
            }
        }
        self.change("DELETE FROM users WHERE username = ?", [Text(username)])
    }

    fn commit(self: Box<Self>, hooks: CommitHooks) -> Result<(), StoreError> {
        self.run(|connection| {
            history::end_change(connection)?;
            commit(connection, hooks)
        })
    }
}
