//! Where a password comes from, and questions.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use dash_users::Password;
use zeroize::Zeroizing;

use crate::cli::{Format, Globals, NewPasswordArgs, PasswordArgs};
use crate::exit::{Code, Failure};
use crate::terminal;

/// A file with the password, for want of a flag.
const PASSWORD_FILE: &str = "DASH_USERS_PASSWORD_FILE";

/// The most bytes that are read; no password is that long.
const MAX_BYTES: usize = 1 << 20;

/// Asks, where it may.
pub struct Prompt {
    /// Whether there is someone to ask.
    is_interactive: bool,
    /// Whether stderr is free for questions: with JSON it holds errors only, and questions go to
    /// the terminal itself.
    on_stderr: bool,
}

/// Where one password comes from.
#[derive(Clone)]
pub enum Source {
    Terminal,
    Stdin,
    File(PathBuf),
    Generated,
}

impl Prompt {
    pub fn new(globals: &Globals) -> Self {
        Self {
            is_interactive: !globals.no_input && io::stdin().is_terminal(),
            on_stderr: globals.format() != Format::Json,
        }
    }

    /// Where a password that is to be checked comes from.
    pub fn source(&self, args: &PasswordArgs) -> Result<Source> {
        self.given(args, "--password-stdin or --password-file")
    }

    /// Where a new password comes from.
    pub fn new_source(&self, args: &NewPasswordArgs) -> Result<Source> {
        if args.generate {
            return Ok(Source::Generated);
        }
        self.given(&args.given, "--password-stdin, --password-file or --generate")
    }

    fn given(&self, args: &PasswordArgs, flags: &str) -> Result<Source> {
        let from_environment = std::env::var_os(PASSWORD_FILE).filter(|file| !file.is_empty());
        if args.password_stdin {
            Ok(Source::Stdin)
        } else if let Some(file) = &args.password_file {
            Ok(Source::File(file.clone()))
        } else if let Some(file) = from_environment {
            Ok(Source::File(file.into()))
        } else if self.is_interactive {
            Ok(Source::Terminal)
        } else {
            let failure =
                Failure::new(Code::Usage, "there is no terminal to ask for a password on");
            Err(failure.hint(format!("use {flags}")).into())
        }
    }

    /// A password that is to be checked: on the terminal it is asked for once.
    pub fn password(&self, source: &Source) -> Result<Password> {
        match source {
            Source::Terminal => self.ask_hidden("Password: "),
            Source::Stdin => {
                read(io::stdin().lock()).context("cannot read the password from stdin")
            }
            Source::File(path) => read_file(path),
            Source::Generated => Ok(Password::generate()),
        }
    }

    /// A new password: on the terminal it is asked for twice.
    pub fn new_password(&self, source: &Source) -> Result<Password> {
        let Source::Terminal = source else { return self.password(source) };
        let password = self.ask_hidden("New password: ")?;
        if self.ask_hidden("New password, again: ")? != password {
            let message = "the two passwords differ; nothing was changed";
            return Err(Failure::new(Code::BadPassword, message).into());
        }
        Ok(password)
    }

    fn ask_hidden(&self, question: &str) -> Result<Password> {
        let terminal = terminal::path().display().to_string();
        let config = rpassword::ConfigBuilder::new().input_file_path(&terminal);
        let config = if self.on_stderr {
            config.output_writer(io::stderr()).build()
        } else {
            config.output_file_path(&terminal).build()
        };
        let ask = || rpassword::prompt_password_with_config(question, config);
        let typed = match terminal::during_prompt(true, ask)? {
            Ok(typed) => Password::from(typed),
            Err(error) => return Err(interrupted_or(error)),
        };
        // rpassword puts this in the place of what is not UTF-8.
        if typed.expose().contains(char::REPLACEMENT_CHARACTER) {
            return Err(dash_users::PasswordNotUtf8.into());
        }
        Ok(typed)
    }

    /// Asks whether to go on; an error tells the flag that says yes, where nobody can be asked.
    pub fn confirm(&self, question: &str, flag: &str) -> Result<bool> {
        if !self.is_interactive {
            let failure = Failure::new(Code::NeedsConfirmation, "there is no terminal to ask on");
            return Err(failure.hint(format!("{flag} goes on without asking")).into());
        }
        let ask = || {
            let question = format!("{question} [y/N] ");
            if self.on_stderr {
                io::stderr().write_all(question.as_bytes())?;
            } else {
                File::options()
                    .write(true)
                    .open(terminal::path())?
                    .write_all(question.as_bytes())?;
            }
            let mut answer = String::new();
            io::stdin().read_line(&mut answer)?;
            Ok(answer)
        };
        let answer: io::Result<String> = terminal::during_prompt(false, ask)?;
        let answer = answer.context("cannot read the answer")?;
        Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }
}

/// Ctrl-C (where the signal has not ended the program yet) and Ctrl-D end a prompt.
fn interrupted_or(error: io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::Interrupted | io::ErrorKind::UnexpectedEof => {
            Failure::new(Code::Interrupted, "interrupted").answered().into()
        }
        _ => anyhow::Error::from(error).context("cannot read the password from the terminal"),
    }
}

fn read_file(path: &Path) -> Result<Password> {
    let context = || format!("cannot read the password from {}", path.display());
    let file = File::open(path).with_context(context)?;
    read(file).with_context(context)
}

/// Reads to the end and takes exactly one line end off. No copy is left in memory.
pub fn read(mut input: impl Read) -> Result<Password> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(1024));
    loop {
        let mut chunk = Zeroizing::new([0; 1024]);
        let count = match input.read(chunk.as_mut()) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        if bytes.len() + count > MAX_BYTES {
            return Err(Failure::new(Code::BadPassword, "it is longer than 1 MiB").into());
        }
        if bytes.len() + count > bytes.capacity() {
            // A vector that grows by itself leaves its old bytes behind.
            let mut larger = Zeroizing::new(Vec::with_capacity(2 * bytes.capacity() + count));
            larger.extend_from_slice(&bytes);
            bytes = larger;
        }
        bytes.extend_from_slice(&chunk[..count]);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    Ok(Password::from_utf8(bytes)?)
}

/// The bytes of a name that was given as an argument.
pub fn bytes(name: &OsStr) -> &[u8] {
    name.as_encoded_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_line_end_is_taken_off() {
        for (input, password) in [
            ("", ""),
            ("a", "a"),
            ("a\n", "a"),
            ("a\r\n", "a"),
            ("a\n\n", "a\n"),
            ("a\r", "a\r"),
            (" a \n", " a "),
            ("\n", ""),
        ] {
            assert_eq!(read(input.as_bytes()).unwrap().expose(), password, "{input:?}");
        }
        let long = "é".repeat(5000);
        assert_eq!(read(long.as_bytes()).unwrap().expose(), long);
        assert!(read(&vec![b'a'; MAX_BYTES + 1][..]).is_err());
        assert!(read(&b"\xff"[..]).is_err());
    }
}
