//! The formats of users files that `import` reads and `export` writes, streaming.
//!
//! | field | CSV | JSON |
//! |---|---|---|
//! | `username` | text | text |
//! | `password` | text: a plaintext password | text |
//! | `password_hash` | text: a value of the column of that name | text |
//! | `groups` | names joined by `;` | an array of strings |
//! | other fields of a [`Profile`] | text | text |
//! | `locked`, or its opposite `active` | `true` or `false`, `1` or `0`, `yes` or `no` | the same, or a boolean |
//!
//! CSV files follow RFC 4180 and need a header row, with columns in any order. An empty cell means
//! "not given", except in `groups`, where it means "no groups". A row of delimiters only is
//! skipped, unless the file is exact. A JSON file is an array of objects, alone or as the only
//! value of an object (`{"users": […]}`). It can also be an object whose keys are usernames and
//! whose values are passwords, hashes, or objects of the other fields. JSON Lines files have one
//! object per line. The first sheet of an Excel workbook is a table too. An htpasswd file gives
//! only names. CSV, JSON, JSON Lines and workbooks can be [matched](Columns) with fields.
//!
//! Text is UTF-8 with or without a byte order mark, UTF-16 with one, or in a given [`Encoding`].
//! The delimiter of CSV is the one that splits the header row into fields, or the one in a line
//! `sep=;` before it.
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

mod columns;
mod csv;
mod htpasswd;
mod json;
mod kind;
mod reader;
mod text;
mod xlsx;

use std::fmt;
use std::io::{self, Write};
use std::path::Path;

pub use self::columns::{Columns, Names, Resembled};
pub use self::csv::{Delimiter, NotADelimiter};
pub use self::kind::FileKind;
pub use self::reader::{ReadAs, Reader};
pub use self::text::{Encoding, UnknownEncoding};
use crate::group::GroupError;
use crate::hash::HashError;
use crate::language::LanguageError;
use crate::password::Password;
use crate::policy;
use crate::store::{Row, StoredSecret};
use crate::user::{PartialProfile, PartialValue, Profile, StoredText, UserValue};
use crate::username::UsernameError;

/// The names of all fields.
pub const FIELDS: [&str; 5 + Profile::FIELDS.len()] = {
    let mut fields = ["username"; 5 + Profile::FIELDS.len()];
    (fields[1], fields[2]) = ("password", "password_hash");
    (fields[Field::LOCKED.0], fields[Field::ACTIVE.0]) = ("locked", "active");
    let mut index = 0;
    while index < Profile::FIELDS.len() {
        fields[Field::PROFILE.0 + index] = Profile::FIELDS[index];
        index += 1;
    }
    fields
};

/// The place of a field in [`FIELDS`]. The first three identify a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Field(usize);

impl Field {
    const USERNAME: Self = Self(0);
    const PASSWORD: Self = Self(1);
    const PASSWORD_HASH: Self = Self(2);
    /// The first of a [`Profile`].
    const PROFILE: Self = Self(3);
    const LOCKED: Self = Self(Self::PROFILE.0 + Profile::FIELDS.len());
    const ACTIVE: Self = Self(Self::LOCKED.0 + 1);

    fn name(self) -> &'static str {
        FIELDS[self.0]
    }
}

/// The names of the fields in an exported file, with or without the hash.
fn written_fields(with_hashes: bool) -> impl Iterator<Item = &'static str> {
    FIELDS.into_iter().filter(move |name| match *name {
        "password" | "active" => false,
        "password_hash" => with_hashes,
        _ => true,
    })
}

/// The same fields with their values, which are texts and states.
fn written(row: &Row, with_hashes: bool) -> impl Iterator<Item = (&'static str, UserValue<'_>)> {
    let Row { username, secret, profile, created_at: _, password_changed_at: _ } = row;
    let hash = with_hashes.then(|| UserValue::Text(secret.expose()));
    let first = [UserValue::Text(username)].into_iter().chain(hash);
    let last = [UserValue::State(secret.is_locked())];
    written_fields(with_hashes).zip(first.chain(profile.values()).chain(last))
}

