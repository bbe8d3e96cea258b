//! The XML of a workbook's parts.

use std::io::{self, BufRead};

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use zeroize::Zeroizing;

use super::super::RecordError;
use super::{MAX_CHARS, bad};

/// The values of attributes, by their names without a prefix; empty if there is none.
pub(super) fn attributes<const N: usize>(
    tag: &BytesStart<'_>,
    names: [&str; N],
) -> Result<[String; N], RecordError> {
    let mut values = [const { String::new() }; N];
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| bad(INVALID_XML))?;
        let key = attribute.key.local_name();
        if let Some(index) = names.iter().position(|name| *name == key.as_ref()) {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            values[index] = value.map_err(|_| bad(INVALID_XML))?.into_owned();
        }
    }
    Ok(values)
}

const INVALID_XML: &str = "its XML is invalid";

pub(super) struct Xml<R> {
    reader: quick_xml::Reader<R>,
    buffer: Zeroizing<Vec<u8>>,
    /// Whether the last tag was closed at once.
    pub(super) is_empty_tag: bool,
}

impl<R: BufRead> Xml<R> {
    pub(super) fn new(part: R) -> Self {
        let reader = quick_xml::Reader::from_reader(part);
        Self { reader, buffer: Zeroizing::new(Vec::new()), is_empty_tag: false }
    }

    fn event(&mut self) -> Result<Event<'_>, RecordError> {
        self.buffer.clear();
        match self.reader.read_event_into(&mut self.buffer) {
            Ok(event) => Ok(event),
            Err(quick_xml::Error::Io(error)) if error.kind() == io::ErrorKind::FileTooLarge => {
                Err(RecordError::LargeWorkbook)
            }
            Err(_) => Err(bad(INVALID_XML)),
        }
    }

    /// The next start tag of this name; `None` at the end of the part.
    pub(super) fn next_tag(
        &mut self,
        name: &str,
    ) -> Result<Option<BytesStart<'static>>, RecordError> {
        self.next_tag_in(name, "")
    }

    /// The next start tag of this name before the end tag of the element around it.
    pub(super) fn next_tag_in(
        &mut self,
        name: &str,
        around: &str,
    ) -> Result<Option<BytesStart<'static>>, RecordError> {
        loop {
            let (tag, is_empty_tag) = match self.event()? {
                Event::Start(tag) => (tag, false),
                Event::Empty(tag) => (tag, true),
                Event::End(tag) if tag.local_name().as_ref() == around => return Ok(None),
                Event::Eof if around.is_empty() => return Ok(None),
                Event::Eof => return Err(bad("it is truncated")),
                _ => continue,
            };
            if tag.local_name().as_ref() == name {
                let tag = tag.into_owned();
                self.is_empty_tag = is_empty_tag;
                return Ok(Some(tag));
            }
        }
    }

    /// Adds the texts and the value in an element, except how to pronounce them. Returns whether
    /// there was a formula. Of a text that is too long, the rest is skipped.
    pub(super) fn texts_until(
        &mut self,
        around: &str,
        text: &mut Zeroizing<String>,
    ) -> Result<bool, RecordError> {
        let (mut is_text, mut is_phonetic, mut is_formula) = (false, false, false);
        loop {
            // Each character may be escaped.
            let is_added = is_text && text.len() <= MAX_CHARS * ESCAPE_BYTES;
            match self.event()? {
                Event::Start(tag) => match tag.local_name().as_ref() {
                    "rPh" => is_phonetic = true,
                    "t" | "v" => is_text = !is_phonetic,
                    "f" => is_formula = true,
                    _ => {}
                },
                Event::Empty(tag) => is_formula |= tag.local_name().as_ref() == "f",
                Event::End(tag) => match tag.local_name().as_ref() {
                    "rPh" => is_phonetic = false,
                    "t" | "v" => is_text = false,
                    name if name == around => {
                        unescape(text);
                        return Ok(is_formula);
                    }
                    _ => {}
                },
                Event::Text(part) if is_added => text.push_str(&part.xml10_content()),
                Event::CData(part) if is_added => text.push_str(&part.xml10_content()),
                Event::GeneralRef(name) if is_added => {
                    let predefined = resolve_predefined_entity(&name);
                    let number = name.resolve_char_ref().map_err(|_| bad(INVALID_XML))?;
                    match (predefined, number) {
                        (Some(entity), _) => text.push_str(entity),
                        (None, Some(number)) => text.push(number),
                        (None, None) => return Err(bad(INVALID_XML)),
                    }
                }
                Event::Eof => return Err(bad("it is truncated")),
                _ => {}
            }
        }
    }
}

/// The length of `_x000D_`.
const ESCAPE_BYTES: usize = 7;

/// Replaces `_x000D_`, which is how Excel writes a character that XML cannot contain, and `_` before
/// a text that looks like that.
fn unescape(text: &mut Zeroizing<String>) {
    if !text.contains("_x") {
        return;
    }
    let (mut unescaped, mut from) = (Zeroizing::new(String::with_capacity(text.len())), 0);
    while let Some(start) = text[from..].find("_x").map(|start| from + start) {
        let end = start + ESCAPE_BYTES;
        let escape = text.get(start..end).filter(|escape| escape.ends_with('_'));
        let digits = escape.map(|escape| &escape[2..6]);
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        unescaped.push_str(&text[from..start]);
        if let Some(character) = number.and_then(char::from_u32) {
            unescaped.push(character);
            from = end;
        } else {
            unescaped.push('_');
            from = start + 1;
        }
    }
    unescaped.push_str(&text[from..]);
    *text = unescaped;
}
