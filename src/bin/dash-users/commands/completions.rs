use clap::ValueEnum;
use clap_complete::aot::{self, generate};

use super::{Definition, Invocation};
use crate::cli;
use crate::complete;
use crate::exit::Result;
use crate::output::write_stdout;

/// Print a shell completion script
///
/// In bash, zsh and fish, usernames and group names are completed too. They come from the SQLite
/// database in use: --database, DASH_USERS_DATABASE or users.db.
///
/// Example: dash-users completions bash >~/.local/share/bash-completion/completions/dash-users
#[derive(clap::Args)]
pub struct Args {
    /// Target shell
    #[arg(value_enum)]
    pub shell: Shell,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
    Elvish,
}

impl Definition for Args {
    const NAME: &str = "completions";
    const EXIT_CODES: &[(&str, &[u8])] = &[("completions", &[])];
    const JSON: &[(&str, &str)] = &[];

    fn run(&self, _: &Invocation) -> Result<()> {
        let mut script = Vec::new();
        match self.shell {
            Shell::Bash => script.extend(complete::BASH.bytes()),
            Shell::Zsh => script.extend(complete::ZSH.bytes()),
            Shell::Fish => script.extend(complete::FISH.bytes()),
            Shell::Powershell => write_static(aot::PowerShell, &mut script),
            Shell::Elvish => write_static(aot::Elvish, &mut script),
        }
        Ok(write_stdout(|stdout| stdout.write_all(&script))?)
    }
}

/// A static script that completes commands and options only.
fn write_static(shell: impl aot::Generator, script: &mut Vec<u8>) {
    generate(shell, &mut cli::command(), env!("CARGO_BIN_NAME"), script);
}
