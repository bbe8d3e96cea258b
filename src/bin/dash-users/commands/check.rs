use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use anyhow::Result;
use dash_users::{
    Finding, Location, Problem, SchemaObject, SchemaObjectKind, Severity, StoredText, Users, store,
};
use serde::Serialize;

use super::{open, tell_reconciled};
use crate::cli::MethodArg;
use crate::exit::{Code, Failure, command, quoted};
use crate::output::{Output, indented, wrapped};

/// Look for whatever is wrong with the database and its users
///
/// Tells of names that cannot log in, of hashes that werkzeug cannot verify or should not, of clear
/// and demo passwords, of what an app that writes to the database may have left behind, and of the
/// file itself; and what to do about each. Status 7 if there is an error or a warning.
///
/// With --format plain the columns are: code, severity, username, message, hint, and with --fix
/// whether it was fixed.
///
/// Example: dash-users check --json
#[derive(clap::Args)]
pub struct Args {
    /// Put back what is missing of dash-users' own tables and triggers, and drop groups of users
    /// who are not there. Never changes a user or the file's mode
    #[arg(long)]
    pub fix: bool,
    /// With --fix: restore hashes that have something around them, such as quotes, and convert PBKDF2
    /// hashes of Django and passlib; passwords stay the same
    #[arg(long, requires = "fix")]
    pub unwrap: bool,
    /// Show every finding: without it, more than ten of a kind are summed up for people
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub method: MethodArg,
}

/// How many findings of a kind are shown one by one, and how many users of more are named.
const MAX_SHOWN: usize = 10;

#[derive(Serialize)]
struct Json<'a> {
    code: &'static str,
    severity: String,
    username: Option<Cow<'a, str>>,
    message: String,
    hint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed: Option<bool>,
}

pub fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let method = args.method.get()?;
    let mut users = if args.fix { open(database)? } else { Users::open_read_only(database)? };
    users = users.with_method(method);
    let found = users.check()?;
    let mut left = found.clone();
    let is_repairable = |finding: &Finding| is_fixable(&finding.problem);
    let is_unwrappable = |finding: &Finding| args.unwrap && is_restorable(&finding.problem);
    if args.fix && found.iter().any(|finding| is_repairable(finding) || is_unwrappable(finding)) {
        if found.iter().any(is_repairable) {
            let events = users.repair()?;
            output.note(&format!("repaired {database}"));
            tell_reconciled(&events, output);
        }
        if found.iter().any(is_unwrappable) {
            let restored = users.unwrap_hashes()?.len();
            output.note(&format!("restored {restored} hash(es) in {database}"));
        }
        left = users.check()?;
    }
    // What only came to light by the repair belongs to the answer too.
    let [known, remaining] = [&found, &left].map(|findings| {
        let keys = findings.iter().filter(|_| args.fix).map(key);
        keys.collect::<HashSet<_>>()
    });
    let new = left.iter().filter(|finding| args.fix && !known.contains(&key(finding)));
    let mut all: Vec<_> = found.iter().chain(new).collect();
    all.sort_by_key(|finding| finding.problem.severity());
    let is_fixed = |finding: &Finding| args.fix && !remaining.contains(&key(finding));

    let json = || {
        let json = all.iter().map(|finding| Json {
            code: finding.problem.code(),
            severity: finding.problem.severity().to_string(),
            username: finding.username.as_ref().and_then(StoredText::to_text),
            message: finding.problem.to_string(),
            hint: hint(finding, database),
            fixed: args.fix.then(|| is_fixed(finding)),
        });
        json.collect::<Vec<_>>()
    };
    let rows = || {
        let row = |finding: &&Finding| {
            let Finding { username, problem } = finding;
            let mut row = vec![
                problem.code().to_owned(),
                problem.severity().to_string(),
                username.as_ref().map(ToString::to_string).unwrap_or_default(),
                problem.to_string(),
                hint(finding, database),
            ];
            row.extend(args.fix.then(|| is_fixed(finding).to_string()));
            row
        };
        all.iter().map(row).collect()
    };
    let people = || {
        if all.is_empty() {
            return format!("nothing is wrong with {database}");
        }
        let next = |finding: &Finding| {
            if is_fixed(finding) {
                "fixed".to_owned()
            } else {
                // Not wrapped: it is to be pasted.
                format!("hint: {}", hint(finding, database))
            }
        };
        let kinds = by_code(&all);
        if args.all || kinds.iter().all(|kind| kind.len() <= MAX_SHOWN) {
            let texts = all.iter().map(|finding| one(finding, &next(finding)));
            return texts.collect::<Vec<_>>().join("\n");
        }
        let texts = kinds.into_iter().flat_map(|kind| {
            if kind.len() <= MAX_SHOWN {
                kind.into_iter().map(|finding| one(finding, &next(finding))).collect()
            } else {
                many(&kind, next)
            }
        });
        texts.collect::<Vec<_>>().join("\n")
    };
    output.result(json, rows, people)?;

    let count = |severity| left.iter().filter(|f| f.problem.severity() == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if errors + warnings == 0 {
        return Ok(());
    }
    let message = format!("{errors} error(s) and {warnings} warning(s) in {database}");
    output.note(&message);
    Err(Failure::new(Code::Findings, message).answered().into())
}

