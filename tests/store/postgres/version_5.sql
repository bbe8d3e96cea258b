-- The triggers and functions of version 5, in the schema public.

DROP TRIGGER dash_users_added ON users;
DROP TRIGGER dash_users_removed ON users;
DROP TRIGGER dash_users_changed ON users;
DROP TRIGGER dash_users_renamed ON users;
DROP TRIGGER dash_users_truncated ON users;
DROP TRIGGER dash_users_groups_added ON user_groups;
DROP TRIGGER dash_users_groups_removed ON user_groups;
DROP TRIGGER dash_users_groups_changed ON user_groups;
UPDATE dash_users_schema SET version = 5;

CREATE OR REPLACE FUNCTION public.dash_users_on_users() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET enable_seqscan = off AS $function$
DECLARE
    who text := nullif(current_setting('dash_users.actor', true), '');
    what text := nullif(current_setting('dash_users.action', true), '');
    more text := nullif(current_setting('dash_users.detail', true), '');
    -- Not for what triggers of the app do meanwhile.
    is_bulk boolean := current_setting('dash_users.bulk', true) IS NOT DISTINCT FROM 'on'
        AND pg_trigger_depth() <= 1;
    is_ours boolean := coalesce(who, what, more) IS NOT NULL OR is_bulk;
    -- The role of the session, or of its SET ROLE: not the owner of this function.
    invoker text := CASE current_setting('role')
        WHEN 'none' THEN session_user::text ELSE current_setting('role') END;
    -- Whatever type and collation the app's column has.
    old_name text COLLATE "C";
    new_name text COLLATE "C";
    old_hash text COLLATE "C";
    new_hash text COLLATE "C";
    new_fingerprint text;
    is_replaced boolean;
