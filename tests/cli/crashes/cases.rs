//! Commands that write, and what each starts from.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::{GOOD, SECRET123, Sandbox, empty};

/// Commands, what is on stdin, and what is there at the start.
pub(super) const CASES: &[(&str, &str, Start)] = &[
    ("init", "", Start::Nothing),
    ("init", "", Start::Table),
    ("migrate", "", Start::Table),
    ("seed", "", Start::Nothing),
    ("seed new.csv", "", Start::Nothing),
    ("seed new.csv", "", Start::Users),
    ("import new.csv", "", Start::Nothing),
    ("import new.csv --on-conflict skip", "", Start::Table),
    ("import clear.csv --generate-missing passwords.csv", "", Start::Users),
    ("import old.csv --on-conflict update", "", Start::Users),
    ("add zoe --password-stdin --group staff --group admins", GOOD, Start::Users),
    ("passwd alice --password-stdin", GOOD, Start::Users),
    ("verify alice --password-stdin --upgrade", "secret123", Start::Users),
    ("rehash alice --password-stdin", "secret123", Start::Users),
    ("rehash --plaintext --all", "", Start::Clear),
    ("remove alice user7 user8 --yes", "", Start::Users),
    ("rename alice alicia", "", Start::Users),
    ("update alice --language fr", "", Start::Users),
    ("lock alice user7", "", Start::Users),
    ("unlock carol", "", Start::Users),
    ("group add alice admins owners", "", Start::Users),
    ("group remove alice staff", "", Start::Users),
    ("check --fix", "", Start::Damaged),
    ("restore backup.db --yes", "", Start::Users),
    ("backup copy.db --force", "", Start::Users),
    ("export all.csv --force", "", Start::Users),
];

/// What is there before the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Start {
    Nothing,
    /// The table as an app makes it.
    Table,
    /// The same with a clear password, brought up to date.
    Clear,
    Users,
    /// A trigger is missing.
    Damaged,
}

/// The files of a directory.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

pub(super) fn files(dir: &Path) -> Files {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    entries.map(|path| (name(&path), fs::read(&path).unwrap())).collect()
}

pub(super) fn put_back(dir: &Path, start: &Files) {
    for name in files(dir).keys() {
        fs::remove_file(dir.join(name)).unwrap();
    }
    for (name, content) in start {
        fs::write(dir.join(name), content).unwrap();
    }
}

/// A directory with what a command starts from.
pub(super) fn prepare(start: Start) -> Sandbox {
    // Of alice and carol, the hashes are outdated.
    let row = |name: &str, hash: &str| format!("{name},{hash},en,staff\n");
    let csv = |names: &mut dyn Iterator<Item = String>| -> String {
        let rows: String = names.map(|name| row(&name, SECRET123)).collect();
        format!("username,password_hash,language,groups\n{rows}")
    };
    let sandbox = empty();
    let users = "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL,
                                     language TEXT NOT NULL);";
    let insert =
        |name: &str, hash: &str| format!("INSERT INTO users VALUES ('{name}', '{hash}', 'en');");
    let ok = |args: &[&str]| assert_eq!(sandbox.run(args).status, 0, "{args:?}");
    sandbox.write("new.csv", csv(&mut (0..300).map(|number| format!("new{number}"))));
    sandbox.write("clear.csv", format!("username,password\nnew1,{GOOD}\nnew2,\n"));
    let names = ["alice".to_owned(), "carol".to_owned()].into_iter();
    let old = csv(&mut names.chain((0..300).map(|number| format!("user{number}"))));
    sandbox.write("old.csv", old.replace(",en,", ",de,"));
    match start {
        Start::Nothing => {}
        Start::Table => sandbox.sql(&(users.to_owned() + &insert("alice", SECRET123))),
        Start::Clear => {
            sandbox.sql(&(users.to_owned() + &insert("alice", "frotz-gnusto")));
            sandbox.sql(&(insert("bob", "rezrov-xyzzy") + &insert("carol", SECRET123)));
            ok(&["init"]);
        }
        Start::Users | Start::Damaged => {
            sandbox.write("first.csv", &old);
            ok(&["import", "first.csv"]);
            ok(&["lock", "carol"]);
            ok(&["backup", "backup.db"]);
            ok(&["remove", "user1", "user2", "--yes"]);
        }
    }
    if start == Start::Damaged {
        sandbox.sql("DROP TRIGGER dash_users_removed; INSERT INTO user_groups VALUES ('x', 'y')");
    }
    sandbox
}
