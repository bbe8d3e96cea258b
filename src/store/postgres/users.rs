//! Checks whether the app's table `users` is usable.

use postgres::SimpleQueryRow;
use postgres::types::Type;

use super::PostgresTransaction;
use super::catalog::Catalog;
use super::connection::quoted;
use super::place::is_true;
use super::schema::not_a_database;
use crate::escape::Escaped;
use crate::language::Language;
use crate::store::{CopyableTable, StoreError, TableAdvice, TableChanges, adopting};

/// The minimum length of a column for hashes, that of a locked hash.
const MIN_HASH_CHARS: i32 = 163;

/// How usernames in the table are compared.
#[derive(Default)]
pub(super) struct UsersTable {
    /// The unique indexes on the username.
    pub(super) unique_indexes: Vec<String>,
    /// The equality operator of such an index, as SQL. It may be citext's, for example.
    pub(super) equals: String,
    /// The types of its operands, as SQL. Both operands are cast to them: operators that others
    /// create for a domain would be preferred otherwise.
    pub(super) types: [String; 2],
}

/// Checks the table `users`. If it exists, returns its extra columns that are NOT NULL and have no
/// default, and records how usernames are compared.
pub(super) fn adopt(
    transaction: &mut PostgresTransaction,
    catalog: &Catalog,
) -> Result<Option<Vec<String>>, StoreError> {
    let location = transaction.location;
    let unsupported = |reason: String| not_a_database(location, reason);
    let found = catalog.users.first().map(|row| (row.get(0).unwrap_or_default(), is_true(row, 1)));
    match found {
        None => return Ok(None),
        Some(("r", false)) => {}
        // Our triggers do not see the rows of a child table, and a name may be in both.
        Some(("r", true)) => {
            let reason = "other tables inherit from its table 'users', or it is a partition: ALTER \
                          TABLE CHILD NO INHERIT users, or DETACH PARTITION";
            return Err(unsupported(reason.to_owned()));
        }
        // A row that moves to another partition is deleted and inserted, as if it were another
        // user.
        Some(("p", _)) => return Err(unsupported("its table 'users' is partitioned".to_owned())),
        Some(_) => return Err(unsupported("its 'users' is not a table".to_owned())),
    }
    let columns = columns(transaction, catalog)?;
    let users = unique_indexes(catalog);
    match users {
        Some(users) if columns.has_language => {
            transaction.users = users;
            Ok(Some(columns.required))
        }
        users => Err(lacking(transaction, !columns.has_language, users.is_none())?),
    }
}

/// The columns of a table with usernames and hashes.
struct Columns {
    /// Extra columns that are NOT NULL and have no default.
    required: Vec<String>,
    has_language: bool,
}

/// The maximum number of duplicates that are shown.
const MAX_DUPLICATES: usize = 10;

/// The error for a table without a language or a unique index.
fn lacking(
    transaction: &mut PostgresTransaction,
    lacks_language: bool,
    not_unique: bool,
) -> Result<StoreError, StoreError> {
    let changes = TableChanges {
        add_language: lacks_language.then(Language::default),
        add_unique_index: not_unique,
    };
    let reason = match (lacks_language, not_unique) {
        (true, false) => "its table 'users' has no column 'language'",
        (false, _) => "its table 'users' has no unique index on 'username' alone",
        (true, true) => {
            "its table 'users' has no column 'language', and no unique index on 'username' alone"
        }
    }
    .to_owned();
    let mut duplicates = Vec::new();
    if not_unique {
        let select = format!(
            "SELECT quote_literal(min(username::text)) FROM {{schema}}.users
             WHERE username IS NOT NULL GROUP BY username HAVING count(*) > 1 ORDER BY 1 LIMIT {}",
            MAX_DUPLICATES + 1
        );
        duplicates = transaction.texts(&select, &[])?;
    }
    let table = transaction.sql("{schema}.users");
    let location = transaction.location.clone();
    if duplicates.is_empty() {
        let index = new_index(transaction)?;
        let repair = Some(changes.sql(&table, &index, "text").join("\n"));
        let advice = Box::new(TableAdvice { changes, ..Default::default() });
        return Ok(StoreError::UnsupportedTable { location, reason, repair, advice });
    }
    let more = if duplicates.len() > MAX_DUPLICATES { ", …" } else { "" };
    duplicates.truncate(MAX_DUPLICATES);
    let shown = duplicates.join(", ");
    let reason =
        format!("{reason}, and several rows have the same name: {}{more}", Escaped(&shown));
    let select = format!(
        "SELECT ctid, username FROM {table} WHERE username IN (SELECT username FROM {table} GROUP \
         BY username HAVING count(*) > 1) ORDER BY username;"
    );
    let advice = Box::new(TableAdvice { changes, duplicates: Some(select), copy: None });
    Ok(StoreError::UnsupportedTable { location, reason, repair: None, advice })
}

/// A free name for an index.
fn new_index(transaction: &mut PostgresTransaction) -> Result<String, StoreError> {
    let select = "SELECT 'users_username' || suffix
                  FROM unnest(array_prepend('', ARRAY(
                      SELECT '_' || number FROM generate_series(2, 100) AS number)))
                      WITH ORDINALITY AS suffixes (suffix, position)
                  WHERE NOT EXISTS (SELECT 1 FROM pg_class
                                    WHERE relnamespace = to_regnamespace('{schema}')
                                        AND relname = 'users_username' || suffix)
                  ORDER BY position LIMIT 1";
    let found = transaction.texts(select, &[])?;
    Ok(found.into_iter().next().unwrap_or_else(|| "users_username".to_owned()))
}

