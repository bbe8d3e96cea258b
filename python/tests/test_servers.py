"""Apps behind gunicorn and uWSGI: workers, threads, and what happens before the fork."""

from __future__ import annotations

import base64
import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import GOOD, execute, require, run

APP = """
import os, flask
from dash_users import Users
users = Users()
# Before the fork, where the server preloads the app.
assert users.auth_func("ann", "plover-xyzzy-quux")
application = flask.Flask(__name__)

@application.get("/")
def page():
    login = flask.request.authorization
    accepted = login is not None and users.auth_func(login.username, login.password)
    return str(os.getpid()), 200 if accepted else 401
"""


def get(port: int, password: str = GOOD) -> tuple[int, str]:
    login = base64.b64encode(f"ann:{password}".encode()).decode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/", headers={"Authorization": f"Basic {login}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, ""


@contextmanager
def serving(command: list[str], port: int) -> Iterator[None]:
    with open("server.log", "wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        while True:
            try:
                get(port)
            except (OSError, urllib.error.URLError):
                assert server.poll() is None, Path("server.log").read_text()
                time.sleep(0.05)
            else:
                break
        yield
    finally:
        server.terminate()
        server.wait()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


GUNICORN = (
    ["--workers=2"],
    ["--preload", "--workers=2"],
    ["--preload", "--workers=2", "--threads=4"],
)


def check(port: int) -> None:
    workers = set()
    # One request after the other can always reach the same worker.
    with ThreadPoolExecutor(8) as browser:
        for _ in range(25):
            for status, worker in browser.map(get, [port] * 8):
                assert status == 200
                workers.add(worker)
            if len(workers) == 2:
                break
    assert len(workers) == 2
    assert get(port, "wrong")[0] == 401
    run("lock", "ann")
    for _ in range(20):
        assert get(port)[0] == 401
    run("unlock", "ann")
    assert get(port)[0] == 200


@pytest.mark.parametrize("options", GUNICORN)
@pytest.mark.usefixtures("database")
def test_gunicorn(options: list[str]) -> None:
    require("gunicorn", importlib.util.find_spec("gunicorn") is not None)
    Path("app.py").write_text(APP)
    port = free_port()
    bind = f"--bind=127.0.0.1:{port}"
    with serving([sys.executable, "-m", "gunicorn", *options, bind, "app:application"], port):
        check(port)


@pytest.mark.parametrize("options", [[], ["--enable-threads", "--threads=4"], ["--lazy-apps"]])
@pytest.mark.usefixtures("database")
def test_uwsgi(options: list[str]) -> None:
    program = os.path.join(os.path.dirname(sys.executable), "uwsgi")
    require("uWSGI", os.access(program, os.X_OK))
    Path("app.py").write_text(APP)
    port = free_port()
    listen = ["--http-socket", f"127.0.0.1:{port}", "--wsgi-file=app.py"]
    packages = [
        f"--pythonpath={path}" for path in os.environ.get("PYTHONPATH", "").split(":") if path
    ]
    common = ["--master", "--processes=2", "--die-on-term", f"--home={sys.prefix}"]
    with serving([program, *listen, *common, *packages, *options], port):
        check(port)


# Reads take a while, and other greenlets run meanwhile.
GREENLETS = """
import os, time, flask
from dash_users import Users

def read(name):
    time.sleep(0.01)
    return os.environ["HASH"]

users = Users(os.environ["SERVER"]) if "SERVER" in os.environ else Users.from_lookup(read)
application = flask.Flask(__name__)

@application.get("/")
def page():
    login = flask.request.authorization
    accepted = login is not None and users.auth_func(login.username, login.password)
    return "", 200 if accepted else 401
"""


def check_greenlets(*options: str) -> None:
    require("gevent", importlib.util.find_spec("gevent") is not None)
    Path("app.py").write_text(GREENLETS)
    port = free_port()
    server = [sys.executable, "-m", "gunicorn", "--worker-class=gevent", *options]
    with serving([*server, f"--bind=127.0.0.1:{port}", "app:application"], port):
        for password, expected in ((GOOD, 200), (GOOD, 200), ("wrong", 401)):
            # A browser opens six connections at once.
            with ThreadPoolExecutor(6) as browser:
                answers = list(browser.map(lambda _, sent=password: get(port, sent)[0], range(6)))
            assert answers == [expected] * 6


@pytest.mark.parametrize("options", [[], ["--preload"]])
@pytest.mark.usefixtures("database")
def test_gevent(options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    [(stored,)] = execute("SELECT password_hash FROM users WHERE username = 'ann'")
    monkeypatch.setenv("HASH", str(stored))
    check_greenlets(*options)
