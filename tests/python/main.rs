//! The Python package: its tests in `python/tests` are run with the wheel installed.
//!
//! The tests use pytest, and skip what is missing; with `CI` set, they fail instead. `PYTEST_ADDOPTS`
//! selects tests: `PYTEST_ADDOPTS='-k forks' cargo test --test python`.

#[cfg(feature = "postgres")]
#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../support/python.rs"]
#[expect(dead_code, reason = "werkzeug is the one that is installed")]
mod python;
#[path = "../support/skip.rs"]
mod skip;
#[path = "../support/wheel.rs"]
mod wheel;

use self::python::Environment;
use self::wheel::environment_with_wheel;

/// Where there is Python, except for other tests.
const PYTHON: [&str; 4] = ["python", "examples", "packaging", "tests/dist"];

/// Runs a module of Python in the checkout; its output is shown if it fails.
fn run(environment: &Environment, arguments: &[&str], settings: &[(&str, String)]) {
    let mut python = environment.command();
    for variable in ["DASH_USERS_DATABASE", "DASH_USERS_PASSWORD_FILE"] {
        python.env_remove(variable);
    }
    python.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments);
    python.envs(settings.iter().map(|(name, value)| (name, value)));
    let output = python.output().unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn pytest_passes() {
    let Some(environment) = environment_with_wheel() else { return };
    let pytest = ["-m", "pytest", "--quiet", "-p", "no:cacheprovider"];
    #[cfg_attr(not(feature = "postgres"), expect(unused_mut, reason = "no server"))]
    let mut settings = vec![("DASH_USERS_METHOD", "scrypt:1024:8:1".to_owned())];
    #[cfg(feature = "postgres")]
    let cluster = postgres::Cluster::start(&[]);
    #[cfg(feature = "postgres")]
    if let Some(cluster) = skip::or_skip(cluster.as_ref().map_err(Clone::clone)) {
        settings.extend(server(cluster));
    }
    run(&environment, &pytest, &settings);
}

/// What the tests of PostgreSQL need: they stop and start the server.
#[cfg(feature = "postgres")]
fn server(cluster: &postgres::Cluster) -> Vec<(&'static str, String)> {
    let control = cluster.program("pg_ctl");
    let words: Vec<_> = std::iter::once(control.get_program())
        .chain(control.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    vec![
        ("TEST_POSTGRES_URL", cluster.database()),
        ("TEST_POSTGRES_CONTROL", words.join(" ")),
        ("TEST_POSTGRES_SUPERUSER", postgres::SUPERUSER.to_owned()),
        ("TEST_POSTGRES_DATA", cluster.data().display().to_string()),
    ]
}

#[test]
fn types_and_style_are_right() {
    let Some(environment) = environment_with_wheel() else { return };
    run(&environment, &["-m", "mypy"], &[]);
    run(&environment, &["-m", "mypy", "--strict", "python/tests/typed_app.py"], &[]);
    let stubtest = ["-m", "mypy.stubtest", "--mypy-config-file", "pyproject.toml"];
    let stubtest = [&stubtest[..], &["--allowlist", "python/tests/stubtest.txt", "dash_users"]];
    run(&environment, &stubtest.concat(), &[]);
    run(&environment, &[&["-m", "ruff", "check"], &PYTHON[..]].concat(), &[]);
    run(&environment, &[&["-m", "ruff", "format", "--check"], &PYTHON[..]].concat(), &[]);
}
