//! Detection of damaged hashes in stored values: werkzeug hashes with extra characters around them
//! (wrapped hashes), truncated ones, and hashes of other programs. Programs, shells and spreadsheets
//! add such characters: quotes, Python's `b'…'`, line breaks, an encoding, or another spelling of `$`.
//!
//! Layers are removed one after the other, in every way that fits, until a hash remains. Nothing is
//! guessed: if two different hashes are possible, neither is used.

pub(super) mod layers;

use std::fmt;

use zeroize::Zeroizing;

use self::layers::layers;
use super::foreign::{self, Kind};
use crate::credential::{Credential, NewCredential, unlocked};
use crate::hash::{HashError, Method, MethodError};
use crate::store::StoredSecret;
use crate::user::StoredText;

/// The maximum length of an examined text in bytes. A hash has no more than a few hundred.
const MAX_BYTES: usize = 2 << 10;

/// The maximum number of bytes to examine for one value. Each costs several passes.
const MAX_WORK: usize = 64 << 10;

/// The maximum number of nested layers that are removed.
const MAX_DEPTH: usize = 6;

/// The maximum number of texts that are examined for one value.
const MAX_TEXTS: usize = 300;

/// The search stops when a result has at least this rank.
const CERTAIN: u8 = 2;

type Text = Zeroizing<String>;

/// What was detected in a stored value that is not a valid werkzeug hash. Holds no part of the
/// value except what is needed to restore it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Detected {
    /// The layers around the hash, the outermost first.
    around: Vec<&'static str>,
    what: What,
}

#[derive(Debug, PartialEq, Eq)]
enum What {
    /// A werkzeug hash, or a locked value. `restored` is `None` if its method is unsupported or
    /// over the limits, or if two hashes are possible.
    Ours { restored: Option<Restored> },
    /// A truncated werkzeug hash, and the number of missing characters if known.
    Truncated { missing: Option<usize> },
    /// A hash of another program.
    Foreign {
        kind: &'static Kind,
        is_whole: bool,
        is_truncated: bool,
        /// Whether it contains a `$$`, which may stand for a `$`.
        is_doubled: bool,
        is_convertible: bool,
        restored: Option<Restored>,
    },
}

/// A value to store. `Debug` shows no part of it.
#[derive(PartialEq, Eq)]
struct Restored(Text);

impl fmt::Debug for Restored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Restored(…)")
    }
}

impl Detected {
    /// Examines a text that is not a valid credential.
    pub(super) fn in_text(text: &str) -> Option<Self> {
        if text.len() > MAX_BYTES {
            return None;
        }
        if is_plain(text) {
            return Self::bare(Vec::new(), &Text::new(text.to_owned()));
        }
        let mut visited = vec![Text::new(text.to_owned())];
        let mut texts = vec![(Vec::new(), Text::new(text.to_owned()))];
        let mut found: Option<Self> = None;
        let mut work = 0;
        for _ in 0..=MAX_DEPTH {
            let all = texts.iter().filter_map(|(around, text)| Self::bare(around.clone(), text));
            if let Some(best) = Self::best(all)
                && found.as_ref().is_none_or(|found| found.rank() < best.rank())
            {
                found = Some(best);
            }
            if found.as_ref().is_some_and(|found| found.rank() >= CERTAIN) {
                break;
            }
            let mut next = Vec::new();
            for (around, text) in texts {
                for (layer, inner) in layers(&text) {
                    if visited.len() < MAX_TEXTS && work < MAX_WORK && !visited.contains(&inner) {
                        work += inner.len();
                        visited.push(inner.clone());
                        let mut around = around.clone();
                        if around.last() != Some(&layer) {
                            around.push(layer);
                        }
                        next.push((around, inner));
                    }
                }
            }
            if next.is_empty() {
                break;
            }
            texts = next;
        }
        found
    }

    /// Examines a stored value. The value of a locked user stays locked.
    pub(super) fn in_stored(stored: &StoredSecret) -> Option<Self> {
        match (stored.credential(), stored.expose()) {
            (Credential::Active(_) | Credential::Locked(Ok(_)), _) => None,
            (Credential::Locked(Err(_)), StoredText::Text(text)) => {
                let value = Text::new(unlocked(text)?);
                let mut detected = Self::in_text(&value)?;
                if let What::Ours { restored } | What::Foreign { restored, .. } = &mut detected.what
                {
                    *restored = restored.take().and_then(Restored::lock);
                }
                Some(detected)
            }
            (_, StoredText::Text(text)) => Self::in_text(text),
            _ => None,
        }
    }

    /// Examines a text without removing layers.
    fn bare(around: Vec<&'static str>, text: &Text) -> Option<Self> {
        let stored = StoredSecret::from(StoredText::Text((**text).clone()));
        let what = match stored.credential() {
            Credential::Active(_) | Credential::Locked(Ok(_)) => {
                What::Ours { restored: Some(Restored(text.clone())) }
            }
            Credential::Unusable(HashError::Method(
                MethodError::Unsupported(_) | MethodError::OverLimit(_),
            )) => What::Ours { restored: None },
            _ => truncated(text).or_else(|| {
                let kind = foreign::kind_of(text)?;
                let restored = foreign::converted(text).map(Restored);
                Some(What::Foreign {
                    kind,
                    is_whole: kind.is_whole(text),
                    is_truncated: kind.is_truncated(text),
                    is_doubled: text.contains("$$"),
                    is_convertible: restored.is_some(),
                    restored,
                })
            })?,
        };
        Some(Self { around, what })
    }

