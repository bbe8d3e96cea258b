use std::ffi::OsString;

use anyhow::Result;
use clap::ValueEnum;
use clap_complete::engine::ArgValueCompleter;
use dash_users::{Location, User, Users};

use super::bytes;
use crate::cli::MethodArg;
use crate::complete;
use crate::output::{JsonUser, Output, ago, joined, plain_user};

/// List users, without their hashes
///
/// Columns of --format plain: username, language, locked (true or false), method (empty if the
/// stored value is not a hash), outdated (true or false), groups (separated by commas), created and
/// password changed (both empty if unknown).
///
/// Example: dash-users list --outdated
#[derive(clap::Args)]
pub struct Args {
    /// Only users in this group
    #[arg(long, add = ArgValueCompleter::new(complete::groups))]
    pub group: Option<OsString>,
    /// Only users with an outdated hash
    #[arg(long)]
    pub outdated: bool,
    /// Only locked users
    #[arg(long)]
    pub locked: bool,
    /// Sort order (times: unknown first, then oldest first)
    #[arg(long, value_enum, default_value_t, value_name = "ORDER")]
    pub sort: Sort,
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

pub fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let mut users = Users::open_read_only(database)?.with_method(args.method.get()?);
    let group = args.group.as_deref().map(bytes);
    let is_wanted = |user: &User| {
        let is_member = group
            .is_none_or(|wanted| user.groups.iter().any(|group| group.as_key() == Some(wanted)));
        is_member && (user.outdated || !args.outdated) && (user.locked || !args.locked)
    };
    let time = |user: &User| match args.sort {
        Sort::Name => None,
        Sort::Created => user.created_at,
        Sort::Changed => user.password_changed_at,
    };
    if let Some(rows) = output.rows() {
        let mut rows = if args.sort == Sort::Name { rows } else { rows.sorted() };
        let mut pushed = Ok(());
        users.each(&mut |user| {
            if is_wanted(&user) && pushed.is_ok() {
                pushed = rows.push(|| JsonUser::from(&user), || plain_user(&user), time(&user));
            }
        })?;
        drop(users);
        pushed?;
        return Ok(rows.print()?);
    }
    let mut listed = users.list()?;
    drop(users);
    listed.retain(is_wanted);
    // The sort is stable, so users with equal times stay sorted by name.
    listed.sort_by_key(time);
    let row = |user: &User| {
        let state = match (user.method.is_some(), user.locked, user.outdated) {
            (false, false, _) => "no usable hash",
            (_, true, true) => "locked, outdated",
            (_, true, false) => "locked",
            (_, false, true) => "outdated",
            (_, false, false) => "",
        };
        vec![
            user.username.to_string(),
            user.language.to_string(),
            joined(&user.groups, ", "),
            state.to_owned(),
            user.created_at.map(ago).unwrap_or_default(),
            user.password_changed_at.map(ago).unwrap_or_default(),
        ]
    };
    let header = ["USER", "LANGUAGE", "GROUPS", "STATE", "CREATED", "PASSWORD SET"];
    Ok(Output::table(&header, &listed.iter().map(row).collect::<Vec<_>>())?)
}
