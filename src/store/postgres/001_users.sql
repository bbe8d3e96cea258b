-- Version 1: the table that Dash apps read, created or adopted.

CREATE TABLE IF NOT EXISTS {schema}.users (
    username text PRIMARY KEY,
    password_hash text NOT NULL,
    language text NOT NULL
);
