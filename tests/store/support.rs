//! Shared functions: cheap hashes, users written directly, and their state.

use std::num::NonZeroUsize;
use std::path::Path;

use dash_users::transfer::{Format, Reader};
use dash_users::{
    BadRecords, Error, Finding, Import, ImportOptions, ImportSummary, Language, Method, NewFile,
    NewUser, OnConflict, Password, PasswordHash, Severity, Username, Users,
};

use crate::database::Database;

/// The table as the tutorial creates it.
pub(crate) const TUTORIAL_TABLE: &str = "CREATE TABLE users (
    username TEXT PRIMARY KEY,
    password_hash TEXT NOT NULL,
    language TEXT NOT NULL
)";

/// The current method of all cases. It is cheap: the cost of hashing is tested elsewhere.
pub(crate) const METHOD: &str = "scrypt:256:8:1";

/// The cheapest method that werkzeug verifies, outdated by [`METHOD`].
pub(crate) const OUTDATED: &str = "scrypt:128:8:1";

/// A password that the policy accepts.
pub(crate) const GOOD: &str = "plover-xyzzy-quux";

/// A stored value that costs four times the limit.
pub(crate) fn over_limit() -> String {
    format!("scrypt:1048576:8:1$HtB7iBw3ZGspBOHX${}", "0".repeat(128))
}

pub(crate) fn method(text: &str) -> Method {
    text.parse().unwrap()
}

pub(crate) fn hash(password: &str) -> String {
    hash_with(METHOD, password)
}

pub(crate) fn hash_with(method: &str, password: &str) -> String {
    PasswordHash::new(&self::method(method), &Password::from(password)).to_string()
}

/// The value of a locked account.
pub(crate) fn locked(hash: &str) -> String {
    format!("!{}", hash.replace('$', "|"))
}

/// Opens a database after migrating it.
pub(crate) fn init(database: &dyn Database) -> Users {
    Users::init(database.location(), &NewFile::default()).unwrap();
    open(database)
}

/// Opens a database.
pub(crate) fn open(database: &dyn Database) -> Users {
    Users::open(database.location()).unwrap().with_method(method(METHOD))
}

/// A new user whose password may be weak.
pub(crate) fn new_user(username: &str, password: &str) -> NewUser {
    let mut new = NewUser::new(username.parse().unwrap(), Password::from(password));
    new.allow_weak = true;
    new
}

/// The same, although its name may differ only by case from that of another.
pub(crate) fn similar_user(username: &str) -> NewUser {
    let mut new = new_user(username, GOOD);
    new.allow_similar = true;
    new
}

/// Gives a user a group.
pub(crate) fn add_group(users: &mut Users, username: &str, group: &str) {
    users.add_groups(username, &[group.parse().unwrap()]).unwrap();
}

/// Users with their passwords hashed, as demo users are added.
pub(crate) fn hashed(users: &[NewUser]) -> Vec<(Username, PasswordHash, Language)> {
    let hash = |user: &NewUser| {
        let hash = PasswordHash::new(&method(METHOD), &user.password);
        (user.username.clone(), hash, user.language.clone())
    };
    users.iter().map(hash).collect()
}

/// Adds a user whose password is `secret`.
pub(crate) fn add(users: &mut Users, username: &str) {
    users.add(&new_user(username, "secret")).unwrap();
}

/// A new database with these users, whose passwords are `secret`.
pub(crate) fn with_users(database: &dyn Database, names: &[&str]) -> Users {
    let mut users = init(database);
    for name in names {
        add(&mut users, name);
    }
    users
}

/// The options of an import with only this one set.
pub(crate) fn options(on_conflict: OnConflict) -> ImportOptions {
    let mut options = ImportOptions::default();
    options.on_conflict = on_conflict;
    options
}

/// The records of a CSV file, or of JSON that begins with a brace.
pub(crate) fn read(options: ImportOptions, file: &str) -> Import {
    let mut import = Import::new(options, method(METHOD));
    let format = if file.starts_with('{') { Format::Json } else { Format::Csv };
    let reader = Reader::new(format).exact(options.as_is);
    reader.read(file.as_bytes(), &mut |record| import.push(record)).unwrap();
    import
}

/// The records of such a file, ready to be written.
pub(crate) fn prepare(
    users: &mut Users,
    options: ImportOptions,
    file: &str,
) -> Result<Import, Error> {
    let mut import = read(options, file);
    import.end()?;
    import.look_up(Some(users))?;
    import.hash(NonZeroUsize::MIN, &|| ());
    Ok(import)
}

/// Imports such a file.
pub(crate) fn import(
    users: &mut Users,
    options: ImportOptions,
    file: &str,
) -> Result<ImportSummary, Error> {
    prepare(users, options, file)?.write(Some(users), "import")?.commit()
}

