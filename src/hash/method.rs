//! Hash methods and their cost.

use std::fmt;
use std::str::FromStr;

use dash_users_romix::Memory;

use super::parse::whole_number;
use super::pbkdf2::{Digest, Pbkdf2};
use super::scrypt::Scrypt;
use crate::password::Password;

/// A hash method with all its parameters, in werkzeug's notation.
///
/// | text | meaning |
/// |---|---|
/// | `scrypt` | `scrypt:32768:8:1`, the default |
/// | `scrypt:N:r:p` | scrypt (RFC 7914) with these costs; see [`Scrypt`] |
/// | `pbkdf2` | `pbkdf2:sha256:1000000` |
/// | `pbkdf2:ALGORITHM` | PBKDF2 (RFC 8018) with HMAC-`sha1`, -`sha256` or -`sha512`, 1,000,000 iterations |
/// | `pbkdf2:ALGORITHM:ITERATIONS` | see [`Pbkdf2`] |
///
/// It is displayed with every parameter.
///
/// ```
/// use dash_users::Method;
///
/// let method: Method = "pbkdf2:sha512".parse()?;
/// assert_eq!(method.to_string(), "pbkdf2:sha512:1000000");
/// assert!("scrypt:1000:8:1".parse::<Method>().is_err());
/// # Ok::<(), dash_users::MethodError>(())
/// ```
///
/// # Security
///
/// A method that costs more than [`Scrypt::MAX_WORK_BYTES`] or [`Pbkdf2::MAX_ITERATIONS`] is
/// rejected before any work or allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// scrypt, RFC 7914.
    Scrypt(Scrypt),
    /// PBKDF2 with HMAC, RFC 8018.
    Pbkdf2(Pbkdf2),
}

#[cfg(test)]
thread_local! {
    /// The methods with which this thread derived digests. Tests use it instead of measuring time.
    pub(crate) static DERIVED: std::cell::RefCell<Vec<Method>> =
        const { std::cell::RefCell::new(Vec::new()) };
}

impl Method {
    /// Derives the digest of `password` with `salt`.
    ///
    /// Not inlined: one of two copies of the machine code could be 1% slower, which would reveal
    /// whether a user exists.
    #[inline(never)]
    pub(super) fn derive(&self, password: &Password, salt: &str) -> Vec<u8> {
        #[cfg(test)]
        DERIVED.with_borrow_mut(|derived| derived.push(*self));
        let (password, salt) = (password.expose().as_bytes(), salt.as_bytes());
        match self {
            Self::Scrypt(scrypt) => scrypt.derive(password, salt).to_vec(),
            Self::Pbkdf2(pbkdf2) => pbkdf2.derive(password, salt),
        }
    }

    /// Derives the digest of each password with its salt, at most [`MAX_LANES`](dash_users_romix::MAX_LANES).
    pub(super) fn derive_all(
        &self,
        inputs: &[(&Password, &str)],
        memory: &mut Memory,
    ) -> Vec<Vec<u8>> {
        match self {
            Self::Scrypt(scrypt) => {
                let inputs: Vec<_> = inputs
                    .iter()
                    .map(|&(password, salt)| (password.expose().as_bytes(), salt.as_bytes()))
                    .collect();
                scrypt.derive_all(&inputs, memory).into_iter().map(Vec::from).collect()
            }
            Self::Pbkdf2(_) => {
                inputs.iter().map(|(password, salt)| self.derive(password, salt)).collect()
            }
        }
    }

