//! Exporting all users to a file.

use std::io::{self, Write};

use super::{Error, Users};
use crate::store::Access;
use crate::transfer::{Format, Writer};

impl Users {
    /// Writes all users to `output`, with or without their hashes. Returns `output` and the number
    /// of users. An exact [`Reader`](crate::transfer::Reader) reads the file back unchanged.
    ///
    /// Other programs may be unable to change the database until this returns, so `output` should
    /// be fast.
    ///
    /// # Errors
    ///
    /// The outer error is of the database, the inner one of `output`.
    pub fn export<W: Write>(
        &mut self,
        output: W,
        format: Format,
        with_hashes: bool,
    ) -> Result<io::Result<(W, u64)>, Error> {
        let mut transaction = self.store.begin(Access::Read)?;
        let mut written = Writer::new(output, format, with_hashes).map(|writer| (writer, 0));
        transaction.rows_without_times(&mut |row| {
            if let Ok((writer, count)) = &mut written {
                match writer.write(&row) {
                    Ok(()) => *count += 1,
                    Err(error) => written = Err(error),
                }
            }
        })?;
        Ok(written.and_then(|(writer, count)| Ok((writer.finish()?, count))))
    }
}
