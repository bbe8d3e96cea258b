sqlite3 users.db "CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT NOT NULL, language TEXT NOT NULL)" \
  "INSERT INTO users VALUES ('erin', 'correct horse', 'en'), ('frank', 'tr0ub4dor&3', 'de')"
sqlite3 app.db "CREATE TABLE user (id INTEGER PRIMARY KEY, email TEXT, password TEXT)" \
  "INSERT INTO user VALUES (1, 'gina@example.org', 'pbkdf2:sha256:1000\$cXcFpMbSWnUBUfdk\$1ffcc3ba1a859774713ed1ca80b7470388d1764e13351cdab2c88bbfcb4340a9')"
# `check` has findings here: passwords are in plaintext.
cat >bin/dash-users <<END
#!/bin/sh
$(command -v dash-users) "\$@" || test "\$1 \$?" = "check 7"
END
chmod +x bin/dash-users
echo 'USERS = {"alice": "secret123", "bob": "pa$$w0rd"}' >app.py
# page
test "$(dash-users list --format plain | cut -f 1 | tr '\n' ' ')" = "alice bob erin frank gina@example.org "
echo 'correct horse' | dash-users verify erin --password-stdin
echo 'pa$$w0rd' | dash-users verify bob --password-stdin
