"""A Dash app with users managed by dash-users.

    pip install 'dash-users[dash]'       # or `pip install '.[dash]'` in a checkout
    dash-users init && dash-users add alice --group admins
    python app.py                # http://127.0.0.1:8050, or set HOST and PORT

With PostgreSQL, install 'dash-users[dash,postgres]' and 'psycopg[binary]', and first run

    export DASH_USERS_DATABASE=postgresql://app@db.example.org/app   # its password is in ~/.pgpass

The role "app" needs to read the tables users and user_groups only.

Changes by dash-users take effect on the next request, without a restart. The page greets every user;
only the group "admins" sees the list of users.
"""

import os
import secrets

import flask
from dash import Dash, Input, Output, html
from dash_auth import BasicAuth, protected_callback

from dash_users import Users

users = Users()  # DASH_USERS_DATABASE, or users.db
# Fails at startup if there is no database, or a GRANT is missing.
users.list_users()
users.user_groups("")
app = Dash(__name__)
server = app.server  # in production: gunicorn app:server
# Signs the session: the same on all hosts.
SECRET_KEY = os.environ.get("SECRET_KEY") or secrets.token_urlsafe()
BasicAuth(app, auth_func=users.auth_func, user_groups=users.user_groups, secret_key=SECRET_KEY)
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
    return "Users: " + ", ".join(user.username for user in users.list_users())


if __name__ == "__main__":
    app.run(debug=False)
