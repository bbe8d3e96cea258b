//! Files of users: what `import` reads and `export` writes, streaming, in three formats.
//!
//! | field | CSV | JSON |
//! |---|---|---|
//! | `username` | text | text |
//! | `password` | text: a clear password | text |
//! | `password_hash` | text: a value of the column of that name | text |
//! | `language` | text | text |
//! | `groups` | texts, joined by `;` | an array of texts |
//! | `locked`, or its opposite `active` | `true` or `false`, `1` or `0`, `yes` or `no` | the same, or a boolean |
//!
//! CSV is that of RFC 4180 with a first line that names the columns, in any order; an empty cell is
//! a field that is not there, but under `groups`, where it is none of them. A row of delimiters alone
//! is skipped, unless the file is exact. JSON is one array of objects, alone or in an object as its only
//! value (`{"users": […]}`); or one object whose keys are names and whose values are passwords or
//! hashes, or objects of the other fields. JSON Lines have an object a line. All are UTF-8, with or
//! without a byte-order mark.
//!
//! A record takes at most [`MAX_RECORD_BYTES`]: one that does not end fills no memory.
//!
//! # Odd values
//!
//! A database may hold what is no text. JSON that is [exact](Reader::exact) has `null` for NULL,
//! `{"blob": "00ff"}` for a BLOB and `{"text": "ff"}` for text that is no UTF-8, in hexadecimal
//! digits. In CSV that is exact a cell with a backslash at its start is JSON after it: `\null`,
//! `\{"blob": "00ff"}`, `\"\\…"` for text with a backslash at its start, and `\["a;b"]` for groups
//! which `;` cannot join. There an empty cell is empty text.

mod csv;
mod json;

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use zeroize::Zeroizing;

use crate::group::GroupError;
use crate::hash::HashError;
use crate::language::LanguageError;
use crate::password::Password;
use crate::policy;
use crate::store::{Row, StoredSecret};
use crate::user::StoredText;
use crate::username::UsernameError;

/// The names of all fields.
pub const FIELDS: [&str; 7] =
    ["username", "password", "password_hash", "language", "groups", "locked", "active"];

/// Those of a file that is written.
const WRITTEN: [&str; 5] = ["username", "password_hash", "language", "groups", "locked"];

/// The most bytes of a file that one record may take, what is before it included: 64 MiB. A name of
/// 10 MB fits, whatever its characters are escaped to.
pub const MAX_RECORD_BYTES: usize = 64 << 20;

/// What many programs write before UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A format of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values, with a header.
    Csv,
    /// One JSON document.
    Json,
    /// One JSON document a line.
    JsonLines,
}

impl Format {
    /// The format that the ending of a file's name tells: `csv`, `json`, `jsonl` or `ndjson`.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            _ => None,
        }
    }
}

/// Where in a file something stands; the first line or item is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Position {
    /// A line. Of a record of several lines, the first.
    Line(u64),
    /// An item of a JSON document.
    Item(u64),
}

impl Position {
    fn next(self) -> Self {
        match self {
            Self::Line(line) => Self::Line(line + 1),
            Self::Item(item) => Self::Item(item + 1),
        }
    }

    fn named(self) -> String {
        match self {
            Self::Line(line) => format!("line {line}"),
            Self::Item(item) => format!("item {item}"),
        }
    }

    fn number(self) -> u64 {
        match self {
            Self::Line(number) | Self::Item(number) => number,
        }
    }
}

/// The number alone.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

/// A user as a file has it, not judged yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where in the file it is.
    pub position: Position,
    /// The name.
    pub username: StoredText,
    /// The password or hash.
    pub secret: Option<Secret>,
    /// The language.
    pub language: Option<StoredText>,
    /// The groups.
    pub groups: Option<Vec<StoredText>>,
    /// Whether the user is to be locked; none if the file does not say.
    pub locked: Option<bool>,
}

/// Whether a user is to be locked, by what a file has under `locked` and under `active`.
fn lock_of(locked: Option<bool>, active: Option<bool>) -> Result<Option<bool>, RecordError> {
    match (locked, active) {
        (Some(_), Some(_)) => Err(RecordError::TwoStates),
        (locked, active) => Ok(locked.or(active.map(|active| !active))),
    }
}

