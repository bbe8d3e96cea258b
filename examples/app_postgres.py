"""A Dash app with users managed by dash-users in PostgreSQL.

    pip install dash dash-auth "psycopg[binary,pool]"
    export DATABASE_URL=postgresql://app@db.example.org/app   # its password: PGPASSWORD or ~/.pgpass
    python app_postgres.py       # http://127.0.0.1:8050, or set HOST and PORT

The role "app" needs to read the tables users and user_groups only. Changes by dash-users on any host
take effect on the next request, without a restart. The page greets every user; only the group
"admins" sees the list of users.
"""

import hmac
import os
import secrets

import flask
from dash import Dash, Input, Output, html
from dash_auth import BasicAuth, protected_callback
from psycopg_pool import ConnectionPool
from werkzeug.security import check_password_hash, generate_password_hash

# Connections are checked before each use: the server may have been restarted.
POOL = ConnectionPool(
    os.environ.get("DATABASE_URL", ""),
    # No prepared statements, so it also works through pgbouncer.
    kwargs={"autocommit": True, "prepare_threshold": None, "connect_timeout": 10},
    check=ConnectionPool.check_connection,
    min_size=1,
    max_size=8,
    timeout=15,
    open=True,
)
# Checked for unknown users, so timing does not reveal which users exist.
NO_ONE = generate_password_hash(secrets.token_urlsafe())
# Accepted logins: a page makes many requests, and checking a hash takes 0.1 s by design.
ACCEPTED = set()
MAC_KEY = secrets.token_bytes(32)  # without it, what is stored of a password is useless


def query(sql, *parameters):
    """The first column of the query's result."""
    # A name from a browser may contain NUL, which PostgreSQL cannot store.
    if any("\0" in parameter for parameter in parameters):
        return []
    with POOL.connection() as connection:
        return [row[0] for row in connection.execute(sql, parameters)]


def stored_hash(username):
    """The user's hash, or None."""
    found = query("SELECT password_hash FROM users WHERE username = %s", username)
    return found[0] if found else None


def user_groups(username):
    """The user's groups. dash_auth calls this for every request, and stores them in the session."""
    return query("SELECT group_name FROM user_groups WHERE username = %s", username)


def auth_func(username, password):
    """Whether to accept the login. dash_auth calls this for every request."""
    stored = str(stored_hash(username))
    if not stored.startswith(("scrypt", "pbkdf2")):  # unknown or locked user
        stored = NO_ONE
    # After a password change the stored hash differs, so the old password is not found here.
    log_in = (username, stored, hmac.digest(MAC_KEY, password.encode(), "sha256"))
    if log_in not in ACCEPTED:
        if not check_password_hash(stored, password):
            return False
        if len(ACCEPTED) >= 1000:
            ACCEPTED.clear()
        ACCEPTED.add(log_in)
    return True


POOL.wait(timeout=15)  # fails at startup if the server cannot be reached,
user_groups("")  # or if `dash-users init` was not run, or a GRANT is missing
app = Dash(__name__)
server = app.server  # in production: gunicorn app_postgres:server
# Signs the session: the same on all hosts.
SECRET_KEY = os.environ.get("SECRET_KEY") or secrets.token_urlsafe()
BasicAuth(app, auth_func=auth_func, user_groups=user_groups, secret_key=SECRET_KEY)
app.layout = html.Div([html.H1("Protected app"), html.P(id="greeting"), html.P(id="users")])


@app.callback(Output("greeting", "children"), Input("greeting", "id"))
def greet(_):
    return f"Hello, {flask.session['user']['email']}!"


@protected_callback(
    Output("users", "children"),
    Input("users", "id"),
    groups=["admins"],
    missing_permissions_output="Who else may log in is for the group admins to see.",
)
def list_users(_):
    return "Users: " + ", ".join(query('SELECT username FROM users ORDER BY username COLLATE "C"'))


if __name__ == "__main__":
    app.run(debug=False)
