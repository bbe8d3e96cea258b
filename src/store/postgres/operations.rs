//! The operations on users in a transaction. Each is one statement, or a few.

use std::time::SystemTime;

use postgres::types::Type;

use super::profile::{SELECT, read_row};
use super::{
    PostgresTransaction, REWRITTEN, as_text, commit, history, import, key, place, printable,
    references, text,
};
use crate::credential::NewCredential;
use crate::event::{Event, EventFilter};
use crate::group::Group;
use crate::language::Language;
use crate::store::{
    Access, Cause, CommitHooks, GroupAdded, ImportRow, Reference, Row, StoreError, Transaction,
};
use crate::user::StoredText;
use crate::username::Username;

impl Transaction for PostgresTransaction<'_> {
    fn get(&mut self, username: &[u8]) -> Result<Option<Row>, StoreError> {
        let Some(name) = self.key(username)? else { return Ok(None) };
        // A row that will be changed is locked.
        let lock = if self.access == Access::Write { "FOR UPDATE OF users" } else { "" };
        let select = format!("{SELECT} WHERE {{username = $1}} {lock}");
        let rows = self.query_exact(&select, &[(&name, Type::TEXT)])?;
        Ok(rows.first().map(read_row))
    }

    fn rows(&mut self, each: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        let select = format!("{SELECT} ORDER BY users.username::text COLLATE \"C\" NULLS FIRST");
        self.stream(&select, Vec::new(), &mut |row| each(read_row(row)))
    }

    fn names(&mut self, prefix: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        let select = "SELECT username::text FROM {schema}.users
                      WHERE starts_with(username::text COLLATE \"C\", $1)
                      ORDER BY username::text COLLATE \"C\" LIMIT $2";
        self.texts(select, &[(&prefix, Type::TEXT), (&i64::from(limit), Type::INT8)])
    }

    fn groups(&mut self, prefix: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        // DISTINCT would read every membership. This looks up one row for each group.
        let select = "WITH RECURSIVE found (name, position) AS (
                          (SELECT group_name, 1::bigint FROM {schema}.user_groups
                           WHERE group_name >= $1 COLLATE \"C\"
                           ORDER BY group_name COLLATE \"C\" LIMIT 1)
                          UNION ALL
                          SELECT next.group_name, position + 1
                          FROM found CROSS JOIN LATERAL (
                              SELECT group_name FROM {schema}.user_groups
                              WHERE group_name > found.name COLLATE \"C\"
                              ORDER BY group_name COLLATE \"C\" LIMIT 1) AS next
                          WHERE starts_with(name, $1) AND position < $2
                      )
                      SELECT name FROM found WHERE starts_with(name, $1) ORDER BY position LIMIT $2";
        self.texts(select, &[(&prefix, Type::TEXT), (&i64::from(limit), Type::INT8)])
    }

    fn is_empty(&mut self, locks: bool) -> Result<bool, StoreError> {
        if locks && self.access == Access::Write {
            self.run("LOCK TABLE {schema}.users IN SHARE ROW EXCLUSIVE MODE", &[])?;
        }
        Ok(self.query_one("SELECT NOT EXISTS (SELECT 1 FROM {schema}.users)", &[])?.get(0))
    }

    fn similar(&mut self, username: &Username) -> Result<Vec<StoredText>, StoreError> {
        let select = "SELECT username::text FROM {schema}.users
                      WHERE lower(username::text COLLATE \"C\") = lower($1 COLLATE \"C\")
                          AND username::text <> $1
                      ORDER BY username::text COLLATE \"C\"";
        let Some(name) = self.key(username.as_ref())? else { return Ok(Vec::new()) };
        let rows = self.query_exact(select, &[(&name, Type::TEXT)])?;
        Ok(rows.iter().map(|row| text(row, 0)).collect())
    }

    fn similar_to(
        &mut self,
        usernames: &[Username],
    ) -> Result<Vec<Option<StoredText>>, StoreError> {
        let mut names = Vec::new();
        for name in usernames {
            names.push(self.key(name.as_ref())?);
        }
        import::similar_to(self, &names)
    }

    fn references(&mut self, username: &[u8]) -> Result<Vec<Reference>, StoreError> {
        match self.key(username)? {
            Some(name) => references::to_user(self, name),
            None => Ok(Vec::new()),
        }
    }

    fn attribute(&mut self, cause: &Cause<'_>) -> Result<(), StoreError> {
        let set = place::set_cause(cause);
        place::run(&mut self.session, &set).map(drop).map_err(|error| self.error(&error))
    }

    fn events(
        &mut self,
        username: Option<&[u8]>,
        filter: &EventFilter,
        each: &mut dyn FnMut(Event),
    ) -> Result<(), StoreError> {
        let name = match username {
            None => None,
            Some(username) => match self.key(username)? {
                Some(name) => Some(name),
                None => return Ok(()),
            },
        };
        history::read(self, name, filter, each)
    }

    fn record(&mut self, username: Option<&[u8]>, cause: &Cause<'_>) -> Result<(), StoreError> {
        let insert = "INSERT INTO {schema}.user_events (actor, action, username, detail)
                      VALUES ($1, $2, left($3, 1024), $4) RETURNING 1";
        let (actor, detail) = (cause.actor.map(printable), cause.detail.map(printable));
        let username = username.and_then(key);
        let params =
            [as_text(&actor), as_text(&cause.action), as_text(&username), as_text(&detail)];
        self.write(insert, &params).map(drop)
    }

    fn prunable(&mut self, before: SystemTime) -> Result<u64, StoreError> {
        history::prunable(self, before)
    }

    fn prune(&mut self, before: SystemTime, cause: &Cause<'_>) -> Result<(), StoreError> {
        history::prune(self, before, cause)
    }

    fn insert(
        &mut self,
        username: &Username,
        credential: &NewCredential,
        language: &Language,
    ) -> Result<(), StoreError> {
        let insert = "INSERT INTO {schema}.users (username, password_hash, language)
                      VALUES ($1, $2, $3) RETURNING username::text, password_hash::text";
        let credential = credential.to_string();
        let (name, language) = (username.as_str(), language.as_str());
        let params = [as_text(&name), as_text(&credential), as_text(&language)];
        let written = self.write(insert, &params)?;
        self.changes += 1;
        self.require_as_written(&written, Some(name), &credential)
    }

    fn set_credential(&mut self, username: &[u8], new: &NewCredential) -> Result<(), StoreError> {
        let update = "UPDATE {schema}.users SET password_hash = $2 WHERE {username = $1}
                      RETURNING username::text, password_hash::text";
        let (name, new) = (key(username), new.to_string());
        let written = self.write(update, &[as_text(&name), as_text(&new)])?;
        self.changes += 1;
        self.require_as_written(&written, None, &new)
    }

    fn set_language(&mut self, username: &[u8], language: &Language) -> Result<(), StoreError> {
        let update = "UPDATE {schema}.users SET language = $2 WHERE {username = $1} RETURNING 1";
        self.change_recorded(update, &[as_text(&key(username)), as_text(&language.as_str())])
    }

    fn rename(&mut self, username: &[u8], new: &Username) -> Result<(), StoreError> {
        let update = "UPDATE {schema}.users SET username = $2 WHERE {username = $1} RETURNING 1";
        self.change_recorded(update, &[as_text(&key(username)), as_text(&new.as_str())])?;
        // A trigger of the app may have changed the name.
        match self.get(new.as_ref())? {
            Some(row) if row.username == StoredText::Text(new.to_string()) => Ok(()),
            _ => Err(self.refused(REWRITTEN)),
        }
    }

    fn add_group(&mut self, username: &[u8], group: &Group) -> Result<GroupAdded, StoreError> {
        // All parts see the tables as they were before the statement.
        let insert = "WITH added AS (
                          INSERT INTO {schema}.user_groups (username, group_name) VALUES ($1, $2)
                          ON CONFLICT DO NOTHING RETURNING 1)
                      SELECT EXISTS (SELECT FROM added),
                             NOT EXISTS (SELECT FROM {schema}.user_groups WHERE group_name = $2),
                             EXISTS (SELECT FROM {schema}.users WHERE username::text = $2)";
        let rows = self.write(insert, &[as_text(&key(username)), as_text(&group.as_str())])?;
        let fact = |index| rows.first().is_some_and(|row| row.get(index));
        let is_added = fact(0);
        self.changes += i32::from(is_added);
        Ok(GroupAdded { is_added, is_new_group: fact(1), is_username: fact(2) })
    }

    fn remove_group(&mut self, username: &[u8], group: &[u8]) -> Result<bool, StoreError> {
        let delete = "DELETE FROM {schema}.user_groups WHERE username = $1 AND group_name = $2
                      RETURNING 1";
        let (name, group) = (key(username), key(group));
        let written = self.write(delete, &[as_text(&name), as_text(&group)])?;
        let is_removed = !written.is_empty();
        self.changes += i32::from(is_removed);
        Ok(is_removed)
    }

    fn find(&mut self, usernames: &[&StoredText]) -> Result<Vec<Option<Row>>, StoreError> {
        let mut names: Vec<Option<&str>> = Vec::new();
        for name in usernames {
            names.push(match name.as_key() {
                Some(name) => self.key(name)?,
                None => None,
            });
        }
        let select = format!(
            "SELECT found.*, position
             FROM unnest($1) WITH ORDINALITY AS wanted (name, position)
                 JOIN LATERAL ({SELECT} WHERE {{username = wanted.name}}) AS found ON true"
        );
        let rows = self.query(&select, &[(&names, Type::TEXT_ARRAY)])?;
        let mut found: Vec<_> = names.iter().map(|_| None).collect();
        for row in &rows {
            let position: i64 = row.get("position");
            let index = usize::try_from(position - 1).ok();
            if let Some(place) = index.and_then(|index| found.get_mut(index)) {
                *place = Some(read_row(row));
            }
        }
        Ok(found)
    }

    /// Each lookup of many users may read all users once.
    fn chunk(&self) -> usize {
        100_000
    }

    fn undo_import(&mut self) -> Result<bool, StoreError> {
        if !self.is_overtaken {
            return Ok(false);
        }
        (self.is_overtaken, self.import, self.has_write_path) = (false, None, true);
        self.batch("ROLLBACK TO SAVEPOINT dash_users_import")?;
        Ok(true)
    }

    fn import(&mut self, rows: Vec<ImportRow>) -> Result<(), StoreError> {
        let mut import = match self.import.take() {
            Some(import) => import,
            None => import::Import::begin(self)?,
        };
        import.write(self, &rows)?;
        self.import = Some(import);
        Ok(())
    }

    fn end_import(&mut self, cause: &Cause<'_>) -> Result<(), StoreError> {
        match self.import.take() {
            Some(import) => import.end(self, cause),
            None => Ok(()),
        }
    }

    fn delete(&mut self, username: &[u8]) -> Result<(), StoreError> {
        let delete = "DELETE FROM {schema}.users WHERE {username = $1} RETURNING 1";
        self.change_recorded(delete, &[(&key(username), Type::TEXT)])
    }

    fn commit(mut self: Box<Self>, hooks: CommitHooks) -> Result<(), StoreError> {
        let receipt = self.require_recorded()?;
        (hooks.before)();
        let Self { session, server, location, .. } = *self;
        commit::commit(session, receipt.as_ref(), (server, location), hooks)
    }
}
