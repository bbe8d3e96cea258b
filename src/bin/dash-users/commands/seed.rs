use std::path::PathBuf;

use anyhow::Result;
use dash_users::{
    DEMO_USERS, Language, Location, Method, OnConflict, Password, PasswordHash, Username, Users,
};

use super::import::{Job, Source, run_job};
use super::init::{self, new_file};
use super::{open, schema_warnings, tell_reconciled};
use crate::cli::{FileArgs, MethodArg, NewFileArgs};
use crate::output::{JsonImport, Output};

/// Add the users of a file who are missing, or two demo users
///
/// Creates the database if there is none. Of a FILE, in the formats of `import`, all are added who
/// are not there; records of others are neither judged nor hashed, and nobody is changed: so it may
/// be run at every start of a container, and several at once.
///
/// Without a file, alice gets the password secret123 and the language en, bob pa$$w0rd and fr;
/// everybody can read these passwords here, so they are for trying things out. If there is any
/// user, nothing is changed.
///
/// Example: dash-users seed users.csv
#[derive(clap::Args)]
pub struct Args {
    /// The file, or - for stdin; without it, the demo users
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub taken: FileArgs,
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

pub fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let new_file = new_file(&args.new_file)?;
    let method = args.method.get()?;
    if let Some(file) = &args.file {
        let source = Source::new(file, &args.taken)?;
        let on_conflict = OnConflict::SkipUnchecked;
        let job = Job { source, on_conflict, action: "seed", method, new_file };
        return run_job(&job, &args.taken, database, output);
    }
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
        warnings.push("the passwords of 'alice' and 'bob' are public: remove both before others can reach the app".to_owned());
    } else {
        output.note(&format!("there are users already; none added in {database}"));
    }
    for warning in &warnings {
        output.warn(warning);
    }
    let count = DEMO_USERS.len() as u64;
    let (added, skipped) = if is_added { (count, 0) } else { (0, count) };
    let database = database.to_string();
    let json = JsonImport { database, added, changed: 0, unchanged: 0, skipped, warnings };
    Ok(output.json_only(&json)?)
}
