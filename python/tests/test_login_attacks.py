"""Attacks on the login page over HTTP. SECURITY.md names these tests."""

from __future__ import annotations

import json
import os
import secrets
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dash
import pytest
from conftest import BETTER, GOOD, METHOD, add, execute, run
from login_client import CALLBACK, COOKIE, Person, hidden, make_app, replay
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client, TestResponse

from dash_users import Limits, Users

SESSIONS = "users.db-sessions"
FULL = os.environ.get("DASH_USERS_TESTS") == "full"


def rows() -> int:
    [(count,)] = execute("SELECT count(*) FROM dash_users_sessions", database=SESSIONS)
    return int(count)


@pytest.fixture
def app(database: Path) -> dash.Dash:
    run("backup", "backup.db")
    return make_app(public_routes=["/public/who"])


@pytest.fixture
def ann(app: dash.Dash) -> Person:
    ann = Person(app)
    ann.log_in()
    assert ann.who() == "ann"
    return ann


# Sessions


def test_fixation(app: dash.Dash) -> None:
    """A session that an attacker set does not become that of the victim."""
    add("eve")
    eve = Person(app)
    eve.log_in("eve")
    for planted in (eve.id(), secrets.token_urlsafe(32)):
        victim = replay(app, {COOKIE: planted})
        fields = victim.fields("login")
        if not fields:
            # The victim sees eve's app, and logs out to log in.
            victim.log_out()
            fields = victim.fields("login")
        victim.post("login", {**fields, "username": "ann", "password": GOOD})
        assert victim.who() == "ann"
        assert victim.id() != planted
        assert replay(app, {COOKIE: planted}).who() is None


def log_out(person: Person) -> None:
    person.log_out()


def recreate(_: Person) -> None:
    run("remove", "ann", "--yes")
    add("ann")


def unlock(_: Person) -> None:
    run("lock", "ann")
    run("unlock", "ann")


def rename_back(_: Person) -> None:
    run("rename", "ann", "eve")
    run("rename", "eve", "ann")


def new_password_and_back(_: Person) -> None:
    run("passwd", "ann", "--password-stdin", password=BETTER)
    run("passwd", "ann", "--password-stdin", password=GOOD)


ENDS: dict[str, Callable[[Person], Any]] = {
    "logout": log_out,
    "lock": lambda _: run("lock", "ann"),
    "unlock": unlock,
    "remove": lambda _: run("remove", "ann", "--yes"),
    "re-creation": recreate,
    "rename": rename_back,
    "passwd": new_password_and_back,
    "restore": lambda _: run("restore", "backup.db", "--yes"),
    "sessions end": lambda _: run("sessions", "end", "ann"),
    "sessions end --all": lambda _: run("sessions", "end", "--all"),
    "change": lambda person: person.change(GOOD, BETTER),
}


@pytest.mark.parametrize("end", ENDS)
def test_copied_cookies_after_the_end(ann: Person, app: dash.Dash, end: str) -> None:
    """Neither the session's cookie nor Flask's own gives access, on protected and public routes."""
    copied = ann.cookies()
    assert set(copied) >= {COOKIE, "session"}
    ENDS[end](ann)
    for cookies in (copied, {"session": copied["session"]}, {COOKIE: copied[COOKIE]}):
        thief = replay(app, cookies)
        assert thief.get("who").status_code == 302
        assert thief.get("public/who").json is None
        assert thief.callback().status_code == 401
        assert thief.get("account/password").status_code == 302


def test_session_cookie_of_flask_gives_nothing(ann: Person, app: dash.Dash) -> None:
    """Also while the session goes on."""
    thief = replay(app, {"session": ann.cookies()["session"]})
    assert thief.get("who").status_code == 302
    assert thief.get("public/who").json is None
    assert thief.callback().status_code == 401


def with_header(app: dash.Dash, cookie: str) -> TestResponse:
    """A request with exactly this header."""
    return Client(app.server, use_cookies=False).get("/who", headers={"Cookie": cookie})


