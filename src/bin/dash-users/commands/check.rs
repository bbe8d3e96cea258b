use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::time::SystemTime;

use dash_users::{
    Finding, Location, Problem, SchemaObject, SchemaObjectKind, Severity, StoredText, User,
    Username, Users, is_unsafe_to_print, store,
};
use serde::Serialize;

use super::{Definition, Invocation, open, report_reconciled};
use crate::cli::{MethodArg, Named, environment, named};
use crate::exit::{Code, Failure, Result};
use crate::output::{Output, counted, indented, marked, rfc3339, thousands, wrapped};
use crate::shell::{command, pasted, quoted, user_command, without_backticks};

/// Check the database and its users for problems
///
/// Finds usernames that cannot log in, hashes that werkzeug cannot verify, outdated hashes,
/// plaintext and demo passwords, damage from direct writes by an app, and problems with the file
/// itself. Each finding comes with a hint on how to fix it. The exit code is 7 if there are errors or
/// warnings.
///
/// Columns of --format plain: code, severity, username, message, hint. With --fix, one more column
/// says whether the finding was fixed (true or false).
///
/// Example: dash-users check --json
#[derive(clap::Args)]
pub struct Args {
    /// Restore missing tables and triggers of dash-users, and delete groups that belong to missing or
    /// replaced users. Never changes a row of users or the file's mode
    #[arg(long)]
    pub fix: bool,
    /// With --fix: strip extra text around hashes, such as quotes, and convert PBKDF2 hashes from
    /// Django and passlib. Passwords stay the same
    #[arg(long, requires = "fix")]
    pub unwrap: bool,
    /// Show every finding; by default, tables summarize more than ten of a kind
    #[arg(long)]
    pub all: bool,
    /// Do not report findings with this code; repeat for several [env: DASH_USERS_CHECK_IGNORE]
    ///
    /// They do not count for the exit code either. Codes can also be separated by commas. --fix
    /// repairs ignored problems too. The option replaces the value of the environment variable.
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = ignored_code)]
    pub ignore: Vec<String>,
    /// Report only findings of this severity or a higher one
    #[arg(long, value_parser = named(SEVERITIES), default_value = "info", value_name = "SEVERITY")]
    pub min_severity: Severity,
    #[command(flatten)]
    pub method: MethodArg,
}

const SEVERITIES: &[Named<Severity>] = &[
    ("error", "Someone cannot log in, or should not be able to, or data is lost", Severity::Error),
    ("warning", "May become an error", Severity::Warning),
    ("info", "All findings", Severity::Info),
];

fn ignored_code(text: &str) -> Result<String, String> {
    let code = text.trim();
    if Problem::CODES.contains(&code) {
        return Ok(code.to_owned());
    }
    Err(format!("the codes are: {}", Problem::CODES.join(", ")))
}

impl Args {
    fn ignored(&self) -> Result<Vec<String>, Failure> {
        let variable = environment("DASH_USERS_CHECK_IGNORE").filter(|_| self.ignore.is_empty());
        let Some(variable) = variable else { return Ok(self.ignore.clone()) };
        let variable = variable.to_string_lossy();
        let codes = variable.split(',').filter(|code| !code.trim().is_empty());
        codes.map(ignored_code).collect::<Result<_, _>>().map_err(|reason| {
            let message = format!("invalid value of DASH_USERS_CHECK_IGNORE: {reason}");
            Failure::new(Code::Usage, message)
        })
    }
}

/// The maximum number of findings of a kind, or of usernames in a summary, to show one by one.
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

impl Definition for Args {
    const NAME: &str = "check";
    const EXIT_CODES: &[(&str, &[u8])] = &[("check", &[4, 5, 7, 11])];
    const JSON: &[(&str, &str)] = &[(
        "check",
        "an array of `code`, `severity` (`error`, `warning` or `info`), `username`, `message`, `hint`; with `--fix` `fixed`",
    )];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        run(self, &invocation.database()?, invocation.output)
    }
}

fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let (method, ignored) = (args.method.get()?, args.ignored()?);
    let mut users = if args.fix { open(database)? } else { Users::open_read_only(database)? };
    users = users.with_method(method);
    let found = users.check()?;
    let mut left = found.clone();
    let is_repairable = |finding: &Finding| matches!(remedy(finding, database), Remedy::Repair);
    let is_unwrappable = |finding: &Finding| args.unwrap && is_restorable(&finding.problem);
    if args.fix && found.iter().any(|finding| is_repairable(finding) || is_unwrappable(finding)) {
        if found.iter().any(is_repairable) {
            let events = users.repair()?;
            output.note(&format!("repaired {database}"));
            report_reconciled(&events, database, output);
        }
        if found.iter().any(is_unwrappable) {
            let repaired = counted(users.unwrap_hashes()?.len() as u64, "hash", "hashes");
            output.note(&format!("repaired {repaired} in {database}"));
        }
        left = users.check()?;
    }
    // The result includes findings that only the repair revealed.
    let [known, remaining] = [&found, &left].map(|findings| {
        let keys = findings.iter().filter(|_| args.fix).map(key);
        keys.collect::<HashSet<_>>()
    });
    let new = left.iter().filter(|finding| args.fix && !known.contains(&key(finding)));
    let mut all: Vec<_> = found.iter().chain(new).collect();
    let total = all.len();
    let is_ignored = |finding: &Finding| ignored.iter().any(|code| code == finding.problem.code());
    all.retain(|finding| !is_ignored(finding));
    let (ignored_count, unignored) = (total - all.len(), all.len());
    let least = args.min_severity;
    all.retain(|finding| finding.problem.severity() <= least);
    let minor_count = unignored - all.len();
    all.sort_by_key(|finding| finding.problem.severity());

    let times = times(&mut users, &all);
    let hint = |finding: &Finding| match &finding.problem {
        Problem::NameDiffersByCase(other) => two_names(finding.username.as_ref(), other, &times),
        _ => hint(finding, database),
    };
    let is_fixed = |finding: &Finding| args.fix && !remaining.contains(&key(finding));

    let json = || {
        let json = all.iter().map(|finding| Json {
            code: finding.problem.code(),
            severity: finding.problem.severity().to_string(),
            username: finding.username.as_ref().and_then(StoredText::to_text),
            message: finding.problem.to_string(),
            hint: without_backticks(&hint(finding)),
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
                without_backticks(&hint(finding)),
            ];
            row.extend(args.fix.then(|| is_fixed(finding).to_string()));
            row
        };
        all.iter().map(row).collect()
    };
    let people = || {
        if all.is_empty() {
            let other = if total == 0 { "" } else { "other " };
            return format!("no {other}problems found in {database}");
        }
        let next = |finding: &Finding| {
            // Not wrapped, so it can be pasted.
            if is_fixed(finding) { "fixed".into() } else { format!("hint: {}", hint(finding)) }
        };
        people(&all, args.all, next)
    };
    output.result(json, rows, people)?;
    for (count, how) in
        [(ignored_count, "ignored".to_owned()), (minor_count, format!("below severity {least}"))]
    {
        if count > 0 {
            output.note(&format!("{} {how}", counted(count as u64, "finding", "findings")));
        }
    }

    let count = |severity| {
        let is_it = |finding: &&Finding| {
            finding.problem.severity() == severity && severity <= least && !is_ignored(finding)
        };
        left.iter().filter(is_it).count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if errors + warnings == 0 {
        return Ok(());
    }
    let errors = counted(errors as u64, "error", "errors");
    let warnings = counted(warnings as u64, "warning", "warnings");
    let message = format!("{errors} and {warnings} in {database}");
    output.note(&message);
    Err(Failure::new(Code::Findings, message).answered())
}

