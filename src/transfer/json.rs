//! JSON documents and JSON Lines.

use std::fmt;
use std::io::{self, BufRead, Write};

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};
use serde_json::error::Category;
use serde_json::{Map, Value, json};
use zeroize::{Zeroize, Zeroizing};

use super::{BadRecord, Each, FIELDS, Position, Record, RecordError, Secret};
use crate::escape::write_json;
use crate::password::Password;
use crate::store::{Row, StoredSecret};
use crate::user::StoredText;

/// The keys of [odd values](super#odd-values).
const BLOB: &str = "blob";
const TEXT: &str = "text";

/// Reads one document: an array of records, or an object of names and passwords.
pub(super) fn read(input: impl BufRead, is_exact: bool, each: Each<'_>) -> io::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_reader(input);
    let read = Document { is_exact, each: &mut *each }
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end());
    match read {
        Ok(()) => Ok(()),
        Err(error) if error.is_io() => Err(error.into()),
        Err(error) => {
            each(Err(syntax_error(&error, Position::Line(error.line() as u64))));
            Ok(())
        }
    }
}

/// Reads a document a line.
pub(super) fn read_lines(
    mut input: impl BufRead,
    is_exact: bool,
    each: Each<'_>,
) -> io::Result<()> {
    let mut line = Zeroizing::new(Vec::new());
    for number in 1.. {
        line.zeroize();
        if input.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let position = Position::Line(number);
        each(match serde_json::from_slice(&line) {
            Ok(item) => record(item, position, is_exact),
            Err(error) => Err(syntax_error(&error, position)),
        });
    }
    Ok(())
}

/// What is wrong with the text itself. Only what is wrong with its values could show one.
fn syntax_error(error: &serde_json::Error, position: Position) -> BadRecord {
    let reason = match error.classify() {
        Category::Data => RecordError::NotRecords,
        Category::Eof => RecordError::NotJson("the JSON ends too early".to_owned()),
        Category::Io | Category::Syntax => {
            let text = error.to_string();
            let what = text.rsplit_once(" at line ").map_or(&*text, |(what, _)| what);
            // So it says of a word that is neither true, false nor null.
            let what = if what == "expected ident" { "expected value" } else { what };
            RecordError::NotJson(format!("it is no JSON: {what}, in column {}", error.column()))
        }
    };
    BadRecord { position, username: None, reason }
}

/// Hands out the records of a document while it is read.
struct Document<'a> {
    is_exact: bool,
    each: Each<'a>,
}

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        for number in 1.. {
            let Some(item) = items.next_element()? else { break };
            (self.each)(record(item, Position::Item(number), self.is_exact));
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        // As long as all keys are fields it may be a lone record, whose values are no passwords.
        let mut held = Vec::new();
        let mut is_dictionary = false;
        for number in 1.. {
            let Some((name, value)) = items.next_entry::<String, Value>()? else { break };
            is_dictionary |= !FIELDS.contains(&&*name);
            held.push(named(name, value, Position::Item(number)));
            if is_dictionary {
                held.drain(..).for_each(&mut *self.each);
            }
        }
        if held.len() > 1 {
            let position = Position::Item(1);
            let reason = RecordError::LoneRecord;
            (self.each)(Err(BadRecord { position, username: None, reason }));
        } else {
            held.into_iter().for_each(self.each);
        }
        Ok(())
    }
}

/// A record of an object whose keys are names.
fn named(name: String, value: Value, position: Position) -> Result<Record, BadRecord> {
    let username = StoredText::Text(name);
    let Value::String(text) = value else {
        let reason = RecordError::NotText(FIELDS[1]);
        return Err(BadRecord { position, username: Some(username), reason });
    };
    let secret = Some(Secret::Either(Password::from(text)));
    Ok(Record { position, username, secret, language: None, groups: None })
}

/// What stands in the place of a record; none if it is no object.
struct Item(Option<Fields>);

