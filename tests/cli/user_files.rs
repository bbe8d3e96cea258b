//! Files of users as people have them: out of Excel, and of other programs.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{Cursor, Write};
use std::process::Stdio;

use serde_json::json;
use snapbox::str;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::{GOOD, Sandbox, assert_run, empty};

/// A table of two users with other delimiters and line ends.
fn table(delimiter: &str, line_end: &str) -> String {
    let lines = [
        ["username", "password", "language"],
        ["jürgen", GOOD, "de"],
        ["ann", GOOD, ""],
        ["", "", ""],
    ];
    lines.map(|line| line.join(delimiter) + line_end).concat()
}

fn utf_16(text: &str, to_bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to_bytes).collect()
}

/// The names in the database.
fn names(sandbox: &Sandbox) -> Vec<String> {
    let users = sandbox.run(&["list", "--json"]).json();
    users.as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap().into()).collect()
}

fn import(
    name: &str,
    content: impl AsRef<[u8]>,
    options: &[&str],
) -> (Sandbox, crate::support::Run) {
    let sandbox = empty();
    sandbox.write(name, content);
    let run = sandbox.run(&[&["import", name], options].concat());
    (sandbox, run)
}

/// Adds the options of a hint's first command, and asserts that this works.
fn assert_hint_works(sandbox: &Sandbox, stderr: &str) {
    let hint = stderr.lines().find(|line| line.starts_with("hint: ")).expect(stderr);
    let command = hint.split('`').nth(1).expect("a command").trim_start_matches("dash-users ");
    let run = sandbox.shell(&format!("{} {command}", crate::support::PROGRAM)).output().unwrap();
    assert!(run.status.success(), "{command}: {}", String::from_utf8_lossy(&run.stderr));
}

#[test]
fn csv_delimiter_and_encoding_are_detected_and_noted() {
    let marked = format!("\u{feff}{}", table("\t", "\r\n"));
    for (name, content, options, note) in [
        ("a.csv", table(";", "\r\n").into_bytes(), &[][..], "with ';' between cells"),
        ("a.csv", table("\t", "\n").into_bytes(), &[], "with tabs between cells"),
        ("a.csv", table("|", "\r").into_bytes(), &[], "with '|' between cells"),
        ("a.csv", format!("sep=;\r\n{}", table(";", "\r\n")).into(), &[], "with ';' between cells"),
        ("a.txt", utf_16(&marked, u16::to_le_bytes), &[], "as UTF-16LE, with tabs between cells"),
        ("a.txt", utf_16(&marked, u16::to_be_bytes), &[], "as UTF-16BE, with tabs between cells"),
        ("a.tsv", table("\t", "\r\n").into(), &[], ""),
        ("a.csv", table(":", "\n").into(), &["--delimiter", ":"], ""),
        ("a.csv", table("\t", "\n").into(), &["--delimiter", "tab"], ""),
    ] {
        let (sandbox, run) = import(name, content, options);
        assert_eq!(run.status, 0, "{run}");
        assert_eq!(names(&sandbox), ["ann", "jürgen"]);
        let expected = format!("note: read {name} {note}\n");
        let expected = if note.is_empty() { "" } else { &expected };
        assert!(run.stderr.starts_with(&format!("{expected}created ")), "{run}");
    }
}

#[test]
fn text_that_is_not_utf_8_gets_a_hint_that_works() {
    let mut windows = Vec::new();
    for character in table(";", "\r\n").chars() {
        windows.push(u8::try_from(u32::from(character)).unwrap());
    }
    for content in [windows, utf_16(&table(",", "\n"), u16::to_le_bytes)] {
        let (sandbox, run) = import("a.csv", content, &[]);
        assert_eq!(run.status, 7, "{run}");
        assert_hint_works(&sandbox, &run.stderr);
        assert_eq!(names(&sandbox), ["ann", "jürgen"]);
    }
    let (_, run) = import("a.csv", b"\xff\xfeu\0\x00\xd8\n\0x", &[]);
    assert_eq!(run.status, 7, "{run}");
    assert!(run.stderr.contains("a.csv:1: the text is not UTF-16LE"), "{run}");
}

