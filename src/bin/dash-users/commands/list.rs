use std::borrow::Cow;

use anyhow::Result;
use dash_users::{Location, User, Users};
use serde::Serialize;

use crate::cli::MethodArg;
use crate::output::{Output, table};

/// List the users, never their hashes
///
/// With --format plain the columns are: username, language, locked (true or false), method (empty
/// if the stored value is no hash), outdated (true or false), groups (separated by commas), created
/// and password changed (both empty where unknown).
///
/// Example: dash-users list --outdated
#[derive(clap::Args)]
pub struct Args {
    /// Only users with an outdated hash
    #[arg(long)]
    pub outdated: bool,
    /// Only locked users
    #[arg(long)]
    pub locked: bool,
    #[command(flatten)]
    pub method: MethodArg,
}

/// A user, as JSON tells it.
#[derive(Serialize)]
pub struct JsonUser<'a> {
    username: Option<Cow<'a, str>>,
    language: Option<Cow<'a, str>>,
    locked: bool,
    method: Option<String>,
    outdated: bool,
    /// Nobody is in a group before the schema knows groups.
    groups: [&'a str; 0],
    /// The schema does not record it yet.
    created_at: Option<&'a str>,
    /// The schema does not record it yet.
    password_changed_at: Option<&'a str>,
}

impl<'a> From<&'a User> for JsonUser<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            username: user.username.to_text(),
            language: user.language.to_text(),
            locked: user.locked,
            method: user.method.map(|method| method.to_string()),
            outdated: user.outdated,
            groups: [],
            created_at: None,
            password_changed_at: None,
        }
    }
}

/// A user as a row of `--format plain`, in the order of the keys in JSON.
pub fn plain(user: &User) -> Vec<Cow<'_, str>> {
    vec![
        user.username.to_string().into(),
        user.language.to_string().into(),
        user.locked.to_string().into(),
        user.method.map(|method| method.to_string()).unwrap_or_default().into(),
        user.outdated.to_string().into(),
        "".into(),
        "".into(),
        "".into(),
    ]
}

pub fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let mut users = Users::open_read_only(database)?.with_method(args.method.method).list()?;
    users.retain(|user| (user.outdated || !args.outdated) && (user.locked || !args.locked));
    let json: Vec<JsonUser> = users.iter().map(JsonUser::from).collect();
    let rows: Vec<_> = users.iter().map(plain).collect();
    let people = || {
        let rows = users.iter().map(|user| {
            let state = match (user.method.is_some(), user.locked, user.outdated) {
                (false, ..) => "no usable hash",
                (_, true, true) => "locked, outdated",
                (_, true, false) => "locked",
                (_, false, true) => "outdated",
                (_, false, false) => "",
            };
            let method = user.method.map(|method| method.to_string()).unwrap_or_default();
            vec![user.username.to_string(), user.language.to_string(), method, state.to_owned()]
        });
        table(&["USER", "LANGUAGE", "METHOD", "STATE"], rows.collect())
    };
    Ok(output.result(&json, &rows, people)?)
}