/// The findings for people, each with what to do next. Unless all are to be shown, a kind of many is
/// summarized.
fn people(findings: &[&Finding], all: bool, next: impl Fn(&Finding) -> String) -> String {
    let kinds = by_code(findings);
    if all || kinds.iter().all(|kind| kind.len() <= MAX_SHOWN) {
        let texts = findings.iter().map(|finding| one(finding, &next(finding)));
        return texts.collect::<Vec<_>>().join("\n");
    }
    let texts = kinds.into_iter().flat_map(|kind| {
        if kind.len() <= MAX_SHOWN {
            kind.into_iter().map(|finding| one(finding, &next(finding))).collect()
        } else {
            many(&kind, &next)
        }
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// Groups findings by code, in order of first appearance.
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

/// One finding, for people.
fn one(Finding { username, problem }: &Finding, next: &str) -> String {
    let user = username.as_ref().map(|name| format!(" user '{name}'")).unwrap_or_default();
    text(problem, &user, next)
}

fn text(problem: &Problem, of: &str, next: &str) -> String {
    let message = indented(&problem.to_string());
    let severity = marked(&problem.severity().to_string());
    let head = wrapped(&format!("{severity}:{of} [{}]", problem.code()));
    format!("{head}\n{message}\n   {next}")
}

/// A summary of many findings of a kind, by message.
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
            let of = format!(" {} users", thousands(same.len() as u64));
            let first = text(&same[0].problem, &of, &next(same[0]));
            format!("{first}\n{}", indented(&format!("users: {}", names(same))))
        })
        .collect();
    let more: usize = messages[shown..].iter().map(|(_, same)| same.len()).sum();
    if more > 0 {
        let code = findings[0].problem.code();
        texts
            .push(format!("and {} more [{code}] (use --all to list them)", thousands(more as u64)));
    }
    texts
}

/// The first usernames, and the number of others.
fn names(findings: &[&Finding]) -> String {
    let name = |finding: &&Finding| finding.username.as_ref().map(|name| format!("'{name}'"));
    let shown: Vec<_> = findings.iter().filter_map(name).take(MAX_SHOWN).collect();
    match findings.len() - shown.len() {
        0 => shown.join(", "),
        more => {
            let more = thousands(more as u64);
            format!("{} and {more} more (use --all to list them)", shown.join(", "))
        }
    }
}

/// When users were created, and when their passwords were set, if known.
type Times = HashMap<StoredText, [Option<SystemTime>; 2]>;

/// The times of all users, if there is a finding whose hint shows them.
fn times(users: &mut Users, findings: &[&Finding]) -> Times {
    let is_needed = |finding: &&Finding| matches!(finding.problem, Problem::NameDiffersByCase(_));
    if !findings.iter().any(is_needed) {
        return Times::new();
    }
    // Unknown in a database whose schema is damaged.
    let users = users.list().unwrap_or_default();
    let times = |user: User| (user.username, [user.created_at, user.password_changed_at]);
    users.into_iter().map(times).collect()
}

/// The hint for two names that differ by case. Which one to keep, it cannot tell.
fn two_names(name: Option<&StoredText>, other: &StoredText, times: &Times) -> String {
    let when = |name: &StoredText| {
        let [created, changed] = times.get(name).copied().unwrap_or_default();
        let shown = |time: Option<SystemTime>| time.map_or("unknown".to_owned(), rfc3339);
        format!("'{name}' (created: {}, password set: {})", shown(created), shown(changed))
    };
    let both: Vec<_> = name.into_iter().chain([other]).map(when).collect();
    format!(
        "if both are the same person, find out which one is in use, and remove the other: {}",
        both.join(", ")
    )
}

/// Identifies a finding.
fn key(Finding { username, problem }: &Finding) -> (Option<&StoredText>, &'static str, String) {
    (username.as_ref(), problem.code(), problem.to_string())
}

/// What to do about a finding.
enum Remedy {
    /// [`Users::repair`].
    Repair,
    /// For the administrator, as a command to paste if possible.
    Hint(String),
}

/// Whether [`Users::unwrap_hashes`] repairs the hash.
fn is_restorable(problem: &Problem) -> bool {
    matches!(
        problem,
        Problem::HashBlob
            | Problem::WrappedHash { is_restorable: true, .. }
            | Problem::OtherHash { is_restorable: true, .. }
    )
}

/// A similar name that a new user may have.
fn allowed_name(name: &StoredText) -> Option<String> {
    let name = name.to_text()?;
    let letter = |c: char| match c {
        ':' => Some('.'),
        c if c.is_whitespace() => Some(' '),
        c if is_unsafe_to_print(c) => None,
        c => Some(c),
    };
    let name: String = name.chars().filter_map(letter).collect();
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let name = name.trim_start_matches('-');
    name.parse::<Username>().is_ok().then(|| name.to_owned())
}