    /// The memory that hashing uses, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        match self {
            Self::Scrypt(scrypt) => scrypt.peak_bytes(),
            Self::Pbkdf2(_) => 0,
        }
    }

    /// The length of the digest in bytes.
    pub(crate) fn digest_bytes(&self) -> usize {
        match self {
            Self::Scrypt(_) => Scrypt::DIGEST_BYTES,
            Self::Pbkdf2(pbkdf2) => pbkdf2.digest().bytes(),
        }
    }

    /// Whether it does less work than the minimum of OWASP's Password Storage Cheat Sheet (2025):
    /// `scrypt:131072:8:1` or an equivalent it lists, down to `scrypt:32768:8:3` and
    /// `scrypt:8192:8:10`; for PBKDF2, 600,000 iterations with SHA-256, 1,300,000 with SHA-1,
    /// 210,000 with SHA-512. The default is werkzeug's. It does less work than that but does not
    /// count as weak, because every app uses it.
    ///
    /// ```
    /// use dash_users::Method;
    ///
    /// assert!("pbkdf2:sha256:260000".parse::<Method>()?.is_weak());
    /// assert!(!Method::default().is_weak());
    /// # Ok::<(), dash_users::MethodError>(())
    /// ```
    #[must_use]
    pub fn is_weak(&self) -> bool {
        match self {
            Self::Scrypt(Scrypt::DEFAULT) => false,
            Self::Scrypt(scrypt) => !scrypt.is_owasp(),
            Self::Pbkdf2(pbkdf2) => !pbkdf2.is_owasp(),
        }
    }

    /// Whether this is the same algorithm as `other` with at least as much work.
    pub(super) fn is_as_strong_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Scrypt(this), Self::Scrypt(other)) => this.work_bytes() >= other.work_bytes(),
            (Self::Pbkdf2(this), Self::Pbkdf2(other)) => {
                this.digest() == other.digest() && this.iterations() >= other.iterations()
            }
            _ => false,
        }
    }
}

impl Default for Method {
    fn default() -> Self {
        Self::Scrypt(Scrypt::DEFAULT)
    }
}

impl FromStr for Method {
    type Err = MethodError;

    fn from_str(text: &str) -> Result<Self, MethodError> {
        let (name, parameters) = match text.split_once(':') {
            Some((name, parameters)) => (name, Some(parameters)),
            None => (text, None),
        };
        match name {
            "scrypt" => scrypt(parameters).map(Self::Scrypt),
            "pbkdf2" => pbkdf2(parameters).map(Self::Pbkdf2),
            _ => Err(MethodError::Raises("the method is neither scrypt nor pbkdf2")),
        }
    }
}

fn scrypt(parameters: Option<&str>) -> Result<Scrypt, MethodError> {
    let Some(parameters) = parameters else { return Ok(Scrypt::DEFAULT) };
    let [n, r, p] = parameters.split(':').collect::<Vec<_>>()[..] else {
        return Err(MethodError::Raises(
            "scrypt takes three numbers, N:r:p, such as scrypt:32768:8:1",
        ));
    };
    Scrypt::new(whole_number(n)?, whole_number(r)?, whole_number(p)?)
}

fn pbkdf2(parameters: Option<&str>) -> Result<Pbkdf2, MethodError> {
    let Some(parameters) = parameters else { return Ok(Pbkdf2::DEFAULT) };
    match parameters.split(':').collect::<Vec<_>>()[..] {
        [digest] => Pbkdf2::new(digest.parse()?, Pbkdf2::DEFAULT_ITERATIONS),
        [digest, iterations] => {
            let digest = digest.parse::<Digest>();
            let known = digest.unwrap_or(Digest::Sha256);
            match (digest, Pbkdf2::new(known, whole_number(iterations)?)) {
                (Ok(_), pbkdf2) => pbkdf2,
                // werkzeug raises on these iterations with any digest.
                (Err(_), Err(raises @ MethodError::Raises(_))) => Err(raises),
                (Err(unknown), _) => Err(unknown),
            }
        }
        _ => Err(MethodError::Raises("pbkdf2 takes two parameters, ALGORITHM:ITERATIONS")),
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scrypt(scrypt) => scrypt.fmt(f),
            Self::Pbkdf2(pbkdf2) => pbkdf2.fmt(f),
        }
    }
}

