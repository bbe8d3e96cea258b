//! Printing results, notes and errors.
//!
//! Results go to stdout: tables for people, tab-separated rows, or one JSON document. Everything
//! else goes to stderr.

mod json;
mod pager;
mod rows;
mod spool;
mod table;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use dash_users::{StoredText, User, UserValue};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use serde::Serialize;

use self::json::JsonError;
pub use self::json::{
    Change, JsonCopy, JsonEvent, JsonImport, JsonMigration, JsonReadAs, JsonUser,
};
pub use self::rows::Rows;
pub use self::spool::Spool;
use self::table::with_color;
pub use self::table::{fields, indented, marked, table, wrapped};
use crate::cli::{Format, Globals};
use crate::exit::{Code, Detail, Failure, Result};
use crate::terminal;
use crate::usage::Misuse;

/// How to show progress.
pub enum Progress {
    Bar,
    /// Where a bar cannot be drawn.
    Lines,
    None,
}

/// Prints everything the program prints.
pub struct Output {
    format: Format,
    is_quiet: bool,
    color: ColorChoice,
    /// Whether long output may go through a pager.
    has_pager: bool,
}

impl Output {
    pub fn new(globals: &Globals) -> Self {
        terminal::set_json(globals.format() == Format::Json);
        let has_pager = !globals.no_pager;
        Self { format: globals.format(), is_quiet: globals.quiet, color: globals.color, has_pager }
    }

    /// For a command line that could not be parsed: guesses its format and color options.
    pub fn for_usage_errors(arguments: &[OsString]) -> Self {
        let arguments: Vec<_> =
            arguments.iter().map(|argument| argument.to_string_lossy()).collect();
        let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
        let value = |option: &str, value: &str| {
            has(&format!("{option}={value}"))
                || arguments.windows(2).any(|pair| pair[0] == option && pair[1] == value)
        };
        let is_json = has("--json") || value("--format", "json");
        let color = if value("--color", "always") {
            ColorChoice::Always
        } else if value("--color", "never") {
            ColorChoice::Never
        } else {
            ColorChoice::Auto
        };
        let format = if is_json { Format::Json } else { Format::Table };
        Self { format, is_quiet: false, color, has_pager: false }
    }

    /// Prints the requested help or version.
    pub fn help(&self, help: &clap::Error) -> io::Result<()> {
        let color = match self.color {
            ColorChoice::Auto => AutoStream::choice(&io::stdout()),
            choice => choice,
        };
        let text = help.render();
        let text =
            if color == ColorChoice::Never { text.to_string() } else { text.ansi().to_string() };
        write_stdout(|stdout| write!(stdout, "{text}"))
    }

    /// Prints clap's usage error, and returns the exit code.
    pub fn usage_error(&self, misuse: &Misuse) -> u8 {
        let error = misuse.error();
        if self.format == Format::Json {
            let text = error.render().to_string();
            let summary =
                text.trim_start_matches("error: ").lines().take_while(|line| !line.is_empty());
            let message = summary.map(str::trim).collect::<Vec<_>>().join(" ");
            let failure = Failure::new(Code::Usage, message).hint(misuse.hint());
            self.error(&failure);
        } else {
            let mut stderr = AutoStream::new(io::stderr().lock(), self.color);
            // Without stderr there is nowhere to report to.
            let _ = write!(stderr, "{}", error.render().ansi());
        }
        Code::Usage.exit_code()
    }

    /// Prints a result in the requested format.
    pub fn result<T: Serialize>(
        &self,
        json: impl FnOnce() -> T,
        rows: impl FnOnce() -> Vec<Vec<String>>,
        people: impl FnOnce() -> String,
    ) -> io::Result<()> {
        match self.format {
            Format::Json => write_stdout(|stdout| json::write(stdout, &json())),
            Format::Plain => write_stdout(|stdout| {
                rows().iter().try_for_each(|row| writeln!(stdout, "{}", row.join("\t")))
            }),
            Format::Table => self.show(&people()),
        }
    }

    /// Collects rows for programs; `None` if the output is a table.
    pub fn rows(&self) -> Option<Rows> {
        (self.format != Format::Table).then(|| Rows::new(self.format == Format::Json))
    }

    /// Prints a table.
    pub fn table(&self, header: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
        self.show(&table(header, rows))
    }

    /// Prints a text for people, through a pager if it does not fit the terminal.
    fn show(&self, text: &str) -> io::Result<()> {
        let colored = match self.color {
            ColorChoice::Auto => AutoStream::choice(&io::stdout()),
            choice => choice,
        } != ColorChoice::Never;
        let text = with_color(text, colored);
        if self.has_pager && pager::is_needed(&text) && pager::show(&text)? {
            return Ok(());
        }
        write_stdout(|stdout| writeln!(stdout, "{text}"))
    }

