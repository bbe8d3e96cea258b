//! scrypt ([RFC 7914](https://www.rfc-editor.org/rfc/rfc7914)) for several passwords at once.
//!
//! Each step of a hash needs the result of the step before, so a processor waits most of the time.
//! Here one thread computes up to [`MAX_LANES`] hashes, its lanes, and each lane fills the waits of
//! the others. More lanes would need more registers than there are.
//!
//! A single hash is computed with vectors or with plain words, whichever is faster on this
//! processor.

#![expect(clippy::inline_always, reason = "the state of each lane has to stay in registers")]

use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{array, hint};

use pbkdf2::pbkdf2_hmac;
use sha2::Sha256;
use wide::u32x4;
use zeroize::Zeroizing;

/// The maximum number of hashes that are computed at once.
pub const MAX_LANES: usize = 3;

/// The bytes of a [`Block`].
const BLOCK_BYTES: usize = 64;

/// 64 bytes as little-endian words, in the order in which Salsa20/8 uses them: the four diagonals
/// of its matrix. Word `i` of diagonal `d` is word `4·d + 5·i mod 16` of the bytes.
type Block = [[u32; 4]; 4];

/// The same in registers.
type Vectors = [u32x4; 4];

/// Memory for hashes. It is reused from one call to the next, and wiped at the end.
#[derive(Default)]
pub struct Memory {
    /// The array V of each lane: N times 2·r blocks.
    v: Zeroizing<Vec<Block>>,
    /// The block X of each lane, 2·r blocks of 64 bytes, and the result of the next step.
    x: Zeroizing<Vec<Block>>,
    y: Zeroizing<Vec<Block>>,
}

impl Memory {
    /// Derives a digest for each password and salt, at most [`MAX_LANES`], with N = 2^`log_n`, the
    /// block size `r` and the parallelism `p`. Each needs 128·N·r bytes of memory.
    ///
    /// # Panics
    ///
    /// With no or too many inputs, or parameters that scrypt does not allow: all must be at least
    /// 1, and N below 2^(16·r).
    pub fn derive(
        &mut self,
        (log_n, r, p): (u8, u32, u32),
        inputs: &[(&[u8], &[u8])],
    ) -> Vec<[u8; 64]> {
        assert!(log_n >= 1 && r >= 1 && p >= 1 && u32::from(log_n) < 16 * r, "scrypt parameters");
        assert!((1..=MAX_LANES).contains(&inputs.len()), "{} inputs", inputs.len());
        let shape = Shape { n: 1 << log_n, blocks: 2 * r as usize };
        let mut mixed: Vec<_> = inputs
            .iter()
            .map(|(password, salt)| {
                let mut bytes = Zeroizing::new(vec![0; p as usize * shape.blocks * BLOCK_BYTES]);
                pbkdf2_hmac::<Sha256>(password, salt, 1, &mut bytes);
                bytes
            })
            .collect();
        match inputs.len() {
            1 if words_are_faster() => self.mix::<1, true>(&shape, &mut mixed),
            1 => self.mix::<1, false>(&shape, &mut mixed),
            2 => self.mix::<2, false>(&shape, &mut mixed),
            _ => self.mix::<MAX_LANES, false>(&shape, &mut mixed),
        }
        let digest = |((password, _), mixed): (&(&[u8], _), &Zeroizing<Vec<u8>>)| {
            let mut digest = [0; 64];
            pbkdf2_hmac::<Sha256>(password, mixed, 1, &mut digest);
            digest
        };
        inputs.iter().zip(&mixed).map(digest).collect()
    }

    /// Applies [`romix`] to each of the p parts of each lane.
    fn mix<const LANES: usize, const WORDS: bool>(
        &mut self,
        shape: &Shape,
        lanes: &mut [Zeroizing<Vec<u8>>],
    ) {
        let Shape { n, blocks } = *shape;
        let Self { v, x, y } = self;
        for (memory, length) in [(&mut *v, n * blocks), (&mut *x, blocks), (&mut *y, blocks)] {
            // A vector that grows in place would leave its old content behind.
            if memory.len() < LANES * length {
                *memory = Zeroizing::new(vec![Block::default(); LANES * length]);
            }
        }
        let mut v = split::<LANES>(v, n * blocks);
        let mut x = split::<LANES>(x, blocks);
        let mut y = split::<LANES>(y, blocks);
        let part_bytes = blocks * BLOCK_BYTES;
        for start in (0..lanes[0].len()).step_by(part_bytes) {
            for (bytes, x) in lanes.iter().zip(&mut x) {
                load(&bytes[start..][..part_bytes], x);
            }
            romix::<LANES, WORDS>(shape, &mut v, &mut x, &mut y);
            for (bytes, x) in lanes.iter_mut().zip(&x) {
                store(x, &mut bytes[start..][..part_bytes]);
            }
        }
    }
}

