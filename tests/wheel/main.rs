//! The Python package and the program: from the checkout to a source distribution, then to a wheel,
//! then into an empty Python environment.

#[path = "../support/python.rs"]
#[expect(dead_code, reason = "Dash and werkzeug are not needed here")]
mod python;
#[path = "../support/skip.rs"]
mod skip;
#[path = "../support/wheel.rs"]
mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use self::support::{Wheel, success, wheel};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const LICENSES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

#[test]
fn pip_installs_package_and_program() {
    let Some(wheel) = wheel() else { return };
    assert_wheel_contains_package_and_program(&wheel);

    let installed = install(&wheel);
    assert_metadata_is_complete(installed.path());
    assert_extension_has_no_sqlite(installed.path());
    assert_installed_program_works(installed.path());
    assert_installed_package_works(installed.path());
}

/// For Python 3.10 and later on this system.
fn assert_wheel_contains_package_and_program(wheel: &Wheel) {
    let name = wheel.file.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with(&format!("dash_users-{VERSION}-cp310-abi3-")), "{name}");

    let list =
        "import json, sys, zipfile; print(json.dumps(zipfile.ZipFile(sys.argv[1]).namelist()))";
    let listed = success(wheel.tools.command().args(["-c", list]).arg(&wheel.file));
    let files: BTreeSet<String> = serde_json::from_slice(&listed.stdout).unwrap();
    let info = format!("dash_users-{VERSION}.dist-info");
    let mut expected = BTreeSet::from([
        format!("dash_users-{VERSION}.data/scripts/dash-users"),
        "dash_users/_core.abi3.so".to_owned(),
        format!("{info}/METADATA"),
        format!("{info}/RECORD"),
        format!("{info}/WHEEL"),
    ]);
    expected.extend(LICENSES.map(|license| format!("{info}/licenses/{license}")));
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/dash_users");
    add_files(&package, "dash_users", &mut expected);
    assert_eq!(files, expected);
}

/// Adds the names of the files in a directory of the package, also of templates.
fn add_files(directory: &Path, name: &str, files: &mut BTreeSet<String>) {
    for entry in directory.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{name}/{}", path.file_name().unwrap().to_str().unwrap());
        if path.ends_with("__pycache__") || path.extension().is_some_and(|kind| kind == "so") {
            continue;
        }
        if path.is_dir() {
            add_files(&path, &name, files);
        } else {
            files.insert(name);
        }
    }
}

/// A new environment with the wheel, installed offline. Installing pip in it would take longer than
/// the rest.
fn install(wheel: &Wheel) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    success(wheel.tools.command().args(["-m", "venv", "--without-pip"]).arg(directory.path()));
    let pip = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index"];
    let mut pip_install = wheel.tools.command();
    pip_install.args(pip).arg("--prefix").arg(directory.path()).arg(&wheel.file);
    success(&mut pip_install);
    directory
}

fn assert_metadata_is_complete(environment: &Path) {
    const CODE: &str = "
import importlib.metadata, json
metadata = importlib.metadata.metadata('dash-users')
fields = ['Name', 'Version', 'Summary', 'License-Expression', 'Requires-Python']
described = {field: metadata[field] for field in fields}
described['License-File'] = sorted(metadata.get_all('License-File'))
described['Provides-Extra'] = sorted(metadata.get_all('Provides-Extra'))
requires = metadata.get_all('Requires-Dist')
described['required'] = [text for text in requires if 'extra ==' not in text]
print(json.dumps(described))";

    let output = success(Command::new(environment.join("bin/python")).args(["-c", CODE]));
    let described: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = json!({
        "Name": "dash-users",
        "Version": VERSION,
        "Summary": env!("CARGO_PKG_DESCRIPTION"),
        "License-Expression": env!("CARGO_PKG_LICENSE"),
        "License-File": LICENSES,
        "Requires-Python": ">=3.10",
        "Provides-Extra": ["dash", "postgres"],
        "required": [],
    });
    assert_eq!(described, expected);
}

/// A second copy of SQLite in an app's process would break the locks of the first one. Names in the
/// debug information do not count: the program has the code.
fn assert_extension_has_no_sqlite(environment: &Path) {
    const CODE: &str = "
import pathlib, sys, dash_users._core
files = pathlib.Path(dash_users._core.__file__), pathlib.Path(sys.prefix, 'bin/dash-users')
for file in files:
    contents = file.read_bytes()
    print(b'sqlite3_step' in contents, b'SQLite format 3' in contents)";

    let output = success(Command::new(environment.join("bin/python")).args(["-c", CODE]));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "False False\nTrue True\n");
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

/// Likewise. Finds the program without the `PATH`, and imports nothing that is not needed.
fn assert_installed_package_works(environment: &Path) {
    const CODE: &str = "
import sys
from dash_users import Users
print(sorted({'dash', 'dash_auth', 'flask', 'psycopg'} & set(sys.modules)))
users = Users()
users.add('carol', 'plover-xyzzy-quux')
print(users.auth_func('carol', 'plover-xyzzy-quux'), users.auth_func('carol', 'plover'))";

    let directory = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut python = Command::new(environment.join("bin/python"));
        python.args(arguments).current_dir(&directory).env_clear();
        String::from_utf8(success(&mut python).stdout).unwrap()
    };
    run(&["-m", "dash_users", "init", "--quiet"]);
    assert_eq!(run(&["-c", CODE]), "[]\nTrue False\n");
}
