//! Running apps, and the program in the same directory.

use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::ops::Deref;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;

use crate::python::Environment;
use crate::wheel::environment_with_wheel;

pub(crate) const TUTORIAL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/app/tutorial.py");
pub(crate) const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/app.py");

/// The timeout for starting an app, and for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Username and password.
type Login<'a> = (&'a str, &'a str);

/// The program's method, unless an argument names another one. It is cheap.
const METHOD: &str = "scrypt:1024:8:1";

/// The database of a new site, and a copy of it.
const DATABASE: &str = "users.db";
const SEEDED: &str = "seeded.db";

/// Reads a process and a folder from each line of its input. When the input ends with the tests, it
/// ends the processes and removes the folders.
const GUARD: &str = r#"
apps=
while read -r app folder; do
    apps="$apps $app"
    set -- "$@" "$folder"
done
kill $apps
rm -rf "$@"
"#;

/// Idle sites with demo users, to be used again: starting an app takes seconds.
static IDLE: Mutex<Vec<Site>> = Mutex::new(Vec::new());

/// Both apps on one database.
pub(crate) struct Site {
    // Before the folder, since they are dropped in this order.
    pub(crate) apps: Vec<App>,
    pub(crate) folder: Folder,
}

/// A site that the next test may use after this one.
pub(crate) struct SharedSite(Option<Site>);

impl Deref for SharedSite {
    type Target = Site;

