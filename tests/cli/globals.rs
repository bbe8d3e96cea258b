//! Behavior of all commands: global options, formats, usage errors, pipes.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;
use std::time::Duration;

use snapbox::str;

use crate::support::{GOOD, SECRET123, assert_run, empty, initialized, seeded, send_signal};

#[test]
fn version_equals_package_version() {
    let run = empty().run(&["--version"]);
    assert_eq!(run.stdout, concat!("dash-users ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn usage_errors_are_json_with_json_format() {
    let sandbox = empty();
    sandbox.assert_session(str![[r#"
$ dash-users --json nonsense
status 2
-- stderr
{"error":{"code":"usage","status":2,"message":"unrecognized subcommand 'nonsense'","hint":"see dash-users --help"}}

$ dash-users list --nonsense --format=json
status 2
-- stderr
{"error":{"code":"usage","status":2,"message":"unexpected argument '--nonsense' found","hint":"see dash-users list --help"}}

$ dash-users show --format json
status 2
-- stderr
{"error":{"code":"usage","status":2,"message":"the following required arguments were not provided: <USER>","hint":"see dash-users show --help"}}

$ dash-users --json --format plain list
status 2
-- stderr
{"error":{"code":"usage","status":2,"message":"the argument '--json' cannot be used with '--format <FORMAT>'","hint":"see dash-users list --help"}}

"#]]);
}

#[test]
fn invalid_value_error_shows_a_valid_one_and_the_help() {
    let sandbox = empty();
    for (line, expected) in [
        ("list --limit x", "from 1 to 4294967295, such as 20"),
        ("list --limit 0", "from 1 to"),
        ("history --limit -1", "from 1 to"),
        ("list --wait 5s", "from 0 to"),
        ("import --jobs 257 x.csv", "from 1 to 256"),
        ("list --match [a", "such as 'a*'"),
        ("list --created-since -30d", "such as 30d"),
        ("list --password-older-than 90", "such as 30d"),
        ("history --since yesterday", "such as 30d"),
        ("history --prune-before -1y", "such as 30d"),
        ("init --file-mode -600", "such as 0640"),
        ("hash --method scrypt:1", "such as scrypt:32768:8:1"),
        ("hash --method bcrypt", "scrypt"),
    ] {
        let args: Vec<_> = line.split(' ').collect();
        let error = sandbox.run(&[&args[..], &["--json"]].concat()).error();
        assert!(error["message"].as_str().unwrap().contains(expected), "{line}: {error}");
        assert_eq!(error["hint"], format!("see dash-users {} --help", args[0]));
    }
    let run = sandbox.run(&["init", "--file-mode", "u=rw"]);
    assert!(run.stderr.ends_with("hint: not an octal number such as 0640\n"), "{run}");
}

#[test]
fn global_options_work_before_and_after_command() {
    let sandbox = seeded();
    let before = sandbox.run(&["--json", "--database", "users.db", "show", "bob"]);
    let after = sandbox.run(&["show", "bob", "--database", "users.db", "--format", "json"]);
    assert_eq!(before.status, 0);
    assert_eq!(before, after);
}

#[test]
fn database_option_overrides_variable_and_default() {
    let sandbox = empty().with_env("DASH_USERS_DATABASE", "sqlite:///environment.db");
    sandbox.assert_session(str![[r#"
$ dash-users init
status 0
-- stderr
created [DIR]/environment.db

$ dash-users init -d flag.db
status 0
-- stderr
created [DIR]/flag.db

$ dash-users init -d './file:odd.db?mode=memory'
status 0
-- stderr
created [DIR]/file:odd.db?mode=memory

"#]]);
    assert!(sandbox.path("environment.db").exists() && sandbox.path("flag.db").exists());
    assert!(sandbox.path("file:odd.db?mode=memory").exists());
    assert!(!sandbox.path("users.db").exists());
    let absolute = format!("sqlite:///{}", sandbox.path("flag.db").display());
    assert_eq!(sandbox.run(&["list", "-d", &absolute]).status, 0);
}

#[test]
fn database_path_may_be_invalid_utf8() {
    let sandbox = empty();
    let mut command = sandbox.command(&["init", "-d"]);
    assert!(command.arg(OsStr::from_bytes(b"us\xe9rs.db")).output().unwrap().status.success());
    assert!(sandbox.dir().join(OsStr::from_bytes(b"us\xe9rs.db")).exists());
}

#[test]
fn unsupported_url_is_rejected_without_its_password() {
    let sandbox = empty();
    let postgres = "postgresql://u:hunter2@localhost:1/db";
    for (url, status) in
        [("mysql://u:hunter2@h/db", 2), ("sqlite://u:hunter2@h/x", 2), (postgres, 4)]
    {
        let run = sandbox.run(&["list", "--database", url]);
        assert_eq!(run.status, status, "{run}");
        assert!(!run.to_string().contains("hunter2"), "{run}");
        let run = sandbox.run(&[url, "list"]);
        assert_eq!(run.status, 2, "{run}");
        assert!(!run.to_string().contains("hunter2"), "{run}");
    }
    sandbox.assert_session(str![[r#"
$ dash-users list --database ''
status 2
-- stderr
error: the database path is empty

"#]]);
    let help =
        sandbox.with_env("DASH_USERS_DATABASE", "postgres://u:hunter2@h/db").run(&["--help"]);
    assert!(!help.to_string().contains("hunter2"), "{help}");
}

#[test]
fn misplaced_url_or_hash_is_not_shown() {
    let sandbox = empty();
    for secret in ["postgres://u:hunter2@h/db", "scrypt:128:8:1$hunter2$00"] {
        for args in [
            &[secret][..],
            &["list", secret],
            &["list", "--sort", secret],
            &[&*format!("--format={secret}"), "list"],
            &["--json", "list", &*format!("--sort={secret}")],
            &["hash", "--method", secret],
            &["add", "x", "--language", secret],
            &["history", "--limit", secret],
            &["init", "--file-mode", secret],
            &["completions", secret],
            &["group", secret],
            &[&*format!("--{secret}"), "list"],
        ] {
            let run = sandbox.run(args);
            assert_eq!(run.status, 2, "{args:?}: {run}");
            assert!(!run.to_string().contains("hunter2"), "{args:?}: {run}");
        }
    }
    sandbox.assert_session(str![[r#"
$ dash-users list --sort postgres://u:hunter2@h/db
status 2
-- stderr
error: invalid value for '--sort <ORDER>' (not shown: it may be a secret)
hint: the values are: name, created, changed

"#]]);
}

#[test]
fn missing_database_is_reported_and_not_created() {
    let sandbox = empty();
    for args in [
        &["list"][..],
        &["show", "x"],
        &["migrate"],
        &["migrate", "--status"],
        &["update", "x", "--language", "en"],
        &["remove", "x", "--yes"],
        &["add", "x", "--generate"],
        &["passwd", "x", "--generate"],
        &["verify", "x", "--password-stdin"],
        &["rehash", "x", "--password-stdin"],
        &["rehash", "--plaintext", "--all"],
        &["backup", "copy.db"],
        &["export", "users.csv"],
    ] {
        let run = sandbox.run_with(GOOD, args);
        assert_run!(
            run,
            str![[r#"
status 4
-- stderr
error: no database at [DIR]/users.db
hint: run `dash-users init --database [DIR]/users.db` to create it, or use --database to choose another; sudo removes DASH_USERS_DATABASE from the environment: if it is set, use --database, or sudo --preserve-env=DASH_USERS_DATABASE

"#]]
        );
    }
    assert!(!sandbox.path("users.db").exists());
}

#[test]
fn quiet_keeps_results_and_errors() {
    let sandbox = empty();
    sandbox.assert_session(str![[r#"
$ dash-users seed --quiet
status 0

$ dash-users list -q --format plain
status 0
-- stdout
alice	en	false	scrypt:128:8:1	false		[TIME]	[TIME]
bob	fr	false	scrypt:128:8:1	false		[TIME]	[TIME]

$ dash-users show nobody -q
status 6
-- stderr
error: no user 'nobody'

"#]]);
}

#[test]
fn color_appears_only_if_requested() {
    let sandbox = initialized();
    assert!(!sandbox.run(&["show", "x"]).stderr.contains('\x1b'));
    assert!(
        sandbox.run(&["show", "x", "--color", "always"]).stderr.contains("\x1b[1m\x1b[31merror:")
    );
    assert!(sandbox.run(&["shw", "--color=always"]).stderr.contains('\x1b'));
    assert!(!sandbox.run(&["show", "x", "--color", "never"]).stderr.contains('\x1b'));
}

#[test]
fn closed_stdout_pipe_is_not_an_error() {
    let sandbox = seeded();
    sandbox.write("wrong", "wrong");
    sandbox.write("hash", SECRET123);
    for (args, status) in [
        (&["list"][..], 0),
        (&["list", "--json"], 0),
        (&["show", "alice"], 0),
        (&["--help"], 0),
        (&["seed", "--json"], 0),
        (&["verify", "alice", "--password-file", "wrong"], 3),
        (&["hash", "--check", "--hash-file", "hash", "--password-file", "wrong"], 3),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = sandbox.command(args).stdout(writer).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{args:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("error") && !stderr.contains("panic"), "{args:?}: {stderr}");
    }
}

#[test]
fn signal_exits_with_128_plus_its_number() {
    let sandbox = seeded();
    for (signal, status) in [("INT", 130), ("TERM", 143)] {
        // The command waits for a password.
        let mut command = sandbox.command(&["verify", "alice", "--password-stdin"]);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let _open = child.stdin.take();
        std::thread::sleep(Duration::from_secs(1));
        send_signal(signal, child.id());
        assert_eq!(child.wait().unwrap().code(), Some(status));
    }
}

#[test]
fn empty_environment_variable_counts_as_unset() {
    let sandbox = empty()
        .with_env("DASH_USERS_DATABASE", "")
        .with_env("DASH_USERS_METHOD", "")
        .with_env("DASH_USERS_PASSWORD_FILE", "");
    assert_eq!(sandbox.run(&["init"]).stderr, "created [DIR]/users.db\n");
    assert_eq!(sandbox.run(&["add", "carol", "--generate"]).status, 0);
    assert!(sandbox.stored("carol").starts_with("scrypt:32768:8:1$"));
    assert_eq!(sandbox.run(&["passwd", "carol"]).status, 2);
}

#[test]
fn invalid_method_variable_is_named() {
    let sandbox = initialized().with_env("DASH_USERS_METHOD", "bcrypt");
    sandbox.assert_session(str![[r#"
$ dash-users list
status 2
-- stderr
error: invalid value of DASH_USERS_METHOD: the method is neither scrypt nor pbkdf2

"#]]);
}

#[test]
#[cfg(target_os = "linux")]
fn unwritable_stdout_is_an_error() {
    let sandbox = seeded();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = sandbox.command(&["list"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stderr)
            .starts_with("error: cannot write to stdout: No space left")
    );

    // A password that was not printed is lost.
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = sandbox.command(&["passwd", "bob", "--generate"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("error: the new password was set but cannot be printed"), "{stderr}");
}

#[test]
fn hostile_text_from_database_is_escaped() {
    let sandbox = initialized();
    sandbox.sql(
        "INSERT INTO users VALUES (char(27) || '[2J' || char(10) || char(8238) || 'x\\', 'h', char(9, 155));
         INSERT INTO users VALUES (NULL, 'h', x'00ff');
         INSERT INTO users VALUES (x'c3', 'h', 'en');
         INSERT INTO users VALUES (CAST(x'c328' AS TEXT), 'h', 'en');",
    );
    sandbox.wait_three_days();
    sandbox.assert_session(str![[r#"
$ dash-users list
status 0
-- stdout
USER                    LANGUAGE  STATE           CREATED  PASSWORD SET
\N                      \x00ff    no usable hash
\u{1b}[2J\n\u{202e}x\\  \t\u{9b}  no usable hash  3d       3d
\u{fffd}(               en        no usable hash  3d       3d
\xc3                    en        no usable hash  3d       3d

$ dash-users list --format plain
status 0
-- stdout
\N	\x00ff	false		false			
\u{1b}[2J\n\u{202e}x\\	\t\u{9b}	false		false		[TIME]	[TIME]
\u{fffd}(	en	false		false		[TIME]	[TIME]
\xc3	en	false		false		[TIME]	[TIME]

$ dash-users list --json
status 0
-- stdout
[{"username":null,"language":null,"locked":false,"method":null,"outdated":false,"groups":[],"created_at":null,"password_changed_at":null},{"username":"\u001b[2J\n\u202ex\\","language":"\t\u009b","locked":false,"method":null,"outdated":false,"groups":[],"created_at":"[TIME]","password_changed_at":"[TIME]"},{"username":"\ufffd(","language":"en","locked":false,"method":null,"outdated":false,"groups":[],"created_at":"[TIME]","password_changed_at":"[TIME]"},{"username":null,"language":"en","locked":false,"method":null,"outdated":false,"groups":[],"created_at":"[TIME]","password_changed_at":"[TIME]"}]

$ dash-users show "$(printf '\033[31mnobody')"
status 6
-- stderr
error: no user '\u{1b}[31mnobody'

"#]]);
}

#[test]
fn invalid_existing_names_can_be_changed_and_removed() {
    let sandbox = initialized();
    let odd = [&b"a:b"[..], b" x ", b"l1\nl2", b"\xff\xfe", b"-rf", b"\x1b[2J"];
    for name in odd {
        let hex = base16ct::lower::encode_string(name);
        sandbox.sql(&format!("INSERT INTO users VALUES (CAST(x'{hex}' AS TEXT), 'x', 'en')"));
        let run = |args: &[&str]| {
            let mut command = sandbox.command(args);
            command.arg("--").arg(OsStr::from_bytes(name)).stdin(Stdio::null());
            command.output().unwrap().status.code()
        };
        assert_eq!(run(&["show"]), Some(0), "{name:?}");
        assert_eq!(run(&["update", "--language", "de"]), Some(0), "{name:?}");
        assert_eq!(run(&["passwd", "--generate"]), Some(0), "{name:?}");
        assert_eq!(run(&["remove", "--yes"]), Some(0), "{name:?}");
    }
    assert_eq!(sandbox.run(&["list", "--format", "plain"]).stdout, "");
}
