//! Python with Dash, dash_auth, werkzeug and maturin, for the tests that use the real ones.
//!
//! All test programs share one virtual environment in the target directory. The first one that needs
//! it creates it from `tests/requirements.txt`. The interpreter is `python3` or that in the variable
//! `PYTHON`; it needs the module `venv` and must be able to install packages.
//!
//! The file is a module beside `skip` of any test program.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::skip::or_skip;

const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// A Python interpreter with packages.
#[derive(Clone)]
pub struct Environment {
    /// The virtual environment's directory.
    directory: PathBuf,
    /// Packages that come before those of the virtual environment.
    packages: Option<PathBuf>,
}

impl Environment {
    /// The interpreter without arguments. It reads and writes UTF-8, and uses no packages from
    /// outside the environment.
    pub fn command(&self) -> Command {
        let mut command = Command::new(self.directory.join("bin/python"));
        command.env_remove("PYTHONHOME").env_remove("PYTHONPATH").env("PYTHONUTF8", "1");
        if let Some(packages) = &self.packages {
            command.env("PYTHONPATH", packages);
        }
        command
    }

    /// The same with packages in a directory, which come before its own.
    pub fn with_packages(&self, packages: PathBuf) -> Self {
        Self { packages: Some(packages), ..self.clone() }
    }
}

/// If it is unavailable, and the variable `CI` is set.
pub fn environment() -> Option<Environment> {
    or_skip(installed())
}

/// The same with another `version` of werkzeug.
///
/// # Panics
///
/// As [`environment`].
pub fn environment_with_werkzeug(version: &str) -> Option<Environment> {
    or_skip(installed().and_then(|environment| with_werkzeug(&environment, version)))
}

fn installed() -> Result<Environment, String> {
    static INSTALLED: OnceLock<Result<Environment, String>> = OnceLock::new();
    INSTALLED.get_or_init(install).clone()
}

fn install() -> Result<Environment, String> {
    let interpreter = env::var_os("PYTHON").unwrap_or_else(|| OsString::from("python3"));
    let identity =
        run(Command::new(&interpreter)
            .args(["-c", "import sys; print(sys.executable, sys.version)"]))?;

    // Another interpreter and other requirements get another environment.
    let mut hasher = DefaultHasher::new();
    (identity, REQUIREMENTS).hash(&mut hasher);
    let name = format!("venv-{:016x}", hasher.finish());
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);

    once(&directory, || {
        run(Command::new(&interpreter).args(["-m", "venv"]).arg(&directory))?;
        let file = directory.join("requirements.txt");
        fs::write(&file, REQUIREMENTS).map_err(|error| error.to_string())?;
        let environment = Environment { directory: directory.clone(), packages: None };
        run(pip_install(&environment).arg("--requirement").arg(file))?;
        Ok(())
    })?;
    Ok(Environment { directory, packages: None })
}

fn with_werkzeug(environment: &Environment, version: &str) -> Result<Environment, String> {
    let packages = environment.directory.join(format!("werkzeug-{version}"));
    let with_packages = environment.with_packages(packages.clone());
    once(&packages, || {
        // The environment has the dependencies of all these versions.
        run(pip_install(environment)
            .arg("--no-deps")
            .arg("--target")
            .arg(&packages)
            .arg(format!("werkzeug=={version}")))?;
        // An old version may not work with a new Python.
        run(with_packages.command().args(["-c", "import werkzeug.security"]))?;
        Ok(())
    })?;
    Ok(with_packages)
}

/// Does not compile: Python compiles the few modules that are imported.
fn pip_install(environment: &Environment) -> Command {
    let mut command = environment.command();
    command.args(["-m", "pip", "--disable-pip-version-check", "install", "--quiet"]);
    command.arg("--no-compile");
    command
}

/// Creates `directory` with `fill` once: other threads and processes wait, and an incomplete
/// directory is recreated.
fn once(directory: &Path, fill: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    let in_context = |error: io::Error| format!("{}: {error}", directory.display());
    let mut lock = directory.as_os_str().to_owned();
    lock.push(".lock");
    let lock = File::create(lock).map_err(in_context)?;
    lock.lock().map_err(in_context)?;
    let complete = directory.join("complete");
    if complete.exists() {
        return Ok(());
    }
    if directory.exists() {
        fs::remove_dir_all(directory).map_err(in_context)?;
    }
    fill()?;
    File::create(complete).map_err(in_context)?;
    Ok(())
}

/// The command's stdout. An error contains its stderr.
fn run(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_owned();
    let failed = |reason: &str| format!("{} failed: {reason}", program.display());
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| failed(&error.to_string()))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(failed(String::from_utf8_lossy(&output.stderr).trim_end()))
    }
}
