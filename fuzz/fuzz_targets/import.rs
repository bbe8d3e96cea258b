//! Importing and exporting users files.
//!
//! The first byte of the input is the format of the file after it: `c` CSV, `j` JSON, `l` JSON
//! Lines; a capital letter means an exact file, as for `import --as-is`. `d` is CSV and `o` JSON with
//! named and ignored columns, `w` CSV in Windows-1252, `h` htpasswd, `x` a workbook, and `s` one made
//! of three parts that NUL separates: the sheet, the shared texts and the list of sheets. Nothing
//! panics, and no error shows a password. Imported users that are exported in any format and imported again are
//! the same.

#![no_main]

use std::fs;
use std::io::{Cursor, Write};
use std::path::PathBuf;
use std::sync::LazyLock;

use dash_users::transfer::{
    BadRecord, Columns, Format, InputFormat, Reader, Record, RecordError, Secret,
};
use dash_users::{Error, Import, ImportOptions, Location, Method, NewFile, StoreError, Users};
use libfuzzer_sys::{Corpus, fuzz_target};
use rusqlite::Connection;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const FORMATS: [Format; 3] = [Format::Csv, Format::Json, Format::JsonLines];

/// Part of every password and hash of the corpus.
const SECRET: &str = "s3cret";

static DIRECTORY: LazyLock<PathBuf> =
    LazyLock::new(|| tempfile::tempdir().expect("a temporary directory").keep());

/// A database without users, whose columns accept any value.
static EMPTY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let path = DIRECTORY.join("empty.db");
    let connection = Connection::open(&path).expect("it opens");
    let table = "CREATE TABLE users (username UNIQUE, password_hash, language)";
    connection.execute_batch(table).expect("it is valid SQL");
    let location = Location::parse(&path).expect("it is a path");
    Users::init(&location, &NewFile::default()).expect("it is adopted");
    fs::read(path).expect("it was written a moment ago")
});

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((kind, file)) = input.split_first() else { return Corpus::Reject };
    let is_exact = b"CJL".contains(kind);
    let columns = || {
        let columns = Columns::default().ignore_unknown(true);
        columns.with("groups", "roles").expect("a field")
    };
    let encoding = "windows-1252".parse().expect("a label");
    let workbook = if *kind == b's' { workbook(file) } else { Vec::new() };
    let file = if *kind == b's' { &workbook } else { file };
    let reader = match kind {
        b'c' | b'C' => Reader::new(Format::Csv),
        b'j' | b'J' => Reader::new(Format::Json).guessed(true),
        b'l' | b'L' => Reader::new(Format::JsonLines),
        b'd' => Reader::new(Format::Csv).columns(columns()),
        b'o' => Reader::new(Format::Json).columns(columns()),
        b'w' => Reader::new(Format::Csv).encoding(Some(encoding)),
        b'h' => Reader::new(InputFormat::Htpasswd),
        b'x' | b's' => Reader::new(InputFormat::Xlsx),
        _ => return Corpus::Reject,
    };
    let records = read(reader.exact(is_exact), file);
    if records.is_empty() {
        return Corpus::Keep;
    }
    let Some(mut users) = import("first.db", records, is_exact) else { return Corpus::Keep };
    let [csv, json, lines] = FORMATS.map(|format| export(&mut users, format));
    for (format, file) in FORMATS.into_iter().zip([&csv, &json, &lines]) {
        let again = import("again.db", read(Reader::new(format).exact(true), file), true);
        let mut again = again.expect("what was exported is imported");
        assert!(export(&mut again, Format::Json) == json, "{format:?} lost something");
    }
    Corpus::Keep
});

/// A workbook of these parts.
fn workbook(file: &[u8]) -> Vec<u8> {
    const LINKS: &str = r#"<x><Relationship Id="a" Type="/worksheet" Target="s.xml"/><Relationship
        Id="b" Type="/sharedStrings" Target="t.xml"/></x>"#;
    let mut parts = file.splitn(3, |byte| *byte == 0);
    let mut next = || parts.next().unwrap_or_default();
    let (sheet, texts) = (next(), next());
    let sheets = parts.next().unwrap_or(br#"<x><sheet name="A" r:id="a"/></x>"#);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, part) in [
        ("xl/workbook.xml", sheets),
        ("xl/_rels/workbook.xml.rels", LINKS.as_bytes()),
        ("xl/s.xml", sheet),
        ("xl/t.xml", texts),
    ] {
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        zip.start_file(name, stored).expect("a new name");
        zip.write_all(part).expect("it is in memory");
    }
    zip.finish().expect("it is in memory").into_inner()
}

fn read(reader: Reader, file: &[u8]) -> Vec<Result<Record, BadRecord>> {
    let mut records = Vec::new();
    reader.read(file, &mut |record| records.push(record)).expect("reading memory does not fail");
    for record in &records {
        match record {
            Ok(record) => match &record.secret {
                Some(secret @ (Secret::Password(_) | Secret::Hash(_) | Secret::Either(_))) => {
                    assert!(!format!("{secret:?}").contains(SECRET));
                }
                None => {}
            },
            Err(bad) => shows_nothing(bad),
        }
    }
    records
}

/// Asserts that an error shows no password, except as the name of a user or field.
fn shows_nothing(bad: &BadRecord) {
    let is_named = bad.username.as_ref().is_some_and(|name| name.to_string().contains(SECRET));
    let is_quoted = matches!(
        bad.reason,
        RecordError::UnknownFields(_)
            | RecordError::NoHeader { .. }
            | RecordError::NoColumn { .. }
            | RecordError::Similar(_)
    );
    assert!(is_named || is_quoted || !format!("{bad} {bad:?}").contains(SECRET), "{bad:?}");
}

/// The users of a new database with these records; `None` if they are rejected.
fn import(name: &str, records: Vec<Result<Record, BadRecord>>, as_is: bool) -> Option<Users> {
    let mut options = ImportOptions::default();
    options.as_is = as_is;
    options.generate_missing = !as_is;
    options.allow_weak = true;
    let mut import = Import::new(options, "pbkdf2:sha1:1".parse::<Method>().expect("it is one"));
    for record in records {
        import.push(record);
    }
    if let Err(Error::BadRecords(bad)) = import.end() {
        bad.first().iter().for_each(shows_nothing);
        return None;
    }
    let path = DIRECTORY.join(name);
    fs::write(&path, &*EMPTY).expect("it can be written");
    let mut users = Users::open(&Location::parse(path).expect("it is a path")).expect("it opens");
    match import.write(Some(&mut users), "import") {
        Ok(imported) => imported.commit().expect("nobody else writes"),
        // A group of a user named NULL, or a NULL group, which no export contains.
        Err(Error::Store(StoreError::Refused { .. })) => return None,
        Err(error) => panic!("{error}"),
    };
    Some(users)
}

fn export(users: &mut Users, format: Format) -> Vec<u8> {
    let written = users.export(Vec::new(), format, true).expect("it can be read");
    written.expect("writing to memory does not fail").0
}
