//! Dash apps over HTTP while the program changes their users.
//!
//! Two apps run on one database: the tutorial's app (`tutorial.py`), which does not use our tables,
//! and our example (`examples/app.py`). After every change, both accept the same users, on the next
//! request and without a restart.
//!
//! Most tests share running apps, each on a new database.

mod deploy;
#[cfg(feature = "postgres")]
mod postgres;
#[path = "../support/python.rs"]
#[expect(dead_code, reason = "only tests/hash asks other versions of werkzeug")]
mod python;
mod rebuilds;
#[path = "../support/sample.rs"]
mod sample;
#[cfg(feature = "postgres")]
#[path = "../support/postgres.rs"]
mod server;
mod site;
#[path = "../support/skip.rs"]
mod skip;
#[path = "../support/wheel.rs"]
mod wheel;

use std::fs;

use serde_json::{Value, json};

use self::site::{EXAMPLE, Folder, Site, TUTORIAL};

/// A password that is good enough for the program.
const GOOD: &str = "plover-xyzzy-quux";
/// Another one.
const BETTER: &str = "squeamish-ossifrage-7";

#[test]
fn demo_users_can_log_in() {
    let Some(site) = Site::with_demo_users() else { return };
    site.lets_in("alice", "secret123");
    site.lets_in("bob", "pa$$w0rd");
    // Also with the program's own method.
    site.folder.run(&["remove", "alice", "bob", "--yes"], "");
    site.folder.run(&["seed", "--method", "scrypt"], "");
    site.lets_in("alice", "secret123");
    site.lets_in("bob", "pa$$w0rd");
}

#[test]
fn wrong_or_missing_password_is_rejected() {
    let Some(site) = Site::with_demo_users() else { return };
    site.refuses("alice", "secret124");
    site.refuses("alice", "");
    site.refuses("alice", "pa$$w0rd");
    site.refuses("Alice", "secret123");
    site.refuses("carol", "secret123");
    site.refuses("", "");
    for app in &site.apps {
        assert_eq!(app.get(None), 401, "{}", app.name);
    }
}

#[test]
fn added_user_can_log_in_on_next_request() {
    let Some(site) = Site::with_demo_users() else { return };
    site.refuses("carol", GOOD);
    site.folder.run(&["add", "carol", "--password-stdin"], GOOD);
    site.lets_in("carol", GOOD);
    site.lets_in("alice", "secret123");
}

#[test]
fn passwd_replaces_old_password() {
    let Some(site) = Site::with_demo_users() else { return };
    site.lets_in("alice", "secret123");
    site.folder.run(&["passwd", "alice", "--password-stdin"], GOOD);
    site.refuses("alice", "secret123");
    site.lets_in("alice", GOOD);
    site.lets_in("bob", "pa$$w0rd");
}

#[test]
fn removed_user_is_rejected_until_added_again() {
    let Some(site) = Site::with_demo_users() else { return };
    site.lets_in("bob", "pa$$w0rd");
    site.folder.run(&["remove", "bob", "--yes"], "");
    site.refuses("bob", "pa$$w0rd");
    site.folder.run(&["add", "bob", "--password-stdin"], GOOD);
    site.refuses("bob", "pa$$w0rd");
    site.lets_in("bob", GOOD);
}

#[test]
fn update_and_rehash_keep_password() {
    let Some(site) = Site::with_demo_users() else { return };
    site.folder.run(&["update", "alice", "--language", "pt-BR"], "");
    site.lets_in("alice", "secret123");
    for method in ["scrypt", "pbkdf2:sha256:1000", "scrypt:16384:8:1"] {
        let rehash = ["rehash", "alice", "--password-stdin", "--method", method];
        site.folder.run(&rehash, "secret123");
        site.lets_in("alice", "secret123");
        site.refuses("alice", "secret124");
    }
}

#[test]
fn hash_upgrade_while_app_runs_keeps_password() {
    let Some(site) = Site::with_demo_users() else { return };
    let add = ["add", "carol", "--password-stdin", "--method", "pbkdf2:sha1:1000"];
    site.folder.run(&add, GOOD);
    site.lets_in("carol", GOOD);
    let before = site.folder.show("carol");
    assert_eq!(
        (before["method"].as_str(), &before["outdated"]),
        (Some("pbkdf2:sha1:1000"), &json!(true))
    );

    let verify = ["verify", "carol", "--password-stdin", "--upgrade", "--method", "scrypt"];
    site.folder.run(&verify, GOOD);
    let after = site.folder.show("carol");
    assert_eq!(
        (after["method"].as_str(), &after["outdated"]),
        (Some("scrypt:32768:8:1"), &json!(false))
    );
    site.lets_in("carol", GOOD);
    site.refuses("carol", BETTER);
}