@pytest.mark.parametrize(
    "forge",
    [
        lambda id: id[:-1],
        lambda id: id + "A",
        lambda id: id[:-1] + ("A" if id[-1] != "A" else "B"),
        lambda id: id.swapcase(),
        lambda id: f"{id}=",
        lambda id: id[:20] + "\x00" + id[21:],
        lambda id: "",
        lambda id: "A" * 43,
        lambda id: "é" * 43,
        lambda id: "' OR 1=1 --",
        lambda id: "A" * 100_000,
    ],
)
def test_forged_and_truncated_cookies(
    ann: Person, app: dash.Dash, forge: Callable[[str], str]
) -> None:
    assert with_header(app, f"{COOKIE}={ann.id()}").status_code == 200
    cookie = f"{COOKIE}={forge(ann.id())}".encode().decode("latin-1")
    assert with_header(app, cookie).status_code == 302
    assert ann.who() == "ann"


def test_stored_sessions_are_no_cookies(ann: Person, app: dash.Dash) -> None:
    """Someone who reads the file of the sessions cannot use them."""
    [(key, digest, owner)] = execute(
        "SELECT id, digest, app FROM dash_users_sessions", database=SESSIONS
    )
    for value in (key.hex(), digest.hex(), owner):
        assert replay(app, {COOKIE: value[:43]}).who() is None
    for path in Path().glob(f"{SESSIONS}*"):
        assert ann.id().encode() not in path.read_bytes()
        assert GOOD.encode() not in path.read_bytes()


def test_random_ids_write_nothing(app: dash.Dash) -> None:
    Person(app).log_in()
    connection_count = 1_000_000 if FULL else 2_000
    before = [os.stat(path).st_mtime_ns for path in (SESSIONS, f"{SESSIONS}-wal")]
    for _ in range(connection_count):
        assert app.auth.sessions.find([secrets.token_urlsafe(32)]) is None
    thief = replay(app, {COOKIE: secrets.token_urlsafe(32)})
    assert thief.who() is None
    assert rows() == 1
    assert before == [os.stat(path).st_mtime_ns for path in (SESSIONS, f"{SESSIONS}-wal")]


def test_many_cookies_of_the_name_cost_few_queries(app: dash.Dash, ann: Person) -> None:
    """All are tried, since another app may have set one; but not thousands."""
    other = secrets.token_urlsafe(32)
    header = f"{COOKIE}={other}; {COOKIE}={ann.id()}"
    assert with_header(app, header).json["email"] == "ann"
    header = f"{COOKIE}={other}; " * 1000 + f"{COOKIE}={ann.id()}"
    assert with_header(app, header).status_code == 302


# Forms


def test_csrf_on_the_login_form(app: dash.Dash) -> None:
    """Nobody can log someone else's browser in."""
    add("eve")
    eve, victim = Person(app), Person(app)
    login = {"username": "eve", "password": GOOD}
    tokens: list[dict[str, str]] = [{}, {"csrf": ""}, eve.fields("login"), {"csrf": "\ud800"}]
    victim.get("login")
    for fields in tokens:
        data = {**fields, **login}
        body = "&".join(f"{name}={value}" for name, value in data.items())
        answer = victim.client.post(
            "/login",
            data=body.encode(errors="surrogatepass"),
            content_type="application/x-www-form-urlencoded",
        )
        assert answer.status_code == 400
        assert victim.who() is None
    fields = victim.fields("login")
    for site in ("cross-site", "same-site"):
        answer = victim.post("login", {**fields, **login}, headers={"Sec-Fetch-Site": site})
        assert answer.status_code == 400
    assert COOKIE not in victim.cookies()


def test_csrf_on_the_other_forms(ann: Person, app: dash.Dash) -> None:
    eve = Person(app)
    eve.log_in()
    tokens = [{"csrf": ""}, {"csrf": "x"}, eve.fields("logout"), eve.fields("login")]
    password = {"password": GOOD, "new_password": BETTER, "new_password_again": BETTER}
    for fields in tokens:
        if fields:
            assert ann.post("logout", fields).status_code == 400
        assert ann.post("account/password", {**fields, **password}).status_code == 400
    for page in ("logout", "account/password"):
        headers = {"Sec-Fetch-Site": "cross-site"}
        answer = ann.post(page, {**ann.fields(page), **password}, headers=headers)
        assert answer.status_code == 400
    assert ann.get("logout?csrf=x").status_code == 200
    assert ann.who() == "ann"
    # The password is the old one.
    assert Person(app).log_in().status_code == 303


