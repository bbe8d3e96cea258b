use std::ffi::OsString;

use clap_complete::engine::ArgValueCompleter;
use dash_users::{Error, Location, Method, User, UserValue, Users};

use super::{Definition, Invocation, bytes, username};
use crate::cli::MethodArg;
use crate::complete;
use crate::exit::Result;
use crate::output::{JsonUser, Output, ago, fields, label, plain_user, rfc3339, shown_text};

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
    const EXIT_CODES: &[(&str, &[u8])] = &[("show", &[4, 5, 6])];
    const JSON: &[(&str, &str)] = &[("show", "{user}")];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        run(self, &invocation.database()?, invocation.output)
    }
}

fn run(args: &Args, database: &Location, output: &Output) -> Result<()> {
    let mut users = Users::open_read_only(database)?.with_method(args.method.get()?);
    let Some(user) = users.get(bytes(&args.user))? else {
        return Err(Error::NoSuchUser(username(&args.user)).into());
    };
    Ok(output.result(|| JsonUser(&user), || vec![plain_user(&user)], || people(&user))?)
}

fn people(user: &User) -> String {
    let mut shown = user.fields();
    // First what people decide on. The sort is stable.
    shown.sort_by_key(|(_, value)| shown_text(*value).is_none());
    let shown = shown.map(|(name, value)| {
        let text = match value {
            UserValue::Text(_) | UserValue::Texts(_) => shown_text(value).unwrap_or_default(),
            UserValue::State(true) => "yes".to_owned(),
            UserValue::State(false) => "no".to_owned(),
            UserValue::Method(Some(method)) => format!("{method} ({})", cost(&method)),
            UserValue::Method(None) => "none (the stored value is not a usable hash)".to_owned(),
            UserValue::Time(Some(time)) => format!("{} ({})", ago(time), rfc3339(time)),
            UserValue::Time(None) => "unknown (before dash-users managed the database)".to_owned(),
        };
        (label(name), text)
    });
    fields(shown.iter().map(|(label, text)| (&**label, &**text)))
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
