//! Missing privileges of a role, as the statement that grants them.

use postgres::{Client, SimpleQueryMessage};

/// The privileges that an administrator needs on each table.
const NEEDED: [(&str, &str, &str); 6] = [
    ("users", "SELECT", "SELECT, INSERT, UPDATE, DELETE"),
    ("user_groups", "SELECT", "SELECT, INSERT, DELETE"),
    ("user_events", "SELECT", "SELECT, INSERT"),
    ("dash_users_times", "SELECT", "SELECT, INSERT, UPDATE, DELETE"),
    ("dash_users_imported", "SELECT", "SELECT, INSERT"),
    ("dash_users_schema", "SELECT", "SELECT"),
];

/// The GRANT of all missing privileges, for the owner of the tables; `None` if nothing grantable is
/// missing. Ends the transaction, which has failed already.
pub(super) fn missing(client: &mut Client, schema: &str, is_read: bool) -> Option<String> {
    let literal = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let schema = literal(schema);
    let tables: Vec<_> = NEEDED
        .iter()
        .map(|(table, read, write)| {
            let privileges = if is_read { read } else { write };
            format!("({}, {})", literal(table), literal(privileges))
        })
        .collect();
    // The role that creates this table also creates the others, and functions.
    let created = literal(if is_read { "users" } else { "dash_users_schema" });
    let select = format!(
        "ROLLBACK; BEGIN READ ONLY; SET LOCAL search_path = pg_catalog, pg_temp;
         SET LOCAL standard_conforming_strings = on; SET LOCAL quote_all_identifiers = off;
         SELECT format('GRANT USAGE%s ON SCHEMA %I TO %I;',
                    CASE WHEN to_regclass(format('%I.%I', nspname, {created})) IS NULL THEN ', CREATE'
                         ELSE '' END, nspname, current_user)
         FROM pg_namespace
         WHERE nspname = {schema}
             AND NOT (has_schema_privilege(oid, 'USAGE')
                      AND (to_regclass(format('%I.%I', nspname, {created})) IS NOT NULL
                           OR has_schema_privilege(oid, 'CREATE')));
         SELECT format('GRANT %s ON %I.%I TO %I;', string_agg(privilege, ', ' ORDER BY position),
                    {schema}, relname, current_user)
         FROM (VALUES {}) AS needed (name, privileges)
             JOIN pg_class ON relname = name
             JOIN pg_namespace ON pg_namespace.oid = relnamespace AND nspname = {schema},
             unnest(string_to_array(privileges, ', ')) WITH ORDINALITY AS one (privilege, position)
         WHERE NOT has_table_privilege(pg_class.oid, privilege)
         GROUP BY relname ORDER BY relname = 'users' DESC, relname;
         ROLLBACK",
        tables.join(", ")
    );
    let messages = client.simple_query(&select).ok()?;
    let statements: Vec<_> = messages
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        })
        .collect();
    (!statements.is_empty()).then(|| statements.join(" "))
}
