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
        ("rest", ""),
        ("hist", "exists: 'history'"),
        ("LIST", "exists: 'list'"),
        ("pass", "exists: 'passwd'"),
        ("help lst", "exists: 'list'"),
        ("help group ad", "exists: 'add'"),
        ("group lst", "exists: 'list'"),
    ] {
        let run = sandbox.run(&typed.split(' ').collect::<Vec<_>>());
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
        ("groupadd", "group add USER GROUP"),
        ("upgrade", "migrate"),
        ("who", "sessions list"),
        ("sync", "seed FILE --sync"),
        ("help users", "list"),
        ("usermod bob", "update"),
        ("usermod -aG staff bob", "group add USER GROUP"),
        ("usermod -L bob", "lock"),
        ("gpasswd -d bob staff", "group remove USER GROUP"),
        ("group create staff", "group add USER GROUP"),
        ("group show staff", "group list --group GROUP"),
        ("group del staff", "group delete GROUP"),
        ("sessions kill bob", "sessions end"),
        ("sessions revoke bob", "sessions end"),
        ("user add bob", "add"),
        ("users ls", "list"),
        ("groups delete staff", "group delete"),
    ] {
        let typed: Vec<_> = typed.split(' ').collect();
        let run = sandbox.run(&typed);
        let tip = format!("\n  tip: use 'dash-users {suggested}'\n");
        assert!(run.stderr.contains(&tip), "{typed:?}: {run}");
        let error = sandbox.run(&[&typed[..], &["--json"]].concat()).error();
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
        ("import --file x.csv", Some("dash-users import FILE")),
        ("verify --username bob", Some("dash-users verify USER")),
        ("group add --user bob", Some("dash-users group add USER GROUP")),
        ("export -o x.csv", Some("dash-users export FILE")),
        ("export --csv", Some("--output-format csv")),
        ("list --plain", Some("--format plain")),
        ("list --since 3d", Some("--created-since")),
        ("list --pager", None),
        ("history --before 30d", Some("--until")),
        ("history -10", Some("--limit")),
        ("-n prod list", None),
        ("-D x.db list", Some("--database")),
        ("update bob --group staff", Some("--add-group")),
        ("passwd -d bob", None),
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
fn misplaced_option_is_told_its_place() {
    let sandbox = empty();
    for (line, place) in [
        ("add --generate", ""),
        ("add -- -x --generate", "put '--generate' before '--'"),
        ("show -q -- bob -q", "put '-q' before '--'"),
        ("--yes remove bob", "put '--yes' after 'dash-users remove'"),
        ("--yes group -q delete staff", "put '--yes' after 'dash-users group delete'"),
        ("--group staff list", "put '--group' after 'dash-users list'"),
        ("-d x.db --limit 5 history", "put '--limit' after 'dash-users history'"),
    ] {
        let run = sandbox.run(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(run.status, 2, "{run}");
        assert_eq!(run.stderr.contains("tip:"), !place.is_empty(), "{line}: {run}");
        assert!(run.stderr.contains(place), "{line}: {run}");
    }
    let run = sandbox.run(&["add", "--generate", "--", "-x", "-secret"]);
    assert!(run.stderr.contains("not shown") && !run.stderr.contains("-secret"), "{run}");
    let run = seeded().run(&["remove", "--", "alice", "--yes"]);
    assert!(run.stderr.ends_with("no user '--yes'\nhint: put options before '--'\n"), "{run}");
}

#[test]
fn format_of_files_suggests_its_option() {
    let sandbox = empty();
    for (line, suggested) in [
        ("import x.csv --format csv", Some("use '--input-format csv'")),
        ("seed x --format htpasswd", Some("use '--input-format htpasswd'")),
        ("export x --format jsonl", Some("use '--output-format jsonl'")),
        ("list --format csv", Some("use 'dash-users export'")),
        ("list --format jsn", Some("a similar value exists: 'json'")),
        ("list --format yaml", None),
        ("completions tcsh", None),
    ] {
        let run = sandbox.run(&line.split(' ').collect::<Vec<_>>());
        assert_eq!((run.status, run.stderr.contains("tip:")), (2, suggested.is_some()), "{run}");
        let tip = suggested.map(|tip| format!("\n  tip: {tip}\n")).unwrap_or_default();
        assert!(run.stderr.contains(&tip), "{line}: {run}");
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

#[test]
fn other_word_order_is_explained() {
    let sandbox = seeded();
    std::fs::write(sandbox.path("people.csv"), "username,password\n").unwrap();
    let import =
        "run `dash-users import [DIR]/people.csv` to add its users; --database names the database";
    let without = "give only the names of users, without the word 'user'";
    let getent = "run `getent group` to list the groups of this system";
    for (args, exit_code, hint) in [
        (&["delete", "user", "alice", "--yes"][..], 6, without),
        (&["lock", "user", "alice"], 6, without),
        (&["--database", "people.csv", "list"], 4, import),
        (&["init", "--database", "new.db", "--file-group", "no such"], 2, getent),
    ] {
        let run = sandbox.run(args);
        assert_eq!(run.status, exit_code, "{run}");
        assert!(run.stderr.ends_with(&format!("\nhint: {hint}\n")), "{run}");
    }
    assert!(!sandbox.path("new.db").exists());
}
