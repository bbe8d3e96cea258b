//! Importing existing users: rejected, skipped or updated.

use dash_users::transfer::RecordError;
use dash_users::{Error, ImportOptions, OnConflict, StoredText, Users};

use crate::accounts::{groups, is_recent, recorded};
use crate::database::Database;
use crate::support::{
    GOOD, OUTDATED, TUTORIAL_TABLE, bad_records, counts, hash, hash_with, import, init, insert,
    is_current_hash_of, literal, locked, names, options, prepare, reasons, rows, stored,
    with_users,
};

const UPDATE: OnConflict = OnConflict::Update;

fn conflict_reports_existing_users_and_writes_nothing(database: &dyn Database) {
    let mut users = with_users(database, &["alice", "bob"]);
    let (before, hash) = (rows(database), hash("x"));
    // With and without passwords to hash.
    for file in [
        format!("username,password\nzoe,{GOOD}\nbob,{GOOD}\nalice,{GOOD}"),
        format!("username,password_hash\nzoe,{hash}\nbob,{hash}\nalice,{hash}"),
    ] {
        let result = import(&mut users, ImportOptions::default(), &file);
        let exists = ["3 user 'bob'", "4 user 'alice'"];
        assert_eq!(reasons(result), exists.map(|user| format!("{user}: the user already exists")));
        assert_eq!(rows(database), before);
    }
    assert_eq!(recorded(&mut users, None).len(), 2);
}

fn skip_leaves_existing_users(database: &dyn Database) {
    let mut users = with_users(database, &["alice", "bob"]);
    let before = rows(database);
    let file = format!("username,password,language,groups\nbob,{GOOD},fr,x\nzoe,{GOOD},,");
    for on_conflict in [OnConflict::Skip, OnConflict::SkipUnchecked] {
        assert_eq!(counts(import(&mut users, options(on_conflict), &file).unwrap()), [1, 0, 0, 1]);
        users.remove(&["zoe"], false).unwrap();
        assert_eq!(rows(database), before);
        assert!(groups(&mut users, "bob").is_empty());
    }
}

fn skip_unchecked_validates_new_users_only(database: &dyn Database) {
    let mut users = with_users(database, &["alice", "bob"]);
    insert(database, "a:b", "!");
    let before = rows(database);
    let odd = "username,password,language\nalice,weak,not a tag\nbob,,\na:b,weak,\n";
    assert_eq!(reasons(import(&mut users, options(OnConflict::Skip), odd)).len(), 3);
    let unjudged = options(OnConflict::SkipUnchecked);
    let mut prepared = prepare(&mut users, unjudged, odd).unwrap();
    assert_eq!(prepared.passwords(), 0);
    let summary = prepared.write(Some(&mut users), "seed").unwrap().commit().unwrap();
    assert_eq!(counts(summary), [0, 0, 0, 3]);
    assert_eq!(recorded(&mut users, None).len(), 3);

    let file = format!("{odd}zoe,weak,\nyan,,\nc:d,{GOOD},\n");
    let reasons = reasons(import(&mut users, unjudged, &file));
    let positions: Vec<_> = reasons.iter().map(|reason| &reason[..1]).collect();
    assert_eq!(positions, ["5", "6", "7"], "{reasons:?}");
    // Also if nothing is hashed.
    let file = format!("username,password_hash\nc:d,{}", hash("secret"));
    assert_eq!(self::reasons(import(&mut users, unjudged, &file)).len(), 1);
    assert_eq!(rows(database), before);
}

fn update_changes_given_fields_only(database: &dyn Database) {
    let mut users = with_users(database, &["alice", "bob"]);
    users.add_groups("alice", &["staff".parse().unwrap(), "x".parse().unwrap()]).unwrap();
    let hash_before = stored(database, "alice");

    let language = "username,language\nalice,fr";
    assert_eq!(counts(import(&mut users, options(UPDATE), language).unwrap()), [0, 1, 0, 0]);
    assert_eq!(groups(&mut users, "alice"), ["staff", "x"]);
    assert_eq!(stored(database, "alice"), hash_before);

    let password = format!("username,password\nalice,{GOOD}");
    import(&mut users, options(UPDATE), &password).unwrap();
    assert!(is_current_hash_of(&stored(database, "alice"), GOOD));
    assert_eq!(groups(&mut users, "alice"), ["staff", "x"]);
    assert_eq!(users.get("alice").unwrap().unwrap().language.to_string(), "fr");

    for (file, expected) in [("alice,y;staff", &["staff", "y"][..]), ("alice,", &[])] {
        let file = format!("username,groups\n{file}");
        assert_eq!(counts(import(&mut users, options(UPDATE), &file).unwrap()), [0, 1, 0, 0]);
        assert_eq!(groups(&mut users, "alice"), expected);
        assert_eq!(counts(import(&mut users, options(UPDATE), &file).unwrap()), [0, 0, 1, 0]);
    }
    assert!(is_current_hash_of(&stored(database, "bob"), "secret"));
}

