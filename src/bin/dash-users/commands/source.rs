//! A file of users to import.

use std::env;
use std::ffi::OsString;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use dash_users::transfer::{
    Columns, Delimiter, Encoding, FIELDS, FileKind, InputFormat, ReadAs, Reader, RecordError,
    Resembled,
};
use dash_users::{Import, Location, StoredText};

use crate::cli::FileArgs;
use crate::exit::{Code, Context, Failure, Result};
use crate::output::Output;
use crate::prompt;
use crate::shell::{command, pasted, quoted, quoted_path};

/// A file of users.
pub struct Source<'a> {
    pub path: &'a Path,
    reader: Reader,
    /// The encoding and the delimiter that need no note.
    usual: (Encoding, Delimiter),
    args: &'a FileArgs,
}

impl<'a> Source<'a> {
    pub fn new(path: &'a Path, args: &'a FileArgs, database: &Location) -> Result<Self> {
        check_file(path, database)?;
        let given = args.input_format;
        let Some(format) = given.or_else(|| InputFormat::of_path(path)) else {
            let message = format!("cannot tell the format of {} from its name", name(path));
            let hint = other_format_hint(path)
                .unwrap_or("use --input-format csv, json, jsonl, xlsx or htpasswd".to_owned());
            return Err(Failure::new(Code::Usage, message).hint(hint));
        };
        let is_text = [InputFormat::Csv, InputFormat::Json, InputFormat::JsonLines];
        let misplaced = match format {
            InputFormat::Xlsx if args.encoding.is_some() => Some("--encoding is for text files"),
            InputFormat::Csv => None,
            _ if args.delimiter.is_some() => Some("--delimiter is for CSV files"),
            InputFormat::Htpasswd if !args.columns.is_empty() => {
                Some("--column is for files with headers or keys")
            }
            _ => None,
        };
        if let Some(message) = misplaced {
            return Err(Failure::new(Code::Usage, message));
        }
        if args.as_is && !is_text.contains(&format) {
            let message = "--as-is is for the formats of `export`: CSV, JSON and JSON Lines";
            return Err(Failure::new(Code::Usage, message));
        }
        let usage = |message: String| Failure::new(Code::Usage, message);
        let encoding = args.encoding.as_deref().map(str::parse::<Encoding>).transpose();
        let encoding = encoding.map_err(|error| usage(format!("--encoding: {error}")))?;
        let delimiter = args.delimiter.as_deref().map(str::parse::<Delimiter>).transpose();
        let delimiter = delimiter.map_err(|error| usage(format!("--delimiter: {error}")))?;
        let mut columns = Columns::default().ignore_unknown(args.ignore_unknown);
        for column in &args.columns {
            let named = column.split_once('=').filter(|(_, header)| !header.trim().is_empty());
            let (field, header) = named.ok_or_else(|| {
                usage("--column: use FIELD=HEADER, as in --column username=Login".to_owned())
            })?;
            columns = columns.with(field, header).ok_or_else(|| {
                usage(format!("--column: unknown field; the fields are {}", FIELDS.join(", ")))
            })?;
        }
        let reader = Reader::new(format)
            .exact(args.as_is)
            .guessed(given.is_none())
            .encoding(encoding)
            .delimiter(delimiter)
            .columns(columns);
        let is_tsv =
            path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("tsv"));
        let usual = if is_tsv { Delimiter::TAB } else { Delimiter::COMMA };
        let usual = (encoding.unwrap_or_default(), delimiter.unwrap_or(usual));
        Ok(Self { path, reader, usual, args })
    }

    pub fn read(&self, import: &mut Import, output: &Output) -> Result<ReadAs> {
        let mut each = |record| import.push(record);
        let mut read = || {
            if is_standard(self.path) {
                return self.reader.read(prompt::stdin()?, &mut each);
            }
            let file = File::open(self.path)?;
            let before = file.metadata()?;
            // The size of a file in /proc is 0.
            if !before.is_file() || before.len() == 0 {
                return self.reader.read(file, &mut each);
            }
            let read_as = self.reader.read((&file).take(before.len() + 1), &mut each)?;
            let after = file.metadata()?;
            if (before.len(), before.modified().ok()) != (after.len(), after.modified().ok()) {
                return Err(io::Error::other("it changed while it was read"));
            }
            Ok(read_as)
        };
        let read_as = read().context(format!("cannot read {}", name(self.path)))?;
        self.report(&read_as, output);
        Ok(read_as)
    }

    /// Reports what was detected, if it is not the usual case.
    fn report(&self, read_as: &ReadAs, output: &Output) {
        let file = name(self.path);
        let mut guesses = Vec::new();
        if read_as.format == InputFormat::JsonLines
            && InputFormat::of_path(self.path) == Some(InputFormat::Json)
            && self.args.input_format.is_none()
        {
            guesses.push("as JSON Lines".to_owned());
        }
        if let Some(encoding) = read_as.encoding.filter(|encoding| *encoding != self.usual.0) {
            guesses.push(format!("as {encoding}"));
        }
        match read_as.delimiter {
            Some(Delimiter::TAB) if self.is_guess(Delimiter::TAB) => {
                guesses.push("with tabs between cells".to_owned());
            }
            Some(delimiter) if self.is_guess(delimiter) => {
                guesses.push(format!("with '{delimiter}' between cells"));
            }
            _ => {}
        }
        if !guesses.is_empty() {
            output.note(&format!("note: read {file} {}", guesses.join(", ")));
        }
        if let Some(sheet) = read_as.sheet.as_ref().filter(|_| read_as.sheets > 1) {
            let (sheet, count) = (StoredText::Text(sheet.clone()), read_as.sheets);
            output.note(&format!("note: read the sheet '{sheet}' of {file}, one of {count}"));
        }
        if read_as.format == InputFormat::Htpasswd {
            output.note(&format!(
                "note: read only the names in {file}: werkzeug cannot verify the hashes of htpasswd"
            ));
        }
        if read_as.ignored.first().is_some() {
            let is_json = [InputFormat::Json, InputFormat::JsonLines].contains(&read_as.format);
            let what = if is_json { "keys" } else { "columns" };
            output.note(&format!("note: ignored {what}: {}", read_as.ignored));
        }
        if read_as.records == 0 {
            output.note(&format!("note: {file} has no records"));
        }
    }

    fn is_guess(&self, delimiter: Delimiter) -> bool {
        delimiter != self.usual.1
    }

    /// This command with another option, ready to paste.
    fn command(&self, action: &str, option: &str) -> String {
        let arguments = env::args_os().skip(1).map(OsString::into_string);
        let arguments = arguments.collect::<Result<Vec<_>, _>>().unwrap_or_default();
        // A database URL may contain a password.
        let is_safe =
            !arguments.is_empty() && !arguments.iter().any(|argument| argument.contains("://"));
        let words = arguments.into_iter().map(|word| quoted(&StoredText::Text(word)));
        let words = words.collect::<Option<Vec<_>>>().filter(|_| is_safe);
        let path = || quoted_path(self.path).unwrap_or("FILE".to_owned());
        let simple = || format!("{action} {}", path());
        let words = words.map_or_else(simple, |words| words.join(" "));
        format!("`dash-users {words} {option}`")
    }

    /// How to read the file anyway.
    pub fn hint(&self, reason: &RecordError, action: &str) -> Option<String> {
        let shell = |text: &StoredText| quoted(text).unwrap_or("HEADER".to_owned());
        let path = name(self.path);
        let quoted_path = quoted(&StoredText::Text(path.clone())).unwrap_or(path);
        Some(match reason {
            RecordError::UnmarkedUtf16(label) => {
                self.command(action, &format!("--encoding {label}"))
            }
            // The file has a byte order mark, or the option asks for UTF-8.
            RecordError::NotUtf8(_) | RecordError::HeaderNotUtf8
                if self.args.encoding.is_some() =>
            {
                "save the file as UTF-8".to_owned()
            }
            RecordError::NotUtf8(_) | RecordError::HeaderNotUtf8 => {
                self.command(action, "--encoding windows-1252")
            }
            RecordError::NotEncoded(_) if self.args.encoding.is_some() => {
                "use another --encoding".to_owned()
            }
            RecordError::NotEncoded(encoding) if *encoding == Encoding::UTF_8 => {
                self.command(action, "--encoding windows-1252")
            }
            RecordError::NoHeader { headers } => match headers.first() {
                Some(header) => {
                    let option = format!("--column username={}", shell(header));
                    format!("name the column with the usernames, as in {}", self.command(action, &option))
                }
                None => "add a header row such as username,password,language, or name the column with the usernames by --column username=HEADER".to_owned(),
            },
            RecordError::NoColumn { .. } | RecordError::NoKey(_) => {
                "use --column FIELD=HEADER with a header of the file".to_owned()
            }
            RecordError::UnknownFields(names) => {
                let resembled = names.0.iter().filter_map(|name| {
                    Some((name, Resembled::of(&name.to_string())?))
                });
                let column = |(name, of): (&StoredText, Resembled)| {
                    format!("--column {}={}", of.field, shell(name))
                };
                let ignore = "--ignore-unknown";
                let ignored = self.command(action, ignore);
                if let Some(found) = resembled.clone().find(|(_, of)| of.is_misspelled) {
                    format!("name the field, as in {}", self.command(action, &column(found)))
                } else if let Some(found) = resembled.clone().next() {
                    let option = format!("{ignore} {}", column(found));
                    let command = self.command(action, &option);
                    format!("ignore them with {ignored}, or use one as a field, as in {command}")
                } else if names.first().is_some() {
                    format!("ignore them with {ignored}, or use one as a field with --column FIELD=HEADER")
                } else {
                    "add a header row, or use --column FIELD=HEADER with a header of the file".to_owned()
                }
            }
            RecordError::UnnamedField | RecordError::CellWithoutHeader(_) => {
                self.command(action, "--ignore-unknown")
            }
            RecordError::UnclosedQuote | RecordError::TextAfterQuote | RecordError::TextBeforeQuote => {
                "put quotes around the whole cell, and double each quote in it".to_owned()
            }
            RecordError::NotTextCell { kind, .. } if kind.starts_with("a formula") => {
                "open the file in a spreadsheet program and save it again".to_owned()
            }
            RecordError::NotTextCell { kind, .. } if kind.contains("formula") => {
                "copy the column and paste it as values".to_owned()
            }
            RecordError::NotTextCell { .. } => {
                "format the column as Text and type the values again; a number loses its leading zeros".to_owned()
            }
            RecordError::NoSecret if self.reads_names_only() => {
                self.command(action, "--generate-missing passwords.csv")
            }
            RecordError::OtherKind { found, expected } => match found {
                FileKind::Zip => self.command(action, "--input-format xlsx"),
                FileKind::Json => self.command(action, "--input-format json"),
                FileKind::Htpasswd => {
                    self.command(action, "--input-format htpasswd --generate-missing passwords.csv")
                }
                FileKind::Csv => self.command(action, "--input-format csv"),
                FileKind::Text if *expected == InputFormat::Xlsx => {
                    self.command(action, "--input-format csv")
                }
                FileKind::Gzip => format!(
                    "`gunzip -c {quoted_path} | dash-users {action} - --input-format csv`"
                ),
                FileKind::OldOffice => "save it as .xlsx without a password, or as CSV".to_owned(),
                _ => "save the users as .xlsx or CSV".to_owned(),
            },
            RecordError::BadWorkbook(_) | RecordError::LargeWorkbook => {
                "save the sheet as CSV".to_owned()
            }
            _ => return None,
        })
    }

    fn reads_names_only(&self) -> bool {
        self.args.input_format.or_else(|| InputFormat::of_path(self.path))
            == Some(InputFormat::Htpasswd)
    }
}