struct Fields {
    fields: Map<String, Value>,
    /// One that is there twice: which of its values is meant, nobody knows.
    repeated: Option<&'static str>,
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemVisitor)
    }
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Item, A::Error> {
        let (mut fields, mut repeated) = (Map::new(), None);
        while let Some((name, value)) = entries.next_entry::<String, Value>()? {
            let field = FIELDS.into_iter().find(|field| **field == name);
            if fields.insert(name, value).is_some() {
                repeated = repeated.or(field);
            }
        }
        Ok(Item(Some(Fields { fields, repeated })))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Item, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Item(None))
    }

    fn visit_str<E>(self, _: &str) -> Result<Item, E> {
        Ok(Item(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Item, E> {
        Ok(Item(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Item, E> {
        Ok(Item(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Item, E> {
        Ok(Item(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Item, E> {
        Ok(Item(None))
    }

    fn visit_unit<E>(self) -> Result<Item, E> {
        Ok(Item(None))
    }
}

fn record(item: Item, position: Position, is_exact: bool) -> Result<Record, BadRecord> {
    let Item(Some(Fields { mut fields, repeated })) = item else {
        let reason = RecordError::NotAnObject;
        return Err(BadRecord { position, username: None, reason });
    };
    if let Some(field) = repeated {
        // Of two names neither is told.
        let username = fields.remove(FIELDS[0]).filter(|_| field != FIELDS[0]);
        let username = text(username, FIELDS[0], is_exact).ok().flatten();
        return Err(BadRecord { position, username, reason: RecordError::RepeatedField(field) });
    }
    let username = fields.remove(FIELDS[0]);
    let username = match text(username, FIELDS[0], is_exact) {
        Ok(Some(username)) => username,
        Ok(None) | Err(_) if fields.keys().any(|key| !FIELDS.contains(&key.as_str())) => {
            let reason = unknown_field(&fields).unwrap_or(RecordError::NoUsername);
            return Err(BadRecord { position, username: None, reason });
        }
        Ok(None) => {
            let reason = RecordError::NoUsername;
            return Err(BadRecord { position, username: None, reason });
        }
        Err(reason) => return Err(BadRecord { position, username: None, reason }),
    };
    match rest(fields, is_exact) {
        Ok((secret, language, groups)) => {
            Ok(Record { position, username, secret, language, groups })
        }
        Err(reason) => Err(BadRecord { position, username: Some(username), reason }),
    }
}

fn unknown_field(fields: &Map<String, Value>) -> Option<RecordError> {
    let name = fields.keys().find(|key| !FIELDS.contains(&key.as_str()))?;
    Some(RecordError::UnknownField(StoredText::Text(name.clone())))
}

/// Password or hash, language and groups.
type Rest = (Option<Secret>, Option<StoredText>, Option<Vec<StoredText>>);

fn rest(mut fields: Map<String, Value>, is_exact: bool) -> Result<Rest, RecordError> {
    if let Some(error) = unknown_field(&fields) {
        return Err(error);
    }
    let password = match fields.remove(FIELDS[1]) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(Password::from(text)),
        Some(_) => return Err(RecordError::NotText(FIELDS[1])),
    };
    let hash = text(fields.remove(FIELDS[2]), FIELDS[2], is_exact)?;
    let secret = match (password, hash) {
        // Here null is no value.
        (Some(_), Some(hash)) if hash != StoredText::Null => return Err(RecordError::TwoSecrets),
        (Some(password), _) => Some(Secret::Password(password)),
        (None, hash) => hash.map(|hash| Secret::Hash(StoredSecret::from(hash))),
    };
    let language = text(fields.remove(FIELDS[3]), FIELDS[3], is_exact)?;
    let groups = match fields.remove(FIELDS[4]) {
        None | Some(Value::Null) => None,
        Some(value) if is_exact => Some(exact_texts(value).ok_or(RecordError::NotTexts)?),
        Some(Value::Array(groups)) => {
            let text = |group| match group {
                Value::String(text) => Ok(StoredText::Text(text)),
                _ => Err(RecordError::NotTexts),
            };
            Some(groups.into_iter().map(text).collect::<Result<_, _>>()?)
        }
        Some(_) => return Err(RecordError::NotTexts),
    };
    Ok((secret, language, groups))
}

fn text(
    value: Option<Value>,
    field: &'static str,
    is_exact: bool,
) -> Result<Option<StoredText>, RecordError> {
    match value {
        Some(value) if is_exact => exact_text(value).map(Some).ok_or(RecordError::NotText(field)),
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(StoredText::Text(text))),
        Some(_) => Err(RecordError::NotText(field)),
    }
}

/// The value that [`to_json`] made.
pub(super) fn exact_text(value: Value) -> Option<StoredText> {
    match value {
        Value::Null => Some(StoredText::Null),
        Value::String(text) => Some(StoredText::Text(text)),
        Value::Object(odd) if odd.len() == 1 => {
            let (key, digits) = odd.iter().next()?;
            let bytes = base16ct::mixed::decode_vec(digits.as_str()?).ok()?;
            match key.as_str() {
                BLOB => Some(StoredText::Blob(bytes)),
                TEXT => Some(StoredText::from(&*bytes)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// An array of such values.
pub(super) fn exact_texts(value: Value) -> Option<Vec<StoredText>> {
    let Value::Array(values) = value else { return None };
    values.into_iter().map(exact_text).collect()
}

/// A value of which nothing is lost: see [odd values](super#odd-values).
pub(super) fn to_json(text: &StoredText) -> Value {
    let digits = |bytes: &[u8]| base16ct::lower::encode_string(bytes);
    match text {
        StoredText::Null => Value::Null,
        StoredText::Text(text) => Value::String(text.clone()),
        StoredText::InvalidText(bytes) => json!({ TEXT: digits(bytes) }),
        StoredText::Blob(bytes) => json!({ BLOB: digits(bytes) }),
    }
}

/// Writes an array of records, or a record a line.
pub(super) struct Writer<W: Write> {
    output: W,
    is_array: bool,
    with_hashes: bool,
    is_first: bool,
}

/// A user, as a [`Writer`] writes it.
#[derive(Serialize)]
struct Written<'a> {
    username: Exact<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_hash: Option<Exact<'a>>,
    language: Exact<'a>,
    groups: Vec<Exact<'a>>,
}

struct Exact<'a>(&'a StoredText);

impl Serialize for Exact<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            StoredText::Text(text) => serializer.serialize_str(text),
            odd => ser::Serialize::serialize(&to_json(odd), serializer),
        }
    }
}

impl<W: Write> Writer<W> {
    pub(super) fn new(output: W, is_array: bool, with_hashes: bool) -> Self {
        Self { output, is_array, with_hashes, is_first: true }
    }

    pub(super) fn write(&mut self, row: &Row) -> io::Result<()> {
        self.separate()?;
        let Row { username, secret, language, groups, .. } = row;
        let written = Written {
            username: Exact(username),
            password_hash: self.with_hashes.then(|| Exact(secret.expose())),
            language: Exact(language),
            groups: groups.iter().map(Exact).collect(),
        };
        write_json(&mut self.output, &written)?;
        if self.is_array { Ok(()) } else { self.output.write_all(b"\n") }
    }

    /// Writes what stands before an item of an array.
    fn separate(&mut self) -> io::Result<()> {
        if self.is_array {
            self.output.write_all(if self.is_first { b"[\n" } else { b",\n" })?;
        }
        self.is_first = false;
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        if self.is_array {
            self.output.write_all(if self.is_first { b"[]\n" } else { b"\n]\n" })?;
        }
        Ok(self.output)
    }
}

#[cfg(test)]
mod tests;