#[test]
fn headers_are_matched_by_letters_only() {
    for header in [
        "Username,Password",
        " username , password",
        "User\u{20}name,PASSWORD",
        "user-name,pass_word",
    ] {
        let (sandbox, run) = import("a.csv", format!("{header}\nann,{GOOD}\n"), &[]);
        assert_eq!((run.status, names(&sandbox)), (0, vec!["ann".to_owned()]), "{run}");
    }
}

#[test]
fn unknown_columns_get_hints_that_work() {
    for (content, options) in [
        (format!("User\u{20}name,E-Mail,Password\nann,x@y,{GOOD}\n"), &[][..]),
        (format!("Login,Password,Language\nann,{GOOD},\n"), &[]),
        (format!(",username,password\n0,ann,{GOOD}\n"), &[]),
        ("username,Team\nann,a;b\n".to_owned(), &["--lock-missing"]),
    ] {
        let (sandbox, run) = import("a.csv", content, options);
        assert_eq!(run.status, 7, "{run}");
        assert_hint_works(&sandbox, &run.stderr);
        assert_eq!(names(&sandbox), ["ann"]);
    }
    let options = ["--column", "groups=Team", "--lock-missing"];
    let (sandbox, run) = import("a.csv", "username,Team,\nann,a;b,\n", &options);
    assert_eq!(run.status, 0, "{run}");
    assert_eq!(sandbox.run(&["show", "ann", "--json"]).json()["groups"], json!(["a", "b"]));
    let (_, run) = import("a.csv", "username,Team\nann,a\n", &["--column", "groups=Squad"]);
    assert!(run.stderr.contains("no column 'Squad' in the header row; it has 'username', 'Team'"));
}

#[test]
fn header_that_may_be_a_user_is_not_shown() {
    let named = ["--column", "username=ann"];
    for (file, options) in [
        ("ann,s3cret,de\n", &[][..]),
        ("ann;s3cret;active\n", &[]),
        ("ann,password,s3cret\n", &[]),
        ("ann,locked,active,groups,s3cret\n", &[]),
        ("s3cret\n", &[]),
        ("ann,s3cret,de\nben,s3cret,de\n", &named),
        ("ann,s3cret\n", &["--column", "groups=x", "--column", "username=ann"]),
    ] {
        let (_, run) = import("a.csv", file, options);
        assert_eq!(run.status, 7, "{run}");
        assert!(!run.stderr.contains("s3cret"), "{run}");
    }
    let (_, run) =
        import("a.csv", "ann,s3cret\nben,x\n", &[&named[..], &["--ignore-unknown"]].concat());
    assert!(!run.stderr.contains("s3cret"), "{run}");
    let (_, run) = import("a.csv", "login,password,e-mail\n", &[]);
    assert!(!run.stderr.contains("it has"), "{run}");
    let (_, run) = import("a.csv", "login,password,groups\n", &[]);
    assert!(run.stderr.contains("it has 'login', 'password', 'groups'"), "{run}");
}

#[test]
fn bad_username_is_shown_up_to_a_delimiter() {
    for delimiter in [":", ";", "\t", "|"] {
        let file = format!("username\nann{delimiter}s3cret\n");
        let (_, run) = import("a.csv", file, &["--delimiter", ","]);
        assert_eq!(run.status, 7, "{run}");
        assert!(run.stderr.contains("a.csv:2: user 'ann…': "), "{run}");
        assert!(!run.stderr.contains("s3cret"), "{run}");
    }
}

#[test]
fn hint_does_not_repeat_the_encoding() {
    let file = b"\xef\xbb\xbfusername,password\nj\xfcrgen,x\n";
    let (_, run) = import("a.csv", file, &["--encoding", "windows-1252"]);
    assert_eq!(run.status, 7, "{run}");
    assert!(!run.stderr.contains("--encoding"), "{run}");
}