/// The size of the memory of a lane.
struct Shape {
    /// N, the number of elements of V, a power of two, at least 2.
    n: usize,
    /// 2·r, the blocks of an element.
    blocks: usize,
}

/// The first `LANES` parts of this length.
fn split<const LANES: usize>(memory: &mut [Block], length: usize) -> [&mut [Block]; LANES] {
    let mut parts = memory.chunks_exact_mut(length);
    array::from_fn(|_| parts.next().expect("the memory has a part for each lane"))
}

/// Replaces X of each lane by ROMix(X).
fn romix<const LANES: usize, const WORDS: bool>(
    shape: &Shape,
    v: &mut [&mut [Block]; LANES],
    x: &mut [&mut [Block]; LANES],
    y: &mut [&mut [Block]; LANES],
) {
    let Shape { n, blocks } = *shape;
    for (v, x) in v.iter_mut().zip(&*x) {
        v[..blocks].copy_from_slice(x);
    }
    for i in 1..n {
        let pairs = v.each_mut().map(|v| {
            let (from, to) = v[(i - 1) * blocks..(i + 1) * blocks].split_at_mut(blocks);
            (&*from, to)
        });
        let from = pairs.each_ref().map(|(from, _)| *from);
        block_mix::<LANES, WORDS>(from, None, pairs.map(|(_, to)| to));
    }
    let last = v.each_ref().map(|v| &v[(n - 1) * blocks..n * blocks]);
    block_mix::<LANES, WORDS>(last, None, x.each_mut().map(|x| &mut **x));
    // N is even.
    for _ in 0..n / 2 {
        mix_with_v::<LANES, WORDS>(shape, v, x, y);
        mix_with_v::<LANES, WORDS>(shape, v, y, x);
    }
}

/// Sets Y to BlockMix(X xor V[j]), where j is Integerify(X) mod N.
#[inline(always)]
fn mix_with_v<const LANES: usize, const WORDS: bool>(
    shape: &Shape,
    v: &[&mut [Block]; LANES],
    x: &[&mut [Block]; LANES],
    y: &mut [&mut [Block]; LANES],
) {
    let Shape { n, blocks } = *shape;
    let chosen = array::from_fn(|lane| {
        // The first word of the last block. N is at most 2^32.
        let j = x[lane][blocks - 1][0][0] as usize & (n - 1);
        &v[lane][j * blocks..][..blocks]
    });
    block_mix::<LANES, WORDS>(
        x.each_ref().map(|x| &**x),
        Some(chosen),
        y.each_mut().map(|y| &mut **y),
    );
}

/// Sets `to` to `BlockMix(from)`, or to `BlockMix(from xor other)`, with vectors or with plain
/// words.
#[inline(always)]
fn block_mix<const LANES: usize, const WORDS: bool>(
    from: [&[Block]; LANES],
    other: Option<[&[Block]; LANES]>,
    mut to: [&mut [Block]; LANES],
) {
    if WORDS {
        for (lane, to) in to.iter_mut().enumerate() {
            block_mix_of_words(from[lane], other.map(|other| other[lane]), to);
        }
        return;
    }
    let blocks = to[0].len();
    let block = |lane: usize, i: usize| {
        let block = from[lane][i].map(u32x4::new);
        other.map_or(block, |other| xor(block, other[lane][i].map(u32x4::new)))
    };
    let mut x: [Vectors; LANES] = array::from_fn(|lane| block(lane, blocks - 1));
    for i in 0..blocks {
        x = array::from_fn(|lane| xor(x[lane], block(lane, i)));
        salsa20_8(&mut x);
        for lane in 0..LANES {
            to[lane][place(i, blocks)] = x[lane].map(u32x4::to_array);
        }
    }
}

#[inline(always)]
fn block_mix_of_words(from: &[Block], other: Option<&[Block]>, to: &mut [Block]) {
    let blocks = to.len();
    let block = |i: usize| other.map_or(from[i], |other| xor_words(from[i], &other[i]));
    let mut x = block(blocks - 1);
    for i in 0..blocks {
        x = salsa20_8_of_words(xor_words(x, &block(i)));
        to[place(i, blocks)] = x;
    }
}

/// Where `BlockMix` places block `i`: those with an even number come first.
fn place(i: usize, blocks: usize) -> usize {
    i / 2 + i % 2 * (blocks / 2)
}

