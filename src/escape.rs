//! Escaping of untrusted text for terminals, tab-separated rows and JSON.

use std::fmt;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Displays a text with `\t`, `\n`, `\\` and `\u{…}` in place of characters that could control a
/// terminal, deceive a reader or break a row: control, bidirectional and invalid characters
/// (U+FFFD), and the backslash.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_printable_ascii(self.0) && !self.0.contains('\\') {
            return f.write_str(self.0);
        }
        let mut plain = 0;
        for (position, c) in self.0.char_indices() {
            if c != '\\' && !is_unsafe_to_print(c) {
                continue;
            }
            f.write_str(&self.0[plain..position])?;
            plain = position + c.len_utf8();
            match c {
                '\t' => f.write_str("\\t")?,
                '\n' => f.write_str("\\n")?,
                '\\' => f.write_str("\\\\")?,
                _ => write!(f, "\\u{{{:x}}}", u32::from(c))?,
            }
        }
        f.write_str(&self.0[plain..])
    }
}

/// Removes everything that may be the digest of a hash from a message. A damaged file may put any
/// row into an error, and a trigger may repeat the values it was given.
pub(crate) fn without_digests(message: &str) -> String {
    const MIN_DIGITS: usize = 32;
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let runs = message.as_bytes().chunk_by(|a, b| is_digit(*a) == is_digit(*b));
    let shown = runs.map(|run| match run {
        [first, ..] if is_digit(*first) && run.len() >= MIN_DIGITS => "…".into(),
        _ => String::from_utf8_lossy(run),
    });
    shown.collect()
}

/// Whether a character is unsafe to print unescaped: C0 and C1 controls, line and paragraph
/// separators, characters with the Unicode property `Bidi_Control`, and U+FFFD, which stands for
/// invalid bytes.
#[must_use]
pub fn is_unsafe_to_print(c: char) -> bool {
    let is_bidirectional = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    c.is_control() || is_bidirectional || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fffd}')
}

/// Whether no character of a text is [unsafe to print](is_unsafe_to_print).
pub(crate) fn is_safe_to_print(text: &str) -> bool {
    is_printable_ascii(text) || !text.contains(is_unsafe_to_print)
}

/// Most texts are, and this is fast.
fn is_printable_ascii(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Whether a character is invisible, or stands for unreadable bytes (U+FFFD). Control characters and
/// whitespace are not included.
#[must_use]
pub(crate) fn is_hidden(c: char) -> bool {
    // Unicode's property Default_Ignorable_Code_Point, the fillers and marks that fonts leave empty, and
    // the separators of lines.
    c.general_category() == GeneralCategory::Format
        || matches!(
            c,
            '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
                | '\u{2028}' | '\u{2029}' | '\u{2065}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
                | '\u{ffa0}' | '\u{fff0}'..='\u{fffd}' | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Writes a value as compact JSON, with [unsafe characters](is_unsafe_to_print) as `\uXXXX`.
/// Parsing the JSON gives the same value.
///
/// # Errors
///
/// Errors of `writer`.
pub fn write_json<W: Write + ?Sized>(writer: &mut W, value: &impl Serialize) -> io::Result<()> {
    Ok(value.serialize(&mut Serializer::with_formatter(writer, SafeFormatter))?)
}

struct SafeFormatter;

impl Formatter for SafeFormatter {
    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        w: &mut W,
        text: &str,
    ) -> io::Result<()> {
        if is_printable_ascii(text) {
            return CompactFormatter.write_string_fragment(w, text);
        }
        let mut plain = 0;
        for (position, c) in text.char_indices().filter(|(_, c)| is_unsafe_to_print(*c)) {
            CompactFormatter.write_string_fragment(w, &text[plain..position])?;
            plain = position + c.len_utf8();
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                write!(w, "\\u{unit:04x}")?;
            }
        }
        CompactFormatter.write_string_fragment(w, &text[plain..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_escapes_unsafe_characters_losslessly() {
        let text = "Zoë \"q\" \\ \x1b[31m \u{9b} \u{202e} \u{7f} 🙂";
        let mut json = Vec::new();
        write_json(&mut json, &text).unwrap();
        let json = String::from_utf8(json).unwrap();
        assert_eq!(json, r#""Zoë \"q\" \\ \u001b[31m \u009b \u202e \u007f 🙂""#);
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }

    #[test]
    fn only_unsafe_characters_are_escaped() {
        for (text, shown) in [
            ("Zoë Quinn 🙂 李", "Zoë Quinn 🙂 李"),
            ("a\tb\nc\\d", "a\\tb\\nc\\\\d"),
            ("\x1b[31m\r\0\x7f", "\\u{1b}[31m\\u{d}\\u{0}\\u{7f}"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("\u{202e}txt", "\\u{202e}txt"),
            ("\u{fffd}", "\\u{fffd}"),
        ] {
            assert_eq!(Escaped(text).to_string(), shown);
        }
    }

    #[test]
    fn digests_are_removed_from_messages() {
        for (text, shown) in [
            ("", ""),
            ("no such column: é", "no such column: é"),
            ("no scrypt:128:8:1$é$00112233445566778899aabbccddeeff!", "no scrypt:128:8:1$é$…!"),
            ("0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcde"),
        ] {
            assert_eq!(without_digests(text), shown);
        }
    }
}
