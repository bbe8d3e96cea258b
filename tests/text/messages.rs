//! docs/messages.md: every message of the program and the library, for review. The file is written by
//! `SNAPSHOTS=overwrite cargo test --test text`.
//!
//! Messages are string literals in src, outside of tests. A literal counts as a message if it has two
//! words, or is the argument of a function that shows it. SQL, `expect`, `panic!` and lint reasons do
//! not count. The limits of this:
//!
//! - The kind of a message is a guess, from the code before the literal.
//! - A message that is put together from parts is listed in parts.
//! - A message of one word in an unknown place is missing: `write!(f, "locked")`.
//! - Doc comments that are help, and the errors of clap, SQLite and PostgreSQL, are missing.

use std::fmt::Write;
use std::path::Path;

use snapbox::{IntoData, assert_data_eq, file};

use crate::files;

const INTRODUCTION: &str = "<!-- Generated: `SNAPSHOTS=overwrite cargo test --test text` -->

# Messages

Every message of the program and the library, by file, and by function, type or constant. `{…}`
stands for a value. The kinds are guesses from the code around. Help texts are not listed: see
`dash-users help`.
";

/// Code before a literal, in the same statement or match arm, and the kind of message that follows it.
/// The nearest counts.
const KINDS: [(&str, &str); 17] = [
    ("#[error(", "error"),
    ("Failure::new(", "error"),
    ("Err(", "error"),
    ("context(", "error"),
    ("Error", "error"),
    ("message", "error"),
    ("reason", "error"),
    ("Raises(", "error"),
    ("Unsupported(", "error"),
    ("OverLimit(", "error"),
    ("NeverMatches(", "error"),
    ("hint", "hint"),
    (".note(", "note"),
    (".warn(", "warning"),
    ("warnings", "warning"),
    (".confirm(", "question"),
    ("ask_hidden(", "question"),
];

/// Files and the beginnings of functions, with messages of one kind.
const FUNCTIONS: [(&str, &str, &str); 5] = [
    ("src/check.rs", "", "finding"),
    ("src/bin/dash-users/commands/check.rs", "hint", "hint"),
    ("src/bin/dash-users/exit.rs", "of_", "hint"),
    ("src/bin/dash-users/exit.rs", "code_and_hint", "hint"),
    ("src/bin/dash-users/commands.rs", "schema_warnings", "warning"),
];

/// Functions whose argument is a message, however short.
const SHOWING: [&str; 8] = [
    "#[error(",
    ".hint(",
    ".note(&format!(",
    ".note(",
    ".warn(",
    "ask_hidden(",
    "help_heading = ",
    "Failure::new(Code::Interrupted, ",
];

/// What is for developers only.
const NOT_SHOWN: [&str; 10] = [
    ".expect(",
    "unreachable!(",
    "panic!(",
    "assert!(",
    "debug_assert!(",
    "reason = ",
    "env::var(",
    "include_str!(",
    "#[doc = ",
    "must_use = ",
];

/// Words that SQL begins with.
const SQL: [&str; 32] = [
    "SELECT",
    "DO",
    "ROLLBACK",
    "ROLLBACK;",
    "SAVEPOINT",
    "START",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "DROP",
    "ALTER",
    "PRAGMA",
    "BEGIN",
    "LOCK",
    "COPY",
    "ATTACH",
    "REVOKE",
    "GRANT",
    "WHERE",
    "FROM",
    "AND",
    "ORDER",
    "VALUES",
    "CASE",
    "WITH",
    "REFERENCES",
    "EXPLAIN",
    "UNION",
    "SHOW",
    "FOR",
    "SET",
];

/// What is in SQL, and in lists of its columns.
const IN_SQL: [&str; 8] = [
    "SET CONSTRAINTS",
    "SET LOCAL",
    " IS NULL",
    " AS ",
    " JOIN ",
    " NOT NULL, ",
    "username, ",
    "encode(",
];

/// Files without messages, in which literals look like some.
const NO_MESSAGES: [&str; 2] =
    ["src/bin/dash-users/complete/scripts.rs", "src/users/no_password.rs"];

