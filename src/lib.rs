//! User management for [Dash](https://dash.plotly.com) apps: a credential store in SQLite or
//! PostgreSQL.
//!
//! An app that is protected by `dash_auth.BasicAuth(auth_func=…)` looks up each user in a table
//! `users(username, password_hash, language)` and checks the password with werkzeug. This crate
//! manages that table. It writes hashes in werkzeug's format, so the app runs unchanged while users
//! are added, changed and removed.
//!
//! ```
//! use dash_users::{Location, Login, NewFile, NewUser, Password, Users};
//!
//! # let dir = tempfile::tempdir()?;
//! # std::env::set_current_dir(&dir)?;
//! let location = Location::parse("users.db")?;
//! Users::init(&location, &NewFile::default())?;
//! let mut users = Users::open(&location)?;
//!
//! users.add(&NewUser::new("alice".parse()?, Password::from("plover-xyzzy-quux")))?;
//! let log_in = users.log_in("alice", &Password::from("plover-xyzzy-quux"))?;
//! assert!(matches!(log_in, Login::Accepted { .. }));
//! for user in users.list()? {
//!     println!("{}", user.username);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Modules
//!
//! The main modules, in dependency order:
//!
//! | module | contents |
//! |---|---|
//! | `username`, `password`, `language`, `group` | validated text types; a [`Password`] is wiped from memory and never shown |
//! | [`policy`] | what a new password must satisfy |
//! | `hash` | [`PasswordHash`] in werkzeug's text format, and [`Method`] with its limited cost |
//! | `escape` | escaping of untrusted text |
//! | `user` | [`User`], plain data, and [`StoredText`], text that other programs may have written |
//! | `credential` | [`Credential`]: the meaning of a stored value, active or locked |
//! | `event`, `check` | [`Event`]s of the history and [`Finding`]s of a check, plain data |
//! | [`store`] | the trait [`Store`](store::Store), and its implementations for SQLite and PostgreSQL |
//! | [`files`] | writing files that hold secrets |
//! | [`transfer`] | import and export formats: CSV, JSON, JSON Lines |
//! | [`verifier`] | [`Verifier`](verifier::Verifier): remembered logins, limited guesses, bounded hashing; no database |
//! | `users` | [`Users`], all operations, and [`Import`], for many users at once |
//!
//! # Features
//!
//! There are two, both enabled by default. `cli` builds the program `dash-users`; without it, no command line
//! crate is compiled. `postgres` adds support for PostgreSQL.
//!
//! # Security
//!
//! A login takes the same time for an unknown user as for a wrong password, provided that stored
//! hashes use the current method. A stored hash that costs more than the [limits](Scrypt) is
//! rejected, and is not computed. Passwords are wiped from memory and appear in no error and no
//! `Debug` output.

#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::exit, clippy::unwrap_used)
)]

mod check;
mod credential;
mod escape;
mod event;
pub mod files;
mod group;
mod hash;
mod language;
mod login;
mod password;
pub mod policy;
mod random;
mod session;
pub mod store;
pub mod transfer;
mod user;
mod username;
mod users;
pub mod verifier;

pub use crate::check::{Finding, Problem, SchemaObject, SchemaObjectKind, Severity};
pub use crate::credential::{Credential, NewCredential};
pub use crate::escape::{is_unsafe_to_print, write_json};
pub use crate::event::{Event, EventFilter};
pub use crate::group::{Group, GroupError};
pub use crate::hash::{Digest, HashError, Method, MethodError, PasswordHash, Pbkdf2, Scrypt};
pub use crate::language::{Language, LanguageError};
pub use crate::login::{Login, LoginRefusal};
pub use crate::password::{Password, PasswordNotUtf8};
pub use crate::session::{EndSessions, Session};
pub use crate::store::{
    GroupAdded, Location, LocationError, Migration, Misspelling, NewFile, Restore, StoreError,
};
pub use crate::user::{PartialProfile, Profile, StoredText, User, UserValue};
pub use crate::username::{Username, UsernameError};
pub use crate::users::{
    BadRecords, BadValues, DEMO_USERS, Error, Import, ImportOptions, ImportSummary, Imported, Init,
    NewUser, OnConflict, PruneError, Updated, UserUpdate, Users,
};

/// The example in the documentation is compiled too.
#[cfg(doctest)]
#[doc = include_str!("../docs/reference/library.md")]
struct Example;
