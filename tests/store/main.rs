//! Users in a database: one suite of cases that runs on every database, and tests of each.
//!
//! A case is a function that takes a new [`database::Database`]; `on_every_database!` at the end of
//! its module creates a test for each. Cases write directly, as an app would, with SQL that every
//! database supports. Tests of one database are in [`sqlite`] and [`postgres`].

/// Creates a module of tests for each database from the given cases.
macro_rules! on_every_database {
    ($($case:ident),+ $(,)?) => {
        mod sqlite {
            $(
                #[test]
                fn $case() {
                    super::$case(&crate::database::Sqlite::new());
                }
            )+
        }

        #[cfg(feature = "postgres")]
        mod postgres {
            $(
                #[test]
                fn $case() {
                    if let Some(database) = crate::database::Postgres::new() {
                        super::$case(&database);
                    }
                }
            )+
        }
    };
}

mod database;
mod hooks;
#[path = "../support/python.rs"]
#[expect(dead_code, reason = "only tests/hash asks other versions of werkzeug")]
mod python;
#[path = "../support/sample.rs"]
mod sample;
#[cfg(feature = "postgres")]
#[path = "../support/postgres.rs"]
mod server;
#[path = "../support/skip.rs"]
mod skip;
mod support;

mod accounts;
mod check;
mod direct_writes;
mod foreign_keys;
mod history;
mod import;
mod import_conflicts;
mod login;
mod migrations;
mod odd_names;
mod plaintext_passwords;
mod retries;
mod secrets;
mod seed_sync;
mod sessions;
mod table_changes;
mod unwrap;
mod upgrades;
mod users;

#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;
