//! Restoring wrapped hashes. Placeholders and hashes never become passwords.

use dash_users::{Error, ImportOptions, OnConflict, StoredText};

use crate::accounts::{groups, recorded};
use crate::database::Database;
use crate::support::{
    GOOD, add_group, found, hash, import, init, insert, is_current_hash_of, locked, options,
    reasons, rows, stored, with_users,
};

const ALL: Option<&[&str]> = None;
const BCRYPT: &str = "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW";
const DJANGO: &str = "pbkdf2_sha256$1000$seasalt$d57aL3ThhTwF2UPCCAM8bhzpKwTtAZXeca/rScQ5PHY=";
const CONVERTED: &str =
    "pbkdf2:sha256:1000$seasalt$779eda2f74e1853c05d943c208033c6e1ce92b04ed0195de71afeb49c4393c76";

fn text(text: &str) -> StoredText {
    StoredText::Text(text.to_owned())
}

fn unwrap_restores_hashes_only(database: &dyn Database) {
    let mut users = with_users(database, &["alice", "bob", "carol", "dave"]);
    add_group(&mut users, "alice", "staff");
    let changed_at = users.get("alice").unwrap().unwrap().password_changed_at;
    let hash = hash("secret");
    let locked_hash = locked(&hash);
    for (name, value) in [
        ("alice", format!("b'{hash}'")),
        ("bob", hash.replace('$', "$$")),
        ("carol", format!("\"{locked_hash}\"\n")),
    ] {
        database.execute(&format!(
            "UPDATE users SET password_hash = '{}' WHERE username = '{name}'",
            value.replace('\'', "''")
        ));
    }
    insert(database, "erin", DJANGO);
    let left = [("frank", "b'$2b$12$abc'"), ("grace", &BCRYPT[..40]), ("heidi", "None")];
    for (name, value) in left {
        insert(database, name, value);
    }
    let codes = |users: &mut _| -> Vec<_> {
        let found = found(users).into_iter().filter(|(code, ..)| code.starts_with("wrapped"));
        found.map(|(.., user)| user).collect()
    };
    assert_eq!(codes(&mut users), ["alice", "bob", "carol"]);

    let dave = stored(database, "dave");
    let events = recorded(&mut users, None).len();
    let restored = users.with_actor("admin");
    let mut users = restored;
    assert_eq!(
        users.unwrap_hashes().unwrap(),
        [text("alice"), text("bob"), text("carol"), text("erin")]
    );
    assert_eq!(stored(database, "alice"), hash);
    assert_eq!(stored(database, "bob"), hash);
    assert_eq!(stored(database, "carol"), locked_hash);
    assert_eq!(stored(database, "dave"), dave);
    assert_eq!(stored(database, "erin"), CONVERTED);
    for (name, value) in left {
        assert_eq!(stored(database, name), value);
    }
    assert_eq!(groups(&mut users, "alice"), ["staff"]);
    assert!(users.get("alice").unwrap().unwrap().password_changed_at >= changed_at);
    let expected = ["alice", "bob", "carol", "erin"].map(|name| format!("admin unwrap {name} \\N"));
    assert_eq!(recorded(&mut users, None)[events..], expected);
    assert_eq!(codes(&mut users), [""; 0]);
    assert_eq!(users.unwrap_hashes().unwrap(), []);
    assert_eq!(recorded(&mut users, None).len(), events + 4);
}

