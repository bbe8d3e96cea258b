//! Generated hashes with typical parser errors, compared with werkzeug's verdicts.
//!
//! Each run tries the same hashes, a full run ten times as many. The variables `DIFFERENTIAL_SEED`
//! and `DIFFERENTIAL_CASES` choose others and more of them:
//!
//! ```text
//! DIFFERENTIAL_SEED=7 DIFFERENTIAL_CASES=1000000 cargo test --test hash generated -- --nocapture
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::env;

use dash_users::{Credential, Digest, Method, NewCredential, StoredText};
use pbkdf2::pbkdf2_hmac;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use crate::python::environment;
use crate::{agree, assert_none, our_verdict, sample, verdicts};

const SEED: u64 = 1;
const CASES: usize = 10_000;
const SAMPLE: usize = 1_000;

/// The number of hashes in one call of werkzeug.
const CHUNK: usize = 10_000;

/// Parameters, most of them invalid, separated by `;`.
const NUMBERS: &str = "\
    1;2;3;4;8;16;64;100;128;0;00;-1;-8;-0;+8;08;0128;1_6;1__6;_8;8_;1_0_0; 2;2 ;\t8;8\n;\
    \u{a0}8;8\u{3000};8\u{200b};\u{feff}8;\u{1c}8;8\u{1f};\u{85}8;８;٨;१;１28;𝟖;八;Ⅷ;²;½;8.0;\
    8e0;0x8;0b1;0o7;8L;NaN;inf;True;;-;+;--8;+-8;- 8;2147483647;2147483648;4294967296;\
    4294967297;4294967304;9223372036854775808;18446744073709551615;18446744073709551616;\
    99999999999999999999999999";

/// Names of digests that werkzeug accepts or rejects.
const DIGESTS: &str = "\
    sha1;sha256;sha512;SHA256;Sha1;sha-256;sha2-256;sha224;sha384;sha3_256;sha3-256;\
    SHA3_256;md5;MD5;md4;sha512_256;sha512-256;sha512/256;blake2b;BLAKE2B;blake2b512;\
    blake2s256;ripemd160;rmd160;whirlpool;sm3;shake_128;shake128;sha0;sha;sha2;ssl3-sha1;SHA-512/224;sha-512/256;1.3.14.3.2.26;sha256 ;\
    \x20sha256;sha256\0;ſha256;sha２56;hmac;null;undef;";

/// Names of methods that werkzeug does not accept.
const NAMES: &str = "\
    Scrypt;SCRYPT;scrypt ; scrypt;pbkdf2 ;PBKDF2;pbkdf2_sha256;pbkdf;plain;sha256;;\0;\
    \u{feff}scrypt;ſcrypt;!scrypt;!pbkdf2";

/// Odd salts and passwords.
const ODD: &str = "\
    ;\0;\0\0;|;!;||;:;é;e\u{301};\u{feff};🙂";

/// Texts that edits insert.
const WORDS: &str = "\
    $;$;$$;:;|;!;_;+;-; ;\n;\r;\t;\0;0;1;a;f;g;F;A;é;\u{a0};\u{3000};\u{1c};\u{85};\u{200b};\
    \u{feff};\u{fffd};８;٨;ａ;🙂;00;\\;';%;,;scrypt;pbkdf2:sha1:1$";

