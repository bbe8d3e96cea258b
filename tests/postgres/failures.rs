//! Failures of commands: the exit code, the reason, and that nothing was changed.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::program::GOOD;
use crate::server::{Cluster, OWNER, cluster, connect};
use crate::skip::or_skip;
use crate::support::{assert_fails, assert_ok, await_queries, end, name, on, seeded, start, users};

#[test]
fn unreachable_server_exits_4() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let silent = format!("postgresql://u:p@{}/db?connect_timeout=1", silent.local_addr().unwrap());
    for (url, reason) in [
        ("postgresql://u:p@127.0.0.1:1/db", "Connection refused"),
        ("postgresql://u:p@nowhere.invalid/db", "failed to lookup address"),
        ("postgresql://u:p@/db?host=/no/such/directory", "No such file or directory"),
        (&silent, "the server does not respond"),
    ] {
        let sandbox = on(url);
        for args in [&["list"][..], &["init"], &["lock", "alice"], &["check"]] {
            let begin = Instant::now();
            assert_fails(&sandbox.run(args), 4, reason);
            assert!(begin.elapsed() < Duration::from_secs(8), "{url}");
        }
        let run = sandbox.run(&["list", "--json"]);
        assert_eq!(run.error()["code"], "cannot_connect", "{run}");
    }
}

#[test]
fn unsupported_setting_exits_2() {
    for (url, reason) in [
        ("postgresql://u:p@h/db?sslmode=allow", "sslmode=allow is not supported"),
        ("postgresql://u:p@h/db?sslmode=verify-ca", "sslmode=verify-ca is not supported"),
        ("postgresql://u:p@h/db?sslmode=on", "its sslmode is not disable"),
        ("postgresql://u:p@h/db?color=red", "unknown option after '?' (number 1)"),
        ("postgresql://u:p@h/db?gssencmode=require", "gssencmode is not supported"),
    ] {
        let sandbox = on(url);
        for args in [&["list"][..], &["init"], &["lock", "alice"], &["check"]] {
            assert_fails(&sandbox.run(args), 2, reason);
        }
        let run = sandbox.run(&["list", "--json"]);
        assert_eq!(run.error()["code"], "usage", "{run}");
        assert!(run.error()["hint"].is_string(), "{run}");
    }
}

#[test]
fn server_of_another_protocol_is_named() {
    for (greeting, reason) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "a web server (HTTP) answers on this port"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "an SSH server answers on this port"),
        (b"-ERR unknown command\r\n", "Redis or a mail server answers on this port"),
        (b"J\0\0\0\x0a8.0.36\0\x08\0\0\0", "MySQL or MariaDB answers on this port"),
        (b"\x15\x03\x01\0\x02\x02F", "a server that begins with TLS, such as HTTPS answers"),
        (b"", "the server closes connections without an answer\nhint: if it is not starting"),
    ] {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = [0; 8];
                let _ = stream.write_all(greeting);
                let _ = stream.read(&mut request);
            }
        });
        for mode in ["prefer", "require"] {
            let url = format!("postgresql://u:hunter2@{address}/db?sslmode={mode}");
            let run = on(&url).run(&["list"]);
            assert_fails(&run, 4, reason);
            assert!(!run.stderr.contains("hunter2"), "{run}");
        }
    }
}

#[test]
fn rejected_login_shows_reason() {
    let Some(cluster) = cluster() else { return };
    let url = cluster.database();
    let database = name(&url);
    let has_none = "neither ~/.pgpass nor PGPASSWORD has a password for it";
    for (url, reason) in [
        (cluster.url(OWNER, "wrong", database), "password authentication failed"),
        (cluster.url("nobody", "wrong", database), "password authentication failed"),
        (cluster.url(OWNER, cluster.password(), "none"), "database \"none\" does not exist"),
        (format!("postgresql://{OWNER}@127.0.0.1:1/{database}"), "Connection refused"),
        (format!("postgresql://{OWNER}@127.0.0.1:{}/{database}", cluster.port()), has_none),
    ] {
        let sandbox = on(&url);
        for args in [&["list"][..], &["init"], &["lock", "alice"]] {
            let run = sandbox.run(args);
            assert_fails(&run, 4, reason);
            assert_eq!(run.stderr.contains(has_none), reason == has_none, "{run}");
        }
    }
}

#[test]
fn database_without_users_needs_init() {
    let Some(cluster) = cluster() else { return };
    let sandbox = on(&cluster.database());
    for args in [&["list"][..], &["lock", "alice"], &["check"], &["history"], &["export"]] {
        let run = sandbox.run(&[args, &["--json"]].concat());
        assert_eq!((run.status, &run.error()["code"]), (4, &"needs_migration".into()), "{run}");
        assert!(
            run.stderr.contains("run dash-users init --database postgresql://owner@127"),
            "{run}"
        );
    }
}

