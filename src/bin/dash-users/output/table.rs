//! Tables and paragraphs. They fit the terminal; elsewhere they are as wide as their content.

use std::io::{self, IsTerminal};

use anstyle::{AnsiColor, Style};
use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};

/// The minimum width of a readable column, in terminal cells, unless its content is narrower.
const MIN_WIDTH: u16 = 8;

/// Space between two columns, in terminal cells.
const GAP: u16 = 2;

/// The maximum length of a cell, in characters. Without it, laying out a hostile text takes minutes.
/// Rows for programs are not cut.
const MAX_CHARS: usize = 60_000;

/// Invisible characters around a word in color, which [`with_color`] replaces. A text of the database
/// cannot hold them: they are escaped.
const MARKS: [char; 2] = ['\u{2061}', '\u{2062}'];

/// Words that are shown in color where they are marked.
const COLORED: [(&str, AnsiColor); 3] =
    [("locked", AnsiColor::Yellow), ("error", AnsiColor::Red), ("warning", AnsiColor::Yellow)];

/// Marks a word for its color. It fits any column: it has the same width.
pub fn marked(word: &str) -> String {
    format!("{}{word}{}", MARKS[0], MARKS[1])
}

/// The text with its marked words in color, or without marks.
pub fn with_color(text: &str, is_colored: bool) -> String {
    if !is_colored {
        return text.replace(MARKS, "");
    }
    let mut result = text.to_owned();
    for (word, color) in COLORED {
        let style = Style::new().fg_color(Some(color.into()));
        result = result.replace(&marked(word), &format!("{style}{word}{style:#}"));
    }
    // A word without a color.
    result.replace(MARKS, "")
}

/// One row per record, or one block of lines per record if the terminal is too narrow. A column
/// without any text is left out, unless there are no rows.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let has_text =
        |column: usize| rows.is_empty() || rows.iter().any(|row| !row[column].is_empty());
    let shown: Vec<usize> = (0..header.len()).filter(|column| has_text(*column)).collect();
    let header: Vec<&str> = shown.iter().map(|column| header[*column]).collect();
    let cells = |row: &Vec<String>| shown.iter().map(|column| row[*column].clone()).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(cells).collect();
    let (header, rows) = (&header[..], &rows[..]);
    let mut table = Table::new();
    table.set_header(header).add_rows(rows.iter().map(|row| row.iter().map(|cell| cut(cell))));
    let widths = table.column_max_content_widths();
    let needed: u16 = widths.iter().map(|width| (*width).min(MIN_WIDTH) + GAP).sum();
    if rows.is_empty() || terminal_width().is_none_or(|width| needed - GAP <= width) {
        return fitted(table);
    }
    let record =
        |row: &Vec<String>| fields(header.iter().copied().zip(row.iter().map(String::as_str)));
    rows.iter().map(record).collect::<Vec<_>>().join("\n\n")
}

/// One line per label and value.
pub fn fields<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut table = Table::new();
    table.add_rows(fields.into_iter().map(|(label, value)| [label, cut(value)]));
    if let Some(labels) = table.column_mut(0) {
        labels.set_constraint(ColumnConstraint::ContentWidth);
    }
    fitted(table)
}

/// A paragraph.
pub fn wrapped(text: &str) -> String {
    let mut table = Table::new();
    table.add_row([cut(text)]);
    fitted(table)
}

/// A paragraph indented by three columns.
pub fn indented(text: &str) -> String {
    let mut table = Table::new();
    table.add_row(["", cut(text)]);
    fitted(table)
}

/// Cuts a text that is too long.
fn cut(text: &str) -> &str {
    text.char_indices().nth(MAX_CHARS).map_or(text, |(end, _)| &text[..end])
}

fn fitted(mut table: Table) -> String {
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(width) = terminal_width() {
        table.set_width(width);
    }
    let last = table.column_count().saturating_sub(1);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if index == last { 0 } else { GAP }));
    }
    table.trim_fmt()
}

fn terminal_width() -> Option<u16> {
    let size = if io::stdout().is_terminal() { terminal_size::terminal_size() } else { None };
    size.map(|(terminal_size::Width(width), _)| width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_and_table_cut_long_text() {
        let long = "é".repeat(10 * MAX_CHARS);
        let start = "é".repeat(MAX_CHARS);
        assert_eq!(wrapped(&long), start);
        assert_eq!(table(&["name"], &[vec![long]]), format!("name\n{start}"));
    }
}
