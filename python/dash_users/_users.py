"""The class `Users`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any, NoReturn, Protocol

from . import _greenlets, _program
from ._core import Limits, Refusal, Verifier, sqlite_path
from ._errors import Busy, Error, InvalidData, Limited, NoSuchUser, WrongPassword
from ._logins import Log, client_address
from ._lookup import LookupReader, unsupported
from ._sqlite import SqliteReader
from ._types import Account, Event, LogIn, User, time


class Reader(Protocol):
    """Where users are read from."""

    @property
    def name(self) -> str: ...
    @property
    def stored_hash(self) -> Callable[[str], object]: ...
    def groups(self, username: str) -> list[str]: ...
    def language(self, username: str) -> str | None: ...
    def account(self, username: str) -> Account | None: ...
    def user(self, username: str) -> User | None: ...
    def users(self) -> list[User]: ...
    def close(self) -> None: ...


class Users:
    """The users of an app, in a database that `dash-users` manages.

    `database` is a path, `sqlite:///relative`, `sqlite:////absolute` or `postgresql://…`. By
    default it is the value of `DASH_USERS_DATABASE`, or `users.db`. A relative path is relative to
    the current directory at this moment. The database is opened at the first call.

    `limits` are those of logins. `actor` is who the history names for changes made through this
    object; by default, it is the user who runs the process.

    An object can be shared by threads, and be created before or after a fork. It cannot be pickled.
    """

    def __init__(
        self,
        database: str | os.PathLike[str] | None = None,
        *,
        limits: Limits | None = None,
        actor: str | None = None,
    ) -> None:
        if database is None:
            database = os.environ.get("DASH_USERS_DATABASE") or "users.db"
        text = os.fspath(database)
        if not isinstance(text, str):
            raise TypeError("database must be a str or a path")
        if "\0" in text:
            raise Error("the database contains a NUL character", code="usage")
        try:
            path = sqlite_path(text)
        except ValueError as error:
            raise Error(str(error), code="usage") from None
        reader: Reader
        if path is not None:
            reader = SqliteReader(path)
        else:
            try:
                from ._postgres import PostgresReader
            except ImportError:
                raise Error(
                    "PostgreSQL needs psycopg and psycopg_pool",
                    hint="pip install 'dash-users[postgres]' 'psycopg[binary]'",
                ) from None
            reader = PostgresReader(text)
        self._start(reader, path if path is not None else text.strip(), limits, actor)

    @classmethod
    def from_lookup(
        cls,
        password_hash: Callable[[str], str | None],
        *,
        groups: Callable[[str], list[str]] | None = None,
        language: Callable[[str], str | None] | None = None,
        limits: Limits | None = None,
    ) -> Users:
        """Users that are stored elsewhere, with the same checks and limits of logins.

        `password_hash` returns the hash of a user in werkzeug's format, or `None` for an unknown
        user. It is called for each login, and again after a hash was computed. Its exceptions pass
        through. Such users can be neither listed nor changed here.
        """
        users = cls.__new__(cls)
        users._start(LookupReader(password_hash, groups, language), None, limits, None)
        return users

    def _start(
        self, reader: Reader, database: str | None, limits: Limits | None, actor: str | None
    ) -> None:
        self._reader = reader
        self._stored_hash = reader.stored_hash
        # The program's argument.
        self._database = database
        self._actor = actor
        self._verify = Verifier(limits if limits is not None else Limits()).verify
        self._verify_in_turn = _greenlets.InTurn(self._verify)
        self._log = Log()

    def __repr__(self) -> str:
        return f"<dash_users.Users of {self._reader.name}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("Users cannot be pickled: create an object in each process")

    def close(self) -> None:
        """Closes the connections. Later calls open new ones."""
        self._reader.close()

    # Logins

    def auth_func(self, username: str, password: str) -> bool:
        """Whether a login is correct, for `dash_auth.BasicAuth(auth_func=…)`.

        Reads the user's current row at each call, but computes a hash only once for each login.
        Raises `Busy` if too many hashes are computed, and `DatabaseError`.
        """
        # As `_check`, which would be another call for each request.
        address = client_address()
        # A call of `are_used` would take too long for each request.
        uses_greenlets = "gevent" in sys.modules and _greenlets.are_used()
        verify = self._verify_in_turn if uses_greenlets else self._verify
        try:
            refusal = verify(username, password, address, self._stored_hash)
        except BaseException:
            del password
            raise
        return refusal is None or self._refused(username, address, refusal) is None

    def log_in(self, username: str, password: str, *, address: str | None = None) -> LogIn:
        """Checks a login, for a login page of your own.

        `address` is the client's. By default, it is that of the current request in Flask.
        """
        try:
            refusal = self._check(username, password, address)
        finally:
            del password
        if refusal is not None:
            return LogIn(ok=False, retry_after=refusal.retry_after)
        user = self.get(username)
        if user is None or user.locked:
            # Since the check.
            return LogIn(ok=False)
        return LogIn(ok=True, user=user)

    def _check(
        self,
        username: str,
        password: str,
        address: str | None,
        read: Callable[[str], object] | None = None,
    ) -> Refusal | None:
        """Why to refuse a login, or `None`. `read` reads the stored hash."""
        if address is None:
            address = client_address()
        verify = self._verify_in_turn if _greenlets.are_used() else self._verify
        try:
            refusal = verify(username, password, address, read or self._stored_hash)
        finally:
            # What shows the variables of a traceback shows no password.
            del password
        return None if refusal is None else self._refused(username, address, refusal)

    def _refused(self, username: str, address: str | None, refusal: Refusal) -> Refusal:
        """Logs it."""
        self._log.failed(username, address, refusal)
        if refusal.reason == "busy":
            raise Busy("too many passwords are being checked", hint="try again in a few seconds")
        return refusal

    def _verified(self, username: str, password: str) -> tuple[Refusal | None, object]:
        """As `_check`, with the stored hash that was verified."""
        verified: object = None

        def read(name: str) -> object:
            nonlocal verified
            verified = self._stored_hash(name)
            return verified

        return self._check(username, password, None, read), verified

    # Reading

    def user_groups(self, username: str) -> list[str]:
        """The user's groups, for `dash_auth.BasicAuth(user_groups=…)`. Unknown users have none."""
        return self._reader.groups(username) if is_text(username) else []

    def get(self, username: str) -> User | None:
        """The user with this name."""
        return self._reader.user(username) if is_text(username) else None

    def language(self, username: str) -> str | None:
        """The user's language. `None` for an unknown user."""
        return self._reader.language(username) if is_text(username) else None

    def list_users(self, *, group: str | None = None) -> list[User]:
        """All users, or those of a group, by name."""
        users = self._reader.users()
        return users if group is None else [user for user in users if group in user.groups]

    def history(self, username: str | None = None, *, limit: int | None = None) -> list[Event]:
        """Who changed what, the newest first. Includes changes under earlier names of the user."""
        options = [] if limit is None else [f"--limit={limit:d}"]
        names = [] if username is None else [username]
        events = self._run("history", *options, "--", *names)
        # A newer program may report more.
        names = [field.name for field in fields(Event) if field.name != "at"]
        return [
            Event(at=time(event["at"]), **{name: event[name] for name in names}) for event in events
        ]

    # Changes

    def add(
        self,
        username: str,
        password: str,
        *,
        language: str = "en",
        groups: Iterable[str] = (),
        locked: bool = False,
        allow_weak: bool = False,
    ) -> User:
        """Adds a user."""
        options = [f"--language={checked(language)}"]
        options += [f"--group={checked(group)}" for group in groups_of(groups)]
        options += ["--locked"] if locked else []
        options += ["--allow-weak"] if allow_weak else []
        arguments = ["add", "--password-stdin", *options, "--", username]
        try:
            self._run_with_password(password, *arguments)
        finally:
            del password
        return self._existing(username)

    def set_password(self, username: str, password: str, *, allow_weak: bool = False) -> None:
        """Sets a new password. A locked user stays locked."""
        options = ["--allow-weak"] if allow_weak else []
        try:
            arguments = ["passwd", "--password-stdin", *options, "--", username]
            self._run_with_password(password, *arguments)
        finally:
            del password

    def change_password(self, username: str, old: str, new: str) -> None:
        """Sets a new password if the old one is right, for a page where people change their own.

        Raises `WrongPassword`, also for unknown and locked users, and `Limited` after too many
        wrong passwords.
        """
        try:
            self._change_password(username, old, new, self._actor)
        finally:
            del old, new

    def _change_password(self, username: str, old: str, new: str, actor: str | None) -> None:
        try:
            self._changeable()
            refusal = self._check(username, old, None)
            if refusal is None:
                self._run_with_password(
                    new, "passwd", "--password-stdin", "--", username, actor=actor
                )
        finally:
            del old, new
        if refusal is not None:
            if refusal.retry_after is not None:
                raise Limited(refusal.retry_after)
            raise WrongPassword("the password is wrong")

    def remove(self, username: str) -> None:
        """Removes a user."""
        self._run("remove", "--yes", "--", username)

    def rename(self, old: str, new: str) -> User:
        """Gives a user another name. The password and the groups stay."""
        self._run("rename", "--", old, new)
        return self._existing(new)

    def update(self, username: str, *, language: str) -> User:
        """Changes a user's language."""
        self._run("update", f"--language={checked(language)}", "--", username)
        return self._existing(username)

    def lock(self, username: str) -> None:
        """Refuses the user's logins until `unlock`."""
        self._run("lock", "--", username)

    def unlock(self, username: str) -> None:
        """Accepts the user's password again."""
        self._run("unlock", "--", username)

    def add_groups(self, username: str, groups: Iterable[str]) -> None:
        """Adds a user to groups."""
        if names := groups_of(groups):
            self._run("group", "add", "--", username, *names)

    def remove_groups(self, username: str, groups: Iterable[str]) -> None:
        """Removes a user from groups."""
        if names := groups_of(groups):
            self._run("group", "remove", "--", username, *names)

    def _existing(self, username: str) -> User:
        user = self.get(username)
        if user is None:
            raise NoSuchUser("the user was removed by another program in the meantime")
        return user

    def _changeable(self) -> str:
        """The program's argument."""
        if self._database is None:
            raise unsupported()
        return self._database

    def _run(self, *arguments: str) -> Any:
        return _program.run(self._changeable(), list(arguments), actor=self._actor)

    def _run_with_password(self, password: str, *arguments: str, actor: str | None = None) -> Any:
        try:
            if not isinstance(password, str):
                raise TypeError(f"the password must be a str, not {type(password).__name__}")
            database = self._changeable()
            return _program.run(
                database, list(arguments), password=password, actor=actor or self._actor
            )
        finally:
            del password


def is_text(name: object) -> bool:
    """Whether a user can have this name."""
    if not isinstance(name, str):
        return False
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def checked(text: str) -> str:
    """The text, if it can be a part of an argument."""
    problem = _program.text_problem(text)
    if problem is not None:
        raise problem
    return text


def groups_of(groups: Iterable[str]) -> list[str]:
    if isinstance(groups, str):
        raise InvalidData("groups must be a list of names, not one str")
    return list(groups)
