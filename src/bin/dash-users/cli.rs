//! Command-line arguments and the environment variables that replace them.

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use anstream::ColorChoice;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, ValueEnum, ValueHint};
use clap_complete::ArgValueCompleter;
use dash_users::transfer::{self, InputFormat};
use dash_users::{Location, Method, MethodError, User};

use crate::commands::{COMMANDS, Command, Heading};
use crate::complete;
use crate::exit::{Code, EXIT_CODES, Failure, Result};

/// User management for Dash apps
///
/// Manages the table users(username, password_hash, language), in a SQLite file or on a PostgreSQL
/// server. A Dash app behind dash_auth.BasicAuth(auth_func=…) checks logins against this table with
/// werkzeug. The app keeps running, unmodified, while you add, change and remove users.
#[derive(Parser)]
#[command(
    name = "dash-users",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    subcommand_required = true
)]
struct Cli {
    #[command(flatten)]
    pub globals: Globals,
}

#[derive(Args)]
#[command(next_help_heading = "Global options")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Globals {
    /// Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name
    /// [env: DASH_USERS_DATABASE] [default: users.db]
    #[arg(short, long, global = true, value_name = "DB", value_hint = ValueHint::AnyPath)]
    pub database: Option<OsString>,
    /// Output format
    #[arg(long, global = true, value_enum, default_value_t, conflicts_with = "json")]
    pub format: Format,
    /// Same as --format json
    #[arg(long, global = true)]
    pub json: bool,
    /// Print only results and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// When to use color
    #[arg(long, global = true, value_parser = named(COLORS), default_value = "auto", value_name = "WHEN")]
    pub color: ColorChoice,
    /// Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]
    #[arg(long, global = true)]
    pub no_pager: bool,
    /// How long to wait for a database that another program has locked, in seconds
    #[arg(
        long,
        global = true,
        value_name = "SECONDS",
        default_value_t = 10,
        value_parser = number(0..=u32::MAX),
        allow_hyphen_values = true
    )]
    pub wait: u32,
    /// Never prompt for input, even on a terminal
    #[arg(long, global = true)]
    pub no_input: bool,
}

impl Globals {
    pub fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }

    /// Where the choice of the database comes from.
    pub fn origin(&self) -> Origin {
        if self.database.is_some() {
            Origin::Flag
        } else if environment("DASH_USERS_DATABASE").is_some() {
            Origin::Environment
        } else {
            Origin::Default
        }
    }

    pub fn database(&self) -> Result<Location> {
        let from_environment = || environment("DASH_USERS_DATABASE");
        let database = self.database.clone().or_else(from_environment);
        let database = database.unwrap_or("users.db".into());
        if database == "-" {
            let failure = Failure::new(Code::Usage, "the database cannot be stdin or stdout");
            return Err(failure.hint("give a path; for a file called -, write ./-"));
        }
        let location = Location::parse(database)?;
        match location {
            #[cfg(feature = "postgres")]
            Location::Postgres(server) => {
                let unreadable = std::cell::Cell::new(None);
                let variable = |name: &str| {
                    let value = environment(name)?.into_string();
                    value.map_err(|_| unreadable.set(Some(name.to_owned()))).ok()
                };
                let server = server.with_environment(variable);
                match unreadable.take() {
                    Some(name) => {
                        let message = format!("the value of {name} is not UTF-8");
                        Err(Failure::new(Code::Usage, message).hint(format!("unset {name}")))
                    }
                    None => Ok(Location::Postgres(server)),
                }
            }
            location => Ok(location),
        }
    }
}

/// What names the database.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Flag,
    Environment,
    Default,
}

/// An environment variable. Empty counts as unset.
pub fn environment(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

#[derive(Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// Aligned columns, for people
    #[default]
    Table,
    /// One tab-separated line per record, without a header
    Plain,
    /// One JSON document
    Json,
}

