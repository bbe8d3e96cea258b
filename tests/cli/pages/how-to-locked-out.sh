dash-users init
echo plover-xyzzy-quux >admin.txt
dash-users add admin --password-file admin.txt --locked
# page
test "$(dash-users list --format plain | cut -f 3,6)" = "false	admins"
