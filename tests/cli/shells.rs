//! Completion in real shells with the scripts in `completions/`: bash and zsh with a Tab on a
//! pseudo-terminal, fish with `complete -C`. Missing shells are skipped, except in CI, where they
//! are required.

mod typing;

use std::fs;
use std::process::Stdio;

use rusqlite::Connection;

use self::typing::{COMPINIT, SHELLS, Shell, assert_completes, start};
use crate::docs;
use crate::support::{Sandbox, empty, initialized, seeded};

/// Types each line in each shell and compares the candidates, without the option before `=`.
fn assert_offered(sandbox: &Sandbox, lines: &[(&str, &[&str])]) {
    for shell in SHELLS {
        let Some(mut typing) = start(shell, sandbox) else { continue };
        for (line, expected) in lines {
            let offered = typing.offered(&format!("dash-users {line}"));
            let values: Vec<_> =
                offered.iter().map(|value| value.rsplit('=').next().unwrap_or_default()).collect();
            assert_eq!(values, *expected, "{shell:?}: {line}");
        }
    }
}

#[test]
fn commands_options_and_values_are_completed() {
    let sandbox = seeded();
    sandbox.run(&["group", "add", "alice", "admins"]);
    assert_offered(
        &sandbox,
        &[
            ("pas", &["passwd"]),
            ("re", &["rehash", "remove", "rename", "restore"]),
            ("ls", &["ls"]),
            ("group rem", &["remove"]),
            ("list --out", &["--outdated"]),
            ("ls --lock", &["--locked"]),
            ("list --format ", &["table", "plain", "json"]),
            ("list --format=", &["table", "plain", "json"]),
            ("list --format=pl", &["plain"]),
            ("completions z", &["zsh"]),
            ("show ", &["alice", "bob"]),
            ("show b", &["bob"]),
            ("show 'al", &["alice"]),
            ("show x", &[]),
            ("remove alice b", &["bob"]),
            ("rename ", &["alice", "bob"]),
            ("list --group ", &["admins"]),
            ("list --group=a", &["admins"]),
            ("group add bob ", &["admins"]),
            ("add carol --group ad", &["admins"]),
        ],
    );
}

#[test]
fn names_come_from_database_on_command_line() {
    let sandbox = seeded();
    sandbox.run(&["init", "-d", "x.db"]);
    sandbox.run(&["init", "-d", "my x.db"]);
    for (file, name) in [("x.db", "xavier"), ("my x.db", "mia")] {
        let connection = Connection::open(sandbox.path(file)).unwrap();
        let insert = "INSERT INTO users VALUES (?, '!', 'en')";
        connection.execute(insert, [name]).unwrap();
    }
    let absolute = format!("-d sqlite:///{}/x.db show ", sandbox.dir().display());
    let lines: &[(&str, &[&str])] = &[
        ("show ", &["alice", "bob"]),
        ("--database x.db show ", &["xavier"]),
        ("show --database x.db ", &["xavier"]),
        ("--database=x.db show ", &["xavier"]),
        ("-d x.db show ", &["xavier"]),
        ("-dx.db show ", &["xavier"]),
        ("-d users.db -d x.db show x", &["xavier"]),
        ("-d 'my x.db' show ", &["mia"]),
        ("-d \"my x.db\" show ", &["mia"]),
        ("-d my\\ x.db show ", &["mia"]),
        ("--database='my x.db' show ", &["mia"]),
        ("-d ~/x.db show ", &["xavier"]),
        ("-d sqlite:///x.db show ", &["xavier"]),
        ("--database=sqlite:///x.db show ", &["xavier"]),
        (&absolute, &["xavier"]),
        ("-d missing.db show --js", &["--json"]),
        ("-d missing.db list --group ", &[]),
        ("-d postgresql://localhost/x list --group ", &[]),
        ("-d '$(touch pwned)' list --group ", &[]),
        ("-d $(touch pwned) list --group ", &[]),
    ];
    assert_offered(&sandbox, lines);
    let sandbox = sandbox.with_env("DASH_USERS_DATABASE", "x.db");
    assert_offered(&sandbox, &[("show ", &["xavier"]), ("-d users.db show ", &["alice", "bob"])]);
    assert!(!sandbox.path("pwned").exists() && !sandbox.path("missing.db").exists());
}

#[test]
fn names_with_shell_syntax_are_quoted_and_not_run() {
    let sandbox = initialized();
    let connection = Connection::open(sandbox.path("users.db")).unwrap();
    let insert = "INSERT INTO users VALUES (?, '!', 'en')";
    for name in ["a b", "c;touch pwned", "d'e", "$(touch pwned)", "f\ng", "-h"] {
        connection.execute(insert, [name]).unwrap();
    }
    for shell in [Shell::Bash, Shell::Zsh] {
        let Some(mut typing) = start(shell, &sandbox) else { continue };
        for (line, completed) in [
            ("show a", r"show a\ b "),
            ("show c", r"show c\;touch\ pwned "),
            ("show d", r"show d\'e "),
        ] {
            let line = typing.completed(&format!("dash-users {line}"));
            assert_eq!(line, format!("dash-users {completed}"), "{shell:?}");
        }
    }
    assert!(!sandbox.path("pwned").exists());
}

