//! Collecting the invalid records of an import.

use super::super::Error;
use crate::transfer::{BadRecord, RecordError};

/// The invalid records of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRecords {
    first: Vec<BadRecord>,
    count: u64,
    /// The reason of the most important class.
    worst: RecordError,
}

impl BadRecords {
    /// The maximum number of records in [`first`](Self::first).
    pub const MAX_SHOWN: usize = 20;

    /// The first invalid records, in the order of the file.
    #[must_use]
    pub fn first(&self) -> &[BadRecord] {
        &self.first
    }

    /// The total number of invalid records.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The most important reason: invalid data before weak passwords before conflicts.
    #[must_use]
    pub fn worst(&self) -> &RecordError {
        &self.worst
    }
}

/// The importance of a reason; the lowest is the most important.
fn class(reason: &RecordError) -> u8 {
    match reason {
        RecordError::Password(_) => 1,
        RecordError::Exists | RecordError::Similar(_) => 2,
        _ => 0,
    }
}

/// The invalid records found so far.
#[derive(Default)]
pub(super) struct Problems {
    found: Vec<BadRecord>,
    dropped: u64,
    worst: Option<RecordError>,
}

impl Problems {
    pub(super) fn add(&mut self, bad: BadRecord) {
        if self.worst.as_ref().is_none_or(|worst| class(&bad.reason) < class(worst)) {
            self.worst = Some(bad.reason.clone());
        }
        self.found.push(bad);
        // Limits memory, however many there are.
        if self.found.len() > 100 * BadRecords::MAX_SHOWN {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.found.sort_by_key(|bad| bad.position);
        self.dropped += self.found.len().saturating_sub(BadRecords::MAX_SHOWN) as u64;
        self.found.truncate(BadRecords::MAX_SHOWN);
    }

    pub(super) fn result(mut self) -> Result<(), Error> {
        self.cut();
        match self.worst {
            None => Ok(()),
            Some(worst) => {
                let count = self.dropped + self.found.len() as u64;
                Err(Error::BadRecords(Box::new(BadRecords { first: self.found, count, worst })))
            }
        }
    }
}
