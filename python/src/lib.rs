//! The Rust part of the Python package `dash_users`: everything that touches passwords.
//!
//! It has no code for databases. A second copy of SQLite in the app's process would break the locks
//! of the first one, so Python reads the rows with its own driver, and passes them to
//! [`Verifier::verify`].

mod limits;
mod verifier;

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use dash_users::{Credential, Location, LocationError, StoredText};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use super::limits::Limits;
    #[pymodule_export]
    use super::verifier::{Refusal, Verifier};
    #[pymodule_export]
    use super::{FileIdentity, is_locked, leak, sqlite_path};
}

/// Whether a stored value locks its user.
#[pyfunction]
fn is_locked(stored: &str) -> bool {
    Credential::parse(&StoredText::from(stored.as_bytes())).is_locked()
}

/// The absolute path of a SQLite database, or `None` for the URL of a PostgreSQL server.
///
/// Raises `ValueError` for any other text, without showing it: it may contain a password.
#[pyfunction]
fn sqlite_path(database: OsString) -> PyResult<Option<OsString>> {
    match Location::parse(database) {
        Ok(Location::Sqlite(path)) => Ok(Some(path.into_os_string())),
        // This build does not know the server, but the scheme.
        Ok(_) | Err(LocationError::Postgres) => Ok(None),
        Err(error) => Err(PyValueError::new_err(error.to_string())),
    }
}

/// Which file was at a path. In Python, `os.stat` takes three times as long.
#[pyclass(frozen, module = "dash_users._core")]
struct FileIdentity {
    path: PathBuf,
    device: u64,
    inode: u64,
    process: u32,
}

#[pymethods]
impl FileIdentity {
    /// Raises `OSError` if there is none.
    #[new]
    fn new(path: PathBuf) -> PyResult<Self> {
        let file = std::fs::metadata(&path)?;
        let process = std::process::id();
        Ok(Self { path, device: file.dev(), inode: file.ino(), process })
    }

    /// Whether this file is still at the path, and this process opened it: a fork may call no hooks.
    fn is_current(&self) -> bool {
        std::process::id() == self.process
            && std::fs::metadata(&self.path)
                .is_ok_and(|file| (file.dev(), file.ino()) == (self.device, self.inode))
    }
}

/// Keeps an object forever: after a fork, closing a connection of the parent would do harm.
#[pyfunction]
fn leak(object: Py<PyAny>) {
    let _: *mut pyo3::ffi::PyObject = object.into_ptr();
}
