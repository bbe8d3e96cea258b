complete --keep-order --exclusive --command dash-users --arguments "(DASH_USERS_COMPLETE=fish dash-users -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
