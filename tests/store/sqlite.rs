//! Tests of SQLite files only.

mod adopting;
mod backups;
mod check;
mod columns;
mod direct_writes;
mod files;
mod imports;
mod journals;
mod locks;
#[cfg(feature = "cli")]
mod processes;
mod random_writes;
mod rebuilds;
mod refusing;
mod round_trips;
mod table_shapes;
mod traces;
mod triggers;
mod values;
mod writers;
