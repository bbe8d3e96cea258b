//! A Rust program that uses the same users as a Dash app.
//!
//! Run it with `cargo run --example log_in`. It creates a database in a temporary directory.

use dash_users::{Location, Login, NewFile, NewUser, Password, Users};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let location = Location::parse(dir.path().join("users.db"))?;
    let init = Users::init(&location, &NewFile::default())?;
    println!("created: {}, schema version {}", init.created, init.schema.version);

    let mut users = Users::open(&location)?;
    let mut zoe = NewUser::new("zoe".parse()?, Password::from("plover-xyzzy-quux"));
    zoe.language = "fr".parse()?;
    users.add(&zoe)?;

    // The passwords that a browser sent. A rejected login is not an error. The reason is for the
    // log, not for the browser.
    for attempt in ["let me in", "plover-xyzzy-quux"] {
        let (log_in, upgraded) = users.log_in_and_upgrade("zoe", &Password::from(attempt))?;
        match log_in {
            Login::Accepted { outdated } => {
                println!("accepted; outdated: {outdated}, renewed: {upgraded:?}");
            }
            Login::Refused(reason) => println!("refused: {reason:?}"),
        }
    }
    for user in users.list()? {
        println!("{}: {}", user.username, user.language);
    }
    Ok(())
}
