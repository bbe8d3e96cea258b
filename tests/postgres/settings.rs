//! Settings from the environment and of the database, and tables in other schemas.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::program::{Sandbox, empty};
use crate::server::{Cluster, OWNER, cluster, connect};
use crate::skip::or_skip;
use crate::support::{assert_fails, assert_ok, name, on, seeded};

const TABLE: &str =
    "users (username text PRIMARY KEY, password_hash text NOT NULL, language text NOT NULL)";

fn hint(run: &crate::program::Run) -> String {
    run.stderr.lines().find_map(|line| line.strip_prefix("hint: ")).unwrap_or_default().to_owned()
}

#[test]
fn search_path_from_environment_selects_table() {
    let Some(cluster) = cluster() else { return };
    let url = cluster.database();
    let mut owner = connect(&url);
    owner
        .batch_execute(&format!(
            "CREATE SCHEMA t1; CREATE TABLE t1.{TABLE}; CREATE TABLE public.{TABLE}"
        ))
        .unwrap();
    let sandbox = on(&url).with_env("PGOPTIONS", "-csearch_path=t1");
    assert_ok(&sandbox.run(&["seed"]));
    let count = |owner: &mut postgres::Client, table: &str| -> i64 {
        owner.query_one(&format!("SELECT count(*) FROM {table}"), &[]).unwrap().get(0)
    };
    assert_eq!((count(&mut owner, "t1.users"), count(&mut owner, "public.users")), (2, 0));
    // The URL overrides the environment.
    let by_url = format!("{url}?options=-csearch_path%3Dpublic");
    let run = on(&by_url).with_env("PGOPTIONS", "-csearch_path=t1").run(&["init"]);
    assert!(run.stderr.contains("adopted"), "{run}");
    // A service overrides the environment.
    let sandbox = empty();
    sandbox.write("services", "[app]\noptions=-csearch_path=t1\n");
    let file = sandbox.path("services").display().to_string();
    let sandbox = sandbox.with_env("DASH_USERS_DATABASE", &url).with_env("PGSERVICEFILE", &file);
    let sandbox =
        sandbox.with_env("PGSERVICE", "app").with_env("PGOPTIONS", "-csearch_path=public");
    assert_eq!(sandbox.run(&["list", "--format", "plain"]).stdout.lines().count(), 2);
}

#[test]
fn init_reports_users_table_in_other_schema() {
    let Some(cluster) = cluster() else { return };
    for (create, other, path) in [
        ("CREATE SCHEMA t1; CREATE TABLE t1.users", "\"t1\".\"users\"", "t1"),
        (
            r#"CREATE SCHEMA "My App"; CREATE TABLE "My App".users"#,
            r#""My App"."users""#,
            "\"My App\"",
        ),
        ("CREATE TABLE \"Users\"", "\"public\".\"Users\"", ""),
        ("CREATE TABLE \"USERS\"", "\"public\".\"USERS\"", ""),
    ] {
        let url = cluster.database();
        let mut owner = connect(&url);
        let columns = TABLE.strip_prefix("users").unwrap();
        owner.batch_execute(&format!("{create}{columns}")).unwrap();
        let sandbox = on(&url);
        for args in [&["init"][..], &["seed"], &["migrate"]] {
            let run = sandbox.run(args);
            assert_fails(&run, 4, &format!("there is {other}; nothing was created"));
        }
        let run = sandbox.run(&["init", "--json"]);
        assert_eq!(run.error()["code"], "no_database", "{run}");
        let public = "SELECT FROM pg_class WHERE oid = to_regclass('public.users')";
        assert!(owner.query(public, &[]).unwrap().is_empty());
        // The hint can be pasted.
        let hint = hint(&sandbox.run(&["init"]));
        let pasted = |sandbox: &Sandbox, export: &str| {
            let program = crate::program::PROGRAM;
            let mut shell = std::process::Command::new("/bin/sh");
            shell.arg("-c").arg(format!("export {export}; {program} init"));
            shell.env("DASH_USERS_DATABASE", &url).current_dir(sandbox.dir());
            let output = shell.output().unwrap();
            assert!(output.status.success(), "{hint}: {output:?}");
            String::from_utf8(output.stderr).unwrap()
        };
        let exports = hint.split("export ").skip(1);
        let exports: Vec<_> = exports.map(|part| part.split(';').next().unwrap()).collect();
        if path.is_empty() {
            assert!(hint.contains(&format!("ALTER TABLE {other} RENAME TO users;")), "{hint}");
            owner.batch_execute(&format!("ALTER TABLE {other} RENAME TO users")).unwrap();
            assert!(sandbox.run(&["init"]).stderr.contains("adopted"));
        } else {
            assert!(pasted(&sandbox, exports[0]).contains("adopted"));
            assert!(pasted(&sandbox, exports[1]).contains("created table"));
        }
    }
    // A table without the columns, such as Supabase's own, is mentioned.
    let url = cluster.database();
    connect(&url)
        .batch_execute("CREATE SCHEMA auth; CREATE TABLE auth.users (id int, email text)")
        .unwrap();
    let run = on(&url).run(&["init"]);
    assert_ok(&run);
    assert!(run.stderr.contains("there is also \"auth\".\"users\", which is not used"), "{run}");
}

