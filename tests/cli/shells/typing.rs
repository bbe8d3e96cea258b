//! Interactive shells.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rexpect::process::Signal;
use rexpect::session::{PtySession, spawn_command};
use tempfile::TempDir;

use crate::skip::or_skip;
use crate::support::{Sandbox, program_directory};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shell {
    Bash,
    Zsh,
    Fish,
}

pub(super) const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];

/// Starts compinit without its question about insecure directories.
pub(super) const COMPINIT: &str = "autoload -Uz compinit; compinit -D -u";

/// The prompt of bash and zsh.
const READY: &str = "READY> ";

/// Records the candidates, and with Ctrl-T the current line. `compopt` shows whether filenames are
/// completed.
const BASH_RECORDER: &str = r#"
record() {
    _dash_users "$@"
    { printf '%s\n' "${COMPREPLY[@]}"
      [[ $(compopt) != *'-o default'* ]] || echo '<files>'; } >"$RECORD.new"
    mv "$RECORD.new" "$RECORD"
}
complete -o bashdefault -F record dash-users
line() { printf '%s' "$READLINE_LINE" >"$RECORD.new"; mv "$RECORD.new" "$RECORD"; }
bind -x '"\C-t": line'
"#;

const ZSH_RECORDER: &str = r#"
autoload +X _describe _files
functions -c _dash_users real_dash_users
functions -c _describe real_describe
functions -c _files real_files
_describe() {
    local name=${@[-1]}
    offered+=("${(@P)name}")
    real_describe "$@"
}
_files() {
    offered+=('<files>')
    real_files "$@"
}
_dash_users() {
    local -a offered
    real_dash_users "$@"
    local code=$?
    print -rl -- $offered >$RECORD.new
    mv $RECORD.new $RECORD
    return code
}
line() { print -rn -- $BUFFER >$RECORD.new; mv $RECORD.new $RECORD; }
zle -N line
bindkey '^T' line
"#;

impl Shell {
    fn name(self) -> &'static str {
        match self {
            Shell::Bash => "bash",
            Shell::Zsh => "zsh",
            Shell::Fish => "fish",
        }
    }

    pub(super) fn script(self) -> PathBuf {
        let file = match self {
            Shell::Bash => "dash-users.bash",
            Shell::Zsh => "_dash-users",
            Shell::Fish => "dash-users.fish",
        };
        Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(file)
    }

    /// Whether the shell is installed. Prints a message if not.
    pub(super) fn is_there(self) -> bool {
        let version = Command::new(self.name()).arg("--version").stdout(Stdio::null()).status();
        or_skip(version.map_err(|error| format!("no {}: {error}", self.name()))).is_some()
    }

    /// The shell, with the program in its path and the directory as home.
    pub(super) fn command(self, sandbox: &Sandbox) -> Command {
        let path = env::var_os("PATH").unwrap_or_default();
        let path = [program_directory().to_owned()].into_iter().chain(env::split_paths(&path));
        // Without echo, bash does not show typed text.
        let mut command = sandbox.shell("[ -t 0 ] && stty echo; exec \"$0\" \"$@\"");
        command.arg(self.name());
        command.env("PATH", env::join_paths(path).unwrap()).env("HOME", sandbox.dir());
        command.env("LC_ALL", "C.UTF-8").env("TERM", "xterm");
        command
    }
}

/// An interactive shell.
pub(super) struct Typing<'a> {
    shell: Shell,
    sandbox: &'a Sandbox,
    /// A directory for the shell's own files.
    dir: TempDir,
    /// Fish is restarted for each line.
    session: Option<PtySession>,
}

