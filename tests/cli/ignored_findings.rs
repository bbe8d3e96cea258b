use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use snapbox::str;

use crate::support::{SECRET123, assert_run, initialized};

#[test]
fn ignored_findings_do_not_count() {
    let sandbox = initialized();
    fs::set_permissions(sandbox.path("users.db"), Permissions::from_mode(0o644)).unwrap();
    assert_eq!(sandbox.run(&["check"]).status, 7);
    assert_run!(
        sandbox.run(&["check", "--ignore", "file_readable_by_others"]),
        str![[r#"
status 0
-- stdout
no other problems found in [DIR]/users.db
-- stderr
1 finding ignored

"#]]
    );
    sandbox.sql(&format!("INSERT INTO users VALUES ('a:b', '{SECRET123}', 'en')"));
    let codes = "file_readable_by_others,hash_outdated,hash_weak";
    for args in [
        &["check", "--ignore", codes, "--format", "plain"][..],
        &["check", "--ignore=hash_outdated", "--ignore", codes, "--format", "plain"],
        &["check", "--min-severity", "error", "--format", "plain"],
    ] {
        let run = sandbox.run(args);
        assert_eq!(run.status, 7, "{run}");
        let found: Vec<_> = run.stdout.lines().filter_map(|line| line.split('\t').next()).collect();
        assert_eq!(found, ["name_cannot_log_in"], "{run}");
        assert!(run.stderr.contains("1 error and 0 warnings"), "{run}");
    }
    let warnings = sandbox.run(&["check", "--min-severity", "warning", "--json"]).json();
    assert_eq!(warnings.as_array().unwrap().len(), 2);
    let ignored = ["check", "--json", "--ignore", "name_cannot_log_in", "--ignore", codes];
    assert_eq!(sandbox.run(&ignored).status, 0);

    let sandbox = sandbox.with_env("DASH_USERS_CHECK_IGNORE", "name_cannot_log_in, hash_weak,");
    let run = sandbox.run(&["check"]);
    assert!(run.status == 7 && run.stdout.contains("[file_readable_by_others]"), "{run}");
    assert!(!run.stdout.contains("[name_cannot_log_in]"), "{run}");
    // The option replaces the variable.
    let run = sandbox.run(&["check", "--ignore", "file_readable_by_others"]);
    assert!(run.status == 7 && run.stdout.contains("[name_cannot_log_in]"), "{run}");
}

#[test]
fn fix_repairs_ignored_problems_too() {
    let sandbox = initialized();
    sandbox.sql("DROP TRIGGER dash_users_added");
    let run = sandbox.run(&["check", "--fix", "--ignore", "trigger_missing"]);
    assert_eq!(run.status, 0, "{run}");
    assert_eq!(sandbox.run(&["check"]).stdout, "no problems found in [DIR]/users.db\n");
}

#[test]
fn unknown_code_is_a_usage_error_with_all_codes() {
    let contract = include_str!("contract.txt").split_once("\n== findings\n").unwrap().1;
    let contract = contract.split("\n\n").next().unwrap().lines().skip(1);
    let codes: Vec<_> = contract.map(|line| line.split(' ').next().unwrap()).collect();
    let sandbox = initialized();
    let run = sandbox.run(&["check", "--ignore", "file_mode"]);
    assert_eq!(run.status, 2, "{run}");
    assert!(run.stderr.contains(&format!("the codes are: {}\n", codes.join(", "))), "{run}");
    let run = sandbox.with_env("DASH_USERS_CHECK_IGNORE", "nonsense").run(&["check", "--json"]);
    assert_eq!(run.error()["code"], "usage");
    assert!(run.stderr.contains("DASH_USERS_CHECK_IGNORE: the codes are: "), "{run}");
}

#[test]
fn names_that_differ_by_case_are_shown_with_their_times() {
    let sandbox = initialized();
    for name in ["Ann", "ann"] {
        sandbox.sql(&format!("INSERT INTO users VALUES ('{name}', '{SECRET123}', 'en')"));
    }
    sandbox.sql("UPDATE dash_users_times SET created_at = NULL WHERE username = 'ann'");
    let found = sandbox.run(&["check", "--json", "--min-severity", "warning"]);
    assert_run!(
        found,
        str![[r#"
status 7
-- stdout
[{"code":"name_differs_by_case","severity":"warning","username":"ann","message":"the username differs only by case from 'Ann'","hint":"if both are the same person, find out which one is in use, and remove the other: 'ann' (created: unknown, password set: [TIME]), 'Ann' (created: [TIME], password set: [TIME])"}]
-- stderr
{"error":{"code":"findings","status":7,"message":"0 errors and 1 warning in [DIR]/users.db","hint":null}}

"#]]
    );
}
