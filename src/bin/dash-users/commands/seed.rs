use anyhow::Result;
use dash_users::{DEMO_USERS, Language, Location, Method, Password, PasswordHash, Username, Users};
use serde::Serialize;

use super::init::{self, new_file};
use super::{open, schema_warnings, tell_reconciled};
use crate::cli::{MethodArg, NewFileArgs};
use crate::output::Output;

/// Add the demo users alice and bob to an empty database
///
/// Creates the database if there is none. alice has the password secret123 and the language en,
/// bob pa$$w0rd and fr; everybody can read these passwords here, so they are for trying things
/// out. If there is any user, nothing is changed.
///
/// Example: dash-users seed && dash-users list
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub new_file: NewFileArgs,
    #[command(flatten)]
    pub method: MethodArg,
}

fn demo(method: &Method) -> Result<Vec<(Username, PasswordHash, Language)>> {
    let mut users = Vec::new();
    for (username, password, language) in DEMO_USERS {
        let hash = PasswordHash::new(method, &Password::from(password));
        users.push((username.parse()?, hash, language.parse()?));
    }
    Ok(users)
}

#[derive(Serialize)]
struct Json {
    database: String,
    added: usize,
    changed: usize,
    unchanged: usize,
    skipped: usize,
    warnings: Vec<String>,
}

pub fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let new_file = new_file(&args.new_file)?;
    let method = args.method.get()?;
    // Hashing comes before the first change. Whatever is wrong with the database, init tells.
    let users = Users::open_read_only(database).and_then(|mut users| users.is_empty());
    let is_wanted = users.unwrap_or(true);
    let demo = if is_wanted { demo(&method)? } else { Vec::new() };
    let init = Users::init(database, &new_file)?;
    let is_added = is_wanted && open(database)?.add_if_empty(demo)?;

    let mut warnings = schema_warnings(&init.schema);
    if !init.applied.is_empty() {
        output.note(&init::done(&init, database));
        tell_reconciled(&init.events, output);
    }
    if is_added {
        output.note(&format!("added users 'alice' and 'bob' in {database}"));
        warnings.push("the passwords of 'alice' and 'bob' are public: remove them before others can reach the app".to_owned());
    } else {
        output.note(&format!("there are users already; none added in {database}"));
    }
    for warning in &warnings {
        output.warn(warning);
    }
    let (added, skipped) = if is_added { (DEMO_USERS.len(), 0) } else { (0, DEMO_USERS.len()) };
    let database = database.to_string();
    output.json_only(&Json { database, added, changed: 0, unchanged: 0, skipped, warnings })?;
    Ok(())
}
