"""Paths: those of the app, and where to go after a login."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

# Longer ones are not followed.
MAX_NEXT = 2000


def below(path: str, prefix: str) -> str | None:
    """The path relative to a prefix that ends with `/`. `None` if it is elsewhere."""
    if path == prefix[:-1]:
        return "/"
    return path[len(prefix) - 1 :] if path.startswith(prefix) else None


def is_inside(target: str, prefix: str) -> bool:
    """Whether a browser that is sent to `target` stays in the app.

    Browsers ignore some control characters, read a backslash as a slash, and resolve encoded dots.
    """
    if len(target) > MAX_NEXT or not is_plain(target):
        return False
    path = target.split("?")[0].split("#")[0]
    decoded = unquote(path)
    if not path.startswith(prefix) or not is_plain(decoded):
        return False
    if "\\" in decoded or "//" in decoded:
        return False
    if any(segment in (".", "..") for segment in decoded.split("/")):
        return False
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    return not parts.scheme and not parts.netloc


def is_plain(text: str) -> bool:
    """Whether the text has no control characters, and can be encoded."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return not any(character < " " or "\x7f" <= character <= "\x9f" for character in text)