/// Refuses what is not a file of users, whatever its name.
fn check_file(path: &Path, database: &Location) -> Result<(), Failure> {
    let failure = |code, reason: &dyn Display| {
        Failure::new(code, format!("cannot read {}: {reason}", path.display()))
    };
    match path.metadata() {
        _ if is_standard(path) => Ok(()),
        Err(error) => {
            let failure = failure(Code::Failed, &error);
            // It may be the name of a user.
            let is_word = path.extension().is_none() && path.components().count() == 1;
            Err(match quoted_path(path).filter(|_| is_word) {
                Some(name) => {
                    let add = command(database, &format!("add {name}"));
                    failure.hint(format!("give a file of users; to add a user, run {add}"))
                }
                None => failure,
            })
        }
        Ok(found) if found.is_dir() => {
            let failure = failure(Code::Failed, &"it is a directory");
            Err(failure.hint("give a file in that directory"))
        }
        // Reading a pipe would take what is read later.
        Ok(found) if found.is_file() && is_sqlite(path).unwrap_or(false) => {
            let failure =
                failure(Code::InvalidData, &"it is a SQLite database, not a file of users");
            Err(failure.hint(how_to_use(path, database)))
        }
        Ok(_) => Ok(()),
    }
}

fn is_sqlite(path: &Path) -> io::Result<bool> {
    const START: &[u8; 16] = b"SQLite format 3\0";

    let mut start = [0; START.len()];
    // On macOS, reading /dev/stdin from another handle would move it.
    File::open(path)?.read_exact_at(&mut start, 0)?;
    Ok(start == *START)
}

