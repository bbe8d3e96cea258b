//! Password sources, prompts and confirmation.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dash_users::{Password, policy};
use zeroize::{Zeroize, Zeroizing};

use crate::cli::{Globals, NewPasswordArgs, PasswordArgs, environment};
use crate::exit::{Code, Context, Failure, Result};
use crate::output::{INTERRUPTED, Output, printable, refuse_closed_stdout};
use crate::terminal::{self, Echo};

/// The maximum number of bytes to read. No password is that long.
const MAX_BYTES: usize = 16 << 20;

/// How often a new password is asked for.
const ATTEMPTS: u32 = 3;

/// Asks the user, if allowed, on the terminal itself.
pub struct Prompt {
    /// Whether `--no-input` is given.
    is_forbidden: bool,
}

/// The source of a password.
pub enum Source {
    Terminal,
    Stdin,
    /// With the option or variable that gave its path.
    File(PathBuf, &'static str),
    Generated,
}

impl Source {
    fn file(path: PathBuf, named_by: &'static str) -> Self {
        if path == Path::new("-") { Self::Stdin } else { Self::File(path, named_by) }
    }

    /// The generated password, which must be printed.
    pub fn generated<'a>(&self, password: &'a Password) -> Option<&'a str> {
        matches!(self, Self::Generated).then(|| password.expose())
    }
}

impl Prompt {
    pub fn new(globals: &Globals) -> Self {
        Self { is_forbidden: globals.no_input }
    }

    /// The source of a password to check.
    pub fn source(&self, args: &PasswordArgs) -> Result<Source> {
        self.given(args, "--password-stdin or --password-file")
    }

    /// The source of a new password.
    pub fn new_source(&self, args: &NewPasswordArgs) -> Result<Source> {
        if args.generate {
            return Ok(Source::Generated);
        }
        self.given(&args.given, "--password-stdin, --password-file or --generate")
    }

    fn given(&self, args: &PasswordArgs, flags: &str) -> Result<Source> {
        let from_environment = environment("DASH_USERS_PASSWORD_FILE");
        if args.password_stdin {
            Ok(Source::Stdin)
        } else if let Some(file) = &args.password_file {
            Ok(Source::file(file.clone(), "--password-file"))
        } else if let Some(file) = from_environment {
            Ok(Source::file(file.into(), "DASH_USERS_PASSWORD_FILE"))
        } else if let Some(reason) = self.obstacle("a password") {
            Err(Failure::new(Code::Usage, reason).hint(format!("use {flags}")))
        } else {
            Ok(Source::Terminal)
        }
    }

    /// Gets a password to check. On a terminal, asks once.
    pub fn password(&self, source: &Source) -> Result<Password> {
        match source {
            Source::Terminal => self.ask_hidden("Password: ")?,
            Source::Stdin => stdin()
                .map_err(Into::into)
                .and_then(read)
                .context("cannot read the password from stdin"),
            Source::File(path, named_by) => read_file(path, named_by),
            Source::Generated => {
                refuse_closed_stdout()?;
                Ok(Password::generate())
            }
        }
    }

    /// Gets a new password. On a terminal, asks twice, and again if it is not allowed or the two
    /// differ. From other sources, rejects invisible characters.
    pub fn new_password(
        &self,
        source: &Source,
        username: Option<&str>,
        allow_weak: bool,
    ) -> Result<Password> {
        let Source::Terminal = source else {
            let password = self.password(source)?;
            policy::check_visible(&password)?;
            return Ok(password);
        };
        for _ in 1..ATTEMPTS {
            match self.ask_new(username, allow_weak)? {
                Ok(password) => return Ok(password),
                Err(Refusal { reason, advice }) => {
                    let lines = [vec![format!("{reason}")], advice].concat();
                    say(&format!("{}\ntry again\n", lines.join("\n")))?;
                }
            }
        }
        self.ask_new(username, allow_weak)?.map_err(|refusal| refusal.reason)
    }

    /// Asks for a new password twice. The second time only if the first answer is allowed.
    fn ask_new(
        &self,
        username: Option<&str>,
        allow_weak: bool,
    ) -> Result<Result<Password, Refusal>> {
        let refused = |reason, advice| Ok(Err(Refusal { reason, advice }));
        let password = match self.ask_hidden("New password: ")? {
            Ok(password) => password,
            Err(reason) => return refused(reason, Vec::new()),
        };
        if let Err(violation) = policy::check(&password, username, allow_weak) {
            let is_weak = violation.is_weakness();
            let advice = if is_weak { policy::advice(&password, username) } else { Vec::new() };
            return refused(violation.into(), advice);
        }
        match self.ask_hidden("Repeat new password: ")? {
            Ok(repeated) if repeated == password => Ok(Ok(password)),
            _ => {
                let message = "the passwords do not match; nothing was changed";
                refused(Failure::new(Code::BadPassword, message), Vec::new())
            }
        }
    }

