use std::fs;
use std::os::unix::fs::PermissionsExt;

use rusqlite::Connection;
use snapbox::str;

use crate::support::{PROGRAM, SECRET123, Sandbox, assert_run, empty, initialized};

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
        let read = |name| fs::read(sandbox.path(name)).unwrap();
        assert!(read(&file) == read(&again), "{format}");

        // All exist already, also the user named NULL.
        let update = ["import", &file, "--as-is", "--on-conflict", "update", "--json"];
        let run = sandbox.run(&[&update[..], &["-d", &database]].concat());
        assert_eq!((&run.json()["changed"], &run.json()["unchanged"]), (&0.into(), &14.into()));
    }
    let verify = ["verify", "ben", "--password-stdin", "-d", "copy.db.csv"];
    assert_eq!(sandbox.run_with("secret123", &verify).status, 3, "he is locked there too");
    sandbox.run(&["unlock", "ben", "-d", "copy.db.csv"]);
    assert_eq!(sandbox.run_with("secret123", &verify).status, 0);
}

#[test]
fn export_format_comes_from_file_name_or_option() {
    let sandbox = plain();
    assert_run!(
        sandbox.run(&["export"]),
        str![[r#"
status 0
-- stdout
username,password_hash,language,groups,locked
ann,pbkdf2:sha256:1000$cXcFpMbSWnUBUfdk$1ffcc3ba1a859774713ed1ca80b7470388d1764e13351cdab2c88bbfcb4340a9,en,,false
ben,pbkdf2:sha256:1000$cXcFpMbSWnUBUfdk$1ffcc3ba1a859774713ed1ca80b7470388d1764e13351cdab2c88bbfcb4340a9,pt-BR,admins;staff,false
-- stderr

"#]]
    );
    assert_run!(
        sandbox.run(&["export", "--json"]),
        str![[r#"
status 0
-- stdout
[
{"username":"ann","password_hash":"pbkdf2:sha256:1000$cXcFpMbSWnUBUfdk$1ffcc3ba1a859774713ed1ca80b7470388d1764e13351cdab2c88bbfcb4340a9","language":"en","groups":[],"locked":false},
{"username":"ben","password_hash":"pbkdf2:sha256:1000$cXcFpMbSWnUBUfdk$1ffcc3ba1a859774713ed1ca80b7470388d1764e13351cdab2c88bbfcb4340a9","language":"pt-BR","groups":["admins","staff"],"locked":false}
]
-- stderr

"#]]
    );
    assert_run!(
        sandbox.run(&["export", "-", "--output-format", "jsonl"]),
        str![[r#"
status 0
-- stdout
{"username":"ann","password_hash":"pbkdf2:sha256:1000$cXcFpMbSWnUBUfdk$1ffcc3ba1a859774713ed1ca80b7470388d1764e13351cdab2c88bbfcb4340a9","language":"en","groups":[],"locked":false}
{"username":"ben","password_hash":"pbkdf2:sha256:1000$cXcFpMbSWnUBUfdk$1ffcc3ba1a859774713ed1ca80b7470388d1764e13351cdab2c88bbfcb4340a9","language":"pt-BR","groups":["admins","staff"],"locked":false}
-- stderr

"#]]
    );
    assert_run!(
        sandbox.run(&["export", "users.tsv"]),
        str![[r#"
status 2
-- stdout
-- stderr
error: cannot tell the format of users.tsv from its name
hint: use --output-format csv, json or jsonl

"#]]
    );
    assert_eq!(sandbox.run(&["export", "users.tsv", "--output-format", "csv"]).status, 0);
    let written = fs::read_to_string(sandbox.path("users.tsv")).unwrap();
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
    assert_run!(
        sandbox.run(&["export", "copy.csv"]),
        str![[r#"
status 0
-- stdout
-- stderr
exported 2 users from [DIR]/users.db to [DIR]/copy.csv

"#]]
    );
    let path = sandbox.path("copy.csv");
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);

    fs::write(&path, "precious ".repeat(1000)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert_run!(
        sandbox.run(&["export", "copy.csv"]),
        str![[r#"
status 1
-- stdout
-- stderr
error: [DIR]/copy.csv already exists
hint: choose another file, or use --force to overwrite it

"#]]
    );
    assert_run!(
        sandbox.run(&["export", "copy.csv", "--json"]),
        str![[r#"
status 1
-- stdout
-- stderr
{"error":{"code":"file_exists","status":1,"message":"[DIR]/copy.csv already exists","hint":"choose another file, or use --force to overwrite it"}}

"#]]
    );
    assert_eq!(fs::read(&path).unwrap().len(), 9000);
    assert_run!(
        sandbox.run(&["export", "copy.csv", "--force", "--json"]),
        str![[r#"
status 0
-- stdout
{"database":"[DIR]/users.db","action":"export","changed":true,"file":"[DIR]/copy.csv","users":2}
-- stderr

"#]]
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), sandbox.run(&["export"]).stdout);
    assert_eq!(mode(), 0o600);
}

#[test]
fn export_never_overwrites_its_database() {
    let sandbox = plain();
    std::os::unix::fs::symlink("users.db", sandbox.path("link.csv")).unwrap();
    fs::hard_link(sandbox.path("users.db"), sandbox.path("hard.csv")).unwrap();
    let before = fs::read(sandbox.path("users.db")).unwrap();
    let export = ["export", "users.db", "--output-format", "csv", "--force"];
    assert_run!(
        sandbox.run(&export),
        str![[r#"
status 2
-- stdout
-- stderr
error: [DIR]/users.db is the database itself
hint: choose another file

"#]]
    );
    for file in ["link.csv", "hard.csv", "./users.db"] {
        let run = sandbox.run(&["export", file, "--output-format", "csv", "--force"]);
        assert_eq!(run.status, 2, "{file}: {run}");
    }
    assert!(fs::read(sandbox.path("users.db")).unwrap() == before);
}

#[test]
fn export_reports_impossible_paths() {
    let sandbox = plain();
    fs::create_dir(sandbox.path("directory.csv")).unwrap();
    assert_run!(
        sandbox.run(&["export", "directory.csv", "--force"]),
        str![[r#"
status 1
-- stdout
-- stderr
error: [DIR]/directory.csv is a directory
hint: give a file in that directory

"#]]
    );
    assert_run!(
        sandbox.run(&["export", "no/such/users.csv"]),
        str![[r#"
status 1
-- stdout
-- stderr
error: cannot write [DIR]/no/such/users.csv: its directory does not exist
hint: create the directory, or choose another file

"#]]
    );
    assert_run!(
        empty().run(&["export", "users.csv"]),
        str![[r#"
status 4
-- stdout
-- stderr
error: no database at [DIR]/users.db
hint: run `dash-users init --database [DIR]/users.db` to create it, or use --database to choose another

"#]]
    );
}

#[test]
fn export_without_hashes_contains_none() {
    let sandbox = plain();
    assert_run!(
        sandbox.run(&["export", "--without-hashes"]),
        str![[r#"
status 0
-- stdout
username,language,groups,locked
ann,en,,false
ben,pt-BR,admins;staff,false
-- stderr

"#]]
    );
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
    let script = "{ \"$PROGRAM\" export; echo \"<$?>\" >&2; } | head -n 1";
    let mut shell = sandbox.shell(script);
    shell.env("PROGRAM", PROGRAM).env("PATH", std::env::var_os("PATH").unwrap());
    let output = shell.output().unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "username,password_hash,language,groups,locked\n"
    );
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "<0>\n");
}

#[test]
fn export_does_not_change_database() {
    let sandbox = odd();
    let before = fs::read(sandbox.path("users.db")).unwrap();
    for format in ["csv", "json", "jsonl"] {
        sandbox.run(&["export", "--output-format", format]);
    }
    assert!(fs::read(sandbox.path("users.db")).unwrap() == before);
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
