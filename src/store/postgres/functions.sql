-- The functions of the triggers. They run with the rights of the owner of `users`, so the app's
-- role needs no privilege on our tables.
--
-- Names of functions, operators and types resolve in pg_catalog alone: objects that others create
-- in any schema cannot replace them. Tables are written with their schema. Rows hidden by row-level
-- security raise an error instead of counting as missing. Sequential scans are off, so a lookup of
-- one row in a small table does not conflict with other rows in a serializable transaction.
--
-- A trigger runs once for each statement, with all of its rows in dash_users_old and dash_users_new.
-- These are read only in subqueries of their own: the app's table may have columns of any name. One
-- plan is kept for statements with any number of rows, so it is not compiled (JIT), nested loops are
-- off, and our tables are never joined with the rows but searched for an array of names. Only a row
-- that gets another name has a trigger of its own: its groups follow it. Rows before and after are
-- paired by their name. Where names pass from row to row, the n-th row before is also the n-th row
-- after.
--
-- Times and groups of a name may not be those of its holder: triggers of the app change users in
-- between, the row triggers of a statement run before those of the statement, and users may have
-- changed while triggers were off. A trigger that finds rows which do not fit sets
-- dash_users.is_unsure, and for the rest of the transaction, triggers also read `users`, which is the
-- truth. A fingerprint changes only if it was that of the hash before. Otherwise it stays, and `init`
-- takes the user for another one, and drops the groups.
--
-- A trigger that cannot do its work, for example because one of our tables is missing, does not
-- make the app's write fail. It at least deletes the groups of a user who was added, removed or
-- renamed, and sets dash_users.failure for dash-users, which then rolls back. `check` finds the
-- cause. Only if the groups cannot be deleted either, the write fails: they must not pass to
-- another person.
--
-- dash-users marks its own changes with settings of the transaction: dash_users.actor, .action,
-- .detail, and .bulk, with which the triggers leave everything to it. They count only for a role
-- that may write the history and delete groups anyway. dash_users.recorded counts the changes that
-- are in the history. The other settings only say where to look: anyone may set them.

CREATE OR REPLACE FUNCTION {schema}.dash_users_on_users() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET enable_seqscan = off
SET jit = off
SET plan_cache_mode = force_generic_plan
SET enable_nestloop = off AS $function$
-- The app's table may have columns of these names.
#variable_conflict use_variable
DECLARE
    who text := nullif(current_setting('dash_users.actor', true), '');
    what text := nullif(current_setting('dash_users.action', true), '');
    more text := nullif(current_setting('dash_users.detail', true), '');
    -- Not for what triggers of the app do meanwhile.
    is_bulk boolean := current_setting('dash_users.bulk', true) IS NOT DISTINCT FROM 'on'
        AND pg_trigger_depth() <= 1;
    is_ours boolean := coalesce(who, what, more) IS NOT NULL OR is_bulk;
    is_unsure boolean := current_setting('dash_users.is_unsure', true) IS NOT DISTINCT FROM 'on';
    is_renaming boolean := current_setting('dash_users.is_renaming', true) IS NOT DISTINCT FROM 'on';
    -- The role of the session, or of its SET ROLE: not the owner of this function.
    invoker text := CASE current_setting('role')
        WHEN 'none' THEN session_user::text ELSE current_setting('role') END;
    -- Whatever type and collation the app's column has.
    old_name text COLLATE "C";
    new_name text COLLATE "C";
    old_hash text COLLATE "C";
    new_hash text COLLATE "C";
    old_fingerprint text;
    new_fingerprint text;
    kept_fingerprint text;
    current_fingerprint text;
    has_next_holder boolean;
    is_known boolean;
    names text[] COLLATE "C";
    of_hashes bigint;
    of_times bigint;
    -- The number of recorded rows.
    recorded bigint := 0;
