//! Files of `htpasswd`. Only their names are useful.

use std::io::{self, BufRead};

use zeroize::{Zeroize, Zeroizing};

use super::{BadRecord, Each, Field, Position, Record, RecordError};
use crate::user::{PartialProfile, StoredText};

/// Reads lines of a name, `:` and a hash. Empty lines and comments are skipped.
pub(super) fn read(mut input: impl BufRead, each: Each<'_>) -> io::Result<()> {
    let mut line = Zeroizing::new(Vec::new());
    for number in 1.. {
        line.zeroize();
        if input.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let text = line.trim_ascii();
        if text.is_empty() || text.starts_with(b"#") {
            continue;
        }
        let position = Position::Line(number);
        each(name(text).map_err(|reason| BadRecord { position, username: None, reason }).map(
            |name| Record {
                position,
                username: StoredText::Text(name.to_owned()),
                secret: None,
                profile: PartialProfile::default(),
                locked: None,
            },
        ));
    }
    Ok(())
}

fn name(line: &[u8]) -> Result<&str, RecordError> {
    let colon = line.iter().position(|byte| *byte == b':').ok_or(RecordError::NotHtpasswd)?;
    match str::from_utf8(&line[..colon]) {
        Ok("") => Err(RecordError::NoUsername),
        Ok(name) => Ok(name),
        Err(_) => Err(RecordError::NotUtf8(Field::USERNAME.name())),
    }
}
