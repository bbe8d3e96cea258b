//! The layers that programs, shells and spreadsheets add around a hash, and their removal.

use base64::Engine;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use zeroize::Zeroizing;

use super::super::foreign::BASE64;
use super::Text;

/// The minimum length of a hash that is encoded as a whole, in characters.
pub(super) const MIN_ENCODED: usize = 40;

/// The possible outermost layers of a text, each with the text inside it.
pub(super) fn layers(text: &str) -> Vec<(&'static str, Text)> {
    let mut found = Vec::new();
    let mut add = |layer, inner: &str| {
        if inner != text && !inner.is_empty() {
            found.push((layer, Text::new(inner.to_owned())));
        }
    };
    add(named_edges(text), text.trim_matches(is_blank));

    for (prefix, layer) in STRING_PREFIXES {
        if let Some(quoted) = strip_start(text, prefix)
            && let Some(inner) = unquoted(quoted)
        {
            add(layer, inner);
        }
    }
    if let Some(inner) = unquoted(text) {
        add("quotes around it", inner);
    }
    if let Some(inner) = text.strip_prefix('b')
        && ["$", "scrypt:", "pbkdf2:"].iter().any(|start| inner.starts_with(start))
    {
        add("a stray b before it", inner);
    }
    add("a quote before it", text.strip_prefix(QUOTES).unwrap_or(text));
    add("a quote after it", text.strip_suffix(QUOTES).unwrap_or(text));
    for (open, close) in ["()", "[]", "{}", "<>"].map(|pair| pair.split_at(1)) {
        if let Some(inner) = text.strip_prefix(open).and_then(|text| text.strip_suffix(close)) {
            add("brackets around it", inner);
        }
    }
    if let Some((function, argument)) = text.strip_suffix(')').and_then(|text| text.split_once('('))
        && FUNCTIONS.contains(&function)
    {
        add("a function's name around it", argument);
    }
    add("a comma or semicolon after it", text.trim_end_matches([',', ';']));
    add("a comma or semicolon before it", text.trim_start_matches([',', ';']));
    if let Some((name, value)) = text.split_once(['=', ':'])
        && FIELD_NAMES.contains(&plain_name(name).as_str())
    {
        add("a field's name before it", value);
    }

    if let Some(inner) = undoubled(text) {
        add("'$$' for '$'", &inner);
    }
    add("a backslash before '$'", &text.replace("\\$", "$"));
    // Once for the escapes of "$" only and once for all: if the results differ, either may be
    // intended.
    for (layer, unescape) in ESCAPES {
        for is_wanted in [|c: char| c == '$', |_: char| true] {
            add(layer, &unescape(text, &is_wanted));
        }
    }
    for (layer, bytes) in [
        ("a base64 encoding around it", from_base64(text)),
        ("a hexadecimal encoding around it", from_hex(text)),
    ] {
        // Every werkzeug hash, locked or not, and most others contain one of them.
        if let Some(inner) = bytes.as_deref().and_then(|bytes| str::from_utf8(bytes).ok())
            && inner.contains(['$', '|', '{'])
        {
            add(layer, inner);
        }
    }
    let visible: Text = Text::new(text.chars().filter(|c| !is_invisible(*c)).collect());
    add("invisible characters or line ends in it", &visible);
    found
}

fn is_invisible(c: char) -> bool {
    matches!(c.general_category(), GeneralCategory::Control | GeneralCategory::Format)
}

pub(in super::super) fn is_blank(c: char) -> bool {
    c.is_whitespace() || is_invisible(c)
}

/// Describes the characters at the ends of a text.
fn named_edges(text: &str) -> &'static str {
    let rest = text.trim_start_matches(is_blank);
    let start = &text[..text.len() - rest.len()];
    let end = &rest[rest.trim_end_matches(is_blank).len()..];
    let has = |is_it: fn(char) -> bool| start.contains(is_it) || end.contains(is_it);
    if has(|c| c == '\u{feff}') {
        "a byte order mark around it"
    } else if has(|c| c.general_category() == GeneralCategory::Format) {
        "invisible characters around it"
    } else if has(|c| c == '\0') {
        "NUL characters around it"
    } else if has(|c| matches!(c, '\n' | '\r')) {
        "a line end around it"
    } else {
        "spaces around it"
    }
}

const QUOTES: [char; 9] = ['\'', '"', '`', '‘', '’', '“', '”', '«', '»'];

/// Types that Python names when it displays a value. Other names may be a mark that locks the user.
const FUNCTIONS: [&str; 6] = ["bytearray", "bytes", "str", "memoryview", "Markup", "Binary"];

const STRING_PREFIXES: [(&str, &str); 7] = [
    ("b", "Python's b'…' around it"),
    ("rb", "Python's b'…' around it"),
    ("br", "Python's b'…' around it"),
    ("u", "Python's u'…' around it"),
    ("r", "Python's r'…' around it"),
    ("n", "SQL's N'…' around it"),
    ("e", "SQL's E'…' around it"),
];

/// Strips a prefix of ASCII letters, case-insensitively.
pub(in super::super) fn strip_start<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

pub(in super::super) fn unquoted(text: &str) -> Option<&str> {
    let pairs = ["''", "\"\"", "``", "‘’", "“”", "«»"];
    pairs.into_iter().find_map(|pair| {
        let mut quotes = pair.chars();
        text.strip_prefix(quotes.next()?)?.strip_suffix(quotes.next()?)
    })
}

