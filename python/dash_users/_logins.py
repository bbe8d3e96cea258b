"""The client's address, and the log of failed logins."""

from __future__ import annotations

import json
import logging
import re
import sys

from ._core import Refusal

LOGGER = logging.getLogger("dash_users")

ADDRESS = re.compile(r"[0-9A-Fa-f.:]{1,45}(%[0-9A-Za-z._-]{1,32})?")

# The most names that are remembered for warnings.
MAX_WARNED = 1000


def client_address() -> str | None:
    """The address of the client of the current request in Flask, if there is one."""
    flask = sys.modules.get("flask")
    if flask is None or not flask.has_request_context():
        return None
    address: str | None = flask.request.remote_addr
    return address


class Log:
    """What one `Users` object has logged."""

    def __init__(self) -> None:
        self._unusable: set[object] = set()
        self._forwarded = False

    def failed(self, username: object, address: str | None, refusal: Refusal) -> None:
        """Logs a failed login, in the format that fail2ban is documented to read."""
        if refusal.reason == "unusable":
            self._warn(username, refusal.detail)
        LOGGER.info(
            "login failed: address=%s user=%s reason=%s",
            shown(address),
            quoted(username),
            refusal.reason,
        )
        if not self._forwarded and address and is_forwarded():
            self._forwarded = True
            LOGGER.warning(
                "requests have X-Forwarded-For, but all count as from %s, the proxy: "
                "wrap app.server.wsgi_app in werkzeug.middleware.proxy_fix.ProxyFix",
                shown(address),
            )

    def _warn(self, username: object, detail: str | None) -> None:
        if username in self._unusable or len(self._unusable) >= MAX_WARNED:
            return
        self._unusable.add(username)
        LOGGER.warning("the stored hash of user %s cannot be checked: %s", quoted(username), detail)


def shown(address: str | None) -> str:
    """An address without spaces. Any other text becomes a JSON string."""
    if not address:
        return "-"
    return address if ADDRESS.fullmatch(address) else quoted(address).replace(" ", "\\u0020")


def quoted(text: object) -> str:
    """Text as JSON in ASCII, without control characters."""
    return json.dumps(text).replace("\x7f", "\\u007f") if isinstance(text, str) else "null"


def is_forwarded() -> bool:
    """Whether a proxy added a header that nothing evaluates."""
    flask = sys.modules.get("flask")
    if flask is None or not flask.has_request_context():
        return False
    headers, environ = flask.request.headers, flask.request.environ
    return "X-Forwarded-For" in headers and "werkzeug.proxy_fix.orig" not in environ
