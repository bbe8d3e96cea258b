-- Version 1: the table that Dash apps read, made or adopted.
-- Everything is IF NOT EXISTS: it is applied again if an app dropped the table and what hung on it.

CREATE TABLE IF NOT EXISTS users (
    username TEXT PRIMARY KEY,
    password_hash TEXT NOT NULL,
    language TEXT NOT NULL
);

-- Finds names that differ only by ASCII case. It may hang on a table that was called users once.
DROP INDEX IF EXISTS dash_users_username_nocase;
CREATE INDEX IF NOT EXISTS dash_users_username_nocase ON users (username COLLATE NOCASE);
