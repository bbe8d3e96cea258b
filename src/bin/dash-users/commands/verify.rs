use std::borrow::Cow;
use std::ffi::OsString;

use clap_complete::engine::ArgValueCompleter;
use dash_users::{Error, HashError, Location, Login, LoginRefusal, MethodError, StoreError, Users};
use serde::Serialize;

use super::{Definition, Invocation, bytes, open, username};
use crate::cli::{MethodArg, PasswordArgs};
use crate::complete;
use crate::exit::{Code, Failure, Result};
use crate::output::{Output, wrapped};
use crate::prompt::{Prompt, Source};

/// Check a user's password, as the app does
///
/// The exit code is 0 if the password is right, and 3 if it is wrong or the user is locked or does
/// not exist. Message and response time are the same for a wrong password and an unknown user. The
/// exit code is 7 if werkzeug would raise an exception on the stored hash, or if the hash exceeds
/// the limits of dash-users.
///
/// Example: dash-users verify alice --explain
#[derive(clap::Args)]
pub struct Args {
    /// Username
    #[arg(add = ArgValueCompleter::new(complete::users))]
    pub user: OsString,
    /// Store a new hash if the password is right and the stored hash is outdated
    #[arg(long)]
    pub upgrade: bool,
    /// Explain the result, for administrators only
    #[arg(long)]
    pub explain: bool,
    #[command(flatten)]
    pub password: PasswordArgs,
    #[command(flatten)]
    pub method: MethodArg,
}

#[derive(Serialize)]
struct Json<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<String>,
    username: Option<Cow<'a, str>>,
    verified: bool,
    upgraded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[expect(clippy::option_option, reason = "absent unless asked for, null if accepted")]
    reason: Option<Option<&'static str>>,
}

impl Definition for Args {
    const NAME: &str = "verify";
    const EXIT_CODES: &[(&str, &[u8])] = &[("verify", &[3, 4, 5, 7, 11, 130])];
    const JSON: &[(&str, &str)] = &[(
        "verify",
        "`username`, `verified`, `upgraded`; with `--explain` `reason`; with a new hash `database`",
    )];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        run(self, &invocation.database()?, &invocation.prompt, invocation.output)
    }
}

fn run(args: &Args, database: &Location, prompt: &Prompt, output: &Output) -> Result<()> {
    let source = prompt.source(&args.password)?;
    let users = if args.upgrade { open(database) } else { Users::open_read_only(database) };
    let mut users = users?.with_method(args.method.get()?);
    let user = bytes(&args.user);
    if let Source::Terminal = source {
        // Report an unusable database before asking for a password.
        users.get(user)?;
    }
    let password = prompt.password(&source)?;
    let (log_in, upgrade) = if args.upgrade {
        users.log_in_and_upgrade(user, &password)?
    } else {
        (users.log_in(user, &password)?, Ok(false))
    };

    let verified = matches!(log_in, Login::Accepted { .. });
    let upgraded = matches!(upgrade, Ok(true));
    let (code, reason, explanation) = explain(&log_in, upgraded);
    let name = username(&args.user);
    let mut people = match code {
        None if upgraded => format!("{name}: accepted, hash upgraded"),
        None => format!("{name}: accepted"),
        Some(Code::Refused) => format!("{name}: refused"),
        Some(_) => format!("{name}: the stored hash cannot be used"),
    };
    if args.explain && !explanation.is_empty() {
        let werkzeug = if reason == Some("raises") { "werkzeug raises an exception: " } else { "" };
        people = format!("{people}: {werkzeug}{explanation}");
    }
    let json = || Json {
        database: upgraded.then(|| database.to_string()),
        username: name.to_text(),
        verified,
        upgraded,
        reason: args.explain.then_some(reason),
    };
    let rows = || {
        let mut row = vec![name.to_string(), verified.to_string(), upgraded.to_string()];
        row.extend(args.explain.then(|| reason.unwrap_or_default().to_owned()));
        vec![row]
    };
    output.result(json, rows, || wrapped(&people))?;
    if upgraded {
        output.note(&format!("stored a new hash for user '{name}' in {database}"));
    }
    match upgrade {
        Err(Error::Store(error @ StoreError::ReadOnly { .. })) => {
            output.note(&format!("note: the outdated hash was not upgraded: {error}"));
        }
        upgrade => drop(upgrade?),
    }
    match code {
        None => Ok(()),
        Some(code) => Err(Failure::new(code, people).answered()),
    }
}

/// The code of a refusal, its reason in JSON, and the explanation for administrators.
fn explain(log_in: &Login, upgraded: bool) -> (Option<Code>, Option<&'static str>, &'static str) {
    let refused = |reason, text| (Some(Code::Refused), Some(reason), text);
    let invalid = |reason, text| (Some(Code::InvalidData), Some(reason), text);
    match *log_in {
        Login::Accepted { outdated: true } if !upgraded => {
            (None, Some("outdated"), "the stored hash is outdated; use --upgrade to replace it")
        }
        Login::Accepted { .. } => (None, None, ""),
        Login::Refused(LoginRefusal::WrongPassword) => {
            refused("wrong_password", "the password is wrong")
        }
        Login::Refused(LoginRefusal::NoSuchUser) => refused("no_such_user", "no such user"),
        Login::Refused(LoginRefusal::Locked { password_matches }) => refused(
            "locked",
            match password_matches {
                Some(true) => "the user is locked; the password is right",
                Some(false) => "the user is locked; the password is wrong",
                None => "the user is locked; the hash cannot be checked",
            },
        ),
        Login::Refused(LoginRefusal::Unusable(error)) => match error {
            HashError::NeverMatches(text) => refused("never_matches", text),
            HashError::Method(MethodError::Raises(text)) => invalid("raises", text),
            HashError::Method(MethodError::Unsupported(text)) => invalid("unsupported", text),
            HashError::Method(MethodError::OverLimit(text)) => invalid("over_limit", text),
            _ => invalid("unusable", ""),
        },
        Login::Refused(_) => refused("refused", ""),
    }
}