/// The findings of each code together, in the order of the first of each.
fn by_code<'a>(findings: &[&'a Finding]) -> Vec<Vec<&'a Finding>> {
    let mut kinds: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        let code = finding.problem.code();
        match kinds.iter_mut().find(|kind| kind[0].problem.code() == code) {
            Some(kind) => kind.push(finding),
            None => kinds.push(vec![finding]),
        }
    }
    kinds
}

/// A finding as people read it.
fn one(Finding { username, problem }: &Finding, next: &str) -> String {
    let user = username.as_ref().map(|name| format!(" user '{name}'")).unwrap_or_default();
    text(problem, &user, next)
}

fn text(problem: &Problem, of: &str, next: &str) -> String {
    let message = indented(&problem.to_string());
    let head = wrapped(&format!("{}:{of} [{}]", problem.severity(), problem.code()));
    format!("{head}\n{message}\n   {next}")
}

/// Many findings of a kind, summed up by what is said of them.
fn many(findings: &[&Finding], next: impl Fn(&Finding) -> String) -> Vec<String> {
    let mut messages: Vec<(String, Vec<&Finding>)> = Vec::new();
    let mut places = HashMap::new();
    for finding in findings {
        let message = finding.problem.to_string();
        let place = *places.entry(message.clone()).or_insert(messages.len());
        if place == messages.len() {
            messages.push((message, Vec::new()));
        }
        messages[place].1.push(finding);
    }
    let shown = messages.len().min(MAX_SHOWN);
    let mut texts: Vec<_> = messages[..shown]
        .iter()
        .map(|(_, same)| {
            if let [finding] = same[..] {
                return one(finding, &next(finding));
            }
            let of = format!(" {} users", thousands(same.len()));
            let first = text(&same[0].problem, &of, &next(same[0]));
            format!("{first}\n{}", indented(&format!("users: {}", names(same))))
        })
        .collect();
    let more: usize = messages[shown..].iter().map(|(_, same)| same.len()).sum();
    if more > 0 {
        let code = findings[0].problem.code();
        texts.push(format!("and {} more [{code}]: --all lists them", thousands(more)));
    }
    texts
}

/// The first of the users, and how many more there are.
fn names(findings: &[&Finding]) -> String {
    let name = |finding: &&Finding| finding.username.as_ref().map(|name| format!("'{name}'"));
    let shown: Vec<_> = findings.iter().filter_map(name).take(MAX_SHOWN).collect();
    match findings.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {} more (--all lists them)", shown.join(", "), thousands(more)),
    }
}

/// A number with commas between thousands.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// What tells a finding from all others.
fn key(Finding { username, problem }: &Finding) -> (Option<&StoredText>, &'static str, String) {
    (username.as_ref(), problem.code(), problem.to_string())
}

/// Whether [`Users::repair`] fixes it.
fn is_fixable(problem: &Problem) -> bool {
    match problem {
        Problem::Missing(_)
        | Problem::OrphanedGroups(_)
        | Problem::RemovedUnseen
        | Problem::AddedUnseen
        | Problem::ChangedUnseen
        | Problem::CannotRecord(_)
        | Problem::ChangeLeft => true,
        Problem::Altered(SchemaObject { kind, .. }) => *kind != SchemaObjectKind::Table,
        _ => false,
    }
}

/// Whether [`Users::unwrap_hashes`] restores the hash.
fn is_restorable(problem: &Problem) -> bool {
    matches!(
        problem,
        Problem::HashBlob
            | Problem::WrappedHash { is_restorable: true, .. }
            | Problem::OtherHash { is_restorable: true, .. }
    )
}