const COLORS: &[Named<ColorChoice>] = &[
    ("auto", "Only on a terminal, unless NO_COLOR is set or TERM is dumb", ColorChoice::Auto),
    ("always", "", ColorChoice::Always),
    ("never", "", ColorChoice::Never),
];

/// A parsed command line.
pub struct Parsed {
    pub globals: Globals,
    pub command: Command,
    /// The arguments of the command.
    pub matches: ArgMatches,
}

/// Parses a command line as `commands` describe it.
pub fn parse(commands: clap::Command, arguments: &[OsString]) -> Result<Parsed, clap::Error> {
    let mut matches = commands.try_get_matches_from(arguments)?;
    let Cli { globals } = Cli::from_arg_matches(&matches)?;
    let found = matches.remove_subcommand();
    let command = |(name, matches): (String, _)| {
        let command = COMMANDS.into_iter().find(|command| command.name == name)?;
        Some(Parsed { globals, command, matches })
    };
    found.and_then(command).ok_or_else(|| clap::Error::new(ErrorKind::MissingSubcommand))
}

/// The whole command line, without the texts that only help shows.
pub fn bare() -> clap::Command {
    let add = |cli: clap::Command, command: &Command| {
        cli.subcommand((command.with_arguments)(clap::Command::new(command.name)))
    };
    COMMANDS.iter().fold(Cli::command(), add)
}

/// The whole command line as help shows it: a command has one line about the global options.
pub fn help() -> clap::Command {
    let mut command = command();
    // From here on, each command has the global options too.
    command.build();
    let line = section("Global options", &globals_line(&command));
    command.mut_subcommands(|sub| without_globals(sub, &line))
}

fn globals_line(command: &clap::Command) -> String {
    let names = command.get_arguments().filter(|option| option.is_global_set());
    let names: Vec<_> =
        names.filter_map(|option| Some(format!("--{}", option.get_long()?))).collect();
    // No line begins with an option, which would be one of the command.
    format!("  see dash-users --help: {}\n", names.join(" "))
}

fn without_globals(command: clap::Command, line: &str) -> clap::Command {
    let text = |text: Option<&clap::builder::StyledStr>| {
        text.map(|text| format!("\n{}", text.ansi())).unwrap_or_default()
    };
    let long = format!("{line}{}", text(command.get_after_long_help()));
    let hide = |option: clap::Arg| if option.is_global_set() { option.hide(true) } else { option };
    command
        .mut_args(hide)
        .after_help(line.to_owned())
        .after_long_help(long)
        .mut_subcommands(|sub| without_globals(sub, line))
}

/// Fills in the fields of users, and moves the example of a command's help behind its first line.
fn with_fields_and_example(command: clap::Command) -> clap::Command {
    let text = command.get_long_about().map(ToString::to_string).unwrap_or_default();
    let text = text.replace("{user}", &User::FIELDS.join(", "));
    let text = text.replace("{fields}", &transfer::FIELDS.join(", "));
    let parts = text.rsplit_once("\n\nExample: ");
    match parts.and_then(|(text, example)| Some((text.split_once("\n\n")?, example))) {
        Some(((first, rest), example)) => {
            command.long_about(format!("{first}\n\nExample: {example}\n\n{rest}"))
        }
        None => command,
    }
}

/// The section about the JSON of a command line, or nothing.
fn json_keys(command: &Command, line: &str) -> String {
    // After the names of the command are options or a FILE.
    let is_about = |other: &str| {
        let rest = other.strip_prefix(line);
        rest.is_some_and(|rest| !rest.trim_start().starts_with(|c: char| c.is_ascii_lowercase()))
    };
    let found: Vec<_> = command.json.iter().filter(|(other, _)| is_about(other)).collect();
    let text = |(line, keys): &&(&str, &str)| {
        let name = if found.len() > 1 { format!("{line}: ") } else { String::new() };
        format!("  {name}{}\n", keys.replace('`', ""))
    };
    let texts = found.iter().map(text).collect::<String>();
    let texts = texts.replace("{user}", &User::FIELDS.join(", "));
    if texts.is_empty() { texts } else { section("JSON", &texts) + "\n" }
}

