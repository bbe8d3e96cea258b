"""A login page for Dash apps, with sessions that can be ended.

from dash_users import Users
from dash_users.dash import LoginAuth

LoginAuth(app, Users(), secret_key=…)
"""

from __future__ import annotations

import json
import logging
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import dash
import flask
from dash import dcc, html
from dash_auth.auth import Auth
from dash_auth.public_routes import (
    PUBLIC_CALLBACKS,
    PUBLIC_ROUTES,
    get_public_callbacks,
    get_public_routes,
)

from ._login import callbacks, pages, times, urls
from ._login.cookies import NAME, Cookie
from ._login.keys import Keys
from ._login.sessions import Current, LiveSessions
from ._login.store import MemorySessions, Sessions, SqliteSessions
from ._login.texts import with_changes
from ._sqlite import SqliteReader
from ._users import Users

__all__ = ["LoginAuth", "change_password_link", "current_user", "logout_button"]

LOGGER = logging.getLogger("dash_users")

PATHS = {"login": "/login", "logout": "/logout", "password": "/account/password"}
CONFIG = "DASH_USERS_LOGIN_AUTH"
TWO_LOGINS = "the app has another login: use either LoginAuth or BasicAuth, once"
CURRENT_USER = "dash_users_current_user"
# Of a callback without a session, unless the app sets Flask's MAX_CONTENT_LENGTH.
MAX_BYTES = 1024 * 1024
# Beyond, the end of a session could be after the last date of Python.
MAX_LIFETIME = timedelta(days=36500)
PATH_SAFE = "/:@!$&'()*+,;=~"


