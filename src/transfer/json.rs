//! JSON documents and JSON Lines.

use std::fmt;
use std::io::{self, BufRead, Read, Write};

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::error::Category;
use serde_json::{Value, json};
use zeroize::{Zeroize, Zeroizing};

use super::columns::{Names, Rules};
use super::csv::texts_of;
use super::{
    BadRecord, Each, Encoding, FIELDS, Field, Position, Record, RecordError, Secret, Source,
    written, yes_or_no,
};
use crate::escape::write_json;
use crate::password::Password;
use crate::store::Row;
use crate::user::{PartialProfile, StoredText, UserValue};

/// The keys of [odd values](super#odd-values).
const BLOB: &str = "blob";
const TEXT: &str = "text";

/// Reads one document: an array of records, alone or in an object, or an object of usernames with
/// passwords or records.
pub(super) fn read(input: impl BufRead, rules: &Rules, each: Each<'_>) -> io::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_reader(input);
    let read = Document { rules, each: &mut *each }
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

/// Reads one document per line.
pub(super) fn read_lines(mut input: impl BufRead, rules: &Rules, each: Each<'_>) -> io::Result<()> {
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
            Ok(item) => record(item, position, rules),
            Err(error) => Err(syntax_error(&error, position)),
        });
    }
    Ok(())
}

/// The maximum number of bytes read to detect JSON Lines.
const MAX_FIRST_LINES: u64 = 1 << 20;

/// Whether a document is JSON Lines: its first line is a complete object, and another line follows.
/// The bytes that were read are added to `first_lines`.
pub(super) fn are_lines(
    input: &mut impl BufRead,
    first_lines: &mut Zeroizing<Vec<u8>>,
) -> io::Result<bool> {
    let mut start = 0;
    while first_lines[start..].trim_ascii().is_empty() {
        start = first_lines.len();
        if read_line(input, first_lines)? == 0 {
            return Ok(false);
        }
    }
    let is_object = first_lines[start..].trim_ascii().starts_with(b"{")
        && serde_json::from_slice::<IgnoredAny>(&first_lines[start..]).is_ok();
    let mut behind = first_lines.len();
    while is_object && first_lines[behind..].trim_ascii().is_empty() {
        behind = first_lines.len();
        if read_line(input, first_lines)? == 0 {
            return Ok(false);
        }
    }
    Ok(is_object)
}

/// Adds a line to `lines`, and returns its length.
fn read_line(input: &mut impl BufRead, lines: &mut Zeroizing<Vec<u8>>) -> io::Result<usize> {
    let rest = MAX_FIRST_LINES.saturating_sub(lines.len() as u64);
    input.take(rest).read_until(b'\n', lines)
}

/// A syntax error. Unlike errors about values, it shows no value.
fn syntax_error(error: &serde_json::Error, position: Position) -> BadRecord {
    let reason = match error.classify() {
        Category::Data => RecordError::NotRecords,
        Category::Eof => RecordError::NotJson("the JSON ends unexpectedly".to_owned()),
        Category::Io | Category::Syntax => {
            let text = error.to_string();
            let what = text.rsplit_once(" at line ").map_or(&*text, |(what, _)| what);
            // serde_json's message for bytes that are not UTF-8.
            if what == "invalid unicode code point" {
                let reason = RecordError::NotEncoded(Encoding::UTF_8);
                return BadRecord { position, username: None, reason };
            }
            // serde_json's message for a word other than true, false and null.
            let what = if what == "expected ident" { "expected value" } else { what };
            RecordError::NotJson(format!("invalid JSON: {what}, in column {}", error.column()))
        }
    };
    BadRecord { position, username: None, reason }
}

