//! The program and a real PostgreSQL server.

#[path = "../support/docs.rs"]
#[allow(dead_code, reason = "it is for the pages of other tests too")]
mod pages;
#[path = "../cli/support.rs"]
#[allow(dead_code, unused_imports, unused_macros, reason = "it is for the tests of files too")]
mod program;
#[path = "../support/sample.rs"]
mod sample;
#[path = "../support/postgres.rs"]
mod server;
#[path = "../support/skip.rs"]
mod skip;
mod support;

mod commits;
mod copies;
mod docs;
mod failover;
mod failures;
mod hosts;
mod managed;
mod other_tables;
mod pgbouncer;
mod places;
mod providers;
mod replicas;
mod rights;
mod round_trips;
mod same_words;
mod settings;
mod tls;
mod versions;
mod writers;
