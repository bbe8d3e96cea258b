//! Misspelled database arguments never become files, and passwords in them are never shown.

use crate::support::{empty, initialized};

/// A marker wherever a password may stand.
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
    "dbi:Pg:dbname=db;password=hunter2",
    "odbc:Driver=x;Pwd=hunter2",
    "{\"host\":\"h\",\"password\":\"hunter2\"}",
    "host:h password:hunter2",
    "h:5432:db:u:hunter2",
    "u:hunter2",
    "(DESCRIPTION=(PASSWORD=hunter2))",
    "URL.create('postgresql', password='hunter2')",
    "os.environ[\"DATABASE_URL\"]",
    "users.db?cache=shared&key=hunter2",
    "q.db?mode=rwc",
    "sqlite:///users.db;password=hunter2",
    "sqlite:///users.db#hunter2",
    "docker exec -e PW=hunter2 db psql",
    "sudo -u postgres psql",
    "heroku config:get DATABASE_URL -a hunter2",
    "kubectl get secret hunter2",
    "!vault hunter2",
    "enc:AES256:hunter2",
    "arn:aws:secretsmanager:eu-1:1:secret:hunter2",
    "users.db && echo hunter2",
    "users.db --password hunter2",
    "users.db -- hunter2",
    "(users.db)",
    "[users.db]",
    "\u{300c}users.db\u{300d}",
    "users.db;",
    "users.db,",
    "users.db\\n",
    "users.db^M",
    "%22users.db%22",
    "None",
    "null",
    "undefined",
    "{DB}",
    "#{DB}",
    "@DB@",
    "%(password)s.db",
    "u/hunter2@h:1521/db",
    "vault:secret/data/db#hunter2",
    "PGPASSWORD=hunter2 psql -h h db",
    "PGPASSWORD=hunter2",
    "postgresql://h/db;password=hunter2",
    "postgresql://h/db&password=hunter2",
    "postgresql://h/db%20password=hunter2",
    "postgresql://u%3Ahunter2@h/db",
    "postgresql://u;hunter2@h/db",
    "postgresql://u/hunter2@h/db",
    "postgresql://h/db?user=u:hunter2",
    "postgresql://h;password=hunter2/db",
    "postgresql://h/db?sslmode=require;password=hunter2",
    "",
];

const PLAIN: &[&str] = &[
    "users.db",
    "my users.db",
    "Benutzer-Datenbank (alt).db",
    "\u{fc}bung.db",
    "a+b.db",
    "users@host.db",
    "C1.db",
    ".hidden.db",
    "users",
    "app.sqlite3",
    "./$x",
    "./None",
    "./a:b;c",
];

#[test]
fn misspelled_database_exits_2_without_showing_it() {
    let sandbox = empty();
    for text in MISSPELLED {
        let flag = format!("--database={text}");
        for format in ["table", "json"] {
            for args in [&["init", &*flag][..], &["seed", &*flag], &["list", &*flag]] {
                let run = sandbox.run(&[args, &["--format", format]].concat());
                assert_eq!(run.status, 2, "{text}: {run}");
                // Exception: an invalid option value in a valid URL is not a secret.
                let shown = run.to_string().replace("sslmode=hunter2", "");
                assert!(!shown.contains(SECRET), "{text}: {run}");
                assert!(
                    run.stderr.contains("hint")
                        || text.is_empty()
                        || run.stderr.contains("scheme")
                        || run.stderr.contains("./NAME")
                        || run.stderr.contains("use the path alone"),
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
fn database_with_a_plain_name_is_created() {
    let sandbox = empty();
    for path in PLAIN {
        let run = sandbox.run(&["init", "--database", path]);
        assert_eq!(run.status, 0, "{path}: {run}");
        assert!(sandbox.path(path).is_file(), "{path}");
    }
}

#[test]
fn database_in_oddly_named_directory_is_opened() {
    for directory in ["$x", "a #1", "<x>", "the users'", "a;b:c=d", "{x}", "l\u{2019}\u{e9}t\u{e9}"]
    {
        let sandbox = empty();
        std::fs::create_dir(sandbox.path(directory)).unwrap();
        let file = sandbox.path(directory).join("users.db").display().to_string();
        for database in [&file, &format!("sqlite:///{file}"), &format!("./{directory}/users.db")] {
            let run = sandbox.run(&["init", "--database", database]);
            assert_eq!(run.status, 0, "{run}");
        }
    }
}

#[test]
fn database_argument_loses_one_trailing_newline() {
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
fn password_given_as_file_name_is_not_shown() {
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
                    run.stderr.contains(&format!("the file given by {by} does not exist")),
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
fn database_created_next_to_flask_instance_is_noted() {
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
