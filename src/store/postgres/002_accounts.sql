-- Version 2: groups, history, and the times of an account, kept right by triggers when an app
-- writes to `users` itself.
--
-- The triggers run with the rights of their owner, so that the app's role needs none on our tables.
-- They never make a write of the app fail, not even where our tables are gone. A change by
-- dash-users is told apart by settings of its transaction: dash_users.actor, .action, .detail, and
-- .bulk, with which the triggers leave everything to dash-users.
--
-- All of it is applied again if anything of it is gone.

-- The app may read it.
CREATE TABLE IF NOT EXISTS user_groups (
    username text COLLATE "C" NOT NULL,
    group_name text COLLATE "C" NOT NULL,
    PRIMARY KEY (username, group_name)
);

-- The app may read it. Without an actor: written by the app itself, or by hand.
CREATE TABLE IF NOT EXISTS user_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text,
    action text NOT NULL,
    username text COLLATE "C",
    detail text
);

-- One row for each user whose name is not NULL; a time is NULL where nobody knows it.
CREATE TABLE IF NOT EXISTS dash_users_times (
    username text COLLATE "C" PRIMARY KEY,
    created_at timestamptz,
    password_changed_at timestamptz
);

-- What is kept of an earlier holder of a name, who may have gone unseen, is no namesake's.
CREATE OR REPLACE FUNCTION dash_users_forget(name text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = {schema}, pg_catalog, pg_temp AS $$
    INSERT INTO user_events (action, username, detail)
    SELECT 'remove', left(username, 1024), 'replaced by another row'
    FROM dash_users_times WHERE username = name;
    DELETE FROM dash_users_times WHERE username = name;
    DELETE FROM user_groups WHERE username = name;
$$;

CREATE OR REPLACE FUNCTION dash_users_on_users() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_catalog, pg_temp AS $$
DECLARE
    who text := nullif(current_setting('dash_users.actor', true), '');
    what text := nullif(current_setting('dash_users.action', true), '');
    more text := nullif(current_setting('dash_users.detail', true), '');
BEGIN
    IF current_setting('dash_users.bulk', true) = 'on' THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        PERFORM dash_users_forget(NEW.username);
        INSERT INTO user_events (actor, action, username, detail)
        VALUES (who, 'add', left(NEW.username, 1024), more);
        INSERT INTO dash_users_times (username, created_at, password_changed_at)
        SELECT NEW.username, clock_timestamp(), clock_timestamp()
        WHERE NEW.username IS NOT NULL ON CONFLICT DO NOTHING;
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' THEN
        DELETE FROM dash_users_times WHERE username = OLD.username;
        DELETE FROM user_groups WHERE username = OLD.username;
        INSERT INTO user_events (actor, action, username, detail)
        VALUES (who, 'remove', left(OLD.username, 1024), more);
        RETURN NULL;
    END IF;
    IF OLD.username IS DISTINCT FROM NEW.username THEN
        PERFORM dash_users_forget(NEW.username);
        IF NEW.username IS NULL THEN
            DELETE FROM dash_users_times WHERE username = OLD.username;
            DELETE FROM user_groups WHERE username = OLD.username;
        ELSIF OLD.username IS NULL THEN
            INSERT INTO dash_users_times (username) VALUES (NEW.username) ON CONFLICT DO NOTHING;
        ELSE
            UPDATE dash_users_times SET username = NEW.username WHERE username = OLD.username;
            UPDATE user_groups SET username = NEW.username WHERE username = OLD.username;
        END IF;
        INSERT INTO user_events (actor, action, username, detail)
        VALUES (who, 'rename', left(OLD.username, 1024),
                'to ' || coalesce(left(NEW.username, 1024), 'NULL'));
    END IF;
    IF OLD.password_hash IS DISTINCT FROM NEW.password_hash THEN
        what := coalesce(what, CASE
            WHEN strpos(OLD.password_hash, '$') > 0
                AND NEW.password_hash = '!' || replace(OLD.password_hash, '$', '|') THEN 'lock'
            WHEN strpos(NEW.password_hash, '$') > 0
                AND OLD.password_hash = '!' || replace(NEW.password_hash, '$', '|') THEN 'unlock'
            ELSE 'passwd' END);
        INSERT INTO user_events (actor, action, username, detail)
        VALUES (who, what, left(NEW.username, 1024), more);
        -- Locking and hashing anew keep the password.
        IF what = 'passwd' THEN
            UPDATE dash_users_times SET password_changed_at = clock_timestamp()
            WHERE username = NEW.username;
        END IF;
    END IF;
    IF OLD.language IS DISTINCT FROM NEW.language THEN
        INSERT INTO user_events (actor, action, username, detail)
        VALUES (who, 'update', left(NEW.username, 1024),
                'language ' || coalesce(left(NEW.language, 64), 'NULL'));
    END IF;
    RETURN NULL;
EXCEPTION WHEN undefined_table OR undefined_column OR undefined_function THEN
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION dash_users_on_truncate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO user_events (action, username, detail)
    SELECT 'remove', left(username, 1024), 'truncated' FROM dash_users_times
    ORDER BY username;
    DELETE FROM dash_users_times;
    DELETE FROM user_groups;
    RETURN NULL;
EXCEPTION WHEN undefined_table OR undefined_column THEN
    RETURN NULL;
END
$$;

-- Of a user who is removed or renamed, that event says it all.
CREATE OR REPLACE FUNCTION dash_users_on_groups() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_catalog, pg_temp AS $$
DECLARE
    who text := nullif(current_setting('dash_users.actor', true), '');
BEGIN
    IF current_setting('dash_users.bulk', true) = 'on' THEN
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' AND EXISTS (SELECT 1 FROM users WHERE username = OLD.username) THEN
        INSERT INTO user_events (actor, action, username, detail)
        VALUES (who, 'group remove', left(OLD.username, 1024), left(OLD.group_name, 1024));
    ELSIF TG_OP <> 'INSERT' THEN
        RETURN NULL;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO user_events (actor, action, username, detail)
        VALUES (who, 'group add', left(NEW.username, 1024), left(NEW.group_name, 1024));
    END IF;
    RETURN NULL;
EXCEPTION WHEN undefined_table OR undefined_column THEN
    RETURN NULL;
END
$$;

DROP TRIGGER IF EXISTS dash_users_added_or_removed ON users;
CREATE TRIGGER dash_users_added_or_removed AFTER INSERT OR DELETE ON users
FOR EACH ROW EXECUTE FUNCTION dash_users_on_users();

DROP TRIGGER IF EXISTS dash_users_changed ON users;
CREATE TRIGGER dash_users_changed AFTER UPDATE OF username, password_hash, language ON users
FOR EACH ROW WHEN (OLD.username IS DISTINCT FROM NEW.username
    OR OLD.password_hash IS DISTINCT FROM NEW.password_hash
    OR OLD.language IS DISTINCT FROM NEW.language)
EXECUTE FUNCTION dash_users_on_users();

DROP TRIGGER IF EXISTS dash_users_truncated ON users;
CREATE TRIGGER dash_users_truncated AFTER TRUNCATE ON users
FOR EACH STATEMENT EXECUTE FUNCTION dash_users_on_truncate();

DROP TRIGGER IF EXISTS dash_users_groups ON user_groups;
CREATE TRIGGER dash_users_groups AFTER INSERT OR DELETE ON user_groups
FOR EACH ROW EXECUTE FUNCTION dash_users_on_groups();

DROP TRIGGER IF EXISTS dash_users_groups_changed ON user_groups;
CREATE TRIGGER dash_users_groups_changed AFTER UPDATE OF username, group_name ON user_groups
FOR EACH ROW WHEN (OLD.username IS DISTINCT FROM NEW.username
    OR OLD.group_name IS DISTINCT FROM NEW.group_name)
EXECUTE FUNCTION dash_users_on_groups();

-- Only the triggers need it.
REVOKE ALL ON FUNCTION dash_users_forget(text) FROM PUBLIC;
