//! Which findings there are is a matter of the library. Here: how they are shown, and what they
//! say is to be done.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use snapbox::str;

use crate::support::{
    GOOD, SECRET123, Sandbox, assert_run, initialized, program_directory, seeded,
};

#[test]
fn a_clean_database_has_no_findings() {
    let sandbox = initialized();
    sandbox.run_with(GOOD, &["add", "zoe", "--password-stdin", "--method", "scrypt"]);
    assert_run!(
        sandbox.run(&["check", "--method", "scrypt"]),
        str![[r#"
status 0
-- stdout
nothing is wrong with [DIR]/users.db
-- stderr

"#]]
    );
    assert_run!(
        sandbox.run(&["check", "--method", "scrypt", "--json"]),
        str![[r#"
status 0
-- stdout
[]
-- stderr

"#]]
    );
    assert_run!(
        sandbox.run(&["check", "--fix", "--method", "scrypt", "--format", "plain"]),
        str![[r#"
status 0
-- stdout
-- stderr

"#]]
    );
}

#[test]
fn findings_are_shown_in_each_format_with_what_to_do() {
    let sandbox = seeded();
    sandbox.sql(
        "INSERT INTO users VALUES ('it''s', '$2b$12$', 'en');
         DELETE FROM users WHERE username = 'bob';",
    );
    assert_run!(
        sandbox.run(&["check", "--method", "scrypt:128:8:1"]),
        str![[r#"
status 7
-- stdout
error: user 'alice' [demo_password]
   everybody knows the password: it is the demo's
   hint: `dash-users passwd alice --database [DIR]/users.db`
error: user 'it's' [hash_raises]
   nobody can log in: werkzeug raises an exception on the stored hash: the method is neither scrypt nor pbkdf2
   hint: `dash-users passwd 'it'\''s' --database [DIR]/users.db`
info: user 'alice' [hash_weak]
   the hash is weak: scrypt:128:8:1 does less work than OWASP asks for
   hint: `dash-users rehash alice --database [DIR]/users.db`
-- stderr
2 error(s) and 0 warning(s) in [DIR]/users.db

"#]]
    );
    assert_run!(
        sandbox.run(&["check", "--format", "plain"]),
        str![[r#"
status 7
-- stdout
demo_password	error	alice	everybody knows the password: it is the demo's	`dash-users passwd alice --database [DIR]/users.db`
hash_raises	error	it's	nobody can log in: werkzeug raises an exception on the stored hash: the method is neither scrypt nor pbkdf2	`dash-users passwd 'it'\''s' --database [DIR]/users.db`
hash_weak	info	alice	the hash is weak: scrypt:128:8:1 does less work than OWASP asks for	`dash-users rehash alice --database [DIR]/users.db`
-- stderr
2 error(s) and 0 warning(s) in [DIR]/users.db

"#]]
    );
    assert_run!(
        sandbox.run(&["check", "--json", "--quiet"]),
        str![[r#"
status 7
-- stdout
[{"code":"demo_password","severity":"error","username":"alice","message":"everybody knows the password: it is the demo's","hint":"`dash-users passwd alice --database [DIR]/users.db`"},{"code":"hash_raises","severity":"error","username":"it's","message":"nobody can log in: werkzeug raises an exception on the stored hash: the method is neither scrypt nor pbkdf2","hint":"`dash-users passwd 'it'\\''s' --database [DIR]/users.db`"},{"code":"hash_weak","severity":"info","username":"alice","message":"the hash is weak: scrypt:128:8:1 does less work than OWASP asks for","hint":"`dash-users rehash alice --database [DIR]/users.db`"}]
-- stderr
{"error":{"code":"findings","status":7,"message":"2 error(s) and 0 warning(s) in [DIR]/users.db","hint":null}}

"#]]
    );
}

#[test]
fn what_is_worth_knowing_only_is_no_failure() {
    let sandbox = initialized();
    sandbox.sql(&format!("INSERT INTO users VALUES ('zoe', '{SECRET123}', 'de')"));
    assert_run!(
        sandbox.run(&["check"]),
        str![[r#"
status 0
-- stdout
info: user 'zoe' [hash_outdated]
   the hash is outdated and weak: pbkdf2:sha256:1000 does less work than OWASP asks for
   hint: `dash-users rehash zoe --database [DIR]/users.db`
-- stderr

"#]]
    );
}

#[test]
fn fix_mends_what_is_ours_and_leaves_users_and_modes_alone() {
    let sandbox = initialized();
    sandbox.run_with(GOOD, &["add", "zoe", "--password-stdin", "--method", "scrypt"]);
    sandbox.sql(
        "DROP TRIGGER dash_users_removed; INSERT INTO user_groups VALUES ('gone', 'admins');
         INSERT INTO dash_users_times (username) VALUES ('lost');",
    );
    let path = sandbox.path("users.db");
    fs::set_permissions(&path, Permissions::from_mode(0o646)).unwrap();
    assert_eq!(sandbox.run(&["list"]).status, 4);
    assert_run!(
        sandbox.run(&["check", "--fix", "--method", "scrypt"]),
        str![[r#"
status 7
-- stdout
error: [file_writable_by_others]
   everybody on this machine may change passwords: the mode is 0646
   hint: `chmod o-rw [DIR]/users.db`; --file-group on a new database gives an app its right
error: [trigger_missing]
   the trigger 'dash_users_removed' is missing
   fixed
warning: [file_readable_by_others]
   everybody on this machine may read the hashes: the mode is 0646
   hint: `chmod o-rw [DIR]/users.db`; --file-group on a new database gives an app its right
warning: user 'gone' [orphaned_groups]
   there is no such user, but groups: admins
   fixed
info: user 'lost' [removed_unseen]
   the user is gone, and the history does not tell it: another row was put in the place, or the triggers were missing
   fixed
-- stderr
repaired [DIR]/users.db
dropped group 'admins' of 'gone', who is gone or somebody else
noted in the history that user 'lost' is gone
1 error(s) and 1 warning(s) in [DIR]/users.db

"#]]
    );
    assert_run!(
        sandbox.run(&["check", "--fix", "--method", "scrypt", "--json"]),
        str![[r#"
status 7
-- stdout
[{"code":"file_writable_by_others","severity":"error","username":null,"message":"everybody on this machine may change passwords: the mode is 0646","hint":"`chmod o-rw [DIR]/users.db`; --file-group on a new database gives an app its right","fixed":false},{"code":"file_readable_by_others","severity":"warning","username":null,"message":"everybody on this machine may read the hashes: the mode is 0646","hint":"`chmod o-rw [DIR]/users.db`; --file-group on a new database gives an app its right","fixed":false}]
-- stderr
{"error":{"code":"findings","status":7,"message":"1 error(s) and 1 warning(s) in [DIR]/users.db","hint":null}}

"#]]
    );
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o646);
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    sandbox.sql("DROP TRIGGER dash_users_removed");
    assert_run!(
        sandbox.run(&["check", "--fix", "--method", "scrypt", "--format", "plain"]),
        str![[r#"
status 0
-- stdout
trigger_missing	error		the trigger 'dash_users_removed' is missing	`dash-users check --fix --database [DIR]/users.db`	true
-- stderr
repaired [DIR]/users.db

"#]]
    );
}

/// Runs a hint as a shell does, and says whether that worked.
fn follow(sandbox: &Sandbox, hint: &str) -> bool {
    let Some((_, command)) = hint.split_once('`') else { return false };
    let command = command.trim_end_matches('`').replace("NEW", "new.name");
    let command = command.replace("TAG", "en").replace("--database [DIR]/", "--database ");
    let path = format!("{}:/usr/bin:/bin", program_directory().display());
    let stdin = format!("printf '%s' {GOOD} | ");
    let password = if command.contains(" passwd ") { " --password-stdin" } else { "" };
    let confirmed = if command.contains(" remove ") { " --yes" } else { "" };
    // Before a name that looks like an option.
    let command = command.replacen(" --database", &format!("{password}{confirmed} --database"), 1);
    let script = format!("{stdin}{command}");
    sandbox.shell(&script).env("PATH", path).status().unwrap().success()
}

#[test]
fn the_hints_about_users_can_be_pasted_and_help() {
    for (name, value, language) in [
        ("no hash", "*", "en"),
        ("it's", "$2b$12$", "en"),
        ("clear", "hunter2", "en"),
        ("with:colon", SECRET123, "en"),
        ("trailing ", SECRET123, "en"),
        ("-rf", SECRET123, "en"),
        ("$(id)", "!", "not a language"),
        ("Zoë `x` \"y\"", "!", "en"),
    ] {
        let sandbox = initialized();
        let name = name.replace('\'', "''");
        sandbox.sql(&format!("INSERT INTO users VALUES ('{name}', '{value}', '{language}')"));
        let check = ["check", "--json", "--method", "pbkdf2:sha256:1000"];
        let mut rounds = 0;
        loop {
            let findings = sandbox.run(&check).json();
            let severe = |finding: &&serde_json::Value| finding["severity"] != "info";
            let Some(finding) = findings.as_array().unwrap().iter().find(severe) else { break };
            let hint = finding["hint"].as_str().unwrap();
            assert!(follow(&sandbox, hint), "{name}: {finding}");
            rounds += 1;
            assert!(rounds < 5, "{name}: {finding}");
        }
        assert!(rounds > 0, "{name}");
    }
}

#[test]
fn users_whom_no_command_can_name_are_removed_by_the_sql_that_is_shown() {
    let sandbox = initialized();
    sandbox.sql(
        "INSERT INTO users VALUES (NULL, '!', 'en'), (x'00ff', '!', 'en'),
             ('a' || char(0) || 'b', '!', 'en'), (CAST(x'ff' AS TEXT), '!', 'en'),
             ('two' || char(10) || 'lines', '!', 'en')",
    );
    for _ in 0..5 {
        let findings = sandbox.run(&["check", "--json"]).json();
        let hint = findings[0]["hint"].as_str().unwrap().to_owned();
        sandbox.sql(hint.split_once("removes it: ").unwrap().1);
    }
    assert_eq!(sandbox.run(&["list", "--format", "plain"]).stdout, "");
    assert_eq!(sandbox.run(&["check"]).status, 0);
}

#[test]
fn a_database_that_is_not_up_to_date_is_told_as_by_every_command() {
    let sandbox = initialized();
    sandbox.sql("UPDATE dash_users_schema SET version = 1");
    assert_run!(
        sandbox.run(&["check"]),
        str![[r#"
status 4
-- stdout
-- stderr
error: [DIR]/users.db is not up to date: its schema has version 1 of 2
hint: `dash-users init --database [DIR]/users.db` brings it up to date

"#]]
    );
    assert_run!(
        sandbox.run(&["check", "--fix", "--json"]),
        str![[r#"
status 4
-- stdout
-- stderr
{"error":{"code":"needs_migration","status":4,"message":"[DIR]/users.db is not up to date: its schema has version 1 of 2","hint":"`dash-users init --database [DIR]/users.db` brings it up to date"}}

"#]]
    );
}
