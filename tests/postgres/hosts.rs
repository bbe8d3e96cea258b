//! Several hosts in one URL, as libpq tries them.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::program::Run;
use crate::server::{Cluster, OWNER, cluster};
use crate::skip::or_skip;
use crate::support::{assert_fails, assert_ok, name, on};

/// A host that answers every connection with `answer`, and its address.
fn host(answer: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || listener.incoming().flatten().for_each(answer));
    address
}

/// A host that accepts connections and stays silent.
fn silent() -> String {
    let keep = std::sync::Mutex::new(Vec::new());
    host(move |stream| keep.lock().unwrap().push(stream))
}

/// A host that ends each login with an error.
fn failing(state: &'static str, message: &'static str) -> String {
    host(move |mut stream| {
        let mut request = [0; 8];
        // The request for TLS, then the one to log in.
        if stream.read_exact(&mut request).is_err() || stream.write_all(b"N").is_err() {
            return;
        }
        let fields = format!("SFATAL\0VFATAL\0C{state}\0M{message}\0\0");
        let length = u32::try_from(fields.len() + 4).unwrap();
        let _ = stream.write_all(&[b"E", &length.to_be_bytes()[..], fields.as_bytes()].concat());
        let _ = stream.read(&mut [0; 512]);
    })
}

/// A database with alice and bob.
struct Target {
    cluster: &'static Cluster,
    database: String,
}

impl Target {
    fn new() -> Option<Self> {
        let cluster = cluster()?;
        let url = cluster.database();
        assert_ok(&on(&url).run(&["seed"]));
        Some(Self { cluster, database: name(&url).to_owned() })
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.cluster.port())
    }

    /// Lists the users with these hosts, and returns the time that took.
    fn list(&self, hosts: &str, query: &str) -> (Run, Duration) {
        let (password, database) = (self.cluster.password(), &self.database);
        let url = format!("postgresql://{OWNER}:{password}@{hosts}/{database}?{query}");
        let begin = Instant::now();
        (on(&url).run(&["list"]), begin.elapsed())
    }
}

#[test]
fn next_host_is_tried_after_silence_refusal_or_start_up() {
    let Some(target) = Target::new() else { return };
    let starting = failing("57P03", "the database system is starting up");
    for first in [silent(), "127.0.0.1:1".to_owned(), starting, "nowhere.invalid:1".to_owned()] {
        let hosts = format!("{first},{}", target.address());
        let (run, time) = target.list(&hosts, "connect_timeout=1");
        assert_ok(&run);
        assert!(time < Duration::from_secs(8), "{first}: {time:?}");
    }
}

#[test]
fn rejected_login_ends_at_first_host() {
    let Some(target) = Target::new() else { return };
    for (state, message) in [
        ("28P01", "password authentication failed for user"),
        ("28000", "no pg_hba.conf entry for host"),
        ("3D000", "database does not exist"),
        ("53300", "sorry, too many clients already"),
    ] {
        let first = failing(state, message);
        let (run, _) = target.list(&format!("{first},{}", target.address()), "");
        assert_fails(&run, 4, &first);
    }
}

#[test]
fn error_names_every_host_with_its_reason() {
    let Some(target) = Target::new() else { return };
    let (silent, starting) = (silent(), failing("57P03", "the database system is starting up"));
    let hosts = format!("127.0.0.1:1,{silent},{starting},{}", target.address());
    let (run, _) = target.list(&hosts, "connect_timeout=1&target_session_attrs=standby");
    assert_eq!(run.status, 4, "{run}");
    for reason in [
        "127.0.0.1:1: Connection refused".to_owned(),
        format!("{silent}: the server does not respond"),
        format!("{starting}: the database system is starting up"),
        format!("{}: the server is not a standby", target.address()),
    ] {
        assert!(run.stderr.contains(&reason), "no '{reason}' in {run}");
    }
}

#[test]
fn hosts_and_ports_can_be_written_in_any_form() {
    let Some(target) = Target::new() else { return };
    let (port, password) = (target.cluster.port(), target.cluster.password());
    let user = format!("{OWNER}:{password}");
    let database = &target.database;
    for url in [
        format!("postgresql://{user}@/{database}?host=127.0.0.1,127.0.0.1&port=1,{port}"),
        format!("postgresql://{user}@/{database}?host=127.0.0.1:1&host=127.0.0.1:{port}"),
        format!("postgresql://{user}@/{database}?host=nowhere.invalid,127.0.0.1&port={port}"),
        format!("postgresql://{user}@127.0.0.1:1,127.0.0.1:{port}/{database}"),
        format!(
            "postgresql://{user}@/{database}?host=x,y&hostaddr=127.0.0.1,127.0.0.1&port={port}"
        ),
    ] {
        for order in ["disable", "random"] {
            let mark = if url.contains('?') { '&' } else { '?' };
            assert_ok(&on(&format!("{url}{mark}load_balance_hosts={order}")).run(&["list"]));
        }
    }
    let by_environment = on(&format!("postgresql:///{database}"))
        .with_env("PGUSER", OWNER)
        .with_env("PGPASSWORD", password)
        .with_env("PGHOST", "127.0.0.1,127.0.0.1")
        .with_env("PGPORT", &format!("1,{port}"));
    assert_ok(&by_environment.run(&["list"]));
    let standby = by_environment.with_env("PGTARGETSESSIONATTRS", "standby");
    assert_fails(&standby.run(&["list"]), 4, "is not a standby");
}

