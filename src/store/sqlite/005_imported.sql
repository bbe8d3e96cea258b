-- Version 5: what an import did to each user, for the user's history. `event` is the id of the import
-- in `user_events`, and `username` is cut as there.

CREATE TABLE IF NOT EXISTS dash_users_imported (
    username NOT NULL,
    event INTEGER NOT NULL,
    changes TEXT NOT NULL,
    PRIMARY KEY (username, event)
) WITHOUT ROWID;
