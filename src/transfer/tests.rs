//! Tests of all formats, and shared functions.

use std::io::Read;

use super::{
    BadRecord, Format, InputFormat, MAX_RECORD_BYTES, Reader, Record, Secret, Writer, fields,
};
use crate::store::{Row, StoredSecret};
use crate::user::{PartialProfile, Profile, StoredText};

const FORMATS: [Format; 3] = [Format::Csv, Format::Json, Format::JsonLines];

/// Reads a file. Every password in it contains `s3cret`, which errors must not show.
fn read(reader: &Reader, file: impl Read) -> Vec<Result<Record, BadRecord>> {
    let mut read = Vec::new();
    reader.read(file, &mut |record| read.push(record)).unwrap();
    for bad in read.iter().filter_map(|record| record.as_ref().err()) {
        let shown = format!("{bad} {bad:?} {:?}", bad.reason);
        assert!(!shown.contains("s3cret"), "{shown}");
    }
    read
}

/// Reads an exact file.
pub(super) fn exactly(format: Format, file: impl AsRef<[u8]>) -> Vec<Result<Record, BadRecord>> {
    read(&Reader::new(format).exact(true), file.as_ref())
}

/// Reads a file that is not exact, and describes its records.
pub(super) fn plainly(format: Format, file: impl AsRef<[u8]>) -> Vec<String> {
    in_words(read(&Reader::new(format), file.as_ref()))
}

fn in_words(read: Vec<Result<Record, BadRecord>>) -> Vec<String> {
    let record = |record: Record| {
        assert!(!format!("{record:?}").contains("s3cret"), "{record:?}");
        let Record { position, username, secret, profile, locked } = record;
        let PartialProfile { language, groups, .. } = profile;
        let secret = secret.map(|secret| match secret {
            Secret::Password(password) => format!(" password={}", password.expose()),
            Secret::Hash(hash) => format!(" hash={}", hash.expose()),
            Secret::Either(text) => format!(" either={}", text.expose()),
        });
        let language = language.map(|language| format!(" language={language}"));
        let groups = groups.map(|groups| {
            let groups: Vec<_> = groups.iter().map(ToString::to_string).collect();
            format!(" groups={}", groups.join("+"))
        });
        let locked = locked.map(|locked| format!(" locked={locked}"));
        let fields = [secret, language, groups, locked].into_iter().flatten();
        format!("{position} {username}{}", fields.collect::<String>())
    };
    let words = |read: Result<Record, BadRecord>| {
        read.map_or_else(|bad| format!("{} {bad}", bad.position), record)
    };
    read.into_iter().map(words).collect()
}

pub(super) fn stored(text: StoredText) -> Secret {
    Secret::Hash(StoredSecret::from(text))
}

pub(super) fn row(
    username: StoredText,
    secret: StoredText,
    language: StoredText,
    groups: Vec<StoredText>,
) -> Row {
    let secret = StoredSecret::from(secret);
    let mut profile = PartialProfile::default().complete();
    (profile.language, profile.groups) = (language, groups);
    Row { username, secret, profile, created_at: None, password_changed_at: None }
}

/// The fields of a profile that [`row`] does not give, as `field` writes each.
pub(super) fn others(field: impl Fn(&str) -> String) -> String {
    Profile::FIELDS[2..].iter().map(|name| field(name)).collect()
}

/// Writes a file of users.
pub(super) fn written(format: Format, with_hashes: bool, rows: &[Row]) -> String {
    let mut writer = Writer::new(Vec::new(), format, with_hashes).unwrap();
    for row in rows {
        writer.write(row).unwrap();
    }
    String::from_utf8(writer.finish().unwrap()).unwrap()
}

/// Returns one byte at a time, like a slow pipe.
struct Bytes<'a>(&'a [u8]);

impl Read for Bytes<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let (byte, rest) = self.0.split_at(self.0.len().min(1));
        self.0 = rest;
        buffer[..byte.len()].copy_from_slice(byte);
        Ok(byte.len())
    }
}

