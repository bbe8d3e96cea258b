//! The history: who changed what, and when.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use crate::user::StoredText;

/// An event of the history.
///
/// No event contains a password, or a salt or digest of one. The `action` is one of `add`,
/// `passwd`, `rehash`, `unwrap` (extra characters around a hash were removed), `upgrade` (a new
/// hash at a login), `update`, `lock`, `unlock`, `rename`, `remove`, `group add`, `group remove`,
/// `import` and `seed` (many users at once, with their numbers in the detail), `restore` and `prune`
/// (old events were deleted). Later versions may add others.
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

impl Event {
    /// All actions that this version writes, sorted.
    pub const ACTIONS: [&'static str; 17] = [
        "add",
        "group add",
        "group remove",
        "import",
        "lock",
        "passwd",
        "prune",
        "rehash",
        "remove",
        "rename",
        "restore",
        "seed",
        "sessions end",
        "unlock",
        "unwrap",
        "update",
        "upgrade",
    ];
}

/// Selects events of the history. The default selects all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only events at this time or later.
    pub since: Option<SystemTime>,
    /// Only events before this time.
    pub until: Option<SystemTime>,
    /// Only events with one of these actions; with any action if there are none.
    pub actions: Vec<String>,
    /// Only events of this actor; [`StoredText::Null`] for an unknown one.
    pub actor: Option<StoredText>,
    /// At most this number of events, the newest ones.
    pub limit: Option<u32>,
}

/// The times that a database can compare: the years 1970 to 9999.
pub(crate) fn in_range(time: SystemTime) -> SystemTime {
    const YEAR_10000: Duration = Duration::from_secs(253_402_300_800);
    let last = SystemTime::UNIX_EPOCH + YEAR_10000 - Duration::from_millis(1);
    time.clamp(SystemTime::UNIX_EPOCH, last)
}

/// Finds old renames that must outlive other old events: a newer event is under an earlier name,
/// because a clock was set back. The history of the new name includes that event.
#[derive(Default)]
pub(crate) struct KeptRenames {
    /// The names of events that stay.
    names: HashSet<Vec<u8>>,
    pub(crate) ids: Vec<i64>,
}

impl KeptRenames {
    /// Reads the next event, oldest first.
    pub(crate) fn read(&mut self, event: &Event, is_old: bool) {
        let name = event.username.as_bytes();
        let target = match (&event.action, &event.detail) {
            (StoredText::Text(action), detail) if action == "rename" => {
                detail.as_bytes().strip_prefix(b"to ")
            }
            _ => None,
        };
        if is_old {
            if target.is_none() || !self.names.contains(name) {
                return;
            }
            self.ids.push(event.id);
        }
        if event.username != StoredText::Null {
            self.names.insert(name.to_owned());
        }
        self.names.extend(target.map(<[u8]>::to_vec));
    }
}
