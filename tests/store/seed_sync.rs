//! Imports that update existing users and remove the others, as `seed --sync --prune` does.

use dash_users::transfer::{Format, Reader};
use dash_users::{Error, Import, ImportOptions, OnConflict, PruneError, StoredText, Users};

use crate::accounts::{groups, recorded};
use crate::database::Database;
use crate::support::{
    GOOD, METHOD, add, counts, hash, init, insert, is_current_hash_of, literal, locked, method,
    names, open, options, prepare, read, reasons, rows, stored,
};

const SYNC: OnConflict = OnConflict::Sync { passwords: false };
const SYNC_PASSWORDS: OnConflict = OnConflict::Sync { passwords: true };

fn pruning() -> ImportOptions {
    let mut options = options(SYNC);
    options.prune = true;
    options
}

/// Imports a file: the counts, and the number of removed users.
fn sync(users: &mut Users, options: ImportOptions, file: &str) -> Result<([u64; 4], u64), Error> {
    let mut import = read(options, file);
    let summary = import.save(Some(users), "seed", |_| Ok::<_, Error>(()))?;
    Ok((counts(summary), summary.removed))
}

/// Imports a file with `--as-is`.
fn save_as_is(
    users: &mut Users,
    on_conflict: OnConflict,
    format: Format,
    file: &[u8],
) -> Result<[u64; 4], Error> {
    let mut options = options(on_conflict);
    options.as_is = true;
    let mut import = Import::new(options, method(METHOD));
    Reader::new(format).exact(true).read(file, &mut |record| import.push(record)).unwrap();
    import.save(Some(users), "import", |_| Ok::<_, Error>(())).map(counts)
}

fn sync_updates_language_and_groups_only(database: &dyn Database) {
    let mut users = init(database);
    for name in ["alice", "bob", "carol"] {
        add(&mut users, name);
    }
    let before = ["alice", "bob"].map(|name| stored(database, name));
    // Passwords of existing users are not judged.
    let file = format!(
        "username,password,language,groups,locked\n\
         alice,weak,fr,staff,\nbob,weak,,staff;admins,true\ndave,{GOOD},,,\n"
    );
    assert_eq!(sync(&mut users, options(SYNC), &file).unwrap(), ([1, 2, 0, 0], 0));
    assert_eq!(stored(database, "alice"), before[0]);
    assert_eq!(stored(database, "bob"), before[1]);
    assert_eq!(groups(&mut users, "bob"), ["admins", "staff"]);
    let language = |users: &mut Users, name| users.get(name).unwrap().unwrap().language.to_string();
    assert_eq!(
        ["alice", "bob", "carol"].map(|name| language(&mut users, name)),
        ["fr", "en", "en"]
    );
    assert!(is_current_hash_of(&stored(database, "dave"), GOOD));
    let events = recorded(&mut users, None);
    assert_eq!(events.last().unwrap(), r"\N seed \N 1 added, 2 changed");

    // Again: nothing changes, and nothing is recorded. A field left out stays.
    for file in [file, "username,password\nalice,weak\nbob,".to_owned()] {
        let before = rows(database);
        assert_eq!(sync(&mut users, options(SYNC), &file).unwrap().0[..2], [0, 0]);
        assert_eq!((rows(database), recorded(&mut users, None)), (before, events.clone()));
    }
    assert_eq!(groups(&mut users, "bob"), ["admins", "staff"]);

    // Languages and groups of existing users are judged.
    let file = "username,language,groups\nalice,no tag,\nbob,,\"x,y\"\n";
    assert_eq!(reasons(sync(&mut users, options(SYNC), file)).len(), 2);
}