#[test]
fn every_role_selects_its_server() {
    let Some(primary) = or_skip(Cluster::start(&[])) else { return };
    let url = primary.database();
    assert_ok(&on(&url).run(&["seed"]));
    let Some(standby) = or_skip(primary.standby(&[])) else { return };
    let ports = |order: &str| match order {
        "primary first" => format!("127.0.0.1:{},127.0.0.1:{}", primary.port(), standby.port()),
        _ => format!("127.0.0.1:{},127.0.0.1:{}", standby.port(), primary.port()),
    };
    let (password, database) = (primary.password(), name(&url));
    for order in ["primary first", "standby first"] {
        let run = |role: &str, args: &[&str]| {
            let hosts = ports(order);
            let url = format!("postgresql://{OWNER}:{password}@{hosts}/{database}");
            on(&format!("{url}?target_session_attrs={role}")).run(args)
        };
        for role in ["primary", "read-write"] {
            assert_ok(&run(role, &["lock", "alice"]));
            assert_ok(&run(role, &["unlock", "alice"]));
        }
        for role in ["standby", "read-only", "prefer-standby"] {
            assert_ok(&run(role, &["list"]));
            assert_fails(&run(role, &["lock", "alice"]), 4, "is a standby, which is read-only");
        }
    }
    // Without a standby, its second choice is the primary.
    standby.stop();
    for role in ["prefer-standby", "any"] {
        let url = format!("postgresql://{OWNER}:{password}@{}/{database}", ports("standby first"));
        assert_ok(&on(&format!("{url}?target_session_attrs={role}")).run(&["lock", "bob"]));
    }
}

#[test]
fn standby_serves_reading_commands_only() {
    let Some(primary) = or_skip(Cluster::start(&[])) else { return };
    let url = primary.database();
    let sandbox = on(&url).with_env("DASH_USERS_METHOD", "pbkdf2:sha256:1000");
    assert_ok(&sandbox.run(&["seed"]));
    let Some(standby) = or_skip(primary.standby(&[])) else { return };
    let sandbox = on(&standby.url(OWNER, primary.password(), name(&url)));
    for args in [
        &["list"][..],
        &["show", "alice"],
        &["history"],
        &["export"],
        &["info"],
        &["migrate", "--status"],
        &["init"],
        &["group", "list"],
        &["sessions", "list"],
    ] {
        assert_ok(&sandbox.run(args));
    }
    // It finds the demo passwords.
    assert_eq!(sandbox.run(&["check"]).status, 7);
    sandbox.write("users.csv", "username,password\ncarol,plover-xyzzy-quux\n");
    for args in [
        &["add", "carol", "--generate"][..],
        &["passwd", "alice", "--generate"],
        &["lock", "alice"],
        &["unlock", "alice"],
        &["update", "alice", "--language", "de"],
        &["rename", "alice", "alicia"],
        &["remove", "alice", "--yes"],
        &["group", "add", "alice", "admins"],
        &["import", "users.csv"],
    ] {
        let run = sandbox.run(args);
        assert_eq!(run.status, 4, "{args:?}: {run}");
        assert!(run.stderr.contains("is a standby, which is read-only"), "{args:?}: {run}");
        assert!(run.stderr.contains("target_session_attrs=read-write"), "{args:?}: {run}");
    }
    let verify = |password: &str| {
        sandbox.run_with(password, &["verify", "alice", "--upgrade", "--password-stdin"])
    };
    let run = verify("secret123");
    assert_ok(&run);
    assert_eq!(run.stdout, "alice: accepted\n");
    assert!(run.stderr.contains("the outdated hash was not upgraded"), "{run}");
    assert_eq!(verify("wrong").status, 3);
    let json = sandbox
        .run_with("secret123", &["verify", "alice", "--upgrade", "--password-stdin", "--json"]);
    assert_eq!((json.status, &json.json()["verified"]), (0, &true.into()), "{json}");
}