#[test]
fn missing_privileges_exit_4() {
    let Some(cluster) = cluster() else { return };
    let url = cluster.database();
    let role = cluster.role("");
    let other = on(&cluster.url(&role, &role, name(&url)));
    let mut admin = cluster.superuser(name(&url));
    // As since PostgreSQL 15.
    let revoke = format!(
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT CREATE ON SCHEMA public TO {OWNER}"
    );
    admin.batch_execute(&revoke).unwrap();
    let grant = format!("GRANT USAGE, CREATE ON SCHEMA public TO {role};");
    for args in [&["init"][..], &["seed"]] {
        let run = other.run(args);
        assert_fails(&run, 4, "permission denied for schema public");
        assert!(run.stderr.contains(&grant), "{run}");
    }
    assert!(admin.query("SELECT FROM pg_class WHERE relname = 'users'", &[]).unwrap().is_empty());
    // The app's table is there already.
    let create = "CREATE TABLE public.users (
                      username text PRIMARY KEY, password_hash text, language text)";
    let give = format!("{create}; ALTER TABLE public.users OWNER TO {role}");
    admin.batch_execute(&give).unwrap();
    let run = other.run(&["init"]);
    assert_fails(&run, 4, "permission denied for schema public");
    assert!(run.stderr.contains(&grant), "{run}");
    admin.batch_execute("DROP TABLE public.users").unwrap();

    let owner = on(&url);
    assert_ok(&owner.run(&["seed"]));
    assert_fails(&other.run(&["list"]), 4, "permission denied for table");
    admin.batch_execute(&format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")).unwrap();
    assert_ok(&other.run(&["list"]));
    let before = owner.run(&["export"]);
    for args in [
        &["passwd", "alice", "--password-stdin"][..],
        &["lock", "alice"],
        &["remove", "bob", "--yes"],
        &["add", "carol", "--password-stdin"],
        &["group", "add", "alice", "admins"],
        &["update", "alice", "--language", "fr"],
    ] {
        assert_fails(&other.run_with(GOOD, args), 4, "permission denied for table");
    }
    assert_eq!(owner.run(&["export"]), before);
    let events = admin.query_one("SELECT count(*) FROM user_events", &[]).unwrap();
    assert_eq!(events.get::<_, i64>(0), 2);
}

#[test]
fn backup_and_restore_point_to_postgres_tools() {
    let Some(cluster) = cluster() else { return };
    let sandbox = seeded(cluster);
    for args in [&["backup", "file"][..], &["restore", "file", "--yes"], &["restore", "/dev/null"]]
    {
        let run = sandbox.run(args);
        assert_fails(&run, 1, "pg_dump");
        assert!(!sandbox.path("file").exists());
    }
}

#[test]
fn lock_timeout_reports_nothing_changed() {
    let Some(cluster) = cluster() else { return };
    let sandbox = seeded(cluster);
    let url = sandbox.command(&[]).get_envs().find_map(|(name, value)| {
        (name == "DASH_USERS_DATABASE").then(|| value.unwrap().to_str().unwrap().to_owned())
    });
    let mut app = connect(&url.unwrap());
    let mut transaction = app.transaction().unwrap();
    transaction.batch_execute("UPDATE users SET language = 'de' WHERE username = 'alice'").unwrap();
    // Readers and changes of other users do not wait.
    assert_ok(&sandbox.run(&["show", "alice"]));
    assert_ok(&sandbox.run(&["lock", "bob"]));
    let run = sandbox.run(&["lock", "alice", "--json"]);
    assert_eq!((run.status, &run.error()["code"]), (5, &"busy".into()), "{run}");
    transaction.commit().unwrap();
    assert_eq!(sandbox.run(&["show", "alice", "--json"]).json()["locked"], false);
    assert_ok(&sandbox.run(&["lock", "alice"]));
}

/// Stops a server without waiting for its clients.
fn stop_at_once(cluster: &Cluster) {
    let mut stop = cluster.program("pg_ctl");
    stop.arg("--pgdata").arg(cluster.data()).args(["--mode=immediate", "--silent", "stop"]);
    assert!(stop.status().unwrap().success());
}

#[test]
fn server_stop_during_command_changes_nothing() {
    let Some(cluster) = or_skip(Cluster::start(&["fsync = on", "synchronous_commit = on"])) else {
        return;
    };
    let url = cluster.database();
    let sandbox = on(&url);
    assert_ok(&sandbox.run(&["seed"]));
    // A trigger of the app waits when one user is added.
    let mut admin = cluster.superuser(name(&url));
    let slow = "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
                    'BEGIN PERFORM pg_sleep(60); RETURN NULL; END';
                CREATE TRIGGER slow AFTER INSERT ON users FOR EACH ROW
                WHEN (NEW.username = 'new09000') EXECUTE FUNCTION wait()";
    admin.batch_execute(slow).unwrap();
    drop(admin);
    users(&sandbox, "users.csv", "new", 10_000);
    let before = sandbox.run(&["export"]);

    let mut locker = connect(&url);
    let mut lock = locker.transaction().unwrap();
    lock.batch_execute("UPDATE users SET language = 'de'").unwrap();
    let waiting = [&["lock", "alice"][..], &["passwd", "alice", "--generate", "--quiet"]];
    let children = waiting.map(|args| start(&sandbox, args));
    await_queries(&cluster, 2);
    stop_at_once(&cluster);
    for child in children {
        let (status, stderr) = end(child);
        assert_eq!(status, Some(4), "{stderr}");
        // One waits for the other when it begins, and then tries to connect again.
        let reasons =
            ["connection was lost", "connection re", "is shutting down", "without an answer"];
        let lower = stderr.to_lowercase();
        assert!(reasons.iter().any(|reason| lower.contains(reason)), "{stderr}");
    }
    drop(lock);
    cluster.restart();
    assert_eq!(sandbox.run(&["export"]), before);

    let import = start(&sandbox, &["import", "users.csv"]);
    await_queries(&cluster, 1);
    stop_at_once(&cluster);
    let (status, stderr) = end(import);
    assert_eq!(status, Some(4), "{stderr}");
    cluster.restart();
    assert_eq!(sandbox.run(&["export"]), before);
    assert_eq!(sandbox.run(&["history", "--format", "plain"]).stdout.lines().count(), 2);
}