    /// Asks for a password. The inner error is one of the password itself.
    #[expect(clippy::unused_self, reason = "only a prompt may ask")]
    fn ask_hidden(&self, question: &str) -> Result<Result<Password>> {
        let typed = terminal::during_prompt(Echo::Off, question, |terminal| {
            let keys = Keys::new(terminal.try_clone()?);
            let seen = Arc::clone(&keys.seen);
            let config = rpassword::ConfigBuilder::new().input_reader(keys).output_discard();
            let typed = rpassword::read_password_with_config(config.build()).map(Password::from)?;
            Ok((typed, seen))
        })?;
        let (typed, seen) = typed.context("cannot read the password from the terminal")?;
        if seen.end.load(Ordering::Relaxed) {
            say("\n")?;
            return Err(Failure::new(Code::Interrupted, INTERRUPTED));
        }
        if seen.control.load(Ordering::Relaxed) {
            let message = "control characters are not allowed in a password";
            return Ok(Err(Failure::new(Code::BadPassword, message)));
        }
        // rpassword substitutes this for invalid UTF-8.
        if typed.expose().contains(char::REPLACEMENT_CHARACTER) {
            return Ok(Err(dash_users::PasswordNotUtf8.into()));
        }
        Ok(Ok(typed))
    }

    /// Whether the user can be asked for confirmation.
    pub fn can_confirm(&self) -> bool {
        !self.is_forbidden && terminal::open().is_ok()
    }

    /// Shows the consequences and asks for confirmation. Without it, notes what was `declined`. If
    /// asking is impossible, the error contains the consequences.
    pub fn confirm(
        &self,
        consequences: &[String],
        question: &str,
        declined: &str,
        output: &Output,
    ) -> Result<()> {
        if let Some(reason) = self.obstacle("confirmation") {
            let message = [&[reason], consequences].concat().join("; ");
            let failure = Failure::new(Code::NeedsConfirmation, message);
            return Err(failure.hint("use --yes to confirm"));
        }
        let warnings = consequences.iter().map(|text| format!("warning: {}\n", printable(text)));
        let question = format!("{}{} [y/N] ", warnings.collect::<String>(), printable(question));
        let answer = terminal::during_prompt(Echo::On, &question, |mut terminal| {
            let mut answer = String::new();
            if BufReader::new(terminal).read_line(&mut answer)? == 0 {
                terminal.write_all(b"\n")?;
            }
            Ok(answer)
        })?;
        let answer = answer.context("cannot read the answer")?;
        if answer.is_empty() {
            return Err(Failure::new(Code::Interrupted, INTERRUPTED));
        }
        if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        output.note(declined);
        Err(Failure::new(Code::NeedsConfirmation, "not confirmed").answered())
    }

    /// Why asking for `what` is impossible.
    fn obstacle(&self, what: &str) -> Option<String> {
        if self.is_forbidden {
            Some(format!("cannot ask for {what} with --no-input"))
        } else if terminal::open().is_ok() {
            None
        } else {
            Some(format!("cannot ask for {what}: stdin is not a terminal"))
        }
    }
}

/// Why a new password is not taken, and how to choose a better one.
struct Refusal {
    reason: Failure,
    advice: Vec<String>,
}

fn say(text: &str) -> io::Result<()> {
    terminal::open()?.write_all(text.as_bytes())
}

/// Terminal input for rpassword. Drops Tab and the sequences of other keys, such as arrows and the
/// marks around pasted text. Watches for control characters and the end of input, because rpassword
/// silently drops the former and treats the latter as a newline.
struct Keys {
    terminal: File,
    place: Place,
    seen: Arc<Seen>,
}

/// Where in the input a byte is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Text,
    /// After ESC.
    Escape,
    /// In a sequence that begins with `ESC [`, before its final byte, or with `ESC O`.
    Sequence,
}

#[derive(Default)]
struct Seen {
    control: AtomicBool,
    end: AtomicBool,
}

impl Keys {
    fn new(terminal: File) -> Self {
        Self { terminal, place: Place::Text, seen: Arc::default() }
    }

    /// Whether a byte is part of the text.
    fn is_text(&mut self, byte: u8) -> bool {
        let (place, is_text) = match (self.place, byte) {
            (_, b'\n') => (Place::Text, true),
            (Place::Text, 0x1b) => (Place::Escape, false),
            (Place::Text, byte) => (Place::Text, byte != b'\t'),
            (Place::Escape, b'[' | b'O') | (Place::Sequence, b'0'..=b'?') => {
                (Place::Sequence, false)
            }
            (Place::Escape | Place::Sequence, _) => (Place::Text, false),
        };
        self.place = place;
        is_text
    }
}