#[test]
fn byte_order_mark_is_skipped_in_slow_input() {
    for (format, file) in [
        (Format::Csv, "username,password\r\n\r\nalice,s3cret\r\n"),
        (Format::Json, r#"[{"username": "alice", "password": "s3cret"}]"#),
        (Format::JsonLines, r#"{"username": "alice", "password": "s3cret"}"#),
    ] {
        let expected = plainly(format, file);
        assert!(expected[0].ends_with(" alice password=s3cret"), "{expected:?}");
        for file in [file, &format!("\u{feff}{file}")] {
            let slowly = read(&Reader::new(format), Bytes(file.as_bytes()));
            assert_eq!(in_words(slowly), expected, "{file:?}");
            assert_eq!(plainly(format, file), expected, "{file:?}");
        }
    }
}

#[test]
fn endless_record_is_read_up_to_limit() {
    // Much less than the real limit, which takes seconds to read.
    const LIMIT: usize = 1 << 20;
    const BUFFER: usize = 1 << 16;

    let reader = |format| Reader::new(format).max_bytes(LIMIT);
    let alice = r#"{"username": "alice"}"#;
    for (format, start, endless, expected) in [
        (Format::Csv, "username\nalice\n\"", b'x', "3"),
        (Format::Json, &format!("[{alice}, \""), b's', "2"),
        (Format::JsonLines, &format!("{alice}\n"), b'\0', "2"),
    ] {
        let mut count = 0;
        let input = start.as_bytes().chain(std::io::repeat(endless));
        let counted = Counted { input, count: &mut count };
        let read = in_words(read(&reader(format), counted));
        let expected = format!(
            "{expected} no record ends within 64 MiB from here; the rest of the file was \
            not read"
        );
        assert_eq!(read.last(), Some(&expected), "{format:?}: {endless}");
        assert!(count > LIMIT && count <= LIMIT + 3 * BUFFER + 512, "{format:?}: {count}");
        assert_eq!(Reader::new(format).max_bytes, MAX_RECORD_BYTES);
    }
    // Other records do not count, and one can be nearly as long.
    let name = "x".repeat(LIMIT - 2 * BUFFER);
    let file = format!("username\n{}", format!("{name}\n").repeat(8));
    let mut count = 0;
    let mut count_good = |record: Result<_, _>| count += usize::from(record.is_ok());
    reader(Format::Csv).read(file.as_bytes(), &mut count_good).unwrap();
    assert_eq!(count, 8);
}

/// Counts what is read.
struct Counted<'a, R> {
    input: R,
    count: &'a mut usize,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(buffer)?;
        *self.count += read;
        Ok(read)
    }
}

#[test]
fn read_error_is_not_an_invalid_record() {
    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("broken"))
        }
    }

    for (format, start) in FORMATS.into_iter().zip(["username\na\nb", "[{}, ", "{}\n"]) {
        let mut count = 0;
        // Longer than what shows the kind of the file.
        let start = format!("{}{start}", "\n".repeat(600));
        let input = start.as_bytes().chain(Broken);
        let error = Reader::new(format).read(input, &mut |_| count += 1).unwrap_err();
        assert_eq!((error.to_string().as_str(), count), ("broken", 1), "{format:?}");
    }
}

#[test]
fn written_file_is_read_back_unchanged() {
    let texts = ["", "a", "é 🙂", "\\", "\\null", "\\\"x\"", "a;b", ";", ",", "\"", " x ", "=1+1"];
    let odd_texts = ["\r\n", "\u{1b}[31m", "\u{202e}", "\u{fffd}", "\u{feff}", "\0", "null"];
    let mut values = vec![StoredText::Null];
    values.extend(texts.into_iter().chain(odd_texts).map(|text| StoredText::Text(text.into())));
    for bytes in [&b""[..], b"a", b"\x00\xff"] {
        values.push(StoredText::Blob(bytes.into()));
    }
    values.push(StoredText::InvalidText(b"a\xff;".into()));

    let mut rows = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let next = |step: usize| values[(index + step) % values.len()].clone();
        rows.push(row(value.clone(), next(1), next(2), vec![next(3), next(4)]));
        rows.push(row(value.clone(), next(5), next(6), vec![next(7)]));
        rows.push(row(value.clone(), next(8), next(9), vec![]));
    }
    for format in FORMATS {
        let read = exactly(format, written(format, true, &rows));
        let read: Vec<_> = read.into_iter().map(|record| record.unwrap()).collect();
        assert_eq!(read.len(), rows.len());
        for (record, row) in read.into_iter().zip(&rows) {
            let Record { username, secret, profile, .. } = record;
            assert_eq!(username, row.username, "{format:?}");
            assert_eq!(secret, Some(Secret::Hash(row.secret.clone())), "{format:?}");
            assert_eq!(profile.given().count(), Profile::FIELDS.len(), "{format:?}");
            assert_eq!(profile.complete(), row.profile, "{format:?}");
        }
    }
}