fn plaintext_reports_every_placeholder(database: &dyn Database) {
    let mut users = init(database);
    insert(database, "alice", "secret123");
    let values =
        ["", " ", "None", "nan", "NULL", "N/A", "undefined", "\\N", "password_hash", "'null'"];
    for (index, value) in values.iter().enumerate() {
        insert(database, &format!("none{index}"), value);
    }
    insert(database, "wrapped", &format!("b'{}'", hash("secret")));
    insert(database, "bcrypt", &format!("b'{BCRYPT}'"));
    let before = rows(database);
    for allow_hash_like in [false, true] {
        let Err(Error::BadValues(bad)) = users.hash_plaintext_passwords(ALL, allow_hash_like)
        else {
            panic!("not rejected")
        };
        let expected = values.len() + if allow_hash_like { 1 } else { 2 };
        assert_eq!((bad.count(), bad.first().len()), (expected as u64, expected));
        assert_eq!(rows(database), before);
    }
    let one = users.hash_plaintext_passwords(Some(&["none2"]), true);
    assert!(matches!(one, Err(Error::NoPassword(name)) if name == text("none2")));
    let Err(Error::HashNotPassword { what, is_restorable, .. }) =
        users.hash_plaintext_passwords(Some(&["wrapped"]), true)
    else {
        panic!("not rejected")
    };
    assert_eq!((what.as_str(), is_restorable), ("a valid hash with Python's b'…' around it", true));
}

fn plaintext_shows_first_of_many_errors(database: &dyn Database) {
    let mut users = init(database);
    for index in 0..50 {
        insert(database, &format!("user{index:02}"), "None");
    }
    let Err(Error::BadValues(bad)) = users.hash_plaintext_passwords(ALL, false) else {
        panic!("not rejected")
    };
    assert_eq!((bad.count(), bad.first().len(), bad.are_passwords()), (50, 20, false));
}

