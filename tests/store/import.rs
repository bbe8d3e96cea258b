//! Importing new users: validation, and adding all or none.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use dash_users::transfer::RecordError;
use dash_users::{BadRecords, ImportOptions, OnConflict, Password, policy};

use crate::accounts::{groups, is_recent, recorded};
use crate::database::Database;
use crate::support::{
    GOOD, OUTDATED, add_group, bad_records, counts, hash, hash_with, import, init, insert,
    is_current_hash_of, locked, names, options, over_limit, prepare, read, reasons, rows, stored,
    with_users,
};

const NO_GROUPS: [&str; 0] = [];

fn import_adds_users_as_given(database: &dyn Database) {
    let mut users = with_users(database, &["zoe"]);
    let (old, locked) = (hash_with(OUTDATED, "secret"), locked(&hash("secret")));
    let file = format!(
        "username,password,password_hash,language,groups\n\
         alice,{GOOD},,fr,staff;admins;staff\nbob,,{old},,\nZoë Quinn,,{locked},pt-BR,data science"
    );
    let summary = import(&mut users, ImportOptions::default(), &file).unwrap();
    assert_eq!(counts(summary), [3, 0, 0, 0]);
    assert!(is_current_hash_of(&stored(database, "alice"), GOOD));
    assert_eq!(stored(database, "bob"), old);
    assert_eq!(stored(database, "Zoë Quinn"), locked);
    assert_eq!(groups(&mut users, "alice"), ["admins", "staff"]);
    assert_eq!(groups(&mut users, "bob"), NO_GROUPS);
    assert_eq!(groups(&mut users, "Zoë Quinn"), ["data science"]);
    let languages = users.list().unwrap().into_iter().map(|user| user.language.to_string());
    assert_eq!(languages.collect::<Vec<_>>(), ["pt-BR", "fr", "en", "en"]);
}

