//! The example on PostgreSQL with a read-only role, while the program changes its users.

use crate::server::{Cluster, cluster, connect};
use crate::site::{App, EXAMPLE, Folder};
use crate::skip::or_skip;
use crate::{BETTER, GOOD};

/// The app, the program, and the database that they share.
struct Hosts {
    app: App,
    folder: Folder,
    url: String,
}

impl Hosts {
    /// With alice and bob. `None` skips the test.
    fn new(cluster: &Cluster) -> Option<Self> {
        let folder = Folder::new()?;
        let url = cluster.database();
        folder.run(&["seed", "--database", &url], "");
        let app = start(&folder, cluster, &url).unwrap_or_else(|log| panic!("{log}"));
        Some(Self { app, folder, url })
    }

    fn run(&self, args: &[&str], stdin: &str) {
        self.folder.run(&[args, &["--database", &self.url]].concat(), stdin);
    }

    fn assert(&self, status: u16, name: &str, password: &str) {
        assert_eq!(self.app.get(Some((name, password))), status, "{name}");
    }

    fn sees_users(&self, name: &str, password: &str) -> bool {
        let answer = self.app.callback("users", Some((name, password)));
        answer.expect("who is let in gets an answer").starts_with("Users: ")
    }
}

/// Starts the app with a role that may read two tables.
fn start(folder: &Folder, cluster: &Cluster, url: &str) -> Result<App, String> {
    let role = cluster.role("");
    let grant = format!("GRANT SELECT ON users, user_groups TO {role}");
    connect(url).batch_execute(&grant).unwrap();
    let database = url.rsplit('/').next().unwrap();
    let port = cluster.port();
    let url = format!("postgresql://{role}@127.0.0.1:{port}/{database}");
    folder.start(EXAMPLE, &[("DASH_USERS_DATABASE", &url), ("PGPASSWORD", &role)])
}

#[test]
fn change_takes_effect_on_next_request() {
    let Some(cluster) = cluster() else { return };
    let Some(hosts) = Hosts::new(cluster) else { return };
    hosts.assert(200, "alice", "secret123");
    hosts.assert(200, "bob", "pa$$w0rd");
    hosts.assert(401, "alice", "secret124");
    hosts.assert(401, "carol", "secret123");
    hosts.assert(401, "al\0ice", "secret123");
    assert_eq!(hosts.app.get(None), 401);
    let greeting = hosts.app.callback("greeting", Some(("alice", "secret123")));
    assert_eq!(greeting.unwrap(), "Hello, alice!");

    hosts.run(&["lock", "alice"], "");
    hosts.assert(401, "alice", "secret123");
    hosts.assert(200, "bob", "pa$$w0rd");
    hosts.run(&["unlock", "alice"], "");
    hosts.assert(200, "alice", "secret123");

    hosts.run(&["passwd", "alice", "--password-stdin"], GOOD);
    hosts.assert(401, "alice", "secret123");
    hosts.assert(200, "alice", GOOD);

    assert!(!hosts.sees_users("alice", GOOD));
    hosts.run(&["group", "add", "alice", "admins"], "");
    assert!(hosts.sees_users("alice", GOOD));
    hosts.run(&["group", "remove", "alice", "admins"], "");
    assert!(!hosts.sees_users("alice", GOOD));

    hosts.run(&["rename", "alice", "Zoë Ångström"], "");
    hosts.assert(401, "alice", GOOD);
    hosts.assert(200, "Zoë Ångström", GOOD);

    hosts.run(&["remove", "bob", "--yes"], "");
    hosts.assert(401, "bob", "pa$$w0rd");
    hosts.run(&["add", "bob", "--password-stdin"], BETTER);
    hosts.assert(401, "bob", "pa$$w0rd");
    hosts.assert(200, "bob", BETTER);

    // Direct writes take effect, too.
    connect(&hosts.url).batch_execute("DELETE FROM users WHERE username = 'bob'").unwrap();
    hosts.assert(401, "bob", BETTER);
}

#[test]
fn two_hosts_agree_after_server_restart() {
    let Some(cluster) = or_skip(Cluster::start(&[])) else { return };
    let Some(first) = Hosts::new(&cluster) else { return };
    let second = start(&first.folder, &cluster, &first.url).unwrap_or_else(|log| panic!("{log}"));
    for restart in [false, true] {
        if restart {
            cluster.restart();
        }
        for (command, status) in [("lock", 401), ("unlock", 200)] {
            first.run(&[command, "alice"], "");
            first.assert(status, "alice", "secret123");
            assert_eq!(second.get(Some(("alice", "secret123"))), status);
        }
    }
}

#[test]
fn app_without_privileges_or_table_does_not_start() {
    let Some(cluster) = cluster() else { return };
    let Some(folder) = Folder::new() else { return };
    let url = cluster.database();
    for reason in ["does not exist", "permission denied"] {
        let role = cluster.role("");
        let database = url.rsplit('/').next().unwrap();
        let own = cluster.url(&role, &role, database);
        let log = folder.start(EXAMPLE, &[("DASH_USERS_DATABASE", &own)]).err().expect("no app");
        assert!(log.contains(reason), "{log}");
        folder.run(&["init", "--database", &url], "");
    }
}
