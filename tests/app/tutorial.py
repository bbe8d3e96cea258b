"""The app that many Dash developers start from: BasicAuth, a SQLite table, werkzeug.

It knows nothing of dash-users. Run in the directory of users.db, with the port:

    python tutorial.py 8050
"""

import sqlite3
import sys

from dash import Dash, html
from dash_auth import BasicAuth
from werkzeug.security import check_password_hash

DB_PATH = "users.db"


def get_hash(username):
    with sqlite3.connect(DB_PATH) as con:
        cur = con.cursor()
        cur.execute("SELECT password_hash FROM users WHERE username = ?", (username,))
        row = cur.fetchone()
        return row[0] if row else None


def auth_func(username, password):
    hash_from_db = get_hash(username)
    if hash_from_db and check_password_hash(hash_from_db, password):
        return True
    return False


app = Dash(__name__)
auth = BasicAuth(app, auth_func=auth_func, secret_key="only for tests")
app.layout = html.Div([html.H1("Protected app")])

if __name__ == "__main__":
    app.run(port=int(sys.argv[1]), debug=False)
