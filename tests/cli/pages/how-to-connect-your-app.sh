dash-users init
dash-users add alice --generate >alice.txt
# page
dash-users list --format plain | grep -q pt-BR
sqlite3 users.db 'SELECT password_hash FROM users' | grep -q ^pbkdf2:
