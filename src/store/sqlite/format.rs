//! Detection of file formats other than SQLite by their first bytes.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The number of bytes to read.
const LENGTH: u64 = 512;

/// The first bytes of formats, and the message for each.
const BEGINNINGS: [(&[u8], &str); 18] = [
    (b"\x1f\x8b", "it is compressed by gzip: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "it is compressed by zstd: unpack it first"),
    (b"\xfd7zXZ\0", "it is compressed by xz: unpack it first"),
    (b"BZh", "it is compressed by bzip2: unpack it first"),
    (b"\x04\x22\x4d\x18", "it is compressed by lz4: unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7-Zip archive: unpack it first"),
    (b"PK\x03\x04", "it is a ZIP archive, or a document in one: unpack it first"),
    (b"version https://git-lfs", "it is a Git LFS pointer: run `git lfs pull` first"),
    (b"PGDMP", "it is a PostgreSQL dump: use pg_restore"),
    (b"age-encryption.org/", "it is encrypted by age: decrypt it first"),
    (b"-----BEGIN PGP", "it is encrypted by OpenPGP: decrypt it first"),
    (b"<!doctype html", "it is a web page: the download went wrong"),
    (b"<html", "it is a web page: the download went wrong"),
    (b"<?xml", "it is XML"),
    (b"pragma foreign_keys", "it is an SQL dump: run `sqlite3 NEW.db < DUMP` to load it"),
    (b"begin transaction", "it is an SQL dump: run `sqlite3 NEW.db < DUMP` to load it"),
    (b"create table", "it is an SQL dump: run `sqlite3 NEW.db < DUMP` to load it"),
    (b"--", "it is SQL"),
];

/// The message for a file, if its format is recognized.
pub(super) fn name(path: &Path) -> Option<&'static str> {
    let mut start = Vec::new();
    File::open(path).ok()?.take(LENGTH).read_to_end(&mut start).ok()?;
    name_of(&start)
}

fn name_of(start: &[u8]) -> Option<&'static str> {
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let begins = |text: &[u8], with: &[u8]| {
        text.get(..with.len()).is_some_and(|text| text.eq_ignore_ascii_case(with))
    };
    let known = BEGINNINGS.iter().find(|(with, _)| begins(start, with) || begins(text, with));
    if let Some((_, said)) = known {
        return Some(said);
    }
    match text {
        [] => None,
        // A key file and an encrypted database look alike.
        [b'{' | b'[', ..] => Some("it is JSON: use `import` or `seed` to read it"),
        _ if start.iter().all(|byte| *byte == 0) => Some("it is filled with zeros"),
        _ if text.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~')) => {
            Some("it is a text file")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_file_formats_are_named() {
        for (start, part) in [
            (&b"\x1f\x8b\x08\0"[..], Some("gzip")),
            (b"version https://git-lfs.github.com/spec/v1\n", Some("Git LFS")),
            (b"\xef\xbb\xbf\r\n<!DOCTYPE html><html>", Some("web page")),
            (b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;", Some("SQL dump")),
            (b"-- PostgreSQL database dump", Some("SQL")),
            (b"PGDMP\x01", Some("pg_restore")),
            (b"{\"alice\": 1}", Some("JSON")),
            (b"username,password\n", Some("text file")),
            (&[0; 512], Some("zeros")),
            (b"", None),
            (b"\x8c\x12\xff\x00", None),
        ] {
            let said = name_of(start);
            let fits = match part {
                Some(part) => said.is_some_and(|said| said.contains(part)),
                None => said.is_none(),
            };
            assert!(fits, "{}: {said:?}", start.escape_ascii());
        }
    }
}
