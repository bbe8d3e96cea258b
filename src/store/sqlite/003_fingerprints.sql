-- Version 3: whose groups these are, also after the app replaced the table: the end of the password
-- hash that the user had last, which is the same for a locked one. It is a part of the digest. NULL
-- where it is unknown, and for a value that does not end in a digest: of a plaintext password nothing
-- is copied.
--
-- Applied only where the column is missing: SQLite has no ADD COLUMN IF NOT EXISTS.

ALTER TABLE dash_users_times ADD COLUMN fingerprint TEXT;
