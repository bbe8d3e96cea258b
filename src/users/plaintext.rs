//! Tables whose `password_hash` column holds clear passwords.

use super::{Changed, Error, Users, existing};
use crate::credential::{Credential, NewCredential, unlocked};
use crate::hash::PasswordHash;
use crate::password::Password;
use crate::policy;
use crate::store::{Access, Row};
use crate::user::StoredText;

/// Fewest hexadecimal digits that are taken for a digest: those of MD5.
const MIN_DIGEST_DIGITS: usize = 32;

/// Names of hash schemes that write `scheme$…`, also where another `$` follows at once.
const SCHEMES: [&str; 21] = [
    "argon2",
    "argon2d",
    "argon2i",
    "argon2id",
    "bcrypt",
    "bcrypt_sha256",
    "crypt",
    "md4",
    "md5",
    "pbkdf2",
    "pbkdf2_sha1",
    "pbkdf2_sha256",
    "pbkdf2_sha512",
    "plain",
    "scrypt",
    "sha1",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "unsalted_md5",
];

/// Fewest hexadecimal digits behind `word$$` that are taken for a digest.
const MIN_DIGITS_WITHOUT_SALT: usize = 8;

impl Users {
    /// Replaces the clear passwords of `usernames`, or of all users, by their hashes: all or none.
    /// The answer has each user, and whether it was changed: a value that is a hash already, or a
    /// locked one, is left.
    ///
    /// No value that looks like a hash of another kind is taken for a password: it would become
    /// one.
    ///
    /// # Errors
    ///
    /// [`Error::ResemblesHash`], [`Error::ClearPassword`] for an empty one or one with control
    /// characters, [`Error::InvalidHash`] for a value that is no text, [`Error::NoSuchUser`], and
    /// [`Error::ChangedMeanwhile`] if another program was faster.
    pub fn hash_clear_passwords(
        &mut self,
        usernames: Option<&[impl AsRef<[u8]>]>,
    ) -> Result<Vec<(StoredText, bool)>, Error> {
        let mut rows = Vec::new();
        let mut transaction = self.store.begin(Access::Read)?;
        match usernames {
            Some(usernames) => {
                for username in usernames {
                    let row = existing(&mut *transaction, username.as_ref())?;
                    if !rows.contains(&row) {
                        rows.push(row);
                    }
                }
            }
            None => transaction.rows(&mut |row| rows.push(row))?,
        }
        drop(transaction);

        let clear = rows.iter().map(clear_password).collect::<Result<Vec<_>, _>>()?;
        let hash = |password: &Password| PasswordHash::new(&self.method, password);
        let hashes: Vec<Option<NewCredential>> =
            clear.iter().map(|password| Some(hash(password.as_ref()?).into())).collect();

        self.change("rehash", Some("from a clear password"), |transaction| {
            for (row, hash) in rows.iter().zip(&hashes) {
                let (Some(hash), Some(username)) = (hash, row.username.as_key()) else { continue };
                if transaction.get(username)?.is_none_or(|now| now.secret != row.secret) {
                    return Err(Error::ChangedMeanwhile(row.username.clone()));
                }
                transaction.set_credential(username, hash)?;
            }
            Ok(Changed::Yes(()))
        })?;
        let done = rows.into_iter().zip(hashes);
        Ok(done.map(|(row, hash)| (row.username, hash.is_some())).collect())
    }
}

/// The clear password in a row; none if a hash is there already.
pub(super) fn clear_password(row: &Row) -> Result<Option<Password>, Error> {
    let username = || row.username.clone();
    let reason = match row.secret.credential() {
        Credential::Active(_) | Credential::Locked(_) => return Ok(None),
        Credential::Unusable(reason) => reason,
    };
    if row.username.as_key().is_none() {
        return Err(Error::UnreachableName(username()));
    }
    let StoredText::Text(text) = row.secret.expose() else {
        return Err(Error::InvalidHash { username: username(), reason });
    };
    if resembles_hash(text) {
        return Err(Error::ResemblesHash(username()));
    }
    let password = Password::from(text.as_str());
    match policy::check(&password, None, true) {
        // A long one worked in the app, and goes on working.
        Ok(()) | Err(policy::Refusal::TooLong) => Ok(Some(password)),
        Err(reason) => Err(Error::ClearPassword { username: username(), reason }),
    }
}

/// Whether a text that is no hash of ours looks like one of another kind, or like a mark that
/// locks an account:
///
/// - `$…` (bcrypt, argon2, crypt), `{SCHEME}…` (LDAP),
/// - `word$…` (Django, old werkzeug); but a word and two `$`, as in the tutorial's `pa$$w0rd`, only
///   if the word is the name of a scheme or a digest follows,
/// - `method:…$` (werkzeug),
/// - 32 or more hexadecimal digits and nothing else,
/// - `!` and `*`, alone or repeated, and any of the above behind them; also with its `$` written as
///   `|`, as in a locked value,
/// - any of these between blanks or quotes.
pub(super) fn resembles_hash(text: &str) -> bool {
    let text = text.trim_matches([' ', '\'', '"']);
    let unmarked = text.trim_start_matches(['!', '*']);
    if unmarked.is_empty() && !text.is_empty() {
        return true;
    }
    let unlocked = unlocked(&format!("!{unmarked}")).filter(|_| unmarked.len() < text.len());
    looks_like_hash(unmarked) || unlocked.is_some_and(|text| looks_like_hash(&text))
}

fn looks_like_hash(text: &str) -> bool {
    let is_hex = |bytes: &[u8], min| bytes.len() >= min && bytes.iter().all(u8::is_ascii_hexdigit);
    let word_end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
    let (word, rest) = text.split_at(word_end.unwrap_or(text.len()));
    match rest.as_bytes() {
        // PostgreSQL writes "md5" before the digits.
        _ if is_hex(text.trim_start_matches("md5").as_bytes(), MIN_DIGEST_DIGITS) => true,
        [b'$', ..] if word.is_empty() => true,
        [b'$', b'$', digest @ ..] => {
            SCHEMES.contains(&word.to_ascii_lowercase().as_str())
                || is_hex(digest, MIN_DIGITS_WITHOUT_SALT)
        }
        [b'$', ..] => true,
        [b':', after @ ..] if !word.is_empty() => after.contains(&b'$'),
        [b'{', after @ ..] if word.is_empty() => {
            let scheme = after.split(|byte| *byte == b'}').next().unwrap_or_default();
            let is_name = |b: &u8| b.is_ascii_alphanumeric() || b"-_.".contains(b);
            scheme.len() < after.len() && !scheme.is_empty() && scheme.iter().all(is_name)
        }
        _ => false,
    }
}
