//! The wheel, built from the source distribution of the checkout.
//!
//! `pip install .` builds in release mode; here it is built in debug mode to save time.
//!
//! The file is a module beside `python` and `skip` of any test program.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use super::python::{Environment, environment};
use super::skip::or_skip;

/// Other profiles for the packages of the checkout: otherwise Cargo would reuse files built from the
/// copy for the checkout, and miss later edits.
const OPTIONS: &str = "--profile dev --config profile.dev.package.dash-users.debug=false \
                       --config profile.dev.package.dash-users-python.debug=false \
                       --config profile.dev.package.dash-users-romix.debug=false";

/// A wheel, and the environment that built it.
pub struct Wheel {
    /// Has the tools to examine and install it.
    pub tools: Environment,
    pub file: PathBuf,
    /// Held while the files are in use: other tests replace them.
    _lock: File,
}

/// Builds the wheel. `None` skips the test.
///
/// # Panics
///
/// If it cannot be built, or if something is missing and the variable `CI` is set.
pub fn wheel() -> Option<Wheel> {
    let tools = or_skip(fetch()).and_then(|()| environment())?;
    let directory = directory();
    fs::create_dir_all(&directory).unwrap();
    let lock = File::create(directory.join("lock")).unwrap();
    lock.lock().unwrap();
    let file = build(&tools, &directory);
    Some(Wheel { tools, file, _lock: lock })
}

/// The environment of tests with the wheel. `None` skips the test.
///
/// # Panics
///
/// As [`wheel`].
#[allow(dead_code, reason = "the test of the wheel installs it elsewhere")]
pub fn environment_with_wheel() -> Option<Environment> {
    static INSTALLED: OnceLock<Option<Environment>> = OnceLock::new();
    INSTALLED.get_or_init(install).clone()
}

#[allow(dead_code, reason = "the test of the wheel installs it elsewhere")]
fn install() -> Option<Environment> {
    let wheel = wheel()?;
    let (directory, last) = (directory().join("installed"), directory().join("installed.whl"));
    let built = fs::read(&wheel.file).unwrap();
    if !fs::read(&last).is_ok_and(|last| last == built) {
        remove(&last);
        remove(&directory);
        let pip = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index"];
        let mut pip_install = wheel.tools.command();
        pip_install.args(pip).arg("--no-deps").arg("--target").arg(&directory).arg(&wheel.file);
        success(&mut pip_install);
        fs::write(last, built).unwrap();
    }
    Some(wheel.tools.with_packages(directory))
}

/// The directory of the builds.
fn directory() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("wheel")
}

/// Downloads the sources of all crates, also for other systems: maturin needs them.
fn fetch() -> Result<(), String> {
    let mut fetch = Command::new(env!("CARGO"));
    fetch.args(["fetch", "--locked"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let fetched = fetch.output().map_err(|error| error.to_string())?;
    if fetched.status.success() {
        return Ok(());
    }
    Err(format!("cannot fetch the crates: {}", String::from_utf8_lossy(&fetched.stderr)))
}

/// Builds the wheel.
///
/// The target directory is separate, because the other tests run the program in that of the
/// checkout. Only the intermediate files are shared, so the dependencies are not compiled again.
/// Cargo before 1.91 ignores `CARGO_BUILD_BUILD_DIR`, and compiles them.
fn build(tools: &Environment, directory: &Path) -> PathBuf {
    let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let source = unpacked_source(tools, directory);
    let wheels = directory.join("wheels");
    remove(&wheels);
    // As `pip install .`, but with the installed maturin.
    let pip = ["-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-index", "--no-deps"];
    let mut pip = maturin(tools, &pip);
    pip.env("MATURIN_PEP517_ARGS", OPTIONS);
    pip.env("DASH_USERS_BUILD", format!("cargo build --locked {OPTIONS}"));
    pip.env("CARGO_BUILD_BUILD_DIR", shared).env("CARGO_TARGET_DIR", directory.join("target"));
    success(pip.arg("--wheel-dir").arg(&wheels).arg(source));
    only_one_in(&wheels)
}

/// The unpacked source distribution. An identical one is kept, so Cargo has nothing to do.
fn unpacked_source(tools: &Environment, directory: &Path) -> PathBuf {
    let packed = directory.join("sdist");
    remove(&packed);
    let mut sdist = maturin(tools, &["-m", "maturin", "sdist", "--out"]);
    success(sdist.arg(&packed).current_dir(env!("CARGO_MANIFEST_DIR")));
    let packed = only_one_in(&packed);

    let (source, last) = (directory.join("source"), directory.join("last.tar.gz"));
    if fs::read(&last).is_ok_and(|last| last == fs::read(&packed).unwrap()) {
        return only_one_in(&source);
    }
    remove(&last);
    remove(&source);
    fs::create_dir(&source).unwrap();
    // Cargo compares times. All files in it have one of 2006: use the current time.
    success(Command::new("tar").arg("-xzmf").arg(&packed).arg("-C").arg(&source));
    fs::copy(packed, last).unwrap();
    only_one_in(&source)
}

/// Python with maturin on the `PATH`.
fn maturin(tools: &Environment, arguments: &[&str]) -> Command {
    let mut command = tools.command();
    let bin = Path::new(command.get_program()).parent().unwrap().to_owned();
    let others = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([bin].into_iter().chain(env::split_paths(&others))).unwrap();
    command.env("PATH", path).args(arguments);
    // Cargo describes the tested package in these. If the Cargo that maturin runs inherited them,
    // crates whose build scripts read them would be compiled again, and again by the next build.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    command
}

pub fn success(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}: {stderr}", output.status);
    output
}

fn only_one_in(directory: &Path) -> PathBuf {
    let entries: Vec<_> = fs::read_dir(directory).unwrap().collect::<Result<_, _>>().unwrap();
    let [entry] = &entries[..] else { panic!("{}: {entries:?}", directory.display()) };
    entry.path()
}

/// Removes what an earlier run may have left.
fn remove(path: &Path) {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    assert!(removed.is_ok() || !path.exists(), "{}: {removed:?}", path.display());
}
