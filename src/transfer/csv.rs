//! Comma-separated values.

mod lines;

use std::fmt;
use std::io::{self, BufRead, Read, Write};
use std::str::FromStr;

use csv::{ByteRecord, ReaderBuilder};
use serde_json::Value;
use zeroize::Zeroizing;

use self::lines::{Lines, first_line, lines_in};
use super::columns::{Rules, Table};
use super::json::{exact_text, exact_texts, to_json};
use super::{
    BadRecord, Each, FIELDS, Field, Position, Record, RecordError, Source, written, written_fields,
    yes_or_no,
};
use crate::escape::{is_safe_to_print, write_json};
use crate::password::Password;
use crate::store::Row;
use crate::user::{StoredText, UserValue};

/// The first character of a cell that contains JSON.
const EXACT: char = '\\';

/// A character between cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiter(u8);

/// Not a delimiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use one ASCII character that is no letter, digit, quote or line end, or the word tab")]
pub struct NotADelimiter;

impl Delimiter {
    /// A comma.
    pub const COMMA: Self = Self(b',');
    /// A tab.
    pub const TAB: Self = Self(b'\t');

    /// The delimiters that are detected, the usual one first.
    const DETECTED: [Self; 4] = [Self::COMMA, Self(b';'), Self::TAB, Self(b'|')];
}

/// Parses the character, `tab` or `\t`.
impl FromStr for Delimiter {
    type Err = NotADelimiter;

    fn from_str(text: &str) -> Result<Self, NotADelimiter> {
        match *text.as_bytes() {
            _ if text == "tab" || text == "\\t" => Ok(Self::TAB),
            [byte] if byte.is_ascii_punctuation() && byte != b'"' => Ok(Self(byte)),
            [b' ' | b'\t'] => Ok(Self(text.as_bytes()[0])),
            _ => Err(NotADelimiter),
        }
    }
}

/// Displays the character, or `tab`.
impl fmt::Display for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TAB => f.write_str("tab"),
            Self(byte) => char::from(byte).fmt(f),
        }
    }
}

/// The maximum number of bytes read to detect the delimiter.
const MAX_HEADER_BYTES: u64 = 1 << 20;

/// Reads a table, and returns its delimiter.
pub(super) fn read(
    mut input: impl BufRead,
    delimiter: Option<Delimiter>,
    rules: &Rules,
    each: Each<'_>,
) -> io::Result<Delimiter> {
    let mut start = Zeroizing::new(Vec::new());
    let (named, skipped) = read_header(&mut input, &mut start)?;
    let header = &start[skipped..];
    let delimiter = delimiter.or(named).unwrap_or_else(|| detect(header, rules));
    let line = 1 + lines_in(&start[..skipped]);
    let lines = Lines::new(header.chain(input), line, delimiter);
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter.0)
        .from_reader(lines);
    let mut cells = ByteRecord::new();
    if !reader.read_byte_record(&mut cells)? {
        let (position, reason) = (Position::Line(1), RecordError::EmptyFile);
        each(Err(BadRecord { position, username: None, reason }));
        return Ok(delimiter);
    }
    let headers: Result<Vec<_>, _> =
        cells.iter().map(|cell| str::from_utf8(cell).map(str::to_owned)).collect();
    let table = match reader.get_ref().bad_quote() {
        Some((_, reason)) => Err(reason),
        None => headers
            .map_err(|_| RecordError::HeaderNotUtf8)
            .and_then(|headers| rules.columns(&headers)),
    };
    let table = match table {
        Ok(table) => table,
        Err(reason) => {
            let position = first_line(&cells, reader.get_ref());
            each(Err(BadRecord { position, username: None, reason }));
            return Ok(delimiter);
        }
    };
    while reader.read_byte_record(&mut cells)? {
        if let Some((line, reason)) = reader.get_ref().bad_quote() {
            each(Err(BadRecord { position: Position::Line(line), username: None, reason }));
            reader.get_mut().forget();
            continue;
        }
        // Spreadsheets write an empty row as delimiters only.
        let is_empty = cells.len() > 1 && cells.iter().all(|cell| cell.trim_ascii().is_empty());
        if is_empty && !rules.is_exact {
            continue;
        }
        let position = first_line(&cells, reader.get_ref());
        each(record(&cells, position, &table, rules.is_exact));
    }
    Ok(delimiter)
}

