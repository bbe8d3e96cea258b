use anyhow::{Context, Result};
use dash_users::{Init, Location, NewFile, Users};
use serde::Serialize;

use super::{report_reconciled, schema_warnings};
use crate::cli::NewFileArgs;
use crate::exit::{Code, Failure};
use crate::output::{JsonEvent, JsonMigration, Output};
use crate::terminal;

/// Create the database, or update an existing one
///
/// An existing table users, for example from an app or a tutorial, is adopted unchanged, with its
/// rows and extra columns. An empty file becomes a database. Running init again is safe.
///
/// Example: dash-users init --file-mode 0640 --file-group www-data
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub new_file: NewFileArgs,
}

#[derive(Serialize)]
struct Json<'a> {
    database: String,
    action: &'static str,
    changed: bool,
    created: bool,
    adopted: bool,
    version: u32,
    applied: Vec<JsonMigration>,
    pending: Vec<JsonMigration>,
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    events: Vec<JsonEvent<'a>>,
}

pub fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let new_file = new_file(&args.new_file)?;
    let init = Users::init_with_hooks(database, &new_file, terminal::COMMIT_HOOKS)?;
    let warnings = schema_warnings(&init.schema);
    let json = Json {
        database: database.to_string(),
        action: "init",
        changed: init.created || !init.applied.is_empty(),
        created: init.created,
        adopted: init.adopted,
        version: init.schema.version,
        applied: JsonMigration::all(&init.applied),
        pending: JsonMigration::all(&init.schema.pending),
        warnings,
        events: init.events.iter().map(JsonEvent::from).collect(),
    };
    output.note(&done(&init, database));
    report_reconciled(&init.events, output);
    for warning in &json.warnings {
        output.warn(warning);
    }
    output.json_only(&json)?;
    Ok(())
}

/// Describes what was done to the schema.
pub fn done(init: &Init, database: &Location) -> String {
    if init.created {
        format!("created {database}")
    } else if init.adopted {
        format!("adopted table 'users' in {database}")
    } else if init.applied.is_empty() {
        format!("{database} is already up to date")
    } else {
        format!("updated {database}")
    }
}

/// The settings for a new database file.
pub fn new_file(args: &NewFileArgs) -> Result<NewFile> {
    let group = match &args.file_group {
        Some(name) => Some(group_id(name)?),
        None => None,
    };
    Ok(NewFile { mode: args.file_mode, group })
}

fn group_id(name: &str) -> Result<u32> {
    if let Ok(id) = name.parse() {
        return Ok(id);
    }
    let group = nix::unistd::Group::from_name(name).context("cannot look up the group")?;
    match group {
        Some(group) => Ok(group.gid.as_raw()),
        None => Err(Failure::new(Code::Usage, format!("no such group: '{name}'")).into()),
    }
}
