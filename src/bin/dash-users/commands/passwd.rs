use std::ffi::OsString;

use clap_complete::engine::ArgValueCompleter;
use dash_users::{Error, Location, Login, LoginRefusal, Password, Users};

use super::{Definition, Invocation, bytes, note_first_scrypt, open, sessions, username};
use crate::cli::{MethodArg, NewPasswordArgs};
use crate::complete;
use crate::exit::Result;
use crate::output::{Change, Output};
use crate::prompt::Prompt;

/// Set a user's password
///
/// Asks for the password twice, unless --password-stdin, --password-file or --generate is given. A
/// locked user stays locked. With --if-different, an equal password keeps its hash, even an outdated
/// one.
///
/// Example: dash-users passwd alice
#[derive(clap::Args)]
#[command(aliases = ["reset-password", "set-password"])]
pub struct Args {
    /// Username
    #[arg(add = ArgValueCompleter::new(complete::users))]
    pub user: OsString,
    /// Do nothing if the user already has this password
    #[arg(long, conflicts_with = "generate")]
    pub if_different: bool,
    #[command(flatten)]
    pub password: NewPasswordArgs,
    #[command(flatten)]
    pub method: MethodArg,
}

impl Definition for Args {
    const NAME: &str = "passwd";
    const EXIT_CODES: &[(&str, &[u8])] = &[("passwd", &[4, 5, 6, 7, 8, 11, 130])];
    const JSON: &[(&str, &str)] = &[(
        "passwd",
        "`database`, `username`, `action`, `changed`; with `--generate` `password`; `locked` if the user stays locked; `warnings` if there are any",
    )];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        run(self, &invocation.database()?, &invocation.prompt, invocation.output)
    }
}

fn run(args: &Args, database: &Location, prompt: &Prompt, output: &Output) -> Result<()> {
    let source = prompt.new_source(&args.password)?;
    let name = username(&args.user);
    let mut users = open(database)?.with_method(args.method.get()?);
    // Fail before asking for a password.
    let Some(user) = users.get(bytes(&args.user))? else {
        return Err(Error::NoSuchUser(name).into());
    };

    let is_locked = user.locked.then_some(true);
    note_first_scrypt(&mut users, &args.method, output)?;
    let password = prompt.new_password(&source, args.user.to_str(), args.password.allow_weak)?;
    if args.if_different && is_same(&mut users, bytes(&args.user), &password)? {
        let change = Change::new(database, &name, "passwd").unchanged();
        let already = format!("user '{name}' already has this password");
        return Ok(output.change(Change { locked: is_locked, ..change }, already)?);
    }
    users.set_password(bytes(&args.user), &password, args.password.allow_weak)?;
    sessions::forget(&mut users, &[bytes(&args.user)], output);
    let password = source.generated(&password);
    let change = Change { password, locked: is_locked, ..Change::new(database, &name, "passwd") };
    let locked = if user.locked { "locked " } else { "" };
    let done = format!("set a new password for {locked}user '{name}'");
    Ok(output.change(change, done)?)
}

/// Whether the user, locked or not, has this password.
fn is_same(users: &mut Users, username: &[u8], password: &Password) -> Result<bool, Error> {
    Ok(matches!(
        users.log_in(username, password)?,
        Login::Accepted { .. }
            | Login::Refused(LoginRefusal::Locked { password_matches: Some(true) })
    ))
}
