//! Users in a database: one suite of cases for every database, and what is about one of them alone.
//!
//! A case is a function that takes a new [`database::Database`]; `on_every_database!` at the end of
//! its module makes a test of it for each. Cases write past this crate, as an app would, with SQL
//! that every database understands. What needs more is in
//! [`sqlite`] and [`postgres`].

/// Makes tests of the cases named, a module of them for each database.
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
mod foreign_keys;
mod import;
mod import_conflicts;
mod login;
mod migrations;
mod odd_names;
mod plaintext_passwords;
mod retries;
mod secrets;
mod unwrap;
mod upgrades;
mod users;

#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;
