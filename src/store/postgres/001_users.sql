-- Version 1: the table that Dash apps read, made or adopted.
-- It is applied again if an app dropped the table and what hung on it.

CREATE TABLE IF NOT EXISTS users (
    username text PRIMARY KEY,
    password_hash text NOT NULL,
    language text NOT NULL
);

-- Finds names that differ only by ASCII case. It may hang on a table that was called users once.
DROP INDEX IF EXISTS dash_users_username_nocase;
CREATE INDEX dash_users_username_nocase ON users (lower(username::text COLLATE "C"));
