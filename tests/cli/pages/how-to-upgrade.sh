dash-users init
# page
