//! The three formats of users files that `import` reads and `export` writes, streaming.
//!
//! | field | CSV | JSON |
//! |---|---|---|
//! | `username` | text | text |
//! | `password` | text: a plaintext password | text |
//! | `password_hash` | text: a value of the column of that name | text |
//! | `language` | text | text |
//! | `groups` | names joined by `;` | an array of strings |
//! | `locked`, or its opposite `active` | `true` or `false`, `1` or `0`, `yes` or `no` | the same, or a boolean |
//!
//! CSV files follow RFC 4180 and need a header row, with columns in any order. An empty cell means
//! "not given", except in `groups`, where it means "no groups". A row of delimiters only is
//! skipped, unless the file is exact. A JSON file is an array of objects, alone or as the only
//! value of an object (`{"users": […]}`). It can also be an object whose keys are usernames and
//! whose values are passwords, hashes, or objects of the other fields. JSON Lines files have one
//! object per line. All are UTF-8, with or without a byte order mark.
//!
//! A record is limited to [`MAX_RECORD_BYTES`], so one that does not end cannot fill the memory.
//!
//! # Odd values
//!
//! A database may contain values that are not text. In [exact](Reader::exact) JSON, `null` means
//! NULL, `{"blob": "00ff"}` a BLOB, and `{"text": "ff"}` text that is not UTF-8, both in
//! hexadecimal digits. In exact CSV, a leading backslash in a cell means that JSON follows:
//! `\null`, `\{"blob": "00ff"}`, `\"\\…"` for text with a leading backslash, and `\["a;b"]` for
//! groups that `;` cannot join. An empty cell means empty text.

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

/// The fields of an exported file.
const WRITTEN: [&str; 5] = ["username", "password_hash", "language", "groups", "locked"];

/// The maximum size of a record in bytes, including whitespace before it: 64 MiB. A 10 MB name
/// fits, however its characters are escaped.
pub const MAX_RECORD_BYTES: usize = 64 << 20;

/// The mark that many programs write at the start of UTF-8 files.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header row.
    Csv,
    /// One JSON document.
    Json,
    /// One JSON document per line.
    JsonLines,
}

impl Format {
    /// The format for a file name extension: `csv`, `json`, `jsonl` or `ndjson`.
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

/// A position in a file. The first line or item is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Position {
    /// A line; for a record of several lines, the first.
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

/// Displays only the number.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

/// A user from a file, not yet validated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The position in the file.
    pub position: Position,
    /// The username.
    pub username: StoredText,
    /// The password or hash.
    pub secret: Option<Secret>,
    /// The language.
    pub language: Option<StoredText>,
    /// The groups.
    pub groups: Option<Vec<StoredText>>,
    /// Whether to lock the user; `None` if not given.
    pub locked: Option<bool>,
}

/// Whether to lock a user, from the fields `locked` and `active`.
fn lock_of(locked: Option<bool>, active: Option<bool>) -> Result<Option<bool>, RecordError> {
    match (locked, active) {
        (Some(_), Some(_)) => Err(RecordError::TwoStates),
        (locked, active) => Ok(locked.or(active.map(|active| !active))),
    }
}

/// Parses a word for yes or no; `None` for any other.
fn yes_or_no(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" | "1.0" => Some(true),
        "false" | "f" | "no" | "n" | "off" | "0" | "0.0" => Some(false),
        _ => None,
    }
}

/// The password of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    /// A plaintext password.
    Password(Password),
    /// A value for the column `password_hash`.
    Hash(StoredSecret),
    /// Either: a value of a JSON object whose keys are usernames.
    Either(Password),
}

/// An invalid record. `Display` names the user, and shows no password and no part of a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRecord {
    /// The position in the file.
    pub position: Position,
    /// The user, if known.
    pub username: Option<StoredText>,
    /// The problem.
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

/// Why a record is invalid.
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
    #[error("no password_hash; a user called NULL cannot log in with a password")]
    UnnamedWithoutHash,
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

/// Called with each record of a file.
type Each<'a> = &'a mut dyn FnMut(Result<Record, BadRecord>);

/// Reads a users file.
#[derive(Debug, Clone, Copy)]
pub struct Reader {
    format: Format,
    is_exact: bool,
    is_guess: bool,
    /// The maximum size of a record: [`MAX_RECORD_BYTES`], except in tests.
    max_bytes: usize,
}

impl Reader {
    /// A reader of this format, not exact and not guessed.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self { format, is_exact: false, is_guess: false, max_bytes: MAX_RECORD_BYTES }
    }

    /// Treats the format as a guess from the file name: JSON may then be JSON Lines, because many
    /// programs name those `.json`.
    #[must_use]
    pub fn guessed(self, is_guess: bool) -> Self {
        Self { is_guess, ..self }
    }

    /// Reads [odd values](self#odd-values), as exported files contain them.
    #[must_use]
    pub fn exact(self, is_exact: bool) -> Self {
        Self { is_exact, ..self }
    }

    #[cfg(test)]
    fn max_bytes(self, max_bytes: usize) -> Self {
        Self { max_bytes, ..self }
    }

    /// Passes every record to `each`, an invalid one as an error, and continues after it where
    /// possible. Returns the format of the file.
    ///
    /// # Errors
    ///
    /// Errors of `input`.
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
        // A pipe may return fewer bytes at once.
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

/// An input that fails when more than `max_bytes` were read since the last record.
struct Bounded<'a, R> {
    input: R,
    /// The number of bytes read since the last record.
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

/// Writes users to a file. An [exact](Reader::exact) [`Reader`] reads it back unchanged.
pub struct Writer<W: Write>(Inner<W>);

enum Inner<W: Write> {
    Csv(Box<csv::Writer<W>>),
    Json(json::Writer<W>),
}

impl<W: Write> Writer<W> {
    /// A writer to `output`, with or without hashes.
    ///
    /// # Errors
    ///
    /// Errors of `output`, as in the other functions.
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

    /// Writes the end of the file.
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
