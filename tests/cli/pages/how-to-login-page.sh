dash-users seed
# page
test "$(dash-users sessions list --json)" = "[]"
