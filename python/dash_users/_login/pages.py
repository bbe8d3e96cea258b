"""The pages, as views of Flask."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import flask
from flask import Response
from werkzeug.urls import iri_to_uri

from .._errors import Busy, Error, Limited, WeakPassword, WrongPassword
from . import keys
from .cookies import warn_about_http
from .sessions import Current
from .urls import is_inside

if TYPE_CHECKING:
    from ..dash import LoginAuth

LOGGER = logging.getLogger("dash_users")

# Of a form.
MAX_BYTES = 16 * 1024
BUSY_S = 5

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Vary": "Accept-Language, Cookie",
}
# What a 401 must have. No browser knows it, so none asks for a password by itself.
CHALLENGE = {"WWW-Authenticate": 'Session realm="login"'}


class Pages:
    """The pages of an app."""

    def __init__(
        self, auth: LoginAuth, paths: Mapping[str, str], texts: dict[str, dict[str, str]]
    ) -> None:
        self._auth = auth
        self._paths = paths
        self._texts = texts
        self._is_warned = False
        # The app's own templates with these names come first.
        self.blueprint = flask.Blueprint(
            "dash_users", __name__, template_folder="templates", url_prefix=auth.routes_prefix
        )
        rule = self.blueprint.add_url_rule
        rule(paths["login"], "login", self._login, methods=["GET", "POST"])
        rule(paths["logout"], "logout", self._logout, methods=["GET", "POST"])
        if "password" in paths:
            rule(paths["password"], "password", self._password, methods=["GET", "POST"])
        self.blueprint.register_error_handler(Error, auth.unavailable)
        rule("/_dash_users/style.css", "style", self._style)
        rule("/_dash_users/session.js", "script", self._script)

    def url(self, page: str) -> str:
        return self._auth.prefix + self._paths[page].lstrip("/")

    def file_url(self, name: str) -> str:
        return f"{self._auth.prefix}_dash_users/{name}"

    def text(self) -> tuple[str, dict[str, str]]:
        """The language of the browser, and its texts."""
        languages = list(self._texts)
        language = flask.request.accept_languages.best_match(languages) or languages[0]
        return language, self._texts[language]

    # Views

    def _login(self) -> Response:
        form, problem = self._form(self._auth.form_cookie.values())
        target = form.get("next", "") if form else flask.request.args.get("next", "")
        target = self._safe(target)
        current = self._auth.current()
        if flask.request.method != "POST":
            if current is not None:
                return self.redirect(target)
            note = "logged_out" if "logged-out" in flask.request.args else None
            return self._login_form(target, note=note)
        username = form.get("username", "")
        if problem is not None:
            return self._login_form(target, username, 400, problem)
        password = form.get("password", "")
        try:
            refusal, verified = self._auth.users._verified(username, password)
            # With the spelling that is stored.
            user = self._auth.users.get(username) if refusal is None else None
        except Busy:
            return self._login_form(target, username, 503, "busy", wait=BUSY_S)
        if refusal is not None and refusal.retry_after is not None:
            return self._login_form(target, username, 429, "limited", wait=refusal.retry_after)
        session_id = self._auth.sessions.start(user.username, verified) if user else None
        if session_id is None:
            return self._login_form(target, username, 401, "wrong")
        self._auth.sessions.end(self._auth.cookie.values())
        flask.session.clear()
        response = self.redirect(target)
        self._auth.cookie.set(response, session_id)
        return response

    def _login_form(
        self,
        target: str,
        username: str = "",
        status: int = 200,
        problem: str | None = None,
        note: str | None = None,
        wait: float | None = None,
    ) -> Response:
        self._is_warned = self._is_warned or warn_about_http()
        # Before a login, the form belongs to a cookie of its own.
        cookie = next(iter(self._auth.form_cookie.values()), "")
        if not keys.ID.fullmatch(cookie):
            cookie = keys.new_id()
        response = self._page(
            "login",
            status,
            problem,
            note,
            wait,
            action=self.url("login"),
            csrf=self._auth.keys.form_token(cookie),
            next=target,
            username=username if len(username) <= 255 else "",
        )
        self._auth.form_cookie.set(response, cookie)
        return response

    def _logout(self) -> Response:
        ids = self._auth.cookie.values()
        if not ids:
            return self.redirect(self.url("login"))
        form, problem = self._form(ids)
        is_own = flask.request.headers.get("Sec-Fetch-Site") == "same-origin"
        # A button in a layout may know no token.
        without_token = problem is not None and "csrf" not in form
        if flask.request.method == "POST" and (problem is None or (without_token and is_own)):
            flask.session.clear()
            try:
                self._auth.sessions.end(ids)
                response = self.redirect(self.url("login") + "?logged-out")
            except Error as error:
                # A copy of the cookie still counts, but this browser has none.
                response = self._auth.unavailable(error)
            self._auth.cookie.delete(response)
            return response
        current = self._auth.current()
        return self._page(
            "logout",
            200 if problem is None or without_token else 400,
            None if without_token else problem,
            action=self.url("logout"),
            csrf=self._auth.keys.form_token(ids[0]),
            username=current.session.username if current else "",
        )

    def _password(self) -> Response:
        current = self._auth.current()
        if current is None:
            return self.redirect(self.login_url(self.url("password")))
        form, problem = self._form([current.id])
        if flask.request.method != "POST":
            return self._password_form(current)
        if problem is not None:
            return self._password_form(current, 400, problem)
        if form.get("new_password", "") != form.get("new_password_again", ""):
            return self._password_form(current, 400, "different")
        return self._change(current, form.get("password", ""), form.get("new_password", ""))

    def _change(self, current: Current, old: str, new: str) -> Response:
        username = current.session.username
        users = self._auth.users
        try:
            users._change_password(username, old, new, actor=username)
            # With the new hash, in the session to come.
            refusal, verified = users._verified(username, new)
        except WrongPassword:
            return self._password_form(current, 400, "wrong_password")
        except WeakPassword:
            return self._password_form(current, 400, "weak")
        except Limited as limited:
            return self._password_form(current, 429, "limited", wait=limited.retry_after)
        except Busy:
            return self._password_form(current, 503, "busy", wait=BUSY_S)
        except Error as error:
            if error.code not in ("invalid_data", "usage"):
                raise
            return self._password_form(current, 400, "weak")
        self._auth.sessions.end_user(username)
        session_id = self._auth.sessions.start(username, verified) if refusal is None else None
        if session_id is None:
            return self.redirect(self.login_url(""))
        response = self._page("password", 200, note="changed", done=True)
        self._auth.cookie.set(response, session_id)
        return response

    def _password_form(
        self,
        current: Current,
        status: int = 200,
        problem: str | None = None,
        wait: float | None = None,
    ) -> Response:
        return self._page(
            "password",
            status,
            problem,
            None,
            wait,
            action=self.url("password"),
            csrf=self._auth.keys.form_token(current.id),
            username=current.session.username,
            done=False,
        )

    def _style(self) -> Response:
        return self._file("style.css", "text/css")

    def _script(self) -> Response:
        return self._file("session.js", "text/javascript")

    def _file(self, name: str, content_type: str) -> Response:
        response = Response(
            flask.render_template(f"dash_users/{name}"),
            content_type=f"{content_type}; charset=utf-8",
        )
        response.headers["Cache-Control"] = "public, max-age=300"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    # Parts

    def _form(self, cookies: list[str]) -> tuple[Mapping[str, str], str | None]:
        """The fields that were sent, and the problem with them.

        Other sites can neither read the token of one of the cookies, nor set the cookie.
        """
        request = flask.request
        if request.method != "POST":
            return {}, None
        check_length(MAX_BYTES)
        # Browsers say so, on HTTPS and on localhost.
        is_foreign = request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
        token = request.form.get("csrf", "")
        if not is_foreign and any(self._auth.keys.is_form_token(token, id) for id in cookies):
            return request.form, None
        return request.form, "old_form"

    def _page(
        self,
        page: str,
        status: int,
        problem: str | None = None,
        note: str | None = None,
        wait: float | None = None,
        **values: Any,
    ) -> Response:
        language, text = self.text()
        seconds = max(1, math.ceil(wait)) if wait is not None else 0
        html = flask.render_template(
            f"dash_users/{page}.html",
            language=language,
            text=text,
            app_title=self._auth.title,
            stylesheet=self.file_url("style.css"),
            home=self._auth.prefix,
            error=text[problem].format(seconds=seconds) if problem else None,
            note=text[note] if note else None,
            **values,
        )
        response = Response(html, status=status)
        response.headers.update(HEADERS)
        response.headers["Content-Language"] = language
        if status == 401:
            response.headers.update(CHALLENGE)
        if wait is not None:
            response.headers["Retry-After"] = str(seconds)
        return response

    def unavailable(self) -> Response:
        """The page for when users or sessions cannot be read."""
        return self._page("unavailable", 503, wait=BUSY_S)

    def login_url(self, target: str) -> str:
        """Where a page without a session leads. `target` is where to go after the login."""
        query = f"?next={quote(target, safe='/')}" if target else ""
        return self.url("login") + query

    def _safe(self, target: str) -> str:
        own = [self.url(page) for page in ("login", "logout")]
        if is_inside(target, self._auth.prefix) and target.split("?")[0] not in own:
            return target
        return self._auth.prefix

    def redirect(self, target: str) -> Response:
        """Leads to a path that was checked. It is encoded once more, so it cannot be a header."""
        status = 303 if flask.request.method == "POST" else 302
        response = Response(status=status, headers=HEADERS)
        response.headers["Location"] = iri_to_uri(target)
        return response


def check_length(limit: int) -> None:
    """Refuses a request whose body has more bytes, without reading it."""
    request = flask.request
    if "Transfer-Encoding" in request.headers:
        refused = Response("the length of the request is missing", 411)
    elif (request.content_length or 0) > limit:
        refused = Response(f"the request has more than {limit} bytes", 413)
    else:
        return
    refused.content_type = "text/plain"
    refused.headers.update(HEADERS)
    flask.abort(refused)
