//! The history: what was done to users, when, and by whom.

use std::time::SystemTime;

use crate::user::StoredText;

/// An event of the history.
///
/// No event holds a password, or a salt or digest of one. An `action` is one of `add`, `passwd`,
/// `rehash`, `unwrap` (what was around a hash is gone), `upgrade` (a new hash at a log-in), `update`, `lock`, `unlock`, `rename`, `remove`,
/// `group add`, `group remove`, `import` and `seed` (many users at once, with their numbers as the
/// detail) and `restore`; later versions may add others.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The event's number. Later events have higher ones.
    pub id: i64,
    /// When it was; none if what is stored is no time.
    pub at: Option<SystemTime>,
    /// Who did it; [`StoredText::Null`] for the app itself, and whoever writes past this crate.
    pub actor: StoredText,
    /// What was done.
    pub action: StoredText,
    /// To whom, by the name of that time and no more than 1024 characters of it.
    pub username: StoredText,
    /// What else there is to say: the new name, the group, the language.
    pub detail: StoredText,
}
