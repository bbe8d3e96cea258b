use std::ffi::OsString;
use std::time::SystemTime;

use clap_complete::engine::ArgValueCompleter;
use dash_users::{Error, Location, Method, Users};

use super::{Definition, Heading, Invocation, bytes, username};
use crate::cli::MethodArg;
use crate::complete;
use crate::exit::Result;
use crate::output::{JsonUser, Output, ago, fields, joined, plain_user, rfc3339};

/// Show one user, without the hash
///
/// The columns of --format plain are those of `list`.
///
/// Example: dash-users show alice
#[derive(clap::Args)]
pub struct Args {
    /// Username
    #[arg(add = ArgValueCompleter::new(complete::users))]
    pub user: OsString,
    #[command(flatten)]
    pub method: MethodArg,
}

impl Definition for Args {
    const NAME: &str = "show";
    const HEADING: Heading = Heading::Inspect;
    const EXIT_CODES: &[(&str, &[u8])] = &[("show", &[4, 5, 6])];
    const JSON: &[(&str, &str)] = &[(
        "show",
        "`username`, `language`, `locked`, `method`, `outdated`, `groups`, `created_at`, `password_changed_at`",
    )];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        run(self, &invocation.database()?, invocation.output)
    }
}

fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let mut users = Users::open_read_only(database)?.with_method(args.method.get()?);
    let Some(user) = users.get(bytes(&args.user))? else {
        return Err(Error::NoSuchUser(username(&args.user)).into());
    };
    let yes_or_no = |condition| if condition { "yes" } else { "no" };
    let people = || {
        let method = match &user.method {
            Some(method) => format!("{method} ({})", cost(method)),
            None => "none (the stored value is not a usable hash)".to_owned(),
        };
        let when = |time: Option<SystemTime>| match time {
            Some(time) => format!("{} ({})", ago(time), rfc3339(time)),
            None => "unknown (before dash-users managed the database)".to_owned(),
        };
        let shown = [
            ("user", user.username.to_string()),
            ("language", user.language.to_string()),
            ("groups", joined(&user.groups, ", ")),
            ("locked", yes_or_no(user.locked).to_owned()),
            ("method", method),
            ("outdated", yes_or_no(user.outdated).to_owned()),
            ("created", when(user.created_at)),
            ("password changed", when(user.password_changed_at)),
        ];
        fields(shown.iter().map(|(label, value)| (*label, value.as_str())))
    };
    Ok(output.result(|| JsonUser::from(&user), || vec![plain_user(&user)], people)?)
}

/// The cost of checking a password.
fn cost(method: &Method) -> String {
    match method {
        Method::Scrypt(scrypt) => {
            let kib = scrypt.memory_bytes() / 1024;
            let memory =
                if kib >= 1024 { format!("{} MiB", kib / 1024) } else { format!("{kib} KiB") };
            match scrypt.work_bytes() / scrypt.memory_bytes() {
                1 => format!("{memory} of memory"),
                times => format!("{memory} of memory, {times} times"),
            }
        }
        Method::Pbkdf2(pbkdf2) => format!("{} iterations", pbkdf2.iterations()),
        _ => String::new(),
    }
}
