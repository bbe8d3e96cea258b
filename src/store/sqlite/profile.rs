//! Reading and writing a user's profile. A new field is stored here, and its column or table is listed
//! in `schema.rs`.

use rusqlite::Connection;

use super::{limit, stored_text, time};
use crate::store::{Row, StoredSecret};
use crate::user::{PartialProfile, Profile, StoredText};

/// Users, one row for each group, perhaps without times. The app's table may have columns of any name.
macro_rules! select_users {
    ($which:literal) => {
        select_users!(
            "times.created_at, times.password_changed_at",
            "LEFT JOIN dash_users_times AS times ON times.username = users.username",
            $which
        )
    };
    ($times:literal, $join:literal, $which:literal) => {
        concat!(
            "SELECT users.username, users.password_hash, users.language, ",
            $times,
            ", user_groups.group_name FROM users ",
            $join,
            " LEFT JOIN user_groups ON user_groups.username = users.username ",
            $which
        )
    };
}

pub(super) const ONE: &str = select_users!("WHERE users.username = ?");
pub(super) const ALL: &str = select_users!("ORDER BY users.username COLLATE BINARY");
pub(super) const ALL_WITHOUT_TIMES: &str =
    select_users!("NULL, NULL", "", "ORDER BY users.username COLLATE BINARY");
/// For when the other tables may be missing.
pub(super) const ALL_ALONE: &str =
    "SELECT username, password_hash, language, NULL, NULL, NULL FROM users
    ORDER BY username COLLATE BINARY";
pub(super) const ONE_WITHOUT_TIMES: &str =
    select_users!("NULL, NULL", "", "WHERE users.username = ?");
/// Up to a number of rows with names between two others.
pub(super) const BETWEEN_WITHOUT_TIMES: &str = select_users!(
    "NULL, NULL",
    "",
    "WHERE users.username >= ?1 COLLATE NOCASE AND users.username <= ?2 COLLATE NOCASE
     ORDER BY users.username COLLATE NOCASE LIMIT ?3"
);

/// Reads the rows of [`select_users`]. The rows of one user must be adjacent.
pub(super) fn read_rows(
    connection: &Connection,
    select: &str,
    params: impl rusqlite::Params,
    each: &mut dyn FnMut(Row),
) -> rusqlite::Result<()> {
    read_found(connection.prepare_cached(select)?.query(params)?, each)
}

pub(super) fn read_found(
    mut found: rusqlite::Rows<'_>,
    each: &mut dyn FnMut(Row),
) -> rusqlite::Result<()> {
    let mut last: Option<Row> = None;
    while let Some(next) = found.next()? {
        let username = stored_text(next.get_ref(0)?);
        let group = Some(stored_text(next.get_ref(5)?)).filter(|group| *group != StoredText::Null);
        match &mut last {
            // Only a user with groups has several rows; several users may have the name NULL.
            Some(row) if group.is_some() && row.username == username => {
                row.profile.groups.extend(group);
            }
            _ => {
                let row = Row {
                    username,
                    secret: StoredSecret::from(stored_text(next.get_ref(1)?)),
                    profile: Profile {
                        language: stored_text(next.get_ref(2)?),
                        groups: group.into_iter().collect(),
                    },
                    created_at: time(next.get_ref(3)?),
                    password_changed_at: time(next.get_ref(4)?),
                };
                last.replace(row).into_iter().for_each(&mut *each);
            }
        }
        limit::goes_on();
    }
    last.into_iter().for_each(each);
    Ok(())
}

/// Adds a user, with what `users` has of the profile.
pub(super) const INSERT: &str =
    "INSERT OR ABORT INTO users (username, password_hash, language) VALUES (?, ?, ?)";

/// Writes what our own tables have of a new user's profile.
pub(super) fn add(
    connection: &Connection,
    username: &StoredText,
    Profile { language: _, groups }: &Profile,
) -> rusqlite::Result<()> {
    add_groups(connection, username, groups)
}

/// The same for the given fields of an existing user.
pub(super) fn change(
    connection: &Connection,
    username: &StoredText,
    PartialProfile { language: _, groups }: &PartialProfile,
) -> rusqlite::Result<()> {
    if let Some(groups) = groups {
        let delete = "DELETE FROM user_groups WHERE username = ?";
        connection.prepare_cached(delete)?.execute([username])?;
        add_groups(connection, username, groups)?;
    }
    Ok(())
}

fn add_groups(
    connection: &Connection,
    username: &StoredText,
    groups: &[StoredText],
) -> rusqlite::Result<()> {
    let insert = "INSERT INTO user_groups (username, group_name) VALUES (?, ?)";
    for group in groups {
        connection.prepare_cached(insert)?.execute([username, group])?;
    }
    Ok(())
}
