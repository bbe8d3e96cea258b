hash='pbkdf2:sha256:1000$cXcFpMbSWnUBUfdk$1ffcc3ba1a859774713ed1ca80b7470388d1764e13351cdab2c88bbfcb4340a9'
sqlite3 airflow.db \
  "CREATE TABLE ab_user (id INTEGER PRIMARY KEY, first_name VARCHAR(256) NOT NULL, username VARCHAR(512) UNIQUE NOT NULL, password VARCHAR(256), active BOOLEAN)" \
  "INSERT INTO ab_user (first_name, username, password, active) VALUES ('Al', 'alice', '$hash', 1), ('Bo', 'bob', '$hash', 0), ('Cy', 'cyd', NULL, 1)"
# After the import and before the way back, alice gets a new password.
program=$(command -v dash-users)
cat >bin/dash-users <<END
#!/bin/sh
test "\$1" != export || echo plover-xyzzy-quux | $program passwd alice --password-stdin
exec $program "\$@"
END
chmod +x bin/dash-users
# page
stored() { sqlite3 users.db "SELECT password_hash FROM users WHERE username = '$1'"; }
test "$(stored bob)" = "!$(echo "$hash" | tr '$' '|')"
stored cyd | grep -q '^!'
echo plover-xyzzy-quux | dash-users verify alice --password-stdin
test "$(sqlite3 airflow.db "SELECT password FROM ab_user WHERE username = 'alice'")" = "$(stored alice)"
# The others stay as they were, without a password here too.
test "$(sqlite3 airflow.db "SELECT password FROM ab_user WHERE username = 'bob'")" = "$hash"
test -z "$(sqlite3 airflow.db "SELECT password FROM ab_user WHERE username = 'cyd'")"
