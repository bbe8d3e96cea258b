-- Version 3: identifies the owner of groups even after the app replaced the table. The fingerprint
-- is the end of the user's last password hash, part of the digest, and is the same when locked. It
-- is NULL if unknown, and for a value that does not end in a digest, so no part of a plaintext
-- password is copied.
--
-- Applied only if the column is missing: SQLite has no ADD COLUMN IF NOT EXISTS.

ALTER TABLE dash_users_times ADD COLUMN fingerprint TEXT;