/// A string literal, and where it is.
struct Literal {
    text: String,
    /// The function, type or constant.
    item: String,
    /// Its code before the literal, with nothing in the quotes.
    before: String,
}

/// The literals of Rust code.
fn literals(code: &str) -> Vec<Literal> {
    let mut literals = Vec::new();
    let mut item = String::new();
    let mut before = String::new();
    let mut rest = code;
    while let Some(c) = rest.chars().next() {
        let hashes = rest[c.len_utf8()..].chars().take_while(|c| *c == '#').count();
        let is_raw = c == 'r' && rest[1 + hashes..].starts_with('"') && !ends_in_word(&before);
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if c == '"' || is_raw {
            let (text, after) = if is_raw { raw(rest, hashes) } else { quoted(&rest[1..]) };
            literals.push(Literal { text, item: item.clone(), before: before.clone() });
            before += "\"\"";
            rest = after;
        } else if let Some(length) = character(rest) {
            before += "' '";
            rest = &rest[length..];
        } else if let Some(name) = begins_item(&code[..code.len() - rest.len()], rest) {
            name.clone_into(&mut item);
            before.clear();
            rest = &rest[rest.find(name).unwrap() + name.len()..];
        } else {
            if !(c.is_whitespace() && before.ends_with(' ')) {
                before.push(if c.is_whitespace() { ' ' } else { c });
            }
            rest = &rest[c.len_utf8()..];
        }
    }
    literals
}

/// The name of a function that begins here, or that of a type or constant, which does not stand within
/// a function.
fn begins_item<'a>(before: &str, code: &'a str) -> Option<&'a str> {
    let is_outside = || !before.rsplit('\n').next().unwrap_or_default().starts_with(' ');
    let keyword = ["fn ", "struct ", "enum ", "const ", "static "]
        .into_iter()
        .find(|keyword| code.starts_with(keyword))?;
    // The lifetime `'static` is none.
    if ends_in_word(before) || before.ends_with('\'') || (keyword != "fn " && !is_outside()) {
        return None;
    }
    let name = code[keyword.len()..].split(|c: char| c != '_' && !c.is_alphanumeric()).next()?;
    // `const fn`, and the type `fn (…)`.
    (!name.is_empty() && name != "fn").then_some(name)
}

fn ends_in_word(text: &str) -> bool {
    text.ends_with(|c: char| c == '_' || c.is_alphanumeric())
}

/// A raw literal: its text, and the code after it.
fn raw(code: &str, hashes: usize) -> (String, &str) {
    let (_, inner) = code.split_once('"').expect("its start");
    let (text, rest) = inner.split_once(&format!("\"{}", "#".repeat(hashes))).expect("its end");
    (text.to_owned(), rest)
}

/// A literal without its first quote: its text, and the code after it.
fn quoted(code: &str) -> (String, &str) {
    let mut text = String::new();
    let mut chars = code.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '"' => return (text, &code[index + 1..]),
            '\\' => match chars.next().expect("an escape") {
                (_, c @ ('"' | '\\' | '\'')) => text.push(c),
                // The line goes on behind the blanks of the next one.
                (next, '\n') => {
                    let blanks = code[next..].len() - code[next..].trim_start().len();
                    chars.by_ref().take(blanks - 1).for_each(drop);
                }
                (_, c) => text.extend(['\\', c]),
            },
            c => text.push(c),
        }
    }
    panic!("a literal without an end: {text}");
}

/// The length of a character literal, which a lifetime is not.
fn character(code: &str) -> Option<usize> {
    let inner = code.strip_prefix('\'')?;
    if inner.starts_with('\\') {
        return Some(3 + inner[2..].find('\'')?);
    }
    let length = inner.chars().next()?.len_utf8();
    inner[length..].starts_with('\'').then_some(length + 2)
}

