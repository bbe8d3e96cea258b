"""The cookies of an app."""

from __future__ import annotations

import logging
import re

import flask

LOGGER = logging.getLogger("dash_users")
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
LOCAL = re.compile(r"(localhost|.*\.localhost|127\.[0-9.]+|\[::1\])(:[0-9]+)?")
# Of one name. Each of them costs a query.
MAX_COOKIES = 8


class Cookie:
    """A cookie, which JavaScript cannot read and other sites cannot send with their forms."""

    def __init__(self, name: str, path: str) -> None:
        self._name = name
        self._path = path

    def name(self) -> str:
        # With this prefix, no other host of the domain can set it.
        host_only = flask.request.is_secure and self._path == "/"
        return f"__Host-{self._name}" if host_only else self._name

    def values(self) -> list[str]:
        """All values: a cookie for `/` is also sent to `/app/`, which has its own."""
        return flask.request.cookies.getlist(self.name())[:MAX_COOKIES]

    def set(self, response: flask.Response, value: str) -> None:
        response.set_cookie(
            self.name(),
            value,
            path=self._path,
            secure=flask.request.is_secure,
            httponly=True,
            samesite="Lax",
        )

    def delete(self, response: flask.Response) -> None:
        response.delete_cookie(
            self.name(),
            path=self._path,
            secure=flask.request.is_secure,
            httponly=True,
            samesite="Lax",
        )


def warn_about_http() -> bool:
    """Logs a warning if passwords and cookies are sent in the clear. Returns whether it did."""
    request = flask.request
    if request.is_secure or LOCAL.fullmatch(request.host):
        return False
    if request.headers.get("X-Forwarded-Proto") == "https":
        LOGGER.warning(
            "the proxy says HTTPS, but nothing evaluates it, so cookies are not Secure: "
            "wrap app.server.wsgi_app in werkzeug.middleware.proxy_fix.ProxyFix"
        )
    else:
        LOGGER.warning("logins are sent over plain HTTP, where others can read them: use HTTPS")
    return True
