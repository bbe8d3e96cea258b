use dash_users::store::{CopyableTable, TableChanges};
use dash_users::{Init, Language, Location, NewFile, StoredText, Users};
use serde::Serialize;

use super::{Definition, Invocation, report_reconciled, schema_warnings};
use crate::cli::NewFileArgs;
use crate::exit::{Code, Context, Failure, Result, copy_command};
use crate::output::{JsonEvent, JsonMigration, Output};
use crate::shell::pasted;
use crate::terminal;

/// Create the database, or update an existing one
///
/// An existing table users, for example from an app or a tutorial, is adopted unchanged, with its
/// rows and extra columns. An empty file becomes a database. Running init again is safe.
///
/// A table without a column language or a unique index on username is adopted only after
/// --add-language or --add-unique-index. On PostgreSQL, only the owner of the table can add them.
///
/// Example: dash-users init --file-mode 0640 --file-group www-data
#[derive(clap::Args)]
pub struct Args {
    /// Add a column language to the app's table, if it has none, with this value in all rows
    /// [default: en]. An INSERT of the app that does not name its columns fails afterwards
    #[arg(
        long,
        value_name = "TAG",
        num_args = 0..=1,
        default_missing_value = "en",
        hide_default_value = true
    )]
    pub add_language: Option<Language>,
    /// Add a unique index on username to the app's table, if it has none
    #[arg(long)]
    pub add_unique_index: bool,
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
    /// What was added to the app's table.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    added: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    other_tables: Vec<JsonTable<'a>>,
}

/// Another table that appears to have users.
#[derive(Serialize)]
struct JsonTable<'a> {
    table: &'a str,
    username: &'a str,
    password: &'a str,
    select: &'a str,
}

impl<'a> From<&'a CopyableTable> for JsonTable<'a> {
    fn from(table: &'a CopyableTable) -> Self {
        let CopyableTable { table, username, password, select } = table;
        Self { table, username, password, select }
    }
}

impl Definition for Args {
    const NAME: &str = "init";
    const EXIT_CODES: &[(&str, &[u8])] = &[("init", &[4, 5, 11])];
    const JSON: &[(&str, &str)] = &[(
        "init",
        "`database`, `action`, `changed`, `created`, `adopted`, `version`, `applied`, `pending`, `warnings`; if there are any, `events` in the history, what was `added` to an app's table, and `other_tables` that may have users",
    )];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        run(self, &invocation.database()?, invocation.output)
    }
}

fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let new_file = new_file(&args.new_file)?;
    let changes = TableChanges {
        add_language: args.add_language.clone(),
        add_unique_index: args.add_unique_index,
    };
    let init = Users::init_with(database, &new_file, &changes, terminal::COMMIT_HOOKS)?;
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
        added: [
            init.changes.add_language.is_some().then_some("language"),
            init.changes.add_unique_index.then_some("unique_index"),
        ]
        .into_iter()
        .flatten()
        .collect(),
        other_tables: init.other_tables.iter().map(JsonTable::from).collect(),
    };
    report_changes(&changes, &init, output);
    output.note(&done(&init, database));
    for table in init.other_tables.iter().take(MAX_TABLES) {
        let name = StoredText::Text(table.table.clone());
        output.note(&format!("note: table '{name}' may have users too; it was not changed"));
        if let Some(command) = copy_command(database, table, &pasted(database)) {
            output.note("to copy its users:");
            output.note(&format!("  {command}"));
        }
    }
    report_reconciled(&init.events, database, output);
    output.warn_all(&json.warnings);
    output.json_only(&json)?;
    Ok(())
}

/// The maximum number of other tables to show.
const MAX_TABLES: usize = 5;

/// Reports what was added to the app's table, or why nothing was.
fn report_changes(wanted: &TableChanges, init: &Init, output: &Output) {
    let new = init.created || init.created_table;
    if init.changes.add_language.is_some() && !new {
        output.note("note: an INSERT of the app that does not name its columns fails from now on");
    }
    let report = |is_wanted: bool, added: Option<String>, what: &str| {
        if is_wanted {
            output.note(&match added {
                Some(how) => format!("added {what}{how} to table 'users'"),
                None if new => format!("the new table 'users' has {what}"),
                None => format!("table 'users' already has {what}"),
            });
        }
    };
    let TableChanges { add_language, add_unique_index } = &init.changes;
    let value = add_language.as_ref().map(|tag| format!(" with the value '{tag}'"));
    report(wanted.add_language.is_some(), value, "a column 'language'");
    let index = add_unique_index.then(String::new);
    report(wanted.add_unique_index, index, "a unique index on 'username'");
}

/// Describes what was done to the schema.
pub fn done(init: &Init, database: &Location) -> String {
    if init.created {
        format!("created {database}")
    } else if init.adopted {
        format!("adopted table 'users' in {database}")
    } else if init.created_table {
        format!("created table 'users' in {database}")
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
        None => Err(Failure::new(Code::Usage, format!("no such group: '{name}'"))
            .hint("run `getent group` to list the groups of this system")),
    }
}
