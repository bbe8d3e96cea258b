//! JSON output. It has its own types because the keys are stable, unlike the library's fields.

use std::borrow::Cow;
use std::io::{self, Write};

use dash_users::transfer::Position;
use dash_users::{Event, Location, Migration, StoredText, User, UserValue};
use serde::{Serialize, Serializer};

use super::rfc3339;
use crate::exit::{Detail, Failure};
use crate::shell::without_backticks;

/// A change in JSON.
#[derive(Serialize, Default)]
pub struct Change<'a> {
    pub database: String,
    pub username: Option<Cow<'a, str>>,
    pub action: &'static str,
    pub changed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_username: Option<&'a str>,
    /// Whether the user is locked, where that may be a surprise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
    /// The groups that the user was added to or removed from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<Cow<'a, str>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl<'a> Change<'a> {
    pub fn new(database: &Location, username: &'a StoredText, action: &'static str) -> Self {
        let database = database.to_string();
        let username = username.to_text();
        Self { database, username, action, changed: true, ..Self::default() }
    }

    pub fn unchanged(self) -> Self {
        Self { changed: false, ..self }
    }
}

/// A user in JSON.
pub struct JsonUser<'a>(pub &'a User);

impl Serialize for JsonUser<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.fields().map(|(name, value)| (name, JsonValue(value))))
    }
}

struct JsonValue<'a>(UserValue<'a>);

impl Serialize for JsonValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            UserValue::Text(text) => text.to_text().serialize(serializer),
            UserValue::Texts(texts) => {
                serializer.collect_seq(texts.iter().map(StoredText::to_text))
            }
            UserValue::State(state) => state.serialize(serializer),
            UserValue::Method(method) => {
                method.map(|method| method.to_string()).serialize(serializer)
            }
            UserValue::Time(time) => time.map(rfc3339).serialize(serializer),
        }
    }
}

/// An export, backup or restore in JSON.
#[derive(Serialize)]
pub struct JsonCopy {
    pub database: String,
    pub action: &'static str,
    pub changed: bool,
    pub file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<u64>,
}

impl JsonCopy {
    pub fn new(
        database: &Location,
        action: &'static str,
        file: String,
        users: Option<u64>,
    ) -> Self {
        Self { database: database.to_string(), action, changed: true, file, users }
    }
}

/// The counts of an import or seed in JSON.
#[derive(Serialize, Default)]
pub struct JsonImport {
    pub database: String,
    pub created: bool,
    pub dry_run: bool,
    pub added: u64,
    pub changed: u64,
    pub unchanged: u64,
    pub skipped: u64,
    pub differing: u64,
    pub removed: u64,
    /// The usernames; `null` for one that is not text.
    pub removed_users: Vec<Option<String>>,
    /// How the file was read, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_as: Option<JsonReadAs>,
    pub warnings: Vec<String>,
}

/// What was detected in a file, and what it contains.
#[derive(Serialize)]
pub struct JsonReadAs {
    pub format: &'static str,
    pub encoding: Option<String>,
    pub delimiter: Option<String>,
    pub sheet: Option<String>,
    /// Values of an object of usernames that are hashes.
    pub hashes: u64,
    /// Values of an object of usernames that are plaintext passwords.
    pub passwords: u64,
    /// Hashes converted from Django or passlib.
    pub converted: u64,
    /// Users without a password who were locked.
    pub locked: u64,
}

/// A history event in JSON.
#[derive(Serialize)]
pub struct JsonEvent<'a> {
    id: i64,
    at: Option<String>,
    actor: Option<Cow<'a, str>>,
    action: Option<Cow<'a, str>>,
    username: Option<Cow<'a, str>>,
    detail: Option<Cow<'a, str>>,
}

impl<'a> From<&'a Event> for JsonEvent<'a> {
    fn from(event: &'a Event) -> Self {
        Self {
            id: event.id,
            at: event.at.map(rfc3339),
            actor: event.actor.to_text(),
            action: event.action.to_text(),
            username: event.username.to_text(),
            detail: event.detail.to_text(),
        }
    }
}

/// A migration in JSON.
#[derive(Serialize)]
pub struct JsonMigration {
    pub version: u32,
    pub name: &'static str,
}

impl JsonMigration {
    pub fn all(migrations: &[Migration]) -> Vec<Self> {
        let json =
            |migration: &Migration| Self { version: migration.version, name: migration.name };
        migrations.iter().map(json).collect()
    }
}

/// An error in JSON.
#[derive(Serialize)]
pub struct JsonError<'a> {
    error: ErrorBody<'a>,
}

impl<'a> From<&'a Failure> for JsonError<'a> {
    fn from(Failure { code, message, hint, details, .. }: &'a Failure) -> Self {
        let (status, code) = (code.exit_code(), code.name());
        let hint = hint.as_deref().map(without_backticks);
        let detail = |detail: &'a Detail| {
            let (line, item) = match detail.position {
                Some(Position::Line(line) | Position::Row(line)) => (Some(line), None),
                Some(Position::Item(item)) => (None, Some(item)),
                None => (None, None),
            };
            JsonDetail { line, item, code: detail.code.name(), message: &detail.message }
        };
        let details = details.iter().map(detail).collect();
        Self { error: ErrorBody { code, status, message, hint, details } }
    }
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: &'static str,
    status: u8,
    message: &'a str,
    hint: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<JsonDetail<'a>>,
}

#[derive(Serialize)]
struct JsonDetail<'a> {
    line: Option<u64>,
    item: Option<u64>,
    code: &'static str,
    message: &'a str,
}

/// Writes a value on one line.
pub fn write<W: Write + ?Sized>(writer: &mut W, value: &impl Serialize) -> io::Result<()> {
    dash_users::write_json(writer, value)?;
    writeln!(writer)
}