/// The section about the exit codes of a command line.
fn codes_of(command: &Command, line: &str) -> String {
    let is_about = |other: &str| other == line || line == command.name;
    let found = command.exit_codes.iter().filter(|(other, _)| is_about(other));
    let extra: Vec<u8> = found.flat_map(|(_, codes)| codes.iter().copied()).collect();
    exit_codes(|code| code <= 2 || extra.contains(&code))
}

/// The whole command line, including what clap's attributes cannot express.
pub fn command() -> clap::Command {
    let command = bare();
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}{}{{after-help}}",
        groups(&command),
        section("Options", "{options}")
    );
    let example = "dash-users init && dash-users add alice && dash-users list";
    let with_texts = |cli: clap::Command, command: &Command| {
        let texts = |sub: clap::Command, line: &str| {
            let texts = json_keys(command, line) + &codes_of(command, line);
            with_fields_and_example(sub).after_long_help(texts)
        };
        cli.mut_subcommand(command.name, |sub| {
            let nested = |sub: clap::Command| {
                let line = format!("{} {}", command.name, sub.get_name());
                texts(sub, &line)
            };
            texts(sub.mut_subcommands(nested), command.name)
        })
    };
    COMMANDS
        .iter()
        .fold(command, with_texts)
        .help_template(template)
        .after_help(section("Example", &format!("  {example}\n")))
        .after_long_help(section("Example", &format!("  {example}\n\n")) + &exit_codes(|_| true))
}

fn section(heading: &str, text: &str) -> String {
    let style = clap::builder::Styles::styled();
    let header = style.get_header();
    format!("{header}{heading}:{header:#}\n{text}")
}

/// The commands, group by group.
fn groups(command: &clap::Command) -> String {
    let literal = *clap::builder::Styles::styled().get_literal();
    let line = |name: &str, about: &str| format!("  {literal}{name:<11}{literal:#}  {about}\n");
    let of_command = |name: &str| {
        let command = command.find_subcommand(name);
        let about = command.and_then(clap::Command::get_about).map(ToString::to_string);
        let aliases: Vec<_> =
            command.map_or_else(Vec::new, |command| command.get_visible_aliases().collect());
        let aliases = match &aliases[..] {
            [] => String::new(),
            [alias] => format!(" [alias: {alias}]"),
            aliases => format!(" [aliases: {}]", aliases.join(", ")),
        };
        line(name, &(about.unwrap_or_default() + &aliases))
    };
    let group = |(heading, title): (Heading, &str)| {
        let commands = COMMANDS.iter().filter(|command| command.heading == heading);
        let mut lines: String = commands.map(|command| of_command(command.name)).collect();
        if heading == Heading::Tools {
            // Added by clap.
            lines += &line("help", "Print help for dash-users or a command");
        }
        section(title, &lines) + "\n"
    };
    HEADINGS.into_iter().map(group).collect()
}

/// The headings of `-h`.
const HEADINGS: [(Heading, &str); 5] = [
    (Heading::SetUp, "Set up"),
    (Heading::Users, "Users"),
    (Heading::Inspect, "Inspect"),
    (Heading::Files, "Files"),
    (Heading::Tools, "Tools"),
];

/// The method for new hashes, and the one to judge outdated hashes by.
#[derive(Args)]
pub struct MethodArg {
    /// Method of new hashes, to which existing ones are compared: scrypt, scrypt:N:r:p, pbkdf2,
    /// pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]
    ///
    /// Use pbkdf2 if the app runs werkzeug before 2.3 or a Python without hashlib.scrypt. ALGORITHM
    /// is sha1, sha256 or sha512. "scrypt" means scrypt:32768:8:1, which needs 32 MiB of memory. The
    /// limits are 256 MiB (128·N·r·p bytes) and 10,000,000 iterations. A stored hash is outdated if
    /// it uses another algorithm, does less work, or omits parameters.
    #[arg(long, add = ArgValueCompleter::new(complete::methods))]
    method: Option<Method>,
}

