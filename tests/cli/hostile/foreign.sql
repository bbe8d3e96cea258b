-- Files in which `users` is something else, or no table that anybody would make.

-- == no table at all
CREATE TABLE x (y);

-- == a view that reads what is not there
CREATE VIEW users AS SELECT * FROM missing;

-- == a view that does not end
CREATE VIEW users AS WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)
SELECT 'u' || x AS username, '<HASH>' AS password_hash, 'en' AS language FROM n;

-- == a view that calls functions
CREATE VIEW users AS SELECT load_extension('x') AS username, fts3_tokenizer('x') AS password_hash, 'en' AS language;

-- == a view with triggers that make it writable
CREATE TABLE people (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL, language TEXT NOT NULL);
INSERT INTO people VALUES ('alice', '<HASH>', 'en');
CREATE VIEW users AS SELECT * FROM people;
CREATE TRIGGER t1 INSTEAD OF INSERT ON users BEGIN INSERT INTO people VALUES (NEW.username, NEW.password_hash, NEW.language); END;
CREATE TRIGGER t2 INSTEAD OF UPDATE ON users BEGIN UPDATE people SET password_hash = 'x'; END;

-- == a virtual table
CREATE VIRTUAL TABLE users USING fts5 (username, password_hash, language);
INSERT INTO users VALUES ('alice', '<HASH>', 'en');

-- == a virtual table of a module that we have not
PRAGMA writable_schema = ON;
INSERT INTO sqlite_schema VALUES ('table', 'users', 'users', 0, 'CREATE VIRTUAL TABLE users USING evil(username, password_hash, language)');

-- == a table without rowid
CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL, language TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO users VALUES ('alice', '<HASH>', 'en'), ('bob', '!<HASH>', 'fr');

-- == a strict table
CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL, language TEXT NOT NULL) STRICT;
INSERT INTO users VALUES ('alice', '<HASH>', 'en');

-- == generated columns beside ours
CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL, language TEXT NOT NULL,
    a AS (password_hash || username), b AS (hex(a)) STORED, c AS (json_extract(language, '$')));
INSERT INTO users VALUES ('alice', '<HASH>', '1');

-- == generated columns that are ours
CREATE TABLE users (n TEXT UNIQUE, username AS (n) UNIQUE, password_hash AS ('<HASH>'), language AS ('en'));
INSERT INTO users VALUES ('alice');

-- == constraints that refuse everything
CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL, language TEXT NOT NULL,
    CONSTRAINT "no<ESC>[2J<RLO>" CHECK (username = 'alice' AND json_valid(language) AND length(password_hash) = 7));
PRAGMA ignore_check_constraints = ON;
INSERT INTO users VALUES ('alice', '<HASH>', 'en'), ('bob', '<HASH>', 'en');

-- == a constraint that calls a function with an error
CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL, language TEXT NOT NULL,
    CHECK (json_extract(password_hash, '$.' || password_hash) IS NULL));
PRAGMA ignore_check_constraints = ON;
INSERT INTO users VALUES ('alice', '<HASH>', 'en');

-- == a constraint that takes a gigabyte
CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL, language TEXT NOT NULL,
    CHECK (length(randomblob(990000000)) > 0));

-- == every value NULL
CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT, language TEXT);
INSERT INTO users VALUES (NULL, NULL, NULL), (NULL, NULL, NULL), ('alice', NULL, NULL);

-- == columns with names that are not text
CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL, language TEXT NOT NULL,
    "<ESC>[31m<RLO>" TEXT NOT NULL, "" TEXT, " " TEXT NOT NULL DEFAULT 'x', "a""b;DROP TABLE users" TEXT);
INSERT INTO users VALUES ('alice', '<HASH>', 'en', 'x', 'y', 'z', 'w');

-- == a column of ours in other letters
CREATE TABLE USERS (UserName TEXT PRIMARY KEY, PASSWORD_HASH TEXT NOT NULL, Language TEXT NOT NULL);
INSERT INTO users VALUES ('alice', '<HASH>', 'en');

-- == a collation that we have not
CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL, language TEXT NOT NULL);
INSERT INTO users VALUES ('alice', '<HASH>', 'en');
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE TABLE users (username TEXT PRIMARY KEY COLLATE evil, password_hash TEXT NOT NULL, language TEXT NOT NULL)' WHERE name = 'users';

-- == columns of numbers
CREATE TABLE users (username INTEGER PRIMARY KEY, password_hash REAL, language NUMERIC);
INSERT INTO users VALUES (9223372036854775807, 1e999, -1e999), (-1, 0.1, 7);

-- == a table of two thousand columns
CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT, language TEXT);
INSERT INTO users VALUES ('alice', '<HASH>', 'en');
PRAGMA writable_schema = ON;
WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1990)
UPDATE sqlite_schema SET sql = (SELECT 'CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT, language TEXT, ' || group_concat('c' || x || ' NOT NULL') || ')' FROM n) WHERE name = 'users';

-- == our own tables with other columns
CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL, language TEXT NOT NULL);
CREATE TABLE user_groups ("" TEXT, "<RLO>" TEXT); CREATE TABLE user_events (id); CREATE VIEW dash_users_schema AS SELECT 2 AS version;

-- == our own tables that do not end
CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL, language TEXT NOT NULL);
CREATE VIEW dash_users_schema AS WITH RECURSIVE n (version) AS (SELECT 1 UNION ALL SELECT version + 1 FROM n) SELECT * FROM n;

-- == a version in a million rows
CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL, language TEXT NOT NULL);
CREATE TABLE dash_users_schema (version);
WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 200000) INSERT INTO dash_users_schema SELECT '<HASH>' || x FROM n;

-- == pages of 64 KiB
PRAGMA page_size = 65536;
CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL, language TEXT NOT NULL);
INSERT INTO users VALUES ('alice', '<HASH>', 'en');

-- == text in UTF-16
PRAGMA encoding = 'UTF-16be';
CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL, language TEXT NOT NULL);
INSERT INTO users VALUES ('alice', '<HASH>', 'en'), (CAST(x'd800d800' AS TEXT), CAST(x'ff' AS TEXT), CAST(x'dc00' AS TEXT));
