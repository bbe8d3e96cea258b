//! The program as a Python package: from the checkout to a source distribution, then to a wheel,
//! then into an empty Python environment.
//!
//! `pip install .` builds in release mode; this test builds in debug mode to save time.

#[path = "../support/python.rs"]
#[expect(dead_code, reason = "Dash and werkzeug are not needed here")]
mod python;
#[path = "../support/skip.rs"]
mod skip;

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use self::python::{Environment, environment};
use self::skip::or_skip;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const LICENSES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

#[test]
fn pip_installs_only_the_program() {
    let Some(tools) = or_skip(fetch()).and_then(|()| environment()) else { return };
    let wheel = build(&tools);
    assert_wheel_contains_only_the_program(&tools, &wheel);

    let installed = install(&tools, &wheel);
    assert_metadata_is_complete(installed.path());
    assert_installed_program_works(installed.path());
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

/// Other profiles for the packages of the checkout: otherwise Cargo would reuse files built from the
/// copy for the checkout, and miss later edits.
const OPTIONS: &str = "--profile dev --config profile.dev.package.dash-users.debug=false \
                       --config profile.dev.package.dash-users-romix.debug=false";

/// Builds the wheel.
///
/// The target directory is separate, because the other tests run the program in that of the
/// checkout. Only the intermediate files are shared, so the dependencies are not compiled again.
/// Cargo before 1.91 ignores `CARGO_BUILD_BUILD_DIR`, and compiles them.
fn build(tools: &Environment) -> PathBuf {
    let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wheel");
    fs::create_dir_all(&directory).unwrap();
    let lock = File::create(directory.join("lock")).unwrap();
    lock.lock().unwrap();

    let source = unpacked_source(tools, &directory);
    let wheels = directory.join("wheels");
    remove(&wheels);
    // As `pip install .`, but with the installed maturin.
    let pip = ["-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-index", "--no-deps"];
    let mut pip = maturin(tools, &pip);
    pip.env("MATURIN_PEP517_ARGS", OPTIONS);
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

/// For any Python 3 on this system, and without Python code.
fn assert_wheel_contains_only_the_program(tools: &Environment, wheel: &Path) {
    let name = wheel.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with(&format!("dash_users-{VERSION}-py3-none-")), "{name}");

    let list =
        "import json, sys, zipfile; print(json.dumps(zipfile.ZipFile(sys.argv[1]).namelist()))";
    let listed = success(tools.command().args(["-c", list]).arg(wheel));
    let files: BTreeSet<String> = serde_json::from_slice(&listed.stdout).unwrap();
    let info = format!("dash_users-{VERSION}.dist-info");
    let mut expected = BTreeSet::from([
        format!("dash_users-{VERSION}.data/scripts/dash-users"),
        format!("{info}/METADATA"),
        format!("{info}/RECORD"),
        format!("{info}/WHEEL"),
    ]);
    expected.extend(LICENSES.map(|license| format!("{info}/licenses/{license}")));
    assert_eq!(files, expected);
}

/// A new environment with the wheel, installed offline. Installing pip in it would take longer than
/// the rest.
fn install(tools: &Environment, wheel: &Path) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    success(tools.command().args(["-m", "venv", "--without-pip"]).arg(directory.path()));
    let pip = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index"];
    success(tools.command().args(pip).arg("--prefix").arg(directory.path()).arg(wheel));
    directory
}

fn assert_metadata_is_complete(environment: &Path) {
    const CODE: &str = "
import importlib.metadata, json
metadata = importlib.metadata.metadata('dash-users')
fields = ['Name', 'Version', 'Summary', 'License-Expression', 'Requires-Python', 'Requires-Dist']
described = {field: metadata[field] for field in fields}
described['License-File'] = sorted(metadata.get_all('License-File'))
print(json.dumps(described))";

    let output = success(Command::new(environment.join("bin/python")).args(["-c", CODE]));
    let described: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = json!({
        "Name": "dash-users",
        "Version": VERSION,
        "Summary": env!("CARGO_PKG_DESCRIPTION"),
        "License-Expression": env!("CARGO_PKG_LICENSE"),
        "License-File": LICENSES,
        "Requires-Python": ">=3.9",
        "Requires-Dist": null,
    });
    assert_eq!(described, expected);
}

/// In an empty directory, without environment variables.
fn assert_installed_program_works(environment: &Path) {
    let directory = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut program = Command::new(environment.join("bin/dash-users"));
        program.args(arguments).current_dir(&directory).env_clear();
        String::from_utf8(success(&mut program).stdout).unwrap()
    };
    assert_eq!(run(&["--version"]), format!("dash-users {VERSION}\n"));
    run(&["seed"]);
    let users: Value = serde_json::from_str(&run(&["list", "--json"])).unwrap();
    let names: Vec<_> = users.as_array().unwrap().iter().map(|user| &user["username"]).collect();
    assert_eq!(names, ["alice", "bob"]);
}

fn success(command: &mut Command) -> Output {
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