    /// The best of several results with the same number of removed layers. If they are two
    /// different hashes, neither can be restored.
    fn best(all: impl Iterator<Item = Self>) -> Option<Self> {
        let mut best: Option<Self> = None;
        for mut detected in all {
            match &best {
                Some(other) if detected.rank() < other.rank() => {}
                Some(other) if detected.rank() == other.rank() => {
                    if detected.restored_value() != other.restored_value() {
                        // Both have the same rank, so either can be shown.
                        detected.around.clone_from(&other.around);
                        if let What::Ours { restored } | What::Foreign { restored, .. } =
                            &mut detected.what
                        {
                            *restored = None;
                        }
                        best = Some(detected);
                    }
                }
                _ => best = Some(detected),
            }
        }
        best
    }

    /// How plausible the result is, from 0 (only begins like a hash) to 4 (a werkzeug hash).
    fn rank(&self) -> u8 {
        match self.what {
            What::Ours { .. } => 4,
            What::Foreign { is_convertible: true, .. } => 3,
            What::Foreign { is_whole: true, is_doubled: false, .. } => CERTAIN,
            What::Foreign { is_whole: true, .. } => 1,
            What::Truncated { .. } | What::Foreign { .. } => 0,
        }
    }

    fn restored_value(&self) -> Option<&Restored> {
        match &self.what {
            What::Ours { restored } | What::Foreign { restored, .. } => restored.as_ref(),
            What::Truncated { .. } => None,
        }
    }

    /// Whether there are layers around a hash of any kind.
    pub(super) fn is_wrapped(&self) -> bool {
        !self.around.is_empty()
    }

    /// Whether it certainly is a hash, not just a text that begins like one.
    pub(super) fn is_hash(&self) -> bool {
        match self.what {
            What::Ours { .. } | What::Truncated { .. } => true,
            What::Foreign { is_whole, .. } => is_whole,
        }
    }

    /// Whether it is a hash that werkzeug can verify, once layers are removed.
    pub(super) fn is_ours(&self) -> bool {
        matches!(self.what, What::Ours { .. })
    }

    /// Whether it is a truncated hash.
    pub(super) fn is_truncated(&self) -> bool {
        matches!(self.what, What::Truncated { .. } | What::Foreign { is_truncated: true, .. })
    }

    /// The value to store instead.
    pub(super) fn restored(self) -> Option<StoredSecret> {
        let (What::Ours { restored } | What::Foreign { restored, .. }) = self.what else {
            return None;
        };
        restored.map(|Restored(text)| StoredSecret::from(StoredText::Text((*text).clone())))
    }

    /// Whether there is a value to store instead.
    pub(super) fn is_restorable(&self) -> bool {
        self.restored_value().is_some()
    }

    /// A description, such as "a valid hash with quotes around it".
    pub(super) fn describe(&self) -> String {
        let mut text = match &self.what {
            What::Ours { .. } => "a valid hash".to_owned(),
            What::Truncated { missing: Some(missing) } => {
                let s = if *missing == 1 { "" } else { "s" };
                format!("a truncated hash (last {missing} character{s} missing)")
            }
            What::Truncated { missing: None } => "a truncated hash".to_owned(),
            What::Foreign { kind, is_truncated: true, .. } => {
                format!("{}, truncated", kind.name)
            }
            What::Foreign { kind, is_whole: true, is_convertible: false, .. }
                if kind.is_pbkdf2() =>
            {
                format!("{} that cannot be converted to werkzeug's format", kind.name)
            }
            What::Foreign { kind, .. } => kind.name.to_owned(),
        };
        for (index, layer) in self.around.iter().enumerate() {
            text += if index == 0 { " with " } else { " and " };
            text += layer;
        }
        text
    }
}

impl Restored {
    /// The same result for a locked user.
    fn lock(self) -> Option<Self> {
        let stored = StoredText::Text((*self.0).clone());
        match NewCredential::lock(&stored) {
            Ok(Some(locked)) => Some(Self(Text::new(locked.to_string()))),
            Ok(None) => Some(self),
            Err(_) => None,
        }
    }
}

/// Detects a truncated werkzeug hash.
fn truncated(text: &str) -> Option<What> {
    // A shell or Docker Compose expands "$salt$digest" as variables, usually to nothing.
    if text.contains(':') && text.parse::<Method>().is_ok() {
        return Some(What::Truncated { missing: None });
    }
    let mut parts = text.splitn(3, '$');
    let (spelling, salt, digest) = (parts.next()?, parts.next()?, parts.next());
    let method: Method = spelling.parse().ok()?;
    let Some(digest) = digest else {
        // A word and a "$" may be a password; a method with its numbers and a salt is not.
        let is_salt = salt.bytes().all(|byte| byte.is_ascii_alphanumeric());
        return (spelling.contains(':') && is_salt).then_some(What::Truncated { missing: None });
    };
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let missing =
        (2 * method.digest_bytes()).checked_sub(digest.len()).filter(|missing| *missing > 0)?;
    digest.bytes().all(is_digit).then_some(What::Truncated { missing: Some(missing) })
}

/// Whether nothing can be around a text: a fast path for whole tables of malformed hashes.
fn is_plain(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b":$./+_-".contains(&byte);
    let name = text.split([':', '_', '-']).next().unwrap_or_default();
    text.contains('$')
        && !text.contains("$$")
        && text.bytes().all(is_part)
        && ["scrypt", "pbkdf2", "argon2", "bcrypt", ""].contains(&name)
}

#[cfg(test)]
mod tests;