/// The kind of message that a literal is; none if it is none.
fn kind(file: &str, literal: &Literal) -> Option<&'static str> {
    let Literal { text, item, before } = literal;
    let before = before.trim_end();
    if NOT_SHOWN.iter().any(|end| before.ends_with(end.trim_end())) {
        return None;
    }
    let is_shown = SHOWING.iter().any(|end| before.ends_with(end.trim_end()));
    let words = text.split(|c: char| c.is_whitespace()).filter(|word| {
        word.chars().filter(|c| c.is_alphabetic()).count() > 1
            && !(word.starts_with('{') && word.ends_with('}'))
    });
    let first = text.split(|c: char| !c.is_alphabetic()).find(|word| !word.is_empty());
    let is_sql = first.is_some_and(|word| SQL.contains(&word))
        || IN_SQL.iter().any(|part| text.contains(part));
    if !is_shown && (words.count() < 2 || is_sql) {
        return None;
    }
    let is_of = |(path, name, _): &&(&str, &str, _)| *path == file && item.starts_with(name);
    if let Some((_, _, kind)) = FUNCTIONS.iter().find(is_of) {
        return Some(kind);
    }
    let statement = before.rsplit("; ").next().unwrap_or_default();
    let statement = statement.rsplit(" => ").next().unwrap_or_default();
    let found = KINDS.iter().filter_map(|(code, kind)| Some((statement.rfind(code)?, *kind)));
    let nearest = found.max_by_key(|(index, _)| *index).map(|(_, kind)| kind);
    Some(nearest.unwrap_or(if item == "fmt" { "error" } else { "text" }))
}

/// The messages in a file of code, as a block for people.
fn block(file: &str, code: &str) -> String {
    let end =
        ["\n#[cfg(test)]\nmod tests", "\n#[test]\n"].iter().filter_map(|tests| code.find(tests));
    let code = &code[..end.min().unwrap_or(code.len())];
    let mut block = String::new();
    let mut last = None;
    for literal in literals(code) {
        let Some(kind) = kind(file, &literal) else { continue };
        let item = literal.item;
        if last.as_ref() != Some(&item) {
            writeln!(block, "{item}").unwrap();
        }
        last = Some(item);
        for (index, line) in literal.text.lines().enumerate() {
            let kind = if index == 0 { kind } else { "" };
            writeln!(block, "  {kind:9}{line}").unwrap();
        }
    }
    block
}

#[test]
fn messages_page_is_up_to_date() {
    let mut page = INTRODUCTION.to_owned();
    for (file, code) in files::read("src") {
        let is_code = Path::new(&file).extension().is_some_and(|extension| extension == "rs");
        if !is_code || file.ends_with("/tests.rs") || NO_MESSAGES.contains(&&*file) {
            continue;
        }
        let block = block(&file, &code);
        if !block.is_empty() {
            write!(page, "\n## {file}\n\n```text\n{block}```\n").unwrap();
        }
    }
    assert_data_eq!(page.raw(), file!["../../docs/messages.md": Text].raw());
}

#[test]
fn literals_are_found_in_code() {
    let code = r##"
enum Error { #[error("one {0} \"two\"")] One } // "none"
        fn first<'a>() { let c = '"'; r#"raw "text""#; b'\''; "three \
            four" }
        fn second() { "five\n" }
    "##;
    let found = literals(code);
    let found: Vec<_> = found.iter().map(|found| (&*found.item, &*found.text)).collect();
    assert_eq!(
        found,
        [
            ("Error", "one {0} \"two\""),
            ("first", "raw \"text\""),
            ("first", "three four"),
            ("second", "five\\n"),
        ]
    );
}

#[test]
fn kinds_are_guessed_from_code() {
    let cases = [
        (r#"#[error("bad")]"#, Some("error")),
        (r#"Failure::new(Code::Failed, "it does not exist")"#, Some("error")),
        (r#"Failure::new(code, message).hint("write it")"#, Some("hint")),
        (r#"output.note("done")"#, Some("note")),
        (r#"output.warn(&format!("{file}: not so good"))"#, Some("warning")),
        (r#"x.push("some text")"#, Some("text")),
        (r#"x.push("word")"#, None),
        (r#"x.query("SELECT name FROM users")"#, None),
        (r#"x.expect("it is there")"#, None),
        (r#"#[expect(lint, reason = "it is so")]"#, None),
    ];
    for (code, expected) in cases {
        assert_eq!(kind("x.rs", &literals(code)[0]), expected, "{code}");
    }
}
