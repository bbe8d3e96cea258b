//! Comma-separated values.

use std::io::{self, BufRead, Read, Write};

use csv::{ByteRecord, ReaderBuilder};
use zeroize::Zeroizing;

use super::json::{exact_text, exact_texts, to_json};
use super::{
    BadRecord, Each, FIELDS, Position, Record, RecordError, Secret, WRITTEN, lock_of, yes_or_no,
};
use crate::escape::{is_unsafe_to_print, write_json};
use crate::password::Password;
use crate::store::{Row, StoredSecret};
use crate::user::StoredText;

/// The first character of a cell that contains JSON.
const EXACT: char = '\\';

pub(super) fn read(input: impl BufRead, is_exact: bool, each: Each<'_>) -> io::Result<()> {
    let lines = Lines { input, line: 1, is_ended: false };
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(lines);
    let mut cells = ByteRecord::new();
    if !reader.read_byte_record(&mut cells)? {
        return Ok(());
    }
    let columns = match columns(&cells) {
        Ok(columns) => columns,
        Err(reason) => {
            let position = first_line(&cells, reader.get_ref());
            each(Err(BadRecord { position, username: None, reason }));
            return Ok(());
        }
    };
    while reader.read_byte_record(&mut cells)? {
        // Spreadsheets write an empty row as delimiters only.
        let is_empty = cells.len() > 1 && cells.iter().all(|cell| cell.trim_ascii().is_empty());
        if is_empty && !is_exact {
            continue;
        }
        let position = first_line(&cells, reader.get_ref());
        each(
            record(&cells, position, &columns, is_exact).map_err(|(username, reason)| BadRecord {
                position,
                username,
                reason,
            }),
        );
    }
    Ok(())
}

/// Returns one line at a time, so the line in which a record ends is known. The position reported
/// by the CSV reader is before blank lines, and within the `\r\n` before the record.
struct Lines<R> {
    input: R,
    /// The number of the last returned line.
    line: u64,
    /// Whether its end was returned too.
    is_ended: bool,
}

impl<R: BufRead> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let input = self.input.fill_buf()?;
        let line = input.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = &line[..line.len().min(buffer.len())];
        buffer[..line.len()].copy_from_slice(line);
        self.line += u64::from(self.is_ended);
        self.is_ended = line.ends_with(b"\n");
        let length = line.len();
        self.input.consume(length);
        Ok(length)
    }
}

/// The first line of the record that was just read.
fn first_line<R>(cells: &ByteRecord, lines: &Lines<R>) -> Position {
    let line_ends = cells.as_slice().split(|byte| *byte == b'\n').skip(1).count();
    Position::Line(lines.line - line_ends as u64)
}

/// The column of each of [`FIELDS`].
fn columns(header: &ByteRecord) -> Result<[Option<usize>; FIELDS.len()], RecordError> {
    let name = |cell: &[u8]| String::from_utf8_lossy(cell.trim_ascii()).into_owned();
    if !header.iter().any(|cell| name(cell) == FIELDS[0]) {
        // The line is not shown: without a header it is a user, perhaps with a plaintext password.
        return Err(RecordError::NoHeader);
    }
    let mut columns = [None; FIELDS.len()];
    for (column, cell) in header.iter().enumerate() {
        let name = name(cell);
        let Some(field) = FIELDS.iter().position(|field| **field == name) else {
            return Err(match name.as_str() {
                "" => RecordError::UnnamedField,
                _ => RecordError::UnknownField(StoredText::Text(name)),
            });
        };
        if columns[field].replace(column).is_some() {
            return Err(RecordError::RepeatedField(FIELDS[field]));
        }
    }
    Ok(columns)
}

/// The user and the problem of an invalid record.
type Bad = (Option<StoredText>, RecordError);