/// Reads up to the end of the header row. Returns the delimiter from a line `sep=;` before it, which
/// Excel reads and some programs write, and the number of bytes before the header.
fn read_header(
    input: &mut impl BufRead,
    start: &mut Zeroizing<Vec<u8>>,
) -> io::Result<(Option<Delimiter>, usize)> {
    let (mut named, mut skipped) = (None, 0);
    loop {
        let line_start = start.len();
        let rest = MAX_HEADER_BYTES.saturating_sub(line_start as u64);
        if input.take(rest).read_until(b'\n', start)? == 0 {
            return Ok((named, skipped));
        }
        // On an old Mac, a line ends with `\r`.
        let mut line_start = line_start;
        for line in start[line_start..].split_inclusive(|byte| *byte == b'\r') {
            match (line.trim_ascii(), named) {
                ([], _) => {}
                ([b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', rest @ ..], None)
                    if separator(rest, line).is_some() =>
                {
                    named = separator(rest, line);
                    skipped = line_start + line.len();
                }
                _ => return Ok((named, skipped)),
            }
            line_start += line.len();
        }
    }
}

/// The delimiter after `sep=`. A tab was trimmed.
fn separator(rest: &[u8], line: &[u8]) -> Option<Delimiter> {
    match rest {
        [] if line.contains(&b'\t') => Some(Delimiter::TAB),
        [byte] => str::from_utf8(&[*byte]).ok()?.parse().ok(),
        _ => None,
    }
}

/// The delimiter by which the header row has the username and most fields.
fn detect(start: &[u8], rules: &Rules) -> Delimiter {
    // Of equal ones, the first.
    let fields = |delimiter: &Delimiter| fields(start, *delimiter, rules);
    Delimiter::DETECTED.into_iter().rev().max_by_key(fields).unwrap_or(Delimiter::COMMA)
}

/// Whether a text begins with a header row of at least two fields.
pub(super) fn has_header(start: &[u8], rules: &Rules) -> bool {
    let delimiters = Delimiter::DETECTED.into_iter();
    delimiters.map(|delimiter| fields(start, delimiter, rules)).any(|fields| fields >= (true, 2))
}

/// Whether the first line has the username, and how many fields it has.
fn fields(start: &[u8], delimiter: Delimiter, rules: &Rules) -> (bool, usize) {
    let lines = start.split(|byte| b"\r\n".contains(byte));
    let line = lines.map(<[u8]>::trim_ascii).find(|line| !line.is_empty()).unwrap_or_default();
    let mut reader =
        ReaderBuilder::new().has_headers(false).delimiter(delimiter.0).from_reader(line);
    let mut cells = ByteRecord::new();
    if reader.read_byte_record(&mut cells).is_err() {
        return (false, 0);
    }
    let headers: Vec<_> =
        cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
    rules.count(&headers)
}

pub(super) fn record(
    cells: &ByteRecord,
    position: Position,
    table: &Table,
    is_exact: bool,
) -> Result<Record, BadRecord> {
    let Table { columns, ref unnamed, width: expected } = *table;
    let is_given = |column: &usize| cells.get(*column).is_some_and(|cell| !cell.is_empty());
    let reason = if cells.len() != expected {
        RecordError::CellCount { expected, found: cells.len() }
    } else if unnamed.iter().any(is_given) {
        RecordError::UnnamedField
    } else {
        return Record::read(Cells { row: cells, columns, is_exact }, position);
    };
    Err(BadRecord { position, username: None, reason })
}

/// The cells of a row, and the column of each field.
struct Cells<'a> {
    row: &'a ByteRecord,
    columns: [Option<usize>; FIELDS.len()],
    is_exact: bool,
}

impl<'a> Cells<'a> {
    fn get(&self, field: Field) -> Option<&'a [u8]> {
        self.columns[field.0].and_then(|column| self.row.get(column))
    }

    /// The JSON in a cell of an exact file, or the text in any other.
    fn exact(&self, cell: &'a [u8], field: Field) -> Result<Result<Value, &'a str>, RecordError> {
        let text = str::from_utf8(cell).map_err(|_| RecordError::NotUtf8(field.name()))?;
        match text.strip_prefix(EXACT) {
            Some(json) if self.is_exact => {
                serde_json::from_str(json).map(Ok).map_err(|_| RecordError::NotExact(field.name()))
            }
            _ => Ok(Err(text)),
        }
    }
}

impl Source for Cells<'_> {
    const NO_HASH: StoredText = StoredText::Text(String::new());

    fn text(&mut self, field: Field) -> Result<Option<StoredText>, RecordError> {
        // An empty cell means "not given", unless the file is exact.
        let cell = self.get(field).filter(|cell| self.is_exact || !cell.is_empty());
        let Some(cell) = cell else { return Ok(None) };
        match self.exact(cell, field)? {
            Ok(json) => exact_text(json).map(Some).ok_or(RecordError::NotExact(field.name())),
            Err(text) if self.is_exact || field < Field::PROFILE => {
                Ok(Some(StoredText::Text(text.to_owned())))
            }
            Err(text) => Ok(Some(StoredText::Text(text.trim().to_owned()))),
        }
    }

    fn texts(&mut self, field: Field) -> Result<Option<Vec<StoredText>>, RecordError> {
        let Some(cell) = self.get(field) else { return Ok(None) };
        Ok(Some(match self.exact(cell, field)? {
            Ok(json) => exact_texts(json).ok_or(RecordError::NotExact(field.name()))?,
            Err("") => Vec::new(),
            Err(text) if self.is_exact => {
                text.split(';').map(|text| StoredText::Text(text.to_owned())).collect()
            }
            Err(text) => texts_of(text),
        }))
    }

    fn state(&mut self, field: Field) -> Result<Option<bool>, RecordError> {
        let cell = self.get(field).map(<[u8]>::trim_ascii).filter(|cell| !cell.is_empty());
        let word = cell.map(|cell| str::from_utf8(cell).ok().and_then(yes_or_no));
        word.map(|state| state.ok_or(RecordError::NotBoolean(field.name()))).transpose()
    }

    /// A password is never an odd value. Even in an exact file, an empty cell means "not given".
    fn password(&mut self) -> Result<Option<Password>, RecordError> {
        let cell = self.get(Field::PASSWORD).filter(|cell| !cell.is_empty());
        let password = cell.map(|cell| Password::from_utf8(Zeroizing::new(cell.to_owned())));
        password.transpose().map_err(|_| RecordError::NotUtf8(Field::PASSWORD.name()))
    }
}

