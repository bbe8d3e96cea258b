//! Rows for programs: any number of them, in bounded memory.

use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::spool::Spool;
use super::write_stdout;

/// The size of the length before each sorted row.
const LENGTH_BYTES: usize = size_of::<u64>();

/// An array in JSON, or tab-separated lines. Nothing is printed before all rows are there.
pub struct Rows {
    is_json: bool,
    spool: Spool,
    /// The time and the position of each row, if they are sorted by time.
    order: Option<Vec<(u64, u64)>>,
    is_reversed: bool,
    /// The maximum number of sorted rows.
    most: usize,
    row: Vec<u8>,
}

impl Rows {
    pub(super) fn new(is_json: bool) -> Self {
        Self {
            is_json,
            spool: Spool::default(),
            order: None,
            is_reversed: false,
            most: usize::MAX,
            row: Vec::new(),
        }
    }

    /// Sorts rows by the time of each, unknown times first. Rows with equal times keep their order.
    /// All of it can be reversed, and only the first rows printed.
    pub fn sorted(self, is_reversed: bool, most: usize) -> Self {
        Self { order: Some(Vec::new()), is_reversed, most, ..self }
    }

    /// Adds a row.
    pub fn push<T: Serialize>(
        &mut self,
        json: impl FnOnce() -> T,
        row: impl FnOnce() -> Vec<String>,
        time: Option<SystemTime>,
    ) -> io::Result<()> {
        self.row.clear();
        if self.order.is_some() {
            self.row.extend([0; LENGTH_BYTES]);
        } else if self.is_json && self.spool.len() > 0 {
            self.row.push(b',');
        }
        if self.is_json {
            dash_users::write_json(&mut self.row, &json())?;
        } else {
            writeln!(self.row, "{}", row().join("\t"))?;
        }
        if let Some(order) = &mut self.order {
            let length = (self.row.len() - LENGTH_BYTES) as u64;
            self.row[..LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
            order.push((microseconds(time), self.spool.len()));
        }
        self.spool.write_all(&self.row)
    }

    /// Prints all rows.
    pub fn print(mut self) -> io::Result<()> {
        let order = self.order.take().map(|mut order| {
            // Positions are unique, and grow with the order of the rows.
            order.sort_unstable();
            if self.is_reversed {
                order.reverse();
            }
            order.truncate(self.most);
            order
        });
        write_stdout(|stdout| {
            if self.is_json {
                stdout.write_all(b"[")?;
            }
            match order {
                None => self.spool.copy_to(stdout)?,
                Some(order) => self.print_sorted(&order, stdout)?,
            }
            if self.is_json { stdout.write_all(b"]\n") } else { Ok(()) }
        })
    }

    fn print_sorted(&mut self, order: &[(u64, u64)], stdout: &mut dyn Write) -> io::Result<()> {
        for (number, (_, position)) in order.iter().enumerate() {
            let mut length = [0; LENGTH_BYTES];
            self.spool.read_at(&mut length, *position)?;
            let length = usize::try_from(u64::from_le_bytes(length)).map_err(io::Error::other)?;
            self.row.resize(length, 0);
            self.spool.read_at(&mut self.row, position + LENGTH_BYTES as u64)?;
            if self.is_json && number > 0 {
                stdout.write_all(b",")?;
            }
            stdout.write_all(&self.row)?;
        }
        Ok(())
    }
}

/// A time for sorting: 0 if unknown.
fn microseconds(time: Option<SystemTime>) -> u64 {
    let since = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    time.map_or(0, |time| u64::try_from(since(time)).map_or(u64::MAX, |time| time.max(1)))
}
