//! Prompts, through a pseudo-terminal.

use std::time::Duration;

use crate::pty::{finish, start, start_script};
use crate::support::{GOOD, Sandbox, empty, initialized, seeded, send_signal};

/// Types an answer at each prompt, and returns all output and the exit code.
fn answer(sandbox: &Sandbox, args: &[&str], answers: &[(&str, &str)]) -> (String, i32) {
    let mut session = start(sandbox, args);
    let mut shown = String::new();
    for (prompt, line) in answers {
        shown += &session.exp_string(prompt).unwrap();
        shown += prompt;
        session.send_line(line).unwrap();
    }
    let (rest, status) = finish(session);
    (shown + &rest, status)
}

fn before_question(shown: &str) -> &str {
    shown.split("[y/N] ").next().unwrap()
}

#[test]
fn new_password_prompt_asks_twice_without_echo() {
    let sandbox = initialized();
    let answers = [("New password: ", GOOD), ("Repeat new password: ", GOOD)];
    let (shown, status) = answer(&sandbox, &["add", "carol"], &answers);
    assert_eq!(status, 0, "{shown}");
    assert!(!shown.contains(GOOD), "{shown:?}");
    assert!(shown.contains("added user 'carol' in "), "{shown}");
    assert_eq!(sandbox.verify("carol", GOOD), 0);
}

#[test]
fn password_prompt_rejects_control_characters() {
    let sandbox = initialized();
    let answers = [("New password: ", "plover\x07xyzzy-quux"); 3];
    let (rest, status) = answer(&sandbox, &["add", "carol"], &answers);
    assert_eq!(status, 8, "{rest}");
    assert!(rest.contains("control characters are not allowed in a password"), "{rest}");
}

#[test]
fn quit_key_does_not_leave_echo_off() {
    let sandbox = seeded();
    let mut session = start(&sandbox, &["passwd", "alice"]);
    session.exp_string("New password: ").unwrap();
    session.send_control('\\').unwrap();
    for _ in 0..3 {
        session.send_line("").unwrap();
    }
    let (rest, status) = finish(session);
    assert_eq!(status, 8, "{rest}");
}

#[test]
fn ctrl_z_suspends_with_echo_and_asks_again() {
    let sandbox = seeded();
    let script = "set -m; dash-users verify alice; echo \"<stopped>\"; stty -a; fg; echo \"<$?>\"";
    let mut session = start_script(&sandbox, &format!("exec bash -c '{script}'"));
    session.exp_string("Password: ").unwrap();
    std::thread::sleep(Duration::from_millis(200));
    session.send_control('z').unwrap();
    session.exp_string("<stopped>").unwrap();
    let settings = session.exp_string("Password: ").unwrap();
    assert!(settings.split_whitespace().any(|word| word == "echo"), "{settings}");
    session.send_line("secret123").unwrap();
    let (rest, _) = finish(session);
    assert!(rest.contains("<0>") && !rest.contains("secret123"), "{rest}");
}

#[test]
fn new_password_is_judged_before_it_is_repeated() {
    let sandbox = seeded();
    let good = [("New password: ", GOOD), ("Repeat new password: ", GOOD)];
    for (bad, reason) in [
        ("password1", "This is a very common password."),
        ("short", "it has fewer than 8 characters"),
        ("", "a password cannot be empty"),
    ] {
        let answers = [&[("New password: ", bad)], &good[..]].concat();
        let (shown, status) = answer(&sandbox, &["passwd", "alice"], &answers);
        assert_eq!(status, 0, "{bad}: {shown}");
        assert!(shown.contains(reason), "{bad}: {shown}");
        assert_eq!(shown.matches("Repeat").count(), 1, "{bad}: {shown}");
    }
    let (shown, status) = answer(&sandbox, &["passwd", "bob"], &[("New password: ", "short"); 3]);
    assert_eq!(status, 8, "{shown}");
    assert_eq!(sandbox.verify("bob", "pa$$w0rd"), 0);
}

