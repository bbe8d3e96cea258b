//! Users of a [Dash](https://dash.plotly.com) app, and their passwords.
//!
//! An app behind `dash_auth.BasicAuth(auth_func=…)` looks its users up in a table
//! `users(username, password_hash, language)` and checks the password with werkzeug. This crate
//! keeps that table: hashes that it writes are werkzeug's, and the app goes on unchanged while
//! users are added, changed and removed.
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
//! In the order in which they build on each other:
//!
//! | module | what is in it |
//! |---|---|
//! | `username`, `password`, `language`, `group` | validated texts; a [`Password`] is wiped and never shown |
//! | [`policy`] | what a new password must satisfy |
//! | `hash` | [`PasswordHash`], werkzeug's text form, and [`Method`], its bounded costs |
//! | `escape` | text from a database, made safe to show |
//! | `user` | [`User`], plain data, and [`StoredText`], which others may have written |
//! | `credential` | [`Credential`]: what a stored value means, active or locked |
//! | `event`, `check` | [`Event`]s of the history, [`Finding`]s of a check: plain data |
//! | [`store`] | [`Store`](store::Store): what a database does; SQLite and PostgreSQL |
//! | [`files`] | writing files that hold secrets |
//! | [`transfer`] | files of users: CSV, JSON, JSON Lines |
//! | `users` | [`Users`]: the operations; [`Import`]: many at once |
//!
//! # Features
//!
//! Both are on by default: `cli` builds the program `dash-users`, and without it no command line crate
//! is compiled; `postgres` is for databases of a PostgreSQL server.
//!
//! # Security
//!
//! A log-in takes the same time for an unknown user as for a wrong password, if stored hashes have
//! the current method. A stored hash that asks for more than a [bounded amount](Scrypt) of work is
//! refused and not run. Passwords are wiped from memory and appear in no error and no `Debug`.

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
mod password;
pub mod policy;
mod random;
pub mod store;
pub mod transfer;
mod user;
mod username;
mod users;

pub use crate::check::{Finding, Problem, SchemaObject, SchemaObjectKind, Severity};
pub use crate::credential::{Credential, NewCredential};
pub use crate::escape::{is_unsafe_to_print, write_json};
pub use crate::event::Event;
pub use crate::group::{Group, GroupError};
pub use crate::hash::{Digest, HashError, Method, MethodError, PasswordHash, Pbkdf2, Scrypt};
pub use crate::language::{Language, LanguageError};
pub use crate::password::{Password, PasswordNotUtf8};
pub use crate::store::{Location, LocationError, Migration, Misspelling, NewFile, StoreError};
pub use crate::user::{StoredText, User};
pub use crate::username::{Username, UsernameError};
pub use crate::users::{
    BadRecords, BadValues, DEMO_USERS, Error, Import, ImportOptions, ImportSummary, Imported, Init,
    Login, LoginRefusal, NewUser, OnConflict, Restore, Users,
};

/// The README's example is compiled too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
