//! Moving users between SQLite and PostgreSQL without loss.

use std::fs;
use std::process::Command;

use crate::program::{SECRET123, Sandbox};
use crate::server::cluster;
use crate::support::{assert_fails, assert_ok, on};

fn export(sandbox: &Sandbox, database: &str, file: &str) -> Vec<u8> {
    assert_ok(&sandbox.run(&["export", file, "--database", database]));
    fs::read(sandbox.path(file)).unwrap()
}

#[test]
fn export_is_identical_on_sqlite_and_postgres() {
    let Some(cluster) = cluster() else { return };
    let (first, second) = (cluster.database(), cluster.database());
    let sandbox = on("unused.db");
    let rows = [
        ("alice", SECRET123.to_owned(), "en", "admins;staff"),
        ("Bob", SECRET123.to_owned(), "pt-BR", ""),
        ("bob", format!("!{}", SECRET123.replace('$', "|")), "zh-Hant-TW", "staff"),
        ("Zoë Ångström", SECRET123.to_owned(), "de", "Größe L"),
        ("山田太郎", SECRET123.to_owned(), "ja", "社員"),
        ("a:b", "clear text".to_owned(), "not a language", "x"),
        ("-x", String::from("$2b$12$abcdefghijklmnopqrstuv"), "", "x"),
        ("\"quoted\" \\ and\ttab", "!".to_owned(), "e\nn", "x"),
        ("é", String::new(), "en", "x"),
        ("\u{1f338}", SECRET123.to_owned(), "en", "a\u{301}"),
    ];
    let lines = rows.map(|(username, password_hash, language, groups)| {
        let groups: Vec<_> = groups.split(';').filter(|group| !group.is_empty()).collect();
        serde_json::json!({
            "username": username, "password_hash": password_hash, "language": language,
            "groups": groups,
        })
        .to_string()
    });
    sandbox.write("odd.jsonl", lines.join("\n"));
    let import = |file: &str, database: &str| {
        let args = ["import", file, "--as-is", "--database", database];
        assert_ok(&sandbox.run(&args));
    };
    import("odd.jsonl", "first.db");
    assert_ok(&sandbox.run(&["lock", "alice", "--database", "first.db"]));
    for format in ["csv", "json", "jsonl"] {
        let name = |step: &str| format!("{step}.{format}");
        let from_sqlite = export(&sandbox, "first.db", &name("sqlite"));
        for server in [&first, &second] {
            assert_ok(&sandbox.run(&["init", "--database", server]));
        }
        let there = cluster.database();
        import(&name("sqlite"), &there);
        assert_eq!(export(&sandbox, &there, &name("postgres")), from_sqlite, "{format}");
        let back = format!("{format}.db");
        import(&name("postgres"), &back);
        assert_eq!(export(&sandbox, &back, &name("back")), from_sqlite, "{format}");
        assert!(String::from_utf8_lossy(&from_sqlite).contains("pbkdf2:sha256:1000|"));
    }
    // Between two servers, over a pipe.
    import("sqlite.json", &first);
    let json = sandbox.run(&["export", "--output-format", "json", "--database", &first]);
    let args = ["import", "-", "--input-format", "json", "--as-is", "--database", &second];
    assert_ok(&sandbox.run_with(json.stdout, &args));
    assert_eq!(
        export(&sandbox, &second, "second.json"),
        fs::read(sandbox.path("sqlite.json")).unwrap()
    );
    // A locked user can be unlocked.
    assert_ok(&sandbox.run(&["unlock", "alice", "--database", &second]));
    let verify = ["verify", "alice", "--password-stdin", "--database", &second];
    assert_ok(&sandbox.run_with("secret123", &verify));
}

#[test]
fn import_rejects_text_postgres_cannot_store() {
    let Some(cluster) = cluster() else { return };
    let url = cluster.database();
    let sandbox = on(&url);
    assert_ok(&sandbox.run(&["init"]));
    for (name, reason) in [
        ("\"a\\u0000b\"", "PostgreSQL cannot store"),
        ("null", "null value in column \"username\""),
    ] {
        let row = |name| {
            format!("{{\"username\": {name}, \"password_hash\": \"x\", \"language\": \"en\"}}\n")
        };
        sandbox.write("odd.jsonl", row("\"alice\"") + &row(name));
        assert_fails(&sandbox.run(&["import", "odd.jsonl", "--as-is"]), 1, reason);
        assert_eq!(sandbox.run(&["export"]).stdout.lines().count(), 1);
        assert_eq!(sandbox.run(&["history", "--format", "plain"]).stdout, "");
    }
}

#[test]
fn pg_dump_restores_users_groups_and_history() {
    let Some(cluster) = cluster() else { return };
    if !cluster.has("pg_dump") {
        return;
    }
    let (from, to) = (cluster.database(), cluster.database());
    let sandbox = on(&from);
    assert_ok(&sandbox.run(&["seed"]));
    assert_ok(&sandbox.run(&["lock", "bob"]));
    assert_ok(&sandbox.run(&["group", "add", "alice", "admins"]));
    let mut dump = Command::new(cluster.programs().join("pg_dump"));
    let dump = dump.args(["--format=custom", "--dbname", &from]).output().unwrap();
    assert!(dump.status.success(), "{dump:?}");
    sandbox.write("app.dump", dump.stdout);
    let file = fs::File::open(sandbox.path("app.dump")).unwrap();
    let mut restore = Command::new(cluster.programs().join("pg_restore"));
    assert!(restore.args(["--dbname", &to]).stdin(file).status().unwrap().success());
    for args in [&["export"][..], &["list", "--json"], &["history", "--json"]] {
        assert_eq!(on(&to).run(args), sandbox.run(args));
    }
    let findings = on(&to).run(&["check", "--format", "plain"]).stdout;
    let codes: Vec<_> = findings.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert!(codes.iter().all(|code| ["demo_password", "hash_weak"].contains(code)), "{codes:?}");
    assert_ok(&on(&to).run(&["unlock", "bob"]));
}
