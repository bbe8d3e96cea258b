use std::path::PathBuf;

use anyhow::Result;
use dash_users::{
    DEMO_USERS, Language, Location, Method, OnConflict, Password, PasswordHash, Username, Users,
};

use super::import::{Job, Source, run_job};
use super::init::{self, new_file};
use super::{open, report_reconciled, schema_warnings};
use crate::cli::{FileArgs, MethodArg, NewFileArgs};
use crate::output::{JsonImport, Output};

/// Add missing users from a file, or two demo users
///
/// With FILE, in any format of `import`, adds the users that do not exist yet. Records of existing
/// users are skipped without being checked or hashed. The database is created if it does not exist.
/// You can run this at every start of a container, even from several containers at once.
///
/// Without FILE, adds alice (password secret123, language en) and bob (pa$$w0rd, fr), unless the
/// database already has users. These passwords are public, so use them only to try things out.
///
/// Example: dash-users seed users.csv
#[derive(clap::Args)]
pub struct Args {
    /// File of users, or - for stdin [default: the demo users]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub options: FileArgs,
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
        let source = Source::new(file, &args.options)?;
        let on_conflict = OnConflict::SkipUnchecked;
        let job = Job { source, on_conflict, action: "seed", method, new_file };
        return run_job(&job, &args.options, database, output);
    }
    // Hash before the first change. If the database has a problem, init reports it.
    let users = Users::open_read_only(database).and_then(|mut users| users.is_empty());
    let is_wanted = users.unwrap_or(true);
    let demo = if is_wanted { demo(&method)? } else { Vec::new() };
    let init = Users::init(database, &new_file)?;
    let is_added = is_wanted && open(database)?.add_if_empty(demo)?;

    let mut warnings = schema_warnings(&init.schema);
    if !init.applied.is_empty() {
        output.note(&init::done(&init, database));
        report_reconciled(&init.events, output);
    }
    if is_added {
        output.note(&format!("added users 'alice' and 'bob' in {database}"));
        warnings.push("the passwords of 'alice' and 'bob' are public: remove both users before others can reach the app".to_owned());
    } else {
        output.note(&format!("nothing added: there are already users in {database}"));
    }
    for warning in &warnings {
        output.warn(warning);
    }
    let count = DEMO_USERS.len() as u64;
    let (added, skipped) = if is_added { (count, 0) } else { (0, count) };
    let database = database.to_string();
    let read_as = None;
    let json = JsonImport { database, added, changed: 0, unchanged: 0, skipped, read_as, warnings };
    Ok(output.json_only(&json)?)
}
