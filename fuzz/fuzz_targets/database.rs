//! Operations of the library on an untrusted or damaged SQLite file.
//!
//! The input is `=` and the bytes of a file, or patches of a small valid database. A patch is an
//! offset of two bytes, a count of one byte, and that number of bytes; the count 255 truncates the
//! file. Nothing panics or hangs, no error shows a stored hash, and a damaged backup is restored
//! completely or not at all.

#![no_main]

use std::fmt::{Debug, Display};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use dash_users::transfer::Format;
use dash_users::{Error, Location, Method, NewFile, NewUser, Password, Problem, StoredText, Users};
use libfuzzer_sys::{Corpus, fuzz_target};
use rusqlite::Connection;

/// Text in the hashes of the valid database, and nowhere else in it.
const SECRETS: [&str; 2] = ["SaltNobodyMaySee", "0c60c80f961f0e71f3a9b524af6012062fe037a6"];

const PASSWORD: &str = "plover-xyzzy-quux";

static DIRECTORY: LazyLock<PathBuf> =
    LazyLock::new(|| tempfile::tempdir().expect("a temporary directory").keep());

/// The valid database, the same on every run. With small pages, one patch can reach much of its
/// structure. Columns without a type accept any value.
static VALID: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let path = DIRECTORY.join("valid.db");
    let execute = |sql: &str| {
        let connection = Connection::open(&path).expect("it opens");
        connection.execute_batch(sql).expect("it is valid SQL");
    };
    execute(
        "PRAGMA page_size = 512;
         CREATE TABLE users (username UNIQUE, password_hash, language);
         CREATE TABLE notes (author REFERENCES users(username) ON DELETE CASCADE, note);",
    );
    let location = Location::parse(&path).expect("it is a path");
    Users::init(&location, &NewFile::default()).expect("it is adopted");
    let [salt, digest] = SECRETS;
    execute(&format!(
        "INSERT INTO users VALUES ('carol', 'pbkdf2:sha1:1${salt}${digest}', 'en'),
                ('dave', '!pbkdf2:sha1:1|{salt}|{digest}', 'fr'), (NULL, x'00ff', 7),
                (CAST(x'61ff' AS TEXT), 'scrypt:128:8:1${salt}$00', NULL), ('Carol', 'clear', '');
         INSERT INTO user_groups VALUES ('carol', 'admins'), ('carol', 'staff'), ('dave', 'staff');
         INSERT INTO notes VALUES ('carol', 'a note');
         UPDATE users SET username = 'erin' WHERE username = 'Carol';
         UPDATE user_events SET at = '2026-01-02T03:04:05.678Z';
         UPDATE dash_users_times SET created_at = '2026-01-02T03:04:05.678Z',
                                     password_changed_at = '2026-01-02T03:04:05.678Z';
         VACUUM;"
    ));
    fs::read(path).expect("it was written a moment ago")
});

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some(file) = file(input) else { return Corpus::Reject };
    let path = DIRECTORY.join("users.db");
    let location = Location::parse(&path).expect("it is a path");
    let put = || {
        for journal in ["-journal", "-wal", "-shm"] {
            let _ = fs::remove_file(DIRECTORY.join(format!("users.db{journal}")));
        }
        fs::write(&path, &file).expect("it can be written");
    };
    put();
    look(&location);
    restore(&path);
    change(&location);
    put();
    if judged(Users::init(&location, &NewFile::default())).is_some() {
        let users = Users::open_read_only(&location).expect("it is a database of users");
        judged(users.with_method(cheap()).list());
    }
    Corpus::Keep
});

/// The file that the input describes.
fn file(input: &[u8]) -> Option<Vec<u8>> {
    if let Some(bytes) = input.strip_prefix(b"=") {
        return Some(bytes.to_owned());
    }
    let mut file = VALID.clone();
    let mut rest = input;
    while let [low, high, count, patch @ ..] = rest {
        let offset = usize::from(u16::from_le_bytes([*low, *high]));
        if *count == u8::MAX {
            file.truncate(offset);
            rest = patch;
            continue;
        }
        let (patch, after) = patch.split_at_checked((*count).into())?;
        file.get_mut(offset..offset + patch.len())?.copy_from_slice(patch);
        rest = after;
    }
    rest.is_empty().then_some(file)
}

