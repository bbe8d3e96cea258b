use std::path::PathBuf;

use anyhow::Result;
use dash_users::{Location, Users};

use crate::output::{JsonCopy, Output};

/// Write a copy of the whole database to a file
///
/// The copy holds one moment, while apps read and write on. It has mode 0600, and can be used as a
/// database itself.
///
/// Example: dash-users backup users-$(date +%F).db
#[derive(clap::Args)]
pub struct Args {
    /// The file to write
    pub file: PathBuf,
    /// Replace an older backup
    #[arg(long)]
    pub force: bool,
}

pub fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let file = std::path::absolute(&args.file)?;
    Users::open_read_only(database)?.backup(&file, args.force)?;
    let file = file.display().to_string();
    output.note(&format!("wrote a backup of {database} to {file}"));
    let database = database.to_string();
    Ok(output.json_only(&JsonCopy {
        database,
        action: "backup",
        changed: true,
        file,
        users: None,
    })?)
}
