dash-users seed
dash-users backup users-2026-01-31.db
# page
