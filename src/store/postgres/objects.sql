-- The indexes and the triggers, each created only if it is missing or altered. The indexes of large
-- tables are created before the transaction, with the search path of the session.

-- Finds names that differ only by ASCII case.
CREATE INDEX dash_users_username_nocase ON {schema}.users (
    pg_catalog.lower(username::pg_catalog.text COLLATE pg_catalog."C"));

-- Finds the names of groups. An app that created the table may have used another collation.
CREATE INDEX dash_users_group_name ON {schema}.user_groups (
    group_name COLLATE pg_catalog."C");

CREATE TRIGGER dash_users_added AFTER INSERT ON {schema}.users
REFERENCING NEW TABLE AS dash_users_new
FOR EACH STATEMENT EXECUTE FUNCTION {schema}.dash_users_on_users();

CREATE TRIGGER dash_users_removed AFTER DELETE ON {schema}.users
REFERENCING OLD TABLE AS dash_users_old
FOR EACH STATEMENT EXECUTE FUNCTION {schema}.dash_users_on_users();

CREATE TRIGGER dash_users_changed AFTER UPDATE ON {schema}.users
REFERENCING OLD TABLE AS dash_users_old NEW TABLE AS dash_users_new
FOR EACH STATEMENT EXECUTE FUNCTION {schema}.dash_users_on_users();

-- Users who get another name, or have none, which no row of dash_users_changed can tell. Not UPDATE
-- OF, which fires only for columns in the statement: a trigger of the app may set a column.
CREATE TRIGGER dash_users_renamed AFTER UPDATE ON {schema}.users
FOR EACH ROW WHEN (OLD.username::text COLLATE "C" IS DISTINCT FROM NEW.username::text
    OR (NEW.username IS NULL
        AND (OLD.password_hash::text COLLATE "C" IS DISTINCT FROM NEW.password_hash::text
             OR OLD.language::text COLLATE "C" IS DISTINCT FROM NEW.language::text)))
EXECUTE FUNCTION {schema}.dash_users_on_users();

CREATE TRIGGER dash_users_truncated AFTER TRUNCATE ON {schema}.users
FOR EACH STATEMENT EXECUTE FUNCTION {schema}.dash_users_on_truncate();

CREATE TRIGGER dash_users_groups_added AFTER INSERT ON {schema}.user_groups
REFERENCING NEW TABLE AS dash_users_new
FOR EACH STATEMENT EXECUTE FUNCTION {schema}.dash_users_on_groups();

CREATE TRIGGER dash_users_groups_removed AFTER DELETE ON {schema}.user_groups
REFERENCING OLD TABLE AS dash_users_old
FOR EACH STATEMENT EXECUTE FUNCTION {schema}.dash_users_on_groups();

CREATE TRIGGER dash_users_groups_changed AFTER UPDATE OF username, group_name ON {schema}.user_groups
FOR EACH ROW WHEN (OLD.username IS DISTINCT FROM NEW.username
    OR OLD.group_name IS DISTINCT FROM NEW.group_name)
EXECUTE FUNCTION {schema}.dash_users_on_groups();