#[test]
fn login_accepts_names_and_passwords_of_any_script() {
    let Some(site) = Site::with_demo_users() else { return };
    for (name, password) in
        [("Zoë Ångström", "crème brûlée à 7 h"), ("山田太郎", "桜の木の下で🌸 昼寝")]
    {
        site.folder.run(&["add", name, "--password-stdin"], password);
        site.lets_in(name, password);
        site.refuses(name, GOOD);
    }
    // HTTP Basic divides at the first colon only.
    site.folder.run(&["passwd", "alice", "--password-stdin"], "a:colon:in-the-password");
    site.lets_in("alice", "a:colon:in-the-password");
}

#[test]
fn locked_user_is_rejected_until_unlocked() {
    let Some(site) = Site::with_demo_users() else { return };
    site.lets_in("alice", "secret123");
    let stored_hash = || site.folder.sql("SELECT password_hash FROM users", &[]);
    let stored = stored_hash();
    site.folder.run(&["lock", "alice"], "");
    site.refuses("alice", "secret123");
    site.lets_in("bob", "pa$$w0rd");
    site.folder.run(&["unlock", "alice"], "");
    site.lets_in("alice", "secret123");
    assert_eq!(stored_hash(), stored);
}

#[test]
fn renamed_user_logs_in_with_new_name_only() {
    let Some(site) = Site::with_demo_users() else { return };
    site.folder.run(&["group", "add", "alice", "admins"], "");
    site.lets_in("alice", "secret123");
    site.folder.run(&["rename", "alice", "alice.smith"], "");
    site.refuses("alice", "secret123");
    site.lets_in("alice.smith", "secret123");
    site.lets_in("bob", "pa$$w0rd");
    assert!(site.sees_users("alice.smith", "secret123"));
}

#[test]
fn group_callback_follows_group_membership() {
    let Some(site) = Site::with_demo_users() else { return };
    let alice = || site.sees_users("alice", "secret123");
    assert!(!alice());
    site.folder.run(&["group", "add", "alice", "staff", "admins"], "");
    assert!(alice());
    assert!(!site.sees_users("bob", "pa$$w0rd"));
    site.folder.run(&["group", "remove", "alice", "admins"], "");
    assert!(!alice());
    site.folder.run(&["group", "add", "alice", "admins"], "");
    assert!(alice());

    // A later user with the same name is not an admin.
    site.folder.run(&["remove", "alice", "--yes"], "");
    site.refuses("alice", "secret123");
    site.folder.run(&["add", "alice", "--password-stdin"], GOOD);
    site.lets_in("alice", GOOD);
    assert!(!site.sees_users("alice", GOOD));
}

#[test]
fn app_writes_are_recorded_and_leave_no_groups() {
    let Some(site) = Site::with_demo_users() else { return };
    site.folder.run(&["group", "add", "bob", "admins"], "");
    site.folder.sql("DELETE FROM users WHERE username = 'bob'", &[]);
    site.refuses("bob", "pa$$w0rd");
    site.folder.python(ADD_USER, &["bob", "naïve-plover", "scrypt"]);
    site.lets_in("bob", "naïve-plover");
    assert!(!site.sees_users("bob", "naïve-plover"));
    site.folder.sql("UPDATE users SET username = 'robert' WHERE username = 'bob'", &[]);
    site.lets_in("robert", "naïve-plover");

    let history = site.folder.run(&["history", "robert", "--json"], "");
    let history: Value = serde_json::from_str(&history).expect(&history);
    let events = history.as_array().expect("an array");
    let direct: Vec<_> = events.iter().filter(|event| event["actor"].is_null()).collect();
    let recorded: Vec<_> =
        direct.iter().map(|event| (&event["action"], &event["detail"])).collect();
    assert_eq!(
        recorded,
        [
            (&json!("rename"), &json!("to robert")),
            (&json!("add"), &Value::Null),
            (&json!("remove"), &Value::Null)
        ]
    );
}

#[test]
fn imported_users_can_log_in() {
    let Some(site) = Site::with_demo_users() else { return };
    let hash = site.folder.python(NEW_HASH, &[BETTER]);
    let users = json!({ "carol": GOOD, "山田太郎": hash.trim_end() });
    fs::write(site.folder.path("users.json"), users.to_string()).unwrap();
    site.refuses("carol", GOOD);
    site.folder.run(&["import", "users.json"], "");
    site.lets_in("carol", GOOD);
    site.refuses("carol", BETTER);
    site.lets_in("山田太郎", BETTER);
    site.refuses("山田太郎", hash.trim_end());
    site.lets_in("alice", "secret123");

    // Also after an export and import.
    site.folder.run(&["lock", "alice"], "");
    site.folder.run(&["export", "users.csv"], "");
    site.folder.run(&["remove", "alice", "bob", "carol", "--yes"], "");
    let import = ["import", "users.csv", "--as-is", "--on-conflict", "skip"];
    site.folder.run(&import, "");
    site.lets_in("carol", GOOD);
    site.lets_in("bob", "pa$$w0rd");
    site.refuses("alice", "secret123");
    site.folder.run(&["unlock", "alice"], "");
    site.lets_in("alice", "secret123");
}