/// Names of fields that hold passwords, normalized by [`plain_name`].
pub(in super::super) const FIELD_NAMES: [&str; 15] = [
    "userpassword",
    "passworddigest",
    "cryptedpassword",
    "userpass",
    "userpasswd",
    "password",
    "passwordhash",
    "hashedpassword",
    "encryptedpassword",
    "passwd",
    "pwd",
    "pass",
    "pwhash",
    "passhash",
    "hash",
];

/// Normalizes the name of a field: programs spell it differently.
pub(in super::super) fn plain_name(name: &str) -> String {
    let is_part = |c: &char| !matches!(c, '_' | '-' | ' ' | '"' | '\'');
    name.chars().filter(is_part).map(|c| c.to_ascii_lowercase()).collect()
}

/// Replaces each `$$` with `$`, if all are doubled.
fn undoubled(text: &str) -> Option<Text> {
    let is_doubled = |run: &[u8]| run[0] != b'$' || run.len().is_multiple_of(2);
    let mut runs = text.as_bytes().chunk_by(|a, b| (*a == b'$') == (*b == b'$'));
    runs.all(is_doubled).then(|| Text::new(text.replace("$$", "$")))
}

type IsWanted = dyn Fn(char) -> bool;

type Unescape = fn(&str, &IsWanted) -> Text;

/// Escapes that write characters by number or name, and functions that undo them for the wanted
/// characters.
const ESCAPES: [(&str, Unescape); 3] = [
    ("backslash escapes in it", |text, is_wanted| unescaped(text, '\\', backslash, is_wanted)),
    ("HTML escapes in it", |text, is_wanted| unescaped(text, '&', entity, is_wanted)),
    ("URL escapes in it", |text, is_wanted| {
        unescaped(text, '%', |text| Some((from_digits(text.get(..2)?, 16)?, 2)), is_wanted)
    }),
];

/// Undoes escapes: `read` returns the character that follows a `mark`, and the number of bytes it
/// takes.
fn unescaped(
    text: &str,
    mark: char,
    read: fn(&str) -> Option<(char, usize)>,
    is_wanted: &IsWanted,
) -> Text {
    let mut result = Text::new(String::with_capacity(text.len()));
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(mark) {
        result.push_str(before);
        rest = match read(behind) {
            Some((c, length)) if is_wanted(c) => {
                result.push(c);
                &behind[length..]
            }
            _ => {
                result.push(mark);
                behind
            }
        };
    }
    result.push_str(rest);
    result
}

fn from_digits(digits: &str, radix: u32) -> Option<char> {
    let is_digit = |c: char| c.is_digit(radix);
    let number =
        u32::from_str_radix(digits, radix).ok().filter(|_| digits.chars().all(is_digit))?;
    // A hash consists of ASCII characters.
    char::from_u32(number).filter(char::is_ascii)
}

/// Reads an escape of JSON, Python or C after its backslash.
fn backslash(text: &str) -> Option<(char, usize)> {
    let by_number = |start: usize, digits: usize, radix| {
        let digits = text.get(start..start + digits)?;
        Some((from_digits(digits, radix)?, start + digits.len()))
    };
    match text.chars().next()? {
        'u' => by_number(1, 4, 16),
        'U' => by_number(1, 8, 16),
        'x' => by_number(1, 2, 16),
        'n' => Some(('\n', 1)),
        'r' => Some(('\r', 1)),
        't' => Some(('\t', 1)),
        '0'..='3' => by_number(0, 3, 8),
        c @ ('\\' | '\'' | '"' | '/' | '$' | ':' | '|' | '`') => Some((c, 1)),
        _ => None,
    }
}

/// Reads an escape of HTML or XML after its ampersand.
fn entity(text: &str) -> Option<(char, usize)> {
    let (name, _) = text.split_once(';').filter(|(name, _)| name.len() <= 8)?;
    let c = match name.strip_prefix('#') {
        Some(number) => match number.strip_prefix(['x', 'X']) {
            Some(digits) => from_digits(digits, 16)?,
            None => from_digits(number, 10)?,
        },
        None => match name {
            "dollar" => '$',
            "colon" => ':',
            "quot" => '"',
            "apos" => '\'',
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "vert" | "verbar" => '|',
            _ => return None,
        },
    };
    Some((c, name.len() + 1))
}

/// Decodes base64, also its variant for URLs, in one or several lines.
fn from_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text: Text = Text::new(text.split_ascii_whitespace().collect());
    if text.len() < MIN_ENCODED {
        return None;
    }
    let standard = Text::new(text.replace('-', "+").replace('_', "/"));
    BASE64.decode(standard.as_bytes()).ok().map(Zeroizing::new)
}

/// Decodes hexadecimal digits, as databases show a BLOB.
fn from_hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let digits = ["\\x", "0x", "X'", "x'"].into_iter().find_map(|prefix| text.strip_prefix(prefix));
    let digits = digits.unwrap_or(text).trim_end_matches('\'');
    if digits.len() < MIN_ENCODED {
        return None;
    }
    base16ct::mixed::decode_vec(digits).ok().map(Zeroizing::new)
}
