//! The file: creating it, finding it, and obstacles in its place.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use dash_users::store::{self, Access};
use dash_users::{Error, Location, NewFile, StoreError, Users};

use crate::database::{Database, Sqlite};
use crate::support::{METHOD, OPERATIONS, add, init, method, open};

fn try_init(path: &Path) -> Result<(), Error> {
    Users::init(&Location::parse(path).unwrap(), &NewFile::default()).map(drop)
}

/// The result of each way to open a file.
fn opened(database: &Sqlite) -> [Result<(), Error>; 3] {
    [
        try_init(database.path()),
        Users::open(database.location()).map(drop),
        Users::open_read_only(database.location()).map(drop),
    ]
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// The entries of a database's directory.
fn entries(database: &Sqlite) -> Vec<String> {
    let entries = fs::read_dir(database.dir()).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn new_file_has_mode_0600() {
    let database = Sqlite::new();
    drop(init(&database));
    assert_eq!(mode(database.path()), 0o600);
    assert_eq!(entries(&database), ["users.db"]);
}

#[test]
fn new_file_has_given_mode_and_group() {
    let database = Sqlite::new();
    // Anyone may give a file to the own group; root to any, whether or not it has a name.
    let own = fs::metadata(database.dir()).unwrap().gid();
    let group = if database.is_root() { 54_321 } else { own };
    let new_file = NewFile { mode: 0o664, group: Some(group) };
    assert!(Users::init(database.location(), &new_file).unwrap().created);
    assert_eq!(mode(database.path()), 0o664);
    assert_eq!(fs::metadata(database.path()).unwrap().gid(), group);
}

#[test]
fn existing_file_keeps_mode() {
    let database = Sqlite::new();
    drop(init(&database));
    fs::set_permissions(database.path(), fs::Permissions::from_mode(0o640)).unwrap();
    let new_file = NewFile { mode: 0o666, group: None };
    assert!(!Users::init(database.location(), &new_file).unwrap().created);
    add(&mut open(&database), "alice");
    assert_eq!(mode(database.path()), 0o640);
}

#[test]
fn missing_file_is_created_by_init_only() {
    let database = Sqlite::new();
    for access in [Access::Read, Access::Write] {
        let Err(StoreError::NoDatabase { path }) = store::open(database.location(), access) else {
            panic!("{access:?}");
        };
        assert_eq!(path, database.path());
    }
    assert!(entries(&database).is_empty());
}

#[test]
fn missing_directory_is_reported_and_not_created() {
    let database = Sqlite::new();
    let path = database.dir().join("missing").join("users.db");
    let result = try_init(&path);
    let Err(Error::Store(StoreError::NoDirectory { path: named })) = result else {
        panic!("{result:?}");
    };
    assert_eq!(named, path);
    assert!(entries(&database).is_empty());
}

#[test]
fn file_instead_of_directory_is_an_error() {
    let database = Sqlite::new();
    drop(init(&database));
    let result = try_init(&database.path().join("users.db"));
    assert!(matches!(result, Err(Error::Store(StoreError::CannotConnect { .. }))), "{result:?}");
}

#[test]
fn obstacle_instead_of_file_is_rejected_and_unchanged() {
    let database = Sqlite::new();
    let assert_all = |is_expected: fn(&StoreError) -> bool| {
        for result in opened(&database) {
            let is_it = matches!(&result, Err(Error::Store(error)) if is_expected(error));
            assert!(is_it, "{result:?}");
        }
    };
    fs::write(database.path(), "x").unwrap();
    assert_all(|error| matches!(error, StoreError::NotADatabase { .. }));
    assert_eq!(fs::read_to_string(database.path()).unwrap(), "x");
    fs::remove_file(database.path()).unwrap();

    // It cannot be found out whether there is a file.
    symlink(database.path(), database.path()).unwrap();
    assert_all(|error| matches!(error, StoreError::CannotConnect { .. }));
    fs::remove_file(database.path()).unwrap();

    fs::create_dir(database.path()).unwrap();
    assert_all(|error| matches!(error, StoreError::NotADatabase { .. }));
    assert_eq!(fs::read_dir(database.path()).unwrap().count(), 0);
}

#[test]
fn symlink_to_database_is_followed() {
    let real = Sqlite::new();
    add(&mut init(&real), "alice");
    let link = Sqlite::new();
    symlink(real.path(), link.path()).unwrap();
    try_init(link.path()).unwrap();
    add(&mut open(&link), "bob");
    assert!(link.path().is_symlink());
    assert_eq!(open(&real).list().unwrap().len(), 2);
    assert_eq!(entries(&link), ["users.db"]);
}

#[test]
fn broken_symlink_is_rejected() {
    let elsewhere = Sqlite::new();
    let link = Sqlite::new();
    symlink(elsewhere.path(), link.path()).unwrap();
    let result = try_init(link.path());
    let Err(Error::Store(StoreError::CannotConnect { reason, .. })) = result else {
        panic!("{result:?}");
    };
    assert!(reason.contains("link"), "{reason}");
    let results =
        [Users::open(link.location()).map(drop), Users::open_read_only(link.location()).map(drop)];
    for result in results {
        let Err(Error::Store(StoreError::NoDatabase { path })) = result else {
            panic!("{result:?}");
        };
        assert_eq!(path, link.path());
    }
    assert!(entries(&elsewhere).is_empty());
}

#[test]
fn path_with_special_characters_is_a_path() {
    let database = Sqlite::new();
    for name in ["file:users.db?mode=memory", "users%20.db", "a#b?c", ":memory:", "ü 'x'.db"] {
        let path = database.dir().join(name);
        try_init(&path).unwrap();
        assert!(path.is_file(), "{name}");
    }
}

#[test]
fn reading_leaves_no_other_file() {
    let database = Sqlite::new();
    add(&mut init(&database), "alice");
    let before = database.bytes();
    let mut users = Users::open_read_only(database.location()).unwrap();
    assert_eq!(users.list().unwrap().len(), 1);
    assert_eq!(entries(&database), ["users.db"]);
    assert!(database.bytes() == before);
}

#[test]
fn read_only_open_rejects_changes() {
    let database = Sqlite::new();
    add(&mut init(&database), "alice");
    let before = database.bytes();
    let reading = [
        "get",
        "list",
        "is_empty",
        "check_new",
        "references",
        "history",
        "log_in",
        "log_in_and_upgrade",
    ];
    let mut users = Users::open_read_only(database.location()).unwrap().with_method(method(METHOD));
    for (name, operation) in OPERATIONS {
        let result = operation(&mut users);
        if reading.contains(&name) {
            assert!(result.is_ok(), "{name}: {result:?}");
        } else {
            let is_refused = matches!(result, Err(Error::Store(StoreError::CannotConnect { .. })));
            assert!(is_refused, "{name}: {result:?}");
        }
    }
    assert!(database.bytes() == before);
}

#[test]
fn removed_or_replaced_file_rejects_changes() {
    for journal in ["delete", "wal"] {
        for is_replaced in [false, true] {
            let [database, other] = [(); 2].map(|()| {
                let database = Sqlite::new();
                add(&mut init(&database), "alice");
                database.execute(&format!("PRAGMA journal_mode = {journal}"));
                database
            });
            let mut users = open(&database);
            assert!(users.get("alice").unwrap().is_some());
            fs::remove_file(database.path()).unwrap();
            if is_replaced {
                fs::hard_link(other.path(), database.path()).unwrap();
            }
            let result = users.lock(&["alice"]);
            let Err(Error::Store(StoreError::CannotConnect { reason, .. })) = result else {
                panic!("{journal} {is_replaced}: {result:?}");
            };
            assert!(reason.contains("moved"), "{reason}");
            drop(users);
            if is_replaced {
                assert!(!open(&database).get("alice").unwrap().unwrap().locked);
            }
        }
    }
}