fn one_of(texts: &'static str) -> impl Strategy<Value = &'static str> {
    select(texts.split(';').collect::<Vec<_>>())
}

/// Cheap methods with their parameters in many spellings, most of them invalid.
fn methods() -> impl Strategy<Value = String> {
    let number = || {
        prop_oneof![
            5 => select(&["1", "2", "8", "16"][..]),
            1 => one_of(NUMBERS),
        ]
    };
    let digest = prop_oneof![3 => select(&["sha1", "sha256", "sha512"][..]), 1 => one_of(DIGESTS)];
    let name = |usual: &'static str| prop_oneof![15 => Just(usual), 1 => one_of(NAMES)];
    prop_oneof![
        select(&["scrypt:128:8:1", "scrypt:16:1:16", "scrypt:1024:8:1", "scrypt:128:8:2"][..])
            .prop_map(str::to_owned),
        (select(&["sha1", "sha256", "sha512"][..]), 1..20_u32)
            .prop_map(|(digest, iterations)| format!("pbkdf2:{digest}:{iterations}")),
        (
            name("scrypt"),
            prop_oneof![select(&["64", "128", "1024"][..]), number()],
            number(),
            number()
        )
            .prop_map(|(name, n, r, p)| format!("{name}:{n}:{r}:{p}")),
        (name("pbkdf2"), digest, number())
            .prop_map(|(name, digest, iterations)| format!("{name}:{digest}:{iterations}")),
        (name("scrypt"), proptest::collection::vec(number(), 0..5)).prop_map(|(name, numbers)| {
            numbers.iter().fold(name.to_owned(), |text, number| text + ":" + number)
        }),
    ]
}

/// Salts and passwords.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-zA-Z0-9]{1,20}",
        2 => "[^$]{0,8}",
        1 => one_of(ODD).prop_map(str::to_owned),
        1 => "[a-z]{63,66}",
    ]
}