#[test]
fn arrow_keys_tab_and_paste_marks_do_not_spoil_a_password() {
    let sandbox = initialized();
    let typed = format!("\x1b[200~{}\t\x1b[A\x1bOC\x1b[3~{}\x1b[201~", &GOOD[..6], &GOOD[6..]);
    let answers = [("New password: ", &*typed), ("Repeat new password: ", GOOD)];
    let (shown, status) = answer(&sandbox, &["add", "carol"], &answers);
    assert_eq!(status, 0, "{shown}");
    assert_eq!(sandbox.verify("carol", GOOD), 0);
}

#[test]
fn prompts_use_terminal_if_stdin_and_stderr_are_redirected() {
    let sandbox = initialized();
    sandbox.write("names", "ann\nben\n");
    let script = "while read u; do dash-users add $u; done <names 2>log; echo \"<$?>\"";
    let mut session = start_script(&sandbox, script);
    for _ in 0..2 {
        for prompt in ["New password: ", "Repeat new password: "] {
            session.exp_string(prompt).unwrap();
            session.send_line(GOOD).unwrap();
        }
    }
    session.exp_string("<0>").unwrap();
    assert_eq!(sandbox.read_text("log").lines().count(), 2);
    assert_eq!(sandbox.verify("ben", GOOD), 0);
    let script = "echo n | dash-users remove ann; echo \"<$?>\"";
    let mut session = start_script(&sandbox, script);
    session.exp_string("[y/N] ").unwrap();
    session.send_line("y").unwrap();
    session.exp_string("<0>").unwrap();
}

#[test]
fn backspace_deletes_whole_character_at_prompt() {
    let sandbox = initialized();
    let [first, second] = [format!("{GOOD}é\x7f"), format!("nonsense\x15{GOOD}")];
    let answers = [("New password: ", &*first), ("Repeat new password: ", &second)];
    let (rest, status) = answer(&sandbox, &["add", "carol"], &answers);
    assert_eq!(status, 0, "{rest}");
    assert_eq!(sandbox.verify("carol", GOOD), 0);
}

#[test]
fn mismatched_passwords_change_nothing() {
    let sandbox = initialized();
    let once = [("New password: ", GOOD), ("Repeat new password: ", "something else")];
    let answers = [once; 3].concat();
    let (rest, status) = answer(&sandbox, &["add", "carol"], &answers);
    assert_eq!(status, 8, "{rest}");
    assert!(rest.contains("the passwords do not match; nothing was changed"), "{rest}");
    assert_eq!(sandbox.run(&["list", "--format", "plain"]).stdout, "");
}

#[test]
fn verify_prompt_asks_once() {
    let sandbox = seeded();
    let (rest, status) = answer(&sandbox, &["verify", "alice"], &[("Password: ", "secret123")]);
    assert_eq!(status, 0, "{rest}");
    assert!(rest.contains("alice: accepted") && !rest.contains("secret123"), "{rest}");
}

#[test]
fn doomed_command_fails_before_password_prompt() {
    let sandbox = seeded();
    for (args, status) in [
        (&["add", "alice"][..], 9),
        (&["add", "alice", "--if-not-exists"], 0),
        (&["passwd", "nobody"], 6),
        (&["rehash", "nobody"], 6),
        (&["add", "a:b"], 7),
        (&["verify", "alice", "-d", "gone.db"], 4),
        (&["add", "carol", "--no-input"], 2),
        (&["remove", "alice", "--no-input"], 10),
    ] {
        let (rest, found) = finish(start(&sandbox, args));
        assert_eq!(found, status, "{args:?}: {rest}");
        assert!(!rest.contains("assword: ") && !rest.contains("[y/N]"), "{args:?}: {rest}");
    }
}

