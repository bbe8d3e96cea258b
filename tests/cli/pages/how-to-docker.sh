echo plover-xyzzy-quux >password.txt
mkdir -p run/secrets
printf 'username,password\nalice,plover-xyzzy-quux\n' >run/secrets/users.csv
# page, twice
dash-users verify alice --password-file password.txt
