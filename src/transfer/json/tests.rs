//! What is read from JSON and JSON Lines, and written as such.

use crate::transfer::Format::{Json, JsonLines};
use crate::transfer::fields;
use crate::transfer::tests::{exactly, others, plainly, row, stored, written};
use crate::user::StoredText;

#[test]
fn array_and_lines_have_records() {
    let records = [
        r#"{"username": "alice", "password": "s3cret", "language": "fr", "groups": ["a;b", ""]}"#,
        r#"{"password_hash": "!", "username": "b\u00f6b \ud83d\ude42"}"#,
        r#"{"username": "zoe", "groups": []}"#,
    ];
    let of = |positions: [u64; 3]| {
        let rest =
            ["alice password=s3cret language=fr groups=a;b+", "böb 🙂 hash=!", "zoe groups="];
        [0, 1, 2].map(|index| format!("{} {}", positions[index], rest[index]))
    };
    let array = format!("[{}]", records.join(",\n\n"));
    assert_eq!(plainly(Json, &array), of([1, 2, 3]));
    assert_eq!(plainly(JsonLines, records.join("\r\n")), of([1, 2, 3]));
    let blank_lines = format!("\n \r\n{}\n", records.join("\n\n\t\n"));
    assert_eq!(plainly(JsonLines, blank_lines), of([3, 6, 9]));
}

#[test]
fn object_has_names_and_passwords_or_hashes() {
    let file = r#"{"alice": "s3cret", "bob": "!x", "": "", "alice": "again"}"#;
    let expected =
        ["1 alice either=s3cret", "2 bob either=!x", "3  either=", "4 alice either=again"];
    assert_eq!(plainly(Json, file), expected);
    let file = r#"{"a": null, "b": ["s3cret"], "c": ["x", {}], "d": 1, "e": "x"}"#;
    let read = plainly(Json, file);
    for (index, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
        let expected = format!("{} user '{name}': field 'password' is not text", index + 1);
        assert_eq!(read[index], expected);
    }
    assert_eq!(read[4], "5 e either=x");
}

