//! Tests of the program: stdout, stderr and exit code of each command together.
//!
//! Most are sessions: `$ ` commands for a shell, each with its exit code and output.
//! `SNAPSHOTS=overwrite cargo test --test cli` rewrites the expected outputs. Review the changes.

mod faults;
#[path = "../support/docs.rs"]
mod pages;
mod pty;
#[path = "../support/sample.rs"]
mod sample;
#[path = "../support/skip.rs"]
mod skip;
mod support;

mod a_day;
mod add;
mod adopting;
mod aliases;
mod backup;
mod bad_records;
mod check;
mod completions;
mod concurrency;
mod connection_strings;
mod contract;
mod crashes;
#[cfg(target_os = "linux")]
mod disks;
mod docs;
mod exit_codes;
mod export;
mod failing_calls;
#[cfg(target_os = "linux")]
mod file_systems;
mod generated;
mod globals;
mod group;
mod groups_of_many;
mod hash;
mod help;
mod hints;
mod history;
mod history_filters;
mod hostile;
mod ignored_findings;
mod import;
mod info;
mod init;
mod interrupts;
mod json;
mod list;
mod list_filters;
mod lock;
#[cfg(target_os = "linux")]
mod memory;
mod migrate;
mod pager;
mod passwd;
mod planted;
mod prompts;
mod rehash;
mod remove;
mod rename;
mod secrets;
mod security;
mod seed;
mod seed_sync;
mod sessions;
mod shells;
mod show;
mod terminal;
mod update;
mod user_files;
mod verify;