BEGIN
    -- First, for the handler below.
    IF TG_OP <> 'INSERT' THEN
        old_name := OLD.username;
        old_hash := OLD.password_hash;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        new_name := NEW.username;
        new_hash := NEW.password_hash;
        new_fingerprint := left(encode(sha256(convert_to(new_hash, getdatabaseencoding())), 'hex'), 32);
    END IF;
    IF is_ours THEN
        is_ours := has_table_privilege(invoker, 'public.user_events', 'INSERT')
            AND has_table_privilege(invoker, 'public.user_groups', 'DELETE');
        IF NOT is_ours THEN
            who := NULL; what := NULL; more := NULL; is_bulk := false;
        END IF;
    END IF;
    IF is_bulk THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF new_name IS NOT NULL THEN
            -- Groups and times of an earlier user of that name, removed unseen, are not the new one's.
            INSERT INTO public.dash_users_times AS times
                (username, created_at, password_changed_at, fingerprint)
            VALUES (new_name, clock_timestamp(), clock_timestamp(), new_fingerprint)
            ON CONFLICT (username) DO UPDATE SET created_at = excluded.created_at,
                password_changed_at = excluded.password_changed_at,
                fingerprint = excluded.fingerprint
            RETURNING times.xmax::text <> '0' INTO is_replaced;
            IF is_replaced THEN
                INSERT INTO public.user_events (action, username, detail)
                VALUES ('remove', left(new_name, 1024), 'replaced by another row');
            END IF;
            DELETE FROM public.user_groups WHERE username = new_name;
        END IF;
        INSERT INTO public.user_events (actor, action, username, detail)
        VALUES (who, 'add', left(new_name, 1024), more);
    ELSIF TG_OP = 'DELETE' THEN
        -- The event of the user says that the groups went along.
        PERFORM set_config('dash_users.nested', 'on', true);
        DELETE FROM public.dash_users_times WHERE username = old_name;
        DELETE FROM public.user_groups WHERE username = old_name;
        INSERT INTO public.user_events (actor, action, username, detail)
        VALUES (who, 'remove', left(old_name, 1024), more);
    ELSE
        IF old_name IS DISTINCT FROM new_name THEN
            DELETE FROM public.dash_users_times WHERE username = new_name;
            IF FOUND THEN
                INSERT INTO public.user_events (action, username, detail)
                VALUES ('remove', left(new_name, 1024), 'replaced by another row');
            END IF;
            DELETE FROM public.user_groups WHERE username = new_name;
            PERFORM set_config('dash_users.nested', 'on', true);
            IF new_name IS NULL THEN
                DELETE FROM public.dash_users_times WHERE username = old_name;
                DELETE FROM public.user_groups WHERE username = old_name;
            ELSIF old_name IS NULL THEN
                INSERT INTO public.dash_users_times (username, fingerprint)
                VALUES (new_name, new_fingerprint) ON CONFLICT DO NOTHING;
            ELSE
                UPDATE public.dash_users_times SET username = new_name WHERE username = old_name;
                UPDATE public.user_groups SET username = new_name WHERE username = old_name;
            END IF;
            INSERT INTO public.user_events (actor, action, username, detail)
            VALUES (who, 'rename', left(old_name, 1024),
                    'to ' || left(new_name, 1024));
        END IF;
        IF old_hash IS DISTINCT FROM new_hash THEN
            what := coalesce(what, CASE
                WHEN strpos(old_hash, '$') > 0
                    AND new_hash = '!' || replace(old_hash, '$', '|') THEN 'lock'
                WHEN strpos(new_hash, '$') > 0
                    AND old_hash = '!' || replace(new_hash, '$', '|') THEN 'unlock'
                ELSE 'passwd' END);
            INSERT INTO public.user_events (actor, action, username, detail)
            VALUES (who, what, left(new_name, 1024), more);
            -- Locking, and another hash of the same password, keep the password.
            UPDATE public.dash_users_times SET fingerprint = new_fingerprint,
                password_changed_at = CASE what
                    WHEN 'passwd' THEN clock_timestamp() ELSE password_changed_at END
            WHERE username = new_name;
        END IF;
        IF OLD.language::text COLLATE "C" IS DISTINCT FROM NEW.language::text THEN
            INSERT INTO public.user_events (actor, action, username, detail)
            VALUES (who, 'update', left(new_name, 1024),
                    'language ' || coalesce(left(NEW.language::text, 64), 'NULL'));
        END IF;
    END IF;
    PERFORM set_config('dash_users.nested', '', true);
    IF is_ours THEN
        PERFORM set_config('dash_users.recorded', (1 + coalesce(
            nullif(current_setting('dash_users.recorded', true), ''), '0')::integer)::text, true);
    END IF;
    RETURN NULL;
EXCEPTION
    -- The app has to try again.
    WHEN serialization_failure OR deadlock_detected OR lock_not_available THEN
        RAISE;
    WHEN OTHERS THEN
        PERFORM set_config('dash_users.failure', SQLERRM, true);
        -- The schema may have another name than when this function was created.
        IF old_name IS DISTINCT FROM new_name THEN
            IF to_regclass(format('%I.user_groups', TG_TABLE_SCHEMA)) IS NOT NULL THEN
                EXECUTE format('DELETE FROM %I.user_groups WHERE username IN ($1, $2)',
                               TG_TABLE_SCHEMA) USING old_name, new_name;
            END IF;
        ELSE
            BEGIN
                EXECUTE format('UPDATE %I.dash_users_times SET fingerprint = $2 WHERE username = $1',
                               TG_TABLE_SCHEMA) USING new_name, new_fingerprint;
            EXCEPTION WHEN OTHERS THEN
                -- `init` takes the user for another one, and drops the groups.
                NULL;
            END;
        END IF;
        RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION public.dash_users_on_truncate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off AS $function$
BEGIN
    PERFORM set_config('dash_users.nested', 'on', true);
    INSERT INTO public.user_events (action, username, detail)
    SELECT 'remove', left(username, 1024), 'truncated' FROM public.dash_users_times
    ORDER BY username;
    DELETE FROM public.dash_users_times;
    DELETE FROM public.user_groups;
    PERFORM set_config('dash_users.nested', '', true);
    RETURN NULL;
