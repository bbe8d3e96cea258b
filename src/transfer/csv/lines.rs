//! Lines of a table, with their numbers, and the quotes in them.

use std::io::{self, BufRead, Read};

use csv::ByteRecord;

use super::super::{Position, RecordError};
use super::Delimiter;

/// Returns one line at a time, so the line in which a record ends is known. The position reported
/// by the CSV reader is before blank lines, and within the `\r\n` before the record. Checks quotes
/// too, which the CSV reader does not.
pub(super) struct Lines<R> {
    input: R,
    delimiter: u8,
    /// The number of the last returned line.
    line: u64,
    /// The last byte returned.
    last: u8,
    state: State,
    /// The line of the last opening quote.
    opened: u64,
    /// The first bad quote, and what it is.
    bad: Option<(u64, RecordError)>,
}

/// The part of a cell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    /// Whitespace at the start.
    Blank,
    Plain,
    Quoted,
    /// A quote in a quoted cell, which ends it or is doubled.
    Quote,
}

impl<R> Lines<R> {
    pub(super) fn new(input: R, line: u64, delimiter: Delimiter) -> Self {
        let (state, last) = (State::Start, 0);
        Self { input, delimiter: delimiter.0, line, last, state, opened: line, bad: None }
    }

    /// The first bad quote since [`forget`](Self::forget). An open quote is one at the end.
    pub(super) fn bad_quote(&self) -> Option<(u64, RecordError)> {
        let unclosed = || (self.opened, RecordError::UnclosedQuote);
        self.bad.clone().or_else(|| (self.state == State::Quoted).then(unclosed))
    }

    pub(super) fn forget(&mut self) {
        self.bad = None;
    }

    fn check_quotes(&mut self, line: &[u8]) {
        let is_whole = self.state == State::Start && matches!(line, [.., b'\r' | b'\n']);
        if is_whole && !line.contains(&b'"') {
            return;
        }
        for byte in line {
            self.state = match (self.state, *byte) {
                (State::Quoted, b'"') => State::Quote,
                (State::Quoted, _) | (State::Quote, b'"') => State::Quoted,
                (_, b'\r' | b'\n') => State::Start,
                (_, byte) if byte == self.delimiter => State::Start,
                (State::Quote, _) => {
                    // A later quote has closed this one if that is on another line.
                    let reason = if self.opened == self.line {
                        RecordError::TextAfterQuote
                    } else {
                        RecordError::UnclosedQuote
                    };
                    self.bad.get_or_insert((self.opened, reason));
                    State::Plain
                }
                (State::Start, b'"') => {
                    self.opened = self.line;
                    State::Quoted
                }
                (State::Blank, b'"') => {
                    self.bad.get_or_insert((self.line, RecordError::TextBeforeQuote));
                    State::Plain
                }
                (State::Start | State::Blank, b' ' | b'\t') => State::Blank,
                _ => State::Plain,
            };
        }
    }
}

impl<R: BufRead> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let input = self.input.fill_buf()?;
        // `\r\n` is one end, but may be returned in two parts.
        let is_end = |byte: &u8| *byte == b'\n' || *byte == b'\r';
        let length = input.iter().position(is_end).map_or(input.len(), |end| end + 1);
        let length = length.min(buffer.len());
        buffer[..length].copy_from_slice(&input[..length]);
        self.input.consume(length);
        let line = &buffer[..length];
        if let [first, ..] = line {
            self.line += u64::from(self.last == b'\n' || self.last == b'\r' && *first != b'\n');
        }
        self.check_quotes(line);
        self.last = line.last().copied().unwrap_or(self.last);
        Ok(length)
    }
}

/// The first line of the record that was just read.
pub(super) fn first_line<R>(cells: &ByteRecord, lines: &Lines<R>) -> Position {
    Position::Line(lines.line - lines_in(cells.as_slice()))
}

/// The number of line ends. `\r\n` is one.
pub(super) fn lines_in(text: &[u8]) -> u64 {
    let is_end = |at: &usize| text[*at] == b'\n' || text.get(at + 1) != Some(&b'\n');
    let ends = (0..text.len()).filter(|at| matches!(text[*at], b'\r' | b'\n'));
    ends.filter(is_end).count() as u64
}
