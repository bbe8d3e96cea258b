//! JSON documents and JSON Lines.

use std::fmt;
use std::io::{self, BufRead, Read, Write};

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};
use serde_json::error::Category;
use serde_json::{Value, json};
use zeroize::{Zeroize, Zeroizing};

use super::columns::{Names, Rules};
use super::csv::groups_of;
use super::{
    BadRecord, Each, Encoding, FIELDS, Position, Record, RecordError, Secret, lock_of, yes_or_no,
};
use crate::escape::write_json;
use crate::password::Password;
use crate::store::{Row, StoredSecret};
use crate::user::StoredText;

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
            let value = items.next_value_seed(NamedSeed { may_wrap, document })?;
            if is_wrapper {
                let reason = RecordError::NotAlone;
                (self.each)(Err(BadRecord { position, username: None, reason }));
                continue;
            }
            match value {
                Named::Records if may_wrap => is_wrapper = true,
                Named::Fields(fields)
                    if name == USERS && may_wrap && !has_field(&fields, self.rules) =>
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

fn has_field(fields: &Entries, rules: &Rules) -> bool {
    fields.iter().any(|(name, _)| rules.field(name).is_some())
}

/// A value in a document that is an object.
enum Named {
    /// An array of records, which were passed on.
    Records,
    Fields(Entries),
    Other(Value),
}

/// Reads a value, and passes on the records of an array if it can be one of records.
struct NamedSeed<'a> {
    may_wrap: bool,
    document: Document<'a>,
}

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
        if self.may_wrap {
            self.document.visit_seq(items)?;
        } else {
            while items.next_element::<IgnoredAny>()?.is_some() {}
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

    fn visit_string<E>(self, text: String) -> Result<Named, E> {
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
    let text = match value {
        Named::Other(Value::String(text)) => text,
        Named::Fields(mut fields)
            if fields.iter().all(|(field, _)| rules.field(field) != Some(0)) =>
        {
            fields.push((FIELDS[0].to_owned(), Value::String(name)));
            return record(Item(Some(fields)), position, rules);
        }
        Named::Fields(_) => {
            let (username, reason) =
                (Some(StoredText::Text(name)), RecordError::RepeatedField(FIELDS[0]));
            return Err(BadRecord { position, username, reason });
        }
        Named::Other(_) | Named::Records => {
            let (username, reason) =
                (Some(StoredText::Text(name)), RecordError::NotText(FIELDS[1]));
            return Err(BadRecord { position, username, reason });
        }
    };
    let (username, secret) = (StoredText::Text(name), Some(Secret::Either(Password::from(text))));
    Ok(Record { position, username, secret, language: None, groups: None, locked: None })
}

/// The fields of a record; `None` if it is not an object.
struct Item(Option<Entries>);

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
        let mut fields = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            fields.push(entry);
        }
        Ok(Item(Some(fields)))
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

fn record(item: Item, position: Position, rules: &Rules) -> Result<Record, BadRecord> {
    let Item(Some(entries)) = item else {
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
    let is_exact = rules.is_exact;
    if let Some(field) = repeated {
        // Of two usernames, neither is shown.
        let username = fields[0].take().filter(|_| field != 0);
        let username = text(username, FIELDS[0], is_exact).ok().flatten();
        let reason = RecordError::RepeatedField(FIELDS[field]);
        return Err(BadRecord { position, username, reason });
    }
    let username = text(fields[0].take(), FIELDS[0], is_exact);
    if !unknown.is_empty() {
        let reason = RecordError::UnknownFields(Names(unknown));
        return Err(BadRecord { position, username: username.ok().flatten(), reason });
    }
    let username = match username {
        Ok(Some(username)) => username,
        Ok(None) => {
            let reason = RecordError::NoUsername;
            return Err(BadRecord { position, username: None, reason });
        }
        Err(reason) => return Err(BadRecord { position, username: None, reason }),
    };
    match rest(fields, is_exact) {
        Ok((secret, language, groups, locked)) => {
            Ok(Record { position, username, secret, language, groups, locked })
        }
        Err(reason) => Err(BadRecord { position, username: Some(username), reason }),
    }
}

/// The value of each of [`FIELDS`].
type Fields = [Option<Value>; FIELDS.len()];

/// Password or hash, language, groups, and whether to lock the user.
type Rest = (Option<Secret>, Option<StoredText>, Option<Vec<StoredText>>, Option<bool>);

fn rest(mut fields: Fields, is_exact: bool) -> Result<Rest, RecordError> {
    let password = match fields[1].take() {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(Password::from(text)),
        Some(_) => return Err(RecordError::NotText(FIELDS[1])),
    };
    let hash = text(fields[2].take(), FIELDS[2], is_exact)?;
    let secret = match (password, hash) {
        // In this case, null means "not given".
        (Some(_), Some(hash)) if hash != StoredText::Null => return Err(RecordError::TwoSecrets),
        (Some(password), _) => Some(Secret::Password(password)),
        (None, hash) => hash.map(|hash| Secret::Hash(StoredSecret::from(hash))),
    };
    let language = text(fields[3].take(), FIELDS[3], is_exact)?;
    let groups = match fields[4].take() {
        None | Some(Value::Null) => None,
        Some(value) if is_exact => Some(exact_texts(value).ok_or(RecordError::NotTexts)?),
        Some(Value::Array(groups)) => {
            let text = |group| match group {
                Value::String(text) => Ok(StoredText::Text(text)),
                _ => Err(RecordError::NotTexts),
            };
            Some(groups.into_iter().map(text).collect::<Result<_, _>>()?)
        }
        Some(Value::String(groups)) => Some(groups_of(&groups)),
        Some(_) => return Err(RecordError::NotTexts),
    };
    let mut state = |field: usize| {
        let state = match fields[field].take() {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Bool(state)) => Some(state),
            Some(Value::String(text)) => yes_or_no(&text),
            Some(Value::Number(number)) => yes_or_no(&number.to_string()),
            Some(_) => None,
        };
        state.map(Some).ok_or(RecordError::NotBoolean(FIELDS[field]))
    };
    let locked = lock_of(state(5)?, state(6)?)?;
    Ok((secret, language, groups, locked))
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

/// A user, as a [`Writer`] writes it.
#[derive(Serialize)]
struct Written<'a> {
    username: Exact<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_hash: Option<Exact<'a>>,
    language: Exact<'a>,
    groups: Vec<Exact<'a>>,
    locked: bool,
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
            locked: secret.is_locked(),
        };
        write_json(&mut self.output, &written)?;
        if self.is_array { Ok(()) } else { self.output.write_all(b"\n") }
    }

    /// Writes the separator before an item of an array.
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