#[test]
fn locked_accepts_words_for_yes_and_no() {
    for (word, locked) in [
        ("true", true),
        ("TRUE", true),
        ("Yes", true),
        ("1", true),
        ("t", true),
        (" false ", false),
        ("no", false),
        ("0", false),
        ("F", false),
    ] {
        let expected = [format!("2 a locked={locked}")];
        assert_eq!(plainly(Format::Csv, format!("username,locked\na,{word}")), expected);
        assert_eq!(
            plainly(Format::Csv, format!("active,username\n{word},a")),
            [format!("2 a locked={}", !locked)]
        );
        let json = format!(r#"[{{"username": "a", "locked": "{word}"}}]"#);
        assert_eq!(plainly(Format::Json, json), [format!("1 a locked={locked}")]);
    }
    for (value, expected) in [
        ("true", "1 a locked=true"),
        ("0", "1 a locked=false"),
        ("null", "1 a"),
        ("2", "1 user 'a': field 'locked' must be true or false"),
        ("[]", "1 user 'a': field 'locked' must be true or false"),
        ("true, \"active\": false", "1 user 'a': both locked and active are given"),
    ] {
        let line = format!(r#"{{"username": "a", "locked": {value}}}"#);
        assert_eq!(plainly(Format::JsonLines, line), [expected]);
    }
    let both = "username,locked,active\na,,1\nb,0,1\nc,,\nd,maybe,";
    assert_eq!(
        plainly(Format::Csv, both),
        [
            "2 a locked=false",
            "3 user 'b': both locked and active are given",
            "4 c",
            "5 user 'd': field 'locked' must be true or false",
        ]
    );
}

#[test]
fn rows_of_delimiters_only_are_skipped() {
    let file = "username,password\n,\na,s3cret\n, \n,,,,\n\"\",\n";
    assert_eq!(plainly(Format::Csv, file), ["3 a password=s3cret"]);
    // An export may contain a user with only empty values.
    assert_eq!(exactly(Format::Csv, "username,password_hash\n,\n").len(), 1);
}

#[test]
fn json_of_records_has_many_shapes() {
    let record = r#"{"username": "a", "password": "s3cret"}"#;
    let one = "1 a password=s3cret";
    let alone = "2 an array of records must be the only value in its object";
    for (file, expected) in [
        (format!(r#"{{"users": [{record}]}}"#), &[one][..]),
        (format!(r#"{{"data": [{record}, 1]}}"#), &[one, "2 not a JSON object"]),
        (format!(r#"{{"users": [{record}], "b": "s3cret"}}"#), &[one, alone]),
        (r#"{"users": []}"#.to_owned(), &[]),
        (
            r#"{"users": {"a": {"password": "s3cret"}, "b": "s3cret", "c": 1}}"#.to_owned(),
            &[one, "2 b either=s3cret", "3 user 'c': field 'password' is not text"],
        ),
        (
            r#"{"a": {"password": "s3cret", "locked": true, "groups": ["x"]}}"#.to_owned(),
            &["1 a password=s3cret groups=x locked=true"],
        ),
        // A user with this name.
        (r#"{"users": {"password": "s3cret"}}"#.to_owned(), &["1 users password=s3cret"]),
        (
            r#"{"users": "s3cret", "a": {"pass": "s3cret"}}"#.to_owned(),
            &[
                "1 users either=s3cret",
                &format!("2 user 'a': unknown field 'pass': use {}", fields()),
            ],
        ),
        (r#"{"a": {"username": "b"}}"#.to_owned(), &["1 user 'a': duplicate field 'username'"]),
        (
            r#"{"a": {"language": "x", "language": "y"}}"#.to_owned(),
            &["1 user 'a': duplicate field 'language'"],
        ),
    ] {
        assert_eq!(plainly(Format::Json, &file), expected, "{file}");
    }
}

#[test]
fn guessed_json_is_detected_as_json_lines() {
    let [a, b] = ["a", "b"].map(|name| format!(r#"{{"username": "{name}"}}"#));
    for (file, format, count) in [
        (format!("{a}\n{b}\n"), Format::JsonLines, 2),
        (format!("\u{feff}\n{a}\r\n\r\n{b}"), Format::JsonLines, 2),
        (format!("{a}\nx"), Format::JsonLines, 1),
        (format!("[{a},\n{b}]"), Format::Json, 2),
        (format!("[{a}]\n[{b}]"), Format::Json, 1),
        ("{\"a\":\n\"s3cret\",\n\"b\":\"s3cret\"}".to_owned(), Format::Json, 2),
        ("{\"a\": \"s3cret\"}\n\n".to_owned(), Format::Json, 1),
        (String::new(), Format::Json, 0),
        ("\n\n".to_owned(), Format::Json, 0),
    ] {
        let mut good = 0;
        let reader = Reader::new(Format::Json).guessed(true);
        for input in [&mut file.as_bytes() as &mut dyn Read, &mut Bytes(file.as_bytes())] {
            good = 0;
            let read = reader.read(input, &mut |record| good += usize::from(record.is_ok()));
            assert_eq!(read.unwrap().format, InputFormat::from(format), "{file:?}");
        }
        assert_eq!(good, count, "{file:?}");
        let strictly = Reader::new(Format::Json).read(file.as_bytes(), &mut |_| ()).unwrap();
        assert_eq!(strictly.format, InputFormat::Json);
    }
}
