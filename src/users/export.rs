//! All users into a file.

use std::io::{self, Write};

use super::{Error, Users};
use crate::store::Access;
use crate::transfer::{Format, Writer};

impl Users {
    /// Writes all users to `output`, with or without their hashes, and says how many there are. A
    /// [`Reader`](crate::transfer::Reader) that is exact reads it back unchanged.
    ///
    /// The database cannot be changed by others before it is written: let `output` be fast.
    ///
    /// # Errors
    ///
    /// The outer ones are of the database, the inner ones of `output`.
    pub fn export<W: Write>(
        &mut self,
        output: W,
        format: Format,
        with_hashes: bool,
    ) -> Result<io::Result<(W, u64)>, Error> {
        let mut transaction = self.store.begin(Access::Read)?;
        let mut written = Writer::new(output, format, with_hashes).map(|writer| (writer, 0));
        transaction.rows(&mut |row| {
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
