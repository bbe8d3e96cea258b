//! Output on terminals of several widths, and color.

use snapbox::{IntoData, assert_data_eq, str};
use unicode_width::UnicodeWidthStr;

use crate::pty::shown;
use crate::support::{SECRET123, Sandbox, initialized, seeded};

const WIDTHS: [u16; 3] = [40, 80, 200];

const LIST: [&str; 6] = ["USER", "LANGUAGE", "GROUPS", "STATE", "CREATED", "PASSWORD SET"];
const HISTORY: [&str; 5] = ["WHEN", "WHO", "ACTION", "USER", "DETAIL"];

/// A database with long, wide, combining and hostile usernames.
fn odd() -> Sandbox {
    let names = [
        "a-very-long-name-that-goes-on-and-on@some-department.of-some-company.example",
        &"李雷".repeat(15),
        "👩‍👩‍👧‍👦 family 🇩🇪 🎉",
        "e\u{301}\u{302}combined with o\u{308}\u{323}",
        "\x1b[2J\x1b]0;title\x07\n\u{202e}gnp.exe",
        "two  spaces   and a     tail ",
        "zoe",
    ];
    let groups = ["admins", "data science", "營銷部門", "\x1b[31mred", &"long-".repeat(12)];
    let sandbox = initialized();
    for name in names {
        let hash = if name == "zoe" { SECRET123 } else { "plain text" };
        sandbox.sql(&format!("INSERT INTO users VALUES ('{name}', '{hash}', 'zh-Hant-TW')"));
    }
    for group in groups {
        for name in [names[0], names[1], "zoe"] {
            sandbox.sql(&format!("INSERT INTO user_groups VALUES ('{name}', '{group}')"));
        }
    }
    sandbox.wait_three_days();
    sandbox.write("secret", "secret123");
    sandbox
}

#[test]
fn output_fits_terminal_and_contains_no_control_codes() {
    let sandbox = odd();
    let long = "a-very-long-name-that-goes-on-and-on@some-department.of-some-company.example";
    for width in WIDTHS {
        for args in [
            &["list"][..],
            &["show", long],
            &["show", "zoe"],
            &["history"],
            &["group", "list"],
            &["group", "list", long],
            &["check"],
            &["migrate", "--status"],
            &["verify", long, "--explain", "--password-file", "secret"],
            &["verify", "zoe", "--explain", "--password-file", "secret"],
        ] {
            // Notes with paths, and hints, are not wrapped, so they can be pasted.
            let shown = shown(&sandbox, width, &[args, &["--quiet"]].concat());
            for line in shown.lines().filter(|line| !line.starts_with("   hint: ")) {
                assert!(line.width() <= width.into(), "{args:?} at {width}: {line}");
            }
            let is_unsafe = |c: char| c != '\n' && c.is_control() || c == '\u{202e}';
            assert!(!shown.contains(is_unsafe), "{args:?} at {width}: {shown:?}");
        }
    }
}

#[test]
fn columns_align_and_wrap_without_truncation() {
    let sandbox = odd();
    let plain = |args: &[&str], column: usize| {
        let rows = sandbox.run(&[args, &["--format", "plain"]].concat()).stdout;
        let cells = rows.lines().map(|row| row.split('\t').nth(column).unwrap().to_owned());
        cells.map(|cell| without_blanks(&cell.replace("\\N", ""))).collect::<Vec<_>>()
    };
    for width in WIDTHS {
        let list = shown(&sandbox, width, &["list"]);
        assert_eq!(column(&list, &LIST, "USER"), plain(&["list"], 0).concat(), "{list}");
        assert_eq!(column(&list, &LIST, "LANGUAGE"), plain(&["list"], 1).concat(), "{list}");
        assert_eq!(column(&list, &LIST, "GROUPS"), plain(&["list"], 5).concat(), "{list}");
        assert!(column(&list, &LIST, "PASSWORD SET").starts_with("3d3d"), "{list}");

        let history = shown(&sandbox, width, &["history"]);
        let users = plain(&["history"], 4).concat();
        assert_eq!(column(&history, &HISTORY, "USER"), users, "{history}");
        let details = plain(&["history"], 5).concat();
        assert_eq!(column(&history, &HISTORY, "DETAIL"), details, "{history}");

        let groups = shown(&sandbox, width, &["group", "list"]);
        let mut names = plain(&["group", "list"], 1);
        names.dedup();
        assert_eq!(column(&groups, &["GROUP", "USERS"], "GROUP"), names.concat(), "{groups}");
        let members = column(&groups, &["GROUP", "USERS"], "USERS");
        for name in plain(&["group", "list"], 0) {
            assert!(members.contains(&name), "{name}: {groups}");
        }
        let migrations = shown(&sandbox, width, &["migrate", "--status"]);
        let states = column(&migrations, &["VERSION", "NAME", "STATE"], "STATE");
        let count = plain(&["migrate", "--status"], 0).len();
        assert_eq!(states, "applied".repeat(count), "{migrations}");
    }
}

/// The content of a column, without whitespace.
fn column(shown: &str, header: &[&str], name: &str) -> String {
    let first = shown.lines().next().unwrap();
    let is_table = first.contains(&format!("  {}", &header[1][..3]));
    let values =
        if is_table { of_table(shown, header, name) } else { of_blocks(shown, header, name) };
    without_blanks(&values)
}

fn of_table(shown: &str, header: &[&str], name: &str) -> String {
    let first = shown.lines().next().unwrap();
    let is_start =
        |at: &usize| *at == 0 || first[..*at].ends_with("  ") && !first[*at..].starts_with(' ');
    let starts: Vec<_> = (0..first.len()).filter(is_start).collect();
    assert_eq!(starts.len(), header.len(), "{first}");
    let index = header.iter().position(|other| *other == name).unwrap();
    let values: String = shown.lines().map(|line| cells(line, &starts)[index].clone()).collect();
    // Headers may wrap too.
    let values = without_blanks(&values);
    values.strip_prefix(&without_blanks(name)).expect(&values).to_owned()
}

