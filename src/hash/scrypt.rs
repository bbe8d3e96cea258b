//! scrypt (RFC 7914), computed by `romix`, which also computes several hashes at once: see
//! `benches/README.md` for how it compares with others. A test below compares the digests with those
//! of the crate `scrypt`.

use std::fmt;

use dash_users_romix::Memory;

use super::method::MethodError;

/// The parameters of scrypt.
///
/// # Security
///
/// werkzeug, through OpenSSL, accepts only an N that is a power of two with 2 ≤ N < 2^(16·r). Its
/// memory limit of 132·N·r·p bytes must fit into 31 bits and be at least the 128·r·(p + N + 2)
/// bytes that are needed. [`new`](Self::new) also rejects parameters that need more than
/// [`MAX_WORK_BYTES`](Self::MAX_WORK_BYTES) of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scrypt {
    log_n: u8,
    r: u32,
    p: u32,
}

impl Scrypt {
    /// werkzeug's default: N = 2^15, r = 8, p = 1, using 32 MiB.
    pub const DEFAULT: Self = Self { log_n: 15, r: 8, p: 1 };

    /// The length of the digest in bytes, as in werkzeug and Python's `hashlib.scrypt`.
    pub const DIGEST_BYTES: usize = 64;

    /// The maximum work of a hash, 128·N·r·p bytes: 256 MiB, eight times the default.
    pub const MAX_WORK_BYTES: u64 = 256 << 20;

    /// Parameters `n` (CPU and memory cost), `r` (block size, in units of 128 bytes) and `p`
    /// (parallelism).
    ///
    /// # Errors
    ///
    /// [`MethodError::Raises`] if werkzeug would raise an exception, and [`MethodError::OverLimit`]
    /// above [`MAX_WORK_BYTES`](Self::MAX_WORK_BYTES).
    pub fn new(n: u64, r: u64, p: u64) -> Result<Self, MethodError> {
        check(n, r, p)?;
        // All three are factors of a product below 2^31.
        let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let log_n = u8::try_from(n.ilog2()).unwrap_or(u8::MAX);
        Ok(Self { log_n, r: narrow(r), p: narrow(p) })
    }

    /// N, the CPU and memory cost: the number of blocks of 128·r bytes in memory.
    #[must_use]
    pub fn n(&self) -> u64 {
        1 << self.log_n
    }

    /// The memory for the N blocks, 128·N·r bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        128 * self.n() * u64::from(self.r)
    }

    /// The peak memory in bytes, including the p blocks that are mixed.
    pub(super) fn peak_bytes(&self) -> u64 {
        128 * u64::from(self.r) * (self.n() + u64::from(self.p) + 2)
    }

    /// The work, 128·N·r·p bytes.
    #[must_use]
    pub fn work_bytes(&self) -> u64 {
        self.memory_bytes() * u64::from(self.p)
    }

    /// Whether it meets OWASP's minimum: see [`Method::is_weak`](super::Method::is_weak).
    pub(super) fn is_owasp(&self) -> bool {
        const FLOOR: [(u8, u32); 5] = [(17, 1), (16, 2), (15, 3), (14, 5), (13, 10)];
        let meets = |(log_n, p): (u8, u32)| self.log_n >= log_n && self.r >= 8 && self.p >= p;
        FLOOR.into_iter().any(meets)
    }

    pub(super) fn derive(&self, password: &[u8], salt: &[u8]) -> [u8; Self::DIGEST_BYTES] {
        self.derive_all(&[(password, salt)], &mut Memory::default())[0]
    }

    /// Derives several digests at once.
    pub(super) fn derive_all(
        &self,
        inputs: &[(&[u8], &[u8])],
        memory: &mut Memory,
    ) -> Vec<[u8; Self::DIGEST_BYTES]> {
        memory.derive((self.log_n, self.r, self.p), inputs)
    }
}

impl fmt::Display for Scrypt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "scrypt:{}:{}:{}", self.n(), self.r, self.p)
    }
}

