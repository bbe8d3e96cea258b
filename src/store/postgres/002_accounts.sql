-- Version 2: groups, history, and the times of an account, kept right by triggers when an app
-- writes to `users` itself.
--
-- The triggers run with the rights of their owner, so that the app's role needs none on our tables.
-- They never make a write of the app fail, not even where our tables are gone: what they miss then,
-- `check` finds. A change by
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
    FROM dash_users_times WHERE username = name COLLATE "C";
    DELETE FROM dash_users_times WHERE username = name COLLATE "C";
    DELETE FROM user_groups WHERE username = name COLLATE "C";
$$;

CREATE OR REPLACE FUNCTION dash_users_on_users() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_catalog, pg_temp AS $$
DECLARE
    who text := nullif(current_setting('dash_users.actor', true), '');
    what text := nullif(current_setting('dash_users.action', true), '');
    more text := nullif(current_setting('dash_users.detail', true), '');
    -- Whatever type and collation the app's column has.
    old_name text COLLATE "C";
    new_name text COLLATE "C";
BEGIN
    IF current_setting('dash_users.bulk', true) = 'on' THEN
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        old_name := OLD.username;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        new_name := NEW.username;
    END IF;
    IF TG_OP = 'INSERT' THEN
        PERFORM dash_users_forget(new_name);
        INSERT INTO user_events (actor, action, username, detail)
        VALUES (who, 'add', left(new_name, 1024), more);
        INSERT INTO dash_users_times (username, created_at, password_changed_at)
        SELECT new_name, clock_timestamp(), clock_timestamp()
        WHERE new_name IS NOT NULL ON CONFLICT DO NOTHING;
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' THEN
        DELETE FROM dash_users_times WHERE username = old_name;
        DELETE FROM user_groups WHERE username = old_name;
        INSERT INTO user_events (actor, action, username, detail)
        VALUES (who, 'remove', left(old_name, 1024), more);
        RETURN NULL;
    END IF;
    IF old_name IS DISTINCT FROM new_name THEN
        PERFORM dash_users_forget(new_name);
        IF new_name IS NULL THEN
            DELETE FROM dash_users_times WHERE username = old_name;
            DELETE FROM user_groups WHERE username = old_name;
        ELSIF old_name IS NULL THEN
            INSERT INTO dash_users_times (username) VALUES (new_name) ON CONFLICT DO NOTHING;
        ELSE
            UPDATE dash_users_times SET username = new_name WHERE username = old_name;
            UPDATE user_groups SET username = new_name WHERE username = old_name;
        END IF;
        INSERT INTO user_events (actor, action, username, detail)
        VALUES (who, 'rename', left(old_name, 1024),
                'to ' || coalesce(left(new_name, 1024), 'NULL'));
    END IF;
    IF OLD.password_hash::text COLLATE "C" IS DISTINCT FROM NEW.password_hash::text THEN
        what := coalesce(what, CASE
            WHEN strpos(OLD.password_hash, '$') > 0
                AND NEW.password_hash = '!' || replace(OLD.password_hash, '$', '|') THEN 'lock'
            WHEN strpos(NEW.password_hash, '$') > 0
                AND OLD.password_hash = '!' || replace(NEW.password_hash, '$', '|') THEN 'unlock'
            ELSE 'passwd' END);
        INSERT INTO user_events (actor, action, username, detail)
        VALUES (who, what, left(new_name, 1024), more);
        -- Locking and hashing anew keep the password.
        IF what = 'passwd' THEN
            UPDATE dash_users_times SET password_changed_at = clock_timestamp()
            WHERE username = new_name;
        END IF;
    END IF;
    IF OLD.language::text COLLATE "C" IS DISTINCT FROM NEW.language::text THEN
        INSERT INTO user_events (actor, action, username, detail)
        VALUES (who, 'update', left(new_name, 1024),
                'language ' || coalesce(left(NEW.language, 64), 'NULL'));
    END IF;
    RETURN NULL;
EXCEPTION
    -- The app has to try again.
    WHEN serialization_failure OR deadlock_detected OR lock_not_available THEN
        RAISE;
    WHEN OTHERS THEN
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
EXCEPTION
    -- The app has to try again.
    WHEN serialization_failure OR deadlock_detected OR lock_not_available THEN
        RAISE;
    WHEN OTHERS THEN
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
    IF TG_OP <> 'INSERT' AND EXISTS (
        SELECT 1 FROM users
        WHERE lower(username::text COLLATE "C") = lower(OLD.username)
            AND username::text COLLATE "C" = OLD.username
    ) THEN
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
EXCEPTION
    -- The app has to try again.
    WHEN serialization_failure OR deadlock_detected OR lock_not_available THEN
        RAISE;
    WHEN OTHERS THEN
        RETURN NULL;
END
$$;

DROP TRIGGER IF EXISTS dash_users_added_or_removed ON users;
CREATE TRIGGER dash_users_added_or_removed AFTER INSERT OR DELETE ON users
FOR EACH ROW EXECUTE FUNCTION dash_users_on_users();

DROP TRIGGER IF EXISTS dash_users_changed ON users;
CREATE TRIGGER dash_users_changed AFTER UPDATE OF username, password_hash, language ON users
FOR EACH ROW WHEN (OLD.username::text COLLATE "C" IS DISTINCT FROM NEW.username::text
    OR OLD.password_hash::text COLLATE "C" IS DISTINCT FROM NEW.password_hash::text
    OR OLD.language::text COLLATE "C" IS DISTINCT FROM NEW.language::text)
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

-- Nobody else may call them, also not by a trigger on another table.
REVOKE ALL ON FUNCTION dash_users_forget(text), dash_users_on_users(), dash_users_on_truncate(),
    dash_users_on_groups() FROM PUBLIC;