#[test]
fn ctrl_c_at_prompt_restores_terminal_and_changes_nothing() {
    // rpassword reads Ctrl-C as a character; the confirmation gets a signal.
    let sandbox = seeded();
    for (args, prompt) in [
        (&["passwd", "alice"][..], "New password: "),
        (&["verify", "alice"], "Password: "),
        (&["remove", "alice"], "[y/N] "),
    ] {
        let mut session = start(&sandbox, args);
        session.exp_string(prompt).unwrap();
        // The prompt appears shortly before the program reads.
        std::thread::sleep(Duration::from_millis(200));
        session.send_control('c').unwrap();
        let (rest, status) = finish(session);
        assert_eq!(status, 130, "{args:?}: {rest}");
    }
    assert_eq!(sandbox.verify("alice", "secret123"), 0);
}

#[test]
fn signal_at_prompt_restores_echo() {
    let sandbox = seeded();
    for (signal, expected) in [("INT", "130"), ("TERM", "143"), ("QUIT", "131")] {
        // A shell outlives the program and shows the terminal settings.
        let program = "echo $$ >pid; exec dash-users passwd alice";
        let script = format!("sh -c '{program}'; echo \"<$?>\"; stty -a");
        let mut session = start_script(&sandbox, &script);
        session.exp_string("New password: ").unwrap();
        std::thread::sleep(Duration::from_millis(200));
        send_signal(signal, sandbox.read_text("pid").trim().parse().unwrap());
        session.exp_string(&format!("<{expected}>")).unwrap();
        let (rest, _) = finish(session);
        let echo =
            rest.split_whitespace().find(|word| word.trim_end_matches(';').ends_with("echo"));
        assert_eq!(echo, Some("echo"), "{rest}");
    }
}

#[test]
fn ctrl_d_at_question_exits_130() {
    let sandbox = seeded();
    let mut session = start(&sandbox, &["remove", "alice"]);
    session.exp_string("[y/N] ").unwrap();
    session.send_control('d').unwrap();
    let (rest, status) = finish(session);
    assert_eq!(status, 130, "{rest}");
    assert_eq!(sandbox.run(&["show", "alice"]).status, 0);
}

#[test]
fn ctrl_d_at_prompt_exits_130() {
    let sandbox = seeded();
    let mut session = start(&sandbox, &["verify", "alice"]);
    session.exp_string("Password: ").unwrap();
    std::thread::sleep(Duration::from_millis(200));
    session.send_control('d').unwrap();
    let (rest, status) = finish(session);
    assert_eq!(status, 130, "{rest}");
}

#[test]
fn remove_is_confirmed_only_by_yes() {
    let sandbox = seeded();
    let remove = ["remove", "alice", "bob"];
    for no in ["", "n", "nonsense"] {
        let (shown, status) = answer(&sandbox, &remove, &[("[y/N] ", no)]);
        assert_eq!(status, 10, "{shown}");
        assert!(before_question(&shown).contains("Remove 'alice', 'bob' from "), "{shown}");
        assert!(shown.contains("nothing removed") && !shown.contains("error"), "{shown}");
    }
    assert_eq!(sandbox.run(&["list", "--format", "plain"]).stdout.lines().count(), 2);

    assert_eq!(answer(&sandbox, &remove, &[("[y/N] ", "y")]).1, 0);
    assert_eq!(sandbox.run(&["list", "--format", "plain"]).stdout, "");
}

#[test]
fn restore_is_confirmed_only_by_yes() {
    let sandbox = seeded();
    assert_eq!(sandbox.run(&["backup", "copy.db"]).status, 0);
    sandbox.run(&["remove", "alice", "--yes"]);
    for (line, status, users, said) in
        [("n", 10, 1, "nothing restored"), ("", 10, 1, "nothing restored"), ("y", 0, 2, "restored")]
    {
        let (shown, found) = answer(&sandbox, &["restore", "copy.db"], &[("[y/N] ", line)]);
        assert_eq!(found, status, "{shown}");
        for part in ["this replaces everything", "(2 users) into "] {
            assert!(before_question(&shown).contains(part), "{part}: {shown}");
        }
        assert!(shown.contains(said) && !shown.contains("error"), "{shown}");
        assert_eq!(sandbox.run(&["list", "--format", "plain"]).stdout.lines().count(), users);
    }
}

