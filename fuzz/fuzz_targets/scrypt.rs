//! scrypt for several passwords at once, compared with the crate `scrypt`.
//!
//! The first bytes of the input choose the parameters. The rest is divided into passwords and salts.

#![no_main]

use dash_users_romix::{MAX_LANES, Memory};
use libfuzzer_sys::fuzz_target;
use scrypt::{Params, scrypt};

fuzz_target!(|input: &[u8]| {
    let &[log_n, r, p, lanes, ref rest @ ..] = input else { return };
    let (log_n, r, p) = (1 + log_n % 6, 1 + u32::from(r % 5), 1 + u32::from(p % 4));
    let lanes = 1 + usize::from(lanes) % MAX_LANES;
    let texts: Vec<_> = rest.chunks(rest.len().div_ceil(2 * lanes).max(1)).collect();
    let text = |index: usize| texts.get(index).copied().unwrap_or_default();
    let inputs: Vec<_> = (0..lanes).map(|lane| (text(2 * lane), text(2 * lane + 1))).collect();
    let params = Params::new(log_n, r, p).expect("valid parameters");
    let digests = Memory::default().derive((log_n, r, p), &inputs);
    assert_eq!(digests.len(), lanes);
    for ((password, salt), digest) in inputs.into_iter().zip(digests) {
        let mut expected = [0; 64];
        scrypt(password, salt, &params, &mut expected).expect("a digest of 64 bytes");
        assert_eq!(digest, expected);
    }
});
