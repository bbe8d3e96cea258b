//! How often a command waits for the server, besides connecting: each time takes as long as the
//! network needs for a message and its answer.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use crate::program::GOOD;
use crate::server::cluster;
use crate::support::{assert_ok, name, on, users};

/// A proxy between programs and the server that counts round trips.
struct Proxy {
    port: u16,
    count: Arc<AtomicU32>,
}

impl Proxy {
    /// Runs until the tests end.
    fn start(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let count = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&count);
        thread::spawn(move || {
            for client in listener.incoming() {
                let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
                forward(client.unwrap(), server, &counter);
            }
        });
        Self { port, count }
    }

    /// The round trips since the last call.
    fn counted(&self) -> u32 {
        self.count.swap(0, Ordering::SeqCst)
    }
}

/// Forwards a connection in the background. A round trip begins with the first bytes that the client
/// sends after an answer of the server.
fn forward(client: TcpStream, server: TcpStream, count: &Arc<AtomicU32>) {
    let has_answer = Arc::new(AtomicBool::new(true));
    let (from_server, to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let (is_answered, count) = (Arc::clone(&has_answer), Arc::clone(count));
    thread::spawn(move || {
        copy(client, server, |first| {
            // Connecting, passwords, and the end are not counted.
            let is_first = has_answer.swap(false, Ordering::SeqCst);
            if is_first && ![0, b'p', b'X'].contains(&first) {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
    });
    thread::spawn(move || {
        copy(from_server, to_client, |_| is_answered.store(true, Ordering::SeqCst));
    });
}

/// Copies until the end, and calls `each` with the first byte of each part before it is sent.
fn copy(mut from: TcpStream, mut to: TcpStream, each: impl Fn(u8)) {
    let mut buffer = [0; 1 << 14];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        each(buffer[0]);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

#[test]
fn round_trips_of_commands_are_few() {
    let Some(cluster) = cluster() else { return };
    let direct = cluster.database();
    let proxy = Proxy::start(cluster.port());
    let database = name(&direct);
    let port = proxy.port;
    let password = cluster.password();
    let sandbox =
        on(&format!("postgresql://owner:{password}@127.0.0.1:{port}/{database}?sslmode=disable"));
    assert_ok(&sandbox.run(&["seed", "--quiet"]));
    proxy.counted();
    for (expected, input, args) in [
        // The transaction, the user, the end of the transaction.
        (3, "", "show alice"),
        (3, "secret123", "verify alice --password-stdin"),
        (3, "", "list"),
        (3, "", "group list"),
        (5, "", "history alice"),
        // The transaction, the user, the change, its check, the commit.
        (5, "", "lock alice"),
        (5, "", "unlock alice"),
        (5, "", "update alice --language de"),
        // A new group: afterwards all groups, to find a similar one.
        (8, "", "group add alice admins"),
        (5, "", "group add bob admins"),
        (5, "", "group remove alice admins"),
        (8, "", "rename alice alicia"),
        // First a lookup, which fails before a password is asked for.
        (8, GOOD, "passwd alicia --password-stdin"),
        (10, GOOD, "add carol --password-stdin"),
        (13, "", "remove carol --yes"),
    ] {
        assert_ok(&sandbox.run_with(input, &args.split(' ').collect::<Vec<_>>()));
        assert_eq!(proxy.counted(), expected, "{args}");
    }
}

#[test]
fn round_trips_of_import_do_not_grow_with_users() {
    let Some(cluster) = cluster() else { return };
    let direct = cluster.database();
    let proxy = Proxy::start(cluster.port());
    let (database, port, password) = (name(&direct), proxy.port, cluster.password());
    let sandbox =
        on(&format!("postgresql://owner:{password}@127.0.0.1:{port}/{database}?sslmode=disable"));
    assert_ok(&sandbox.run(&["seed", "--quiet"]));
    for (expected, conflict, language) in
        [(27, "fail", "en"), (21, "update", "de"), (12, "skip", "de")]
    {
        for (prefix, count) in [("a", 1), ("b", 10), ("c", 2000)] {
            users(&sandbox, "users.csv", prefix, count);
            let path = sandbox.path("users.csv");
            let file = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, file.replace(",en,", &format!(",{language},"))).unwrap();
            proxy.counted();
            assert_ok(&sandbox.run(&["import", "users.csv", "--on-conflict", conflict]));
            assert_eq!(proxy.counted(), expected, "{conflict}, {count} users");
        }
    }
}
