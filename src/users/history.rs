//! Reading and pruning the history.

use std::time::SystemTime;

use super::{Error, Users, until_alone};
use crate::event::{Event, EventFilter, in_range};
use crate::store::{Access, Cause};
use crate::user::StoredText;

impl Users {
    /// The newest `limit` events of the history, newest first: of all users, or of `username`,
    /// including the user's earlier names.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchUser`] if there is neither a user nor an event with that name.
    pub fn history(
        &mut self,
        username: Option<&[u8]>,
        limit: Option<u32>,
    ) -> Result<Vec<Event>, Error> {
        self.events(username, &EventFilter { limit, ..EventFilter::default() })
    }

    /// As [`history`](Self::history), only the selected events. An event whose time is unknown is
    /// neither before nor after any.
    ///
    /// # Errors
    ///
    /// As [`history`](Self::history).
    pub fn events(
        &mut self,
        username: Option<&[u8]>,
        filter: &EventFilter,
    ) -> Result<Vec<Event>, Error> {
        let mut events = Vec::new();
        let mut transaction = self.store.begin(Access::Read)?;
        // The table may compare names case-insensitively; the history does not.
        let user = match username {
            Some(username) => transaction.get(username)?,
            None => None,
        };
        let stored = user.as_ref().and_then(|row| row.username.as_key());
        transaction.events(stored.or(username), filter, &mut |event| events.push(event))?;
        if let Some(username) = username
            && events.is_empty()
            && user.is_none()
            && filter.limit != Some(0)
        {
            let mut is_known = false;
            if *filter != (EventFilter { limit: filter.limit, ..EventFilter::default() }) {
                let any = EventFilter { limit: Some(1), ..EventFilter::default() };
                transaction.events(Some(username), &any, &mut |_| is_known = true)?;
            }
            if !is_known {
                return Err(Error::NoSuchUser(StoredText::from(username)));
            }
        }
        Ok(events)
    }

    /// The number of events that [`prune_history`](Self::prune_history) would delete.
    ///
    /// # Errors
    ///
    /// As [`prune_history`](Self::prune_history).
    pub fn prunable(&mut self, before: SystemTime) -> Result<u64, Error> {
        Ok(self.store.begin(Access::Read)?.prunable(before)?)
    }

    /// Deletes the events before a time, and returns their number. The deletion itself is an event,
    /// unless there was nothing to delete. Events whose time is unknown are kept, and so are renames
    /// that connect a name with newer events.
    ///
    /// # Errors
    ///
    /// [`StoreError::CannotConnect`](crate::StoreError::CannotConnect) on a PostgreSQL server if
    /// another role owns the history.
    pub fn prune_history(&mut self, before: SystemTime) -> Result<u64, Error> {
        let Self { store, actor, hooks, .. } = self;
        let time = humantime::format_rfc3339_seconds(in_range(before));
        until_alone(|| {
            let mut transaction = store.begin(Access::Write)?;
            let count = transaction.prunable(before)?;
            if count > 0 {
                let s = if count == 1 { "" } else { "s" };
                let detail = format!("{count} event{s} before {time}");
                let detail = Some(detail.as_str());
                let cause = Cause { actor: actor.as_deref(), action: "prune", detail };
                transaction.prune(before, &cause)?;
                transaction.commit(*hooks)?;
            }
            Ok(count)
        })
    }
}
