//! Commands through pgbouncer, where clients share a connection to the server.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::program::{GOOD, SECRET123, Sandbox};
use crate::server::{Cluster, OWNER, cluster, connect};
use crate::skip::or_skip;
use crate::support::{assert_fails, assert_ok, name, on};

/// A running pgbouncer.
pub(crate) struct Proxy {
    process: Child,
    port: u16,
    settings: PathBuf,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Proxy {
    /// With one connection to the server for all clients.
    fn start(cluster: &Cluster) -> Result<Self, String> {
        Self::start_with(cluster, 1)
    }

    /// With a number of connections to the server.
    pub(crate) fn start_with(cluster: &Cluster, size: u32) -> Result<Self, String> {
        let paths = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];
        let program = paths.into_iter().find(|path| Path::new(path).exists());
        let program = program.ok_or("pgbouncer is not installed")?;
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let password = cluster.password();
        let users = cluster
            .write(&format!("{port}.users"), format!("\"{OWNER}\" \"{password}\"\n").as_bytes());
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\n\
             pool_mode = transaction\ndefault_pool_size = {size}\nserver_reset_query =\n\
             server_login_retry = 1\n",
            cluster.port(),
            users.display()
        );
        let settings = cluster.write(&format!("{port}.ini"), settings.as_bytes());
        let mut command = cluster.program(program);
        command.arg("--quiet").arg(&settings).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().map_err(|error| error.to_string())?;
        let proxy = Self { process, port, settings };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(proxy);
            }
            sleep(Duration::from_millis(50));
        }
        Err("pgbouncer does not answer".to_owned())
    }

    /// From now on, leads to another server.
    pub(crate) fn lead_to(&self, cluster: &Cluster) {
        let settings = fs::read_to_string(&self.settings).unwrap();
        let (before, rest) = settings.split_once(" port=").unwrap();
        let (_, rest) = rest.split_once('\n').unwrap();
        let settings = format!("{before} port={}\n{rest}", cluster.port());
        // Written over in place: it stays its owner's.
        fs::write(&self.settings, settings).unwrap();
        let mut kill = Command::new("kill");
        assert!(kill.args(["-HUP", &self.process.id().to_string()]).status().unwrap().success());
    }

    pub(crate) fn url(&self, cluster: &Cluster, database: &str) -> String {
        format!("postgresql://{OWNER}:{}@127.0.0.1:{}/{database}", cluster.password(), self.port)
    }
}

#[test]
fn every_command_works_through_pgbouncer() {
    let Some(cluster) = cluster() else { return };
    let Some(proxy) = or_skip(Proxy::start(cluster)) else { return };
    let direct = cluster.database();
    let url = proxy.url(cluster, name(&direct));
    let sandbox = on(&url);
    sandbox.write("users.csv", format!("username,password_hash,groups\ndora,{SECRET123},staff\n"));
    sandbox.write("more.jsonl", "{\"username\": \"emil\", \"password\": \"plover-xyzzy-quux\"}");
    let run = |input: &str, args: &[&str]| assert_ok(&sandbox.run_with(input, args));
    run("", &["init"]);
    run("", &["migrate", "--status"]);
    run("", &["seed"]);
    run("", &["seed", "users.csv"]);
    run(GOOD, &["add", "carol", "--password-stdin", "--group", "admins"]);
    run(GOOD, &["passwd", "alice", "--password-stdin"]);
    run(GOOD, &["verify", "alice", "--password-stdin", "--upgrade"]);
    run(GOOD, &["rehash", "alice", "--password-stdin", "--method", "pbkdf2:sha256:1000"]);
    run("", &["rehash", "--plaintext", "--all"]);
    run("", &["update", "alice", "--language", "de"]);
    run("", &["lock", "alice", "bob"]);
    run("", &["unlock", "alice"]);
    run("", &["group", "add", "alice", "admins", "staff"]);
    run("", &["group", "remove", "alice", "staff"]);
    run("", &["group", "list"]);
    run("", &["rename", "alice", "alicia"]);
    run("", &["remove", "dora", "--yes"]);
    run("", &["import", "more.jsonl"]);
    run("", &["import", "users.csv", "--on-conflict", "update"]);
    run("", &["list"]);
    run("", &["show", "alicia"]);
    run("", &["history"]);
    run("", &["export", "out.csv"]);
    run(GOOD, &["passwd", "bob", "--password-stdin"]);
    run("", &["check"]);
    run("", &["check", "--fix"]);
    assert_fails(&sandbox.run(&["backup", "file"]), 1, "pg_dump");
    // The result is the same as without pgbouncer.
    for args in [&["export"][..], &["history", "--json"]] {
        assert_eq!(on(&direct).run(args), sandbox.run(args));
    }
}

#[test]
fn pgbouncer_clients_do_not_share_settings() {
    let Some(cluster) = cluster() else { return };
    let Some(proxy) = or_skip(Proxy::start(cluster)) else { return };
    let url = proxy.url(cluster, name(&cluster.database()));
    let sandbox = on(&url).with_env("SUDO_USER", "first");
    assert_ok(&sandbox.run(&["seed"]));
    let backend = "SELECT pg_backend_pid()::text";
    let before: String = ask(&url, backend);
    let settings =
        "SELECT concat_ws(' ', current_setting('search_path'), current_setting('lock_timeout'),
        current_setting('statement_timeout'), current_setting('client_min_messages'),
        current_setting('transaction_read_only'), current_setting('transaction_isolation'),
        current_setting('dash_users.actor', true), current_setting('dash_users.action', true),
        current_setting('dash_users.bulk', true))";
    let expected = "\"$user\", public 0 0 notice off read committed";
    let lock = |sandbox: &Sandbox| assert_ok(&sandbox.run(&["lock", "alice"]));
    lock(&sandbox);
    assert_eq!(ask(&url, settings).trim(), expected);
    // A change by an app over the same connection is recorded without the actor.
    connect(&url).batch_execute("UPDATE users SET language = 'de' WHERE username = 'bob'").unwrap();
    // Failed and reading commands leave no settings either.
    assert_eq!(sandbox.run(&["remove", "nobody", "--yes"]).status, 6);
    assert_ok(&sandbox.run(&["list"]));
    assert_eq!(ask(&url, settings).trim(), expected);
    let second = on(&url).with_env("SUDO_USER", "second");
    assert_ok(&second.run(&["unlock", "alice"]));
    let actors = "SELECT string_agg(coalesce(actor, '-') || ' ' || action, ', ' ORDER BY id)
                  FROM user_events WHERE id > 2";
    assert_eq!(ask(&url, actors), "first lock, - update, second unlock");
    assert_eq!(ask(&url, backend), before, "all of it was one connection to the server");
}

/// The text that a query returns, without a prepared statement.
fn ask(url: &str, select: &str) -> String {
    connect(url).query_typed_one(select, &[]).unwrap().get(0)
}
