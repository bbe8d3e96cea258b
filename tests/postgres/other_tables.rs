//! Tables of apps, and the history's owner: the hints work when they are pasted.

use std::process::Output;

use crate::program::{GOOD, SECRET123, Sandbox};
use crate::server::{cluster, connect};
use crate::support::{assert_fails, assert_ok, name, on};

fn paste(sandbox: &Sandbox, password: &str, lines: &str) -> Output {
    let program = crate::program::program_directory().display().to_string();
    let path = format!("{program}:{}", std::env::var("PATH").unwrap_or_default());
    let mut shell = sandbox.shell(lines);
    shell.env("PATH", path).env("PGPASSWORD", password).output().unwrap()
}

fn indented(stderr: &str) -> String {
    stderr.lines().filter(|line| line.starts_with("  ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn hints_for_tables_of_apps_work() {
    let Some(cluster) = cluster() else { return };
    let url = cluster.database();
    let sandbox = on(&url);
    if !paste(&sandbox, "", "psql --version").status.success() {
        return;
    }
    let mut app = connect(&url);
    app.batch_execute(
        "CREATE TABLE users (username text, password_hash text);
         CREATE TABLE \"user\" (email text, password text)",
    )
    .unwrap();
    let insert = "INSERT INTO \"user\" VALUES ('ann@example.org', $1)";
    app.execute(insert, &[&SECRET123]).unwrap();
    let refused = sandbox.run(&["init"]);
    assert_fails(&refused, 4, "init --add-language --add-unique-index");
    let sql = indented(&refused.stderr);
    app.batch_execute(&sql).unwrap();
    assert_ok(&sandbox.run(&["init"]));
    let done = sandbox.run(&["init", "--add-language", "--add-unique-index"]);
    assert!(done.stderr.contains("already has a column 'language'"), "{done}");

    let url = cluster.database();
    let sandbox = on(&url);
    let mut app = connect(&url);
    app.batch_execute("CREATE TABLE \"user\" (email text, password text)").unwrap();
    app.execute(insert, &[&SECRET123]).unwrap();
    let done = sandbox.run(&["init"]);
    assert!(done.stderr.starts_with("created table 'users' in "), "{done}");
    let output = paste(&sandbox, cluster.password(), &indented(&done.stderr));
    assert!(output.status.success(), "{done}: {output:?}");
    assert_ok(&sandbox.run(&["show", "ann@example.org"]));
}

#[test]
fn table_and_history_are_changed_by_their_owner_only() {
    let Some(cluster) = cluster() else { return };
    let role = cluster.role("");
    let owner = cluster.database();
    assert_ok(&on(&owner).run(&["seed", "--quiet"]));
    connect(&owner)
        .batch_execute(&format!("GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}"))
        .unwrap();
    let other = on(&cluster.url(&role, &role, name(&owner)));
    let add = other.run_with(GOOD, &["add", "zoe", "--password-stdin"]);
    assert_ok(&add);
    let pruned = other.run(&["history", "--prune-before", "0h", "--yes"]);
    assert_fails(&pruned, 4, "who owns the history, can prune it: connect as");
    assert_ok(&on(&owner).run(&["history", "--prune-before", "0h", "--yes"]));

    let owner = cluster.database();
    connect(&owner)
        .batch_execute(&format!(
            "CREATE TABLE users (username text, password_hash text);
             GRANT ALL ON users TO {role}; GRANT ALL ON SCHEMA public TO {role}"
        ))
        .unwrap();
    let other = on(&cluster.url(&role, &role, name(&owner)));
    let refused = other.run(&["init", "--add-language", "--add-unique-index"]);
    assert_fails(&refused, 4, "its table 'users' belongs to");
}
