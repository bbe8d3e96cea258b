//! Text encodings.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

use encoding_rs::{Decoder, DecoderResult, UTF_8};
use zeroize::Zeroizing;

/// A text encoding of the [WHATWG](https://encoding.spec.whatwg.org/#names-and-labels), by any of
/// its labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(&'static encoding_rs::Encoding);

/// Not the label of an encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a known encoding: use a label such as utf-8, utf-16le, windows-1252 or macintosh")]
pub struct UnknownEncoding;

impl Encoding {
    /// UTF-8.
    pub const UTF_8: Self = Self(UTF_8);

    /// The encoding of a byte order mark, and the length of the mark.
    pub(super) fn of_mark(start: &[u8]) -> Option<(Self, usize)> {
        encoding_rs::Encoding::for_bom(start).map(|(encoding, length)| (Self(encoding), length))
    }

    /// The label of UTF-16 without a byte order mark, which ASCII characters give away.
    pub(super) fn unmarked_utf_16(start: &[u8]) -> Option<&'static str> {
        match start {
            [1..=127, 0, 1..=127, 0, ..] => Some("utf-16le"),
            [0, 1..=127, 0, 1..=127, ..] => Some("utf-16be"),
            _ => None,
        }
    }
}

impl Default for Encoding {
    fn default() -> Self {
        Self::UTF_8
    }
}

impl FromStr for Encoding {
    type Err = UnknownEncoding;

    fn from_str(label: &str) -> Result<Self, UnknownEncoding> {
        let encoding = encoding_rs::Encoding::for_label_no_replacement(label.as_bytes());
        encoding.map(Self).ok_or(UnknownEncoding)
    }
}

/// Displays the name that the standard gives it.
impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

const BUFFER_BYTES: usize = 1 << 14;

/// Decodes text to UTF-8. Malformed text is an error, and `malformed` gets its line.
pub(super) struct Utf8<'a, R> {
    input: R,
    decoder: Decoder,
    bytes: Zeroizing<Vec<u8>>,
    /// The bytes that are not decoded yet.
    rest: std::ops::Range<usize>,
    is_ended: bool,
    is_finished: bool,
    /// The line of the next character.
    line: u64,
    malformed: &'a Cell<Option<u64>>,
}

impl<'a, R: Read> Utf8<'a, R> {
    pub(super) fn new(input: R, encoding: Encoding, malformed: &'a Cell<Option<u64>>) -> Self {
        let decoder = encoding.0.new_decoder_without_bom_handling();
        let bytes = Zeroizing::new(vec![0; BUFFER_BYTES]);
        Self {
            input,
            decoder,
            bytes,
            rest: 0..0,
            is_ended: false,
            is_finished: false,
            line: 1,
            malformed,
        }
    }
}

impl<R: Read> Read for Utf8<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // The decoder needs room for a character. All readers of this have larger buffers.
        if buffer.len() < 16 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        loop {
            if self.malformed.get().is_some() {
                return Err(io::ErrorKind::InvalidData.into());
            }
            if self.is_finished {
                return Ok(0);
            }
            if self.rest.is_empty() && !self.is_ended {
                let count = self.input.read(&mut self.bytes)?;
                (self.rest, self.is_ended) = (0..count, count == 0);
            }
            let bytes = &self.bytes[self.rest.clone()];
            let (result, read, written) =
                self.decoder.decode_to_utf8_without_replacement(bytes, buffer, self.is_ended);
            self.rest.start += read;
            self.line += buffer[..written].split(|byte| *byte == b'\n').skip(1).count() as u64;
            if let DecoderResult::Malformed(..) = result {
                self.malformed.set(Some(self.line));
            }
            // A decoder must not be used again after its end.
            self.is_finished = self.is_ended && result == DecoderResult::InputEmpty;
            if written > 0 || self.is_finished {
                return Ok(written);
            }
        }
    }
}