EXCEPTION
    -- The app has to try again.
    WHEN serialization_failure OR deadlock_detected OR lock_not_available THEN
        RAISE;
    WHEN OTHERS THEN
        IF to_regclass(format('%I.user_groups', TG_TABLE_SCHEMA)) IS NOT NULL THEN
            EXECUTE format('DELETE FROM %I.user_groups', TG_TABLE_SCHEMA);
        END IF;
        RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION public.dash_users_on_groups() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off AS $function$
DECLARE
    who text := nullif(current_setting('dash_users.actor', true), '');
    -- Not for what triggers of the app do meanwhile.
    is_bulk boolean := current_setting('dash_users.bulk', true) IS NOT DISTINCT FROM 'on'
        AND pg_trigger_depth() <= 1;
    is_ours boolean := nullif(current_setting('dash_users.action', true), '') IS NOT NULL
        OR who IS NOT NULL OR is_bulk;
    invoker text := CASE current_setting('role')
        WHEN 'none' THEN session_user::text ELSE current_setting('role') END;
BEGIN
    -- The event of the user says it. A statement of the app is not nested in a trigger of ours.
    IF pg_trigger_depth() > 1 AND current_setting('dash_users.nested', true) = 'on' THEN
        RETURN NULL;
    END IF;
    IF is_ours THEN
        is_ours := has_table_privilege(invoker, 'public.user_events', 'INSERT')
            AND has_table_privilege(invoker, 'public.user_groups', 'DELETE');
        IF NOT is_ours THEN
            who := NULL; is_bulk := false;
        END IF;
    END IF;
    IF is_bulk THEN
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO public.user_events (actor, action, username, detail)
        VALUES (who, 'group remove', left(OLD.username, 1024), left(OLD.group_name, 1024));
    END IF;
    IF TG_OP <> 'DELETE' THEN
        -- A transaction that removes the user, and does not see the new group, must not succeed.
        UPDATE public.dash_users_times SET fingerprint = fingerprint
        WHERE username = NEW.username;
        INSERT INTO public.user_events (actor, action, username, detail)
        VALUES (who, 'group add', left(NEW.username, 1024), left(NEW.group_name, 1024));
    END IF;
    IF is_ours THEN
        PERFORM set_config('dash_users.recorded', (1 + coalesce(
            nullif(current_setting('dash_users.recorded', true), ''), '0')::integer)::text, true);
    END IF;
    RETURN NULL;
EXCEPTION
    -- The app has to try again.
    WHEN serialization_failure OR deadlock_detected OR lock_not_available THEN
        RAISE;
    WHEN OTHERS THEN
        PERFORM set_config('dash_users.failure', SQLERRM, true);
        RETURN NULL;
END
$function$;

CREATE TRIGGER dash_users_added_or_removed AFTER INSERT OR DELETE ON public.users
FOR EACH ROW EXECUTE FUNCTION public.dash_users_on_users();

-- Not UPDATE OF, which fires only for columns in the statement: a trigger of the app may set a
-- column.
CREATE TRIGGER dash_users_changed AFTER UPDATE ON public.users
FOR EACH ROW WHEN (OLD.username::text COLLATE "C" IS DISTINCT FROM NEW.username::text
    OR OLD.password_hash::text COLLATE "C" IS DISTINCT FROM NEW.password_hash::text
    OR OLD.language::text COLLATE "C" IS DISTINCT FROM NEW.language::text)
EXECUTE FUNCTION public.dash_users_on_users();

CREATE TRIGGER dash_users_truncated AFTER TRUNCATE ON public.users
FOR EACH STATEMENT EXECUTE FUNCTION public.dash_users_on_truncate();

CREATE TRIGGER dash_users_groups AFTER INSERT OR DELETE ON public.user_groups
FOR EACH ROW EXECUTE FUNCTION public.dash_users_on_groups();

CREATE TRIGGER dash_users_groups_changed AFTER UPDATE OF username, group_name ON public.user_groups
FOR EACH ROW WHEN (OLD.username IS DISTINCT FROM NEW.username
    OR OLD.group_name IS DISTINCT FROM NEW.group_name)
EXECUTE FUNCTION public.dash_users_on_groups();
