//! Runs the program in a separate directory for each test.

use std::env;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{LazyLock, OnceLock};

use rusqlite::Connection;
use snapbox::IntoData;
use tempfile::TempDir;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_dash-users");

const PROFILE: &str = "LLVM_PROFILE_FILE";

/// The directory of the program, for a shell's `PATH`.
pub(crate) fn program_directory() -> &'static Path {
    Path::new(PROGRAM).parent().unwrap()
}

/// A password that the policy accepts.
pub(crate) const GOOD: &str = "plover-xyzzy-quux";

/// The table of the Dash tutorial.
pub(crate) const TUTORIAL: &str = "CREATE TABLE users (username TEXT PRIMARY KEY,
    password_hash TEXT NOT NULL, language TEXT NOT NULL);";

/// A hash of `secret123` that werkzeug wrote.
pub(crate) const SECRET123: &str = "pbkdf2:sha256:1000$cXcFpMbSWnUBUfdk$1ffcc3ba1a859774713ed1ca80b7470388d1764e13351cdab2c88bbfcb4340a9";

/// A directory, with or without a database.
pub(crate) struct Sandbox {
    dir: TempDir,
    environment: Vec<(&'static str, String)>,
}

/// An empty directory, in memory if there is enough, so tests do not wait for the disk.
pub(crate) fn empty() -> Sandbox {
    static PARENT: LazyLock<PathBuf> = LazyLock::new(|| {
        let memory = PathBuf::from("/dev/shm");
        if free_kib(&memory).is_some_and(|kib| kib >= ENOUGH_KIB) {
            memory
        } else {
            env::temp_dir()
        }
    });
    empty_in(&PARENT)
}

/// Free memory that `empty` requires, in KiB. The largest test databases have 100 MB.
const ENOUGH_KIB: u64 = 2 << 20;

/// The free space of a file system, in KiB.
fn free_kib(directory: &Path) -> Option<u64> {
    let output = Command::new("df").arg("-Pk").arg(directory).output().ok()?;
    let output = String::from_utf8(output.stdout).ok()?;
    output.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()
}

/// An empty directory on disk, for tests with many processes on one database.
pub(crate) fn on_disk() -> Sandbox {
    empty_in(&env::temp_dir())
}

fn empty_in(parent: &Path) -> Sandbox {
    // A cheap method. Other tests cover the cost of hashing.
    let environment = vec![
        ("DASH_USERS_METHOD", "scrypt:128:8:1".to_owned()),
        // The actor in the history.
        ("SUDO_USER", "admin".to_owned()),
    ];
    Sandbox { dir: tempfile::tempdir_in(parent).unwrap(), environment }
}

/// A directory with a database without users.
pub(crate) fn initialized() -> Sandbox {
    static INITIALIZED: OnceLock<Vec<u8>> = OnceLock::new();
    empty().with_database_of("init", &INITIALIZED)
}

/// A directory with a database that has the demo users alice and bob.
pub(crate) fn seeded() -> Sandbox {
    static SEEDED: OnceLock<Vec<u8>> = OnceLock::new();
    empty().with_database_of("seed", &SEEDED)
}

impl Sandbox {
    /// Adds the database that a command creates. Only the first caller runs it; others get a copy.
    fn with_database_of(self, command: &str, made: &OnceLock<Vec<u8>>) -> Self {
        let database = made.get_or_init(|| {
            let sandbox = empty();
            assert_eq!(sandbox.run(&[command]).status, 0);
            sandbox.read("users.db")
        });
        self.write("users.db", database);
        fs::set_permissions(self.path("users.db"), Permissions::from_mode(0o600)).unwrap();
        self
    }

    pub(crate) fn with_env(mut self, name: &'static str, value: &str) -> Self {
        self.environment.retain(|(other, _)| *other != name);
        self.environment.push((name, value.to_owned()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn read_text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    /// The permissions of a file.
    pub(crate) fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).unwrap().permissions().mode() & 0o7777
    }

    /// Runs SQL on `users.db` as an app would.
    pub(crate) fn sql(&self, sql: &str) {
        Connection::open(self.path("users.db")).unwrap().execute_batch(sql).unwrap();
    }

    /// Moves all recorded times three days back, so that tables always show the same.
    pub(crate) fn wait_three_days(&self) {
        let then = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-3 days')";
        self.sql(&format!(
            "UPDATE user_events SET at = {then};
             UPDATE dash_users_times SET created_at = {then} WHERE created_at IS NOT NULL;
             UPDATE dash_users_times SET password_changed_at = {then}
             WHERE password_changed_at IS NOT NULL;"
        ));
    }

    /// The first column of each row.
    pub(crate) fn query(&self, select: &str) -> Vec<String> {
        let connection = Connection::open(self.path("users.db")).unwrap();
        let mut select = connection.prepare(select).unwrap();
        let rows = select.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    /// The `password_hash` of a user.
    pub(crate) fn stored(&self, username: &str) -> String {
        let connection = Connection::open(self.path("users.db")).unwrap();
        let select = "SELECT password_hash FROM users WHERE username = ?";
        connection.query_row(select, [username], |row| row.get(0)).unwrap()
    }

    /// The program with arguments, in this directory and a separate environment.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.command_of(PROGRAM, args)
    }

    /// A shell script, likewise, with the program in its `PATH`.
    pub(crate) fn shell(&self, script: &str) -> Command {
        let mut shell = self.command_of("sh", &["-c", script]);
        let program = program_directory().display();
        shell.env("PATH", format!("{program}:/usr/local/bin:/usr/bin:/bin"));
        shell
    }

    /// Another program, likewise.
    pub(crate) fn command_of(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).current_dir(&self.dir).env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        // The output file for coverage builds.
        command.envs(env::var_os(PROFILE).map(|file| (PROFILE, file)));
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.run_with("", args)
    }