/// The wanted changes that the table needs, if they make it usable.
pub(super) fn needed(
    transaction: &mut PostgresTransaction,
    catalog: &Catalog,
    wanted: &TableChanges,
) -> Result<TableChanges, StoreError> {
    if wanted.is_empty() {
        return Ok(TableChanges::default());
    }
    match adopt(transaction, catalog) {
        Err(StoreError::UnsupportedTable { advice, .. }) if wanted.repair(&advice) => {
            Ok(wanted.restricted_to(&advice.changes))
        }
        Ok(_) | Err(StoreError::UnsupportedTable { .. } | StoreError::NotADatabase { .. }) => {
            Ok(TableChanges::default())
        }
        Err(error) => Err(error),
    }
}

/// Makes changes to the table.
pub(super) fn change(
    transaction: &mut PostgresTransaction,
    changes: &TableChanges,
) -> Result<(), StoreError> {
    let index = new_index(transaction)?;
    transaction.run_all(&changes.sql("{schema}.users", &index, "text").join("\n"))
}

/// Tables of the schema that appear to have users, except `users`.
pub(super) fn others(
    transaction: &mut PostgresTransaction,
) -> Result<Vec<CopyableTable>, StoreError> {
    let select = "SELECT relname::text FROM pg_class
                  WHERE relnamespace = to_regnamespace('{schema}') AND relkind IN ('r', 'p')
                      AND relname NOT IN ('users', 'user_groups', 'user_events')
                      AND relname !~ '^dash_users_'
                  ORDER BY 1";
    let mut found = Vec::new();
    for table in transaction.texts(select, &[])? {
        found.extend(copyable(transaction, &table)?);
    }
    Ok(found)
}

/// How to copy the users of a table, if it appears to have any and the role can read it.
fn copyable(
    transaction: &mut PostgresTransaction,
    table: &str,
) -> Result<Option<CopyableTable>, StoreError> {
    let from = format!("{}.{}", quoted(&transaction.place.schema), quoted(table));
    let select = "SELECT attname::text FROM pg_attribute
                  WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped
                      AND has_table_privilege(attrelid, 'SELECT') ORDER BY attnum";
    let columns = transaction.texts(select, &[(&from, Type::TEXT)])?;
    adopting::copyable(table, &from, &columns, quoted, |select| {
        Ok(transaction.query_one(select, &[])?.get(0))
    })
}

/// Rejects unsuitable columns, and returns the extra columns that are NOT NULL and have no default.
fn columns(
    transaction: &mut PostgresTransaction,
    catalog: &Catalog,
) -> Result<Columns, StoreError> {
    let location = transaction.location;
    let unsupported = |reason: String| not_a_database(location, reason);
    let mut wanted = vec!["username", "password_hash", "language"];
    let mut required = Vec::new();
    for row in &catalog.columns {
        let name = row.get(0).unwrap_or_default();
        let Some(position) = wanted.iter().position(|wanted| *wanted == name) else {
            if is_true(row, 1) {
                required.push(name.to_owned());
            }
            continue;
        };
        wanted.remove(position);
        let of = format!("column '{name}' of its table 'users'");
        let alter = format!("ALTER TABLE users ALTER {name} TYPE text");
        if is_true(row, 2) {
            return Err(unsupported(format!("{of} is generated")));
        }
        if row.get(3) != Some("S") {
            return Err(unsupported(format!("{of} is not text: {alter}")));
        }
        // An app reads such a hash with trailing blanks, and it never matches.
        if row.get(4) == Some("bpchar") && name != "language" {
            return Err(unsupported(format!(
                "{of} has the type char(n), padded with blanks: {alter}"
            )));
        }
        let length: Option<i32> = row.get(5).and_then(|length| length.parse().ok());
        if let Some(length) = length.filter(|length| *length < MIN_HASH_CHARS)
            && name == "password_hash"
        {
            return Err(unsupported(format!(
                "{of} holds {length} characters, but a locked hash needs {MIN_HASH_CHARS}: {alter}"
            )));
        }
    }
    if wanted.is_empty() || wanted == ["language"] {
        return Ok(Columns { required, has_language: wanted.is_empty() });
    }
    let copy = copyable(transaction, "users")?;
    let reason = adopting::no_column(wanted[0], copy.as_ref());
    let (location, repair) = (location.clone(), None);
    let advice = Box::new(TableAdvice { copy, ..Default::default() });
    Err(StoreError::UnsupportedTable { location, reason, repair, advice })
}

/// The indexes that make a username unique, and how they compare; `None` if there are none.
fn unique_indexes(catalog: &Catalog) -> Option<UsersTable> {
    let text = |row: &SimpleQueryRow, column| row.get(column).unwrap_or_default().to_owned();
    let rows = &catalog.unique_indexes;
    rows.first().map(|first| UsersTable {
        unique_indexes: rows.iter().map(|row| text(row, 0)).collect(),
        equals: text(first, 1),
        types: [text(first, 2), text(first, 3)],
    })
}