fn record(
    cells: &ByteRecord,
    position: Position,
    columns: &[Option<usize>; FIELDS.len()],
    is_exact: bool,
) -> Result<Record, Bad> {
    let expected = columns.iter().flatten().count();
    if cells.len() != expected {
        return Err((None, RecordError::CellCount { expected, found: cells.len() }));
    }
    // An empty cell means "not given", unless the file is exact.
    let cell = |field: usize| {
        let cell = columns[field].and_then(|column| cells.get(column));
        cell.filter(|cell| is_exact || !cell.is_empty())
    };
    let text =
        |field: usize| cell(field).map(|cell| text(cell, FIELDS[field], is_exact)).transpose();
    let no_one = |reason| (None, reason);
    let username = text(0).map_err(no_one)?.ok_or(no_one(RecordError::NoUsername))?;
    let fields = || {
        // A password is never an odd value. Even in an exact file, an empty cell means "not given".
        let password = cell(1).filter(|cell| !cell.is_empty()).map(password).transpose()?;
        let hash = text(2)?.filter(|_| !is_exact || password.is_none() || cell(2) != Some(b""));
        let secret = match (password, hash) {
            (Some(_), Some(_)) => return Err(RecordError::TwoSecrets),
            (Some(password), None) => Some(Secret::Password(password)),
            (None, hash) => hash.map(|hash| Secret::Hash(StoredSecret::from(hash))),
        };
        let groups = columns[4].and_then(|column| cells.get(column));
        let groups = groups.map(|cell| groups_of(cell, is_exact)).transpose()?;
        let state = |field: usize| {
            let cell = cell(field).map(<[u8]>::trim_ascii).filter(|cell| !cell.is_empty());
            let word = cell.map(|cell| str::from_utf8(cell).ok().and_then(yes_or_no));
            word.map(|state| state.ok_or(RecordError::NotBoolean(FIELDS[field]))).transpose()
        };
        Ok((secret, text(3)?, groups, lock_of(state(5)?, state(6)?)?))
    };
    match fields() {
        Ok((secret, language, groups, locked)) => {
            Ok(Record { position, username, secret, language, groups, locked })
        }
        Err(reason) => Err((Some(username), reason)),
    }
}

fn password(cell: &[u8]) -> Result<Password, RecordError> {
    Password::from_utf8(Zeroizing::new(cell.to_owned()))
        .map_err(|_| RecordError::NotUtf8(FIELDS[1]))
}

fn text(cell: &[u8], field: &'static str, is_exact: bool) -> Result<StoredText, RecordError> {
    let text = str::from_utf8(cell).map_err(|_| RecordError::NotUtf8(field))?;
    match text.strip_prefix(EXACT) {
        Some(json) if is_exact => {
            let value = serde_json::from_str(json).ok();
            value.and_then(exact_text).ok_or(RecordError::NotExact(field))
        }
        _ => Ok(StoredText::Text(text.to_owned())),
    }
}

fn groups_of(cell: &[u8], is_exact: bool) -> Result<Vec<StoredText>, RecordError> {
    let text = str::from_utf8(cell).map_err(|_| RecordError::NotUtf8(FIELDS[4]))?;
    match text.strip_prefix(EXACT) {
        Some(json) if is_exact => {
            let value = serde_json::from_str(json).ok();
            value.and_then(exact_texts).ok_or(RecordError::NotExact(FIELDS[4]))
        }
        _ if text.is_empty() => Ok(Vec::new()),
        _ => {
            let trim = |group| if is_exact { group } else { str::trim(group) };
            Ok(text.split(';').map(|group| StoredText::Text(trim(group).to_owned())).collect())
        }
    }
}

/// Writes CSV with the usual line breaks, and with quotes only where needed.
pub(super) struct Writer<W: Write> {
    writer: csv::Writer<W>,
    with_hashes: bool,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(output: W, with_hashes: bool) -> io::Result<Self> {
        let mut writer = csv::Writer::from_writer(output);
        writer.write_record(WRITTEN.iter().filter(|field| with_hashes || **field != FIELDS[2]))?;
        Ok(Self { writer, with_hashes })
    }

    pub(super) fn write(&mut self, row: &Row) -> io::Result<()> {
        self.cell(&row.username)?;
        if self.with_hashes {
            self.cell(row.secret.expose())?;
        }
        self.cell(&row.language)?;
        self.groups(&row.groups)?;
        self.writer.write_field(row.secret.credential().is_locked().to_string())?;
        Ok(self.writer.write_record(None::<&[u8]>)?)
    }

    fn cell(&mut self, text: &StoredText) -> io::Result<()> {
        match text {
            StoredText::Text(text) if is_plain(text) => Ok(self.writer.write_field(text)?),
            odd => self.json(&to_json(odd)),
        }
    }

    fn groups(&mut self, groups: &[StoredText]) -> io::Result<()> {
        let mut cell = String::new();
        for group in groups {
            match group {
                StoredText::Text(group)
                    if is_plain(group) && !group.is_empty() && !group.contains(';') =>
                {
                    if !cell.is_empty() {
                        cell.push(';');
                    }
                    cell.push_str(group);
                }
                _ => return self.json(&groups.iter().map(to_json).collect()),
            }
        }
        Ok(self.writer.write_field(cell)?)
    }