/// The maximum size of a record in bytes, including whitespace before it: 64 MiB. A 10 MB name
/// fits, however its characters are escaped.
pub const MAX_RECORD_BYTES: usize = 64 << 20;

/// A file format that can be written.
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

/// A file format that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputFormat {
    /// A table of text with a header row, and any [`Delimiter`].
    Csv,
    /// One JSON document.
    Json,
    /// One JSON document per line.
    JsonLines,
    /// An Excel workbook, whose first visible sheet has a header row.
    Xlsx,
    /// Names and hashes of `htpasswd`. Only the names are read: werkzeug knows none of the hashes.
    Htpasswd,
}

impl InputFormat {
    /// The format for a file name: `csv`, `tsv` and `txt`, `json`, `jsonl` and `ndjson`, `xlsx` and
    /// `xlsm`, `htpasswd`.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let extension = name.rsplit_once('.').map_or(&*name, |(_, extension)| extension);
        match extension {
            _ if Format::of_path(path).is_some() => Format::of_path(path).map(Self::from),
            "htpasswd" => Some(Self::Htpasswd),
            _ if extension == name => None,
            "tsv" | "txt" => Some(Self::Csv),
            "xlsx" | "xlsm" => Some(Self::Xlsx),
            _ => None,
        }
    }
}

impl From<Format> for InputFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Csv => Self::Csv,
            Format::Json => Self::Json,
            Format::JsonLines => Self::JsonLines,
        }
    }
}

impl fmt::Display for InputFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Csv => "CSV",
            Self::Json => "JSON",
            Self::JsonLines => "JSON Lines",
            Self::Xlsx => "an .xlsx workbook",
            Self::Htpasswd => "an htpasswd file",
        })
    }
}

/// A position in a file. The first line, row or item is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Position {
    /// A line; for a record of several lines, the first.
    Line(u64),
    /// A row of a sheet.
    Row(u64),
    /// An item of a JSON document.
    Item(u64),
}

impl Position {
    /// What it numbers, and the number.
    fn parts(self) -> (&'static str, fn(u64) -> Self, u64) {
        match self {
            Self::Line(line) => ("line", Self::Line, line),
            Self::Row(row) => ("row", Self::Row, row),
            Self::Item(item) => ("item", Self::Item, item),
        }
    }

    fn next(self) -> Self {
        let (_, of, number) = self.parts();
        of(number + 1)
    }

    fn named(self) -> String {
        let (name, _, number) = self.parts();
        format!("{name} {number}")
    }

    fn number(self) -> u64 {
        self.parts().2
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
    /// The other fields.
    pub profile: PartialProfile,
    /// Whether to lock the user; `None` if not given.
    pub locked: Option<bool>,
}

/// The fields of a record in one format. A field that is not given is `None`.
trait Source {
    /// The `password_hash` that is not given either, if there is a password.
    const NO_HASH: StoredText;

    fn text(&mut self, field: Field) -> Result<Option<StoredText>, RecordError>;

    fn texts(&mut self, field: Field) -> Result<Option<Vec<StoredText>>, RecordError>;

    fn state(&mut self, field: Field) -> Result<Option<bool>, RecordError>;

