//! Reading a file: what it is, its encoding, and its records.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};

use zeroize::Zeroizing;

use super::columns::{Columns, Names, Rules};
use super::csv::{self, Delimiter};
use super::kind::FileKind;
use super::text::{Encoding, Utf8};
use super::{
    BadRecord, Each, InputFormat, MAX_RECORD_BYTES, Position, Record, RecordError, htpasswd, json,
    xlsx,
};

/// How many bytes show what kind of file it is.
const START_BYTES: u64 = 512;

/// How a file was read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadAs {
    /// The format.
    pub format: InputFormat,
    /// The encoding of a text.
    pub encoding: Option<Encoding>,
    /// What is between the cells of CSV.
    pub delimiter: Option<Delimiter>,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// How many sheets the workbook has.
    pub sheets: usize,
    /// The first columns or keys that were ignored because they are not fields, sorted.
    pub ignored: Names,
    /// How many records the file has, including invalid ones.
    pub records: u64,
}

/// Reads a users file.
#[derive(Debug, Clone)]
pub struct Reader {
    format: InputFormat,
    is_exact: bool,
    is_guess: bool,
    encoding: Option<Encoding>,
    delimiter: Option<Delimiter>,
    columns: Columns,
    /// The maximum size of a record: [`MAX_RECORD_BYTES`], except in tests.
    pub(super) max_bytes: usize,
}

impl Reader {
    /// A reader of this format, not exact and not guessed.
    #[must_use]
    pub fn new(format: impl Into<InputFormat>) -> Self {
        Self {
            format: format.into(),
            is_exact: false,
            is_guess: false,
            encoding: None,
            delimiter: None,
            columns: Columns::default(),
            max_bytes: MAX_RECORD_BYTES,
        }
    }

    /// Treats the format as a guess from the file name: JSON may then be JSON Lines, because many
    /// programs name those `.json`.
    #[must_use]
    pub fn guessed(self, is_guess: bool) -> Self {
        Self { is_guess, ..self }
    }

    /// Reads [odd values](super#odd-values), as exported files contain them.
    #[must_use]
    pub fn exact(self, is_exact: bool) -> Self {
        Self { is_exact, ..self }
    }

    /// The encoding of a text without a byte order mark; UTF-8 by default.
    #[must_use]
    pub fn encoding(self, encoding: Option<Encoding>) -> Self {
        Self { encoding, ..self }
    }

    /// What is between the cells of CSV, instead of what the header row has.
    #[must_use]
    pub fn delimiter(self, delimiter: Option<Delimiter>) -> Self {
        Self { delimiter, ..self }
    }

    /// Which headers or keys are which fields.
    #[must_use]
    pub fn columns(self, columns: Columns) -> Self {
        Self { columns, ..self }
    }

    #[cfg(test)]
    pub(super) fn max_bytes(self, max_bytes: usize) -> Self {
        Self { max_bytes, ..self }
    }

    /// Passes every record to `each`, an invalid one as an error, and continues after it where
    /// possible.
    ///
    /// # Errors
    ///
    /// Errors of `input`.
    pub fn read(
        &self,
        input: impl Read,
        each: &mut dyn FnMut(Result<Record, BadRecord>),
    ) -> io::Result<ReadAs> {
        let (taken, malformed) = (Cell::new(0), Cell::new(None));
        // A workbook is limited as a whole.
        let is_workbook = self.format == InputFormat::Xlsx;
        let max_bytes = if is_workbook { usize::MAX } else { self.max_bytes };
        let input = Bounded { input, taken: &taken, max_bytes };
        let mut next = match self.format {
            InputFormat::Json => Position::Item(1),
            InputFormat::Xlsx => Position::Row(1),
            InputFormat::Csv | InputFormat::JsonLines | InputFormat::Htpasswd => Position::Line(1),
        };
        let mut read_as = ReadAs {
            format: self.format,
            encoding: None,
            delimiter: None,
            sheet: None,
            sheets: 0,
            ignored: Names::default(),
            records: 0,
        };
        let mut records = 0;
        let read = self.read_all(input, &malformed, &mut read_as, &mut |record| {
            taken.set(0);
            records += 1;
            next = match &record {
                Ok(Record { position, .. }) | Err(BadRecord { position, .. }) => position.next(),
            };
            each(record);
        });
        read_as.records = records;
        let problem = match malformed.get() {
            Some(line) => {
                let encoding = read_as.encoding.unwrap_or_default();
                Some((Position::Line(line), RecordError::NotEncoded(encoding)))
            }
            None => (taken.get() > max_bytes).then_some((next, RecordError::Endless)),
        };
        if let Some((position, reason)) = problem {
            read_as.records += 1;
            each(Err(BadRecord { position, username: None, reason }));
            return Ok(read_as);
        }
        read.map(|()| read_as)
    }