/// Starts a shell with its script, or none if it is not installed.
pub(super) fn start(shell: Shell, sandbox: &Sandbox) -> Option<Typing<'_>> {
    if !shell.is_there() {
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    if shell == Shell::Fish {
        return Some(Typing { shell, sandbox, dir, session: None });
    }
    let source = format!("source '{}'", shell.script().display());
    let lines = match shell {
        Shell::Zsh => [COMPINIT, &source, "setopt no_beep; LISTMAX=10000", ZSH_RECORDER],
        _ => ["HISTFILE=", &source, "bind 'set bell-style none'", BASH_RECORDER],
    };
    let file = dir.path().join(".zshrc");
    fs::write(&file, format!("{}\nPS1='{READY}'\n", lines.join("\n"))).unwrap();
    let mut command = shell.command(sandbox);
    command.env("RECORD", dir.path().join("record")).env("ZDOTDIR", dir.path());
    match shell {
        Shell::Zsh => command.arg("-d"),
        _ => command.arg("--rcfile").arg(file),
    };
    let session = start_interactive(command);
    Some(Typing { shell, sandbox, dir, session: Some(session) })
}

/// Starts bash or zsh on a pseudo-terminal.
fn start_interactive(mut command: Command) -> PtySession {
    command.arg("-i");
    let mut session = spawn_command(command, Some(20_000)).unwrap();
    session.exp_string(READY).unwrap();
    session
}

/// Kills the shell, because shells ignore milder signals. It may have exited already.
fn end(session: &mut PtySession) {
    let _ = session.process_mut().kill(Signal::SIGKILL);
}

impl Typing<'_> {
    /// The candidates for typed text, without their descriptions.
    pub(super) fn offered(&mut self, line: &str) -> Vec<String> {
        let (answer, about) = match self.session {
            None => (self.completed_by_fish(line), '\t'),
            // Ctrl-U deletes the previous text.
            Some(_) => (self.press(&format!("\x15{line}\t")), ':'),
        };
        let values = answer.lines().map(|line| line.split(about).next().unwrap_or_default());
        values.filter(|value| !value.is_empty()).map(str::to_owned).collect()
    }

    /// The line after typing this and a Tab.
    pub(super) fn completed(&mut self, line: &str) -> String {
        self.offered(line);
        self.press("\x14")
    }

    /// The record written when these keys are pressed.
    fn press(&mut self, keys: &str) -> String {
        let session = self.session.as_mut().unwrap();
        session.send(keys).unwrap();
        session.flush().unwrap();
        let record = self.dir.path().join("record");
        let start = Instant::now();
        while !record.exists() {
            assert!(start.elapsed() < Duration::from_secs(20), "{:?}: {keys:?}", self.shell);
            thread::sleep(Duration::from_millis(5));
        }
        let answer = fs::read_to_string(&record).unwrap();
        fs::remove_file(record).unwrap();
        answer
    }

    /// Presses Enter, and waits for this output.
    pub(super) fn enter(&mut self, expected: &str) {
        let session = self.session.as_mut().unwrap();
        session.send("\r").unwrap();
        session.flush().unwrap();
        session.exp_string(expected).unwrap();
    }

    fn completed_by_fish(&self, line: &str) -> String {
        let mut command = self.shell.command(self.sandbox);
        command.args(["--no-config", "--command", "source $argv[1]; complete -C $argv[2]"]);
        let output = command.arg(self.shell.script()).arg(line).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{line}");
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Typing<'_> {
    fn drop(&mut self) {
        if let Some(session) = &mut self.session {
            end(session);
        }
    }
}

/// Starts bash or zsh with only this in its startup file, types text and a Tab, and waits for the
/// expected ending.
pub(super) fn assert_completes(shell: Shell, sandbox: &Sandbox, rc: &str, typed: &str, end: &str) {
    let file = if shell == Shell::Bash { ".bashrc" } else { ".zshrc" };
    sandbox.write(file, format!("{rc}\nPS1='{READY}'\n"));
    let mut session = start_interactive(shell.command(sandbox));
    session.send(&format!("{typed}\t")).unwrap();
    session.flush().unwrap();
    let found = session.exp_string(end);
    self::end(&mut session);
    assert!(found.is_ok(), "{shell:?}: {found:?}");
}
