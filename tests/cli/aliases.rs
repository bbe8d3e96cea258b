use crate::support::{GOOD, empty, seeded};

#[test]
fn aliases_run_their_commands() {
    let sandbox = seeded();
    for (args, action) in [
        ("create ann --password-stdin", "add"),
        ("useradd ben --password-stdin", "add"),
        ("set-password ann --password-stdin", "passwd"),
        ("reset-password ann --password-stdin", "passwd"),
        ("disable ann", "lock"),
        ("enable ann", "unlock"),
        ("deactivate ann", "lock"),
        ("activate ann", "unlock"),
        ("ren ann anna", "rename"),
        ("mv anna ann", "rename"),
        ("delete ann --yes", "remove"),
        ("rm ben --yes", "remove"),
        ("userdel alice --yes", "remove"),
        ("del bob --yes", "remove"),
    ] {
        let run = sandbox.run_with(GOOD, &args.split(' ').collect::<Vec<_>>());
        assert_eq!(run.status, 0, "{args}: {run}");
        let newest = sandbox.run(&["history", "--limit", "1", "--json"]).json();
        assert_eq!(newest[0]["action"], action, "{args}");
    }
    assert_eq!(sandbox.run(&["ls", "--json"]).stdout, "[]\n");
}

#[test]
fn hidden_aliases_are_not_shown() {
    let sandbox = empty();
    let mut texts = vec![sandbox.run(&["--help"]).stdout];
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        texts.push(sandbox.run(&["completions", shell]).stdout);
    }
    for command in ["add", "remove", "rename", "passwd", "lock", "unlock"] {
        texts.push(sandbox.run(&[command, "--help"]).stdout);
    }
    for prefix in ["", "us", "de", "re", "di", "en", "set-"] {
        let mut command = sandbox.command(&["--", "dash-users", prefix]);
        let offered = command.env("DASH_USERS_COMPLETE", "bash").output().unwrap();
        texts.push(String::from_utf8(offered.stdout).unwrap());
    }
    let hidden = "useradd userdel del ren mv reset-password set-password deactivate disable enable \
                  activate";
    for alias in hidden.split_whitespace() {
        for text in &texts {
            let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            assert!(!words.any(|word| word == alias), "{alias}: {text}");
        }
    }
}

#[test]
fn completion_offers_one_name_of_a_command() {
    for (prefix, expected) in [("re", "rehash remove rename restore"), ("del", "delete")] {
        let sandbox = empty();
        let mut command = sandbox.command(&["--", "dash-users", prefix]);
        let offered = command.env("DASH_USERS_COMPLETE", "bash").output().unwrap();
        let offered = String::from_utf8(offered.stdout).unwrap();
        let mut offered: Vec<_> = offered.lines().collect();
        offered.sort_unstable();
        assert_eq!(offered.join(" "), expected, "{prefix}");
    }
}

#[test]
fn suggestion_that_writes_is_within_two_letters() {
    let sandbox = empty();
    for (typed, suggested) in [
        ("usradd", "exists: 'add'"),
        ("dlete", "exists: 'delete'"),
        ("remov", "exist: 'remove'"),
        ("exprt", "exists: 'export'"),
        ("lsit", "'list'"),
        ("adduser", "'dash-users add'"),
        ("usermod", "'dash-users update'"),
        ("drop", "'dash-users remove'"),
        ("restor", "exists: 'restore'"),
        ("users", "'dash-users list'"),
        ("seeding", ""),
        ("test", ""),
        ("initialize", "'dash-users init'"),
        ("unlocking", ""),
    ] {
        let run = sandbox.run(&[typed]);
        assert_eq!(run.status, 2, "{run}");
        let has_tip = run.stderr.contains("tip:");
        assert_eq!(has_tip, !suggested.is_empty(), "{typed}: {run}");
        if typed != "remov" {
            assert!(run.stderr.contains(suggested), "{typed}: {run}");
        }
        assert!(!run.stderr.contains("\n\n\n"), "{run}");
    }
}

#[test]
fn words_of_other_tools_suggest_the_command_that_fits() {
    let sandbox = empty();
    for (typed, suggested) in [
        ("new", "add"),
        ("doctor", "check"),
        ("version", "--version"),
        ("get", "show"),
        ("edit", "update"),
        ("ban", "lock"),
        ("log", "history"),
        ("audit", "history"),
        ("password", "passwd"),
        ("groups", "group list"),
        ("groupadd", "group add"),
        ("upgrade", "migrate"),
    ] {
        let run = sandbox.run(&[typed]);
        let tip = format!("\n  tip: use 'dash-users {suggested}'\n");
        assert!(run.stderr.contains(&tip), "{typed}: {run}");
        let error = sandbox.run(&[typed, "--json"]).error();
        assert_eq!(error["hint"], format!("use 'dash-users {suggested}'"));
    }
}

#[test]
fn option_suggestion_means_the_same_or_is_left_out() {
    let sandbox = empty();
    for (line, suggested) in [
        ("import a.csv --update", Some("--on-conflict update")),
        ("seed a.csv --update", Some("--sync")),
        ("remove alice --force", Some("--yes")),
        ("export a.csv --yes", Some("--force")),
        ("list --undated", None),
        ("show alice --force", None),
        ("list --databse x", Some("--database")),
        ("add alice --lang de", Some("--language")),
        ("add alice --password", Some("--password-stdin")),
        ("list --no-color", Some("--color never")),
        ("list --frobnicate", None),
        ("import --file x.csv", None),
        ("passwd -l alice", Some("dash-users lock")),
        ("add bob -G staff", Some("--group")),
        ("list -o json", Some("--format")),
    ] {
        let run = sandbox.run(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(run.status, 2, "{run}");
        match suggested {
            Some(option) => {
                assert!(run.stderr.contains(&format!("\n  tip: use '{option}'\n")), "{run}");
            }
            None => assert!(!run.stderr.contains("tip:"), "{run}"),
        }
    }
}

#[test]
fn surplus_argument_is_hidden_and_the_hint_fits_the_command() {
    let sandbox = empty();
    for (line, hint) in [
        ("init my.db", "--database"),
        ("migrate my.db", "--database"),
        ("list anna", "show USER"),
        ("check anna", "checks all users"),
        ("show alice anna", "show takes one user"),
        ("history alice anna", "history takes at most one user"),
        ("group list alice anna", "group list takes at most one user"),
        ("rename alice anna anna", "rename takes the old and the new name"),
        ("export a.csv anna", "export takes one file"),
        ("backup a.db anna", "backup takes one file"),
        ("passwd alice anna", "a password cannot be an argument"),
        ("my.db", "begin with a command"),
    ] {
        let run = sandbox.run(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(run.status, 2, "{run}");
        assert!(run.stderr.contains(hint), "{line}: {run}");
        assert!(!run.stderr.contains("anna") && !run.stderr.contains("my.db"), "{line}: {run}");
        let is_about_passwords = hint.contains("password");
        assert_eq!(run.stderr.contains("password"), is_about_passwords, "{line}: {run}");
    }
}
