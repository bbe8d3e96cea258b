-- Version 3: identifies the owner of groups even if the triggers were not working for a while. The
-- fingerprint is a digest of the user's last password hash. A user with another hash may be another
-- person with that name. NULL if unknown.

ALTER TABLE {schema}.dash_users_times ADD COLUMN IF NOT EXISTS fingerprint text;

-- It could be called by everyone to whom default privileges granted that.
DROP FUNCTION IF EXISTS {schema}.dash_users_forget(text);
