//! Importing an export gives an equal database, whatever an app wrote.

use std::cell::RefCell;
use std::fmt::Write as _;

use base16ct::lower::encode_string;
use dash_users::transfer::{Format, Reader};
use dash_users::{Import, ImportSummary, Method, OnConflict, Users};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::accounts::recorded;
use crate::database::{Database, Sqlite};
use crate::sample;
use crate::support::{hash, init, locked, options};

/// Texts with a meaning in a format.
const ODD: &[&str] =
    &["", "\\", "\\null", "\\\"", ";", "a;b", ",", "\"", "=1+1", " x ", "\r\n", "\0", "null"];

/// Columns that accept NULL.
const LOOSE_TABLE: &str =
    "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT, language TEXT)";

fn text_in_sql(bytes: &[u8]) -> String {
    format!("CAST(x'{}' AS TEXT)", encode_string(bytes))
}

/// Texts in SQL, most of them odd in a file or on a terminal.
fn texts() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(ODD).prop_map(|text| text.as_bytes().to_owned());
    let unsafe_to_print =
        "[\\x00-\\x1f\u{7f}-\u{9f}\u{202a}-\u{202e}\u{2028}\u{feff}\u{fffd}\\\\a]{1,4}";
    prop_oneof![
        odd,
        "[a-cA-C;,\\\\\"' é🙂]{0,4}".prop_map(String::into_bytes),
        unsafe_to_print.prop_map(String::into_bytes),
        any::<String>().prop_map(String::into_bytes),
        vec(any::<u8>(), 0..5),
    ]
    .prop_map(|bytes| text_in_sql(&bytes))
}

fn blobs() -> impl Strategy<Value = String> {
    vec(any::<u8>(), 0..4).prop_map(|bytes| format!("x'{}'", encode_string(&bytes)))
}

/// Values in SQL.
fn values() -> impl Strategy<Value = String> {
    prop_oneof![6 => texts(), 1 => blobs(), 1 => Just("NULL".to_owned())]
}

fn secrets() -> impl Strategy<Value = String> {
    let hash = hash("secret");
    let hashes = [locked(&hash), format!("!{hash}"), "!".to_owned(), "$2b$12$x".to_owned(), hash];
    let hashes = hashes.map(|hash| text_in_sql(hash.as_bytes())).to_vec();
    prop_oneof![prop::sample::select(hashes), values()]
}

/// SQL that inserts users.
fn users() -> impl Strategy<Value = String> {
    let groups = vec(prop_oneof![6 => texts(), 1 => blobs()], 0..4);
    vec((values(), secrets(), values(), groups), 0..12).prop_map(|users| {
        let mut sql = "BEGIN;\n".to_owned();
        for (name, secret, language, groups) in users {
            writeln!(sql, "INSERT OR IGNORE INTO users VALUES ({name}, {secret}, {language});")
                .unwrap();
            for group in groups {
                writeln!(sql, "INSERT OR IGNORE INTO user_groups VALUES ({name}, {group});")
                    .unwrap();
            }
        }
        sql + "COMMIT"
    })
}

/// All data of all users except times, with the type of each value.
fn contents(database: &Sqlite) -> Vec<String> {
    let value = |column: &str| format!("typeof({column}) || ' ' || coalesce(hex({column}), '')");
    let values = |columns: &[&str]| {
        columns.iter().copied().map(value).collect::<Vec<_>>().join(" || ' ' || ")
    };
    let users = values(&["username", "password_hash", "language"]);
    let groups = values(&["username", "group_name"]);
    let mut contents = database.query(&format!(
        "SELECT {users} FROM users UNION ALL SELECT {groups} FROM user_groups
         UNION ALL SELECT {} FROM dash_users_times",
        value("username")
    ));
    contents.sort();
    contents
}

fn exported(users: &mut Users, format: Format) -> Vec<u8> {
    users.export(Vec::new(), format, true).unwrap().unwrap().0
}

fn imported(
    users: &mut Users,
    on_conflict: OnConflict,
    format: Format,
    file: &[u8],
) -> ImportSummary {
    let mut options = options(on_conflict);
    options.as_is = true;
    let mut import = Import::new(options, Method::default());
    Reader::new(format).exact(true).read(file, &mut |record| import.push(record)).unwrap();
    import.write(Some(users), "import").unwrap().commit().unwrap()
}

#[test]
fn import_of_export_gives_equal_database() {
    let [from, to] = [(); 2].map(|()| Sqlite::with(LOOSE_TABLE));
    let all_users = RefCell::new((init(&from), init(&to)));
    let cases = sample::of(16, 64).try_into().unwrap();
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&users(), |sql| {
        let (from_users, to_users) = &mut *all_users.borrow_mut();
        from.execute("DELETE FROM users; DELETE FROM user_groups");
        from.execute(&sql);
        let contents_before = contents(&from);
        let findings = from_users.check().unwrap();
        for format in [Format::Csv, Format::Json, Format::JsonLines] {
            to.execute("DELETE FROM users; DELETE FROM user_groups; DELETE FROM user_events");
            let file = exported(from_users, format);
            let shown = String::from_utf8(file.clone()).unwrap();
            let is_safe = |c: char| c == '\n' || !dash_users::is_unsafe_to_print(c);
            prop_assert!(shown.chars().all(is_safe), "{}", shown);

            let summary = imported(to_users, OnConflict::Fail, format, &file);
            prop_assert_eq!(contents(&to), contents_before.clone());
            prop_assert_eq!(&exported(to_users, format), &file);
            prop_assert_eq!(to_users.check().unwrap(), findings.clone());
            let events = usize::from(summary.added > 0);
            prop_assert_eq!(recorded(to_users, None).len(), events);
            // Also for users called NULL, of whom there may be several.
            let again = imported(to_users, OnConflict::Update, format, &file);
            prop_assert_eq!((again.added, again.changed, again.unchanged), (0, 0, summary.added));
        }
        Ok(())
    });
    result.unwrap();
}
