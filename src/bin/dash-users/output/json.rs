//! What the program writes as JSON: types of its own, since their keys are a promise, where the
//! library's fields are not.

use std::borrow::Cow;
use std::io::{self, Write};

use dash_users::{Event, Location, Migration, StoredText, User};
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

use super::rfc3339;
use crate::exit::Report;

/// A change, as JSON tells it.
#[derive(Serialize)]
pub struct Change<'a> {
    pub database: String,
    pub username: Option<Cow<'a, str>>,
    pub action: &'static str,
    pub changed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl<'a> Change<'a> {
    pub fn new(database: &Location, username: &'a StoredText, action: &'static str) -> Self {
        let database = database.to_string();
        let username = username.to_text();
        Self {
            database,
            username,
            action,
            changed: true,
            new_username: None,
            password: None,
            warnings: Vec::new(),
        }
    }

    pub fn unchanged(self) -> Self {
        Self { changed: false, ..self }
    }
}

/// A user, as JSON tells it.
#[derive(Serialize)]
pub struct JsonUser<'a> {
    username: Option<Cow<'a, str>>,
    language: Option<Cow<'a, str>>,
    locked: bool,
    method: Option<String>,
    outdated: bool,
    groups: Vec<Option<Cow<'a, str>>>,
    created_at: Option<String>,
    password_changed_at: Option<String>,
}

impl<'a> From<&'a User> for JsonUser<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            username: user.username.to_text(),
            language: user.language.to_text(),
            locked: user.locked,
            method: user.method.map(|method| method.to_string()),
            outdated: user.outdated,
            groups: user.groups.iter().map(StoredText::to_text).collect(),
            created_at: user.created_at.map(rfc3339),
            password_changed_at: user.password_changed_at.map(rfc3339),
        }
    }
}

/// An event of the history, as JSON tells it.
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

/// A migration, as JSON tells it.
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

/// An error, as JSON tells it.
#[derive(Serialize)]
pub struct JsonError<'a> {
    error: ErrorBody<'a>,
}

impl<'a> From<&'a Report> for JsonError<'a> {
    fn from(Report { code, message, hint, .. }: &'a Report) -> Self {
        let (status, code, hint) = (code.status(), code.name(), hint.as_deref());
        Self { error: ErrorBody { code, status, message, hint } }
    }
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: &'static str,
    status: u8,
    message: &'a str,
    hint: Option<&'a str>,
}

/// Writes a value as one line.
pub fn write(writer: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut *writer, SafeFormatter))?;
    writeln!(writer)
}

/// Compact JSON that escapes whatever could drive a terminal.
struct SafeFormatter;

impl Formatter for SafeFormatter {
    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        w: &mut W,
        text: &str,
    ) -> io::Result<()> {
        let mut plain = 0;
        for (position, c) in text.char_indices().filter(|(_, c)| dash_users::is_unsafe_to_print(*c))
        {
            CompactFormatter.write_string_fragment(w, &text[plain..position])?;
            plain = position + c.len_utf8();
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                write!(w, "\\u{unit:04x}")?;
            }
        }
        CompactFormatter.write_string_fragment(w, &text[plain..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_escapes_what_could_drive_a_terminal_and_nothing_is_lost() {
        let text = "Zoë \"q\" \\ \x1b[31m \u{9b} \u{202e} \u{7f} 🙂";
        let mut json = Vec::new();
        write(&mut json, &text).unwrap();
        let json = String::from_utf8(json).unwrap();
        let expected = r#""Zoë \"q\" \\ \u001b[31m \u009b \u202e \u007f 🙂""#;
        assert_eq!(json.trim_end(), expected);
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
