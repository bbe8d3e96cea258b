# page
test "$(dash-users list --format plain | cut -f 1,6)" = "alice	admins"
test -s users-backup.db