/// Rejects parameters on which werkzeug raises an exception or that exceed the limit.
fn check(n: u64, r: u64, p: u64) -> Result<(), MethodError> {
    if n < 2 || !n.is_power_of_two() {
        return Err(MethodError::Raises("scrypt N must be a power of two, at least 2"));
    }
    if r == 0 || p == 0 {
        return Err(MethodError::Raises("scrypt r and p must be at least 1"));
    }
    if u64::from(n.ilog2()) >= r.saturating_mul(16) {
        return Err(MethodError::Raises("scrypt N must be below 2^(16·r)"));
    }
    let nrp = n.saturating_mul(r).saturating_mul(p);
    let limit = nrp.saturating_mul(132);
    if i32::try_from(limit).is_err() {
        return Err(MethodError::Raises("scrypt 132·N·r·p exceeds 2147483647"));
    }
    if 128 * r * (p + n + 2) > limit {
        return Err(MethodError::Raises("scrypt N·p is too low for werkzeug's memory limit"));
    }
    if 128 * nrp > Scrypt::MAX_WORK_BYTES {
        return Err(MethodError::OverLimit("scrypt 128·N·r·p exceeds the limit of 256 MiB"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_match_werkzeug_and_limit() {
        let raises = |n, r, p| matches!(Scrypt::new(n, r, p), Err(MethodError::Raises(_)));
        assert!(raises(0, 8, 1) && raises(1, 8, 1) && raises(1000, 8, 1));
        let zero = MethodError::Raises("scrypt r and p must be at least 1");
        assert_eq!([Scrypt::new(1024, 0, 1), Scrypt::new(1024, 8, 0)], [Err(zero); 2]);
        assert!(raises(64, 8, 1) && !raises(128, 8, 1), "memory limit for a small N");
        assert!(raises(2, 1, 3) && !raises(2, 1, 4), "memory limit for the smallest N");
        assert!(raises(1, 1, 96), "no N of 1, whatever its memory limit");
        assert!(raises(65_536, 1, 1) && !raises(32_768, 1, 1), "N < 2^(16r)");
        assert!(raises(1 << 21, 8, 1) && !raises(1 << 20, 8, 1), "31 bits");
        assert!(raises(1 << 63, u64::MAX, u64::MAX), "no overflow");
        assert!(raises(2, u64::MAX, 1) && raises(2, 1, u64::MAX), "no overflow");

        assert_eq!(Scrypt::new(1 << 18, 8, 1).unwrap().work_bytes(), Scrypt::MAX_WORK_BYTES);
        let over = |n, r, p| matches!(Scrypt::new(n, r, p), Err(MethodError::OverLimit(_)));
        assert!(over(1 << 19, 8, 1) && over(1 << 18, 8, 2) && over(1 << 18, 9, 1));
    }

    #[test]
    fn digest_matches_scrypt_crate() {
        let compare = |log_n: u8, r: u32, p: u32, password: &[u8], salt: &[u8]| {
            let params = ::scrypt::Params::new(log_n, r, p).unwrap();
            let mut expected = [0; Scrypt::DIGEST_BYTES];
            ::scrypt::scrypt(password, salt, &params, &mut expected).unwrap();
            let found = Scrypt { log_n, r, p }.derive(password, salt);
            assert_eq!(found, expected, "2^{log_n}:{r}:{p}, {password:?}, {salt:?}");
        };
        for log_n in 1..=11 {
            for r in [1, 2, 3, 7, 8, 9, 16] {
                for p in [1, 2, 5] {
                    compare(log_n, r, p, b"password", b"NaCl");
                }
            }
        }
        let long = [0xa5; 300];
        for length in [0, 1, 15, 16, 31, 32, 63, 64, 65, 127, 128, 300] {
            compare(7, 8, 1, &long[..length], b"salt");
            compare(7, 8, 1, b"password", &long[..length]);
        }
        compare(15, 8, 1, b"secret123", b"HtB7iBw3ZGspBOHX");
        compare(18, 8, 1, b"at the limit", b"salt");
        compare(1, 1, 1 << 15, b"many lanes", b"salt");
    }
}
