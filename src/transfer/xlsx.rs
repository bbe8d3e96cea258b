//! Excel workbooks: ZIP archives of XML. Only text cells, of the first sheet, are needed of them.
//!
//! Read here, and not by a library for spreadsheets, because those convert numbers, strip text or
//! reserve whatever memory a file asks for.

mod xml;

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Cursor, Read};

use csv::ByteRecord;
use zeroize::Zeroizing;
use zip::ZipArchive;

use self::xml::{Xml, attributes};
use super::columns::{Rules, Table};
use super::csv::record;
use super::{
    BadRecord, Each, FIELDS, Field, MAX_RECORD_BYTES, Position, ReadAs, Record, RecordError,
};

/// The maximum size of a workbook.
const MAX_BYTES: u64 = 64 << 20;

/// The maximum size of the parts that are read.
const MAX_UNPACKED_BYTES: u64 = 128 << 20;

/// The limits of Excel.
const MAX_ROWS: u64 = 1 << 20;
const MAX_COLUMNS: usize = 1 << 14;
const MAX_CHARS: usize = 32_767;

/// The maximum number of shared texts. Each takes memory, even an empty one.
const MAX_STRINGS: usize = 8 << 20;

/// Reads the first sheet that is not hidden.
pub(super) fn read(
    input: impl Read,
    rules: &Rules,
    read_as: &mut ReadAs,
    each: Each<'_>,
) -> io::Result<()> {
    let mut bytes = Zeroizing::new(Vec::new());
    input.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    let mut next = 1;
    let read = if bytes.len() as u64 > MAX_BYTES {
        Err(RecordError::LargeWorkbook)
    } else {
        read_sheet(&bytes, rules, read_as, &mut next, each)
    };
    if let Err(reason) = read {
        each(Err(BadRecord { position: Position::Row(next), username: None, reason }));
    }
    Ok(())
}

fn read_sheet(
    bytes: &[u8],
    rules: &Rules,
    read_as: &mut ReadAs,
    next: &mut u64,
    each: Each<'_>,
) -> Result<(), RecordError> {
    let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| bad("the archive is damaged"))?;
    let mut package = Package { archive, left: Cell::new(MAX_UNPACKED_BYTES) };
    let is_of = |kind: &'static str| move |link: &Link| link.kind.ends_with(kind);
    let main = package.links("_rels/.rels")?.into_iter().find(is_of("/officeDocument"));
    let main = main.map_or("xl/workbook.xml".to_owned(), |link| resolved("", &link.target));
    let (folder, file) = main.rsplit_once('/').unwrap_or(("", &main));
    let links = package.links(&resolved(folder, &format!("_rels/{file}.rels")))?;

    let sheets = package.sheets(&main)?;
    let sheet = sheets.iter().find(|sheet| !sheet.is_hidden).or(sheets.first());
    let sheet = sheet.ok_or(bad("it has no sheet"))?;
    (read_as.sheet, read_as.sheets) = (Some(sheet.name.clone()), sheets.len());
    let part = links.iter().find(|link| link.id == sheet.id).ok_or(bad("a sheet is missing"))?;
    if !part.kind.ends_with("/worksheet") {
        return Err(bad("the first sheet is a chart"));
    }
    let strings = match links.iter().find(|link| is_of("/sharedStrings")(link)) {
        Some(link) => package.strings(&resolved(folder, &link.target))?,
        None => Strings::default(),
    };
    let xml = package.part(&resolved(folder, &part.target))?.ok_or(bad("a sheet is missing"))?;
    let mut rows = Rows { xml: Xml::new(xml), strings, row: 0 };
    let mut table = None;
    while let Some(cells) = rows.next()? {
        *next = rows.row;
        let Some(table) = &table else {
            table = Some(header(&cells, &rows.strings, rules)?);
            *next += 1;
            continue;
        };
        let position = Position::Row(rows.row);
        each(user(&cells, &rows.strings, position, table, rules));
        *next += 1;
    }
    // A sheet without cells.
    if table.is_none() { Err(RecordError::EmptyFile) } else { Ok(()) }
}

