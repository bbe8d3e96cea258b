//! Logins of an app that gets the password with every request, without a database of ours.
//!
//! Run it with `cargo run --example verifier`.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::Instant;

use dash_users::verifier::{Attempt, Decision, Limits, Verifier};
use dash_users::{Method, Password, PasswordHash};

/// The users of the app: any database will do.
struct App {
    hashes: HashMap<String, String>,
    verifier: Verifier,
}

impl App {
    /// Decides about a request.
    fn status(&self, username: &str, password: &str, address: &str) -> Result<u16, Infallible> {
        let password = Password::from(password);
        // A query in a real app, which may fail. It is repeated after a hash was computed.
        let read = || Ok::<_, Infallible>(self.hashes.get(username).cloned());
        let attempt = Attempt { username, password: &password, address: Some(address) };
        Ok(match self.verifier.verify(attempt, read()?.as_deref(), read)? {
            Decision::Accepted => 200,
            // The reason is for the log, not for the browser.
            Decision::Refused(reason) => {
                println!("login failed: address={address} user={username:?} reason={reason:?}");
                401
            }
            Decision::Limited { retry_after } => {
                println!("limited for {retry_after:?}: address={address} user={username:?}");
                429
            }
            Decision::Busy => 503,
        })
    }
}

fn main() -> Result<(), Infallible> {
    let hash = PasswordHash::new(&Method::default(), &Password::from("plover-xyzzy-quux"));
    let mut limits = Limits::default();
    limits.guesses_per_name_and_address = 3;
    let mut app = App {
        hashes: HashMap::from([("zoe".to_owned(), hash.to_string())]),
        verifier: Verifier::new(limits),
    };

    for _ in 0..3 {
        let start = Instant::now();
        let status = app.status("zoe", "plover-xyzzy-quux", "203.0.113.7")?;
        println!("{status} after {:?}", start.elapsed());
    }
    for guess in ["letmein", "letmein", "zoe123", "secret", "hunter2"] {
        println!("{}", app.status("zoe", guess, "198.51.100.1")?);
    }
    // A removed user is refused at the next request.
    app.hashes.clear();
    println!("{}", app.status("zoe", "plover-xyzzy-quux", "203.0.113.7")?);
    Ok(())
}
