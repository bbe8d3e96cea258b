"""Times of sessions, in UTC, as the other tables store them: `2026-11-29T00:17:56.123Z`."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timezone


def now() -> datetime:
    """The current time, in milliseconds."""
    current = datetime.now(timezone.utc)
    return current.replace(microsecond=current.microsecond // 1000 * 1000)


def to_text(time: datetime) -> str:
    return time.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    time = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if time.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return time


class OnceAMinute:
    """Whether something is due that one of the threads does once a minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done: float | None = None

    def is_due(self) -> bool:
        now = time.monotonic()
        with self._lock:
            if self._done is not None and now - self._done < 60:
                return False
            self._done = now
            return True