impl MethodArg {
    /// Whether neither the option nor the environment sets a method.
    pub fn is_default(&self) -> bool {
        self.method.is_none() && environment("DASH_USERS_METHOD").is_none()
    }

    pub fn get(&self) -> Result<Method, Failure> {
        match (self.method, environment("DASH_USERS_METHOD")) {
            (Some(method), _) => Ok(method),
            (None, None) => Ok(Method::default()),
            (None, Some(text)) => text.to_string_lossy().parse().map_err(|error: MethodError| {
                Failure::new(Code::Usage, format!("invalid value of DASH_USERS_METHOD: {error}"))
            }),
        }
    }
}

/// Sources of a password to check.
#[derive(Args)]
pub struct PasswordArgs {
    /// Read the password from stdin (one trailing newline is stripped)
    #[arg(long)]
    pub password_stdin: bool,
    /// Read the password from a file, or - for stdin [env: DASH_USERS_PASSWORD_FILE]
    ///
    /// One trailing newline is stripped.
    #[arg(long, value_name = "FILE", conflicts_with = "password_stdin")]
    pub password_file: Option<PathBuf>,
}

/// Sources of a new password.
#[derive(Args)]
pub struct NewPasswordArgs {
    #[command(flatten)]
    pub given: PasswordArgs,
    /// Generate a password and print it once, to stdout
    #[arg(long, conflicts_with_all = ["password_stdin", "password_file"])]
    pub generate: bool,
    /// Accept a weak password (under 8 characters, or easy to guess)
    #[arg(long)]
    pub allow_weak: bool,
}

/// How to read a file of users.
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct FileArgs {
    /// Format of the file [default: from its name]
    #[arg(long, value_parser = named(INPUT_FORMATS), value_name = "FORMAT", requires = "file")]
    pub input_format: Option<InputFormat>,
    /// Character between CSV cells, or tab [default: detected in the header row]
    #[arg(long, value_name = "CHAR", requires = "file")]
    pub delimiter: Option<String>,
    /// Encoding of a text file, such as windows-1252 [default: utf-8, or utf-16 with a byte order mark]
    #[arg(long, value_name = "LABEL", requires = "file")]
    pub encoding: Option<String>,
    /// Read a field from the column or key with another name (repeatable)
    #[arg(long = "column", value_name = "FIELD=HEADER", requires = "file")]
    pub columns: Vec<String>,
    /// Ignore columns and keys that are not fields
    #[arg(long, requires = "file")]
    pub ignore_unknown: bool,
    /// Generate passwords for new users without one, and write them to a new CSV file, or - for
    /// stdout
    #[arg(long, value_name = "FILE", requires = "file")]
    pub generate_missing: Option<PathBuf>,
    /// Lock new users without a password; run `passwd` and `unlock` later to let them log in
    #[arg(long, requires = "file", conflicts_with = "generate_missing")]
    pub lock_missing: bool,
    /// Accept names, hashes, languages and groups unchecked, exactly as `export` wrote them
    #[arg(long, requires = "file")]
    pub as_is: bool,
    /// Show what would be done, without changing anything
    #[arg(long, requires = "file")]
    pub dry_run: bool,
    /// Accept weak passwords (under 8 characters, or easy to guess)
    #[arg(long, requires = "file")]
    pub allow_weak: bool,
    /// Accept passwords that look like a digest or a hash of another program
    #[arg(long, requires = "file")]
    pub allow_hash_like: bool,
    /// Allow usernames that differ from another only in ASCII case
    #[arg(long, requires = "file")]
    pub allow_similar: bool,
    /// Threads that hash passwords, 1 to 256 [default: one per core]; they use at most 193 MiB
    #[arg(
        long,
        value_name = "N",
        requires = "file",
        value_parser = number(1..=256),
        allow_hyphen_values = true
    )]
    pub jobs: Option<u32>,
}

