mkdir -p run/secrets tests
echo plover-xyzzy-quux >run/secrets/ci-bot
printf 'username,password\nerin,plover-xyzzy-quux\n' >tests/users.csv
# page, twice