fn sync_passwords_keeps_hash_of_equal_password(database: &dyn Database) {
    let mut users = init(database);
    let (equal, other, given) = (hash(GOOD), locked(&hash("other")), hash("given"));
    insert(database, "alice", &equal);
    insert(database, "bob", &other);
    insert(database, "carol", &hash("other"));
    let file =
        format!("username,password,password_hash\nalice,{GOOD},\nbob,{GOOD},\ncarol,,{given}\n");
    assert_eq!(sync(&mut users, options(SYNC_PASSWORDS), &file).unwrap().0, [0, 2, 1, 0]);
    assert_eq!((stored(database, "alice"), stored(database, "carol")), (equal, given));
    let bob = stored(database, "bob");
    assert!(bob.starts_with('!'), "a locked user stays locked");
    assert_eq!(sync(&mut users, options(SYNC_PASSWORDS), &file).unwrap().0, [0, 0, 3, 0]);
    assert_eq!(stored(database, "bob"), bob);
    // Without --sync-passwords, nothing of this happens.
    assert_eq!(sync(&mut users, options(SYNC), &file.replace(GOOD, "x")).unwrap().0, [0, 0, 3, 0]);
    let weak = "username,password\nalice,weak\n";
    assert_eq!(reasons(sync(&mut users, options(SYNC_PASSWORDS), weak)).len(), 1);
}

fn sync_neither_locks_nor_unlocks(database: &dyn Database) {
    let mut users = init(database);
    let (old, new) = (hash("old"), hash("new"));
    let file = |value: &str| {
        format!(
            "username,password_hash,language,locked\nactive,{value},fr,yes\nlocked,{value},fr,no\n"
        )
    };
    for (on_conflict, given, expected) in [
        (SYNC, &new, &old),
        (SYNC_PASSWORDS, &old, &old),
        (SYNC_PASSWORDS, &new, &new),
        (SYNC_PASSWORDS, &locked(&new), &new),
    ] {
        database.execute("DELETE FROM users");
        insert(database, "active", &old);
        insert(database, "locked", &locked(&old));
        let file = file(given);
        assert_eq!(sync(&mut users, options(on_conflict), &file).unwrap().0, [0, 2, 0, 0]);
        assert_eq!(stored(database, "active"), *expected, "{on_conflict:?}");
        assert_eq!(stored(database, "locked"), locked(expected), "{on_conflict:?}");
        assert_eq!(sync(&mut users, options(on_conflict), &file).unwrap().0, [0, 0, 2, 0]);
    }
    // Plaintext passwords.
    let file = format!("username,password,active\nactive,{GOOD},no\nlocked,{GOOD},yes\n");
    assert_eq!(sync(&mut users, options(SYNC_PASSWORDS), &file).unwrap().0, [0, 2, 0, 0]);
    let is_locked = |users: &mut Users, name| users.get(name).unwrap().unwrap().locked;
    assert_eq!(["active", "locked"].map(|name| is_locked(&mut users, name)), [false, true]);
    // New users are locked as the file says.
    let file = format!("username,password,locked\nzoe,{GOOD},yes\n");
    sync(&mut users, options(SYNC), &file).unwrap();
    assert!(is_locked(&mut users, "zoe"));
}

fn sync_accepts_odd_names_of_existing_users(database: &dyn Database) {
    let mut users = init(database);
    insert(database, "-a:b", "!");
    let file = "username,language\n-a:b,fr\n";
    assert_eq!(sync(&mut users, options(SYNC), file).unwrap().0, [0, 1, 0, 0]);
    let new = format!("username,password\n-c:d,{GOOD}\n");
    assert_eq!(reasons(sync(&mut users, options(SYNC), &new)).len(), 1);
}

fn skipped_users_who_differ_are_counted(database: &dyn Database) {
    let mut users = init(database);
    for name in ["alice", "bob", "carol", "dave"] {
        add(&mut users, name);
    }
    users.lock(&["dave"]).unwrap();
    let file = "username,password,language,groups,locked\n\
                alice,x,en,,\nbob,x,no tag,,\ncarol,,,staff,\ndave,,,,no\n";
    let mut import = read(options(OnConflict::SkipUnchecked), file);
    let summary = import.save(Some(&mut users), "seed", |_| Ok::<_, Error>(())).unwrap();
    assert_eq!((counts(summary), summary.differing), ([0, 0, 0, 4], 2));
}

