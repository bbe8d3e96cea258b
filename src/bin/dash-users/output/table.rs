//! Tables and paragraphs that fit the terminal; elsewhere they are as wide as what they hold.

use std::io::{self, IsTerminal};

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};

/// How many cells of a terminal a column needs to be read, unless all it holds is shorter.
const MIN_WIDTH: u16 = 10;

/// Between two columns.
const GAP: u16 = 2;

/// The most characters of a cell that are laid out, so that a hostile text does not take minutes.
/// Rows for programs have all of it.
const MAX_CHARS: usize = 60_000;

/// A row for each record; on a terminal that is too narrow for that, a block of lines for each.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
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

/// A line for each label and its value.
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

/// A paragraph three columns from the edge.
pub fn indented(text: &str) -> String {
    let mut table = Table::new();
    table.add_row(["", cut(text)]);
    fitted(table)
}

/// The start of a text that is too long.
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
    fn of_a_text_without_end_the_start_is_laid_out() {
        let long = "é".repeat(10 * MAX_CHARS);
        let start = "é".repeat(MAX_CHARS);
        assert_eq!(wrapped(&long), start);
        assert_eq!(table(&["name"], &[vec![long]]), format!("name\n{start}"));
    }
}
