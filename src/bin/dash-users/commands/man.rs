use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Arg, Command};
use clap_mangen::Man;
use dash_users::files::{self, FileError, WriteOptions};
use serde::Serialize;

use super::source::is_standard;
use super::{Definition, Invocation};
use crate::cli;
use crate::exit::{Code, Context, Failure, Result};

/// Write man pages to a directory
///
/// Writes one page per command. The directory is created if it does not exist. Existing pages are
/// overwritten.
///
/// Example: dash-users man ~/.local/share/man/man1
#[derive(clap::Args)]
pub struct Args {
    /// Directory to write to
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
}

#[derive(Serialize)]
struct Json {
    directory: String,
}

impl Definition for Args {
    const NAME: &str = "man";
    const EXIT_CODES: &[(&str, &[u8])] = &[("man", &[])];
    const JSON: &[(&str, &str)] = &[("man", "`directory`")];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        let output = invocation.output;
        if is_standard(&self.directory) {
            let failure = Failure::new(Code::Usage, "cannot write man pages to stdout");
            return Err(failure.hint("give a directory; for one called -, write ./-"));
        }
        let directory = std::path::absolute(&self.directory)?;
        let name = self.directory.to_str().filter(|_| !directory.exists());
        if let Some(command) = name.and_then(|name| cli::bare().find_subcommand(name).cloned()) {
            let name = command.get_name();
            let message = format!("man takes a directory for its pages, and '{name}' is a command");
            let hint = format!("run `dash-users help {name}`; for a directory, write ./{name}");
            return Err(Failure::new(Code::Usage, message).hint(hint));
        }
        if directory.is_file() {
            let message = format!("cannot create {}: it is a file", directory.display());
            return Err(Failure::new(Code::Failed, message).hint("give a directory"));
        }
        fs::create_dir_all(&directory).context(format!("cannot create {}", directory.display()))?;
        let mut command = cli::command().disable_help_subcommand(true);
        command.build();
        write(&command, &directory)?;
        let directory = directory.display().to_string();
        output.note(&format!("wrote the man pages to {directory}"));
        Ok(output.json_only(&Json { directory })?)
    }
}

/// The characters of a line of a page.
const WIDTH: usize = 78;

/// The date of the texts.
const DATE: &str = "2026-11-29";

/// Environment variables, with their meaning.
const ENVIRONMENT: [(&str, &str); 7] = [
    ("DASH_USERS_DATABASE", "The database, as for --database."),
    ("DASH_USERS_METHOD", "The method of new hashes, as for --method."),
    ("DASH_USERS_PASSWORD_FILE", "A file with the password, as for --password-file."),
    ("DASH_USERS_CHECK_IGNORE", "Codes that check ignores, as for --ignore."),
    ("DASH_USERS_PAGER, PAGER", "The pager for long tables. If empty, there is none."),
    ("NO_COLOR", "If set, output has no color."),
    ("SUDO_USER", "Who called sudo: the actor in the history."),
];

/// Puts the options with their values into the synopsis.
fn with_synopsis(page: &str, command: &Command) -> String {
    let Some((before, rest)) = page.split_once(".SH SYNOPSIS\n") else { return page.to_owned() };
    let Some((_, after)) = rest.split_once("\n.SH ") else { return page.to_owned() };
    let name = command.get_bin_name().unwrap_or(command.get_name());
    let mut line = format!("\\fB{}\\fR", name.replace('-', r"\-"));
    let is_own = |argument: &&Arg| {
        !argument.is_hide_set() && !argument.is_global_set() && argument.get_id() != "help"
    };
    let own = || command.get_arguments().filter(is_own);
    for option in own().filter(|argument| !argument.is_positional()) {
        let Some(long) = option.get_long() else { continue };
        let names = option.get_value_names().filter(|_| option.get_action().takes_values());
        let _ = write!(line, " [\\fB\\-\\-{}\\fR", long.replace('-', r"\-"));
        for value in names.into_iter().flatten() {
            let _ = write!(line, " \\fI{value}\\fR");
        }
        line += "]";
    }
    if command.has_subcommands() {
        line += " \\fICOMMAND\\fR";
    }
    for argument in own().filter(|argument| argument.is_positional()) {
        let many = argument.get_num_args().is_some_and(|count| count.max_values() > 1);
        let dots = if many { "..." } else { "" };
        let name = argument.get_value_names().and_then(|names| names.first());
        let name = name.map_or(argument.get_id().as_str(), |name| name.as_str()).to_uppercase();
        let _ = if argument.is_required_set() {
            write!(line, " \\fI{name}\\fR{dots}")
        } else {
            write!(line, " [\\fI{name}\\fR{dots}]")
        };
    }
    format!("{before}.SH SYNOPSIS\n{line}\n.SH {after}")
}