/// How to use a SQLite database that was given instead of a file of users.
fn how_to_use(path: &Path, database: &Location) -> String {
    let path = std::path::absolute(path).unwrap_or(path.to_owned());
    if database.is_file(&path) {
        return format!("to list its users, run {}", command(database, "list"));
    }
    let file = pasted(&Location::Sqlite(path));
    let restore = command(database, &format!("restore {file}"));
    format!(
        "to add its users, run `dash-users export --database {file} | dash-users import - \
         --input-format csv --database {}`; to restore it as a backup, run {restore}",
        pasted(database)
    )
}

/// A hint with the command that converts a file of another format.
fn other_format_hint(path: &Path) -> Option<String> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    match extension.as_str() {
        "yaml" | "yml" => yaml_hint(path),
        "xls" | "xlsb" | "ods" | "fods" | "numbers" => {
            Some("save it as .xlsx or CSV in the program that you open it with".to_owned())
        }
        "gz" => {
            let file = quoted_path(path)?;
            let format = InputFormat::of_path(&path.with_extension(""));
            let format = match format {
                Some(InputFormat::Json) => "json",
                Some(InputFormat::JsonLines) => "jsonl",
                _ => "csv",
            };
            Some(format!("`gunzip -c {file} | dash-users import - --input-format {format}`"))
        }
        _ => None,
    }
}

/// A hint with the command that converts a YAML file to JSON.
fn yaml_hint(path: &Path) -> Option<String> {
    const CONVERT: &str =
        "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout, default=str)";
    let (from, to) = (quoted_path(path)?, quoted_path(&path.with_extension("json"))?);
    Some(format!("convert it to JSON with `python3 -c '{CONVERT}' <{from} >{to}`"))
}

/// Whether the path means stdin or stdout.
pub fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}

pub fn name(path: &Path) -> String {
    if is_standard(path) { "<stdin>".to_owned() } else { path.display().to_string() }
}
