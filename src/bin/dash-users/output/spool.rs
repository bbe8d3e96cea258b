//! Output that is complete before it is printed, in bounded memory.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

/// The number of bytes in memory. The rest is in a temporary file.
const MEMORY_BYTES: usize = 256 << 10;

/// Holds output until the database is closed: a slow reader of stdout must not keep a lock that blocks
/// the app. Output that does not fit in memory goes to an unnamed temporary file, and stays in memory
/// if none can be written.
#[derive(Default)]
pub struct Spool {
    file: Option<File>,
    bytes_in_file: u64,
    rest: Vec<u8>,
    is_file_unusable: bool,
}

impl Spool {
    /// The number of bytes written.
    pub fn len(&self) -> u64 {
        self.bytes_in_file + self.rest.len() as u64
    }

    /// Writes everything to `output`.
    pub fn copy_to(&self, output: &mut dyn Write) -> io::Result<()> {
        let mut part = vec![0; 64 << 10];
        let mut position = 0;
        while position < self.bytes_in_file {
            let left = usize::try_from(self.bytes_in_file - position).unwrap_or(usize::MAX);
            let part = &mut part[..left.min(64 << 10)];
            self.read_at(part, position)?;
            output.write_all(part)?;
            position += part.len() as u64;
        }
        output.write_all(&self.rest)
    }

    /// Reads bytes at a position. They were written with one call.
    pub fn read_at(&self, bytes: &mut [u8], position: u64) -> io::Result<()> {
        match (&self.file, position.checked_sub(self.bytes_in_file)) {
            (_, Some(in_rest)) => {
                let mut rest = self.rest.get(usize::try_from(in_rest).unwrap_or(usize::MAX)..);
                io::Read::read_exact(rest.get_or_insert_default(), bytes)
            }
            (Some(file), None) => file.read_exact_at(bytes, position),
            (None, None) => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Moves the bytes in memory to the file, if possible.
    fn spill(&mut self) {
        let spilled = match &mut self.file {
            Some(file) => Ok(file),
            none => tempfile::tempfile().map(|file| none.insert(file)),
        }
        .and_then(|file| file.write_all_at(&self.rest, self.bytes_in_file));
        match spilled {
            Ok(()) => {
                self.bytes_in_file += self.rest.len() as u64;
                self.rest.clear();
            }
            Err(_) => self.is_file_unusable = true,
        }
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.rest.len() + bytes.len() > MEMORY_BYTES && !self.is_file_unusable {
            self.spill();
        }
        if self.rest.is_empty() {
            // Growing step by step would leave gaps.
            self.rest.reserve(MEMORY_BYTES);
        }
        self.rest.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spool_returns_what_was_written() {
        for is_file_unusable in [false, true] {
            let mut spool = Spool { is_file_unusable, ..Spool::default() };
            let mut expected = Vec::new();
            let mut positions = Vec::new();
            for number in 0..4000_u32 {
                let bytes = number.to_le_bytes().repeat(usize::try_from(number % 200).unwrap());
                positions.push((spool.len(), bytes.clone()));
                spool.write_all(&bytes).unwrap();
                expected.extend(bytes);
            }
            assert_eq!(spool.file.is_none(), is_file_unusable);
            assert!(!spool.rest.is_empty() && expected.len() > 2 * MEMORY_BYTES);
            let mut copied = Vec::new();
            spool.copy_to(&mut copied).unwrap();
            assert!(copied == expected);
            for (position, bytes) in positions {
                let mut read = vec![0; bytes.len()];
                spool.read_at(&mut read, position).unwrap();
                assert_eq!(read, bytes);
            }
        }
    }
}
