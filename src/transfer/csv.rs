//! Comma-separated values.

use std::io::{self, Read, Write};

use csv::{ByteRecord, ReaderBuilder};
use zeroize::Zeroizing;

use super::json::{exact_text, exact_texts, to_json};
use super::{BadRecord, Each, FIELDS, Position, Record, RecordError, Secret};
use crate::escape::{is_unsafe_to_print, write_json};
use crate::password::Password;
use crate::store::{Row, StoredSecret};
use crate::user::StoredText;

/// What a cell begins with whose rest is JSON.
const EXACT: char = '\\';

pub(super) fn read(input: impl Read, is_exact: bool, each: Each<'_>) -> io::Result<()> {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(input);
    let mut cells = ByteRecord::new();
    let bad = |cells: &ByteRecord, reason| BadRecord {
        position: Position::Line(cells.position().map_or(0, csv::Position::line)),
        username: None,
        reason,
    };
    let columns = if reader.read_byte_record(&mut cells)? {
        match columns(&cells) {
            Ok(columns) => columns,
            Err(reason) => {
                each(Err(bad(&cells, reason)));
                return Ok(());
            }
        }
    } else {
        return Ok(());
    };
    while reader.read_byte_record(&mut cells)? {
        each(
            record(&cells, &columns, is_exact)
                .map_err(|(username, reason)| BadRecord { username, ..bad(&cells, reason) }),
        );
    }
    Ok(())
}

/// Which column has each of [`FIELDS`].
fn columns(header: &ByteRecord) -> Result<[Option<usize>; FIELDS.len()], RecordError> {
    let name = |cell: &[u8]| String::from_utf8_lossy(cell.trim_ascii()).into_owned();
    if !header.iter().any(|cell| name(cell) == FIELDS[0]) {
        // Not shown: without a header the first line is a user, perhaps with a clear password.
        return Err(RecordError::NoHeader);
    }
    let mut columns = [None; FIELDS.len()];
    for (column, cell) in header.iter().enumerate() {
        let name = name(cell);
        let Some(field) = FIELDS.iter().position(|field| **field == name) else {
            return Err(RecordError::UnknownField(StoredText::Text(name)));
        };
        if columns[field].replace(column).is_some() {
            return Err(RecordError::RepeatedField(FIELDS[field]));
        }
    }
    Ok(columns)
}

/// What is wrong with a record, and whose it is.
type Bad = (Option<StoredText>, RecordError);

fn record(
    cells: &ByteRecord,
    columns: &[Option<usize>; FIELDS.len()],
    is_exact: bool,
) -> Result<Record, Bad> {
    let expected = columns.iter().flatten().count();
    if cells.len() != expected {
        return Err((None, RecordError::CellCount { expected, found: cells.len() }));
    }
    // An empty cell is no value, where none is a value of its own.
    let cell = |field: usize| {
        let cell = columns[field].and_then(|column| cells.get(column));
        cell.filter(|cell| is_exact || !cell.is_empty())
    };
    let text =
        |field: usize| cell(field).map(|cell| text(cell, FIELDS[field], is_exact)).transpose();
    let no_one = |reason| (None, reason);
    let username = text(0).map_err(no_one)?.ok_or(no_one(RecordError::NoUsername))?;
    let fields = || {
        // A password is never odd; that of a file which is exact may be empty all the same.
        let password = cell(1).filter(|cell| !cell.is_empty()).map(password).transpose()?;
        let hash = text(2)?.filter(|_| !is_exact || password.is_none() || cell(2) != Some(b""));
        let secret = match (password, hash) {
            (Some(_), Some(_)) => return Err(RecordError::TwoSecrets),
            (Some(password), None) => Some(Secret::Password(password)),
            (None, hash) => hash.map(|hash| Secret::Hash(StoredSecret::from(hash))),
        };
        let groups = columns[4].and_then(|column| cells.get(column));
        let groups = groups.map(|cell| groups_of(cell, is_exact)).transpose()?;
        Ok((secret, text(3)?, groups))
    };
    let position = Position::Line(cells.position().map_or(0, csv::Position::line));
    match fields() {
        Ok((secret, language, groups)) => {
            Ok(Record { position, username, secret, language, groups })
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

fn groups_of(cell: &[u8], is_exact: bool) -> Result<Vec<StoredText>, RecordError> {
    let text = str::from_utf8(cell).map_err(|_| RecordError::NotUtf8(FIELDS[4]))?;
    match text.strip_prefix(EXACT) {
        Some(json) if is_exact => {
            let value = serde_json::from_str(json).ok();
            value.and_then(exact_texts).ok_or(RecordError::NotExact(FIELDS[4]))
        }
        _ if text.is_empty() => Ok(Vec::new()),
        _ => {
            let trim = |group| if is_exact { group } else { str::trim(group) };
            Ok(text.split(';').map(|group| StoredText::Text(trim(group).to_owned())).collect())
        }
    }
}

/// Writes CSV with line ends as most programs write them, and quotes where they are needed.
pub(super) struct Writer<W: Write> {
    writer: csv::Writer<W>,
    with_hashes: bool,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(output: W, with_hashes: bool) -> io::Result<Self> {
        let mut writer = csv::Writer::from_writer(output);
        let fields = FIELDS[2..].iter().filter(|field| with_hashes || **field != FIELDS[2]);
        writer.write_record([FIELDS[0]].iter().chain(fields))?;
        Ok(Self { writer, with_hashes })
    }

    pub(super) fn write(&mut self, row: &Row) -> io::Result<()> {
        self.cell(&row.username)?;
        if self.with_hashes {
            self.cell(row.secret.expose())?;
        }
        self.cell(&row.language)?;
        self.groups(&row.groups)?;
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

/// Whether a cell may hold the text as it is.
fn is_plain(text: &str) -> bool {
    !text.starts_with(EXACT) && !text.chars().any(is_unsafe_to_print)
}

#[cfg(test)]
mod tests {
    use super::super::{Format, Reader};

    #[test]
    fn probe() {
        for text in [
            "username\na\nb\n",
            "username\r\na\r\nb\r\n",
            "username\n\n\na\n\nb\n",
            "username\r\n\r\na\r\n",
            "\n\nusername\na",
            "username,password\n\"a\nb\",x\nc,d\n",
            "username,password\r\n\"a\r\nb\",x\r\nc,d\r\n",
            "username\ra\rb\r",
        ] {
            let mut at = Vec::new();
            Reader::new(Format::Csv)
                .read(text.as_bytes(), &mut |r| {
                    at.push(match r {
                        Ok(r) => format!("{} {}", r.position, r.username),
                        Err(e) => format!("{} {}", e.position, e),
                    })
                })
                .unwrap();
            println!("{text:?}: {at:?}");
        }
    }
}
