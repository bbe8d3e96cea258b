"""A Dash app with a login page, and users managed by dash-users.

    pip install 'dash-users[dash]'       # or `pip install '.[dash]'` in a checkout
    dash-users init && dash-users add alice --group admins
    python app_login.py          # http://127.0.0.1:8050, or set HOST and PORT

`dash-users sessions list` shows who is logged in, and `dash-users sessions end alice` ends it.
"""

import os
import secrets

from dash import Dash, Input, Output, html
from dash_auth import protected_callback

from dash_users import Users
from dash_users.dash import LoginAuth, change_password_link, current_user, logout_button

users = Users()  # DASH_USERS_DATABASE, or users.db
app = Dash(__name__, title="Protected app")
server = app.server  # in production: gunicorn app_login:server
# Another key ends all sessions: set it, so that they survive a restart.
SECRET_KEY = os.environ.get("SECRET_KEY") or secrets.token_urlsafe()
LoginAuth(app, users, secret_key=SECRET_KEY)


def layout():
    account = html.Header([current_user(), logout_button(), change_password_link()])
    return html.Div([account, html.H1("Protected app"), html.P(id="users")])


app.layout = layout


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
