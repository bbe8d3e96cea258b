//! The verifier, as Python has it.

use dash_users::Password;
use dash_users::verifier::{self, Attempt, Decision};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::limits::Limits;

/// Checks logins: see `dash_users::verifier`.
#[pyclass(frozen, module = "dash_users._core")]
pub(crate) struct Verifier(verifier::Verifier);

#[pymethods]
impl Verifier {
    #[new]
    fn new(limits: &Limits) -> Self {
        Self(verifier::Verifier::new(limits.0.clone()))
    }

    /// Checks a login, and returns why it was rejected, or `None`.
    ///
    /// `reread` is called without arguments after a hash was computed, and returns what is stored
    /// then. Its exceptions pass through. Other threads run while this one hashes or waits.
    fn verify(
        &self,
        py: Python<'_>,
        username: &str,
        password: &Bound<'_, PyString>,
        address: Option<&str>,
        stored: Option<&str>,
        reread: &Bound<'_, PyAny>,
    ) -> PyResult<Option<Refusal>> {
        let password = Password::from(password.to_str()?);
        let attempt = Attempt { username, password: &password, address };
        let reread = reread.clone().unbind();
        let decision = py.detach(|| {
            self.0.verify(attempt, stored, || {
                Python::attach(|py| reread.call0(py)?.extract::<Option<String>>(py))
            })
        })?;
        Ok(match decision {
            Decision::Accepted => None,
            Decision::Refused(reason) => Some(Refusal::new(reason)),
            Decision::Limited { retry_after } => Some(Refusal {
                reason: "limited",
                retry_after: Some(retry_after.as_secs_f64()),
                detail: None,
            }),
            Decision::Busy => Some(Refusal { reason: "busy", retry_after: None, detail: None }),
        })
    }

    /// A verifier with the same limits and nothing else in common.
    fn fresh(&self) -> Self {
        Self(self.0.fresh())
    }
}

/// Why a login was rejected.
#[pyclass(frozen, get_all, module = "dash_users._core")]
pub(crate) struct Refusal {
    /// `wrong`, `unknown`, `locked`, `unusable`, `changed`, `limited` or `busy`.
    reason: &'static str,
    /// The seconds until the next attempt can succeed, if `limited`.
    retry_after: Option<f64>,
    /// Why the stored value is `unusable`.
    detail: Option<String>,
}

impl Refusal {
    fn new(refusal: verifier::Refusal) -> Self {
        let (reason, detail) = match refusal {
            verifier::Refusal::NoSuchUser => ("unknown", None),
            verifier::Refusal::Locked => ("locked", None),
            verifier::Refusal::Unusable(error) => ("unusable", Some(error.to_string())),
            verifier::Refusal::Changed => ("changed", None),
            _ => ("wrong", None),
        };
        Self { reason, retry_after: None, detail }
    }
}
