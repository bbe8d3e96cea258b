-- Version 2: groups, history, and the times of an account. Triggers maintain them when an app
-- writes to `users` directly: see triggers.sql.

-- The app may read it.
CREATE TABLE IF NOT EXISTS user_groups (
    username TEXT NOT NULL,
    group_name TEXT NOT NULL,
    PRIMARY KEY (username, group_name)
) WITHOUT ROWID;

-- The app may read it. Rows without an actor were written by the app itself, or by hand.
CREATE TABLE IF NOT EXISTS user_events (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    actor TEXT,
    action TEXT NOT NULL,
    username TEXT,
    detail TEXT
);

-- One row for each user whose name is not NULL. An unknown time is NULL.
CREATE TABLE IF NOT EXISTS dash_users_times (
    username NOT NULL PRIMARY KEY,
    created_at TEXT,
    password_changed_at TEXT
) WITHOUT ROWID;

-- The actor of the current change. dash-users inserts the row and deletes it in the same
-- transaction, so no one else sees it. In bulk mode, the triggers leave all recording to
-- dash-users.
CREATE TABLE IF NOT EXISTS dash_users_change (
    actor TEXT,
    action TEXT NOT NULL,
    detail TEXT,
    is_bulk INTEGER NOT NULL DEFAULT 0
);
