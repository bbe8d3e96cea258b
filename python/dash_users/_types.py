"""Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class User:
    """A user, without the password hash."""

    username: str
    language: str
    groups: tuple[str, ...]
    locked: bool
    created_at: datetime | None
    """When the user was added, in UTC. `None` if unknown."""
    password_changed_at: datetime | None
    """When the password was last changed, in UTC. `None` if unknown."""


@dataclass(frozen=True)
class Account:
    """What a request of a logged-in user needs."""

    stored_hash: object = field(repr=False)
    language: str
    groups: list[str]


@dataclass(frozen=True)
class Event:
    """A change of a user."""

    id: int
    at: datetime | None
    actor: str | None
    """Who made the change. `None` if the app or another program did."""
    action: str
    username: str | None
    detail: str | None


@dataclass(frozen=True)
class LogIn:
    """The result of a login."""

    ok: bool
    retry_after: float | None = None
    """Seconds to wait, if there were too many wrong passwords."""
    user: User | None = None
    """Who logged in."""

    def __bool__(self) -> bool:
        return self.ok


def time(text: str | None) -> datetime | None:
    """A time in RFC 3339 as the database and the program write it, always in UTC."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