BEGIN
    -- First, for the handler below.
    IF TG_LEVEL = 'ROW' THEN
        old_name := OLD.username;
        old_hash := OLD.password_hash;
        new_name := NEW.username;
        new_hash := NEW.password_hash;
        old_fingerprint := {fingerprint of old_hash};
        new_fingerprint := {fingerprint of new_hash};
    END IF;
    IF is_ours THEN
        is_ours := has_table_privilege(invoker, '{schema}.user_events', 'INSERT')
            AND has_table_privilege(invoker, '{schema}.user_groups', 'DELETE');
        IF NOT is_ours THEN
            who := NULL; what := NULL; more := NULL; is_bulk := false;
        END IF;
    END IF;
    IF is_bulk THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        SELECT count(*) INTO recorded FROM dash_users_new;
        IF recorded = 0 THEN
            RETURN NULL;
        END IF;
        -- Groups and times of an earlier user of that name, removed unseen, are not the new one's.
        WITH written AS (
            INSERT INTO {schema}.dash_users_times AS times
                (username, created_at, password_changed_at, fingerprint)
            SELECT added.name, clock_timestamp(), clock_timestamp(), {fingerprint of added.hash}
            FROM (SELECT username::text COLLATE "C" AS name, password_hash::text AS hash
                  FROM dash_users_new WHERE NOT is_unsure
                  UNION ALL
                  SELECT username::text, password_hash::text FROM {schema}.users
                  WHERE is_unsure AND lower(username::text COLLATE "C") = ANY (ARRAY(
                          SELECT lower(username::text COLLATE "C") FROM dash_users_new))
                      AND username::text COLLATE "C" = ANY (ARRAY(
                          SELECT username::text COLLATE "C" FROM dash_users_new))) AS added
            WHERE added.name IS NOT NULL
            ON CONFLICT (username) DO UPDATE SET created_at = excluded.created_at,
                password_changed_at = excluded.password_changed_at,
                fingerprint = excluded.fingerprint
            RETURNING times.username, times.xmax::text <> '0' AS is_replaced)
        INSERT INTO {schema}.user_events (action, username, detail)
        SELECT 'remove', left(written.username, 1024), 'replaced by another row'
        FROM written WHERE is_replaced;
        IF FOUND THEN
            PERFORM set_config('dash_users.is_unsure', 'on', true);
        END IF;
        -- A statement that deletes nothing would call the trigger on groups.
        IF EXISTS (SELECT 1 FROM {schema}.user_groups WHERE username = ANY (ARRAY(
                       SELECT username::text COLLATE "C" FROM dash_users_new))) THEN
            DELETE FROM {schema}.user_groups WHERE username = ANY (ARRAY(
                SELECT username::text COLLATE "C" FROM dash_users_new));
        END IF;
        INSERT INTO {schema}.user_events (actor, action, username, detail)
        SELECT who, 'add', left(added.name, 1024), more
        FROM (SELECT username::text AS name FROM dash_users_new) AS added;
    ELSIF TG_OP = 'DELETE' THEN
        names := ARRAY(SELECT username::text COLLATE "C" FROM dash_users_old);
        -- A name that has a holder again belongs to that one, if the times do. The event says so, or
        -- will.
        IF is_unsure THEN
            names := ARRAY(
                SELECT unnest(names) EXCEPT ALL
                SELECT username::text COLLATE "C" FROM {schema}.users
                WHERE lower(username::text COLLATE "C") = ANY (ARRAY(
                        SELECT lower(username::text COLLATE "C") FROM dash_users_old))
                    AND username::text COLLATE "C" = ANY (names)
                    AND {fingerprint of password_hash::text} = (
                        SELECT fingerprint FROM {schema}.dash_users_times AS times
                        WHERE times.username = users.username::text COLLATE "C"));
        END IF;
        recorded := cardinality(names);
        IF recorded = 0 THEN
            RETURN NULL;
        END IF;
        DELETE FROM {schema}.dash_users_times WHERE username = ANY (names);
        GET DIAGNOSTICS of_times = ROW_COUNT;
        IF of_times <> recorded THEN
            PERFORM set_config('dash_users.is_unsure', 'on', true);
        END IF;
        -- The event of the user says that the groups went along.
        PERFORM set_config('dash_users.nested', 'on', true);
        DELETE FROM {schema}.user_groups WHERE username = ANY (names);
        INSERT INTO {schema}.user_events (actor, action, username, detail)
        SELECT who, 'remove', left(removed.name, 1024), more FROM unnest(names) AS removed (name);
    ELSIF TG_LEVEL = 'STATEMENT' THEN
        WITH changed AS MATERIALIZED (
            SELECT later.position, later.name, later.language,
                   earlier.language IS DISTINCT FROM later.language AS is_other_language,
                   CASE
                       WHEN earlier.hash IS NOT DISTINCT FROM later.hash THEN NULL
                       WHEN what IS NOT NULL THEN what
                       WHEN strpos(earlier.hash, '$') > 0
                           AND later.hash = '!' || replace(earlier.hash, '$', '|') THEN 'lock'
                       WHEN strpos(later.hash, '$') > 0
                           AND earlier.hash = '!' || replace(later.hash, '$', '|') THEN 'unlock'
                       ELSE 'passwd' END AS event,
                   earlier.hash AS hash_before,
                   CASE WHEN is_unsure THEN (
                           SELECT password_hash::text FROM {schema}.users
                           WHERE lower(username::text COLLATE "C") = lower(later.name)
                               AND username::text COLLATE "C" = later.name LIMIT 1)
                       ELSE later.hash END AS hash
            FROM (SELECT row_number() OVER () AS position, username::text COLLATE "C" AS name,
                         password_hash::text COLLATE "C" AS hash,
                         language::text COLLATE "C" AS language
                  FROM dash_users_old) AS earlier
                JOIN (SELECT row_number() OVER () AS position, username::text COLLATE "C" AS name,
                             password_hash::text COLLATE "C" AS hash,
                             language::text COLLATE "C" AS language
                      FROM dash_users_new) AS later ON later.name = earlier.name
            WHERE (NOT is_renaming OR later.position = earlier.position)
                AND (earlier.hash IS DISTINCT FROM later.hash
                     OR earlier.language IS DISTINCT FROM later.language)),
        -- Locking, and another hash of the same password, keep the password.
        written AS (
            UPDATE {schema}.dash_users_times AS times SET
                fingerprint = CASE
                    WHEN times.fingerprint IS NULL OR times.fingerprint = passwords.fingerprint_before
                    THEN passwords.fingerprint ELSE times.fingerprint END,
                password_changed_at = CASE passwords.event
                    WHEN 'passwd' THEN clock_timestamp() ELSE times.password_changed_at END
            FROM (SELECT name, event, {fingerprint of hash_before} AS fingerprint_before,
                         {fingerprint of hash} AS fingerprint
                  FROM changed WHERE event IS NOT NULL OFFSET 0) AS passwords
            WHERE times.username = passwords.name
                AND times.username = ANY (ARRAY(SELECT name FROM changed WHERE event IS NOT NULL))
            RETURNING times.fingerprint = passwords.fingerprint AS is_stored),
        events AS (
            INSERT INTO {schema}.user_events (actor, action, username, detail)
            SELECT who, action, left(name, 1024), detail
            FROM (SELECT position, 1 AS part, event AS action, name, more AS detail
                  FROM changed WHERE event IS NOT NULL
                  UNION ALL
                  SELECT position, 2, 'update', name,
                         'language ' || coalesce(left(language, 64), 'NULL')
                  FROM changed WHERE is_other_language) AS entries
            ORDER BY position, part)
        SELECT count(*), count(event), (SELECT count(*) FROM written WHERE is_stored)
        INTO recorded, of_hashes, of_times FROM changed;
        IF of_times <> of_hashes THEN
            PERFORM set_config('dash_users.is_unsure', 'on', true);
        END IF;
    ELSE
        recorded := 1;
        IF old_name IS DISTINCT FROM new_name THEN
            PERFORM set_config('dash_users.is_renaming', 'on', true);
            DELETE FROM {schema}.dash_users_times WHERE username = new_name;
            IF FOUND THEN
                is_unsure := true;
                INSERT INTO {schema}.user_events (action, username, detail)
                VALUES ('remove', left(new_name, 1024), 'replaced by another row');
            END IF;
            DELETE FROM {schema}.user_groups WHERE username = new_name;
            SELECT fingerprint, true INTO kept_fingerprint, is_known
            FROM {schema}.dash_users_times WHERE username = old_name FOR UPDATE;
            is_unsure := is_unsure OR (old_name IS NOT NULL AND is_known IS NOT TRUE);
            IF is_unsure THEN
                -- The constraint on names may be deferred, so several users can have one.
                SELECT {fingerprint of password_hash::text} INTO current_fingerprint
                FROM {schema}.users WHERE lower(username::text COLLATE "C") = lower(new_name)
                    AND username::text COLLATE "C" = new_name
                ORDER BY {fingerprint of password_hash::text} IS DISTINCT FROM new_fingerprint
                LIMIT 1;
                IF FOUND THEN
                    new_fingerprint := current_fingerprint;
                END IF;
                PERFORM 1 FROM {schema}.users
                WHERE lower(username::text COLLATE "C") = lower(old_name)
                    AND username::text COLLATE "C" = old_name
                    AND {fingerprint of password_hash::text} IS NOT DISTINCT FROM kept_fingerprint;
                has_next_holder := FOUND;
            END IF;
            IF new_name IS NULL THEN
                PERFORM set_config('dash_users.nested', 'on', true);
                DELETE FROM {schema}.dash_users_times WHERE username = old_name;
                DELETE FROM {schema}.user_groups WHERE username = old_name;
            ELSIF old_name IS NULL
                OR (is_unsure AND is_known
                    AND (kept_fingerprint <> old_fingerprint OR has_next_holder)) THEN
                -- Times and groups of that name are another row's.
                INSERT INTO {schema}.dash_users_times (username, fingerprint)
                VALUES (new_name, new_fingerprint) ON CONFLICT DO NOTHING;
            ELSE
                -- For the trigger on groups.
                UPDATE {schema}.dash_users_times
                SET username = new_name, fingerprint = 'moved from ' || old_name
                WHERE username = old_name;
                UPDATE {schema}.user_groups SET username = new_name WHERE username = old_name;
                UPDATE {schema}.dash_users_times
                SET fingerprint = CASE WHEN is_unsure AND kept_fingerprint = old_fingerprint
                    THEN new_fingerprint ELSE kept_fingerprint END
                WHERE username = new_name;
            END IF;
            IF is_unsure THEN
                PERFORM set_config('dash_users.is_unsure', 'on', true);
            END IF;
            INSERT INTO {schema}.user_events (actor, action, username, detail)
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
            INSERT INTO {schema}.user_events (actor, action, username, detail)
            VALUES (who, what, left(new_name, 1024), more);
            -- Locking, and another hash of the same password, keep the password.
            UPDATE {schema}.dash_users_times SET
                fingerprint = CASE WHEN fingerprint IS NULL OR fingerprint = old_fingerprint
                    THEN new_fingerprint ELSE fingerprint END,
                password_changed_at = CASE what
                    WHEN 'passwd' THEN clock_timestamp() ELSE password_changed_at END
            WHERE username = new_name;
        END IF;
        IF OLD.language::text COLLATE "C" IS DISTINCT FROM NEW.language::text THEN
            INSERT INTO {schema}.user_events (actor, action, username, detail)
            VALUES (who, 'update', left(new_name, 1024),
                    'language ' || coalesce(left(NEW.language::text, 64), 'NULL'));
        END IF;
    END IF;
    PERFORM set_config('dash_users.nested', '', true);
    IF is_ours AND recorded > 0 THEN
        PERFORM set_config('dash_users.recorded', (recorded + coalesce(
            nullif(current_setting('dash_users.recorded', true), ''), '0')::bigint)::text, true);
    END IF;
    RETURN NULL;