/// How to fix a finding, as a command to paste if possible.
fn hint(finding: &Finding, database: &Location) -> String {
    match remedy(finding, database) {
        Remedy::Repair => command(database, "check --fix"),
        Remedy::Hint(hint) => hint,
    }
}

/// Without a wildcard, so that a new problem does not compile until it has a remedy.
#[warn(clippy::wildcard_enum_match_arm)]
fn remedy(Finding { username, problem }: &Finding, database: &Location) -> Remedy {
    let user = username.as_ref();
    let run = |arguments: &str| command(database, arguments);
    let file = pasted(database);
    let of_user = |before: &str, after: &str| match user {
        Some(user) => user_command(database, before, user, after).unwrap_or_else(|| {
            let sql = store::sql_to_remove(database, user);
            format!("the username cannot be typed; remove the user with this SQL: {sql}")
        }),
        None => String::new(),
    };
    Remedy::Hint(match problem {
        Problem::NameNotText => of_user("remove", ""),
        Problem::NameCannotLogIn | Problem::NameNotAllowed(_) => {
            let new = user.and_then(allowed_name).and_then(|name| quoted(&StoredText::Text(name)));
            of_user("rename", &format!(" {}", new.unwrap_or("NEW".to_owned())))
        }
        Problem::LanguageNotText | Problem::LanguageNotAllowed => {
            of_user("update", " --language en")
        }
        Problem::GroupNotAllowed(group, _) => match quoted(group) {
            Some(group) => of_user("group remove", &format!(" {group}")),
            None => "the group name cannot be typed; delete its row from user_groups".to_owned(),
        },
        Problem::HashBlob => match user {
            Some(StoredText::Text(name)) if !name.chars().any(is_unsafe_to_print) => {
                format!("convert it to text with this SQL: {}", store::sql_to_cast(name))
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
        Problem::Missing(_)
        | Problem::OrphanedGroups(_)
        | Problem::RemovedUnseen
        | Problem::AddedUnseen
        | Problem::ChangedUnseen
        | Problem::CannotRecord(_)
        | Problem::ChangeLeft => return Remedy::Repair,
        Problem::Altered(SchemaObject { kind, .. }) if *kind != SchemaObjectKind::Table => {
            return Remedy::Repair;
        }
        Problem::Altered(SchemaObject { name, .. }) => format!(
            "run {}, copy the rows of table {name}, drop it, and run {}",
            run("backup FILE"),
            run("init")
        ),
        Problem::CannotChange(_) => {
            "change or drop the app's foreign key, trigger or index named above".to_owned()
        }
        Problem::ForeignTrigger(name) => {
            let name = StoredText::Text(name.replace('"', "\"\""));
            // In PostgreSQL, trigger names are local to a table.
            let on = if matches!(database, Location::Sqlite(_)) { "" } else { " ON its table" };
            format!(
                "if you do not know this trigger, remove it with this SQL: DROP TRIGGER \"{name}\"{on}"
            )
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
            format!(
                "`chmod o-rw {file}` (to give an app access, create the database with --file-group)"
            )
        }
        Problem::HardLinked(_) => {
            format!(
                "run `find / -xdev -samefile {file}` to list the names; keep one, or replace the others by symbolic links"
            )
        }
        Problem::WriteAheadLog => {
            format!("stop the app, then run `sqlite3 {file} 'PRAGMA journal_mode = DELETE'`")
        }
        Problem::Integrity(_) => run("restore FILE"),
        // See `two_names`.
        Problem::NameDiffersByCase(_) => String::new(),
    })
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use super::*;

    #[test]
    fn hint_for_postgres_trigger_names_its_table() {
        let problem = Problem::ForeignTrigger("a \"log\"".to_owned());
        let finding = Finding { username: None, problem };
        let hint = |database: &str| hint(&finding, &Location::parse(database).unwrap());
        assert!(hint("/srv/a.db").ends_with(r#": DROP TRIGGER "a ""log""""#));
        let of_server = hint("postgresql://u@h/db");
        assert!(of_server.ends_with(r#": DROP TRIGGER "a ""log""" ON its table"#), "{of_server}");
    }
}
