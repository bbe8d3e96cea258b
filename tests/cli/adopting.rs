//! Tables of apps: the hints work when they are pasted.

use crate::skip::or_skip;
use crate::support::{GOOD, Run, SECRET123, Sandbox, empty};

fn sqlite3_is_missing(sandbox: &Sandbox) -> bool {
    let found = sandbox.shell("sqlite3 --version").env("PATH", path()).output().unwrap();
    or_skip(found.status.success().then_some(()).ok_or("no sqlite3".to_owned())).is_none()
}

fn path() -> String {
    let program = crate::support::program_directory().display().to_string();
    format!("{program}:{}", std::env::var("PATH").unwrap_or_default())
}

/// Runs lines of output in a shell.
fn paste(sandbox: &Sandbox, lines: &str) {
    let output = sandbox.shell(lines).env("PATH", path()).output().unwrap();
    assert!(output.status.success(), "{lines}: {output:?}");
}

/// The lines with two blanks at the beginning.
fn indented(run: &Run, sandbox: &Sandbox) -> String {
    let lines = run.stderr.lines().filter(|line| line.starts_with("  "));
    let text = lines.collect::<Vec<_>>().join("\n");
    text.replace("[DIR]", sandbox.dir().to_str().unwrap())
}

/// The first command in backquotes that begins with `start`.
fn command(run: &Run, start: &str, sandbox: &Sandbox) -> String {
    let mut quoted = run.stderr.split('`').skip(1).step_by(2);
    let found = quoted.find(|quoted| quoted.starts_with(start)).unwrap_or_else(|| panic!("{run}"));
    found.replace("[DIR]", sandbox.dir().to_str().unwrap())
}

const PANDAS: &str = "CREATE TABLE users (\"index\" BIGINT, username TEXT, password_hash TEXT);
    CREATE INDEX ix_users_index ON users (\"index\")";

#[test]
fn init_of_pandas_table_names_working_options_and_sql() {
    let sandbox = empty();
    if sqlite3_is_missing(&sandbox) {
        return;
    }
    sandbox.sql(PANDAS);
    let refused = sandbox.run(&["init"]);
    assert_eq!(refused.status, 4, "{refused}");
    let init = command(&refused, "dash-users init --add", &sandbox);
    paste(&sandbox, &init);
    assert_eq!(sandbox.run(&["check", "--min-severity", "error"]).status, 0);
    let again = sandbox.run(&["init", "--add-language", "--add-unique-index"]);
    assert!(again.stderr.contains("already has a column 'language'"), "{again}");
    assert!(again.stderr.contains("already has a unique index on 'username'"), "{again}");

    let sandbox = empty();
    sandbox.sql(PANDAS);
    let sql = indented(&refused, &sandbox);
    let shell = command(&refused, "sqlite3", &sandbox);
    paste(&sandbox, &format!("{shell} <<'END'\n{sql}\nEND\ndash-users init"));
    let add = sandbox.run_with(GOOD, &["add", "zoe", "--password-stdin"]);
    assert_eq!(add.status, 0, "{add}");
}

#[test]
fn init_names_duplicates_and_how_to_list_them() {
    let sandbox = empty();
    if sqlite3_is_missing(&sandbox) {
        return;
    }
    sandbox.sql(&format!("{PANDAS}; INSERT INTO users VALUES (0, 'ann', 'x'), (1, 'ann', 'y')"));
    let refused = sandbox.run(&["init", "--add-language", "--add-unique-index"]);
    assert_eq!(refused.status, 4, "{refused}");
    assert!(refused.stderr.contains("same name: 'ann' = 'ann'"), "{refused}");
    let listing = command(&refused, "sqlite3", &sandbox);
    let sql = indented(&refused, &sandbox);
    paste(&sandbox, &format!("{listing} <<'END' | grep -q '^2|ann$'\n{sql}\nEND"));
    sandbox.sql("DELETE FROM users WHERE rowid = 2");
    paste(&sandbox, &command(&refused, "dash-users init", &sandbox));
}

#[test]
fn init_beside_another_table_says_how_to_copy_it() {
    for table in ["user", "my people's"] {
        let sandbox = empty();
        if sqlite3_is_missing(&sandbox) {
            return;
        }
        sandbox.sql(&format!(
            "CREATE TABLE \"{table}\" (id INTEGER PRIMARY KEY, \"user_name\" TEXT, password TEXT);
             INSERT INTO \"{table}\" VALUES (1, 'ann', '{SECRET123}')"
        ));
        let done = sandbox.run(&["init"]);
        assert_eq!(done.status, 0, "{done}");
        assert!(done.stderr.starts_with("created table 'users' in [DIR]/users.db\n"), "{done}");
        assert!(done.stderr.contains(&format!("note: table '{table}'")), "{done}");
        paste(&sandbox, &indented(&done, &sandbox));
        assert_eq!(sandbox.stored("ann"), SECRET123);
        assert_eq!(sandbox.run(&["init"]).stderr, "[DIR]/users.db is already up to date\n");
    }
    let sandbox = empty();
    sandbox.sql("CREATE TABLE ab_user (username TEXT, password TEXT)");
    let done = sandbox.run(&["init", "--json"]).json();
    assert_eq!(done["other_tables"][0]["table"], "ab_user");
    assert_eq!(done["other_tables"][0]["password"], "password");
}

#[test]
fn init_of_other_columns_says_how_to_copy_them() {
    let sandbox = empty();
    if sqlite3_is_missing(&sandbox) {
        return;
    }
    sandbox.sql(&format!(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, passwd TEXT);
         INSERT INTO users VALUES (1, 'ann', '{GOOD}')"
    ));
    let refused = sandbox.run(&["init"]);
    assert_eq!(refused.status, 4, "{refused}");
    assert!(refused.stderr.contains("no column 'username', only 'name'"), "{refused}");
    paste(&sandbox, &indented(&refused, &sandbox));
    let run = sandbox.run_with(GOOD, &["verify", "ann", "--password-stdin", "-d", "dash-users.db"]);
    assert_eq!(run.status, 0, "{run}");
}