/// The numbers of added, changed, unchanged and skipped records.
pub(crate) fn counts(summary: ImportSummary) -> [u64; 4] {
    let ImportSummary { added, changed, unchanged, skipped, .. } = summary;
    [added, changed, unchanged, skipped]
}

/// The invalid records of a failed import.
pub(crate) fn bad_records<T>(result: Result<T, Error>) -> BadRecords {
    match result {
        Err(Error::BadRecords(records)) => *records,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("nothing is bad"),
    }
}

/// The reasons of a failed import, with positions.
pub(crate) fn reasons<T>(result: Result<T, Error>) -> Vec<String> {
    let records = bad_records(result);
    assert_eq!(records.count(), records.first().len() as u64);
    records.first().iter().map(|bad| format!("{} {bad}", bad.position)).collect()
}

/// Adds a row as an app would.
pub(crate) fn insert(database: &dyn Database, username: &str, value: &str) {
    let (username, value) = (literal(username), literal(value));
    database.execute(&format!("INSERT INTO users VALUES ({username}, {value}, 'en')"));
}

/// The `password_hash` of a user.
pub(crate) fn stored(database: &dyn Database, username: &str) -> String {
    let select = format!("SELECT password_hash FROM users WHERE username = {}", literal(username));
    database.query(&select).remove(0)
}

/// The whole table, to see whether anything changed.
pub(crate) fn rows(database: &dyn Database) -> Vec<String> {
    let row = "username || ' ' || password_hash || ' ' || language";
    sorted(database.query(&format!("SELECT {row} FROM users")))
}

/// The names in the table.
pub(crate) fn names(database: &dyn Database) -> Vec<String> {
    sorted(database.query("SELECT username FROM users"))
}

/// In the order of the bytes, which not every database has.
fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

/// The findings of a check: code, severity and user.
pub(crate) fn found(users: &mut Users) -> Vec<(&'static str, Severity, String)> {
    let found = users.check().unwrap();
    let row = |finding: &Finding| {
        let username = finding.username.as_ref().map(ToString::to_string).unwrap_or_default();
        (finding.problem.code(), finding.problem.severity(), username)
    };
    found.iter().map(row).collect()
}

/// A text in SQL.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether a stored value is a hash of `password` with the current method.
pub(crate) fn is_current_hash_of(value: &str, password: &str) -> bool {
    let hash: PasswordHash = value.parse().unwrap();
    !hash.is_outdated(&method(METHOD)) && hash.verify(&Password::from(password))
}

/// Every operation of [`Users`], to check that all fail in the same way.
pub(crate) type Operation = (&'static str, fn(&mut Users) -> Result<(), Error>);

pub(crate) const OPERATIONS: [Operation; 22] = [
    ("get", |users| users.get("alice").map(drop)),
    ("list", |users| users.list().map(drop)),
    ("is_empty", |users| users.is_empty().map(drop)),
    ("lock", |users| users.lock(&["alice"]).map(drop)),
    ("unlock", |users| users.unlock(&["alice"]).map(drop)),
    ("check_new", |users| users.check_new(&"zoe".parse().unwrap(), false)),
    ("references", |users| users.references("alice").map(drop)),
    ("log_in", |users| users.log_in("alice", &Password::from("secret")).map(drop)),
    ("add", |users| users.add(&new_user("zoe", GOOD))),
    ("add_if_empty", |users| users.add_if_empty(hashed(&[new_user("zoe", GOOD)])).map(drop)),
    ("set_password", |users| users.set_password("alice", &Password::from(GOOD), false)),
    ("set_language", |users| users.set_language("alice", &"fr".parse().unwrap()).map(drop)),
    ("remove", |users| users.remove(&["alice"], true).map(drop)),
    ("rename", |users| users.rename("alice", &"zoe".parse().unwrap(), false).map(drop)),
    ("add_groups", |users| users.add_groups("alice", &["staff".parse().unwrap()]).map(drop)),
    ("remove_groups", |users| users.remove_groups("alice", &["staff"]).map(drop)),
    ("history", |users| users.history(None, None).map(drop)),
    ("backup", |users| users.backup(Path::new("/dev/null/backup.db"), false)),
    ("rehash", |users| users.rehash("alice", &Password::from("secret"))),
    ("log_in_and_upgrade", |users| {
        users.log_in_and_upgrade("alice", &Password::from("secret")).map(drop)
    }),
    ("hash_plaintext_passwords", |users| {
        users.hash_plaintext_passwords(None::<&[&str]>, false).map(drop)
    }),
    ("unwrap_hashes", |users| users.unwrap_hashes().map(drop)),
];