class LoginAuth(Auth):  # type: ignore[misc]
    """Protects an app by a login page, in place of `dash_auth.BasicAuth`.

    `secret_key` is that of Flask, which is kept if it is set already. Another key ends all sessions.
    A session ends after `lifetime`, or after `idle` without a request. `sessions` is the file of
    the sessions: by default `NAME-sessions` beside a SQLite file `NAME`, or a table beside that of
    the users in PostgreSQL. `":memory:"` is for tests.

    `paths` moves the pages: `{"login": "/sign-in"}`, likewise `logout` and `password`.
    `change_password` is whether people can change their own password; by default, if the app may
    write to the users. Two apps on the same path of a host, or on two ports of it, need different
    `cookie_name`s. `texts` replaces texts of the pages, and templates and colors are replaced by
    files in `templates/dash_users` of the app. `public_routes` is as for `BasicAuth`.
    """

    def __init__(
        self,
        app: dash.Dash,
        users: Users,
        *,
        secret_key: str | bytes | None = None,
        lifetime: timedelta = timedelta(hours=12),
        idle: timedelta | None = timedelta(hours=1),
        sessions: str | os.PathLike[str] | None = None,
        paths: Mapping[str, str] | None = None,
        cookie_name: str = "dash_users_session",
        change_password: bool | None = None,
        texts: Mapping[str, Mapping[str, str]] | None = None,
        public_routes: Sequence[str] | None = None,
    ) -> None:
        server = app.server
        if not isinstance(server, flask.Flask):
            raise TypeError("LoginAuth needs Flask as Dash's backend")
        for limit in (lifetime, idle):
            if limit is not None and not timedelta(0) < limit <= MAX_LIFETIME:
                raise ValueError("lifetime and idle must be longer than nothing, up to 100 years")
        if not NAME.fullmatch(cookie_name):
            raise ValueError("cookie_name must be letters, digits, _ and -")
        if is_protected(server):
            raise ValueError(TWO_LOGINS)
        key = secret_key or server.secret_key
        if not key:
            raise ValueError("secret_key is missing: see the documentation of Flask's SECRET_KEY")
        self.users = users
        # What browsers request, and what the server gets of it.
        self.prefix: str = app.config.requests_pathname_prefix
        self.routes_prefix: str = app.config.routes_pathname_prefix
        self.keys = Keys(key, self.prefix, cookie_name)
        self.cookie = Cookie(cookie_name, self.prefix)
        self.form_cookie = Cookie(f"{cookie_name}_form", self.prefix)
        self.sessions = LiveSessions(users, sessions_of(users, sessions), self.keys, lifetime, idle)
        paths = checked_paths(paths or {})
        if change_password is None:
            change_password = can_change(users)
        if not change_password:
            del paths["password"]
        self._pages = pages.Pages(self, paths, with_changes(texts or {}))
        self._check_routes(app, [*paths.values()])
        self._own_paths = list(paths.values())
        self._checked = False
        self._logging = times.OnceAMinute()
        server.secret_key = key
        server.config[CONFIG] = self
        super().__init__(app, public_routes=None if public_routes is None else [*public_routes])
        server.register_blueprint(self._pages.blueprint)
        self._add_script()
        self._add_current_user()

    @property
    def title(self) -> str:
        return str(self.app.title)

    def url(self, page: str) -> str:
        """The address of a page: `login`, `logout` or `password`."""
        return self._pages.url(page)

    def current(self) -> Current | None:
        """The session of the current request."""
        current: Current | None = flask.g.get("dash_users_current")
        return current

    # What dash_auth.Auth wants

    def _protect(self) -> None:
        # First, so that the app's own hooks never see the user of an ended session.
        hooks = self.app.server.before_request_funcs
        others = hooks.get(None, [])
        self._hooks_of_dash = [hook for hook in others if is_of_dash(hook)]
        others = [self._unless_own(hook) if is_of_dash(hook) else hook for hook in others]
        hooks[None] = OneLogin([self._before_request, *others])
        self.app.server.after_request(self._after_request)

    def _unless_own(self, hook: Callable[[], Any]) -> Callable[[], Any]:
        """A hook of Dash, but not for our pages: it calls layouts, which may need a user."""

        def run() -> Any:
            own = flask.g.get("dash_users_own")
            return None if own else self.app.server.ensure_sync(hook)()

        return run

    def is_authorized(self) -> bool:
        return self.current() is not None

    def login_request(self) -> flask.Response:
        """The answer to a request without a session."""
        request, path = flask.request, self._path()
        is_page = request.method in ("GET", "HEAD") and not path.startswith("/_")
        if is_page and request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate":
            return self._pages.redirect(self._pages.login_url(self._requested()))
        return flask.Response(
            "log in first", 401, {**pages.CHALLENGE, "Cache-Control": "no-store"}, "text/plain"
        )

    # Requests

    def _path(self) -> str:
        """The path of the request, relative to the app's prefix if it is below."""
        path = flask.request.path
        return urls.below(path, self.routes_prefix) or path

    def _requested(self) -> str:
        """The address of the request, as the browser knows it."""
        request = flask.request
        relative = urls.below(request.path, self.routes_prefix)
        query = request.query_string.decode("latin-1")
        path = self.prefix + quote((relative or request.path).lstrip("/"), safe=PATH_SAFE)
        return f"{path}?{query}" if query else path

    def _before_request(self) -> flask.Response | None:
        """Sets the user of each request, before anything else runs, and refuses it without one."""
        self._check_app()
        path = self._path()
        problem: Exception | None = None
        current = None
        try:
            current = self.sessions.find(self.cookie.values())
        # A lookup of the app may raise anything.
        except Exception as error:  # noqa: BLE001
            problem = error
        flask.g.dash_users_current = current
        self._set_user(current, keep=problem is not None)
        if flask.request.blueprint == self._pages.blueprint.name:
            flask.g.dash_users_own = True
            # Sessions can end without their user.
            is_password = flask.request.endpoint == "dash_users.password"
            return self.unavailable(problem) if problem and is_password else None
        if flask.request.path == f"{self.routes_prefix}_dash-update-component":
            return self._callback(current, problem)
        # Jupyter asks whether the app is alive.
        is_public = path.startswith("/_alive_") or get_public_routes(self.app).test(path)
        if current is not None or is_public:
            return None
        return self.login_request() if problem is None else self.unavailable(problem)

    def _callback(
        self, current: Current | None, problem: Exception | None
    ) -> flask.Response | None:
        if current is None and self.app.server.config.get("MAX_CONTENT_LENGTH") is None:
            pages.check_length(MAX_BYTES)
        try:
            body: Any = flask.request.get_json(silent=True)
        except RecursionError:
            body = None
        callback = callbacks.declared(self.app, body)
        if callback is None and (current is not None or PUBLIC_ROUTES in self.app.server.config):
            # Dash declares callbacks of its own at the first request, which may be for one of them.
            for hook in self._hooks_of_dash:
                self.app.server.ensure_sync(hook)()
            callback = callbacks.declared(self.app, body)
        if current is not None:
            return None if callback else flask.Response("not a callback of this app", 400)
        if callback and callbacks.is_public(self.app, body, callback, self._is_public_path):
            return None
        return self.login_request() if problem is None else self.unavailable(problem)

    def _is_public_path(self, path: str) -> bool:
        """Whether a path in a browser is public."""
        relative = urls.below(path, self.prefix)
        return relative is not None and bool(get_public_routes(self.app).test(relative))

    def _set_user(self, current: Current | None, *, keep: bool) -> None:
        """Sets `session["user"]`, which dash_auth trusts, and removes what a session left."""
        session = flask.session
        before = session.get("user")
        if current is None:
            if "user" in session:
                if keep:
                    del session["user"]
                else:
                    session.clear()
            return
        user = {
            "email": current.session.username,
            "groups": current.account.groups,
            "language": current.account.language,
        }
        if before is not None and not (
            isinstance(before, dict) and before.get("email") == user["email"]
        ):
            session.clear()
        if before != user:
            session["user"] = user

    def unavailable(self, error: Exception) -> flask.Response:
        """The answer if users or sessions cannot be read. Logged once a minute."""
        if self._logging.is_due():
            LOGGER.error("logins cannot be checked: %s", error)
        return self._pages.unavailable()

    def _after_request(self, response: flask.Response) -> flask.Response:
        """Keeps what belongs to a user out of caches."""
        if self.current() is None or flask.g.get("dash_users_own"):
            return response
        if self._path().startswith("/_dash-component-suites/"):
            return response
        control = response.cache_control
        if control.max_age is not None or "ETag" in response.headers:
            control.public = False
            control.private = True
        elif not control.no_store:
            response.headers["Cache-Control"] = "private, no-store"
        return response

    # Set-up

    def _check_app(self) -> None:
        """What can be checked only once the app is complete."""
        if self._checked:
            return
        self._check_pages(self._own_paths)
        self._checked = True

    def _check_routes(self, app: dash.Dash, paths: list[str]) -> None:
        rules = {rule.rule for rule in app.server.url_map.iter_rules()}
        if f"{self.routes_prefix}_dash-layout" not in rules:
            # It will be another server, which this object would not protect.
            raise ValueError("the app has no server yet: call app.init_app(server) first")
        for path in paths:
            if self.routes_prefix + path.lstrip("/") in rules:
                raise taken(path)
        self._check_pages(paths)

    def _check_pages(self, paths: list[str]) -> None:
        for page in dash.page_registry.values():
            if page.get("path") in paths:
                raise taken(page["path"])

    def _add_script(self) -> None:
        """Adds our script to the pages of Dash that are sent to someone with a session."""
        interpolate = self.app.interpolate_index

        def interpolate_index(**values: Any) -> str:
            if self.current() is not None:
                values["scripts"] = self._script() + values.get("scripts", "")
            return str(interpolate(**values))

        self.app.interpolate_index = interpolate_index

    def _script(self) -> str:
        source, login = self._pages.file_url("session.js"), self.url("login")
        return f"<script src={json.dumps(source)} data-login={json.dumps(login)}></script>\n"

    def _add_current_user(self) -> None:
        """Fills in `current_user()`, also in layouts that are no functions."""
        component = {"type": CURRENT_USER, "index": dash.MATCH}
        before = set(self.app.callback_map)

        @self.app.callback(  # type: ignore[untyped-decorator]
            dash.Output(component, "children"), dash.Input(component, "id")
        )
        def show(_id: object) -> str:
            current = self.current()
            return current.session.username if current else ""

        added = [output for output in self.app.callback_map if output not in before]
        public = get_public_callbacks(self.app)
        self.app.server.config[PUBLIC_CALLBACKS] = [*public, *added]