fn bad(what: &'static str) -> RecordError {
    RecordError::BadWorkbook(what)
}

/// The columns of a sheet, and those without a header.
struct SheetTable {
    /// The column of each of [`FIELDS`] in the sheet.
    columns: [Option<usize>; FIELDS.len()],
    has_header: Vec<bool>,
    /// A table of only the fields, each in the column of its index.
    table: Table,
}

fn header(
    cells: &[SheetCell],
    strings: &Strings,
    rules: &Rules,
) -> Result<SheetTable, RecordError> {
    let width = cells.iter().map(|cell| cell.column + 1).max().unwrap_or(0);
    let mut headers = vec![String::new(); width];
    for cell in cells {
        cell.text(strings).clone_into(&mut headers[cell.column]);
    }
    let has_header: Vec<_> = headers.iter().map(|header| !header.trim().is_empty()).collect();
    // A column between others may be empty.
    headers.retain(|header| !header.trim().is_empty());
    let mut table = rules.columns(&headers)?;
    let named: Vec<_> = (0..width).filter(|column| has_header[*column]).collect();
    let columns = table.columns.map(|column| column.map(|column| named[column]));
    for (field, column) in table.columns.iter_mut().enumerate() {
        *column = column.map(|_| field);
    }
    table.width = FIELDS.len();
    Ok(SheetTable { columns, has_header, table })
}

fn user(
    cells: &[SheetCell],
    strings: &Strings,
    position: Position,
    SheetTable { columns, has_header, table }: &SheetTable,
    rules: &Rules,
) -> Result<Record, BadRecord> {
    let mut texts = [""; FIELDS.len()];
    let mut reason = None;
    for cell in cells {
        let name = || cell_name(cell.column, position.number());
        if !has_header.get(cell.column).is_some_and(|has| *has) {
            if !rules.ignores_unknown() {
                reason.get_or_insert(RecordError::CellWithoutHeader(name()));
            }
            continue;
        }
        let field = columns.iter().position(|column| *column == Some(cell.column));
        let Some(field) = field else { continue };
        // A saved result may be outdated, which is dangerous only for what identifies a user.
        let texts_only = if cell.kind == Some(RESULT) { Field::PROFILE } else { Field::LOCKED };
        if let Some(kind) = cell.kind
            && field < texts_only.0
        {
            let (cell, field) = (name(), FIELDS[field]);
            reason.get_or_insert(RecordError::NotTextCell { cell, field, kind });
        }
        texts[field] = cell.text(strings);
    }
    match reason {
        Some(reason) => Err(BadRecord { position, username: None, reason }),
        None => record(&ByteRecord::from(&texts[..]), position, table, rules.is_exact),
    }
}

/// The name of a cell, such as `B3`.
fn cell_name(column: usize, row: u64) -> String {
    let mut letters = String::new();
    let mut left = column + 1;
    while left > 0 {
        letters.insert(0, ('A'..='Z').nth((left - 1) % 26).unwrap_or_default());
        left = (left - 1) / 26;
    }
    format!("{letters}{row}")
}

/// The column of a cell reference such as `B3`.
fn column_of(reference: &str) -> Option<usize> {
    let letters = reference.bytes().take_while(u8::is_ascii_alphabetic);
    let column = letters.take(4).fold(0, |column, letter| {
        column * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1
    });
    column.checked_sub(1).filter(|column| *column < MAX_COLUMNS)
}

/// The path of a part, relative to a folder unless it begins with `/`.
fn resolved(folder: &str, target: &str) -> String {
    let folder = if target.starts_with('/') { "" } else { folder };
    let mut parts: Vec<_> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

/// A relationship between parts.
struct Link {
    id: String,
    kind: String,
    target: String,
}

struct Sheet {
    name: String,
    id: String,
    is_hidden: bool,
}

struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    /// How many bytes may still be unpacked.
    left: Cell<u64>,
}