    /// Prints a result in JSON only: for the other formats, a note has already said it.
    pub fn json_only(&self, json: &impl Serialize) -> io::Result<()> {
        if self.format == Format::Json {
            write_stdout(|stdout| json::write(stdout, json))?;
        }
        Ok(())
    }

    /// Reports changes: in JSON as a result, otherwise as notes. A generated password goes to stdout.
    /// JSON is an array.
    pub fn changes(&self, changes: &[(Change<'_>, String)]) -> io::Result<()> {
        if self.format == Format::Json {
            let changes: Vec<_> = changes.iter().map(|(change, _)| change).collect();
            return write_stdout(|stdout| json::write(stdout, &changes));
        }
        self.notes(changes)
    }

    /// As [`changes`](Self::changes), for a command that changes exactly one user. JSON is an object.
    pub fn change(&self, change: Change<'_>, note: String) -> io::Result<()> {
        if self.format == Format::Json {
            return write_stdout(|stdout| json::write(stdout, &change));
        }
        self.notes(&[(change, note)])
    }

    fn notes(&self, changes: &[(Change<'_>, String)]) -> io::Result<()> {
        for (change, note) in changes {
            self.warn_all(&change.warnings);
            self.note(&format!("{note} in {}", change.database));
            if let Some(password) = change.password {
                write_stdout(|stdout| writeln!(stdout, "{password}")).map_err(|error| {
                    let lost = "the new password was set but cannot be printed";
                    let name = change.username.as_deref().unwrap_or_default();
                    let next = format!("set another with passwd {name}");
                    io::Error::new(error.kind(), format!("{lost}: {error}; {next}"))
                })?;
            }
        }
        Ok(())
    }

    /// Prints a message that is not a result.
    pub fn note(&self, text: &str) {
        if !self.is_quiet && self.format != Format::Json {
            self.talk(None, text);
        }
    }

    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// How to show progress on stderr.
    pub fn progress(&self) -> Progress {
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if self.is_quiet || self.format == Format::Json {
            Progress::None
        } else if io::stderr().is_terminal() && !is_dumb {
            Progress::Bar
        } else {
            Progress::Lines
        }
    }

    pub fn warn(&self, text: &str) {
        if !self.is_quiet && self.format != Format::Json {
            self.talk(Some(("warning", AnsiColor::Yellow)), text);
        }
    }

    pub fn warn_all(&self, warnings: impl IntoIterator<Item = impl AsRef<str>>) {
        warnings.into_iter().for_each(|warning| self.warn(warning.as_ref()));
    }

    pub fn error(&self, failure: &Failure) {
        if self.format == Format::Json {
            // Without stderr there is nowhere to report to.
            let _ = json::write(&mut io::stderr().lock(), &JsonError::from(failure));
        } else if failure.code == Code::Interrupted {
            self.talk(None, &failure.message);
        } else if !failure.is_answered {
            for Detail { file, position, message, .. } in &failure.details {
                let position = position.map(|position| format!(":{position}")).unwrap_or_default();
                self.talk(None, &format!("{file}{position}: {message}"));
            }
            self.talk(Some(("error", AnsiColor::Red)), &failure.message);
            // More lines are SQL to paste.
            let mut lines = failure.hint.iter().flat_map(|hint| hint.lines());
            if let Some(first) = lines.next() {
                self.talk(Some(("hint", AnsiColor::Cyan)), first);
            }
            for line in lines {
                self.talk(None, &format!("  {line}"));
            }
        }
    }

    /// Writes a line to stderr, escaped: a path in it may contain any character.
    fn talk(&self, label: Option<(&str, AnsiColor)>, text: &str) {
        let text = printable(text);
        let mut stderr = AutoStream::new(io::stderr().lock(), self.color);
        // Without stderr there is nowhere to report to.
        let _ = match label {
            Some((label, color)) => {
                let style = Style::new().bold().fg_color(Some(color.into()));
                writeln!(stderr, "{style}{label}:{style:#} {text}")
            }
            None => writeln!(stderr, "{text}"),
        };
    }
}

/// The message after Ctrl-C or Ctrl-D.
pub const INTERRUPTED: &str = "interrupted: nothing was changed";

/// The line on stderr when a signal ends the program.
pub fn interruption(is_json: bool, exit_code: u8) -> String {
    let text = INTERRUPTED;
    if is_json {
        format!(
            r#"{{"error":{{"code":"interrupted","status":{exit_code},"message":"{text}","hint":null}}}}"#
        )
    } else {
        text.to_owned()
    }
}

/// Writes a result. A broken pipe is not an error and does not change the exit code.
pub fn write_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    match write(&mut stdout).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            // Discard the rest of the buffer: nobody reads it.
            drop(stdout.into_parts());
            Ok(())
        }
        Err(error) => Err(io::Error::new(error.kind(), format!("cannot write to stdout: {error}"))),
        Ok(()) => Ok(()),
    }
}

/// Fails if stdout was closed, so that nothing is lost unnoticed. Rust's runtime opens `/dev/null` in its
/// place for reading and writing; a shell that discards output opens it for writing only.
pub fn refuse_closed_stdout() -> Result<()> {
    let stdout = io::stdout();
    let flags = OFlag::from_bits_retain(fcntl(&stdout, FcntlArg::F_GETFL).unwrap_or_default());
    let is_null = || -> io::Result<bool> {
        let file = File::from(stdout.as_fd().try_clone_to_owned()?).metadata()?;
        Ok(file.rdev() != 0 && file.rdev() == fs::metadata("/dev/null")?.rdev())
    };
    if flags & OFlag::O_ACCMODE == OFlag::O_RDWR && is_null().unwrap_or(false) {
        let message = "stdout is closed: the output would be lost";
        return Err(Failure::new(Code::Failed, message));
    }
    Ok(())
}

/// Escapes characters that could control a terminal.
pub fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        if dash_users::is_unsafe_to_print(c) {
            printable.extend(c.escape_unicode());
        } else {
            printable.push(c);
        }
    }
    printable
}

