-- The index and triggers, recreated if one of them is missing or altered.
--
-- The triggers run inside the app's SQLite. They must never make its write fail: no statement
-- depends on a conflict clause (the app's own would override it), none violates a constraint, and
-- names are cut if two of them could exceed SQLite's limit on a text. They use nothing newer than
-- SQLite 3.26.
--
-- SQLite compares with the collation of the left side. `NEW.username = username` finds every name
-- that the app considers equal, perhaps ignoring case; `username = OLD.username` finds exactly that
-- name. A name that is a number has no groups, though it equals its text in `user_groups`. If the
-- app ignores case, this reads all our rows: SQLite before 3.31 does not create a correct index
-- with another collation for the primary key of a WITHOUT ROWID table.
--
-- The word fingerprint in braces stands for that of `NEW.password_hash`: see 003_fingerprints.sql.
--
-- A trigger on another table than `users` does not name `users`: SQLite reads all triggers when an
-- app renames a table, and while an app replaces `users` with another table, there is none of that
-- name.

-- A new user gets no groups of an earlier one with the same name, who may have been removed without
-- an event: REPLACE fires no delete trigger.
DROP TRIGGER IF EXISTS dash_users_added;
CREATE TRIGGER dash_users_added AFTER INSERT ON users
WHEN NOT EXISTS (SELECT 1 FROM dash_users_change WHERE is_bulk)
BEGIN
    INSERT INTO user_events (action, username, detail)
    SELECT 'remove', substr(username, 1, 1024), 'replaced by another row'
    FROM dash_users_times WHERE NEW.username = username;
    DELETE FROM user_groups WHERE NEW.username = username AND typeof(NEW.username) = typeof(username);
    DELETE FROM dash_users_times WHERE NEW.username = username;
    INSERT INTO user_events (actor, action, username, detail)
    VALUES ((SELECT actor FROM dash_users_change), 'add', substr(NEW.username, 1, 1024),
            (SELECT detail FROM dash_users_change));
    INSERT INTO dash_users_times (username, created_at, password_changed_at, fingerprint)
    SELECT NEW.username, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
           strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
           {fingerprint}
    WHERE NEW.username IS NOT NULL;
END;

DROP TRIGGER IF EXISTS dash_users_removed;
CREATE TRIGGER dash_users_removed AFTER DELETE ON users
WHEN NOT EXISTS (SELECT 1 FROM dash_users_change WHERE is_bulk)
BEGIN
    DELETE FROM dash_users_times WHERE username = OLD.username;
    DELETE FROM user_groups WHERE username = OLD.username AND typeof(username) = typeof(OLD.username);
    INSERT INTO user_events (actor, action, username, detail)
    VALUES ((SELECT actor FROM dash_users_change), 'remove', substr(OLD.username, 1, 1024),
            (SELECT detail FROM dash_users_change));
END;

DROP TRIGGER IF EXISTS dash_users_language;
CREATE TRIGGER dash_users_language AFTER UPDATE OF language ON users
WHEN OLD.language COLLATE BINARY IS NOT NEW.language
    AND NOT EXISTS (SELECT 1 FROM dash_users_change WHERE is_bulk)
BEGIN
    INSERT INTO user_events (actor, action, username, detail)
    VALUES ((SELECT actor FROM dash_users_change), 'update', substr(NEW.username, 1, 1024),
            'language ' || coalesce(substr(NEW.language, 1, 64), 'NULL'));
END;

-- Locking and rehashing keep the password. The row may be renamed in the same statement, and the
-- order of triggers is undefined: SQLite runs the last created one first.
DROP TRIGGER IF EXISTS dash_users_password;
CREATE TRIGGER dash_users_password AFTER UPDATE OF password_hash ON users
WHEN OLD.password_hash COLLATE BINARY IS NOT NEW.password_hash
    AND NOT EXISTS (SELECT 1 FROM dash_users_change WHERE is_bulk)
BEGIN
    INSERT INTO user_events (actor, action, username, detail)
    SELECT (SELECT actor FROM dash_users_change),
           coalesce((SELECT action FROM dash_users_change),
                    CASE WHEN instr(OLD.password_hash, '$')
                              AND NEW.password_hash COLLATE BINARY = '!' || replace(OLD.password_hash, '$', '|')
                         THEN 'lock'
                         WHEN instr(NEW.password_hash, '$')
                              AND OLD.password_hash COLLATE BINARY = '!' || replace(NEW.password_hash, '$', '|')
                         THEN 'unlock'
                         ELSE 'passwd' END),
           substr(NEW.username, 1, 1024),
           (SELECT detail FROM dash_users_change);
    UPDATE dash_users_times SET password_changed_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
    WHERE username IN (OLD.username, NEW.username)
        AND (SELECT action FROM user_events WHERE id = last_insert_rowid()) = 'passwd';
    UPDATE dash_users_times
    SET fingerprint = {fingerprint}
    WHERE username IN (OLD.username, NEW.username);
END;

-- Groups and times follow, unless the new name is NULL; groups do not follow to a number either.
-- UPDATE OR REPLACE may have replaced another row.
DROP TRIGGER IF EXISTS dash_users_renamed;
CREATE TRIGGER dash_users_renamed AFTER UPDATE OF username ON users
WHEN OLD.username COLLATE BINARY IS NOT NEW.username
    AND NOT EXISTS (SELECT 1 FROM dash_users_change WHERE is_bulk)
BEGIN
    INSERT INTO user_events (action, username, detail)
    SELECT 'remove', substr(username, 1, 1024), 'replaced by another row'
    FROM dash_users_times WHERE NEW.username = username AND username IS NOT OLD.username;
    DELETE FROM user_groups WHERE NEW.username = username AND typeof(NEW.username) = typeof(username)
        AND (username IS NOT OLD.username OR typeof(username) <> typeof(OLD.username));
    DELETE FROM dash_users_times WHERE NEW.username = username AND username IS NOT OLD.username;
    UPDATE dash_users_times SET username = NEW.username
    WHERE username = OLD.username AND NEW.username IS NOT NULL;
    UPDATE user_groups SET username = NEW.username
    WHERE username = OLD.username AND typeof(username) = typeof(OLD.username)
        AND typeof(NEW.username) IN ('text', 'blob');
    DELETE FROM dash_users_times WHERE username = OLD.username AND NEW.username IS NULL;
    DELETE FROM user_groups WHERE username = OLD.username AND typeof(username) = typeof(OLD.username)
        AND typeof(NEW.username) NOT IN ('text', 'blob');
    INSERT INTO dash_users_times (username, fingerprint)
    SELECT NEW.username, {fingerprint}
    WHERE OLD.username IS NULL;
    INSERT INTO user_events (actor, action, username, detail)
    VALUES ((SELECT actor FROM dash_users_change), 'rename', substr(OLD.username, 1, 1024),
            'to ' || substr(NEW.username, 1, 1024));
END;

DROP TRIGGER IF EXISTS dash_users_group_added;
CREATE TRIGGER dash_users_group_added AFTER INSERT ON user_groups
WHEN NOT EXISTS (SELECT 1 FROM dash_users_change WHERE is_bulk)
BEGIN
    INSERT INTO user_events (actor, action, username, detail)
    VALUES ((SELECT actor FROM dash_users_change), 'group add', substr(NEW.username, 1, 1024),
            substr(NEW.group_name, 1, 1024));
END;

-- The event of a removed or renamed user covers the groups: by then the times are deleted.
DROP TRIGGER IF EXISTS dash_users_group_removed;
CREATE TRIGGER dash_users_group_removed AFTER DELETE ON user_groups
WHEN EXISTS (SELECT 1 FROM dash_users_times WHERE username = OLD.username)
    AND NOT EXISTS (SELECT 1 FROM dash_users_change WHERE is_bulk)
BEGIN
    INSERT INTO user_events (actor, action, username, detail)
    VALUES ((SELECT actor FROM dash_users_change), 'group remove', substr(OLD.username, 1, 1024),
            substr(OLD.group_name, 1, 1024));
END;

DROP TRIGGER IF EXISTS dash_users_group_changed;
CREATE TRIGGER dash_users_group_changed AFTER UPDATE OF username, group_name ON user_groups
WHEN (OLD.username IS NOT NEW.username OR OLD.group_name IS NOT NEW.group_name)
    AND EXISTS (SELECT 1 FROM dash_users_times WHERE username = OLD.username)
    AND NOT EXISTS (SELECT 1 FROM dash_users_change WHERE is_bulk)
BEGIN
    INSERT INTO user_events (actor, action, username, detail)
    VALUES ((SELECT actor FROM dash_users_change), 'group remove', substr(OLD.username, 1, 1024),
            substr(OLD.group_name, 1, 1024));
    INSERT INTO user_events (actor, action, username, detail)
    VALUES ((SELECT actor FROM dash_users_change), 'group add', substr(NEW.username, 1, 1024),
            substr(NEW.group_name, 1, 1024));
END;
