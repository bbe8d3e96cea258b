//! What managed services are like: short-lived tokens, time limits of roles, certificates of public
//! authorities, and networks.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use dash_users::{Location, Login, Password, Users};

use crate::program::{Sandbox, empty};
use crate::server::{Cluster, OWNER, SUPERUSER, cluster, connect};
use crate::skip::or_skip;
use crate::support::{assert_fails, assert_ok, await_queries, end, name, on, seeded, start};
use crate::tls::{certificates, serve_first};

#[test]
fn access_token_can_change_between_connections() {
    let Some(cluster) = cluster() else { return };
    // PostgreSQL 13 accepts no longer passwords. Providers replace its check.
    let length = if cluster.version() < 14 { 900 } else { 2_000 };
    let token = |seed: char| format!("eyJ{seed}-._~").repeat(251)[..length].to_owned();
    let url = cluster.database();
    assert_ok(&on(&url).run(&["seed"]));
    let role = cluster.role("");
    let mut admin = cluster.superuser(name(&url));
    let grant = format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}");
    admin.batch_execute(&grant).unwrap();
    let sandbox: Sandbox = empty();
    let file = sandbox.path("passwords").display().to_string();
    let mut set = |token: &str| {
        sandbox.write("passwords", format!("*:*:*:{role}:{token}\n"));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        admin.batch_execute(&format!("ALTER ROLE {role} PASSWORD '{token}'")).unwrap();
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1";
        admin.query(end, &[&role]).unwrap();
    };
    set(&token('a'));
    let url = format!("postgresql://{role}@127.0.0.1:{}/{}", cluster.port(), name(&url));
    let Ok(Location::Postgres(server)) = Location::parse(&url) else { panic!("{url}") };
    let environment = |name: &str| (name == "PGPASSFILE").then(|| file.clone());
    let location = Location::Postgres(server.with_environment(environment));
    let mut users = Users::open(&location).unwrap();
    for seed in ['b', 'c'] {
        let login = users.log_in("alice", &Password::from("secret123")).unwrap();
        assert!(matches!(login, Login::Accepted { .. }), "{login:?}");
        set(&token(seed));
    }
    assert_eq!(users.list().unwrap().len(), 2);
    let program = on(&url).with_env("PGPASSWORD", &token('c'));
    assert_ok(&program.run(&["list"]));
    assert_fails(&program.with_env("PGPASSWORD", &token('d')).run(&["list"]), 4, "password");
}

#[test]
fn time_limit_of_role_neither_ends_commands_nor_hides_locks() {
    let Some(cluster) = or_skip(Cluster::start(&[])) else { return };
    let sandbox = seeded(&cluster);
    let mut admin = cluster.superuser(SUPERUSER);
    let set = format!("ALTER ROLE {OWNER} SET statement_timeout = '300ms'");
    admin.batch_execute(&set).unwrap();
    // Nothing takes that long.
    for args in [&["list"][..], &["lock", "alice"], &["unlock", "alice"]] {
        assert_ok(&sandbox.run(args));
    }
    let database: String = admin
        .query_one("SELECT datname FROM pg_database WHERE datdba = 'owner'::regrole", &[])
        .unwrap()
        .get(0);
    let mut other = cluster.superuser(&database);
    let mut blocker = other.transaction().unwrap();
    blocker.batch_execute("LOCK TABLE dash_users_times IN SHARE ROW EXCLUSIVE MODE").unwrap();
    let run = sandbox.run(&["lock", "alice", "--wait", "1"]);
    assert_fails(&run, 5, "is locked by process");
    blocker.rollback().unwrap();
    assert_ok(&sandbox.run(&["lock", "alice"]));
}

#[test]
fn public_authority_and_channel_binding_work_together() {
    let Some(files) = or_skip(certificates()) else { return };
    let Some(cluster) = or_skip(Cluster::start(&[])) else { return };
    let url = cluster.database();
    assert_ok(&on(&url).run(&["seed"]));
    serve_first(&cluster, &files);
    let url = url.replace("127.0.0.1", "localhost");
    let strict = format!("{url}?sslmode=verify-full&sslrootcert=system&channel_binding=require");
    let with = |authority: &str| {
        let authority = files.path().join(authority).display().to_string();
        on(&strict).with_env("SSL_CERT_FILE", &authority)
    };
    assert_ok(&with("ours.crt").run(&["lock", "alice"]));
    assert_fails(&with("other.crt").run(&["list"]), 4, "certificate");
}

#[test]
fn role_without_create_is_shown_a_schema_to_create() {
    let Some(cluster) = cluster() else { return };
    let url = cluster.database();
    let mut superuser = cluster.superuser(name(&url));
    superuser.batch_execute("REVOKE ALL ON SCHEMA public FROM PUBLIC").unwrap();
    let role = cluster.role("");
    let sandbox = on(&cluster.url(&role, &role, name(&url)));
    let run = sandbox.run(&["init"]);
    assert_eq!(run.status, 4, "{run}");
    let grant = run.stderr.lines().find_map(|line| line.strip_prefix("hint: ")).unwrap();
    assert!(grant.starts_with("GRANT USAGE, CREATE ON SCHEMA public TO"), "{run}");
    superuser.batch_execute(grant).unwrap();
    assert_ok(&sandbox.run(&["init"]));
}

#[test]
fn time_zone_of_database_changes_nothing() {
    let Some(cluster) = cluster() else { return };
    let url = cluster.database();
    let sandbox = on(&url);
    assert_ok(&sandbox.run(&["seed"]));
    let before = sandbox.run(&["history", "--json"]);
    let mut owner = connect(&url);
    for zone in ["Asia/Kathmandu", "America/St_Johns", "Pacific/Chatham"] {
        let set = format!("ALTER DATABASE {} SET TimeZone = '{zone}'", name(&url));
        owner.batch_execute(&set).unwrap();
        assert_eq!(sandbox.run(&["history", "--json"]), before);
        let recent = sandbox.run(&["history", "--since", "1h", "--format", "plain"]);
        assert_eq!(recent.stdout.lines().count(), 2, "{recent}");
    }
}

#[test]
fn cancellation_by_provider_changes_nothing() {
    let Some(cluster) = or_skip(Cluster::start(&[])) else { return };
    let url = cluster.database();
    let sandbox = on(&url);
    assert_ok(&sandbox.run(&["seed"]));
    let mut app = connect(&url);
    let mut blocker = app.transaction().unwrap();
    blocker.batch_execute("UPDATE users SET language = 'de'").unwrap();
    for (end_it, status, reason) in [
        ("pg_cancel_backend", 5, "is too slow: canceling statement"),
        ("pg_terminate_backend", 4, "connection"),
    ] {
        let locking = start(&sandbox, &["lock", "alice"]);
        await_queries(&cluster, 1);
        std::thread::sleep(Duration::from_millis(50));
        let select =
            format!("SELECT {end_it}(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
        cluster.superuser(SUPERUSER).execute(&select, &[]).unwrap();
        let (found, stderr) = end(locking);
        assert_eq!(found, Some(status), "{stderr}");
        assert!(stderr.contains(reason), "{stderr}");
    }
    blocker.rollback().unwrap();
    assert_eq!(sandbox.run(&["show", "alice", "--json"]).json()["locked"], false);
}
