"""How long a page of a Dash app takes with LoginAuth, and with functions for `dash_auth.BasicAuth`.

    python python/bench/pages.py [ROUNDS]

Needs dash, dash-auth and the installed package. A real server answers six connections, as of a
browser. In each round each app loads a page, one after the other: 14 requests. Prints the medians of
wall time and of the server's processor time, then those of single calls on SQLite.
"""

import base64
import hmac
import http.client
import os
import re
import secrets
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import timeit
from contextlib import closing
from queue import Empty, Queue
from urllib.parse import urlencode

NAME, PASSWORD = "ann", "plover-xyzzy-quux"
HASH = "SELECT password_hash FROM users WHERE username = ?"
REQUESTS, CONNECTIONS = 14, 6
KINDS = ["none", "constant", "package", "LoginAuth", "cache", "tutorial"]


def query(sql, *parameters):
    with closing(sqlite3.connect("users.db")) as connection:
        return [row[0] for row in connection.execute(sql, parameters)]


def functions(kind):
    """auth_func and user_groups."""
    from werkzeug.security import check_password_hash

    def groups(name):
        return query("SELECT group_name FROM user_groups WHERE username = ?", name)

    def tutorial(name, password):
        found = query(HASH, name)
        return bool(found) and check_password_hash(found[0], password)

    accepted, key = set(), secrets.token_bytes(32)

    def cache(name, password):
        """As the example of the first version of dash-users did."""
        stored = str((query(HASH, name) or [None])[0])
        login = (name, stored, hmac.digest(key, password.encode(), "sha256"))
        if login not in accepted:
            if not check_password_hash(stored, password):
                return False
            accepted.add(login)
        return True

    if kind == "package":
        from dash_users import Users

        users = Users("users.db")
        return users.auth_func, users.user_groups
    if kind == "constant":
        return lambda _name, _password: True, lambda _name: []
    return {"cache": cache, "tutorial": tutorial}[kind], groups


def serve(kind):
    """Runs an app, writes its port, and its processor time for each line of stdin."""
    import dash
    import dash_auth
    from werkzeug.serving import make_server

    app = dash.Dash(__name__)
    app.layout = dash.html.Div("page")
    if kind == "LoginAuth":
        from dash_users import Users
        from dash_users.dash import LoginAuth

        LoginAuth(app, Users("users.db"), secret_key=secrets.token_hex())
    elif kind != "none":
        auth_func, user_groups = functions(kind)
        dash_auth.BasicAuth(
            app, auth_func=auth_func, user_groups=user_groups, secret_key=secrets.token_hex()
        )
    import logging

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app.server, threaded=True)
    print(server.server_port, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for _ in sys.stdin:
        print(time.process_time(), flush=True)


class App:
    def __init__(self, kind):
        command = [sys.executable, os.path.abspath(__file__), "serve", kind]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.port = int(self.process.stdout.readline())
        if kind == "LoginAuth":
            self.headers = {"Cookie": self.log_in()}
        else:
            login = base64.b64encode(f"{NAME}:{PASSWORD}".encode()).decode()
            self.headers = {"Authorization": f"Basic {login}"}

    def log_in(self):
        """Logs in on the page, and returns the cookies."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", "/login")
        form = connection.getresponse()
        csrf = re.search('name="csrf" value="(.*?)"', form.read().decode())[1]
        fields = {"csrf": csrf, "username": NAME, "password": PASSWORD}
        headers = {
            "Cookie": form.headers["Set-Cookie"].split(";")[0],
            "Content-Type": "application/x-www-form-urlencoded",
        }
        connection.request("POST", "/login", urlencode(fields), headers)
        answer = connection.getresponse()
        answer.read()
        # The session of Flask comes with the first page.
        headers = {"Cookie": answer.headers["Set-Cookie"].split(";")[0]}
        connection.request("GET", "/", headers=headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return f"{headers['Cookie']}; {answer.headers['Set-Cookie'].split(';')[0]}"

    def cpu(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def page(self):
        """Loads a page; milliseconds of the clock and of the server's processor."""
        paths, statuses = Queue(), []
        for number in range(REQUESTS):
            paths.put("/" if number % 2 else "/_dash-layout")

        def browse():
            connection = http.client.HTTPConnection("127.0.0.1", self.port)
            while True:
                try:
                    path = paths.get_nowait()
                except Empty:
                    connection.close()
                    return
                connection.request("GET", path, headers=self.headers)
                answer = connection.getresponse()
                answer.read()
                statuses.append(answer.status)

        cpu, start = self.cpu(), time.perf_counter()
        threads = [threading.Thread(target=browse) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wall = time.perf_counter() - start
        if statuses != [200] * REQUESTS:
            sys.exit(f"unexpected answers: {statuses}")
        return 1000 * wall, 1000 * (self.cpu() - cpu)


def calls():
    """Microseconds of one call, medians of 15 rounds in turn."""
    auth = {"package": functions("package")[0], "cache": functions("cache")[0]}
    kept = sqlite3.connect("users.db")
    work = {
        "remembered call, package": lambda: auth["package"](NAME, PASSWORD),
        "remembered call, cache": lambda: auth["cache"](NAME, PASSWORD),
        "bare SELECT, kept connection": lambda: kept.execute(HASH, (NAME,)).fetchone(),
    }
    times = {name: [] for name in work}
    for _ in range(15):
        for name, call in work.items():
            times[name].append(timeit.timeit(call, number=2000) / 2000 * 1e6)
    for name, values in times.items():
        print(f"| {name} | {statistics.median(values):.1f} us | |")
    kept.close()


def main(rounds):
    from dash_users import _program

    os.chdir(tempfile.mkdtemp())
    command = [_program.find(), "--quiet"]
    subprocess.run([*command, "init"], check=True)
    add = [*command, "add", NAME, "--password-stdin"]
    subprocess.run(add, input=PASSWORD, text=True, check=True)
    apps = {kind: App(kind) for kind in KINDS}
    first = {kind: app.page() for kind, app in apps.items()}
    pages = {kind: [] for kind in KINDS}
    for _ in range(rounds):
        for kind, app in apps.items():
            # Hashing at every request takes seconds.
            if kind != "tutorial" or len(pages[kind]) < 3:
                pages[kind].append(app.page())
    print("| work | clock | processor |\n|---|---|---|")
    print("| first page, package | {:.1f} ms | {:.1f} ms |".format(*first["package"]))
    for kind, measured in pages.items():
        wall, cpu = (statistics.median(values) for values in zip(*measured, strict=True))
        print(f"| page, {kind} | {wall:.1f} ms | {cpu:.1f} ms |")
    for app in apps.values():
        app.process.stdin.close()
        app.process.wait()
    calls()


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2])
    else:
        main(int((sys.argv[1:] or ["40"])[0]))
