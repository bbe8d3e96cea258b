//! Sessions of the login page.

use super::{Error, Users, until_alone};
use crate::session::{EndSessions, Session};
use crate::store::{Access, Cause};

/// Only the database fails: each error is a [`StoreError`](crate::StoreError).
#[expect(clippy::missing_errors_doc, reason = "all fail alike")]
impl Users {
    /// The sessions of all apps that keep them with this database, also expired ones, by name and
    /// start. Those whose password has changed end at their next request.
    pub fn sessions(&mut self) -> Result<Vec<Session>, Error> {
        Ok(self.store.sessions()?)
    }

    /// Ends sessions, recorded in the history if there are any. Returns how many. They count until
    /// the request that is being answered is done.
    pub fn end_sessions(&mut self, which: EndSessions<'_>) -> Result<u64, Error> {
        // Without a history to record it in, nothing is done.
        self.store.begin(Access::Read)?;
        let count = until_alone(|| Ok(self.store.end_sessions(which)?))?;
        if count > 0 {
            let sessions = if count == 1 { "session" } else { "sessions" };
            let (username, detail) = match which {
                EndSessions::Of(username) => (Some(username), format!("{count} {sessions}")),
                EndSessions::All => (None, format!("all {count} {sessions}")),
                EndSessions::ExpiredAt(_) => (None, format!("{count} expired {sessions}")),
            };
            let Self { store, actor, hooks, .. } = self;
            let actor = actor.as_deref();
            let cause = Cause { actor, action: "sessions end", detail: Some(&detail) };
            until_alone(|| {
                let mut transaction = store.begin(Access::Write)?;
                transaction.record(username, &cause)?;
                Ok(transaction.commit(*hooks)?)
            })?;
        }
        Ok(count)
    }

    /// Ends sessions because of a change that the history has recorded already: a new password, a
    /// lock or a removal. They would end at their next request anyway, but until then a change back
    /// would revive them.
    pub fn forget_sessions(&mut self, which: EndSessions<'_>) -> Result<u64, Error> {
        until_alone(|| Ok(self.store.end_sessions(which)?))
    }
}
