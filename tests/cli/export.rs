use std::fs;
use std::os::unix::fs::PermissionsExt;

use rusqlite::Connection;
use snapbox::str;

use crate::support::{SECRET123, Sandbox, initialized};

/// A database with a locked user, a user in groups, and rows that no command would create.
fn odd() -> Sandbox {
    let sandbox = initialized();
    sandbox.sql(&format!(
        r#"INSERT INTO users VALUES ('ann', '{SECRET123}', 'en'), ('ben', '{SECRET123}', 'pt-BR');
        INSERT INTO users VALUES
            (NULL, 'x', 'en'), ('', '', ''), ('a:b', 'plain text', 'no language at all'),
            ('say "hi", ann', 'it''s, ; so', 'e,n'), ('\', '\null', '\"'), ('null', '[]', '{{}}'),
            (x'00ff', x'', x'414243'), (CAST(x'ff00' AS TEXT), CAST(x'c3' AS TEXT), CAST(x'80' AS TEXT)),
            ('line' || char(10) || 'end', char(13, 10), char(27) || '[31m'),
            ('nul' || char(0) || 'nul', char(0), 'en'), ('Ann', '=1+1', ' en '), ('ünï', '🌸', '𐌰');
        INSERT INTO user_groups VALUES ('a:b', ';'), ('a:b', ''), ('a:b', 'a;b'), ('\', '\');
        "#
    ));
    assert_eq!(sandbox.run(&["group", "add", "ben", "staff", "admins"]).status, 0);
    assert_eq!(sandbox.run(&["lock", "ben"]).status, 0);
    sandbox
}

/// A database with two users that are always the same.
fn plain() -> Sandbox {
    let sandbox = initialized();
    sandbox.sql(&format!(
        "INSERT INTO users VALUES ('ann', '{SECRET123}', 'en'), ('ben', '{SECRET123}', 'pt-BR');"
    ));
    assert_eq!(sandbox.run(&["group", "add", "ben", "staff", "admins"]).status, 0);
    sandbox
}

/// All rows of users and groups, read with SQL.
fn rows(sandbox: &Sandbox, database: &str) -> Vec<String> {
    let connection = Connection::open(sandbox.path(database)).unwrap();
    let mut rows = Vec::new();
    for query in [
        "SELECT quote(username) || ' ' || hex(username) || ' ' || quote(password_hash) || ' ' || hex(password_hash) || ' ' ||
         quote(language) || ' ' || hex(language) FROM users ORDER BY 1",
        "SELECT quote(username) || ' ' || hex(username) || ' ' || quote(group_name) FROM user_groups ORDER BY 1",
    ] {
        let mut statement = connection.prepare(query).unwrap();
        let found = statement.query_map((), |row| {
            let bytes = row.get_ref(0)?.as_bytes()?.to_owned();
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        });
        rows.extend(found.unwrap().map(Result::unwrap));
    }
    rows
}

#[test]
fn export_and_import_as_is_round_trip() {
    let sandbox = odd();
    let expected = rows(&sandbox, "users.db");
    for format in ["csv", "json", "jsonl"] {
        let [file, again, database] =
            ["", "again.", "db."].map(|infix| format!("copy.{infix}{format}"));
        let run = sandbox.run(&["export", &file]);
        assert_eq!(run.status, 0, "{run}");
        let run = sandbox.run(&["import", &file, "--as-is", "-d", &database, "--json"]);
        assert_eq!(run.status, 0, "{run}");
        assert_eq!(run.json()["added"], 14, "{run}");
        assert_eq!(rows(&sandbox, &database), expected, "{format}");
        assert_eq!(sandbox.run(&["export", &again, "-d", &database]).status, 0);
        let read = |name| sandbox.read(name);
        assert!(read(&file) == read(&again), "{format}");

        // All exist already, also the user named NULL.
        let update = ["import", &file, "--as-is", "--on-conflict", "update", "--json"];
        let run = sandbox.run(&[&update[..], &["-d", &database]].concat());
        assert_eq!((&run.json()["changed"], &run.json()["unchanged"]), (&0.into(), &14.into()));
    }
    let verify = ["verify", "ben", "--password-stdin", "-d", "copy.db.csv"];
    assert_eq!(sandbox.run_with("secret123", &verify).status, 3, "the copy is locked too");
    sandbox.run(&["unlock", "ben", "-d", "copy.db.csv"]);
    assert_eq!(sandbox.run_with("secret123", &verify).status, 0);
}

#[test]
fn export_format_comes_from_file_name_or_option() {
    let sandbox = plain();
    sandbox.assert_session(str![[r#"
$ dash-users export
status 0
-- stdout
username,password_hash,language,groups,locked
ann,pbkdf2:sha256:1000$cXcFpMbSWnUBUfdk$1ffcc3ba1a859774713ed1ca80b7470388d1764e13351cdab2c88bbfcb4340a9,en,,false
ben,pbkdf2:sha256:1000$cXcFpMbSWnUBUfdk$1ffcc3ba1a859774713ed1ca80b7470388d1764e13351cdab2c88bbfcb4340a9,pt-BR,admins;staff,false

$ dash-users export --json
status 0
-- stdout
[
{"username":"ann","password_hash":"pbkdf2:sha256:1000$cXcFpMbSWnUBUfdk$1ffcc3ba1a859774713ed1ca80b7470388d1764e13351cdab2c88bbfcb4340a9","language":"en","groups":[],"locked":false},
{"username":"ben","password_hash":"pbkdf2:sha256:1000$cXcFpMbSWnUBUfdk$1ffcc3ba1a859774713ed1ca80b7470388d1764e13351cdab2c88bbfcb4340a9","language":"pt-BR","groups":["admins","staff"],"locked":false}
]

$ dash-users export - --output-format jsonl
status 0
-- stdout
{"username":"ann","password_hash":"pbkdf2:sha256:1000$cXcFpMbSWnUBUfdk$1ffcc3ba1a859774713ed1ca80b7470388d1764e13351cdab2c88bbfcb4340a9","language":"en","groups":[],"locked":false}
{"username":"ben","password_hash":"pbkdf2:sha256:1000$cXcFpMbSWnUBUfdk$1ffcc3ba1a859774713ed1ca80b7470388d1764e13351cdab2c88bbfcb4340a9","language":"pt-BR","groups":["admins","staff"],"locked":false}

$ dash-users export users.tsv
status 2
-- stderr
error: cannot tell the format of users.tsv from its name
hint: use a name such as users.csv, or --output-format csv, json or jsonl

"#]]);
    assert_eq!(sandbox.run(&["export", "users.tsv", "--output-format", "csv"]).status, 0);
    let written = sandbox.read_text("users.tsv");
    assert_eq!(written, sandbox.run(&["export"]).stdout);
}

#[test]
fn export_json_to_stdout_is_one_document() {
    for sandbox in [odd(), initialized()] {
        let run = sandbox.run(&["export", "--json"]);
        assert_eq!((run.status, &*run.stderr), (0, ""), "{run}");
        assert!(run.json().is_array(), "{run}");
    }
}

#[test]
fn export_file_is_private_and_needs_force_to_overwrite() {
    let sandbox = plain();
    sandbox.assert_session(str![[r#"
$ dash-users export copy.csv
status 0
-- stderr
exported 2 users from [DIR]/users.db to [DIR]/copy.csv

"#]]);
    let path = sandbox.path("copy.csv");
    let mode = || sandbox.mode("copy.csv");
    assert_eq!(mode(), 0o600);

    fs::write(&path, "precious ".repeat(1000)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    sandbox.assert_session(str![[r#"
$ dash-users export copy.csv
status 1
-- stderr
error: [DIR]/copy.csv already exists
hint: choose another file, or use --force to overwrite it

$ dash-users export copy.csv --json
status 1
-- stderr
{"error":{"code":"file_exists","status":1,"message":"[DIR]/copy.csv already exists","hint":"choose another file, or use --force to overwrite it"}}

"#]]);
    assert_eq!(fs::read(&path).unwrap().len(), 9000);
    sandbox.assert_session(str![[r#"
$ dash-users export copy.csv --force --json
status 0
-- stdout
{"database":"[DIR]/users.db","action":"export","changed":true,"file":"[DIR]/copy.csv","users":2}

"#]]);
    assert_eq!(fs::read_to_string(&path).unwrap(), sandbox.run(&["export"]).stdout);
    assert_eq!(mode(), 0o600);
}

#[test]
fn export_never_overwrites_its_database() {
    let sandbox = plain();
    std::os::unix::fs::symlink("users.db", sandbox.path("link.csv")).unwrap();
    fs::hard_link(sandbox.path("users.db"), sandbox.path("hard.csv")).unwrap();
    let before = sandbox.read("users.db");
    sandbox.assert_session(str![[r#"
$ dash-users export users.db --output-format csv --force
status 2
-- stderr
error: [DIR]/users.db is the database itself
hint: choose another file

"#]]);
    for file in ["link.csv", "hard.csv", "./users.db"] {
        let run = sandbox.run(&["export", file, "--output-format", "csv", "--force"]);
        assert_eq!(run.status, 2, "{file}: {run}");
    }
    assert!(sandbox.read("users.db") == before);
}

#[test]
fn export_reports_impossible_paths() {
    let sandbox = plain();
    fs::create_dir(sandbox.path("directory.csv")).unwrap();
    sandbox.assert_session(str![[r#"
$ dash-users export directory.csv --force
status 1
-- stderr
error: cannot write [DIR]/directory.csv: it is a directory
hint: give a file in that directory

$ dash-users export .
status 1
-- stderr
error: cannot write [DIR]: it is a directory
hint: give a file in that directory

$ dash-users export no/such/users.csv
status 1
-- stderr
error: cannot write [DIR]/no/such/users.csv: its directory does not exist
hint: run `mkdir -p [DIR]/no/such`, or choose another file

"#]]);
}

#[test]
fn export_without_hashes_contains_none() {
    let sandbox = plain();
    sandbox.assert_session(str![[r#"
$ dash-users export --without-hashes
status 0
-- stdout
username,language,groups,locked
ann,en,,false
ben,pt-BR,admins;staff,false

"#]]);
    for format in ["json", "jsonl"] {
        let run = sandbox.run(&["export", "--without-hashes", "--output-format", format]);
        assert!(run.stdout.contains("ann") && !run.stdout.contains("pbkdf2"), "{run}");
        assert!(!run.stdout.contains("password_hash"), "{run}");
    }
    // It updates existing users, and needs passwords for new ones.
    sandbox.run(&["export", "copy.csv", "--without-hashes"]);
    let import = ["import", "copy.csv", "--json"];
    assert_eq!(sandbox.run(&[&import[..], &["-d", "other.db"]].concat()).status, 7);
    let run = sandbox.run(&[&import[..], &["--on-conflict", "update"]].concat());
    assert_eq!(run.json()["unchanged"], 2, "{run}");
}

#[test]
fn export_to_closed_pipe_succeeds() {
    let sandbox = initialized();
    // More than a pipe's buffer.
    sandbox.sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
         INSERT INTO users SELECT 'user' || i, hex(zeroblob(50)), 'en' FROM n",
    );
    sandbox.assert_session(str![[r#"
$ { dash-users export; echo "<$?>" >&2; } | head -n 1
status 0
-- stdout
username,password_hash,language,groups,locked
-- stderr
<0>

"#]]);
}

#[test]
fn export_does_not_change_database() {
    let sandbox = odd();
    let before = sandbox.read("users.db");
    for format in ["csv", "json", "jsonl"] {
        sandbox.run(&["export", "--output-format", format]);
    }
    assert!(sandbox.read("users.db") == before);
}

#[test]
fn export_and_import_keep_locked_users() {
    let sandbox = plain();
    assert_eq!(sandbox.run(&["lock", "ben"]).status, 0);
    let export = |format: &str| sandbox.run(&["export", "--output-format", format]).stdout;
    for (format, ben) in
        [("csv", ",true\n"), ("json", "\"locked\":true"), ("jsonl", "\"locked\":true")]
    {
        let exported = export(format);
        assert!(exported.contains(ben), "{exported}");
        for options in [&["--as-is"][..], &[]] {
            let import = ["import", "-", "--input-format", format, "--database", "again.db"];
            let run = sandbox.run_with(&exported, &[&import, options].concat());
            assert_eq!(run.status, 0, "{run}");
            let again = sandbox.run(&["export", "--output-format", format, "-d", "again.db"]);
            assert_eq!(again.stdout, exported);
            fs::remove_file(sandbox.path("again.db")).unwrap();
        }
    }
}
