use std::ffi::OsString;

use clap_complete::engine::ArgValueCompleter;
use dash_users::{Error, Location, StoredText, Users};

use super::{Definition, Invocation, bytes, changes, open, username, usernames};
use crate::cli::{MethodArg, PasswordArgs};
use crate::complete;
use crate::exit::{Code, Failure, Result, bad_values};
use crate::output::{Change, Output};
use crate::progress;
use crate::prompt::Prompt;

/// Hash a user's password again, with the current method
///
/// Asks for the password, checks it (exit code 3 if it is wrong), and stores a new hash of it with a
/// fresh salt. A locked user stays locked.
///
/// With --plaintext, asks for nothing: replaces the plaintext passwords in the column password_hash
/// with their hashes, all or none, and leaves valid hashes unchanged. A value that looks like another
/// kind of hash or digest is rejected, because the hash itself would become the password. If it
/// really is a password, pass its username and --allow-hash-like. A hash with extra text around it,
/// such as quotes, and words such as None or null are always rejected.
///
/// Example: dash-users rehash --plaintext --all
#[derive(clap::Args)]
pub struct Args {
    /// Username; with --plaintext, one or more
    #[arg(
        value_name = "USER",
        required_unless_present = "all",
        add = ArgValueCompleter::new(complete::users)
    )]
    pub users: Vec<OsString>,
    /// Treat stored values as plaintext passwords, and hash them
    #[arg(long, conflicts_with_all = ["password_stdin", "password_file"])]
    pub plaintext: bool,
    /// With --plaintext: all users
    #[arg(long, requires = "plaintext", conflicts_with = "users")]
    pub all: bool,
    /// With --plaintext: accept passwords that look like hashes
    #[arg(long, requires = "plaintext", conflicts_with = "all")]
    pub allow_hash_like: bool,
    #[command(flatten)]
    pub password: PasswordArgs,
    #[command(flatten)]
    pub method: MethodArg,
}

impl Definition for Args {
    const NAME: &str = "rehash";
    const EXIT_CODES: &[(&str, &[u8])] = &[("rehash", &[3, 4, 5, 6, 7, 8, 11, 130])];
    const JSON: &[(&str, &str)] = &[
        ("rehash", "`database`, `username`, `action`, `changed`; `warnings` if there are any"),
        (
            "rehash --plaintext",
            "an array of `database`, `username`, `action`, `changed`; `warnings` if there are any",
        ),
    ];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        run(self, &invocation.database()?, &invocation.prompt, invocation.output)
    }
}

fn run(args: &Args, database: &Location, prompt: &Prompt, output: &Output) -> Result<()> {
    let method = args.method.get()?;
    let open = || open(database).map(|users| users.with_method(method));
    if args.plaintext {
        return plaintext(args, &mut open()?, database, output);
    }
    let [user] = &args.users[..] else {
        let message = "rehash accepts only one USER, except with --plaintext";
        let hint = "run rehash once per user, or use --plaintext for stored plaintext passwords";
        return Err(Failure::new(Code::Usage, message).hint(hint));
    };
    let source = prompt.source(&args.password)?;
    let name = username(user);
    let mut users = open()?;
    // Fail before asking for a password.
    if users.get(bytes(user))?.is_none() {
        return Err(Error::NoSuchUser(name).into());
    }
    users.rehash(bytes(user), &prompt.password(&source)?)?;
    let change = Change::new(database, &name, "rehash");
    Ok(output.change(change, format!("stored a new hash for user '{name}'"))?)
}

fn plaintext(args: &Args, users: &mut Users, database: &Location, output: &Output) -> Result<()> {
    let names = usernames(&args.users);
    let names = if args.all { None } else { Some(&names[..]) };
    let done = progress::hashing(None, output, |jobs, progress| {
        users.hash_plaintext_passwords_in_parallel(names, args.allow_hash_like, jobs, progress)
    });
    let done = done.map_err(|error| match error {
        Error::BadValues(values) => bad_values(&values, database),
        error => error.into(),
    })?;
    let unchanged = |name: &StoredText| format!("user '{name}' already has a hash");
    let hashed = |name: &StoredText| format!("hashed the plaintext password of user '{name}'");
    let users = done.iter().map(|(name, is_hashed)| (name, *is_hashed));
    let mut changes = changes(database, "rehash", users, hashed, unchanged);
    if let Some((change, _)) = changes.iter_mut().find(|(change, _)| change.changed) {
        // One warning is enough.
        change.warnings.push("earlier backups still contain the plaintext passwords".to_owned());
    }
    output.changes(&changes)?;
    let hashed = changes.iter().filter(|(change, _)| change.changed).count();
    output.note(&format!("{hashed} hashed, {} unchanged", changes.len() - hashed));
    Ok(())
}
