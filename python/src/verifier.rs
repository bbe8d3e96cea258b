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
    /// `read` is called with the username, and returns what is stored: a hash, or `None` for an
    /// unknown user. It is called again after a hash was computed. Its exceptions pass through.
    /// Other threads run while this one hashes or waits.
    fn verify(
        &self,
        py: Python<'_>,
        username: &Bound<'_, PyAny>,
        password: &Bound<'_, PyAny>,
        address: Option<&Bound<'_, PyString>>,
        read: &Bound<'_, PyAny>,
    ) -> PyResult<Option<Refusal>> {
        let (Some(name), Some(password)) = (text(username), text(password)) else {
            return Ok(Some(Refusal { reason: "invalid", retry_after: None, detail: None }));
        };
        let password = Password::from(password);
        let address = address.map(|address| address.to_string_lossy());
        let attempt = Attempt { username: name, password: &password, address: address.as_deref() };
        let first = stored(&read.call1((username,))?);
        let (read, username) = (read.as_unbound(), username.as_unbound());
        let reread = || Python::attach(|py| Ok(stored(read.bind(py).call1((username,))?.as_any())));
        let decision = py.detach(|| self.0.verify(attempt, first.as_deref(), reread));
        let decision: Decision = decision.map_err(|error: PyErr| error)?;
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
}

/// Why a login was rejected.
#[pyclass(frozen, get_all, module = "dash_users._core")]
pub(crate) struct Refusal {
    /// `wrong`, `invalid` (not text), `unknown`, `locked`, `unusable`, `changed`, `limited` or `busy`.
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

/// Text without lone surrogates.
fn text<'a>(value: &'a Bound<'_, PyAny>) -> Option<&'a str> {
    value.cast::<PyString>().ok()?.to_str().ok()
}

/// A stored value. What is not text, such as NULL or a BLOB, is one that no password matches.
fn stored(value: &Bound<'_, PyAny>) -> Option<String> {
    const NOT_TEXT: &str = "not text$$";
    (!value.is_none()).then(|| text(value).unwrap_or(NOT_TEXT).to_owned())
}
