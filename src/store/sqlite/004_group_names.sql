-- Version 4: finds the names of groups without reading all memberships.

-- After a rename, the index may be on a table that was called user_groups before.
DROP INDEX IF EXISTS dash_users_group_name;
CREATE INDEX IF NOT EXISTS dash_users_group_name ON user_groups (group_name);