#[test]
fn search_path_hint_adds_to_the_options_in_force() {
    let Some(cluster) = cluster() else { return };
    let url = cluster.database();
    connect(&url).batch_execute(&format!("CREATE SCHEMA t1; CREATE TABLE t1.{TABLE}")).unwrap();
    // The new PGOPTIONS contain the old ones.
    let options = "-clock_timeout=1234 -capp.x='it'";
    let hint_of = hint(&on(&url).with_env("PGOPTIONS", options).run(&["init"]));
    let export = hint_of.split("export ").nth(1).unwrap().split(';').next().unwrap();
    let mut shell = std::process::Command::new("/bin/sh");
    shell.arg("-c").arg(format!("export {export}; printf %s \"$PGOPTIONS\""));
    let output = shell.env("PGOPTIONS", options).output().unwrap();
    let exported = String::from_utf8(output.stdout).unwrap();
    assert_eq!(exported, format!("{options} -csearch_path=t1"), "{hint_of}");
    assert!(on(&url).with_env("PGOPTIONS", &exported).run(&["init"]).stderr.contains("adopted"));

    // The options of a service override them: the hint is to change its file.
    let url = cluster.database();
    connect(&url).batch_execute(&format!("CREATE SCHEMA t1; CREATE TABLE t1.{TABLE}")).unwrap();
    let sandbox = empty();
    let service = sandbox.path("services").display().to_string();
    sandbox.write("services", "[app]\noptions=-clock_timeout=1234\n");
    let sandbox = sandbox.with_env("DASH_USERS_DATABASE", &url).with_env("PGSERVICE", "app");
    let sandbox = sandbox.with_env("PGSERVICEFILE", &service).with_env("PGOPTIONS", "-cx.y=z");
    let run = sandbox.run(&["init"]);
    let wanted = "add -csearch_path=t1 to the options of the service";
    assert!(hint(&run).contains(wanted), "{run}");
    sandbox.write("services", "[app]\noptions=-clock_timeout=1234 -csearch_path=t1\n");
    assert!(sandbox.run(&["init"]).stderr.contains("adopted"));
}

