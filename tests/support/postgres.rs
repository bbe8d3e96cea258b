//! A real PostgreSQL server for tests, started from the programs that are installed: `initdb` and
//! `pg_ctl` in the directory that `DASH_USERS_POSTGRES_BIN` names, on the `PATH`, or in the directory
//! of Debian.
//!
//! All tests of a program share one [`cluster`], each with [a database](Cluster::database) of its
//! own; a test that stops or configures the server [starts one](Cluster::start) for itself. A
//! cluster is in a temporary directory, in memory if there is enough. It listens on a socket there and
//! on a free port of the loopback interface, and requires passwords. It ends with the process that
//! started it, even if that is killed. If possible it sorts by the rules of a language, so that
//! nothing depends on the order of bytes.
//!
//! The server refuses to run as root: there it runs as `postgres`, or as `nobody`.
//!
//! The file is a module beside `skip` of any test program.

#![allow(dead_code, reason = "no test program needs all of it")]

use std::env;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use postgres::{Client, NoTls};
use tempfile::TempDir;

use super::skip::or_skip;

/// The superuser. Tests of programs should use the [`OWNER`].
pub const SUPERUSER: &str = "postgres";

/// The owner of the databases, who is not a superuser.
pub const OWNER: &str = "owner";

/// A file system in memory. Creating a database writes hundreds of files.
const MEMORY: &str = "/dev/shm";

/// How much of it must be free. The tests need less than 1 GiB, the benchmark more; a container
/// often has only 64 MiB.
const MEMORY_KIB: u64 = 4 << 20;

/// The variable that names the directory of the server's programs, to test another version.
const PROGRAMS: &str = "DASH_USERS_POSTGRES_BIN";

/// The directory of the programs on Debian, with one for each version.
pub const DEBIAN: &str = "/usr/lib/postgresql";

/// Waits for the end of its input, and with it of the tests; then ends the server in the directory
/// `$1` by the `pg_ctl` in `$2` and its prefix, and removes the directory.
const GUARD: &str = r#"
directory=$1; shift
while read -r _; do :; done
cd /
"$@" --pgdata="$directory/data" --mode=immediate --wait stop
rm -rf "$directory"
"#;

/// The server that the tests of this program share: do not stop or configure it. `None` skips the
/// test.
///
/// # Panics
///
/// If there is none, and the variable `CI` is set.
pub fn cluster() -> Option<&'static Cluster> {
    static SHARED: OnceLock<Result<Cluster, String>> = OnceLock::new();
    or_skip(SHARED.get_or_init(|| Cluster::start(&[])).as_ref().map_err(Clone::clone))
}

/// A server and its directory. It ends when it is dropped, and when the process ends.
pub struct Cluster {
    /// Removed by the guard.
    directory: PathBuf,
    programs: Programs,
    port: u16,
    version: OnceLock<u32>,
    /// Of the superuser and the owner.
    password: String,
    /// Ends the server when its stdin is closed.
    guard: Child,
    /// Connections of the superuser that are not in use.
    idle: Mutex<Vec<Client>>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Frozen processes would not end.
        if self.data().join("postmaster.pid").exists() {
            signal("CONT", &self.processes());
        }
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

impl Cluster {
    /// Starts a server of the test's own, with further settings for its `postgresql.conf`, each as
    /// `name = value`.
    ///
    /// # Errors
    ///
    /// What keeps it from starting; see [`or_skip`].
    pub fn start(settings: &[&str]) -> Result<Self, String> {
        let mut cluster = Self::prepare(random_word())?;
        cluster.create().map_err(|error| format!("no directory for PostgreSQL: {error}"))??;
        for setting in settings {
            cluster.configure(setting);
        }
        cluster.launch()?;
        cluster.administer(&format!("CREATE ROLE {OWNER} LOGIN PASSWORD '{}'", cluster.password));
        Ok(cluster)
    }

    /// Starts a hot standby of this server, which restarts for it, with further settings. Its name
    /// for `synchronous_standby_names` is `standby`.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn standby(&self, settings: &[&str]) -> Result<Self, String> {
        let mut standby = Self::prepare(self.password.clone())?;
        self.stop();
        let mut copy = Command::new("cp");
        copy.arg("-a").arg(self.data()).arg(self.directory.join("socket")).arg(&standby.directory);
        run(&mut copy)?;
        self.restart();
        standby.write("standby.signal", b"");
        standby.configure(&format!(
            "cluster_name = 'standby'\n\
             unix_socket_directories = '{}'\n\
             primary_conninfo = 'host=127.0.0.1 port={} user={SUPERUSER} password={}'",
            standby.socket().display(),
            self.port,
            self.password
        ));
        for setting in settings {
            standby.configure(setting);
        }
        standby.launch()?;
        Ok(standby)
    }

