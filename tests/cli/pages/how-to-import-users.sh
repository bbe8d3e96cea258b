printf 'username,language,groups\ncarol,en,staff\ndave,fr,staff;admins\n' >colleagues.csv
# page
test "$(wc -l <passwords.csv)" = 3
test "$(wc -l <users.jsonl)" = 2
test "$(dash-users group list dave --format plain | wc -l)" = 2