/// The texts in a cell, separated by `;`.
pub(super) fn texts_of(cell: &str) -> Vec<StoredText> {
    if cell.trim().is_empty() {
        return Vec::new();
    }
    cell.split(';').map(|text| StoredText::Text(text.trim().to_owned())).collect()
}

/// Writes CSV with the usual line breaks, and with quotes only where needed.
pub(super) struct Writer<W: Write> {
    writer: csv::Writer<W>,
    with_hashes: bool,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(output: W, with_hashes: bool) -> io::Result<Self> {
        let mut writer = csv::Writer::from_writer(output);
        writer.write_record(written_fields(with_hashes))?;
        Ok(Self { writer, with_hashes })
    }

    pub(super) fn write(&mut self, row: &Row) -> io::Result<()> {
        for (_, value) in written(row, self.with_hashes) {
            match value {
                UserValue::Text(text) => self.cell(text)?,
                UserValue::Texts(texts) => self.cell_of(texts)?,
                UserValue::State(state) => self.writer.write_field(state.to_string())?,
                UserValue::Method(_) | UserValue::Time(_) => self.writer.write_field("")?,
            }
        }
        Ok(self.writer.write_record(None::<&[u8]>)?)
    }

    fn cell(&mut self, text: &StoredText) -> io::Result<()> {
        match text {
            StoredText::Text(text) if is_plain(text) => Ok(self.writer.write_field(text)?),
            odd => self.json(&to_json(odd)),
        }
    }

    fn cell_of(&mut self, texts: &[StoredText]) -> io::Result<()> {
        let plain = |text: &StoredText| match text {
            StoredText::Text(text) if is_plain(text) && !text.is_empty() && !text.contains(';') => {
                Some(text.clone())
            }
            _ => None,
        };
        match texts.iter().map(plain).collect::<Option<Vec<_>>>() {
            Some(plain) => Ok(self.writer.write_field(plain.join(";"))?),
            None => self.json(&texts.iter().map(to_json).collect()),
        }
    }

    fn json(&mut self, value: &Value) -> io::Result<()> {
        let mut cell = EXACT.to_string().into_bytes();
        write_json(&mut cell, value)?;
        Ok(self.writer.write_field(cell)?)
    }

    pub(super) fn finish(self) -> io::Result<W> {
        self.writer.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

/// Whether a cell can contain the text unchanged.
fn is_plain(text: &str) -> bool {
    !text.starts_with(EXACT) && is_safe_to_print(text)
}

#[cfg(test)]
mod tests;
