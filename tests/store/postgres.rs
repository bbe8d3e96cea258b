//! What is about PostgreSQL alone.

mod adopting;
mod app_triggers;
mod check;
mod concurrency;
mod direct_writes;
