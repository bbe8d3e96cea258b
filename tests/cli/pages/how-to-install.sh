# page
test -s .local/share/man/man1/dash-users-add.1
