//! Migration tools such as Alembic change the table `users`. They must succeed, users must keep
//! their groups and history, and other users with the same names must not get them.

use std::fs;

use rusqlite::Connection;
use serde_json::Value;

use crate::site::Folder;
use crate::{BETTER, GOOD};

const SCRIPT: &str = include_str!("rebuilds.py");

/// The state after a tool ran.
enum Left {
    /// All our objects: `init` has nothing to do.
    Everything,
    /// The objects on `users` with other SQL, such as quoted names.
    OtherSql,
    /// A table without our triggers.
    NoTriggers,
    /// A table that is rejected until this SQL runs.
    Unfit(&'static str),
    /// Other values, and these groups of alice.
    Changed(&'static str),
}

const TOOLS: [(&str, Left); 20] = [
    ("alembic-add-column", Left::Everything),
    ("alembic-alter-column", Left::NoTriggers),
    ("alembic-drop-column", Left::NoTriggers),
    ("alembic-autocommit", Left::NoTriggers),
    ("flask-migrate", Left::NoTriggers),
    ("flask-migrate-autogenerate", Left::NoTriggers),
    ("django-add-field", Left::Everything),
    ("django-alter-field", Left::NoTriggers),
    ("django-rename-field", Left::Unfit("ALTER TABLE users RENAME COLUMN tongue TO language")),
    ("django-rename-field-twice", Left::OtherSql),
    ("sqlite-utils-add-column", Left::Everything),
    ("sqlite-utils-transform", Left::NoTriggers),
    ("sqlite-utils-python", Left::NoTriggers),
    ("sqlite-utils-upsert", Left::Changed("admin,staff")),
    ("sqlite-utils-replace", Left::Changed("")),
    ("sqlalchemy-create-all", Left::NoTriggers),
    ("pandas-replace", Left::Unfit("CREATE UNIQUE INDEX users_username ON users (username)")),
    ("vacuum-into", Left::Everything),
    ("dump", Left::Everything),
    ("db-browser", Left::Everything),
];

#[test]
fn migration_tools_keep_groups() {
    let Some(folder) = Folder::new() else { return };
    let file = folder.path("users.db");
    let start = Database { folder: &folder, file: "users.db" };
    start.run(&["init"], "");
    start.run(&["add", "alice", "--password-stdin", "--group", "staff", "--group", "admin"], GOOD);
    start.run(&["add", "bob", "--password-stdin", "--group", "staff"], GOOD);
    start.run(&["lock", "bob"], "");
    for (tool, _) in &TOOLS {
        fs::copy(&file, folder.path(&format!("{tool}.db"))).unwrap();
    }

    let names = TOOLS.map(|(tool, _)| tool);
    let results = folder.python(SCRIPT, &names);
    // The error of a failed tool is on its line.
    assert_eq!(results.lines().collect::<Vec<_>>(), names);

    let before = start.state();
    for (tool, left) in TOOLS {
        let database = Database { folder: &folder, file: &format!("{tool}.db") };
        if matches!(left, Left::NoTriggers) {
            other_user_gets_no_groups(&database);
        }
        let expected_groups = if let Left::Changed(groups) = left {
            groups
        } else {
            update(&database, &left);
            assert_eq!(database.state(), before, "{tool}");
            "admin,staff"
        };
        assert_eq!(database.groups("alice"), expected_groups, "{tool}");
        assert_eq!(database.groups("bob"), "staff", "{tool}");
        assert_eq!(database.status(&["check", "--quiet"]), 0, "{tool}");
        // The triggers work.
        database.run(&["remove", "alice", "--yes"], "");
        database.run(&["add", "alice", "--password-stdin"], BETTER);
        assert_eq!(database.groups("alice"), "", "{tool}");
    }
}

/// Restores missing objects with `init`, and altered ones with `check --fix`.
fn update(database: &Database<'_>, left: &Left) {
    let needs_migration = matches!(left, Left::NoTriggers | Left::Unfit(_));
    let expected = if needs_migration { 4 } else { 0 };
    assert_eq!(database.status(&["list"]), expected, "{}", database.file);
    if let Left::Unfit(repair) = left {
        assert_eq!(database.status(&["init"]), 4, "{}", database.file);
        database.execute(repair);
    }
    database.run(&["init"], "");
    if matches!(left, Left::OtherSql | Left::Unfit(_)) {
        database.run(&["check", "--fix"], "");
    }
}

/// Asserts that another user with the same name, added without triggers, gets no groups.
fn other_user_gets_no_groups(rebuilt: &Database<'_>) {
    let Database { folder, file } = *rebuilt;
    let database = Database { folder, file: &format!("newcomer-{file}") };
    fs::copy(folder.path(file), folder.path(database.file)).unwrap();
    database.execute(
        "DELETE FROM users WHERE username = 'alice';
         INSERT INTO users (username, password_hash, language)
             VALUES ('alice', 'scrypt:1024:8:1$salt$' || hex(zeroblob(64)), 'en')",
    );
    assert_eq!(database.status(&["init"]), 4, "{file}");
    assert_eq!(database.status(&["show", "alice"]), 4, "{file}");
    database.run(&["check", "--fix"], "");
    assert_eq!(database.groups("alice"), "", "{file}");
    assert_eq!(database.groups("bob"), "staff", "{file}");
}

struct Database<'a> {
    folder: &'a Folder,
    file: &'a str,
}

impl Database<'_> {
    fn run(&self, args: &[&str], stdin: &str) -> String {
        self.folder.run(&[&["--database", self.file], args].concat(), stdin)
    }

    fn status(&self, args: &[&str]) -> i32 {
        self.folder.status(&[&["--database", self.file], args].concat(), "")
    }

    fn connection(&self) -> Connection {
        Connection::open(self.folder.path(self.file)).unwrap()
    }

    fn execute(&self, sql: &str) {
        self.connection().execute_batch(sql).unwrap();
    }

    /// Users, groups and times, hashes, and the history.
    fn state(&self) -> [String; 3] {
        let select = "SELECT group_concat(username || password_hash) FROM
                      (SELECT * FROM users ORDER BY username)";
        let hashes = self.connection().query_row(select, [], |row| row.get(0)).unwrap();
        [self.run(&["list", "--json"], ""), hashes, self.run(&["history", "--json"], "")]
    }

    fn groups(&self, name: &str) -> String {
        let shown: Value = serde_json::from_str(&self.run(&["show", name, "--json"], "")).unwrap();
        let groups = shown["groups"].as_array().unwrap();
        groups.iter().map(|group| group.as_str().unwrap()).collect::<Vec<_>>().join(",")
    }
}