def test_cookies_are_not_sent_by_other_sites(app: dash.Dash) -> None:
    ann = Person(app)
    form = ann.get("login")
    answer = ann.post("login", {**hidden(form), "username": "ann", "password": GOOD})
    for response in (form, answer):
        [cookie] = [
            cookie
            for cookie in response.headers.getlist("Set-Cookie")
            if cookie.startswith("dash_users")
        ]
        assert "; HttpOnly" in cookie
        assert "; SameSite=Lax" in cookie
        assert "; Path=/" in cookie


TARGETS = [
    "//evil.example",
    "///evil.example",
    r"/\evil.example",
    r"\\evil.example",
    r"/\/evil.example",
    "https://evil.example",
    "https:evil.example",
    "HTTPS:/evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "@evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\x00//evil.example",
    "\t//evil.example",
    " //evil.example",
    "/\x7f/evil.example",
    "/%2f/evil.example",
    "/%5cevil.example",
    "/%5c%5cevil.example",
    "/%09/evil.example",
    "/%0d%0aSet-Cookie:%20a=b",
    "/\r\nSet-Cookie: a=b",
    "/x/../..//evil.example",
    "/x/%2e%2e//evil.example",
    "/./",
    "/" + "x" * 5000,
    "",
]


@pytest.mark.parametrize("target", TARGETS)
def test_next_leads_only_to_the_app(app: dash.Dash, target: str) -> None:
    ann = Person(app)
    fields = {**ann.fields("login"), "username": "ann", "password": GOOD}
    body = "&".join(f"{name}={quoted(value)}" for name, value in {**fields, "next": target}.items())
    answer = ann.client.post("/login", data=body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 303
    assert answer.headers.getlist("Location") == ["/"]
    assert "evil" not in str(answer.headers)
    # With a session, the page leads on by itself.
    answer = ann.client.get("/login", query_string=f"next={quoted(target)}")
    assert answer.location == "/"


def quoted(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode(errors="surrogatepass"))


@pytest.mark.parametrize(
    "target", ["/", "/a/b", "/a?x=//b", "/a?next=https://b#c", "/Zoë", "/a%20b?c=%2F%2Fd"]
)
def test_next_leads_to_paths_of_the_app(app: dash.Dash, target: str) -> None:
    answer = Person(app).log_in(next=target)
    assert answer.location == target.replace("ë", "%C3%AB")


def test_next_stays_below_the_prefix(database: Path) -> None:
    app = make_app(prefix="/sales/")
    for target, expected in [
        ("/sales/x", "/sales/x"),
        ("/other/", "/sales/"),
        ("/sales/../other/", "/sales/"),
        ("/sales/%2e%2e/other/", "/sales/"),
        ("/salesx", "/sales/"),
        ("/sales/login?next=/sales/login", "/sales/"),
    ]:
        assert Person(app, prefix="/sales/").log_in(next=target).location == expected


def test_paths_cannot_become_headers(app: dash.Dash) -> None:
    nobody = Person(app)
    for path in ("%0d%0aSet-Cookie:%20a=b", "x?%0d%0aX:%20y", "%E2%80%A8", "%ff"):
        answer = nobody.get(path)
        assert answer.status_code == 302
        assert answer.location.startswith("/login?next=/")
        assert "a" not in nobody.cookies()
        assert "X" not in answer.headers
        assert nobody.client.get(answer.location).status_code == 200


def test_oversized_fields(app: dash.Dash) -> None:
    ann = Person(app)
    fields = ann.fields("login")
    for size, status in [(2_000, 401), (15_000, 401), (17_000, 413), (5_000_000, 413)]:
        data = {**fields, "username": "x" * size, "password": GOOD}
        assert ann.post("login", data).status_code == status, size
    data = {**fields, **{f"field{number}": "" for number in range(5_000)}}
    chunked = {"Transfer-Encoding": "chunked"}
    too_large = ann.post("login", data)
    unknown_length = ann.post("login", fields, headers=chunked)
    assert (too_large.status_code, unknown_length.status_code) == (413, 411)
    for answer in (too_large, unknown_length):
        assert answer.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert rows() == 0


def test_names_are_escaped(app: dash.Dash) -> None:
    answer = Person(app).log_in('"><script>alert(1)</script>{{ 7 * 7 }}', "x")
    assert "<script" not in answer.text
    assert "{{ 7 * 7 }}" in answer.text


# Guessing


def test_guesses_are_limited(app: dash.Dash) -> None:
    """10,000 guesses from one address, of which few are checked."""
    checked = 0
    guesser = Person(app, REMOTE_ADDR="192.0.2.66")
    fields = guesser.fields("login")
    count = 10_000 if FULL else 300
    for number in range(count):
        answer = guesser.post("login", {**fields, "username": "ann", "password": f"guess {number}"})
        assert answer.status_code in (401, 429)
        checked += answer.status_code == 401
    assert checked <= 10 + (200 if FULL else 5)
    # The right password is not even tried: the answer does not show it.
    assert guesser.log_in().status_code == 429
    assert rows() == 0


def test_spraying_is_limited(app: dash.Dash) -> None:
    sprayer = Person(app, REMOTE_ADDR="192.0.2.67")
    fields = sprayer.fields("login")
    statuses = [
        sprayer.post(
            "login", {**fields, "username": f"user {number}", "password": f"{number}"}
        ).status_code
        for number in range(80)
    ]
    assert statuses[:50] == [401] * 50
    assert 429 in statuses[50:]
    # Others are not affected.
    assert Person(app, REMOTE_ADDR="192.0.2.68").log_in().status_code == 303


def test_unknown_names_look_and_cost_the_same(database: Path) -> None:
    """The hash of an unknown user is computed, too: see test_unknown_user_costs_a_hash."""
    limits = Limits(
        guesses_per_name=0,
        guesses_per_address=0,
        guesses_per_name_and_address=0,
        method="scrypt:16384:8:1",
    )
    run("passwd", "ann", "--password-stdin", "--method", "scrypt:16384:8:1", password=GOOD)
    app = make_app(Users(limits=limits))
    ann = Person(app)
    fields = ann.fields("login")
    times: dict[str, list[float]] = {"ann": [], "nobody": []}
    texts: dict[str, str] = {}
    for number in range(9):
        for name, taken in times.items():
            started = time.thread_time()
            data = {**fields, "username": name, "password": f"wrong {number}"}
            answer = ann.post("login", data)
            taken.append(time.thread_time() - started)
            texts[name] = answer.text.replace(name, "NAME")
    assert texts["ann"] == texts["nobody"]
    known, unknown = (statistics.median(taken) for taken in times.values())
    # A ratio of processor times, not a time: without the hash it would be over 10.
    assert 0.4 < known / unknown < 2.5


# Headers


def test_headers_of_our_pages(ann: Person, app: dash.Dash) -> None:
    nobody = Person(app)
    pages = [nobody.get("login"), nobody.log_in(password="x"), nobody.get("x")]
    pages += [ann.get("logout"), ann.get("account/password"), ann.change("x", BETTER)]
    for answer in pages:
        assert answer.headers["Cache-Control"] == "no-store"
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self'" in policy
        assert "script" not in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "<script" not in answer.text
        assert "style=" not in answer.text
        assert "http://" not in answer.text
        assert "https://" not in answer.text


def test_protected_answers_are_not_stored(database: Path) -> None:
    import flask

    app = make_app()

    @app.server.route("/file")
    def file() -> flask.Response:
        answer = flask.Response("x")
        answer.add_etag()
        return answer

    @app.server.route("/shared")
    def shared() -> flask.Response:
        answer = flask.Response("x")
        answer.headers["Cache-Control"] = "public, max-age=60"
        return answer

    ann = Person(app)
    ann.log_in()
    for path in ("", "page", "who", "_dash-layout"):
        assert "no-store" in ann.get(path).headers["Cache-Control"], path
    assert "no-store" in ann.callback().headers["Cache-Control"]
    for path in ("file", "shared"):
        control = ann.get(path).headers["Cache-Control"]
        assert "private" in control
        assert "public" not in control


def test_cookies_on_https(app: dash.Dash) -> None:
    ann = Person(app, url="https://app.example")
    answer = ann.log_in()
    [cookie] = [c for c in answer.headers.getlist("Set-Cookie") if "dash_users" in c]
    assert cookie.startswith(f"__Host-{COOKIE}=")
    assert "; Secure" in cookie
    # A subdomain can set a cookie only without this prefix.
    thief = Person(app, url="https://app.example")
    thief.client.set_cookie(COOKIE, ann.id(f"__Host-{COOKIE}"), domain="app.example")
    assert thief.who() is None


def test_forwarded_protocol_counts_only_with_proxy_fix(
    database: Path, log: pytest.LogCaptureFixture
) -> None:
    forwarded = {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}
    ann = Person(make_app(), url="http://app.example", **forwarded)
    ann.log_in()
    assert COOKIE in ann.cookies()
    assert "ProxyFix" in log.text
    app = make_app()
    app.server.wsgi_app = ProxyFix(app.server.wsgi_app, x_proto=1, x_for=1)
    ann = Person(app, url="http://app.example", **forwarded)
    answer = ann.log_in()
    assert any("; Secure" in cookie for cookie in answer.headers.getlist("Set-Cookie"))
    assert f"__Host-{COOKIE}" in ann.cookies()


def test_plain_http_is_warned_about_once(database: Path, log: pytest.LogCaptureFixture) -> None:
    for url in ("http://localhost:8050", "http://127.0.0.1:8050", "http://[::1]"):
        Person(make_app(), url=url).get("login")
    assert "HTTP" not in log.text
    app = make_app()
    for _ in range(2):
        Person(app, url="http://app.example").log_in()
    assert log.text.count("plain HTTP") == 1


# Several apps


def test_two_apps_on_one_host(database: Path) -> None:
    sales, plans = make_app(prefix="/"), make_app(prefix="/plans/")
    both = DispatcherMiddleware(sales.server, {})

    def serve(environ: dict[str, Any], start: Any) -> Any:
        target = plans.server if environ["PATH_INFO"].startswith("/plans/") else both
        return target(environ, start)

    browser = Client(serve)
    for prefix in ("/", "/plans/"):
        fields = hidden(browser.get(f"{prefix}login"))
        data = {**fields, "username": "ann", "password": GOOD}
        assert browser.post(f"{prefix}login", data=data).status_code == 303
    # Both cookies are sent to /plans/.
    for prefix in ("/", "/plans/"):
        assert browser.get(f"{prefix}who").json["email"] == "ann"
    cookies = {c.path: c.value for c in browser._cookies.values() if c.key == COOKIE}
    assert set(cookies) == {"/", "/plans/"}
    # The session of one app is none of the other.
    assert replay(plans, {COOKIE: cookies["/"]}, prefix="/plans/").who() is None
    assert replay(sales, {COOKIE: cookies["/plans/"]}).who() is None
    browser.post("/plans/logout", data=hidden(browser.get("/plans/logout")))
    assert browser.get("/plans/who").status_code == 302
    assert browser.get("/who").json["email"] == "ann"


def test_apps_on_one_path_with_names_of_their_own(database: Path) -> None:
    one, two = make_app(cookie_name="one"), make_app(cookie_name="two")
    ann = Person(one)
    ann.log_in()
    assert replay(two, {"two": ann.id("one"), "one": ann.id("one")}).who() is None
    assert replay(one, ann.cookies()).who() == "ann"


def test_app_behind_a_proxy_that_strips_the_prefix(database: Path) -> None:
    from dash_users.dash import LoginAuth

    app = dash.Dash(__name__, routes_pathname_prefix="/", requests_pathname_prefix="/sales/")
    LoginAuth(app, Users(limits=Limits(method=METHOD)), secret_key="k")
    app.layout = dash.html.Div()
    client = Client(app.server)
    answer = client.get("/reports?a=1")
    assert answer.location == "/sales/login?next=/sales/reports%3Fa%3D1"
    form = client.get("/login?next=/sales/reports%3Fa%3D1")
    assert 'action="/sales/login"' in form.text
    assert 'href="/sales/_dash_users/style.css"' in form.text
    [cookie] = form.headers.getlist("Set-Cookie")
    assert "Path=/sales/" in cookie
    name, value = cookie.split(";")[0].split("=")
    client.set_cookie(name, value)
    data = {**hidden(form), "username": "ann", "password": GOOD}
    answer = client.post("/login", data=data)
    assert (answer.status_code, answer.location) == (303, "/sales/reports?a=1")


# Callbacks


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"[]",
        b"null",
        b'"x"',
        b"{}",
        b'{"output": null}',
        b'{"output": ["output.children"]}',
        b'{"output": "output.children", "inputs": 5}',
        b'{"output": "output.children", "inputs": [5]}',
        b'{"output": "output.children", "inputs": [[5]]}',
        b'{"output": "output.children", "inputs": [{"property": "value"}]}',
        b'{"output": "output.children", "inputs": [{"id": "input", "property": 5}]}',
        b'{"output": "output.children", "outputs": 5, "inputs": []}',
        b'{"output": "output.children", "outputs": [[5]], "inputs": []}',
        b'{"output": "output.children", "inputs": [], "changedPropIds": 5}',
        b'{"output": "output.children", "inputs": [], "changedPropIds": [[]]}',
        b'{"output": "output.children", "inputs": [], "state": {}}',
        b"[" * 100_000,
        b'{"output": "\\ud800", "inputs": []}',
        b"\xff\xfe",
    ],
)
def test_malformed_callbacks(ann: Person, app: dash.Dash, body: bytes) -> None:
    for content_type in ("application/json", "text/plain"):
        options = {"data": body, "content_type": content_type}
        assert Person(app).post("_dash-update-component", **options).status_code == 401
        if b"ud800" not in body:
            assert ann.post("_dash-update-component", **options).status_code == 400