#[test]
fn restore_works_while_app_runs() {
    let Some(site) = Site::with_demo_users() else { return };
    site.folder.run(&["backup", "copy.db"], "");
    site.folder.run(&["remove", "bob", "--yes"], "");
    site.folder.run(&["passwd", "alice", "--password-stdin"], GOOD);
    site.refuses("bob", "pa$$w0rd");
    site.lets_in("alice", GOOD);
    site.folder.run(&["restore", "copy.db", "--yes"], "");
    site.lets_in("bob", "pa$$w0rd");
    site.lets_in("alice", "secret123");
    site.refuses("alice", GOOD);
}

#[test]
fn init_adopts_database_while_app_runs() {
    let Some(folder) = Folder::new() else { return };
    folder.python(INIT_DB, &[]);
    let site = Site::start(folder, &[TUTORIAL]);
    site.lets_in("alice", "secret123");
    site.folder.run(&["init"], "");
    site.lets_in("alice", "secret123");
    site.lets_in("bob", "pa$$w0rd");
    site.folder.run(&["passwd", "bob", "--password-stdin"], GOOD);
    site.refuses("bob", "pa$$w0rd");
    site.lets_in("bob", GOOD);
}

#[test]
fn verify_accepts_hash_written_by_app() {
    let Some(folder) = Folder::new() else { return };
    folder.run(&["init"], "");
    let methods = ["scrypt", "scrypt:16384:8:2", "pbkdf2:sha256:1000", "pbkdf2"];
    // A million iterations take seconds in a debug build.
    for (number, method) in methods.iter().take(sample::of(3, 4)).enumerate() {
        let name = format!("user {number}");
        folder.python(ADD_USER, &[&name, "naïve-plover", method]);
        let verify = ["verify", &name, "--password-stdin"];
        assert_eq!(folder.status(&verify, "naïve-plover"), 0, "{method}");
        assert_eq!(folder.status(&verify, "naive-plover"), 3, "{method}");
    }
}

#[test]
fn example_greets_user_by_name() {
    let Some(site) = Site::with_demo_users() else { return };
    let example = site.example();
    for (name, password) in [("alice", "secret123"), ("bob", "pa$$w0rd")] {
        let greeting = example.callback("greeting", Some((name, password)));
        assert_eq!(greeting, Ok(format!("Hello, {name}!")));
    }
    for log_in in [None, Some(("alice", "secret124"))] {
        assert_eq!(example.callback("greeting", log_in), Err(401));
        assert_eq!(example.callback("users", log_in), Err(401));
    }
}

#[test]
fn example_finds_database_by_any_path() {
    let Some(folder) = Folder::new() else { return };
    let path = folder.path("100% ünüsual?mode=rwc#.db");
    folder.run(&["seed", "--database", &path], "");
    let example = folder.start(EXAMPLE, &[("DASH_USERS_DATABASE", &path)]).unwrap();
    assert_eq!(example.get(Some(("alice", "secret123"))), 200);
    assert_eq!(example.get(Some(("alice", "secret124"))), 401);
}

#[test]
fn example_without_database_stops_and_creates_none() {
    let Some(folder) = Folder::new() else { return };
    let log = folder.start(EXAMPLE, &[]).err().expect("it must not start");
    assert!(log.contains("there is no database"), "{log}");
    assert!(!fs::exists(folder.path("users.db")).unwrap());
}

/// Creates the table and users as the tutorial's app does.
const INIT_DB: &str = r#"
import sqlite3
from werkzeug.security import generate_password_hash

with sqlite3.connect("users.db") as con:
    con.execute("""
        CREATE TABLE users (
            username TEXT PRIMARY KEY,
            password_hash TEXT NOT NULL,
            language TEXT NOT NULL
        )
    """)
    con.executemany(
        "INSERT INTO users(username, password_hash, language) VALUES (?, ?, ?)",
        [
            ("alice", generate_password_hash("secret123"), "en"),
            ("bob", generate_password_hash("pa$$w0rd"), "fr"),
        ],
    )
"#;

/// Adds a user as an app's sign-up page would, by position: name, password, method.
const ADD_USER: &str = r#"
import sqlite3, sys
from werkzeug.security import generate_password_hash

_, name, password, method = sys.argv
with sqlite3.connect("users.db") as con:
    row = (name, generate_password_hash(password, method), "en")
    con.execute("INSERT INTO users VALUES (?, ?, ?)", row)
"#;

/// Prints a new hash of a password.
const NEW_HASH: &str = r#"
import sys
from werkzeug.security import generate_password_hash

print(generate_password_hash(sys.argv[1]))
"#;
