//! Users in a database: one suite of cases for every database, and what is about SQLite alone.
//!
//! A case is a function that takes a new [`database::Database`]; `on_every_database!` at the end of
//! its module makes a test of it for each. Cases write past this crate, as an app would, with SQL
//! that every database understands. What needs more is in [`sqlite`].

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
    };
}

mod database;
#[path = "../support/python.rs"]
#[expect(dead_code, reason = "only tests/hash asks other versions of werkzeug")]
mod python;
mod support;

mod accounts;
mod clear_passwords;
mod foreign_keys;
mod import;
mod import_conflicts;
mod log_in;
mod migrations;
mod odd_names;
mod secrets;
mod upgrades;
mod users;

mod sqlite;
