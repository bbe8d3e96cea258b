//! Long tables go through a pager, on a terminal only.

use crate::pty::{finish, start_script};
use crate::support::{PROGRAM, Sandbox, initialized};

fn many() -> Sandbox {
    let sandbox = initialized();
    sandbox.sql(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 300)
         INSERT INTO users SELECT printf('user%03d@example.org', n), '*', 'en' FROM n",
    );
    sandbox
}

fn shown(sandbox: &Sandbox, script: &str) -> String {
    let (shown, status) = finish(start_script(sandbox, script));
    assert_eq!(status, 0, "{shown}");
    shown.replace("\r\n", "\n")
}

#[test]
fn pager_shows_what_does_not_fit_the_terminal() {
    let pager = "sed 's/^/paged: /'";
    let sandbox = many().with_env("DASH_USERS_PAGER", pager).with_env("PAGER", "false");
    let size = "stty cols 80 rows 24";
    let long = shown(&sandbox, &format!("{size}; {PROGRAM} list"));
    assert_eq!(long.matches("paged: ").count(), 301, "{long}");
    for (command, what) in [
        ("list --no-pager", "the option"),
        ("list --limit 5", "short"),
        ("list | cat", "no terminal"),
        ("list --format plain", "for programs"),
    ] {
        let shown = shown(&sandbox, &format!("{size}; {PROGRAM} {command}"));
        assert!(!shown.contains("paged: "), "{what}: {shown}");
        assert!(shown.contains("user005@example.org"), "{what}: {shown}");
    }
}

#[test]
fn missing_or_empty_pager_loses_nothing() {
    for pager in ["", "cat", "no-such-pager"] {
        let sandbox = many().with_env("DASH_USERS_PAGER", pager);
        let shown = shown(&sandbox, &format!("stty cols 80 rows 24; {PROGRAM} list"));
        assert!(shown.contains("user300@example.org"), "{pager}: {shown}");
    }
}

#[test]
fn list_of_many_users_stays_a_table_at_60_columns() {
    let sandbox = many().with_env("DASH_USERS_PAGER", "cat");
    sandbox.sql("INSERT INTO user_groups SELECT username, 'staff of the office' FROM users");
    let shown = shown(&sandbox, &format!("stty cols 60 rows 24; {PROGRAM} list"));
    let header = shown.lines().next().unwrap();
    assert!(header.starts_with("USER") && header.contains("GROUPS"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 60), "{shown}");
    assert_eq!(shown.matches("USER").count(), 1, "{shown}");
}