fn cheap() -> Method {
    "pbkdf2:sha1:1".parse().expect("it is a method")
}

/// The value, if there is one. Asserts that an error shows no secret, except in a name that
/// contains it.
fn judged<T>(result: Result<T, Error>) -> Option<T> {
    if let Err(Error::Store(error)) = &result {
        shows_nothing(error);
    }
    result.ok()
}

fn shows_nothing(shown: &(impl Display + Debug)) {
    let shown = format!("{shown} {shown:?}");
    assert!(SECRETS.iter().all(|secret| !shown.contains(secret)), "{shown}");
}

/// Reads everything.
fn look(location: &Location) {
    if let Some(mut users) = judged(Users::open_no_wait(location)) {
        judged(users.names("", 9));
        judged(users.groups("s", 9));
    }
    let Some(users) = judged(Users::open_read_only(location)) else { return };
    let mut users = users.with_method(cheap());
    judged(users.schema());
    judged(users.is_empty());
    for finding in judged(users.check()).into_iter().flatten() {
        if let Problem::Integrity(_) = &finding.problem {
            shows_nothing(&finding.problem);
        }
    }
    for event in judged(users.history(None, Some(99))).into_iter().flatten() {
        let _ = event.at.map(|time| humantime::format_rfc3339_millis(time).to_string());
    }
    for format in [Format::Csv, Format::Json] {
        let _ = judged(users.export(Vec::new(), format, true));
    }
    for user in judged(users.list()).into_iter().flatten().take(9) {
        for time in [user.created_at, user.password_changed_at].into_iter().flatten() {
            let _ = humantime::format_rfc3339_millis(time).to_string();
        }
        let name = match &user.username {
            StoredText::Text(name) => name.as_bytes(),
            StoredText::InvalidText(name) => name,
            _ => continue,
        };
        judged(users.get(name));
        judged(users.references(name));
        judged(users.history(Some(name), Some(9)));
        if user.method.is_none_or(is_cheap) {
            let _ = judged(users.log_in(name, &Password::from(PASSWORD)));
        }
    }
    judged(users.backup(&DIRECTORY.join("backup.db"), true));
}

/// Whether a hash may be verified here.
fn is_cheap(method: Method) -> bool {
    match method {
        Method::Scrypt(scrypt) => scrypt.work_bytes() <= 256 << 10,
        Method::Pbkdf2(pbkdf2) => pbkdf2.iterations() <= 64,
        _ => false,
    }
}

/// Restores the file as a backup of another database.
fn restore(file: &Path) {
    let path = DIRECTORY.join("restored.db");
    fs::write(&path, &*VALID).expect("it can be written");
    let location = Location::parse(&path).expect("it is a path");
    let restored = judged(Users::prepare_restore(&location, file, None))
        .and_then(|restore| judged(restore.apply().map_err(Error::from)));
    if restored.is_none() {
        assert!(fs::read(&path).expect("it is there") == *VALID, "it was changed");
        return;
    }
    let users = Users::open(&location).and_then(|mut users| users.list());
    users.expect("what was restored can be read");
}

/// Makes one change of each kind.
fn change(location: &Location) {
    let Some(users) = judged(Users::open(location)) else { return };
    let mut users = users.with_method(cheap()).with_actor("fuzz");
    let password = Password::from(PASSWORD);
    let name = |name: &str| name.parse().expect("it is a name");
    judged(users.repair());
    judged(users.add(&NewUser::new(name("frank"), password.clone())));
    judged(users.set_password("carol", &password, false));
    judged(users.lock(&["carol"]));
    judged(users.unlock(&["dave"]));
    judged(users.set_language("carol", &"de".parse().expect("it is a language")));
    judged(users.rename("erin", &name("Erin"), false));
    judged(users.add_groups("dave", &["admins".parse().expect("it is a group")]));
    judged(users.remove_groups("carol", &["staff"]));
    judged(users.hash_plaintext_passwords(None::<&[&str]>, false));
    judged(users.remove(&["carol", "frank"], true));
    judged(users.list());
}
