use std::fs;
use std::io::{ErrorKind, Read};
use std::path::PathBuf;

use dash_users::{HashError, PasswordHash, policy};
use serde::Serialize;

use super::source::is_standard;
use super::{Definition, Invocation};
use crate::cli::{MethodArg, NewPasswordArgs};
use crate::exit::{Code, Failure, Result};
use crate::output::Output;
use crate::prompt::{Prompt, Source, stdin};

/// Hash a password, or check it against a hash, without a database
///
/// With --generate, the first line of output is the password and the second is its hash. With
/// --check, the exit code is 0 if the password matches, 3 if it does not, and 7 if the file does not
/// contain a usable hash.
///
/// Example: dash-users hash --method pbkdf2:sha256:600000
#[derive(clap::Args)]
pub struct Args {
    /// Check the password against the hash in --hash-file
    #[arg(long, requires = "hash_file", conflicts_with_all = ["generate", "allow_weak"])]
    pub check: bool,
    /// File with one hash, or - for stdin (one trailing newline is stripped)
    #[arg(long, value_name = "FILE", requires = "check")]
    pub hash_file: Option<PathBuf>,
    #[command(flatten)]
    pub password: NewPasswordArgs,
    #[command(flatten)]
    pub method: MethodArg,
}

#[derive(Serialize)]
struct Json<'a> {
    hash: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
}

#[derive(Serialize)]
struct Checked {
    verified: bool,
}

impl Definition for Args {
    const NAME: &str = "hash";
    const EXIT_CODES: &[(&str, &[u8])] = &[("hash", &[3, 7, 8, 130])];
    const JSON: &[(&str, &str)] =
        &[("hash", "`hash`; with `--generate` `password`; with `--check` only `verified`")];

    fn run(&self, invocation: &Invocation) -> Result<()> {
        let Invocation { prompt, output, .. } = invocation;
        if let Some(file) = &self.hash_file {
            return check(self, file, prompt, output);
        }
        let source = prompt.new_source(&self.password)?;
        let password = prompt.new_password(&source, None, self.password.allow_weak)?;
        policy::check(&password, None, self.password.allow_weak)?;
        let hash = PasswordHash::new(&self.method.get()?, &password).to_string();
        let generated = source.generated(&password);
        let lines: Vec<String> = generated.into_iter().chain([&*hash]).map(str::to_owned).collect();
        let json = || Json { hash: &hash, password: generated };
        let rows = || lines.iter().map(|line| vec![line.clone()]).collect();
        Ok(output.result(json, rows, || lines.join("\n"))?)
    }
}

fn check(args: &Args, file: &PathBuf, prompt: &Prompt, output: &Output) -> Result<()> {
    let source = prompt.source(&args.password.given)?;
    let is_stdin = is_standard(file);
    if is_stdin && matches!(source, Source::Stdin) {
        let message = "cannot read both the hash and the password from stdin";
        return Err(Failure::new(Code::Usage, message).hint("use --password-file FILE"));
    }
    let mut text = Vec::new();
    let mut read_stdin = || stdin()?.read_to_end(&mut text);
    let read = if is_stdin { read_stdin().map(|_| text) } else { fs::read(file) };
    let text = read.map_err(|error| match error.kind() {
        // The name may be the hash itself.
        ErrorKind::NotFound => Failure::new(
            Code::Failed,
            "the file given by --hash-file does not exist (name not shown: it may be the hash)",
        )
        .hint("write the hash to a file, and pass the name of that file"),
        _ => Failure::from(error).context(format!("cannot read {}", file.display())),
    })?;
    let invalid = |reason: &dyn ToString| {
        let message = format!("no usable hash in {}: {}", file.display(), reason.to_string());
        Failure::new(Code::InvalidData, message)
    };
    let text = String::from_utf8(text).map_err(|_| invalid(&"not UTF-8"))?;
    let text =
        text.strip_suffix('\n').map_or(&*text, |line| line.strip_suffix('\r').unwrap_or(line));
    let hash = text.parse::<PasswordHash>();
    let password = prompt.password(&source)?;
    let verified = match hash {
        Ok(hash) => hash.verify(&password),
        Err(HashError::NeverMatches(_)) => false,
        Err(error) => return Err(invalid(&error)),
    };
    let answer = if verified { "the password matches" } else { "the password does not match" };
    let rows = || vec![vec![verified.to_string()]];
    output.result(|| Checked { verified }, rows, || answer.to_owned())?;
    if verified { Ok(()) } else { Err(Failure::new(Code::Refused, answer).answered()) }
}
