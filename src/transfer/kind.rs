//! What a file is, from its first bytes.

use std::fmt;

/// A kind of file that is not one of users, or that has another name than it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "`Display` says it")]
pub enum FileKind {
    Zip,
    OldOffice,
    Gzip,
    Pdf,
    Sqlite,
    Markup,
    Json,
    Csv,
    Htpasswd,
    Text,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zip => "an .xlsx workbook or another ZIP archive",
            Self::OldOffice => "an old Excel workbook (.xls) or one with a password",
            Self::Gzip => "a gzip file",
            Self::Pdf => "a PDF document",
            Self::Sqlite => "a SQLite database",
            Self::Markup => "an HTML or XML document",
            Self::Json => "JSON",
            Self::Csv => "CSV",
            Self::Htpasswd => "an htpasswd file",
            Self::Text => "text",
        })
    }
}

impl FileKind {
    /// The kind of a binary file.
    pub(super) fn of_bytes(start: &[u8]) -> Option<Self> {
        let kinds: [(&[u8], Self); 6] = [
            (b"PK\x03\x04", Self::Zip),
            (b"PK\x05\x06", Self::Zip),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Self::OldOffice),
            (b"\x1f\x8b", Self::Gzip),
            (b"%PDF-", Self::Pdf),
            (b"SQLite format 3\0", Self::Sqlite),
        ];
        kinds.into_iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, kind)| kind)
    }

    /// The kind of a text that is not CSV, if its first line says so.
    pub(super) fn of_text(start: &[u8]) -> Option<Self> {
        let start = start.trim_ascii_start();
        let first_line = start.split(|byte| b"\r\n".contains(byte)).next().unwrap_or_default();
        match start {
            [b'[' | b'{', ..] => Some(Self::Json),
            [b'<', b'!' | b'?' | b'a'..=b'z' | b'A'..=b'Z', ..] => Some(Self::Markup),
            _ if is_htpasswd(first_line) => Some(Self::Htpasswd),
            _ => None,
        }
    }
}

/// Whether a line is a name and a hash as `htpasswd` writes it.
fn is_htpasswd(line: &[u8]) -> bool {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else { return false };
    let hash = &line[colon + 1..];
    let starts: [&[u8]; 8] =
        [b"$apr1$", b"$1$", b"$2a$", b"$2b$", b"$2y$", b"$5$", b"$6$", b"{SHA}"];
    starts.iter().any(|start| hash.starts_with(start))
}