EXCEPTION
    -- The app has to try again.
    WHEN serialization_failure OR deadlock_detected OR lock_not_available THEN
        RAISE;
    WHEN OTHERS THEN
        PERFORM set_config('dash_users.failure', SQLERRM, true);
        IF TG_LEVEL = 'STATEMENT' AND TG_OP = 'UPDATE' THEN
            BEGIN
                EXECUTE format(
                    'UPDATE %I.dash_users_times AS times SET fingerprint = {fingerprint of after.hash}
                     FROM (SELECT username::text COLLATE "C" AS name,
                                  password_hash::text COLLATE "C" AS hash FROM dash_users_old) AS before
                         JOIN (SELECT username::text COLLATE "C" AS name,
                                      password_hash::text COLLATE "C" AS hash FROM dash_users_new) AS after
                             ON after.name = before.name
                     WHERE times.username = after.name AND before.hash IS DISTINCT FROM after.hash
                         AND times.username = ANY (ARRAY(
                             SELECT username::text COLLATE "C" FROM dash_users_new))
                         AND times.fingerprint = {fingerprint of before.hash}',
                    TG_TABLE_SCHEMA);
            EXCEPTION WHEN OTHERS THEN
                -- `init` takes the users for others, and drops their groups.
                NULL;
            END;
            RETURN NULL;
        END IF;
        -- The schema may have another name than when this function was created.
        IF to_regclass(format('%I.user_groups', TG_TABLE_SCHEMA)) IS NOT NULL THEN
            IF TG_LEVEL = 'ROW' THEN
                names := ARRAY[old_name, new_name];
            ELSIF TG_OP = 'INSERT' THEN
                names := ARRAY(SELECT username::text COLLATE "C" FROM dash_users_new);
            ELSE
                names := ARRAY(SELECT username::text COLLATE "C" FROM dash_users_old);
            END IF;
            EXECUTE format('DELETE FROM %I.user_groups WHERE username = ANY ($1)', TG_TABLE_SCHEMA)
                USING names;
        END IF;
        RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION {schema}.dash_users_on_truncate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off AS $function$
