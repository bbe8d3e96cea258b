//! Checks whether the app's table `users` is usable.

use postgres::types::Type;

use super::connection::quoted;
use super::schema::not_a_database;
use super::{Param, PostgresTransaction};
use crate::store::StoreError;

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
) -> Result<Option<Vec<String>>, StoreError> {
    let schema = quoted(&transaction.place.schema);
    let schema: Param = (&schema, Type::TEXT);
    let location = transaction.location;
    let unsupported = |reason: String| not_a_database(location, reason);
    let select = "SELECT relkind::text,
                         relispartition OR EXISTS (SELECT 1 FROM pg_inherits
                                                   WHERE inhparent = pg_class.oid)
                  FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relname = 'users'
                      AND relkind IN ('r', 'p', 'v', 'm', 'f')";
    let found = transaction.query(select, std::slice::from_ref(&schema))?;
    match found.first().map(|row| (row.get(0), row.get(1))) {
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
    let required = columns(transaction, &schema)?;
    transaction.users = unique_indexes(transaction, &schema)?;
    Ok(Some(required))
}

/// Rejects unsuitable columns, and returns the extra columns that are NOT NULL and have no default.
fn columns(
    transaction: &mut PostgresTransaction,
    schema: &Param,
) -> Result<Vec<String>, StoreError> {
    let location = transaction.location;
    let unsupported = |reason: String| not_a_database(location, reason);
    // A domain may be based on another domain, each with a length.
    let select = "WITH RECURSIVE types (attnum, type, length) AS (
                      SELECT attnum, atttypid, nullif(atttypmod, -1) FROM pg_attribute
                      WHERE attrelid = to_regclass($1 || '.users') AND attnum > 0
                          AND NOT attisdropped
                      UNION ALL
                      SELECT attnum, typbasetype, nullif(typtypmod, -1)
                      FROM types JOIN pg_type ON pg_type.oid = type WHERE typtype = 'd'
                  )
                  SELECT attname::text, attnotnull AND NOT atthasdef AND attidentity = '',
                         attgenerated <> '', base.typcategory::text, base.typname::text,
                         CASE base.typname WHEN 'name' THEN 63
                              ELSE (SELECT min(length) - 4 FROM types AS own
                                    WHERE own.attnum = pg_attribute.attnum) END
                  FROM pg_attribute
                      JOIN types ON types.attnum = pg_attribute.attnum
                      JOIN pg_type AS base ON base.oid = type AND base.typtype <> 'd'
                  WHERE attrelid = to_regclass($1 || '.users') ORDER BY pg_attribute.attnum";
    let mut wanted = vec!["username", "password_hash", "language"];
    let mut required = Vec::new();
    for row in transaction.query(select, std::slice::from_ref(schema))? {
        let name: String = row.get(0);
        let Some(position) = wanted.iter().position(|wanted| *wanted == name) else {
            if row.get(1) {
                required.push(name);
            }
            continue;
        };
        wanted.remove(position);
        let of = format!("column '{name}' of its table 'users'");
        let alter = format!("ALTER TABLE users ALTER {name} TYPE text");
        if row.get(2) {
            return Err(unsupported(format!("{of} is generated")));
        }
        if row.get::<_, String>(3) != "S" {
            return Err(unsupported(format!("{of} is not text: {alter}")));
        }
        // An app reads such a hash with trailing blanks, and it never matches.
        if row.get::<_, String>(4) == "bpchar" && name != "language" {
            return Err(unsupported(format!(
                "{of} has the type char(n), padded with blanks: {alter}"
            )));
        }
        let length: Option<i32> = row.get(5);
        if let Some(length) = length.filter(|length| *length < MIN_HASH_CHARS)
            && name == "password_hash"
        {
            return Err(unsupported(format!(
                "{of} holds {length} characters, but a locked hash needs {MIN_HASH_CHARS}: {alter}"
            )));
        }
    }
    if let Some(missing) = wanted.first() {
        return Err(unsupported(format!("its table 'users' has no column '{missing}'")));
    }
    Ok(required)
}

/// The indexes that make a username unique, and how they compare.
fn unique_indexes(
    transaction: &mut PostgresTransaction,
    schema: &Param,
) -> Result<UsersTable, StoreError> {
    // A deferred index lets users swap names, which makes the owner of groups ambiguous.
    let select = "SELECT index.relname::text,
                         'OPERATOR(' || quote_ident(operators.nspname) || '.' || oprname || ')',
                         format_type(amoplefttype, -1), format_type(amoprighttype, -1)
                  FROM pg_index JOIN pg_class AS index ON index.oid = indexrelid
                      JOIN pg_attribute ON attrelid = indrelid AND attname = 'username'
                      JOIN pg_opclass ON pg_opclass.oid = indclass[0]
                      JOIN pg_amop ON amopfamily = opcfamily AND amopstrategy = 3
                          AND amoplefttype = opcintype
                          AND amoprighttype = CASE opcintype WHEN 'name'::regtype
                              THEN 'text'::regtype ELSE opcintype END
                      JOIN pg_operator ON pg_operator.oid = amopopr
                      JOIN pg_namespace AS operators ON operators.oid = oprnamespace
                  WHERE indrelid = to_regclass($1 || '.users')
                      AND indisunique AND indisvalid AND indimmediate AND indpred IS NULL
                      AND indexprs IS NULL AND indnkeyatts = 1 AND indkey[0] = attnum
                  ORDER BY indisprimary DESC, indexrelid";
    let rows = transaction.query(select, std::slice::from_ref(schema))?;
    let Some(first) = rows.first() else {
        let reason = "its table 'users' has no unique index on 'username' alone";
        return Err(not_a_database(transaction.location, reason.to_owned()));
    };
    Ok(UsersTable {
        unique_indexes: rows.iter().map(|row| row.get(0)).collect(),
        equals: first.get(1),
        types: [first.get(2), first.get(3)],
    })
}
