//! The catalog's description of our objects and of `users`: everything that shows whether a
//! transaction can rely on them, read with one message.

use postgres::SimpleQueryRow;

use super::PostgresTransaction;
use super::place::{self, Results};
use crate::store::StoreError;

/// The rows of each query below.
#[derive(Default)]
pub(super) struct Catalog {
    pub(super) version: Vec<SimpleQueryRow>,
    pub(super) tables: Vec<SimpleQueryRow>,
    pub(super) indexes: Vec<SimpleQueryRow>,
    pub(super) triggers: Vec<SimpleQueryRow>,
    pub(super) functions: Vec<SimpleQueryRow>,
    pub(super) users: Vec<SimpleQueryRow>,
    pub(super) columns: Vec<SimpleQueryRow>,
    pub(super) unique_indexes: Vec<SimpleQueryRow>,
    pub(super) creators: Vec<SimpleQueryRow>,
    pub(super) sessions: Vec<SimpleQueryRow>,
}

impl Catalog {
    /// Reads the catalog again.
    pub(super) fn read(transaction: &mut PostgresTransaction) -> Result<Self, StoreError> {
        let results = place::run(&mut transaction.session, &Self::sql());
        results.map(Self::of).map_err(|error| transaction.error(&error))
    }

    /// The queries.
    pub(super) fn sql() -> String {
        let queries = [
            VERSION,
            TABLES,
            INDEXES,
            TRIGGERS,
            FUNCTIONS,
            USERS,
            COLUMNS,
            UNIQUE_INDEXES,
            CREATORS,
            SESSIONS,
        ];
        let queries = queries.map(|query| query.replace("{schema}", SCHEMA));
        format!("{READ_VERSION}{}", queries.join(";"))
    }

    /// The results of the queries.
    pub(super) fn of(results: Results) -> Self {
        let mut results = results.into_iter();
        let mut next = || results.next().unwrap_or_default();
        Self {
            version: next(),
            tables: next(),
            indexes: next(),
            triggers: next(),
            functions: next(),
            users: next(),
            columns: next(),
            unique_indexes: next(),
            creators: next(),
            sessions: next(),
        }
    }
}

/// The name of the schema, as an argument of `to_regnamespace`. The transaction was opened with it.
const SCHEMA: &str = "current_setting('dash_users.schema')";

