-- Version 5: what an import did to each user, for the user's history. `event` is the id of the import
-- in `user_events`, and `username` is cut as there.

CREATE TABLE IF NOT EXISTS {schema}.dash_users_imported (
    username text COLLATE "C" NOT NULL,
    event bigint NOT NULL,
    changes text NOT NULL,
    PRIMARY KEY (username, event)
);