impl<'a> Package<'a> {
    /// A part of the package; `None` if there is none of the name.
    fn part<'p>(
        &'p mut self,
        path: &str,
    ) -> Result<Option<impl BufRead + use<'p, 'a>>, RecordError> {
        let mut names = self.archive.file_names();
        let index = names.position(|name| {
            name.is_ok_and(|name| name.replace('\\', "/").eq_ignore_ascii_case(path))
        });
        drop(names);
        let Some(index) = index else { return Ok(None) };
        let part = self.archive.by_index(index).map_err(|_| bad("the archive is damaged"))?;
        Ok(Some(BufReader::new(Unpacked { part, left: &self.left })))
    }

    fn links(&mut self, path: &str) -> Result<Vec<Link>, RecordError> {
        let mut links = Vec::new();
        let Some(part) = self.part(path)? else { return Ok(links) };
        let mut xml = Xml::new(part);
        while let Some(tag) = xml.next_tag("Relationship")? {
            let [id, kind, target] = attributes(&tag, ["Id", "Type", "Target"])?;
            links.push(Link { id, kind, target });
        }
        Ok(links)
    }

    fn sheets(&mut self, path: &str) -> Result<Vec<Sheet>, RecordError> {
        let part = self.part(path)?.ok_or(bad("it is not an Excel workbook"))?;
        let (mut xml, mut sheets) = (Xml::new(part), Vec::new());
        while let Some(tag) = xml.next_tag("sheet")? {
            let [name, id, state] = attributes(&tag, ["name", "id", "state"])?;
            sheets.push(Sheet { name, id, is_hidden: state.ends_with("idden") });
        }
        Ok(sheets)
    }

    fn strings(&mut self, path: &str) -> Result<Strings, RecordError> {
        let mut strings = Strings::default();
        let Some(part) = self.part(path)? else { return Ok(strings) };
        let mut xml = Xml::new(part);
        while let Some(_tag) = xml.next_tag("si")? {
            let mut text = Zeroizing::new(String::new());
            if !xml.is_empty_tag {
                xml.texts_until("si", &mut text)?;
            }
            let number = strings.ends.len() + 1;
            if number > MAX_STRINGS {
                return Err(bad("it has more than 8 million shared texts"));
            }
            if is_long(&text) {
                return Err(RecordError::LongCell(format!("shared text {number}")));
            }
            strings.text.push_str(&text);
            strings.ends.push((strings.text.len(), text.trim().is_empty()));
        }
        Ok(strings)
    }
}

/// A part of an archive that fails when too much was unpacked.
struct Unpacked<'a, R> {
    part: R,
    left: &'a Cell<u64>,
}

impl<R: Read> Read for Unpacked<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.part.read(buffer)?;
        let left = self.left.get().checked_sub(count as u64);
        self.left.set(left.ok_or(io::ErrorKind::FileTooLarge)?);
        Ok(count)
    }
}

/// Whether a text is longer than Excel allows.
fn is_long(text: &str) -> bool {
    text.len() > MAX_CHARS && text.chars().nth(MAX_CHARS).is_some()
}

/// The texts that several cells share.
#[derive(Default)]
struct Strings {
    text: Zeroizing<String>,
    /// The end of each text, and whether it is blank.
    ends: Vec<(usize, bool)>,
}

impl Strings {
    fn get(&self, index: usize) -> Option<SharedText> {
        let start =
            index.checked_sub(1).map_or(Some(0), |before| Some(self.ends.get(before)?.0))?;
        let (end, is_blank) = *self.ends.get(index)?;
        Some(SharedText { start, end, is_blank })
    }
}

/// A shared text. It is not copied, because many cells can share a long one.
struct SharedText {
    start: usize,
    end: usize,
    is_blank: bool,
}

enum Text {
    Own(Zeroizing<String>),
    Shared(SharedText),
}