/// A user as a row of `--format plain`.
pub fn plain_user(user: &User) -> Vec<String> {
    let cell = |(_, value)| match value {
        UserValue::Text(text) => text.to_string(),
        UserValue::Texts(texts) => joined(texts, ","),
        UserValue::State(state) => state.to_string(),
        UserValue::Method(method) => method.map(|method| method.to_string()).unwrap_or_default(),
        UserValue::Time(time) => time.map(rfc3339).unwrap_or_default(),
    };
    user.fields().map(cell).into()
}

/// The name of a field, for people.
pub fn label(field: &str) -> String {
    field.trim_end_matches("_at").trim_end_matches("name").replace('_', " ")
}

/// A value for people, if it is a text or several.
pub fn shown_text(value: UserValue<'_>) -> Option<String> {
    match value {
        UserValue::Text(text) => Some(text.to_string()),
        UserValue::Texts(texts) => Some(joined(texts, ", ")),
        _ => None,
    }
}

/// Joins texts from the database into one cell.
pub fn joined<'a>(texts: impl IntoIterator<Item = &'a StoredText>, separator: &str) -> String {
    texts.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(separator)
}

/// A time in RFC 3339 format, in UTC with milliseconds.
pub fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}

/// A relative time: "3 days ago" or "in 3 days".
pub fn ago(time: SystemTime) -> String {
    /// Tolerated difference between the clocks of two machines.
    const NOW: Duration = Duration::from_secs(60);
    let mut formatter = timeago::Formatter::new();
    match time.elapsed() {
        Ok(elapsed) => formatter.convert(elapsed),
        Err(error) if error.duration() < NOW => formatter.convert(Duration::ZERO),
        // Some milliseconds of "in 3 days" have already passed.
        Err(error) => {
            let left = error.duration() + Duration::from_secs(1);
            format!("in {}", formatter.ago("").convert(left).trim_end())
        }
    }
}

/// A short age: "45s", "25m", "3h", "3d", "2y". A time ahead of the clock is "in 3d", or "0s" if it is
/// less than a minute.
pub fn age(time: SystemTime) -> String {
    const UNITS: [(u64, &str); 5] =
        [(365 * 86400, "y"), (86400, "d"), (3600, "h"), (60, "m"), (1, "s")];
    let short = |duration: Duration| {
        let seconds = duration.as_secs();
        let (unit, name) = UNITS.into_iter().find(|(unit, _)| seconds >= *unit).unwrap_or((1, "s"));
        format!("{}{name}", seconds / unit)
    };
    match time.elapsed() {
        Ok(elapsed) => short(elapsed),
        Err(error) if error.duration() < Duration::from_secs(60) => "0s".to_owned(),
        Err(error) => format!("in {}", short(error.duration() + Duration::from_secs(1))),
    }
}

/// A count with its noun: "1 user", "1,200 users".
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(count), if count == 1 { one } else { many })
}

/// A number with commas between thousands.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
