//! The program as a Python package: from the checkout to its source distribution, from that to a
//! wheel, and from that into a Python environment where nothing else is.
//!
//! Link-time optimization is left out, which is most of the time that `pip install .` takes.

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

use self::python::{Environment, environment_of};
use self::skip::or_skip;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const LICENSES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

#[test]
fn pip_installs_the_program_and_nothing_else() {
    let Some(tools) = or_skip(tools()) else { return };
    let wheel = build(&tools);
    the_wheel_holds_the_program_alone(&tools, &wheel);

    let installed = install(&tools, &wheel);
    what_pip_installed_is_described(installed.path());
    the_installed_program_works(installed.path());
}

/// Python with maturin, and the sources of all crates.
fn tools() -> Result<Environment, String> {
    let fetch = cargo().args(["fetch", "--locked"]).output().map_err(|error| error.to_string())?;
    if !fetch.status.success() {
        return Err(format!("no crates: {}", String::from_utf8_lossy(&fetch.stderr)));
    }
    environment_of(include_str!("requirements.txt"))
}

fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo
}

/// Makes the wheel. Cargo's target directory is one of its own, since the other tests run what is
/// in that of the checkout.
fn build(tools: &Environment) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wheel");
    fs::create_dir_all(&directory).unwrap();
    let lock = File::create(directory.join("lock")).unwrap();
    lock.lock().unwrap();

    let source = unpacked_source(tools, &directory);
    let wheels = directory.join("wheels");
    remove(&wheels);
    // As `pip install .`, with maturin at hand already.
    let pip = ["-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-index", "--no-deps"];
    let mut pip = maturin(tools, &pip);
    pip.env("CARGO_TARGET_DIR", directory.join("target")).arg("--wheel-dir").arg(&wheels);
    pip.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    success(pip.arg(source));
    only_one_in(&wheels)
}

/// The source distribution, in a directory of the same name each time. It is left as it is if it
/// would be the same: then Cargo has nothing to do.
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
    // All files in it are of 2006. Cargo goes by their times: they get today's.
    success(Command::new("tar").arg("-xzmf").arg(&packed).arg("-C").arg(&source));
    fs::copy(packed, last).unwrap();
    only_one_in(&source)
}

/// Python in the environment of maturin, which it finds by `PATH`.
fn maturin(tools: &Environment, arguments: &[&str]) -> Command {
    let mut command = tools.command();
    let bin = Path::new(command.get_program()).parent().unwrap().to_owned();
    let others = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([bin].into_iter().chain(env::split_paths(&others))).unwrap();
    command.env("PATH", path).args(arguments);
    command
}

/// For any Python 3 on this system, and without a line of Python.
fn the_wheel_holds_the_program_alone(tools: &Environment, wheel: &Path) {
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

/// A new environment with the wheel, installed without the network.
fn install(tools: &Environment, wheel: &Path) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    success(tools.command().args(["-m", "venv"]).arg(directory.path()));
    let mut pip = Command::new(directory.path().join("bin/python"));
    pip.args(["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index"]);
    success(pip.arg(wheel));
    directory
}

fn what_pip_installed_is_described(environment: &Path) {
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

/// In an empty directory, with nothing but the environment.
fn the_installed_program_works(environment: &Path) {
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
