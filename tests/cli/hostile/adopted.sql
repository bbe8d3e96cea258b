-- What an attacker who may write the file adds to a database of the program's.

-- == nothing at all, so that the others differ from what is right
SELECT 1;

-- == a trigger that refuses every change, with the hash in its message
CREATE TRIGGER t1 BEFORE INSERT ON users BEGIN SELECT RAISE(ABORT, 'no'); END;
CREATE TRIGGER t2 BEFORE UPDATE ON users
BEGIN SELECT RAISE(ABORT, 'no ' || OLD.password_hash || ' ' || NEW.password_hash); END;
CREATE TRIGGER t3 AFTER DELETE ON users BEGIN SELECT RAISE(FAIL, 'no ' || OLD.password_hash); END;

-- == triggers that roll back
CREATE TRIGGER t1 AFTER INSERT ON users BEGIN SELECT RAISE(ROLLBACK, 'all of it'); END;
CREATE TRIGGER t2 AFTER UPDATE ON users BEGIN SELECT RAISE(ROLLBACK, 'all of it'); END;
CREATE TRIGGER t3 AFTER DELETE ON users BEGIN SELECT RAISE(ROLLBACK, 'all of it'); END;

-- == triggers that pass every row over
CREATE TRIGGER t1 BEFORE INSERT ON users BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER t2 BEFORE UPDATE ON users BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER t3 BEFORE DELETE ON users BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER t4 BEFORE INSERT ON user_events BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER t5 BEFORE DELETE ON dash_users_change BEGIN SELECT RAISE(IGNORE); END;

-- == triggers with control and bidirectional characters in name and message
CREATE TRIGGER "t<ESC>[2J<RLO>" BEFORE UPDATE ON users
BEGIN SELECT RAISE(ABORT, '<ESC>]0;x<RLO><LRI>' || char(27, 155, 0x202e)); END;
CREATE TABLE "visits<ESC>[31m<RLO>" (who TEXT REFERENCES users (username) ON DELETE RESTRICT);
INSERT INTO "visits<ESC>[31m<RLO>" VALUES ('alice');

-- == triggers that change other rows, and the row itself
CREATE TRIGGER t1 AFTER INSERT ON users
BEGIN UPDATE users SET password_hash = NEW.password_hash; END;
CREATE TRIGGER t2 AFTER UPDATE OF language ON users
BEGIN DELETE FROM users WHERE username <> NEW.username; END;
CREATE TRIGGER t3 AFTER UPDATE OF password_hash ON users
BEGIN DELETE FROM users WHERE username = NEW.username; END;
CREATE TRIGGER t4 AFTER DELETE ON users
BEGIN INSERT INTO users VALUES (OLD.username, OLD.password_hash, 'x'); END;

-- == triggers that call each other to the depth which SQLite allows
PRAGMA recursive_triggers = ON;
CREATE TABLE a (x); CREATE TABLE b (x);
CREATE TRIGGER t1 AFTER UPDATE ON users BEGIN INSERT INTO a VALUES (1); END;
CREATE TRIGGER t2 AFTER INSERT ON users BEGIN INSERT INTO a VALUES (1); END;
CREATE TRIGGER t3 AFTER INSERT ON a BEGIN INSERT INTO b VALUES (1); END;
CREATE TRIGGER t4 AFTER INSERT ON b BEGIN INSERT INTO a VALUES (1); END;

-- == a trigger that undoes whose doing it was
CREATE TRIGGER t1 AFTER INSERT ON dash_users_change
BEGIN UPDATE dash_users_change SET actor = x'ff00', action = char(27) || 'x', is_bulk = 1; END;

-- == triggers that empty the history and the schema's version
CREATE TRIGGER t1 AFTER UPDATE ON users
BEGIN DELETE FROM user_events; DELETE FROM dash_users_schema; DELETE FROM user_groups; END;

-- == triggers that write values of 100 MB
CREATE TABLE heap (x);
CREATE TRIGGER t1 AFTER UPDATE ON users BEGIN INSERT INTO heap VALUES (zeroblob(100000000)); END;
CREATE TRIGGER t2 AFTER INSERT ON users BEGIN INSERT INTO heap VALUES (randomblob(100000000)); END;

-- == triggers with values of nearly 1 GB
CREATE TRIGGER t1 BEFORE UPDATE ON users
BEGIN SELECT length(hex(randomblob(490000000))); END;
CREATE TRIGGER t2 BEFORE INSERT ON users
BEGIN SELECT length(printf('%.*c', 990000000, 'x')); END;

-- == functions that only a trusted schema may call
CREATE TRIGGER t1 AFTER UPDATE ON users BEGIN SELECT load_extension('/tmp/evil.so'); END;
CREATE TRIGGER t2 AFTER INSERT ON users BEGIN SELECT fts3_tokenizer('simple', x'4141414141414141'); END;
CREATE TRIGGER t3 AFTER DELETE ON users BEGIN SELECT count(*) FROM dbstat; END;

-- == a table on which a full-text index lies, with a broken shadow
CREATE VIRTUAL TABLE search USING fts5 (username);
INSERT INTO search VALUES ('alice');
UPDATE search_data SET block = x'ffffffffffffffffffffffffffff';
CREATE TRIGGER t1 AFTER UPDATE ON users BEGIN INSERT INTO search VALUES (NEW.username); END;
CREATE TRIGGER t2 AFTER INSERT ON users
BEGIN SELECT * FROM search WHERE search MATCH NEW.password_hash; END;