/// Passes on the records of a document while reading it.
struct Document<'a> {
    rules: &'a Rules,
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
            (self.each)(record(item, Position::Item(number), self.rules));
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        // While all keys are field names, it may be a single record, whose values are not
        // passwords.
        let mut held = Vec::new();
        let mut is_dictionary = false;
        let mut is_wrapper = false;
        for number in 1.. {
            let Some(name) = items.next_key::<String>()? else { break };
            let position = Position::Item(number);
            is_dictionary |= self.rules.field(&name).is_none();
            let document = Document { rules: self.rules, each: &mut *self.each };
            let may_wrap = number == 1 && is_dictionary;
            let value = items.next_value_seed(NamedSeed(may_wrap.then_some(document)))?;
            if is_wrapper {
                let reason = RecordError::NotAlone;
                (self.each)(Err(BadRecord { position, username: None, reason }));
                continue;
            }
            match value {
                Named::Records if may_wrap => is_wrapper = true,
                Named::Fields(fields)
                    if name == USERS
                        && may_wrap
                        && !fields.iter().any(|(name, _)| self.rules.field(name).is_some()) =>
                {
                    is_wrapper = true;
                    for (number, (name, value)) in (1..).zip(fields) {
                        let fields = match value {
                            Value::Object(fields) => Named::Fields(fields.into_iter().collect()),
                            value => Named::Other(value),
                        };
                        let position = Position::Item(number);
                        (self.each)(named(name, fields, position, self.rules));
                    }
                }
                value => held.push(named(name, value, position, self.rules)),
            }
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

/// A key whose value may be an object of usernames, instead of being a user.
const USERS: &str = "users";

/// The fields of an object in order, including duplicates.
type Entries = Vec<(String, Value)>;

/// A value in a document that is an object.
enum Named {
    /// An array of records, which were passed on.
    Records,
    Fields(Entries),
    Other(Value),
}

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        NamedSeed(None).deserialize(deserializer)
    }
}

/// Reads a value, and passes on the records of an array if it can be one of records.
struct NamedSeed<'a>(Option<Document<'a>>);