fn import_rejects_placeholders(database: &dyn Database) {
    let mut users = init(database);
    let hash = hash("secret");
    let none = |field: &str| format!("the {field} is empty or a placeholder such as None");
    let around = "a valid hash with Python's b'…' around it";
    let file = format!(
        "username,password,password_hash\n\
         a,None,\nb,\" \",\nc,,nan\nd,b'{hash}',\ne,,b'{hash}'\nf,{hash},\ng,b'{BCRYPT}',\n\
         h,,{BCRYPT}\ni,password,\nj,\\N,\nk,{DJANGO},\nl,\"pl\u{200b}over-xyzzy-quux\",\n"
    );
    let expected = [
        format!("2 user 'a': {}", none("password")),
        format!("3 user 'b': {}", none("password")),
        format!("4 user 'c': {}", none("password_hash")),
        format!("5 user 'd': the password is {around}, which is not accepted as a password"),
        format!("6 user 'e': cannot use the password_hash: it is {around}"),
        "7 user 'f': the password is a valid hash, which is not accepted as a password".to_owned(),
        "8 user 'g': the password is a bcrypt hash with Python's b'…' around it, which is not accepted as a password".to_owned(),
        "9 user 'h': cannot use the password_hash: it is a bcrypt hash".to_owned(),
        format!("10 user 'i': {}", none("password")),
        format!("11 user 'j': {}", none("password")),
        "12 user 'k': the password is a Django PBKDF2 hash, which is not accepted as a password".to_owned(),
        "13 user 'l': the password contains the invisible character U+200B".to_owned(),
    ];
    assert_eq!(reasons(import(&mut users, ImportOptions::default(), &file)), expected);
    let file = format!(r#"{{"a": "None", "b": "", "c": "b'{hash}'", "d": "\"{BCRYPT}\""}}"#)
        .replace("\"\\\"", "\"'")
        .replace("\\\"\"", "'\"");
    let expected = [
        format!("1 user 'a': {}", none("password")),
        format!("2 user 'b': {}", none("password")),
        format!("3 user 'c': the password is {around}, which is not accepted as a password"),
        "4 user 'd': the password is a bcrypt hash with quotes around it, which is not accepted as a password".to_owned(),
    ];
    assert_eq!(reasons(import(&mut users, ImportOptions::default(), &file)), expected);
    assert!(rows(database).is_empty());
}

fn import_converts_pbkdf2_of_django(database: &dyn Database) {
    let mut users = init(database);
    let file = format!("username,password_hash,locked\nalice,{DJANGO},\nbob,{DJANGO},true");
    import(&mut users, ImportOptions::default(), &file).unwrap();
    assert_eq!(stored(database, "alice"), CONVERTED);
    assert_eq!(stored(database, "bob"), locked(CONVERTED));
    import(&mut users, ImportOptions::default(), &format!(r#"{{"carol": "{DJANGO}"}}"#)).unwrap();
    assert_eq!(stored(database, "carol"), CONVERTED);
    let mut as_is = ImportOptions::default();
    as_is.as_is = true;
    import(&mut users, as_is, &format!("username,password_hash,language\ndave,{DJANGO},en"))
        .unwrap();
    assert_eq!(stored(database, "dave"), DJANGO);
}

fn import_locks_and_unlocks_users(database: &dyn Database) {
    let mut users = init(database);
    let hash = hash("secret");
    let locked_hash = locked(&hash);
    let file = format!(
        "username,password,password_hash,active\na,{GOOD},,No\nb,,{hash},0\nc,,{locked_hash},1\n\
         d,,{locked_hash},\ne,,{locked_hash},FALSE\nf,,{hash},true"
    );
    import(&mut users, ImportOptions::default(), &file).unwrap();
    let is_locked = |users: &mut dash_users::Users| -> Vec<_> {
        users.list().unwrap().into_iter().map(|user| user.locked).collect()
    };
    assert_eq!(is_locked(&mut users), [true, true, false, true, true, false]);
    assert_eq!(stored(database, "b"), locked_hash);
    assert_eq!(stored(database, "c"), hash);
    users.unlock(&["a"]).unwrap();
    assert!(is_current_hash_of(&stored(database, "a"), GOOD));

    let changed_at = users.get("b").unwrap().unwrap().password_changed_at;
    let file = format!(
        "username,password,locked\na,{GOOD},yes\nb,,false\nc,,true\nd,{GOOD},no\ne,{GOOD},\nf,,0"
    );
    let update = options(OnConflict::Update);
    import(&mut users, update, &file).unwrap();
    assert_eq!(is_locked(&mut users), [true, false, true, false, true, false]);
    assert_eq!(stored(database, "b"), hash);
    assert_eq!(users.get("b").unwrap().unwrap().password_changed_at, changed_at);
    let before = rows(database);
    assert_eq!(import(&mut users, update, &file).unwrap().unchanged, 6);
    assert_eq!(rows(database), before);
}

fn import_locks_users_without_a_password(database: &dyn Database) {
    let mut users = with_users(database, &["alice"]);
    let before = stored(database, "alice");
    let mut options = options(OnConflict::Update);
    options.lock_missing = true;
    let file = format!("username,password,locked\nalice,,\nbob,,\ncarol,,false\ndave,{GOOD},");
    import(&mut users, options, &file).unwrap();
    assert_eq!(stored(database, "alice"), before);
    let [bob, carol] = ["bob", "carol"].map(|name| stored(database, name));
    assert!(bob.starts_with("!scrypt:256:8:1|") && carol.starts_with("!scrypt:256:8:1|"));
    assert_ne!(bob, carol);
    assert!(!users.get("dave").unwrap().unwrap().locked);
    users.unlock(&["bob"]).unwrap();
    assert!(users.get("bob").unwrap().unwrap().method.is_some());
}

fn truncated_hash_is_found_with_column_length(database: &dyn Database) {
    database.execute(
        "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash VARCHAR(200) NOT NULL,
                             language TEXT NOT NULL)",
    );
    let mut users = init(database);
    let hash = hash("secret");
    insert(database, "alice", &hash[..60]);
    let message = users.check().unwrap().iter().map(|f| f.problem.to_string()).collect::<String>();
    let missing = hash.len() - 60;
    let what = format!("a truncated hash (last {missing} characters missing), with 60 characters");
    assert!(message.contains(&what) && message.contains("(200)"), "{message}");
}

on_every_database! {
    truncated_hash_is_found_with_column_length,
    unwrap_restores_hashes_only,
    plaintext_reports_every_placeholder,
    plaintext_shows_first_of_many_errors,
    import_rejects_placeholders,
    import_converts_pbkdf2_of_django,
    import_locks_and_unlocks_users,
    import_locks_users_without_a_password,
}