-- == an r-tree with a broken node
CREATE VIRTUAL TABLE box USING rtree (id, low, high);
INSERT INTO box VALUES (1, 1, 2), (2, 3, 4);
UPDATE box_node SET data = x'00ff';
CREATE TRIGGER t1 AFTER UPDATE ON users BEGIN INSERT INTO box VALUES (3, 1, 2); END;

-- == tables that cascade to each other
CREATE TABLE c1 (u TEXT REFERENCES users ON DELETE CASCADE, n INTEGER PRIMARY KEY REFERENCES c2 ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE c2 (u TEXT REFERENCES users ON DELETE CASCADE, n INTEGER PRIMARY KEY REFERENCES c1 ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
BEGIN; INSERT INTO c1 VALUES ('alice', 1); INSERT INTO c2 VALUES ('alice', 1); COMMIT;

-- == foreign keys to what is not there
CREATE TABLE d1 (u TEXT REFERENCES users (n) ON DELETE CASCADE);
CREATE TABLE d2 (u TEXT, v TEXT, FOREIGN KEY (u, v) REFERENCES users);
CREATE TABLE d3 (u TEXT, v TEXT, FOREIGN KEY (u, v) REFERENCES users (username, password_hash));
PRAGMA foreign_keys = OFF;
INSERT INTO d1 VALUES ('alice'); INSERT INTO d3 VALUES ('alice', '<HASH>');

-- == our tables full of values that are not ours
INSERT INTO user_events VALUES (9223372036854775807, x'ff', 42, x'00ff', CAST(x'ff1b' AS TEXT), 1.5);
INSERT INTO user_events VALUES (-9223372036854775808, 'never', char(27), '', 'alice', 'x');
INSERT INTO user_events VALUES (7, '9999999-99-99T99:99:99Z', NULL, 'rename', 'alice', 'to alice');
INSERT INTO user_events VALUES (8, '10000-01-01T00:00:00Z', NULL, 'rename', 'bob', 'to alice');
UPDATE dash_users_times SET created_at = '0000-00-00T00:00:00Z', password_changed_at = x'ff';
INSERT INTO dash_users_times (username, created_at, password_changed_at) VALUES (x'ff', 1, 2), (CAST(x'ff' AS TEXT), 'x', ''), (1e999, 0, 0);
INSERT INTO user_groups VALUES ('alice', ''), ('alice', char(27) || ';,'), (x'ff', x'ff'),
    ('nobody', char(0x202e)), ('alice', CAST(x'c328' AS TEXT)), ('', '');
INSERT INTO dash_users_change VALUES (char(27), char(0x202e), x'00', 7);

-- == a history of renames in a circle
WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 3000)
INSERT INTO user_events (at, action, username, detail)
SELECT '2026-01-01T00:00:00.000Z', 'rename', iif(x % 2, 'alice', 'bob'), iif(x % 2, 'to bob', 'to alice') FROM n;

-- == a newer schema
UPDATE dash_users_schema SET version = 9223372036854775807;

-- == a version that is no number
UPDATE dash_users_schema SET version = char(27) || '<HASH>';

-- == tables of ours that are views
DROP TABLE user_groups; CREATE VIEW user_groups AS SELECT username, password_hash AS group_name FROM users;
DROP TABLE dash_users_times; CREATE VIEW dash_users_times AS SELECT username, 1 AS created_at, 2 AS password_changed_at FROM users;

-- == triggers of ours that do something else
DROP TRIGGER dash_users_added; DROP TRIGGER dash_users_password;
CREATE TRIGGER dash_users_added AFTER INSERT ON users BEGIN DELETE FROM users; END;
CREATE TRIGGER dash_users_password AFTER UPDATE ON users
BEGIN UPDATE users SET password_hash = 'plain' WHERE username = NEW.username; END;

-- == a schema whose SQL is malformed
PRAGMA writable_schema = ON;
INSERT INTO sqlite_schema VALUES ('table', 'x', 'x', 2, 'CREATE TABLE x ( SELECT ' || char(27) || char(0x202e));

-- == a schema whose trigger is malformed
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE TRIGGER ' || char(27) || 'x AFTER' WHERE name = 'dash_users_added';

-- == a schema in which two tables share a page
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'user_events') WHERE name = 'users';

-- == a schema with a page that is not there
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET rootpage = 4294967290 WHERE name = 'users';
UPDATE sqlite_schema SET rootpage = -7 WHERE name = 'user_groups';

-- == a schema with values of other types
PRAGMA writable_schema = ON;
INSERT INTO sqlite_schema VALUES (x'ff', x'ff', NULL, 'x', 1), (NULL, 'dash_users_' || char(27), 7, 0, NULL),
    ('trigger', CAST(x'757365725fff' AS TEXT), 'users', 0, CAST(x'ff' AS TEXT));

-- == an index on a function, beside the data
CREATE INDEX i1 ON users (hex(password_hash)); CREATE INDEX i2 ON users (json(language)) WHERE username = 'x';
CREATE UNIQUE INDEX i3 ON users (length(username) > 0) WHERE username IN ('alice', 'new');
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE INDEX i1 ON users (lower(username))' WHERE name = 'i1';
