use std::ffi::OsString;
use std::time::SystemTime;

use clap::ValueEnum;
use clap_complete::engine::ArgValueCompleter;
use dash_users::{Location, Profile, StoredText, User, Users};

use super::{Definition, Invocation, MAX_COMPARED, bytes, most_similar};
use crate::cli::{MethodArg, number};
use crate::exit::Result;
use crate::output::{
    JsonUser, Output, Rows, age, label, marked, plain_user, shown_text, write_stdout,
};
use crate::{complete, time};

/// List users, without their hashes
///
/// A user is listed if all conditions are met. Ages are short: 25m, 3d, 2y. A column in which every
/// cell is empty is left out. An AGE or TIME is an age such as 30d, 12h or 2w, a date, or RFC 3339.
///
/// Columns of --format plain: {user}. locked and outdated are true or false. Groups are separated by
/// commas. A time is empty if it is unknown, and method if the stored value is not a hash.
///
/// Example: dash-users list --group staff --password-older-than 90d
#[derive(clap::Args)]
#[command(visible_alias = "ls")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Args {
    /// Only users in this group, or in any of several (repeatable)
    #[arg(long = "group", value_name = "GROUP", add = ArgValueCompleter::new(complete::groups))]
    pub groups: Vec<OsString>,
    /// Only users who are not in this group (repeatable)
    #[arg(long = "not-group", value_name = "GROUP", add = ArgValueCompleter::new(complete::groups))]
    pub not_groups: Vec<OsString>,
    /// Only users whose name matches, such as 'a*' or '*@example.org'
    #[arg(long = "match", value_name = "GLOB", value_parser = pattern)]
    pub pattern: Option<glob::Pattern>,
    /// Only users with an outdated hash
    #[arg(long)]
    pub outdated: bool,
    /// Only locked users
    #[arg(long)]
    pub locked: bool,
    /// Only users who are not locked
    #[arg(long, conflicts_with = "locked")]
    pub unlocked: bool,
    /// Only users whose password is older than this; unknown is not older
    #[arg(long, value_name = "AGE", value_parser = time::parse, allow_hyphen_values = true)]
    pub password_older_than: Option<SystemTime>,
    /// Only users whose last password change is unknown
    #[arg(long, conflicts_with = "password_older_than")]
    pub password_unknown: bool,
    /// Only users created at this time or later
    #[arg(long, value_name = "TIME", value_parser = time::parse, allow_hyphen_values = true)]
    pub created_since: Option<SystemTime>,
    /// Sort order (times: unknown first, then oldest first)
    #[arg(long, value_enum, default_value_t, value_name = "ORDER", allow_hyphen_values = true)]
    pub sort: Sort,
    /// Reverse the order
    #[arg(long)]
    pub reverse: bool,
    /// Show at most N users
    #[arg(long, value_name = "N", value_parser = number(1..=u32::MAX), allow_hyphen_values = true)]
    pub limit: Option<u32>,
    /// Print only the usernames, one per line
    #[arg(long)]
    pub names: bool,
    /// With --names: end each name with NUL instead of a newline, unescaped, for `xargs -0`
    #[arg(long, requires = "names", conflicts_with_all = ["json", "format"])]
    pub null: bool,
    #[command(flatten)]
    pub method: MethodArg,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Sort {
    /// By username, in byte order
    #[default]
    Name,
    /// By time of creation
    Created,
    /// By time of the last password change
    Changed,
}

fn pattern(text: &str) -> Result<glob::Pattern, &'static str> {
    glob::Pattern::new(text).map_err(
        |_| "expected a pattern such as 'a*' or '[a-c]*'; for the character '[', write '[[]'",
    )
}

impl Args {
    fn selects(&self, user: &User) -> bool {
        let is_in = |wanted: &OsString| {
            user.groups.iter().any(|group| group.as_key() == Some(bytes(wanted)))
        };
        let name = || user.username.to_text().unwrap_or_default();
        let changed = user.password_changed_at;
        let created = user.created_at;
        (self.groups.is_empty() || self.groups.iter().any(is_in))
            && !self.not_groups.iter().any(is_in)
            && self.pattern.as_ref().is_none_or(|pattern| pattern.matches(&name()))
            && (user.outdated || !self.outdated)
            && (user.locked || !self.locked)
            && (!user.locked || !self.unlocked)
            && self.password_older_than.is_none_or(|time| changed.is_some_and(|at| at < time))
            && (changed.is_none() || !self.password_unknown)
            && self.created_since.is_none_or(|time| created.is_some_and(|at| at >= time))
    }

