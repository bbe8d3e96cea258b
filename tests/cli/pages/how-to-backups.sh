dash-users seed
# page
