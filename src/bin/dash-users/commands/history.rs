use std::ffi::OsString;
use std::time::SystemTime;

use clap_complete::engine::ArgValueCompleter;
use dash_users::{Event, EventFilter, Location, StoredText, Users};
use serde::Serialize;

use super::{Definition, Invocation, bytes, open};
use crate::cli::number;
use crate::exit::Result;
use crate::output::{JsonEvent, Output, age, counted, rfc3339, table};
use crate::prompt::Prompt;
use crate::{complete, time};

/// Show who changed what, newest first
///
/// WHO is the operating system user who ran dash-users, or the user who called sudo. It is unknown
/// for changes made by the app or another program. The history of a user includes changes under
/// earlier names, and what each import did to the user.
///
/// TIME is an age such as 30d, 12h or 2w, a date (00:00 UTC), or RFC 3339 such as
/// 2026-01-31T12:00:00Z.
///
/// With --prune-before, deletes old events instead of showing any. The deletion is recorded as an
/// event. On PostgreSQL, only the owner of the tables can prune.
///
/// Columns of --format plain: id, at, actor, action, username, detail. \N means unknown.
///
/// Example: dash-users history alice --since 30d --limit 5
#[derive(clap::Args)]
pub struct Args {
    /// Username [default: all users]
    #[arg(add = ArgValueCompleter::new(complete::users))]
    pub user: Option<OsString>,
    /// Show at most N events
    #[arg(long, value_name = "N", value_parser = number(1..=u32::MAX), allow_hyphen_values = true)]
    pub limit: Option<u32>,
    /// Only events at this time or later
    #[arg(long, value_name = "TIME", value_parser = time::parse, allow_hyphen_values = true)]
    pub since: Option<SystemTime>,
    /// Only events before this time
    #[arg(long, value_name = "TIME", value_parser = time::parse, allow_hyphen_values = true)]
    pub until: Option<SystemTime>,
    /// Only events with this action, such as add or passwd; repeat for several
    #[arg(long, value_name = "ACTION", value_delimiter = ',', value_parser = action)]
    pub action: Vec<String>,
    /// Only changes by this person (\N: unknown)
    #[arg(long, value_name = "WHO")]
    pub actor: Option<String>,
    /// Delete all events before this time
    #[arg(
        long,
        value_name = "TIME",
        value_parser = time::parse,
        allow_hyphen_values = true,
        conflicts_with_all = ["user", "limit", "since", "until", "action", "actor"]
    )]
    pub prune_before: Option<SystemTime>,
    /// With --prune-before: do not ask for confirmation
    #[arg(short, long, requires = "prune_before")]
    pub yes: bool,
}

fn action(text: &str) -> Result<String, String> {
    if Event::ACTIONS.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(format!("the actions are: {}", Event::ACTIONS.join(", ")))
}

impl Definition for Args {
    const NAME: &str = "history";
    const EXIT_CODES: &[(&str, &[u8])] = &[("history", &[4, 5, 6, 10, 11, 130])];
    const JSON: &[(&str, &str)] = &[
        ("history", "an array of `id`, `at`, `actor`, `action`, `username`, `detail`"),
        (
            "history --prune-before",
            "`database`, `action`, `changed`, `pruned` (the number of events), `before`",
        ),
    ];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        run(self, &invocation.database()?, &invocation.prompt, invocation.output)
    }
}

fn run(args: &Args, database: &Location, prompt: &Prompt, output: &Output) -> Result<()> {
    if let Some(before) = args.prune_before {
        return prune(before, args.yes, database, prompt, output);
    }
    let mut users = Users::open_read_only(database)?;
    let actor = args.actor.as_deref().map(|actor| match actor {
        r"\N" => StoredText::Null,
        actor => StoredText::from(actor.as_bytes()),
    });
    let filter = EventFilter {
        since: args.since,
        until: args.until,
        actions: args.action.clone(),
        actor,
        limit: args.limit,
    };
    let events = users.events(args.user.as_deref().map(bytes), &filter)?;
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
                event.at.map(age).unwrap_or_default(),
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

#[derive(Serialize)]
struct Json {
    database: String,
    action: &'static str,
    changed: bool,
    pruned: u64,
    before: String,
}

fn prune(
    before: SystemTime,
    yes: bool,
    database: &Location,
    prompt: &Prompt,
    output: &Output,
) -> Result<()> {
    let mut users = open(database)?;
    let count = users.prunable(before)?;
    let time = rfc3339(before);
    let events = |count| counted(count, "event", "events");
    if count > 0 && !yes {
        let question = format!("Delete {} before {time} from {database}?", events(count));
        prompt.confirm(&[], &question, "nothing deleted", output)?;
    }
    let pruned = if count > 0 { users.prune_history(before)? } else { 0 };
    output.note(&match pruned {
        0 => format!("no events before {time} in {database}"),
        pruned => format!("deleted {} before {time} from {database}", events(pruned)),
    });
    let database = database.to_string();
    let json = Json { database, action: "prune", changed: pruned > 0, pruned, before: time };
    Ok(output.json_only(&json)?)
}
