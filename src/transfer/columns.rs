//! Matching the columns of a table, or the keys of JSON objects, with fields.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;

use super::{FIELDS, Field, RecordError};
use crate::user::StoredText;

/// How the headers of a file are matched with fields. By default a header is the name of its
/// field. Case, whitespace, `-` and `_` do not matter.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    /// Fields, as indices of [`FIELDS`], and their headers.
    named: Vec<(usize, String)>,
    ignore_unknown: bool,
}

impl Columns {
    /// Reads `field` from the column with this header, instead of the column with its own name.
    /// Returns `None` if there is no such field.
    #[must_use]
    pub fn with(mut self, field: &str, header: &str) -> Option<Self> {
        let field = FIELDS.iter().position(|name| *name == field)?;
        self.named.push((field, header.to_owned()));
        Some(self)
    }

    /// Ignores columns that are not fields, instead of rejecting the file.
    #[must_use]
    pub fn ignore_unknown(self, ignore_unknown: bool) -> Self {
        Self { ignore_unknown, ..self }
    }
}

/// How to read the records of a file.
pub(super) struct Rules {
    pub(super) is_exact: bool,
    columns: Columns,
    /// Which of the first named headers were found, as a set of bits.
    found: Cell<u64>,
    /// The first unknown headers that were ignored.
    ignored: RefCell<BTreeSet<String>>,
}

impl Rules {
    pub(super) fn new(is_exact: bool, columns: &Columns) -> Self {
        Self {
            is_exact,
            columns: columns.clone(),
            found: Cell::new(0),
            ignored: RefCell::default(),
        }
    }

    pub(super) fn ignores_unknown(&self) -> bool {
        self.columns.ignore_unknown
    }

    /// Whether an unknown header is ignored. One that may be a misspelled field never is: a user
    /// would lose a password, or a lock.
    pub(super) fn ignores(&self, header: &str) -> bool {
        const MAX_IGNORED: usize = 100;

        let is_ignored =
            self.columns.ignore_unknown && !Resembled::of(header).is_some_and(|of| of.is_risky);
        let mut ignored = self.ignored.borrow_mut();
        if is_ignored && ignored.len() < MAX_IGNORED && !ignored.contains(header.trim()) {
            ignored.insert(header.trim().to_owned());
        }
        is_ignored
    }

    /// The unknown headers that were ignored.
    pub(super) fn ignored(&self) -> Names {
        Names(self.ignored.take().into_iter().map(StoredText::Text).collect())
    }

    /// The field with this header, as an index of [`FIELDS`].
    pub(super) fn field(&self, header: &str) -> Option<usize> {
        let Columns { named, .. } = &self.columns;
        if let Some(index) = named.iter().position(|(_, name)| is_same(name, header)) {
            self.found.set(self.found.get() | 1 << index.min(63));
            return Some(named[index].0);
        }
        let exact = FIELDS.iter().position(|field| *field == header);
        let similar = || FIELDS.iter().position(|field| is_same(field, header));
        let field = if self.is_exact { exact } else { exact.or_else(similar) }?;
        named.iter().all(|(other, _)| *other != field).then_some(field)
    }

    /// A header from the command line that the file does not have.
    pub(super) fn missing(&self) -> Option<StoredText> {
        let named = self.columns.named.iter().take(63).enumerate();
        let mut missing = named.filter(|(index, _)| self.found.get() & (1 << index) == 0);
        missing.next().map(|(_, (_, header))| StoredText::Text(header.clone()))
    }

    /// The column of each field in a table.
    pub(super) fn columns(&self, headers: &[String]) -> Result<Table, RecordError> {
        let mut columns = [None; FIELDS.len()];
        let (mut unknown, mut unnamed) = (Vec::new(), Vec::new());
        let mut repeated = None;
        for (column, header) in headers.iter().enumerate() {
            match self.field(header) {
                Some(field) if columns[field].is_some() => repeated = repeated.or(Some(field)),
                Some(field) => columns[field] = Some(column),
                None if header.trim().is_empty() => unnamed.push(column),
                None => unknown.push(header.trim()),
            }
        }
        // Without a header, the line is a user, perhaps with a plaintext password. A single field
        // may be a value of that user, and so may `locked` and `active`.
        let fields = columns[..Field::LOCKED.0].iter().flatten().count();
        let is_username_own =
            columns[0].is_some() && self.columns.named.iter().all(|(field, _)| *field != 0);
        let is_header = is_username_own || fields > 1;
        let missing = self.missing();
        if columns[0].is_none() || missing.is_some() {
            let all = headers.iter().map(|header| StoredText::Text(header.trim().to_owned()));
            let headers = Names(if is_header { all.collect() } else { Vec::new() });
            return Err(match missing {
                Some(header) => RecordError::NoColumn { header, headers },
                None => RecordError::NoHeader { headers },
            });
        }
        if let Some(field) = repeated {
            return Err(RecordError::RepeatedField(FIELDS[field]));
        }
        if !(is_header || unknown.is_empty() || self.ignores_unknown()) {
            return Err(RecordError::UnknownFields(Names::default()));
        }
        unknown.retain(|header| !self.ignores(header));
        if !is_header {
            self.ignored.take();
        }
        if !unknown.is_empty() {
            let unknown = unknown.into_iter().map(|header| StoredText::Text(header.to_owned()));
            return Err(RecordError::UnknownFields(Names(unknown.collect())));
        }
        if self.ignores_unknown() {
            unnamed.clear();
        }
        Ok(Table { columns, unnamed, width: headers.len() })
    }