#[test]
fn single_record_is_not_names_and_passwords() {
    let lone = "1 this looks like a single record, not an object of usernames and passwords: put \
    it in an array";
    let read = plainly(Json, r#"{"username": "alice", "password": "s3cret"}"#);
    assert_eq!(read, [lone]);
    let read = plainly(Json, r#"{"username": "alice", "groups": ["x"], "password": "s3cret"}"#);
    assert_eq!(read, [lone]);
    let names = plainly(Json, r#"{"username": "s3cret", "alice": "x"}"#);
    assert_eq!(names, ["1 username either=s3cret", "2 alice either=x"]);
    let user = plainly(Json, r#"{"password": "s3cret"}"#);
    assert_eq!(user, ["1 password either=s3cret"]);
    assert_eq!(plainly(JsonLines, r#"{"username": "alice"}"#), ["1 alice"]);
}

#[test]
fn document_without_records_is_empty() {
    for file in ["[]", "{}", " [ ] \n"] {
        assert_eq!(plainly(Json, file), [""; 0], "{file:?}");
    }
    assert_eq!(plainly(JsonLines, "\n\n"), [""; 0]);
}

#[test]
fn null_is_a_missing_field() {
    let record = r#"{"username": "a", "password": null, "password_hash": "!", "language": null,
                     "groups": null}"#;
    assert_eq!(plainly(Json, format!("[{record}]")), ["1 a hash=!"]);
    let read = plainly(JsonLines, r#"{"username": null, "password": "s3cret"}"#);
    assert_eq!(read, ["1 no username"]);
}

#[test]
fn duplicate_field_is_rejected() {
    for (record, expected) in [
        (
            r#""username": "a", "password": "s3cret", "password": "x""#,
            "user 'a': duplicate field 'password'",
        ),
        (r#""username": "a", "username": "b", "password": "s3cret""#, "duplicate field 'username'"),
        (
            r#""language": null, "username": "a", "language": "fr""#,
            "user 'a': duplicate field 'language'",
        ),
    ] {
        let expected = format!("1 {expected}");
        assert_eq!(plainly(JsonLines, format!("{{{record}}}")), [expected.as_str()]);
        assert_eq!(plainly(Json, format!("[{{{record}}}]")), [expected]);
    }
}

#[test]
fn reading_continues_after_invalid_record() {
    let file = r#"[null, "s3cret", ["s3cret"],
        {}, {"password": "s3cret"}, {"username": 1, "password": "s3cret"},
        {"username": "a", "pass\u001b": "s3cret"}, {"pass": "s3cret"},
        {"username": "b", "password": "s3cret", "password_hash": "s3cret"},
        {"username": "c", "password": ["s3cret"]}, {"username": "d", "password_hash": 7},
        {"username": "e", "language": {"s3cret": 1}}, {"username": "f", "groups": "x;y"},
        {"username": "g", "groups": ["x", null]},
        {"username": "h", "password": "s3cret"}]"#;
    let fields = fields();
    let expected = [
        "1 not a JSON object",
        "2 not a JSON object",
        "3 not a JSON object",
        "4 no username",
        "5 no username",
        "6 field 'username' is not text",
        &format!("7 user 'a': unknown field 'pass\\u{{1b}}': use {fields}"),
        &format!("8 unknown field 'pass': use {fields}"),
        "9 user 'b': both password and password_hash are given",
        "10 user 'c': field 'password' is not text",
        "11 user 'd': field 'password_hash' is not text",
        "12 user 'e': field 'language' is not text",
        "13 f groups=x+y",
        "14 user 'g': field 'groups' is not an array of strings",
        "15 h password=s3cret",
    ];
    assert_eq!(plainly(Json, file), expected);
}

#[test]
fn invalid_json_ends_document_with_line_number() {
    let no_records =
        "the document must be an array of records or an object of usernames and passwords";
    for (file, expected) in [
        ("", "1 the file is empty"),
        ("\n\n", "3 the JSON ends unexpectedly"),
        ("[{\"username\": \"a\"},\n{\"password\": \"s3cret", "2 the JSON ends unexpectedly"),
        ("{\"a\": \"s3cret\",\n", "2 the JSON ends unexpectedly"),
        ("s3cret", "1 invalid JSON: expected value, in column 1"),
        ("[\n{\"username\": s3cret}]", "2 invalid JSON: expected value, in column 14"),
        ("[\n\n{s3cret: 1}]", "3 invalid JSON: key must be a string, in column 2"),
        ("[{}]\n s3cret", "2 invalid JSON: trailing characters, in column 2"),
        ("{\"a\": \"s3cret\"}\n{\"b\"", "2 invalid JSON: trailing characters, in column 1"),
        ("[\"s3cret\n\"]", "2 invalid JSON: control character"),
        ("username,password\nalice,s3cret", "1 the file is CSV, not JSON"),
        ("\"s3cret\"", &format!("1 {no_records}")),
        ("null", &format!("1 {no_records}")),
        ("42", &format!("1 {no_records}")),
    ] {
        let read = plainly(Json, file);
        assert!(read.last().unwrap().starts_with(expected), "{file:?}: {read:?}");
    }
    let invalid = plainly(Json, b"[{\"username\": \"a\"},\n{\"username\": \"s3cret\xff\"}]");
    assert_eq!(invalid.len(), 2);
    assert_eq!(invalid[1], "2 the text is not UTF-8");
}

#[test]
fn invalid_json_ends_only_its_line() {
    let file = b"{\"username\": \"a\"\n{\"username\": \"b\"} s3cret\n[\n\n\
        {\"username\": \"s3cret\xff\"}\n[{\"username\": \"c\"}]\r\n{\"username\": \"d\"}";
    let read = plainly(JsonLines, file);
    let expected = [
        "1 the JSON ends unexpectedly",
        "2 invalid JSON: trailing characters, in column 19",
        "3 the JSON ends unexpectedly",
        "5 the text is not UTF-8",
        "6 not a JSON object",
        "7 d",
    ];
    assert_eq!(read, expected);
}

#[test]
fn values_are_exact_only_on_request() {
    let file = r#"[{"username": null, "password_hash": {"blob": "00fF"}, "groups": [null, "a"]},
        {"username": {"text": "ff"}, "password_hash": {"text": "61"}, "language": null},
        {"username": "a", "password": "s3cret", "password_hash": null}]"#;
    let read = exactly(Json, file);
    let first = read[0].as_ref().unwrap();
    assert_eq!(first.username, StoredText::Null);
    assert_eq!(first.secret, Some(stored(StoredText::Blob(vec![0, 0xff]))));
    assert_eq!(first.profile.groups, Some(vec![StoredText::Null, StoredText::Text("a".into())]));
    let second = read[1].as_ref().unwrap();
    assert_eq!(second.username, StoredText::InvalidText(vec![0xff]));
    assert_eq!(second.secret, Some(stored(StoredText::Text("a".into()))));
    assert_eq!(second.profile.language, Some(StoredText::Null));
    assert_eq!(format!("{:?}", read[2].as_ref().unwrap().secret), "Some(Password(Password(…)))");
    let plain = plainly(Json, file);
    assert_eq!(plain[0], "1 no username");
    assert_eq!(plain[1], "2 field 'username' is not text");
}

#[test]
fn invalid_exact_values_are_rejected() {
    for value in [
        r#"{"blob": "0"}"#,
        r#"{"blob": "s3cret"}"#,
        r#"{"blob": 0}"#,
        r#"{"blob": "00", "text": "00"}"#,
        r#"{"Blob": "00"}"#,
        "{}",
        "[]",
        "true",
        "1",
    ] {
        let file = format!("{{\"username\": \"a\", \"password_hash\": {value}}}");
        let error = exactly(JsonLines, file).remove(0).unwrap_err();
        assert_eq!(error.to_string(), "user 'a': field 'password_hash' is not text");
        let file = format!("{{\"username\": \"a\", \"groups\": [{value}]}}");
        let error = exactly(JsonLines, file).remove(0).unwrap_err();
        assert_eq!(error.to_string(), "user 'a': field 'groups' is not an array of strings");
    }
}

#[test]
fn odd_values_are_written_as_objects_and_null() {
    let text = |text: &str| StoredText::Text(text.into());
    let rows = [
        row(text("=1+1"), text("\\"), text("é\u{1b}\u{202e}\""), vec![text("a;b"), text("")]),
        row(
            StoredText::Null,
            StoredText::Blob(vec![0, 255]),
            StoredText::InvalidText(vec![255]),
            vec![StoredText::Blob(vec![])],
        ),
    ];
    let lines = r#"{"username":"=1+1","password_hash":"\\","language":"é\u001b\u202e\"","groups":["a;b",""],"locked":false}
{"username":null,"password_hash":{"blob":"00ff"},"language":{"text":"ff"},"groups":[{"blob":""}],"locked":false}
"#;
    let nulls = others(|name| format!(",\"{name}\":null"));
    let with_others = |text: &str| text.replace(",\"locked", &format!("{nulls},\"locked"));
    let lines = with_others(lines);
    assert_eq!(written(JsonLines, true, &rows), lines);
    let array = format!("[\n{}\n]\n", lines.trim_end().replace('\n', ",\n"));
    assert_eq!(written(Json, true, &rows), array);
    let without =
        r#"{"username":"=1+1","language":"é\u001b\u202e\"","groups":["a;b",""],"locked":false}"#;
    assert_eq!(written(JsonLines, false, &rows[..1]), with_others(without) + "\n");
    assert_eq!(written(Json, true, &[]), "[]\n");
    assert_eq!(written(JsonLines, true, &[]), "");
}