fn prune_removes_unlisted_users_and_records_each(database: &dyn Database) {
    let mut users = init(database);
    for name in ["alice", "bob", "carol"] {
        add(&mut users, name);
    }
    users.add_groups("bob", &["staff".parse().unwrap()]).unwrap();
    let mut users = open(database).with_actor("admin");
    let file = format!("username,password\nalice,x\ndave,{GOOD}\n");
    let events = recorded(&mut users, None).len();

    let mut options = pruning();
    options.dry_run = true;
    assert_eq!(sync(&mut users, options, &file).unwrap(), ([1, 0, 1, 0], 2));
    assert_eq!((names(database).len(), recorded(&mut users, None).len()), (3, events));

    assert_eq!(sync(&mut users, pruning(), &file).unwrap(), ([1, 0, 1, 0], 2));
    assert_eq!(names(database), ["alice", "dave"]);
    assert_eq!(database.query("SELECT username FROM user_groups"), [""; 0]);
    let expected = [
        r"admin seed \N 1 added, 0 changed, 2 removed",
        r"admin remove bob \N",
        r"admin remove carol \N",
    ];
    assert_eq!(recorded(&mut users, None)[events..], expected);

    assert_eq!(sync(&mut users, pruning(), &file).unwrap(), ([0, 0, 2, 0], 0));
    assert_eq!(recorded(&mut users, None).len(), events + 3);
    // Only removals.
    assert_eq!(sync(&mut users, pruning(), "username\nalice\n").unwrap(), ([0, 0, 1, 0], 1));
    let events = recorded(&mut users, None);
    let [.., seed, remove] = &events[..] else { panic!("{events:?}") };
    assert_eq!(seed, r"admin seed \N 0 added, 0 changed, 1 removed");
    assert_eq!(remove, r"admin remove dave \N");
    // What triggers do for an app works afterwards.
    database.execute("INSERT INTO users VALUES ('erin', 'x', 'en')");
    assert_eq!(recorded(&mut users, None).last().unwrap(), r"\N add erin \N");
}

fn prune_never_removes_every_user(database: &dyn Database) {
    let mut users = init(database);
    let empty = |error: &Error| matches!(error, Error::Prune(PruneError::EmptyFile));
    let error = sync(&mut users, pruning(), "username,password\n").unwrap_err();
    assert!(empty(&error), "{error:?}");
    let other = format!("username,password\nzoe,{GOOD}\n");
    assert_eq!(sync(&mut users, pruning(), &other).unwrap(), ([1, 0, 0, 0], 0));
    users.remove(&["zoe"], false).unwrap();
    for name in ["alice", "bob"] {
        add(&mut users, name);
    }
    let before = rows(database);
    let error = sync(&mut users, pruning(), "username,password\n").unwrap_err();
    assert!(empty(&error), "{error:?}");
    for file in [other.as_str(), r#"{"zoe": "plover-xyzzy-quux"}"#] {
        let error = sync(&mut users, pruning(), file).unwrap_err();
        assert!(matches!(error, Error::Prune(PruneError::EveryUser(2))), "{error:?}");
    }
    // A bad record is reported first.
    let bad = "username,password,language\nalice,,no tag\n";
    assert_eq!(reasons(sync(&mut users, pruning(), bad)).len(), 1);
    let by_case = format!("username,password\nALICE,{GOOD}\nbob,\n");
    assert_eq!(reasons(sync(&mut users, pruning(), &by_case)).len(), 1);
    assert_eq!(rows(database), before);
}