fn import_detects_hashes_and_plaintext_passwords(database: &dyn Database) {
    let mut users = init(database);
    let (whole, locked) = (hash("secret"), locked(&hash("secret")));
    let file = format!(r#"{{"alice": "{GOOD}", "bob": "{whole}", "carol": "{locked}"}}"#);
    let mut prepared = prepare(&mut users, ImportOptions::default(), &file).unwrap();
    assert_eq!(prepared.detected(), (2, 1));
    prepared.write(Some(&mut users), "import").unwrap().commit().unwrap();
    assert!(is_current_hash_of(&stored(database, "alice"), GOOD));
    assert_eq!(stored(database, "bob"), whole);
    assert_eq!(stored(database, "carol"), locked);

    let digest = "5f4dcc3b5aa765d61d8327deb882cf99";
    let file = format!(r#"{{"dave": "$2b$12$abc", "erin": "{digest}", "frank": "!{whole}"}}"#);
    let hash_like = "the value looks like a hash but is not valid; it is not accepted as a \
    password";
    let expected = ["1 user 'dave'", "2 user 'erin'", "3 user 'frank'"];
    let expected = expected.map(|user| format!("{user}: {hash_like}"));
    assert_eq!(reasons(import(&mut users, ImportOptions::default(), &file)), expected);
}

fn import_reports_every_invalid_record(database: &dyn Database) {
    let mut users = init(database);
    let (long, bcrypt) = (over_limit(), "$2b$12$abc");
    let file = format!(
        "username,password,password_hash,language,groups\n\
         fine,{GOOD},,,\na:b,{GOOD},,,\n-x,{GOOD},,,\na,,qwzx-7391,,\nb,,{bcrypt},,\nc,,{long},,\n\
         d,{GOOD},,not a tag,\ne,{GOOD},,,\"x,y\"\nf,,,,\ng,qwzx,,,\nshort\nh,,!,,\n\
         i,,{},,",
        locked(&long)
    );
    let error = import(&mut users, ImportOptions::default(), &file).unwrap_err();
    let shown = format!("{error} {error:?}");
    let reasons = reasons(Err::<(), _>(error));
    let expected = [
        "3 user 'a…': a username cannot contain ':'",
        "4 user '-x': a username cannot begin with '-'",
        "5 user 'a': cannot use the password_hash: ",
        "6 user 'b': cannot use the password_hash: ",
        "7 user 'c': cannot use the password_hash: ",
        "8 user 'd': ",
        "9 user 'e': a group name cannot contain ','",
        "10 user 'f': no password or password_hash",
        "11 user 'g': the password is weak: ",
        "12 the number of cells is 1, but the header has 5",
        "13 user 'h': cannot use the password_hash: ",
        "14 user 'i': cannot use the password_hash: ",
    ];
    assert_eq!(reasons.len(), expected.len());
    for (reason, expected) in reasons.iter().zip(expected) {
        assert!(reason.starts_with(expected), "{reason}");
    }
    for secret in [GOOD, "qwzx", bcrypt, "HtB7iBw3"] {
        assert!(!shown.contains(secret) && !reasons.concat().contains(secret), "{shown}");
    }
    assert!(rows(database).is_empty());
    assert_eq!(recorded(&mut users, None), [""; 0]);
}

fn import_rejects_weak_passwords_unless_allowed(database: &dyn Database) {
    let mut users = init(database);
    let file = "username,password\nalice,secret123\nbob,\"a\tb\"\n";
    let reasons_of = |users: &mut _, options| {
        let records = bad_records(import(users, options, file));
        records.first().iter().map(|bad| bad.reason.clone()).collect::<Vec<_>>()
    };
    let control = RecordError::Password(policy::Violation::ControlCharacter);
    let guessable = RecordError::Password(policy::Violation::Guessable);
    let mut options = ImportOptions::default();
    assert_eq!(reasons_of(&mut users, options), [guessable, control.clone()]);
    options.allow_weak = true;
    assert_eq!(reasons_of(&mut users, options), [control]);
    import(&mut users, options, "username,password\nalice,a").unwrap();
    assert!(is_current_hash_of(&stored(database, "alice"), "a"));
}

fn import_error_ranks_invalid_weak_conflict(database: &dyn Database) {
    let mut users = with_users(database, &["alice"]);
    let head = "username,password";
    let invalid_last = format!("{head}\nalice,{GOOD}\nbob,weak\na:b,{GOOD}");
    let records = bad_records(import(&mut users, ImportOptions::default(), &invalid_last));
    assert!(matches!(records.worst(), RecordError::Username(_)), "{records:?}");
    assert_eq!(records.count(), 2);

    let weak_last = format!("{head}\nAlice,{GOOD}\nbob,weak");
    for on_conflict in [OnConflict::Fail, OnConflict::SkipUnchecked] {
        let records = bad_records(import(&mut users, options(on_conflict), &weak_last));
        assert!(matches!(records.worst(), RecordError::Password(_)), "{records:?}");
    }
    let conflict = format!("{head}\nAlice,{GOOD}");
    let records = bad_records(import(&mut users, ImportOptions::default(), &conflict));
    assert!(matches!(records.worst(), RecordError::Similar(_)), "{records:?}");
}

fn import_rejects_duplicate_names(database: &dyn Database) {
    let mut users = init(database);
    let file = format!(
        "username,password\nzoe,{GOOD}\nalice,{GOOD}\nZoe,{GOOD}\nalice,{GOOD}\nalice,{GOOD}"
    );
    let twice = "duplicate user: also in line 3";
    let by_case =
        "4 user 'Zoe': the username differs only by case from the one in line 2".to_owned();
    let twice = [5, 6].map(|line| format!("{line} user 'alice': {twice}"));
    let [fifth, sixth] = twice.clone();
    let mut options = ImportOptions::default();
    assert_eq!(reasons(import(&mut users, options, &file)), [by_case, fifth, sixth]);
    options.allow_similar = true;
    assert_eq!(reasons(import(&mut users, options, &file)), twice);
    let file = format!(r#"{{"alice": "{GOOD}", "alice": "{GOOD}"}}"#);
    let twice = "2 user 'alice': duplicate user: also in item 1";
    assert_eq!(reasons(import(&mut users, options, &file)), [twice]);
    assert!(rows(database).is_empty());
}

fn import_rejects_similar_name_unless_allowed(database: &dyn Database) {
    let mut users = with_users(database, &["alice"]);
    let file = format!("username,password\nAlice,{GOOD}");
    let expected = "2 user 'Alice': user 'alice' already exists and differs only by case";
    for on_conflict in [OnConflict::Fail, OnConflict::Skip, OnConflict::Update] {
        let mut options = options(on_conflict);
        assert_eq!(reasons(import(&mut users, options, &file)), [expected]);
        options.allow_similar = true;
        assert_eq!(counts(import(&mut users, options, &file).unwrap()), [1, 0, 0, 0]);
        users.remove(&["Alice"], false).unwrap();
    }
}

fn import_shows_first_invalid_records_and_counts_all(database: &dyn Database) {
    let mut users = init(database);
    let mut file = "username,password_hash\n".to_owned();
    for number in (0..50).rev() {
        insert(database, &format!("user{number:02}"), "!");
        writeln!(file, "user{number:02},{}", hash_with("pbkdf2:sha1:1", "x")).unwrap();
    }
    let records = bad_records(import(&mut users, ImportOptions::default(), &file));
    assert_eq!(records.count(), 50);
    let lines: Vec<_> = records.first().iter().map(|bad| bad.position.to_string()).collect();
    let expected: Vec<_> = (2..22).map(|line| line.to_string()).collect();
    assert_eq!(lines, expected);
    assert_eq!(lines.len(), BadRecords::MAX_SHOWN);

    let many = format!("username\n{}", "a:b\n".repeat(5000));
    let records = bad_records(import(&mut users, ImportOptions::default(), &many));
    assert_eq!((records.count(), records.first().len()), (5000, 20));
}

fn import_generates_passwords_for_new_users_only(database: &dyn Database) {
    let mut users = with_users(database, &["alice"]);
    let before = stored(database, "alice");
    let file = format!("username,password,language\nalice,,fr\nbob,,\ncarol,{GOOD},");
    let mut options = options(OnConflict::Update);
    let missing = "3 user 'bob': no password or password_hash";
    assert_eq!(reasons(import(&mut users, options, &file)), [missing]);

    options.generate_missing = true;
    let mut prepared = prepare(&mut users, options, &file).unwrap();
    assert_eq!(prepared.generated(), 1);
    let imported = prepared.write(Some(&mut users), "import").unwrap();
    assert_eq!(counts(imported.summary()), [2, 1, 0, 0]);
    let [(name, password)] = imported.generated() else { panic!("not one") };
    assert_eq!(name.to_string(), "bob");
    let password = password.expose().to_owned();
    assert_eq!(password.len(), Password::GENERATED_CHARS);
    assert_eq!(counts(imported.commit().unwrap()), [2, 1, 0, 0]);
    assert!(is_current_hash_of(&stored(database, "bob"), &password));
    assert_eq!(stored(database, "alice"), before);
}

fn import_without_commit_changes_nothing(database: &dyn Database) {
    let mut users = init(database);
    let file = format!("username,password\nalice,{GOOD}");
    let mut prepared = prepare(&mut users, ImportOptions::default(), &file).unwrap();
    assert_eq!(prepared.generated(), 0);
    drop(prepared.write(Some(&mut users), "import").unwrap());
    assert!(rows(database).is_empty());
    assert_eq!(recorded(&mut users, None), [""; 0]);
    import(&mut users, ImportOptions::default(), &file).unwrap();
    assert_eq!(names(database), ["alice"]);
}

fn import_write_does_omitted_steps(database: &dyn Database) {
    let mut users = with_users(database, &["alice"]);
    let file = format!("username,password\nalice,{GOOD}\nzoe,{GOOD}");
    let refusal = read(ImportOptions::default(), &file).write(Some(&mut users), "import");
    assert_eq!(bad_records(refusal).worst(), &RecordError::Exists);
    let mut import = read(options(OnConflict::Update), &file);
    let imported = import.write(Some(&mut users), "import").unwrap();
    assert_eq!(counts(imported.commit().unwrap()), [1, 1, 0, 0]);
    assert!(is_current_hash_of(&stored(database, "alice"), GOOD));
    assert!(is_current_hash_of(&stored(database, "zoe"), GOOD));
}

fn import_hashes_on_several_threads(database: &dyn Database) {
    let mut users = init(database);
    let mut file = "username,password\n".to_owned();
    (0..20).for_each(|number| writeln!(file, "user{number:02},{GOOD}{number}").unwrap());
    let mut import = read(ImportOptions::default(), &file);
    import.look_up(Some(&mut users)).unwrap();
    let done = AtomicUsize::new(0);
    assert_eq!(import.passwords(), 20);
    import.hash(NonZeroUsize::new(3).unwrap(), &|| {
        done.fetch_add(1, Ordering::Relaxed);
    });
    assert_eq!((import.passwords(), done.into_inner()), (0, 20));
    import.write(Some(&mut users), "import").unwrap().commit().unwrap();
    for number in 0..20 {
        let value = stored(database, &format!("user{number:02}"));
        assert!(is_current_hash_of(&value, &format!("{GOOD}{number}")));
    }
}

fn import_records_one_event(database: &dyn Database) {
    let mut users = init(database).with_actor("carol");
    insert(database, "alice", &hash("secret"));
    let file = format!("username,password,groups\nalice,{GOOD},x;y\nbob,{GOOD},z\nzoe,{GOOD},");
    import(&mut users, options(OnConflict::Update), &file).unwrap();
    let expected = ["\\N add alice \\N", "carol import \\N 2 added, 1 changed"];
    assert_eq!(recorded(&mut users, None), expected);
    // The history of a user says what it did to that user.
    let of_alice = ["\\N add alice \\N", "carol import alice password, groups"];
    assert_eq!(recorded(&mut users, Some("alice")), of_alice);
    assert_eq!(recorded(&mut users, Some("bob")), ["carol import bob added"]);
    // Later changes are recorded as usual.
    add_group(&mut users, "bob", "staff");
    insert(database, "dave", "!");
    let after = ["carol group add bob staff", "\\N add dave \\N"];
    assert_eq!(recorded(&mut users, None)[2..], after);
}

fn import_in_history_of_user_follows_renames_and_pruning(database: &dyn Database) {
    let mut users = init(database);
    let hash = hash("secret");
    let file = format!("username,password_hash\nalice,{hash}\nbob,{hash}");
    import(&mut users, ImportOptions::default(), &file).unwrap();
    users.rename("alice", &"ann".parse().unwrap(), false).unwrap();
    let locked = "username,language,locked\nann,fr,true\nbob,en,\n";
    import(&mut users, options(OnConflict::Update), locked).unwrap();
    import(&mut users, options(OnConflict::Update), "username,locked\nann,false").unwrap();
    let imports = |users: &mut dash_users::Users, name| -> Vec<String> {
        let events = recorded(users, Some(name)).into_iter();
        events.filter(|event| event.contains(" import ")).collect()
    };
    let expected =
        ["\\N import alice added", "\\N import ann locked, language", "\\N import ann unlocked"];
    assert_eq!(imports(&mut users, "ann"), expected);
    assert_eq!(imports(&mut users, "bob"), ["\\N import bob added"]);

    let newest = users.history(Some(b"ann"), Some(1)).unwrap().remove(0);
    assert_eq!(newest.detail.to_string(), "unlocked");
    users.prune_history(SystemTime::now() + Duration::from_secs(60)).unwrap();
    assert_eq!(imports(&mut users, "ann"), [""; 0]);
    assert_eq!(database.query("SELECT count(*) FROM dash_users_imported"), ["0"]);
}

fn import_sets_creation_time(database: &dyn Database) {
    let mut users = init(database);
    let file = format!("username,password\nalice,{GOOD}\nbob,{GOOD}");
    import(&mut users, ImportOptions::default(), &file).unwrap();
    for user in users.list().unwrap() {
        assert!(is_recent(user.created_at));
        assert_eq!(user.created_at, user.password_changed_at);
    }
}

fn import_ignores_groups_of_earlier_user(database: &dyn Database) {
    let mut users = init(database);
    for name in ["alice", "bob"] {
        // The first time, there are no users.
        database.execute("INSERT INTO user_groups VALUES ('alice', 'admins'), ('bob', 'admins')");
        let file = format!("username,password,groups\n{name},{GOOD},staff");
        import(&mut users, ImportOptions::default(), &file).unwrap();
        assert_eq!(groups(&mut users, name), ["staff"]);
        database.execute("DELETE FROM user_groups WHERE username <> 'alice'");
    }
}

fn import_adds_and_updates_thousands(database: &dyn Database) {
    let mut users = init(database);
    let hash = hash("secret");
    let file = |language: &str| {
        let mut file = "username,password_hash,language\n".to_owned();
        (0..2500).for_each(|number| writeln!(file, "user{number},{hash},{language}").unwrap());
        file
    };
    let summary = import(&mut users, ImportOptions::default(), &file("en")).unwrap();
    assert_eq!(counts(summary), [2500, 0, 0, 0]);
    let summary = import(&mut users, options(OnConflict::Update), &file("fr")).unwrap();
    assert_eq!(counts(summary), [0, 2500, 0, 0]);
    let french = database.query("SELECT username FROM users WHERE language = 'fr'");
    assert_eq!(french.len(), 2500);
}

#[test]
fn without_a_database_all_are_counted_as_new() {
    let mut options = ImportOptions::default();
    options.dry_run = true;
    let mut import = read(options, &format!("username,password\nalice,{GOOD}\nbob,{GOOD}"));
    import.look_up(None).unwrap();
    assert_eq!(import.passwords(), 0);
    assert_eq!(counts(import.write(None, "import").unwrap().commit().unwrap()), [2, 0, 0, 0]);
}

on_every_database! {
    import_adds_users_as_given,
    import_detects_hashes_and_plaintext_passwords,
    import_reports_every_invalid_record,
    import_rejects_weak_passwords_unless_allowed,
    import_error_ranks_invalid_weak_conflict,
    import_rejects_duplicate_names,
    import_rejects_similar_name_unless_allowed,
    import_shows_first_invalid_records_and_counts_all,
    import_generates_passwords_for_new_users_only,
    import_without_commit_changes_nothing,
    import_write_does_omitted_steps,
    import_hashes_on_several_threads,
    import_in_history_of_user_follows_renames_and_pruning,
    import_records_one_event,
    import_sets_creation_time,
    import_ignores_groups_of_earlier_user,
    import_adds_and_updates_thousands,
}
