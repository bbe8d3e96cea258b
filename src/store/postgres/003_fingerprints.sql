-- Version 3: whose groups these are, also after the triggers did not work for a while: a digest of
-- the password hash that the user had last. A user with another hash may be somebody else of that
-- name. NULL where it is unknown.

ALTER TABLE {schema}.dash_users_times ADD COLUMN IF NOT EXISTS fingerprint text;

-- It was callable by anybody to whom default privileges gave that.
DROP FUNCTION IF EXISTS {schema}.dash_users_forget(text);
