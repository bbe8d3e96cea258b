//! Comma-separated values.

mod lines;

use std::fmt;
use std::io::{self, BufRead, Read, Write};
use std::str::FromStr;

use csv::{ByteRecord, ReaderBuilder};
use zeroize::Zeroizing;

use self::lines::{Lines, first_line, lines_in};
use super::columns::{Rules, Table};
use super::json::{exact_text, exact_texts, to_json};
use super::{
    BadRecord, Each, FIELDS, Position, Record, RecordError, Secret, WRITTEN, lock_of, yes_or_no,
};
use crate::escape::{is_safe_to_print, write_json};
use crate::password::Password;
use crate::store::{Row, StoredSecret};
use crate::user::StoredText;

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
        each(
            record(&cells, position, &table, rules.is_exact)
                .map_err(|(username, reason)| BadRecord { position, username, reason }),
        );
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

/// The user and the problem of an invalid record.
pub(super) type Bad = (Option<StoredText>, RecordError);

pub(super) fn record(
    cells: &ByteRecord,
    position: Position,
    table: &Table,
    is_exact: bool,
) -> Result<Record, Bad> {
    let Table { columns, ref unnamed, width: expected } = *table;
    if cells.len() != expected {
        return Err((None, RecordError::CellCount { expected, found: cells.len() }));
    }
    if unnamed.iter().any(|column| cells.get(*column).is_some_and(|cell| !cell.is_empty())) {
        return Err((None, RecordError::UnnamedField));
    }
    // An empty cell means "not given", unless the file is exact.
    let cell = |field: usize| {
        let cell = columns[field].and_then(|column| cells.get(column));
        cell.filter(|cell| is_exact || !cell.is_empty())
    };
    let text =
        |field: usize| cell(field).map(|cell| text(cell, FIELDS[field], is_exact)).transpose();
    let no_one = |reason| (None, reason);
    let username = text(0).map_err(no_one)?.ok_or(no_one(RecordError::NoUsername))?;
    let fields = || {
        // A password is never an odd value. Even in an exact file, an empty cell means "not given".
        let password = cell(1).filter(|cell| !cell.is_empty()).map(password).transpose()?;
        let hash = text(2)?.filter(|_| !is_exact || password.is_none() || cell(2) != Some(b""));
        let secret = match (password, hash) {
            (Some(_), Some(_)) => return Err(RecordError::TwoSecrets),
            (Some(password), None) => Some(Secret::Password(password)),
            (None, hash) => hash.map(|hash| Secret::Hash(StoredSecret::from(hash))),
        };
        let groups = columns[4].and_then(|column| cells.get(column));
        let groups = groups.map(|cell| groups_in(cell, is_exact)).transpose()?;
        let state = |field: usize| {
            let cell = cell(field).map(<[u8]>::trim_ascii).filter(|cell| !cell.is_empty());
            let word = cell.map(|cell| str::from_utf8(cell).ok().and_then(yes_or_no));
            word.map(|state| state.ok_or(RecordError::NotBoolean(FIELDS[field]))).transpose()
        };
        let language = text(3)?.map(|language| match language {
            StoredText::Text(language) if !is_exact => StoredText::Text(language.trim().to_owned()),
            language => language,
        });
        Ok((secret, language, groups, lock_of(state(5)?, state(6)?)?))
    };
    match fields() {
        Ok((secret, language, groups, locked)) => {
            Ok(Record { position, username, secret, language, groups, locked })
        }
        Err(reason) => Err((Some(username), reason)),
    }
}

fn password(cell: &[u8]) -> Result<Password, RecordError> {
    Password::from_utf8(Zeroizing::new(cell.to_owned()))
        .map_err(|_| RecordError::NotUtf8(FIELDS[1]))
}

fn text(cell: &[u8], field: &'static str, is_exact: bool) -> Result<StoredText, RecordError> {
    let text = str::from_utf8(cell).map_err(|_| RecordError::NotUtf8(field))?;
    match text.strip_prefix(EXACT) {
        Some(json) if is_exact => {
            let value = serde_json::from_str(json).ok();
            value.and_then(exact_text).ok_or(RecordError::NotExact(field))
        }
        _ => Ok(StoredText::Text(text.to_owned())),
    }
}

fn groups_in(cell: &[u8], is_exact: bool) -> Result<Vec<StoredText>, RecordError> {
    let text = str::from_utf8(cell).map_err(|_| RecordError::NotUtf8(FIELDS[4]))?;
    match text.strip_prefix(EXACT) {
        Some(json) if is_exact => {
            let value = serde_json::from_str(json).ok();
            value.and_then(exact_texts).ok_or(RecordError::NotExact(FIELDS[4]))
        }
        _ if text.is_empty() => Ok(Vec::new()),
        _ if is_exact => {
            Ok(text.split(';').map(|group| StoredText::Text(group.to_owned())).collect())
        }
        _ => Ok(groups_of(text)),
    }
}

/// The groups in a text, separated by `;`.
pub(super) fn groups_of(text: &str) -> Vec<StoredText> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    text.split(';').map(|group| StoredText::Text(group.trim().to_owned())).collect()
}

/// Writes CSV with the usual line breaks, and with quotes only where needed.
pub(super) struct Writer<W: Write> {
    writer: csv::Writer<W>,
    with_hashes: bool,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(output: W, with_hashes: bool) -> io::Result<Self> {
        let mut writer = csv::Writer::from_writer(output);
        writer.write_record(WRITTEN.iter().filter(|field| with_hashes || **field != FIELDS[2]))?;
        Ok(Self { writer, with_hashes })
    }

    pub(super) fn write(&mut self, row: &Row) -> io::Result<()> {
        self.cell(&row.username)?;
        if self.with_hashes {
            self.cell(row.secret.expose())?;
        }
        self.cell(&row.language)?;
        self.groups(&row.groups)?;
        self.writer.write_field(if row.secret.is_locked() { "true" } else { "false" })?;
        Ok(self.writer.write_record(None::<&[u8]>)?)
    }

    fn cell(&mut self, text: &StoredText) -> io::Result<()> {
        match text {
            StoredText::Text(text) if is_plain(text) => Ok(self.writer.write_field(text)?),
            odd => self.json(&to_json(odd)),
        }
    }

    fn groups(&mut self, groups: &[StoredText]) -> io::Result<()> {
        let mut cell = String::new();
        for group in groups {
            match group {
                StoredText::Text(group)
                    if is_plain(group) && !group.is_empty() && !group.contains(';') =>
                {
                    if !cell.is_empty() {
                        cell.push(';');
                    }
                    cell.push_str(group);
                }
                _ => return self.json(&groups.iter().map(to_json).collect()),
            }
        }
        Ok(self.writer.write_field(cell)?)
    }

    fn json(&mut self, value: &serde_json::Value) -> io::Result<()> {
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