    fn deref(&self) -> &Site {
        self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl Drop for SharedSite {
    fn drop(&mut self) {
        if !thread::panicking() {
            IDLE.lock().expect("no panic").extend(self.0.take());
        }
    }
}

impl Site {
    /// The apps on a database with alice and bob; none if the test is to be skipped.
    ///
    /// The apps may have run in another test before, on another database at the same path.
    pub(crate) fn with_demo_users() -> Option<SharedSite> {
        let idle = IDLE.lock().expect("no panic").pop();
        if let Some(site) = idle {
            site.folder.clear();
            site.folder.copy(SEEDED, DATABASE);
            return Some(SharedSite(Some(site)));
        }
        let folder = Folder::new()?;
        folder.run(&["seed"], "");
        folder.copy(DATABASE, SEEDED);
        let site = Self::start(folder, &[TUTORIAL, EXAMPLE]);
        site.guard();
        Some(SharedSite(Some(site)))
    }

    /// Ends the apps with the tests: statics are never dropped.
    fn guard(&self) {
        static STDIN: OnceLock<ChildStdin> = OnceLock::new();
        let start = || {
            let mut guard = Command::new("/bin/sh");
            // Not in this process's group: Ctrl-C is for the tests.
            guard.args(["-c", GUARD]).process_group(0).stdin(Stdio::piped());
            guard.stdout(Stdio::null()).stderr(Stdio::null());
            guard.spawn().expect("there is a shell").stdin.take().expect("it is piped")
        };
        let mut stdin = STDIN.get_or_init(start);
        for app in &self.apps {
            let line = format!("{} {}\n", app.process.id(), self.folder.path(""));
            stdin.write_all(line.as_bytes()).expect("the guard reads until we end");
        }
    }

    /// Apps on the database that is in `folder`.
    pub(crate) fn start(folder: Folder, apps: &[&'static str]) -> Self {
        let start = |script| folder.start(script, &[]).unwrap_or_else(|log| panic!("{log}"));
        Self { apps: apps.iter().copied().map(start).collect(), folder }
    }

    pub(crate) fn example(&self) -> &App {
        self.apps.iter().find(|app| app.name == EXAMPLE).expect("both were started")
    }

    pub(crate) fn lets_in(&self, name: &str, password: &str) {
        self.assert_status(200, (name, password));
    }

    pub(crate) fn refuses(&self, name: &str, password: &str) {
        self.assert_status(401, (name, password));
    }

    /// Whether the example's callback for the group admins lists the users. Both apps let the user
    /// in.
    pub(crate) fn sees_users(&self, name: &str, password: &str) -> bool {
        self.lets_in(name, password);
        let answer = self.example().callback("users", Some((name, password)));
        answer.expect("who is let in gets an answer").starts_with("Users: ")
    }

    pub(crate) fn assert_status(&self, expected: u16, log_in: Login) {
        for app in &self.apps {
            assert_eq!(app.get(Some(log_in)), expected, "{}: {log_in:?}", app.name);
        }
    }
}

/// A directory of its own, in which the program and Python run.
pub(crate) struct Folder {
    directory: TempDir,
    environment: Environment,
}

impl Folder {
    /// An empty one; none if the test is to be skipped.
    pub(crate) fn new() -> Option<Self> {
        let environment = environment_with_wheel()?;
        Some(Self { directory: TempDir::new().expect("a temporary directory"), environment })
    }

    /// The path of a file in it.
    pub(crate) fn path(&self, file: &str) -> String {
        self.directory.path().join(file).display().to_string()
    }

    /// Copies a file in it.
    fn copy(&self, from: &str, to: &str) {
        fs::copy(self.path(from), self.path(to)).expect("the folder is writable");
    }

    /// Removes what a test left behind.
    fn clear(&self) {
        for entry in fs::read_dir(&self.directory).expect("the folder is there") {
            let path = entry.expect("the folder can be read").path();
            // Running apps write to their logs.
            if path.extension().is_none_or(|ending| ending != "log") && !path.ends_with(SEEDED) {
                fs::remove_file(path).expect("tests make files only");
            }
        }
    }

    /// Runs the program, which must succeed, and returns its stdout.
    pub(crate) fn run(&self, args: &[&str], stdin: &str) -> String {
        let output = self.output(args, stdin);
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).expect("it writes UTF-8")
    }

    /// Runs the program and returns its exit code.
    pub(crate) fn status(&self, args: &[&str], stdin: &str) -> i32 {
        self.output(args, stdin).status.code().expect("no signal ends it")
    }

    /// The output of `show --json`.
    pub(crate) fn show(&self, name: &str) -> Value {
        let json = self.run(&["show", name, "--json"], "");
        serde_json::from_str(&json).expect(&json)
    }

    pub(crate) fn output(&self, args: &[&str], stdin: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dash-users"));
        for variable in ["DASH_USERS_DATABASE", "DASH_USERS_PASSWORD_FILE"] {
            command.env_remove(variable);
        }
        let mut child = command
            .env("DASH_USERS_METHOD", METHOD)
            .args(args)
            .current_dir(&self.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // A command that takes no password may have ended before it is written.
        let _ = child.stdin.take().expect("it is piped").write_all(stdin.as_bytes());
        child.wait_with_output().expect("the program can be waited for")
    }

    /// A program in the directory, with the tested program, those of the Python environment and those of
    /// the system on the `PATH`.
    pub(crate) fn command(&self, program: &str) -> Command {
        let python = self.environment.command();
        let program_of_tests = Path::new(env!("CARGO_BIN_EXE_dash-users"));
        let directories = [program_of_tests, Path::new(python.get_program())];
        let directories = directories.map(|file| file.parent().expect("it is absolute"));
        let system = ["/usr/bin", "/bin"].map(Path::new);
        let path = env::join_paths(directories.into_iter().chain(system)).expect("no colons");
        let mut command = Command::new(program);
        command.current_dir(&self.directory).env_clear().env("PATH", path);
        command.env("DASH_USERS_METHOD", METHOD);
        for (name, value) in python.get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        command
    }

    /// Runs Python code, which must succeed, and returns its stdout.
    pub(crate) fn python(&self, code: &str, args: &[&str]) -> String {
        let mut command = self.environment.command();
        let output = command
            .args(["-c", code])
            .args(args)
            .current_dir(&self.directory)
            .output()
            .expect("Python was there a moment ago");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("it writes UTF-8")
    }

    /// Runs SQL on the database as an app does, and returns the rows as Python shows them.
    pub(crate) fn sql(&self, statement: &str, parameters: &[&str]) -> String {
        const CODE: &str = "
import sqlite3, sys
with sqlite3.connect('users.db') as con:
    print(con.execute(sys.argv[1], sys.argv[2:]).fetchall())
";
        self.python(CODE, &[&[statement], parameters].concat())
    }

    /// Starts an app and waits until it answers; an error is its output before it stopped.
    pub(crate) fn start(&self, script: &'static str, env: &[(&str, &str)]) -> Result<App, String> {
        // Another program may take the free port before the app does.
        let mut log = String::new();
        for _ in 0..3 {
            match self.start_once(script, env) {
                Ok(app) => return Ok(app),
                Err(error) => log = error,
            }
            if !log.contains("already in use") {
                break;
            }
        }
        Err(log)
    }

    pub(crate) fn start_once(
        &self,
        script: &'static str,
        env: &[(&str, &str)],
    ) -> Result<App, String> {
        let port = free_port();
        let mut command = self.environment.command();
        command.args([script, &port.to_string()]).envs(env.iter().copied());
        self.serve(script, command, port)
    }

    /// Starts a server that listens on the port in the variable `PORT`, likewise.
    pub(crate) fn serve(
        &self,
        name: &'static str,
        mut command: Command,
        port: u16,
    ) -> Result<App, String> {
        let log_file = self.path(&format!("{port}.log"));
        let log = File::create(&log_file).expect("the folder is writable");
        // They would select another database, address or mode.
        for variable in ["DASH_USERS_DATABASE", "DASH_DEBUG", "HOST", "SECRET_KEY"] {
            if !command.get_envs().any(|(name, _)| name == variable) {
                command.env_remove(variable);
            }
        }
        let process = command
            .env("PORT", port.to_string())
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file can be had twice"))
            .stderr(log)
            .spawn()
            .expect("it was there a moment ago");

        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .proxy(None)
            .build()
            .into();
        let url = format!("http://127.0.0.1:{port}");
        let mut app = App { name, url, agent, process };
        let log = || fs::read_to_string(&log_file).expect("it was created above");
        let start = Instant::now();
        while app.agent.get(&app.url).call().is_err() {
            if app.process.try_wait().expect("it is our child").is_some() {
                return Err(log());
            }
            assert!(start.elapsed() < PATIENCE, "{name} does not answer: {}", log());
            thread::sleep(Duration::from_millis(20));
        }
        Ok(app)
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
    listener.local_addr().expect("it is bound").port()
}

/// A running app. Dropping it ends the app.
pub(crate) struct App {
    pub(crate) name: &'static str,
    url: String,
    agent: Agent,
    process: Child,
}

impl App {
    /// Asks it to end, and waits until it has. A server ends its workers.
    pub(crate) fn terminate(&mut self) {
        let kill = format!("kill {}", self.process.id());
        let status = Command::new("/bin/sh").args(["-c", &kill]).status().expect("a shell");
        if status.success() {
            let _ = self.process.wait();
        }
    }

    /// The status of the app's page.
    pub(crate) fn get(&self, log_in: Option<Login>) -> u16 {
        let mut request = self.agent.get(&self.url);
        if let Some(log_in) = log_in {
            request = request.header("Authorization", basic(log_in));
        }
        request.call().expect(self.name).status().as_u16()
    }

    /// The text that a callback of `examples/app.py` writes into the element of this name, or the
    /// HTTP status if the login is rejected.
    pub(crate) fn callback(&self, element: &str, log_in: Option<Login>) -> Result<String, u16> {
        // As the browser sends it.
        let body = json!({
            "output": format!("{element}.children"),
            "outputs": {"id": element, "property": "children"},
            "inputs": [{"id": element, "property": "id", "value": element}],
            "changedPropIds": [],
        });
        let url = format!("{}/_dash-update-component", self.url);
        let mut request = self.agent.post(url).header("Content-Type", "application/json");
        if let Some(log_in) = log_in {
            request = request.header("Authorization", basic(log_in));
        }
        let mut response = request.send(body.to_string()).expect(self.name);
        if response.status() != 200 {
            return Err(response.status().as_u16());
        }
        let answer = response.body_mut().read_to_string().expect(self.name);
        let answer: Value = serde_json::from_str(&answer).expect(&answer);
        let text = answer["response"][element]["children"].as_str();
        Ok(text.expect("a callback writes text").to_owned())
    }
}

impl Drop for App {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The header by which a browser logs in: Basic (RFC 7617) with UTF-8.
fn basic((name, password): Login) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}