#[test]
fn misspelled_fields_are_never_ignored() {
    for (header, field) in [
        ("pasword", "password"),
        ("Passwords", "password"),
        ("pass_word_hsh", "password_hash"),
        ("loked", "locked"),
        ("is-locked", "locked"),
        ("Disabled", "locked"),
        ("inactive", "locked"),
        ("actve", "active"),
        ("enabled", "active"),
        ("is_active", "active"),
    ] {
        let json = json!([{"username": "ann", header: "0"}]).to_string();
        for (name, content) in
            [("a.csv", format!("username,{header},x\nann,0,\n")), ("a.json", json)]
        {
            for options in [&["--lock-missing"][..], &["--lock-missing", "--ignore-unknown"]] {
                let (_, run) = import(name, &content, options);
                assert_eq!(run.status, 7, "{run}");
                assert!(run.stderr.contains(&format!("'{header}'")), "{run}");
                let (_, hint) =
                    run.stderr.split_once("hint: name the field, as in ").expect(header);
                assert!(hint.contains(&format!("--column {field}={header}`")), "{run}");
            }
        }
    }
    let options = ["--lock-missing", "--ignore-unknown"];
    let json = json!([{"username": "ann", "email": 1, "Surname": 2}]).to_string();
    for (name, content, note) in [
        (
            "a.csv",
            "username,Surname,email,\nann,0,,\n",
            "note: ignored columns: 'Surname', 'email'\n",
        ),
        ("a.json", &json, "note: ignored keys: 'Surname', 'email'\n"),
    ] {
        let (_, run) = import(name, content, &options);
        assert_eq!((run.status, run.stderr.matches(note).count()), (0, 1), "{run}");
    }
}

#[test]
fn options_of_columns_are_checked() {
    for (options, message) in [
        (["--column", "role=x"], "the fields are username, password,"),
        (["--column", "username"], "use FIELD=HEADER"),
        (["--encoding", "x"], "not a known encoding"),
        (["--delimiter", "ab"], "use one ASCII character"),
    ] {
        let (_, run) = import("a.csv", "username\nann\n", &options);
        assert_eq!(run.status, 2, "{run}");
        assert!(run.stderr.contains(message), "{run}");
    }
}

#[test]
fn json_of_other_programs_is_imported_with_options() {
    let superset = r#"[{"username": "x", "email": "x@y", "roles": ["Public"]}]"#;
    let keycloak = r#"[{"username": "x", "enabled": true, "groups": "Public",
        "credentials": [{"type": "password", "value": "s3cret"}]}]"#;
    let auth0 =
        "{\"Id\": 1, \"Nickname\": \"x\", \"Groups\": [\"Public\"]}\n{\"Nickname\": \"y\"}\n";
    for (file, column) in
        [(superset, "groups=roles"), (keycloak, "active=enabled"), (auth0, "username=nickname")]
    {
        let options = ["--ignore-unknown", "--column", column, "--lock-missing"];
        let (sandbox, run) = import("a.json", file, &options);
        assert_eq!(run.status, 0, "{run}");
        assert_eq!(sandbox.run(&["show", "x", "--json"]).json()["groups"], json!(["Public"]));
    }
    let (_, run) = import("a.json", superset, &["--ignore-unknown", "--column", "groups=teams"]);
    assert!(run.stderr.contains("no record has a field 'teams'"), "{run}");
}

#[test]
fn json_output_reports_what_was_detected() {
    let (_, run) = import("a.csv", table(";", "\n"), &["--json"]);
    let read_as = &run.json()["read_as"];
    assert_eq!((&read_as["delimiter"], &read_as["encoding"]), (&json!(";"), &json!("UTF-8")));
    let dictionary = json!({"ann": GOOD, "ben": crate::support::SECRET123}).to_string();
    let (_, run) = import("a.json", dictionary, &["--json"]);
    let read_as = &run.json()["read_as"];
    assert_eq!((&read_as["hashes"], &read_as["passwords"]), (&json!(1), &json!(1)));
}

