-- Version 1: the table that Dash apps read, created or adopted. All statements can be repeated:
-- they are applied again after an app dropped the table with its indexes and triggers.

CREATE TABLE IF NOT EXISTS users (
    username TEXT PRIMARY KEY,
    password_hash TEXT NOT NULL,
    language TEXT NOT NULL
);

-- Finds names that differ only by ASCII case. After a rename, the index may be on a table that was
-- called users before.
DROP INDEX IF EXISTS dash_users_username_nocase;
CREATE INDEX IF NOT EXISTS dash_users_username_nocase ON users (username COLLATE NOCASE);