fn update_with_same_password_keeps_hash(database: &dyn Database) {
    let mut users = init(database);
    insert(database, "alice", &hash_with(OUTDATED, GOOD));
    insert(database, "bob", &locked(&hash(GOOD)));
    let before = rows(database);
    let file = format!("username,password,language\nalice,{GOOD},\nbob,{GOOD},en\n");
    let recorded_before = recorded(&mut users, None);
    assert_eq!(counts(import(&mut users, options(UPDATE), &file).unwrap()), [0, 0, 2, 0]);
    assert_eq!(rows(database), before);
    assert_eq!(recorded(&mut users, None), recorded_before);
}

fn update_with_new_password_keeps_lock(database: &dyn Database) {
    let mut users = init(database);
    insert(database, "alice", &locked(&hash("secret")));
    insert(database, "bob", "no hash at all");
    let file = format!("username,password\nalice,{GOOD}\nbob,{GOOD}");
    assert_eq!(counts(import(&mut users, options(UPDATE), &file).unwrap()), [0, 2, 0, 0]);
    assert!(users.get("alice").unwrap().unwrap().locked);
    users.unlock(&["alice"]).unwrap();
    for name in ["alice", "bob"] {
        assert!(is_current_hash_of(&stored(database, name), GOOD), "{name}");
    }
}

