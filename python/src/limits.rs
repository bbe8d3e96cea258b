//! The numbers of a verifier, as Python has them.

use std::time::Duration;

use dash_users::Method;
use dash_users::verifier::Limits as Numbers;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The limits of a `Users` object. All of them are per process.
#[pyclass(frozen, eq, module = "dash_users")]
#[derive(PartialEq)]
pub(crate) struct Limits(pub(crate) Numbers);

/// Defines the arguments, the attributes and the representation, so each limit is named once.
macro_rules! limits {
    ($($name:ident: $type:ident),* $(,)?) => {
        #[pymethods]
        impl Limits {
            #[new]
            #[pyo3(signature = (*, $($name = None),*))]
            #[expect(clippy::too_many_arguments, reason = "one for each limit")]
            fn new($($name: Option<limits!(argument $type)>),*) -> PyResult<Self> {
                let mut numbers = Numbers::default();
                $(if let Some(value) = $name {
                    numbers.$name = limits!(parse $type value stringify!($name));
                })*
                Ok(Self(numbers))
            }

            $(#[getter]
            fn $name(&self) -> limits!(python $type) {
                limits!(show $type self.0.$name)
            })*

            fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
                let mut fields = Vec::new();
                $(let value = self.$name().into_pyobject(py)?;
                fields.push(format!("{}={}", stringify!($name), value.repr()?));)*
                Ok(format!("Limits({})", fields.join(", ")))
            }

            fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
                let fields = PyDict::new(py);
                $(fields.set_item(stringify!($name), self.$name())?;)*
                fields.repr()?.hash()
            }
        }
    };
    (argument seconds) => { f64 };
    (argument method) => { String };
    // It accepts a negative number, to name the limit in the error.
    (argument $type:ident) => { i64 };
    (python seconds) => { f64 };
    (python method) => { String };
    (python $type:ident) => { $type };
    (parse seconds $value:ident $name:expr) => { seconds($value, $name)? };
    (parse method $value:ident $name:expr) => { method(&$value)? };
    (parse $type:ident $value:ident $name:expr) => { number::<$type>($value, $name)? };
    (show seconds $value:expr) => { $value.as_secs_f64() };
    (show method $value:expr) => { $value.to_string() };
    (show $type:ident $value:expr) => { $value };
}

limits! {
    remembered_logins: usize,
    remembered_idle: seconds,
    remembered_total: seconds,
    wrong_per_name: usize,
    wrong_for: seconds,
    guesses_per_name_and_address: u32,
    guesses_per_name: u32,
    guesses_per_address: u32,
    guess_window: seconds,
    first_wait: seconds,
    longest_wait: seconds,
    counters: usize,
    hash_memory_bytes: u64,
    hashes_at_once: usize,
    waiting_per_name: usize,
    waiting: usize,
    method: method,
}

fn number<T: TryFrom<i64>>(value: i64, name: &str) -> PyResult<T> {
    T::try_from(value)
        .map_err(|_| PyValueError::new_err(format!("{name} must be a number from 0 on")))
}

fn seconds(value: f64, name: &str) -> PyResult<Duration> {
    Duration::try_from_secs_f64(value)
        .map_err(|_| PyValueError::new_err(format!("{name} must be a number of seconds")))
}

fn method(value: &str) -> PyResult<Method> {
    value.parse().map_err(|error| PyValueError::new_err(format!("method: {error}")))
}