    fn json(&mut self, value: &serde_json::Value) -> io::Result<()> {
        let mut cell = EXACT.to_string().into_bytes();
        write_json(&mut cell, value)?;
        Ok(self.writer.write_field(cell)?)
    }

    pub(super) fn finish(self) -> io::Result<W> {
        self.writer.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

/// Whether a cell can contain the text unchanged.
fn is_plain(text: &str) -> bool {
    !text.starts_with(EXACT) && !text.chars().any(is_unsafe_to_print)
}

#[cfg(test)]
mod tests {
    use crate::transfer::Format::Csv;
    use crate::transfer::tests::{exactly, plainly, row, stored, written};
    use crate::user::StoredText;

    #[test]
    fn columns_can_be_in_any_order() {
        let file = "language,groups,username,password\nfr,a;b,alice,s3cret\n\"e,n\",,\"b\"\"ob\",x";
        let expected = [
            "2 alice password=s3cret language=fr groups=a+b",
            "3 b\"ob password=x language=e,n groups=",
        ];
        assert_eq!(plainly(Csv, file), expected);
        assert_eq!(plainly(Csv, " username , password_hash \nzoe,!"), ["2 zoe hash=!"]);
    }

    #[test]
    fn empty_cell_is_missing_except_in_groups() {
        let file = "username,password,password_hash,language,groups\na,s3cret,,,\nb,,!,,\nc,,,,";
        let expected = ["2 a password=s3cret groups=", "3 b hash=! groups=", "4 c groups="];
        assert_eq!(plainly(Csv, file), expected);
        assert_eq!(plainly(Csv, "username\nalice"), ["2 alice"]);
    }

    #[test]
    fn groups_are_separated_by_semicolons_and_trimmed() {
        let file = "username,groups\na, x ;data science;;y";
        assert_eq!(plainly(Csv, file), ["2 a groups=x+data science++y"]);
    }

    #[test]
    fn line_numbers_match_an_editor() {
        for (file, expected) in [
            ("username\na\nb", ["2 a", "3 b"]),
            ("username\r\na\r\nb\r\n", ["2 a", "3 b"]),
            ("username\n\n\na\n\nb\n\n", ["4 a", "6 b"]),
            ("\r\n\r\nusername\r\n\r\na\r\n\r\nb", ["5 a", "7 b"]),
            ("username\n\"a\n\n1\"\nb", ["2 a\\n\\n1", "5 b"]),
            ("username\r\n\"a\r\n1\"\r\n\r\nb", ["2 a\\u{d}\\n1", "5 b"]),
            ("\"username\n\"\na\nb\n", ["3 a", "4 b"]),
            ("username\na\n\"b\n", ["2 a", "3 b\\n"]),
        ] {
            assert_eq!(plainly(Csv, file), expected, "{file:?}");
        }
        // Longer than the read buffer.
        let long = "x".repeat(100_000);
        let file = format!("username\n\"{long}\n{long}\"\r\nb");
        assert_eq!(plainly(Csv, file)[1], "4 b");
    }

    #[test]
    fn file_without_records_is_empty() {
        for file in ["", "\n\n", "username", "username,password\r\n\r\n"] {
            assert_eq!(plainly(Csv, file), [""; 0], "{file:?}");
        }
    }

    #[test]
    fn header_is_required_and_checked_first() {
        let no_header = "no `username` column in the header row";
        let unknown = "unknown field 'Passw\\u{1b}': use username, password, password_hash, language, groups, locked or active";
        for (file, expected) in [
            // Without a header, the first line is a user, whose password must not be shown.
            ("alice,s3cret\nbob,s3cret2", format!("1 {no_header}")),
            ("\nalice,s3cret", format!("2 {no_header}")),
            ("username;password\nalice;s3cret", format!("1 {no_header}")),
            ("Username\nalice", format!("1 {no_header}")),
            ("username,Passw\u{1b}\nalice,s3cret", format!("1 {unknown}")),
            ("username,password,password\na,b,c", "1 duplicate field 'password'".into()),
            ("username,username \na,b", "1 duplicate field 'username'".into()),
        ] {
            assert_eq!(plainly(Csv, file), [expected], "{file:?}");
        }
    }

    #[test]
    fn reading_continues_after_invalid_record() {
        let file = b"username,password,password_hash,language\n\
            a,s3cret\n\
            b,s3cret,,en,s3cret\n\
            ,s3cret,,en\n\
            c,s3cret,s3cret,en\n\
            d,s3cret\xff,,\n\
            e,,\xffs3cret,\n\
            \xff,s3cret,,\n\
            f,s3cret,,\xe9\n\
            g,s3cret,,en";
        let expected = [
            "2 the number of cells is 2, but the header has 4",
            "3 the number of cells is 5, but the header has 4",
            "4 no username",
            "5 user 'c': both password and password_hash are given",
            "6 user 'd': field 'password' is not UTF-8",
            "7 user 'e': field 'password_hash' is not UTF-8",
            "8 field 'username' is not UTF-8",
            "9 user 'f': field 'language' is not UTF-8",
            "10 g password=s3cret language=en",
        ];
        assert_eq!(plainly(Csv, file), expected);
        let latin_1 = plainly(Csv, b"username,groups\n\nb\xe9,\na,\xe9");
        assert_eq!(latin_1[0], "3 field 'username' is not UTF-8");
        assert_eq!(latin_1[1], "4 user 'a': field 'groups' is not UTF-8");
    }

    #[test]
    fn cells_are_exact_only_on_request() {
        let file = "username,password_hash,groups\n\
            \\null,\"\\{\"\"blob\"\": \"\"00FF\"\"}\",\"\\[\"\"a;b\"\", null]\"\n\
            \"\\\"\"\\u0000\"\"\",,\" a;\"\n";
        let exact = exactly(Csv, file);
        let first = exact[0].as_ref().unwrap();
        assert_eq!(first.username, StoredText::Null);
        assert_eq!(first.secret, Some(stored(StoredText::Blob(vec![0, 0xff]))));
        assert_eq!(first.groups, Some(vec![StoredText::Text("a;b".into()), StoredText::Null]));
        let second = exact[1].as_ref().unwrap();
        assert_eq!(second.username, StoredText::Text("\0".into()));
        assert_eq!(second.secret, Some(stored(StoredText::Text(String::new()))));
        assert_eq!(
            second.groups,
            Some([" a", ""].map(|text| StoredText::Text(text.into())).into())
        );
        let expected = [
            r#"2 \\null hash=\\{"blob": "00FF"} groups=\\["a+b", null]"#,
            r#"3 \\"\\u0000" groups=a+"#,
        ];
        assert_eq!(plainly(Csv, file), expected);
    }

    #[test]
    fn exact_cell_with_backslash_needs_json() {
        for cell in ["\\s3cret", "\\", "\\1", "\\[]", "\\{\"\"x\"\":\"\"00\"\"}", "\\null s3cret"] {
            let file = format!("username,password_hash\na,\"{cell}\"\nb,!");
            let read = exactly(Csv, file);
            let error = read[0].as_ref().unwrap_err().to_string();
            let expected =
                "user 'a': field 'password_hash' begins with a backslash that no JSON follows";
            assert_eq!(error, expected, "{cell}");
            assert!(read[1].is_ok());
        }
        for cell in ["\\null", "\\\"\"a\"\"", "\\[1]"] {
            let read = exactly(Csv, format!("username,groups\na,\"{cell}\""));
            assert!(read[0].as_ref().is_err_and(|bad| bad.to_string().contains("'groups'")));
        }
    }

    #[test]
    fn odd_values_are_written_as_json() {
        let text = |text: &str| StoredText::Text(text.into());
        let rows = [
            row(text("=1+1"), text("a,\"b"), text(" -2 "), vec![text("x"), text("y z")]),
            row(text("\\x"), text("a\r\n\u{202e}"), text(""), vec![text("a;b"), text("c")]),
            row(StoredText::Null, StoredText::Blob(vec![0, 255]), StoredText::Null, vec![]),
            row(StoredText::InvalidText(vec![255]), text("\u{9b}"), text("\\"), vec![text("")]),
        ];
        let expected = r#"username,password_hash,language,groups,locked
=1+1,"a,""b", -2 ,x;y z,false
"\""\\x""","\""a\r\n\u202e""",,"\[""a;b"",""c""]",false
\null,"\{""blob"":""00ff""}",\null,,false
"\{""text"":""ff""}","\""\u009b""","\""\\""","\[""""]",false
"#;
        assert_eq!(written(Csv, true, &rows), expected);
        let without = "username,language,groups,locked\n=1+1, -2 ,x;y z,false\n";
        assert_eq!(written(Csv, false, &rows[..1]), without);
        assert_eq!(written(Csv, true, &[]), "username,password_hash,language,groups,locked\n");
    }
}
