//! The privileges that the guide for PostgreSQL grants are sufficient, and all are needed.

use crate::program::{GOOD, Run, SECRET123, Sandbox};
use crate::sample;
use crate::server::{Cluster, cluster, connect};
use crate::support::{assert_ok, name, on};

const GUIDE: &str = include_str!("../../docs/how-to/postgresql.md");

/// The guide's block of SQL that has this statement.
fn block(statement: &str) -> &'static str {
    let blocks = GUIDE.split("```sql\n").skip(1);
    let mut blocks = blocks.map(|block| block.split_once("```").expect("its end").0);
    blocks.find(|block| block.contains(statement)).expect("a block of SQL")
}

/// The privileges that a block grants, each with its table.
fn privileges(block: &str) -> Vec<(String, String)> {
    let grants = block.lines().filter_map(|line| line.strip_prefix("GRANT "));
    let mut all = Vec::new();
    for grant in grants {
        let (privileges, rest) = grant.split_once(" ON ").expect("GRANT … ON … TO …");
        let (tables, _) = rest.split_once(" TO ").expect("GRANT … ON … TO …");
        for table in tables.split(", ") {
            let of_table = privileges.split(", ").map(|privilege| (privilege.into(), table.into()));
            all.extend(of_table);
        }
    }
    all
}

/// A database, and a role with the privileges of a block that does not own it: the URLs of the
/// owner and the role, and its name.
fn with_grants(cluster: &Cluster, grants: &str, role_in_block: &str) -> (String, String, String) {
    let owner = cluster.database();
    assert_ok(&on(&owner).run(&["init"]));
    let role = cluster.role("");
    let create = |line: &&str| !line.starts_with("CREATE ROLE");
    let sql: Vec<_> = grants.lines().filter(create).collect();
    let sql = sql.join("\n").replace(&format!("TO {role_in_block};"), &format!("TO {role};"));
    connect(&owner).batch_execute(&sql).unwrap();
    let url = cluster.url(&role, &role, name(&owner));
    (owner, url, role)
}

/// The commands that an administrator uses.
fn work(sandbox: &Sandbox) -> Result<(), Run> {
    let hash = format!("username,password_hash,groups\nfrank,{SECRET123},staff\n");
    sandbox.write("new.csv", &hash);
    let changed = hash.replace("staff", "admins").replace("1ffcc3ba", "1ffcc3bb");
    sandbox.write("changed.csv", changed);
    let add = ["add", "carol", "--password-stdin", "--group", "admins"];
    for args in [
        &["init"][..],
        &["migrate", "--status"],
        &add,
        &["passwd", "carol", "--password-stdin"],
        &["verify", "carol", "--password-stdin"],
        &["rehash", "carol", "--password-stdin"],
        &["update", "carol", "--language", "de"],
        &["lock", "carol"],
        &["unlock", "carol"],
        &["group", "add", "carol", "staff"],
        &["group", "remove", "carol", "staff"],
        &["rename", "carol", "dora"],
        &["seed", "new.csv"],
        &["import", "changed.csv", "--on-conflict", "update"],
        &["list"],
        &["show", "dora"],
        &["history"],
        &["check"],
        &["export"],
        &["remove", "dora", "frank", "--yes"],
        // Into an empty table, and into one with users.
        &["import", "new.csv"],
        &["remove", "frank", "--yes"],
        &add,
        &["import", "new.csv"],
        &["remove", "frank", "carol", "--yes"],
    ] {
        let run = sandbox.run_with(GOOD, args);
        // The check finds a cheap hash.
        if run.status != 0 && !(run.status == 7 && args == ["check"]) {
            return Err(run);
        }
    }
    Ok(())
}

#[test]
fn app_role_reads_two_tables_only() {
    let Some(cluster) = cluster() else { return };
    let grants = block("TO app;");
    let (owner, url, role) = with_grants(cluster, grants, "app");
    assert_ok(&on(&owner).run(&["seed"]));
    // As since PostgreSQL 15.
    let revoke = "REVOKE CREATE ON SCHEMA public FROM PUBLIC";
    cluster.superuser(name(&owner)).batch_execute(revoke).unwrap();
    let mut app = connect(&url);
    let read = |sql: &str, app: &mut postgres::Client| app.query(sql, &[]).map(|rows| rows.len());
    assert_eq!(read("SELECT password_hash FROM users", &mut app).unwrap(), 2);
    assert_eq!(read("SELECT group_name FROM user_groups", &mut app).unwrap(), 0);
    for sql in [
        "SELECT FROM user_events",
        "SELECT FROM dash_users_times",
        "UPDATE users SET language = 'de'",
        "DELETE FROM users",
        "INSERT INTO user_groups VALUES ('alice', 'admins')",
        "CREATE TABLE own ()",
    ] {
        let error = app.query(sql, &[]).map(drop).expect_err(sql);
        assert!(error.as_db_error().unwrap().message().starts_with("permission denied"), "{sql}");
    }
    // An app with a sign-up page has one more privilege; the history records it anyway.
    let insert = format!("INSERT INTO users VALUES ('carol', '{SECRET123}', 'en')");
    app.batch_execute(&insert).expect_err("no right to");
    connect(&owner).batch_execute(&format!("GRANT INSERT ON users TO {role}")).unwrap();
    app.batch_execute(&insert).unwrap();
    let event = "SELECT action || ' ' || username FROM user_events ORDER BY id DESC LIMIT 1";
    let event: String = connect(&owner).query_one(event, &[]).unwrap().get(0);
    assert_eq!(event, "add carol");
    let expected = ["users", "user_groups"].map(|table| ("SELECT".to_owned(), table.to_owned()));
    assert_eq!(privileges(grants), expected);
}

#[test]
fn administrator_role_can_run_all_commands() {
    let Some(cluster) = cluster() else { return };
    let grants = block("TO administrator;");
    let (owner, url, role) = with_grants(cluster, grants, "administrator");
    let sandbox = on(&url);
    if let Err(run) = work(&sandbox) {
        panic!("{run}");
    }
    let mut owner = connect(&owner);
    for (privilege, table) in privileges(grants).into_iter().step_by(sample::of(3, 1)) {
        owner.batch_execute(&format!("REVOKE {privilege} ON {table} FROM {role}")).unwrap();
        let run = work(&sandbox).expect_err(&format!("{privilege} on {table} is not needed"));
        assert_eq!(run.status, 4, "{privilege} on {table}: {run}");
        owner.batch_execute(&format!("GRANT {privilege} ON {table} TO {role}")).unwrap();
        // The failed run left users.
        owner.batch_execute("DELETE FROM users").unwrap();
    }
    if let Err(run) = work(&sandbox) {
        panic!("{run}");
    }
    // Only the owner can change tables and triggers.
    let mut administrator = connect(&url);
    for sql in
        ["ALTER TABLE users DISABLE TRIGGER ALL", "TRUNCATE users", "DELETE FROM user_events"]
    {
        administrator.batch_execute(sql).expect_err(sql);
    }
}