/// Checks the output of a terminal too narrow for a table: one block of lines per record.
fn of_blocks(shown: &str, header: &[&str], name: &str) -> String {
    let start = header.iter().map(|label| label.len()).max().unwrap() + 2;
    let mut label = String::new();
    let mut values = String::new();
    for line in shown.lines().filter(|line| !line.is_empty()) {
        let [found, value] = &cells(line, &[0, start])[..] else { unreachable!() };
        if !found.is_empty() {
            label.clone_from(found);
        }
        if label == name {
            values += value;
        }
    }
    values
}

/// Splits a line at the starts of its columns, which must be separated.
fn cells(line: &str, starts: &[usize]) -> Vec<String> {
    let place = |start: usize| {
        let mut places = line.char_indices().map(|(at, _)| at);
        let is_it =
            |at: &usize| line[..*at].width() == start && (*at == 0 || line[..*at].ends_with("  "));
        let found = places.find(is_it);
        assert!(found.is_some() || line.width() <= start, "column {start}: {line}");
        found.unwrap_or(line.len())
    };
    let ends = starts[1..].iter().map(|start| place(*start)).chain([line.len()]);
    let cells = starts.iter().map(|start| place(*start)).zip(ends);
    cells.map(|(start, end)| line[start..end].trim().to_owned()).collect()
}

fn without_blanks(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn narrow_terminal_shows_one_block_per_record() {
    let sandbox = initialized();
    sandbox.sql(&format!(
        "INSERT INTO users VALUES ('alice', '{SECRET123}', 'en'), ('bob', '{SECRET123}', 'fr');
         INSERT INTO user_groups VALUES ('alice', 'admins'), ('alice', 'data science'),
                                        ('alice', 'finance'), ('alice', 'staff')"
    ));
    sandbox.wait_three_days();
    assert_data_eq!(
        shown(&sandbox, 40, &["list"]),
        str![[r#"
USER          alice
LANGUAGE      en
GROUPS        admins, data science,
              finance, staff
STATE         outdated
CREATED       3d
PASSWORD SET  3d

USER          bob
LANGUAGE      fr
GROUPS
STATE         outdated
CREATED       3d
PASSWORD SET  3d

"#]]
        .raw()
    );
    assert_data_eq!(
        shown(&sandbox, 80, &["list"]),
        str![[r#"
USER   LANGUAGE  GROUPS                          STATE     CREATED  PASSWORD SET
alice  en        admins, data science, finance,  outdated  3d       3d
                 staff
bob    fr                                        outdated  3d       3d

"#]]
        .raw()
    );
}

/// Commands whose output contains colored parts.
const COLORED: [&[&str]; 4] = [&["show", "nobody"], &["seed"], &["--help"], &["shw"]];

#[test]
fn color_follows_terminal_environment_and_option() {
    let terminal = |name: &'static str, value: &str, args: &[&str]| {
        shown(&initialized().with_env("TERM", "xterm").with_env(name, value), 80, args)
    };
    for args in COLORED {
        assert!(terminal("TERM", "xterm-256color", args).contains("\x1b["), "{args:?}");
        for (name, value) in [("TERM", "dumb"), ("NO_COLOR", "1")] {
            assert!(!terminal(name, value, args).contains('\x1b'), "{args:?} {name}");
            // A flag overrides the environment.
            let args = [args, &["--color", "always"]].concat();
            assert!(terminal(name, value, &args).contains("\x1b["), "{args:?} {name}");
        }
        let args = [args, &["--color", "never"]].concat();
        assert!(!terminal("TERM", "xterm", &args).contains('\x1b'), "{args:?}");
    }
}

#[test]
fn locked_users_and_severities_have_color() {
    let sandbox = seeded();
    assert_eq!(sandbox.run(&["lock", "alice"]).status, 0);
    let listed = |color| sandbox.run(&["list", "--color", color]).stdout;
    assert!(listed("always").contains("\x1b["), "{}", listed("always"));
    sandbox.sql("INSERT INTO users VALUES ('bad', 'no hash', 'en')");
    let checked = sandbox.run(&["check", "--color", "always"]).stdout;
    assert!(checked.contains("\x1b["), "{checked}");
}

#[test]
fn piped_output_has_no_color_and_no_wrapping() {
    let sandbox = odd().with_env("TERM", "xterm").with_env("COLUMNS", "20");
    for args in [&["list"][..], &["history"], &["group", "list"], &["check"], &["show", "zoe"]] {
        let run = sandbox.run(args);
        assert!(!run.to_string().contains('\x1b'), "{args:?}: {run}");
        let name = format!("{} ", "李雷".repeat(15));
        assert!(args[0] == "show" || run.stdout.contains(name.trim_end()), "{args:?}: {run}");
    }
    for args in COLORED {
        assert!(!initialized().run(args).to_string().contains('\x1b'), "{args:?}");
    }
}

#[test]
fn color_never_carries_meaning_alone() {
    for args in COLORED {
        let run = |color| initialized().run(&[args, &["--color", color]].concat()).to_string();
        let colored = run("always");
        let mut pieces = colored.split("\x1b[");
        let plain: String = pieces.next().unwrap().to_owned()
            + &pieces.map(|piece| piece.split_once('m').unwrap().1).collect::<String>();
        assert_ne!(colored, plain, "{args:?}");
        assert_eq!(plain, run("never"), "{args:?}");
    }
}