/// The sections at the end.
fn more(command: &Command) -> String {
    let mut more = String::new();
    let aliases: Vec<_> = command.get_visible_aliases().collect();
    if !aliases.is_empty() {
        let _ = write!(more, ".SH ALIASES\n{}\n", aliases.join(", ").replace('-', r"\-"));
    }
    more += ".SH ENVIRONMENT\n";
    for (name, meaning) in ENVIRONMENT {
        let _ = write!(more, ".TP\n\\fB{name}\\fR\n{}\n", meaning.replace('-', r"\-"));
    }
    more += ".SH FILES\n.TP\n\\fIusers.db\\fR\nThe database, unless another is named.\n";
    let name = command.get_bin_name().unwrap_or_default();
    let parent = name.rsplit_once(' ').map_or("sqlite3", |(parent, _)| parent);
    let _ = write!(more, ".SH \"SEE ALSO\"\n.BR {} (1)\n", parent.replace([' ', '-'], r"\-"));
    more
}

/// Breaks text between words, as formatters of roff expect: they join the lines again.
fn wrapped(page: &str) -> String {
    // Formatters write other characters as \[u00B7].
    let length =
        |word: &str| -> usize { word.chars().map(|c| if c.is_ascii() { 1 } else { 8 }).sum() };
    let mut wrapped = String::new();
    for line in page.lines() {
        let is_text = !line.starts_with(['.', '\'', ' ']);
        let mut width = 0;
        for (index, word) in line.split(' ').enumerate() {
            // A word at the start of a line must not look like a request.
            let breaks = is_text && width + length(word) >= WIDTH && !word.starts_with(['.', '\'']);
            let space = if breaks { "\n" } else { " " };
            if index > 0 {
                wrapped += space;
                width = if breaks { 0 } else { width + 1 };
            }
            wrapped += word;
            width += length(word);
        }
        wrapped += "\n";
    }
    wrapped
}

/// Writes the pages of a command and its subcommands.
fn write(command: &Command, directory: &Path) -> Result<()> {
    command.get_subcommands().try_for_each(|command| write(command, directory))?;
    let source = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone());
    let title = man.get_filename().trim_end_matches(".1").to_uppercase();
    let man = man.title(title).source(source).date(DATE).manual("User management for Dash apps");
    let mut page = Vec::new();
    man.render(&mut page)?;
    // The last parts of the help become sections of the man page.
    let page = String::from_utf8_lossy(&page)
        .replace(".SH EXTRA\n", "")
        .replace("\nExample:\n", "\n.SH EXAMPLE\n")
        .replace("\nJSON:\n", "\n.SH JSON\n")
        .replace("\nExit codes:\n", "\n.SH \"EXIT STATUS\"\n")
        // An empty line is a break already.
        .replace("\n.br\n\n.br\n", "\n.sp\n");
    let page = wrapped(&(with_synopsis(&page, command) + &more(command)));
    let path = directory.join(man.get_filename());
    let options = WriteOptions { kind: "man", mode: 0o666, overwrite: true, allow_pipe: false };
    files::write(&path, &options, |file, _| {
        let written = file.write_all(page.as_bytes());
        written.map_err(|error| FileError::Failed { path: path.clone(), error })
    })
    .map_err(|error| match error {
        // The hint of this error does not apply: the user cannot choose the filename.
        FileError::Directory { path } => {
            FileError::Failed { path, error: io::Error::from_raw_os_error(nix::libc::EISDIR) }
        }
        error => error,
    })?;
    Ok(())
}