def is_protected(server: flask.Flask) -> bool:
    """Whether the app has a login."""
    hooks = server.before_request_funcs.get(None, [])
    return CONFIG in server.config or any(map(is_of_dash_auth, hooks))


def is_of_dash_auth(hook: object) -> bool:
    return getattr(hook, "__module__", "") == "dash_auth.auth"


def is_of_dash(hook: object) -> bool:
    return getattr(hook, "__module__", "").startswith("dash.")


class OneLogin(list[Any]):
    """The hooks of an app with LoginAuth. Creating BasicAuth, which adds one, fails."""

    def append(self, hook: object) -> None:
        if is_of_dash_auth(hook):
            raise ValueError(TWO_LOGINS)
        super().append(hook)


def taken(path: str) -> ValueError:
    return ValueError(f"the app has a page {path} of its own: move ours with paths=")


def checked_paths(changes: Mapping[str, str]) -> dict[str, str]:
    paths = {**PATHS, **changes}
    if len(paths) != len(PATHS):
        raise ValueError(f"paths has {sorted(changes)}, which must be among {sorted(PATHS)}")
    for path in paths.values():
        if not path.startswith("/") or not urls.is_inside(path, "/") or "<" in path or path == "/":
            raise ValueError(f"paths: {path!r} is not a path of the app")
    if len(set(paths.values())) != len(paths):
        raise ValueError("paths must be different")
    return paths


