"""An app with a login page, and a client that behaves like a browser without JavaScript."""

from __future__ import annotations

import html
import os
import random
import re
import threading
import time
from typing import Any

import dash
from conftest import GOOD, METHOD
from dash._get_app import app_context
from werkzeug.test import Client, TestResponse

from dash_users import Limits, Users
from dash_users.dash import LoginAuth

FULL = os.environ.get("DASH_USERS_TESTS") == "full"
SECRET = "a secret key of the tests, 32 bytes"
COOKIE = "dash_users_session"


def make_app(users: Users | None = None, *, prefix: str = "/", **options: Any) -> dash.Dash:
    """An app with a page, a callback, and views that show what dash_auth trusts."""
    import flask

    # What an earlier app left in this thread, which is no server's.
    app_context.set(None)
    app = dash.Dash(__name__, url_base_pathname=prefix, title="Sales")
    options.setdefault("secret_key", SECRET)
    app.auth = LoginAuth(app, users or Users(limits=Limits(method=METHOD)), **options)
    app.layout = lambda: dash.html.Div("layout of the app")

    @app.callback(dash.Output("output", "children"), dash.Input("input", "value"))
    def echo(value: str) -> str:
        return f"echo {value}"

    @app.server.route(f"{prefix}who")
    def who() -> Any:
        return flask.jsonify(flask.session.get("user"))

    @app.server.route(f"{prefix}public/who")
    def public_who() -> Any:
        return flask.jsonify(flask.session.get("user"))

    return app


CALLBACK = {
    "output": "output.children",
    "outputs": {"id": "output", "property": "children"},
    "inputs": [{"id": "input", "property": "value", "value": "x"}],
    "changedPropIds": ["input.value"],
}


class Person:
    """Someone with a browser."""

    def __init__(
        self, app: dash.Dash, *, prefix: str = "/", url: str = "http://localhost", **environ: Any
    ) -> None:
        self.client = Client(app.server)
        self.prefix = prefix
        environ.setdefault("REMOTE_ADDR", "192.0.2.1")
        self.options = {"base_url": url, "environ_overrides": environ}

    def get(self, path: str = "", **options: Any) -> TestResponse:
        return self.client.get(self.prefix + path, **{**self.options, **options})

    def post(self, path: str, data: Any = None, **options: Any) -> TestResponse:
        return self.client.post(self.prefix + path, data=data, **{**self.options, **options})

    def fields(self, path: str) -> dict[str, str]:
        """The hidden fields of the form on a page."""
        return hidden(self.get(path))

    def log_in(self, username: str = "ann", password: str = GOOD, **fields: str) -> TestResponse:
        data = {**self.fields("login"), "username": username, "password": password, **fields}
        return self.post("login", data)

    def log_out(self) -> TestResponse:
        return self.post("logout", self.fields("logout"))

    def change(self, old: str, new: str, again: str | None = None) -> TestResponse:
        fields = {"password": old, "new_password": new, "new_password_again": again or new}
        return self.post("account/password", {**self.fields("account/password"), **fields})

    def callback(self, body: Any = CALLBACK) -> TestResponse:
        return self.post("_dash-update-component", json=body)

    def who(self) -> str | None:
        """Who a protected view says it is."""
        response = self.get("who")
        return response.json["email"] if response.status_code == 200 else None

    def cookies(self) -> dict[str, str]:
        return {cookie.key: cookie.value for cookie in self.client._cookies.values()}

    def id(self, name: str = COOKIE) -> str:
        return self.cookies()[name]


def hidden(response: TestResponse) -> dict[str, str]:
    found = re.findall(r'type="hidden" name="(\w+)" value="(.*?)"', response.text)
    return {name: html.unescape(value) for name, value in found}


def replay(app: dash.Dash, cookies: dict[str, str], **options: Any) -> Person:
    """Someone who copied cookies."""
    thief = Person(app, **options)
    for name, value in cookies.items():
        thief.client.set_cookie(name, value, domain="localhost", path=thief.prefix)
    return thief


def load(apps: list[dash.Dash], names: list[str]) -> int:
    """8 threads with up to 500 sessions log in and out at random. Returns how many sessions are left.

    No request fails, no session is lost, and none outlives its end.
    """
    seconds = 30 if FULL else 5
    deadline = time.monotonic() + seconds
    failures: list[str] = []
    counts = {"logins": 0, "requests": 0}

    def work(seed: int) -> None:
        source = random.Random(seed)
        people: list[Person] = []
        while time.monotonic() < deadline and not failures:
            app = source.choice(apps)
            if len(people) < 63 and source.random() < 0.3:
                person = Person(app, REMOTE_ADDR=f"10.0.0.{seed}")
                answer = person.log_in(source.choice(names))
                if answer.status_code != 303:
                    failures.append(f"login: {answer.status_code}")
                people.append(person)
                counts["logins"] += 1
            elif people and source.random() < 0.2:
                person = people.pop(source.randrange(len(people)))
                copied = person.cookies()
                if person.log_out().location != "/login?logged-out":
                    failures.append("logout")
                if replay(app, copied).who() is not None:
                    failures.append("a session outlived its end")
            elif people:
                counts["requests"] += 1
                if source.choice(people).who() is None:
                    failures.append("a session was lost")
        left.extend(people)

    left: list[Person] = []
    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert counts["logins"] > 8
    return len(left)
