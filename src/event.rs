//! The history: who changed what, and when.

use std::time::SystemTime;

use crate::user::StoredText;

/// An event of the history.
///
/// No event contains a password, or a salt or digest of one. The `action` is one of `add`,
/// `passwd`, `rehash`, `unwrap` (extra characters around a hash were removed), `upgrade` (a new
/// hash at a login), `update`, `lock`, `unlock`, `rename`, `remove`, `group add`, `group remove`,
/// `import` and `seed` (many users at once, with their numbers in the detail) and `restore`. Later
/// versions may add others.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The id. Later events have higher ids.
    pub id: i64,
    /// The time, or `None` if the stored value is not a time.
    pub at: Option<SystemTime>,
    /// Who made the change. [`StoredText::Null`] for changes by the app itself and others that
    /// bypass this crate.
    pub actor: StoredText,
    /// The action; see above.
    pub action: StoredText,
    /// The user's name at that time, cut to 1024 characters.
    pub username: StoredText,
    /// Details, such as the new name, the group or the language.
    pub detail: StoredText,
}
