use std::borrow::Cow;

use anyhow::Result;
use dash_users::store::{self, Access};
use dash_users::{Error, Location, Migration};
use serde::Serialize;

use super::schema_warnings;
use crate::exit::{Code, Failure};
use crate::output::{JsonMigration, Output, table};

/// Apply pending migrations of the database's schema
///
/// The database must exist. All migrations are applied in one transaction; none loses anything,
/// and an app goes on reading meanwhile.
///
/// Example: dash-users migrate --status
#[derive(clap::Args)]
pub struct Args {
    /// List the migrations, applied and pending; status 4 if any is pending
    #[arg(long)]
    pub status: bool,
    /// Say what would be applied, and change nothing
    #[arg(long, conflicts_with = "status")]
    pub dry_run: bool,
}

#[derive(Serialize)]
struct Json {
    database: String,
    version: u32,
    applied: Vec<JsonMigration>,
    pending: Vec<JsonMigration>,
}

impl Json {
    fn new(
        database: &Location,
        version: u32,
        applied: &[Migration],
        pending: &[Migration],
    ) -> Self {
        Self {
            database: database.to_string(),
            version,
            applied: JsonMigration::all(applied),
            pending: JsonMigration::all(pending),
        }
    }
}

pub fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let mut schema =
        store::open(database, Access::Read).map_err(Error::from)?.schema().map_err(Error::from)?;
    if args.status {
        let json = Json::new(database, schema.version, &schema.applied, &schema.pending);
        let applied = schema.applied.iter().map(|migration| (migration, "applied"));
        let pending = schema.pending.iter().map(|migration| (migration, "pending"));
        let rows: Vec<[String; 3]> = applied
            .chain(pending)
            .map(|(migration, state)| {
                [migration.version.to_string(), migration.name.to_owned(), state.to_owned()]
            })
            .collect();
        let plain: Vec<_> = rows.iter().map(|row| row.iter().map(Cow::from).collect()).collect();
        let people =
            || table(&["VERSION", "NAME", "STATE"], rows.iter().map(|row| row.to_vec()).collect());
        output.result(&json, &plain, people)?;
        return match schema.pending.len() {
            0 => Ok(()),
            count => {
                let message = format!("{count} migration(s) pending in {database}");
                Err(Failure::new(Code::NeedsMigration, message).answered().into())
            }
        };
    }

    let mut applied = Vec::new();
    if !args.dry_run && !schema.pending.is_empty() {
        let mut store = store::open(database, Access::Write).map_err(Error::from)?;
        applied = store.migrate().map_err(Error::from)?;
        schema = store.schema().map_err(Error::from)?;
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
    for warning in schema_warnings(&schema) {
        output.warn(&warning);
    }
    output.json_only(&Json::new(database, schema.version, &applied, &schema.pending))?;
    Ok(())
}