    /// Runs the program with `input` on stdin, which is not a terminal.
    pub(crate) fn run_with(&self, input: impl AsRef<[u8]>, args: &[&str]) -> Run {
        self.finish(self.command(args), input)
    }

    /// The exit code of `verify`.
    pub(crate) fn verify(&self, username: &str, password: impl AsRef<[u8]>) -> i32 {
        self.run_with(password, &["verify", username, "--password-stdin"]).status
    }

    /// Runs the lines of `expected` that begin with `$ ` in a shell, and compares them and their
    /// results with `expected`.
    pub(crate) fn assert_session(&self, expected: impl IntoData) {
        let expected = expected.raw();
        let text = expected.render().expect("the expected session is text");
        let runs = text
            .lines()
            .filter_map(|line| line.strip_prefix("$ "))
            .map(|line| format!("$ {line}\n{}", self.finish(self.shell(line), "")));
        snapbox::assert_data_eq!(runs.collect::<Vec<_>>().join("\n"), expected);
    }

    /// Pastes each command of the program in a text, such as a hint, into a shell, and requires that
    /// it is not a usage error. Nothing is run.
    fn assert_commands_parse(&self, text: &str) {
        let spans = text.split("`dash-users ").skip(1).filter_map(|rest| rest.split('`').next());
        // A backtick in a name is in quotes.
        for span in spans.filter(|span| span.matches('\'').count() % 2 == 0) {
            let commands = format!("dash-users {span}").replace(" | dash-users", "; dash-users");
            let mut bash = self.command_of("bash", &["-c", &format!("{PARSE}{commands}")]);
            let path = format!("{}:/usr/bin:/bin", program_directory().display());
            let output = bash.env("PATH", path).stdin(Stdio::null()).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{span}");
        }
    }

    fn finish(&self, mut command: Command, input: impl AsRef<[u8]>) -> Run {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A program that fails early does not read its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_ref());
        let output = child.wait_with_output().unwrap();
        self.assert_commands_parse(&String::from_utf8_lossy(&output.stderr));
        let dir = self.dir.path().to_str().unwrap();
        let text = |bytes| without_times(&String::from_utf8(bytes).unwrap().replace(dir, "[DIR]"));
        Run {
            status: output.status.code().expect("not killed by a signal"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// Gives the program's arguments to it with stdin as the database, which is rejected after parsing.
const PARSE: &str = r#"
dash-users() {
    local words=() said
    while (($#)); do
        if [[ $1 == --database ]]; then shift; else words+=("$1"); fi
        shift
    done
    said=$(command dash-users --database - "${words[@]}" 2>&1) ||
        [[ $said == *'the database cannot be stdin'* ]] || echo "${words[*]}: $said"
}
"#;

/// Sends a signal, such as `INT`, to a process.
pub(crate) fn send_signal(signal: &str, process: u32) {
    let kill = Command::new("kill").args(["-s", signal, &process.to_string()]).status();
    assert!(kill.unwrap().success());
}

/// A mounted file system. Unmounted on drop.
pub(crate) struct Mount<'a>(&'a Path);

impl<'a> Mount<'a> {
    /// Runs `mount` with these arguments. An error is its output.
    pub(crate) fn new(args: &[&str], path: &'a Path) -> Result<Self, String> {
        match Command::new("mount").args(args).arg(path).output() {
            Ok(output) if output.status.success() => Ok(Self(path)),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => Err(format!("mount: {error}")),
        }
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

/// Replaces each RFC 3339 time by `[TIME]`.
pub(crate) fn without_times(text: &str) -> String {
    const SHAPE: &str = "dddd-dd-ddTdd:dd:dd.dddZ";
    let is_time = |window: &[u8]| {
        let fits = |(byte, shape): (&u8, u8)| {
            if shape == b'd' { byte.is_ascii_digit() } else { *byte == shape }
        };
        window.iter().zip(SHAPE.bytes()).all(fits)
    };
    let mut result = String::new();
    let mut copied = 0;
    // Searching for the whole shape takes seconds for a long text in a debug build.
    for (last, _) in text.match_indices('Z') {
        let end = last + 1;
        let Some(start) = end.checked_sub(SHAPE.len()).filter(|start| *start >= copied) else {
            continue;
        };
        if is_time(&text.as_bytes()[start..end]) {
            result += &text[copied..start];
            result += "[TIME]";
            copied = end;
        }
    }
    result + &text[copied..]
}

/// The result of running the program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Stdout as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).expect("stdout is one JSON document")
    }

    /// The error object on stderr, which must contain nothing else.
    pub(crate) fn error(&self) -> serde_json::Value {
        let json: serde_json::Value =
            serde_json::from_str(&self.stderr).expect("stderr is one JSON document");
        assert_eq!(json["error"]["status"], self.status);
        json["error"].clone()
    }
}

/// The run as one text, to compare with a snapshot. Empty output has no heading.
impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "status {}", self.status)?;
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                write!(f, "-- {name}\n{text}")?;
            }
        }
        Ok(())
    }
}

/// Compares a run with a snapshot.
macro_rules! assert_run {
    ($run:expr, $expected:expr $(,)?) => {
        snapbox::assert_data_eq!($run.to_string(), snapbox::IntoData::raw($expected))
    };
}
pub(crate) use assert_run;
