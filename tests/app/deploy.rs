//! `examples/deploy`, outside of containers and without systemd: the entry point, the role that the
//! server's container creates, and the commands of the units.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

#[cfg(feature = "postgres")]
use crate::server::cluster;
use crate::site::{App, Folder, free_port};
use crate::{BETTER, GOOD};

const DEPLOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/deploy");
const ENTRYPOINT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/deploy/entrypoint.sh");

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(DEPLOY).join(name)).unwrap()
}

/// A folder with the app and secrets. `None` skips the test.
fn folder() -> Option<Folder> {
    let folder = Folder::new()?;
    let app = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/app.py");
    fs::copy(app, folder.path("app.py")).unwrap();
    fs::create_dir(folder.path("secrets")).unwrap();
    let users = format!("username,password,groups\nann,{GOOD},admins\n");
    fs::write(folder.path("secrets/users.csv"), users).unwrap();
    fs::write(folder.path("secrets/secret_key"), "a key of the tests\n").unwrap();
    Some(folder)
}

/// The app that the entry point starts. Dropping it ends gunicorn with its workers.
struct Started {
    app: App,
    log: String,
}

impl Started {
    fn new(folder: &Folder, database: &str) -> Self {
        let port = free_port();
        let mut command = folder.command(ENTRYPOINT);
        command.env("SECRETS", folder.path("secrets")).env("DASH_USERS_DATABASE", database);
        let app =
            folder.serve("entrypoint.sh", command, port).unwrap_or_else(|log| panic!("{log}"));
        Self { app, log: folder.path(&format!("{port}.log")) }
    }

    fn status(&self, name: &str, password: &str) -> u16 {
        self.app.get(Some((name, password)))
    }

    /// What it wrote so far.
    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.app.terminate();
    }
}

#[test]
fn entry_point_seeds_and_starts_the_app() {
    let Some(folder) = folder() else { return };
    let database = folder.path("users.db");
    {
        let started = Started::new(&folder, &database);
        assert_eq!(started.app.get(None), 401);
        assert_eq!(started.status("ann", GOOD), 200);
        assert_eq!(started.status("ann", BETTER), 401);
        assert!(started.log().contains("1 added"), "{}", started.log());
        folder.run(&["passwd", "ann", "--password-stdin"], BETTER);
        assert_eq!(started.status("ann", BETTER), 200);
    }
    // A later start changes no user.
    let started = Started::new(&folder, &database);
    assert!(started.log().contains("0 added"), "{}", started.log());
    assert_eq!(started.status("ann", BETTER), 200);
    assert_eq!(started.status("ann", GOOD), 401);
}

#[test]
fn entry_point_needs_no_secrets() {
    let Some(folder) = folder() else { return };
    fs::remove_dir_all(folder.path("secrets")).unwrap();
    let started = Started::new(&folder, &folder.path("users.db"));
    assert_eq!(started.app.get(None), 401);
    assert_eq!(folder.run(&["list", "--names"], ""), "");
}

#[test]
fn entry_point_stops_if_the_users_are_invalid() {
    let Some(folder) = folder() else { return };
    fs::write(folder.path("secrets/users.csv"), "username,password\nann,\n").unwrap();
    let mut command = folder.command(ENTRYPOINT);
    command.env("SECRETS", folder.path("secrets"));
    let output = command.env("DASH_USERS_DATABASE", folder.path("users.db")).output().unwrap();
    assert_eq!(output.status.code(), Some(7), "{output:?}");
}

