//! Sessions of the login page of the Python package.

use std::time::SystemTime;

use crate::user::StoredText;

/// A session of someone who is logged in to an app. The id in the browser's cookie is not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Session {
    /// Who logged in.
    pub username: StoredText,
    /// When the user logged in.
    pub started_at: Option<SystemTime>,
    /// When the app last recorded a request, at most once a minute.
    pub last_used_at: Option<SystemTime>,
    /// When the session ends unless it is used.
    pub expires_at: Option<SystemTime>,
}

/// Selects the sessions to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndSessions<'a> {
    /// Those of a user, compared by the bytes of the name.
    Of(&'a [u8]),
    /// All.
    All,
    /// Those that expire at this time or earlier.
    ExpiredAt(SystemTime),
}
