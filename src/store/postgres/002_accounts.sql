-- Version 2: groups, history, and the times of an account. Triggers maintain them when an app
-- writes to `users` directly: see functions.sql.

-- The app may read it.
CREATE TABLE IF NOT EXISTS {schema}.user_groups (
    username text COLLATE "C" NOT NULL,
    group_name text COLLATE "C" NOT NULL,
    PRIMARY KEY (username, group_name)
);

-- The app may read it. Rows without an actor were written by the app itself, or by hand.
CREATE TABLE IF NOT EXISTS {schema}.user_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text,
    action text NOT NULL,
    username text COLLATE "C",
    detail text
);

-- One row for each user whose name is not NULL. An unknown time is NULL. The fingerprint is of version
-- 3, which is not pending if only this table is missing.
CREATE TABLE IF NOT EXISTS {schema}.dash_users_times (
    username text COLLATE "C" PRIMARY KEY,
    created_at timestamptz,
    password_changed_at timestamptz,
    fingerprint text
);