#[test]
fn remove_question_shows_group_count() {
    let sandbox = seeded();
    sandbox.run(&["group", "add", "alice", "admins"]);
    sandbox.run(&["group", "add", "bob", "admins", "staff"]);
    let question = "Remove 'alice' (in 1 group), 'bob' (in 2 groups) from ";
    assert_eq!(answer(&sandbox, &["remove", "alice", "bob"], &[(question, "n")]).1, 10);
}

#[test]
fn remove_question_shows_affected_app_rows() {
    let sandbox = seeded();
    sandbox.sql(
        "CREATE TABLE posts (author REFERENCES users ON DELETE CASCADE);
         INSERT INTO posts VALUES ('alice');",
    );
    for option in ["--quiet", "--json"] {
        let remove = ["remove", "alice", option];
        let (shown, status) = answer(&sandbox, &remove, &[("[y/N] ", "n")]);
        assert_eq!(status, 10, "{shown}");
        assert!(before_question(&shown).contains("deletes 1 row from table 'posts'"), "{shown}");
    }
    let error = sandbox.run(&["remove", "alice", "--json"]).error();
    assert!(error["message"].as_str().unwrap().contains("from table 'posts'"), "{error}");
}

#[test]
fn json_prompts_bypass_stderr() {
    let sandbox = seeded();
    let script = "dash-users verify alice --json >out 2>err; echo \"<$?>\"";
    let mut session = start_script(&sandbox, script);
    session.exp_string("Password: ").unwrap();
    session.send_line("secret123").unwrap();
    session.exp_string("<0>").unwrap();
    assert_eq!(sandbox.read_text("err"), "");
    let json = sandbox.read_text("out");
    assert_eq!(json, "{\"username\":\"alice\",\"verified\":true,\"upgraded\":false}\n");
}

#[test]
fn import_shows_progress_bar_on_terminal() {
    let sandbox = empty().with_env("TERM", "xterm");
    let row = |number| format!("user{number},{GOOD}\n");
    let rows: String = (0..8).map(row).collect();
    sandbox.write("users.csv", format!("username,password\n{rows}"));
    let import = ["import", "users.csv", "--method", "pbkdf2:sha256:10000"];
    let (shown, status) = finish(start(&sandbox, &import));
    assert_eq!(status, 0, "{shown}");
    assert!(shown.contains("hashing ["), "{shown:?}");
    assert!(shown.contains("users.csv: 8 added, "), "{shown:?}");

    for args in [&["-d", "quiet.db", "--quiet"][..], &["-d", "json.db", "--json"]] {
        let (shown, status) = finish(start(&sandbox, &[&import, args].concat()));
        assert_eq!(status, 0, "{shown}");
        assert!(!shown.contains("hashing"), "{shown:?}");
    }
    let run = sandbox.run(&[&import[..], &["-d", "pipe.db"]].concat());
    assert!(!run.stderr.contains("hashing ["), "{run}");
}

#[test]
fn import_without_a_bar_writes_lines() {
    let sandbox = empty();
    let row = |number| format!("user{number},{GOOD}\n");
    let rows: String = (0..4).map(row).collect();
    sandbox.write("users.csv", format!("username,password\n{rows}"));
    // Each hash takes a second or so, and lines are 5 seconds apart.
    let import = ["import", "users.csv", "--jobs", "1", "--method", "pbkdf2:sha256:4000000"];
    let import = [&import[..], &["-d", "lines.db"]].concat();
    let run = sandbox.run(&import);
    assert!(run.stderr.contains(" of 4 passwords\n"), "{run}");
}
