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
        ("adduser", ""),
        ("usermod", ""),
        ("drop", ""),
        ("restor", "exists: 'restore'"),
        ("users", ""),
        ("seeding", ""),
        ("initialize", ""),
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