/// What to do about it: a command to be pasted, where there is one.
fn hint(Finding { username, problem }: &Finding, database: &Location) -> String {
    let user = username.as_ref();
    let run = |arguments: &str| command(database, arguments);
    // A name that cannot be typed is left to SQL, and one like an option goes behind all options.
    let typed = user.and_then(quoted);
    let file = quoted(&StoredText::Text(database.to_string())).unwrap_or_default();
    let of_user = |before: &str, after: &str| match (&typed, user) {
        (Some(name), _) if name.starts_with('-') => {
            let (option, after) = if after.contains("--") { (after, "") } else { ("", after) };
            format!("`dash-users {before}{option} --database {file} -- {name}{after}`")
        }
        (Some(name), _) => run(&format!("{before} {name}{after}")),
        (None, Some(name)) => format!(
            "no command can name the user; this SQL removes it: {}",
            store::sql_to_remove(database, name)
        ),
        (None, None) => String::new(),
    };
    match problem {
        Problem::NameNotText => of_user("remove", ""),
        Problem::NameCannotLogIn | Problem::NameNotAllowed(_) => of_user("rename", " NEW"),
        Problem::NameDiffersByCase(_) => {
            format!("if both are the same person: {}", of_user("remove", ""))
        }
        Problem::LanguageNotText | Problem::LanguageNotAllowed => {
            of_user("update", " --language TAG")
        }
        Problem::GroupNotAllowed(group, _) => match quoted(group) {
            Some(group) => of_user("group remove", &format!(" {group}")),
            None => "no command can name the group; delete its row from user_groups".to_owned(),
        },
        Problem::HashBlob => match user {
            Some(StoredText::Text(name)) if typed.is_some() => {
                format!("this SQL makes text of it: {}", store::sql_to_cast(name))
            }
            _ => run("check --fix --unwrap"),
        },
        problem if is_restorable(problem) && user.is_some_and(|name| name.as_key().is_some()) => {
            run("check --fix --unwrap")
        }
        Problem::HashRaises(_)
        | Problem::HashNull
        | Problem::HashEmpty
        | Problem::NoPassword
        | Problem::WrappedHash { .. }
        | Problem::TruncatedHash { .. }
        | Problem::OtherHash { .. }
        | Problem::HashNeverMatches(_)
        | Problem::HashOverLimit(_)
        | Problem::HashUnsupported(_)
        | Problem::DemoPassword => of_user("passwd", ""),
        Problem::HashOutdated(_) | Problem::HashWeak(_) => of_user("rehash", ""),
        Problem::PlaintextPassword => of_user("rehash --plaintext", ""),
        problem if is_fixable(problem) => run("check --fix"),
        Problem::Altered(SchemaObject { name, .. }) => format!(
            "after {}, save what table {name} holds, drop it, and {}",
            run("backup FILE"),
            run("init")
        ),
        Problem::CannotChange(_) => {
            "change or drop the foreign key, trigger or index of the app that it names".to_owned()
        }
        Problem::ForeignTrigger(name) => {
            let name = StoredText::Text(name.replace('"', "\"\""));
            match database {
                Location::Sqlite(_) => {
                    format!("if you do not know it, this SQL removes it: DROP TRIGGER \"{name}\"")
                }
                // There a trigger has its name within a table.
                _ => format!("if you do not know it: DROP TRIGGER \"{name}\" ON its table"),
            }
        }
        Problem::ForeignOwner { object, expected, .. } => {
            let arguments = if object.kind == SchemaObjectKind::Function { "()" } else { "" };
            let kind = if arguments.is_empty() { "TABLE" } else { "FUNCTION" };
            let owner = expected.replace('"', "\"\"");
            format!("ALTER {kind} {}{arguments} OWNER TO \"{owner}\"", object.name)
        }
        Problem::TriggersOff(of) => format!("ALTER {of} RESET session_replication_role"),
        Problem::RequiredColumn(_) => "give the column a default in the app's schema".to_owned(),
        Problem::ReadableByOthers(_) | Problem::WritableByOthers(_) => {
            format!("`chmod o-rw {file}`; --file-group on a new database gives an app its right")
        }
        Problem::HardLinked(_) => {
            format!(
                "`find / -xdev -samefile {file}` lists them: keep one, or make it a symbolic link"
            )
        }
        Problem::WriteAheadLog => {
            format!("while the app is stopped: `sqlite3 {file} 'PRAGMA journal_mode = DELETE'`")
        }
        Problem::Integrity(_) => run("restore FILE"),
        _ => String::new(),
    }
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_of_a_server_is_dropped_from_its_table() {
        let problem = Problem::ForeignTrigger("a \"log\"".to_owned());
        let finding = Finding { username: None, problem };
        let hint = |database: &str| hint(&finding, &Location::parse(database).unwrap());
        assert!(hint("/srv/a.db").ends_with(r#": DROP TRIGGER "a ""log""""#));
        let of_server = hint("postgresql://u@h/db");
        assert!(of_server.ends_with(r#": DROP TRIGGER "a ""log""" ON its table"#), "{of_server}");
    }
}
