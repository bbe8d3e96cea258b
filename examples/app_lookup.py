"""A Flask app whose users are stored elsewhere, checked by dash-users.

    pip install dash-users flask
    python app_lookup.py         # http://127.0.0.1:5000

The users are in a collection of MongoDB, or behind a provider that is asked over HTTP. The collection
here is a FAKE, a dictionary with the method `find_one` of pymongo: replace it with
`pymongo.MongoClient()["app"]["users"]`. With `PROVIDER=http://…` the provider is asked instead: it
answers `GET /users/NAME` with JSON, or with status 404.

The hashes are those of werkzeug's `generate_password_hash`.
"""

import json
import os
import urllib.error
import urllib.parse
import urllib.request

import flask
from werkzeug.security import generate_password_hash

from dash_users import Busy, Users


class FakeCollection:
    """In place of a collection of MongoDB."""

    def __init__(self):
        stored = generate_password_hash("plover-xyzzy-quux")
        self.documents = {"alice": {"_id": "alice", "hash": stored, "groups": ["admins"]}}

    def find_one(self, query):
        return self.documents.get(query["_id"])


COLLECTION = FakeCollection()
PROVIDER = os.environ.get("PROVIDER")


def find(name):
    """The user's document, or None."""
    if not PROVIDER:
        return COLLECTION.find_one({"_id": name})
    url = f"{PROVIDER}/users/{urllib.parse.quote(name, safe='')}"
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise  # an unreachable provider is not an unknown user


users = Users.from_lookup(
    lambda name: (find(name) or {}).get("hash"),
    groups=lambda name: (find(name) or {}).get("groups", []),
)
app = flask.Flask(__name__)


@app.get("/")
def page():
    login = flask.request.authorization
    try:
        accepted = login is not None and users.auth_func(login.username, login.password)
    except Busy:
        return flask.Response("Try again in a few seconds.", 503, {"Retry-After": "5"})
    if not accepted:
        return flask.Response("Log in.", 401, {"WWW-Authenticate": 'Basic realm="app"'})
    groups = ", ".join(users.user_groups(login.username))
    return flask.Response(f"Hello, {login.username}! Your groups: {groups}", mimetype="text/plain")


if __name__ == "__main__":
    app.run(port=int(os.environ.get("PORT", "5000")))