def sessions_of(users: Users, sessions: str | os.PathLike[str] | None) -> Sessions:
    """Where the sessions are stored."""
    if sessions is not None:
        path = os.fspath(sessions)
        return MemorySessions() if path == ":memory:" else SqliteSessions(os.path.abspath(path))
    reader = users._reader
    if isinstance(reader, SqliteReader):
        return SqliteSessions(f"{os.path.realpath(reader.name)}-sessions")
    if users._database is None:
        raise ValueError("sessions= is missing: the path of a file for the sessions")
    from ._login.postgres import PostgresSessions
    from ._postgres import PostgresReader

    assert isinstance(reader, PostgresReader)  # noqa: S101 - there are three readers
    return PostgresSessions(reader)


def can_change(users: Users) -> bool:
    """Whether the app may write to the users."""
    if users._database is None:
        return False
    reader = users._reader
    if isinstance(reader, SqliteReader):
        path = os.path.realpath(reader.name)
        is_writable = all(os.access(name, os.W_OK) for name in (path, os.path.dirname(path)))
    else:
        from ._login.postgres import can_update

        is_writable = can_update(reader)
    if not is_writable:
        LOGGER.warning(
            "%s is read-only for the app, so there is no page to change passwords: "
            "set change_password=False",
            reader.name,
        )
    return is_writable


# Components of layouts


def current_user(**properties: Any) -> html.Span:
    """Who is logged in, for a layout. The properties are those of `html.Span`."""
    return html.Span(id={"type": CURRENT_USER, "index": uuid.uuid4().hex}, **properties)


def logout_button(label: str | None = None, **properties: Any) -> html.Form:
    """A button that logs out, for a layout. The properties are those of `html.Button`.

    By default, its label is in the language of the browser if the layout is a function.
    """
    auth = _auth()
    fields: list[Any] = [html.Button(label or _text(auth, "log_out"), type="submit", **properties)]
    current = auth.current() if flask.has_request_context() else None
    if current is not None:
        token = auth.keys.form_token(current.id)
        fields.append(dcc.Input(type="hidden", name="csrf", value=token))
    return html.Form(fields, action=auth.url("logout"), method="POST")


def change_password_link(label: str | None = None, **properties: Any) -> html.A:
    """A link to the page where people change their password. The properties are those of `html.A`."""
    auth = _auth()
    return html.A(label or _text(auth, "change_password"), href=auth.url("password"), **properties)


def _auth() -> LoginAuth:
    server = flask.current_app if flask.has_app_context() else dash.get_app().server  # type: ignore[no-untyped-call]
    auth: LoginAuth | None = server.config.get(CONFIG)
    if auth is None:
        raise RuntimeError("create LoginAuth before the layout")
    return auth


def _text(auth: LoginAuth, name: str) -> str:
    if flask.has_request_context():
        return auth._pages.text()[1][name]
    return auth._pages._texts["en"][name]
