dash-users init
echo plover-xyzzy-quux >alice.txt
dash-users add alice --method pbkdf2:sha256:1000 --password-file alice.txt
export DASH_USERS_PASSWORD_FILE=alice.txt
# page
test -z "$(dash-users list --outdated --format plain)"