    fn time(&self, user: &User) -> Option<SystemTime> {
        match self.sort {
            Sort::Name => None,
            Sort::Created => user.created_at,
            Sort::Changed => user.password_changed_at,
        }
    }

    fn most(&self) -> usize {
        self.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
    }
}

impl Definition for Args {
    const NAME: &str = "list";
    const EXIT_CODES: &[(&str, &[u8])] = &[("list", &[4, 5])];
    const JSON: &[(&str, &str)] =
        &[("list", "an array of {user}"), ("list --names", "an array of usernames")];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        run(self, &invocation.database()?, invocation.output)
    }
}

fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let mut users = Users::open_read_only(database)?.with_method(args.method.get()?);
    let notes = unknown_groups(args, &mut users)?;
    match output.rows().filter(|_| !args.null) {
        Some(rows) => print_rows(args, users, rows)?,
        None => print(args, users, output)?,
    }
    for note in notes {
        output.note(&note);
    }
    Ok(())
}

/// Prints rows for programs, in bounded memory.
fn print_rows(args: &Args, mut users: Users, rows: Rows) -> Result<()> {
    let is_sorted = args.sort != Sort::Name || args.reverse;
    let mut rows = if is_sorted { rows.sorted(args.reverse, args.most()) } else { rows };
    let mut left = if is_sorted { usize::MAX } else { args.most() };
    let mut pushed = Ok(());
    users.each(&mut |user| {
        if left > 0 && pushed.is_ok() && args.selects(&user) {
            left -= 1;
            let time = args.time(&user);
            pushed = if args.names {
                rows.push(|| user.username.to_text(), || vec![user.username.to_string()], time)
            } else {
                rows.push(|| JsonUser(&user), || plain_user(&user), time)
            };
        }
    })?;
    drop(users);
    pushed?;
    Ok(rows.print()?)
}

/// Prints a table or the names.
fn print(args: &Args, mut users: Users, output: &Output) -> Result<()> {
    let mut listed = users.list()?;
    drop(users);
    listed.retain(|user| args.selects(user));
    // The sort is stable, so users with equal times stay sorted by name.
    listed.sort_by_key(|user| args.time(user));
    if args.reverse {
        listed.reverse();
    }
    listed.truncate(args.most());
    if args.null {
        let mut names = listed.iter().filter_map(|user| user.username.as_key());
        return Ok(write_stdout(|stdout| {
            names.try_for_each(|name| {
                stdout.write_all(name)?;
                stdout.write_all(b"\0")
            })
        })?);
    }
    if args.names {
        let mut names = listed.iter().map(|user| &user.username);
        return Ok(write_stdout(|stdout| names.try_for_each(|name| writeln!(stdout, "{name}")))?);
    }
    let row = |user: &User| {
        let state = match (user.method.is_some(), user.locked, user.outdated) {
            (false, false, _) => "no usable hash",
            (_, true, true) => &format!("{}, outdated", marked("locked")),
            (_, true, false) => &marked("locked"),
            (_, false, true) => "outdated",
            (_, false, false) => "",
        };
        let times = [user.created_at, user.password_changed_at].map(|time| time.map(age));
        let times = times.map(Option::unwrap_or_default);
        let texts = user.fields().into_iter().filter_map(|(_, value)| shown_text(value));
        texts.chain([state.to_owned()]).chain(times).collect()
    };
    let texts = ["username"].into_iter().chain(Profile::FIELDS);
    let texts: Vec<_> = texts.map(|name| label(name).to_uppercase()).collect();
    let texts = texts.iter().map(String::as_str);
    let header: Vec<_> = texts.chain(["STATE", "CREATED", "PASSWORD SET"]).collect();
    Ok(output.table(&header, &listed.iter().map(row).collect::<Vec<_>>())?)
}

/// A note for each group of the command line that nobody is in.
fn unknown_groups(args: &Args, users: &mut Users) -> Result<Vec<String>> {
    let named: Vec<_> = args.groups.iter().chain(&args.not_groups).collect();
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let known = users.groups("", MAX_COMPARED)?;
    let is_unknown = |name: &&&OsString| !known.iter().any(|group| group.as_bytes() == bytes(name));
    let note = |name: &OsString| {
        let name = StoredText::from(bytes(name));
        let text = name.to_text().unwrap_or_default();
        match most_similar(&text, &known) {
            Some(other) => format!("no user is in '{name}'; did you mean '{other}'?"),
            None if text.contains(',') => {
                format!("no user is in '{name}'; for several groups, repeat --group")
            }
            None => format!("no user is in '{name}'"),
        }
    };
    Ok(named.iter().filter(is_unknown).map(|name| note(name)).collect())
}