BEGIN
    PERFORM set_config('dash_users.nested', 'on', true);
    INSERT INTO {schema}.user_events (action, username, detail)
    SELECT 'remove', left(username, 1024), 'truncated' FROM {schema}.dash_users_times
    ORDER BY username;
    DELETE FROM {schema}.dash_users_times;
    DELETE FROM {schema}.user_groups;
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

CREATE OR REPLACE FUNCTION {schema}.dash_users_on_groups() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET enable_seqscan = off AS $function$
DECLARE
    who text := nullif(current_setting('dash_users.actor', true), '');
    -- Not for what triggers of the app do meanwhile.
    is_bulk boolean := current_setting('dash_users.bulk', true) IS NOT DISTINCT FROM 'on'
        AND pg_trigger_depth() <= 1;
    is_ours boolean := nullif(current_setting('dash_users.action', true), '') IS NOT NULL
        OR who IS NOT NULL OR is_bulk;
    invoker text := CASE current_setting('role')
        WHEN 'none' THEN session_user::text ELSE current_setting('role') END;
    recorded bigint := 1;
BEGIN
    -- The event of the user says it. An app can set dash_users.nested, but it cannot write times.
    IF pg_trigger_depth() > 1 AND TG_OP = 'DELETE'
        AND current_setting('dash_users.nested', true) = 'on'
    THEN
        PERFORM 1 FROM {schema}.dash_users_times
        WHERE username = ANY (ARRAY(SELECT username FROM dash_users_old));
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
    END IF;
    IF pg_trigger_depth() > 1 AND TG_OP = 'UPDATE' THEN
        PERFORM 1 FROM {schema}.dash_users_times
        WHERE username = NEW.username AND fingerprint = 'moved from ' || OLD.username;
        IF FOUND THEN
            RETURN NULL;
        END IF;
    END IF;
    IF is_ours THEN
        is_ours := has_table_privilege(invoker, '{schema}.user_events', 'INSERT')
            AND has_table_privilege(invoker, '{schema}.user_groups', 'DELETE');
        IF NOT is_ours THEN
            who := NULL; is_bulk := false;
        END IF;
    END IF;
    IF is_bulk THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        -- A transaction that removes the user, and does not see the new group, must not succeed.
        UPDATE {schema}.dash_users_times SET fingerprint = fingerprint
        WHERE username = ANY (ARRAY(SELECT username FROM dash_users_new));
        INSERT INTO {schema}.user_events (actor, action, username, detail)
        SELECT who, 'group add', left(username, 1024), left(group_name, 1024) FROM dash_users_new;
        GET DIAGNOSTICS recorded = ROW_COUNT;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO {schema}.user_events (actor, action, username, detail)
        SELECT who, 'group remove', left(username, 1024), left(group_name, 1024) FROM dash_users_old;
        GET DIAGNOSTICS recorded = ROW_COUNT;
    ELSE
        INSERT INTO {schema}.user_events (actor, action, username, detail)
        VALUES (who, 'group remove', left(OLD.username, 1024), left(OLD.group_name, 1024));
        UPDATE {schema}.dash_users_times SET fingerprint = fingerprint
        WHERE username = NEW.username;
        INSERT INTO {schema}.user_events (actor, action, username, detail)
        VALUES (who, 'group add', left(NEW.username, 1024), left(NEW.group_name, 1024));
    END IF;
    IF is_ours AND recorded > 0 THEN
        PERFORM set_config('dash_users.recorded', (recorded + coalesce(
            nullif(current_setting('dash_users.recorded', true), ''), '0')::bigint)::text, true);
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
