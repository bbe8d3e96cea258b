"""The rules of sessions: when one begins, counts and ends."""

from __future__ import annotations

import hmac
import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .._errors import Error
from .._types import Account
from .._users import Users
from . import times
from .keys import ID, Keys, key_of, new_id
from .store import Session, Sessions

LOGGER = logging.getLogger("dash_users")

# A use is written after this time, or after a tenth of `idle`.
TOUCH = timedelta(minutes=1)
# How much the clocks of servers may differ. A session of the future would outlive its end.
FUTURE = timedelta(minutes=5)


@dataclass(frozen=True)
class Current:
    """The session of a request, and what was read of its user."""

    id: str
    session: Session
    account: Account


class LiveSessions:
    """The sessions of one app."""

    def __init__(
        self,
        users: Users,
        store: Sessions,
        keys: Keys,
        lifetime: timedelta,
        idle: timedelta | None,
    ) -> None:
        self._users = users
        self._store = store
        self._keys = keys
        self._lifetime = lifetime
        self._idle = lifetime if idle is None else min(idle, lifetime)
        self._cleaning = times.OnceAMinute()
        self._logging = times.OnceAMinute()

    def start(self, username: str, verified_hash: object) -> str | None:
        """Begins a session, and returns its id. `None` if the hash cannot be of a user."""
        session_id = new_id()
        key, now = key_of(session_id), times.now()
        digest = self._keys.of_session(key, username, now, verified_hash)
        if digest is None:
            return None
        if self._cleaning.is_due():
            self._store.end_expired(now)
        session = Session(key, username, self._keys.app, digest, now, now, now)
        self._store.add(replace(session, expires_at=self._end(session)))
        return session_id

    def find(self, ids: list[str]) -> Current | None:
        """The session of a browser that sent these ids."""
        for session_id in ids:
            current = self._check(session_id)
            if current is not None:
                return current
        return None

    def _check(self, session_id: str) -> Current | None:
        session = self._of_app(session_id)
        if session is None:
            return None
        now = times.now()
        account = None
        # The future first: the end of such a session may be no date.
        is_past = max(session.started_at, session.last_used_at) <= now + FUTURE
        if is_past and now < min(session.expires_at, self._end(session)):
            # Read at each request: this is how a lock or a new password ends the session.
            account = self._users._reader.account(session.username)
        if account is None or not self._is_of(session, account):
            self._store.end(session.key)
            return None
        if now - session.last_used_at >= min(TOUCH, self._idle / 10):
            self._touch(replace(session, last_used_at=now))
        return Current(session_id, session, account)

    def _touch(self, session: Session) -> None:
        """Records the last use. If that fails, the request goes on, and the next one tries again."""
        try:
            self._store.touch(session.key, session.last_used_at, self._end(session))
        except Error as error:
            if self._logging.is_due():
                LOGGER.error("the last use of sessions cannot be recorded: %s", error)

    def _of_app(self, session_id: str) -> Session | None:
        if not ID.fullmatch(session_id):
            return None
        session = self._store.get(key_of(session_id))
        return session if session is not None and session.app == self._keys.app else None

    def _is_of(self, session: Session, account: Account) -> bool:
        """Whether the session is unchanged, and began with this hash."""
        digest = self._keys.of_session(
            session.key, session.username, session.started_at, account.stored_hash
        )
        return digest is not None and hmac.compare_digest(digest, session.digest)

    def _end(self, session: Session) -> datetime:
        """When the session ends if it is not used again."""
        return min(session.started_at + self._lifetime, session.last_used_at + self._idle)

    def end(self, ids: list[str]) -> None:
        """Ends the sessions of a browser, also for copies of its cookies."""
        for session_id in ids:
            session = self._of_app(session_id)
            if session is not None:
                self._store.end(session.key)

    def end_user(self, username: str) -> None:
        """Ends all sessions of a user."""
        self._store.end_user(username)
