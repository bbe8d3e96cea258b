//! The command blocks of the guide for PostgreSQL, on a real server.

use crate::pages;
use crate::program::{GOOD, Sandbox, program_directory};
use crate::server::{Cluster, DEBIAN, OWNER, cluster, connect};
use crate::skip::or_skip;
use crate::support::{assert_ok, name, on};

/// The databases in the guide.
const URLS: [&str; 2] =
    ["postgresql://owner@db.example.org/app", "postgresql://administrator@db.example.org/app"];

fn run(cluster: &Cluster, sandbox: &Sandbox, database: &str, commands: &str) {
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", program_directory().display());
    let programs = cluster.programs().display();
    let installed = format!("{programs}:{path}:$(echo {DEBIAN}/*/bin | tr ' ' ':')");
    let output = sandbox
        .shell(&format!("set -e; PATH={installed}\n{commands}"))
        .env("PATH", path)
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", cluster.port().to_string())
        .env("PGUSER", OWNER)
        .env("PGPASSWORD", cluster.password())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{database}: {commands}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn guide_for_postgresql_runs_as_written() {
    let Some(cluster) = cluster() else { return };
    if !cluster.has("pg_dump") {
        return;
    }
    let url = cluster.database();
    let database = name(&url);
    let sandbox = on("users.db");
    assert_ok(&sandbox.run_with(GOOD, &["init"]));
    assert_ok(&sandbox.run_with(GOOD, &["add", "carol", "--password-stdin"]));

    let page = pages::page("docs/how-to/postgresql.md");
    let blocks: Vec<_> = page.blocks_of("sh");
    assert_eq!(blocks.len(), 3);
    let commands =
        URLS.iter().fold(blocks.concat(), |commands, other| commands.replace(other, &url));
    let commands = commands.replace("app.dump app\n", &format!("app.dump {database}\n"));
    run(cluster, &sandbox, database, &commands);

    let count = connect(&url).query_one("SELECT count(*) FROM users", &[]).unwrap();
    assert_eq!(count.get::<_, i64>(0), 2);
    assert!(sandbox.path("app.dump").exists());
}

#[test]
fn guide_for_a_fleet_runs_as_written() {
    let Some(primary) = or_skip(Cluster::start(&["synchronous_commit = on"])) else { return };
    if !primary.has("pg_dump") {
        return;
    }
    let url = primary.database();
    assert_ok(&on(&url).run(&["init"]));
    assert_ok(&on(&url).run_with(GOOD, &["add", "alice", "--password-stdin"]));
    let Some(standby) = or_skip(primary.standby(&[])) else { return };
    let database = name(&url);
    let page = pages::page("docs/how-to/postgresql-fleet.md");
    let mut admin = primary.superuser(database);
    admin.batch_execute("CREATE ROLE app; ALTER ROLE owner CREATEDB").unwrap();
    for block in page.blocks_of("sql") {
        for statement in block.split_inclusive(";\n") {
            admin.simple_query(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
    }
    let hosts = format!("127.0.0.1:{},127.0.0.1:{}", standby.port(), primary.port());
    let commands = page.blocks_of("sh").concat();
    let hosts = format!("{OWNER}@{hosts}/{database}");
    let commands = commands
        .replace("administrator@db1.example.org,db2.example.org/app", &hosts)
        .replace("app.dump app\n", &format!("app.dump {database}\n"));
    run(&primary, &on("users.db"), database, &commands);
}
