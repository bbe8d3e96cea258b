//! What keeps a file from being imported.

use super::super::Error;
use crate::transfer::{BadRecord, RecordError};

/// The records that keep a file from being imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRecords {
    first: Vec<BadRecord>,
    count: u64,
    /// The one of the class that comes first.
    worst: RecordError,
}

impl BadRecords {
    /// How many are kept.
    pub const MAX_SHOWN: usize = 20;

    /// The first of them, in the order of the file.
    #[must_use]
    pub fn first(&self) -> &[BadRecord] {
        &self.first
    }

    /// How many there are in all.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// A reason that speaks for all: invalid data before weak passwords before conflicts.
    #[must_use]
    pub fn worst(&self) -> &RecordError {
        &self.worst
    }
}

/// Which of several reasons speaks for all.
fn class(reason: &RecordError) -> u8 {
    match reason {
        RecordError::Password(_) => 1,
        RecordError::Exists | RecordError::Similar(_) => 2,
        _ => 0,
    }
}

/// Records that were found bad so far.
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
        // Memory stays bounded however many there are.
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