/// Whether a single hash takes less time with plain words than with vectors. It depends on the
/// processor, and is measured once, in less than a millisecond.
fn words_are_faster() -> bool {
    static FASTER: OnceLock<bool> = OnceLock::new();
    *FASTER.get_or_init(|| time_of_block_mix::<true>() < time_of_block_mix::<false>())
}

/// The shortest of several times, in which nothing else ran.
fn time_of_block_mix<const WORDS: bool>() -> Option<Duration> {
    let mut blocks = [[Block::default(); 16]; 2];
    let round = |_| {
        let start = Instant::now();
        for _ in 0..16 {
            let [from, to] = hint::black_box(&mut blocks);
            block_mix::<1, WORDS>([&from[..]], None, [&mut to[..]]);
            blocks.swap(0, 1);
        }
        start.elapsed()
    };
    (0..8).map(round).min()
}

#[inline(always)]
fn xor_words(mut a: Block, b: &Block) -> Block {
    for (a, b) in a.as_flattened_mut().iter_mut().zip(b.as_flattened()) {
        *a ^= b;
    }
    a
}

fn xor(a: Vectors, b: Vectors) -> Vectors {
    array::from_fn(|i| a[i] ^ b[i])
}

/// Applies Salsa20/8 to each lane. All lanes do the same step before the next one.
#[inline(always)]
fn salsa20_8<const LANES: usize>(x: &mut [Vectors; LANES]) {
    let input = *x;
    for _ in 0..4 {
        // The columns of the matrix.
        each(x, |[a, b, _, d]| *b ^= rotate::<7>(*a + *d));
        each(x, |[a, b, c, _]| *c ^= rotate::<9>(*b + *a));
        each(x, |[_, b, c, d]| *d ^= rotate::<13>(*c + *b));
        each(x, |[a, b, c, d]| {
            *a ^= rotate::<18>(*d + *c);
            (*b, *c, *d) = (turn::<3>(*b), turn::<2>(*c), turn::<1>(*d));
        });
        // The rows, which are columns once the diagonals are turned.
        each(x, |[a, b, _, d]| *d ^= rotate::<7>(*a + *b));
        each(x, |[a, _, c, d]| *c ^= rotate::<9>(*d + *a));
        each(x, |[_, b, c, d]| *b ^= rotate::<13>(*c + *d));
        each(x, |[a, b, c, d]| {
            *a ^= rotate::<18>(*b + *c);
            (*b, *c, *d) = (turn::<1>(*b), turn::<2>(*c), turn::<3>(*d));
        });
    }
    for (x, input) in x.iter_mut().zip(input) {
        *x = array::from_fn(|i| x[i] + input[i]);
    }
}

/// Salsa20/8 with plain words.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "it indexes the words of several diagonals")]
fn salsa20_8_of_words(input: Block) -> Block {
    let mut x = input;
    for _ in 0..4 {
        // The columns of the matrix.
        for i in 0..4 {
            x[1][i] ^= x[0][i].wrapping_add(x[3][i]).rotate_left(7);
            x[2][i] ^= x[1][i].wrapping_add(x[0][i]).rotate_left(9);
            x[3][i] ^= x[2][i].wrapping_add(x[1][i]).rotate_left(13);
            x[0][i] ^= x[3][i].wrapping_add(x[2][i]).rotate_left(18);
        }
        // The rows.
        for i in 0..4 {
            let (b, c, d) = ((i + 3) % 4, (i + 2) % 4, (i + 1) % 4);
            x[3][d] ^= x[0][i].wrapping_add(x[1][b]).rotate_left(7);
            x[2][c] ^= x[3][d].wrapping_add(x[0][i]).rotate_left(9);
            x[1][b] ^= x[2][c].wrapping_add(x[3][d]).rotate_left(13);
            x[0][i] ^= x[1][b].wrapping_add(x[2][c]).rotate_left(18);
        }
    }
    array::from_fn(|d| array::from_fn(|i| x[d][i].wrapping_add(input[d][i])))
}

#[inline(always)]
fn each<const LANES: usize>(x: &mut [Vectors; LANES], step: impl Fn(&mut Vectors)) {
    x.iter_mut().for_each(step);
}

/// Rotates each word to the left by this number of bits.
#[inline(always)]
fn rotate<const BITS: u32>(words: u32x4) -> u32x4 {
    (words << BITS) | (words >> (32 - BITS))
}

/// Moves the words by this number of places, the first ones to the end.
#[inline(always)]
fn turn<const PLACES: usize>(words: u32x4) -> u32x4 {
    let words = words.to_array();
    u32x4::new(array::from_fn(|i| words[(i + PLACES) % 4]))
}

