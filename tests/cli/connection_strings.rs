//! What is no path and no URL never becomes a file, and no password in it is ever shown.

use crate::support::{empty, initialized};

/// A marker in each place where somebody may have a password.
const SECRET: &str = "hunter2";

const MISSPELLED: &[&str] = &[
    "\"hunter2.db\"",
    "'postgresql://u:hunter2@h/db'",
    "\u{201c}hunter2\u{201d}",
    " postgresql://u:hunter2@h/db",
    "postgresql://u:hunter2@h/db ",
    "postgresql://u:hunter2@h/db\nx",
    "hunter2.db\n\n",
    "\u{feff}postgresql://u:hunter2@h/db",
    "host=h dbname=db password=hunter2",
    "password=hunter2",
    "password = 'hunter2'",
    "Server=h;User Id=u;Password=hunter2",
    "jdbc:postgresql://h/db?user=u&password=hunter2",
    "psql 'postgresql://u:hunter2@h/db'",
    "psql \"host=h password=hunter2\"",
    "postgresql:/u:hunter2@h/db",
    "postgres:u:hunter2@h",
    "postgresql;//u:hunter2@h/db",
    "//u:hunter2@h/db",
    "u:hunter2@h:5432/db",
    "file:users.db?mode=ro&key=hunter2",
    "file:///users.db?key=hunter2",
    "postgresql://u:hunter2@h/db # hunter2",
    "export DATABASE_URL=postgres://u:hunter2@h/db",
    "DATABASE_URL=postgres://u:hunter2@h/db",
    "-d hunter2.db",
    "sqlite://hunter2.db",
    "sqlite:hunter2.db",
    "sqlite:///users.db?key=hunter2",
    "mysql://u:hunter2@h/db",
    "MYSQL+pymysql://u:hunter2@h/db",
    "$hunter2",
    "${hunter2}",
    "{{ hunter2 }}",
    "<hunter2>",
    "postgresql://u:$PASSWORD@hunter2/db",
    "postgres://dba%40srv:p@hunter2/w#rd@h",
    "postgres://u:hunter2/db",
    "postgres://u:p@h:hunter2/db",
    "postgres://u:hunter2%@h/db",
    "postgres://u:hunter2 @h/db",
    "postgres://u:p@h/db#hunter2",
    "postgres://u@h/db?password=p&hunter2",
    "postgres://u@h/db?password=p&hunter2=x",
    "postgres://u@h/db?passwd=hunter2",
    "postgres://u:hunter2@h/db?sslmode=hunter2&sslmode=hunter2",
    "postgres://u:hunter2@h/db?gssencmode=require",
    "postgres://u:hunter2@h/db?schema=x",
    "",
];

#[test]
fn misspelled_database_is_status_2_and_not_shown() {
    let sandbox = empty();
    for text in MISSPELLED {
        let flag = format!("--database={text}");
        for format in ["table", "json"] {
            for args in [&["init", &*flag][..], &["seed", &*flag], &["list", &*flag]] {
                let run = sandbox.run(&[args, &["--format", format]].concat());
                assert_eq!(run.status, 2, "{text}: {run}");
                // A value that is wrong, in a URL that was read, is the exception: it is no secret.
                let shown = run.to_string().replace("sslmode=hunter2", "");
                assert!(!shown.contains(SECRET), "{text}: {run}");
                assert!(
                    run.stderr.contains("hint")
                        || text.is_empty()
                        || run.stderr.contains("scheme")
                        || run.stderr.contains("cannot have options"),
                    "{text}: {run}"
                );
            }
        }
        if !text.is_empty() {
            let run = empty().with_env("DASH_USERS_DATABASE", text).run(&["seed"]);
            assert_eq!(run.status, 2, "{text}: {run}");
        }
        for args in [&[*text][..], &["list", text], &["add", text, text], &["list", "--sort", text]]
        {
            let run = sandbox.run(args);
            assert!(
                !run.to_string().contains(SECRET)
                    || args[0] != *text && !text.contains(['@', '=', '$', ' ']),
                "{args:?}: {run}"
            );
        }
    }
    assert_eq!(sandbox.dir().read_dir().unwrap().count(), 0, "a file was made");
}

#[test]
fn line_end_of_a_secret_is_stripped_once() {
    let sandbox = empty();
    for text in ["users.db\n", "users.db\r\n", "SQLITE:///users.db\n"] {
        let run = sandbox.run(&["init", "--database", text]);
        assert_eq!(run.status, 0, "{run}");
    }
    let names: Vec<_> =
        sandbox.dir().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["users.db"]);
}

#[test]
fn password_given_as_a_file_is_not_shown() {
    let sandbox = initialized();
    let by_environment = initialized().with_env("DASH_USERS_PASSWORD_FILE", SECRET);
    for format in ["table", "json"] {
        for args in [&["add", "carol"][..], &["passwd", "alice"], &["verify", "alice"], &["hash"]] {
            let args = [args, &["--format", format]].concat();
            let by_flag = sandbox.run(&[&args[..], &["--password-file", SECRET]].concat());
            for (run, by) in [
                (by_flag, "--password-file"),
                (by_environment.run(&args), "DASH_USERS_PASSWORD_FILE"),
            ] {
                if run.status == 6 {
                    continue;
                }
                assert_eq!(run.status, 1, "{run}");
                assert!(!run.to_string().contains(SECRET), "{run}");
                assert!(
                    run.stderr.contains(&format!("the file that {by} names does not exist")),
                    "{run}"
                );
            }
        }
        let run = sandbox.run(&[
            "hash",
            "--check",
            "--hash-file",
            SECRET,
            "--password-file",
            "users.db",
            "--format",
            format,
        ]);
        assert_eq!(run.status, 1, "{run}");
        assert!(!run.to_string().contains(SECRET), "{run}");
    }
}

#[test]
fn database_created_beside_flasks_is_noted() {
    for (file, instance) in [
        ("users.db", "instance/users.db"),
        ("users.db", "app/instance/users.db"),
        ("instance/users.db", "users.db"),
    ] {
        for args in [&["init"][..], &["seed"], &["import", "new.csv"]] {
            let sandbox = empty().with_env("DASH_USERS_DATABASE", file);
            sandbox.write("new.csv", "username,password\nann,plover-xyzzy-quux\n");
            std::fs::create_dir_all(sandbox.path("app/instance")).unwrap();
            std::fs::create_dir_all(sandbox.path("instance")).unwrap();
            sandbox.write(instance, "");
            let run = sandbox.run(args);
            let is_there = run.status == 4 && args[0] == "import";
            assert!(run.status == 0 || is_there, "{run}");
            if !is_there {
                let note = format!("there is also [DIR]/{instance}");
                assert!(run.stderr.contains(&note), "{run}");
                assert!(run.stderr.contains(&format!("--database '[DIR]/{instance}'")), "{run}");
            }
            let again = sandbox.run(&["init"]);
            assert!(!again.stderr.contains("there is also"), "{again}");
        }
    }
}