fn prune_rejects_users_who_were_not_confirmed(database: &dyn Database) {
    let mut users = init(database);
    for name in ["alice", "bob", "carol"] {
        add(&mut users, name);
    }
    let confirmed = |users: &mut Users| {
        let mut import = prepare(users, pruning(), "username\nalice\n").unwrap();
        assert_eq!(import.unlisted(), ["bob", "carol"].map(|name| StoredText::Text(name.into())));
        import.end().unwrap();
        import
    };
    let save = |import: &mut Import, users: &mut Users| {
        import.save(Some(users), "seed", |_| Ok::<_, Error>(()))
    };
    let mut import = confirmed(&mut users);
    insert(database, "zoe", "x");
    let error = save(&mut import, &mut users).unwrap_err();
    let Error::Prune(PruneError::Unexpected(name)) = &error else { panic!("{error:?}") };
    assert_eq!((name.to_string().as_str(), names(database).len()), ("zoe", 4));
    users.remove(&["zoe"], false).unwrap();

    // Another user of the same name.
    let mut import = confirmed(&mut users);
    users.remove(&["bob"], false).unwrap();
    insert(database, "bob", &hash("another"));
    let error = save(&mut import, &mut users).unwrap_err();
    let Error::Prune(PruneError::Unexpected(name)) = &error else { panic!("{error:?}") };
    assert_eq!((name.to_string().as_str(), names(database).len()), ("bob", 3));

    // Fewer are fine, and the last user stays.
    let mut import = confirmed(&mut users);
    database.execute("DELETE FROM users WHERE username = 'bob'");
    assert_eq!(save(&mut import, &mut users).unwrap().removed, 1);
    assert_eq!(names(database), ["alice"]);
    add(&mut users, "bob");
    let mut import = prepare(&mut users, pruning(), "username\nalice\n").unwrap();
    database.execute("DELETE FROM users WHERE username = 'alice'");
    save(&mut import, &mut users).unwrap_err();
    assert_eq!(names(database), ["bob"]);
}

fn prune_obeys_foreign_keys_of_app(database: &dyn Database) {
    let mut users = init(database);
    for name in ["alice", "bob", "carol"] {
        add(&mut users, name);
    }
    database.execute(
        "CREATE TABLE notes (owner VARCHAR(90) REFERENCES users (username) ON DELETE CASCADE);
         INSERT INTO notes VALUES ('bob'), ('bob'), ('carol'), ('alice')",
    );
    let both = ["bob", "carol"].map(|name| StoredText::Text(name.into()));
    let references = users.references_to_any(&both).unwrap();
    assert_eq!((references.len(), references[0].rows), (1, 3));
    assert_eq!(sync(&mut users, pruning(), "username\nalice\n").unwrap().1, 2);
    assert_eq!(database.query("SELECT owner FROM notes"), ["alice"]);

    add(&mut users, "bob");
    database.execute(
        "CREATE TABLE logs (owner VARCHAR(90) REFERENCES users (username));
         INSERT INTO logs VALUES ('bob')",
    );
    let error = sync(&mut users, pruning(), "username\nalice\n").unwrap_err().to_string();
    assert!(error.contains("rows in logs reference the user"), "{error}");
    assert_eq!(names(database), ["alice", "bob"]);
}

fn prune_does_not_remove_listed_users_by_cascade(database: &dyn Database) {
    database.execute(
        "CREATE TABLE users (
             username VARCHAR(90) PRIMARY KEY, password_hash TEXT NOT NULL, language TEXT NOT NULL,
             manager VARCHAR(90) REFERENCES users (username) ON DELETE CASCADE)",
    );
    let mut users = init(database);
    for name in ["alice", "bob", "carol"] {
        add(&mut users, name);
    }
    database.execute("UPDATE users SET manager = 'bob' WHERE username = 'alice'");
    let error = sync(&mut users, pruning(), "username\nalice\ncarol\n").unwrap_err();
    let Error::Prune(PruneError::Listed(name)) = &error else { panic!("{error:?}") };
    assert_eq!((name.to_string().as_str(), names(database).len()), ("alice", 3));
    // Users who go together.
    assert_eq!(sync(&mut users, pruning(), "username\ncarol\n").unwrap().1, 2);
    assert_eq!(names(database), ["carol"]);
}

fn password_set_meanwhile_is_verified_again(database: &dyn Database) {
    let file = format!("username,password\nalice,{GOOD}\nzoe,{GOOD}\n");
    let other = hash(GOOD);
    for (sql, expected) in [
        (format!("UPDATE users SET password_hash = {}", literal(&other)), [1, 0, 1, 0]),
        (format!("UPDATE users SET password_hash = {}", literal(&hash("x"))), [1, 1, 0, 0]),
        ("DELETE FROM users".to_owned(), [2, 0, 0, 0]),
        (format!("INSERT INTO users VALUES ('zoe', {}, 'en')", literal(&other)), [0, 1, 1, 0]),
    ] {
        database.execute("DROP TABLE IF EXISTS users");
        let mut users = init(database);
        add(&mut users, "alice");
        let mut import = prepare(&mut users, options(SYNC_PASSWORDS), &file).unwrap();
        database.execute(&sql);
        let saved = import.save(Some(&mut users), "seed", |_| Ok::<_, Error>(())).unwrap();
        assert_eq!(counts(saved), expected, "{sql}");
        for name in ["alice", "zoe"] {
            assert!(is_current_hash_of(&stored(database, name), GOOD), "{sql}");
        }
    }
}