    /// How many fields a header row has, and whether the username is one of them.
    pub(super) fn count(&self, headers: &[String]) -> (bool, usize) {
        let fields: Vec<_> = headers.iter().filter_map(|header| self.field(header)).collect();
        self.found.set(0);
        (fields.contains(&0), fields.len())
    }
}

/// The columns of a table.
pub(super) struct Table {
    /// The column of each of [`FIELDS`].
    pub(super) columns: [Option<usize>; FIELDS.len()],
    /// Columns without a name, whose cells must be empty.
    pub(super) unnamed: Vec<usize>,
    /// The number of columns, including ignored ones.
    pub(super) width: usize,
}

fn is_same(a: &str, b: &str) -> bool {
    a == b || key(a).eq(key(b)) && key(a).next().is_some()
}

/// The characters that matter in a header.
fn key(header: &str) -> impl Iterator<Item = char> {
    let is_separator = |c: &char| c.is_whitespace() || "-_".contains(*c);
    header.chars().filter(move |c| !is_separator(c)).flat_map(char::to_lowercase)
}

/// The field that an unknown header probably is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resembled {
    /// One of [`FIELDS`].
    pub field: &'static str,
    /// Whether the header is a misspelled field, or another word for a lock.
    pub is_misspelled: bool,
    /// Whether ignoring the header would lose a password or a lock.
    is_risky: bool,
}

impl Resembled {
    /// The field that a header resembles, if any.
    #[must_use]
    pub fn of(header: &str) -> Option<Self> {
        const MAX_DISTANCE: usize = 2;
        const MAX_CHARS: usize = FIELDS[Field::PASSWORD_HASH.0].len() + MAX_DISTANCE;

        let key: String = key(header).take(MAX_CHARS + 1).collect();
        let lock = |field| Some(Self { field, is_misspelled: true, is_risky: true });
        match &*key {
            "enabled" | "isenabled" | "isactive" | "activated" | "unlocked" => lock("active"),
            "disabled" | "isdisabled" | "blocked" | "isblocked" | "islocked" | "inactive"
            | "isinactive" | "deactivated" | "suspended" => lock("locked"),
            "role" | "roles" | "team" | "teams" => {
                Some(Self { field: "groups", is_misspelled: false, is_risky: false })
            }
            // Common words that are not misspelled fields.
            "surname" | "archive" | "native" => None,
            _ => {
                let distance = |field: &&str| distance(&key, &self::key(field).collect::<String>());
                let fields = FIELDS.iter().map(|field| (distance(field), *field));
                let (_, field) = fields.filter(|(distance, _)| *distance <= MAX_DISTANCE).min()?;
                let is_risky = ["password", "password_hash", "locked", "active"].contains(&field);
                Some(Self { field, is_misspelled: true, is_risky })
            }
        }
    }
}

/// The number of characters to insert, remove or replace.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<_> = (0..=b.chars().count()).collect();
    for (index, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, to) in b.chars().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Names of columns or keys, each in quotes. Shows only the first ones, and the start of long ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names(pub Vec<StoredText>);

impl Names {
    const MAX_NAMES: usize = 20;
    const MAX_CHARS: usize = 64;

    /// The first name.
    #[must_use]
    pub fn first(&self) -> Option<&StoredText> {
        self.0.first()
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().take(Self::MAX_NAMES).enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            match name {
                StoredText::Text(text) if text.chars().nth(Self::MAX_CHARS).is_some() => {
                    let start = text.chars().take(Self::MAX_CHARS).collect();
                    write!(f, "{separator}'{}…'", StoredText::Text(start))?;
                }
                name => write!(f, "{separator}'{name}'")?,
            }
        }
        match self.0.len().saturating_sub(Self::MAX_NAMES) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
