"""What is derived from the secret key of the app, and the ids of sessions."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from datetime import datetime

from .times import to_text

# 256 random bits.
ID = re.compile(r"[A-Za-z0-9_-]{43}")


def new_id() -> str:
    return secrets.token_urlsafe(32)


def key_of(session_id: str) -> bytes:
    """What is stored instead of the id."""
    return hashlib.sha256(session_id.encode("ascii")).digest()


class Keys:
    """Keyed digests for one app. Another secret key gives others, and ends all sessions."""

    def __init__(self, secret_key: str | bytes, prefix: str, cookie_name: str) -> None:
        secret = secret_key.encode() if isinstance(secret_key, str) else secret_key
        self._key = hmac.digest(secret, b"dash-users login page", "sha256")
        # Sessions belong to one app, even if several use the same file.
        self.app = self._digest("app", prefix, cookie_name).hex()[:32]

    def _digest(self, *parts: str | bytes) -> bytes:
        mac = hmac.new(self._key, digestmod="sha256")
        for part in parts:
            data = part.encode(errors="surrogatepass") if isinstance(part, str) else part
            mac.update(len(data).to_bytes(8, "big"))
            mac.update(data)
        return mac.digest()

    def of_session(
        self, key: bytes, username: str, started_at: datetime, stored_hash: object
    ) -> bytes | None:
        """Ties a session to its user, its start, and the hash of the password."""
        if not isinstance(stored_hash, str):
            return None
        return self._digest("session", self.app, key, username, to_text(started_at), stored_hash)

    def form_token(self, cookie: str) -> str:
        """What a form must contain, besides the cookie."""
        digest = self._digest("form", self.app, cookie)
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def is_form_token(self, token: str, cookie: str) -> bool:
        return hmac.compare_digest(
            token.encode(errors="surrogatepass"), self.form_token(cookie).encode()
        )
