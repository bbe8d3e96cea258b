use dash_users::store::Migrated;
use dash_users::{Location, Migration, Users};
use serde::Serialize;

use super::{Definition, Invocation, report_reconciled, schema_warnings};
use crate::exit::{Code, Failure, Result};
use crate::output::{JsonEvent, JsonMigration, Output, counted, table};
use crate::terminal;

/// Apply pending schema migrations
///
/// The database must exist. Migrations lose no data, and apps can read meanwhile. In a file, all of
/// them run in one transaction. On a server, run the command again if it was interrupted.
///
/// Example: dash-users migrate --status
#[derive(clap::Args)]
pub struct Args {
    /// List applied and pending migrations (exit code 4 if any is pending)
    #[arg(long)]
    pub status: bool,
    /// Show what would be done, without changing anything
    #[arg(long, conflicts_with = "status")]
    pub dry_run: bool,
}

#[derive(Serialize)]
struct Json<'a> {
    database: String,
    version: u32,
    applied: Vec<JsonMigration>,
    pending: Vec<JsonMigration>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    events: Vec<JsonEvent<'a>>,
}

impl Definition for Args {
    const NAME: &str = "migrate";
    const EXIT_CODES: &[(&str, &[u8])] = &[("migrate", &[4, 5, 11])];
    const JSON: &[(&str, &str)] = &[(
        "migrate",
        "`database`, `version`, `applied`, `pending`; `warnings` and `events` if there are any",
    )];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        run(self, &invocation.database()?, invocation.output)
    }
}

fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let mut schema = Users::open_read_only(database)?.schema()?;
    let (mut applied, mut events) = (Vec::new(), Vec::new());
    if args.status {
        applied.clone_from(&schema.applied);
    } else if !args.dry_run && !schema.pending.is_empty() {
        let mut users = Users::open(database)?.with_commit_hooks(terminal::COMMIT_HOOKS);
        Migrated { applied, events, .. } = users.migrate()?;
        schema = users.schema()?;
    }
    let json = Json {
        database: database.to_string(),
        version: schema.version,
        applied: JsonMigration::all(&applied),
        pending: JsonMigration::all(&schema.pending),
        warnings: schema_warnings(&schema),
        events: events.iter().map(JsonEvent::from).collect(),
    };
    if args.status {
        return status(json, output);
    }

    for Migration { version, name } in &applied {
        output.note(&format!("applied migration {version} ({name}) to {database}"));
    }
    for Migration { version, name } in &schema.pending {
        output.note(&format!("would apply migration {version} ({name}) to {database}"));
    }
    if applied.is_empty() && schema.pending.is_empty() {
        output.note(&format!("{database} is already up to date"));
    }
    report_reconciled(&events, database, output);
    output.warn_all(&json.warnings);
    output.json_only(&json)?;
    Ok(())
}

/// Prints the list of migrations, whatever the exit code.
fn status(json: Json<'_>, output: &Output) -> Result<()> {
    let row = |migration: &JsonMigration, state: &str| {
        vec![migration.version.to_string(), migration.name.to_owned(), state.to_owned()]
    };
    let applied = json.applied.iter().map(|migration| row(migration, "applied"));
    let rows: Vec<_> =
        applied.chain(json.pending.iter().map(|migration| row(migration, "pending"))).collect();
    let failure = (!json.pending.is_empty()).then(|| {
        let message = format!(
            "{} in {}",
            counted(json.pending.len() as u64, "pending migration", "pending migrations"),
            json.database
        );
        Failure::new(Code::NeedsMigration, message).answered()
    });
    let people = || table(&["VERSION", "NAME", "STATE"], &rows);
    output.result(|| json, || rows.clone(), people)?;
    failure.map_or(Ok(()), Err)
}