/// The bytes of word `i` of diagonal `d`.
fn word(d: usize, i: usize) -> std::ops::Range<usize> {
    let start = (4 * d + 5 * i) % 16 * 4;
    start..start + 4
}

fn load(bytes: &[u8], blocks: &mut [Block]) {
    for (bytes, block) in bytes.chunks_exact(BLOCK_BYTES).zip(blocks) {
        *block = array::from_fn(|d| {
            array::from_fn(|i| {
                let mut le = [0; 4];
                le.copy_from_slice(&bytes[word(d, i)]);
                u32::from_le_bytes(le)
            })
        });
    }
}

fn store(blocks: &[Block], bytes: &mut [u8]) {
    for (block, bytes) in blocks.iter().zip(bytes.chunks_exact_mut(BLOCK_BYTES)) {
        for (d, diagonal) in block.iter().enumerate() {
            for (i, value) in diagonal.iter().enumerate() {
                bytes[word(d, i)].copy_from_slice(&value.to_le_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn expected((log_n, r, p): (u8, u32, u32), password: &[u8], salt: &[u8]) -> [u8; 64] {
        let params = ::scrypt::Params::new(log_n, r, p).unwrap();
        let mut digest = [0; 64];
        ::scrypt::scrypt(password, salt, &params, &mut digest).unwrap();
        digest
    }

    #[test]
    fn lanes_match_scrypt_crate_over_parameters() {
        let inputs: [(&[u8], &[u8]); MAX_LANES] = [(b"a", b"salt"), (b"", b""), (b"b", b"other")];
        // The memory is larger than later parameters need.
        let mut memory = Memory::default();
        for log_n in (1..=8).rev() {
            for r in [1, 2, 3, 7, 8, 9, 16] {
                for p in [1, 2, 5] {
                    let cost = (log_n, r, p);
                    let expected = inputs.map(|(password, salt)| expected(cost, password, salt));
                    for lanes in 1..=MAX_LANES {
                        let found = memory.derive(cost, &inputs[..lanes]);
                        assert_eq!(found, expected[..lanes], "2^{log_n}:{r}:{p}");
                    }
                }
            }
        }
        let cost = (15, 8, 1);
        let expected = inputs.map(|(password, salt)| expected(cost, password, salt));
        assert_eq!(memory.derive(cost, &inputs), expected);
    }

    #[test]
    fn vectors_of_rfc_7914_match() {
        let hex = |digest: &[u8; 64]| base16ct::lower::encode_string(digest);
        let mut memory = Memory::default();
        let found = memory.derive((4, 1, 1), &[(b"", b"")]);
        assert!(
            hex(&found[0]).starts_with("77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3f")
        );
        let found = memory.derive((10, 8, 16), &[(b"password", b"NaCl")]);
        assert!(
            hex(&found[0])
                .starts_with("fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b37")
        );
        let input: (&[u8], &[u8]) = (b"pleaseletmein", b"SodiumChloride");
        let found = memory.derive((14, 8, 1), &[input; 3]);
        for digest in &found {
            assert!(
                hex(digest).starts_with(
                    "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
                )
            );
        }
    }

    proptest! {
        #[test]
        fn any_passwords_and_salts_match_scrypt_crate(
            inputs in prop::collection::vec(
                (prop::collection::vec(any::<u8>(), 0..200), prop::collection::vec(any::<u8>(), 0..90)),
                1..=MAX_LANES,
            ),
            log_n in 1_u8..6,
            r in 1_u32..5,
            p in 1_u32..4,
        ) {
            let inputs: Vec<(&[u8], &[u8])> =
                inputs.iter().map(|(password, salt)| (&password[..], &salt[..])).collect();
            let expected: Vec<_> = inputs
                .iter()
                .map(|(password, salt)| expected((log_n, r, p), password, salt))
                .collect();
            prop_assert_eq!(Memory::default().derive((log_n, r, p), &inputs), expected);
        }

        #[test]
        fn words_and_vectors_mix_alike(
            from in prop::collection::vec(any::<Block>(), 2..34),
            other in prop::collection::vec(any::<Block>(), 34),
        ) {
            let blocks = from.len() / 2 * 2;
            let (from, other) = ([&from[..blocks]; 2], [&other[..blocks]; 2]);
            for other in [None, Some(other)] {
                let mut words = [vec![Block::default(); blocks], vec![Block::default(); blocks]];
                let mut vectors = words.clone();
                block_mix::<2, true>(from, other, words.each_mut().map(|words| &mut words[..]));
                block_mix::<2, false>(from, other, vectors.each_mut().map(|vectors| &mut vectors[..]));
                prop_assert_eq!(words, vectors);
            }
        }
    }
}
