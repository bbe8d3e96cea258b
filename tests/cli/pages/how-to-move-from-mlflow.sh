hash='pbkdf2:sha256:1000$cXcFpMbSWnUBUfdk$1ffcc3ba1a859774713ed1ca80b7470388d1764e13351cdab2c88bbfcb4340a9'
sqlite3 basic_auth.db \
  "CREATE TABLE users (id INTEGER PRIMARY KEY, username VARCHAR(255) UNIQUE, password_hash VARCHAR(255), is_admin BOOLEAN)" \
  "INSERT INTO users (username, password_hash, is_admin) VALUES ('admin', '$hash', 1), ('erin', '$hash', 0)"
# page
echo secret123 | dash-users verify erin --password-stdin
test "$(dash-users group list --format plain)" = "admin	admins"