INPUT = CALLBACK["inputs"][0]


@pytest.mark.parametrize(
    "changes",
    [
        {"output": "other.children"},
        {"output": ""},
        {"output": "..output.children.."},
        {"inputs": []},
        {"inputs": [INPUT, INPUT]},
        {"state": [INPUT]},
        {"outputs": [CALLBACK["outputs"], CALLBACK["outputs"]]},
        {"outputs": {"id": "other", "property": "children"}},
        {"outputs": None},
        {"inputs": [[INPUT]]},
        {"inputs": [{"id": "other", "property": "other", "value": "x"}]},
        {"changedPropIds": ["other.value"]},
        {"changedPropIds": ["no point"]},
        {"inputs": [{**INPUT, "id": {"type": "a", "index": "ALL"}}]},
    ],
)
def test_callbacks_that_do_not_fit_the_app(
    ann: Person, app: dash.Dash, changes: dict[str, Any]
) -> None:
    """Refused, or run as it is declared: an error of the server would fill the log."""
    body = {**CALLBACK, **changes}
    assert Person(app).callback(body).status_code == 401
    assert ann.callback(body).status_code in (200, 400)


def test_large_callbacks_are_not_read_without_a_session(ann: Person, app: dash.Dash) -> None:
    large = {**CALLBACK, "inputs": [{**CALLBACK["inputs"][0], "value": "x" * 1_100_000}]}
    nobody = Person(app)
    assert nobody.callback(large).status_code == 413
    chunked = {"Transfer-Encoding": "chunked"}
    answer = nobody.post("_dash-update-component", json=CALLBACK, headers=chunked)
    assert answer.status_code == 411
    assert ann.callback(large).status_code == 200
    app.server.config["MAX_CONTENT_LENGTH"] = 2_000_000
    assert nobody.callback(large).status_code == 401


CLAIMS = [
    {"id": "url", "property": "pathname", "value": "/public/who"},
    {"id": "input", "property": "pathname", "value": "/public/who"},
]


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("others", [[], CALLBACK["inputs"]])
def test_claimed_public_path_runs_no_callback(
    app: dash.Dash, claim: dict[str, str], others: list[Any]
) -> None:
    """What BasicAuth of dash_auth 2.3.0 runs for anyone."""
    for inputs in ([claim, *others], [*others, claim], [[claim], *others]):
        answer = Person(app).callback({**CALLBACK, "inputs": inputs})
        assert answer.status_code == 401


def test_concurrent_requests_while_a_session_ends(ann: Person, app: dash.Dash) -> None:
    """Once the logout is answered, no request of the session is."""
    copied = ann.cookies()
    stop = threading.Event()
    late: list[int] = []

    def ask() -> None:
        while not stop.is_set():
            was_over = over.is_set()
            if replay(app, copied).get("who").status_code == 200 and was_over:
                late.append(1)

    over = threading.Event()
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    ann.log_out()
    over.set()
    time.sleep(0.2)
    stop.set()
    for thread in threads:
        thread.join()
    assert late == []
    assert json.loads(replay(app, copied).get("public/who").text) is None
