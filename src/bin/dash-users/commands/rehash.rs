use std::ffi::OsString;

use anyhow::Result;
use clap_complete::engine::ArgValueCompleter;
use dash_users::{Error, Location, StoredText, Users};

use super::{bytes, changes, open, username, usernames};
use crate::cli::{MethodArg, PasswordArgs};
use crate::complete;
use crate::exit::{Code, Failure, bad_values, command};
use crate::output::{Change, Output};
use crate::prompt::Prompt;

/// Store a new hash of the same password
///
/// The password is checked first (status 3 if it does not match); the new hash has the current
/// method and a fresh salt. A locked user stays locked.
///
/// With --plaintext, for a table whose password_hash column holds clear passwords, each of them is
/// replaced by its hash, all or none, and hashes are left. A value that looks like a hash or digest
/// of another kind is refused, since the hash itself would become the password. If such a value
/// really is a password, name its user and add --allow-hash-like. A hash with something around it,
/// such as quotes, and words such as None or null are always refused.
///
/// Example: dash-users rehash --plaintext --all
#[derive(clap::Args)]
pub struct Args {
    /// The user's name; several with --plaintext
    #[arg(
        value_name = "USER",
        required_unless_present = "all",
        add = ArgValueCompleter::new(complete::users)
    )]
    pub users: Vec<OsString>,
    /// Take the stored value for a clear password
    #[arg(long, conflicts_with_all = ["password_stdin", "password_file"])]
    pub plaintext: bool,
    /// With --plaintext: all users
    #[arg(long, requires = "plaintext", conflicts_with = "users")]
    pub all: bool,
    /// With --plaintext: accept passwords that look like a hash
    #[arg(long, requires = "plaintext", conflicts_with = "all")]
    pub allow_hash_like: bool,
    #[command(flatten)]
    pub password: PasswordArgs,
    #[command(flatten)]
    pub method: MethodArg,
}

pub fn run(args: &Args, database: &Location, prompt: &Prompt, output: &Output) -> Result<()> {
    let method = args.method.get()?;
    let open = || open(database).map(|users| users.with_method(method));
    if args.plaintext {
        return plaintext(args, &mut open()?, database, output);
    }
    let [user] = &args.users[..] else {
        let failure =
            Failure::new(Code::Usage, "rehash takes one USER, for each has its own password");
        return Err(failure.hint("for clear passwords in the table see --plaintext").into());
    };
    let source = prompt.source(&args.password)?;
    let name = username(user);
    let mut users = open()?;
    // Before anybody types a password in vain.
    if users.get(bytes(user))?.is_none() {
        return Err(Error::NoSuchUser(name).into());
    }
    users.rehash(bytes(user), &prompt.password(&source)?)?;
    let change = Change::new(database, &name, "rehash");
    Ok(output.changes(&[(change, format!("stored a new hash for user '{name}'"))], false)?)
}

fn plaintext(args: &Args, users: &mut Users, database: &Location, output: &Output) -> Result<()> {
    let names = usernames(&args.users);
    let done = users
        .hash_plaintext_passwords(if args.all { None } else { Some(&names) }, args.allow_hash_like)
        .map_err(|error| match error {
            Error::BadValues(values) => bad_values(&values, database).into(),
            Error::HashNotPassword { is_restorable: true, .. } => {
                let unwrap = command(database, "check --fix --unwrap");
                let failure = Failure::new(Code::InvalidData, error.to_string());
                failure.hint(format!("{unwrap} restores the hash")).into()
            }
            error => anyhow::Error::from(error),
        })?;
    let left = |name: &StoredText| format!("left user '{name}', who has a hash,");
    let hashed = |name: &StoredText| format!("hashed the clear password of user '{name}'");
    let users = done.iter().map(|(name, is_hashed)| (name, *is_hashed));
    let mut changes = changes(database, "rehash", users, hashed, left);
    if let Some((change, _)) = changes.iter_mut().find(|(change, _)| change.changed) {
        // Once is enough.
        change.warnings.push("backups made before this still hold the clear passwords".to_owned());
    }
    output.changes(&changes, args.all || args.users.len() > 1)?;
    let hashed = changes.iter().filter(|(change, _)| change.changed).count();
    output.note(&format!("{hashed} hashed, {} left", changes.len() - hashed));
    Ok(())
}
