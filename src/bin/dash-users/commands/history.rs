use std::ffi::OsString;

use anyhow::Result;
use clap::value_parser;
use clap_complete::engine::ArgValueCompleter;
use dash_users::{Event, Location, StoredText, Users};

use super::bytes;
use crate::complete;
use crate::output::{JsonEvent, Output, ago, rfc3339, table};

/// Show who changed what, newest first
///
/// WHO is the operating system user who ran dash-users, or the user who called sudo. It is unknown
/// for changes made by the app or another program. The history of a user includes changes under
/// earlier names.
///
/// Columns of --format plain: id, at, actor, action, username, detail. \N means unknown.
///
/// Example: dash-users history alice --limit 5
#[derive(clap::Args)]
pub struct Args {
    /// Username [default: all users]
    #[arg(add = ArgValueCompleter::new(complete::users))]
    pub user: Option<OsString>,
    /// Show at most N events
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
}

pub fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let mut users = Users::open_read_only(database)?;
    let events = users.history(args.user.as_deref().map(bytes), args.limit)?;
    let json = || events.iter().map(JsonEvent::from).collect::<Vec<_>>();
    let rows = || {
        let row = |event: &Event| {
            vec![
                event.id.to_string(),
                event.at.map(rfc3339).unwrap_or_default(),
                event.actor.to_string(),
                event.action.to_string(),
                event.username.to_string(),
                event.detail.to_string(),
            ]
        };
        events.iter().map(row).collect()
    };
    let people = || {
        let row = |event: &Event| {
            let or = |text: &StoredText, unknown: &str| match text {
                StoredText::Null => unknown.to_owned(),
                text => text.to_string(),
            };
            vec![
                event.at.map(ago).unwrap_or_default(),
                or(&event.actor, "unknown"),
                event.action.to_string(),
                or(&event.username, ""),
                or(&event.detail, ""),
            ]
        };
        let rows: Vec<_> = events.iter().map(row).collect();
        table(&["WHEN", "WHO", "ACTION", "USER", "DETAIL"], &rows)
    };
    Ok(output.result(json, rows, people)?)
}
