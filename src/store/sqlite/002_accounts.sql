-- Version 2: groups, history, and the times of an account. Triggers keep them correct when an app
-- writes to `users` itself: see triggers.sql.

-- The app may read it.
CREATE TABLE IF NOT EXISTS user_groups (
    username TEXT NOT NULL,
    group_name TEXT NOT NULL,
    PRIMARY KEY (username, group_name)
) WITHOUT ROWID;

-- The app may read it. Without an actor: written by the app itself, or by hand.
CREATE TABLE IF NOT EXISTS user_events (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    actor TEXT,
    action TEXT NOT NULL,
    username TEXT,
    detail TEXT
);

-- One row for each user whose name is not NULL; a time is NULL where nobody knows it.
CREATE TABLE IF NOT EXISTS dash_users_times (
    username NOT NULL PRIMARY KEY,
    created_at TEXT,
    password_changed_at TEXT
) WITHOUT ROWID;

-- Who is changing users just now. dash-users writes the row and deletes it in the same
-- transaction: nobody else ever sees it. In bulk, the triggers leave everything to dash-users.
CREATE TABLE IF NOT EXISTS dash_users_change (
    actor TEXT,
    action TEXT NOT NULL,
    detail TEXT,
    is_bulk INTEGER NOT NULL DEFAULT 0
);
