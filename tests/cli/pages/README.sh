mkdir -p run/secrets
echo plover-xyzzy-quux >run/secrets/ci-bot
printf 'username,password\ncarol,plover-xyzzy-quux\n' >run/secrets/users.csv
# page
dash-users verify carol --password-file run/secrets/ci-bot
