//! Random text and bytes from the operating system's generator.

/// `length` characters of `alphabet`, each equally likely and independent of the others.
///
/// # Panics
///
/// If the operating system's random generator fails: there is no safe way to continue.
pub(crate) fn text(alphabet: &[u8], length: usize) -> String {
    // Bytes from the last, incomplete run of the alphabet would favor its first characters.
    let fair = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(length);
    let mut bytes = zeroize::Zeroizing::new([0_u8; 64]);
    while text.len() < length {
        getrandom::fill(bytes.as_mut()).expect("the operating system has a random generator");
        let fair_bytes = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < fair);
        let wanted = length - text.len();
        text.extend(
            fair_bytes.take(wanted).map(|byte| char::from(alphabet[byte % alphabet.len()])),
        );
    }
    text
}

/// `length` random bytes.
///
/// # Panics
///
/// As [`text`].
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes).expect("the operating system has a random generator");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_equally_likely() {
        let text = text(b"abc", 30_000);
        assert_eq!(text.len(), 30_000);
        for c in ['a', 'b', 'c'] {
            let count = text.chars().filter(|other| *other == c).count();
            // Ten standard deviations (82) either side: a fair generator never leaves them.
            assert!((9_180..=10_820).contains(&count), "{c}: {count}");
        }
    }

    #[test]
    fn remainder_of_256_does_not_bias() {
        let alphabet: Vec<u8> = (0..100).collect();
        let text = text(&alphabet, 60_000);
        let count = text.bytes().filter(|byte| *byte < 56).count();
        // Ten standard deviations (122) either side of 33,600; a biased generator gives 39,375.
        assert!((32_380..=34_820).contains(&count), "{count}");
    }
}
