#!/bin/sh
# Adds missing users, then runs the app: ./entrypoint.sh [ARGUMENT OF GUNICORN]...
# Or runs a command with the same settings: ./entrypoint.sh dash-users COMMAND...
#
# Reads these files in /run/secrets, or in the directory SECRETS. A missing one is skipped.
#
#   users.csv       users to add, if there are none of their names
#   secret_key      SECRET_KEY, which signs the sessions of the app
#   db_password     PGPASSWORD, for a PostgreSQL database
set -eu

secrets=${SECRETS:-/run/secrets}

# Assigned before `export`, which would hide a failure of cat.
if [ -e "$secrets/secret_key" ]; then
    SECRET_KEY=$(cat "$secrets/secret_key")
    export SECRET_KEY
fi
if [ -e "$secrets/db_password" ]; then
    PGPASSWORD=$(cat "$secrets/db_password")
    export PGPASSWORD
fi

if [ "${1-}" = dash-users ]; then
    exec "$@"
fi

# Creates the database, or updates its schema. Safe in several containers at once.
dash-users init
if [ -e "$secrets/users.csv" ]; then
    dash-users seed "$secrets/users.csv"
fi

exec gunicorn --bind "0.0.0.0:${PORT:-8000}" "$@" app:server