impl Read for Keys {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.terminal.read(bytes)?;
            if count == 0 {
                self.seen.end.store(true, Ordering::Relaxed);
                return Ok(0);
            }
            let mut kept = 0;
            for next in 0..count {
                let byte = bytes[next];
                if self.is_text(byte) {
                    if byte.is_ascii_control() && byte != b'\n' {
                        self.seen.control.store(true, Ordering::Relaxed);
                    }
                    bytes[kept] = byte;
                    kept += 1;
                }
            }
            bytes[kept..count].zeroize();
            if kept > 0 {
                return Ok(kept);
            }
        }
    }
}

/// Stdin without the standard library's buffer, which would keep a copy of the input.
pub fn stdin() -> io::Result<File> {
    Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
}

fn read_file(path: &Path, named_by: &str) -> Result<Password> {
    // If the file does not exist, its name may be the password itself.
    let file = File::open(path).map_err(|error| {
        let not_shown = "name not shown: it may be the password";
        let message = match error.kind() {
            io::ErrorKind::NotFound => {
                format!("the file given by {named_by} does not exist ({not_shown})")
            }
            _ => format!("cannot open the file given by {named_by} ({not_shown}): {error}"),
        };
        let hint =
            "write the password to a file and pass the name of that file, or use --password-stdin";
        Failure::new(Code::Failed, message).hint(hint)
    })?;
    read(file).context(format!("cannot read the password from {}", path.display()))
}

/// Reads to the end, and strips a byte order mark and one trailing newline. Leaves no copy in memory.
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
            return Err(Failure::new(Code::BadPassword, "longer than 16 MiB"));
        }
        if bytes.len() + count > bytes.capacity() {
            // A vector that reallocates leaves its old bytes in memory.
            let mut larger = Zeroizing::new(Vec::with_capacity(2 * bytes.capacity() + count));
            larger.extend_from_slice(&bytes);
            bytes = larger;
        }
        bytes.extend_from_slice(&chunk[..count]);
    }
    if let Some(encoding) = utf16(&bytes) {
        let message = format!("the password is {encoding}, not UTF-8");
        let hint = format!(
            "convert the file with `iconv -f {encoding} -t UTF-8 FILE`, or in PowerShell write it with `Set-Content -Encoding utf8`"
        );
        return Err(Failure::new(Code::InvalidData, message).hint(hint));
    }
    if bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    Ok(Password::from_utf8(bytes)?)
}

/// Many programs write this before UTF-8 text.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Detects UTF-16 and UTF-32 by their byte order mark, or UTF-16 by a NUL in every second byte, as
/// for ASCII and Latin-1 text.
fn utf16(bytes: &[u8]) -> Option<&'static str> {
    let nul_at = |parity: usize| bytes.iter().skip(parity).step_by(2).filter(|byte| **byte == 0);
    let [even, odd] = [0, 1].map(|parity| nul_at(parity).count());
    match bytes {
        [0xff, 0xfe, 0, 0, ..] => Some("UTF-32LE"),
        [0, 0, 0xfe, 0xff, ..] => Some("UTF-32BE"),
        [0xff, 0xfe, ..] => Some("UTF-16LE"),
        [0xfe, 0xff, ..] => Some("UTF-16BE"),
        // A single NUL may be accidental.
        _ if even == 0 && odd > 1 && 2 * odd >= bytes.len() / 2 => Some("UTF-16LE"),
        _ if odd == 0 && even > 1 && 2 * even >= bytes.len() / 2 => Some("UTF-16BE"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_strips_one_trailing_newline() {
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

    #[test]
    fn byte_order_mark_at_the_start_is_stripped() {
        for (input, password) in [
            ("\u{feff}secret\r\n", "secret"),
            ("\u{feff}", ""),
            ("\u{feff}\u{feff}a", "\u{feff}a"),
            ("a\u{feff}", "a\u{feff}"),
        ] {
            assert_eq!(read(input.as_bytes()).unwrap().expose(), password, "{input:?}");
        }
    }

    #[test]
    fn utf16_is_rejected_by_its_name() {
        let le = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let be = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
        for (bytes, encoding) in [
            (le("\u{feff}secret\r\n"), "UTF-16LE"),
            (be("\u{feff}secret"), "UTF-16BE"),
            (le("\u{feff}пароль"), "UTF-16LE"),
            (le("secret123\r\n"), "UTF-16LE"),
            (be("secret123"), "UTF-16BE"),
            (le("crème brûlée"), "UTF-16LE"),
            (le("пароль secret"), "UTF-16LE"),
            (b"\xff\xfe\0\0s\0\0\0".to_vec(), "UTF-32LE"),
            // The final newline was added by another program.
            ([le("secret"), b"\n".to_vec()].concat(), "UTF-16LE"),
        ] {
            let error = read(&bytes[..]).unwrap_err();
            assert_eq!(error.to_string(), format!("the password is {encoding}, not UTF-8"));
        }
        for text in ["", "a", "secret", "a\0", "a\0b", "пароль"] {
            assert_eq!(utf16(text.as_bytes()), None, "{text:?}");
        }
    }
}