/// Why a text is not a usable method. The reason contains no part of the text, which may be a
/// plaintext password in the wrong place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MethodError {
    /// werkzeug raises an exception, such as `ValueError`.
    #[error("{0}")]
    Raises(&'static str),
    /// werkzeug may support it; this crate does not.
    #[error("{0}")]
    Unsupported(&'static str),
    /// It costs more than this crate's limits.
    #[error("{0}")]
    OverLimit(&'static str),
}

impl MethodError {
    /// The error for a text over [`PasswordHash::MAX_BYTES`](super::PasswordHash::MAX_BYTES).
    pub(crate) const TOO_LONG: Self = Self::OverLimit("longer than 64 KiB");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_displays_all_parameters() {
        for (text, full) in [
            ("scrypt", "scrypt:32768:8:1"),
            ("scrypt:128:8:1", "scrypt:128:8:1"),
            ("pbkdf2", "pbkdf2:sha256:1000000"),
            ("pbkdf2:sha1", "pbkdf2:sha1:1000000"),
            ("pbkdf2:sha512:7", "pbkdf2:sha512:7"),
        ] {
            assert_eq!(text.parse::<Method>().unwrap().to_string(), full);
        }
        assert_eq!(Method::default().to_string(), "scrypt:32768:8:1");
    }

    #[test]
    fn weak_is_below_every_owasp_minimum() {
        let is_weak = |text: &str| text.parse::<Method>().unwrap().is_weak();
        for floor in [
            "scrypt:131072:8:1",
            "scrypt:65536:8:2",
            "scrypt:32768:8:3",
            "scrypt:16384:8:5",
            "scrypt:8192:8:10",
            "scrypt:32768:16:3",
            "pbkdf2:sha1:1300000",
            "pbkdf2:sha256:600000",
            "pbkdf2:sha512:210000",
            "scrypt",
            "pbkdf2",
        ] {
            assert!(!is_weak(floor), "{floor}");
        }
        for weak in [
            "scrypt:131072:7:2",
            "scrypt:65536:8:1",
            "scrypt:32768:8:2",
            "scrypt:16384:8:4",
            "scrypt:8192:8:9",
            "scrypt:4096:8:20",
            "pbkdf2:sha1:1299999",
            "pbkdf2:sha256:599999",
            "pbkdf2:sha512:209999",
        ] {
            assert!(is_weak(weak), "{weak}");
        }
    }

    #[test]
    fn raising_differs_from_unsupported_and_over_limit() {
        use MethodError as E;
        for (text, expected) in [
            ("", E::Raises("")),
            ("bcrypt", E::Raises("")),
            ("Scrypt", E::Raises("")),
            ("scrypt:", E::Raises("")),
            ("scrypt:1024:8", E::Raises("")),
            ("scrypt:1024:8:1:1", E::Raises("")),
            ("scrypt:1024:8:x", E::Raises("")),
            ("scrypt:0x400:8:1", E::Raises("")),
            ("scrypt: 1024:8:1", E::Unsupported("")),
            ("scrypt:2097152:8:1", E::Raises("")),
            ("scrypt:524288:8:1", E::OverLimit("")),
            ("pbkdf2:", E::Raises("")),
            ("pbkdf2:md4x:1", E::Raises("")),
            ("pbkdf2:sha224:1", E::Unsupported("")),
            ("pbkdf2:sha224:0", E::Raises("")),
            ("pbkdf2:SHA256:1", E::Unsupported("")),
            ("pbkdf2:sha256:0", E::Raises("")),
            ("pbkdf2:sha256:1:1", E::Raises("")),
            ("pbkdf2:sha256:10000001", E::OverLimit("")),
            ("pbkdf2:sha256:2147483648", E::Raises("")),
        ] {
            let error = text.parse::<Method>().unwrap_err();
            let same = std::mem::discriminant(&error) == std::mem::discriminant(&expected);
            assert!(same, "{text}: {error:?}");
        }
    }
}