/// An edit of a text.
#[derive(Debug, Clone)]
enum Edit {
    Insert(Index, &'static str),
    Replace(Index, &'static str),
    Delete(Index),
    Repeat(Index, Index),
    Cut(Index),
    SwapCase(Index),
}

fn edits() -> impl Strategy<Value = Edit> {
    let index = any::<Index>;
    prop_oneof![
        3 => (index(), one_of(WORDS)).prop_map(|(at, word)| Edit::Insert(at, word)),
        3 => (index(), one_of(WORDS)).prop_map(|(at, word)| Edit::Replace(at, word)),
        3 => index().prop_map(Edit::Delete),
        1 => (index(), index()).prop_map(|(one, other)| Edit::Repeat(one, other)),
        1 => index().prop_map(Edit::Cut),
        2 => index().prop_map(Edit::SwapCase),
    ]
}

impl Edit {
    fn apply(self, text: &str) -> String {
        let mut chars: Vec<char> = text.chars().collect();
        let at = |index: Index| index.index(chars.len() + 1);
        let next = |at: usize| (at + 1).min(text.chars().count());
        match self {
            Self::Insert(index, word) => drop(chars.splice(at(index)..at(index), word.chars())),
            Self::Replace(index, word) => {
                drop(chars.splice(at(index)..next(at(index)), word.chars()));
            }
            Self::Delete(index) => drop(chars.drain(at(index)..next(at(index)))),
            Self::Repeat(one, other) => {
                let (start, end) = (at(one).min(at(other)), at(one).max(at(other)));
                let part = chars[start..end].to_vec();
                chars.splice(end..end, part);
            }
            Self::Cut(index) => chars.truncate(at(index)),
            Self::SwapCase(index) => {
                if let Some(c) = chars.get_mut(index.index(text.chars().count().max(1))) {
                    *c = if c.is_ascii_lowercase() {
                        c.to_ascii_uppercase()
                    } else {
                        c.to_ascii_lowercase()
                    };
                }
            }
        }
        chars.into_iter().collect()
    }
}

/// A stored value and a password, which may match.
fn cases() -> impl Strategy<Value = (String, String)> {
    // Half of them are valid, and some of these locked.
    let edits = prop_oneof![Just(Vec::new()), proptest::collection::vec(edits(), 1..4)];
    let password_edit = proptest::option::weighted(0.2, self::edits());
    (methods(), texts(), texts(), edits, password_edit, proptest::bool::weighted(0.15)).prop_map(
        |(method, salt, password, edits, password_edit, is_locked)| {
            let stored = format!("{method}${salt}${}", digest(&method, &password, &salt));
            let stored = edits.into_iter().fold(stored, |stored, edit| edit.apply(&stored));
            let lock = || NewCredential::lock(&StoredText::Text(stored.clone())).ok().flatten();
            let locked = is_locked.then(lock).flatten().map(|locked| locked.to_string());
            let password = match password_edit {
                Some(edit) => edit.apply(&password),
                None => password,
            };
            (locked.unwrap_or(stored), password)
        },
    )
}

/// The right digest; any digest if we do not support the method.
fn digest(method: &str, password: &str, salt: &str) -> String {
    let (password, salt) = (password.as_bytes(), salt.as_bytes());
    let mut digest = [0; 64];
    let length = match method.parse() {
        Ok(Method::Pbkdf2(pbkdf2)) if pbkdf2.iterations() <= 10_000 => {
            let length = pbkdf2.digest().bytes();
            let (rounds, digest) = (pbkdf2.iterations(), &mut digest[..length]);
            match pbkdf2.digest() {
                Digest::Sha1 => pbkdf2_hmac::<Sha1>(password, salt, rounds, digest),
                Digest::Sha256 => pbkdf2_hmac::<Sha256>(password, salt, rounds, digest),
                _ => pbkdf2_hmac::<Sha512>(password, salt, rounds, digest),
            }
            length
        }
        Ok(Method::Scrypt(costs)) if costs.work_bytes() <= 4 << 20 => {
            let log_n = u8::try_from(costs.n().ilog2()).expect("it is below 64");
            let [r, p] =
                [costs.memory_bytes() / 128 / costs.n(), costs.work_bytes() / costs.memory_bytes()]
                    .map(|number| u32::try_from(number).expect("costs are low"));
            let params = scrypt::Params::new(log_n, r, p).expect("they are valid");
            scrypt::scrypt(password, salt, &params, &mut digest).expect("it is long enough");
            digest.len()
        }
        _ => 32,
    };
    base16ct::lower::encode_string(&digest[..length])
}

/// Whether verifying may take long: a parameter is large or missing.
fn is_costly(stored: &str) -> bool {
    let method = stored.split('$').next().unwrap_or_default();
    let is_large = |parameter: &str| {
        let digits = parameter.replace('_', "");
        match digits.trim().chars().count() {
            5..10 => true,
            10 => digits.trim() <= "2147483647",
            _ => false,
        }
    };
    match method.split(':').collect::<Vec<_>>()[..] {
        ["scrypt" | "pbkdf2"] | ["pbkdf2", _] => true,
        ["pbkdf2", _, iterations] => is_large(iterations),
        [_, ref parameters @ ..] => parameters.iter().any(|parameter| is_large(parameter)),
        [] => false,
    }
}

fn variable<T: std::str::FromStr>(name: &str) -> Option<T> {
    env::var(name).ok().map(|text| text.parse().ok().expect("it is a number"))
}

#[test]
fn generated_hashes_match_werkzeug_verdict() {
    let Some(environment) = environment() else { return };
    let seed = variable("DIFFERENTIAL_SEED").unwrap_or(SEED);
    let count = variable("DIFFERENTIAL_CASES").unwrap_or_else(|| sample::of(SAMPLE, CASES));
    let mut seed_bytes = [0; 32];
    seed_bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed_bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);

    let strategy = cases();
    let mut generate = || strategy.new_tree(&mut runner).expect("it filters nothing").current();
    let mut failures = Vec::new();
    let mut counts = BTreeMap::new();
    let mut left = count;
    while left > 0 {
        let cases: Vec<_> = std::iter::repeat_with(&mut generate)
            .filter(|(stored, _)| !is_costly(stored))
            .take(left.min(CHUNK))
            .collect();
        left -= cases.len();
        for ((stored, password), said) in cases.iter().zip(verdicts(&environment, &cases)) {
            let ours = our_verdict(stored, password);
            let is_locked = Credential::parse(&StoredText::Text(stored.clone())).is_locked();
            *counts.entry((ours, is_locked, said.clone())).or_insert(0) += 1;
            let is_right = agree(ours, &said) || ours == "unsupported" && said == "raises";
            if !is_right || is_locked && said != "False" {
                failures
                    .push(format!("{stored:?}, {password:?}: {ours}, but werkzeug said {said}"));
            }
        }
    }
    let found: BTreeSet<_> = counts.keys().map(|(ours, ..)| *ours).collect();
    let expected = ["match", "mismatch", "never_matches", "raises", "unsupported"];
    assert!(count < SAMPLE || found.is_superset(&expected.into()), "{found:?}");
    for ((ours, is_locked, said), count) in counts {
        let locked = if is_locked { ", locked" } else { "" };
        println!("{count:>8}  {ours}{locked}: {said}");
    }
    println!("{count:>8}  in all, with seed {seed}; {} disagreements", failures.len());
    assert_none(failures);
}