#[test]
fn setting_with_a_password_is_not_shown() {
    let Some(cluster) = cluster() else { return };
    let url = cluster.database();
    let (server, database) = url.rsplit_once('/').unwrap();
    let port = cluster.port().to_string();
    for (variable, value, part) in [
        ("PGDATABASE", "postgresql://u:hunter2@h/db", "the value of PGDATABASE is invalid"),
        ("PGDATABASE", "host=h password=hunter2", "the value of PGDATABASE is invalid"),
        ("PGDATABASE", "hunter2", "the database set by PGDATABASE does not exist"),
        ("PGUSER", "postgres:hunter2", "the value of PGUSER is invalid"),
        ("PGUSER", "hunter2", "authentication failed for the user set by PGUSER"),
        ("PGOPTIONS", "hunter2", "the server refuses PGOPTIONS"),
        ("PGOPTIONS", "--hunter2", "the server refuses PGOPTIONS"),
        ("PGOPTIONS", "-chunter2=1", "the server refuses PGOPTIONS"),
        ("PGOPTIONS", "-clock_timeout=hunter2", "the server refuses PGOPTIONS"),
        (
            "SERVICE",
            "dbname=nodb;password=hunter2",
            "the value of dbname of the service is invalid",
        ),
        (
            "SERVICE",
            "user=postgres password=hunter2",
            "the value of user of the service is invalid",
        ),
        ("SERVICE", "dbname=hunter2", "the database set by dbname of the service does not exist"),
        ("SERVICE", "options=hunter2", "the server refuses options of the service"),
    ] {
        let is_user = variable == "PGUSER" || value.starts_with("user=");
        let base = match (variable, value.split('=').next()) {
            _ if is_user => format!("postgresql://127.0.0.1:{port}/{database}"),
            ("PGDATABASE", _) | ("SERVICE", Some("dbname")) => server.to_owned(),
            _ => url.clone(),
        };
        for format in ["table", "json"] {
            let mut sandbox = on(&base);
            if variable == "SERVICE" {
                sandbox.write("services", format!("[app]\n{value}\n"));
                let file = sandbox.path("services").display().to_string();
                sandbox = sandbox.with_env("PGSERVICE", "app").with_env("PGSERVICEFILE", &file);
            } else {
                sandbox = sandbox.with_env(variable, value);
            }
            if is_user {
                sandbox = sandbox.with_env("PGPASSWORD", "wrong");
            }
            for command in ["init", "list"] {
                let run = sandbox.run(&[command, "--format", format]);
                assert!([2, 4].contains(&run.status), "{variable}={value}: {run}");
                assert!(run.stderr.contains(part), "{variable}={value}: {run}");
                assert!(!run.to_string().contains("hunter2"), "{variable}={value}: {run}");
            }
        }
    }
    // Valid options work, and are not shown.
    let run = on(&format!("{url}?options=-c%20app.secret%3Dhunter2")).run(&["init"]);
    assert_ok(&run);
    assert!(!run.to_string().contains("hunter2"), "{run}");
}

#[test]
fn read_only_database_rejects_changes() {
    let Some(cluster) = cluster() else { return };
    let setting = "default_transaction_read_only";
    let role = cluster.role("");
    let mut admin = cluster.superuser("postgres");
    for (alter, whose) in [
        ("ALTER DATABASE \"{db}\"", "for the database"),
        ("ALTER ROLE \"{role}\"", "for the role"),
        ("ALTER ROLE \"{role}\" IN DATABASE \"{db}\"", "for the role in the database"),
    ] {
        let database = cluster.empty_database(&role);
        let url = cluster.url(&role, &role, &database);
        let sandbox = on(&url);
        assert_ok(&sandbox.run(&["seed"]));
        let alter = alter.replace("{db}", &database).replace("{role}", &role);
        admin.batch_execute(&format!("{alter} SET {setting} = on")).unwrap();
        let before = sandbox.run(&["export"]);
        assert_ok(&before);
        for args in [
            &["lock", "alice"][..],
            &["remove", "bob", "--yes"],
            &["passwd", "alice", "--generate"],
            &["update", "alice", "--language", "de"],
        ] {
            let run = sandbox.run(args);
            assert_fails(&run, 4, &format!("it is read-only: {setting} is on {whose}"));
            assert!(hint(&run).contains(&format!("{alter} RESET")), "{run}");
        }
        for args in [&["init"][..], &["list"], &["check"], &["history"]] {
            assert_eq!(sandbox.run(args).status % 7, 0, "{args:?}");
        }
        assert_eq!(sandbox.run(&["export"]).stdout, before.stdout);
        // PGOPTIONS overrides the setting, as with psql.
        let meant = on(&url).with_env("PGOPTIONS", "-cdefault_transaction_read_only=off");
        assert_ok(&meant.run(&["lock", "alice"]));
        let statement = hint(&sandbox.run(&["lock", "bob"]));
        let statement = statement.split(": ").nth(1).unwrap();
        admin.batch_execute(statement).unwrap();
        assert_ok(&sandbox.run(&["lock", "bob"]));
    }
    let asked = seeded(cluster).with_env("PGOPTIONS", "-cdefault_transaction_read_only=on");
    assert_fails(&asked.run(&["lock", "alice"]), 4, "by PGOPTIONS or the options of the URL");
}

