dash-users init
for name in alice bob 'carol smith'; do dash-users add "$name" --generate >old.txt; done
# page
test "$(wc -l <passwords.csv)" = 3
tail -n 1 passwords.csv | cut -d , -f 2 | dash-users verify 'carol smith' --password-stdin
