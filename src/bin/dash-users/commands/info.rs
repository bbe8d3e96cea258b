use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use dash_users::{EventFilter, Location, Users};
use nix::unistd::{Gid, Group, Uid, User};
use serde::Serialize;

use super::{Definition, Invocation};
use crate::cli::{Globals, Origin};
use crate::exit::Result;
use crate::output::{Output, age, fields, rfc3339};

/// Show which database is in use, and its state
///
/// SETTING says where the choice of the database came from: the option --database (flag), the
/// variable DASH_USERS_DATABASE (environment), or neither (default). A password in a URL is not
/// shown. Counts are unknown while the schema needs an update.
///
/// Columns of --format plain: key and value, in the order of the JSON keys. Unknown values are empty.
///
/// Example: dash-users info
#[derive(clap::Args)]
#[command(alias = "status")]
pub struct Args {}

#[derive(Serialize)]
struct Json {
    database: String,
    source: &'static str,
    kind: &'static str,
    version: u32,
    up_to_date: bool,
    /// In octal.
    mode: Option<String>,
    owner: Option<String>,
    group: Option<String>,
    journal_mode: Option<&'static str>,
    users: Option<u64>,
    locked: Option<u64>,
    outdated: Option<u64>,
    last_change: Option<String>,
}

impl Definition for Args {
    const NAME: &str = "info";
    const EXIT_CODES: &[(&str, &[u8])] = &[("info", &[4, 5])];
    const JSON: &[(&str, &str)] = &[(
        "info",
        "`database`, `source` (`flag`, `environment` or `default`), `kind` (`sqlite` or `postgresql`), `version`, `up_to_date`, `mode` (in octal), `owner`, `group`, `journal_mode`, `users`, `locked`, `outdated`, `last_change`; `null` where unknown",
    )];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        run(invocation.globals, &invocation.database()?, invocation.output)
    }
}

fn run(globals: &Globals, database: &Location, output: &Output) -> Result<()> {
    let mut users = Users::open_read_only(database)?;
    let schema = users.schema()?;
    let (mut all, mut locked, mut outdated) = (0, 0, 0);
    let counted = users.each(&mut |user| {
        all += 1;
        locked += u64::from(user.locked);
        outdated += u64::from(user.outdated);
    });
    let count = |count: u64| counted.is_ok().then_some(count);
    let newest = EventFilter { limit: Some(1), ..EventFilter::default() };
    let newest = users.events(None, &newest).unwrap_or_default();
    let last = newest.first().and_then(|event| event.at);
    let path = match database {
        Location::Sqlite(path) => Some(path),
        _ => None,
    };
    let file = path.and_then(|path| fs::metadata(path).ok());
    let json = Json {
        database: database.to_string(),
        source: match globals.origin() {
            Origin::Flag => "flag",
            Origin::Environment => "environment",
            Origin::Default => "default",
        },
        kind: if path.is_some() { "sqlite" } else { "postgresql" },
        version: schema.version,
        up_to_date: schema.pending.is_empty(),
        mode: file.as_ref().map(|file| format!("{:04o}", file.mode() & 0o7777)),
        owner: file.as_ref().map(|file| owner(file.uid())),
        group: file.as_ref().map(|file| group(file.gid())),
        journal_mode: path.and_then(|path| journal_mode(path)),
        users: count(all),
        locked: count(locked),
        outdated: count(outdated),
        last_change: last.map(rfc3339),
    };
    let number = |count: Option<u64>| count.map(|count| count.to_string()).unwrap_or_default();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let rows = || {
        let rows = [
            ("database", json.database.clone()),
            ("source", json.source.to_owned()),
            ("kind", json.kind.to_owned()),
            ("version", json.version.to_string()),
            ("up_to_date", json.up_to_date.to_string()),
            ("mode", text(&json.mode)),
            ("owner", text(&json.owner)),
            ("group", text(&json.group)),
            ("journal_mode", json.journal_mode.unwrap_or_default().to_owned()),
            ("users", number(json.users)),
            ("locked", number(json.locked)),
            ("outdated", number(json.outdated)),
            ("last_change", text(&json.last_change)),
        ];
        rows.map(|(key, value)| vec![key.to_owned(), value]).to_vec()
    };
    let people = || {
        let source = match globals.origin() {
            Origin::Flag => "flag (--database)",
            Origin::Environment => "environment (DASH_USERS_DATABASE)",
            Origin::Default => "default",
        };
        let state = if json.up_to_date { "up to date" } else { "needs an update: run init" };
        let last = last.map(|at| format!("{} ago ({})", age(at), rfc3339(at)));
        let mode = match (&json.mode, &json.owner, &json.group) {
            (Some(mode), Some(owner), Some(group)) => {
                format!("{mode}, owner {owner}, group {group}")
            }
            _ => String::new(),
        };
        let shown = [
            ("database", json.database.clone()),
            ("setting", source.to_owned()),
            ("kind", json.kind.to_owned()),
            ("schema", format!("version {}, {state}", json.version)),
            ("file mode", mode),
            ("journal mode", json.journal_mode.unwrap_or_default().to_owned()),
            ("users", number(json.users)),
            ("locked", number(json.locked)),
            ("outdated", number(json.outdated)),
            ("last change", last.unwrap_or("unknown".to_owned())),
        ];
        let known = shown.iter().filter(|(_, value)| !value.is_empty());
        fields(known.map(|(label, value)| (*label, value.as_str())))
    };
    Ok(output.result(|| &json, rows, people)?)
}

/// The name of a user of the system, or its number.
fn owner(id: u32) -> String {
    match User::from_uid(Uid::from_raw(id)) {
        Ok(Some(user)) => user.name,
        _ => id.to_string(),
    }
}

fn group(id: u32) -> String {
    match Group::from_gid(Gid::from_raw(id)) {
        Ok(Some(group)) => group.name,
        _ => id.to_string(),
    }
}

/// What the file says: a write-ahead log, or a rollback journal. An empty file says nothing.
/// Source: <https://www.sqlite.org/fileformat.html#file_format_version_numbers>
fn journal_mode(path: &Path) -> Option<&'static str> {
    let mut header = [0; 20];
    File::open(path).and_then(|mut file| file.read_exact(&mut header)).ok()?;
    Some(if header[19] == 2 { "wal" } else { "delete" })
}
