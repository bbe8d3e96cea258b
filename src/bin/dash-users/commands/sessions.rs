use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::time::SystemTime;

use clap::Subcommand;
use clap_complete::engine::ArgValueCompleter;
use dash_users::{EndSessions, Error, Location, Session, StoredText, Users};
use serde::Serialize;

use super::{Definition, Invocation, bytes, open, username, usernames};
use crate::complete;
use crate::exit::Result;
use crate::output::{Output, ago, counted, rfc3339, table};

/// List or end sessions of the login page
///
/// An app that uses dash_users.dash.LoginAuth keeps its sessions in the file DATABASE-sessions beside a
/// SQLite database, or in the table dash_users_sessions of a PostgreSQL database.
///
/// Example: dash-users sessions list
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show who is logged in
    ///
    /// LAST USED is recorded at most once a minute. A session of a user whose password has changed
    /// is listed until its next request ends it.
    ///
    /// Columns of --format plain: username, started_at, last_used_at, expires_at.
    ///
    /// Example: dash-users sessions list alice
    #[command(visible_alias = "ls")]
    List {
        /// Username [default: all users]
        #[arg(add = ArgValueCompleter::new(complete::users))]
        user: Option<OsString>,
    },
    /// End sessions: their next request leads to the login page
    ///
    /// Users can log in again. To keep them out, use `lock`.
    ///
    /// Example: dash-users sessions end alice
    End {
        /// Usernames
        #[arg(
            value_name = "USER",
            required_unless_present_any = ["all", "expired"],
            add = ArgValueCompleter::new(complete::users)
        )]
        users: Vec<OsString>,
        /// End the sessions of all users
        #[arg(long, conflicts_with_all = ["users", "expired"])]
        all: bool,
        /// Delete expired sessions, which apps do by themselves at logins
        #[arg(long, conflicts_with = "users")]
        expired: bool,
    },
}

impl Definition for Args {
    const NAME: &str = "sessions";
    const EXIT_CODES: &[(&str, &[u8])] =
        &[("sessions list", &[4, 5, 6]), ("sessions end", &[4, 5, 6, 11])];
    const JSON: &[(&str, &str)] = &[
        ("sessions list", "an array of `username`, `started_at`, `last_used_at`, `expires_at`"),
        (
            "sessions end",
            "`database`, `action`, `changed`, `ended` (the number of sessions); with usernames an array, also with `username`",
        ),
    ];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        run(self, &invocation.database()?, invocation.output)
    }
}

fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    match &args.command {
        Command::List { user } => list(user.as_deref(), database, output),
        Command::End { all: true, .. } => end_many(EndSessions::All, "", database, output),
        Command::End { expired: true, .. } => {
            end_many(EndSessions::ExpiredAt(SystemTime::now()), "expired ", database, output)
        }
        Command::End { users, .. } => end_of(users, database, output),
    }
}

#[derive(Serialize)]
struct Json<'a> {
    username: Option<Cow<'a, str>>,
    started_at: Option<String>,
    last_used_at: Option<String>,
    expires_at: Option<String>,
}

fn list(user: Option<&OsStr>, database: &Location, output: &Output) -> Result<()> {
    let mut users = Users::open_read_only(database)?;
    let now = SystemTime::now();
    let mut sessions = users.sessions()?;
    sessions.retain(|session| session.expires_at.is_none_or(|time| time > now));
    if let Some(user) = user {
        sessions.retain(|session| session.username == username(user));
        if sessions.is_empty() && users.get(bytes(user))?.is_none() {
            return Err(Error::NoSuchUser(username(user)).into());
        }
    }
    let json = || {
        let row = |session: &'_ Session| Json {
            username: session.username.to_text().map(|name| name.into_owned().into()),
            started_at: session.started_at.map(rfc3339),
            last_used_at: session.last_used_at.map(rfc3339),
            expires_at: session.expires_at.map(rfc3339),
        };
        sessions.iter().map(row).collect::<Vec<Json<'_>>>()
    };
    let cells = |session: &Session, format: fn(SystemTime) -> String| {
        let times = [session.started_at, session.last_used_at, session.expires_at];
        let times = times.map(|time| time.map(format).unwrap_or_default());
        [vec![session.username.to_string()], times.to_vec()].concat()
    };
    let rows = || sessions.iter().map(|session| cells(session, rfc3339)).collect();
    let people = || {
        let rows: Vec<_> = sessions.iter().map(|session| cells(session, ago)).collect();
        table(&["USER", "STARTED", "LAST USED", "EXPIRES"], &rows)
    };
    Ok(output.result(json, rows, people)?)
}

/// The outcome for one user, or for all.
#[derive(Serialize)]
struct Outcome<'a> {
    database: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<Cow<'a, str>>,
    action: &'static str,
    changed: bool,
    ended: u64,
}

impl<'a> Outcome<'a> {
    fn new(database: &Location, username: Option<&'a StoredText>, ended: u64) -> Self {
        let username = username.and_then(StoredText::to_text);
        let (database, action) = (database.to_string(), "sessions end");
        Self { database, username, action, changed: ended > 0, ended }
    }
}

fn end_of(names: &[OsString], database: &Location, output: &Output) -> Result<()> {
    let mut users = open(database)?;
    let names = usernames(names);
    // All or nothing: a mistyped name is reported before any session is ended.
    let sessions = users.sessions()?;
    for name in &names {
        let has_sessions =
            sessions.iter().any(|session| session.username == StoredText::from(*name));
        if !has_sessions && users.get(name)?.is_none() {
            return Err(Error::NoSuchUser(StoredText::from(*name)).into());
        }
    }
    let mut outcomes = Vec::new();
    for name in names {
        let ended = users.end_sessions(EndSessions::Of(name))?;
        outcomes.push((StoredText::from(name), ended));
    }
    for (name, ended) in &outcomes {
        output.note(&match ended {
            0 => format!("user '{name}' has no sessions in {database}"),
            ended => {
                let sessions = counted(*ended, "session", "sessions");
                format!("ended {sessions} of user '{name}' in {database}")
            }
        });
    }
    let json: Vec<_> =
        outcomes.iter().map(|(name, ended)| Outcome::new(database, Some(name), *ended)).collect();
    Ok(output.json_only(&json)?)
}

fn end_many(
    which: EndSessions<'_>,
    kind: &str,
    database: &Location,
    output: &Output,
) -> Result<()> {
    let ended = open(database)?.end_sessions(which)?;
    output.note(&match ended {
        0 => format!("no {kind}sessions in {database}"),
        1 => format!("ended 1 {kind}session in {database}"),
        _ => format!("ended {} in {database}", counted(ended, "", &format!("{kind}sessions"))),
    });
    Ok(output.json_only(&Outcome::new(database, None, ended))?)
}

/// Ends the sessions of users after a change that would end them at their next request. The change
/// is done, so a failure is only a warning.
pub fn forget(users: &mut Users, names: &[&[u8]], output: &Output) {
    for name in names {
        forget_which(users, EndSessions::Of(name), output);
    }
}

/// Ends all sessions after a change of the whole database, as [`forget`].
pub fn forget_all(database: &Location, output: &Output) {
    match Users::open(database) {
        Ok(mut users) => forget_which(&mut users, EndSessions::All, output),
        Err(error) => warn(&error, output),
    }
}

fn forget_which(users: &mut Users, which: EndSessions<'_>, output: &Output) {
    if let Err(error) = users.forget_sessions(which) {
        warn(&error, output);
    }
}

fn warn(error: &Error, output: &Output) {
    output.warn(&format!("sessions of the login page end only at their next request: {error}"));
}
