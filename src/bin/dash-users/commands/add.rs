use std::ffi::OsString;

use clap_complete::engine::ArgValueCompleter;
use dash_users::{Error, Language, Location, NewUser, StoredText};

use super::group::{new_group, review};
use super::{Definition, Invocation, new_username, note_first_scrypt, open};
use crate::cli::{MethodArg, NewPasswordArgs};
use crate::complete;
use crate::exit::Result;
use crate::output::{Change, Output};
use crate::prompt::Prompt;

/// Add a user
///
/// Asks for the password twice, unless --password-stdin, --password-file or --generate is given.
///
/// The default hash method is scrypt. If the app runs werkzeug before 2.3, or a Python without
/// hashlib.scrypt, it raises an exception on such a hash: use --method pbkdf2 instead.
///
/// Example: dash-users add carol --language pt-BR --group staff --generate
#[derive(clap::Args)]
#[command(visible_alias = "create", alias = "useradd")]
pub struct Args {
    /// Username of the new user
    pub user: OsString,
    /// Language of the user, as a BCP 47 tag
    #[arg(long, value_name = "TAG", default_value = "en", add = ArgValueCompleter::new(complete::languages))]
    pub language: String,
    /// Add the user to a group (repeatable)
    #[arg(long = "group", value_name = "GROUP", add = ArgValueCompleter::new(complete::groups))]
    pub groups: Vec<OsString>,
    /// Add the user locked; run `unlock` to allow logins
    #[arg(long)]
    pub locked: bool,
    /// Do nothing if the user already exists
    #[arg(long)]
    pub if_not_exists: bool,
    /// Allow a username that differs from another only in ASCII case
    #[arg(long)]
    pub allow_similar: bool,
    #[command(flatten)]
    pub password: NewPasswordArgs,
    #[command(flatten)]
    pub method: MethodArg,
}

impl Definition for Args {
    const NAME: &str = "add";
    const EXIT_CODES: &[(&str, &[u8])] = &[("add", &[4, 5, 7, 8, 9, 11, 130])];
    const JSON: &[(&str, &str)] = &[(
        "add",
        "`database`, `username`, `action`, `changed`; with `--generate` `password`; `warnings` if there are any",
    )];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        run(self, &invocation.database()?, &invocation.prompt, invocation.output)
    }
}

fn run(args: &Args, database: &Location, prompt: &Prompt, output: &Output) -> Result<()> {
    let username = new_username(&args.user)?;
    let source = prompt.new_source(&args.password)?;
    let language: Language = args.language.parse()?;
    let groups: Vec<_> = args.groups.iter().map(|group| new_group(group)).collect::<Result<_>>()?;
    let mut users = open(database)?.with_method(args.method.get()?);

    let name = StoredText::Text(username.to_string());
    let change = Change::new(database, &name, "add");
    let exists = |error| match error {
        Error::UserExists(_) if args.if_not_exists => Ok(()),
        error => Err(error),
    };
    let already = || format!("user '{name}' already exists");
    // Fail before asking for a password.
    if let Err(error) = users.check_new(&username, args.allow_similar) {
        exists(error)?;
        return Ok(output.change(change.unchanged(), already())?);
    }

    let warnings = review(&mut users, &groups)?.print_notes(output);
    note_first_scrypt(&mut users, &args.method, output)?;
    let password =
        prompt.new_password(&source, Some(username.as_str()), args.password.allow_weak)?;
    let mut new = NewUser::new(username, password);
    new.language = language;
    new.groups = groups;
    new.locked = args.locked;
    new.allow_weak = args.password.allow_weak;
    new.allow_similar = args.allow_similar;
    if let Err(error) = users.add(&new) {
        exists(error)?;
        return Ok(output.change(change.unchanged(), already())?);
    }
    let password = source.generated(&new.password);
    let change = Change { password, warnings, ..change };
    let locked = if args.locked { "locked " } else { "" };
    Ok(output.change(change, format!("added {locked}user '{name}'"))?)
}
