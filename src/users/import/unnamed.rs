//! Rows whose username is NULL. There may be any number of them, and no lookup finds them, so records
//! without a name are matched by content. Otherwise each import of the same file would add them again.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::store::{Row, StoreError, StoredSecret, Transaction};
use crate::user::StoredText;

/// The rows not matched so far.
#[derive(Default)]
pub(super) struct Unnamed {
    /// By the hash of their content; `None` until they are needed.
    rows: Option<HashMap<u64, Vec<Row>>>,
}

impl Unnamed {
    /// A row with this content, which is then matched.
    pub(super) fn take(
        &mut self,
        transaction: &mut (dyn Transaction + '_),
        secret: &StoredSecret,
        language: &StoredText,
    ) -> Result<Option<Row>, StoreError> {
        if self.rows.is_none() {
            let mut rows = HashMap::<_, Vec<_>>::new();
            transaction.rows(&mut |row| {
                if row.username == StoredText::Null {
                    rows.entry(content(&row.secret, &row.profile.language)).or_default().push(row);
                }
            })?;
            self.rows = Some(rows);
        }
        let same = self.rows.as_mut().and_then(|rows| rows.get_mut(&content(secret, language)));
        let Some(same) = same else { return Ok(None) };
        let is_same = |row: &Row| row.secret == *secret && row.profile.language == *language;
        Ok(same.iter().position(is_same).map(|position| same.swap_remove(position)))
    }
}

fn content(secret: &StoredSecret, language: &StoredText) -> u64 {
    let mut hasher = DefaultHasher::new();
    (secret.expose(), language).hash(&mut hasher);
    hasher.finish()
}
