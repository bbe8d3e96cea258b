use crate::transfer::Format::Csv;
use crate::transfer::fields;
use crate::transfer::tests::{exactly, others, plainly, row, stored, written};
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
        ("username\ra\rb\r", ["2 a", "3 b"]),
        ("username\r\na\n\rb\r\n", ["2 a", "4 b"]),
        ("username\r\"a\r\r1\"\rb", ["2 a\\u{d}\\u{d}1", "5 b"]),
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
    for file in ["", "\n\n"] {
        assert_eq!(plainly(Csv, file), ["1 the file is empty"], "{file:?}");
    }
    for file in ["username", "username,password\r\n\r\n"] {
        assert_eq!(plainly(Csv, file), [""; 0], "{file:?}");
    }
}

#[test]
fn header_is_required_and_checked_first() {
    let no_header = "no `username` column in the header row";
    let unknown = format!("unknown field 'Passw\\u{{1b}}': use {}", fields());
    for (file, expected) in [
        // Without a header, the first line is a user, whose password must not be shown.
        ("alice,s3cret\nbob,s3cret2", format!("1 {no_header}")),
        ("\nalice,s3cret", format!("2 {no_header}")),
        ("alice,s3cret,active\nbob,s3cret2,locked", format!("1 {no_header}")),
        ("alice,password,s3cret", format!("1 {no_header}")),
        (
            "User;Password;Groups\nalice;s3cret;",
            format!("1 {no_header}; it has 'User', 'Password', 'Groups'"),
        ),
        ("username,,password\nalice,s3cret,", "2 a cell is in a column without a name".into()),
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
    assert_eq!(first.profile.groups, Some(vec![StoredText::Text("a;b".into()), StoredText::Null]));
    let second = exact[1].as_ref().unwrap();
    assert_eq!(second.username, StoredText::Text("\0".into()));
    assert_eq!(second.secret, Some(stored(StoredText::Text(String::new()))));
    assert_eq!(
        second.profile.groups,
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
    let (names, nulls) = (others(|name| format!(",{name}")), others(|_| ",\\null".to_owned()));
    let with_others = |text: &str| {
        let text = text.replace(",locked", &format!("{names},locked"));
        text.replace(",false", &format!("{nulls},false"))
    };
    assert_eq!(written(Csv, true, &rows), with_others(expected));
    let without = "username,language,groups,locked\n=1+1, -2 ,x;y z,false\n";
    assert_eq!(written(Csv, false, &rows[..1]), with_others(without));
    let header = "username,password_hash,language,groups,locked\n";
    assert_eq!(written(Csv, true, &[]), with_others(header));
}