/// A value of an option: its name, its help, which may be empty, and what it means.
pub type Named<T> = (&'static str, &'static str, T);

/// The formats of a file to write.
pub const FORMATS: &[Named<transfer::Format>] = &[
    ("csv", "Comma-separated values with a header row", transfer::Format::Csv),
    ("json", "One JSON document", transfer::Format::Json),
    ("jsonl", "One JSON document per line", transfer::Format::JsonLines),
];

/// The formats of a file to read.
pub const INPUT_FORMATS: &[Named<InputFormat>] = &[
    ("csv", "Comma-separated values, or another delimiter, with a header row", InputFormat::Csv),
    ("json", "One JSON document", InputFormat::Json),
    ("jsonl", "One JSON document per line", InputFormat::JsonLines),
    ("xlsx", "An Excel workbook", InputFormat::Xlsx),
    ("htpasswd", "Names and hashes; only the names are imported", InputFormat::Htpasswd),
];

/// Parses the name of a value.
pub fn named<T>(values: &'static [Named<T>]) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    let names = values.iter().map(|(name, help, _)| match PossibleValue::new(*name) {
        name if help.is_empty() => name,
        name => name.help(*help),
    });
    PossibleValuesParser::new(names).try_map(|wanted| {
        let found = values.iter().find(|(name, ..)| *name == wanted);
        found.map(|(.., value)| *value).ok_or("not one of the possible values")
    })
}

/// How to create a database file.
#[derive(Args)]
pub struct NewFileArgs {
    /// Permissions of a new database file, in octal
    #[arg(long, value_name = "MODE", default_value = "0600", value_parser = file_mode, allow_hyphen_values = true)]
    pub file_mode: u32,
    /// Group of a new database file, by name or number [default: the group of the process]
    #[arg(long, value_name = "GROUP", add = ArgValueCompleter::new(complete::file_groups))]
    pub file_group: Option<String>,
}

/// A parser of whole numbers. The option should allow a hyphen, so that it rejects `-1` too.
pub fn number(range: RangeInclusive<u32>) -> impl Fn(&str) -> Result<u32, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        let (least, most) = (range.start(), range.end());
        number.ok_or_else(|| format!("expected a whole number from {least} to {most}, such as 20"))
    }
}

/// Parses permissions that let the owner read and write, and nobody execute.
fn file_mode(text: &str) -> Result<u32, &'static str> {
    match u32::from_str_radix(text, 8) {
        Ok(mode) if mode & 0o600 == 0o600 && mode & !0o666 == 0 => Ok(mode),
        Ok(_) => Err(
            "it must let the owner read and write, and nobody execute, such as 0600, 0640 or 0660",
        ),
        Err(_) => Err("not an octal number such as 0640"),
    }
}

fn exit_codes(is_wanted: impl Fn(u8) -> bool) -> String {
    let rows = EXIT_CODES.iter().filter(|(code, _)| is_wanted(*code));
    let rows = rows.map(|(code, meaning)| format!("  {code:>3}  {meaning}\n"));
    section("Exit codes", rows.collect::<String>().trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clap_definition_is_valid() {
        command().debug_assert();
    }

    #[test]
    fn file_mode_accepts_octal_owner_rw_without_execute() {
        assert_eq!(file_mode("0640"), Ok(0o640));
        assert_eq!(file_mode("600"), Ok(0o600));
        for text in ["", "0400", "0755", "7777", "rw", "0x1a", "688", "-600"] {
            assert!(file_mode(text).is_err(), "{text}");
        }
    }
}
