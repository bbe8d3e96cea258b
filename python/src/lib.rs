//! The Rust part of the Python package.
use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use super::is_locked;
}

/// Whether a stored value locks its user.
#[pyfunction]
fn is_locked(stored: &str) -> bool {
    dash_users::Credential::parse(&dash_users::StoredText::from(stored.as_bytes())).is_locked()
}