impl<'de> DeserializeSeed<'de> for NamedSeed<'_> {
    type Value = Named;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Named, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NamedSeed<'_> {
    type Value = Named;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a password, a record or records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Named, A::Error> {
        match self.0 {
            Some(document) => document.visit_seq(items)?,
            None => while items.next_element::<IgnoredAny>()?.is_some() {},
        }
        Ok(Named::Records)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Named, A::Error> {
        let mut fields = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            fields.push(entry);
        }
        Ok(Named::Fields(fields))
    }

    fn visit_str<E>(self, text: &str) -> Result<Named, E> {
        Ok(Named::Other(text.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Named, E> {
        Ok(Named::Other(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Named, E> {
        Ok(Named::Other(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Named, E> {
        Ok(Named::Other(number.into()))
    }

    fn visit_bool<E>(self, state: bool) -> Result<Named, E> {
        Ok(Named::Other(state.into()))
    }

    fn visit_unit<E>(self) -> Result<Named, E> {
        Ok(Named::Other(Value::Null))
    }
}

/// The record for a username and value of an object.
fn named(
    name: String,
    value: Named,
    position: Position,
    rules: &Rules,
) -> Result<Record, BadRecord> {
    let reason = match value {
        Named::Other(Value::String(text)) => {
            let (username, secret) = (StoredText::Text(name), Secret::Either(Password::from(text)));
            let (secret, profile) = (Some(secret), PartialProfile::default());
            return Ok(Record { position, username, secret, profile, locked: None });
        }
        Named::Fields(mut fields)
            if fields.iter().all(|(field, _)| rules.field(field) != Some(0)) =>
        {
            fields.push((Field::USERNAME.name().to_owned(), Value::String(name)));
            return record(Named::Fields(fields), position, rules);
        }
        Named::Fields(_) => RecordError::RepeatedField(Field::USERNAME.name()),
        Named::Other(_) | Named::Records => RecordError::NotText(Field::PASSWORD.name()),
    };
    Err(BadRecord { position, username: Some(StoredText::Text(name)), reason })
}

fn record(item: Named, position: Position, rules: &Rules) -> Result<Record, BadRecord> {
    let Named::Fields(entries) = item else {
        let reason = RecordError::NotAnObject;
        return Err(BadRecord { position, username: None, reason });
    };
    // The intended value of a duplicate field is unknown.
    let (mut fields, mut repeated, mut unknown) = (Fields::default(), None, Vec::new());
    for (name, value) in entries {
        match rules.field(&name) {
            Some(field) if fields[field].is_some() => repeated = repeated.or(Some(field)),
            Some(field) => fields[field] = Some(value),
            None if rules.ignores(&name) => {}
            None => unknown.push(StoredText::Text(name)),
        }
    }
    let mut object = Object { fields, is_exact: rules.is_exact };
    let reason = if let Some(field) = repeated {
        if field == Field::USERNAME.0 {
            // Of two usernames, neither is shown.
            object.fields[field] = None;
        }
        RecordError::RepeatedField(FIELDS[field])
    } else if unknown.is_empty() {
        return Record::read(object, position);
    } else {
        RecordError::UnknownFields(Names(unknown))
    };
    let username = object.text(Field::USERNAME).ok().flatten();
    Err(BadRecord { position, username, reason })
}

/// The value of each of [`FIELDS`].
type Fields = [Option<Value>; FIELDS.len()];

/// The fields of an object.
struct Object {
    fields: Fields,
    is_exact: bool,
}

impl Object {
    /// A value other than null.
    fn take(&mut self, field: Field) -> Option<Value> {
        self.fields[field.0].take().filter(|value| !value.is_null())
    }
}

impl Source for Object {
    const NO_HASH: StoredText = StoredText::Null;

    fn text(&mut self, field: Field) -> Result<Option<StoredText>, RecordError> {
        let value = self.fields[field.0].take();
        match value.filter(|value| self.is_exact || !value.is_null()) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(StoredText::Text(text))),
            Some(odd) if self.is_exact => {
                exact_text(odd).map(Some).ok_or(RecordError::NotText(field.name()))
            }
            Some(_) => Err(RecordError::NotText(field.name())),
        }
    }

    fn texts(&mut self, field: Field) -> Result<Option<Vec<StoredText>>, RecordError> {
        let texts = match self.take(field) {
            None => return Ok(None),
            Some(value) if self.is_exact => exact_texts(value),
            Some(Value::Array(texts)) => {
                let text = |value| match value {
                    Value::String(text) => Some(StoredText::Text(text)),
                    _ => None,
                };
                texts.into_iter().map(text).collect()
            }
            Some(Value::String(texts)) => Some(texts_of(&texts)),
            Some(_) => None,
        };
        texts.map(Some).ok_or(RecordError::NotTexts(field.name()))
    }

    fn state(&mut self, field: Field) -> Result<Option<bool>, RecordError> {
        let state = match self.take(field) {
            None => return Ok(None),
            Some(Value::Bool(state)) => Some(state),
            Some(Value::String(text)) => yes_or_no(&text),
            Some(Value::Number(number)) => yes_or_no(&number.to_string()),
            Some(_) => None,
        };
        state.map(Some).ok_or(RecordError::NotBoolean(field.name()))
    }

    fn password(&mut self) -> Result<Option<Password>, RecordError> {
        match self.take(Field::PASSWORD) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(Password::from(text))),
            Some(_) => Err(RecordError::NotText(Field::PASSWORD.name())),
        }
    }
}

/// Converts a value of [`to_json`] back.
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

/// Converts a value losslessly: see [odd values](super#odd-values).
pub(super) fn to_json(text: &StoredText) -> Value {
    let digits = |bytes: &[u8]| base16ct::lower::encode_string(bytes);
    match text {
        StoredText::Null => Value::Null,
        StoredText::Text(text) => Value::String(text.clone()),
        StoredText::InvalidText(bytes) => json!({ TEXT: digits(bytes) }),
        StoredText::Blob(bytes) => json!({ BLOB: digits(bytes) }),
    }
}

/// Writes an array of records, or one record per line.
pub(super) struct Writer<W: Write> {
    output: W,
    is_array: bool,
    with_hashes: bool,
    is_first: bool,
}

/// A user, with or without the hash.
struct User<'a>(&'a Row, bool);

impl Serialize for User<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(written(self.0, self.1).map(|(name, value)| (name, Exact(value))))
    }
}

struct Exact<'a>(UserValue<'a>);

impl Serialize for Exact<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            UserValue::Text(StoredText::Text(text)) => serializer.serialize_str(text),
            UserValue::Text(odd) => to_json(odd).serialize(serializer),
            UserValue::Texts(texts) => {
                serializer.collect_seq(texts.iter().map(|text| Exact(UserValue::Text(text))))
            }
            UserValue::State(state) => serializer.serialize_bool(state),
            UserValue::Method(_) | UserValue::Time(_) => serializer.serialize_unit(),
        }
    }
}

impl<W: Write> Writer<W> {
    pub(super) fn new(output: W, is_array: bool, with_hashes: bool) -> Self {
        Self { output, is_array, with_hashes, is_first: true }
    }

    pub(super) fn write(&mut self, row: &Row) -> io::Result<()> {
        if self.is_array {
            self.output.write_all(if self.is_first { b"[\n" } else { b",\n" })?;
        }
        self.is_first = false;
        write_json(&mut self.output, &User(row, self.with_hashes))?;
        if self.is_array { Ok(()) } else { self.output.write_all(b"\n") }
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