    /// The directory of a server, and the process that ends it.
    fn prepare(password: String) -> Result<Self, String> {
        let programs = Programs::find()?;
        let failed = |error: std::io::Error| format!("no directory for PostgreSQL: {error}");
        // Other users must have access to the socket.
        let parent =
            if free_kib(MEMORY) < Some(MEMORY_KIB) { env::temp_dir() } else { MEMORY.into() };
        let directory = TempDir::with_prefix_in("dash-users-pg-", parent).map_err(failed)?.keep();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).map_err(failed)?;
        let mut guard = Command::new("/bin/sh");
        guard.arg("-c").arg(GUARD).arg("guard").arg(&directory);
        guard.args(&programs.prefix).arg(programs.directory.join("pg_ctl"));
        // Not in this process's group: Ctrl-C is for the tests.
        guard.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let guard = guard.spawn().map_err(failed)?;
        let idle = Mutex::default();
        let version = OnceLock::new();
        Ok(Self { directory, programs, port: 0, version, password, guard, idle })
    }

    /// Creates the data directory, with the rules of a language for sorting if there are any.
    fn create(&self) -> std::io::Result<Result<(), String>> {
        let owned = |name: &str| -> std::io::Result<PathBuf> {
            let path = self.directory.join(name);
            fs::create_dir(&path)?;
            if let Some(user) = self.programs.user {
                std::os::unix::fs::chown(&path, Some(user), None)?;
            }
            Ok(path)
        };
        let data = owned("data")?;
        owned("socket")?;
        let password = self.directory.join("password");
        fs::write(&password, &self.password)?;
        fs::set_permissions(&password, fs::Permissions::from_mode(0o600))?;
        if let Some(user) = self.programs.user {
            std::os::unix::fs::chown(&password, Some(user), None)?;
        }
        let icu: &[&str] = &["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en"];
        let mut result = Ok(());
        for locale in [icu, &["--locale=en_US.UTF-8"], &["--locale=C.UTF-8"], &["--locale=C"]] {
            let mut initdb = self.programs.command("initdb");
            initdb.arg("--pgdata").arg(&data).arg("--pwfile").arg(&password).args(locale);
            initdb.args(["--username", SUPERUSER, "--auth=scram-sha-256", "--encoding=UTF8"]);
            result = run(initdb.arg("--no-sync"));
            if result.is_ok() {
                break;
            }
        }
        let socket = self.directory.join("socket");
        let mut settings = vec![
            "autovacuum = off".to_owned(),
            "deadlock_timeout = 100ms".to_owned(),
            "fsync = off".to_owned(),
            "full_page_writes = off".to_owned(),
            "listen_addresses = '127.0.0.1'".to_owned(),
            "max_connections = 200".to_owned(),
            "max_wal_size = 128MB".to_owned(),
            "shared_buffers = 32MB".to_owned(),
            "synchronous_commit = off".to_owned(),
        ];
        settings.push(format!("unix_socket_directories = '{}'", socket.display()));
        if result.is_ok() {
            self.configure(&settings.join("\n"));
        }
        Ok(result)
    }

    /// Starts the server on a free port, and tries another one if it is in use by then.
    fn launch(&mut self) -> Result<(), String> {
        let mut result = Err(String::new());
        for _ in 0..3 {
            let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|socket| socket.local_addr());
            self.port = free.map_err(|error| error.to_string())?.port();
            self.configure(&format!("port = {}", self.port));
            result = self.control(&["--wait", "start"]);
            if result.is_ok() {
                break;
            }
        }
        result.map_err(|reason| {
            let log = fs::read_to_string(self.log()).unwrap_or_default();
            format!("{reason}\n{log}")
        })
    }

    /// Runs `pg_ctl`.
    fn control(&self, arguments: &[&str]) -> Result<(), String> {
        let mut command = self.programs.command("pg_ctl");
        command.arg("--pgdata").arg(self.data()).arg("--log").arg(self.log());
        run(command.args(["--timeout=60", "--silent"]).args(arguments))
    }

    /// Appends to `postgresql.conf`; the server sees it after [`reload`](Self::reload) or
    /// [`restart`](Self::restart).
    pub fn configure(&self, setting: &str) {
        append(&self.data().join("postgresql.conf"), setting);
    }

    /// Makes this the first line of `pg_hba.conf`, likewise.
    pub fn authenticate(&self, line: &str) {
        let path = self.data().join("pg_hba.conf");
        let rest = fs::read_to_string(&path).unwrap();
        // Written over in place: it stays its owner's.
        fs::write(&path, format!("{line}\n{rest}")).unwrap();
    }

    /// Gives the server's user a file, with a mode of 0600, in the data directory: a key of TLS.
    pub fn write(&self, name: &str, contents: &[u8]) -> PathBuf {
        let path = self.data().join(name);
        fs::write(&path, contents).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        if let Some(user) = self.programs.user {
            std::os::unix::fs::chown(&path, Some(user), None).unwrap();
        }
        path
    }

    /// Has the server read its configuration again.
    pub fn reload(&self) {
        self.control(&["reload"]).unwrap();
    }

    /// Stops the server, which ends all connections.
    pub fn stop(&self) {
        self.control(&["--wait", "--mode=fast", "stop"]).unwrap();
    }

    /// Kills all processes of the server at once, as a loss of its machine would.
    pub fn kill(&self) {
        self.freeze(true);
        let processes = self.processes();
        signal("KILL", &processes);
        while processes.iter().any(|process| signal("0", std::slice::from_ref(process))) {
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Stops all processes of the server where they are, or lets them continue.
    pub fn freeze(&self, is_frozen: bool) {
        let name = if is_frozen { "STOP" } else { "CONT" };
        // First the one that starts others. Some may end meanwhile.
        signal(name, &self.processes()[..1]);
        signal(name, &self.processes()[1..]);
    }

    /// The processes of the server. Each is in a session of its own. On systems without
    /// `/proc`, only the first one.
    fn processes(&self) -> Vec<String> {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        let first = file.lines().next().unwrap().to_owned();
        let is_child = |process: &String| {
            let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
            status.lines().any(|line| line.strip_prefix("PPid:\t") == Some(&first))
        };
        let all = fs::read_dir("/proc").into_iter().flatten().flatten();
        let all = all.filter_map(|entry| entry.file_name().into_string().ok());
        let children: Vec<_> = all.filter(is_child).collect();
        [vec![first], children].concat()
    }

    /// Makes a standby the primary.
    pub fn promote(&self) {
        self.control(&["--wait", "promote"]).unwrap();
    }

    /// Starts the server again, on the same port, whether or not it was stopped.
    pub fn restart(&self) {
        self.control(&["--wait", "--mode=fast", "restart"]).unwrap();
    }

    /// The directory of the cluster, which others than its user may look into.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The data directory, with `postgresql.conf` and `pg_hba.conf`.
    pub fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// What the server logs.
    pub fn log(&self) -> PathBuf {
        self.data().join("server.log")
    }

    /// The directory of the Unix socket.
    pub fn socket(&self) -> PathBuf {
        self.directory.join("socket")
    }

    /// The port on 127.0.0.1, also part of the socket's name.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The password of the superuser and of the owner.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The directory of this server's programs.
    pub fn programs(&self) -> &Path {
        &self.programs.directory
    }

    /// Whether a program is among them: some packages have a server alone.
    pub fn has(&self, name: &str) -> bool {
        self.programs.directory.join(name).exists()
    }

    /// A program of this server's version, which runs as the server's user.
    pub fn program(&self, name: &str) -> Command {
        self.programs.command(name)
    }

    /// The major version.
    pub fn version(&self) -> u32 {
        let ask = || {
            let mut client = self.superuser(SUPERUSER);
            let number = client.query_one("SHOW server_version_num", &[]).unwrap();
            number.get::<_, String>(0).parse::<u32>().unwrap() / 10_000
        };
        *self.version.get_or_init(ask)
    }

    /// A new, empty database, as a URL for its owner, who is no superuser.
    pub fn database(&self) -> String {
        self.url(OWNER, &self.password, &self.empty_database(OWNER))
    }

    /// A new, empty database of `owner`, by its name.
    pub fn empty_database(&self, owner: &str) -> String {
        let name = unique("db");
        self.administer(&format!("CREATE DATABASE {name} OWNER {owner}"));
        // As since PostgreSQL 15.
        if self.version() < 15 {
            let give = format!("ALTER SCHEMA public OWNER TO {owner}");
            self.superuser(&name).batch_execute(&give).unwrap();
        }
        name
    }

    /// Drops a database and ends its connections.
    pub fn drop_database(&self, name: &str) {
        self.administer(&format!("DROP DATABASE {name} WITH (FORCE)"));
    }

    /// A new role that may log in, with `attributes` of `CREATE ROLE`: its name, which is also its
    /// password.
    pub fn role(&self, attributes: &str) -> String {
        let name = unique("role");
        self.administer(&format!("CREATE ROLE {name} LOGIN PASSWORD '{name}' {attributes}"));
        name
    }

    /// Runs a statement of the superuser on the whole cluster. The connection is reused.
    fn administer(&self, sql: &str) {
        let idle = self.idle.lock().unwrap().pop();
        // The server may have been restarted since.
        let idle = idle.and_then(|mut client| client.batch_execute(sql).is_ok().then_some(client));
        let client = idle.unwrap_or_else(|| {
            let mut client = self.superuser(SUPERUSER);
            client.batch_execute(sql).unwrap();
            client
        });
        self.idle.lock().unwrap().push(client);
    }

    /// The URL of a database over TCP.
    pub fn url(&self, role: &str, password: &str, database: &str) -> String {
        format!("postgresql://{role}:{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// The URL of a database over the Unix socket.
    pub fn socket_url(&self, role: &str, password: &str, database: &str) -> String {
        let (host, port) = (self.socket(), self.port);
        let host = host.display().to_string().replace('/', "%2F");
        format!("postgresql://{role}:{password}@{host}:{port}/{database}")
    }

    /// A connection of the superuser to a database.
    pub fn superuser(&self, database: &str) -> Client {
        connect(&self.url(SUPERUSER, &self.password, database))
    }
}

/// A connection as an app makes it.
pub fn connect(url: &str) -> Client {
    Client::connect(url, NoTls).unwrap()
}

/// The programs of an installed server, and the user who runs them.
struct Programs {
    directory: PathBuf,
    /// The command that runs a program as another user.
    prefix: Vec<String>,
    /// That user.
    user: Option<u32>,
}

impl Programs {
    fn find() -> Result<Self, String> {
        let on_path = env::var_os("PATH").unwrap_or_default();
        let mut directories: Vec<_> = env::split_paths(&on_path).collect();
        let of_debian = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
        let mut of_debian: Vec<_> = of_debian.map(|entry| entry.path().join("bin")).collect();
        // The latest first.
        of_debian.sort_by_key(|path| std::cmp::Reverse((path.as_os_str().len(), path.clone())));
        directories.extend(of_debian);
        let is_server = |directory: &PathBuf| {
            ["initdb", "pg_ctl", "postgres"].iter().all(|name| directory.join(name).exists())
        };
        let directory = match env::var_os(PROGRAMS).filter(|directory| !directory.is_empty()) {
            // Another version than the one wanted is no substitute.
            Some(directory) => Some(PathBuf::from(directory)).filter(is_server),
            None => directories.into_iter().find(is_server),
        };
        let directory = directory.ok_or("PostgreSQL's server is not installed")?;
        let mut programs = Self { directory, prefix: Vec::new(), user: None };
        if id(&["-u"])? == "0" {
            let name = if id(&["-u", "postgres"]).is_ok() { "postgres" } else { "nobody" };
            let (user, group) = (id(&["-u", name])?, id(&["-g", name])?);
            programs.prefix = vec![
                "setpriv".to_owned(),
                format!("--reuid={user}"),
                format!("--regid={group}"),
                "--clear-groups".to_owned(),
            ];
            programs.user = user.parse().ok();
        }
        Ok(programs)
    }

    fn command(&self, name: &str) -> Command {
        let program = self.directory.join(name);
        let mut command = match &self.prefix[..] {
            [] => Command::new(program),
            [setpriv, arguments @ ..] => {
                let mut command = Command::new(setpriv);
                command.args(arguments).arg(program);
                command
            }
        };
        // The working directory may be closed to that user.
        command.current_dir("/").env("LC_ALL", "C").stdin(Stdio::null());
        command
    }
}

/// Sends a signal to processes. Returns whether all exist.
fn signal(name: &str, processes: &[String]) -> bool {
    let mut kill = Command::new("kill");
    kill.args(["-s", name]).args(processes).stderr(Stdio::null());
    !processes.is_empty() && kill.status().unwrap().success()
}

/// The free space of a file system as `df` prints it. `None` if there is no such directory.
fn free_kib(directory: &str) -> Option<u64> {
    let output = Command::new("df").args(["-Pk", directory]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()
}

fn id(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("id").args(arguments).output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() { Ok(text) } else { Err(format!("id failed: {arguments:?}")) }
}

/// Runs a program of the server. A process that it starts would keep a pipe open.
fn run(command: &mut Command) -> Result<(), String> {
    let name = format!("{command:?}");
    let errors = tempfile::tempfile().map_err(|error| error.to_string())?;
    let stderr = errors.try_clone().map_err(|error| error.to_string())?;
    let status = command.stdout(Stdio::null()).stderr(stderr).status();
    if status.map_err(|error| format!("{name}: {error}"))?.success() {
        return Ok(());
    }
    let mut errors = errors;
    let mut text = String::new();
    let _ = std::io::Seek::rewind(&mut errors);
    let _ = std::io::Read::read_to_string(&mut errors, &mut text);
    Err(format!("{name} failed: {text}"))
}

fn append(path: &Path, line: &str) {
    let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
    writeln!(file, "{line}").unwrap();
}

/// A name that nothing else has in the cluster.
fn unique(prefix: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    format!("{prefix}_{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A random password.
fn random_word() -> String {
    let random = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", random(), random())
}