/// Reads the stored versions if that runs no code of others: only from a table, and only if it
/// belongs to the owner of `users`.
const READ_VERSION: &str = "
    DO $dash_users$
    DECLARE
        of_users text := current_setting('dash_users.schema');
        versions text := '';
    BEGIN
        IF EXISTS (
            SELECT 1 FROM pg_class WHERE relname = 'dash_users_schema' AND relkind = 'r'
                AND relnamespace = to_regnamespace(of_users)
                AND relowner = coalesce((SELECT relowner FROM pg_class
                                         WHERE oid = to_regclass(of_users || '.users')),
                                        to_regrole(quote_ident(current_user))::oid)
                AND EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = pg_class.oid
                                AND attname = 'version' AND atttypid = 'integer'::regtype))
        THEN
            EXECUTE format('SELECT string_agg(coalesce(version::text, ''NULL''), '','')
                            FROM %s.dash_users_schema', of_users) INTO versions;
        END IF;
        PERFORM set_config('dash_users.version', coalesce(versions, ''), true);
    END
    $dash_users$;";

const VERSION: &str = "
    SELECT relkind = 'r' AND EXISTS (
               SELECT 1 FROM pg_attribute WHERE attrelid = pg_class.oid
                   AND attname = 'version' AND atttypid = 'integer'::regtype),
           current_setting('dash_users.version')
    FROM pg_class WHERE relnamespace = to_regnamespace({schema})
        AND relname = 'dash_users_schema'";

/// The functions of the triggers have the rights of the owner of `users`.
const TABLES: &str = "
    SELECT relname::text, relkind::text,
           (SELECT string_agg(attname || ' ' || format_type(atttypid, NULL)
                || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END,
                ', ' ORDER BY attnum) FROM pg_attribute
            WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped),
           CASE WHEN relowner <> users.owner THEN pg_get_userbyid(relowner)::text END,
           pg_get_userbyid(users.owner)::text,
           relrowsecurity AND relforcerowsecurity AND NOT rolbypassrls AND NOT rolsuper,
           has_table_privilege(users.owner, pg_class.oid, 'SELECT')
               AND has_table_privilege(users.owner, pg_class.oid, 'INSERT')
               AND has_table_privilege(users.owner, pg_class.oid, 'DELETE')
               AND (relname <> 'dash_users_times'
                    OR has_table_privilege(users.owner, pg_class.oid, 'UPDATE'))
    FROM pg_class
        JOIN (SELECT coalesce((SELECT relowner FROM pg_class
                               WHERE oid = to_regclass({schema} || '.users')),
                              to_regrole(quote_ident(current_user))::oid) AS owner
             ) AS users ON true
        JOIN pg_roles ON pg_roles.oid = users.owner
    WHERE relnamespace = to_regnamespace({schema}) AND relkind NOT IN ('c', 'i', 'S')
        AND relname IN ('user_groups', 'user_events', 'dash_users_times', 'dash_users_imported',
                        'dash_users_schema')";

const INDEXES: &str = "
    SELECT index.relname::text, on_table.relname::text,
           indisvalid AND NOT indisunique AND indpred IS NULL AND indnatts = 1,
           pg_get_indexdef(indexrelid, 1, false)
    FROM pg_index JOIN pg_class AS index ON index.oid = indexrelid
        JOIN pg_class AS on_table ON on_table.oid = indrelid
    WHERE index.relnamespace = to_regnamespace({schema})
        AND index.relname IN ('dash_users_username_nocase', 'dash_users_group_name')";

const TRIGGERS: &str = "
    SELECT tgname::text, relname::text, tgtype,
           coalesce(array_length(tgattr::int2[], 1), 0), tgqual IS NOT NULL,
           CASE WHEN pronamespace = relnamespace THEN proname::text ELSE '' END,
           concat_ws(' ', tgoldtable, tgnewtable)
    FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
        JOIN pg_proc ON pg_proc.oid = tgfoid
    WHERE relnamespace = to_regnamespace({schema}) AND NOT tgisinternal
        AND tgenabled IN ('O', 'A')";

const FUNCTIONS: &str = "
    SELECT proname::text, prosrc, prosecdef, array_to_string(proconfig, chr(10)),
           pg_get_userbyid(proowner)::text,
           coalesce(pg_get_userbyid(relowner)::text, current_user::text),
           EXISTS (SELECT 1 FROM aclexplode(coalesce(proacl, acldefault('f', proowner)))
                   WHERE grantee <> proowner)
    FROM pg_proc LEFT JOIN pg_class ON pg_class.oid = to_regclass({schema} || '.users')
    WHERE pronamespace = to_regnamespace({schema}) AND prokind = 'f' AND pronargs = 0
        AND proname IN ('dash_users_on_users', 'dash_users_on_truncate',
                        'dash_users_on_groups')";

const USERS: &str = "
    SELECT relkind::text,
           relispartition OR EXISTS (SELECT 1 FROM pg_inherits
                                     WHERE inhparent = pg_class.oid)
    FROM pg_class WHERE relnamespace = to_regnamespace({schema}) AND relname = 'users'
        AND relkind IN ('r', 'p', 'v', 'm', 'f')";

/// A domain may be based on another domain, each with a length.
const COLUMNS: &str = "
    WITH RECURSIVE types (attnum, type, length) AS (
        SELECT attnum, atttypid, nullif(atttypmod, -1) FROM pg_attribute
        WHERE attrelid = to_regclass({schema} || '.users') AND attnum > 0
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
    WHERE attrelid = to_regclass({schema} || '.users') ORDER BY pg_attribute.attnum";

/// A deferred index lets users swap names, which makes the owner of groups ambiguous.
const UNIQUE_INDEXES: &str = "
    SELECT index.relname::text,
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
    WHERE indrelid = to_regclass({schema} || '.users')
        AND indisunique AND indisvalid AND indimmediate AND indpred IS NULL
        AND indexprs IS NULL AND indnkeyatts = 1 AND indkey[0] = attnum
    ORDER BY indisprimary DESC, indexrelid";

/// For a superuser: one of the others who may create objects in the schema.
const CREATORS: &str = "
    SELECT rolname::text FROM pg_roles
    WHERE (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AND NOT rolsuper AND NOT starts_with(rolname::text, 'pg_')
        AND has_schema_privilege(oid, to_regnamespace({schema}), 'CREATE')
    ORDER BY 1 LIMIT 1";

/// The table of sessions, if it belongs to the owner of `users` or to this role: triggers of another
/// owner would run with the rights of this role.
const SESSIONS: &str = "
    SELECT 1 FROM pg_class WHERE relnamespace = to_regnamespace({schema})
        AND relname = 'dash_users_sessions' AND relkind = 'r'
        AND (relowner = to_regrole(quote_ident(current_user))::oid
             OR relowner = (SELECT relowner FROM pg_class
                            WHERE oid = to_regclass({schema} || '.users')))";