#[test]
fn standby_is_reported_and_skipped() {
    let Some(primary) = cluster() else { return };
    let Some(standby) = or_skip(Cluster::start(&[])) else { return };
    let url = standby.database();
    assert_ok(&on(&url).run(&["seed"]));
    standby.stop();
    standby.write("standby.signal", b"");
    standby.restart();
    let sandbox = on(&url);
    assert_ok(&sandbox.run(&["list"]));
    let run = sandbox.run(&["lock", "alice"]);
    assert_fails(&run, 4, "the server is a standby, which is read-only");
    assert!(hint(&run).contains("target_session_attrs=read-write"), "{run}");
    for (attributes, reason) in
        [("read-write", "is a standby, which is read-only"), ("primary", "is a standby")]
    {
        let run = on(&format!("{url}?target_session_attrs={attributes}")).run(&["list"]);
        assert_fails(&run, 4, reason);
        let run = sandbox.run(&["list"]);
        assert_ok(&run);
    }
    // Of two hosts, the environment selects one.
    let database = name(&url);
    let hosts = format!("127.0.0.1:{},127.0.0.1:{}", standby.port(), primary.port());
    let sandbox = empty();
    let passwords = format!(
        "127.0.0.1:{}:*:{OWNER}:{}\n127.0.0.1:{}:*:{OWNER}:{}\n",
        standby.port(),
        standby.password(),
        primary.port(),
        primary.password()
    );
    sandbox.write("passwords", passwords);
    fs::set_permissions(sandbox.path("passwords"), fs::Permissions::from_mode(0o600)).unwrap();
    let file = sandbox.path("passwords").display().to_string();
    for (attributes, status) in [
        ("any", 0),
        ("standby", 0),
        ("prefer-standby", 0),
        ("read-only", 0),
        // The primary has no database of that name.
        ("primary", 4),
        ("read-write", 4),
    ] {
        let sandbox =
            on(&format!("postgresql://{OWNER}@{hosts}/{database}")).with_env("PGPASSFILE", &file);
        let run = sandbox.with_env("PGTARGETSESSIONATTRS", attributes).run(&["list"]);
        assert_eq!(run.status, status, "{attributes}: {run}");
        assert_eq!(run.stderr.contains("does not exist"), status == 4, "{attributes}: {run}");
    }
}

#[test]
fn permission_denied_shows_grant() {
    let Some(cluster) = cluster() else { return };
    let url = cluster.database();
    let owner = on(&url);
    assert_ok(&owner.run(&["seed"]));
    let role = cluster.role("");
    let sandbox = on(&cluster.url(&role, &role, name(&url)));
    let mut admin = connect(&url);
    let run = sandbox.run(&["list"]);
    assert_fails(&run, 4, "permission denied for table");
    assert!(hint(&run).contains(&format!("GRANT SELECT ON public.users TO {role};")), "{run}");
    admin.batch_execute(&hint(&run)).unwrap();
    assert_ok(&sandbox.run(&["list"]));
    let run = sandbox.run(&["lock", "alice"]);
    assert_fails(&run, 4, "permission denied for table");
    let wanted = format!("GRANT INSERT, UPDATE, DELETE ON public.users TO {role};");
    assert!(hint(&run).contains(&wanted), "{run}");
    admin.batch_execute(&hint(&run)).unwrap();
    assert_ok(&sandbox.run(&["lock", "alice"]));
    assert_ok(&sandbox.run(&["group", "add", "alice", "staff"]));
    // The hint names the missing privilege on the schema.
    let mut superuser = cluster.superuser(name(&url));
    superuser.batch_execute("REVOKE USAGE ON SCHEMA public FROM PUBLIC").unwrap();
    let run = sandbox.run(&["list"]);
    assert!(hint(&run).contains(&format!("GRANT USAGE ON SCHEMA public TO {role};")), "{run}");
    // The hint quotes names.
    let database = name(&url);
    superuser
        .batch_execute(&format!("GRANT USAGE ON SCHEMA public TO PUBLIC; CREATE ROLE \"O'Neil x{database}\" LOGIN PASSWORD 'x'"))
        .unwrap();
    let odd = on(&cluster.url(&format!("O%27Neil%20x{database}"), "x", database));
    let run = odd.run(&["list"]);
    assert!(hint(&run).contains(&format!("TO \"O'Neil x{database}\";")), "{run}");
    superuser.batch_execute(&hint(&run)).unwrap();
    assert_ok(&odd.run(&["list"]));
    superuser.batch_execute(&format!("REVOKE CONNECT ON DATABASE {database} FROM PUBLIC")).unwrap();
    let run = odd.run(&["list"]);
    assert_fails(&run, 4, "permission denied for database");
    superuser.batch_execute(&hint(&run)).unwrap();
    assert_ok(&odd.run(&["list"]));
}
