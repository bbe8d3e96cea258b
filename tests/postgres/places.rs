//! Location and login: URLs, environment variables, and the password file.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::program::{Run, Sandbox, empty};
use crate::sample;
use crate::server::{Cluster, OWNER, cluster};
use crate::support::{assert_fails, assert_ok, name, on, seeded};

/// Asserts that the environment leads to the database with alice and bob.
fn finds(environment: &[(&'static str, &str)]) {
    let run = list(environment);
    assert_eq!((run.status, run.stdout.as_str()), (0, NAMES), "{environment:?}: {run}");
}

const NAMES: &str = "alice\ten\nbob\tfr\n";

fn list(environment: &[(&'static str, &str)]) -> Run {
    let mut sandbox = empty();
    for (name, value) in environment {
        sandbox = sandbox.with_env(name, value);
    }
    list_in(&sandbox)
}

fn list_in(sandbox: &Sandbox) -> Run {
    let mut run = sandbox.run(&["list", "--format", "plain"]);
    let name_and_language = |line: &str| line.split('\t').take(2).collect::<Vec<_>>().join("\t");
    run.stdout = run.stdout.lines().map(|line| name_and_language(line) + "\n").collect();
    run
}

/// A database with alice and bob, by its name.
fn database(cluster: &Cluster) -> String {
    let url = cluster.database();
    assert_ok(&on(&url).run(&["seed"]));
    name(&url).to_owned()
}

#[test]
fn url_accepts_every_form_of_sqlalchemy_and_libpq() {
    let Some(cluster) = cluster() else { return };
    let (database, password, port) = (database(cluster), cluster.password(), cluster.port());
    let socket = cluster.socket().display().to_string();
    let encoded = socket.replace('/', "%2F");
    for scheme in ["postgres", "postgresql", "postgresql+psycopg2", "postgresql+asyncpg"] {
        let url = format!("{scheme}://{OWNER}:{password}@127.0.0.1:{port}/{database}");
        finds(&[("DASH_USERS_DATABASE", &url)]);
    }
    for url in [
        format!("postgresql://{OWNER}:{password}@localhost:{port}/{database}?sslmode=disable"),
        format!("postgresql://{OWNER}:{password}@{encoded}:{port}/{database}"),
        format!("postgresql://{OWNER}:{password}@/{database}?host={socket}&port={port}"),
        format!(
            "postgresql:///{database}?host={socket}&port={port}&user={OWNER}&password={password}"
        ),
        format!("postgresql://{OWNER}:{password}@127.0.0.1:1,127.0.0.1:{port}/{database}"),
        // Connections over a socket are never encrypted.
        format!("postgresql://{OWNER}:{password}@{encoded}:{port}/{database}?sslmode=require"),
    ] {
        finds(&[("DASH_USERS_DATABASE", &url)]);
    }
}

#[test]
fn environment_fills_gaps_in_url() {
    let Some(cluster) = cluster() else { return };
    let (database, port) = (database(cluster), cluster.port().to_string());
    let socket = cluster.socket().display().to_string();
    for host in ["127.0.0.1", &socket] {
        finds(&[
            ("DASH_USERS_DATABASE", "postgresql://"),
            ("PGHOST", host),
            ("PGPORT", &port),
            ("PGUSER", OWNER),
            ("PGPASSWORD", cluster.password()),
            ("PGDATABASE", &database),
            ("PGCONNECT_TIMEOUT", "5"),
            ("PGSSLMODE", "prefer"),
        ]);
    }
    // The URL overrides the environment.
    let url = format!("postgresql://{OWNER}@127.0.0.1:{port}/{database}");
    finds(&[
        ("DASH_USERS_DATABASE", &url),
        ("PGHOST", "nowhere.invalid"),
        ("PGPORT", "1"),
        ("PGUSER", "nobody"),
        ("PGPASSWORD", cluster.password()),
        ("PGDATABASE", "none"),
    ]);
    let run = list(&[("DASH_USERS_DATABASE", &url), ("PGSSLMODE", "require")]);
    assert_fails(&run, 4, "server does not support TLS");
    let run = list(&[("DASH_USERS_DATABASE", &url), ("PGSSLROOTCERT", "/no/such/file")]);
    assert_fails(&run, 2, "sslrootcert");
    let run = list(&[("DASH_USERS_DATABASE", "postgresql://u@h"), ("PGPORT", "many")]);
    assert_fails(&run, 2, "PGPORT");
}

#[test]
fn flag_overrides_environment() {
    let Some(cluster) = cluster() else { return };
    let sandbox = seeded(cluster).with_env("PGPASSWORD", "wrong");
    let other = sandbox.run(&["init", "--database", "users.db"]);
    assert_ok(&other);
    assert!(sandbox.path("users.db").exists());
    assert_eq!(list_in(&sandbox).stdout, NAMES);
}

#[test]
fn password_is_read_from_pgpass() {
    let Some(cluster) = cluster() else { return };
    let (database, port, password) = (database(cluster), cluster.port(), cluster.password());
    let url = format!("postgresql://{OWNER}@127.0.0.1:{port}/{database}");
    let socket = cluster.socket().display().to_string();
    let by_socket = format!("postgresql://{OWNER}@/{database}?host={socket}&port={port}");
    let home = || {
        let sandbox = empty();
        let home = sandbox.dir().to_str().unwrap().to_owned();
        sandbox.with_env("HOME", &home)
    };
    let write = |sandbox: &Sandbox, name: &str, text: &str, mode| {
        sandbox.write(name, text);
        fs::set_permissions(sandbox.path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    let exact = format!("127.0.0.1:{port}:{database}:{OWNER}:{password}\n");
    for (url, text) in [
        (&url, exact.clone()),
        (&url, format!("*:*:*:*:{password}")),
        (
            &url,
            format!(
                "# 127.0.0.1:*:*:*:x\nelse.where:*:*:*:wrong\n*:{port}:*:{OWNER}:{password}\n*:*:*:*:x"
            ),
        ),
        (&by_socket, format!("localhost:*:*:*:wrong\n{socket}:*:*:*:{password}\n")),
    ] {
        let sandbox = home().with_env("DASH_USERS_DATABASE", url);
        write(&sandbox, ".pgpass", &text, 0o600);
        assert_eq!(list_in(&sandbox).stdout, NAMES, "{text}");
    }
    // The environment or the URL can name another file. PGPASSWORD overrides both.
    let sandbox = home().with_env("DASH_USERS_DATABASE", &url);
    write(&sandbox, "other", &exact, 0o400);
    write(&sandbox, "wrong", "*:*:*:*:wrong", 0o400);
    assert_fails(&list_in(&sandbox), 4, "password");
    let file = |name| sandbox.path(name).display().to_string();
    let (other, wrong) = (file("other"), file("wrong"));
    let sandbox = sandbox.with_env("PGPASSFILE", &other);
    assert_eq!(list_in(&sandbox).stdout, NAMES);
    let with_file = format!("{url}?passfile={other}");
    let sandbox =
        sandbox.with_env("DASH_USERS_DATABASE", &with_file).with_env("PGPASSFILE", &wrong);
    assert_eq!(list_in(&sandbox).stdout, NAMES);
    assert_fails(&list_in(&sandbox.with_env("PGPASSWORD", "wrong")), 4, "password");
    let nowhere = home().with_env("DASH_USERS_DATABASE", &url);
    assert_fails(&list_in(&nowhere), 4, "neither ~/.pgpass nor PGPASSWORD has a password");
    // The file can be accessed by others.
    for mode in [0o640, 0o604, 0o620] {
        let sandbox = home().with_env("DASH_USERS_DATABASE", &url);
        write(&sandbox, ".pgpass", &exact, mode);
        let run = list_in(&sandbox);
        assert_fails(&run, 4, "/.pgpass was ignored because others can read it: chmod 600");
        assert!(!run.stderr.contains(password), "{run}");
    }
}

#[test]
fn output_never_shows_url_password() {
    let Some(cluster) = cluster() else { return };
    let url = cluster.database();
    let odd = cluster.role("SUPERUSER");
    let mut admin = cluster.superuser("postgres");
    let secret = "Hunter/2?#&:%";
    admin.batch_execute(&format!("ALTER ROLE {odd} PASSWORD '{secret}'")).unwrap();
    let raw = format!(
        "postgresql://{odd}:{}@127.0.0.1:{}/{}",
        "Hunter/2?#&:%25",
        cluster.port(),
        name(&url)
    );
    let encoded = raw.replace("Hunter/2?#&:%25", "%48unter%2F2%3F%23%26%3A%25");
    let hidden = ["unter", cluster.password()];
    let sandbox = on(&encoded).with_env("PGPASSWORD", "hunterhunter");
    for (name, value) in [("raw", &raw), ("encoded", &encoded)] {
        for args in [
            &["init"][..],
            &["seed"],
            &["add", "carol", "--generate"],
            &["add", "carol", "--generate"],
            &["passwd", "nobody", "--generate"],
            &["lock", "carol"],
            &["remove", "carol"],
            &["remove", "carol", "--yes"],
            &["verify", "alice", "--password-file", "/dev/null"],
            &["list"],
            &["check"],
            &["check", "--fix"],
            &["history"],
            &["migrate", "--status"],
            &["import", "/no/such/file"],
            &["export"],
            &["backup", "file"],
            &["restore", "file"],
            &["lock"],
            &["--help"],
            &["passwd", "--help"],
            &["add", "--bogus"],
            &["bogus"],
        ] {
            for (format, database) in [
                ("table", &[][..]),
                ("json", &["--database", value]),
                ("table", &["--database", value]),
                ("json", &[]),
            ]
            .into_iter()
            .take(sample::of(2, 4))
            {
                let text =
                    sandbox.run(&[args, &["--format", format], database].concat()).to_string();
                for hidden in hidden {
                    assert!(!text.contains(hidden), "{name} {args:?}: {text}");
                }
            }
        }
    }
    // Both forms of the password work.
    assert_ok(&sandbox.run(&["list", "--database", &raw]));
    assert_ok(&sandbox.run(&["list"]));
    // Errors of invalid URLs do not show it either.
    for url in [
        "postgresql://u:hunter2@h:port/db",
        "postgresql://u:hunter2@127.0.0.1:1/db",
        "postgresql://u:hun@ter2@127.0.0.1:1/db",
        "postgresql://u@127.0.0.1:1/db?password=hunter2",
        "postgresql://u@127.0.0.1:1/db?p%61ssword=hunter2",
        "postgresql://u@127.0.0.1:1/db?passwd=hunter2",
        "mysql://u:hunter2@h/db",
    ] {
        for args in [&["list", "--database", url][..], &["list", url], &[url], &["check", url]] {
            let run = sandbox.run(args).to_string();
            assert!(!run.contains("ter2"), "{args:?}: {run}");
        }
    }
}