fn made_up_secrets_are_for_new_users_only(database: &dyn Database) {
    for is_locked in [false, true] {
        database.execute("DROP TABLE IF EXISTS users");
        let mut users = init(database);
        let mut options = options(SYNC_PASSWORDS);
        (options.generate_missing, options.lock_missing) = (!is_locked, is_locked);
        let mut import = prepare(&mut users, options, "username,language\nzoe,fr\nyan,\n").unwrap();
        let value = hash(GOOD);
        insert(database, "zoe", &value);
        let mut generated = Vec::new();
        let saved = import.save(Some(&mut users), "seed", |imported| {
            generated.extend(imported.generated().iter().map(|(name, _)| name.to_string()));
            Ok::<_, Error>(())
        });
        assert_eq!(counts(saved.unwrap()), [1, 1, 0, 0]);
        assert_eq!(stored(database, "zoe"), value);
        assert_eq!(generated, if is_locked { vec![] } else { vec!["yan"] });
    }
}

fn users_called_null_are_imported_once(database: &dyn Database) {
    database.execute(
        "CREATE TABLE users (username VARCHAR(90) UNIQUE, password_hash TEXT NOT NULL,
                             language TEXT NOT NULL)",
    );
    let mut users = init(database);
    let (one, two) = (hash("one"), hash("two"));
    let null = |hash: &str, language: &str| {
        format!(r#"{{"username": null, "password_hash": "{hash}", "language": "{language}"}}"#)
    };
    let import = |users: &mut Users, on_conflict, records: &[String]| {
        let file = format!("[{}]", records.join(","));
        save_as_is(users, on_conflict, Format::Json, file.as_bytes())
    };
    let records = [null(&one, "en"), null(&one, "en"), null(&two, "en"), null(&one, "fr")];
    assert_eq!(import(&mut users, OnConflict::Fail, &records).unwrap(), [4, 0, 0, 0]);
    assert_eq!(import(&mut users, OnConflict::Update, &records).unwrap(), [0, 0, 4, 0]);
    assert_eq!(import(&mut users, SYNC, &records).unwrap(), [0, 0, 4, 0]);
    assert_eq!(import(&mut users, OnConflict::Skip, &records).unwrap(), [0, 0, 0, 4]);
    assert_eq!(import(&mut users, OnConflict::SkipUnchecked, &records).unwrap(), [0, 0, 0, 4]);
    assert_eq!(reasons(import(&mut users, OnConflict::Fail, &records)).len(), 4);
    // One more of the same, and another.
    let more = [&records[..], &[null(&two, "en"), null(&two, "de")]].concat();
    assert_eq!(import(&mut users, OnConflict::Update, &more).unwrap(), [2, 0, 4, 0]);
    assert_eq!(database.query("SELECT count(*) FROM users"), ["6"]);
    // More than are looked up at once.
    let many: Vec<_> = (0..600).map(|number| null(&one, &format!("x{}", number % 7))).collect();
    assert_eq!(import(&mut users, OnConflict::Update, &many).unwrap()[0], 600);
    assert_eq!(import(&mut users, OnConflict::Update, &many).unwrap(), [0, 0, 600, 0]);
    // A password has another hash each time.
    let password = [format!(r#"{{"username": null, "password": "{GOOD}"}}"#)];
    for on_conflict in [OnConflict::Update, OnConflict::SkipUnchecked] {
        let reasons = reasons(import(&mut users, on_conflict, &password));
        assert!(reasons[0].contains("no password_hash"), "{reasons:?}");
    }
}

on_every_database! {
    sync_updates_language_and_groups_only,
    sync_passwords_keeps_hash_of_equal_password,
    sync_neither_locks_nor_unlocks,
    sync_accepts_odd_names_of_existing_users,
    skipped_users_who_differ_are_counted,
    prune_removes_unlisted_users_and_records_each,
    prune_never_removes_every_user,
    prune_rejects_users_who_were_not_confirmed,
    prune_obeys_foreign_keys_of_app,
    prune_does_not_remove_listed_users_by_cascade,
    password_set_meanwhile_is_verified_again,
    made_up_secrets_are_for_new_users_only,
    users_called_null_are_imported_once,
}

mod sqlite_only {
    use super::*;
    use crate::database::Sqlite;

    #[test]
    fn prune_compares_names_as_the_column_does() {
        let database = Sqlite::with(
            "CREATE TABLE users (username TEXT PRIMARY KEY COLLATE NOCASE,
                                 password_hash TEXT NOT NULL, language TEXT NOT NULL)",
        );
        let mut users = init(&database);
        for name in ["Alice", "bob"] {
            add(&mut users, name);
        }
        let file = "username\nALICE\n";
        assert_eq!(sync(&mut users, pruning(), file).unwrap(), ([0, 0, 1, 0], 1));
        assert_eq!(names(&database), ["Alice"]);
        // Two names of the same user.
        let mut options = pruning();
        options.allow_similar = true;
        for on_conflict in [SYNC, SYNC_PASSWORDS, OnConflict::Update] {
            options.on_conflict = on_conflict;
            let file = "username,language\nALICE,de\nalice,fr\n";
            let twice = "3 user 'alice': duplicate user: also in line 2";
            assert_eq!(reasons(sync(&mut users, options, file)), [twice]);
        }
    }

    #[test]
    fn prune_leaves_users_that_cannot_be_named() {
        let database = Sqlite::new();
        let mut users = init(&database);
        add(&mut users, "alice");
        database.execute(
            "INSERT INTO users VALUES (NULL, 'x', 'en'), (x'6162', 'x', 'en'),
                                      (CAST(x'ff' AS TEXT), 'x', 'en'), ('a' || char(0), 'x', 'en')",
        );
        let mut import = prepare(&mut users, pruning(), "username\nalice\n").unwrap();
        assert_eq!((import.unlisted().len(), import.unreachable()), (2, 2));
        let saved = import.save(Some(&mut users), "seed", |_| Ok::<_, Error>(())).unwrap();
        assert_eq!(saved.removed, 2);
        assert_eq!(database.query("SELECT count(*) FROM users"), ["3"]);
        // They do not count as users who are kept.
        let error = sync(&mut users, pruning(), "username,password_hash\nzoe,!\n");
        assert!(error.is_err(), "{error:?}");
    }

    #[test]
    fn odd_rows_are_imported_once() {
        let from = Sqlite::new();
        let mut users = init(&from);
        from.execute(&format!(
            "INSERT INTO users VALUES (NULL, {0}, 'en'), (NULL, {0}, 'en'), (NULL, 'x', 'en'),
                 (NULL, {1}, 'en'), (x'6162', {0}, 'en'), (x'', 'x', 'en'), ('', 'x', 'en'),
                 (CAST(x'ff' AS TEXT), 'x', 'en'), ('a' || char(0), x'00ff', 'en')",
            literal(&hash("x")),
            literal(&locked(&hash("y")))
        ));
        for format in [Format::Csv, Format::Json, Format::JsonLines] {
            let file = users.export(Vec::new(), format, true).unwrap().unwrap().0;
            let to = Sqlite::new();
            let mut users = init(&to);
            for (on_conflict, expected) in [
                (OnConflict::Fail, [9, 0, 0, 0]),
                (OnConflict::Update, [0, 0, 9, 0]),
                (OnConflict::SkipUnchecked, [0, 0, 0, 9]),
                (SYNC, [0, 0, 9, 0]),
                (SYNC_PASSWORDS, [0, 0, 9, 0]),
            ] {
                let summary = save_as_is(&mut users, on_conflict, format, &file).unwrap();
                assert_eq!(summary, expected, "{format:?} {on_conflict:?}");
            }
        }
    }
}