#[test]
fn completed_words_are_quoted_by_the_shell() {
    let sandbox = seeded();
    sandbox.run(&["add", "alice.smith@example.org", "--generate"]);
    sandbox.write("x $(touch pwned).csv", "username\n");
    fs::create_dir(sandbox.path("one dir")).unwrap();
    for shell in [Shell::Bash, Shell::Zsh] {
        let Some(mut typing) = start(shell, &sandbox) else { continue };
        for (line, completed) in [
            ("show bo", "show bob "),
            ("show al", "show alice"),
            ("show alice.smith@", "show alice.smith@example.org "),
            ("show alice.s", "show alice.smith@example.org "),
            ("list --format=j", "list --format=json "),
            ("list --js", "list --json "),
            ("import o", r"import one\ dir/"),
            ("--database=us", "--database=users.db "),
            ("import x", r"import x\ \$\(touch\ pwned\).csv "),
        ] {
            let line = typing.completed(&format!("dash-users {line}"));
            assert_eq!(line, format!("dash-users {completed}"), "{shell:?}");
        }
        // The last line runs.
        typing.enter("0 added");
    }
    assert!(!sandbox.path("pwned").exists());
}

#[test]
fn filenames_are_completed() {
    let sandbox = empty();
    sandbox.write("x $(touch pwned).csv", "username\n");
    for shell in SHELLS {
        let Some(mut typing) = start(shell, &sandbox) else { continue };
        // Bash and zsh complete filenames themselves.
        let expected = |file| if shell == Shell::Fish { file } else { "<files>" };
        for (line, file) in [
            ("import x", "x $(touch pwned).csv"),
            ("import ", "x $(touch pwned).csv"),
            ("-d ./x", "./x $(touch pwned).csv"),
            ("list --database ~/", "~/x $(touch pwned).csv"),
        ] {
            assert_eq!(typing.offered(&format!("dash-users {line}")), [expected(file)], "{line}");
        }
    }
    assert!(!sandbox.path("pwned").exists());
}

#[test]
fn lines_in_docs_set_up_completion() {
    if !Shell::Bash.is_there() {
        return;
    }
    let sandbox = seeded();
    let blocks = docs::commands_of("docs/how-to/install.md");
    let completion = blocks.into_iter().find(|block| block.contains("completions")).unwrap();
    let run = Shell::Bash.command(&sandbox).args(["-ec", &completion]).status();
    assert!(run.unwrap().success());
    for shell in SHELLS {
        if !shell.is_there() {
            continue;
        }
        let rc = |file| sandbox.read_text(file);
        let line = "dash-users show al";
        match shell {
            Shell::Bash => assert_completes(shell, &sandbox, &rc(".bashrc"), line, "ice"),
            Shell::Zsh => {
                let rc = format!("{COMPINIT}\n{}", rc(".zshrc"));
                assert_completes(shell, &sandbox, &rc, line, "ice");
            }
            Shell::Fish => {
                let complete = format!("complete -C '{line}'");
                let output = shell.command(&sandbox).args(["--command", &complete]).output();
                assert_eq!(String::from_utf8(output.unwrap().stdout).unwrap(), "alice\n");
            }
        }
    }
}

#[test]
fn zsh_autoloads_script_from_fpath_at_first_tab() {
    if !Shell::Zsh.is_there() {
        return;
    }
    let sandbox = seeded();
    let directory = Shell::Zsh.script();
    let directory = directory.parent().unwrap().display();
    let rc = format!("fpath=('{directory}' $fpath); {COMPINIT}");
    assert_completes(Shell::Zsh, &sandbox, &rc, "dash-users show al", "ice");
}

#[test]
fn bash_words_split_at_separators_are_rejoined() {
    // Like bash-completion after `sudo`, without a terminal.
    if !Shell::Bash.is_there() {
        return;
    }
    let sandbox = seeded();
    let script = r#"
        source "$1"
        COMP_WORDS=(dash-users -d sqlite : ///users.db show "")
        COMP_CWORD=6
        _dash_users dash-users "" show
        echo "${COMPREPLY[*]}"
    "#;
    let mut command = Shell::Bash.command(&sandbox);
    command.args(["-euc", script, "bash"]).arg(Shell::Bash.script()).stdin(Stdio::null());
    let output = command.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "alice bob\n");
}