/// With the role of `create-role.sql`, and its password from a secret.
#[cfg(feature = "postgres")]
#[test]
fn entry_point_starts_the_app_on_postgresql() {
    let Some(cluster) = cluster() else { return };
    let Some(folder) = folder() else { return };
    let secret = folder.path("secrets/db_password");
    fs::write(&secret, "it's \\ \"quoted\"\n").unwrap();
    let sql = file("create-role.sql").replace("/run/secrets/db_password", &secret);
    let url = cluster.url("postgres", cluster.password(), "postgres");
    let mut psql = Command::new("psql");
    psql.args(["--no-psqlrc", "--set=ON_ERROR_STOP=1", "--file=/dev/stdin", &url]);
    fs::write(folder.path("create-role.sql"), sql).unwrap();
    psql.stdin(fs::File::open(folder.path("create-role.sql")).unwrap());
    let output = psql.output().unwrap();
    assert!(output.status.success(), "{output:?}");

    let database = &format!("postgresql://app@127.0.0.1:{}/app?sslmode=disable", cluster.port());
    let started = Started::new(&folder, database);
    assert_eq!(started.status("ann", GOOD), 200);
    assert_eq!(started.status("ann", BETTER), 401);

    let mut lock = folder.command(ENTRYPOINT);
    lock.env("SECRETS", folder.path("secrets")).env("DASH_USERS_DATABASE", database);
    let output = lock.args(["dash-users", "lock", "ann"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(started.status("ann", GOOD), 401);
}

/// The values of a setting in a unit, with its percent signs as systemd reads them.
fn values(unit: &str, setting: &str) -> Vec<String> {
    let text = file(unit);
    let lines = text.lines().filter_map(|line| line.strip_prefix(setting)?.strip_prefix('='));
    let values: Vec<_> = lines.map(|value| value.replace("%%", "%")).collect();
    assert!(!values.is_empty(), "{unit} has no {setting}");
    values
}

/// Runs the commands of a setting, up to the first that fails.
fn run_unit(folder: &Folder, unit: &str, setting: &str) -> io::Result<Output> {
    let mut last = None;
    for line in values(unit, setting) {
        let line = line
            .replace("/usr/bin/dash-users", env!("CARGO_BIN_EXE_dash-users"))
            .replace("/var/lib/my-app", &folder.path(""));
        // systemd splits words and replaces variables as a shell does.
        let mut command = folder.command("/bin/sh");
        command.args(["-c", &line]).env("CREDENTIALS_DIRECTORY", folder.path("secrets"));
        for value in values(unit, "Environment") {
            let (name, value) = value.split_once('=').unwrap();
            command.env(name, value.replace("/var/lib/my-app", &folder.path("")));
        }
        let output = command.output()?;
        if !output.status.success() {
            return Ok(output);
        }
        last = Some(output);
    }
    Ok(last.expect("a command"))
}

#[test]
fn nightly_unit_backs_up_and_reports_problems() {
    let Some(folder) = folder() else { return };
    let seeded = run_unit(&folder, "my-app.service", "ExecStartPre").unwrap();
    assert!(seeded.status.success(), "{seeded:?}");
    fs::create_dir(folder.path("backups")).unwrap();

    // Also the second time in a week.
    for _ in 0..2 {
        let output = run_unit(&folder, "my-app-nightly.service", "ExecStart").unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let backups: Vec<_> = fs::read_dir(folder.path("backups")).unwrap().collect();
    let [Ok(backup)] = &backups[..] else { panic!("{backups:?}") };
    let name = backup.file_name().into_string().unwrap();
    let day = name.strip_prefix("users-").and_then(|name| name.strip_suffix(".db"));
    assert!(matches!(day, Some("1" | "2" | "3" | "4" | "5" | "6" | "7")), "{name}");
    assert_eq!(backup.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let names = folder.run(&["list", "--names", "--database", backup.path().to_str().unwrap()], "");
    assert_eq!(names, "ann\n");

    folder.sql("INSERT INTO users VALUES ('eve', 'plaintext', 'en')", &[]);
    let output = run_unit(&folder, "my-app-nightly.service", "ExecStart").unwrap();
    assert_eq!(output.status.code(), Some(7), "{output:?}");
}

#[test]
fn units_and_containers_name_files_that_exist() {
    let [timer] = &values("my-app-nightly.timer", "OnCalendar")[..] else { panic!("one time") };
    assert_eq!(timer, "*-*-* 02:30");
    // A timer starts the service of its name.
    assert!(Path::new(DEPLOY).join("my-app-nightly.service").exists());
    // The Dockerfile has the app copied beside it.
    let dockerfile = file("Dockerfile");
    assert!(dockerfile.contains("COPY app.py entrypoint.sh ./\n"));
    assert_eq!(fs::metadata(ENTRYPOINT).unwrap().permissions().mode() & 0o111, 0o111);
    let compose = file("compose.yaml");
    assert!(compose.contains("./create-role.sql:"));
    let entrypoint = file("entrypoint.sh");
    for secret in ["users.csv", "secret_key", "db_password"] {
        assert!(compose.contains(&format!("    file: secrets/{secret}\n")), "{secret}");
        assert!(entrypoint.contains(&format!("$secrets/{secret}\"")), "{secret}");
    }
}