fn update_with_hash_keeps_lock(database: &dyn Database) {
    let mut users = init(database);
    let (old, new) = (hash("secret"), hash_with(OUTDATED, "other"));
    let csv = |value: &str| format!("username,password_hash\nalice,{value}");
    let dictionary = |value: &str| format!(r#"{{"alice": "{value}"}}"#);
    for file in [&csv as &dyn Fn(&str) -> String, &dictionary] {
        for on_conflict in [UPDATE, OnConflict::Sync { passwords: true }] {
            database.execute("DELETE FROM users");
            insert(database, "alice", &locked(&old));
            for (value, expected) in [(&old, [0, 0, 1, 0]), (&new, [0, 1, 0, 0])] {
                let summary = import(&mut users, options(on_conflict), &file(value)).unwrap();
                assert_eq!(counts(summary), expected);
                assert_eq!(stored(database, "alice"), locked(value));
            }
        }
    }
    // The file says to unlock.
    for field in ["locked\nalice,{},no", "active\nalice,{},yes"] {
        database.execute("DELETE FROM users");
        insert(database, "alice", &locked(&old));
        let file = format!("username,password_hash,{}", field.replace("{}", &new));
        assert_eq!(counts(import(&mut users, options(UPDATE), &file).unwrap()), [0, 1, 0, 0]);
        assert_eq!(stored(database, "alice"), new);
    }
}

fn update_as_is_takes_hash_exactly(database: &dyn Database) {
    let mut users = init(database);
    let old = hash("secret");
    insert(database, "alice", &locked(&old));
    let mut options = options(UPDATE);
    options.as_is = true;
    let file = format!("username,password_hash\nalice,{old}");
    assert_eq!(counts(import(&mut users, options, &file).unwrap()), [0, 1, 0, 0]);
    assert_eq!(stored(database, "alice"), old);
}

fn update_with_hash_replaces_it_exactly(database: &dyn Database) {
    let mut users = init(database);
    let (old, new) = (hash("secret"), hash_with(OUTDATED, "other"));
    insert(database, "alice", &hash("first"));
    for value in [&new, &old, &locked(&old), &locked(&new)] {
        let file = format!("username,password_hash\nalice,{value}");
        assert_eq!(counts(import(&mut users, options(UPDATE), &file).unwrap()), [0, 1, 0, 0]);
        assert_eq!(stored(database, "alice"), *value);
        assert_eq!(counts(import(&mut users, options(UPDATE), &file).unwrap()), [0, 0, 1, 0]);
    }
}

fn update_sets_password_time_for_new_password_only(database: &dyn Database) {
    database.execute(TUTORIAL_TABLE);
    let old = hash(GOOD);
    insert(database, "alice", &old);
    let mut users = init(database);
    let mut changed_at = |file: &str| {
        import(&mut users, options(UPDATE), file).unwrap();
        let alice = users.get("alice").unwrap().unwrap();
        assert_eq!(alice.created_at, None);
        alice.password_changed_at
    };
    for file in [
        "username,language,groups\nalice,fr,x",
        &format!("username,password_hash\nalice,{}", locked(&old)),
        &format!("username,password_hash\nalice,{old}"),
        &format!("username,password\nalice,{GOOD}"),
    ] {
        assert_eq!(changed_at(file), None, "{file}");
    }
    assert!(is_recent(changed_at("username,password\nalice,quux-xyzzy-plover")));
    database.execute("UPDATE dash_users_times SET password_changed_at = NULL");
    assert!(is_recent(changed_at(&format!("username,password_hash\nalice,{}", hash("x")))));
}

fn dry_run_counts_same_and_writes_nothing(database: &dyn Database) {
    let mut users = with_users(database, &["alice", "bob"]);
    insert(database, "carol", &hash(GOOD));
    let file = format!(
        "username,password,language\nalice,{GOOD},\nbob,,fr\ncarol,{GOOD},en\nzoe,{GOOD},\nyan,,"
    );
    for (on_conflict, expected) in [(UPDATE, [2, 2, 1, 0]), (OnConflict::Skip, [2, 0, 0, 3])] {
        let (before, recorded_before) = (rows(database), recorded(&mut users, None));
        let mut options = options(on_conflict);
        options.generate_missing = true;
        options.dry_run = true;
        assert_eq!(counts(import(&mut users, options, &file).unwrap()), expected);
        let mut reader = Users::open_read_only(database.location()).unwrap();
        assert_eq!(counts(import(&mut reader, options, &file).unwrap()), expected);
        assert_eq!((rows(database), recorded(&mut users, None)), (before, recorded_before));
        options.dry_run = false;
        assert_eq!(counts(import(&mut users, options, &file).unwrap()), expected);
        users.remove(&["zoe", "yan"], false).unwrap();
    }
    let mut fail = ImportOptions::default();
    fail.dry_run = true;
    let file = format!("username,password\nalice,{GOOD}");
    assert_eq!(bad_records(import(&mut users, fail, &file)).worst(), &RecordError::Exists);
}

/// Prepares an import of alice with a password, has the app run `sql`, and writes it.
fn overtaken(
    database: &dyn Database,
    users: &mut Users,
    on_conflict: OnConflict,
    sql: &str,
) -> Result<[u64; 4], Error> {
    let file = format!("username,password\nalice,{GOOD}\nzoe,{GOOD}");
    let mut prepared = prepare(users, options(on_conflict), &file).unwrap();
    database.execute(sql);
    let imported = prepared.write(Some(users), "import")?;
    imported.commit().map(counts)
}

fn user_added_concurrently_is_a_conflict(database: &dyn Database) {
    let mut users = init(database);
    let value = hash("other");
    let appear = format!("INSERT INTO users VALUES ('alice', {}, 'de')", literal(&value));
    let refusal = overtaken(database, &mut users, OnConflict::Fail, &appear);
    assert_eq!(reasons(refusal), ["2 user 'alice': the user already exists"]);
    assert_eq!((names(database), stored(database, "alice")), (vec!["alice".into()], value.clone()));

    database.execute("DELETE FROM users");
    let refusal = overtaken(database, &mut users, UPDATE, &appear);
    assert!(
        matches!(&refusal, Err(Error::ConcurrentChange(StoredText::Text(name))) if name == "alice")
    );
    assert_eq!((names(database), stored(database, "alice")), (vec!["alice".into()], value.clone()));

    database.execute("DELETE FROM users");
    let skipped = overtaken(database, &mut users, OnConflict::Skip, &appear).unwrap();
    assert_eq!((skipped, stored(database, "alice")), ([1, 0, 0, 1], value));
}

fn password_changed_concurrently_is_not_replaced(database: &dyn Database) {
    for sql in [
        format!("UPDATE users SET password_hash = {}", literal(&hash("other"))),
        format!("UPDATE users SET password_hash = {}", literal(&locked(&hash("secret")))),
        "UPDATE users SET username = 'bob'".to_owned(),
        "DELETE FROM users".to_owned(),
    ] {
        database.execute("DROP TABLE IF EXISTS users");
        let mut users = with_users(database, &["alice"]);
        let refusal = overtaken(database, &mut users, UPDATE, &sql);
        assert!(matches!(refusal, Err(Error::ConcurrentChange(_))), "{sql}: {refusal:?}");
        let message = refusal.unwrap_err().to_string();
        assert!(message.starts_with("user 'alice' was removed or changed by"), "{message}");
        let left = rows(database);
        assert!(!names(database).contains(&"zoe".to_owned()), "{sql}: {left:?}");
    }
}

fn other_concurrent_changes_are_kept(database: &dyn Database) {
    let mut users = with_users(database, &["alice"]);
    let sql = "UPDATE users SET language = 'fr'; INSERT INTO user_groups VALUES ('alice', 'x')";
    assert_eq!(overtaken(database, &mut users, UPDATE, sql).unwrap(), [1, 1, 0, 0]);
    let alice = users.get("alice").unwrap().unwrap();
    assert_eq!((alice.language.to_string(), alice.groups.len()), ("fr".to_owned(), 1));
    assert!(is_current_hash_of(&stored(database, "alice"), GOOD));
}

on_every_database! {
    conflict_reports_existing_users_and_writes_nothing,
    skip_leaves_existing_users,
    skip_unchecked_validates_new_users_only,
    update_changes_given_fields_only,
    update_with_same_password_keeps_hash,
    update_with_new_password_keeps_lock,
    update_with_hash_keeps_lock,
    update_as_is_takes_hash_exactly,
    update_with_hash_replaces_it_exactly,
    update_sets_password_time_for_new_password_only,
    dry_run_counts_same_and_writes_nothing,
    user_added_concurrently_is_a_conflict,
    password_changed_concurrently_is_not_replaced,
    other_concurrent_changes_are_kept,
}
