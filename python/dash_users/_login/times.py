"""Times of sessions, in UTC, as the other tables store them: `2026-11-29T00:17:56.123Z`."""

from __future__ import annotations

from datetime import datetime, timezone


def now() -> datetime:
    """The current time, in milliseconds."""
    time = datetime.now(timezone.utc)
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def to_text(time: datetime) -> str:
    return time.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