struct SheetCell {
    column: usize,
    text: Text,
    /// What the cell contains, if that is not text.
    kind: Option<&'static str>,
}

impl SheetCell {
    fn text<'a>(&'a self, strings: &'a Strings) -> &'a str {
        match &self.text {
            Text::Own(text) => text,
            Text::Shared(SharedText { start, end, .. }) => &strings.text[*start..*end],
        }
    }

    fn len(&self) -> usize {
        match &self.text {
            Text::Own(text) => text.len(),
            Text::Shared(SharedText { start, end, .. }) => end - start,
        }
    }

    fn is_blank(&self) -> bool {
        match &self.text {
            Text::Own(text) => text.trim().is_empty(),
            Text::Shared(text) => text.is_blank,
        }
    }
}

/// What a cell with the saved result of a formula contains.
const RESULT: &str = "the result of a formula";

/// The rows of a sheet that are not empty.
struct Rows<R> {
    xml: Xml<R>,
    strings: Strings,
    /// The number of the last row.
    row: u64,
}

impl<R: BufRead> Rows<R> {
    fn next(&mut self) -> Result<Option<Vec<SheetCell>>, RecordError> {
        while let Some(tag) = self.xml.next_tag("row")? {
            let [number] = attributes(&tag, ["r"])?;
            let row = if number.is_empty() { Some(self.row + 1) } else { number.parse().ok() };
            let row = row.filter(|row| (self.row + 1..=MAX_ROWS).contains(row));
            self.row = row.ok_or(bad("a row has a wrong number"))?;
            let cells = if self.xml.is_empty_tag { Vec::new() } else { self.cells()? };
            if cells.iter().any(|cell| !cell.is_blank() || cell.kind.is_some()) {
                return Ok(Some(cells));
            }
        }
        Ok(None)
    }

    fn cells(&mut self) -> Result<Vec<SheetCell>, RecordError> {
        let (mut cells, mut column, mut size) = (Vec::new(), 0, 0);
        while let Some(tag) = self.xml.next_tag_in("c", "row")? {
            let [reference, kind] = attributes(&tag, ["r", "t"])?;
            if !reference.is_empty() {
                column = column_of(&reference)
                    .filter(|next| *next >= column)
                    .ok_or(bad("a cell has a wrong name"))?;
            }
            if !self.xml.is_empty_tag {
                let cell = self.value(column, &kind)?;
                size += cell.len();
                if size > MAX_RECORD_BYTES {
                    return Err(RecordError::Endless);
                }
                if cell.len() > 0 || cell.kind.is_some() {
                    cells.push(cell);
                }
            }
            column += 1;
            if column > MAX_COLUMNS {
                return Err(bad("a cell has a wrong name"));
            }
        }
        Ok(cells)
    }

    /// The text of a cell, or what it contains instead.
    fn value(&mut self, column: usize, kind: &str) -> Result<SheetCell, RecordError> {
        let mut text = Zeroizing::new(String::new());
        let is_formula = self.xml.texts_until("c", &mut text)?;
        if is_long(&text) {
            let name = cell_name(column, self.row);
            return Err(RecordError::LongCell(format!("cell {name}")));
        }
        let mut cell = SheetCell { column, text: Text::Own(text), kind: None };
        if kind == "s" {
            let index = cell.text(&self.strings).trim().parse().ok();
            let shared = index.and_then(|index| self.strings.get(index));
            cell.text = Text::Shared(shared.ok_or(bad("a text is missing"))?);
        }
        cell.kind = match kind {
            "inlineStr" | "str" | "s" => (is_formula && !cell.is_blank()).then_some(RESULT),
            _ if cell.len() == 0 => is_formula.then_some("a formula without its result"),
            "b" => Some("true or false"),
            "d" => Some("a date"),
            "e" => Some("an error"),
            _ => Some("a number or a date"),
        };
        Ok(cell)
    }
}
