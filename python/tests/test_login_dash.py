"""The login page beside what Dash and dash_auth do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import dash
import dash_auth
import pytest
from conftest import BETTER, GOOD, METHOD, add, execute, run
from dash import ALL, MATCH, Input, Output, State, dcc, html
from dash._get_app import app_context
from login_client import CALLBACK, SECRET, Person, load, make_app, replay

from dash_users import Limits, Users
from dash_users.dash import LoginAuth

SESSIONS = "users.db-sessions"


def body_of(output: str, outputs: Any, *inputs: Any) -> dict[str, Any]:
    return {"output": output, "outputs": outputs, "inputs": list(inputs), "changedPropIds": []}


@pytest.fixture
def app(database: Path) -> dash.Dash:
    app = make_app(public_routes=["/public", "/public/<page>"])

    @dash_auth.public_callback(Output("open", "children"), Input("value", "value"))
    def public(value: str) -> str:
        user = dash_auth.list_groups()
        return f"open {value} {user}"

    @dash_auth.protected_callback(
        Output("secret", "children"),
        Input("value", "value"),
        groups=["admins"],
        missing_permissions_output="only for admins",
    )
    def protected(value: str) -> str:
        return f"secret {value}"

    @app.callback(Output("content", "children"), Input("url", "pathname"), State("value", "value"))
    def route(pathname: str, _value: str) -> str:
        return "page " + pathname.replace("/", ":")

    @app.callback(
        Output({"type": "row", "index": MATCH}, "children"),
        Input({"type": "cell", "index": ALL}, "value"),
    )
    def rows(cells: list[str]) -> str:
        return ",".join(cells)

    @app.callback(Output("file", "data"), Input("value", "value"))
    def download(value: str) -> dict[str, Any]:
        return dcc.send_string(f"for {value}", "report.txt")

    return app


VALUE = {"id": "value", "property": "value", "value": "x"}
PUBLIC = body_of("open.children", {"id": "open", "property": "children"}, VALUE)
PROTECTED = body_of("secret.children", {"id": "secret", "property": "children"}, VALUE)


def routed(*paths: object) -> dict[str, Any]:
    inputs = [{"id": "url", "property": "pathname", "value": path} for path in paths]
    body = body_of("content.children", {"id": "content", "property": "children"}, *inputs)
    return {**body, "state": [VALUE]}


def test_public_callback_runs_for_anyone(app: dash.Dash) -> None:
    nobody = Person(app)
    assert "open x None" in nobody.callback(PUBLIC).text
    nobody.log_in()
    assert "open x []" in nobody.callback(PUBLIC).text


def test_malformed_public_callback(app: dash.Dash) -> None:
    """Dash itself would fail, and write a traceback to the log at each request."""
    nobody = Person(app)
    for changes in (
        {"inputs": []},
        {"inputs": [VALUE, VALUE]},
        {"inputs": [{"id": "value"}]},
        {"state": [VALUE]},
        {"outputs": "x"},
        {"changedPropIds": None},
    ):
        assert nobody.callback({**PUBLIC, **changes}).status_code == 401, changes


def test_output_with_dots_in_its_id(app: dash.Dash) -> None:
    """Dash escapes them in the name of the callback."""
    component = {"type": "a.b", "index": 1.5}

    @app.callback(Output(component, "children"), Input("value", "value"))
    def show(value: str) -> str:
        return f"shown {value}"

    ann = Person(app)
    ann.log_in()
    output = '{"index":1\\.5,"type":"a\\.b"}.children'
    body = body_of(output, {"id": component, "property": "children"}, VALUE)
    assert "shown x" in ann.callback(body).text


def test_groups_of_protected_callback(app: dash.Dash) -> None:
    ann = Person(app)
    assert ann.callback(PROTECTED).status_code == 401
    ann.log_in()
    assert "only for admins" in ann.callback(PROTECTED).text
    run("group", "add", "ann", "admins")
    assert "secret x" in ann.callback(PROTECTED).text
    run("group", "remove", "ann", "admins")
    assert "only for admins" in ann.callback(PROTECTED).text


def test_routing_callback_runs_for_public_paths(app: dash.Dash) -> None:
    nobody = Person(app)
    assert "page :public" in nobody.callback(routed("/public")).text
    assert "page :public:a" in nobody.callback(routed("/public/a")).text
    for paths in ([None], ["/"], ["/private"], [["/public"]], [5], ["/public", "/private"], []):
        assert nobody.callback(routed(*paths)).status_code == 401, paths
    # Inputs and states are passed on together.
    shifted = {**routed("/public"), "inputs": [], "state": routed("/private")["inputs"] + [VALUE]}
    assert nobody.callback(shifted).status_code == 401
    swapped = {**routed("/public"), "state": []}
    assert nobody.callback(swapped).status_code == 401
    nobody.log_in()
    assert "page :private" in nobody.callback(routed("/private")).text


def test_first_request_of_a_process_may_be_a_callback(database: Path) -> None:
    app = make_app(public_routes=["/public"])

    @dash.callback(Output("content", "children"), Input("url", "pathname"), State("value", "value"))
    def route(pathname: str, _value: str) -> str:
        return "page " + pathname.replace("/", ":")

    assert "page :public" in Person(app).callback(routed("/public")).text


def test_public_paths_are_below_the_prefix(database: Path) -> None:
    app = make_app(prefix="/sales/", public_routes=["/public/who"])
    nobody = Person(app, prefix="/sales/")
    assert nobody.get("public/who").status_code == 200
    assert nobody.get("who").status_code == 302
    assert Person(app, prefix="/sales/public/").get("sales/public/who").status_code == 302


def test_pattern_matching_callback_and_download(app: dash.Dash) -> None:
    ann = Person(app)
    cell = {"id": {"type": "cell", "index": 0}, "property": "value", "value": "x"}
    match = body_of(
        '{"index":["MATCH"],"type":"row"}.children',
        {"id": {"type": "row", "index": 1}, "property": "children"},
        [cell, {**cell, "value": "y"}],
    )
    download = body_of("file.data", {"id": "file", "property": "data"}, VALUE)
    for body in (match, download):
        assert ann.callback(body).status_code == 401
    ann.log_in()
    assert "x,y" in ann.callback(match).text
    assert "report.txt" in ann.callback(download).text


def test_background_callback(database: Path) -> None:
    """Its requests are those of other callbacks, with parameters."""
    app = make_app()
    ann = Person(app)
    for query in ("?cacheKey=x&job=1", "?cancelJob=1"):
        answer = ann.post(f"_dash-update-component{query}", json=CALLBACK)
        assert answer.status_code == 401
    ann.log_in()
    assert ann.post("_dash-update-component?cacheKey=x", json=CALLBACK).status_code == 200


def test_protected_layout_of_a_public_page(app: dash.Dash) -> None:
    """`protected` sees who is logged in, not what the browser says."""
    page = dash_auth.protected("log in", groups=["staff"], missing_permissions_output="others")

    app.layout = lambda: html.Div(page(lambda: "for staff")())
    ann = Person(app)
    assert "log in" in ann.get("_dash-layout").text
    ann.log_in()
    assert "others" in ann.get("_dash-layout").text
    copied = ann.cookies()
    run("group", "add", "ann", "staff")
    assert "for staff" in ann.get("_dash-layout").text
    copied = ann.cookies()
    run("lock", "ann")
    assert "log in" in replay(app, copied).get("_dash-layout").text


def test_registered_page_at_a_path_of_ours(database: Path) -> None:
    app = dash.Dash(__name__, use_pages=True, pages_folder="")
    try:
        dash.register_page("mine", path="/login", layout=html.Div())
        with pytest.raises(ValueError, match=r"/login.*paths="):
            LoginAuth(app, Users(), secret_key=SECRET)
        LoginAuth(app, Users(), secret_key=SECRET, paths={"login": "/sign-in"})
        assert Person(app).get("sign-in").status_code == 200
    finally:
        dash.page_registry.clear()


@pytest.fixture
def pages(database: Path) -> Iterator[Callable[[], dash.Dash]]:
    """Makes an app with a page, as each process of a server does."""

    def layout() -> html.Div:
        import flask

        return html.Div(f"for {flask.session['user']['email']}")

    def make() -> dash.Dash:
        app_context.set(None)
        dash.page_registry.clear()
        app = dash.Dash(__name__, use_pages=True, pages_folder="")
        dash.register_page("home", path="/", layout=layout)
        dash.register_page("open", path="/open", layout=html.Div("open to all"))
        LoginAuth(
            app,
            Users(limits=Limits(method=METHOD)),
            secret_key=SECRET,
            public_routes=["/open"],
        )
        app.layout = html.Div(dash.page_container)
        app.config.suppress_callback_exceptions = True
        return app

    yield make
    dash.page_registry.clear()


def routed_page(path: str) -> dict[str, Any]:
    """The request of Dash for the content of a page."""
    outputs = [
        {"id": "_pages_content", "property": "children"},
        {"id": "_pages_store", "property": "data"},
    ]
    location = {"id": "_pages_location"}
    return body_of(
        ".._pages_content.children..._pages_store.data..",
        outputs,
        {**location, "property": "pathname", "value": path},
        {**location, "property": "search", "value": ""},
    )


def test_first_request_of_a_process_may_be_for_a_page(pages: Callable[[], dash.Dash]) -> None:
    """Dash declares the callback of its pages at the first request."""
    assert "open to all" in Person(pages()).callback(routed_page("/open")).text
    app = pages()
    assert Person(app).callback(routed_page("/")).status_code == 401
    ann = Person(app)
    ann.log_in()
    for process in (app, pages()):
        assert "for ann" in replay(process, ann.cookies()).callback(routed_page("/")).text


def test_login_page_calls_no_layout(pages: Callable[[], dash.Dash]) -> None:
    """Dash calls all of them at the first request, and one may need a user."""
    app = pages()
    app.config.suppress_callback_exceptions = False
    ann = Person(app)
    assert ann.get("login").status_code == 200
    ann.log_in()
    assert ann.get().status_code == 200


def test_hooks_of_the_app_see_the_current_user(database: Path) -> None:
    import flask

    app = dash.Dash(__name__)
    seen: list[object] = []
    app.server.before_request(lambda: seen.append(flask.session.get("user")))
    LoginAuth(app, Users(limits=Limits(method=METHOD)), secret_key=SECRET)
    app.layout = html.Div()
    ann = Person(app)
    ann.log_in()
    ann.get()
    assert seen[-1]["email"] == "ann"
    copied = ann.cookies()
    ann.log_out()
    before = len(seen)
    replay(app, copied).get()
    # The request was refused before the hook ran.
    assert seen[before:] == []


def test_jupyter_may_ask_whether_the_app_runs(app: dash.Dash) -> None:
    assert Person(app).get("_alive_token").status_code == 200


# Changing from BasicAuth and back


def basic_app(users: Users) -> dash.Dash:
    app = dash.Dash(__name__)
    dash_auth.BasicAuth(
        app, auth_func=users.auth_func, user_groups=users.user_groups, secret_key=SECRET
    )
    app.layout = html.Div()
    return app


def test_from_basic_auth_to_the_login_page_and_back(database: Path) -> None:
    """On the same database, while another instance runs."""

    def users() -> Users:
        return Users(limits=Limits(method=METHOD))

    def basic(app: dash.Dash, password: str = GOOD) -> int:
        return app.server.test_client().get("/", auth=("ann", password)).status_code

    old = basic_app(users())
    assert basic(old) == 200
    new = make_app(users())
    ann = Person(new)
    ann.log_in()
    assert (ann.who(), basic(old)) == ("ann", 200)
    # A login of one is none of the other.
    assert new.server.test_client().get("/who", auth=("ann", GOOD)).status_code == 302
    again = basic_app(users())
    for app in (old, again):
        assert basic(app) == 200
        assert replay(app, ann.cookies()).get().status_code == 401
    run("passwd", "ann", "--password-stdin", password=BETTER)
    assert [basic(old), basic(again), ann.who()] == [401, 401, None]
    assert basic(old, BETTER) == 200


# Load


def test_load(database: Path) -> None:
    names = [f"user{number}" for number in range(4)]
    for name in names:
        add(name)
    left = load([make_app(lifetime=timedelta(hours=1)) for _ in range(2)], names)
    [(stored,)] = execute("SELECT count(*) FROM dash_users_sessions", database=SESSIONS)
    assert stored == left
    assert execute("PRAGMA integrity_check", database=SESSIONS) == [("ok",)]
    execute(
        "UPDATE dash_users_sessions SET expires_at = '2001-01-01T00:00:00.000Z'", database=SESSIONS
    )
    # The next login of a new process removes them.
    Person(make_app()).log_in()
    [(stored,)] = execute("SELECT count(*) FROM dash_users_sessions", database=SESSIONS)
    assert stored == 1