/// A word that means yes or no; none if it means neither.
fn yes_or_no(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" | "1.0" => Some(true),
        "false" | "f" | "no" | "n" | "off" | "0" | "0.0" => Some(false),
        _ => None,
    }
}

/// What a record has for a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    /// A clear password.
    Password(Password),
    /// A value of the column `password_hash`.
    Hash(StoredSecret),
    /// One of the two: a value of a JSON object whose keys are names.
    Either(Password),
}

/// A record that cannot be taken. `Display` names the user, and shows no password and no part of a
/// hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRecord {
    /// Where in the file it is.
    pub position: Position,
    /// Whom it is about, if that is known.
    pub username: Option<StoredText>,
    /// What is wrong.
    pub reason: RecordError,
}

impl fmt::Display for BadRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.username {
            Some(StoredText::Text(name)) if name.len() > crate::Username::MAX_BYTES => {}
            Some(name) => write!(f, "user '{name}': ")?,
            None => {}
        }
        self.reason.fmt(f)
    }
}

/// Why a record cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it")]
pub enum RecordError {
    #[error("no `username` column in the header row")]
    NoHeader,
    #[error(
        "unknown field '{0}': use username, password, password_hash, language, groups, locked or \
        active"
    )]
    UnknownField(StoredText),
    #[error("a column has no name")]
    UnnamedField,
    #[error("duplicate field '{0}'")]
    RepeatedField(&'static str),
    #[error("the number of cells is {found}, but the header has {expected}")]
    CellCount { expected: usize, found: usize },
    #[error("{0}")]
    NotJson(String),
    #[error("no record ends within 64 MiB from here; the rest of the file was not read")]
    Endless,
    #[error("not a JSON object")]
    NotAnObject,
    #[error("the document must be an array of records or an object of usernames and passwords")]
    NotRecords,
    #[error("an array of records must be the only value in its object")]
    NotAlone,
    #[error(
        "this looks like a single record, not an object of usernames and passwords: put it in an \
        array"
    )]
    LoneRecord,
    #[error("field '{0}' is not UTF-8")]
    NotUtf8(&'static str),
    #[error("field '{0}' is not text")]
    NotText(&'static str),
    #[error("field 'groups' is not an array of strings")]
    NotTexts,
    #[error("field '{0}' begins with a backslash that no JSON follows")]
    NotExact(&'static str),
    #[error("no username")]
    NoUsername,
    #[error("both password and password_hash are given")]
    TwoSecrets,
    #[error("no password or password_hash")]
    NoSecret,
    #[error("both locked and active are given")]
    TwoStates,
    #[error("field '{0}' must be true or false")]
    NotBoolean(&'static str),
    #[error("the {0} is empty or a placeholder such as None")]
    NoPassword(&'static str),
    #[error("the password is {0}, which is not accepted as a password")]
    HashNotPassword(String),
    #[error("cannot use the password_hash: it is {0}")]
    OtherHash(String),
    #[error("duplicate user: also in {}", .0.named())]
    Repeated(Position),
    #[error("the username differs only by case from the one in {}", .0.named())]
    RepeatedByCase(Position),
    #[error(transparent)]
    Username(#[from] UsernameError),
    #[error(transparent)]
    Language(#[from] LanguageError),
    #[error(transparent)]
    Group(#[from] GroupError),
    #[error("cannot use the password_hash: {0}")]
    Hash(HashError),
    #[error("the value looks like a hash but is not valid; it is not accepted as a password")]
    HashLike,
    #[error(transparent)]
    Password(#[from] policy::Violation),
    #[error("the user already exists")]
    Exists,
    #[error("user '{0}' already exists and differs only by case")]
    Similar(StoredText),
}

/// What a file holds, a record at a time.
type Each<'a> = &'a mut dyn FnMut(Result<Record, BadRecord>);

/// Reads files.
#[derive(Debug, Clone, Copy)]
pub struct Reader {
    format: Format,
    is_exact: bool,
    is_guess: bool,
    /// Of a record; [`MAX_RECORD_BYTES`] except in tests.
    max_bytes: usize,
}

impl Reader {
    /// Reads files of this format.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self { format, is_exact: false, is_guess: false, max_bytes: MAX_RECORD_BYTES }
    }

    /// Takes the format for a guess by the file's name: JSON may be JSON Lines then, as many programs
    /// call them `.json`.
    #[must_use]
    pub fn guessed(self, is_guess: bool) -> Self {
        Self { is_guess, ..self }
    }

    /// Takes [odd values](self#odd-values) for what they mean.
    #[must_use]
    pub fn exact(self, is_exact: bool) -> Self {
        Self { is_exact, ..self }
    }

    #[cfg(test)]
    fn max_bytes(self, max_bytes: usize) -> Self {
        Self { max_bytes, ..self }
    }

    /// Hands every record to `each`, those that are none with the reason; it reads on behind them
    /// where it can. The answer is the format that was read.
    ///
    /// # Errors
    ///
    /// What reading `input` fails with.
    pub fn read(
        &self,
        input: impl Read,
        each: &mut dyn FnMut(Result<Record, BadRecord>),
    ) -> io::Result<Format> {
        let taken = Cell::new(0);
        let input = Bounded { input, taken: &taken, max_bytes: self.max_bytes };
        let mut next = match self.format {
            Format::Csv | Format::JsonLines => Position::Line(1),
            Format::Json => Position::Item(1),
        };
        let read = self.read_all(input, &mut |record| {
            taken.set(0);
            next = match &record {
                Ok(Record { position, .. }) | Err(BadRecord { position, .. }) => position.next(),
            };
            each(record);
        });
        if taken.get() > self.max_bytes {
            each(Err(BadRecord { position: next, username: None, reason: RecordError::Endless }));
            return Ok(self.format);
        }
        read
    }

    fn read_all(self, input: impl Read, each: Each<'_>) -> io::Result<Format> {
        let mut input = BufReader::with_capacity(1 << 16, input);
        // A pipe may hand out less than that at once.
        let mut start = Vec::new();
        input.by_ref().take(BYTE_ORDER_MARK.len() as u64).read_to_end(&mut start)?;
        if start == BYTE_ORDER_MARK {
            start.clear();
        }
        let mut input = start.chain(input);
        let mut first_lines = Zeroizing::new(Vec::new());
        let format = match self.format {
            Format::Json if self.is_guess && json::are_lines(&mut input, &mut first_lines)? => {
                Format::JsonLines
            }
            format => format,
        };
        let input = first_lines.chain(input);
        match format {
            Format::Csv => csv::read(input, self.is_exact, each),
            Format::Json => json::read(input, self.is_exact, each),
            Format::JsonLines => json::read_lines(input, self.is_exact, each),
        }?;
        Ok(format)
    }
}

/// A file of which no more is read, since the last record, than one may take.
struct Bounded<'a, R> {
    input: R,
    /// How many bytes were read since the last record.
    taken: &'a Cell<usize>,
    max_bytes: usize,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.taken.set(self.taken.get() + count);
        if self.taken.get() > self.max_bytes {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(count)
    }
}

/// Writes users to a file in a format that a [`Reader`] which is [exact](Reader::exact) reads back
/// unchanged.
pub struct Writer<W: Write>(Inner<W>);

enum Inner<W: Write> {
    Csv(Box<csv::Writer<W>>),
    Json(json::Writer<W>),
}

impl<W: Write> Writer<W> {
    /// Writes to `output`, with the hashes or without them.
    ///
    /// # Errors
    ///
    /// What writing fails with, also in the other functions.
    pub fn new(output: W, format: Format, with_hashes: bool) -> io::Result<Self> {
        Ok(Self(match format {
            Format::Csv => Inner::Csv(Box::new(csv::Writer::new(output, with_hashes)?)),
            Format::Json | Format::JsonLines => {
                Inner::Json(json::Writer::new(output, format == Format::Json, with_hashes))
            }
        }))
    }

    /// Writes a user.
    #[expect(clippy::missing_errors_doc, reason = "see new")]
    pub fn write(&mut self, row: &Row) -> io::Result<()> {
        match &mut self.0 {
            Inner::Csv(writer) => writer.write(row),
            Inner::Json(writer) => writer.write(row),
        }
    }

    /// Writes the end.
    #[expect(clippy::missing_errors_doc, reason = "see new")]
    pub fn finish(self) -> io::Result<W> {
        match self.0 {
            Inner::Csv(writer) => writer.finish(),
            Inner::Json(writer) => writer.finish(),
        }
    }
}

#[cfg(test)]
mod tests;
