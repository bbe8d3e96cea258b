//! The conditions, order and names of `list`.

use snapbox::str;

use crate::support::{SECRET123, Sandbox, initialized, seeded};

/// Users of different ages, groups and states.
fn people() -> Sandbox {
    let sandbox = initialized();
    let locked = format!("!{}", SECRET123.replace('$', "|"));
    sandbox.sql(&format!(
        "INSERT INTO users VALUES ('anna', '{SECRET123}', 'en'), ('ben', '{locked}', 'de'),
             ('carol', '{SECRET123}', 'en'), ('d d', '{SECRET123}', 'en');
         INSERT INTO user_groups VALUES ('anna', 'staff'), ('ben', 'staff'), ('carol', 'admins');
         UPDATE dash_users_times SET created_at = '2020-01-01T00:00:00.000Z',
             password_changed_at = '2021-01-01T00:00:00.000Z' WHERE username = 'anna';
         UPDATE dash_users_times SET created_at = '2022-01-01T00:00:00.000Z',
             password_changed_at = NULL WHERE username = 'ben';"
    ));
    sandbox
}

fn names(sandbox: &Sandbox, filter: &str) -> String {
    let args: Vec<_> = ["list", "--names"].into_iter().chain(filter.split(' ')).collect();
    let run = sandbox.run(&args);
    assert_eq!(run.status, 0, "{run}");
    // The same users, in the same order, in each format.
    let json = sandbox.run(&[&args[..], &["--json"]].concat()).json();
    let json: Vec<_> = json.as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    let names: Vec<_> = run.stdout.lines().collect();
    assert_eq!(names, json, "{filter}");
    names.join(",")
}

#[test]
fn group_with_a_comma_is_noted() {
    let run = seeded().run(&["list", "--group", "staff,admins", "--names"]);
    assert_eq!(run.stderr, "no user is in 'staff,admins'; for several groups, repeat --group\n");
}

#[test]
fn list_filters_by_group_state_age_and_name() {
    let sandbox = people();
    for (filter, expected) in [
        ("--group staff", "anna,ben"),
        ("--group staff --group admins", "anna,ben,carol"),
        ("--not-group staff", "carol,d d"),
        ("--group staff --not-group staff", ""),
        ("--locked", "ben"),
        ("--unlocked", "anna,carol,d d"),
        ("--group staff --unlocked", "anna"),
        ("--password-older-than 30d", "anna"),
        ("--password-unknown", "ben"),
        ("--created-since 2021-06-01", "ben,carol,d d"),
        ("--created-since 1d", "carol,d d"),
        ("--match a*", "anna"),
        ("--match *[no]*", "anna,ben,carol"),
        ("--match ????", "anna"),
        ("--limit 2", "anna,ben"),
        ("--reverse --limit 3", "d d,carol,ben"),
        ("--sort created --limit 2", "anna,ben"),
        ("--sort changed --limit 2", "ben,anna"),
        ("--sort created --reverse --match *n*", "ben,anna"),
        ("--outdated --method scrypt:128:8:1 --limit 1", "anna"),
    ] {
        assert_eq!(names(&sandbox, filter), expected, "{filter}");
    }
    assert_eq!(sandbox.run(&["list", "--locked", "--unlocked"]).status, 2);
    assert_eq!(sandbox.run(&["list", "--limit", "0"]).status, 2);
    assert_eq!(sandbox.run(&["list", "--match", "[a"]).status, 2);
}

#[test]
fn list_names_null_suits_xargs() {
    let sandbox = people();
    let output = sandbox.shell("dash-users list --names --null | xargs -0 -n1 echo").output();
    assert_eq!(output.unwrap().stdout, b"anna\nben\ncarol\nd d\n");
    assert_eq!(sandbox.run(&["list", "--null"]).status, 2);
    assert_eq!(sandbox.run(&["list", "--names", "--null", "--json"]).status, 2);
}

#[test]
fn list_notes_groups_without_users() {
    people().assert_session(str![[r#"
$ dash-users list --group stff --names
status 0
-- stderr
no user is in 'stff'; did you mean 'staff'?

$ dash-users list --group staff --not-group unheard-of --names
status 0
-- stdout
anna
ben
-- stderr
no user is in 'unheard-of'

$ dash-users list --group stff --json
status 0
-- stdout
[]

"#]]);
}