    fn password(&mut self) -> Result<Option<Password>, RecordError>;
}

impl Record {
    fn read<S: Source>(mut source: S, position: Position) -> Result<Self, BadRecord> {
        let bad = |username, reason| BadRecord { position, username, reason };
        let username = source.text(Field::USERNAME).map_err(|reason| bad(None, reason))?;
        let username = username.ok_or_else(|| bad(None, RecordError::NoUsername))?;
        let mut rest = || {
            let secret = match (source.password()?, source.text(Field::PASSWORD_HASH)?) {
                (Some(_), Some(hash)) if hash != S::NO_HASH => return Err(RecordError::TwoSecrets),
                (Some(password), _) => Some(Secret::Password(password)),
                (None, hash) => hash.map(|hash| Secret::Hash(StoredSecret::from(hash))),
            };
            let mut profile = PartialProfile::default();
            for (index, value) in profile.values_mut().into_iter().enumerate() {
                let field = Field(Field::PROFILE.0 + index);
                match value {
                    PartialValue::Text(text) => *text = source.text(field)?,
                    PartialValue::Texts(texts) => *texts = source.texts(field)?,
                }
            }
            let locked = match (source.state(Field::LOCKED)?, source.state(Field::ACTIVE)?) {
                (Some(_), Some(_)) => return Err(RecordError::TwoStates),
                (locked, active) => locked.or(active.map(|active| !active)),
            };
            Ok((secret, profile, locked))
        };
        match rest() {
            Ok((secret, profile, locked)) => {
                Ok(Self { position, username, secret, profile, locked })
            }
            Err(reason) => Err(bad(Some(username), reason)),
        }
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
            // The rest may be a password or a hash, if the line was not split into cells.
            Some(StoredText::Text(name))
                if matches!(self.reason, RecordError::Username(_) | RecordError::NoSecret)
                    && name.contains(BETWEEN_CELLS) =>
            {
                let start = name.split(BETWEEN_CELLS).next().unwrap_or_default().to_owned();
                write!(f, "user '{}…': ", StoredText::Text(start))?;
            }
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
    #[error("the file is empty")]
    EmptyFile,
    #[error("the file is {found}, not {expected}")]
    OtherKind { found: FileKind, expected: InputFormat },
    #[error("the text is UTF-16 without a byte order mark")]
    UnmarkedUtf16(&'static str),
    #[error("the text is not {0}")]
    NotEncoded(Encoding),
    #[error("no `username` column in the header row{}", has(.headers))]
    NoHeader { headers: Names },
    #[error("no column '{header}' in the header row{}", has(.headers))]
    NoColumn { header: StoredText, headers: Names },
    #[error("no record has a field '{0}'")]
    NoKey(StoredText),
    #[error("the header row is not UTF-8")]
    HeaderNotUtf8,
    #[error("unknown field{}: use {}", listed(.0), fields())]
    UnknownFields(Names),
    #[error("a cell is in a column without a name")]
    UnnamedField,
    #[error("a quote that opens here is never closed")]
    UnclosedQuote,
    #[error("text after a closing quote")]
    TextAfterQuote,
    #[error("whitespace before an opening quote")]
    TextBeforeQuote,
    #[error("not a line of an htpasswd file")]
    NotHtpasswd,
    #[error("cannot read the workbook: {0}")]
    BadWorkbook(&'static str),
    #[error("the workbook is larger than 64 MiB, or than 128 MiB unpacked")]
    LargeWorkbook,
    #[error("cell {cell} ({field}) is {kind}, not text")]
    NotTextCell { cell: String, field: &'static str, kind: &'static str },
    #[error("{0} has more than 32,767 characters")]
    LongCell(String),
    #[error("cell {0} is in a column without a name")]
    CellWithoutHeader(String),
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
    #[error("field '{0}' is not an array of strings")]
    NotTexts(&'static str),
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

/// The headers that the row has, if they may be shown.
fn has(headers: &Names) -> String {
    if headers.0.is_empty() { String::new() } else { format!("; it has {headers}") }
}

fn fields() -> String {
    let [fields @ .., last] = FIELDS;
    format!("{} or {last}", fields.join(", "))
}

/// The end of a word and the names, if they may be shown.
fn listed(names: &Names) -> String {
    match names.0.len() {
        0 => "s".to_owned(),
        1 => format!(" {names}"),
        _ => format!("s {names}"),
    }
}

/// Characters between a name and a password.
const BETWEEN_CELLS: [char; 4] = [':', ';', '\t', '|'];

/// Called with each record of a file.
type Each<'a> = &'a mut dyn FnMut(Result<Record, BadRecord>);

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