    fn read_all(
        &self,
        input: impl Read,
        malformed: &Cell<Option<u64>>,
        read_as: &mut ReadAs,
        each: Each<'_>,
    ) -> io::Result<()> {
        let mut bad = |reason| {
            let position = Position::Line(1);
            each(Err(BadRecord { position, username: None, reason }));
            Ok(())
        };
        let mut input = BufReader::with_capacity(1 << 16, input);
        // A pipe may return fewer bytes at once.
        let mut start = Zeroizing::new(Vec::with_capacity(512));
        input.by_ref().take(START_BYTES).read_to_end(&mut start)?;
        let is_workbook = self.format == InputFormat::Xlsx;
        // An export of no users is an empty file in JSON Lines.
        if start.is_empty() && !(self.is_exact && self.format == InputFormat::JsonLines) {
            return bad(RecordError::EmptyFile);
        }
        match FileKind::of_bytes(&start) {
            Some(FileKind::Zip) if is_workbook => {}
            None if !is_workbook => {}
            found => {
                let found = found.or(FileKind::of_text(&start)).unwrap_or(FileKind::Text);
                return bad(RecordError::OtherKind { found, expected: self.format });
            }
        }
        let rules = Rules::new(self.is_exact, &self.columns);
        if is_workbook {
            let read = xlsx::read(start.chain(input), &rules, read_as, each);
            read_as.ignored = rules.ignored();
            return read;
        }
        let marked = Encoding::of_mark(&start);
        if let Some(label) = Encoding::unmarked_utf_16(&start)
            && marked.is_none()
            && self.encoding.is_none()
        {
            return bad(RecordError::UnmarkedUtf16(label));
        }
        let encoding = marked.map(|(encoding, _)| encoding).or(self.encoding).unwrap_or_default();
        read_as.encoding = Some(encoding);
        let start = &start[marked.map_or(0, |(_, length)| length)..];
        let input = start.chain(input);
        let read = if encoding == Encoding::UTF_8 {
            // Not decoded: an error can then say in which field the text is not UTF-8.
            self.read_text(input, &rules, read_as, each)
        } else {
            let input = Utf8::new(input, encoding, malformed);
            self.read_text(BufReader::with_capacity(1 << 16, input), &rules, read_as, each)
        };
        read_as.ignored = rules.ignored();
        read
    }

    fn read_text(
        &self,
        mut input: impl BufRead,
        rules: &Rules,
        read_as: &mut ReadAs,
        each: Each<'_>,
    ) -> io::Result<()> {
        let start = input.fill_buf()?;
        let is_json = [InputFormat::Json, InputFormat::JsonLines].contains(&self.format);
        let found = match FileKind::of_text(start) {
            None if is_json && csv::has_header(start, rules) => Some(FileKind::Csv),
            found => found,
        };
        let is_other = match (found, self.format) {
            (None, _) => false,
            (Some(FileKind::Json), format) => format == InputFormat::Csv,
            (Some(_), format) => format != InputFormat::Htpasswd,
        };
        if let Some(found) = found.filter(|_| is_other) {
            let reason = RecordError::OtherKind { found, expected: self.format };
            each(Err(BadRecord { position: Position::Line(1), username: None, reason }));
            return Ok(());
        }
        let mut first_lines = Zeroizing::new(Vec::new());
        if self.format == InputFormat::Json
            && self.is_guess
            && json::are_lines(&mut input, &mut first_lines)?
        {
            read_as.format = InputFormat::JsonLines;
        }
        let input = first_lines.chain(input);
        let mut is_empty = true;
        let seen: Each<'_> = &mut |record| {
            is_empty = false;
            each(record);
        };
        match read_as.format {
            InputFormat::Csv => {
                read_as.delimiter = Some(csv::read(input, self.delimiter, rules, seen)?);
                return Ok(());
            }
            InputFormat::Json => json::read(input, rules, &mut *seen)?,
            InputFormat::JsonLines => json::read_lines(input, rules, &mut *seen)?,
            InputFormat::Htpasswd => return htpasswd::read(input, seen),
            InputFormat::Xlsx => return Ok(()),
        }
        if let Some(key) = rules.missing().filter(|_| !is_empty) {
            let (position, reason) = (Position::Item(1), RecordError::NoKey(key));
            each(Err(BadRecord { position, username: None, reason }));
        }
        Ok(())
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
