"""Users that are stored elsewhere, and read by functions of the app."""

from __future__ import annotations

from collections.abc import Callable

from ._core import is_locked
from ._errors import Error
from ._types import Account, User


class LookupReader:
    """Reads users with functions of the app."""

    name = "the functions of Users.from_lookup"

    def __init__(
        self,
        password_hash: Callable[[str], str | None],
        groups: Callable[[str], list[str]] | None,
        language: Callable[[str], str | None] | None,
    ) -> None:
        self.stored_hash: Callable[[str], object] = password_hash
        self._groups = groups
        self._language = language

    def groups(self, username: str) -> list[str]:
        return list(self._groups(username) or ()) if self._groups else []

    def language(self, username: str) -> str | None:
        return self._language(username) if self._language else None

    def account(self, username: str) -> Account | None:
        stored = self.stored_hash(username)
        if stored is None:
            return None
        return Account(stored, self.language(username) or "en", self.groups(username))

    def user(self, username: str) -> User | None:
        stored = self.stored_hash(username)
        if stored is None:
            return None
        return User(
            username=username,
            language=self.language(username) or "en",
            groups=tuple(self.groups(username)),
            locked=isinstance(stored, str) and is_locked(stored),
            created_at=None,
            password_changed_at=None,
        )

    def users(self) -> list[User]:
        raise unsupported()

    def close(self) -> None:
        """There is nothing to close."""


def unsupported() -> Error:
    return Error(
        "users of Users.from_lookup cannot be listed or changed here",
        code="usage",
        hint="change them where they are stored",
    )