#[test]
fn htpasswd_gives_names_only() {
    let file = "# staff\nann:$apr1$x$s3cret\n\nbob:$2y$05$s3cret\ncarl:{SHA}s3cret:autocreated\n";
    let (sandbox, run) = import(".htpasswd", file, &[]);
    assert_run!(
        run,
        str![[r#"
status 7
-- stderr
note: read only the names in .htpasswd: werkzeug cannot verify the hashes of htpasswd
.htpasswd:2: user 'ann': no password or password_hash
.htpasswd:4: user 'bob': no password or password_hash
.htpasswd:5: user 'carl': no password or password_hash
error: 3 bad records in .htpasswd; nothing was changed
hint: `dash-users import .htpasswd --generate-missing passwords.csv`

"#]]
    );
    let run = sandbox.run(&["import", ".htpasswd", "--generate-missing", "passwords.csv"]);
    assert_eq!((run.status, names(&sandbox)), (0, vec!["ann".into(), "bob".into(), "carl".into()]));
    let (sandbox, run) = import("a.csv", file.trim_start_matches("# staff\n"), &[]);
    assert!(run.stderr.contains("a.csv:1: the file is an htpasswd file, not CSV"), "{run}");
    assert_hint_works(&sandbox, &run.stderr);
}

#[test]
fn file_of_another_kind_is_named() {
    let workbook = workbook(&[("sheet1", SHEET)], "");
    for (name, content, kind) in [
        ("a.csv", workbook.as_slice(), "an .xlsx workbook or another ZIP archive, not CSV"),
        ("a.csv", b"\x1f\x8b\x08", "a gzip file, not CSV"),
        ("a.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook"),
        ("a.csv", b"SQLite format 3\0", "a SQLite database, not a file of users"),
        ("a.csv", b"\n <!DOCTYPE html>", "an HTML or XML document, not CSV"),
        ("a.csv", b"[{\"username\": \"ann\"}]", "JSON, not CSV"),
        ("a.json", b"username;password\nann;s3cret", "CSV, not JSON"),
        ("a.xlsx", b"username,password\nann,s3cret", "text, not an .xlsx workbook"),
        (
            "a.xlsx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "one with a password, not an .xlsx workbook",
        ),
        ("a.csv", b"", "is empty"),
        ("a.json", b"", "is empty"),
        ("a.csv", b"\r\n\r\n", "is empty"),
    ] {
        let (_, run) = import(name, content, &[]);
        assert_eq!(run.status, 7, "{run}");
        assert!(run.stderr.contains(kind) && !run.stderr.contains("s3cret"), "{kind}: {run}");
    }
    for name in ["a.xls", "a.ods", "a.numbers"] {
        let (_, run) = import(name, "", &[]);
        assert_eq!(run.status, 2, "{run}");
        assert!(run.stderr.contains("hint: save it as .xlsx or CSV"), "{run}");
    }
}

#[test]
fn bad_quote_is_reported_where_it_opens() {
    for (file, expected) in [
        ("a,x\nb,\"s3cret\nc,x\n", "3: a quote that opens here is never closed"),
        ("a,x\nb,\"s3cret\nc,\"x\"\nd,x\n", "3: a quote that opens here is never closed"),
        ("a,x\nb,\"s3\"cret\n", "3: text after a closing quote"),
        ("a,x\nb, \"s3cret\"\n", "3: whitespace before an opening quote"),
    ] {
        let (_, run) = import("a.csv", format!("username,password\n{file}"), &["--allow-weak"]);
        assert_eq!(run.status, 7, "{run}");
        assert!(run.stderr.contains(&format!("a.csv:{expected}")), "{run}");
        assert!(!run.stderr.contains("s3"), "{run}");
    }
}

#[test]
fn pipe_directory_and_growing_file_are_read_or_refused() {
    let sandbox = empty();
    fs::create_dir(sandbox.path("a.csv")).unwrap();
    let run = sandbox.run(&["import", "a.csv"]);
    assert_eq!((run.status, run.stderr.contains("a directory")), (1, true), "{run}");

    let import = format!("{} import pipe.csv --lock-missing", crate::support::PROGRAM);
    let script = format!("mkfifo pipe.csv; (printf 'username\\nann\\n' >pipe.csv &) && {import}");
    assert!(sandbox.shell(&script).output().unwrap().status.success());
    assert_eq!(names(&sandbox), ["ann"]);

    // Large enough that it grows before its end is read.
    sandbox.write("growing.csv", "username\n".to_owned() + &"ann\n".repeat(200_000));
    let mut file = OpenOptions::new().append(true).open(sandbox.path("growing.csv")).unwrap();
    let mut command = sandbox.command(&["import", "growing.csv", "--dry-run"]);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    while child.try_wait().unwrap().is_none() {
        file.write_all(b"ann\n").unwrap();
    }
    let run = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(run.stderr).unwrap();
    assert!(stderr.contains("growing.csv: it changed while it was read"), "{stderr}");
}

/// A sheet as Excel writes it, with a header in the second row and from column B.
const SHEET: &str = r#"<row r="2"><c r="B2" t="s"><v>0</v></c><c r="C2" t="inlineStr"><is><t>Password</t></is></c><c r="D2" t="str"><f>LOWER("LOCKED")</f><v>locked</v></c></row>
<row r="3"/><row r="4"><c r="B4" t="s"><v>1</v></c><c r="C4" t="s"><v>2</v></c><c r="D4" t="b"><v>1</v></c></row>"#;

fn workbook(sheets: &[(&str, &str)], state: &str) -> Vec<u8> {
    let texts = format!(
        "<si><t>User&#32;name</t></si><si><t>J&#252;rgen &amp; co</t></si><si><r><t xml:space=\"preserve\">{GOOD} </t></r><r><t>_x0021_</t></r></si>"
    );
    workbook_sharing(sheets, state, &texts)
}

fn workbook_sharing(sheets: &[(&str, &str)], state: &str, texts: &str) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |name: &str, content: String| {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    };
    let (mut list, mut links) = (String::new(), String::new());
    for (index, (name, rows)) in sheets.iter().enumerate() {
        let state = if index == 0 { state } else { "" };
        write!(list, r#"<sheet name="{name}" sheetId="1" {state} r:id="rId{index}"/>"#).unwrap();
        write!(links, r#"<Relationship Id="rId{index}" Type="http://x/worksheet" Target="/xl/worksheets/{name}.xml"/>"#
        ).unwrap();
        let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
        add(&format!("xl/worksheets/{name}.xml"), sheet);
    }
    links += r#"<Relationship Id="s" Type="http://x/sharedStrings" Target="sharedStrings.xml"/>"#;
    add("xl/workbook.xml", format!("<workbook><sheets>{list}</sheets></workbook>"));
    add("xl/_rels/workbook.xml.rels", format!("<Relationships>{links}</Relationships>"));
    add("xl/sharedStrings.xml", format!("<sst>{texts}</sst>"));
    zip.finish().unwrap().into_inner()
}

#[test]
fn workbook_is_read_from_its_first_visible_sheet() {
    let hidden = workbook(&[("sheet1", ""), ("sheet2", SHEET)], r#"state="hidden""#);
    for (content, note) in [
        (workbook(&[("sheet1", SHEET)], ""), ""),
        (hidden, "note: read the sheet 'sheet2' of team.xlsx, one of 2\n"),
    ] {
        let (sandbox, run) = import("team.xlsx", content, &[]);
        assert_eq!(run.status, 0, "{run}");
        assert!(run.stderr.starts_with(&format!("{note}created ")), "{run}");
        assert_eq!(names(&sandbox), ["Jürgen & co"]);
        assert_eq!(sandbox.run(&["unlock", "Jürgen & co"]).status, 0);
        let verify = ["verify", "Jürgen & co", "--password-stdin"];
        assert_eq!(sandbox.run_with(format!("{GOOD} !"), &verify).status, 0);
    }
}

#[test]
fn workbook_cell_that_is_not_text_is_named() {
    let header = r#"<row><c t="inlineStr"><is><t>username</t></is></c><c t="inlineStr"><is><t>password</t></is></c></row>"#;
    let ann = r#"<c t="inlineStr"><is><t>ann</t></is></c>"#;
    for (row, expected) in [
        (
            "<row><c><v>12</v></c></row>".to_owned(),
            "cell A2 (username) is a number or a date, not text",
        ),
        (format!(r#"<row r="3">{ann}<c><v>0123</v></c></row>"#), "cell B3 (password) is a number"),
        (
            format!("<row>{ann}<c><f>A1</f><v/></c></row>"),
            "cell B2 (password) is a formula without",
        ),
        (
            format!(r#"<row>{ann}<c t="str"><f>A2&amp;"1"</f><v>s3cret</v></c></row>"#),
            "cell B2 (password) is the result of a formula, not text",
        ),
        (
            format!(r#"<row>{ann}<c r="AB2"><v>1</v></c></row>"#),
            "cell AB2 is in a column without a name",
        ),
        (format!("<row>{ann}"), "cannot read the workbook: its XML is invalid"),
        (
            "<row r=\"4294967296\"/>".to_owned(),
            "cannot read the workbook: a row has a wrong number",
        ),
    ] {
        let sheet = format!("{header}{row}");
        let (_, run) = import("team.xlsx", workbook(&[("sheet1", &sheet)], ""), &[]);
        assert_eq!(run.status, 7, "{run}");
        assert!(run.stderr.contains(expected), "{expected}: {run}");
    }
    let (_, run) = import("team.xlsx", b"PK\x03\x04", &[]);
    assert!(run.stderr.contains("cannot read the workbook: the archive is damaged"), "{run}");
}

#[test]
fn workbook_that_unpacks_to_too_much_is_refused() {
    let bomb = workbook(&[("sheet1", &" ".repeat(130 << 20))], "");
    assert!(bomb.len() < 1 << 20);
    let (_, run) = import("team.xlsx", bomb, &[]);
    assert_eq!(run.status, 7, "{run}");
    assert!(run.stderr.contains("larger than 64 MiB, or than 128 MiB unpacked"), "{run}");
}

#[test]
fn workbook_with_long_shared_texts_is_refused() {
    let header = r#"<row><c t="s"><v>0</v></c></row>"#;
    let many = r#"<c t="s"><v>1</v></c>"#.repeat(16_000);
    let inline = |length| format!("<c t=\"inlineStr\"><is><t>{}</t></is></c>", "é".repeat(length));
    let text = |length| format!("<si><t>username</t></si><si><t>{}</t></si>", "x".repeat(length));
    for (sheet, texts, expected) in [
        (format!("{header}<row>{many}</row>"), text(1 << 20), "shared text 2 has more than 32,767"),
        (format!("{header}<row>{many}</row>"), text(32_767), "no record ends within 64 MiB"),
        (format!("<row>{many}</row>"), text(32_767), "no record ends within 64 MiB"),
        (format!("{header}<row>{}</row>", inline(32_768)), text(1), "cell A2 has more than 32,767"),
        (format!("{header}<row>{}</row>", inline(32_767)), text(1), "longer than 255 bytes"),
    ] {
        let (_, run) =
            import("team.xlsx", workbook_sharing(&[("sheet1", &sheet)], "", &texts), &[]);
        assert_eq!(run.status, 7, "{run}");
        assert!(run.stderr.contains(expected), "{expected}: {run}");
    }
}
