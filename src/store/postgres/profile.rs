//! Reading and writing a user's profile. A new field is stored here, and its column or table is listed
//! in `objects.rs`.

use postgres::types::Type;

use super::import::text as param;
use super::{Param, PostgresTransaction, Text, text, time};
use crate::store::{NewRow, Row, RowChange, StoreError, StoredSecret};
use crate::user::{PartialProfile, Profile, StoredText};

/// A user with groups. The app's table may have columns of any name, and text of any type.
pub(super) const SELECT: &str =
    "SELECT users.username::text, users.password_hash::text, users.language::text,
        times.created_at, times.password_changed_at,
        ARRAY(SELECT group_name FROM {schema}.user_groups AS groups
              WHERE groups.username = users.username::text COLLATE \"C\"
              ORDER BY group_name)
    FROM {schema}.users LEFT JOIN {schema}.dash_users_times AS times
        ON times.username = users.username::text COLLATE \"C\"";

/// The same for when the other tables may be missing.
pub(super) const SELECT_ALONE: &str = "SELECT username::text, password_hash::text, language::text,
        NULL::timestamptz, NULL::timestamptz, ARRAY[]::text[] FROM {schema}.users";

pub(super) fn read_row(row: &postgres::Row) -> Row {
    let groups: Vec<Text> = row.get(5);
    Row {
        username: text(row, 0),
        secret: StoredSecret::from(text(row, 1)),
        profile: Profile {
            language: text(row, 2),
            groups: groups.into_iter().map(|Text(group)| group).collect(),
        },
        created_at: time(row.get(3)),
        password_changed_at: time(row.get(4)),
    }
}

/// Writes what our own tables have of the profiles of new users.
pub(super) fn add(
    transaction: &mut PostgresTransaction,
    rows: &[&NewRow],
) -> Result<(), StoreError> {
    let mut users = Vec::new();
    for NewRow { username, profile: Profile { language: _, groups }, .. } in rows {
        users.push((param(transaction, username)?, &groups[..]));
    }
    add_groups(transaction, users)
}

/// The same for the given fields of existing users.
pub(super) fn change(
    transaction: &mut PostgresTransaction,
    rows: &[&RowChange],
) -> Result<(), StoreError> {
    let (mut names, mut users) = (Vec::new(), Vec::new());
    for RowChange { username, profile: PartialProfile { language: _, groups }, .. } in rows {
        let Some(groups) = groups else { continue };
        let name = param(transaction, username)?;
        names.push(name);
        users.push((name, &groups[..]));
    }
    if names.is_empty() {
        return Ok(());
    }
    for sql in [
        // Like the trigger on groups.
        "UPDATE {schema}.dash_users_times AS times SET fingerprint = fingerprint
         FROM unnest($1) AS wanted (name) WHERE times.username = name",
        "DELETE FROM {schema}.user_groups AS groups
         USING unnest($1) AS wanted (name) WHERE groups.username = name",
    ] {
        transaction.run(sql, &[(&names, Type::TEXT_ARRAY)])?;
    }
    add_groups(transaction, users)
}

/// Adds users to groups.
fn add_groups(
    transaction: &mut PostgresTransaction,
    users: Vec<(Option<&str>, &[StoredText])>,
) -> Result<(), StoreError> {
    let (mut names, mut groups) = (Vec::new(), Vec::new());
    for (name, of_user) in users {
        for group in of_user {
            names.push(name);
            groups.push(param(transaction, group)?);
        }
    }
    if names.is_empty() {
        return Ok(());
    }
    let insert =
        "INSERT INTO {schema}.user_groups (username, group_name) SELECT * FROM unnest($1, $2)";
    let values: [Param; 2] = [(&names, Type::TEXT_ARRAY), (&groups, Type::TEXT_ARRAY)];
    transaction.run(insert, &values).map(drop)
}
